#include "tests/wire_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h> /* its tcp_info has tcpi_segs_in */
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture/bytes.h"
#include "capture/decode.h"

#define PEER_NET     0xc0000200 /* 192.0.2.0/24, for examples (RFC 5737) */
#define PEER_ADDRESS (PEER_NET | 2)
#define FIRST_PORT   1024

#define STATE_CLOSED 7 /* tcpi_state: TCP_CLOSE, in netinet/tcp.h */

#define PATIENCE_NS 2000000000LL

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct sockaddr_in address(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(host),
		.sin_port = htons(port),
	};
}

/* --- packets ---------------------------------------------------------- */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += be16(p);
	return len ? sum + ((uint32_t)*p << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The kernel fills in the rest of the IP header (raw(7), IP_HDRINCL). */
static void build(struct wire_peer *peer, const struct wire_segment *s)
{
	uint8_t *ip = peer->packet;
	uint8_t *tcp = ip + 20;
	uint32_t tcp_len = 20u + s->len;

	peer->packet_len = 20 + tcp_len;
	memset(ip, 0, WIRE_HEADERS);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)peer->packet_len);
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	put32(ip + 12, PEER_ADDRESS);
	put32(ip + 16, INADDR_LOOPBACK);
	put16(tcp, peer->port);
	put16(tcp + 2, peer->kernel_port);
	put32(tcp + 4, peer->isn + s->seq);
	if (s->flags & CAPTURE_ACK)
		put32(tcp + 8, peer->ack);
	tcp[12] = 5 << 4;
	tcp[13] = s->flags;
	put16(tcp + 14, 65535);
	put16(tcp + 18, s->up);
	if (s->len)
		memcpy(tcp + 20, s->data, s->len);
	put16(tcp + 16, fold(sum16(tcp, tcp_len,
				   sum16(ip + 12, 8, IPPROTO_TCP + tcp_len))));
}

static int transmit(struct wire_peer *peer, const struct wire_segment *segment)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 0);

	build(peer, segment);
	if (sendto(peer->tx, peer->packet, peer->packet_len, 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

/* --- what the kernel sends -------------------------------------------- */

/*
 * Hears the SYNs sent to the peer. It must not touch what the peer sends: TCP
 * does not merge segments that it was given as clones, which it is where a
 * packet socket listens for IPv4 alone (6.18: TCPRcvCoalesce stays behind).
 * One for all protocols comes first, and its filter passes the segment by.
 */
static int open_ear(void)
{
	struct sock_filter syn_to_peer[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PEER_ADDRESS, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20 + 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CAPTURE_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { 6, syn_to_peer };
	struct sockaddr_ll on = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)) == 0 &&
	    bind(fd, (struct sockaddr *)&on, sizeof(on)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* The next segment with SYN that the kernel sends to the peer. */
static int wait_syn(struct wire_peer *peer)
{
	int64_t deadline = now_ns() + PATIENCE_NS;
	uint8_t p[256];

	for (;;) {
		struct pollfd poller = { peer->ear, POLLIN, 0 };
		int64_t left_ns = deadline - now_ns();
		ssize_t n;

		if (left_ns <= 0 ||
		    poll(&poller, 1, (int)(left_ns / 1000000 + 1)) == 0)
			return -ETIMEDOUT;
		n = recv(peer->ear, p, sizeof(p), MSG_DONTWAIT);
		if (n < WIRE_HEADERS || p[0] != 0x45 ||
		    !(p[20 + 13] & CAPTURE_SYN) ||
		    be16(p + 20) != peer->kernel_port ||
		    be16(p + 22) != peer->port)
			continue;
		peer->ack = be32(p + 20 + 4) + 1;
		return 0;
	}
}

/* --- connections ------------------------------------------------------ */

struct attribute {
	struct rtattr header;
	uint32_t value;
};

#define ATTRIBUTE(type_, value_)                                               \
	{                                                                      \
		.header = { sizeof(struct attribute), (type_) },               \
		.value = (value_),                                             \
	}

/* rtnetlink(7): 192.0.2.0/24 to lo, each segment acknowledged at once. */
struct route_order {
	struct nlmsghdr header;
	struct rtmsg route;
	struct attribute to;
	struct attribute by;
	struct rtattr metrics;
	struct attribute quick_ack;
};

/*
 * The kernel routes what it sends to the peer to lo; it comes back from there
 * with the route it went out by, which does not lead to a socket, and is
 * dropped without an answer.
 */
static int order_route(int fd)
{
	struct route_order order = {
		.header = { .nlmsg_len = sizeof(order),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
					   NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = AF_INET,
			   .rtm_dst_len = 24,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_LINK,
			   .rtm_type = RTN_UNICAST },
		.to = ATTRIBUTE(RTA_DST, htonl(PEER_NET)),
		.by = ATTRIBUTE(RTA_OIF, if_nametoindex("lo")),
		.metrics = { sizeof(struct rtattr) + sizeof(struct attribute),
			     RTA_METRICS },
		.quick_ack = ATTRIBUTE(RTAX_QUICKACK, 1),
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[256];
	} answer;

	if (send(fd, &order, sizeof(order), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error
						       : -EPROTO;
}

static int add_route(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int ret;

	if (fd < 0)
		return -errno;
	ret = order_route(fd);
	close(fd);
	return ret;
}

static int open_listener(uint16_t *port)
{
	struct sockaddr_in at = address(INADDR_LOOPBACK, 0);
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(fd, 1) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
		*port = ntohs(at.sin_port);
		return fd;
	}
	ret = -errno;
	close(fd);
	return ret;
}

int wire_peer_open(struct wire_peer *peer)
{
	int ret;

	*peer = (struct wire_peer){ .tx = -1,
				    .ear = -1,
				    .listener = -1,
				    .fd = -1,
				    .port = FIRST_PORT };
	ret = add_route();
	if (ret < 0)
		return ret;
	peer->tx = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (peer->tx < 0)
		return -errno;
	ret = peer->ear = open_ear();
	if (ret >= 0)
		ret = peer->listener = open_listener(&peer->listener_port);
	if (ret < 0)
		wire_peer_close(peer);
	return ret < 0 ? ret : 0;
}

/* Also waits until the kernel is done with its packets: the counter changes
 * under the lock that handling a segment takes. */
static int segments_in(int fd, uint32_t *count, uint8_t *state)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return -errno;
	*count = info.tcpi_segs_in;
	*state = info.tcpi_state;
	return 0;
}

static int begin(struct wire_peer *peer)
{
	uint8_t state;

	return segments_in(peer->fd, &peer->segments, &state);
}

static int wait_ready(int fd, short events)
{
	struct pollfd poller = { fd, events, 0 };

	return poll(&poller, 1, (int)(PATIENCE_NS / 1000000)) > 0 ? 0
								  : -ETIMEDOUT;
}

static int open_to_kernel(struct wire_peer *peer)
{
	struct wire_segment syn = { .flags = CAPTURE_SYN };
	struct wire_segment ack = { .seq = 1, .flags = CAPTURE_ACK };
	uint8_t first[WIRE_HEADERS];
	int ret = transmit(peer, &syn);

	memcpy(first, peer->packet, sizeof(first));
	if (ret == 0)
		ret = wait_syn(peer);
	if (ret == 0)
		ret = transmit(peer, &ack);
	if (ret == 0)
		ret = wait_ready(peer->listener, POLLIN);
	if (ret < 0)
		return ret;
	peer->fd = accept4(peer->listener, NULL, NULL,
			   SOCK_CLOEXEC | SOCK_NONBLOCK);
	memcpy(peer->packet, first, sizeof(first));
	peer->packet_len = sizeof(first);
	return peer->fd < 0 ? -errno : 0;
}

int wire_peer_accept(struct wire_peer *peer, uint32_t isn)
{
	int ret;

	peer->port++;
	peer->kernel_port = peer->listener_port;
	peer->isn = isn;
	ret = open_to_kernel(peer);
	return ret < 0 ? ret : begin(peer);
}

/* The kernel's end, on its way. */
static int start_connect(struct wire_peer *peer)
{
	struct sockaddr_in local = address(INADDR_LOOPBACK, 0);
	struct sockaddr_in remote = address(PEER_ADDRESS, peer->port);
	socklen_t len = sizeof(local);

	peer->fd =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (peer->fd < 0 ||
	    bind(peer->fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    getsockname(peer->fd, (struct sockaddr *)&local, &len) < 0 ||
	    (connect(peer->fd, (struct sockaddr *)&remote, sizeof(remote)) <
		     0 &&
	     errno != EINPROGRESS))
		return -errno;
	peer->kernel_port = ntohs(local.sin_port);
	return 0;
}

int wire_peer_connect(struct wire_peer *peer, uint32_t isn,
		      const struct wire_segment *syn)
{
	struct wire_segment answer = *syn;
	int ret;

	answer.seq = 0;
	answer.flags |= CAPTURE_SYN | CAPTURE_ACK;
	peer->port++;
	peer->isn = isn;
	ret = start_connect(peer);
	if (ret == 0)
		ret = wait_syn(peer);
	if (ret == 0)
		ret = transmit(peer, &answer);
	if (ret == 0)
		ret = wait_ready(peer->fd, POLLOUT);
	return ret < 0 ? ret : begin(peer);
}

int wire_peer_send(struct wire_peer *peer, const struct wire_segment *segment)
{
	struct wire_segment with_ack = *segment;
	int64_t deadline = now_ns() + PATIENCE_NS;
	uint32_t count = 0;
	uint8_t state = 0;
	int ret = segments_in(peer->fd, &count, &state);

	if (ret < 0)
		return ret;
	if (state == STATE_CLOSED)
		return -EPIPE;
	with_ack.flags |= CAPTURE_ACK;
	ret = transmit(peer, &with_ack);
	if (ret < 0)
		return ret;
	peer->segments++;
	/* lo hands packets over before sendto() returns, but for a machine so
	 * busy that a kernel thread must do it. */
	for (;;) {
		ret = segments_in(peer->fd, &count, &state);
		if (ret < 0 || count == peer->segments)
			return ret;
		if (now_ns() > deadline)
			return -ETIMEDOUT;
		sched_yield();
	}
}

void wire_peer_hang_up(struct wire_peer *peer)
{
	struct linger reset = { 1, 0 };

	if (peer->fd < 0)
		return;
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(peer->fd);
	peer->fd = -1;
}

void wire_peer_close(struct wire_peer *peer)
{
	wire_peer_hang_up(peer);
	if (peer->tx >= 0)
		close(peer->tx);
	if (peer->ear >= 0)
		close(peer->ear);
	if (peer->listener >= 0)
		close(peer->listener);
	peer->tx = peer->ear = peer->listener = -1;
}
