#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "capture/decode.h"
#include "capture/live.h"
#include "tests/namespace.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
	WAIT_MS = 5000,
	PORT = 9 /* nobody listens in the new namespace */
};

static void send_udp(uint16_t port, size_t len, unsigned times)
{
	static const uint8_t zeros[2048];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	for (unsigned i = 0; i < times; i++)
		sendto(fd, zeros, len, 0, (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

/* The next packet, waited for. 0 when none came in time. */
static int next_packet(struct capture_live *live, struct capture_packet *packet)
{
	char err[CAPTURE_ERR_MAX];
	struct pollfd poller = { capture_live_fd(live), POLLIN, 0 };
	int got = capture_live_next(live, packet, err);

	while (got == 0 && poll(&poller, 1, WAIT_MS) > 0)
		got = capture_live_next(live, packet, err);
	return got;
}

static const struct capture_live_options immediate = {
	.device = "lo",
	.filter = "udp",
	.snaplen = 256,
	.buffer_bytes = 1 << 20,
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int a_packet_comes_with_its_time(void)
{
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_packet packet;
	int64_t before, after;

	HOLDS(capture_live_open(&live, &immediate, err) == 0);
	HOLDS(capture_live_next(live, &packet, err) == 0);
	before = now_ns();
	send_udp(PORT, 100, 1);
	after = now_ns();
	HOLDS(next_packet(live, &packet) == 1);
	HOLDS(packet.len == 14 + 20 + 8 + 100 && packet.caplen == packet.len);
	HOLDS(packet.time_ns >= before && packet.time_ns <= after);
	HOLDS(packet.linktype == CAPTURE_LINK_ETHERNET);
	capture_live_close(live);
	return HELD;
}

static int snaplen_cuts(void)
{
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_packet packet;

	HOLDS(capture_live_open(&live, &immediate, err) == 0);
	HOLDS(capture_live_snaplen(live) == 256);
	send_udp(PORT, 1000, 1);
	HOLDS(next_packet(live, &packet) == 1);
	HOLDS(packet.len == 1042 && packet.caplen == 256);
	capture_live_close(live);
	return HELD;
}

/* On lo a packet passes twice; the copy that goes out is not wanted. */
static int each_packet_comes_once(void)
{
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_live_counts counts;
	struct capture_packet packet;

	HOLDS(capture_live_open(&live, &immediate, err) == 0);
	send_udp(PORT, 1, 20);
	for (int i = 0; i < 20; i++)
		HOLDS(next_packet(live, &packet) == 1);
	HOLDS(capture_live_next(live, &packet, err) == 0);
	HOLDS(capture_live_counts(live, &counts) == 0);
	HOLDS(counts.received == 20 && counts.dropped == 0);
	capture_live_close(live);
	return HELD;
}

static int filter_is_obeyed(void)
{
	struct capture_live_options options = immediate;
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_packet packet;

	options.filter = "udp dst port 10";
	HOLDS(capture_live_open(&live, &options, err) == 0);
	send_udp(9, 1, 1);
	send_udp(10, 2, 1);
	HOLDS(next_packet(live, &packet) == 1);
	HOLDS(packet.len == 14 + 20 + 8 + 2);
	capture_live_close(live);
	return HELD;
}

static int drops_are_counted(void)
{
	struct capture_live_options options = immediate;
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_live_counts counts;

	options.snaplen = 65549;
	HOLDS(capture_live_open(&live, &options, err) == 0);
	send_udp(PORT, 1, 1000);
	HOLDS(capture_live_counts(live, &counts) == 0);
	HOLDS(counts.received == 1000);
	HOLDS(counts.dropped > 900 && counts.dropped < 1000);
	capture_live_close(live);
	return HELD;
}

/* Packed, the same ring holds what above it lost. */
static int gathering_loses_nothing(void)
{
	struct capture_live_options options = immediate;
	char err[CAPTURE_ERR_MAX];
	struct capture_live *live;
	struct capture_live_counts counts;
	struct capture_packet packet;

	options.snaplen = 0;
	options.buffer_bytes = 4 << 20;
	options.gather_ms = 1;
	HOLDS(capture_live_open(&live, &options, err) == 0);
	send_udp(PORT, 1, 1000);
	for (int i = 0; i < 1000; i++)
		HOLDS(next_packet(live, &packet) == 1);
	HOLDS(capture_live_counts(live, &counts) == 0);
	HOLDS(counts.dropped == 0);
	capture_live_close(live);
	return HELD;
}

static int works_as_process_1(void)
{
	int status;
	pid_t child;

	HOLDS(unshare(CLONE_NEWPID) == 0);
	child = fork();
	if (child == 0)
		_exit(getpid() == 1 ? a_packet_comes_with_its_time() : 1);
	HOLDS(child > 0 && waitpid(child, &status, 0) == child);
	HOLDS(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int failure(const struct capture_live_options *options, int want,
		   const char *part)
{
	char err[CAPTURE_ERR_MAX] = "";
	struct capture_live *live = NULL;

	HOLDS(capture_live_open(&live, options, err) == want);
	HOLDS(live == NULL);
	HOLDS(strstr(err, part) != NULL && strchr(err, '\n') == NULL);
	return HELD;
}

static int no_such_device_is_enodev(void)
{
	struct capture_live_options options = immediate;

	options.device = "nowhere0";
	return failure(&options, -ENODEV, "nowhere0");
}

static int bad_filter_is_einval(void)
{
	struct capture_live_options options = immediate;

	options.filter = "tcp prot 23";
	return failure(&options, -EINVAL, "tcp prot 23");
}

static int without_capability_is_eperm(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[2] = { { 0 } };

	HOLDS(syscall(SYS_capset, &header, none) == 0);
	return failure(&immediate, -EPERM, "CAP_NET_RAW");
}

struct row {
	const char *name;
	int (*body)(void);
};

#define ROW(body)                                                              \
	{                                                                      \
#body, body                                                    \
	}

static const struct row rows[] = {
	ROW(a_packet_comes_with_its_time),
	ROW(snaplen_cuts),
	ROW(each_packet_comes_once),
	ROW(filter_is_obeyed),
	ROW(drops_are_counted),
	ROW(gathering_loses_nothing),
	ROW(works_as_process_1),
	ROW(no_such_device_is_enodev),
	ROW(bad_filter_is_einval),
	ROW(without_capability_is_eperm),
};

static void test_in_namespace(void **state)
{
	const struct row *row = *state;
	int result = in_namespace(row->body, 30);

	if (result == NO_NAMESPACE) {
		print_message("no network namespace allowed here\n");
		skip();
	}
	assert_int_equal(result, HELD);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_in_namespace,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
