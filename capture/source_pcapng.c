/* pcapng: blocks, each with its type and its length on both sides. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/reader.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_PACKET = 6,

	BYTE_ORDER_MAGIC = 0x1a2b3c4d,

	OPTION_END = 0,
	OPTION_NAME = 2,
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,

	FRAME = 12, /* type and both lengths */
	SECTION_LEAST = 28,
	NAME_MAX_BYTES = 256,
};

/* Room for options around a record of the largest size. */
#define BLOCK_MAX (CAPTURE_RECORD_MAX + (1u << 20))

static bool pcapng_matches(const uint8_t *first)
{
	uint32_t type, magic;

	memcpy(&type, first, sizeof(type));
	memcpy(&magic, first + 8, sizeof(magic));
	return type == BLOCK_SECTION &&
	       (magic == BYTE_ORDER_MAGIC ||
		magic == __builtin_bswap32(BYTE_ORDER_MAGIC));
}

static int pcapng_start(struct capture_source *s, char *err)
{
	(void)s;
	(void)err;
	return 0;
}

/* --- interfaces ------------------------------------------------------- */

static uint64_t power_of_ten(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

/* A negative power of ten, or of two where the top bit is set. Finer than
 * 10^-18 or 2^-63, a 64-bit stamp spans no time worth telling. */
static void set_resolution(struct reader_interface *interface, uint8_t value)
{
	unsigned exponent = value & 0x7f;

	interface->multiply = 1;
	interface->divide = 1;
	interface->shift = 0;
	if (value & 0x80) {
		interface->multiply = 1000000000;
		interface->shift = (uint8_t)(exponent < 63 ? exponent : 63);
	} else if (exponent <= 9) {
		interface->multiply = (uint32_t)power_of_ten(9 - exponent);
	} else {
		interface->divide =
			power_of_ten((exponent < 18 ? exponent : 18) - 9);
	}
}

static void set_offset(const struct capture_source *s,
		       struct reader_interface *interface, const uint8_t *p)
{
	int64_t seconds;

	memcpy(&seconds, p, sizeof(seconds));
	if (s->swapped)
		seconds = (int64_t)__builtin_bswap64((uint64_t)seconds);
	if (__builtin_mul_overflow(seconds, INT64_C(1000000000),
				   &interface->offset_ns))
		interface->offset_ns = 0;
}

static void take_option(const struct capture_source *s,
			struct reader_interface *interface, uint16_t type,
			const uint8_t *value, uint16_t len)
{
	switch (type) {
	case OPTION_NAME:
		if (!interface->name)
			interface->name = strndup(
				(const char *)value,
				len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES);
		break;
	case OPTION_RESOLUTION:
		if (len >= 1)
			set_resolution(interface, value[0]);
		break;
	case OPTION_OFFSET:
		if (len >= 8)
			set_offset(s, interface, value);
		break;
	default:
		break;
	}
}

/* Options that do not fit their block end the list, not the file. */
static void take_options(const struct capture_source *s,
			 struct reader_interface *interface, const uint8_t *p,
			 size_t left)
{
	while (left >= 4) {
		uint16_t type = reader_u16(s, p);
		uint16_t len = reader_u16(s, p + 2);
		size_t padded = (len + 3u) & ~3u;

		if (type == OPTION_END || padded > left - 4)
			return;
		take_option(s, interface, type, p + 4, len);
		p += 4 + padded;
		left -= 4 + padded;
	}
}

static int take_interface(struct capture_source *s, const uint8_t *body,
			  size_t len, char *err)
{
	struct reader_interface *interface;
	int error = 0;

	if (len < 8)
		return capture_reader_broken(
			s, err, "interface block of %zu bytes", len + FRAME);
	interface = capture_reader_add_interface(s, err, &error);
	if (!interface)
		return error;
	interface->linktype = reader_u16(s, body);
	interface->snaplen = reader_u32(s, body + 4);
	set_resolution(interface, 6);
	take_options(s, interface, body + 8, len - 8);
	return 0;
}

/* --- packets ---------------------------------------------------------- */

/* Times before 1970 and after 2262 do not exist for us. */
static int64_t to_ns(const struct reader_interface *interface, uint64_t ticks)
{
	__int128 ns = (__int128)ticks * interface->multiply;

	if (interface->divide != 1)
		ns /= interface->divide;
	ns = (ns >> interface->shift) + interface->offset_ns;
	if (ns < 0)
		return 0;
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

/*
 * Put the packet in `*out`: `at` is where its data begins in the body and
 * `len` the body's. Returns 1, or -EBADMSG.
 */
static int put_packet(struct capture_source *s, struct capture_packet *out,
		      uint32_t number, uint64_t ticks, const uint8_t *body,
		      size_t at, size_t len, char *err)
{
	const struct reader_interface *interface;

	if (number >= s->interface_count - s->section_first)
		return capture_reader_broken(
			s, err, "packet of interface %u of %u", number,
			s->interface_count - s->section_first);
	if (out->caplen > len - at)
		return capture_reader_broken(
			s, err, "packet of %u bytes in a block of %zu",
			out->caplen, len + FRAME);
	interface = &s->interfaces[s->section_first + number];
	out->interface = s->section_first + number;
	out->linktype = interface->linktype;
	out->time_ns = to_ns(interface, ticks);
	out->data = body + at;
	if (out->len < out->caplen)
		out->len = out->caplen;
	return 1;
}

static uint64_t ticks_at(const struct capture_source *s, const uint8_t *p)
{
	return (uint64_t)reader_u32(s, p) << 32 | reader_u32(s, p + 4);
}

static int take_packet(struct capture_source *s, uint32_t type,
		       const uint8_t *body, size_t len,
		       struct capture_packet *out, char *err)
{
	uint32_t number;

	if (len < 20)
		return capture_reader_broken(
			s, err, "packet block of %zu bytes", len + FRAME);
	number = type == BLOCK_PACKET ? reader_u32(s, body)
				      : reader_u16(s, body);
	out->caplen = reader_u32(s, body + 12);
	out->len = reader_u32(s, body + 16);
	return put_packet(s, out, number, ticks_at(s, body + 4), body, 20, len,
			  err);
}

/* No stamp, no interface but the first, and what was captured is to be told
 * from the interface's limit. */
static int take_simple_packet(struct capture_source *s, const uint8_t *body,
			      size_t len, struct capture_packet *out, char *err)
{
	uint32_t snaplen;

	if (len < 4)
		return capture_reader_broken(
			s, err, "packet block of %zu bytes", len + FRAME);
	out->len = reader_u32(s, body);
	out->caplen = out->len;
	if (s->section_first < s->interface_count) {
		snaplen = s->interfaces[s->section_first].snaplen;
		if (snaplen && out->caplen > snaplen)
			out->caplen = snaplen;
	}
	return put_packet(s, out, 0, 0, body, 4, len, err);
}

/* --- blocks ----------------------------------------------------------- */

static int begin_section(struct capture_source *s, char *err)
{
	const uint8_t *p = s->data + s->begin;
	uint32_t magic;

	memcpy(&magic, p + 8, sizeof(magic));
	if (magic != BYTE_ORDER_MAGIC &&
	    magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return capture_reader_broken(
			s, err, "section header without byte-order magic");
	s->swapped = magic != BYTE_ORDER_MAGIC;
	if (reader_u16(s, p + 12) != 1)
		return capture_reader_broken(
			s, err, "expected pcapng version 1, found %u",
			reader_u16(s, p + 12));
	s->section_first = s->interface_count;
	return 0;
}

static bool is_wanted(uint32_t type)
{
	return type == BLOCK_SECTION || type == BLOCK_INTERFACE ||
	       type == BLOCK_PACKET || type == BLOCK_SIMPLE_PACKET ||
	       type == BLOCK_OLD_PACKET;
}

/* A whole block at s->begin. Returns 1 if it gave a packet, 0 if not. */
static int take_block(struct capture_source *s, uint32_t type, uint32_t total,
		      struct capture_packet *out, char *err)
{
	const uint8_t *p = s->data + s->begin;
	const uint8_t *body = p + 8;
	size_t len = total - FRAME;

	if (reader_u32(s, p + total - 4) != total)
		return capture_reader_broken(s, err,
					     "a block's lengths are %u and %u",
					     total,
					     reader_u32(s, p + total - 4));
	switch (type) {
	case BLOCK_INTERFACE:
		return take_interface(s, body, len, err);
	case BLOCK_PACKET:
	case BLOCK_OLD_PACKET:
		return take_packet(s, type, body, len, out, err);
	case BLOCK_SIMPLE_PACKET:
		return take_simple_packet(s, body, len, out, err);
	default:
		return 0;
	}
}

/*
 * What the block at s->begin says of itself: FRAME bytes of it are there, or
 * SECTION_LEAST of a section header. Returns 0, or -EBADMSG.
 */
static int block_head(struct capture_source *s, uint32_t *type, uint32_t *total,
		      char *err)
{
	const uint8_t *p = s->data + s->begin;
	uint32_t least = FRAME;
	int ret;

	*type = reader_u32(s, p);
	if (*type == BLOCK_SECTION) {
		ret = begin_section(s, err);
		if (ret < 0)
			return ret;
		least = SECTION_LEAST;
	}
	*total = reader_u32(s, p + 4);
	if (*total < least || *total % 4)
		return capture_reader_broken(s, err, "a block of %u bytes",
					     *total);
	if (is_wanted(*type) && *total > BLOCK_MAX)
		return capture_reader_broken(
			s, err,
			"expected a block of at most %u bytes, "
			"found one that says %u",
			BLOCK_MAX, *total);
	return 0;
}

static int pcapng_parse(struct capture_source *s,
			struct capture_packet *packets, size_t max,
			size_t *need, char *err)
{
	uint32_t type, total;
	size_t n = 0, there;
	int ret;

	while (n < max) {
		there = s->end - s->begin;
		*need = FRAME;
		if (there >= FRAME &&
		    reader_u32(s, s->data + s->begin) == BLOCK_SECTION)
			*need = SECTION_LEAST;
		if (there < *need)
			break;
		ret = block_head(s, &type, &total, err);
		if (ret < 0)
			return n ? (int)n : ret;
		if (!is_wanted(type)) {
			s->skip = total;
			break;
		}
		*need = total;
		if (there < total)
			break;
		ret = take_block(s, type, total, &packets[n], err);
		if (ret < 0)
			return n ? (int)n : ret;
		s->begin += total;
		n += (size_t)ret;
	}
	return (int)n;
}

const struct format capture_format_pcapng = {
	.name = "pcapng",
	.matches = pcapng_matches,
	.start = pcapng_start,
	.parse = pcapng_parse,
};
