#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tools/lab/outcome.h"
#include "tools/lab/trial.h"

static const struct trial_job job = { .name = "an\xff\x1b name",
				      .transport = "tcp6",
				      .inline_delivery = true };

static json_t *event(json_int_t t_ns)
{
	return json_pack("{s:I, s:s}", "t_ns", t_ns, "event", "note");
}

static json_t *expectation(json_int_t t_ns, bool held)
{
	return json_pack("{s:I, s:s, s:b}", "t_ns", t_ns, "event", "expect",
			 "held", held);
}

static void events_are_put_in_order(void **state)
{
	/* More than any one doubling of the array, and none in its place. */
	struct outcome o = { .job = &job };

	(void)state;
	outcome_sort(&o);
	for (int i = 0; i < 1000; i++)
		assert_true(outcome_add(&o, event(i * 7 % 1000)));
	assert_int_equal(o.count, 1000);
	outcome_sort(&o);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(json_integer_value(
					 json_object_get(o.events[i], "t_ns")),
				 i);
	outcome_free(&o);
}

static void an_event_that_could_not_be_made_is_lost(void **state)
{
	struct outcome o = { .job = &job };

	(void)state;
	assert_false(outcome_add(&o, NULL));
	assert_int_equal(o.count, 0);
}

static const char *text(const struct outcome *o, const char *key)
{
	return json_string_value(json_object_get(o->verdict, key));
}

static json_int_t number(const struct outcome *o, const char *key)
{
	return json_integer_value(json_object_get(o->verdict, key));
}

/* Of a trial that was ended: as its own verdict would be. */
static void what_came_is_judged(void **state)
{
	struct outcome o = { .job = &job };

	(void)state;
	outcome_add(&o, expectation(50, true));
	outcome_add(&o, expectation(90, false));
	outcome_add(&o, event(20));
	outcome_judge(&o, "ended by force");
	assert_string_equal(text(&o, "event"), "verdict");
	assert_string_equal(text(&o, "lane"), "lab");
	assert_string_equal(text(&o, "experiment"), "an\\xff\\x1b name");
	assert_string_equal(text(&o, "transport"), "tcp6");
	assert_true(json_is_true(json_object_get(o.verdict, "inline")));
	assert_string_equal(text(&o, "verdict"), "error");
	assert_string_equal(text(&o, "why"), "ended by force");
	assert_int_equal(number(&o, "expectations"), 2);
	assert_int_equal(number(&o, "failures"), 1);
	assert_int_equal(number(&o, "t_ns"), 90);
	assert_int_equal(json_object_size(o.verdict), 10);
	outcome_free(&o);
}

static void the_first_verdict_stays(void **state)
{
	struct outcome o = { .job = &job };

	(void)state;
	outcome_judge(&o, "first");
	outcome_judge(&o, "second");
	assert_string_equal(text(&o, "why"), "first");
	outcome_free_events(&o);
	assert_non_null(o.verdict);
	outcome_free(&o);
	assert_null(o.verdict);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_put_in_order),
		cmocka_unit_test(an_event_that_could_not_be_made_is_lost),
		cmocka_unit_test(what_came_is_judged),
		cmocka_unit_test(the_first_verdict_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
