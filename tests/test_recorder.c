#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "sigurg/owner.h"
#include "sigurg/recorder.h"
#include "tests/streams.h"

#define SLOTS 8

/* A recorder of SIGUSR1, and the process's handlers as they were. */
struct fixture {
	struct sigurg_recorder r;
	struct sigurg_slot slots[SLOTS];
	struct sigaction before;
	int fds;
};

static volatile sig_atomic_t foreign_runs;

static void foreign_handler(int signo)
{
	(void)signo;
	foreign_runs = foreign_runs + 1;
}

static int start(struct fixture *f, int sa_flags)
{
	return sigurg_recorder_start(&f->r, SIGUSR1, sa_flags, CLOCK_MONOTONIC,
				     f->slots, SLOTS);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->fds = count_fds();
	f->before.sa_handler = foreign_handler;
	f->before.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &f->before, NULL);
	if (start(f, SA_RESTART) < 0) {
		free(f);
		return -1;
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int leaked;

	sigurg_recorder_stop(&f->r);
	signal(SIGUSR1, SIG_DFL);
	leaked = count_fds() - f->fds;
	free(f);
	return leaked;
}

static void raise_times(int n)
{
	while (n--)
		raise(SIGUSR1);
}

static size_t take_all(struct sigurg_recorder *r)
{
	struct sigurg_record rec;
	size_t n = 0;

	while (sigurg_recorder_next(r, &rec))
		n++;
	return n;
}

static void each_run_leaves_time_and_sender(void **state)
{
	struct fixture *f = *state;
	struct sigurg_record rec;
	int64_t began = oob_now_ns(), last = began;

	raise_times(3);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(sigurg_recorder_next(&f->r, &rec), 1);
		assert_true(rec.when_ns >= last);
		last = rec.when_ns;
		assert_int_equal(rec.pid, getpid());
		assert_int_equal(rec.uid, getuid());
		assert_int_equal(rec.code, i < 3 ? SI_TKILL : SI_USER);
	}
	assert_true(last <= oob_now_ns());
	assert_int_equal(sigurg_recorder_next(&f->r, &rec), 0);
	assert_int_equal(sigurg_recorder_runs(&f->r), 4);
	assert_int_equal(sigurg_recorder_unrecorded(&f->r), 0);
}

static void a_full_ring_counts_what_it_cannot_hold(void **state)
{
	struct fixture *f = *state;

	raise_times(SLOTS + 5);
	assert_int_equal(sigurg_recorder_runs(&f->r), SLOTS + 5);
	assert_int_equal(sigurg_recorder_unrecorded(&f->r), 5);
	assert_int_equal(take_all(&f->r), SLOTS);
	raise_times(2);
	assert_int_equal(take_all(&f->r), 2);
	assert_int_equal(sigurg_recorder_runs(&f->r), SLOTS + 7);
	assert_int_equal(sigurg_recorder_unrecorded(&f->r), 5);
}

static void the_ring_goes_round(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10 * SLOTS; i++) {
		raise_times(3);
		assert_int_equal(take_all(&f->r), 3);
	}
	assert_int_equal(sigurg_recorder_runs(&f->r), 30 * SLOTS);
	assert_int_equal(sigurg_recorder_unrecorded(&f->r), 0);
}

/* With its wake-up full, the handler's own write fails. */
static void errno_is_left_alone(void **state)
{
	struct fixture *f = *state;
	const uint64_t full = UINT64_MAX - 1;

	assert_int_equal(write(sigurg_recorder_fd(&f->r), &full, sizeof(full)),
			 sizeof(full));
	errno = 4711;
	raise(SIGUSR1);
	assert_int_equal(errno, 4711);
	assert_int_equal(sigurg_recorder_wait(&f->r, NOW), 1);
}

static void one_signal_has_one_recorder(void **state)
{
	struct fixture *f = *state;
	struct sigurg_slot slots[1];
	struct sigurg_recorder other;
	int fds = count_fds(), ret;

	ret = sigurg_recorder_start(&other, SIGUSR1, 0, CLOCK_REALTIME, slots,
				    1);
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(count_fds(), fds);
	ret = sigurg_recorder_start(&other, SIGUSR2, 0, CLOCK_REALTIME, slots,
				    1);
	assert_int_equal(ret, 0);
	raise(SIGUSR2);
	raise(SIGUSR1);
	assert_int_equal(sigurg_recorder_runs(&other), 1);
	assert_int_equal(sigurg_recorder_runs(&f->r), 1);
	sigurg_recorder_stop(&other);
}

static void a_refused_start_changes_nothing(void **state)
{
	struct sigurg_recorder r;
	struct sigurg_slot slots[1];
	struct sigaction now;
	int fds = count_fds();

	(void)state;
	/* clang-format off */
	assert_int_equal(sigurg_recorder_start(&r, SIGKILL, 0, CLOCK_REALTIME, slots, 1), -EINVAL);
	/* It has left no claim behind. */
	assert_int_equal(sigurg_recorder_start(&r, SIGKILL, 0, CLOCK_REALTIME, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, 0, 0, CLOCK_REALTIME, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, -1, 0, CLOCK_REALTIME, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, 65, 0, CLOCK_REALTIME, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, SIGUSR2, SA_RESETHAND, CLOCK_REALTIME, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, SIGUSR2, 0, 4711, slots, 1), -EINVAL);
	assert_int_equal(sigurg_recorder_start(&r, SIGUSR2, 0, CLOCK_REALTIME, slots, 0), -EINVAL);
	/* clang-format on */
	assert_int_equal(count_fds(), fds);
	assert_int_equal(sigaction(SIGUSR2, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_DFL);
}

static void stop_puts_the_handler_back(void **state)
{
	struct fixture *f = *state;
	struct sigaction now;

	sigurg_recorder_stop(&f->r);
	assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, foreign_handler);
	assert_int_equal(now.sa_flags & SA_NODEFER, SA_NODEFER);
	foreign_runs = 0;
	raise_times(2);
	assert_int_equal(foreign_runs, 2);
	assert_int_equal(sigurg_recorder_runs(&f->r), 0);
	assert_int_equal(start(f, 0), 0);
}

static void on_later(int signo, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	foreign_handler(signo);
}

static void stop_leaves_a_later_handler(void **state)
{
	struct fixture *f = *state;
	struct sigaction later = { .sa_sigaction = on_later,
				   .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &later, NULL);
	sigurg_recorder_stop(&f->r);
	foreign_runs = 0;
	raise_times(3);
	assert_int_equal(foreign_runs, 3);
	assert_int_equal(sigaction(SIGUSR1, NULL, &later), 0);
	assert_ptr_equal(later.sa_sigaction, on_later);
	assert_int_equal(start(f, 0), 0);
}

static void waits_for_a_record(void **state)
{
	struct fixture *f = *state;
	struct sigurg_record rec;

	assert_int_equal(sigurg_recorder_wait(&f->r, BRIEFLY), -ETIMEDOUT);
	raise_times(2);
	assert_int_equal(sigurg_recorder_wait(&f->r, SOON), 1);
	assert_int_equal(sigurg_recorder_wait(&f->r, SOON), 1);
	assert_int_equal(sigurg_recorder_next(&f->r, &rec), 1);
	/* The wake-ups are gone, the second record is not. */
	assert_int_equal(sigurg_recorder_wait(&f->r, NOW), 1);
	assert_int_equal(sigurg_recorder_next(&f->r, &rec), 1);
	assert_int_equal(sigurg_recorder_wait(&f->r, NOW), -ETIMEDOUT);
}

static void its_descriptor_polls(void **state)
{
	struct fixture *f = *state;
	int fd = sigurg_recorder_fd(&f->r);

	assert_int_equal(oob_wait(fd, POLLIN, NOW), -ETIMEDOUT);
	raise(SIGUSR1);
	assert_int_equal(oob_wait(fd, POLLIN, SOON), POLLIN);
	assert_int_equal(take_all(&f->r), 1);
	assert_int_equal(sigurg_recorder_wait(&f->r, NOW), -ETIMEDOUT);
	assert_int_equal(oob_wait(fd, POLLIN, NOW), -ETIMEDOUT);
}

static void *signal_soon(void *arg)
{
	const pthread_t *target = arg;

	pthread_kill(*target, SIGUSR1);
	return NULL;
}

static void a_wait_is_ended_by_a_signal_elsewhere(void **state)
{
	struct fixture *f = *state;
	pthread_t self = pthread_self(), thread;

	assert_int_equal(pthread_create(&thread, NULL, signal_soon, &self), 0);
	assert_int_equal(sigurg_recorder_wait(&f->r, SOON), 1);
	pthread_join(thread, NULL);
	assert_int_equal(sigurg_recorder_runs(&f->r), 1);
}

/* Signals until `stop`: one may come before the call it is to interrupt. */
struct nudge {
	pthread_t target;
	atomic_int stop;
};

static void *nudge(void *arg)
{
	struct nudge *n = arg;
	struct timespec ms = { 0, 1000000 };

	while (!atomic_load(&n->stop)) {
		pthread_kill(n->target, SIGUSR1);
		nanosleep(&ms, NULL);
	}
	return NULL;
}

static void without_restart_it_interrupts(void **state)
{
	struct fixture *f = *state;
	struct nudge n = { .target = pthread_self() };
	pthread_t thread;
	int p[2];
	char c;

	sigurg_recorder_stop(&f->r);
	assert_int_equal(start(f, 0), 0);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pthread_create(&thread, NULL, nudge, &n), 0);
	assert_int_equal(read(p[0], &c, 1), -1);
	assert_int_equal(errno, EINTR);
	atomic_store(&n.stop, 1);
	pthread_join(thread, NULL);
	close(p[0]);
	close(p[1]);
}

/* Three interruptions, and then the byte that the read waits for. */
struct rouser {
	pthread_t target;
	struct sigurg_recorder *r;
	int fd;
};

static void *rouse(void *arg)
{
	const struct rouser *u = arg;
	struct timespec ms = { 0, 1000000 };
	int64_t deadline = SOON;

	for (size_t n = 1; n <= 3; n++) {
		pthread_kill(u->target, SIGUSR1);
		while (sigurg_recorder_runs(u->r) < n &&
		       oob_now_ns() < deadline)
			sched_yield();
		nanosleep(&ms, NULL);
	}
	return write(u->fd, "x", 1) == 1 ? NULL : arg;
}

static void with_restart_it_does_not(void **state)
{
	struct fixture *f = *state;
	struct rouser u = { .target = pthread_self(), .r = &f->r };
	pthread_t thread;
	int p[2];
	char c;

#ifdef __SANITIZE_THREAD__
	skip(); /* It holds all but the first signal back until the read ends.
		 */
#endif
	assert_int_equal(pipe(p), 0);
	u.fd = p[1];
	assert_int_equal(pthread_create(&thread, NULL, rouse, &u), 0);
	assert_int_equal(read(p[0], &c, 1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(sigurg_recorder_runs(&f->r), 3);
	close(p[0]);
	close(p[1]);
}

static void queued_signals_do_not_merge(void **state)
{
	struct fixture *f = *state;
	struct sigurg_recorder r;
	struct sigurg_slot slots[SLOTS];
	struct sigurg_record rec;
	sigset_t set, before;

#ifdef __SANITIZE_THREAD__
	skip(); /* It holds signals back, and merges those held. */
#endif
	assert_int_equal(sigurg_recorder_start(&r, SIGRTMIN, 0, CLOCK_REALTIME,
					       slots, SLOTS),
			 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (int i = 0; i < 3; i++) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
		raise(SIGUSR1);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(sigurg_recorder_runs(&r), 3);
	assert_int_equal(sigurg_recorder_runs(&f->r), 1);
	assert_int_equal(sigurg_recorder_next(&r, &rec), 1);
	assert_int_equal(rec.code, SI_QUEUE);
	assert_int_equal(rec.pid, getpid());
	sigurg_recorder_stop(&r);
}

static void a_signal_of_the_kernel_has_no_sender(void **state)
{
	struct sigurg_owner self = { SIGURG_PROCESS, getpid() };
	struct sigurg_recorder r;
	struct sigurg_slot slots[SLOTS];
	struct sigurg_record rec;
	struct streams s;

	(void)state;
	assert_int_equal(sigurg_recorder_start(&r, SIGURG, SA_RESTART,
					       CLOCK_MONOTONIC, slots, SLOTS),
			 0);
	assert_int_equal(open_streams(&s, TCP4, (struct buffers){ 0, 0 }), 0);
	assert_int_equal(sigurg_owner_set(s.receiver, self), 0);
	assert_int_equal(oob_send_urgent(s.sender, "!", 1, NULL, SOON), 0);
	assert_int_equal(sigurg_recorder_wait(&r, SOON), 1);
	assert_int_equal(sigurg_recorder_next(&r, &rec), 1);
	assert_int_equal(rec.code, SI_KERNEL);
	assert_int_equal(rec.pid, 0);
	assert_int_equal(rec.uid, 0);
	close_streams(&s);
	sigurg_recorder_stop(&r);
}

/* Where others have a sender's pid, these have the number of the timer. */
static void a_signal_of_a_timer_has_no_sender(void **state)
{
	struct fixture *f = *state;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct sigurg_record rec;
	timer_t timers[3];

	for (size_t i = 0; i < COUNT(timers); i++)
		assert_int_equal(
			timer_create(CLOCK_MONOTONIC, &event, &timers[i]), 0);
	timer_settime(timers[2], 0, &soon, NULL);
	assert_int_equal(sigurg_recorder_wait(&f->r, SOON), 1);
	assert_int_equal(sigurg_recorder_next(&f->r, &rec), 1);
	assert_int_equal(rec.code, SI_TIMER);
	assert_int_equal(rec.pid, 0);
	assert_int_equal(rec.uid, 0);
	for (size_t i = 0; i < COUNT(timers); i++)
		timer_delete(timers[i]);
}

static int in_child(struct fixture *f)
{
	if (sigurg_recorder_after_fork(&f->r) < 0 ||
	    sigurg_recorder_runs(&f->r) != 0 || take_all(&f->r) != 0)
		return 1;
	raise_times(2);
	if (sigurg_recorder_wait(&f->r, SOON) != 1 || take_all(&f->r) != 2)
		return 2;
	raise(SIGUSR1); /* Its wake-up must not be the parent's. */
	return sigurg_recorder_runs(&f->r) == 3 ? 0 : 3;
}

static void a_child_records_on_its_own(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	raise(SIGUSR1);
	assert_int_equal(take_all(&f->r), 1);
	assert_int_equal(sigurg_recorder_wait(&f->r, NOW), -ETIMEDOUT);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(in_child(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(oob_wait(sigurg_recorder_fd(&f->r), POLLIN, NOW),
			 -ETIMEDOUT);
	assert_int_equal(sigurg_recorder_runs(&f->r), 1);
	raise(SIGUSR1);
	assert_int_equal(sigurg_recorder_wait(&f->r, SOON), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_run_leaves_time_and_sender),
		CASE(a_full_ring_counts_what_it_cannot_hold),
		CASE(the_ring_goes_round),
		CASE(errno_is_left_alone),
		CASE(one_signal_has_one_recorder),
		CASE(a_refused_start_changes_nothing),
		CASE(stop_puts_the_handler_back),
		CASE(stop_leaves_a_later_handler),
		CASE(waits_for_a_record),
		CASE(its_descriptor_polls),
		CASE(a_wait_is_ended_by_a_signal_elsewhere),
		CASE(without_restart_it_interrupts),
		CASE(with_restart_it_does_not),
		CASE(queued_signals_do_not_merge),
		CASE(a_signal_of_the_kernel_has_no_sender),
		CASE(a_signal_of_a_timer_has_no_sender),
		CASE(a_child_records_on_its_own),
	};

	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
