/*
 * Two captures of the same connections, A taken near one end and B near the
 * other: what the path between them did to the segments, and to urgent data
 * before all.
 *
 * Feed the segments of both, each capture in its own order, then finish: the
 * listener is told all that was found. Each segment is kept as 80 bytes until
 * then, its payload as a hash only, so memory grows with the number of
 * segments up to a bound, behind which a capture counts as ended.
 *
 * What is no change is not called one: segments that a card or kernel cuts
 * or joins (segmentation offload), data sent again, and a pointer that names
 * the same octet from another segment.
 */
#ifndef CAPTURE_COMPARE_H
#define CAPTURE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/analysis.h"
#include "capture/finding.h"

struct capture_compare;

enum capture_side {
	CAPTURE_A,
	CAPTURE_B,
};

/* --- what is found ------------------------------------------------------ */

struct capture_endpoint {
	uint8_t address[16]; /* network order */
	uint8_t address_len; /* 4 or 16 */
	uint16_t port;
};

/* Room for "[ADDRESS]:PORT", NUL included. */
#define CAPTURE_ENDPOINT_MAX 56

/* "10.0.0.1:23", "[::1]:23". Returns `text`. */
char *capture_endpoint_text(const struct capture_endpoint *end,
			    char text[CAPTURE_ENDPOINT_MAX]);

/* How a flow of A was found to be one of B. */
enum capture_pairing {
	CAPTURE_BY_ADDRESS,  /* the same addresses and ports */
	CAPTURE_BY_SEQUENCE, /* others, but the same sequence numbers */
	CAPTURE_BY_PAYLOAD,  /* others, but the same data */
};

/* How it is known which end stands near A's capture point. */
enum capture_evidence {
	CAPTURE_FROM_TIMES, /* who hears an answer sooner is nearer */
	CAPTURE_FROM_HOPS,  /* the time to live only falls on the way */
	CAPTURE_ASSUMED,    /* A is the side that sends */
};

/*
 * One direction of a connection, counted where it is sent (the capture near
 * its sender) and where it arrives. Segments sent are matched, regrouped
 * (cut or joined), dropped, missing, unseen or outside; those that arrive
 * matched, regrouped, duplicated, injected, unseen or outside.
 */
struct capture_way {
	uint64_t sent;
	uint64_t arrived;
	uint64_t matched;	/* one to one */
	uint64_t regrouped;	/* of sent, into: */
	uint64_t regrouped_to;	/* of arrived */
	uint64_t offloaded;	/* of regrouped: by segmentation offload */
	uint64_t dropped;	/* but their data came in another segment */
	uint64_t missing;	/* and their data never came */
	uint64_t unseen;	/* lost by a capture, not by the path */
	uint64_t outside;	/* while the other capture did not run */
	uint64_t duplicated;	/* arrived more often than sent */
	uint64_t injected;	/* arrived, never sent */
	uint64_t acks_dropped;	/* empty ACKs, counted apart */
	uint64_t acks_injected; /* likewise */
	uint64_t reordered;
	uint64_t timed;	    /* matches that the next two rest on */
	int64_t typical_ns; /* median of arrival minus departure, by the two
			     * clocks: holds their offset, not their drift */
	int64_t spread_ns;  /* from the median to the 90th percentile */
};

/* A connection that is in both captures. */
struct capture_connection {
	uint32_t number; /* counted from 1 */
	uint64_t flow_a; /* as the captures' analyses number them */
	uint64_t flow_b;
	/* [0] is the end that opened it or spoke first in A; in B the same
	 * end, maybe under another address */
	struct capture_endpoint ends_a[2];
	struct capture_endpoint ends_b[2];
	enum capture_pairing pairing;
	uint8_t near_a; /* which of the ends */
	enum capture_evidence near_from;
	bool terminated;	   /* two connections, with a proxy between */
	struct capture_way way[2]; /* [0] what ends_a[0] sends */
};

/* What became of an urgent mark on its way. */
enum capture_outcome {
	CAPTURE_MARK_KEPT,    /* announced to the receiver as it was sent */
	CAPTURE_MARK_MOVED,   /* … by other segments, the same octet */
	CAPTURE_MARK_CLEARED, /* its octet came, but no URG that names it */
	CAPTURE_MARK_CHANGED, /* URG came, naming another octet */
	CAPTURE_MARK_LOST,    /* no announcement of it came */
	CAPTURE_MARK_UNSEEN, /* sent while the other capture had no eye on it */
	CAPTURE_MARK_MADE,   /* came, but was never sent */
};

/* An octet that was not captured. */
#define CAPTURE_NO_OCTET (-1)

/*
 * An urgent mark: sequence number plus pointer, relative to the connection's
 * start, so that the BSD reading's urgent octet is the one before it and
 * RFC 1122's the one at it. Octets are counted from 1, the first of the data.
 */
struct capture_mark {
	uint32_t connection;
	uint8_t direction; /* sent by this end */
	enum capture_outcome outcome;
	int64_t mark;
	int16_t octet_bsd;	  /* its value, or CAPTURE_NO_OCTET */
	int16_t octet_1122;	  /* likewise */
	uint32_t announced;	  /* segments sent that announce it; of these */
	uint32_t kept;		  /* … arrived so, or regrouped in keeping */
	uint32_t cleared;	  /* … arrived without the flag */
	uint32_t pointers_zeroed; /* … of these, without the pointer as well */
	uint32_t changed;	  /* … arrived naming another octet */
	uint32_t lost;		  /* … did not arrive */
	uint16_t pointer_sent;	  /* of the example: a changed one, if any is */
	uint16_t pointer_arrived;
	int64_t mark_arrived; /* what that one's pointer names */
	uint64_t frame_a;     /* the example in either; 0: none */
	uint64_t frame_b;
};

struct compare_teller;

struct capture_difference_kind {
	const char *name;    /* "urg-cleared": stable, as typed */
	const char *meaning; /* in general, without a full stop */
	const char *rfc; /* "RFC 6093 section 3.4"; NULL: none speaks of it */
	enum capture_severity severity;
	/* Tells those of one connection. */
	void (*find)(struct compare_teller *teller);
};

/* In the order in which a connection's differences are told. */
extern const struct capture_difference_kind capture_differences[];
extern const size_t capture_difference_count;

/* One row of the table by its name, or NULL. */
const struct capture_difference_kind *
capture_difference_by_name(const char *name);

/* Room for any sentence, NUL included. */
#define CAPTURE_SENTENCE_MAX 640

#define CAPTURE_BOTH_WAYS 2

/* One kind of change, told once a direction or mark, with how often. */
struct capture_difference {
	const struct capture_difference_kind *kind;
	uint32_t connection;
	uint8_t direction; /* of the end that sends, or CAPTURE_BOTH_WAYS */
	uint64_t count;	   /* segments it concerns */
	uint64_t frame_a;  /* the first of them; 0: none */
	uint64_t frame_b;
	bool has_mark;
	int64_t mark; /* as in struct capture_mark */
	/* Whole sentences, in words that stand without any other output. */
	char sentence[CAPTURE_SENTENCE_MAX];
};

/*
 * How far B's clock is ahead of A's. No segment arrives before it is sent: so
 * the quickest one each way gives a bound, and the truth lies between them.
 */
struct capture_clock {
	bool known;	   /* there were segments both ways, and they agree */
	bool impossible;   /* … they do not: a clock was set meanwhile */
	bool drifts;	   /* one offset does not do */
	int64_t offset_ns; /* B minus A, at `at_ns` of A's clock */
	int64_t uncertainty_ns;
	int64_t at_ns;
	double drift_ppm;  /* with drifts: B's clock is so much faster */
	uint64_t toward_b; /* segments it rests on */
	uint64_t toward_a;
};

struct capture_compared {
	struct capture_clock clock;
	uint32_t connections; /* in both captures */
	uint32_t only[2];     /* flows that are in one capture alone */
	uint64_t segments[2];
	uint64_t left_out[2]; /* segments beyond the memory's bound */
	uint64_t marks;
	uint64_t marks_intact;			 /* kept or moved */
	uint64_t differences[CAPTURE_ALARM + 1]; /* by severity */
};

/*
 * Told by capture_compare_finish(): the clock; then each connection, its
 * marks, its differences; then the differences of flows that are in one
 * capture alone, whose `connection` is 0. Any function may be NULL. Pointers
 * are good during the call.
 */
struct capture_compare_listener {
	void (*clock)(void *context, const struct capture_clock *clock);
	void (*connection)(void *context,
			   const struct capture_connection *connection);
	void (*mark)(void *context, const struct capture_mark *mark);
	void (*difference)(void *context,
			   const struct capture_difference *difference);
	void *context;
};

/* --- the comparison ----------------------------------------------------- */

struct capture_compare_options {
	uint64_t max_memory_bytes; /* 0: CAPTURE_COMPARE_MEMORY_BYTES */
	uint32_t max_flows; /* of each capture; 0: CAPTURE_COMPARE_FLOWS */
	struct capture_compare_listener listener;
};

#define CAPTURE_COMPARE_MEMORY_BYTES (UINT64_C(1) << 30)
#define CAPTURE_COMPARE_FLOWS	     (1u << 18)

/* Returns 0, or -ENOMEM. */
int capture_compare_new(struct capture_compare **out,
			const struct capture_compare_options *options);

/*
 * Take the next segment of one capture, as its capture_analysis tells it: each
 * capture needs an analysis of its own, whose numbers of flows are taken
 * over. Returns 0, or -ENOMEM.
 */
int capture_compare_segment(struct capture_compare *compare,
			    enum capture_side side,
			    const struct capture_sighting *seen);

/* Both captures are over: compare, and tell the listener. Once only. Returns
 * 0 and fills `*out`, or -ENOMEM. */
int capture_compare_finish(struct capture_compare *compare,
			   struct capture_compared *out);

/* NULL is allowed. */
void capture_compare_free(struct capture_compare *compare);

/* --- names -------------------------------------------------------------- */

/* "kept", "moved", "cleared", "changed", "lost", "unseen", "made". */
const char *capture_outcome_name(enum capture_outcome outcome);

/* "addresses", "sequence", "payload". */
const char *capture_pairing_name(enum capture_pairing pairing);

/* "times", "hops", "assumption". */
const char *capture_evidence_name(enum capture_evidence evidence);

#endif
