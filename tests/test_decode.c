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

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Headers in hexadecimal; blanks are skipped. TCP is 10.0.0.1:1000 to
 * 10.0.0.2:23 (or ::1 to ::2), seq 0x01020304, ack 0x05060708, URG|ACK,
 * window 0x1000, pointer 3, "abc". */
#define ETH(type)  "020000000002 020000000001 " type " "
#define VLAN(type) "0064 " type " "
#define TCP_PORTS  "03e8 0017 01020304 05060708 "
#define TCP_END	   "1000 0000 0003 "
#define ABC	   "616263 "
#define TCP	   TCP_PORTS "5030 " TCP_END ABC
#define TCP_OPTION TCP_PORTS "6030 " TCP_END "01030307 " ABC
/* version, IHL and TOS; total length; flags and offset; protocol */
#define IP4(ihl, total, offset, protocol)                                      \
	ihl " " total " 0001 " offset " 40 " protocol " 0000 0a000001 "        \
						      "0a000002 "
#define IP4_TCP		 IP4("4500", "002b", "0000", "06") TCP
#define IP4_SHORT(bytes) IP4("4500", "00ff", "0000", "06") bytes
#define IP6(payload, next)                                                     \
	"60000000 " payload " " next " 40 "                                    \
	"00000000000000000000000000000001 00000000000000000000000000000002 "
#define IP6_TCP	       IP6("0017", "06") TCP
#define UDP(port, len) "c000 " port " " len " 0000 "

struct row {
	const char *name;
	uint32_t linktype;
	const char *hex;
	enum capture_kind kind;
	enum capture_kind inner;
	uint32_t uncaptured;  /* bytes on the wire beyond those here */
	uint32_t payload_len; /* 0: the 3 of "abc" */
	bool fragment;
	uint8_t tunnels;
};

#define TCP_ROW	     .kind = CAPTURE_TCP, .inner = CAPTURE_TCP
#define NO_ROW	     .kind = CAPTURE_NOT_TCP, .inner = CAPTURE_NOT_TCP
#define BAD_ROW	     .kind = CAPTURE_MALFORMED, .inner = CAPTURE_MALFORMED
#define FRAGMENT_ROW .kind = CAPTURE_FRAGMENT, .inner = CAPTURE_FRAGMENT
#define TUNNEL_ROW(n)                                                          \
	.kind = CAPTURE_NOT_TCP, .inner = CAPTURE_TCP, .tunnels = (n)

/* clang-format off */
static const struct row rows[] = {
	{ "ethernet_ipv4", 1, ETH("0800") IP4_TCP, TCP_ROW },
	{ "ethernet_ipv6", 1, ETH("86dd") IP6_TCP, TCP_ROW },
	{ "ethernet_padding_is_no_payload", 1, ETH("0800") IP4_TCP "000000000000", TCP_ROW },
	{ "vlan", 1, ETH("8100") VLAN("0800") IP4_TCP, TCP_ROW },
	{ "qinq", 1, ETH("88a8") VLAN("8100") VLAN("0800") IP4_TCP, TCP_ROW },
	{ "llc_snap", 1, ETH("0033") "aaaa03 000000 0800 " IP4_TCP, TCP_ROW },
	{ "llc_that_is_not_snap", 1, ETH("0033") "424203 000000 0800 " IP4_TCP, NO_ROW },
	{ "arp", 1, ETH("0806") IP4_TCP, NO_ROW },
	{ "mpls_two_labels", 1, ETH("8847") "00010040 00020140 " IP4_TCP, TCP_ROW },
	{ "mpls_ipv6", 1, ETH("8847") "00010140 " IP6_TCP, TCP_ROW },
	{ "mpls_ethernet_pseudowire", 1, ETH("8847") "00010140 00000000 " ETH("0800") IP4_TCP, TCP_ROW },
	{ "pppoe", 1, ETH("8864") "1100 0001 002d 0021 " IP4_TCP, TCP_ROW },
	{ "pppoe_discovery", 1, ETH("8863") "1109 0001 002d 0021 " IP4_TCP, NO_ROW },
	{ "null_little_endian", 0, "02000000 " IP4_TCP, TCP_ROW },
	{ "null_big_endian", 0, "00000002 " IP4_TCP, TCP_ROW },
	{ "null_ipv6_of_linux", 0, "0a000000 " IP6_TCP, TCP_ROW },
	{ "null_ipv6_of_openbsd", 0, "18000000 " IP6_TCP, TCP_ROW },
	{ "null_ipv6_of_freebsd", 0, "1c000000 " IP6_TCP, TCP_ROW },
	{ "loop_ipv6_of_macos", 108, "0000001e " IP6_TCP, TCP_ROW },
	{ "null_other_family", 0, "07000000 " IP4_TCP, NO_ROW },
	{ "raw_ipv4", 101, IP4_TCP, TCP_ROW },
	{ "raw_ipv6", 101, IP6_TCP, TCP_ROW },
	{ "raw_as_libpcap_numbers_it", 12, IP4_TCP, TCP_ROW },
	{ "raw_of_no_version", 101, "00000000", NO_ROW },
	{ "raw_of_no_bytes", 101, "", NO_ROW },
	{ "link_ipv4", 228, IP4_TCP, TCP_ROW },
	{ "link_ipv4_holding_ipv6", 228, IP6_TCP, NO_ROW },
	{ "link_ipv6", 229, IP6_TCP, TCP_ROW },
	{ "cooked", 113, "0000 0001 0006 020000000001 0000 0800 " IP4_TCP, TCP_ROW },
	{ "cooked_vlan", 113, "0000 0001 0006 020000000001 0000 8100 " VLAN("86dd") IP6_TCP, TCP_ROW },
	{ "cooked_llc", 113, "0000 0001 0006 020000000001 0000 0004 aaaa03 000000 0800 " IP4_TCP, TCP_ROW },
	{ "cooked_of_another_kind", 113, "0000 0001 0006 020000000001 0000 0001 " IP4_TCP, NO_ROW },
	{ "cooked_v2", 276, "0800 0000 00000001 0001 00 06 0200000000010000 " IP4_TCP, TCP_ROW },
	{ "ppp", 9, "ff03 0021 " IP4_TCP, TCP_ROW },
	{ "ppp_compressed_header", 9, "21 " IP4_TCP, TCP_ROW },
	{ "ppp_hdlc_ipv6", 50, "ff03 0057 " IP6_TCP, TCP_ROW },
	{ "ppp_with_direction", 204, "01 ff03 0021 " IP4_TCP, TCP_ROW },
	{ "ppp_ether", 51, "1100 0001 002d 0021 " IP4_TCP, TCP_ROW },
	{ "unknown_link_type", 105, IP4_TCP, .kind = CAPTURE_UNKNOWN_LINK, .inner = CAPTURE_UNKNOWN_LINK },

	{ "ipv4_options", 101, IP4("4600", "002f", "0000", "06") "01010100 " TCP, TCP_ROW },
	{ "ipv4_options_cut_off", 101, IP4("4600", "002f", "0000", "06") "0101", BAD_ROW, .uncaptured = 25 },
	{ "ipv4_zero_length_is_the_frame", 101, IP4("4500", "0000", "0000", "06") TCP, TCP_ROW },
	{ "ipv4_length_past_the_frame", 101, IP4("4500", "1000", "0000", "06") TCP, TCP_ROW },
	{ "ipv4_length_below_its_header", 101, IP4("4500", "0013", "0000", "06") TCP, NO_ROW },
	{ "ipv4_header_below_20", 101, IP4("4400", "002b", "0000", "06") TCP, NO_ROW },
	{ "ipv4_cut_off", 101, "4500 002b 0001 0000 40 06", NO_ROW, .uncaptured = 33 },
	{ "ipv4_first_fragment", 101, IP4("4500", "002b", "2000", "06") TCP, TCP_ROW, .fragment = true },
	{ "ipv4_later_fragment", 101, IP4("4500", "002b", "0003", "06") TCP, FRAGMENT_ROW },
	{ "ipv4_first_fragment_too_small_for_tcp", 101, IP4("4500", "001c", "2000", "06") "03e8001701020304", BAD_ROW },
	{ "ipv4_authentication_header", 101, IP4("4500", "0043", "0000", "33") "06 04 0000 00000001 00000001 000000000000000000000000 " TCP, TCP_ROW },
	{ "ipv4_with_an_ipv6_extension", 101, IP4("4500", "0033", "0000", "3c") "06 00 000000000000 " TCP, NO_ROW },
	{ "ipv4_udp", 101, IP4("4500", "002b", "0000", "11") TCP, NO_ROW },
	{ "ipv4_icmp_quotes_tcp", 101, IP4("4500", "0047", "0000", "01") "0301 0000 00000000 " IP4_TCP, NO_ROW },
	{ "ipv6_zero_length_is_the_frame", 101, IP6("0000", "06") TCP, TCP_ROW },
	{ "ipv6_hop_by_hop_routing_destination", 101, IP6("0037", "00") "2b 00 000000000000 3c 01 0000000000000000000000000000 06 00 000000000000 " TCP, TCP_ROW },
	{ "ipv6_authentication_header", 101, IP6("0027", "33") "06 02 0000 00000001 00000001 00000000 " TCP, TCP_ROW },
	{ "ipv6_extension_cut_off", 101, IP6("0027", "3c") "06 01 000000000000", BAD_ROW, .uncaptured = 31 },
	{ "ipv6_extension_past_the_packet", 101, IP6("0004", "3c") "06 00 0000", NO_ROW },
	{ "ipv6_first_fragment", 101, IP6("001f", "2c") "06 00 0001 00000001 " TCP, TCP_ROW, .fragment = true },
	{ "ipv6_later_fragment", 101, IP6("001f", "2c") "06 00 0011 00000001 " TCP, FRAGMENT_ROW },
	{ "ipv6_no_next_header", 101, IP6("0017", "3b") TCP, NO_ROW },

	{ "tcp_option", 101, IP4("4500", "002f", "0000", "06") TCP_OPTION, TCP_ROW },
	{ "tcp_header_not_captured", 101, IP4_SHORT("03e8 0017 01020304"), BAD_ROW, .uncaptured = 200 },
	{ "tcp_header_captured_alone", 101, IP4("4500", "0fff", "0000", "06") TCP_PORTS "5030 " TCP_END, TCP_ROW, .uncaptured = 0x0fff - 40, .payload_len = 0x0fff - 40 },
	{ "tcp_options_not_captured", 101, IP4("4500", "003f", "0000", "06") TCP_PORTS "a030 " TCP_END, TCP_ROW, .uncaptured = 0x3f - 40, .payload_len = 3 },
	{ "tcp_offset_below_5", 101, IP4("4500", "002b", "0000", "06") TCP_PORTS "4030 " TCP_END ABC, BAD_ROW },
	{ "tcp_offset_past_the_segment", 101, IP4("4500", "002b", "0000", "06") TCP_PORTS "6030 " TCP_END ABC, BAD_ROW },

	{ "ip_in_ip", 101, IP4("4500", "003f", "0000", "04") IP4_TCP, TUNNEL_ROW(1) },
	{ "ipv6_in_ip_in_ip", 101, IP4("4500", "0067", "0000", "04") IP4("4500", "0053", "0000", "29") IP6_TCP, TUNNEL_ROW(2) },
	{ "gre", 101, IP4("4500", "0043", "0000", "2f") "0000 0800 " IP4_TCP, TUNNEL_ROW(1) },
	{ "gre_checksum_key_sequence", 101, IP4("4500", "004f", "0000", "2f") "b000 0800 00000000 00000001 00000002 " IP4_TCP, TUNNEL_ROW(1) },
	{ "gre_pptp", 101, IP4("4500", "0053", "0000", "2f") "3081 880b 002f0001 00000001 00000002 ff030021 " IP4_TCP, TUNNEL_ROW(1) },
	{ "gre_ethernet", 101, IP4("4500", "0051", "0000", "2f") "0000 6558 " ETH("0800") IP4_TCP, TUNNEL_ROW(1) },
	{ "vxlan", 101, IP4("4500", "005d", "0000", "11") UDP("12b5", "0049") "08000000 00000100 " ETH("0800") IP4_TCP, TUNNEL_ROW(1) },
	{ "geneve_with_an_option", 101, IP4("4500", "0061", "0000", "11") UDP("17c1", "004d") "0100 6558 00000100 00000000 " ETH("0800") IP4_TCP, TUNNEL_ROW(1) },
	{ "gtp_u", 101, IP4("4500", "004f", "0000", "11") UDP("0868", "003b") "30ff 002b 00000001 " IP4_TCP, TUNNEL_ROW(1) },
	{ "gtp_u_with_extensions", 101, IP4("4500", "0057", "0000", "11") UDP("0868", "0043") "34ff 0033 00000001 00000085 01 100100 " IP4_TCP, TUNNEL_ROW(1) },
	{ "gtp_u_extension_of_no_length", 101, IP4("4500", "0057", "0000", "11") UDP("0868", "0043") "34ff 0033 00000001 00000085 00 100100 " IP4_TCP, NO_ROW },
};
/* clang-format on */

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	int used;

	while (sscanf(hex, " %2hhx%n", &bytes[n], &used) == 1) {
		hex += used;
		n++;
	}
	return n;
}

static void check_segment(const struct capture_segment *s,
			  const struct row *row, uint8_t tunnels)
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
	const struct row *row = *state;
	struct capture_segment segment;
	uint8_t bytes[256];
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
	const struct row *row = *state;
	struct capture_segment s;
	struct guard guard = { 0 };
	uint8_t bytes[256];
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
	const struct row *row = *state;
	struct capture_segment s;
	struct guard guard = { 0 };
	uint8_t bytes[256];
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
	{"option_first",			  "03030700",	      3, 1, 7 },
	{ "option_after_padding",		  "01030307",	      3, 1, 7 },
	{ "option_after_others",		 "020405b4 01 030307", 3, 1, 7 },
	{ "option_of_another_kind",	    "020405b4",		3, 1, -1},
	{ "option_behind_the_end",	   "00030307",	       3, 1, -1},
	{ "option_value_too_short",	    "03020000",		3, 1, -1},
	{ "option_cut_off",		    "0101030307",	  8, 8, -1},
	{ "option_longer_than_what_is_left", "0308 07",		3, 1, -1},
	{ "option_of_no_length",		 "0500 030307",	3, 1, -1},
	{ "option_kind_alone",	       "010103",		 3, 1, -1},
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

static char names[COUNT(rows)][2][96];

int main(void)
{
	struct CMUnitTest tests[COUNT(rows) * 3 + COUNT(option_rows) + 1];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		void *row = (void *)&rows[i];

		snprintf(names[i][0], sizeof(names[i][0]), "%s_every_cut",
			 rows[i].name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s_every_byte",
			 rows[i].name);
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_kind, NULL,
						  NULL, row };
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
