/*
 * What a live capture loses: a sender on one end of a veth pair, ooblab or
 * tcpdump with a ring of the same size on the other, at one rate after
 * another. When the sender is done the capture gets SIGINT; lost is what it
 * then does not report, dropped is what the kernel says it had no room for.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/contest.h"
#include "tests/path.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define LINK	  "ra"	 /* the router's end of the pair */
#define RING	  "2048" /* KiB */
#define TRAFFIC	  "small 100000 7"
#define SECONDS	  0.4
#define ROUNDS	  3
#define READY_MS  5000
#define SETTLE_MS 200
#define BATCH	  32
#define FRAME_MAX 128

struct frame {
	uint32_t len;
	uint8_t data[FRAME_MAX];
};

static struct frame *frames;
static size_t frames_count;

/* 0: all it can. */
static const unsigned long rates[] = { 50000, 100000, 200000, 400000, 0 };

struct capturer {
	const char *name;
	const char *needs;
	const char *command;
};

/* The link's own IPv6 is none of the sender's. */
#define ON_LINK " -i " LINK " -B " RING " "

static const struct capturer capturers[] = {
	{ "tcpdump -w", "tcpdump",
	  "exec tcpdump" ON_LINK "$AS_ROOT -w /dev/null tcp 2>&1" },
	{ "ooblab --summary", NULL,
	  "exec $OOBLAB capture" ON_LINK "--summary tcp" },
	{ "ooblab --json", NULL,
	  "$OOBLAB capture" ON_LINK
	  "--json tcp | { trap '' INT; tail -n 1; }" },
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_live: %s: %s\n", what, strerror(errno));
	exit(77);
}

/* --- the sender --------------------------------------------------------- */

static void read_frames(const char *command)
{
	FILE *pcap = popen(command, "r");
	uint32_t header[6], record[4];

	need(pcap && fread(header, sizeof(header), 1, pcap) == 1, command);
	while (fread(record, sizeof(record), 1, pcap) == 1) {
		struct frame *f;

		if (frames_count % 1024 == 0) {
			f = realloc(frames, (frames_count + 1024) * sizeof(*f));
			need(f != NULL, "memory");
			frames = f;
		}
		f = &frames[frames_count++];
		f->len = record[2];
		need(f->len <= FRAME_MAX && fread(f->data, f->len, 1, pcap),
		     command);
	}
	need(pclose(pcap) == 0, command);
}

static int open_sender(void)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(PATH_A_LINK),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	const int on = 1;

	need(fd >= 0 && bind(fd, (void *)&to, sizeof(to)) == 0, "AF_PACKET");
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	return fd;
}

static void send_batch(int fd, size_t first)
{
	struct mmsghdr batch[BATCH] = { 0 };
	struct iovec parts[BATCH];
	int done = 0;

	for (size_t i = 0; i < BATCH; i++) {
		struct frame *f = &frames[(first + i) % frames_count];

		parts[i] = (struct iovec){ f->data, f->len };
		batch[i].msg_hdr.msg_iov = &parts[i];
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < BATCH) {
		int n = sendmmsg(fd, batch + done, (unsigned)(BATCH - done), 0);

		need(n > 0, "sendmmsg");
		done += n;
	}
}

/* Returns how many were sent. */
static unsigned long send_at(int fd, unsigned long rate, double *seconds)
{
	double begin = now_s(), now = begin;
	unsigned long sent = 0;

	while (now - begin < SECONDS) {
		if (!rate || (double)sent < (now - begin) * (double)rate) {
			send_batch(fd, sent);
			sent += BATCH;
		} else {
			poll(NULL, 0, 0);
		}
		now = now_s();
	}
	*seconds = now - begin;
	return sent;
}

/* --- what arrives, whoever captures it ----------------------------------- */

static int open_watch(void)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(LINK),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	const int least = 1;

	/* It is not read: the kernel counts, and drops. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	need(fd >= 0 && bind(fd, (void *)&at, sizeof(at)) == 0, "AF_PACKET");
	return fd;
}

/* Since the last call. */
static unsigned long arrived(int watch)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	need(getsockopt(watch, SOL_PACKET, PACKET_STATISTICS, &stats, &len) ==
		     0,
	     "PACKET_STATISTICS");
	return stats.tp_packets;
}

static void await_arrival(int watch, unsigned long sent)
{
	double deadline = now_s() + READY_MS / 1e3;
	unsigned long count = arrived(watch);

	while (count < sent && now_s() < deadline) {
		poll(NULL, 0, 1);
		count += arrived(watch);
	}
}

/* --- a capture ---------------------------------------------------------- */

/* A packet socket on LINK that takes every protocol is a capture at work. */
static bool is_listening(unsigned link)
{
	FILE *list = fopen("/proc/net/packet", "re");
	unsigned protocol, interface, running;
	char line[256];
	bool found = false;

	while (list && fgets(line, sizeof(line), list))
		if (sscanf(line, "%*s %*s %*s %x %u %u", &protocol, &interface,
			   &running) == 3 &&
		    protocol == ETH_P_ALL && interface == link && running)
			found = true;
	if (list)
		fclose(list);
	return found;
}

static pid_t start(const char *command, int *output)
{
	double deadline = now_s() + READY_MS / 1e3;
	unsigned link = if_nametoindex(LINK);
	int ends[2];
	pid_t pid;

	need(pipe(ends) == 0, "pipe");
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while (!is_listening(link)) {
		need(now_s() < deadline, command);
		poll(NULL, 0, 1);
	}
	/* Its filter is set after that, and throws away what came before. */
	poll(NULL, 0, SETTLE_MS);
	*output = ends[0];
	return pid;
}

/* The number before the word as text has it, or behind it as JSON has. */
static long number_of(const char *text, const char *before, const char *behind)
{
	const char *p = strstr(text, behind);

	if (p)
		return strtol(p + strlen(behind), NULL, 10);
	p = strstr(text, before);
	while (p && p > text && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return p ? strtol(p, NULL, 10) : -1;
}

static void stop(pid_t pid, int output, long *packets, long *dropped)
{
	char text[4096];
	size_t len = 0;
	ssize_t n;

	kill(-pid, SIGINT);
	while (len < sizeof(text) - 1 &&
	       (n = read(output, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(output);
	waitpid(pid, NULL, 0);
	*packets = number_of(text, " packets", "\"packets\":");
	*dropped =
		number_of(text, " packets dropped by kernel", "\"dropped\":");
	if (*dropped < 0)
		*dropped = number_of(text, " dropped by the kernel", "\"\"");
}

struct result {
	double seconds;
	long sent, lost, dropped;
};

static void measure(int sender, int watch, const struct capturer *c,
		    unsigned long rate, struct result *sum)
{
	long packets, dropped;
	unsigned long sent;
	double seconds;
	int output;
	pid_t pid = start(c->command, &output);

	arrived(watch);
	sent = send_at(sender, rate, &seconds);
	await_arrival(watch, sent);
	stop(pid, output, &packets, &dropped);
	sum->seconds += seconds;
	sum->sent += (long)sent;
	sum->lost += (long)sent - packets;
	sum->dropped += dropped;
}

static void measure_all(int sender, int watch, unsigned long rate)
{
	struct result sums[COUNT(capturers)] = { 0 };
	bool has[COUNT(capturers)];

	for (size_t i = 0; i < COUNT(capturers); i++)
		has[i] = !capturers[i].needs || contest_has(capturers[i].needs);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < COUNT(capturers); i++)
			if (has[i])
				measure(sender, watch, &capturers[i], rate,
					&sums[i]);
	for (size_t i = 0; i < COUNT(capturers); i++) {
		if (!has[i])
			printf("  %-20s not installed\n", capturers[i].name);
		else
			printf("  %-20s %9.0f %9ld %9ld %9ld\n",
			       capturers[i].name,
			       (double)sums[i].sent / sums[i].seconds,
			       sums[i].sent, sums[i].lost, sums[i].dropped);
	}
}

int main(int argc, char **argv)
{
	char maker[4096];
	struct path path;
	int ret, sender, watch;

	(void)argc;
	snprintf(maker, sizeof(maker), "%.*s/make_traffic " TRAFFIC,
		 (int)(strrchr(argv[0], '/') ? strrchr(argv[0], '/') - argv[0]
					     : 0),
		 argv[0]);
	read_frames(maker);
	setenv("OOBLAB", "build/ooblab", 0);
	/* tcpdump would become another user and lose its namespace. */
	setenv("AS_ROOT", getuid() == 0 ? "-Z root" : "", 1);
	ret = path_build(&path);
	errno = -ret;
	need(ret == 0 && path_enter(&path, PATH_A) == 0, "namespaces");
	sender = open_sender();
	need(path_enter(&path, PATH_ROUTER) == 0, "namespaces");
	watch = open_watch();
	printf("\nlive on a veth pair, a ring of " RING " KiB\n");
	printf("  %-20s %9s %9s %9s %9s\n", "", "a second", "sent", "lost",
	       "dropped");
	for (size_t r = 0; r < COUNT(rates); r++)
		measure_all(sender, watch, rates[r]);
	return 0;
}
