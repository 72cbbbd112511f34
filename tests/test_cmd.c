#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/cmd.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const names[] = {
	"run",	   "list",   "show", "new",
	"capture", "doctor", "help", "03-reading-stops-at-the-mark",
	"04-peek",
};

#define TEN	"xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* What was typed, and what was likely meant. */
static const struct row {
	const char *name;
	const char *word;
	const char *nearest; /* NULL: nothing is near */
} rows[] = {
	{ "itself", "run", "run" },
	{ "letter_left_out", "captre", "capture" },
	{ "letter_too_many", "dooctor", "doctor" },
	{ "letter_changed", "hulp", "help" },
	{ "letters_swapped", "docotr", "doctor" },
	{ "letters_swapped_in_three", "rnu", "run" },
	{ "part_of_one", "reading", "03-reading-stops-at-the-mark" },
	{ "number_forgotten", "reading-stops-at-the-mark",
	  "03-reading-stops-at-the-mark" },
	{ "nothing_is_near", "quicksilver", NULL },
	{ "nothing_is_near_one_letter", "z", NULL },
	{ "nothing_is_near_a_long_word", HUNDRED, NULL },
	{ "nothing_is_near_a_very_long_word",
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED, NULL },
	{ "nothing_is_near_nothing", "", NULL },
};

static void test_nearest(void **state)
{
	const struct row *row = *state;
	const char *nearest = cmd_nearest(row->word, names, COUNT(names));

	if (row->nearest)
		assert_non_null(nearest);
	else
		assert_null(nearest);
	if (nearest)
		assert_string_equal(nearest, row->nearest);
}

static void of_equals_the_first_by_name_is_near(void **state)
{
	static const char *const both[] = { "bat", "aat", "cat" };

	(void)state;
	assert_string_equal(cmd_nearest("dat", both, 3), "aat");
}

static void none_is_near_among_none(void **state)
{
	(void)state;
	assert_null(cmd_nearest("run", NULL, 0));
}

/* What goes to stderr: one line, whatever is in it. */
static void a_complaint_is_one_line(void **state)
{
	int saved = dup(STDERR_FILENO), pair[2];
	char line[256];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	dup2(pair[1], STDERR_FILENO);
	cmd_complain("a\nb\x1b", "%s", "c\nd");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pair[1]);
	n = read(pair[0], line, sizeof(line) - 1);
	close(pair[0]);
	assert_true(n > 0);
	line[n] = '\0';
	assert_string_equal(line, "ooblab: a b\\x1b: c d\n");
}

int main(void)
{
	static const struct CMUnitTest whole[] = {
		cmocka_unit_test(of_equals_the_first_by_name_is_near),
		cmocka_unit_test(none_is_near_among_none),
		cmocka_unit_test(a_complaint_is_one_line),
	};
	struct CMUnitTest tests[COUNT(whole) + COUNT(rows)];

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(rows); i++)
		tests[COUNT(whole) + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_nearest,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
