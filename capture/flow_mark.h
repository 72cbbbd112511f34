/* Inside the flow table: what one connection is remembered by. */
#ifndef CAPTURE_FLOW_MARK_H
#define CAPTURE_FLOW_MARK_H

#include <stdint.h>

#include "capture/flow.h"

enum half_state {
	HALF_ACKED = 1 << 0,	   /* ack and window mean something */
	HALF_SCALE_KNOWN = 1 << 1, /* the handshake was seen */
	HALF_FIN = 1 << 2,	   /* sent one */
	HALF_MARK = 1 << 3,	   /* a mark was announced */
	HALF_BSD_CAME = 1 << 4,	   /* the octet before the mark was sent */
};

/*
 * What one end sends, on one cache line. All sequence numbers are raw; the
 * mark and what belongs to it are those of its direction's last mark. An octet
 * is CAPTURE_NO_BYTE until it was captured.
 */
struct half {
	uint32_t next;	 /* follows the highest octet sent */
	uint32_t ack;	 /* highest acknowledgement this end sent */
	uint32_t window; /* it last offered, in bytes */
	uint32_t mark;	 /* sequence number plus pointer */
	uint8_t state;	 /* enum half_state */
	uint8_t scale;	 /* shift of its window */
	int16_t tail;	 /* the octet before next */
	int16_t byte_bsd;
	int16_t byte_1122;
	uint32_t segments; /* that announced the mark */
	uint16_t pointer;  /* of the first of them */
	uint64_t announced_frame;
	uint64_t carrier_frame;
	int64_t announced_ns;
	int64_t carrier_ns;
};

/* Halves are in the order of the key's ends. */
struct flow {
	uint64_t ends[5];     /* as in struct capture_flow_key */
	uint64_t last;	      /* when it was last heard, in segments */
	uint64_t number : 48; /* as events have it */
	uint64_t known : 8; /* bit n: base[n] and half[n].next mean something */
	uint64_t open : 2;  /* bit n: the last mark of half[n] is in flight */
	uint64_t a_side : 1; /* which half is a */
	uint64_t closed : 1; /* a FIN or RST was seen */
	uint32_t base[2];    /* raw number shown as 0: the SYN's, or what
			      * stands for it */
	struct half half[2] __attribute__((aligned(64)));
};

_Static_assert(sizeof(struct half) == 64, "one cache line");
_Static_assert(sizeof(struct flow) == 192, "three cache lines");

/* The table's episodes: how many began, who wants to know, and which segment
 * is being taken. */
struct marks {
	uint64_t episodes;
	void (*episode)(void *context, const struct capture_episode *episode);
	void *context;
	uint64_t frame;
	int64_t time_ns;
};

/* Take the segment, which half `side` sent, add to event->facts, and fill the
 * rest of it. */
void capture_flow_segment(struct marks *marks, struct flow *flow, unsigned side,
			  const struct capture_segment *segment,
			  struct capture_event *event);

/* End the episodes that are open, for a reason that lies with the flow. */
void capture_flow_end_marks(struct marks *marks, struct flow *flow,
			    enum capture_end end);

#endif
