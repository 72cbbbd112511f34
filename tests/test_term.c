#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tools/term.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define WIDTH	    10

/* clang-format off */

/* A text, from column `at` of ten, going on in column 2. */
static const struct wrapped {
	const char *name;
	const char *text;
	int at;
	const char *lines;
} wrapped[] = {
	{ "fits", "abc", 0, "abc" },
	{ "empty", "", 0, "" },
	{ "fits_to_the_last_column", "0123456789", 0, "0123456789" },
	{ "breaks_behind_a_blank", "abc def ghi", 0, "abc def\n  ghi" },
	{ "breaks_at_a_blank_on_the_edge", "0123456789 abc", 0, "0123456789\n  abc" },
	{ "blanks_at_the_break_are_dropped", "01234567   abc", 0, "01234567\n  abc" },
	{ "breaks_a_word_that_has_no_blank", "0123456789abc", 0, "0123456789\n  abc" },
	{ "goes_on_in_its_column", "0123456789abcdefgh", 0, "0123456789\n  abcdefgh" },
	{ "and_so_on", "0123456789abcdefghi", 0, "0123456789\n  abcdefgh\n  i" },
	{ "begins_where_it_stands", "abc def", 5, "abc\n  def" },
	{ "begins_past_the_edge", "abc", 12, "a\n  bc" },
	{ "newline_begins_a_line_of_its_column", "a\nb", 0, "a\n  b" },
	{ "empty_line_in_it", "a\n\nb", 0, "a\n\n  b" },
	{ "newline_at_the_end_is_dropped", "a\n", 0, "a" },
	{ "newline_on_the_edge", "0123456789\nb", 0, "0123456789\n  b" },
	{ "columns_are_characters", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" "ab", 0, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n  ab" },
	{ "controls_never_leave", "\x1b[2J", 0, "\\x1b[2J" },
};

/* What COLUMNS says, where the stream is no terminal. */
static const struct width {
	const char *name;
	const char *columns;
	int width;
} widths[] = {
	{ "width_of_nothing", NULL, 100 },
	{ "width_that_is_given", "80", 80 },
	{ "width_too_small_to_use", "5", 40 },
	{ "width_too_great_to_use", "2000000000", 1000 },
	{ "width_past_an_integer", "99999999999999999999", 100 },
	{ "width_of_0", "0", 100 },
	{ "width_below_0", "-80", 100 },
	{ "width_of_a_word", "wide", 100 },
};
/* clang-format on */

static void test_wrapped(void **state)
{
	const struct wrapped *row = *state;
	struct term t = { .width = WIDTH, .utf8 = true };
	char *bytes = NULL;
	size_t size;

	t.out = open_memstream(&bytes, &size);
	assert_non_null(t.out);
	term_wrap(&t, TERM_BAD, row->at, 2, row->text);
	fclose(t.out);
	assert_string_equal(bytes, row->lines);
	free(bytes);
}

/* A style ends before its line does, and begins behind the blanks. */
static void each_line_has_its_style(void **state)
{
	struct term t = { .width = WIDTH, .utf8 = true, .colour = true };
	char *bytes = NULL;
	size_t size;

	(void)state;
	t.out = open_memstream(&bytes, &size);
	assert_non_null(t.out);
	term_wrap(&t, TERM_GOOD, 0, 2, "a\nb");
	fclose(t.out);
	assert_string_equal(bytes, "\033[32ma\033[0m\n  \033[32mb\033[0m");
	free(bytes);
}

static void what_the_terminal_does_not_speak_is_not_sent(void **state)
{
	struct term t = { .width = WIDTH, .utf8 = false };
	char *bytes = NULL;
	size_t size;

	(void)state;
	t.out = open_memstream(&bytes, &size);
	assert_non_null(t.out);
	term_wrap(&t, TERM_PLAIN, 0, 2, "a \xc3\x9b");
	fclose(t.out);
	assert_string_equal(bytes, "a \\xc3\\x9b");
	free(bytes);
}

static void test_width(void **state)
{
	const struct width *row = *state;
	FILE *null = fopen("/dev/null", "we");
	struct term t;

	assert_non_null(null);
	if (row->columns)
		setenv("COLUMNS", row->columns, 1);
	else
		unsetenv("COLUMNS");
	t = term_open(null);
	fclose(null);
	assert_int_equal(t.width, row->width);
	assert_false(t.colour);
}

int main(void)
{
	static const struct CMUnitTest whole[] = {
		cmocka_unit_test(each_line_has_its_style),
		cmocka_unit_test(what_the_terminal_does_not_speak_is_not_sent),
	};
	struct CMUnitTest tests[COUNT(whole) + COUNT(wrapped) + COUNT(widths)];
	size_t n = COUNT(whole);

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(wrapped); i++)
		tests[n++] = (struct CMUnitTest){
			.name = wrapped[i].name,
			.test_func = test_wrapped,
			.initial_state = (void *)&wrapped[i],
		};
	for (size_t i = 0; i < COUNT(widths); i++)
		tests[n++] = (struct CMUnitTest){
			.name = widths[i].name,
			.test_func = test_width,
			.initial_state = (void *)&widths[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
