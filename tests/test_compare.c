#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "capture/compare.h"
#include "capture/flow.h"
#include "tests/segments.h"

/*
 * Segments as they cross a path: near A sits a, near B sits b, 400 us apart;
 * B's clock is one second ahead. A line is seen by both captures unless it
 * says otherwise; what a box in between does is one line for each capture.
 */
enum {
	PATH_US = 400,
	AHEAD_US = 1000000,
	STEP_US = 1000, /* from a line to the next */
	MSS = 1000,
	LINES = 40,
	DATA_MAX = 70000,
	PSH = 0x08
};

struct line {
	char from; /* 'a', 'b'; 0 ends a script */
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	const char *data; /* or `len` octets that depend on seq alone */
	uint32_t len;
	uint16_t up;
	char only;	  /* 'A', 'B': seen by this capture alone */
	uint32_t late_us; /* longer on the path */
	uint32_t stamp;	  /* 0: no timestamps */
	uint32_t window;  /* 0: 1000 */
	uint8_t hops;	  /* as it arrives; 0: 62 of 64 */
	uint8_t scale;	  /* of a SYN; 0: not offered */
	bool fragment;
	bool cut;	/* by the snaplen, to 4 octets */
	uint32_t shift; /* of all sequence numbers, in B */
	bool nat;	/* in the first: B has other addresses */
};

struct row {
	const char *name;
	struct line lines[LINES];
	const char *told;
};

/* clang-format off */
#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define HELLO A(SYN, 100, 0), B(SYN | ACK, 500, 101), A(ACK, 101, 501)
#define BYE A(FIN | ACK, 900, 501), B(FIN | ACK, 501, 901), A(ACK, 901, 502)

static const struct row rows[] = {
	/* --- what is no change --- */
	{ "same_on_both_sides", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		B(ACK, 501, 104),
	}, "mark 4 kept\n" },
	{ "sent_again_is_no_change", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		B(ACK, 501, 104),
	}, "mark 4 kept\n" },
	{ "offload_at_the_sender_is_no_change", {
		HELLO,
		A(ACK, 101, 501, .len = 3000, .only = 'A'),
		A(ACK, 101, 501, .len = 1000, .only = 'B'),
		A(ACK, 1101, 501, .len = 1000, .only = 'B'),
		A(ACK, 2101, 501, .len = 1000, .only = 'B'),
		B(ACK, 501, 3101),
	}, "" },
	{ "offload_at_the_receiver_is_no_change", {
		HELLO,
		A(ACK, 101, 501, .len = 1000, .only = 'A'),
		A(ACK, 1101, 501, .len = 1000, .only = 'A'),
		A(PSH | ACK, 2101, 501, .len = 7, .only = 'A'),
		A(PSH | ACK, 101, 501, .len = 2007, .only = 'B'),
		B(ACK, 501, 2108),
	}, "" },
	{ "small_segments_of_one_size_joined_on_arrival_are_no_change", {
		HELLO,
		A(ACK, 101, 501, .len = 200, .only = 'A'),
		A(PSH | ACK, 301, 501, .len = 200, .only = 'A'),
		A(PSH | ACK, 101, 501, .len = 400, .only = 'B'),
		B(ACK, 501, 501),
	}, "" },
	{ "offload_at_both_ends_cuts_at_other_places", {
		HELLO,
		A(ACK, 101, 501, .len = 4000, .only = 'A'),
		A(ACK, 4101, 501, .len = 2000, .only = 'A'),
		A(ACK, 101, 501, .len = 3000, .only = 'B'),
		A(ACK, 3101, 501, .len = 3000, .only = 'B'),
		B(ACK, 501, 6101),
	}, "" },
	{ "loss_within_an_offloaded_segment", {
		HELLO,
		A(ACK, 101, 501, .len = 3000, .only = 'A'),
		A(ACK, 101, 501, .len = 1000, .only = 'B'),
		A(ACK, 2101, 501, .len = 1000, .only = 'B'),
		A(ACK, 1101, 501, .len = 1000),
		B(ACK, 501, 3101),
	}, "segments-dropped a 1 A4\n" },
	{ "the_fin_may_come_in_a_segment_of_its_own", {
		HELLO,
		A(FIN | ACK, 101, 501, .len = 3000, .only = 'A'),
		A(ACK, 101, 501, .len = 1500, .only = 'B'),
		A(FIN | ACK, 1601, 501, .len = 1500, .only = 'B'),
		B(ACK, 501, 3102),
	}, "" },
	{ "mark_moved_to_another_segment_names_the_same_octet", {
		HELLO,
		A(URG | ACK, 101, 501, .len = 100, .up = 100, .only = 'A'),
		A(URG | ACK, 101, 501, .len = 50, .up = 100, .only = 'B'),
		A(URG | ACK, 151, 501, .len = 50, .up = 50, .only = 'B'),
		B(ACK, 501, 201),
	}, "mark 101 moved\nmark-moved a 1 A4 B4\nresegmented a 1 A4 B4\n" },
	{ "only_the_second_half_announces_the_mark", {
		HELLO,
		A(URG | ACK, 101, 501, .len = 100, .up = 100, .only = 'A'),
		A(ACK, 101, 501, .len = 50, .only = 'B'),
		A(URG | ACK, 151, 501, .len = 50, .up = 50, .only = 'B'),
		B(ACK, 501, 201),
	}, "mark 101 moved\nmark-moved a 1 A4 B5\nresegmented a 1 A4 B4\n" },
	{ "joined_with_what_follows", {
		HELLO,
		A(URG | PSH | ACK, 101, 501, .len = 10, .up = 10, .only = 'A'),
		A(PSH | ACK, 111, 501, .len = 20, .only = 'A'),
		A(URG | PSH | ACK, 101, 501, .len = 30, .up = 10, .only = 'B'),
		B(ACK, 501, 131),
	}, "mark 11 moved\nmark-moved a 1 A4 B4\nresegmented a 1 A4 B4\n" },

	/* --- urgent marks --- */
	{ "flag_cleared_and_pointer_kept", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .up = 3, .only = 'B'),
		B(ACK, 501, 104),
	}, "mark 4 cleared\nurg-cleared a 1 A4 B4\n" },
	{ "flag_and_pointer_cleared", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .only = 'B'),
		B(ACK, 501, 104),
	}, "mark 4 cleared zeroed\nurg-cleared a 1 A4 B4\n" },
	{ "cleared_once_and_sent_again_untouched", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .up = 3, .only = 'B'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
		B(ACK, 501, 104),
	}, "mark 4 kept\nurg-cleared a 1 A4 B4\n" },
	{ "flag_cleared_when_cut", {
		HELLO,
		A(URG | ACK, 101, 501, .len = 100, .up = 100, .only = 'A'),
		A(ACK, 101, 501, .len = 50, .only = 'B'),
		A(ACK, 151, 501, .len = 50, .only = 'B'),
		B(ACK, 501, 201),
	}, "mark 101 cleared zeroed\nurg-cleared a 1 A4 B4\nresegmented a 1 A4 B4\n" },
	{ "empty_announcement_cleared", {
		HELLO,
		A(URG | ACK, 101, 501, .up = 3, .only = 'A'),
		A(ACK, 101, 501, .up = 3, .only = 'B'),
		B(ACK, 501, 101),
	}, "mark 4 cleared\nurg-cleared a 1 A4 B4\n" },
	{ "pointer_zeroed", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 0, .only = 'B'),
		B(ACK, 501, 104),
	}, "mark 4 changed to 1\npointer-changed a 1 A4 B4\n" },
	{ "pointer_made_one_less", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 2, .only = 'B'),
		B(ACK, 501, 104),
	}, "mark 4 changed to 3\npointer-changed a 1 A4 B4\n" },
	{ "pointer_copied_to_the_second_half", {
		HELLO,
		A(URG | ACK, 101, 501, .len = 100, .up = 100, .only = 'A'),
		A(ACK, 101, 501, .len = 50, .only = 'B'),
		A(URG | ACK, 151, 501, .len = 50, .up = 100, .only = 'B'),
		B(ACK, 501, 201),
	}, "mark 101 changed to 151\npointer-changed a 1 A4 B5\nresegmented a 1 A4 B4\n" },
	{ "two_marks_joined_into_one", {
		HELLO,
		A(URG | PSH | ACK, 101, 501, .data = "a", .up = 1, .only = 'A'),
		A(URG | PSH | ACK, 102, 501, .data = "b", .up = 1, .only = 'A'),
		A(URG | PSH | ACK, 101, 501, .data = "ab", .up = 2, .only = 'B'),
		B(ACK, 501, 103),
	}, "mark 2 lost\nmark 3 moved\nurg-dropped a 1 A4\nmark-moved a 1 A5 B4\nresegmented a 1 A4 B4\n" },
	{ "flag_set_on_the_way", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 1, .only = 'B'),
		B(ACK, 501, 104),
	}, "mark 2 made\nurg-made a 1 A4 B4\n" },
	{ "segments_with_the_flag_dropped", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		B(ACK, 501, 101),
	}, "mark 4 lost\nurg-dropped a 2 A4\ndata-missing a 2 A4\n" },
	{ "announcement_lost_and_sent_again", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .late_us = 100),
		B(ACK, 501, 104),
	}, "mark 4 kept\nsegments-dropped a 1 A4\n" },
	{ "lost_and_sent_again_without_the_flag", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 104),
	}, "mark 4 lost\nurg-dropped a 1 A4\nsegments-dropped a 1 A4\n" },
	{ "pointer_without_the_flag_zeroed", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .only = 'B'),
		B(ACK, 501, 104),
	}, "pointer-scrubbed a 1 A4 B4\n" },
	{ "other_direction", {
		HELLO,
		B(URG | ACK, 501, 101, .data = "abc", .up = 3, .only = 'B'),
		B(ACK, 501, 101, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 504),
	}, "mark 4 cleared\nurg-cleared b 1 A4 B4\n" },
	{ "across_the_wrap_of_sequence_numbers", {
		A(SYN, 0xfffffffd, 0), B(SYN | ACK, 500, 0xfffffffe),
		A(URG | ACK, 0xfffffffe, 501, .data = "abcd", .up = 4, .only = 'A'),
		A(ACK, 0xfffffffe, 501, .data = "abcd", .up = 4, .only = 'B'),
		B(ACK, 501, 2),
	}, "mark 5 cleared\nurg-cleared a 1 A3 B3\n" },
	{ "without_a_handshake", {
		A(ACK, 101, 501, .data = "x"),
		A(URG | ACK, 102, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 102, 501, .data = "abc", .up = 3, .only = 'B'),
		B(ACK, 501, 105),
	}, "mark 5 cleared\nurg-cleared a 1 A2 B2\n" },

	/* --- data and segments --- */
	{ "data_changed", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		A(ACK, 101, 501, .data = "abd", .only = 'B'),
		B(ACK, 501, 104),
	}, "data-changed a 1 A4 B4\n" },
	{ "data_changed_where_cut", {
		HELLO,
		A(ACK, 101, 501, .data = "abcd", .only = 'A'),
		A(ACK, 101, 501, .data = "ab", .only = 'B'),
		A(ACK, 103, 501, .data = "xd", .only = 'B'),
		B(ACK, 501, 105),
	}, "data-changed a 1 A4 B4\nresegmented a 1 A4 B4\n" },
	{ "octets_that_were_not_captured_are_not_compared", {
		HELLO,
		A(ACK, 101, 501, .data = "abcdefgh", .only = 'A'),
		A(ACK, 101, 501, .data = "abcdefgh", .cut = true, .only = 'B'),
		B(ACK, 501, 109),
	}, "" },
	{ "a_lost_segment", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		A(ACK, 104, 501, .data = "def"),
		B(ACK, 501, 101),
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 107),
	}, "segments-dropped a 1 A4\n" },
	{ "timestamps_tell_which_of_two_was_lost", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .stamp = 10, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .stamp = 20, .late_us = 5000),
		B(ACK, 501, 104, .late_us = 5000),
	}, "segments-dropped a 1 A4\n" },
	{ "a_copied_segment", {
		HELLO,
		A(ACK, 101, 501, .data = "abc"),
		A(ACK, 101, 501, .data = "abc", .only = 'B'),
		B(ACK, 501, 104),
	}, "segments-duplicated a 1 B5\n" },
	{ "a_copied_acknowledgement", {
		HELLO,
		A(ACK, 101, 501, .only = 'B'),
		B(ACK, 501, 101, .data = "x"),
	}, "segments-duplicated a 1 B4\n" },
	{ "overtaken", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .late_us = 1500),
		A(ACK, 104, 501, .data = "def"),
		B(ACK, 501, 107, .late_us = 3000),
	}, "segments-reordered a 1 A4 B5\n" },
	{ "delayed", {
		HELLO,
		A(ACK, 101, 501, .data = "a"), A(ACK, 102, 501, .data = "b"),
		A(ACK, 103, 501, .data = "c"), A(ACK, 104, 501, .data = "d"),
		A(ACK, 105, 501, .data = "e"), A(ACK, 106, 501, .data = "f"),
		A(ACK, 107, 501, .data = "g"), A(ACK, 108, 501, .data = "h"),
		A(URG | ACK, 109, 501, .data = "i", .up = 1, .late_us = 40000),
		B(ACK, 501, 110, .late_us = 60000),
	}, "mark 10 kept\nsegments-delayed a 1 A12 B13\n" },
	{ "cut_below_the_maximum_segment_size", {
		HELLO,
		A(ACK, 101, 501, .len = 100, .only = 'A'),
		A(ACK, 101, 501, .len = 60, .only = 'B'),
		A(ACK, 161, 501, .len = 40, .only = 'B'),
		B(ACK, 501, 201),
	}, "resegmented a 1 A4 B4\n" },
	{ "fragments", {
		HELLO,
		A(ACK, 101, 501, .len = 900, .only = 'A'),
		A(ACK, 101, 501, .len = 500, .fragment = true, .only = 'B'),
		B(ACK, 501, 1001),
	}, "fragmented a 1 A4\n" },
	{ "a_capture_that_lost_a_segment", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		B(ACK, 501, 104),
	}, "capture-incomplete a 1 A4\n" },
	{ "the_capture_near_the_sender_lost_a_segment", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'B'),
		A(ACK, 104, 501, .data = "def"),
		B(ACK, 501, 107),
	}, "capture-incomplete a 1 B4\n" },
	{ "before_the_other_capture_ran", {
		A(SYN, 100, 0, .only = 'A'), B(SYN | ACK, 500, 101, .only = 'A'), A(ACK, 101, 501, .only = 'A'),
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 104),
	}, "" },
	{ "after_the_other_capture_ended", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
	}, "" },
	{ "tried_in_vain_after_the_other_capture_ended", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
	}, "data-missing a 2 A4\n" },
	{ "reset_in_between", {
		HELLO,
		A(RST, 101, 0, .only = 'B', .hops = 60),
		B(RST, 501, 0, .only = 'A', .hops = 60),
		A(ACK, 101, 501, .data = "x"),
	}, "reset-injected a 1 B4\nreset-injected b 1 A4\n" },
	{ "reset_by_the_end_itself", {
		HELLO,
		A(RST, 101, 0),
	}, "" },
	{ "data_put_in", {
		HELLO,
		A(ACK, 101, 501, .data = "abc"),
		A(ACK, 104, 501, .data = "evil", .only = 'B'),
		B(ACK, 501, 104),
		B(ACK, 501, 108),
	}, "segments-injected a 1 B5\n" },
	{ "acknowledged_in_between", {
		HELLO,
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 104, .only = 'A'),
		B(ACK, 501, 104, .data = "x"),
	}, "acks-injected b 1 A5\n" },
	{ "a_lost_acknowledgement", {
		HELLO,
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 104, .only = 'B'),
		A(ACK, 104, 501, .data = "d"),
		B(ACK, 501, 105),
	}, "acks-dropped b 1 B5\n" },

	/* --- connections --- */
	{ "translated_addresses", {
		A(SYN, 100, 0, .nat = true), B(SYN | ACK, 500, 101), A(ACK, 101, 501),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		A(ACK, 101, 501, .data = "abc", .up = 3, .only = 'B'),
		B(ACK, 501, 104),
	}, "by sequence\nmark 4 cleared\nurg-cleared a 1 A4 B4\naddresses-translated - 1\n" },
	{ "translated_addresses_without_a_handshake", {
		A(ACK, 101, 501, .data = "hello", .nat = true),
		B(ACK, 501, 106, .data = "world"),
	}, "by sequence\naddresses-translated - 1\n" },
	{ "sequence_numbers_shifted", {
		A(SYN, 100, 0, .shift = 7), B(SYN | ACK, 500, 101, .shift = 7), A(ACK, 101, 501, .shift = 7),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .shift = 7),
		B(ACK, 501, 104, .shift = 7),
	}, "mark 4 kept\nsequence-rewritten a 3 A1 B1\nsequence-rewritten b 2 A2 B2\n" },
	{ "sequence_numbers_shifted_without_a_handshake", {
		A(ACK, 101, 501, .data = "hello", .shift = 7),
		A(URG | ACK, 106, 501, .data = "abc", .up = 3, .shift = 7),
		B(ACK, 501, 109, .data = "world", .shift = 7),
	}, "mark 9 kept\nsequence-rewritten a 2 A1 B1\nsequence-rewritten b 1 A3 B3\n" },
	{ "shifted_and_translated", {
		A(SYN, 100, 0, .shift = 7, .nat = true), B(SYN | ACK, 500, 101, .shift = 7), A(ACK, 101, 501, .shift = 7),
		A(URG | ACK, 101, 501, .data = "abcd", .up = 3, .shift = 7),
		B(ACK, 501, 105, .shift = 7),
	}, "by payload\nmark 4 kept\nsequence-rewritten a 3 A1 B1\nsequence-rewritten b 2 A2 B2\naddresses-translated - 1\n" },
	{ "proxy", {
		A(SYN, 100, 0, .scale = 7, .only = 'A'),
		A(SYN, 9000, 0, .scale = 9, .hops = 64, .only = 'B'),
		B(SYN | ACK, 500, 101, .scale = 7, .only = 'A'),
		B(SYN | ACK, 7000, 9001, .scale = 9, .only = 'B'),
		A(ACK, 101, 501, .only = 'A'),
		A(ACK, 9001, 7001, .only = 'B'),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		B(ACK, 501, 104, .only = 'A'),
		A(ACK, 9001, 7001, .data = "ab", .window = 77, .only = 'B'),
		A(ACK, 9003, 7001, .data = "c", .window = 77, .only = 'B'),
		B(ACK, 7001, 9004, .only = 'B'),
		A(ACK, 9004, 7001, .only = 'B'),
		A(ACK, 104, 501, .only = 'A'),
	}, "mark 4 cleared zeroed\nurg-cleared a 1 A4 B4\nconnection-terminated - 1 A1 B1\n" },
	{ "options_of_the_syn_changed", {
		A(SYN, 100, 0, .scale = 7, .only = 'A'),
		A(SYN, 100, 0, .only = 'B'),
		B(SYN | ACK, 500, 101, .scale = 7), A(ACK, 101, 501),
	}, "syn-options-changed a 1 A1 B1\n" },
	{ "only_one_direction_captured", {
		A(SYN, 100, 0), A(ACK, 101, 501),
		A(URG | ACK, 101, 501, .data = "abc", .up = 3),
	}, "mark 4 kept\n" },
};
/* clang-format on */

/* --- both captures of a row ---------------------------------------------- */

struct record {
	int64_t time_ns;
	const struct line *line;
};

struct feed {
	struct record records[LINES];
	size_t count;
};

static void add_record(struct feed *feed, const struct line *line,
		       int64_t time_us)
{
	struct record record = { time_us * 1000, line };
	size_t i = feed->count++;

	for (; i > 0 && feed->records[i - 1].time_ns > record.time_ns; i--)
		feed->records[i] = feed->records[i - 1];
	feed->records[i] = record;
}

static void make_feeds(const struct row *row, struct feed feeds[2])
{
	for (int i = 0; i < LINES && row->lines[i].from; i++) {
		const struct line *line = &row->lines[i];
		const int64_t sent = (int64_t)(i + 1) * STEP_US;
		const int64_t came = sent + PATH_US + line->late_us;
		const bool to_b = line->from == 'a';

		if (line->only != 'B')
			add_record(&feeds[CAPTURE_A], line, to_b ? sent : came);
		if (line->only != 'A')
			add_record(&feeds[CAPTURE_B], line,
				   (to_b ? came : sent) + AHEAD_US);
	}
}

static uint8_t put_options(const struct line *line, uint8_t *out)
{
	uint8_t n = 0;

	if (line->flags & SYN) {
		const uint8_t mss[] = { 2, 4, MSS >> 8, MSS & 0xff };

		memcpy(out, mss, 4);
		n = 4;
	}
	if (line->scale) {
		const uint8_t scale[] = { 3, 3, line->scale };

		memcpy(out + n, scale, 3);
		n += 3;
	}
	if (line->stamp) {
		const uint8_t stamps[] = { 8, 10, 0, 0, 0, (uint8_t)line->stamp,
					   0, 0,  0, 0 };

		memcpy(out + n, stamps, 10);
		n += 10;
	}
	return n;
}

/* The segment of a line as one of the captures sees it. */
static struct capture_segment make_segment(const struct row *row,
					   const struct line *line,
					   enum capture_side side)
{
	static const uint8_t ends[4][4] = { { 10, 0, 0, 1 },
					    { 10, 0, 0, 2 },
					    { 192, 0, 2, 1 },
					    { 192, 0, 2, 2 } };
	static const uint16_t ports[4] = { 1000, 23, 40000, 2323 };
	static uint8_t options[40], data[DATA_MAX];
	const unsigned base = row->lines[0].nat && side == CAPTURE_B ? 2 : 0;
	const unsigned from = line->from == 'b';
	const uint32_t shift = side == CAPTURE_B ? line->shift : 0;
	const bool arrives = (line->from == 'a') == (side == CAPTURE_B);
	uint32_t len = line->data ? (uint32_t)strlen(line->data) : line->len;

	for (uint32_t i = 0; i < len; i++)
		data[i] = line->data ? (uint8_t)line->data[i]
				     : (uint8_t)((line->seq + i) * 37 >> 3);
	return (struct capture_segment){
		.src = ends[base + from],
		.dst = ends[base + !from],
		.address_len = 4,
		.sport = ports[base + from],
		.dport = ports[base + !from],
		.options = options,
		.options_len = put_options(line, options),
		.payload = data,
		.payload_len = len,
		.payload_caplen = line->cut && len > 4 ? 4 : len,
		.seq = line->seq + shift,
		.ack = line->ack + (line->flags & ACK ? shift : 0),
		.window = (uint16_t)(line->window ? line->window : 1000),
		.urgent_pointer = line->up,
		.flags = line->flags,
		.fragment = line->fragment,
		.hops = !arrives     ? 64
			: line->hops ? line->hops
				     : 62,
	};
}

static void feed_all(struct capture_compare *compare, const struct row *row,
		     enum capture_side side, const struct feed *feed)
{
	const struct capture_flows_options options = { .max_flows = 64 };
	struct capture_flows *flows;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	for (size_t i = 0; i < feed->count; i++) {
		const struct record *record = &feed->records[i];
		struct capture_segment segment =
			make_segment(row, record->line, side);
		struct capture_packet packet = { .time_ns = record->time_ns };
		struct capture_event event;
		struct capture_sighting seen = { i + 1, &packet, &segment,
						 &event };

		assert_int_equal(capture_flows_segment(flows, &segment, 0,
						       i + 1, record->time_ns,
						       &event),
				 0);
		assert_int_equal(capture_compare_segment(compare, side, &seen),
				 0);
	}
	capture_flows_free(flows);
}

/* --- what is told, as lines of text -------------------------------------- */

struct told {
	char text[4096];
	size_t used;
	struct capture_connection connection;
	char sentences[8192];
};

__attribute__((format(printf, 2, 3))) static void add(struct told *told,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	told->used += (size_t)vsnprintf(told->text + told->used,
					sizeof(told->text) - told->used, format,
					args);
	va_end(args);
}

static void on_connection(void *context, const struct capture_connection *c)
{
	struct told *told = context;

	told->connection = *c;
	if (c->pairing == CAPTURE_BY_SEQUENCE)
		add(told, "by sequence\n");
	if (c->pairing == CAPTURE_BY_PAYLOAD)
		add(told, "by payload\n");
}

static void on_mark(void *context, const struct capture_mark *mark)
{
	struct told *told = context;

	add(told, "mark %lld %s", (long long)mark->mark,
	    capture_outcome_name(mark->outcome));
	if (mark->outcome == CAPTURE_MARK_CHANGED)
		add(told, " to %lld", (long long)mark->mark_arrived);
	add(told, "%s\n", mark->pointers_zeroed ? " zeroed" : "");
}

static void on_difference(void *context, const struct capture_difference *d)
{
	struct told *told = context;

	add(told, "%s %c %llu", d->kind->name, "ab-"[d->direction],
	    (unsigned long long)d -> count);
	if (d->frame_a)
		add(told, " A%llu", (unsigned long long)d->frame_a);
	if (d->frame_b)
		add(told, " B%llu", (unsigned long long)d->frame_b);
	add(told, "\n");
	assert_true(strlen(d->sentence) > 20);
	assert_true(strlen(d->sentence) + 1 < CAPTURE_SENTENCE_MAX);
	strcat(strcat(told->sentences, d->sentence), "\n");
}

static struct capture_compared run(const struct row *row, struct told *told)
{
	const struct capture_compare_options options = {
		.listener = {
			.connection = on_connection,
			.mark = on_mark,
			.difference = on_difference,
			.context = told,
		},
	};
	struct capture_compare *compare;
	struct capture_compared result;
	struct feed feeds[2] = { 0 };

	make_feeds(row, feeds);
	assert_int_equal(capture_compare_new(&compare, &options), 0);
	feed_all(compare, row, CAPTURE_A, &feeds[CAPTURE_A]);
	feed_all(compare, row, CAPTURE_B, &feeds[CAPTURE_B]);
	assert_int_equal(capture_compare_finish(compare, &result), 0);
	capture_compare_free(compare);
	return result;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct told told = { 0 };
	struct capture_compared result = run(row, &told);

	if (getenv("SHOW"))
		print_message("%s\n", told.sentences);
	assert_int_equal(result.connections, 1);
	assert_string_equal(told.text, row->told);
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_row,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
