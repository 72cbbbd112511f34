#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "capture/finding.h"
#include "tests/segments.h"

/*
 * Each finding, and beside it what comes near and is none. The client, a,
 * sends from 100 on, the server, b, from 1.
 */
struct row {
	const char *name;
	uint16_t port; /* the server's; 0: 9, which is nobody's */
	bool scaled;   /* windows are, by 7 */
	struct script script[6];
	const char *want; /* "FRAME:NAME ..." */
};

/* clang-format off */
#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define ROW(name_, ...) { .name = #name_, __VA_ARGS__ }
#define SCRIPT(...) .script = { __VA_ARGS__ }

static const struct row rows[] = {
	ROW(ordinary_data, SCRIPT(A(ACK, 100, 1, .data = "abc"), B(ACK, 1, 103)), .want = ""),
	ROW(one_urgent_byte, SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), B(ACK, 1, 103)), .want = ""),

	ROW(pointer_one_beyond_the_data,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 4)),
	    .want = "1:pointer-beyond-data"),
	ROW(pointer_beyond_what_was_captured,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .len = 9, .up = 9)),
	    .want = ""),
	ROW(pointer_beyond_on_reset_is_only_that,
	    SCRIPT(A(URG | RST | ACK, 100, 1, .data = "abc", .up = 4)),
	    .want = "1:urg-on-rst"),

	ROW(largest_pointer,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 65535)),
	    .want = "1:pointer-beyond-data 1:pointer-saturated"),
	ROW(largest_pointer_moving_on_is_one_mark,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 65535),
		   A(URG | ACK, 103, 1, .data = "abc", .up = 65534)),
	    .want = "1:pointer-beyond-data 1:pointer-saturated 2:pointer-beyond-data"),
	ROW(pointer_one_less_than_the_largest,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 65534)),
	    .want = "1:pointer-beyond-data"),
	ROW(largest_pointer_within_a_jumbogram,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .len = 70000, .up = 65535)),
	    .want = ""),
	ROW(largest_pointer_on_a_reset_is_only_that,
	    SCRIPT(A(URG | RST | ACK, 100, 1, .up = 65535)),
	    .want = "1:urg-on-rst"),

	ROW(pointer_zero, SCRIPT(A(URG | ACK, 100, 1, .data = "abc")), .want = "1:pointer-zero"),
	ROW(pointer_one, SCRIPT(A(URG | ACK, 100, 1, .data = "aaa", .up = 1)), .want = ""),
	ROW(pointer_zero_takes_the_byte_before,
	    SCRIPT(A(ACK, 100, 1, .data = "ab"), A(URG | ACK, 102, 1, .data = "c")),
	    .want = "2:pointer-zero 2:readings-differ"),

	ROW(pointer_without_urg,
	    SCRIPT(A(ACK, 100, 1, .data = "abc", .up = 3)),
	    .want = "1:pointer-without-urg"),
	ROW(pointer_without_urg_on_a_syn_as_nmap_sends,
	    SCRIPT(A(SYN, 100, 0, .up = 0xf7f5)),
	    .want = "1:pointer-without-urg"),

	ROW(urg_on_syn, SCRIPT(A(URG | SYN, 100, 0, .up = 1)), .want = "1:urg-on-syn"),
	ROW(urg_on_the_answer_to_a_syn,
	    SCRIPT(A(SYN, 99, 0), B(URG | SYN | ACK, 0, 100, .up = 1)),
	    .want = "2:urg-on-syn"),
	ROW(urg_right_after_the_syn,
	    SCRIPT(A(SYN, 99, 0), B(SYN | ACK, 0, 100), A(URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),

	ROW(urg_on_rst,
	    SCRIPT(A(URG | RST | ACK, 100, 1, .up = 1)),
	    .want = "1:urg-on-rst"),
	ROW(reset_after_urgent_data,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), A(RST | ACK, 101, 1)),
	    .want = ""),

	ROW(urg_without_data,
	    SCRIPT(A(URG | ACK, 100, 1, .up = 1)),
	    .want = "1:urg-without-data"),
	ROW(urg_on_a_fin_without_data,
	    SCRIPT(A(URG | FIN | ACK, 100, 1, .up = 1)),
	    .want = "1:urg-without-data"),
	ROW(urg_without_what_was_cut_when_captured,
	    SCRIPT(A(URG | ACK, 100, 1, .len = 1, .up = 1)),
	    .want = ""),

	ROW(new_data_points_backwards,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 9), A(URG | ACK, 101, 1, .data = "b", .up = 1)),
	    .want = "1:pointer-beyond-data 2:pointer-backwards"),
	ROW(announcement_alone_points_backwards,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 9), A(URG | ACK, 101, 1, .up = 1)),
	    .want = "1:pointer-beyond-data 2:urg-without-data 2:pointer-backwards"),
	ROW(new_data_points_to_the_same_mark,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 2), A(URG | ACK, 101, 1, .data = "b", .up = 1)),
	    .want = "1:pointer-beyond-data"),
	ROW(late_segment_points_to_its_old_mark,
	    SCRIPT(A(URG | ACK, 101, 1, .data = "a", .up = 1), A(URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),

	ROW(retransmission_points_before,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 100, 1, .data = "abc", .up = 2)),
	    .want = "2:retransmission-moves-pointer"),
	ROW(retransmission_cut_otherwise,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 102, 1, .data = "c", .up = 1)),
	    .want = ""),
	ROW(retransmission_before_the_byte,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 100, 1, .data = "ab", .up = 1)),
	    .want = ""),
	ROW(retransmission_announces_what_waits,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 100, 1, .data = "abc", .up = 4)),
	    .want = "2:pointer-beyond-data 2:several-marks"),

	ROW(retransmission_without_urg,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(ACK, 100, 1, .data = "abc")),
	    .want = "2:retransmission-drops-urg"),
	ROW(retransmission_of_the_rest_without_urg,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(ACK, 100, 1, .data = "ab")),
	    .want = ""),
	ROW(retransmission_with_flag_cleared_only,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(ACK, 100, 1, .data = "abc", .up = 3)),
	    .want = "2:pointer-without-urg 2:retransmission-drops-urg"),
	ROW(keep_alive_of_one_octet,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), B(ACK, 1, 103), A(ACK, 102, 1, .data = "?")),
	    .want = ""),

	ROW(urgent_byte_changed,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 100, 1, .data = "ab?", .up = 3)),
	    .want = "2:urgent-byte-changed"),
	ROW(byte_beside_the_urgent_one_changed,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "abc", .up = 3), A(URG | ACK, 100, 1, .data = "a?c", .up = 3)),
	    .want = ""),
	ROW(changed_byte_was_cut_when_captured,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "ab", .len = 3, .up = 3), A(URG | ACK, 100, 1, .data = "ab?", .up = 3)),
	    .want = ""),

	ROW(pointer_past_the_window,
	    SCRIPT(A(SYN, 99, 0), B(SYN | ACK, 0, 100, .window = 8), A(URG | ACK, 100, 1, .data = "a", .up = 9)),
	    .want = "3:pointer-beyond-data 3:pointer-past-window"),
	ROW(pointer_to_the_end_of_the_window,
	    SCRIPT(A(SYN, 99, 0), B(SYN | ACK, 0, 100, .window = 8), A(URG | ACK, 100, 1, .data = "a", .up = 8)),
	    .want = "3:pointer-beyond-data"),
	ROW(pointer_within_the_window_as_scaled, .scaled = true,
	    SCRIPT(A(SYN, 99, 0), B(SYN | ACK, 0, 100), B(ACK, 1, 100, .window = 8), A(URG | ACK, 100, 1, .data = "a", .up = 1024)),
	    .want = "4:pointer-beyond-data"),
	ROW(pointer_past_the_window_as_scaled, .scaled = true,
	    SCRIPT(A(SYN, 99, 0), B(SYN | ACK, 0, 100), B(ACK, 1, 100, .window = 8), A(URG | ACK, 100, 1, .data = "a", .up = 1025)),
	    .want = "4:pointer-beyond-data 4:pointer-past-window"),
	ROW(pointer_past_a_window_of_unknown_scale,
	    SCRIPT(B(ACK, 1, 100, .window = 8), A(URG | ACK, 100, 1, .data = "a", .up = 9)),
	    .want = "2:pointer-beyond-data"),

	ROW(second_mark_before_the_first_is_acknowledged,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), A(URG | ACK, 101, 1, .data = "a", .up = 1)),
	    .want = "2:several-marks"),
	ROW(second_mark_after_it,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), B(ACK, 1, 101), A(URG | ACK, 101, 1, .data = "a", .up = 1)),
	    .want = ""),
	ROW(marks_of_both_directions,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), B(URG | ACK, 1, 100, .data = "a", .up = 1)),
	    .want = ""),

	ROW(announcement_to_a_shut_window,
	    SCRIPT(B(ACK, 1, 100, .shut = true), A(URG | ACK, 99, 1, .up = 2)),
	    .want = "2:urg-without-data 2:zero-window-announcement"),
	ROW(reset_to_a_shut_window,
	    SCRIPT(B(ACK, 1, 100, .shut = true), A(URG | RST | ACK, 100, 1, .up = 2)),
	    .want = "2:urg-on-rst"),
	ROW(announcement_after_it_opened,
	    SCRIPT(B(ACK, 1, 100, .shut = true), B(ACK, 1, 100), A(URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),
	ROW(announcement_with_the_own_window_shut,
	    SCRIPT(B(ACK, 1, 100), A(URG | ACK, 100, 1, .data = "a", .up = 1, .shut = true)),
	    .want = ""),

	ROW(urgent_data_behind_the_fin,
	    SCRIPT(A(FIN | ACK, 100, 1, .data = "a"), A(URG | ACK, 102, 1, .data = "b", .up = 1)),
	    .want = "2:urgent-after-fin"),
	ROW(data_behind_the_fin_is_not_urgent,
	    SCRIPT(A(FIN | ACK, 100, 1, .data = "a"), A(ACK, 102, 1, .data = "b", .up = 1)),
	    .want = "2:pointer-without-urg"),
	ROW(urgent_data_with_the_fin,
	    SCRIPT(A(FIN | URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),
	ROW(urgent_data_sent_again_after_the_fin,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), A(FIN | ACK, 101, 1), A(URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),
	ROW(urgent_data_behind_the_fin_of_the_other,
	    SCRIPT(B(FIN | ACK, 1, 100), A(URG | ACK, 100, 2, .data = "a", .up = 1)),
	    .want = ""),

	ROW(readings_differ_in_one_segment,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "ab", .up = 1)),
	    .want = "1:readings-differ"),
	ROW(readings_differ_by_what_follows,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1), A(ACK, 101, 1, .data = "b")),
	    .want = "2:readings-differ"),
	ROW(readings_take_equal_bytes,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "aa", .up = 1)),
	    .want = ""),
	ROW(readings_differ_where_nothing_was_captured,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .len = 2, .up = 1)),
	    .want = ""),

	ROW(telnet_data_mark, .port = 23,
	    SCRIPT(A(ACK, 100, 1, .data = "\xff"), A(URG | ACK, 101, 1, .data = "\xf2", .up = 1)),
	    .want = "2:telnet-synch"),
	ROW(telnet_data_mark_of_the_server, .port = 23,
	    SCRIPT(B(URG | ACK, 1, 100, .data = "\xff\xf2", .up = 2)),
	    .want = "1:telnet-synch"),
	ROW(telnet_data_mark_comes_after_it_was_announced, .port = 23,
	    SCRIPT(A(URG | ACK, 100, 1, .up = 2), A(URG | ACK, 100, 1, .data = "\xff\xf2", .up = 2)),
	    .want = "1:urg-without-data 2:telnet-synch"),
	ROW(telnet_data_mark_by_the_other_reading, .port = 23,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\xff\xf2", .up = 1)),
	    .want = "1:readings-differ 1:telnet-synch"),
	ROW(telnet_data_mark_sent_again, .port = 23,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\xf2", .up = 1), A(URG | ACK, 100, 1, .data = "\xf2", .up = 1)),
	    .want = "1:telnet-synch"),
	ROW(telnet_data_mark_on_another_port,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\xf2", .up = 1)),
	    .want = ""),
	ROW(telnet_urgent_letter, .port = 23,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "a", .up = 1)),
	    .want = ""),

	ROW(ftp_abort_of_bsd, .port = 21,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\xff\xf4\xff", .up = 3)),
	    .want = "1:ftp-abort"),
	ROW(ftp_abort_of_lftp, .port = 21,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\xff", .up = 1), A(ACK, 101, 1, .data = "\xf4\xff\xf2" "ABOR\r\n")),
	    .want = "1:ftp-abort 2:readings-differ"),
	ROW(ftp_server_is_urgent, .port = 21,
	    SCRIPT(B(URG | ACK, 1, 100, .data = "\xff", .up = 1)),
	    .want = ""),
	ROW(ftp_urgent_letter, .port = 21,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "A", .up = 1)),
	    .want = ""),

	ROW(rlogin_server_asks_for_the_window, .port = 513,
	    SCRIPT(B(URG | ACK, 1, 100, .data = "\x80", .up = 1)),
	    .want = "1:rlogin-control"),
	ROW(rlogin_client_is_urgent, .port = 513,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "\x80", .up = 1)),
	    .want = ""),
	ROW(rlogin_byte_without_a_meaning, .port = 513,
	    SCRIPT(B(URG | ACK, 1, 100, .data = "\x04", .up = 1)),
	    .want = ""),

	ROW(oracle_break, .port = 1521,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "!", .up = 1)),
	    .want = "1:database-break"),
	ROW(oracle_server_is_urgent, .port = 1521,
	    SCRIPT(B(URG | ACK, 1, 100, .data = "!", .up = 1)),
	    .want = ""),
	ROW(oracle_urgent_letter, .port = 1521,
	    SCRIPT(A(URG | ACK, 100, 1, .data = "?", .up = 1)),
	    .want = ""),
};
/* clang-format on */

struct heard {
	char text[512];
	size_t used;
};

static void hear(struct heard *heard, unsigned frame, const char *name)
{
	heard->used += (size_t)snprintf(heard->text + heard->used,
					sizeof(heard->text) - heard->used,
					"%s%u:%s", heard->used ? " " : "",
					frame, name);
}

static struct capture_segment segment_of(const struct row *row,
					 const struct script *line)
{
	static const uint8_t scale[] = { 3, 3, 7 };
	struct capture_segment s = from_script(line);
	uint16_t port = row->port ? row->port : 9;

	*(line->from == 'a' ? &s.dport : &s.sport) = port;
	if (row->scaled && line->flags & SYN) {
		s.options = scale;
		s.options_len = sizeof(scale);
	}
	return s;
}

static void test_findings(void **state)
{
	const struct row *row = *state;
	const struct capture_flows_options options = { .max_flows = 2 };
	struct heard heard = { .text = "" };
	struct capture_flows *flows;
	struct capture_event event;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	for (unsigned i = 0; i < COUNT(row->script) && row->script[i].from;
	     i++) {
		struct capture_segment s = segment_of(row, &row->script[i]);
		uint32_t found;

		assert_int_equal(capture_flows_segment(flows, &s, 0, i + 1, 0,
						       &event),
				 0);
		found = capture_find(capture_find_rows(event.facts), &s,
				     &event);
		for (size_t k = 0; k < capture_finding_count; k++)
			if (found >> k & 1)
				hear(&heard, i + 1, capture_findings[k].name);
	}
	capture_flows_free(flows);
	assert_string_equal(heard.text, row->want);
}

/* A finding that no row has would not be missed if it were broken. */
static void test_each_has_a_row(void **state)
{
	char mention[64];

	(void)state;
	for (size_t i = 0; i < capture_finding_count; i++) {
		bool found = false;

		snprintf(mention, sizeof(mention), ":%s",
			 capture_findings[i].name);
		for (size_t r = 0; r < COUNT(rows) && !found; r++)
			found = strstr(rows[r].want, mention);
		if (!found)
			fail_msg("%s", mention);
	}
}

static void test_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < capture_finding_count; i++)
		assert_ptr_equal(
			capture_finding_by_name(capture_findings[i].name),
			&capture_findings[i]);
	assert_null(capture_finding_by_name("pointer"));
}

int main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_each_has_a_row),
		cmocka_unit_test(test_found_by_name),
	};
	struct CMUnitTest tests[COUNT(rows) + COUNT(fixed)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_findings,
						NULL, NULL, (void *)&rows[i] };
	memcpy(tests + COUNT(rows), fixed, sizeof(fixed));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
