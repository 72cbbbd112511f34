#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>

#include "oob/mark.h"
#include "oob/urgent.h"
#include "sigurg/detector.h"
#include "tests/fixture.h"

/* The receiver's next ordinary bytes, as a test expects them. */
static void expect_data(int fd, const char *want)
{
	char got[64];
	ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, (size_t)n);
}

/* Wait until the urgent byte is there, which a send does not promise. */
static void await_byte(const struct fixture *f)
{
	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
}

static void send_urgent(const struct fixture *f, const char *text)
{
	size_t sent = 77;

	assert_int_equal(oob_send_urgent(f->s.sender, text, strlen(text), &sent,
					 SOON),
			 0);
	assert_int_equal(sent, strlen(text));
}

static void the_last_byte_alone_is_urgent(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 0;

	send_urgent(f, "abc");
	await_byte(f);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 1);
	assert_int_equal(byte, 'c');
	assert_int_equal(oob_at_mark(f->s.receiver), 0);
	expect_data(f->s.receiver, "ab");
	assert_int_equal(oob_at_mark(f->s.receiver), 1);
	byte = 0;
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(byte, 0);
}

static void the_mark_is_where_the_byte_stood(void **state)
{
	struct fixture *f = fixture(state);

	send_urgent(f, "!");
	await_byte(f);
	assert_int_equal(oob_at_mark(f->s.receiver), 1);
	assert_int_equal(oob_send(f->s.sender, "de", 2, NULL, SOON), 0);
	assert_true(oob_wait(f->s.receiver, POLLIN, SOON) & POLLIN);
	assert_int_equal(oob_at_mark(f->s.receiver), 1);
	expect_data(f->s.receiver, "de");
	assert_int_equal(oob_at_mark(f->s.receiver), 0);
}

static void peeking_leaves_the_byte(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte;

	send_urgent(f, "ab");
	await_byte(f);
	for (int i = 0; i < 3; i++) {
		byte = 0;
		assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), 1);
		assert_int_equal(byte, 'b');
		assert_true(oob_wait(f->s.receiver, POLLPRI, NOW) & POLLPRI);
	}
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 1);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(oob_wait(f->s.receiver, POLLPRI, NOW), -ETIMEDOUT);
}

static void without_urgent_data_there_is_none(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 'x';

	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(oob_send(f->s.sender, "a", 1, NULL, SOON), 0);
	assert_true(oob_wait(f->s.receiver, POLLIN, SOON) & POLLIN);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(oob_at_mark(f->s.receiver), 0);
	assert_int_equal(byte, 'x');
}

static void inline_delivery_keeps_it_in_the_stream(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 'x';

	assert_int_equal(oob_get_inline(f->s.receiver), 0);
	assert_int_equal(oob_set_inline(f->s.receiver, true), 0);
	assert_int_equal(oob_get_inline(f->s.receiver), 1);
	send_urgent(f, "abc");
	await_byte(f);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EINVAL);
	assert_int_equal(byte, 'x');
	expect_data(f->s.receiver, "ab");
	assert_int_equal(oob_at_mark(f->s.receiver), 1);
	expect_data(f->s.receiver, "c");
	assert_int_equal(oob_at_mark(f->s.receiver), 0);
	assert_int_equal(oob_set_inline(f->s.receiver, false), 0);
	assert_int_equal(oob_get_inline(f->s.receiver), 0);
}

/* Send more than the receiver's window, then an urgent byte that cannot leave
 * the sender. Returns once it was announced, of which only SIGURG tells. */
static void announce_byte(const struct fixture *f)
{
	static const char filler[65536];
	const struct sigurg_detector *d = &sigurg_by_signalfd;
	struct sigurg_watch *w;

	assert_int_equal(d->arm(&w, f->s.receiver), 0);
	assert_int_equal(
		oob_send(f->s.sender, filler, sizeof(filler), NULL, SOON), 0);
	send_urgent(f, "!");
	assert_int_equal(d->wait(w, SOON), 1);
	d->disarm(w);
}

static void an_announced_byte_may_not_have_come(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 'x';
	char scratch[4096];

	announce_byte(f);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EAGAIN);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), -EAGAIN);
	assert_int_equal(byte, 'x');
	assert_int_equal(oob_wait(f->s.receiver, POLLPRI, BRIEFLY), -ETIMEDOUT);
	while (oob_recv_urgent(f->s.receiver, &byte) == -EAGAIN) {
		assert_true(oob_wait(f->s.receiver, POLLIN | POLLPRI, SOON) >
			    0);
		recv(f->s.receiver, scratch, sizeof(scratch), MSG_DONTWAIT);
	}
	assert_int_equal(byte, '!');
}

static void an_announced_byte_cannot_come_after_the_end(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 'x';

	announce_byte(f);
	shutdown(f->s.receiver, SHUT_RD);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 0);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), 0);
	reset_sender(&f->s, f->transport);
	assert_true(oob_wait(f->s.receiver, 0, SOON) & POLLERR);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -ENOTCONN);
	assert_int_equal(byte, 'x');
}

/* Read everything, counting bytes and marks, until the stream ends. */
struct tally {
	int fd;
	size_t bytes;
	size_t marks;
	size_t last_mark;
	unsigned char byte;
	int ret;
};

static void *tally_stream(void *arg)
{
	struct tally *t = arg;
	struct oob_buffer b;

	do {
		oob_buffer_init(&b, SIZE_MAX);
		t->ret = oob_read_oob(t->fd, &t->byte, &b, SOON);
		t->bytes += b.len;
		if (t->ret == 1) {
			t->bytes++;
			t->marks++;
			t->last_mark = t->bytes;
		}
		oob_buffer_free(&b);
	} while (t->ret == 1);
	return NULL;
}

#define MANY 1000000

static void short_sends_make_one_mark(void **state)
{
	struct fixture *f = fixture(state);
	struct tally t = { .fd = f->s.receiver };
	static char data[MANY];
	pthread_t reader;
	size_t sent = 0;
	int ret;

	data[MANY - 1] = '!';
	assert_int_equal(pthread_create(&reader, NULL, tally_stream, &t), 0);
	ret = oob_send_urgent(f->s.sender, data, MANY, &sent, SOON);
	close_end(&f->s.sender);
	pthread_join(reader, NULL);
	assert_int_equal(ret, 0);
	assert_int_equal(sent, MANY);
	assert_int_equal(t.ret, 0);
	assert_int_equal(t.bytes, MANY);
	assert_int_equal(t.marks, 1);
	assert_int_equal(t.last_mark, MANY);
	assert_int_equal(t.byte, '!');
}

/* What was not sent can be, by another call, from where the first stopped. */
static void a_full_buffer_holds_urgent_data_back(void **state)
{
	struct fixture *f = fixture(state);
	struct tally t = { .fd = f->s.receiver };
	static char data[MANY];
	size_t sent = 0, rest = 0;
	pthread_t reader;
	int ret;

	data[MANY - 1] = '!';
	storm_begin();
	ret = oob_send_urgent(f->s.sender, data, MANY, &sent, BRIEFLY);
	storm_end();
	assert_int_equal(ret, -ETIMEDOUT);
	assert_in_range(sent, 1, MANY - 1);
	assert_int_equal(oob_at_mark(f->s.receiver), 0);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &t.byte), -EINVAL);
	assert_int_equal(pthread_create(&reader, NULL, tally_stream, &t), 0);
	ret = oob_send_urgent(f->s.sender, data + sent, MANY - sent, &rest,
			      SOON);
	close_end(&f->s.sender);
	pthread_join(reader, NULL);
	assert_int_equal(ret, 0);
	assert_int_equal(sent + rest, MANY);
	assert_int_equal(t.bytes, MANY);
	assert_int_equal(t.marks, 1);
	assert_int_equal(t.last_mark, MANY);
}

static void ordinary_data_has_no_mark(void **state)
{
	struct fixture *f = fixture(state);
	struct tally t = { .fd = f->s.receiver };
	static char data[MANY];
	pthread_t reader;
	size_t sent = 0;
	int ret;

	assert_int_equal(pthread_create(&reader, NULL, tally_stream, &t), 0);
	storm_begin();
	ret = oob_send(f->s.sender, data, MANY, &sent, SOON);
	storm_end();
	close_end(&f->s.sender);
	pthread_join(reader, NULL);
	assert_int_equal(ret, 0);
	assert_int_equal(sent, MANY);
	assert_int_equal(t.bytes, MANY);
	assert_int_equal(t.marks, 0);
}

/* SIGPIPE is at its default here: raised, it would end the test program. */
static void a_closed_peer_raises_no_signal(void **state)
{
	struct fixture *f = fixture(state);
	size_t sent = 77;
	int ret;

	close_end(&f->s.receiver);
	do
		ret = oob_send_urgent(f->s.sender, "ab", 2, &sent, SOON);
	while (ret == 0);
	assert_true(ret == -EPIPE || ret == -ECONNRESET);
	assert_in_range(sent, 0, 1);
	assert_int_equal(oob_send(f->s.sender, "a", 1, &sent, SOON), -EPIPE);
	assert_int_equal(sent, 0);
	assert_int_equal(oob_send_urgent(f->s.sender, "a", 1, NULL, SOON),
			 -EPIPE);
}

static void nothing_has_no_last_byte(void **state)
{
	struct fixture *f = fixture(state);
	size_t sent = 77;

	assert_int_equal(oob_send_urgent(f->s.sender, "", 0, &sent, SOON),
			 -EINVAL);
	assert_int_equal(sent, 0);
	sent = 77;
	assert_int_equal(oob_send(f->s.sender, "", 0, &sent, SOON), 0);
	assert_int_equal(sent, 0);
	assert_int_equal(oob_wait(f->s.receiver, POLLIN | POLLPRI, BRIEFLY),
			 -ETIMEDOUT);
}

static void what_is_no_socket_is_refused(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = 'x';
	int p[2];

	(void)f;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(oob_send(p[1], "a", 1, NULL, SOON), -ENOTSOCK);
	assert_int_equal(oob_send_urgent(p[1], "a", 1, NULL, SOON), -ENOTSOCK);
	assert_int_equal(oob_recv_urgent(p[0], &byte), -ENOTSOCK);
	assert_int_equal(oob_peek_urgent(p[0], &byte), -ENOTSOCK);
	assert_int_equal(oob_at_mark(p[0]), -ENOTTY);
	assert_int_equal(oob_set_inline(p[0], true), -ENOTSOCK);
	assert_int_equal(oob_get_inline(p[0]), -ENOTSOCK);
	close(p[0]);
	close(p[1]);
	assert_int_equal(oob_send(p[1], "a", 1, NULL, SOON), -EBADF);
	assert_int_equal(oob_recv_urgent(p[0], &byte), -EBADF);
	assert_int_equal(oob_at_mark(p[0]), -EBADF);
	assert_int_equal(byte, 'x');
}

int main(void)
{
	static const struct plan plans[] = {
		/* clang-format off */
		PLAN(the_last_byte_alone_is_urgent),
		PLAN(the_mark_is_where_the_byte_stood),
		PLAN(peeking_leaves_the_byte),
		PLAN(without_urgent_data_there_is_none),
		PLAN(inline_delivery_keeps_it_in_the_stream),
		PLAN(an_announced_byte_may_not_have_come, .on = ON_TCP, .buffers = { 1 << 20, 4096 }),
		PLAN(an_announced_byte_cannot_come_after_the_end, .on = ON_TCP, .buffers = { 1 << 20, 4096 }),
		PLAN(short_sends_make_one_mark, .buffers = { 8192, 0 }),
		PLAN(a_full_buffer_holds_urgent_data_back, .buffers = { 8192, 8192 }),
		PLAN(ordinary_data_has_no_mark, .buffers = { 8192, 0 }),
		PLAN(a_closed_peer_raises_no_signal),
		PLAN(nothing_has_no_last_byte),
		PLAN(what_is_no_socket_is_refused),
		/* clang-format on */
	};
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plans); i++)
		n = add_cases(tests, n, &plans[i]);
	return cmocka_run_group_tests_name("urgent", tests, NULL, NULL);
}
