#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/frame.h"
#include "tests/segments.h"
#include "tools/capture_compare.h"
#include "tools/cmd.h"

enum {
	FILE_MAX = 8192,
	LINES = 10,
	LINKTYPE_ETHERNET = 1,
	PATH_US = 400,
	STEP_US = 1000,
};

/* --- files ---------------------------------------------------------------- */

struct file {
	uint8_t data[FILE_MAX];
	size_t used;
};

/* clang-format off */
#define FROM_A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define FROM_B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define HELLO FROM_A(SYN, 100, 0), FROM_B(SYN | ACK, 500, 101), FROM_A(ACK, 101, 501)

static const struct script plain[LINES] = {
	HELLO,
	FROM_A(URG | ACK, 101, 501, .data = "abc", .up = 3),
	FROM_B(ACK, 501, 104),
};

static const struct script cleared[LINES] = {
	HELLO,
	FROM_A(ACK, 101, 501, .data = "abc", .up = 3),
	FROM_B(ACK, 501, 104),
};

static const struct script elsewhere[LINES] = {
	FROM_A(SYN, 77100, 0, .data = "other"),
};
/* clang-format on */

/* A capture near a or, later on the path, near b. */
static void write_script(struct file *file, const struct script *lines,
			 char near, uint16_t port)
{
	struct pcap_file pcap = { .data = file->data,
				  .size = sizeof(file->data) };

	pcap_begin(&pcap, LINKTYPE_ETHERNET);
	for (uint32_t i = 0; i < LINES && lines[i].from; i++) {
		struct capture_segment segment = from_script(&lines[i]);
		uint8_t frame[FRAME_MAX];
		uint64_t time_us = UINT64_C(1700000000000000) + i * STEP_US;
		size_t len;

		if (segment.sport == 1000)
			segment.sport = port;
		else
			segment.dport = port;
		len = frame_write(frame, &segment, (uint16_t)(i + 1));
		time_us += lines[i].from == near ? 0 : PATH_US;
		pcap_add(&pcap, time_us, frame, len, len);
	}
	assert_true(pcap.used <= pcap.size);
	file->used = pcap.used;
}

/* "/proc/self/fd/N": a file that nobody has to remove. */
static int store(const struct file *file, char path[32])
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->data, file->used), file->used);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* --- what is printed ------------------------------------------------------ */

struct printed {
	char *out;
	size_t out_len;
	char err[4096];
};

static int begin_err(int *saved)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	fflush(stderr);
	*saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
	assert_true(fd >= 0 && *saved >= 0 && dup2(fd, 2) == 2);
	return fd;
}

static void end_err(int fd, int saved, char text[4096])
{
	ssize_t n;

	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	n = pread(fd, text, 4095, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static int compare(const char *a, const char *b, bool json,
		   struct printed *printed)
{
	struct compare_options options = { .json = json };
	FILE *out = open_memstream(&printed->out, &printed->out_len);
	int saved, fd = begin_err(&saved), status;

	options.term.out = out;
	status = compare_captures(a, b, &options);
	end_err(fd, saved, printed->err);
	fclose(out);
	return status;
}

/* --- rows ----------------------------------------------------------------- */

struct row {
	const char *name;
	const struct script *a, *b;
	int status;
	const char *out;    /* a part of it */
	const char *err;    /* likewise; NULL: nothing */
	size_t cut;	    /* octets taken from the end of B's file */
	const char *b_path; /* instead of a file */
	uint16_t b_port;    /* 0: as in A, 1000 */
	bool garbage;	    /* B is no capture */
};

/* clang-format off */
static const struct row rows[] = {
	{ .name = "the_same_is_0", .a = plain, .b = plain, .status = STATUS_HELD, .out = "mark behind octet 3 'c': kept (1 announced, 1 kept; A #4 pointer 3; B #4 pointer 3)" },
	{ .name = "translated_is_0", .a = plain, .b = plain, .status = STATUS_HELD, .b_port = 4000, .out = "note addresses-translated: " },
	{ .name = "a_cleared_flag_is_1", .a = plain, .b = cleared, .status = STATUS_NOT, .out = "alarm urg-cleared: On 10.0.0.1:1000 > 10.0.0.2:23, " },
	{ .name = "clocks_are_estimated", .a = plain, .b = plain, .status = STATUS_HELD, .out = "clocks: B is 0.0 us ahead of A, give or take 400.0 us (3 segments toward B, 2 toward A)" },
	{ .name = "nothing_in_common_is_2", .a = plain, .b = elsewhere, .status = STATUS_USAGE, .b_port = 4000, .out = "connections in both captures: 0; only in A: 1; only in B: 1", .err = "have no connection in common" },
	{ .name = "a_cut_file_is_2_and_compared", .a = plain, .b = plain, .status = STATUS_USAGE, .cut = 5, .out = "mark behind octet 3 'c': kept", .err = "ooblab: /proc/self/fd/" },
	{ .name = "no_capture_is_2", .a = plain, .b = plain, .status = STATUS_USAGE, .garbage = true, .out = "", .err = "ooblab: /proc/self/fd/" },
	{ .name = "no_such_file_is_2", .a = plain, .status = STATUS_USAGE, .b_path = "/nowhere", .out = "", .err = "/nowhere: No such file or directory" },
};
/* clang-format on */

static void test_row(void **state)
{
	const struct row *row = *state;
	struct printed printed = { 0 };
	struct file a, b;
	char path_a[32], path_b[32];
	int fd_a, fd_b = -1;

	write_script(&a, row->a, 'a', 1000);
	fd_a = store(&a, path_a);
	if (row->b) {
		write_script(&b, row->b, 'b', row->b_port ? row->b_port : 1000);
		b.used -= row->cut;
		if (row->garbage)
			memset(b.data, 'x', b.used);
		fd_b = store(&b, path_b);
	}
	assert_int_equal(compare(path_a, row->b_path ? row->b_path : path_b,
				 false, &printed),
			 row->status);
	if (!strstr(printed.out, row->out))
		assert_string_equal(printed.out, row->out);
	if (row->err ? !strstr(printed.err, row->err) : *printed.err)
		assert_string_equal(printed.err, row->err ? row->err : "");
	free(printed.out);
	close(fd_a);
	if (fd_b >= 0)
		close(fd_b);
}

/* --- JSON ----------------------------------------------------------------- */

/* Each line is an object of its own; the kinds of all, in order. */
static void read_kinds(const char *text, char kinds[512])
{
	kinds[0] = '\0';
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);

		assert_non_null(object);
		assert_string_equal(
			json_string_value(json_object_get(object, "event")),
			"compare");
		strcat(kinds, json_string_value(json_object_get(object, "of")));
		strcat(kinds, " ");
		json_decref(object);
		assert_non_null(strchr(line, '\n'));
	}
}

static void json_is_an_object_a_line(void **state)
{
	struct printed printed = { 0 };
	struct file a, b;
	char path_a[32], path_b[32], kinds[512];
	int fd_a, fd_b;

	(void)state;
	write_script(&a, plain, 'a', 1000);
	write_script(&b, cleared, 'b', 1000);
	fd_a = store(&a, path_a);
	fd_b = store(&b, path_b);
	assert_int_equal(compare(path_a, path_b, true, &printed), STATUS_NOT);
	read_kinds(printed.out, kinds);
	assert_string_equal(kinds, "capture capture clock connection mark "
				   "difference summary ");
	assert_non_null(strstr(printed.out,
			       "\"difference\":\"urg-cleared\","
			       "\"severity\":\"alarm\",\"connection\":1,"
			       "\"direction\":\"a\",\"count\":1,\"frame_a\":4,"
			       "\"frame_b\":4,\"mark\":4,\"sentence\":\"On "));
	assert_non_null(strstr(printed.out, "\"byte\":99,"));
	free(printed.out);
	close(fd_a);
	close(fd_b);
}

static void both_cannot_be_standard_input(void **state)
{
	struct printed printed = { 0 };

	(void)state;
	assert_int_equal(compare("-", "-", false, &printed), STATUS_USAGE);
	assert_string_equal(printed.err,
			    "ooblab: capture: standard input holds one of "
			    "them\n");
	free(printed.out);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(json_is_an_object_a_line),
		cmocka_unit_test(both_cannot_be_standard_input),
	};
	static struct CMUnitTest tests[COUNT(rows) + COUNT(others)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_row,
			.initial_state = (void *)&rows[i],
		};
	memcpy(tests + COUNT(rows), others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
