/*
 * What one end of a flow sent to the other, segment by segment in the order
 * of arrival: all that is needed to say what a receiver made of it.
 */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"
#include "capture/flow.h"

/* A cap that suits a person's session, not a download. */
#define CAPTURE_STREAM_BYTES (64u << 20)

struct capture_stream;

/*
 * One segment, or octets that the capture missed and the receiver had: it
 * acknowledged them. Those have no frame, no header and no payload, and stand
 * before the segment ahead of which the acknowledgement was captured.
 */
struct capture_arrival {
	uint64_t frame; /* counted from 1; 0: not captured */
	int64_t time_ns;
	int64_t seq;   /* relative, as capture/flow.h counts, but going on past
			* 2^32; may be negative */
	int64_t acked; /* all before this had been acknowledged when it came */
	const uint8_t *header;	/* of TCP, header_len bytes; NULL: not known */
	const uint8_t *payload; /* caplen bytes */
	uint32_t len;		/* bytes of payload on the wire */
	uint32_t caplen;	/* how many of them were captured */
	uint16_t urgent_pointer;
	uint8_t flags;	    /* enum capture_flag */
	uint8_t header_len; /* captured bytes of the header */
};

/*
 * Begin to collect what `direction` (0: from a, 1: from b) sends, in at most
 * `max_bytes` of memory. Returns 0, or -ENOMEM.
 */
int capture_stream_new(struct capture_stream **out, unsigned direction,
		       size_t max_bytes);

/*
 * Take the next segment of the flow, of either direction: one keeps the data,
 * the other tells what arrived. The bytes are copied. Returns 0, -ENOBUFS
 * when the memory is used up, or -ENOMEM; after either the stream is what
 * came before, and takes no more.
 */
int capture_stream_segment(struct capture_stream *stream,
			   const struct capture_segment *segment,
			   const struct capture_event *event, uint64_t frame,
			   int64_t time_ns);

/*
 * All has been seen: put in what the capture missed, for which a moment more
 * memory than the cap may be needed. Called once, before arrivals are asked
 * for. Returns 0, or -ENOMEM.
 */
int capture_stream_finish(struct capture_stream *stream);

/* The arrivals and their number; good until the stream is freed. */
const struct capture_arrival *
capture_stream_arrivals(const struct capture_stream *stream, size_t *count);

/* NULL is allowed. */
void capture_stream_free(struct capture_stream *stream);

#endif
