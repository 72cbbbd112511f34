#include "tests/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- links, by rtnetlink(7) ----------------------------------------------- */

struct request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	char attributes[512];
};

static struct rtattr *tail(struct request *r)
{
	return (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));
}

static struct rtattr *add(struct request *r, unsigned short type,
			  const void *data, size_t len)
{
	struct rtattr *at = tail(r);

	at->rta_type = type;
	at->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(at), data, len);
	r->head.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_SPACE(len));
	return at;
}

/* What was added since `at` is nested in it. */
static void close_nest(struct request *r, struct rtattr *at)
{
	at->rta_len = (unsigned short)((char *)tail(r) - (char *)at);
}

/* A pair of links: one here, the other in a namespace. */
static int add_veth(const char *name, const char *peer, int peer_namespace)
{
	const struct ifinfomsg none = { .ifi_family = AF_UNSPEC };
	struct request r = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.info)),
			  .nlmsg_type = RTM_NEWLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE |
					 NLM_F_EXCL | NLM_F_ACK },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;
	struct rtattr *info, *data, *other;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = add(&r, IFLA_LINKINFO, NULL, 0);
	add(&r, IFLA_INFO_KIND, "veth", 4);
	data = add(&r, IFLA_INFO_DATA, NULL, 0);
	other = add(&r, VETH_INFO_PEER, &none, sizeof(none));
	add(&r, IFLA_IFNAME, peer, strlen(peer) + 1);
	add(&r, IFLA_NET_NS_FD, &peer_namespace, sizeof(peer_namespace));
	close_nest(&r, other);
	close_nest(&r, data);
	close_nest(&r, info);
	n = send(fd, &r, r.head.nlmsg_len, 0);
	if (n > 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	return n < (ssize_t)sizeof(answer) ? -EIO : answer.error.error;
}

/* --- addresses and routes, by netdevice(7) -------------------------------- */

static struct sockaddr address_of(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr out;

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(&out, &in, sizeof(out));
	return out;
}

/* `address` may be NULL. */
static int bring_up(const char *link, const char *address)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	ret = ioctl(fd, SIOCSIFFLAGS, &request);
	if (ret == 0 && address) {
		request.ifr_addr = address_of(address);
		ret = ioctl(fd, SIOCSIFADDR, &request);
	}
	if (ret == 0 && address) {
		request.ifr_netmask = address_of("255.255.255.0");
		ret = ioctl(fd, SIOCSIFNETMASK, &request);
	}
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int route_all(const char *gateway)
{
	struct rtentry route = {
		.rt_dst = address_of("0.0.0.0"),
		.rt_genmask = address_of("0.0.0.0"),
		.rt_gateway = address_of(gateway),
		.rt_flags = RTF_UP | RTF_GATEWAY,
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, SIOCADDRT, &route) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -errno : 0;
}

/* --- places --------------------------------------------------------------- */

static int enter_user_namespace(void)
{
	char map[64];
	uid_t uid = getuid();

	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_file("/proc/self/uid_map", map);
}

static int make_places(struct path *path)
{
	for (int i = 0; i < PATH_PLACES; i++) {
		if (unshare(CLONE_NEWNET) < 0)
			return -errno;
		path->namespaces[i] =
			open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (path->namespaces[i] < 0)
			return -errno;
	}
	return path_enter(path, PATH_ROUTER);
}

static int build_router(const struct path *path)
{
	int ret = add_veth("ra", PATH_A_LINK, path->namespaces[PATH_A]);

	if (ret == 0)
		ret = add_veth(PATH_ROUTER_B_LINK, PATH_B_LINK,
			       path->namespaces[PATH_B]);
	if (ret == 0)
		ret = bring_up("ra", PATH_ROUTER_ADDRESS);
	if (ret == 0)
		ret = bring_up(PATH_ROUTER_B_LINK, "10.2.0.254");
	return ret < 0 ? ret : write_file("/proc/sys/net/ipv4/ip_forward", "1");
}

static int build_host(const struct path *path, enum path_place place,
		      const char *link, const char *address,
		      const char *gateway)
{
	int ret = path_enter(path, place);

	if (ret == 0)
		ret = bring_up("lo", NULL);
	if (ret == 0)
		ret = bring_up(link, address);
	return ret < 0 ? ret : route_all(gateway);
}

int path_build(struct path *path)
{
	int ret = getuid() == 0 ? 0 : enter_user_namespace();

	if (ret == 0)
		ret = make_places(path);
	if (ret == 0)
		ret = build_router(path);
	if (ret == 0)
		ret = build_host(path, PATH_A, PATH_A_LINK, PATH_A_ADDRESS,
				 PATH_ROUTER_ADDRESS);
	if (ret == 0)
		ret = build_host(path, PATH_B, PATH_B_LINK, PATH_B_ADDRESS,
				 "10.2.0.254");
	return ret < 0 ? ret : path_enter(path, PATH_ROUTER);
}

int path_enter(const struct path *path, enum path_place place)
{
	return setns(path->namespaces[place], CLONE_NEWNET) < 0 ? -errno : 0;
}

/* --- what a middlebox does ------------------------------------------------ */

static void run_nft(const struct path *path, int input)
{
	static char search[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin";
	char *environment[] = { search, NULL };
	char *arguments[] = { (char *)"nft", (char *)"-f", (char *)"-", NULL };
	int silent = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (path_enter(path, PATH_ROUTER) < 0 || dup2(input, 0) < 0 ||
	    dup2(silent, 2) < 0)
		_exit(126);
	putenv(search);
	execvpe(arguments[0], arguments, environment);
	_exit(127);
}

int path_rules(const struct path *path, const char *rules)
{
	int ends[2], status = 0;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		run_nft(path, ends[0]);
	close(ends[0]);
	/* far less than a pipe holds */
	if (child > 0 && write(ends[1], rules, strlen(rules)) < 0)
		status = -1;
	close(ends[1]);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -ECHILD;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EOPNOTSUPP;
}

static int set_offload(int fd, const char *link, uint32_t command)
{
	struct ethtool_value off = { .cmd = command, .data = 0 };
	struct ifreq request = { .ifr_data = (void *)&off };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

int path_no_offload(const struct path *path, enum path_place place,
		    const char *link)
{
	int ret = path_enter(path, place);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (ret == 0)
		ret = set_offload(fd, link, ETHTOOL_SGSO);
	if (ret == 0)
		ret = set_offload(fd, link, ETHTOOL_STSO);
	close(fd);
	return ret;
}
