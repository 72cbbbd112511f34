#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "oob/deadline.h"
#include "tests/streams.h"
#include "tools/lab/message.h"

/* Two ends of one stream, as the lab and a program have them. */
struct fixture {
	struct channel a, b;
	int fds;
};

static int open_ends(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	if (!f)
		return -1;
	f->fds = count_fds();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		free(f);
		return -1;
	}
	channel_open(&f->a, pair[0]);
	channel_open(&f->b, pair[1]);
	*state = f;
	return 0;
}

static int close_ends(void **state)
{
	struct fixture *f = *state;
	int leaked;

	channel_close(&f->a);
	channel_close(&f->b);
	leaked = count_fds() - f->fds;
	free(f);
	return leaked;
}

static struct message sample(void)
{
	struct message m = { .kind = MESSAGE_REPLY,
			     .id = 0xfffffff0,
			     .call = 7,
			     .start_ns = INT64_MIN,
			     .end_ns = INT64_MAX };

	message_add_int(&m, -1);
	message_add_bytes(&m, "a\0b", 3);
	message_add_bytes(&m, NULL, 0);
	message_add_int(&m, INT64_MIN);
	return m;
}

static void assert_sample(const struct message *m)
{
	assert_int_equal(m->kind, MESSAGE_REPLY);
	assert_int_equal(m->id, 0xfffffff0);
	assert_int_equal(m->call, 7);
	assert_true(m->start_ns == INT64_MIN && m->end_ns == INT64_MAX);
	assert_int_equal(m->n, 4);
	assert_int_equal(message_int(m, 0, 0), -1);
	assert_int_equal(m->v[1].kind, VALUE_BYTES);
	assert_int_equal(m->v[1].len, 3);
	assert_memory_equal(m->v[1].bytes, "a\0b", 3);
	assert_int_equal(m->v[2].kind, VALUE_BYTES);
	assert_int_equal(m->v[2].len, 0);
	assert_true(message_int(m, 3, 0) == INT64_MIN);
}

static void comes_as_it_was_sent(void **state)
{
	struct fixture *f = *state;
	struct message m = sample(), got;

	memset(&got, 0xff, sizeof(got)); /* nothing of it may stay */
	assert_int_equal(channel_send(&f->a, &m, -1, 0), 0);
	assert_int_equal(channel_receive(&f->b, &got, true), 1);
	assert_sample(&got);
	assert_false(got.passes_fd);
	assert_int_equal(got.v[4].kind, 0);
	assert_null(got.v[MESSAGE_VALUES - 1].bytes);
	assert_int_equal(channel_receive(&f->b, &got, false), 0);
}

static void values_that_are_not_there_have_a_default(void **state)
{
	struct message m = sample();

	(void)state;
	assert_int_equal(message_int(&m, 1, 42), 42); /* bytes */
	assert_int_equal(message_int(&m, 4, 42), 42);
	assert_int_equal(message_int(&m, UINT32_MAX, 42), 42);
}

static void a_copy_outlives_its_channel(void **state)
{
	struct fixture *f = *state;
	struct message m = sample(), got, *copy;

	channel_send(&f->a, &m, -1, 0);
	channel_receive(&f->b, &got, true);
	copy = message_copy(&got);
	channel_close(&f->b);
	assert_non_null(copy);
	assert_sample(copy);
	free(copy);
}

/* The bytes of the sample, as they are on the way. */
static size_t sample_bytes(struct fixture *f, uint8_t *bytes, size_t size)
{
	struct message m = sample();
	ssize_t n;

	assert_int_equal(channel_send(&f->a, &m, -1, 0), 0);
	n = recv(f->b.fd, bytes, size, MSG_DONTWAIT);
	assert_true(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void comes_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	size_t n = sample_bytes(f, bytes, sizeof(bytes));
	struct message got;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(channel_receive(&f->b, &got, false), 0);
		assert_int_equal(write(f->a.fd, bytes + i, 1), 1);
	}
	assert_int_equal(channel_receive(&f->b, &got, false), 1);
	assert_sample(&got);
}

/* The other end goes in the middle of a message, at each of its bytes. */
static void is_cut_at_every_byte(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	size_t n = sample_bytes(f, bytes, sizeof(bytes));
	struct message got;

	for (size_t cut = 0; cut < n; cut++) {
		struct channel c;
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		channel_open(&c, pair[1]);
		assert_int_equal(write(pair[0], bytes, cut), cut);
		close(pair[0]);
		assert_int_equal(channel_receive(&c, &got, false), -EPIPE);
		channel_close(&c);
	}
}

static void several_are_read_at_once(void **state)
{
	struct fixture *f = *state;
	struct message got;

	for (uint32_t id = 1; id <= 3; id++) {
		struct message m = { .kind = MESSAGE_ORDER, .id = id };

		message_add_bytes(&m, "0123456789", id);
		assert_int_equal(channel_send(&f->a, &m, -1, 0), 0);
	}
	for (uint32_t id = 1; id <= 3; id++) {
		assert_int_equal(channel_receive(&f->b, &got, false), 1);
		assert_int_equal(got.id, id);
		assert_int_equal(got.v[0].len, id);
	}
	assert_int_equal(channel_receive(&f->b, &got, false), 0);
}

#define BIG (16u << 20)

/* Both send more than the sockets hold before they read: neither may stick. */
static void big_ones_cross(void **state)
{
	struct fixture *f = *state;
	struct message m = { .kind = MESSAGE_REPLY }, got;
	uint8_t *big = calloc(1, BIG);
	int status, sent = 0, came = 0;
	pid_t pid;

	assert_non_null(big);
	big[BIG - 1] = '!';
	message_add_bytes(&m, big, BIG);
	pid = fork();
	if (pid == 0) {
		int ret = channel_send(&f->b, &m, -1, SOON);

		if (ret == 0)
			ret = channel_receive(&f->b, &got, true) != 1;
		_exit(ret != 0);
	}
	assert_int_equal(channel_begin(&f->a, &m, -1), 0);
	while (!sent || !came) {
		struct pollfd p = { f->a.fd, POLLIN, 0 };

		p.events |= sent ? 0 : POLLOUT;
		assert_int_equal(poll(&p, 1, 5000), 1);
		came = came ? came : channel_receive(&f->a, &got, false);
		sent = channel_flush(&f->a);
		assert_true(came >= 0 && sent >= 0);
	}
	assert_int_equal(got.v[0].len, BIG);
	assert_int_equal(got.v[0].bytes[BIG - 1], '!');
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	free(big);
}

static void more_than_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct message m = { .kind = MESSAGE_ORDER }, got;

	message_add_bytes(&m, "", MESSAGE_BYTES_MAX); /* never looked at */
	assert_int_equal(channel_send(&f->a, &m, -1, 0), -EMSGSIZE);
	assert_int_equal(channel_receive(&f->b, &got, false), 0);
}

static void nobody_reads_until_the_deadline(void **state)
{
	struct fixture *f = *state;
	struct message m = { .kind = MESSAGE_ORDER };
	uint8_t *big = calloc(1, BIG);

	assert_non_null(big);
	message_add_bytes(&m, big, BIG);
	assert_int_equal(channel_send(&f->a, &m, -1, 0), -ETIMEDOUT);
	free(big);
}

static void other_end_gone_is_no_signal(void **state)
{
	struct fixture *f = *state;
	struct message m = sample();

	channel_close(&f->b);
	assert_int_equal(channel_send(&f->a, &m, -1, 0), -EPIPE);
	assert_int_equal(channel_receive(&f->a, &m, true), -EPIPE);
}

/* A descriptor of its own kind, to be known by when it comes out again. */
static int some_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void a_descriptor_is_its_messages_own(void **state)
{
	struct fixture *f = *state;
	struct message plain = { .kind = MESSAGE_SIGNAL, .id = 1 };
	struct message passes = { .kind = MESSAGE_REPLY, .id = 2 }, got;
	int fd = some_fd();

	/* One read takes in all three, and the descriptor with the first. */
	channel_send(&f->a, &plain, -1, 0);
	channel_send(&f->a, &passes, fd, 0);
	channel_send(&f->a, &plain, -1, 0);
	close(fd);
	assert_int_equal(channel_receive(&f->b, &got, true), 1);
	assert_int_equal(channel_take_fd(&f->b, &got), -1);
	assert_int_equal(channel_receive(&f->b, &got, true), 1);
	assert_int_equal(got.id, 2);
	fd = channel_take_fd(&f->b, &got);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(channel_take_fd(&f->b, &got), -1); /* once */
	assert_int_equal(channel_receive(&f->b, &got, true), 1);
	assert_int_equal(channel_take_fd(&f->b, &got), -1);
	close(fd);
}

/* The teardown counts what stays open. */
static void descriptors_nobody_took_are_closed(void **state)
{
	struct fixture *f = *state;
	struct message m = { .kind = MESSAGE_REPLY }, got;
	int fd = some_fd();

	for (int i = 0; i < 3; i++) {
		channel_send(&f->a, &m, fd, 0);
		assert_int_equal(channel_receive(&f->b, &got, true), 1);
	}
	close(fd);
}

/* Read some bytes; how many descriptors came along. */
static int descriptors_in(int fd)
{
	static uint8_t bytes[1 << 16];
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int n = 0;

	if (recvmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c;
	     c = CMSG_NXTHDR(&msg, c)) {
		close(*(int *)(void *)CMSG_DATA(c));
		n++;
	}
	return n;
}

static void a_descriptor_goes_with_the_first_byte_alone(void **state)
{
	struct fixture *f = *state;
	struct message m = { .kind = MESSAGE_REPLY };
	uint8_t *big = calloc(1, BIG);
	int fd = some_fd(), flushed, came = 0;

	assert_non_null(big);
	message_add_bytes(&m, big, BIG);
	assert_int_equal(channel_begin(&f->a, &m, fd), 0);
	do {
		flushed = channel_flush(&f->a);
		assert_true(flushed >= 0);
		came += descriptors_in(f->b.fd);
	} while (!flushed);
	close(fd);
	free(big);
	assert_int_equal(came, 1);
}

/* Bytes that are no message: the head's fields, and what comes behind. */
struct garbage {
	const char *name;
	uint32_t length, kind, n;
	struct {
		uint32_t kind;
		int64_t n;
	} value;
	size_t value_bytes; /* that are sent: the value, again and again */
};

#define HEAD 36u

/* clang-format off */
static const struct garbage garbage[] = {
	{ "length_0", 0, 1, 0, { 0, 0 }, 0 },
	{ "length_below_a_head", HEAD - 1, 1, 0, { 0, 0 }, 0 },
	{ "length_past_the_limit", MESSAGE_BYTES_MAX + 1, 1, 0, { 0, 0 }, 0 },
	{ "length_of_all_ones", UINT32_MAX, 1, 0, { 0, 0 }, 0 },
	{ "values_that_there_may_not_be", HEAD, 1, MESSAGE_VALUES + 1, { 0, 0 }, 0 },
	{ "one_value_more_than_there_may_be", HEAD + 9 * 12, 1, 9, { VALUE_INT, 0 }, 9 * 12 },
	{ "as_many_values_as_fit_a_number", HEAD, 1, UINT32_MAX, { 0, 0 }, 0 },
	{ "values_that_are_not_there", HEAD, 1, 1, { 0, 0 }, 0 },
	{ "half_a_value", HEAD + 6, 1, 1, { VALUE_INT, 1 }, 6 },
	{ "a_value_too_many", HEAD + 12, 1, 0, { VALUE_INT, 1 }, 12 },
	{ "a_value_of_no_kind", HEAD + 12, 1, 1, { 0, 1 }, 12 },
	{ "a_value_of_a_kind_unknown", HEAD + 12, 1, 1, { 3, 1 }, 12 },
	{ "bytes_past_the_end", HEAD + 12, 1, 1, { VALUE_BYTES, 1 }, 12 },
	{ "bytes_of_negative_length", HEAD + 12, 1, 1, { VALUE_BYTES, -1 }, 12 },
	{ "bytes_of_the_greatest_length", HEAD + 12, 1, 1, { VALUE_BYTES, INT64_MAX }, 12 },
	{ "bytes_of_the_least_length", HEAD + 12, 1, 1, { VALUE_BYTES, INT64_MIN }, 12 },
};
/* clang-format on */

static int send_garbage(void **state)
{
	const struct garbage *g = *state;
	uint8_t bytes[4 + HEAD + 9 * 12] = { 0 };
	size_t n = 4 + HEAD + g->value_bytes;

	memcpy(bytes, &g->length, 4);
	memcpy(bytes + 4, &g->kind, 4);
	memcpy(bytes + 20, &g->n, 4);
	for (uint8_t *p = bytes + 4 + HEAD; p < bytes + n; p += 12) {
		memcpy(p, &g->value.kind, 4);
		memcpy(p + 4, &g->value.n, 8);
	}
	if (open_ends(state) < 0)
		return -1;
	return write(((struct fixture *)*state)->a.fd, bytes, n) == (ssize_t)n
		       ? 0
		       : -1;
}

static void is_no_message(void **state)
{
	struct fixture *f = *state;
	struct message got;

	assert_int_equal(channel_receive(&f->b, &got, false), -EPROTO);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, open_ends, close_ends)

int main(void)
{
	static const struct CMUnitTest whole[] = {
		TEST(comes_as_it_was_sent),
		TEST(values_that_are_not_there_have_a_default),
		TEST(a_copy_outlives_its_channel),
		TEST(comes_byte_by_byte),
		TEST(is_cut_at_every_byte),
		TEST(several_are_read_at_once),
		TEST(big_ones_cross),
		TEST(more_than_the_limit_is_refused),
		TEST(nobody_reads_until_the_deadline),
		TEST(other_end_gone_is_no_signal),
		TEST(a_descriptor_is_its_messages_own),
		TEST(descriptors_nobody_took_are_closed),
		TEST(a_descriptor_goes_with_the_first_byte_alone),
	};
	struct CMUnitTest tests[COUNT(whole) + COUNT(garbage)];

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(garbage); i++)
		tests[COUNT(whole) + i] = (struct CMUnitTest){
			.name = garbage[i].name,
			.test_func = is_no_message,
			.setup_func = send_garbage,
			.teardown_func = close_ends,
			.initial_state = (void *)&garbage[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
