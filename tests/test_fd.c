#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "sigurg/claim.h"
#include "sigurg/fd.h"
#include "tests/fixture.h"

static void is_quiet_closed_by_exec_and_nonblocking(void **state)
{
	struct sigurg_record rec;
	int fd = sigurg_fd_open(SIGURG);

	fixture(state);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(sigurg_fd_next(fd, CLOCK_MONOTONIC, &rec), -EAGAIN);
	close(fd);
}

static void urgent_data_is_a_signal_of_the_kernel(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_record rec;
	struct sigurg_claim c;
	int64_t began = oob_now_ns();
	int fd = sigurg_fd_open(SIGURG);

	assert_int_equal(sigurg_claim_begin(&c, f->s.receiver, true), 0);
	assert_int_equal(oob_send_urgent(f->s.sender, "!", 1, NULL, SOON), 0);
	assert_int_equal(oob_wait(fd, POLLIN, SOON), POLLIN);
	assert_int_equal(sigurg_fd_next(fd, CLOCK_MONOTONIC, &rec), 1);
	assert_in_range(rec.when_ns, began, oob_now_ns());
	assert_int_equal(rec.code, SI_KERNEL);
	assert_int_equal(rec.pid, 0);
	assert_int_equal(sigurg_fd_next(fd, CLOCK_MONOTONIC, &rec), -EAGAIN);
	sigurg_claim_end(&c);
	close(fd);
}

static void a_process_that_sends_is_named(void **state)
{
	sigset_t set, before;
	struct sigurg_record rec;
	int fd = sigurg_fd_open(SIGUSR1);

	fixture(state);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	kill(getpid(), SIGUSR1);
	assert_int_equal(sigurg_fd_next(fd, CLOCK_REALTIME, &rec), 1);
	assert_int_equal(rec.code, SI_USER);
	assert_int_equal(rec.pid, getpid());
	assert_int_equal(rec.uid, getuid());
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
}

static void what_cannot_be_is_refused(void **state)
{
	struct sigurg_record rec = { .code = 4711 };
	int p[2];

	fixture(state);
	assert_int_equal(sigurg_fd_open(0), -EINVAL);
	assert_int_equal(sigurg_fd_open(65), -EINVAL);
	assert_int_equal(sigurg_fd_next(-1, CLOCK_MONOTONIC, &rec), -EBADF);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(sigurg_fd_next(p[0], CLOCK_MONOTONIC, &rec), -EINVAL);
	close(p[0]);
	close(p[1]);
	assert_int_equal(rec.code, 4711);
}

static void a_bad_clock_takes_no_signal(void **state)
{
	sigset_t set, before;
	struct sigurg_record rec;
	int fd = sigurg_fd_open(SIGUSR1);

	fixture(state);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	raise(SIGUSR1);
	assert_int_equal(sigurg_fd_next(fd, 4711, &rec), -EINVAL);
	assert_int_equal(sigurg_fd_next(fd, CLOCK_MONOTONIC, &rec), 1);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
}

int main(void)
{
	static const struct plan plans[] = {
		PLAN(is_quiet_closed_by_exec_and_nonblocking),
		PLAN(urgent_data_is_a_signal_of_the_kernel),
		PLAN(a_process_that_sends_is_named),
		PLAN(what_cannot_be_is_refused),
		PLAN(a_bad_clock_takes_no_signal),
	};
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plans); i++)
		n = add_cases(tests, n, &plans[i]);
	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
