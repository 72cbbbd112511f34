#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include "sigurg/owner.h"
#include "tests/fixture.h"

static void expect_owner(int fd, enum sigurg_owner_kind kind, pid_t id)
{
	struct sigurg_owner got = { 99, 99 };

	assert_int_equal(sigurg_owner_get(fd, &got), 0);
	assert_int_equal(got.kind, kind);
	assert_int_equal(got.id, id);
}

static void set_owner(int fd, enum sigurg_owner_kind kind, pid_t id)
{
	struct sigurg_owner owner = { kind, id };

	assert_int_equal(sigurg_owner_set(fd, owner), 0);
}

static void a_new_socket_has_none(void **state)
{
	struct fixture *f = fixture(state);

	expect_owner(f->s.sender, SIGURG_NOBODY, 0);
	expect_owner(f->s.receiver, SIGURG_NOBODY, 0);
}

static void every_kind_reads_back(void **state)
{
	struct fixture *f = fixture(state);

	set_owner(f->s.receiver, SIGURG_PROCESS, getpid());
	expect_owner(f->s.receiver, SIGURG_PROCESS, getpid());
	set_owner(f->s.receiver, SIGURG_THREAD, gettid());
	expect_owner(f->s.receiver, SIGURG_THREAD, gettid());
	set_owner(f->s.receiver, SIGURG_GROUP, getpgrp());
	expect_owner(f->s.receiver, SIGURG_GROUP, getpgrp());
	set_owner(f->s.receiver, SIGURG_NOBODY, 0);
	expect_owner(f->s.receiver, SIGURG_NOBODY, 0);
}

static void reads_what_plain_fcntl_set(void **state)
{
	struct fixture *f = fixture(state);

	assert_int_equal(fcntl(f->s.receiver, F_SETOWN, getpid()), 0);
	expect_owner(f->s.receiver, SIGURG_PROCESS, getpid());
	assert_int_equal(fcntl(f->s.receiver, F_SETOWN, -getpgrp()), 0);
	expect_owner(f->s.receiver, SIGURG_GROUP, getpgrp());
}

static void a_refused_owner_changes_nothing(void **state)
{
	static const struct {
		struct sigurg_owner owner;
		int error;
	} rows[] = {
		{ { SIGURG_PROCESS, 0 }, -EINVAL },
		{ { SIGURG_GROUP, 0 }, -EINVAL },
		{ { SIGURG_THREAD, 0 }, -EINVAL },
		{ { SIGURG_NOBODY, 1 }, -EINVAL },
		{ { SIGURG_GROUP, -1 }, -EINVAL },
		{ { SIGURG_PROCESS, INT32_MIN }, -EINVAL },
		{ { 77, 1 }, -EINVAL },
		{ { SIGURG_PROCESS, INT32_MAX }, -ESRCH },
		{ { SIGURG_THREAD, INT32_MAX }, -ESRCH },
		{ { SIGURG_GROUP, INT32_MAX }, -ESRCH },
	};
	struct fixture *f = fixture(state);

	set_owner(f->s.receiver, SIGURG_THREAD, gettid());
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(sigurg_owner_set(f->s.receiver, rows[i].owner),
				 rows[i].error);
		expect_owner(f->s.receiver, SIGURG_THREAD, gettid());
	}
}

static void what_is_not_open_is_refused(void **state)
{
	struct sigurg_owner owner = { SIGURG_PROCESS, getpid() };

	fixture(state);
	assert_int_equal(sigurg_owner_set(-1, owner), -EBADF);
	owner.id = 4711;
	assert_int_equal(sigurg_owner_get(-1, &owner), -EBADF);
	assert_int_equal(owner.id, 4711);
}

/* What a child does: wait for SIGURG, blocked since before the fork, and tell
 * of its end by its exit. */
static void child_waits(bool in_new_group, int ready)
{
	const struct timespec ten_s = { 10, 0 };
	siginfo_t info;
	sigset_t set;
	int n;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	if (in_new_group)
		setpgid(0, 0);
	if (write(ready, "r", 1) != 1)
		_exit(3);
	n = sigtimedwait(&set, &info, &ten_s);
	_exit(n == SIGURG && info.si_code == SI_KERNEL && !info.si_pid ? 0 : 1);
}

static pid_t start_child(pid_t group)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (group)
			setpgid(0, group);
		child_waits(!group, ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static int exit_of(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_whole_group_gets_the_signal(void **state)
{
	struct fixture *f = fixture(state);
	sigset_t set, before;
	pid_t first, second;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, &before);
	first = start_child(0);
	second = start_child(first);
	set_owner(f->s.receiver, SIGURG_GROUP, first);
	assert_int_equal(oob_send_urgent(f->s.sender, "!", 1, NULL, SOON), 0);
	assert_int_equal(exit_of(first), 0);
	assert_int_equal(exit_of(second), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void an_ended_owner_reads_as_nobody(void **state)
{
	struct fixture *f = fixture(state);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	set_owner(f->s.receiver, SIGURG_PROCESS, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	expect_owner(f->s.receiver, SIGURG_NOBODY, 0);
	assert_int_equal(oob_send_urgent(f->s.sender, "!", 1, NULL, SOON), 0);
	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
}

int main(void)
{
	static const struct plan plans[] = {
		PLAN(a_new_socket_has_none),
		PLAN(every_kind_reads_back),
		PLAN(reads_what_plain_fcntl_set),
		PLAN(a_refused_owner_changes_nothing),
		PLAN(what_is_not_open_is_refused),
		PLAN(the_whole_group_gets_the_signal),
		PLAN(an_ended_owner_reads_as_nobody),
	};
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plans); i++)
		n = add_cases(tests, n, &plans[i]);
	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
