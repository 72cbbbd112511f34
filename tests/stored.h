/* Files of stored packets, written byte by byte: for the tests of what reads
 * them. Each holds "abc", and "defgh" of 1000 bytes. */
#ifndef TESTS_STORED_H
#define TESTS_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A file in the making, in this machine's byte order or the other. */
struct bytes {
	uint8_t data[4096];
	size_t used;
	bool swapped;
};

static void raw(struct bytes *b, const void *data, size_t len)
{
	if (len > sizeof(b->data) - b->used)
		abort();
	memcpy(b->data + b->used, data, len);
	b->used += len;
}

static void u16(struct bytes *b, uint16_t v)
{
	v = b->swapped ? __builtin_bswap16(v) : v;
	raw(b, &v, sizeof(v));
}

static void u32(struct bytes *b, uint32_t v)
{
	v = b->swapped ? __builtin_bswap32(v) : v;
	raw(b, &v, sizeof(v));
}

static void pcap_header(struct bytes *b, uint32_t magic, uint16_t minor)
{
	u32(b, magic);
	u16(b, 2);
	u16(b, minor);
	u32(b, 0);
	u32(b, 0);
	u32(b, 65535);
	u32(b, 101);
}

static void pcap_record(struct bytes *b, uint32_t fraction, uint32_t caplen,
			uint32_t len, size_t more, const char *data)
{
	u32(b, 1700000000);
	u32(b, fraction);
	u32(b, caplen);
	u32(b, len);
	raw(b, "\0\0\0\0\0\0\0", more);
	raw(b, data, strlen(data));
}

static void micro(struct bytes *b)
{
	pcap_header(b, 0xa1b2c3d4, 4);
	pcap_record(b, 123456, 3, 3, 0, "abc");
	pcap_record(b, 123457, 5, 1000, 0, "defgh");
}

static void nano(struct bytes *b)
{
	pcap_header(b, 0xa1b23c4d, 4);
	pcap_record(b, 123456000, 3, 3, 0, "abc");
	pcap_record(b, 123457000, 5, 1000, 0, "defgh");
}

static void modified(struct bytes *b)
{
	pcap_header(b, 0xa1b2cd34, 4);
	pcap_record(b, 123456, 3, 3, 8, "abc");
	pcap_record(b, 123457, 5, 1000, 8, "defgh");
}

static void lengths_swapped(struct bytes *b)
{
	pcap_header(b, 0xa1b2c3d4, 2);
	pcap_record(b, 123456, 3, 3, 0, "abc");
	pcap_record(b, 123457, 1000, 5, 0, "defgh");
}

static void lengths_either_usual(struct bytes *b)
{
	pcap_header(b, 0xa1b2c3d4, 3);
	pcap_record(b, 123456, 3, 3, 0, "abc");
	pcap_record(b, 123457, 5, 1000, 0, "defgh");
}

static void lengths_either_swapped(struct bytes *b)
{
	pcap_header(b, 0xa1b2c3d4, 3);
	pcap_record(b, 123456, 3, 3, 0, "abc");
	pcap_record(b, 123457, 1000, 5, 0, "defgh");
}

/* Blocks: begun with no length, which end() fills in on both sides. */
static size_t begin(struct bytes *b, uint32_t type)
{
	size_t at = b->used;

	u32(b, type);
	u32(b, 0);
	return at;
}

static void end(struct bytes *b, size_t at)
{
	struct bytes length = { .swapped = b->swapped };
	uint32_t total;

	while (b->used % 4)
		raw(b, "", 1);
	total = (uint32_t)(b->used - at) + 4;
	u32(b, total);
	u32(&length, total);
	memcpy(b->data + at + 4, length.data, 4);
}

static void section(struct bytes *b)
{
	size_t at = begin(b, 0x0a0d0d0a);

	u32(b, 0x1a2b3c4d);
	u16(b, 1);
	u16(b, 0);
	u32(b, UINT32_MAX);
	u32(b, UINT32_MAX);
	end(b, at);
}

static void interface(struct bytes *b, uint32_t snaplen, const char *name,
		      int resolution, int offset_s)
{
	size_t at = begin(b, 1);
	uint8_t value = (uint8_t)resolution;

	u16(b, 101);
	u16(b, 0);
	u32(b, snaplen);
	if (name) {
		u16(b, 2);
		u16(b, (uint16_t)strlen(name));
		raw(b, name, strlen(name));
		raw(b, "\0\0\0", -strlen(name) & 3);
	}
	if (resolution >= 0) {
		u16(b, 9);
		u16(b, 1);
		raw(b, &value, 1);
		raw(b, "\0\0\0", 3);
	}
	if (offset_s) {
		u16(b, 14);
		u16(b, 8);
		u32(b, b->swapped ? 0 : (uint32_t)offset_s);
		u32(b, b->swapped ? (uint32_t)offset_s : 0);
	}
	u32(b, 0);
	end(b, at);
}

static void packet(struct bytes *b, uint32_t number, uint64_t ticks,
		   uint32_t len, const char *data)
{
	size_t at = begin(b, 6);

	u32(b, number);
	u32(b, (uint32_t)(ticks >> 32));
	u32(b, (uint32_t)ticks);
	u32(b, (uint32_t)strlen(data));
	u32(b, len);
	raw(b, data, strlen(data));
	end(b, at);
}

static const uint64_t us = UINT64_C(1700000000123456);

static void ng(struct bytes *b)
{
	section(b);
	interface(b, 65535, "eth0", -1, 0);
	packet(b, 0, us, 3, "abc");
	packet(b, 0, us + 1, 1000, "defgh");
}

static void ng_unknown_blocks(struct bytes *b)
{
	size_t at;

	section(b);
	at = begin(b, 0x0bad0bad);
	raw(b, "0123456789abcdef", 16);
	end(b, at);
	interface(b, 65535, "eth0", -1, 0);
	packet(b, 0, us, 3, "abc");
	end(b, begin(b, 0x80000001));
	packet(b, 0, us + 1, 1000, "defgh");
	at = begin(b, 5);
	u32(b, 0);
	end(b, at);
}

static void ng_two_sections(struct bytes *b)
{
	section(b);
	interface(b, 65535, "eth0", -1, 0);
	packet(b, 0, us, 3, "abc");
	b->swapped = !b->swapped;
	section(b);
	interface(b, 65535, "eth1", -1, 0);
	packet(b, 0, us + 1, 1000, "defgh");
}

static void ng_resolutions(struct bytes *b)
{
	section(b);
	interface(b, 65535, "nano", 9, 0);
	interface(b, 65535, "pico and an offset", 12, 1700000000);
	packet(b, 0, us * 1000, 3, "abc");
	packet(b, 1, UINT64_C(123457000000), 1000, "defgh");
}

/* 1/1024 s does not divide a microsecond, so these stamps are their own. */
static void ng_binary_resolution(struct bytes *b)
{
	section(b);
	interface(b, 65535, "1/2^10", 0x8a, 0);
	packet(b, 0, (UINT64_C(1700000000) << 10) + 512, 3, "abc");
	packet(b, 0, (UINT64_C(1700000001) << 10) + 1, 1000, "defgh");
}

static void ng_simple(struct bytes *b)
{
	size_t at;

	section(b);
	interface(b, 5, "eth0", -1, 0);
	at = begin(b, 3);
	u32(b, 3);
	raw(b, "abc", 3);
	end(b, at);
	at = begin(b, 3);
	u32(b, 1000);
	raw(b, "defgh", 5);
	end(b, at);
}

static void ng_old_packet(struct bytes *b)
{
	size_t at;

	section(b);
	interface(b, 65535, "eth0", -1, 0);
	packet(b, 0, us, 3, "abc");
	at = begin(b, 2);
	u16(b, 0);
	u16(b, 7); /* dropped */
	u32(b, (uint32_t)((us + 1) >> 32));
	u32(b, (uint32_t)(us + 1));
	u32(b, 5);
	u32(b, 1000);
	raw(b, "defgh", 5);
	end(b, at);
}

/* --- the files --------------------------------------------------------- */

struct stored {
	const char *name;
	void (*write)(struct bytes *b);
	bool swapped;
	int64_t first_ns, second_ns; /* 0, 0: as of the microsecond stamps */
	uint32_t second_interface;
	bool unlike_libpcap; /* it reads this otherwise, or not at all */
};

#define NO_TIME (-1)

static const struct stored stored_rows[] = {
	{ .name = "micro", .write = micro },
	{ .name = "micro_swapped", .write = micro, .swapped = true },
	{ .name = "nano", .write = nano },
	{ .name = "nano_swapped", .write = nano, .swapped = true },
	{ .name = "modified", .write = modified },
	{ .name = "modified_swapped", .write = modified, .swapped = true },
	{ .name = "lengths_swapped", .write = lengths_swapped },
	{ .name = "lengths_either_usual", .write = lengths_either_usual },
	{ .name = "lengths_either_swapped", .write = lengths_either_swapped },
	{ .name = "ng", .write = ng },
	{ .name = "ng_swapped", .write = ng, .swapped = true },
	{ .name = "ng_unknown_blocks", .write = ng_unknown_blocks },
	/* libpcap 1.10.3 takes no section of another byte order, and counts
	 * link types of two interfaces in two ways */
	{ .name = "ng_two_sections",
	  .write = ng_two_sections,
	  .second_interface = 1,
	  .unlike_libpcap = true },
	{ .name = "ng_resolutions",
	  .write = ng_resolutions,
	  .second_interface = 1,
	  .unlike_libpcap = true },
	{ .name = "ng_resolutions_swapped",
	  .write = ng_resolutions,
	  .swapped = true,
	  .second_interface = 1,
	  .unlike_libpcap = true },
	{ .name = "ng_binary_resolution",
	  .write = ng_binary_resolution,
	  .first_ns = INT64_C(1700000000500000000),
	  .second_ns = INT64_C(1700000001000976562) },
	{ .name = "ng_simple",
	  .write = ng_simple,
	  .first_ns = NO_TIME,
	  .second_ns = NO_TIME },
	{ .name = "ng_old_packet", .write = ng_old_packet },
};

static inline struct bytes bytes_of(const struct stored *row)
{
	struct bytes b = { .swapped = row->swapped };

	row->write(&b);
	return b;
}

#endif
