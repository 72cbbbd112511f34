/* `ooblab capture` as a process: what it tells while packets come, how it
 * ends, what it may do and what it takes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "capture/decode.h"
#include "oob/deadline.h"
#include "tests/frame.h"
#include "tests/namespace.h"
#include "tests/segments.h"

/* What a sanitizer adds is not the program's; ASan's leak check needs calls
 * that are forbidden else. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#define SECCOMP	  "0"
#elif defined(__SANITIZE_THREAD__)
#define SANITIZED true
#define SECCOMP	  "2"
#else
#define SANITIZED false
#define SECCOMP	  "2"
#endif

#define WAIT_NS	    (20 * INT64_C(1000000000))
#define TRACE	    "tests/data/several-marks.pcap"
#define TRACE_BYTES 2048
#define WORDS_MAX   12

/* --- the program ------------------------------------------------------ */

struct program {
	pid_t pid;
	int in, out, err; /* our ends of its pipes */
	char buffer[4096];
	size_t begin, end; /* of what was read and not yet taken */
	struct rusage usage;
};

static void become(int fds[3][2], const char *const *words)
{
	const char *path = getenv("OOBLAB");
	const char *all[WORDS_MAX + 3] = { "ooblab", "capture" };

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		all[i + 2] = words[i];
	dup2(fds[0][0], STDIN_FILENO);
	dup2(fds[1][1], STDOUT_FILENO);
	dup2(fds[2][1], STDERR_FILENO);
	execv(path ? path : "build/ooblab", (char *const *)all);
	_exit(126);
}

static int start(struct program *p, const char *const *words)
{
	int fds[3][2];

	p->begin = p->end = 0;
	for (int i = 0; i < 3; i++)
		HOLDS(pipe2(fds[i], O_CLOEXEC) == 0);
	p->pid = fork();
	HOLDS(p->pid >= 0);
	if (p->pid == 0)
		become(fds, words);
	close(fds[0][0]);
	close(fds[1][1]);
	close(fds[2][1]);
	p->in = fds[0][1];
	p->out = fds[1][0];
	p->err = fds[2][0];
	return HELD;
}

static bool can_read(const struct program *p, int timeout_ms)
{
	struct pollfd poller = { p->out, POLLIN, 0 };

	return p->begin < p->end || poll(&poller, 1, timeout_ms) > 0;
}

/* A line without its newline, which the last may lack. False at the end, and
 * after WAIT_NS. */
static bool read_line(struct program *p, char *line, size_t size)
{
	int64_t deadline = oob_now_ns() + WAIT_NS;
	size_t len = 0;

	while (oob_now_ns() < deadline) {
		ssize_t n;

		while (p->begin < p->end && len + 1 < size) {
			char c = p->buffer[p->begin++];

			line[len] = '\0';
			if (c == '\n')
				return true;
			line[len++] = c;
		}
		if (!can_read(p, 100))
			continue;
		n = read(p->out, p->buffer, sizeof(p->buffer));
		if (n <= 0)
			return len > 0;
		p->begin = 0;
		p->end = (size_t)n;
	}
	return false;
}

/* Read what is left of its output; `last` is the last line. Returns its exit
 * status, or minus the signal that ended it. */
static int finish(struct program *p, char *last, size_t size)
{
	char line[2048];
	int status;

	*last = '\0';
	while (read_line(p, line, sizeof(line)))
		snprintf(last, size, "%s", line);
	close(p->in);
	close(p->out);
	close(p->err);
	if (wait4(p->pid, &status, 0, &p->usage) != p->pid)
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What a JSON object says of `key`, a number; -1: nothing. */
static long number(const char *line, const char *key)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at ? strtol(at + strlen(quoted), NULL, 10) : -1;
}

static bool is_event(const char *line, const char *event)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "{\"event\":\"%s\"", event);
	return !strncmp(line, quoted, strlen(quoted));
}

/* --- traffic ---------------------------------------------------------- */

/* So many connections over lo, on each of which `byte` is sent, urgent: a
 * segment with URG each, while on one connection they might share some. */
static int talk(char byte, unsigned times)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *to = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char drain[16];

	HOLDS(bind(listener, to, len) == 0 && listen(listener, 1) == 0);
	HOLDS(getsockname(listener, to, &len) == 0);
	for (unsigned i = 0; i < times; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int server;

		HOLDS(connect(client, to, len) == 0);
		server = accept(listener, NULL, NULL);
		HOLDS(send(client, &byte, 1, MSG_OOB | MSG_NOSIGNAL) == 1);
		close(client);
		while (recv(server, drain, sizeof(drain), 0) > 0)
			;
		close(server);
	}
	close(listener);
	return HELD;
}

/* Nothing tells when a capture has begun but what it tells of packets. */
static int talk_until_told(struct program *p)
{
	int64_t deadline = oob_now_ns() + WAIT_NS;

	do
		HOLDS(talk('a', 1) == HELD);
	while (!can_read(p, 50) && oob_now_ns() < deadline);
	HOLDS(can_read(p, 0));
	return HELD;
}

/* --- live ------------------------------------------------------------- */

/* Every urgent byte sent before a SIGINT is told, those still in the ring
 * too, and what the kernel counted agrees. */
static int all_is_told_until_sigint(const char *const *words, const char *byte)
{
	enum {
		TIMES = 200
	};
	char line[2048], want[32];
	struct program p;
	unsigned told = 0;

	snprintf(want, sizeof(want), "\"byte\":%s,", byte);
	HOLDS(start(&p, words) == HELD);
	HOLDS(talk_until_told(&p) == HELD);
	HOLDS(talk('z', TIMES) == HELD);
	HOLDS(kill(p.pid, SIGINT) == 0);
	while (read_line(&p, line, sizeof(line))) {
		told += is_event(line, "segment") && strstr(line, want);
		if (is_event(line, "summary"))
			break;
	}
	HOLDS(is_event(line, "summary"));
	HOLDS(told >= TIMES);
	HOLDS(number(line, "dropped") == 0);
	HOLDS(number(line, "received") >= number(line, "packets"));
	HOLDS(finish(&p, line, sizeof(line)) == 0);
	return HELD;
}

static int live_on_lo(void)
{
	return all_is_told_until_sigint(
		(const char *[]){ "-i", "lo", "--json", NULL }, "122");
}

static int live_on_any(void)
{
	return all_is_told_until_sigint(
		(const char *[]){ "-i", "any", "--json", NULL }, "122");
}

/* Headers of 66 bytes: none of the payload is kept. */
static int live_with_a_snaplen(void)
{
	return all_is_told_until_sigint((const char *[]){ "-i", "lo", "--json",
							  "-s", "66", NULL },
					"null");
}

static int live_is_confined(void)
{
	static const char *const words[] = { "-i", "lo", "--json", NULL };
	char path[64], line[2048];
	struct program p;
	unsigned found = 0;
	FILE *f;

	HOLDS(start(&p, words) == HELD);
	HOLDS(talk_until_told(&p) == HELD);
	snprintf(path, sizeof(path), "/proc/%d/status", p.pid);
	f = fopen(path, "re");
	HOLDS(f);
	while (fgets(line, sizeof(line), f))
		found += !strcmp(line, "CapEff:\t0000000000000000\n") +
			 !strcmp(line, "CapPrm:\t0000000000000000\n") +
			 !strcmp(line, "NoNewPrivs:\t1\n") +
			 !strcmp(line, "Seccomp:\t" SECCOMP "\n");
	fclose(f);
	kill(p.pid, SIGINT);
	HOLDS(finish(&p, line, sizeof(line)) >= 0);
	HOLDS(found == 4);
	return HELD;
}

/* Stopped, it cannot empty its ring, which is small. */
static int live_counts_drops(void)
{
	static const char *const words[] = { "-i", "lo", "--json",
					     "-B", "64", NULL };
	char line[2048];
	struct program p;
	int status;

	HOLDS(start(&p, words) == HELD);
	HOLDS(talk_until_told(&p) == HELD);
	HOLDS(kill(p.pid, SIGSTOP) == 0);
	HOLDS(waitpid(p.pid, &status, WUNTRACED) == p.pid);
	HOLDS(talk('z', 1000) == HELD);
	HOLDS(kill(p.pid, SIGINT) == 0 && kill(p.pid, SIGCONT) == 0);
	HOLDS(finish(&p, line, sizeof(line)) >= 0);
	HOLDS(number(line, "dropped") > 0);
	HOLDS(number(line, "packets") < number(line, "received"));
	return HELD;
}

/* What needs a second look at the packets looks at those that were kept. */
static int live_second_pass(const char *const *words, const char *part)
{
	char line[2048];
	struct program p;
	bool found = false;
	int status;

	HOLDS(start(&p, words) == HELD);
	HOLDS(talk_until_told(&p) == HELD);
	while (read_line(&p, line, sizeof(line)))
		found |= strstr(line, part) != NULL;
	status = finish(&p, line, sizeof(line));
	HOLDS(status == 0 || status == 1);
	HOLDS(found);
	return HELD;
}

static int live_ladder(void)
{
	return live_second_pass((const char *[]){ "-i", "lo", "-c", "6",
						  "--ladder", NULL },
				"SYN");
}

static int live_follow(void)
{
	return live_second_pass((const char *[]){ "-i", "lo", "-c", "6",
						  "--follow", "0", NULL },
				"a #");
}

static int live_view(void)
{
	return live_second_pass((const char *[]){ "-i", "lo", "-c", "6",
						  "--view", "linux-inline",
						  "--flow", "0/a", NULL },
				"a");
}

static int live_views(void)
{
	return live_second_pass((const char *[]){ "-i", "lo", "-c", "6",
						  "--views", "--flow", "0/a",
						  NULL },
				"suricata-gap");
}

/* … after a SIGINT as well, which ended the first look only. */
static int live_second_pass_after_sigint(void)
{
	char path[] = "/tmp/ooblab-first-XXXXXX", line[2048];
	const char *words[] = { "-i", "lo", "--ladder", "--flow",
				"0",  "-w", path,	NULL };
	int64_t deadline = oob_now_ns() + WAIT_NS;
	struct stat st = { .st_size = 0 };
	int fd = mkstemp(path);
	struct program p;

	HOLDS(fd >= 0 && start(&p, words) == HELD);
	while (st.st_size < 300 && oob_now_ns() < deadline)
		HOLDS(talk('a', 1) == HELD && fstat(fd, &st) == 0);
	unlink(path);
	close(fd);
	HOLDS(kill(p.pid, SIGINT) == 0);
	HOLDS(read_line(&p, line, sizeof(line)));
	HOLDS(!strncmp(line, "flow 0: ", 8));
	HOLDS(finish(&p, line, sizeof(line)) >= 0);
	return HELD;
}

static int live_whole_flows(void)
{
	char path[] = "/tmp/ooblab-whole-XXXXXX", line[2048];
	int fd = mkstemp(path), status;
	struct program p;
	struct stat st;

	HOLDS(fd >= 0);
	status = live_second_pass((const char *[]){ "-i", "lo", "-c", "6", "-w",
						    path, "--whole-flows",
						    "--json", NULL },
				  "\"packets\":6,");
	HOLDS(status == HELD);
	HOLDS(fstat(fd, &st) == 0 && st.st_size > 0);
	HOLDS(start(&p, (const char *[]){ "-r", path, "--json", "--summary",
					  NULL }) == HELD);
	status = finish(&p, line, sizeof(line));
	unlink(path);
	close(fd);
	HOLDS(status == 0 || status == 1);
	HOLDS(number(line, "packets") == 6 && number(line, "urg") >= 1);
	return HELD;
}

static int fails(const char *const *words, int want, const char *part)
{
	char line[2048], said[1024];
	struct program p;
	ssize_t n;

	HOLDS(start(&p, words) == HELD);
	n = read(p.err, said, sizeof(said) - 1);
	HOLDS(n > 0);
	said[n] = '\0';
	HOLDS(finish(&p, line, sizeof(line)) == want);
	HOLDS(!*line);
	if (!strstr(said, part))
		fprintf(stderr, "it said %s", said);
	HOLDS(strstr(said, part));
	return HELD;
}

static int live_without_capability(void)
{
	HOLDS(prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0) == 0);
	return fails((const char *[]){ "-i", "lo", NULL }, 77, "CAP_NET_RAW");
}

static int live_on_no_device(void)
{
	return fails((const char *[]){ "-i", "nowhere0", NULL }, 2,
		     "ooblab: nowhere0: ");
}

/* --- stored ----------------------------------------------------------- */

static size_t read_trace(uint8_t data[TRACE_BYTES])
{
	FILE *f = fopen(TRACE, "rbe");
	size_t n = f ? fread(data, 1, TRACE_BYTES, f) : 0;

	if (f)
		fclose(f);
	return n;
}

/* The writer of the pipe is still there: its packets are told, and a SIGINT
 * ends the wait for more. */
static int pipe_is_told_as_it_comes(void)
{
	static const char *const words[] = { "-r", "-", "--json", NULL };
	uint8_t trace[TRACE_BYTES];
	size_t len = read_trace(trace);
	char line[2048];
	struct program p;

	HOLDS(len && start(&p, words) == HELD);
	HOLDS(write(p.in, trace, len) == (ssize_t)len);
	HOLDS(read_line(&p, line, sizeof(line)));
	HOLDS(is_event(line, "segment"));
	HOLDS(kill(p.pid, SIGINT) == 0);
	HOLDS(finish(&p, line, sizeof(line)) == 1);
	HOLDS(is_event(line, "summary") && number(line, "packets") == 9);
	HOLDS(!strstr(line, "truncated"));
	return HELD;
}

/* Wait until somebody has opened the file that is watched. */
static bool is_opened(int watch)
{
	struct pollfd poller = { watch, POLLIN, 0 };

	return poll(&poller, 1, (int)(WAIT_NS / 1000000)) == 1;
}

/* From less than a header, and by half a packet. */
static int file_is_told_as_it_grows(void)
{
	char path[] = "/tmp/ooblab-grows-XXXXXX", line[2048];
	const char *words[] = { "-r", path, "--growing", "--json", NULL };
	uint8_t trace[TRACE_BYTES];
	size_t len = read_trace(trace);
	int fd = mkstemp(path), watch = inotify_init1(IN_CLOEXEC);
	struct program p;

	HOLDS(len > 400 && fd >= 0);
	HOLDS(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	HOLDS(write(fd, trace, 10) == 10);
	HOLDS(start(&p, words) == HELD);
	HOLDS(is_opened(watch));
	HOLDS(write(fd, trace + 10, 390) == 390);
	HOLDS(read_line(&p, line, sizeof(line)));
	HOLDS(is_event(line, "segment") && number(line, "frame") == 4);
	HOLDS(write(fd, trace + 400, len - 400) == (ssize_t)len - 400);
	HOLDS(read_line(&p, line, sizeof(line)));
	HOLDS(kill(p.pid, SIGINT) == 0);
	HOLDS(finish(&p, line, sizeof(line)) >= 0);
	unlink(path);
	close(fd);
	close(watch);
	HOLDS(is_event(line, "summary"));
	return HELD;
}

static int file_that_never_begins(void)
{
	char path[] = "/tmp/ooblab-begins-XXXXXX", line[2048];
	const char *words[] = { "-r", path, "--growing", NULL };
	int fd = mkstemp(path), watch = inotify_init1(IN_CLOEXEC);
	struct program p;

	HOLDS(fd >= 0);
	HOLDS(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	HOLDS(start(&p, words) == HELD);
	HOLDS(is_opened(watch));
	HOLDS(kill(p.pid, SIGINT) == 0);
	HOLDS(finish(&p, line, sizeof(line)) == 130);
	HOLDS(!*line);
	unlink(path);
	close(fd);
	close(watch);
	return HELD;
}

enum {
	FLOWS = 20000,
	MEMORY_KIB = 16 * 1024 + FLOWS / 4, /* 256 bytes a flow */
};

/* Packets of FLOWS flows, so many of each, into the pipe. */
static int write_flows(int fd, unsigned rounds)
{
	static uint8_t bytes[FLOWS * (16 + FRAME_HEADERS_MAX + 1)];
	struct pcap_file file = { .data = bytes, .size = sizeof(bytes) };
	uint8_t frame[FRAME_MAX];

	for (unsigned round = 0; round < rounds; round++) {
		file.used = 0;
		if (round == 0)
			pcap_begin(&file, CAPTURE_LINK_ETHERNET);
		for (unsigned i = 0; i < FLOWS; i++) {
			const struct script line = {
				.from = 'a',
				.flags = (uint8_t)(i % 100 ? ACK : ACK | URG),
				.seq = 1 + round,
				.ack = 1,
				.data = "x",
				.up = i % 100 ? 0 : 1,
			};
			struct capture_segment s = from_script(&line);
			size_t n;

			s.sport = (uint16_t)(1024 + i);
			n = frame_write(frame, &s, 0);
			pcap_add(&file, round, frame, n, n);
		}
		for (size_t at = 0; at < file.used;) {
			ssize_t n = write(fd, bytes + at, file.used - at);

			HOLDS(n > 0);
			at += (size_t)n;
		}
	}
	return HELD;
}

static int memory_of(unsigned rounds, long *kib)
{
	static const char *const words[] = { "-r", "-", "--json", "--summary",
					     NULL };
	char line[2048];
	struct program p;

	HOLDS(start(&p, words) == HELD);
	HOLDS(write_flows(p.in, rounds) == HELD);
	close(p.in);
	p.in = -1;
	HOLDS(finish(&p, line, sizeof(line)) >= 0);
	HOLDS(number(line, "flows") == FLOWS);
	HOLDS(number(line, "packets") == FLOWS * (long)rounds);
	*kib = p.usage.ru_maxrss;
	return HELD;
}

static int memory_is_bounded_and_flat(void)
{
	long once, often;

	HOLDS(memory_of(3, &once) == HELD);
	HOLDS(memory_of(15, &often) == HELD);
	if (SANITIZED)
		return HELD;
	HOLDS(once <= MEMORY_KIB);
	HOLDS(often <= MEMORY_KIB);
	HOLDS(often <= once + once / 16);
	return HELD;
}

/* ---------------------------------------------------------------------- */

struct row {
	const char *name;
	int (*body)(void);
};

#define ROW(body)                                                              \
	{                                                                      \
#body, body                                                    \
	}

/* clang-format off */
static const struct row live_rows[] = {
	ROW(live_on_lo),
	ROW(live_on_any),
	ROW(live_with_a_snaplen),
	ROW(live_is_confined),
	ROW(live_counts_drops),
	ROW(live_ladder),
	ROW(live_follow),
	ROW(live_view),
	ROW(live_views),
	ROW(live_second_pass_after_sigint),
	ROW(live_whole_flows),
	ROW(live_without_capability),
	ROW(live_on_no_device),
};
/* clang-format on */

static const struct row stored_rows[] = {
	ROW(pipe_is_told_as_it_comes),
	ROW(file_is_told_as_it_grows),
	ROW(file_that_never_begins),
	ROW(memory_is_bounded_and_flat),
};

static void test_live(void **state)
{
	const struct row *row = *state;
	int result = in_namespace(row->body, 60);

	if (result == NO_NAMESPACE) {
		print_message("no network namespace allowed here\n");
		skip();
	}
	assert_int_equal(result, HELD);
}

static void test_stored(void **state)
{
	const struct row *row = *state;

	assert_int_equal(row->body(), HELD);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(live_rows) + COUNT(stored_rows)];
	size_t n = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(live_rows); i++)
		tests[n++] = (struct CMUnitTest){ live_rows[i].name, test_live,
						  NULL, NULL,
						  (void *)&live_rows[i] };
	for (size_t i = 0; i < COUNT(stored_rows); i++)
		tests[n++] = (struct CMUnitTest){ stored_rows[i].name,
						  test_stored, NULL, NULL,
						  (void *)&stored_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
