/* Inside the decoder: one packet, header after header. */
#ifndef CAPTURE_WALK_H
#define CAPTURE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/bytes.h"
#include "capture/decode.h"

/*
 * A walk from the outside in. Each step reads one header and names the next,
 * so that a packet of a million nested headers takes a loop and no stack.
 * Every step consumes at least two bytes or ends the walk, but for those that
 * only look at the version nibble, which lead to one that does.
 */
struct walk {
	const uint8_t *p; /* what is left */
	uint32_t cap;	  /* of it captured: never more than len */
	uint32_t len;	  /* of it on the wire */
	uint8_t tunnels;
	bool inner;    /* enter tunnels */
	bool fragment; /* the first of several */
	uint8_t address_len;
	uint8_t hops;
	const uint8_t *src, *dst;
};

/* What comes next: a name space, and a number in it or the walk's result. */
enum space {
	END = 0x00000, /* enum capture_kind */
	ETHERTYPE = 0x10000,
	IP_PROTOCOL = 0x20000,
	PPP_PROTOCOL = 0x30000,
	UDP_PORT = 0x40000,
	OTHER = 0x50000, /* enum other */
};

#define SPACE_MASK 0xf0000u

enum other {
	ETHERNET,
	BY_VERSION,
	MPLS_BOTTOM
};

enum {
	ET_IPV4 = 0x0800,
	ET_TRANSPARENT_ETHERNET = 0x6558,
	ET_VLAN = 0x8100,
	ET_IPV6 = 0x86dd,
	ET_PPP = 0x880b,
	ET_MPLS = 0x8847,
	ET_MPLS_MULTICAST = 0x8848,
	ET_PPPOE_SESSION = 0x8864,
	ET_QINQ = 0x88a8,
	ET_QINQ_OLD = 0x9100,
	ET_QINQ_OLDER = 0x9200,

	IPP_HOP_BY_HOP = 0,
	IPP_IPV4 = 4,
	IPP_TCP = 6,
	IPP_UDP = 17,
	IPP_IPV6 = 41,
	IPP_ROUTING = 43,
	IPP_FRAGMENT = 44,
	IPP_GRE = 47,
	IPP_AH = 51,
	IPP_DESTINATION = 60,
	IPP_MOBILITY = 135,
	IPP_HIP = 139,
	IPP_SHIM6 = 140,

	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,

	PORT_GTP_U = 2152,
	PORT_VXLAN = 4789,
	PORT_GENEVE = 6081,
};

static inline void skip(struct walk *w, uint32_t n)
{
	w->p += n;
	w->cap -= n;
	w->len -= n;
}

/* An inner header says how long the rest is; it may not make it longer. */
static inline void narrow(struct walk *w, uint32_t len)
{
	if (len < w->len)
		w->len = len;
	if (w->cap > w->len)
		w->cap = w->len;
}

/* Skip a header of `header` bytes whose type field is at `type`. */
static inline uint32_t step(struct walk *w, enum space space, uint32_t type,
			    uint32_t header)
{
	uint32_t next;

	if (w->cap < header)
		return END | CAPTURE_NOT_TCP;
	next = space | be16(w->p + type);
	skip(w, header);
	return next;
}

/* Into a tunnel with `next` in it, or the end of the walk. */
static inline uint32_t enter(struct walk *w, uint32_t next)
{
	if (!w->inner)
		return END | CAPTURE_NOT_TCP;
	if (w->tunnels < UINT8_MAX)
		w->tunnels++;
	return next;
}

/* Tunnels of other headers than IP's: what follows an IP header of this
 * protocol, and a UDP header with this port. */
uint32_t capture_walk_gre(struct walk *w);
uint32_t capture_walk_udp(struct walk *w);
uint32_t capture_walk_udp_port(struct walk *w, uint32_t port);

#endif
