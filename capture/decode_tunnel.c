/* Tunnels, which the decoder enters only when asked to. */
#include "capture/walk.h"

/* RFC 2784 and 2890; version 1 is PPTP's (RFC 2637). */
uint32_t capture_walk_gre(struct walk *w)
{
	uint32_t header = 4, flags, type;

	if (!w->inner || w->cap < 4)
		return END | CAPTURE_NOT_TCP;
	flags = be16(w->p);
	type = be16(w->p + 2);
	if (flags & 0x4000 || (flags & 7) > 1) /* source routes: RFC 1701 */
		return END | CAPTURE_NOT_TCP;
	if (flags & 0x8000)
		header += 4; /* checksum */
	if (flags & 0x2000)
		header += 4; /* key */
	if (flags & 0x1000)
		header += 4; /* sequence number */
	if ((flags & 7) == 1 && flags & 0x0080)
		header += 4; /* acknowledgement */
	if (w->cap < header)
		return END | CAPTURE_NOT_TCP;
	skip(w, header);
	if (type == ET_TRANSPARENT_ETHERNET)
		return enter(w, OTHER | ETHERNET);
	return enter(w, ETHERTYPE | type);
}

/* A tunnel's port can be either: the requests go to it, some send from it. */
uint32_t capture_walk_udp(struct walk *w)
{
	uint32_t sport, dport;

	if (!w->inner || w->cap < 8)
		return END | CAPTURE_NOT_TCP;
	sport = be16(w->p);
	dport = be16(w->p + 2);
	skip(w, 8);
	if (dport == PORT_VXLAN || dport == PORT_GENEVE || dport == PORT_GTP_U)
		return UDP_PORT | dport;
	return UDP_PORT | sport;
}

/* RFC 7348. */
static uint32_t vxlan(struct walk *w)
{
	if (w->cap < 8 || !(w->p[0] & 0x08))
		return END | CAPTURE_NOT_TCP;
	skip(w, 8);
	return enter(w, OTHER | ETHERNET);
}

/* RFC 8926. */
static uint32_t geneve(struct walk *w)
{
	uint32_t header, type;

	if (w->cap < 8 || w->p[0] >> 6)
		return END | CAPTURE_NOT_TCP;
	header = 8 + (w->p[0] & 0x3fu) * 4;
	type = be16(w->p + 2);
	if (w->cap < header)
		return END | CAPTURE_NOT_TCP;
	skip(w, header);
	if (type == ET_TRANSPARENT_ETHERNET)
		return enter(w, OTHER | ETHERNET);
	return enter(w, ETHERTYPE | type);
}

/* 3GPP TS 29.281: a G-PDU (type 255) carries IP, after its extensions. */
static uint32_t gtp_u(struct walk *w)
{
	uint32_t size;
	uint8_t flags, next;

	if (w->cap < 8 || w->p[0] >> 4 != 3 || w->p[1] != 255)
		return END | CAPTURE_NOT_TCP;
	flags = w->p[0] & 7;
	skip(w, 8);
	if (!flags)
		return enter(w, OTHER | BY_VERSION);
	if (w->cap < 4)
		return END | CAPTURE_NOT_TCP;
	next = flags & 4 ? w->p[3] : 0;
	skip(w, 4);
	while (next) {
		size = w->cap ? w->p[0] * 4u : 0;
		if (!size || w->cap < size)
			return END | CAPTURE_NOT_TCP;
		next = w->p[size - 1];
		skip(w, size);
	}
	return enter(w, OTHER | BY_VERSION);
}

uint32_t capture_walk_udp_port(struct walk *w, uint32_t port)
{
	switch (port) {
	case PORT_VXLAN:
		return vxlan(w);
	case PORT_GENEVE:
		return geneve(w);
	case PORT_GTP_U:
		return gtp_u(w);
	default:
		return END | CAPTURE_NOT_TCP;
	}
}
