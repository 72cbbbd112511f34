#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/compare_script.h"

/* Segments of one octet and their acknowledgements, evenly spread. */
struct exchange {
	const char *name;
	uint32_t count;
	int64_t every_us;
	int64_t to_b_us, to_a_us; /* on the path */
	int64_t jitter_us;	  /* of every other segment */
	int64_t ahead_us;
	int64_t slower_us; /* toward B, in the second half */
	int64_t set_us;	   /* B's clock is set by so much in the middle */
	double drift_ppm;
	bool one_way;
	bool known, impossible, drifts;
};

/* clang-format off */
static const struct exchange exchanges[] = {
	{ .name = "offset_of_a_symmetric_path", .count = 20, .every_us = 1000, .to_b_us = 400, .to_a_us = 400, .ahead_us = 1000000, .known = true },
	{ .name = "offset_of_a_lopsided_path", .count = 20, .every_us = 1000, .to_b_us = 900, .to_a_us = 100, .ahead_us = 1000000, .known = true },
	{ .name = "clock_that_is_behind", .count = 20, .every_us = 1000, .to_b_us = 400, .to_a_us = 300, .ahead_us = -5000000, .known = true },
	{ .name = "jitter_does_not_move_the_offset", .count = 2000, .every_us = 1000, .to_b_us = 400, .to_a_us = 400, .jitter_us = 20000, .ahead_us = 777, .known = true },
	{ .name = "segments_one_way_tell_no_offset", .count = 20, .every_us = 1000, .to_b_us = 400, .to_a_us = 400, .one_way = true },
	{ .name = "drift_that_no_offset_explains", .count = 200, .every_us = 1000000, .to_b_us = 400, .to_a_us = 400, .ahead_us = 1000000, .drift_ppm = 40, .known = true, .drifts = true },
	{ .name = "drift_within_the_bounds_shows_by_what_it_leaves", .count = 200, .every_us = 1000000, .to_b_us = 4000, .to_a_us = 4000, .ahead_us = 1000000, .drift_ppm = -30, .known = true, .drifts = true },
	{ .name = "a_path_that_grew_slower_is_no_drift", .count = 200, .every_us = 1000000, .to_b_us = 400, .to_a_us = 400, .slower_us = 3000, .ahead_us = 1000000, .known = true },
	{ .name = "few_segments_show_no_drift", .count = 10, .every_us = 1000000, .to_b_us = 4000, .to_a_us = 4000, .ahead_us = 1000000, .drift_ppm = 400, .known = true },
	{ .name = "clock_set_meanwhile", .count = 200, .every_us = 1000000, .to_b_us = 400, .to_a_us = 400, .set_us = -3000000, .impossible = true },
};
/* clang-format on */

/* When segment `i` of an exchange is captured. */
static int64_t exchange_time_us(const struct exchange *x, uint32_t i,
				bool from_a, enum capture_side side)
{
	const int64_t base = INT64_C(1700000000) * 1000000;
	int64_t t = base + i * x->every_us + (from_a ? 0 : x->every_us / 2);
	const bool departs = from_a == (side == CAPTURE_A);

	if (!departs) {
		t += from_a ? x->to_b_us : x->to_a_us;
		t += i % 2 ? x->jitter_us : 0;
		t += from_a && i > x->count / 2 ? x->slower_us : 0;
	}
	if (side == CAPTURE_B) {
		t += (int64_t)(x->drift_ppm * (double)(t - base) / 1e6);
		t += x->ahead_us + (i > x->count / 2 ? x->set_us : 0);
	}
	return t;
}

static void feed_exchange(struct capture_compare *compare,
			  const struct exchange *x, enum capture_side side)
{
	const struct capture_flows_options options = { .max_flows = 4 };
	struct capture_flows *flows;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	for (uint32_t i = 0; i < x->count; i++) {
		const struct script data = { .from = 'a',
					     .flags = ACK,
					     .seq = 101 + i,
					     .ack = 501,
					     .data = "x" };
		const struct script ack = {
			.from = 'b', .flags = ACK, .seq = 501, .ack = 102 + i
		};
		struct capture_segment segment = from_script(&data);

		feed_segment(compare, flows, side, 0, 2 * i + 1,
			     exchange_time_us(x, i, true, side) * 1000,
			     &segment);
		segment = from_script(&ack);
		if (!x->one_way)
			feed_segment(compare, flows, side, 0, 2 * i + 2,
				     exchange_time_us(x, i, false, side) * 1000,
				     &segment);
	}
	capture_flows_free(flows);
}

static void check_offset(const struct exchange *x,
			 const struct capture_clock *clock)
{
	const int64_t off = clock->offset_ns - x->ahead_us * 1000;
	const int64_t rest_us = x->to_b_us + x->to_a_us;

	assert_true(off <= clock->uncertainty_ns &&
		    -off <= clock->uncertainty_ns);
	assert_true(clock->uncertainty_ns <= rest_us * 1000);
	if (!x->drift_ppm)
		assert_int_equal(clock->uncertainty_ns, rest_us * 1000 / 2 + 1);
	if (clock->drifts)
		assert_true(clock->drift_ppm - x->drift_ppm < 5 &&
			    x->drift_ppm - clock->drift_ppm < 5);
}

static void take_connection(void *context,
			    const struct capture_connection *connection)
{
	*(struct capture_connection *)context = *connection;
}

static void compare_exchange(const struct exchange *x,
			     const struct capture_compare_options *options,
			     struct capture_compared *result)
{
	struct capture_compare *compare;

	assert_int_equal(capture_compare_new(&compare, options), 0);
	feed_exchange(compare, x, CAPTURE_A);
	feed_exchange(compare, x, CAPTURE_B);
	assert_int_equal(capture_compare_finish(compare, result), 0);
	capture_compare_free(compare);
}

static void test_clock(void **state)
{
	const struct exchange *x = *state;
	struct capture_connection connection;
	const struct capture_compare_options options = {
		.listener = { .connection = take_connection,
			      .context = &connection },
	};
	struct capture_compared result;

	compare_exchange(x, &options, &result);
	assert_int_equal(result.connections, 1);
	/* times on the path do not grow as the clocks drift apart */
	if (x->drifts)
		assert_true(connection.way[0].spread_ns < 100000);
	assert_int_equal(result.clock.known, x->known);
	assert_int_equal(result.clock.impossible, x->impossible);
	assert_int_equal(result.clock.drifts, x->drifts);
	if (result.clock.known)
		check_offset(x, &result.clock);
	if (!x->impossible && !x->slower_us && !x->jitter_us)
		assert_int_equal(result.differences[CAPTURE_WARNING], 0);
}

/* What does not fit is left out of both, and nothing is said of it. */
static void memory_is_bounded(void **state)
{
	const struct exchange x = {
		.count = 20000, .every_us = 100, .to_b_us = 400, .to_a_us = 400
	};
	const struct capture_compare_options options = { .max_memory_bytes =
								 2 << 20 };
	struct capture_compared result;

	(void)state;
	compare_exchange(&x, &options, &result);
	assert_true(result.segments[CAPTURE_A] > 4000);
	assert_true(result.segments[CAPTURE_A] * 80 < 1 << 20);
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		assert_int_equal(result.segments[side] + result.left_out[side],
				 2 * x.count);
	assert_int_equal(result.differences[CAPTURE_ALARM], 0);
	assert_int_equal(result.differences[CAPTURE_WARNING], 0);
}

static void flows_are_bounded(void **state)
{
	const struct exchange x = {
		.count = 4, .every_us = 100, .to_b_us = 400, .to_a_us = 400
	};
	const struct capture_compare_options options = { .max_flows = 1 };
	struct capture_compared result;

	(void)state;
	compare_exchange(&x, &options, &result);
	assert_int_equal(result.connections, 1);
	assert_int_equal(result.left_out[CAPTURE_A], 0);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(flows_are_bounded),
	};
	static struct CMUnitTest tests[COUNT(exchanges) + COUNT(others)];

	for (size_t i = 0; i < COUNT(exchanges); i++)
		tests[i] = (struct CMUnitTest){
			.name = exchanges[i].name,
			.test_func = test_clock,
			.initial_state = (void *)&exchanges[i],
		};
	memcpy(tests + COUNT(exchanges), others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
