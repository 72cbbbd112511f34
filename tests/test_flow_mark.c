#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "capture/flow.h"
#include "capture/urgent.h"
#include "tests/segments.h"

/* clang-format off */
#define MARK (CAPTURE_FACT_URG | CAPTURE_FACT_NEW_MARK)
#define NEWS (MARK | CAPTURE_FACT_BYTE)
#define AGAIN (CAPTURE_FACT_OLD | CAPTURE_FACT_BYTE_AGAIN)

#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }

/* What is expected of a script's episodes: "END mark bsd 1122 segments". */
struct row {
	const char *name;
	struct script script[8];
	const char *episodes;
};

static const struct row rows[] = {
	{ "last_byte_of_an_urgent_send", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		B(ACK, 1, 103),
	}, "acked 4 c - 1\n" },
	{ "relative_numbers_from_the_syn", {
		A(SYN, 99, 0),
		B(SYN | ACK, 499, 100),
		A(URG | ACK, 100, 500, .data = "!", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte '!'"),
	}, "open 2 ! - 1\n" },
	{ "pointer_in_the_middle_gives_two_bytes", {
		A(URG | ACK, 100, 1, .data = "abcd", .up = 3, .facts = NEWS | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=3: urgent byte 'c'"),
	}, "open 4 c d 1\n" },
	{ "next_segment_brings_the_1122_byte", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		A(ACK, 103, 1, .data = "de", .facts = CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER),
	}, "open 4 c d 1\n" },
	{ "equal_bytes_do_not_differ", {
		A(URG | ACK, 100, 1, .data = "xx", .up = 1, .facts = NEWS | CAPTURE_FACT_BYTE_1122, .note = "URG up=1: urgent byte 'x'"),
	}, "open 2 x x 1\n" },
	{ "announcement_overtakes_its_data", {
		B(ACK, 1, 100, .shut = true),
		A(URG | ACK, 99, 1, .up = 5, .facts = MARK | CAPTURE_FACT_EMPTY | CAPTURE_FACT_BEYOND | CAPTURE_FACT_NO_WINDOW | CAPTURE_FACT_PAST_WINDOW, .note = "URG up=5: announces the mark 5 bytes past this segment"),
		A(URG | ACK, 99, 1, .up = 5, .facts = CAPTURE_FACT_URG | CAPTURE_FACT_EMPTY | CAPTURE_FACT_BEYOND | CAPTURE_FACT_NO_WINDOW | CAPTURE_FACT_PAST_WINDOW),
		B(ACK, 1, 100),
		A(URG | ACK, 100, 1, .data = "wxyz", .up = 4, .facts = CAPTURE_FACT_URG | CAPTURE_FACT_BYTE, .note = "URG up=4: urgent byte 'z'"),
		B(ACK, 1, 104),
	}, "acked 5 z - 3\n" },
	{ "announced_byte_comes_without_urg", {
		A(URG | ACK, 100, 1, .data = "a", .up = 3, .facts = MARK | CAPTURE_FACT_BEYOND, .note = "URG up=3: announces the mark 2 bytes past this segment"),
		A(ACK, 101, 1, .data = "bc", .facts = CAPTURE_FACT_BYTE, .note = "the urgent byte 'c', announced in frame 1"),
	}, "open 4 c - 1\n" },
	{ "second_mark_replaces_the_first", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'a'"),
		A(URG | ACK, 101, 1, .data = "b", .up = 1, .facts = NEWS | CAPTURE_FACT_REPLACES | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=1: urgent byte 'b'; replaces a mark not yet acknowledged"),
	}, "replaced 2 a b 1\nopen 3 b - 1\n" },
	{ "largest_pointer_moves_on", {
		A(URG | ACK, 100, 1, .data = "a", .up = 65535, .facts = MARK | CAPTURE_FACT_BEYOND, .note = "URG up=65535: announces the mark 65534 bytes past this segment"),
		A(URG | ACK, 101, 1, .data = "b", .up = 65535, .facts = MARK | CAPTURE_FACT_BEYOND | CAPTURE_FACT_REPLACES | CAPTURE_FACT_MOVES_ON, .note = "URG up=65535: announces the mark 65534 bytes past this segment; the mark before was as far as a pointer reaches"),
	}, "replaced 65536 - - 1\nopen 65537 - - 1\n" },
	{ "pointer_zero_names_the_byte_before", {
		A(ACK, 100, 1, .data = "abc"),
		A(URG | ACK, 103, 1, .data = "de", .up = 0, .facts = MARK | CAPTURE_FACT_POINTER_ZERO | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=0: urgent byte 'c', sent before"),
	}, "open 4 c d 1\n" },
	{ "retransmission_repeats_the_byte", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = CAPTURE_FACT_URG | AGAIN, .note = "URG up=3: the urgent byte again"),
	}, "open 4 c - 2\n" },
	{ "retransmission_drops_the_flag", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		A(ACK, 100, 1, .data = "abc", .facts = AGAIN | CAPTURE_FACT_UNMARKED, .note = "the urgent byte again, without URG"),
	}, "open 4 c - 1\n" },
	{ "retransmission_with_another_pointer", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		A(URG | ACK, 100, 1, .data = "abc", .up = 2, .facts = CAPTURE_FACT_URG | AGAIN | CAPTURE_FACT_REMARKED, .note = "URG up=2: the urgent byte again"),
	}, "open 4 c - 1\n" },
	{ "retransmission_announces_the_next_mark", {
		A(URG | ACK, 100, 1, .data = "ab", .up = 2, .facts = NEWS, .note = "URG up=2: urgent byte 'b'"),
		A(URG | ACK, 100, 1, .data = "ab", .up = 3, .facts = MARK | AGAIN | CAPTURE_FACT_BEYOND | CAPTURE_FACT_REPLACES, .note = "URG up=3: announces the mark 1 byte past this segment; replaces a mark not yet acknowledged"),
	}, "replaced 3 b - 1\nopen 4 - - 1\n" },
	{ "retransmission_points_to_data_sent_before", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 2, .facts = NEWS | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=2: urgent byte 'b'"),
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = MARK | AGAIN | CAPTURE_FACT_REMARKED | CAPTURE_FACT_REPLACES, .note = "URG up=3: urgent byte 'c'; replaces a mark not yet acknowledged"),
	}, "replaced 3 b c 1\nopen 4 c - 1\n" },
	{ "keep_alive_is_no_retransmission", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		B(ACK, 1, 103),
		A(ACK, 102, 1, .data = "?", .facts = CAPTURE_FACT_OLD),
	}, "acked 4 c - 1\n" },
	{ "overlap_differs_at_the_urgent_byte", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3, .facts = NEWS, .note = "URG up=3: urgent byte 'c'"),
		A(URG | ACK, 100, 1, .data = "abX", .up = 3, .facts = CAPTURE_FACT_URG | AGAIN | CAPTURE_FACT_BYTE_DIFFERS, .note = "URG up=3: the urgent byte again; it had another value before"),
	}, "open 4 c - 2\n" },
	{ "overlap_differs_from_the_byte_before_it_was_urgent", {
		A(ACK, 100, 1, .data = "abc"),
		A(URG | ACK, 100, 1, .data = "abX", .up = 3, .facts = MARK | AGAIN | CAPTURE_FACT_BYTE_DIFFERS, .note = "URG up=3: urgent byte 'c'; it had another value before"),
	}, "open 4 c - 1\n" },
	{ "new_data_points_backwards", {
		A(URG | ACK, 100, 1, .data = "a", .up = 9, .facts = MARK | CAPTURE_FACT_BEYOND, .note = "URG up=9: announces the mark 8 bytes past this segment"),
		A(URG | ACK, 101, 1, .data = "b", .up = 1, .facts = CAPTURE_FACT_URG | CAPTURE_FACT_BACKWARDS, .note = "URG up=1: points behind the mark announced before"),
	}, "open 10 - - 1\n" },
	{ "old_segment_with_its_old_pointer_is_no_news", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'a'"),
		B(ACK, 1, 101),
		A(URG | ACK, 101, 1, .data = "b", .up = 1, .facts = NEWS | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=1: urgent byte 'b'"),
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = CAPTURE_FACT_URG | CAPTURE_FACT_OLD),
	}, "acked 2 a - 1\nopen 3 b - 1\n" },
	{ "mark_across_sequence_wrap", {
		A(SYN, 0xfffffffd, 0),
		A(URG | ACK, 0xfffffffe, 1, .data = "abcd", .up = 4, .facts = NEWS, .note = "URG up=4: urgent byte 'd'"),
		B(ACK, 1, 2),
	}, "acked 5 d - 1\n" },
	{ "reset_ends_the_episode", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'a'"),
		B(RST, 1, 0),
	}, "reset 2 a - 1\n" },
	{ "urgent_reset_makes_no_mark", {
		A(URG | RST, 100, 1, .up = 1, .facts = CAPTURE_FACT_URG | CAPTURE_FACT_ON_RST | CAPTURE_FACT_EMPTY | CAPTURE_FACT_BEYOND, .note = "URG up=1: on RST, announces nothing"),
	}, "" },
	{ "urgent_syn", {
		A(URG | SYN, 100, 0, .up = 1, .facts = MARK | CAPTURE_FACT_ON_SYN | CAPTURE_FACT_EMPTY | CAPTURE_FACT_BEYOND, .note = "URG up=1: announces the mark 1 byte past this segment"),
	}, "open 1 - - 1\n" },
	{ "pointer_without_urg", {
		A(ACK, 100, 1, .data = "abc", .up = 3, .facts = CAPTURE_FACT_POINTER_ONLY, .note = "urgent pointer 3 without URG"),
	}, "" },
	{ "urgent_data_after_fin", {
		A(FIN | ACK, 100, 1, .data = "a"),
		A(URG | ACK, 102, 1, .data = "b", .up = 1, .facts = NEWS | CAPTURE_FACT_AFTER_FIN, .note = "URG up=1: urgent byte 'b'"),
	}, "open 4 b - 1\n" },
	{ "ports_used_again", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'a'"),
		A(SYN, 5000, 0, .facts = CAPTURE_FACT_REUSED),
		A(URG | ACK, 5001, 1, .data = "z", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'z'"),
	}, "reused 2 a - 1\nopen 2 z - 1\n" },
	{ "repeated_syn_is_the_same_connection", {
		A(SYN, 100, 0),
		A(SYN, 100, 0),
	}, "" },
	{ "same_syn_after_a_reset_is_another", {
		A(SYN, 100, 0),
		B(RST | ACK, 0, 101),
		A(SYN, 100, 0, .facts = CAPTURE_FACT_REUSED),
	}, "" },
	{ "out_of_order_byte_comes_later", {
		A(ACK, 100, 1, .data = "a"),
		A(URG | ACK, 103, 1, .data = "d", .up = 0, .facts = MARK | CAPTURE_FACT_GAP | CAPTURE_FACT_POINTER_ZERO | CAPTURE_FACT_BYTE_1122, .note = "URG up=0: urgent byte not captured"),
		A(ACK, 101, 1, .data = "bc", .facts = CAPTURE_FACT_OLD | CAPTURE_FACT_BYTE | CAPTURE_FACT_READINGS_DIFFER, .note = "the urgent byte 'c', announced in frame 2"),
	}, "open 4 c d 1\n" },
	{ "window_ends_before_the_mark", {
		A(SYN, 99, 0),
		B(SYN | ACK, 0, 100, .window = 10),
		A(URG | ACK, 100, 1, .data = "a", .up = 11, .facts = MARK | CAPTURE_FACT_BEYOND | CAPTURE_FACT_PAST_WINDOW, .note = "URG up=11: announces the mark 10 bytes past this segment"),
	}, "open 12 - - 1\n" },
	{ "window_of_an_unseen_handshake_proves_nothing", {
		B(ACK, 0, 100, .window = 10),
		A(URG | ACK, 100, 1, .data = "a", .up = 11, .facts = MARK | CAPTURE_FACT_BEYOND, .note = "URG up=11: announces the mark 10 bytes past this segment"),
	}, "open 12 - - 1\n" },
	{ "bytes_that_do_not_print_are_escaped", {
		A(URG | ACK, 100, 1, .data = "\xff\xf2", .up = 2, .facts = NEWS, .note = "URG up=2: urgent byte '\\xf2'"),
		A(URG | ACK, 102, 1, .data = "\n'", .up = 1, .facts = NEWS | CAPTURE_FACT_BYTE_1122 | CAPTURE_FACT_REPLACES | CAPTURE_FACT_READINGS_DIFFER, .note = "URG up=1: urgent byte '\\n'; replaces a mark not yet acknowledged"),
	}, "replaced 3 \xf2 \n 1\nopen 4 \n ' 1\n" },
	{ "mark_2_gib_back_is_no_mark", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1, .facts = NEWS, .note = "URG up=1: urgent byte 'a'"),
		A(ACK, 100 + 0x3fffffff, 1, .data = "b", .facts = CAPTURE_FACT_GAP),
		A(ACK, 100 + 0x70000000, 1, .data = "c", .facts = CAPTURE_FACT_GAP),
		A(ACK, 100 + 0x70000001, 1, .data = "c"),
		A(URG | ACK, 100 + 0x90000000, 1, .data = "d", .up = 1, .facts = NEWS | CAPTURE_FACT_GAP, .note = "URG up=1: urgent byte 'd'"),
	}, "open 2 a - 1\nopen 2415919106 d - 1\n" },
	{ "what_no_window_reaches_is_not_believed", {
		A(ACK, 100, 1, .data = "a"),
		A(ACK, 0x60000000, 1, .data = "x", .facts = CAPTURE_FACT_GAP),
		A(ACK, 101, 1, .data = "b"),
	}, "" },
	{ "what_is_acknowledged_is_believed", {
		A(ACK, 100, 1, .data = "a"),
		A(ACK, 0x60000000, 1, .data = "x", .facts = CAPTURE_FACT_GAP),
		B(ACK, 1, 0x60000001),
		A(ACK, 0x60000001, 1, .data = "y"),
	}, "" },
};
/* clang-format on */

struct heard {
	char text[512];
	size_t used;
};

static char printable(int16_t byte)
{
	return byte == CAPTURE_NO_BYTE ? '-' : (char)byte;
}

static void hear(void *context, const struct capture_episode *episode)
{
	static const char *const ends[] = {
		[CAPTURE_END_ACKED] = "acked",
		[CAPTURE_END_REPLACED] = "replaced",
		[CAPTURE_END_RESET] = "reset",
		[CAPTURE_END_REUSED] = "reused",
		[CAPTURE_END_EVICTED] = "evicted",
		[CAPTURE_END_OPEN] = "open",
	};
	struct heard *heard = context;

	heard->used += (size_t)snprintf(
		heard->text + heard->used, sizeof(heard->text) - heard->used,
		"%s %u %c %c %u\n", ends[episode->end], episode->mark,
		printable(episode->byte_bsd), printable(episode->byte_1122),
		episode->segments);
}

/* The note without the flag's name, and the pointer even without a note. */
static void assert_field(const char *field,
			 const struct capture_segment *segment,
			 const char *note)
{
	char pointer[16] = "";

	if (segment->flags & CAPTURE_URG)
		snprintf(pointer, sizeof(pointer), "up=%u",
			 segment->urgent_pointer);
	if (*pointer && *note)
		note += strlen("URG ");
	assert_string_equal(field, *note ? note : pointer);
	assert_int_equal(strncmp(field, pointer, strlen(pointer)), 0);
}

static void test_script(void **state)
{
	const struct row *row = *state;
	struct heard heard = { .used = 0 };
	struct capture_flows_options options = {
		.max_flows = 4,
		.episode = hear,
		.context = &heard,
	};
	struct capture_flows *flows;
	struct capture_event event;
	char note[CAPTURE_NOTE_MAX], field[CAPTURE_NOTE_MAX];

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	for (unsigned i = 0; row->script[i].from; i++) {
		const struct script *line = &row->script[i];
		struct capture_segment segment = from_script(line);
		uint32_t ignored = CAPTURE_FACT_NEW_FLOW | CAPTURE_FACT_ACKED;

		assert_int_equal(capture_flows_segment(flows, &segment, 0,
						       i + 1, i + 1, &event),
				 0);
		if ((event.facts & ~ignored) != line->facts)
			print_error("segment %u\n", i + 1);
		assert_int_equal(event.facts & ~ignored, line->facts);
		capture_urgent_note(&segment, &event, note);
		assert_string_equal(note, line->note ? line->note : "");
		capture_urgent_field(&segment, &event, field);
		assert_field(field, &segment, note);
	}
	capture_flows_finish(flows);
	capture_flows_free(flows);
	assert_string_equal(heard.text, row->episodes);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_script,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
