/* Packets of every kind, in hexadecimal: for the tests of what decodes them. */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "capture/decode.h"

#define PACKET_MAX 256

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

struct packet_row {
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
static const struct packet_row packet_rows[] = {
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

/* Returns how many bytes `hex` gave, PACKET_MAX at most for a row. */
static inline size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	int used;

	while (sscanf(hex, " %2hhx%n", &bytes[n], &used) == 1) {
		hex += used;
		n++;
	}
	return n;
}

#endif
