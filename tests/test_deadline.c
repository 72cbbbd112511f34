#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "oob/deadline.h"
#include "tests/streams.h"

static void no_time_is_now(void **state)
{
	int64_t before = oob_now_ns();

	(void)state;
	assert_true(oob_deadline_in(0) >= before);
	assert_true(oob_deadline_in(-5) >= before);
	assert_true(oob_deadline_in(INT64_MIN) <= oob_now_ns());
}

static void too_far_is_no_deadline(void **state)
{
	(void)state;
	assert_true(oob_deadline_in(INT64_MAX) == OOB_NO_DEADLINE);
	assert_true(oob_deadline_in(INT64_MAX - 1) == OOB_NO_DEADLINE);
}

static void it_has_passed_or_not(void **state)
{
	(void)state;
	assert_true(oob_has_passed(NOW));
	assert_true(oob_has_passed(oob_deadline_in(0)));
	assert_false(oob_has_passed(SOON));
	assert_false(oob_has_passed(OOB_NO_DEADLINE));
}

static void time_left_is_never_negative(void **state)
{
	struct timespec ts;

	(void)state;
	assert_ptr_equal(oob_time_left(INT64_MIN, &ts), &ts);
	assert_int_equal(ts.tv_sec, 0);
	assert_int_equal(ts.tv_nsec, 0);
}

static void time_left_has_whole_seconds_apart(void **state)
{
	struct timespec ts;

	(void)state;
	oob_time_left(oob_deadline_in(INT64_C(3600500) * MS), &ts);
	assert_in_range(ts.tv_sec, 3590, 3600);
	assert_in_range(ts.tv_nsec, 0, 999999999);
}

static void no_deadline_has_no_time_left(void **state)
{
	struct timespec ts;

	(void)state;
	assert_null(oob_time_left(OOB_NO_DEADLINE, &ts));
}

static void wait_shows_what_is_ready(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(oob_wait(p[1], POLLOUT, NOW), POLLOUT);
	assert_int_equal(oob_wait(p[0], POLLIN, NOW), -ETIMEDOUT);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(oob_wait(p[0], POLLIN, OOB_NO_DEADLINE), POLLIN);
	close(p[1]);
	assert_int_equal(oob_wait(p[0], POLLPRI, SOON), POLLHUP);
	close(p[0]);
}

static void wait_refuses_what_is_not_open(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	close(p[1]);
	assert_int_equal(oob_wait(p[0], POLLIN, SOON), -EBADF);
	assert_int_equal(oob_wait(-1, POLLIN, SOON), -EBADF);
}

static void wait_outlasts_signals(void **state)
{
	int64_t deadline;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	storm_begin();
	deadline = oob_deadline_in(50 * MS);
	assert_int_equal(oob_wait(p[0], POLLIN, deadline), -ETIMEDOUT);
	storm_end();
	assert_true(oob_now_ns() >= deadline);
	assert_true(storm_signals > 0);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_now),
		cmocka_unit_test(too_far_is_no_deadline),
		cmocka_unit_test(it_has_passed_or_not),
		cmocka_unit_test(time_left_is_never_negative),
		cmocka_unit_test(time_left_has_whole_seconds_apart),
		cmocka_unit_test(no_deadline_has_no_time_left),
		cmocka_unit_test(wait_shows_what_is_ready),
		cmocka_unit_test(wait_refuses_what_is_not_open),
		cmocka_unit_test(wait_outlasts_signals),
	};

	return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
