#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/guard.h"
#include "tools/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* clang-format off */

/* Bytes, and how they are shown between quotes. */
static const struct escaped {
	const char *name;
	const char *bytes;
	size_t len, most;
	const char *shown;
} escaped[] = {
	{ "letters_are_themselves", "abc", 3, 32, "\"abc\"" },
	{ "nothing_is_quotes", "", 0, 32, "\"\"" },
	{ "quote_and_backslash", "\"\\", 2, 32, "\"\\\"\\\\\"" },
	{ "named_escapes", "\n\r\t\v\f", 5, 32, "\"\\n\\r\\t\\v\\f\"" },
	{ "unnamed_are_hexadecimal", "\a\x1b\x7f\xff", 4, 32, "\"\\x07\\x1b\\x7f\\xff\"" },
	{ "nul_is_a_byte", "a\0b", 3, 32, "\"a\\x00b\"" },
	{ "digit_behind_is_itself", "\x01" "2", 2, 32, "\"\\x012\"" },
	{ "telnet_synch", "\xff\xf2", 2, 32, "\"\\xff\\xf2\"" },
	{ "utf8_is_bytes", "\xc3\xa9", 2, 32, "\"\\xc3\\xa9\"" },
	{ "cut_before_an_escape", "abc\xff", 4, 3, "\"abc\"..." },
	{ "cut_at_the_most", "abcd", 4, 3, "\"abc\"..." },
	{ "not_cut_at_just_as_many", "abc", 3, 3, "\"abc\"" },
	{ "none_of_them", "abc", 3, 0, "\"\"..." },
};

/* A line, and what may be printed of it. */
static const struct printable {
	const char *name;
	const char *line;
	int flags;
	const char *safe;
} printable[] = {
	{ "ascii_stays", " ~az09", 0, " ~az09" },
	{ "newline_stays", "a\nb", 0, "a\nb" },
	{ "newline_is_a_space_on_one_line", "a\nb", TEXT_ONE_LINE, "a b" },
	{ "tab_is_a_space", "a\tb", 0, "a b" },
	{ "carriage_return", "ab\rc", 0, "ab\\x0dc" },
	{ "escape_sequence", "\x1b[31mred\x1b[0m", 0, "\\x1b[31mred\\x1b[0m" },
	{ "operating_system_command", "\x1b]0;title\x07", 0, "\\x1b]0;title\\x07" },
	{ "delete_and_backspace", "\x7f\b", 0, "\\x7f\\x08" },
	{ "raw_c1_controls", "\x80\x9b\x9f", 0, "\\x80\\x9b\\x9f" },
	{ "c1_controls_as_utf8", "\xc2\x80\xc2\x9b\xc2\x9f", 0, "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f" },
	{ "first_that_is_no_control", "\xc2\xa0", 0, "\xc2\xa0" },
	{ "two_bytes", "\xc3\xa9\xdf\xbf", 0, "\xc3\xa9\xdf\xbf" },
	{ "three_bytes", "\xe2\x94\x80\xef\xbf\xbd", 0, "\xe2\x94\x80\xef\xbf\xbd" },
	{ "four_bytes", "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 0, "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf" },
	{ "overlong_slash", "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", 0, "\\xc0\\xaf\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf" },
	{ "overlong_escape", "\xc0\x9b[", 0, "\\xc0\\x9b[" },
	{ "overlong_letter", "\xe0\x83\xa9\xf0\x80\x83\xa9", 0, "\\xe0\\x83\\xa9\\xf0\\x80\\x83\\xa9" },
	{ "surrogate", "\xed\xa0\x80", 0, "\\xed\\xa0\\x80" },
	{ "past_the_last", "\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80" },
	{ "five_byte_form", "\xf8\x88\x80\x80\x80", 0, "\\xf8\\x88\\x80\\x80\\x80" },
	{ "never_in_utf8", "\xfe\xff", 0, "\\xfe\\xff" },
	{ "continuation_alone", "a\xbf" "b", 0, "a\\xbfb" },
	{ "cut_short", "\xe2\x94", 0, "\\xe2\\x94" },
	{ "cut_short_by_another", "\xe2\x94\xc3\xa9", 0, "\\xe2\\x94\xc3\xa9" },
	{ "cut_short_by_a_letter", "\xe2" "abc", 0, "\\xe2abc" },
	{ "direction_overrides", "\xe2\x80\xae" "abc\xe2\x81\xa6", 0, "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa6" },
	{ "ascii_terminal", "\xc3\xa9 \xe2\x94\x80", TEXT_ASCII, "\\xc3\\xa9 \\xe2\\x94\\x80" },
	{ "ascii_terminal_both", "\xc3\x9b\n", TEXT_ASCII | TEXT_ONE_LINE, "\\xc3\\x9b " },
};
/* clang-format on */

static void test_escaped(void **state)
{
	const struct escaped *row = *state;
	struct guard guard = { 0 };
	struct text t;

	assert_int_equal(guard_map(&guard, row->len), 0);
	text_clear(&t);
	text_add_bytes(&t, guard_copy(&guard, row->bytes, row->len), row->len,
		       row->most);
	guard_unmap(&guard);
	assert_string_equal(t.s, row->shown);
	assert_int_equal(t.len, strlen(row->shown));
	assert_false(t.cut);
}

static void test_printable(void **state)
{
	const struct printable *row = *state;
	size_t size = strlen(row->line) + 1;
	struct guard guard = { 0 };
	char out[64];
	char *line;

	assert_int_equal(guard_map(&guard, size), 0);
	line = (char *)guard_copy(&guard, row->line, size);
	assert_ptr_equal(text_printable(out, sizeof(out), line, row->flags),
			 out);
	assert_string_equal(out, row->safe);
	guard_unmap(&guard);
}

/* Into every room there is: never past it, nothing by half. */
static void printable_keeps_to_its_room(void **state)
{
	static const char line[] =
		"a\xc3\xa9\xe2\x94\x80\xf0\x9f\x98\x80z\x1b\x1b";
	struct guard guard = { 0 };

	(void)state;
	for (size_t size = 1; size < 32; size++) {
		char again[64];
		char *out, *slash;

		assert_int_equal(guard_map(&guard, size), 0);
		out = (char *)guard.end - size;
		text_printable(out, size, line, 0);
		assert_true(strlen(out) < size);
		text_printable(again, sizeof(again), out, 0);
		assert_string_equal(again, out);
		slash = strrchr(out, '\\');
		assert_true(!slash || strlen(slash) == strlen("\\x1b"));
		guard_unmap(&guard);
	}
}

static void what_does_not_fit_is_dropped_and_told(void **state)
{
	struct text t;

	(void)state;
	text_clear(&t);
	for (int i = 0; i < TEXT_MAX - 1; i++)
		text_add(&t, "x");
	assert_false(t.cut);
	assert_int_equal(t.len, TEXT_MAX - 1);
	text_add(&t, "%s", "");
	assert_false(t.cut);
	text_add(&t, "y");
	assert_true(t.cut);
	assert_int_equal(t.len, TEXT_MAX - 1);
	assert_int_equal(t.s[TEXT_MAX - 1], '\0');
	assert_int_equal(t.s[TEXT_MAX - 2], 'x');
	text_clear(&t);
	assert_false(t.cut);
	assert_string_equal(t.s, "");
}

static void one_long_piece_is_cut_at_the_end(void **state)
{
	char piece[2 * TEXT_MAX];
	struct text t;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	piece[sizeof(piece) - 1] = '\0';
	text_clear(&t);
	text_add(&t, "%s", piece);
	assert_true(t.cut);
	assert_int_equal(strlen(t.s), TEXT_MAX - 1);
	assert_int_equal(t.len, TEXT_MAX - 1);
}

int main(void)
{
	static const struct CMUnitTest whole[] = {
		cmocka_unit_test(printable_keeps_to_its_room),
		cmocka_unit_test(what_does_not_fit_is_dropped_and_told),
		cmocka_unit_test(one_long_piece_is_cut_at_the_end),
	};
	struct CMUnitTest
		tests[COUNT(whole) + COUNT(escaped) + COUNT(printable)];
	size_t n = COUNT(whole);

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(escaped); i++)
		tests[n++] = (struct CMUnitTest){
			.name = escaped[i].name,
			.test_func = test_escaped,
			.initial_state = (void *)&escaped[i],
		};
	for (size_t i = 0; i < COUNT(printable); i++)
		tests[n++] = (struct CMUnitTest){
			.name = printable[i].name,
			.test_func = test_printable,
			.initial_state = (void *)&printable[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
