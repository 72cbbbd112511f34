/*
 * Connections: which flow a segment belongs to, its relative sequence
 * numbers, and what it does to the urgent mark of its direction.
 *
 * The table keeps numbers, never payload, so it serves four flows or a
 * million: at most 256 bytes each, and when `max_flows` are known the one
 * that has been silent for the most packets makes room.
 */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"

struct capture_flows;

/* What one segment is and does; several at once. */
enum capture_fact {
	/* about its flow */
	CAPTURE_FACT_NEW_FLOW = 1 << 0, /* the first segment of a flow */
	CAPTURE_FACT_REUSED = 1 << 1,	/* … on the ports of an older one */

	/* about its data */
	CAPTURE_FACT_OLD = 1 << 2, /* all of it lies behind what was seen: sent
				    * again, or late */
	CAPTURE_FACT_GAP = 1 << 3, /* it begins past what was seen */
	CAPTURE_FACT_AFTER_FIN = 1 << 4, /* it goes on behind its FIN */

	/* about its header, of which the last five need URG */
	CAPTURE_FACT_POINTER_ONLY = 1 << 5, /* a pointer that is not 0, but no
					     * URG */
	CAPTURE_FACT_URG = 1 << 6,
	CAPTURE_FACT_POINTER_ZERO = 1 << 7,
	CAPTURE_FACT_ON_SYN = 1 << 8,
	CAPTURE_FACT_ON_RST = 1 << 9,
	CAPTURE_FACT_EMPTY = 1 << 10,  /* no payload */
	CAPTURE_FACT_BEYOND = 1 << 11, /* it points past its own data */

	/* about its mark: the sequence number it points to */
	CAPTURE_FACT_NEW_MARK = 1 << 12,  /* first announcement */
	CAPTURE_FACT_REPLACES = 1 << 13,  /* … while another was in flight */
	CAPTURE_FACT_MOVES_ON = 1 << 25,  /* … which had the largest pointer
					   * there is and may have meant this */
	CAPTURE_FACT_BACKWARDS = 1 << 14, /* new data, but a pointer behind the
					   * mark announced before */
	CAPTURE_FACT_NO_WINDOW = 1 << 15, /* the receiver's window is shut */
	CAPTURE_FACT_PAST_WINDOW = 1 << 16, /* it ends before the mark does */

	/* about the urgent byte of its direction's mark, whether or not this
	 * segment has URG */
	CAPTURE_FACT_BYTE = 1 << 17,	     /* brings it, by the BSD reading */
	CAPTURE_FACT_BYTE_1122 = 1 << 18,    /* brings it, by RFC 1122's */
	CAPTURE_FACT_BYTE_AGAIN = 1 << 19,   /* brings the BSD one once more */
	CAPTURE_FACT_BYTE_DIFFERS = 1 << 20, /* … with another value */
	CAPTURE_FACT_UNMARKED = 1 << 21,     /* … and without URG */
	CAPTURE_FACT_REMARKED = 1 << 22,     /* … and with another pointer */
	CAPTURE_FACT_READINGS_DIFFER = 1 << 23, /* see event->readings */

	/* about the other direction's mark */
	CAPTURE_FACT_ACKED = 1 << 24, /* acknowledges the BSD urgent byte */
};

/* Those of a segment that has something to do with urgent data. */
#define CAPTURE_FACTS_URGENT                                                   \
	(~(uint32_t)(CAPTURE_FACT_NEW_FLOW | CAPTURE_FACT_REUSED |             \
		     CAPTURE_FACT_OLD | CAPTURE_FACT_GAP |                     \
		     CAPTURE_FACT_AFTER_FIN))

/* Why an episode came to its end. */
enum capture_end {
	CAPTURE_END_ACKED,
	CAPTURE_END_REPLACED, /* another mark was announced */
	CAPTURE_END_RESET,    /* RST, from either side */
	CAPTURE_END_REUSED,   /* a new connection on the same ports */
	CAPTURE_END_EVICTED,  /* the table was full */
	CAPTURE_END_OPEN,     /* the capture ended first */
};

/* A byte that no captured segment brought. */
#define CAPTURE_NO_BYTE (-1)

/*
 * One urgent mark from its first announcement to its end. The mark is given
 * as sequence number plus urgent pointer: the BSD reading's urgent byte is
 * the octet before it (RFC 6093 section 3), RFC 1122's is the octet at it
 * (section 4.2.2.4). Times are CLOCK_REALTIME ns; those of what did not
 * happen are 0, as are the frames.
 */
struct capture_episode {
	uint64_t flow;
	uint64_t announced_frame;
	uint64_t carrier_frame; /* brought the BSD urgent byte; 0 too where
				 * it came before it was announced */
	uint64_t end_frame;	/* acknowledged it, replaced it … */
	int64_t announced_ns;
	int64_t carrier_ns;
	int64_t end_ns;
	uint32_t mark;	   /* relative sequence number */
	uint32_t segments; /* with URG that announced this very mark */
	uint16_t pointer;  /* of the first of them, as sent */
	int16_t byte_bsd;  /* or CAPTURE_NO_BYTE */
	int16_t byte_1122; /* likewise; known if it came by the end */
	uint8_t direction; /* 0: sent by a, 1: by b */
	uint8_t end;	   /* enum capture_end */
};

/* One mark, and the urgent byte that each reading makes of it. */
struct capture_readings {
	uint32_t mark; /* relative */
	uint8_t byte_bsd;
	uint8_t byte_1122;
};

/*
 * What capture_flows_segment() found. Relative numbers count from the SYN's,
 * so the first data byte has 1; where no SYN was seen, the first octet that
 * was, or was awaited by an acknowledgement, has 1. They wrap as the raw ones
 * do.
 */
struct capture_event {
	uint64_t flow;	   /* counted from 0, in the order of appearance */
	uint32_t facts;	   /* enum capture_fact */
	uint32_t seq;	   /* relative */
	uint32_t ack;	   /* relative; 0 without ACK */
	uint8_t direction; /* 0: from a, the side that opened the flow or, where
			    * its SYN was not seen, spoke first; 1: from b */

	/* The mark of this direction after this segment, if it has any of
	 * CAPTURE_FACTS_URGENT. */
	bool has_mark;
	int16_t byte_bsd;  /* or CAPTURE_NO_BYTE: not seen yet, or no mark */
	int16_t byte_1122; /* likewise */
	uint32_t mark;	   /* relative: seq plus pointer */
	uint64_t announced_frame;
	int64_t announced_ns;

	/* With READINGS_DIFFER: the marks of which this segment brought the
	 * second byte and it is not the first one. Two where it replaces one
	 * mark and completes its own. */
	struct capture_readings readings[2];
	uint8_t readings_count;
};

/* What names the flow of a segment in a table. */
struct capture_flow_key {
	uint64_t ends[5]; /* addresses and ports of both, lower end first,
			   * and the capture point */
	uint32_t hash;
	uint32_t side;	 /* which of the ends sent the segment */
	uint32_t record; /* where the table had the flow, if it had; else 0 */
};

struct capture_flows_options {
	uint32_t max_flows; /* 0: CAPTURE_MAX_FLOWS */
	/* Called from within capture_flows_segment() and _finish(), once for
	 * each episode, when it ends. May be NULL. */
	void (*episode)(void *context, const struct capture_episode *episode);
	void *context;
};

#define CAPTURE_MAX_FLOWS (1u << 20)

struct capture_flows_counts {
	uint64_t flows; /* seen in all */
	uint64_t evicted;
	uint64_t episodes; /* begun */
	uint32_t held;	   /* flows in the table now */
	uint64_t bytes;	   /* memory the table holds now */
};

/* Returns 0, or -ENOMEM. */
int capture_flows_new(struct capture_flows **out,
		      const struct capture_flows_options *options);

/*
 * Take the next segment of the capture: `frame` counts packets from 1,
 * `point`, below 2^31, tells apart capture points whose flows are not to be
 * mixed (0 where there is one). Returns 0 and fills `*event`, or -ENOMEM; the
 * table then is as before, and may be used further.
 */
int capture_flows_segment(struct capture_flows *flows,
			  const struct capture_segment *segment, uint32_t point,
			  uint64_t frame, int64_t time_ns,
			  struct capture_event *event);

/*
 * For a caller with several segments at hand, who can hide the time it takes
 * to fetch a flow from memory: _key() the first, second … of them, then
 * _prefetch() each, then hand each with its key to _keyed(), which does what
 * capture_flows_segment() does.
 */
void capture_flows_key(const struct capture_flows *flows,
		       const struct capture_segment *segment, uint32_t point,
		       struct capture_flow_key *key);
void capture_flows_prefetch(const struct capture_flows *flows,
			    struct capture_flow_key *key);
int capture_flows_keyed(struct capture_flows *flows,
			const struct capture_flow_key *key,
			const struct capture_segment *segment, uint64_t frame,
			int64_t time_ns, struct capture_event *event);

/* The capture is over: end the episodes that are still open. */
void capture_flows_finish(struct capture_flows *flows);

void capture_flows_counts(const struct capture_flows *flows,
			  struct capture_flows_counts *counts);

/* NULL is allowed. Episodes still open are forgotten. */
void capture_flows_free(struct capture_flows *flows);

#endif
