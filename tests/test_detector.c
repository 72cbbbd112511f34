#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/resource.h>

#include "sigurg/detector.h"
#include "sigurg/owner.h"
#include "sigurg/recorder.h"
#include "tests/fixture.h"

static const struct sigurg_detector *detector(const struct fixture *f)
{
	return f->row;
}

/* io_uring may be compiled out, or refused by a sysctl or seccomp. */
static bool is_missing_interface(int ret)
{
	return ret == -ENOSYS || ret == -EPERM;
}

static struct sigurg_watch *arm(const struct fixture *f)
{
	struct sigurg_watch *w = NULL;
	int ret = detector(f)->arm(&w, f->s.receiver);

	if (is_missing_interface(ret))
		skip();
	assert_int_equal(ret, 0);
	return w;
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

static void take_byte(const struct fixture *f, char want)
{
	unsigned char byte = '.';

	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 1);
	assert_int_equal(byte, want);
}

static void expect_quiet(const struct fixture *f, struct sigurg_watch *w)
{
	assert_int_equal(detector(f)->wait(w, BRIEFLY), -ETIMEDOUT);
}

static void expect_notice(const struct fixture *f, struct sigurg_watch *w)
{
	assert_int_equal(detector(f)->wait(w, SOON), 1);
}

static void is_quiet_without_data(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	expect_quiet(f, w);
	assert_int_equal(detector(f)->wait(w, NOW), -ETIMEDOUT);
	detector(f)->disarm(w);
}

static void is_quiet_on_ordinary_data(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	for (int i = 0; i < 3; i++) {
		send_text(f, "ordinary");
		expect_quiet(f, w);
	}
	detector(f)->disarm(w);
}

static void notices_each_urgent_byte(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	char text[] = "ab0";

	for (; text[2] < '5'; text[2]++) {
		send_urgent(f, text);
		expect_notice(f, w);
		take_byte(f, text[2]);
		expect_quiet(f, w);
	}
	detector(f)->disarm(w);
}

static void says_so_again_as_it_promises(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	send_urgent(f, "!");
	expect_notice(f, w);
	if (detector(f)->while_unread) {
		expect_notice(f, w);
		expect_notice(f, w);
	} else {
		expect_quiet(f, w);
	}
	detector(f)->disarm(w);
}

static void a_peek_changes_nothing(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	unsigned char byte;

	send_urgent(f, "a!");
	expect_notice(f, w);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), 1);
	if (detector(f)->while_unread)
		expect_notice(f, w);
	else
		expect_quiet(f, w);
	take_byte(f, '!');
	expect_quiet(f, w);
	detector(f)->disarm(w);
}

static void inline_delivery_is_noticed_as_well(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	char scratch[8];

	assert_int_equal(oob_set_inline(f->s.receiver, true), 0);
	send_urgent(f, "ab!");
	expect_notice(f, w);
	assert_int_equal(recv(f->s.receiver, scratch, 8, MSG_DONTWAIT), 2);
	assert_int_equal(recv(f->s.receiver, scratch, 8, MSG_DONTWAIT), 1);
	expect_quiet(f, w);
	send_urgent(f, "?");
	expect_notice(f, w);
	detector(f)->disarm(w);
}

/* SIGURG is sent when the announcement comes, to the owner of that moment. */
static void what_came_before_shows_in_readiness_only(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w;

	send_urgent(f, "!");
	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
	w = arm(f);
	if (detector(f)->by_signal)
		expect_quiet(f, w);
	else
		expect_notice(f, w);
	detector(f)->disarm(w);
}

/* A full window holds the byte back, not its announcement. */
static void the_announcement_shows_in_signals_only(void **state)
{
	struct fixture *f = fixture(state);
	static const char filler[65536];
	struct sigurg_watch *probe, *w = arm(f);
	char scratch[4096];

	if (detector(f)->by_signal) {
		probe = w;
	} else {
		assert_int_equal(sigurg_by_signalfd.arm(&probe, f->s.receiver),
				 0);
	}
	assert_int_equal(
		oob_send(f->s.sender, filler, sizeof(filler), NULL, SOON), 0);
	send_urgent(f, "!");
	if (detector(f)->by_signal) {
		expect_notice(f, w);
	} else {
		assert_int_equal(sigurg_by_signalfd.wait(probe, SOON), 1);
		sigurg_by_signalfd.disarm(probe);
		expect_quiet(f, w);
	}
	while (!(oob_wait(f->s.receiver, POLLIN | POLLPRI, SOON) & POLLPRI))
		recv(f->s.receiver, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (!detector(f)->by_signal)
		expect_notice(f, w);
	take_byte(f, '!');
	detector(f)->disarm(w);
}

static void the_end_is_told_as_it_promises(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	send_text(f, "abc");
	close_end(&f->s.sender);
	if (detector(f)->tells_of_end)
		assert_int_equal(detector(f)->wait(w, SOON), 0);
	else
		expect_quiet(f, w);
	detector(f)->disarm(w);
}

static void a_byte_is_noticed_before_the_end(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	send_urgent(f, "ab!");
	close_end(&f->s.sender);
	expect_notice(f, w);
	take_byte(f, '!');
	if (detector(f)->while_unread && detector(f)->tells_of_end)
		assert_int_equal(detector(f)->wait(w, SOON), 0);
	detector(f)->disarm(w);
}

static void a_reset_ends_the_wait(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);

	reset_sender(&f->s, f->transport);
	if (detector(f)->tells_of_end)
		assert_int_equal(detector(f)->wait(w, SOON), 0);
	else
		expect_quiet(f, w);
	detector(f)->disarm(w);
}

static void other_signals_do_not_end_the_wait(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	int64_t deadline = BRIEFLY;

	storm_begin();
	assert_int_equal(detector(f)->wait(w, deadline), -ETIMEDOUT);
	assert_true(oob_now_ns() >= deadline);
	assert_true(storm_signals > 0);
	send_urgent(f, "!");
	expect_notice(f, w);
	storm_end();
	detector(f)->disarm(w);
}

static void *send_later(void *arg)
{
	const struct fixture *f = arg;

	/* Whether the wait has begun or not, it is to end. */
	oob_send(f->s.sender, "ab", 2, NULL, SOON);
	oob_send_urgent(f->s.sender, "!", 1, NULL, SOON);
	return NULL;
}

static void a_wait_ends_when_it_comes(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	pthread_t sender;

	assert_int_equal(pthread_create(&sender, NULL, send_later, f), 0);
	expect_notice(f, w);
	pthread_join(sender, NULL);
	take_byte(f, '!');
	detector(f)->disarm(w);
}

static void foreign_handler(int signo)
{
	(void)signo;
}

/* Owner, mask and handler of SIGURG, and the count of descriptors. */
struct surroundings {
	struct sigurg_owner owner;
	struct sigaction action;
	int blocked;
	int fds;
};

static struct surroundings look_around(int fd)
{
	struct surroundings s = { .fds = count_fds() };
	sigset_t mask;

	sigurg_owner_get(fd, &s.owner);
	sigaction(SIGURG, NULL, &s.action);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	s.blocked = sigismember(&mask, SIGURG);
	return s;
}

static void expect_surroundings(int fd, struct surroundings want)
{
	struct surroundings s = look_around(fd);

	assert_int_equal(s.owner.kind, want.owner.kind);
	assert_int_equal(s.owner.id, want.owner.id);
	assert_ptr_equal(s.action.sa_handler, want.action.sa_handler);
	assert_int_equal(s.action.sa_flags, want.action.sa_flags);
	assert_int_equal(s.blocked, want.blocked);
	assert_int_equal(s.fds, want.fds);
}

static void disarm_leaves_all_as_it_was(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_owner group = { SIGURG_GROUP, getpgrp() };
	struct surroundings before;
	struct sigurg_watch *w;
	sigset_t set;

	signal(SIGURG, foreign_handler);
	assert_int_equal(sigurg_owner_set(f->s.receiver, group), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	for (int blocked = 0; blocked < 2; blocked++) {
		pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
		before = look_around(f->s.receiver);
		w = arm(f);
		send_urgent(f, "!");
		expect_notice(f, w);
		detector(f)->disarm(w);
		expect_surroundings(f->s.receiver, before);
		take_byte(f, '!');
		/* Of what an unused watch brought, nothing must remain. */
		w = arm(f);
		send_urgent(f, "?");
		take_byte(f, '?');
		detector(f)->disarm(w);
		expect_surroundings(f->s.receiver, before);
	}
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGURG, SIG_DFL);
	detector(f)->disarm(NULL);
}

static void a_refused_arm_leaves_all_as_it_was(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = (struct sigurg_watch *)&w;
	struct surroundings before;
	int ret;

	signal(SIGURG, foreign_handler);
	before = look_around(f->s.receiver);
	ret = detector(f)->arm(&w, -1);
	expect_surroundings(f->s.receiver, before);
	signal(SIGURG, SIG_DFL);
	assert_ptr_equal(w, &w);
	if (!is_missing_interface(ret))
		assert_int_equal(ret, -EBADF);
}

/* FD_SETSIZE is 1024: select(2) of the C library ends there. */
static void large_descriptors_are_watched(void **state)
{
	struct fixture *f = fixture(state);
	struct rlimit before, wide;
	struct sigurg_watch *w;
	int high;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	wide = before;
	if (wide.rlim_cur < 2500)
		wide.rlim_cur = 2500;
	if (wide.rlim_max < wide.rlim_cur)
		skip();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &wide), 0);
	high = fcntl(f->s.receiver, F_DUPFD_CLOEXEC, 2400);
	assert_true(high >= 2400);
	close(f->s.receiver);
	f->s.receiver = high;
	w = arm(f);
	expect_quiet(f, w);
	send_urgent(f, "ab!");
	expect_notice(f, w);
	take_byte(f, '!');
	detector(f)->disarm(w);
	close_end(&f->s.receiver);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* A watch of one's own on each of two threads. */
struct watcher {
	const struct sigurg_detector *detector;
	pthread_barrier_t *barrier;
	struct streams s;
	int armed;
	int noticed;
	int then;
};

static void *watch_on_a_thread(void *arg)
{
	struct watcher *me = arg;
	struct sigurg_watch *w = NULL;
	unsigned char byte;

	me->armed = me->detector->arm(&w, me->s.receiver);
	pthread_barrier_wait(me->barrier);
	if (me->armed < 0)
		return NULL;
	oob_send_urgent(me->s.sender, "!", 1, NULL, SOON);
	me->noticed = me->detector->wait(w, SOON);
	oob_wait(me->s.receiver, POLLPRI, SOON);
	oob_recv_urgent(me->s.receiver, &byte);
	me->then = me->detector->wait(w, BRIEFLY);
	me->detector->disarm(w);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct fixture *f = fixture(state);
	struct watcher w[2] = { 0 };
	pthread_barrier_t barrier;
	pthread_t threads[2];
	int armed = 0;

	pthread_barrier_init(&barrier, NULL, 2);
	for (int i = 0; i < 2; i++) {
		w[i].detector = detector(f);
		w[i].barrier = &barrier;
		open_streams(&w[i].s, f->transport, (struct buffers){ 0, 0 });
		assert_int_equal(pthread_create(&threads[i], NULL,
						watch_on_a_thread, &w[i]),
				 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		close_streams(&w[i].s);
	}
	pthread_barrier_destroy(&barrier);
	if (is_missing_interface(w[0].armed))
		skip();
	for (int i = 0; i < 2; i++) {
		if (detector(f) == &sigurg_by_handler && w[i].armed == -EBUSY)
			continue;
		assert_int_equal(w[i].armed, 0);
		assert_int_equal(w[i].noticed, 1);
		assert_int_equal(w[i].then, -ETIMEDOUT);
		armed++;
	}
	assert_int_equal(armed, detector(f) == &sigurg_by_handler ? 1 : 2);
}

/* Whatever is watched while ordinary data pours in, waiting costs little. */
static void a_wait_in_vain_does_not_spin(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_watch *w = arm(f);
	struct timespec from, to;
	int64_t used;

	send_urgent(f, "a!");
	expect_notice(f, w);
	take_byte(f, '!');
	send_text(f, "b");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	assert_int_equal(detector(f)->wait(w, oob_deadline_in(100 * MS)),
			 -ETIMEDOUT);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	used = (to.tv_sec - from.tv_sec) * 1000 * MS + to.tv_nsec -
	       from.tv_nsec;
	assert_true(used < 30 * MS);
	detector(f)->disarm(w);
}

/* Of the table, not of a socket. */

static void every_name_finds_its_detector(void **state)
{
	size_t n = 0;

	(void)state;
	for (; sigurg_detectors[n]; n++) {
		assert_ptr_equal(
			sigurg_detector_find(sigurg_detectors[n]->name),
			sigurg_detectors[n]);
		assert_non_null(sigurg_detectors[n]->calls);
	}
	assert_int_equal(n, 8);
}

static void unknown_names_find_none(void **state)
{
	(void)state;
	assert_null(sigurg_detector_find(""));
	assert_null(sigurg_detector_find("epol"));
	assert_null(sigurg_detector_find("epoll-"));
	assert_null(sigurg_detector_find("POLL"));
}

/* clang-format off */
static const struct plan each[] = {
	PLAN(is_quiet_without_data),
	PLAN(is_quiet_on_ordinary_data),
	PLAN(notices_each_urgent_byte),
	PLAN(says_so_again_as_it_promises),
	PLAN(a_peek_changes_nothing),
	PLAN(inline_delivery_is_noticed_as_well),
	PLAN(what_came_before_shows_in_readiness_only),
	PLAN(the_announcement_shows_in_signals_only, .on = ON_TCP, .buffers = { 1 << 20, 4096 }),
	PLAN(the_end_is_told_as_it_promises),
	PLAN(a_byte_is_noticed_before_the_end),
	PLAN(a_reset_ends_the_wait),
	PLAN(other_signals_do_not_end_the_wait),
	PLAN(a_wait_ends_when_it_comes),
	PLAN(disarm_leaves_all_as_it_was),
	PLAN(a_refused_arm_leaves_all_as_it_was),
	PLAN(large_descriptors_are_watched),
	PLAN(threads_do_not_disturb_each_other),
	PLAN(a_wait_in_vain_does_not_spin),
};
/* clang-format on */

#define DETECTORS 8

int main(void)
{
	static const struct CMUnitTest table[] = {
		cmocka_unit_test(every_name_finds_its_detector),
		cmocka_unit_test(unknown_names_find_none),
	};
	static struct plan plans[COUNT(each) * DETECTORS];
	static char names[COUNT(plans)][96];
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plans); i++) {
		const struct sigurg_detector *d =
			sigurg_detectors[i % DETECTORS];

		plans[i] = each[i / DETECTORS];
		plans[i].row = d;
		plans[i].blocking_only = true;
		snprintf(names[i], sizeof(names[i]), "%s, %s", plans[i].name,
			 d->name);
		plans[i].name = names[i];
		n = add_cases(tests, n, &plans[i]);
	}
	memcpy(&tests[n], table, sizeof(table));
	return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
