#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "capture/flow.h"
#include "tests/segments.h"

enum {
	ENDS = 5000
};

/* One segment of client `n`, which has the same port and address in IPv4 and
 * IPv6. */
struct made {
	uint8_t address[2][16];
	struct capture_segment segment;
};

static void make(struct made *made, uint32_t n, uint8_t address_len,
		 bool from_server)
{
	memset(made, 0, sizeof(*made));
	memcpy(made->address[from_server] + address_len - 4, &n, 4);
	made->address[!from_server][address_len - 1] = 200;
	made->segment = (struct capture_segment){
		.src = made->address[0],
		.dst = made->address[1],
		.address_len = address_len,
		.sport = from_server ? 23 : 1000,
		.dport = from_server ? 1000 : 23,
		.seq = from_server ? 500 : 100,
		.flags = CAPTURE_ACK,
	};
}

static struct capture_event feed(struct capture_flows *flows, uint32_t n,
				 uint8_t address_len, bool from_server,
				 uint32_t point)
{
	struct capture_event event;
	struct made made;

	make(&made, n, address_len, from_server);
	assert_int_equal(capture_flows_segment(flows, &made.segment, point, 1,
					       1, &event),
			 0);
	return event;
}

static struct capture_flows *new_table(uint32_t max_flows)
{
	struct capture_flows_options options = { .max_flows = max_flows };
	struct capture_flows *flows;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	return flows;
}

static void test_both_directions_are_one_flow(void **state)
{
	struct capture_flows *flows = new_table(0);
	struct capture_event event;

	(void)state;
	for (uint32_t n = 1; n <= ENDS; n++) {
		event = feed(flows, n, n & 1 ? 4 : 16, false, 0);
		assert_int_equal(event.flow, n - 1);
		assert_int_equal(event.direction, 0);
		assert_true(event.facts & CAPTURE_FACT_NEW_FLOW);
	}
	for (uint32_t n = 1; n <= ENDS; n++) {
		event = feed(flows, n, n & 1 ? 4 : 16, true, 0);
		assert_int_equal(event.flow, n - 1);
		assert_int_equal(event.direction, 1);
		assert_false(event.facts & CAPTURE_FACT_NEW_FLOW);
	}
	capture_flows_free(flows);
}

static void test_syn_ack_first_makes_its_receiver_a(void **state)
{
	struct capture_flows *flows = new_table(0);
	struct capture_event event;
	struct made made;

	(void)state;
	make(&made, 1, 4, true);
	made.segment.flags = CAPTURE_SYN | CAPTURE_ACK;
	assert_int_equal(capture_flows_segment(flows, &made.segment, 0, 1, 1,
					       &event),
			 0);
	assert_int_equal(event.direction, 1);
	capture_flows_free(flows);
}

static void test_an_ipv4_flow_is_not_an_ipv6_one(void **state)
{
	struct capture_flows *flows = new_table(0);

	(void)state;
	assert_int_equal(feed(flows, 1, 4, false, 0).flow, 0);
	assert_int_equal(feed(flows, 1, 16, false, 0).flow, 1);
	capture_flows_free(flows);
}

static void test_capture_points_are_kept_apart(void **state)
{
	struct capture_flows *flows = new_table(0);

	(void)state;
	assert_int_equal(feed(flows, 1, 4, false, 0).flow, 0);
	assert_int_equal(feed(flows, 1, 4, false, 1).flow, 1);
	assert_int_equal(feed(flows, 1, 4, true, 1).flow, 1);
	assert_int_equal(feed(flows, 1, 4, true, 0).flow, 0);
	capture_flows_free(flows);
}

static void test_both_ends_may_be_the_same_address(void **state)
{
	struct capture_flows *flows = new_table(0);
	struct capture_event event;
	struct made made;

	(void)state;
	make(&made, 1, 4, false);
	made.segment.dst = made.segment.src;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(capture_flows_segment(flows, &made.segment, 0,
						       1, 1, &event),
				 0);
		assert_int_equal(event.flow, 0);
		assert_int_equal(event.direction, i);
		made.segment.sport = 23;
		made.segment.dport = 1000;
	}
	capture_flows_free(flows);
}

/* The table against one that a child could write: the same flows known, the
 * same one evicted, for traffic that comes back to flows at random. */
static void test_the_longest_silent_is_evicted(void **state)
{
	enum {
		MAX = 64,
		CLIENTS = 200,
		SEGMENTS = 20000
	};
	struct capture_flows *flows = new_table(MAX);
	struct capture_flows_counts counts;
	uint32_t last[CLIENTS + 1] = { 0 }; /* heard when; 0: not held */
	uint64_t seed = 1, evicted = 0;
	uint32_t held = 0;

	(void)state;
	for (uint32_t now = 1; now <= SEGMENTS; now++) {
		uint32_t client, silent = 0;
		bool known;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		client = 1 + (uint32_t)(seed >> 33) % CLIENTS;
		known = last[client] != 0;
		if (!known && held == MAX) {
			for (uint32_t i = 1; i <= CLIENTS; i++)
				if (last[i] &&
				    (!silent || last[i] < last[silent]))
					silent = i;
			last[silent] = 0;
			evicted++;
		} else if (!known) {
			held++;
		}
		last[client] = now;
		assert_int_equal(!(feed(flows, client, 4, seed >> 63, 0).facts &
				   CAPTURE_FACT_NEW_FLOW),
				 known);
	}
	capture_flows_counts(flows, &counts);
	assert_int_equal(counts.evicted, evicted);
	assert_int_equal(counts.held, MAX);
	capture_flows_free(flows);
}

static void test_memory_of_a_flow_is_bounded(void **state)
{
	enum {
		MAX = 60000
	};
	struct capture_flows *flows = new_table(MAX);
	struct capture_flows_counts counts;

	(void)state;
	for (uint32_t n = 1; n <= 3 * MAX; n++) {
		feed(flows, n, 4, false, 0);
		capture_flows_counts(flows, &counts);
		assert_true(counts.bytes <= 4096 + 256ull * counts.held);
	}
	assert_int_equal(counts.held, MAX);
	assert_int_equal(counts.flows, 3 * MAX);
	assert_int_equal(counts.evicted, 2 * MAX);
	capture_flows_free(flows);
}

/* A flow that was there when it was asked for, and is not when it comes. */
static void test_key_of_an_evicted_flow_still_works(void **state)
{
	struct capture_flows *flows = new_table(1);
	struct capture_flow_key key;
	struct capture_event event;
	struct made made;

	(void)state;
	feed(flows, 1, 4, false, 0);
	make(&made, 1, 4, false);
	capture_flows_key(flows, &made.segment, 0, &key);
	capture_flows_prefetch(flows, &key);
	feed(flows, 2, 4, false, 0);
	assert_int_equal(capture_flows_keyed(flows, &key, &made.segment, 3, 3,
					     &event),
			 0);
	assert_int_equal(event.flow, 2);
	assert_true(event.facts & CAPTURE_FACT_NEW_FLOW);
	capture_flows_free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions_are_one_flow),
		cmocka_unit_test(test_syn_ack_first_makes_its_receiver_a),
		cmocka_unit_test(test_an_ipv4_flow_is_not_an_ipv6_one),
		cmocka_unit_test(test_capture_points_are_kept_apart),
		cmocka_unit_test(test_both_ends_may_be_the_same_address),
		cmocka_unit_test(test_the_longest_silent_is_evicted),
		cmocka_unit_test(test_memory_of_a_flow_is_bounded),
		cmocka_unit_test(test_key_of_an_evicted_flow_still_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
