#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/compare_script.h"

/* clang-format off */
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
	{ "pointers_at_their_limit_announce_one_mark", {
		HELLO,
		A(URG | ACK, 101, 501, .len = 1000, .up = 65535),
		A(URG | ACK, 1101, 501, .len = 1000, .up = 65535),
		A(URG | ACK, 2101, 501, .len = 1000, .up = 65000),
		B(ACK, 501, 3101),
	}, "mark 67001 kept\n" },
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

	{ "without_a_handshake_the_same_octet_again_and_again", {
		A(ACK, 101, 501, .data = "x", .only = 'A'),
		A(ACK, 102, 501, .data = "x"),
		A(ACK, 103, 501, .data = "x"),
		A(ACK, 104, 501, .data = "x"),
		B(ACK, 501, 105),
	}, "" },

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
		A(ACK, 101, 501, .data = "abc", .stamp = 10, .late_us = 1100),
		A(ACK, 101, 501, .data = "abc", .stamp = 20, .only = 'A'),
		B(ACK, 501, 104, .late_us = 5000),
	}, "segments-dropped a 1 A5\n" },
	{ "the_flag_tells_which_of_two_was_lost", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .late_us = 1100),
		A(ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		B(ACK, 501, 104, .late_us = 5000),
	}, "mark 4 kept\nsegments-dropped a 1 A5\n" },
	{ "time_tells_which_of_two_was_lost", {
		HELLO,
		A(ACK, 101, 501, .data = "abc", .only = 'A'),
		A(ACK, 101, 501, .data = "abc"),
		B(ACK, 501, 104),
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
	{ "reset_in_between_after_the_other_capture_ended", {
		HELLO,
		A(URG | ACK, 101, 501, .data = "abc", .up = 3, .only = 'A'),
		B(RST | ACK, 501, 104, .only = 'A', .hops = 64),
	}, "mark 4 lost\nurg-dropped a 1 A4\ndata-missing a 1 A4\nreset-injected b 1 A5\n" },
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
	{ "proxy_of_which_one_direction_was_captured", {
		B(SYN | ACK, 500, 101, .scale = 7, .only = 'A'),
		B(SYN | ACK, 7000, 101, .scale = 9, .only = 'B'),
	}, "connection-terminated - 1 A1 B1\n" },
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

static void test_row(void **state)
{
	const struct row *row = *state;
	struct told told = { 0 };
	const struct capture_compared result = compare_row(row, &told);

	assert_int_equal(result.connections, 1);
	assert_string_equal(told.text, row->told);
}

/* Whole sentences, which people forward. */
static const struct {
	const char *row;
	const char *sentence;
} sentences[] = {
	{ "flag_cleared_and_pointer_kept",
	  "On 10.0.0.1:1000 > 10.0.0.2:23, something between A and B cleared "
	  "URG: A's frame 4 announces urgent data up to octet 3 ('c'), and "
	  "what "
	  "it carries comes in B's frame 4 without the flag; the pointer still "
	  "says 3. The receiver is not told of urgent data and reads the octet "
	  "among all others.\n" },
	{ "pointer_zeroed",
	  "On 10.0.0.1:1000 > 10.0.0.2:23, something between A and B changed "
	  "the urgent pointer: 3 in A's frame 4, 0 in B's frame 4. The mark "
	  "lies 3 octets earlier: by the BSD reading octet 0 is urgent instead "
	  "of octet 3 ('c'), by RFC 1122's octet 1 instead of 4. With pointer "
	  "0, Linux takes the segment's first octet, 1.\n" },
	{ "a_lost_segment",
	  "On 10.0.0.1:1000 > 10.0.0.2:23, lost between A and B: 1 of 5 "
	  "segments (the first: A's frame 4, octets 1 to 3). What was in them "
	  "came in others.\n" },
	{ "acknowledged_in_between",
	  "On 10.0.0.2:23 > 10.0.0.1:1000, made between B and A: 1 "
	  "acknowledgement (the first: A's frame 5). Something acknowledges in "
	  "the other end's name.\n" },
};

static void sentences_stand_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sentences); i++) {
		struct told told = { 0 };
		size_t r = 0;

		while (strcmp(rows[r].name, sentences[i].row))
			r++;
		compare_row(&rows[r], &told);
		assert_string_equal(told.sentences, sentences[i].sentence);
	}
}

static void ends_are_written_as_addresses_are(void **state)
{
	const struct capture_endpoint v6 = { .address = { [15] = 1 },
					     .address_len = 16,
					     .port = 80 };
	const struct capture_endpoint v4 = { .address = { 10, 0, 0, 1 },
					     .address_len = 4,
					     .port = 65535 };
	char text[CAPTURE_ENDPOINT_MAX];

	(void)state;
	assert_string_equal(capture_endpoint_text(&v6, text), "[::1]:80");
	assert_string_equal(capture_endpoint_text(&v4, text), "10.0.0.1:65535");
}

static void every_kind_has_its_name_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < capture_difference_count; i++) {
		const struct capture_difference_kind *kind =
			&capture_differences[i];

		assert_ptr_equal(capture_difference_by_name(kind->name), kind);
		assert_true(strlen(kind->meaning) > 20);
		assert_true(kind->meaning[strlen(kind->meaning) - 1] != '.');
	}
	assert_null(capture_difference_by_name("no-such-kind"));
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(sentences_stand_alone),
		cmocka_unit_test(ends_are_written_as_addresses_are),
		cmocka_unit_test(every_kind_has_its_name_once),
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
