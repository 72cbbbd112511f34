/* The walks of oob/mark.h while the other end is at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/net_tstamp.h>
#include <pthread.h>

#include "tests/walk.h"

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
	PLAN(a_reset_while_waiting_ends_the_wait),
	PLAN(a_flood_does_not_outrun_the_deadline),
	PLAN(a_full_error_queue_does_not_make_it_spin, .on = ON_TCP),
};
/* clang-format on */

/* clang-format off */
static const struct plan only_oob[] = {
	PLAN(a_taken_byte_is_passed),
	PLAN(waiting_at_a_taken_byte_does_not_spin),
	PLAN(a_mark_that_comes_between_is_not_crossed),
};
/* clang-format on */

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(each_way); i++)
		n = add_each_way(tests, n, &each_way[i]);
	for (size_t i = 0; i < COUNT(only_oob); i++)
		n = add_cases(tests, n, &only_oob[i]);
	return cmocka_run_group_tests_name("mark_waits", tests, NULL, NULL);
}
