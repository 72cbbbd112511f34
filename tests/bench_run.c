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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	    21
#define EXPERIMENT  "tests/bench_run.lua"
#define MANY	    100
#define DEADLINE_MS 5000

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

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

/* Wall time of one command in milliseconds, below 0 when it failed. */
static double time_of(char *const argv[])
{
	double start;
	pid_t pid;
	int status;

	fflush(stdout); /* or the child's freopen() writes it once more */
	start = now_ms();
	pid = fork();

	if (pid == 0) {
		need(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
		execvp(argv[0], argv);
		_exit(127);
	}
	need(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? now_ms() - start
							     : -1;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct contestant {
	const char *name;
	char *argv[8];
	double ms[ROUNDS];
};

static void report(struct contestant *c)
{
	qsort(c->ms, ROUNDS, sizeof(c->ms[0]), ascending);
	if (c->ms[0] < 0)
		printf("%-34s failed\n", c->name);
	else
		printf("%-34s %8.1f ms  (%.1f to %.1f)\n", c->name,
		       c->ms[ROUNDS / 2], c->ms[0], c->ms[ROUNDS - 1]);
}

static void one_each(char *self, char *ooblab)
{
	struct contestant all[] = {
		{ "bare C program", { self, "--bare", NULL }, { 0 } },
		{ "ooblab run, one experiment",
		  { ooblab, "run", EXPERIMENT, NULL },
		  { 0 } },
		{ "ooblab run --transport unix",
		  { ooblab, "run", "--transport", "unix", EXPERIMENT, NULL },
		  { 0 } },
		{ "packetdrill, a script of that size",
		  { "packetdrill", "tests/bench_run.pkt", NULL },
		  { 0 } },
	};
	bool packetdrill = system("command -v packetdrill >/dev/null") == 0;
	size_t n = packetdrill ? 4 : 3;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++)
			all[i].ms[round] = time_of(all[i].argv);
	}
	for (size_t i = 0; i < n; i++)
		report(&all[i]);
	if (!packetdrill)
		printf("%-34s not installed\n", all[3].name);
}

static void many(char *ooblab, char *jobs)
{
	char *argv[MANY + 5] = { ooblab, "run", "--tap", jobs };
	double ms;

	for (int i = 0; i < MANY; i++)
		argv[4 + i] = EXPERIMENT;
	ms = time_of(argv);
	printf("ooblab run %s, %d experiments      %8.1f ms  "
	       "(%.0f a second)\n",
	       jobs, MANY, ms, MANY * 1e3 / ms);
}

int main(int argc, char **argv)
{
	char *ooblab = getenv("OOBLAB");

	if (argc > 1 && !strcmp(argv[1], "--bare"))
		return bare();
	if (!ooblab)
		ooblab = "build/ooblab";
	one_each(argv[0], ooblab);
	many(ooblab, "-j1");
	many(ooblab, "-j2");
	return 0;
}
