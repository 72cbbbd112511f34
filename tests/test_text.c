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
static const struct row {
	const char *name;
	const char *in;
	size_t len;       /* of it, when it holds a NUL; 0: strlen() */
	const char *bytes; /* by text_add_bytes(), at most 8; NULL not tried */
	const char *line;  /* by text_printable(); NULL not tried */
} rows[] = {
	{ "plain",             "abc",           0, "\"abc\"",             "abc" },
	{ "empty",             "",              0, "\"\"",                "" },
	{ "quotes",            "a\"b\\",        0, "\"a\\\"b\\\\\"",      "a\"b\\" },
	{ "telnet_synch",      "\xff\xf2",      0, "\"\\xff\\xf2\"",      "\\xff\\xf2" },
	{ "digit_behind",      "\x01""2",       0, "\"\\x012\"",          "\\x012" },
	{ "letters",           "\r\n\t\v\f",    0, "\"\\r\\n\\t\\v\\f\"", "\\x0d\n \\x0b\\x0c" },
	{ "terminal_escape",   "\x1b[31m",      0, "\"\\x1b[31m\"",       "\\x1b[31m" },
	{ "delete",            "\x7f",          0, "\"\\x7f\"",           "\\x7f" },
	{ "nul",               "a\0b",          3, "\"a\\x00b\"",         NULL },
	{ "eight",             "12345678",      0, "\"12345678\"",        "12345678" },
	{ "nine",              "123456789",     0, "\"12345678\"...",     "123456789" },
	{ "utf8",              "\xc2\xb5s",     0, "\"\\xc2\\xb5s\"",     "\xc2\xb5s" },
	{ "utf8_cut",          "\xe2\x96",      0, NULL,                  "\\xe2\\x96" },
	{ "utf8_overlong",     "\xc0\xaf",      0, NULL,                  "\\xc0\\xaf" },
	{ "c1_control",        "\xc2\x9b""31m", 0, NULL,                  "\\xc2\\x9b31m" },
	{ "surrogate",         "\xed\xa0\x80",  0, NULL,                  "\\xed\\xa0\\x80" },
};
/* clang-format on */

static void test_row(void **state)
{
	const struct row *row = *state;
	char line[64];
	struct text t;

	text_clear(&t);
	if (row->bytes) {
		text_add_bytes(&t, row->in,
			       row->len ? row->len : strlen(row->in), 8);
		assert_string_equal(t.s, row->bytes);
	}
	if (row->line)
		assert_string_equal(text_printable(line, sizeof(line), row->in),
				    row->line);
}

/* An escape is written whole or not at all, and nothing past the end. */
static void test_little_room(void **state)
{
	static const char line[] = "ab\xff\xff\xc2\xb5\xc2\xb5\xff";
	struct guard guard = { .map = NULL };

	(void)state;
	assert_int_equal(guard_map(&guard, 64), 0);
	for (size_t size = 1; size <= 32; size++) {
		char *out = (char *)guard.end - size;
		const char *last;

		text_printable(out, size, line);
		assert_true(strlen(out) < size);
		last = strrchr(out, '\\');
		assert_true(!last || strlen(last) >= strlen("\\xff"));
	}
	guard_unmap(&guard);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows) + 1] = {
		cmocka_unit_test(test_little_room),
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i + 1] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_row,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
