#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "sigurg/claim.h"
#include "tests/fixture.h"

static volatile sig_atomic_t handled;

static void on_sigurg(int signo)
{
	(void)signo;
	handled = handled + 1;
}

static bool is_blocked(int signo)
{
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, signo);
}

static bool is_pending(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGURG);
}

static void set_blocked(int signo, bool blocked)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void send_urgent(const struct fixture *f)
{
	assert_int_equal(oob_send_urgent(f->s.sender, "!", 1, NULL, SOON), 0);
	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
}

static enum sigurg_owner_kind owner_kind(int fd)
{
	struct sigurg_owner owner;

	assert_int_equal(sigurg_owner_get(fd, &owner), 0);
	return owner.kind;
}

static void owner_and_mask_come_back(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_owner group = { SIGURG_GROUP, getpgrp() };
	struct sigurg_claim c;

	assert_int_equal(sigurg_owner_set(f->s.receiver, group), 0);
	for (int i = 0; i < 4; i++) {
		bool before = i & 1, during = i & 2;

		set_blocked(SIGURG, before);
		assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, during),
				 0);
		assert_int_equal(is_blocked(SIGURG), during);
		assert_int_equal(owner_kind(f->s.receiver), SIGURG_THREAD);
		sigurg_claim_end(&c);
		assert_int_equal(is_blocked(SIGURG), before);
		assert_int_equal(owner_kind(f->s.receiver), SIGURG_GROUP);
	}
	set_blocked(SIGURG, false);
}

static void other_signals_masked_meanwhile_stay_so(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_claim c;

	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), 0);
	set_blocked(SIGUSR1, true);
	sigurg_claim_end(&c);
	assert_true(is_blocked(SIGUSR1));
	set_blocked(SIGUSR1, false);
}

static void the_signal_comes_to_this_thread(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_claim c;

	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), 0);
	assert_false(is_pending());
	send_urgent(f);
	assert_true(is_pending());
	sigurg_claim_end(&c);
	assert_false(is_pending());
}

/* No asserts here: they would jump into the main thread's stack. */
static void *claim_elsewhere(void *arg)
{
	static char done;
	const struct fixture *f = arg;
	struct sigurg_claim c;
	bool came;

	if (sigurg_claim_begin(&c, f->s.receiver, true) < 0)
		return NULL;
	came = oob_send_urgent(f->s.sender, "!", 1, NULL, SOON) == 0 &&
	       oob_wait(f->s.receiver, POLLPRI, SOON) > 0 && is_pending();
	sigurg_claim_end(&c);
	return came ? &done : NULL;
}

/* To the process it would be dropped, as the main thread does not block it. */
static void the_signal_comes_to_any_thread(void **state)
{
	struct fixture *f = fixture(state);
	pthread_t thread;
	void *done;

	assert_int_equal(pthread_create(&thread, NULL, claim_elsewhere, f), 0);
	pthread_join(thread, &done);
	assert_non_null(done);
}

static void an_unread_signal_reaches_no_handler(void **state)
{
	struct fixture *f = fixture(state);
	struct sigaction sa = { .sa_handler = on_sigurg }, before;
	struct sigurg_claim c;

	sigaction(SIGURG, &sa, &before);
	handled = 0;
	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), 0);
	send_urgent(f);
	sigurg_claim_end(&c);
	assert_int_equal(handled, 0);
	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, false), 0);
	send_urgent(f);
	assert_int_equal(handled, 1);
	sigurg_claim_end(&c);
	sigaction(SIGURG, &before, NULL);
}

static void a_pending_signal_is_not_taken_over(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_claim c;

	set_blocked(SIGURG, true);
	raise(SIGURG);
	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), -EBUSY);
	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, false), -EBUSY);
	assert_true(is_pending());
	assert_true(is_blocked(SIGURG));
	assert_int_equal(owner_kind(f->s.receiver), SIGURG_NOBODY);
	set_blocked(SIGURG, false);
}

static void a_refused_claim_changes_nothing(void **state)
{
	struct sigurg_claim c;

	fixture(state);
	assert_int_equal(sigurg_claim_begin(&c, -1, true), -EBADF);
	assert_false(is_blocked(SIGURG));
}

static void an_owner_that_ended_is_not_put_back(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_claim c;

	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), 0);
	c.owner = (struct sigurg_owner){ SIGURG_PROCESS, INT32_MAX };
	sigurg_claim_end(&c);
	assert_int_equal(owner_kind(f->s.receiver), SIGURG_NOBODY);
}

int main(void)
{
	static const struct plan plans[] = {
		PLAN(owner_and_mask_come_back),
		PLAN(other_signals_masked_meanwhile_stay_so),
		PLAN(the_signal_comes_to_this_thread),
		PLAN(the_signal_comes_to_any_thread),
		PLAN(an_unread_signal_reaches_no_handler),
		PLAN(a_pending_signal_is_not_taken_over),
		PLAN(a_refused_claim_changes_nothing),
		PLAN(an_owner_that_ended_is_not_put_back),
	};
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plans); i++)
		n = add_cases(tests, n, &plans[i]);
	return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
