/*
 * What one captured loopback experiment costs, beside a bare C program that
 * does the least one can do: make a network namespace, open a packet socket,
 * send an urgent byte, receive it, see it on the wire. And, where it is
 * installed, beside packetdrill with a script of that size.
 *
 * Wall time from start to exit, medians, the contestants in turn.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/contest.h"

#define ROUNDS	    21
#define SECONDS	    10.0
#define EXPERIMENT  "tests/bench_run.lua"
#define MANY	    100
#define DEADLINE_MS 5000

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_run: %s: %s\n", what, strerror(errno));
	exit(77);
}

static void loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	need(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &req) == 0, "lo up");
	close(fd);
}

static int packet_socket(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = (int)if_nametoindex("lo") };
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	need(fd >= 0 && bind(fd, (void *)&ll, sizeof(ll)) == 0, "AF_PACKET");
	return fd;
}

static void connect_pair(int *s, int *r)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	need(l >= 0 && bind(l, (void *)&sa, sizeof(sa)) == 0 &&
		     listen(l, 1) == 0 &&
		     getsockname(l, (void *)&sa, &len) == 0,
	     "listen");
	*s = socket(AF_INET, SOCK_STREAM, 0);
	need(connect(*s, (void *)&sa, sizeof(sa)) == 0, "connect");
	*r = accept(l, NULL, NULL);
	need(*r >= 0, "accept");
	close(l);
}

/* Until a segment with URG and pointer 3 was seen. */
static void see_urgent(int packets)
{
	struct pollfd pfd = { .fd = packets, .events = POLLIN };
	uint8_t frame[2048];

	while (poll(&pfd, 1, DEADLINE_MS) == 1) {
		ssize_t n = recv(packets, frame, sizeof(frame), 0);
		const struct iphdr *ip = (const void *)frame;
		const struct tcphdr *tcp =
			(const void *)(frame + (size_t)ip->ihl * 4);

		if (n >= 40 && ip->protocol == IPPROTO_TCP && tcp->urg &&
		    tcp->urg_ptr == htons(3))
			return;
	}
	need(false, "no urgent segment");
}

static int bare(void)
{
	struct pollfd pfd = { .events = POLLPRI };
	int packets, s, r;
	char byte;

	if (unshare(CLONE_NEWNET) < 0)
		need(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "unshare");
	loopback_up();
	packets = packet_socket();
	connect_pair(&s, &r);
	need(send(s, "abc", 3, MSG_OOB) == 3, "send");
	pfd.fd = r;
	need(poll(&pfd, 1, DEADLINE_MS) == 1, "POLLPRI");
	need(recv(r, &byte, 1, MSG_OOB) == 1 && byte == 'c', "recv");
	see_urgent(packets);
	return 0;
}

static const struct contestant one_each[] = {
	{ "bare C program", NULL, "exec $BENCH --bare", 0, 0 },
	{ "ooblab run, one experiment", NULL, "exec $OOBLAB run " EXPERIMENT, 1,
	  0 },
	{ "ooblab run --transport unix", NULL,
	  "exec $OOBLAB run --transport unix " EXPERIMENT, 2, 0 },
	{ "packetdrill, a script of that size", "packetdrill",
	  "exec packetdrill tests/bench_run.pkt", 0, 0 },
};

static void many(const char *jobs)
{
	char command[MANY * sizeof(EXPERIMENT) + 64];
	int used = snprintf(command, sizeof(command),
			    "exec $OOBLAB run --tap %s", jobs);
	struct measure m;

	for (int i = 0; i < MANY; i++)
		used += snprintf(command + used, sizeof(command) - (size_t)used,
				 " " EXPERIMENT);
	if (contest_measure(command, &m))
		printf("  %d of them, %s: %.0f a second\n", MANY, jobs,
		       MANY / m.wall_s);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--bare"))
		return bare();
	setenv("BENCH", argv[0], 1);
	setenv("OOBLAB", "build/ooblab", 0);
	printf("%48s %8s\n", "wall s", "CPU s");
	contest(one_each, sizeof(one_each) / sizeof(*one_each), ROUNDS,
		SECONDS);
	many("-j1");
	many("-j2");
	return 0;
}
