/* Frames and capture files written byte by byte, for tests and for the
 * programs that make what the tests read. */
#ifndef TESTS_FRAME_H
#define TESTS_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"

/* Ethernet, IPv6 and TCP headers. */
#define FRAME_HEADERS_MAX (14 + 40 + 20)
#define FRAME_PAYLOAD_MAX 256
#define FRAME_MAX	  (FRAME_HEADERS_MAX + FRAME_PAYLOAD_MAX)

/*
 * Write `s` as an Ethernet frame, of IPv4 or IPv6 by its address length, with
 * right checksums; where payload_caplen is below payload_len the rest of the
 * payload counts as zeros, in both. Options are not written. Returns the
 * bytes written, FRAME_MAX at most; on the wire it had those and
 * payload_len - payload_caplen more.
 */
size_t frame_write(uint8_t *frame, const struct capture_segment *s,
		   uint16_t identification);

/* A pcap file in memory, little-endian, with microseconds. */
struct pcap_file {
	uint8_t *data;
	size_t size; /* room at data */
	size_t used;
};

/* These write nothing more when there is no room left: `used` then is past
 * `size`. */
void pcap_begin(struct pcap_file *file, uint32_t linktype);
void pcap_add(struct pcap_file *file, uint64_t time_us, const void *data,
	      size_t caplen, size_t len);

#endif
