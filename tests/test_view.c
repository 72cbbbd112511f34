#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "capture/view.h"
#include "tests/script_stream.h"
#include "tests/transcript.h"

/* clang-format off */
#define S(seq_, data_) { .from = 'a', .flags = ACK, .seq = (seq_), .data = (data_) }
#define U(seq_, up_, data_) { .from = 'a', .flags = ACK | URG, .seq = (seq_), .up = (up_), .data = (data_) }
#define F(seq_, data_) { .from = 'a', .flags = ACK | FIN, .seq = (seq_), .data = (data_) }
#define R(seq_) { .from = 'a', .flags = RST, .seq = (seq_) }
#define C(len_, up_, data_) { .from = 'a', .flags = (up_) ? ACK | URG : ACK, .seq = 1, .len = (len_), .up = (up_), .data = (data_) }
#define OPEN { .from = 'a', .flags = SYN, .seq = 0 }
#define ACKED(ack_) { .from = 'b', .flags = ACK, .seq = 1, .ack = (ack_) }

struct row {
	const char *view;
	const char *name;
	struct script script[8];
	const char *transcript;
};

/* What Linux does is asked of Linux itself, in test_view_kernel.c; here stands
 * what a capture adds to it, and what cannot be asked. */
static const struct row rows[] = {
	{ "linux", "urgent_byte_was_cut_off", { C(3, 3, "a"), S(4, "de") }, "!? \"a?\" | \"de\" open" },
	{ "linux", "ordinary_bytes_were_cut_off", { C(4, 0, "ab"), U(5, 1, "e") }, "\"ab??\" !e | open" },
	{ "linux", "missed_and_acknowledged", { S(1, "a"), S(4, "d"), ACKED(5), U(5, 1, "e") }, "\"a??d\" !e | open" },
	{ "linux", "missed_and_awaited", { S(1, "a"), S(4, "d"), ACKED(2) }, "\"a\" hole" },
	{ "linux", "urgent_byte_was_missed", { U(1, 3, "a"), S(5, "e"), ACKED(6), S(6, "f") }, "\"a\" !? \"?\" | \"?ef\" open" },
	{ "linux", "nothing_of_the_header_was_captured", { OPEN, U(1, 3, ""), S(4, "def"), S(1, "abc") }, "!c \"ab\" | \"def\" open" },
	{ "linux", "syn_pointer_means_nothing_to_a_listener", { { .from = 'a', .flags = SYN | URG, .seq = 0, .up = 3 }, S(1, "abc") }, "\"abc\" open" },
	{ "linux", "without_ack_nothing_counts", { { .from = 'a', .flags = URG, .seq = 1, .up = 1, .data = "x" }, S(1, "a") }, "\"a\" open" },

	{ "stripped", "every_byte_is_ordinary", { U(1, 2, "ab"), U(3, 0, "cd"), F(5, "e") }, "\"abcde\" fin" },
	{ "stripped", "reset", { U(1, 2, "ab"), R(3), S(3, "c") }, "\"ab\" reset" },

	{ "bsd", "one_urgent_byte", { U(1, 3, "abc"), S(4, "de") }, "!c \"ab\" | \"de\" open" },
	{ "bsd", "only_an_urgent_byte", { U(1, 1, "!") }, "!! | open" },
	{ "bsd", "first_of_a_segment", { U(1, 1, "abc") }, "!a | \"bc\" open" },
	{ "bsd", "announced_then_brought_without_urg", { U(1, 3, "a"), S(2, "bcd") }, "\"ab\" | \"cd\" open" },
	{ "bsd", "announced_then_brought_with_urg", { U(1, 3, "a"), U(2, 2, "bcd") }, "\"a\" !c \"b\" | \"d\" open" },
	{ "bsd", "announced_again_at_the_mark", { U(1, 2, "a"), U(2, 1, ""), U(2, 1, "bc") }, "\"a\" | !b \"c\" open" },
	{ "bsd", "two_marks_in_a_row", { U(1, 1, "A"), U(2, 1, "B"), S(3, "c") }, "!A | !B | \"c\" open" },
	{ "bsd", "replaced_before_it_came", { U(1, 4, "a"), U(2, 5, "bcdef"), S(7, "g") }, "\"a\" !f \"bcde\" | \"g\" open" },
	{ "bsd", "early_carrier", { OPEN, U(4, 2, "de"), S(1, "abc"), S(6, "f") }, "!e \"abcd\" | \"f\" open" },
	{ "bsd", "pointer_zero_is_no_pointer", { U(1, 0, "abc") }, "\"abc\" open" },
	{ "bsd", "same_segment_again", { U(1, 3, "abc"), U(1, 3, "abc"), S(4, "d") }, "!c \"ab\" | \"d\" open" },
	{ "bsd", "receding_pointer_takes_its_byte", { U(1, 9, "ab"), U(3, 1, "cd"), S(5, "efghij") }, "\"ab\" !c \"defgh\" | \"ij\" open" },
	{ "bsd", "early_byte_of_the_segment_that_begins_before", { OPEN, S(4, "def"), S(3, "CDE"), S(1, "ab") }, "\"abCDEf\" open" },
	{ "bsd", "early_byte_of_the_segment_in_front", { OPEN, S(3, "cde"), S(4, "DEF"), S(1, "ab") }, "\"abcdeF\" open" },
	{ "bsd", "in_order_wins_over_early", { OPEN, S(4, "def"), S(1, "ABCDE") }, "\"ABCDEf\" open" },
	{ "bsd", "covered_runs_go", { OPEN, S(3, "c"), S(5, "e"), S(7, "g"), S(2, "BCDEFGH"), S(1, "a") }, "\"aBCDEFGH\" open" },
	{ "bsd", "urgent_behind_fin_is_ignored", { F(1, "ab"), U(4, 1, "x") }, "\"ab\" fin" },
	{ "bsd", "urgent_byte_was_cut_off", { C(3, 3, "a"), S(4, "d") }, "!? \"a?\" | \"d\" open" },
	{ "bsd", "reset", { S(1, "ab"), R(3), S(3, "c") }, "\"ab\" reset" },
	{ "bsd", "hole", { S(1, "ab"), S(4, "d") }, "\"ab\" hole" },

	{ "suricata-oob", "pointed_byte_is_out_of_band", { U(1, 2, "abc"), S(4, "d") }, "\"a\" !b \"cd\" open" },
	{ "suricata-oob", "pointer_past_the_segment_is_ignored", { U(1, 4, "abc"), S(4, "d") }, "\"abcd\" open" },
	{ "suricata-oob", "pointer_zero_is_ignored", { U(1, 0, "abc") }, "\"abc\" open" },
	{ "suricata-oob", "same_segment_again", { U(1, 3, "abc"), U(1, 3, "abc"), S(4, "d") }, "\"ab\" !c \"d\" open" },
	{ "suricata-oob", "urgent_byte_was_cut_off", { C(3, 3, "a"), S(4, "d") }, "\"a?\" !? \"d\" open" },
	{ "suricata-inline", "every_byte_is_inspected", { U(1, 2, "abc"), F(4, "d") }, "\"abcd\" fin" },
	{ "suricata-drop", "segment_with_urg_does_not_pass", { S(1, "a"), U(2, 1, "b"), S(3, "c") }, "\"a\" hole" },
	{ "suricata-drop", "sent_again_without_urg", { S(1, "a"), U(2, 1, "b"), S(3, "c"), S(2, "b") }, "\"abc\" open" },
	{ "suricata-gap", "pointed_byte_is_missing", { U(1, 2, "abc"), S(4, "d") }, "\"acd\" open" },
	{ "suricata-gap", "reset", { S(1, "ab"), R(3), S(3, "c") }, "\"ab\" reset" },
};
/* clang-format on */

static void test_transcript(void **state)
{
	static struct transcript transcript;
	const struct row *row = *state;
	const struct capture_view *view = capture_view_named(row->view);
	struct capture_stream *stream =
		script_stream(row->script, COUNT(row->script));

	transcript = (struct transcript){ 0 };
	assert_non_null(view);
	assert_int_equal(transcript_view(&transcript, view, stream), 0);
	capture_stream_free(stream);
	assert_string_equal(transcript.text, row->transcript);
}

static void test_names_are_of_one_view(void **state)
{
	(void)state;
	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		const struct capture_view *view = capture_views[i];

		assert_ptr_equal(capture_view_named(view->name), view);
		assert_true(strlen(view->does) > 0 && strlen(view->does) < 70);
		assert_true(strlen(view->source) > 0);
	}
	assert_null(capture_view_named("lin"));
	assert_null(capture_view_named(""));
}

/* --- past 65,535 urgent bytes ----------------------------------------- */

struct counts {
	size_t data;
	size_t urgent;
};

static void count_data(void *context, int64_t seq, const uint8_t *data,
		       size_t len)
{
	(void)seq;
	(void)data;
	((struct counts *)context)->data += len;
}

static void count_urgent(void *context, int64_t seq, const uint8_t *byte)
{
	(void)seq;
	(void)byte;
	((struct counts *)context)->urgent++;
}

static void ignore_mark(void *context, int64_t seq)
{
	(void)context;
	(void)seq;
}

static void test_suricata_drops_past_its_limit(void **state)
{
	struct counts counts = { 0, 0 };
	struct capture_view_sink sink = { count_data, count_urgent, ignore_mark,
					  &counts };
	struct script script = U(1, 2, "ab");
	struct capture_segment segment = from_script(&script);
	struct capture_event event = { 0 };
	const struct capture_view *view = capture_view_named("suricata-oob");
	struct capture_view_end end;
	struct capture_stream *stream;

	(void)state;
	assert_int_equal(capture_stream_new(&stream, 0, CAPTURE_STREAM_BYTES),
			 0);
	for (uint32_t i = 0; i < 65536; i++) {
		event.seq = 1 + 2 * i;
		assert_int_equal(capture_stream_segment(stream, &segment,
							&event, i + 1, 0),
				 0);
	}
	assert_int_equal(capture_stream_finish(stream), 0);
	assert_int_equal(view->run(view, stream, &sink, &end), 0);
	capture_stream_free(stream);
	assert_int_equal(counts.urgent, 65535);
	assert_int_equal(counts.data, 65535);
	assert_int_equal(end.seq, 1 + 2 * 65535);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_names_are_of_one_view),
		cmocka_unit_test(test_suricata_drops_past_its_limit),
	};
	static char names[COUNT(rows)][96];
	struct CMUnitTest tests[COUNT(rows) + COUNT(others)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", rows[i].view,
			 rows[i].name);
		tests[i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = test_transcript,
			.initial_state = (void *)&rows[i],
		};
	}
	memcpy(tests + COUNT(rows), others, sizeof(others));
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
