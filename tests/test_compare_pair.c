#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/compare_script.h"

struct many {
	struct row row;
	uint32_t connections, only_a, only_b;
};

/* clang-format off */
static const struct many many[] = {
	{ { "ports_used_again", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		B(RST, 501, 0),
		A(SYN, 70100, 0), B(SYN | ACK, 80500, 70101),
		A(URG | ACK, 70101, 80501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 70101, 80501, .data = "abc", .up = 3, .only = 'B'),
		B(ACK, 80501, 70104),
	}, "mark 4 kept\nmark 4 cleared\nurg-cleared a 1 A8 B8\n" }, 2, 0, 0 },
	{ { "ports_used_again_and_one_capture_began_later", {
		A(SYN, 100, 0, .only = 'A'), B(SYN | ACK, 500, 101, .only = 'A'), B(RST, 501, 0, .only = 'A'),
		A(SYN, 70100, 0), B(SYN | ACK, 80500, 70101),
		A(URG | ACK, 70101, 80501, .data = "abc", .up = 3),
		B(ACK, 80501, 70104),
	}, "mark 4 kept\n" }, 1, 1, 0 },
	{ { "the_same_data_through_a_translator", {
		A(SYN, 100, 0, .nat = true, .port = 1), A(SYN, 9100, 0, .port = 2),
		B(SYN | ACK, 500, 101, .port = 1), B(SYN | ACK, 9500, 9101, .port = 2),
		A(URG | ACK, 9101, 9501, .data = "abc", .up = 3, .port = 2, .only = 'A'),
		A(ACK, 9101, 9501, .data = "abc", .up = 3, .port = 2, .only = 'B'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .port = 1),
		B(ACK, 501, 104, .port = 1), B(ACK, 9501, 9104, .port = 2),
	}, "by sequence\nmark 4 kept\naddresses-translated - 1\n"
	   "by sequence\nmark 4 cleared\nurg-cleared a 1 A5 B5\naddresses-translated - 1\n" }, 2, 0, 0 },
	{ { "seen_at_two_points_of_one_capture", {
		HELLO,
		A(SYN, 100, 0, .only = 'B', .point = 1), B(SYN | ACK, 500, 101, .only = 'B', .point = 1),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'B', .point = 1),
		B(ACK, 501, 104),
	}, "mark 4 kept\n" }, 1, 0, 0 },
	{ { "asked_for_and_dropped", {
		HELLO,
		A(SYN, 7000, 0, .port = 7, .only = 'A'), A(SYN, 7000, 0, .port = 7, .only = 'A'),
		A(ACK, 101, 501, .data = "x"), B(ACK, 501, 102),
	}, "connection-missing - 1 A4\n" }, 1, 1, 0 },
	{ { "another_that_passed_elsewhere", {
		HELLO,
		A(SYN, 7000, 0, .port = 7, .only = 'A'), B(SYN | ACK, 8000, 7001, .port = 7, .only = 'A'),
		A(SYN, 9000, 0, .port = 9, .only = 'B'), B(SYN | ACK, 9900, 9001, .port = 9, .only = 'B'),
		A(ACK, 101, 501, .data = "x"), B(ACK, 501, 102),
	}, "" }, 1, 1, 1 },
	{ { "little_data_is_enough_where_nothing_else_is_left", {
		A(SYN, 100, 0, .shift = 7, .nat = true), B(SYN | ACK, 500, 101, .shift = 7), A(ACK, 101, 501, .shift = 7),
		A(ACK, 101, 501, .data = "x", .shift = 7),
	}, "by payload\nsequence-rewritten a 3 A1 B1\nsequence-rewritten b 1 A2 B2\naddresses-translated - 1\n" }, 1, 0, 0 },
	{ { "little_data_is_not_enough_for_one_of_two", {
		A(SYN, 100, 0, .shift = 7, .nat = true), B(SYN | ACK, 500, 101, .shift = 7), A(ACK, 101, 501, .shift = 7),
		A(ACK, 101, 501, .data = "x", .shift = 7),
		A(SYN, 9100, 0, .port = 2, .only = 'B'), B(SYN | ACK, 9500, 9101, .port = 2, .only = 'B'),
		A(ACK, 9101, 9501, .data = "x", .port = 2, .only = 'B'),
	}, "" }, 0, 1, 2 },
	{ { "nothing_in_common", {
		A(SYN, 7000, 0, .port = 7, .only = 'A'), B(SYN | ACK, 8000, 7001, .port = 7, .only = 'A'),
		A(SYN, 9000, 0, .port = 9, .only = 'B'), B(SYN | ACK, 9900, 9001, .port = 9, .only = 'B'),
	}, "" }, 0, 1, 1 },
	{ { "nothing_at_all", { { 0 } }, "" }, 0, 0, 0 },
};
/* clang-format on */

static void test_many(void **state)
{
	const struct many *m = *state;
	struct told told = { 0 };
	const struct capture_compared result = compare_row(&m->row, &told);

	assert_int_equal(result.connections, m->connections);
	assert_int_equal(result.only[CAPTURE_A], m->only_a);
	assert_int_equal(result.only[CAPTURE_B], m->only_b);
	assert_string_equal(told.text, m->row.told);
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(many)];

	for (size_t i = 0; i < COUNT(many); i++)
		tests[i] = (struct CMUnitTest){
			.name = many[i].row.name,
			.test_func = test_many,
			.initial_state = (void *)&many[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
