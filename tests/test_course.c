#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/lab/course.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A course in a folder of its own, and files beside it. */
static char top[] = "/tmp/ooblab-test-course-XXXXXX";
static char *names[] = { "01-one-byte", "02-reading-stops", "03-peek",
			 "deep/01-linger" };
static struct course course = { .dir = "course",
				.names = names,
				.count = COUNT(names) };

static int write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = write(fd, bytes, len);

	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

static int make_course(void **state)
{
	static char big[EXPERIMENT_BYTES_MAX + 1];
	int ret = 0;

	(void)state;
	if (!mkdtemp(top) || chdir(top) || mkdir("course", 0700) ||
	    mkdir("course/deep", 0700) || mkdir("folder.lua", 0700))
		return -1;
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "course/%s.lua", names[i]);
		ret |= write_file(path, names[i], strlen(names[i]));
	}
	memset(big, ' ', sizeof(big));
	ret |= write_file("mine.lua", "mine", 4);
	ret |= write_file("no-suffix", "none", 4);
	ret |= write_file("a b\xff\n.lua", "odd", 3);
	ret |= write_file("empty.lua", "", 0);
	ret |= write_file("nul.lua", "a\0b", 3);
	ret |= write_file("big.lua", big, EXPERIMENT_BYTES_MAX);
	ret |= write_file("too-big.lua", big, sizeof(big));
	ret |= symlink("loop.lua", "loop.lua");
	return ret;
}

static int remove_course(void **state)
{
	static const char *const files[] = {
		"course/01-one-byte.lua",
		"course/02-reading-stops.lua",
		"course/03-peek.lua",
		"course/deep/01-linger.lua",
		"mine.lua",
		"no-suffix",
		"a b\xff\n.lua",
		"empty.lua",
		"nul.lua",
		"big.lua",
		"too-big.lua",
		"loop.lua",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	rmdir("course/deep");
	rmdir("course");
	rmdir("folder.lua");
	return chdir("/") || rmdir(top);
}

/* What is named, and what is loaded for it. */
static const struct row {
	const char *name;
	const char *word;
	const char *loads; /* name of the experiment; NULL: none */
	const char *says;  /* of the error, a part */
	size_t len;	   /* of its text; 0: that of its name */
} rows[] = {
	{ "by_its_name", "02-reading-stops", "02-reading-stops", NULL, 0 },
	{ "by_its_name_without_the_number", "reading-stops", "02-reading-stops",
	  NULL, 0 },
	{ "by_its_number", "2", "02-reading-stops", NULL, 0 },
	{ "by_its_number_as_written", "02", "02-reading-stops", NULL, 0 },
	{ "by_a_number_with_blanks_too_many", "0002", "02-reading-stops", NULL,
	  0 },
	{ "by_a_number_that_is_none", "2x", NULL, "no such file", 0 },
	{ "by_a_number_below_0", "-2", NULL, "no such file", 0 },
	{ "by_a_number_past_all", "99999999999999999999", NULL, "no such file",
	  0 },
	{ "in_a_folder", "deep/01-linger", "deep/01-linger", NULL, 0 },
	{ "in_a_folder_by_its_short_name", "linger", "deep/01-linger", NULL,
	  0 },
	{ "numbers_are_those_of_the_top", "1", "01-one-byte", NULL, 0 },
	{ "a_file", "mine.lua", "mine.lua", NULL, 4 },
	{ "a_file_by_its_path", "./mine.lua", "./mine.lua", NULL, 4 },
	{ "a_file_without_the_suffix", "no-suffix", "no-suffix", NULL, 4 },
	{ "a_file_of_an_odd_name", "a b\xff\n.lua", "a b\xff\n.lua", NULL, 3 },
	{ "an_empty_file", "empty.lua", "empty.lua", NULL, SIZE_MAX },
	{ "a_file_with_a_nul", "nul.lua", "nul.lua", NULL, 3 },
	{ "a_file_of_1_mib", "big.lua", "big.lua", NULL, EXPERIMENT_BYTES_MAX },
	{ "a_file_of_more", "too-big.lua", NULL,
	  "more than 1 MiB is no experiment", 0 },
	{ "a_file_without_end", "/dev/zero", NULL,
	  "more than 1 MiB is no experiment", 0 },
	{ "a_folder", "folder.lua", NULL, "Is a directory", 0 },
	{ "a_link_to_itself", "loop.lua", NULL, "symbolic links", 0 },
	{ "a_file_that_is_not_there", "other.lua", NULL, "no such file", 0 },
	{ "a_file_in_what_is_no_folder", "mine.lua/x", NULL, "no such file",
	  0 },
	{ "nothing", "", NULL, "no such file", 0 },
	{ "misspelt", "readin-stops", NULL, "did you mean 02-reading-stops?",
	  0 },
	{ "misspelt_as_a_file", "02-readin-stops.lua", NULL,
	  "did you mean 02-reading-stops?", 0 },
	{ "misspelt_as_a_path", "docs/02-readin-stops.lua", NULL,
	  "did you mean 02-reading-stops?", 0 },
	{ "file_named_without_its_suffix", "mine", NULL,
	  "did you mean mine.lua?", 0 },
	{ "like_nothing", "quicksilver", NULL, "'ooblab list' names them", 0 },
};

static void test_load(void **state)
{
	const struct row *row = *state;
	struct experiment e = { 0 };
	char err[512] = "";
	int ret = course_load(&course, row->word, &e, err, sizeof(err));
	size_t len;

	if (!row->loads) {
		assert_true(ret < 0);
		assert_null(e.text);
		assert_non_null(strstr(err, row->says));
		assert_null(strchr(err, '\n'));
		return;
	}
	assert_int_equal(ret, 0);
	assert_string_equal(e.name, row->loads);
	len = row->len ? row->len : strlen(row->loads);
	assert_int_equal(e.text_len, len == SIZE_MAX ? 0 : len);
	assert_int_equal(e.text[e.text_len], '\0');
	assert_int_equal(access(e.path, R_OK), 0);
	experiment_free(&e);
	experiment_free(&e);
}

/* As they are sorted, and there whether or not anything is installed. */
static void the_course_of_this_build_is_found(void **state)
{
	struct course c;
	char err[512];
	int ret = course_open(&c, err, sizeof(err));

	(void)state;
	if (ret < 0)
		assert_int_equal(c.count, 0);
	for (size_t i = 1; i < c.count; i++)
		assert_true(strcmp(c.names[i - 1], c.names[i]) < 0);
	course_close(&c);
	course_close(&c);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows) + 1] = {
		cmocka_unit_test(the_course_of_this_build_is_found),
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i + 1] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_load,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, make_course, remove_course);
}
