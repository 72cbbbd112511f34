/* The classic pcap file: a header of 24 bytes, then records. */
#include <errno.h>

#include "capture/reader.h"

enum {
	MAGIC_MICRO = 0xa1b2c3d4,
	MAGIC_NANO = 0xa1b23c4d,
	MAGIC_MODIFIED = 0xa1b2cd34, /* Kuznetzov's: 8 more bytes a record */
};

/* Versions before 2.3 wrote the lengths in the other order, and 2.3 did
 * either (the history is in libpcap's sf-pcap.c). */
enum length_order {
	LENGTHS_USUAL,
	LENGTHS_EITHER,
	LENGTHS_SWAPPED
};

static uint32_t magic_of(const uint8_t *first, bool swapped)
{
	uint32_t magic;

	memcpy(&magic, first, sizeof(magic));
	return swapped ? __builtin_bswap32(magic) : magic;
}

static bool is_magic(uint32_t magic)
{
	return magic == MAGIC_MICRO || magic == MAGIC_NANO ||
	       magic == MAGIC_MODIFIED;
}

static bool pcap_matches(const uint8_t *first)
{
	return is_magic(magic_of(first, false)) ||
	       is_magic(magic_of(first, true));
}

static int pcap_start(struct capture_source *s, char *err)
{
	const uint8_t *p = s->data + s->begin;
	struct reader_interface *interface;
	uint32_t magic;
	uint16_t minor;
	int error = 0;

	s->swapped = !is_magic(magic_of(p, false));
	magic = magic_of(p, s->swapped);
	if (reader_u16(s, p + 4) != 2)
		return capture_reader_broken(
			s, err, "expected pcap version 2, found %u",
			reader_u16(s, p + 4));
	interface = capture_reader_add_interface(s, err, &error);
	if (!interface)
		return error;
	minor = reader_u16(s, p + 6);
	s->length_order = minor < 3    ? LENGTHS_SWAPPED
			  : minor == 3 ? LENGTHS_EITHER
				       : LENGTHS_USUAL;
	s->record_header = magic == MAGIC_MODIFIED ? 24 : 16;
	s->tick_ns = magic == MAGIC_NANO ? 1 : 1000;
	interface->snaplen = reader_u32(s, p + 16);
	/* The upper bits tell of frame check sequences. */
	interface->linktype = reader_u32(s, p + 20) & 0xffff;
	s->begin += FIRST_BYTES;
	return 0;
}

static inline void order_lengths(const struct capture_source *s,
				 uint32_t *caplen, uint32_t *len)
{
	uint32_t first = *caplen;

	if (s->length_order == LENGTHS_USUAL ||
	    (s->length_order == LENGTHS_EITHER && *caplen <= *len))
		return;
	*caplen = *len;
	*len = first;
}

static int pcap_parse(struct capture_source *s, struct capture_packet *packets,
		      size_t max, size_t *need, char *err)
{
	const uint32_t linktype = s->interfaces[0].linktype;
	const uint32_t header = s->record_header;
	size_t n = 0;

	*need = header;
	while (n < max && s->end - s->begin >= header) {
		const uint8_t *p = s->data + s->begin;
		uint32_t caplen = reader_u32(s, p + 8);
		uint32_t len = reader_u32(s, p + 12);

		order_lengths(s, &caplen, &len);
		if (caplen > CAPTURE_RECORD_MAX) {
			if (n)
				break; /* these first */
			return capture_reader_broken(
				s, err,
				"expected a record of at most %u bytes, found "
				"one that says %u",
				CAPTURE_RECORD_MAX, caplen);
		}
		if (s->end - s->begin < header + caplen) {
			*need = header + caplen;
			break;
		}
		packets[n++] = (struct capture_packet){
			.time_ns = reader_u32(s, p) * INT64_C(1000000000) +
				   (int64_t)reader_u32(s, p + 4) * s->tick_ns,
			.data = p + header,
			.caplen = caplen,
			.len = len < caplen ? caplen : len,
			.linktype = linktype,
		};
		s->begin += header + caplen;
	}
	return (int)n;
}

const struct format capture_format_pcap = {
	.name = "pcap",
	.matches = pcap_matches,
	.start = pcap_start,
	.parse = pcap_parse,
};
