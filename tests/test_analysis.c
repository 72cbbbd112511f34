#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "capture/analysis.h"
#include "tests/segments.h"

enum {
	HEADERS = 40,
	PACKET_MAX = 128
};

/* A packet of raw IPv4, of which `proto` and `offset` may make another. */
struct made {
	uint8_t bytes[PACKET_MAX];
	struct capture_packet packet;
};

static void make(struct made *made, const struct capture_segment *s,
		 uint32_t index)
{
	uint8_t *p = made->bytes;
	size_t len = HEADERS + s->payload_len;

	memset(p, 0, sizeof(made->bytes));
	p[0] = 0x45;
	p[3] = (uint8_t)len;
	p[9] = 6;
	memcpy(p + 12, s->src, 4);
	memcpy(p + 16, s->dst, 4);
	p[20] = (uint8_t)(s->sport >> 8);
	p[21] = (uint8_t)s->sport;
	p[22] = (uint8_t)(s->dport >> 8);
	p[23] = (uint8_t)s->dport;
	for (unsigned i = 0; i < 4; i++) {
		p[24 + i] = (uint8_t)(s->seq >> (24 - 8 * i));
		p[28 + i] = (uint8_t)(s->ack >> (24 - 8 * i));
	}
	p[32] = 0x50;
	p[33] = s->flags;
	p[34] = (uint8_t)(s->window >> 8);
	p[35] = (uint8_t)s->window;
	p[38] = (uint8_t)(s->urgent_pointer >> 8);
	p[39] = (uint8_t)s->urgent_pointer;
	memcpy(p + HEADERS, s->payload, s->payload_len);
	made->packet = (struct capture_packet){
		.time_ns = index,
		.data = p,
		.caplen = (uint32_t)len,
		.len = (uint32_t)len,
		.linktype = CAPTURE_LINK_RAW,
	};
}

struct heard {
	char text[1024];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void hear(struct heard *heard,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	heard->used += (size_t)vsnprintf(heard->text + heard->used,
					 sizeof(heard->text) - heard->used,
					 format, args);
	va_end(args);
}

static void hear_urgent(void *context, const struct capture_sighting *seen)
{
	hear(context, "%u urgent\n", (unsigned)seen->frame);
}

static void hear_episode(void *context, const struct capture_episode *episode)
{
	hear(context, "%u-%u episode\n", (unsigned)episode->announced_frame,
	     (unsigned)episode->end_frame);
}

static void hear_finding(void *context, const struct capture_sighting *seen,
			 const struct capture_finding_kind *kind)
{
	hear(context, "%u %s\n", (unsigned)seen->frame, kind->name);
}

static const struct capture_listener listener = {
	.urgent = hear_urgent,
	.episode = hear_episode,
	.finding = hear_finding,
};

static struct capture_analysis *
new_analysis(struct capture_analysis_options *options, struct heard *heard)
{
	struct capture_analysis *analysis;

	options->listener = listener;
	options->listener.context = heard;
	assert_int_equal(capture_analysis_new(&analysis, options), 0);
	return analysis;
}

struct row {
	const char *name;
	struct script script[6];
	const char *want;
};

#define A(f, s, k, ...)                                                        \
	{                                                                      \
		.from = 'a', .flags = f, .seq = s, .ack = k, __VA_ARGS__       \
	}
#define B(f, s, k, ...)                                                        \
	{                                                                      \
		.from = 'b', .flags = f, .seq = s, .ack = k, __VA_ARGS__       \
	}

/* clang-format off */
static const struct row rows[] = {
	{ "ordinary_data", { A(ACK, 100, 1, .data = "abc") }, "" },
	{ "urgent_byte_and_its_acknowledgement", {
		A(URG | ACK, 100, 1, .data = "abc", .up = 3),
		B(ACK, 1, 103),
	}, "1 urgent\n1-2 episode\n2 urgent\n" },
	{ "several_marks", {
		A(URG | ACK, 100, 1, .data = "a", .up = 1),
		A(URG | ACK, 101, 1, .data = "a", .up = 1),
	}, "1 urgent\n1-2 episode\n2 urgent\n2 several-marks\n2-0 episode\n" },
	{ "zero_window_announcement", {
		B(ACK, 1, 100, .shut = true),
		A(URG | ACK, 100, 1, .up = 1),
	}, "2 urgent\n2 urg-without-data\n2 zero-window-announcement\n2-0 episode\n" },
};
/* clang-format on */

static void test_told(void **state)
{
	const struct row *row = *state;
	struct capture_analysis_options options = { .max_flows = 8 };
	struct heard heard = { .used = 0 };
	struct capture_analysis *analysis = new_analysis(&options, &heard);
	struct made made;

	for (uint32_t i = 0; row->script[i].from; i++) {
		struct capture_segment s = from_script(&row->script[i]);

		make(&made, &s, i);
		assert_int_equal(
			capture_analysis_packets(analysis, &made.packet, 1), 0);
	}
	capture_analysis_finish(analysis);
	capture_analysis_free(analysis);
	assert_string_equal(heard.text, row->want);
}

/* However packets are handed over, the same is told in the same order. */
static void test_batches_change_nothing(void **state)
{
	enum {
		PACKETS = 200
	};
	static const size_t steps[] = { 1, 7, 32, PACKETS };
	static struct made made[PACKETS];
	struct capture_packet packets[PACKETS];
	struct heard first = { .used = 0 };

	(void)state;
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct script line = A(ACK, 100 + i, 1, .data = "x");
		struct capture_segment s;

		if (i % 20 == 0) {
			line.flags |= URG;
			line.up = 1;
		}
		s = from_script(&line);
		make(&made[i], &s, i);
		made[i].bytes[9] = i % 3 == 1 ? 17 : 6;
		packets[i] = made[i].packet;
	}
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct capture_analysis_options options = { .max_flows = 8 };
		struct heard heard = { .used = 0 };
		struct capture_analysis *a = new_analysis(&options, &heard);

		for (size_t at = 0; at < PACKETS; at += steps[i]) {
			size_t n = PACKETS - at < steps[i] ? PACKETS - at
							   : steps[i];

			assert_int_equal(
				capture_analysis_packets(a, packets + at, n),
				0);
		}
		capture_analysis_free(a);
		if (i == 0)
			first = heard;
		assert_string_equal(heard.text, first.text);
	}
	assert_true(first.used > 100);
}

static void test_counts(void **state)
{
	struct capture_analysis_options options = { .max_flows = 8 };
	struct script line = A(URG | ACK, 100, 1, .data = "a", .up = 1);
	struct capture_segment s = from_script(&line);
	struct capture_counts counts;
	struct capture_analysis *a;
	struct made made[6];
	struct capture_packet packets[6];

	(void)state;
	for (uint32_t i = 0; i < COUNT(made); i++)
		make(&made[i], &s, i);
	made[1].bytes[33] = ACK;
	made[2].bytes[9] = 17;	  /* UDP */
	made[3].bytes[7] = 1;	  /* a later fragment */
	made[4].bytes[32] = 0x40; /* a header of 16 bytes */
	made[5].packet.linktype = 105;
	for (size_t i = 0; i < COUNT(made); i++)
		packets[i] = made[i].packet;
	assert_int_equal(capture_analysis_new(&a, &options), 0);
	assert_int_equal(capture_analysis_packets(a, packets, COUNT(made)), 0);
	capture_analysis_counts(a, &counts);
	capture_analysis_free(a);
	assert_int_equal(counts.packets, 6);
	assert_int_equal(counts.tcp, 2);
	assert_int_equal(counts.urg, 1);
	assert_int_equal(counts.not_tcp, 1);
	assert_int_equal(counts.fragments, 1);
	assert_int_equal(counts.malformed, 1);
	assert_int_equal(counts.unknown_link, 1);
	assert_int_equal(counts.flows.flows, 1);
	assert_int_equal(counts.flows.episodes, 1);
}

int main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_batches_change_nothing),
		cmocka_unit_test(test_counts),
	};
	struct CMUnitTest tests[COUNT(rows) + COUNT(fixed)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_told, NULL,
						NULL, (void *)&rows[i] };
	memcpy(tests + COUNT(rows), fixed, sizeof(fixed));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
