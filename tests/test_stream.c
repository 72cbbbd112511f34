#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "capture/flow.h"
#include "capture/stream.h"
#include "tests/segments.h"

/* clang-format off */
#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }

/* What is expected of a's direction: "FRAME:SEQ DATA", or "SEQ ?LEN" for what
 * the capture missed. */
struct row {
	const char *name;
	struct script script[8];
	const char *arrivals;
};

static const struct row rows[] = {
	{ "in_order_of_arrival", {
		A(SYN, 99, 0), B(SYN | ACK, 499, 100), A(ACK, 100, 500, .data = "ab"),
		A(ACK, 104, 500, .data = "ef"), A(ACK, 102, 500, .data = "cd"),
	}, "1:0 3:1ab 4:5ef 5:3cd" },
	{ "other_direction_is_left_out", {
		A(ACK, 100, 1, .data = "ab"), B(ACK, 1, 102, .data = "xy"),
	}, "1:1ab" },
	{ "goes_on_past_the_wrap", {
		A(ACK, 0xfffffffe, 1, .data = "abcd"), A(ACK, 2, 1, .data = "e"),
	}, "1:1abcd 2:5e" },
	{ "what_was_before_the_capture_is_negative", {
		A(ACK, 100, 1, .data = "ab"), A(ACK, 95, 1, .data = "x"),
	}, "1:1ab 2:-4x" },
	{ "acknowledged_hole_is_missed", {
		A(ACK, 100, 1, .data = "ab"), A(ACK, 105, 1, .data = "f"), B(ACK, 1, 106), A(ACK, 106, 1, .data = "g"),
	}, "1:1ab 2:6f 3?3 4:7g" },
	{ "missed_before_the_acknowledgement_s_frame", {
		A(ACK, 100, 1, .data = "a"), A(ACK, 102, 1, .data = "c"), B(ACK, 1, 103), A(ACK, 104, 1, .data = "e"), B(ACK, 1, 105), A(ACK, 105, 1, .data = "f"),
	}, "1:1a 2:3c 2?1 4:5e 4?1 6:6f" },
	{ "hole_that_nobody_acknowledged_stays", {
		A(ACK, 100, 1, .data = "ab"), A(ACK, 105, 1, .data = "f"), B(ACK, 1, 102),
	}, "1:1ab 2:6f" },
	{ "hole_acknowledged_in_part", {
		A(ACK, 100, 1, .data = "ab"), A(ACK, 105, 1, .data = "f"), B(ACK, 1, 104),
	}, "1:1ab 2:6f 3?2" },
	{ "late_segment_fills_the_hole", {
		A(ACK, 100, 1, .data = "ab"), A(ACK, 103, 1, .data = "d"), A(ACK, 102, 1, .data = "c"), B(ACK, 1, 104),
	}, "1:1ab 2:4d 3:3c" },
	{ "start_was_missed", {
		A(SYN, 99, 0), B(SYN | ACK, 499, 100), A(ACK, 103, 500, .data = "d"), B(ACK, 500, 104), A(ACK, 104, 500, .data = "e"),
	}, "1:0 3:4d 1?3 5:5e" },
	{ "end_that_was_missed_is_not_made_up", {
		A(ACK, 100, 1, .data = "a"), B(ACK, 1, 110),
	}, "1:1a" },
	{ "fin_counts_as_an_octet", {
		A(FIN | ACK, 100, 1, .data = "a"), B(ACK, 1, 102), A(ACK, 102, 1, .data = "x"),
	}, "1:1a 3:3x" },
	{ "reset_fills_nothing", {
		A(ACK, 100, 1, .data = "a"), A(RST, 101, 0, .data = "why"), A(ACK, 104, 1, .data = "e"), B(ACK, 1, 105),
	}, "1:1a 2:2why 3:5e 2?3" },
	{ "data_on_a_syn_that_comes_again", {
		A(SYN, 99, 0, .data = "abc"), B(SYN | ACK, 499, 100), A(ACK, 100, 500, .data = "abc"), B(ACK, 500, 103),
	}, "1:0abc 3:1abc" },
	{ "data_on_a_syn_accepted", {
		A(SYN, 99, 0, .data = "abc"), B(SYN | ACK, 499, 103), A(ACK, 103, 500, .data = "d"),
	}, "1:0abc 1=abc 3:4d" },
};
/* clang-format on */

struct fixture {
	struct capture_flows *flows;
	struct capture_stream *stream;
	uint64_t frame;
};

static void begin(struct fixture *f, size_t max_bytes)
{
	struct capture_flows_options options = { 0 };

	*f = (struct fixture){ 0 };
	assert_int_equal(capture_flows_new(&f->flows, &options), 0);
	assert_int_equal(capture_stream_new(&f->stream, 0, max_bytes), 0);
}

static int take(struct fixture *f, const struct capture_segment *segment)
{
	struct capture_event event;

	assert_int_equal(capture_flows_segment(f->flows, segment, 0, ++f->frame,
					       0, &event),
			 0);
	return capture_stream_segment(f->stream, segment, &event, f->frame,
				      1000 * (int64_t)f->frame);
}

static void end(struct fixture *f)
{
	capture_stream_free(f->stream);
	capture_flows_free(f->flows);
}

static void describe(const struct capture_stream *stream, char *text,
		     size_t size)
{
	size_t count, len = 0;
	const struct capture_arrival *a =
		capture_stream_arrivals(stream, &count);

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char frame[32] = "";

		if (a[i].frame)
			snprintf(frame, sizeof(frame),
				 "%llu:", (unsigned long long)a[i].frame);
		len += (size_t)snprintf(text + len, size - len, "%s%s%lld",
					i ? " " : "", frame,
					(long long)a[i].seq);
		if (!a[i].frame)
			len += (size_t)snprintf(text + len, size - len, "%s",
						a[i].caplen ? "=" : "?");
		if (!a[i].frame && !a[i].caplen)
			len += (size_t)snprintf(text + len, size - len, "%u",
						a[i].len);
		len += (size_t)snprintf(text + len, size - len, "%.*s",
					(int)a[i].caplen,
					(const char *)a[i].payload);
	}
}

static void test_arrivals(void **state)
{
	const struct row *row = *state;
	struct fixture f;
	char text[512];

	begin(&f, CAPTURE_STREAM_BYTES);
	for (size_t i = 0; i < COUNT(row->script) && row->script[i].from; i++) {
		struct capture_segment segment = from_script(&row->script[i]);

		assert_int_equal(take(&f, &segment), 0);
	}
	assert_int_equal(capture_stream_finish(f.stream), 0);
	describe(f.stream, text, sizeof(text));
	end(&f);
	assert_string_equal(text, row->arrivals);
}

/* What was cut off is there, but not known; the header is kept. */
static void test_keeps_what_was_captured(void **state)
{
	uint8_t packet[20 + 4 + 3] = { [19] = 5, [20] = 1, [26] = 'c' };
	struct script script = { .from = 'a', .flags = URG | ACK, .up = 5 };
	struct capture_segment segment = from_script(&script);
	const struct capture_arrival *arrival;
	struct fixture f;
	size_t count;

	(void)state;
	begin(&f, CAPTURE_STREAM_BYTES);
	segment.options = packet + 20;
	segment.options_len = 4;
	segment.payload = packet + 24;
	segment.payload_caplen = 3;
	segment.payload_len = 9;
	assert_int_equal(take(&f, &segment), 0);
	memset(packet, 0, sizeof(packet));
	arrival = capture_stream_arrivals(f.stream, &count);
	assert_int_equal(count, 1);
	assert_int_equal(arrival->len, 9);
	assert_int_equal(arrival->caplen, 3);
	assert_int_equal(arrival->payload[2], 'c');
	assert_int_equal(arrival->header_len, 24);
	assert_int_equal(arrival->header[19], 5);
	assert_int_equal(arrival->flags, URG | ACK);
	assert_int_equal(arrival->urgent_pointer, 5);
	assert_int_equal(arrival->frame, 1);
	assert_int_equal(arrival->time_ns, 1000);
	end(&f);
}

/* Full, it stays what it was, and says so to every further segment. */
static void test_stops_at_its_cap(void **state)
{
	struct script script = { .from = 'a', .flags = ACK, .data = "abcd" };
	struct capture_segment segment = from_script(&script);
	struct fixture f;
	size_t count, taken = 0;
	int ret = 0;

	(void)state;
	begin(&f, 8192);
	while (ret == 0 && taken < 10000) {
		ret = take(&f, &segment);
		segment.seq += 4;
		taken += ret == 0;
	}
	assert_int_equal(ret, -ENOBUFS);
	assert_int_equal(take(&f, &segment), -ENOBUFS);
	assert_true(taken >= 16);
	assert_int_equal(capture_stream_finish(f.stream), 0);
	capture_stream_arrivals(f.stream, &count);
	assert_int_equal(count, taken);
	end(&f);
}

/* One that is too large for the cap leaves nothing of itself. */
static void test_refuses_what_does_not_fit(void **state)
{
	static const uint8_t large[70000];
	struct script script = { .from = 'a', .flags = ACK };
	struct capture_segment segment = from_script(&script);
	struct fixture f;
	size_t count;

	(void)state;
	begin(&f, 65536);
	segment.payload = large;
	segment.payload_len = segment.payload_caplen = sizeof(large);
	assert_int_equal(take(&f, &segment), -ENOBUFS);
	assert_int_equal(capture_stream_finish(f.stream), 0);
	capture_stream_arrivals(f.stream, &count);
	assert_int_equal(count, 0);
	end(&f);

	begin(&f, CAPTURE_STREAM_BYTES);
	assert_int_equal(take(&f, &segment), 0);
	capture_stream_arrivals(f.stream, &count);
	assert_int_equal(count, 1);
	end(&f);
	capture_stream_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_keeps_what_was_captured),
		cmocka_unit_test(test_stops_at_its_cap),
		cmocka_unit_test(test_refuses_what_does_not_fit),
	};
	struct CMUnitTest tests[COUNT(rows) + COUNT(others)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_arrivals,
			.initial_state = (void *)&rows[i],
		};
	memcpy(tests + COUNT(rows), others, sizeof(others));
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
