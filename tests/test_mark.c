#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "oob/mark.h"
#include "oob/urgent.h"
#include "tests/fixture.h"

/* The four ways to the mark. */
enum way {
	DISCARD,
	READ,
	BUFFER,
	OOB,
	WAYS
};

static const char *const way_name[] = { "discard", "read", "buffer", "oob" };

/* What one walk brought; `before` is limited to what the test allows. */
struct walk {
	int ret;
	size_t len; /* of the data before the mark */
	unsigned char byte;
	struct oob_buffer before;
};

static void walk_begin(struct walk *w, size_t limit)
{
	*w = (struct walk){ .byte = '.' };
	oob_buffer_init(&w->before, limit);
}

static void walk_end(struct walk *w)
{
	oob_buffer_free(&w->before);
}

static void walk(struct walk *w, enum way way, int fd, int64_t deadline_ns)
{
	size_t room = 0;

	if (way == DISCARD) {
		w->ret = oob_discard_until_mark(fd, &w->len, deadline_ns);
		return;
	}
	if (way == READ) {
		if (w->before.len < w->before.limit)
			oob_buffer_reserve(&w->before, w->before.limit, &room);
		w->ret = oob_read_until_mark(fd, w->before.data + w->before.len,
					     room, &w->len, deadline_ns);
		w->before.len += w->len;
	} else if (way == BUFFER) {
		w->ret = oob_buffer_until_mark(fd, &w->before, deadline_ns);
	} else {
		w->ret = oob_read_oob(fd, &w->byte, &w->before, deadline_ns);
	}
	w->len = w->before.len;
}

static void expect_before(const struct walk *w, enum way way, const char *want)
{
	assert_int_equal(w->len, strlen(want));
	if (way != DISCARD && w->len)
		assert_memory_equal(w->before.data, want, w->len);
}

static void send_text(const struct fixture *f, const char *text)
{
	assert_int_equal(oob_send(f->s.sender, text, strlen(text), NULL, SOON),
			 0);
}

static void send_urgent(const struct fixture *f, const char *text)
{
	assert_int_equal(oob_send_urgent(f->s.sender, text, strlen(text), NULL,
					 SOON),
			 0);
}

/* Until the receiver's kernel has all that was sent. AF_UNIX hands it over in
 * the send itself, and counts it as unsent until it is read. */
static void await_arrival(const struct fixture *f)
{
	int64_t deadline = SOON;
	int unsent = 1;

	while (f->transport != UNIX && unsent) {
		assert_int_equal(ioctl(f->s.sender, SIOCOUTQ, &unsent), 0);
		assert_true(oob_now_ns() < deadline);
		sched_yield();
	}
}

/* Until a reader on another thread has taken all the ordinary data. */
static void await_drain(const struct fixture *f)
{
	int64_t deadline = SOON;
	int queued = 1;

	while (queued) {
		assert_int_equal(ioctl(f->s.receiver, FIONREAD, &queued), 0);
		assert_true(oob_now_ns() < deadline);
		sched_yield();
	}
}

static void expect_rest(const struct fixture *f, const char *want)
{
	char got[64];
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(got) && (r = recv(f->s.receiver, got + n,
					    sizeof(got) - n, MSG_DONTWAIT)) > 0)
		n += (size_t)r;
	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
}

/* A walk on another thread. */
struct job {
	pthread_t thread;
	struct walk w;
	enum way way;
	int fd;
	int64_t deadline_ns;
};

static void *run_job(void *arg)
{
	struct job *j = arg;

	walk(&j->w, j->way, j->fd, j->deadline_ns);
	return NULL;
}

static void job_begin(struct job *j, enum way way, int fd, int64_t deadline_ns)
{
	*j = (struct job){ .way = way, .fd = fd, .deadline_ns = deadline_ns };
	walk_begin(&j->w, 1 << 20);
	assert_int_equal(pthread_create(&j->thread, NULL, run_job, j), 0);
}

static void job_join(struct job *j)
{
	assert_int_equal(pthread_join(j->thread, NULL), 0);
}

/*
 * All is there before the walk begins. A word is one send; one that ends with
 * ! or ? is urgent.
 */
struct scene {
	const char *name;
	const char *sends[5];
	const char *before;
	char byte;
	const char *rest;
	unsigned on;
	enum {
		BOTH,
		SEPARATE,
		INLINE
	} delivery;
};

static const struct scene scenes[] = {
	/* clang-format off */
	{ "mark_first", { "!", "de" }, "", '!', "de", EVERYWHERE, BOTH },
	{ "mark_last", { "abc!" }, "abc", '!', "", EVERYWHERE, BOTH },
	{ "mark_in_the_middle", { "ab!", "cd" }, "ab", '!', "cd", EVERYWHERE, BOTH },
	{ "only_the_urgent_byte", { "!" }, "", '!', "", EVERYWHERE, BOTH },
	{ "data_from_many_sends", { "a", "bc", "def", "!", "g" }, "abcdef", '!', "g", EVERYWHERE, BOTH },
	{ "second_mark_replaces_the_first", { "ab!", "cd?", "e" }, "ab!cd", '?', "e", EVERYWHERE, BOTH },
	/* The reader stands at the first mark when the second comes. RFC 6093
	 * section 3.2: the byte may be lost; TCP of Linux loses it, AF_UNIX
	 * and inline delivery keep it as ordinary data. */
	{ "second_mark_at_the_first", { "!", "?", "e" }, "", '?', "e", ON_TCP, SEPARATE },
	{ "second_mark_at_the_first", { "!", "?", "e" }, "!", '?', "e", ON(UNIX), SEPARATE },
	{ "second_mark_at_the_first", { "!", "?", "e" }, "!", '?', "e", EVERYWHERE, INLINE },
	/* clang-format on */
};

struct act {
	const struct scene *scene;
	enum way way;
	bool in_line;
};

static void play(void **state)
{
	struct fixture *f = fixture(state);
	const struct act *act = f->row;
	const struct scene *scene = act->scene;
	struct walk w;
	const char *text;
	unsigned char byte = '.';

	assert_int_equal(oob_set_inline(f->s.receiver, act->in_line), 0);
	for (size_t i = 0; i < COUNT(scene->sends) && scene->sends[i]; i++) {
		text = scene->sends[i];
		if (strpbrk(text, "!?"))
			send_urgent(f, text);
		else
			send_text(f, text);
		await_arrival(f);
	}
	walk_begin(&w, 64);
	walk(&w, act->way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, act->way, scene->before);
	if (act->way != OOB) {
		assert_int_equal(oob_at_mark(f->s.receiver), 1);
		if (act->in_line)
			recv(f->s.receiver, &byte, 1, MSG_DONTWAIT);
		else
			oob_recv_urgent(f->s.receiver, &byte);
		w.byte = byte;
	}
	assert_int_equal(w.byte, scene->byte);
	expect_rest(f, scene->rest);
	walk_end(&w);
}

/* The tests below run once each way; the way is their row. */
static enum way way_of(const struct fixture *f)
{
	return *(const enum way *)f->row;
}

static void data_that_comes_later_is_waited_for(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct job j;

	job_begin(&j, way, f->s.receiver, SOON);
	send_text(f, "ab");
	await_arrival(f);
	await_drain(f);
	send_text(f, "c");
	await_arrival(f);
	await_drain(f);
	send_urgent(f, "d!");
	job_join(&j);
	assert_int_equal(j.w.ret, 1);
	expect_before(&j.w, way, "abcd");
	if (way == OOB)
		assert_int_equal(j.w.byte, '!');
	walk_end(&j.w);
}

static void a_lone_urgent_byte_is_waited_for(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct job j;

	job_begin(&j, way, f->s.receiver, SOON);
	send_text(f, "ab");
	await_arrival(f);
	await_drain(f);
	send_urgent(f, "!");
	job_join(&j);
	assert_int_equal(j.w.ret, 1);
	expect_before(&j.w, way, "ab");
	walk_end(&j.w);
}

static void without_a_mark_it_ends_at_the_deadline(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	storm_begin();
	walk(&w, way, f->s.receiver, BRIEFLY);
	storm_end();
	assert_true(storm_signals > 0);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	walk_end(&w);
}

static void a_second_call_goes_on_where_the_first_ended(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	walk(&w, way, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, way, "abc");
	walk(&w, way, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	send_urgent(f, "de!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, way == DISCARD ? "de" : "abcde");
	walk_end(&w);
}

static void the_end_of_the_stream_is_no_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	close_end(&f->s.sender);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 0);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	walk_end(&w);
}

static void a_mark_at_the_end_is_a_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	close_end(&f->s.sender);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, "ab");
	if (way == OOB) {
		assert_int_equal(w.byte, '!');
		walk(&w, way, f->s.receiver, SOON);
		assert_int_equal(w.ret, 0);
		expect_before(&w, way, "ab");
	}
	walk_end(&w);
}

static void a_reset_is_an_error_behind_the_data(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	reset_sender(&f->s, f->transport);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, -ECONNRESET);
	expect_before(&w, way, "abc");
	walk_end(&w);
}

static void a_reset_while_waiting_ends_the_wait(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct job j;

	job_begin(&j, way, f->s.receiver, SOON);
	send_text(f, "abc");
	await_arrival(f);
	await_drain(f);
	reset_sender(&f->s, f->transport);
	job_join(&j);
	assert_int_equal(j.w.ret, -ECONNRESET);
	expect_before(&j.w, way, "abc");
	walk_end(&j.w);
}

static void full_memory_leaves_the_rest_in_the_socket(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	if (way == DISCARD)
		return;
	walk_begin(&w, 3);
	send_urgent(f, "abcde!");
	await_arrival(f);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, -ENOBUFS);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	w.before.limit = 5;
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.before.len, 5);
	assert_memory_equal(w.before.data, "abcde", 5);
	walk_end(&w);
}

static void no_memory_is_needed_at_the_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 0);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, "");
	if (way == OOB)
		assert_int_equal(w.byte, '!');
	walk_end(&w);
}

/* With no room left, it may still be that the mark comes next. */
static void full_memory_waits_for_what_comes_next(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 2);
	send_text(f, "ab");
	await_arrival(f);
	walk(&w, way, f->s.receiver, BRIEFLY);
	assert_int_equal(w.ret, -ETIMEDOUT);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	walk_end(&w);
}

#define FILLER 65536

/* The byte is announced with the data before it still at the sender. */
static void a_byte_held_back_by_a_full_window_comes(void **state)
{
	struct fixture *f = fixture(state);
	static const char filler[FILLER];
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, FILLER);
	assert_int_equal(oob_send(f->s.sender, filler, FILLER, NULL, SOON), 0);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.len, FILLER);
	if (way == OOB)
		assert_int_equal(w.byte, '!');
	walk_end(&w);
}

static void a_mark_replaced_before_it_comes_is_data(void **state)
{
	struct fixture *f = fixture(state);
	static const char filler[FILLER];
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, FILLER + 2);
	assert_int_equal(oob_send(f->s.sender, filler, FILLER, NULL, SOON), 0);
	send_urgent(f, "!");
	send_urgent(f, "a?");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.len, FILLER + 2);
	if (way != DISCARD)
		assert_memory_equal(w.before.data + FILLER, "!a", 2);
	if (way == OOB)
		assert_int_equal(w.byte, '?');
	walk_end(&w);
}

/* A sender that never stops, and whose mark never comes. */
static void *flood(void *arg)
{
	static const char data[4096];
	const int *fd = arg;

	while (oob_send(*fd, data, sizeof(data), NULL, SOON) == 0)
		;
	return NULL;
}

/* One processor for both, the reader in what time the sender leaves: then the
 * reader finds data whenever it looks. */
static void *run_job_behind_the_flood(void *arg)
{
	const struct sched_param idle = { 0 };

	if (sched_setscheduler(0, SCHED_IDLE, &idle) < 0)
		return NULL;
	return run_job(arg);
}

static void a_flood_does_not_outrun_the_deadline(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct job j = { .way = way, .fd = f->s.receiver };
	cpu_set_t before, one;
	pthread_t sender;

	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	walk_begin(&j.w, way == READ ? 64 << 20 : SIZE_MAX);
	assert_int_equal(pthread_create(&sender, NULL, flood, &f->s.sender), 0);
	j.deadline_ns = BRIEFLY;
	assert_int_equal(pthread_create(&j.thread, NULL,
					run_job_behind_the_flood, &j),
			 0);
	sched_setaffinity(0, sizeof(before), &before);
	job_join(&j);
	shutdown(f->s.sender, SHUT_RDWR);
	pthread_join(sender, NULL);
	assert_int_equal(j.w.ret, -ETIMEDOUT);
	walk_end(&j.w);
}

static void what_is_no_socket_is_refused(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;
	int p[2];

	walk_begin(&w, 64);
	assert_int_equal(pipe(p), 0);
	walk(&w, way, p[0], SOON);
	assert_int_equal(w.ret, -ENOTSOCK);
	expect_before(&w, way, "");
	close(p[0]);
	close(p[1]);
	walk(&w, way, p[0], SOON);
	assert_int_equal(w.ret, -EBADF);
	walk_end(&w);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Wait in vain, for a tenth of a second, with hardly any work. */
static void wait_idly(struct walk *w, enum way way, int fd)
{
	int64_t used = cpu_ns();

	walk(w, way, fd, oob_deadline_in(100 * MS));
	used = cpu_ns() - used;
	assert_int_equal(w->ret, -ETIMEDOUT);
	assert_true(used < 30 * MS);
}

/* POLLERR stands while the error queue holds a time stamp of what was sent. */
static void a_full_error_queue_does_not_make_it_spin(void **state)
{
	struct fixture *f = fixture(state);
	int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	enum way way = way_of(f);
	struct job j;
	struct walk w;

	assert_int_equal(setsockopt(f->s.receiver, SOL_SOCKET, SO_TIMESTAMPING,
				    &flags, sizeof(flags)),
			 0);
	assert_int_equal(oob_send(f->s.receiver, "x", 1, NULL, SOON), 0);
	assert_true(oob_wait(f->s.receiver, 0, SOON) & POLLERR);
	walk_begin(&w, 64);
	wait_idly(&w, way, f->s.receiver);
	walk_end(&w);
	job_begin(&j, way, f->s.receiver, SOON);
	send_text(f, "ab");
	await_arrival(f);
	await_drain(f);
	send_urgent(f, "!");
	job_join(&j);
	assert_int_equal(j.w.ret, 1);
	expect_before(&j.w, way, "ab");
	walk_end(&j.w);
}

/* The tests from here on are of oob_read_oob() alone. */

static void a_taken_byte_is_passed(void **state)
{
	struct fixture *f = fixture(state);
	struct walk w;
	struct job j;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	walk(&w, OOB, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, OOB, "ab");
	walk_end(&w);
	job_begin(&j, OOB, f->s.receiver, SOON);
	send_text(f, "cd");
	send_urgent(f, "?");
	job_join(&j);
	assert_int_equal(j.w.ret, 1);
	assert_int_equal(j.w.byte, '?');
	expect_before(&j.w, OOB, "cd");
	walk_end(&j.w);
}

static void a_byte_taken_ahead_is_passed(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = '.';
	struct walk w;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	await_arrival(f);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 1);
	send_text(f, "cd");
	await_arrival(f);
	walk(&w, BUFFER, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, BUFFER, "ab");
	walk(&w, OOB, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, OOB, "abcd");
	walk_end(&w);
}

static void waiting_at_a_taken_byte_does_not_spin(void **state)
{
	struct fixture *f = fixture(state);
	struct walk w;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	walk(&w, OOB, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	wait_idly(&w, OOB, f->s.receiver);
	send_urgent(f, "c?");
	walk(&w, OOB, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.byte, '?');
	expect_before(&w, OOB, "abc");
	walk_end(&w);
}

#define ROUNDS 2000

/* Urgent byte and data behind it, again and again, as fast as they go. */
static void *send_rounds(void *arg)
{
	const int *fd = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (oob_send_urgent(*fd, "!", 1, NULL, SOON) < 0 ||
		    oob_send(*fd, "a", 1, NULL, SOON) < 0)
			break;
		/* The receiver's word that it has both. */
		if (oob_wait(*fd, POLLIN, SOON) < 0 ||
		    recv(*fd, (char[1]){ 0 }, 1, 0) != 1)
			break;
	}
	return NULL;
}

/*
 * SIOCATMARK first and then a read, as the manuals have it, loses some of the
 * bytes here: 42 of 20,000 over TCP, 14 of 20,000 over AF_UNIX (Linux 6.18).
 */
static void a_mark_that_comes_between_is_not_crossed(void **state)
{
	struct fixture *f = fixture(state);
	int64_t deadline = SOON;
	pthread_t sender;
	struct walk w;
	char c;

	assert_int_equal(
		pthread_create(&sender, NULL, send_rounds, &f->s.sender), 0);
	walk_begin(&w, 64);
	for (int i = 0; i < ROUNDS; i++) {
		w.byte = '.';
		/* Looking all the time, to be looking when they come. */
		do
			walk(&w, OOB, f->s.receiver, NOW);
		while (w.ret == -ETIMEDOUT && oob_now_ns() < deadline);
		assert_int_equal(w.ret, 1);
		assert_int_equal(w.byte, '!');
		expect_before(&w, OOB, "");
		assert_true(oob_wait(f->s.receiver, POLLIN, SOON) > 0);
		while (recv(f->s.receiver, &c, 1, 0) < 0)
			assert_true(oob_wait(f->s.receiver, POLLIN, SOON) > 0);
		assert_int_equal(c, 'a');
		assert_int_equal(oob_send(f->s.receiver, "k", 1, NULL, SOON),
				 0);
	}
	walk_end(&w);
	pthread_join(sender, NULL);
}

/* clang-format off */
static const struct plan each_way[] = {
	PLAN(data_that_comes_later_is_waited_for),
	PLAN(a_lone_urgent_byte_is_waited_for),
	PLAN(without_a_mark_it_ends_at_the_deadline),
	PLAN(a_second_call_goes_on_where_the_first_ended),
	PLAN(the_end_of_the_stream_is_no_mark),
	PLAN(a_mark_at_the_end_is_a_mark),
	PLAN(a_reset_is_an_error_behind_the_data),
	PLAN(a_reset_while_waiting_ends_the_wait),
	PLAN(full_memory_leaves_the_rest_in_the_socket),
	PLAN(no_memory_is_needed_at_the_mark),
	PLAN(full_memory_waits_for_what_comes_next),
	PLAN(a_byte_held_back_by_a_full_window_comes, .buffers = { 1 << 20, 4096 }),
	PLAN(a_mark_replaced_before_it_comes_is_data, .buffers = { 1 << 20, 4096 }),
	PLAN(a_flood_does_not_outrun_the_deadline),
	PLAN(a_full_error_queue_does_not_make_it_spin, .on = ON_TCP),
	PLAN(what_is_no_socket_is_refused),
};

static const struct plan only_oob[] = {
	PLAN(a_taken_byte_is_passed),
	PLAN(a_byte_taken_ahead_is_passed),
	PLAN(waiting_at_a_taken_byte_does_not_spin),
	PLAN(a_mark_that_comes_between_is_not_crossed),
};
/* clang-format on */

#define ACTS (COUNT(scenes) * WAYS * 2)

static size_t add_scenes(struct CMUnitTest *tests, size_t n)
{
	static struct plan plans[ACTS];
	static struct act acts[ACTS];
	static char names[ACTS][96];
	size_t k = 0;

	for (size_t i = 0; i < ACTS; i++) {
		const struct scene *scene = &scenes[i / 2 / WAYS];
		bool in_line = i % 2;

		if (scene->delivery == (in_line ? SEPARATE : INLINE))
			continue;
		acts[k] = (struct act){ scene, i / 2 % WAYS, in_line };
		snprintf(names[k], sizeof(names[k]), "%s, %s%s", scene->name,
			 way_name[acts[k].way], in_line ? ", inline" : "");
		plans[k] = (struct plan){ .name = names[k],
					  .body = play,
					  .on = scene->on,
					  .row = &acts[k] };
		n = add_cases(tests, n, &plans[k]);
		k++;
	}
	return n;
}

static size_t add_each_way(struct CMUnitTest *tests, size_t n)
{
	static const enum way ways[] = { DISCARD, READ, BUFFER, OOB };
	static struct plan plans[COUNT(each_way) * WAYS];
	static char names[COUNT(plans)][96];

	for (size_t i = 0; i < COUNT(plans); i++) {
		plans[i] = each_way[i / WAYS];
		plans[i].row = &ways[i % WAYS];
		snprintf(names[i], sizeof(names[i]), "%s, %s", plans[i].name,
			 way_name[i % WAYS]);
		plans[i].name = names[i];
		n = add_cases(tests, n, &plans[i]);
	}
	return n;
}

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n;

	n = add_scenes(tests, 0);
	n = add_each_way(tests, n);
	for (size_t i = 0; i < COUNT(only_oob); i++)
		n = add_cases(tests, n, &only_oob[i]);
	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
