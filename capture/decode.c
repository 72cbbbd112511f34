#include "capture/decode.h"

#include "capture/bytes.h"
#include "capture/walk.h"

/* RFC 1042: a length instead of a type, then LLC and SNAP. */
static uint32_t llc(struct walk *w, uint32_t length)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };

	narrow(w, length);
	if (w->cap < sizeof(snap) + 2)
		return END | CAPTURE_NOT_TCP;
	for (size_t i = 0; i < sizeof(snap); i++)
		if (w->p[i] != snap[i])
			return END | CAPTURE_NOT_TCP;
	return step(w, ETHERTYPE, 6, 8);
}

static uint32_t ipv4(struct walk *w)
{
	const uint8_t *p = w->p;
	uint32_t header, total, offset;

	if (w->cap < 20 || p[0] >> 4 != 4)
		return END | CAPTURE_NOT_TCP;
	header = (p[0] & 0x0fu) * 4;
	total = be16(p + 2);
	offset = be16(p + 6);
	if (total == 0) /* left to the card's segmentation offload */
		total = w->len;
	if (header < 20 || total < header || w->len < header)
		return END | CAPTURE_NOT_TCP;
	if (offset & 0x1fff)
		return END | CAPTURE_FRAGMENT;
	w->fragment = offset & 0x2000;
	w->src = p + 12;
	w->dst = p + 16;
	w->address_len = 4;
	w->hops = p[8];
	narrow(w, total);
	if (w->cap <
	    header) /* the options are cut: what follows is not there */
		return END |
		       (p[9] == IPP_TCP ? CAPTURE_MALFORMED : CAPTURE_NOT_TCP);
	skip(w, header);
	return IP_PROTOCOL | p[9];
}

static uint32_t ipv6(struct walk *w)
{
	const uint8_t *p = w->p;
	uint32_t payload;

	if (w->cap < 40 || p[0] >> 4 != 6)
		return END | CAPTURE_NOT_TCP;
	payload = be16(p + 4);
	w->src = p + 8;
	w->dst = p + 24;
	w->address_len = 16;
	w->hops = p[7];
	w->fragment = false;
	skip(w, 40);
	if (payload) /* 0: a jumbogram or segmentation offload */
		narrow(w, payload);
	return IP_PROTOCOL | p[6];
}

/* IPv6 extension headers, and AH of either (RFC 8200 section 4, RFC 4302). */
static uint32_t extension(struct walk *w, uint32_t kind)
{
	const uint8_t *p = w->p;
	uint32_t size;

	if (w->cap < 8)
		return END | CAPTURE_NOT_TCP;
	if (kind == IPP_FRAGMENT) {
		size = 8;
		if (be16(p + 2) & 0xfff8)
			return END | CAPTURE_FRAGMENT;
		w->fragment = p[3] & 1;
	} else if (kind == IPP_AH) {
		size = (p[1] + 2u) * 4;
	} else {
		size = (p[1] + 1u) * 8;
	}
	if (w->cap < size)
		return END |
		       (p[0] == IPP_TCP && w->len >= size ? CAPTURE_MALFORMED
							  : CAPTURE_NOT_TCP);
	skip(w, size);
	return IP_PROTOCOL | p[0];
}

static inline enum capture_kind tcp(const struct walk *w,
				    struct capture_segment *out)
{
	const uint8_t *p = w->p;
	uint32_t header;

	if (w->cap < 20)
		return CAPTURE_MALFORMED;
	header = (p[12] >> 4) * 4u;
	if (header < 20 || header > w->len)
		return CAPTURE_MALFORMED;
	out->src = w->src;
	out->dst = w->dst;
	out->address_len = w->address_len;
	out->tunnels = w->tunnels;
	out->hops = w->hops;
	out->fragment = w->fragment;
	out->sport = be16(p);
	out->dport = be16(p + 2);
	out->seq = be32(p + 4);
	out->ack = be32(p + 8);
	out->flags = p[13];
	out->window = be16(p + 14);
	out->urgent_pointer = be16(p + 18);
	out->options = p + 20;
	out->options_len = (uint8_t)((w->cap < header ? w->cap : header) - 20);
	out->payload = p + 20 + out->options_len;
	out->payload_len = w->len - header;
	out->payload_caplen = w->cap < header ? 0 : w->cap - header;
	return CAPTURE_TCP;
}

/* RFC 3032: labels until the one with the bottom-of-stack bit. */
static uint32_t mpls(struct walk *w)
{
	bool bottom;

	do {
		if (w->cap < 4)
			return END | CAPTURE_NOT_TCP;
		bottom = w->p[2] & 1;
		skip(w, 4);
	} while (!bottom);
	return OTHER | MPLS_BOTTOM;
}

static uint32_t by_version(struct walk *w)
{
	if (w->cap < 1)
		return END | CAPTURE_NOT_TCP;
	switch (w->p[0] >> 4) {
	case 4:
		return ETHERTYPE | ET_IPV4;
	case 6:
		return ETHERTYPE | ET_IPV6;
	default:
		return END | CAPTURE_NOT_TCP;
	}
}

/* Labels do not say what they carry: IP, or an Ethernet pseudowire that
 * begins with a control word (RFC 4448 section 4.6). */
static uint32_t mpls_bottom(struct walk *w)
{
	if (w->cap < 4 || w->p[0] >> 4)
		return by_version(w);
	skip(w, 4);
	return OTHER | ETHERNET;
}

/* RFC 1661: the protocol number is odd in its last byte, and one byte where
 * the peers agreed to compress it. */
static uint32_t ppp(struct walk *w)
{
	uint32_t protocol;

	if (w->cap < 1)
		return END | CAPTURE_NOT_TCP;
	if (w->p[0] & 1) {
		protocol = w->p[0];
		skip(w, 1);
		return PPP_PROTOCOL | protocol;
	}
	return step(w, PPP_PROTOCOL, 0, 2);
}

/* RFC 1662: address and control, unless compressed away. */
static uint32_t ppp_hdlc(struct walk *w)
{
	if (w->cap >= 2 && w->p[0] == 0xff && w->p[1] == 0x03)
		skip(w, 2);
	return ppp(w);
}

/* RFC 2516 section 4. */
static uint32_t pppoe(struct walk *w)
{
	uint32_t length;

	if (w->cap < 6 || w->p[0] != 0x11 || w->p[1] != 0)
		return END | CAPTURE_NOT_TCP;
	length = be16(w->p + 4);
	skip(w, 6);
	narrow(w, length);
	return ppp(w);
}

static uint32_t ethertype(struct walk *w, uint32_t type)
{
	switch (type) {
	case ET_IPV4:
		return ipv4(w);
	case ET_IPV6:
		return ipv6(w);
	case ET_VLAN:
	case ET_QINQ:
	case ET_QINQ_OLD:
	case ET_QINQ_OLDER:
		return step(w, ETHERTYPE, 2, 4);
	case ET_MPLS:
	case ET_MPLS_MULTICAST:
		return mpls(w);
	case ET_PPPOE_SESSION:
		return pppoe(w);
	case ET_PPP:
		return ppp_hdlc(w);
	default:
		if (type <= 1500)
			return llc(w, type);
		return END | CAPTURE_NOT_TCP;
	}
}

/* TCP itself is the caller's. */
static uint32_t ip_protocol(struct walk *w, uint32_t protocol)
{
	switch (protocol) {
	case IPP_HOP_BY_HOP:
	case IPP_ROUTING:
	case IPP_FRAGMENT:
	case IPP_DESTINATION:
	case IPP_MOBILITY:
	case IPP_HIP:
	case IPP_SHIM6:
		if (w->address_len != 16)
			return END | CAPTURE_NOT_TCP;
		return extension(w, protocol);
	case IPP_AH:
		return extension(w, protocol);
	case IPP_IPV4:
		return enter(w, ETHERTYPE | ET_IPV4);
	case IPP_IPV6:
		return enter(w, ETHERTYPE | ET_IPV6);
	case IPP_GRE:
		return capture_walk_gre(w);
	case IPP_UDP:
		return capture_walk_udp(w);
	default:
		return END | CAPTURE_NOT_TCP;
	}
}

static uint32_t ppp_protocol(uint32_t protocol)
{
	switch (protocol) {
	case PPP_IPV4:
		return ETHERTYPE | ET_IPV4;
	case PPP_IPV6:
		return ETHERTYPE | ET_IPV6;
	case PPP_MPLS:
		return ETHERTYPE | ET_MPLS;
	default:
		return END | CAPTURE_NOT_TCP;
	}
}

static uint32_t other(struct walk *w, uint32_t what)
{
	switch ((enum other)what) {
	case ETHERNET:
		return step(w, ETHERTYPE, 12, 14);
	case BY_VERSION:
		return by_version(w);
	case MPLS_BOTTOM:
		return mpls_bottom(w);
	}
	return END | CAPTURE_NOT_TCP;
}

/*
 * NULL: the capturing host's address family in its byte order; LOOP: in
 * network order. IPv6 has as many numbers as there are BSDs, and none of
 * them uses more than the low byte.
 */
static uint32_t null_family(struct walk *w)
{
	uint32_t family;

	if (w->cap < 4)
		return END | CAPTURE_NOT_TCP;
	family = be32(w->p);
	if (family & 0xff000000)
		family = __builtin_bswap32(family);
	skip(w, 4);
	switch (family) {
	case 2:
		return ETHERTYPE | ET_IPV4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return ETHERTYPE | ET_IPV6;
	default:
		return END | CAPTURE_NOT_TCP;
	}
}

/* Linux cooked captures put a protocol that is no Ethernet type below 1536:
 * 4 is what LLC begins with. */
static uint32_t cooked(struct walk *w, uint32_t type, uint32_t header)
{
	uint32_t next = step(w, ETHERTYPE, type, header);

	if (next == (ETHERTYPE | 4))
		return llc(w, w->len);
	if ((next & SPACE_MASK) == ETHERTYPE && (next & 0xffff) <= 1500)
		return END | CAPTURE_NOT_TCP;
	return next;
}

static uint32_t link_layer(struct walk *w, uint32_t linktype)
{
	switch (linktype) {
	case CAPTURE_LINK_ETHERNET:
		return step(w, ETHERTYPE, 12, 14);
	case CAPTURE_LINK_NULL:
	case CAPTURE_LINK_LOOP:
		return null_family(w);
	case CAPTURE_LINK_DLT_RAW:
	case CAPTURE_LINK_DLT_RAW_OPENBSD:
	case CAPTURE_LINK_RAW:
		return by_version(w);
	case CAPTURE_LINK_IPV4:
		return ETHERTYPE | ET_IPV4;
	case CAPTURE_LINK_IPV6:
		return ETHERTYPE | ET_IPV6;
	case CAPTURE_LINK_LINUX_SLL:
		return cooked(w, 14, 16);
	case CAPTURE_LINK_LINUX_SLL2:
		return cooked(w, 0, 20);
	case CAPTURE_LINK_PPP:
	case CAPTURE_LINK_PPP_HDLC:
		return ppp_hdlc(w);
	case CAPTURE_LINK_PPP_WITH_DIR:
		if (w->cap < 1)
			return END | CAPTURE_NOT_TCP;
		skip(w, 1);
		return ppp_hdlc(w);
	case CAPTURE_LINK_PPP_ETHER:
		return pppoe(w);
	default:
		return END | CAPTURE_UNKNOWN_LINK;
	}
}

static inline enum capture_kind walk_to_tcp(struct walk *w, uint32_t linktype,
					    struct capture_segment *out)
{
	uint32_t next = link_layer(w, linktype);

	for (;;) {
		if (next == (IP_PROTOCOL | IPP_TCP))
			return tcp(w, out);
		switch (next & SPACE_MASK) {
		case ETHERTYPE:
			next = ethertype(w, next & 0xffff);
			break;
		case IP_PROTOCOL:
			next = ip_protocol(w, next & 0xff);
			break;
		case PPP_PROTOCOL:
			next = ppp_protocol(next & 0xffff);
			break;
		case UDP_PORT:
			next = capture_walk_udp_port(w, next & 0xffff);
			break;
		case OTHER:
			next = other(w, next & 0xffff);
			break;
		default:
			return (enum capture_kind)next;
		}
	}
}

/*
 * Most packets anywhere are whole IPv4 headers of 20 bytes with TCP right
 * behind Ethernet: a short way to where the long one leads, with no turns to
 * mispredict. False where this is not such a packet.
 */
static inline bool is_plain(uint32_t linktype, const struct walk *w)
{
	const uint8_t *p = w->p;

	return linktype == CAPTURE_LINK_ETHERNET && w->cap >= 14 + 20 &&
	       be16(p + 12) == ET_IPV4 && p[14] == 0x45 &&
	       (be16(p + 20) & 0x3fff) == 0 && p[23] == IPP_TCP &&
	       be16(p + 16) >= 20;
}

static inline enum capture_kind plain(struct walk *w,
				      struct capture_segment *out)
{
	const uint8_t *ip = w->p + 14;

	w->src = ip + 12;
	w->dst = ip + 16;
	w->address_len = 4;
	w->hops = ip[8];
	skip(w, 14 + 20);
	narrow(w, be16(ip + 2) - 20u);
	return tcp(w, out);
}

enum capture_kind capture_decode(uint32_t linktype, const uint8_t *data,
				 uint32_t caplen, uint32_t len,
				 struct capture_segment *out)
{
	struct walk w = {
		.p = data,
		.cap = caplen,
		.len = len < caplen ? caplen : len,
	};

	if (is_plain(linktype, &w))
		return plain(&w, out);
	return walk_to_tcp(&w, linktype, out);
}

enum capture_kind capture_decode_inner(uint32_t linktype, const uint8_t *data,
				       uint32_t caplen, uint32_t len,
				       struct capture_segment *out)
{
	struct walk w = {
		.p = data,
		.cap = caplen,
		.len = len < caplen ? caplen : len,
		.inner = true,
	};

	if (is_plain(linktype, &w))
		return plain(&w, out);
	return walk_to_tcp(&w, linktype, out);
}

const uint8_t *capture_option(const struct capture_segment *segment,
			      uint8_t kind, uint8_t value_len)
{
	const uint8_t *p = segment->options;
	const uint8_t *end = p + segment->options_len;

	while (p < end && *p != 0) {
		if (*p == 1) { /* padding */
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2)
			break;
		if (*p == kind && p[1] >= value_len + 2 && p[1] <= end - p)
			return p + 2;
		if (p[1] > end - p)
			break;
		p += p[1];
	}
	return NULL;
}
