/*
 * From captured bytes to one TCP segment. Pure functions: they allocate
 * nothing, keep nothing, and never read past `caplen`.
 */
#ifndef CAPTURE_DECODE_H
#define CAPTURE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a packet turned out to be. */
enum capture_kind {
	CAPTURE_TCP,	      /* a segment; the fixed header was captured */
	CAPTURE_NOT_TCP,      /* something else, or cut before one could tell */
	CAPTURE_FRAGMENT,     /* a later IP fragment: no TCP header in it */
	CAPTURE_MALFORMED,    /* TCP, but its fixed header is cut off, or its
			       * data offset is below 5 or past the segment */
	CAPTURE_UNKNOWN_LINK, /* a link type this decoder does not know */
};

/* The flag octet (RFC 9293 section 3.1). */
enum capture_flag {
	CAPTURE_FIN = 0x01,
	CAPTURE_SYN = 0x02,
	CAPTURE_RST = 0x04,
	CAPTURE_PSH = 0x08,
	CAPTURE_ACK = 0x10,
	CAPTURE_URG = 0x20,
};

/* Link types, numbered as in pcap and pcapng files. */
enum capture_link {
	CAPTURE_LINK_NULL = 0,
	CAPTURE_LINK_ETHERNET = 1,
	CAPTURE_LINK_PPP = 9,
	CAPTURE_LINK_DLT_RAW = 12, /* what libpcap calls RAW on Linux */
	CAPTURE_LINK_DLT_RAW_OPENBSD = 14,
	CAPTURE_LINK_PPP_HDLC = 50,
	CAPTURE_LINK_PPP_ETHER = 51, /* begins at the PPPoE header */
	CAPTURE_LINK_RAW = 101,
	CAPTURE_LINK_LOOP = 108,
	CAPTURE_LINK_LINUX_SLL = 113,
	CAPTURE_LINK_PPP_WITH_DIR = 204,
	CAPTURE_LINK_IPV4 = 228,
	CAPTURE_LINK_IPV6 = 229,
	CAPTURE_LINK_LINUX_SLL2 = 276,
};

/* Numbers in host byte order; pointers into the packet handed in. */
struct capture_segment {
	const uint8_t *src; /* address, network order, address_len bytes */
	const uint8_t *dst;
	const uint8_t *options;	 /* options_len bytes */
	const uint8_t *payload;	 /* payload_caplen bytes */
	uint32_t payload_len;	 /* bytes the segment had on the wire */
	uint32_t payload_caplen; /* how many of them were captured */
	uint32_t seq;		 /* raw */
	uint32_t ack;		 /* raw; means nothing without ACK */
	uint16_t sport;
	uint16_t dport;
	uint16_t window;	 /* as sent, not scaled */
	uint16_t urgent_pointer; /* as sent, even without URG; an offset
				  * from seq */
	uint8_t flags;		 /* enum capture_flag */
	uint8_t address_len;	 /* 4 or 16 */
	uint8_t options_len;	 /* captured bytes of options */
	uint8_t tunnels;	 /* entered to get here; 0: the outermost IP */
	uint8_t hops;		 /* IPv4 time to live, IPv6 hop limit */
	bool fragment;		 /* first of several: payload_len is its own */
};

/*
 * Decode the packet of `caplen` captured bytes that had `len` on the wire
 * down to the TCP segment that its outermost IP header carries: behind VLAN,
 * QinQ, MPLS, PPPoE and PPP, but not inside a tunnel. `*out` is filled for
 * CAPTURE_TCP only. Lengths that disagree are read as Wireshark reads them:
 * an IP length past the frame counts as the frame's, an IPv4 total length or
 * IPv6 payload length of 0 (segmentation offload) too.
 */
enum capture_kind capture_decode(uint32_t linktype, const uint8_t *data,
				 uint32_t caplen, uint32_t len,
				 struct capture_segment *out);

/*
 * The same, going on through IP in IP, GRE, VXLAN, GENEVE and GTP-U until a
 * TCP segment is met.
 */
enum capture_kind capture_decode_inner(uint32_t linktype, const uint8_t *data,
				       uint32_t caplen, uint32_t len,
				       struct capture_segment *out);

/*
 * The first TCP option of `kind` (2 and up) with at least `value_len` bytes
 * of value captured: a pointer to the value, or NULL.
 */
const uint8_t *capture_option(const struct capture_segment *segment,
			      uint8_t kind, uint8_t value_len);

#endif
