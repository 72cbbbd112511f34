#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "capture/decode.h"
#include "tests/guard.h"
#include "tests/packets.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check_segment(const struct capture_segment *s,
			  const struct packet_row *row, uint8_t tunnels)
{
	uint32_t want = row->payload_len ? row->payload_len : 3;

	assert_int_equal(s->sport, 1000);
	assert_int_equal(s->dport, 23);
	assert_int_equal(s->seq, 0x01020304);
	assert_int_equal(s->ack, 0x05060708);
	assert_int_equal(s->flags, CAPTURE_URG | CAPTURE_ACK);
	assert_int_equal(s->window, 0x1000);
	assert_int_equal(s->urgent_pointer, 3);
	assert_int_equal(s->src[s->address_len - 1], 1);
	assert_int_equal(s->dst[s->address_len - 1], 2);
	assert_int_equal(s->payload_len, want);
	assert_int_equal(s->fragment, row->fragment);
	assert_int_equal(s->tunnels, tunnels);
	assert_int_equal(s->hops, 0x40);
	if (row->uncaptured)
		assert_int_equal(s->payload_caplen, 0);
	else
		assert_memory_equal(s->payload, "abc", 3);
}

static void test_kind(void **state)
{
	const struct packet_row *row = *state;
	struct capture_segment segment;
	uint8_t bytes[PACKET_MAX];
	uint32_t n = (uint32_t)from_hex(row->hex, bytes);
	uint32_t len = n + row->uncaptured;

	assert_int_equal(capture_decode(row->linktype, bytes, n, len, &segment),
			 row->kind);
	if (row->kind == CAPTURE_TCP)
		check_segment(&segment, row, 0);
	assert_int_equal(capture_decode_inner(row->linktype, bytes, n, len,
					      &segment),
			 row->inner);
	if (row->inner == CAPTURE_TCP)
		check_segment(&segment, row, row->tunnels);
}

/* All that a segment points to lies in the captured bytes. */
static void check_inside(const struct capture_segment *s, const uint8_t *begin,
			 const uint8_t *end)
{
	assert_true(s->src >= begin && s->src + s->address_len <= end);
	assert_true(s->dst >= begin && s->dst + s->address_len <= end);
	assert_true(s->options >= begin && s->options + s->options_len <= end);
	assert_true(s->payload >= begin &&
		    s->payload + s->payload_caplen <= end);
	assert_true(s->payload_caplen <= s->payload_len);
}

/* Cut the row's packet everywhere, and give every cut to every link type: as
 * one that the snaplen cut, and as one that ended there. */
static void test_every_cut(void **state)
{
	static const uint32_t links[] = { 0,   1,   9,	 12,  50,  51, 101,
					  108, 113, 204, 228, 229, 276 };
	const struct packet_row *row = *state;
	struct capture_segment s;
	struct guard guard = { 0 };
	uint8_t bytes[PACKET_MAX];
	uint32_t n = (uint32_t)from_hex(row->hex, bytes);

	assert_int_equal(guard_map(&guard, sizeof(bytes)), 0);
	for (uint32_t cut = 0; cut <= n; cut++) {
		const uint8_t *p = guard_copy(&guard, bytes, cut);

		for (size_t i = 0; i < COUNT(links) * 2; i++) {
			uint32_t len = i & 1 ? n + row->uncaptured : cut;

			capture_decode(links[i / 2], p, cut, len, &s);
			if (capture_decode_inner(links[i / 2], p, cut, len,
						 &s) != CAPTURE_TCP)
				continue;
			check_inside(&s, p, guard.end);
			capture_option(&s, 3, 1);
		}
	}
	guard_unmap(&guard);
}

/* Every byte of the packet set to every value. */
static void test_every_byte(void **state)
{
	const struct packet_row *row = *state;
	struct capture_segment s;
	struct guard guard = { 0 };
	uint8_t bytes[PACKET_MAX];
	uint32_t n = (uint32_t)from_hex(row->hex, bytes);

	assert_int_equal(guard_map(&guard, sizeof(bytes)), 0);
	for (uint32_t at = 0; at < n; at++) {
		uint8_t *p = guard_copy(&guard, bytes, n);

		for (unsigned value = 0; value < 256; value++) {
			p[at] = (uint8_t)value;
			if (capture_decode_inner(row->linktype, p, n,
						 n + row->uncaptured,
						 &s) == CAPTURE_TCP)
				check_inside(&s, p, guard.end);
		}
	}
	guard_unmap(&guard);
}

struct option_row {
	const char *name;
	const char *hex;
	uint8_t kind;
	uint8_t value_len;
	int want; /* first byte of the value, or -1: none */
};

static const struct option_row option_rows[] = {
	{ "option_first", "03030700", 3, 1, 7 },
	{ "option_after_padding", "01030307", 3, 1, 7 },
	{ "option_after_others", "020405b4 01 030307", 3, 1, 7 },
	{ "option_of_another_kind", "020405b4", 3, 1, -1 },
	{ "option_behind_the_end", "00030307", 3, 1, -1 },
	{ "option_value_too_short", "03020000", 3, 1, -1 },
	{ "option_cut_off", "0101030307", 8, 8, -1 },
	{ "option_longer_than_what_is_left", "0308 07", 3, 1, -1 },
	{ "option_of_no_length", "0500 030307", 3, 1, -1 },
	{ "option_kind_alone", "010103", 3, 1, -1 },
};

static void test_option(void **state)
{
	const struct option_row *row = *state;
	uint8_t bytes[40];
	struct guard guard = { 0 };
	struct capture_segment s = { .seq = 0 };
	const uint8_t *value;

	assert_int_equal(guard_map(&guard, sizeof(bytes)), 0);
	s.options_len = (uint8_t)from_hex(row->hex, bytes);
	s.options = guard_copy(&guard, bytes, s.options_len);
	value = capture_option(&s, row->kind, row->value_len);
	assert_int_equal(value ? *value : -1, row->want);
	guard_unmap(&guard);
}

/* A million headers cost time, not stack. */
static void test_nested_without_end(void **state)
{
	enum {
		LEVELS = 1000000
	};
	static const uint8_t header[20] = { 0x45, [9] = 4 };
	struct capture_segment s;
	uint8_t *bytes = malloc(LEVELS * sizeof(header));

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < LEVELS; i++)
		memcpy(bytes + i * sizeof(header), header, sizeof(header));
	assert_int_equal(capture_decode_inner(CAPTURE_LINK_RAW, bytes,
					      LEVELS * sizeof(header),
					      LEVELS * sizeof(header), &s),
			 CAPTURE_NOT_TCP);
	free(bytes);
}

static char names[COUNT(packet_rows)][2][96];

int main(void)
{
	struct CMUnitTest
		tests[COUNT(packet_rows) * 3 + COUNT(option_rows) + 1];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(packet_rows); i++) {
		void *row = (void *)&packet_rows[i];

		snprintf(names[i][0], sizeof(names[i][0]), "%s_every_cut",
			 packet_rows[i].name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s_every_byte",
			 packet_rows[i].name);
		tests[n++] = (struct CMUnitTest){ packet_rows[i].name,
						  test_kind, NULL, NULL, row };
		tests[n++] = (struct CMUnitTest){ names[i][0], test_every_cut,
						  NULL, NULL, row };
		tests[n++] = (struct CMUnitTest){ names[i][1], test_every_byte,
						  NULL, NULL, row };
	}
	for (size_t i = 0; i < COUNT(option_rows); i++)
		tests[n++] = (struct CMUnitTest){ option_rows[i].name,
						  test_option, NULL, NULL,
						  (void *)&option_rows[i] };
	tests[n++] =
		(struct CMUnitTest)cmocka_unit_test(test_nested_without_end);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
