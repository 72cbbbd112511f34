/* One captured packet, as every source hands it over and every writer takes
 * it. */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include <stdint.h>

/* Size of the caller-owned error texts of this folder, NUL included. */
#define CAPTURE_ERR_MAX 512

struct capture_packet {
	int64_t time_ns;     /* CLOCK_REALTIME: since 1970-01-01 UTC */
	const uint8_t *data; /* borrowed: good until the source's next call */
	uint32_t caplen;     /* bytes at data */
	uint32_t len;	     /* bytes on the wire; at least caplen */
	uint32_t linktype;   /* LINKTYPE_ number of what data begins with */
	uint32_t interface;  /* capture point, counted from 0 by its source */
};

#endif
