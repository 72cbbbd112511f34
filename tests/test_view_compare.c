#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "capture/view_compare.h"
#include "tests/script_stream.h"

/* clang-format off */
#define OPEN { .from = 'a', .flags = SYN, .seq = 0 }
#define S(seq_, data_) { .from = 'a', .flags = ACK, .seq = (seq_), .data = (data_) }
#define U(seq_, up_, data_) { .from = 'a', .flags = ACK | URG, .seq = (seq_), .up = (up_), .data = (data_) }
#define ACKED(ack_) { .from = 'b', .flags = ACK, .seq = 1, .ack = (ack_) }

/* A difference: SEQ+LEN, then for each view what it has in band, then after !
 * what out of band: the byte, ? for one not captured, - for not at all. */
struct row {
	const char *name;
	const char *views[3];
	struct script script[6];
	const char *differences;
	unsigned octets;
	unsigned differing;
	unsigned pairs[3]; /* first and second, first and third, second and third */
};

static const struct row rows[] = {
	{ "no_urgent_data_no_difference", { "linux", "bsd", "stripped" }, { S(1, "abc"), S(4, "def") }, "", 6, 0, { 0, 0, 0 } },
	{ "two_agree_on_the_urgent_byte", { "linux", "bsd", "stripped" }, { U(1, 2, "abc") }, " 2+1 -!b -!b b!-", 3, 1, { 0, 1, 1 } },
	{ "two_readings", { "linux", "rfc1122", "linux-inline" }, { U(1, 2, "abc") }, " 2+1 -!b b!- b!- 3+1 c!- -!c c!-", 3, 2, { 2, 1, 1 } },
	{ "not_at_all", { "suricata-gap", "suricata-oob" }, { U(1, 2, "abc") }, " 2+1 -!- -!b", 3, 1, { 1 } },
	{ "seen_by_none_is_no_octet", { "suricata-gap", "suricata-gap" }, { U(1, 2, "abc") }, "", 2, 0, { 0 } },
	{ "segment_that_does_not_pass", { "suricata-drop", "stripped" }, { S(1, "ab"), U(3, 1, "cde"), S(6, "f") }, " 3+3 -!- c!- 6+1 -!- f!-", 6, 4, { 4 } },
	{ "overlap_decided_otherwise", { "linux", "bsd" }, { OPEN, S(4, "de"), S(4, "DeF"), S(1, "abc") }, " 4+1 D!- d!-", 6, 1, { 1 } },
	{ "overlap_with_equal_bytes", { "linux", "bsd" }, { OPEN, S(3, "cd"), S(3, "cdef"), S(1, "ab") }, "", 6, 0, { 0 } },
	{ "in_band_and_out_of_band", { "linux", "bsd" }, { OPEN, U(4, 2, "de"), U(6, 3, "fgh"), S(1, "abc") }, " 5+1 e!e -!e", 8, 1, { 1 } },
	{ "not_captured_is_alike", { "linux", "bsd", "stripped" }, { { .from = 'a', .flags = ACK, .seq = 1, .len = 3, .data = "ab" }, U(4, 1, "e") }, " 4+1 -!e -!e e!-", 4, 1, { 0, 1, 1 } },
	{ "missed_octets_are_one_row", { "suricata-drop", "stripped" }, { U(1, 1, "x"), S(2, "a"), S(100, "z"), ACKED(101) }, " 1+1 -!- x!- 2+1 -!- a!- 3+97 -!- ?!- 100+1 -!- z!-", 100, 100, { 100 } },
	{ "nothing", { "linux", "bsd" }, { OPEN }, "", 0, 0, { 0 } },
	{ "one_view", { "linux" }, { U(1, 2, "abc") }, "", 3, 0, { 0 } },
};
/* clang-format on */

struct said {
	char text[512];
	size_t len;
	size_t views;
};

static int letter(bool there, const uint8_t *byte)
{
	if (!there)
		return '-';
	return byte ? *byte : '?';
}

static void say(void *context, const struct capture_difference *d)
{
	struct said *said = context;

	said->len += (size_t)snprintf(said->text + said->len,
				      sizeof(said->text) - said->len,
				      " %lld+%zu", (long long)d->seq, d->len);
	for (size_t i = 0; i < said->views; i++)
		said->len += (size_t)snprintf(
			said->text + said->len, sizeof(said->text) - said->len,
			" %c!%c", letter(d->views[i].in_band, d->views[i].data),
			letter(d->views[i].out_of_band, d->views[i].urgent));
}

static void test_compare(void **state)
{
	const struct row *row = *state;
	const struct capture_view *views[3];
	struct capture_stream *stream =
		script_stream(row->script, COUNT(row->script));
	struct capture_comparison comparison;
	struct said said = { .len = 0 };

	while (said.views < 3 && row->views[said.views]) {
		views[said.views] = capture_view_named(row->views[said.views]);
		said.views++;
	}
	assert_int_equal(capture_views_compare(stream, views, said.views, say,
					       &said, &comparison),
			 0);
	capture_stream_free(stream);
	assert_string_equal(said.text, row->differences);
	assert_int_equal(comparison.octets, row->octets);
	assert_int_equal(comparison.differing, row->differing);
	assert_int_equal(comparison.pairs[0][1], row->pairs[0]);
	assert_int_equal(comparison.pairs[2][0], row->pairs[1]);
	assert_int_equal(comparison.pairs[2][1], row->pairs[2]);
}

/* All views at once, and nobody who listens. */
static void test_all_views(void **state)
{
	static const struct script script[] = { U(1, 2, "abc") };
	struct capture_stream *stream = script_stream(script, COUNT(script));
	struct capture_comparison comparison;

	(void)state;
	assert_int_equal(capture_views_compare(stream, capture_views,
					       CAPTURE_VIEWS, NULL, NULL,
					       &comparison),
			 0);
	capture_stream_free(stream);
	assert_int_equal(comparison.octets, 3);
	assert_int_equal(comparison.differing, 3); /* drop: the first, too */
	for (size_t i = 0; i < CAPTURE_VIEWS; i++)
		assert_int_equal(comparison.pairs[i][i], 0);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows) + 1];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_compare,
			.initial_state = (void *)&rows[i],
		};
	tests[COUNT(rows)] =
		(struct CMUnitTest)cmocka_unit_test(test_all_views);
	return cmocka_run_group_tests_name("view_compare", tests, NULL, NULL);
}
