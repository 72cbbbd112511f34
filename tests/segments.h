/* Segments written by hand, for the tests of what reads them. */
#ifndef TESTS_SEGMENTS_H
#define TESTS_SEGMENTS_H

#include <stdint.h>
#include <string.h>

#include "capture/decode.h"

#define FIN CAPTURE_FIN
#define SYN CAPTURE_SYN
#define RST CAPTURE_RST
#define ACK CAPTURE_ACK
#define URG CAPTURE_URG

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct script {
	char from; /* 'a', 'b'; 0 ends a script */
	uint8_t flags;
	uint32_t seq; /* raw */
	uint32_t ack; /* raw */
	const char *data;
	uint32_t len; /* on the wire; 0: all of it is data */
	uint16_t up;
	uint16_t window; /* 0: 65535, as most rows do not care */
	bool shut;	 /* a window of 0 */
	uint32_t facts;	 /* expected, but for NEW_FLOW and ACKED */
	const char *note;
};

/* A segment of 10.0.0.1:1000 (a) and 10.0.0.2:23 (b). */
static inline struct capture_segment from_script(const struct script *line)
{
	static const uint8_t ends[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
	static const uint16_t ports[2] = { 1000, 23 };
	const char *data = line->data ? line->data : "";
	unsigned from = line->from == 'b';
	struct capture_segment segment = {
		.src = ends[from],
		.dst = ends[!from],
		.address_len = 4,
		.sport = ports[from],
		.dport = ports[!from],
		.payload = (const uint8_t *)data,
		.payload_len = (uint32_t)strlen(data),
		.payload_caplen = (uint32_t)strlen(data),
		.seq = line->seq,
		.ack = line->ack,
		.flags = line->flags,
		.urgent_pointer = line->up,
		.window = line->window ? line->window : 65535,
	};

	if (line->len)
		segment.payload_len = line->len;
	if (line->shut)
		segment.window = 0;
	return segment;
}

#endif
