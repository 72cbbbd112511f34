#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/lab/record.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct fixture {
	int pair[2]; /* written to [0], read from [1] */
	struct record_reader reader;
};

static int open_pair(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->pair)) {
		free(f);
		return -1;
	}
	*state = f;
	return 0;
}

static void close_writer(struct fixture *f)
{
	close(f->pair[0]);
	f->pair[0] = -1;
}

static int close_pair(void **state)
{
	struct fixture *f = *state;

	record_free(&f->reader);
	if (f->pair[0] >= 0)
		close(f->pair[0]);
	close(f->pair[1]);
	free(f);
	return 0;
}

/* The next record, reading as far as the stream goes. */
static int next(struct fixture *f, const uint8_t **data, size_t *len)
{
	int kind;

	while (!(kind = record_next(&f->reader, data, len))) {
		if (record_fill(&f->reader, f->pair[1]) <= 0)
			return 0;
	}
	return kind;
}

static void parts_arrive_as_one(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data;
	size_t len;

	assert_int_equal(record_write(f->pair[0], RECORD_FRAME, "ab", 2, "c", 1,
				      "def", 3),
			 0);
	assert_int_equal(next(f, &data, &len), RECORD_FRAME);
	assert_int_equal(len, 6);
	assert_memory_equal(data, "abcdef", 6);
}

static void order_is_kept_and_empty_ones_too(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data;
	size_t len;

	record_write(f->pair[0], RECORD_READY, NULL, 0, NULL, 0, NULL, 0);
	record_write(f->pair[0], RECORD_EVENT, "{}", 2, NULL, 0, NULL, 0);
	record_write(f->pair[0], RECORD_VERDICT, "v", 1, NULL, 0, NULL, 0);
	assert_int_equal(next(f, &data, &len), RECORD_READY);
	assert_int_equal(len, 0);
	assert_int_equal(next(f, &data, &len), RECORD_EVENT);
	assert_memory_equal(data, "{}", 2);
	assert_int_equal(next(f, &data, &len), RECORD_VERDICT);
	assert_int_equal(next(f, &data, &len), 0);
	assert_int_equal(record_fill(&f->reader, f->pair[1]), -EAGAIN);
}

static void the_end_of_the_stream_is_told(void **state)
{
	struct fixture *f = *state;

	close_writer(f);
	assert_int_equal(record_fill(&f->reader, f->pair[1]), 0);
}

static void a_run_that_is_gone_is_no_signal(void **state)
{
	struct fixture *f = *state;

	shutdown(f->pair[1], SHUT_RD);
	assert_int_equal(record_write(f->pair[0], RECORD_EVENT, "x", 1, NULL, 0,
				      NULL, 0),
			 -EPIPE);
}

/* Each byte comes alone: nothing is handed out before the last of it. */
static void comes_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	struct record_head head = { RECORD_EVENT, 5 };
	uint8_t bytes[sizeof(head) + 5];
	const uint8_t *data;
	size_t len;

	memcpy(bytes, &head, sizeof(head));
	memset(bytes + sizeof(head), 'h', 5);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(record_next(&f->reader, &data, &len), 0);
		assert_int_equal(write(f->pair[0], bytes + i, 1), 1);
		assert_int_equal(record_fill(&f->reader, f->pair[1]), 1);
	}
	assert_int_equal(record_next(&f->reader, &data, &len), RECORD_EVENT);
	assert_memory_equal(data, "hhhhh", 5);
}

static int alarms[2]; /* a pipe: a byte for each */

static void note_alarm(int sig)
{
	(void)sig;
	if (write(alarms[1], "", 1) < 0)
		_exit(1);
}

/* The writer is interrupted all the time, and so writes in pieces. */
static _Noreturn void write_the_biggest(int fd)
{
	const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	const struct sigaction sa = { .sa_handler = note_alarm };
	static uint8_t big[RECORD_BYTES_MAX];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i % 251);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	_exit(record_write(fd, RECORD_EVENT, big, 1, big + 1, sizeof(big) - 1,
			   NULL, 0) != 0);
}

/* More than a socket holds: the writer waits for the reader. */
static void the_biggest_passes(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data;
	size_t len;
	int status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(alarms, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		write_the_biggest(f->pair[0]);
	close_writer(f);
	close(alarms[1]);
	while (!record_next(&f->reader, &data, &len)) {
		struct pollfd more = { f->pair[1], POLLIN, 0 };

		assert_true(read(alarms[0], &byte, 1) >= 0);
		assert_int_equal(poll(&more, 1, 5000), 1);
		assert_int_equal(record_fill(&f->reader, f->pair[1]), 1);
	}
	close(alarms[0]);
	assert_int_equal(len, RECORD_BYTES_MAX);
	for (size_t i = 0; i < len; i++) {
		if (data[i] != i % 251)
			fail_msg("byte %zu is %u", i, data[i]);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void more_than_that_is_refused(void **state)
{
	struct fixture *f = *state;
	static const uint8_t big[RECORD_BYTES_MAX];

	assert_int_equal(record_write(f->pair[0], RECORD_EVENT, "x", 1, big,
				      sizeof(big), NULL, 0),
			 -EMSGSIZE);
	assert_int_equal(record_fill(&f->reader, f->pair[1]), -EAGAIN);
}

static const struct row {
	const char *name;
	struct record_head head;
} garbage[] = {
	{ "kind_0_is_no_record", { 0, 1 } },
	{ "kind_past_the_last_is_no_record", { RECORD_COUNTS + 1, 1 } },
	{ "kind_of_all_ones_is_no_record", { UINT32_MAX, 1 } },
	{ "length_past_the_limit_is_no_record",
	  { RECORD_EVENT, RECORD_BYTES_MAX + 1 } },
	{ "length_of_all_ones_is_no_record", { RECORD_EVENT, UINT32_MAX } },
};

static int open_garbage(void **state)
{
	const struct row *row = *state;

	if (open_pair(state) < 0)
		return -1;
	return write(((struct fixture *)*state)->pair[0], &row->head,
		     sizeof(row->head)) == sizeof(row->head)
		       ? 0
		       : -1;
}

static void is_no_record(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data;
	size_t len;

	assert_int_equal(record_fill(&f->reader, f->pair[1]), 1);
	assert_int_equal(record_next(&f->reader, &data, &len), -EPROTO);
	assert_int_equal(record_next(&f->reader, &data, &len), -EPROTO);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, open_pair, close_pair)

int main(void)
{
	static const struct CMUnitTest whole[] = {
		TEST(parts_arrive_as_one),
		TEST(order_is_kept_and_empty_ones_too),
		TEST(the_end_of_the_stream_is_told),
		TEST(a_run_that_is_gone_is_no_signal),
		TEST(comes_byte_by_byte),
		TEST(the_biggest_passes),
		TEST(more_than_that_is_refused),
	};
	struct CMUnitTest tests[COUNT(whole) + COUNT(garbage)];

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(garbage); i++)
		tests[COUNT(whole) + i] = (struct CMUnitTest){
			.name = garbage[i].name,
			.test_func = is_no_record,
			.setup_func = open_garbage,
			.teardown_func = close_pair,
			.initial_state = (void *)&garbage[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
