/*
 * Inside the comparison of two captures. Its stages, each in a file:
 *
 *	compare.c	keeps what is needed of each segment; runs the stages
 *	compare_pair.c	which flow of A is which of B
 *	compare_align.c	one numbering for both captures of a connection
 *	compare_match.c	which segment is which; which end is near A
 *	compare_clock.c	how far the clocks are apart
 *	compare_proxy.c	whether it is one connection at all
 *	compare_group.c	segments cut otherwise or joined
 *	compare_fate.c	dropped, doubled, made: all the others
 *	compare_mark.c	what became of each urgent mark
 *	compare_kinds*.c
 *			the differences to tell, one function each
 *	compare_tell.c	whole sentences, handed to the listener
 */
#ifndef CAPTURE_COMPARE_INNER_H
#define CAPTURE_COMPARE_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/compare.h"
#include "capture/octet_hash.h"

/* What became of a segment on its way, or whence it came. */
enum fate {
	FATE_NONE,	/* not yet known */
	FATE_MATCHED,	/* has a peer */
	FATE_REGROUPED, /* its octets came in segments cut otherwise */
	FATE_DROPPED,	/* its octets came in another segment */
	FATE_MISSING,	/* its octets never came */
	FATE_UNSEEN,	/* a capture lost it, not the path */
	FATE_OUTSIDE,	/* the other capture did not run */
	FATE_DUPLICATED,
	FATE_INJECTED,
	FATE_LOCAL, /* between one end and a proxy */
};

enum kept_state {
	KEPT_STAMPED = 1 << 0,	/* has the timestamps option */
	KEPT_FRAGMENT = 1 << 1, /* first of several IP fragments */
	KEPT_SURE = 1 << 2,	/* its peer is the only one it could be */
	KEPT_BSD = 1 << 3,	/* octet_bsd was captured */
	KEPT_1122 = 1 << 4,
};

/*
 * What is kept of a segment. Positions count octets of the stream without
 * wrapping, the SYN's and the FIN's among them: while segments are taken in,
 * from anywhere; once the connection is aligned, from its SYN's 0.
 */
struct kept {
	int64_t time_ns;
	int64_t pos; /* of the first octet */
	uint64_t frame;
	uint64_t hash;	   /* of the captured payload */
	struct kept *next; /* of its flow and direction, in capture order */
	struct kept *peer; /* the same segment in the other capture */
	uint32_t len;	   /* payload */
	uint32_t caplen;   /* … captured */
	uint32_t ack;	   /* aligned: relative, as pos but 32 bits of it */
	uint32_t stamp;	   /* TSval */
	uint32_t group;	   /* index in way.groups + 1; 0: in none */
	uint16_t pointer;
	uint16_t window;
	uint8_t flags;
	uint8_t hops;
	uint8_t state;	   /* enum kept_state */
	uint8_t fate;	   /* enum fate */
	uint8_t octet_bsd; /* the urgent octets, where it has URG */
	uint8_t octet_1122;
};

/* What a SYN says of the one that sent it. */
struct handshake {
	uint64_t frame;
	uint16_t mss; /* 0: not offered */
	uint8_t scale;
	uint8_t hops;
	bool seen;
	bool has_scale;
	bool has_sack;
	bool has_stamps;
};

/* One direction of a flow. */
struct kept_half {
	struct kept *first, *last;
	int64_t high;	/* the highest position so far */
	int64_t base;	/* the SYN's position, if one was seen */
	int64_t origin; /* aligned: what became 0 */
	struct handshake syn;
	uint32_t count;
};

struct kept_flow {
	struct capture_endpoint ends[2]; /* [0] opened it or spoke first */
	struct kept_half half[2];	 /* [0] what ends[0] sends */
	uint64_t number;
	bool paired;
	bool twin; /* of a paired one, at another capture point */
};

struct chunk;

struct kept_capture {
	struct kept_flow *flows; /* by number */
	struct chunk *chunks;
	uint64_t segments;
	uint64_t left_out;
	int64_t first_ns; /* it ran from here … */
	int64_t last_ns;  /* … to here */
	uint32_t flow_count;
	uint32_t flow_room;
	uint32_t used; /* of the newest chunk */
	uint32_t chunk_count;
	bool full;
};

/* Why a connection is taken for two, with a proxy between. */
enum proxy_sign {
	PROXY_SEQUENCE = 1 << 0, /* other sequence numbers */
	PROXY_SCALE = 1 << 1,	 /* other window scales */
	PROXY_STAMPS = 1 << 2,	 /* other timestamps */
	PROXY_WINDOWS = 1 << 3,	 /* other windows */
	PROXY_HOPS = 1 << 4,	 /* a time to live that rises */
};

/* Segments that carry the same octets, cut in two ways: a range of
 * way.left[side] each. */
struct group {
	size_t first[2];
	size_t count[2];
	bool offload;
	bool fragments;
	bool differs; /* in its data */
};

/* A stretch of the stream. */
struct stretch {
	int64_t from;
	int64_t to; /* follows the last octet */
};

struct cover {
	struct stretch *at; /* sorted, apart */
	size_t count;
};

/* One direction of a pair, being compared. Arrays are by enum capture_side. */
struct way {
	struct pair *pair;
	uint8_t direction;
	enum capture_side from; /* the capture near the sender */
	struct kept **all[2];	/* in capture order */
	size_t count[2];
	struct kept **left[2]; /* without peer, sorted by position */
	size_t left_count[2];
	struct cover cover[2]; /* octets seen at all */
	int64_t acked;	       /* by the other end: up to here; 0: nothing */
	struct group *groups;
	size_t group_count;
	double drift;	       /* of B's clock; 0 while it is not known */
	int64_t drift_from_ns; /* … since this time of A's */
	uint32_t mss;	       /* effective: no larger segment crosses a wire */
	struct mark *marks;
	size_t mark_count;
	struct capture_way *told;
};

/* A segment that announces a mark, and what came of it. */
struct example {
	const struct kept *sent;
	const struct kept *arrived;
};

struct mark {
	struct capture_mark told;
	struct example kept, cleared, changed, lost; /* the first of each */
};

/* A connection that is in both captures. Direction d of it is direction d of
 * the flow in A, and d ^ flip in B. */
struct pair {
	struct kept_flow *flow[2];
	uint8_t flip;
	uint8_t signs; /* enum proxy_sign */
	bool cut_off;  /* something between reset it */
	struct capture_connection told;
	struct tally {
		uint32_t same_window, other_window;
		uint32_t same_stamp, other_stamp;
	} tally[2]; /* of matched segments, by direction */
};

struct clock_bin {
	int64_t toward_b_ns, toward_b_at;
	int64_t toward_a_ns, toward_a_at;
	bool toward_b, toward_a;
};

enum {
	CLOCK_BINS = 256
};

struct clock_work {
	struct clock_bin bins[CLOCK_BINS];
	int64_t start_ns, bin_ns;
	uint64_t toward_b, toward_a;
};

struct capture_compare {
	struct octet_hasher hasher;
	struct kept_capture captures[2];
	struct capture_compare_listener listener;
	uint32_t max_chunks; /* of each capture */
	uint32_t max_flows;
	struct pair *pairs;
	uint32_t pair_count;
	struct clock_work clock;
	struct capture_compared result;
};

/* Octets of the stream, those of SYN and FIN included. */
static inline int64_t kept_span(const struct kept *k)
{
	return (int64_t)k->len + !!(k->flags & CAPTURE_SYN) +
	       !!(k->flags & CAPTURE_FIN);
}

static inline int64_t kept_end(const struct kept *k)
{
	return k->pos + kept_span(k);
}

/* The position of the first octet of data. */
static inline int64_t kept_data(const struct kept *k)
{
	return k->pos + !!(k->flags & CAPTURE_SYN);
}

/* Where the urgent pointer of a segment with URG points. */
static inline int64_t kept_mark(const struct kept *k)
{
	return k->pos + k->pointer;
}

/* Of the stream: what a RST carries is not. */
static inline bool kept_has_octets(const struct kept *k)
{
	return kept_span(k) > 0 && !(k->flags & CAPTURE_RST);
}

/* Nothing but an acknowledgement. */
static inline bool kept_is_ack(const struct kept *k)
{
	return kept_span(k) == 0 && !(k->flags & (CAPTURE_URG | CAPTURE_RST));
}

static inline enum capture_side other_side(enum capture_side side)
{
	return side == CAPTURE_A ? CAPTURE_B : CAPTURE_A;
}

static inline struct kept_half *
pair_half(const struct pair *pair, enum capture_side side, unsigned direction)
{
	if (side == CAPTURE_B)
		direction ^= pair->flip;
	return &pair->flow[side]->half[direction];
}

/* Have its segments other sequence numbers in B than in A? */
static inline bool pair_shifted(const struct pair *pair, unsigned direction)
{
	return (uint32_t)pair_half(pair, CAPTURE_A, direction)->origin !=
	       (uint32_t)pair_half(pair, CAPTURE_B, direction)->origin;
}

/*
 * Does the match of this segment say anything about times? A proxy shakes
 * hands and acknowledges as it likes, sooner than the end it stands for; its
 * data are never sooner. Only numbers that differ make it thinkable.
 */
static inline bool way_times(const struct way *way, const struct kept *k)
{
	return k->state & KEPT_SURE &&
	       (k->len > 0 ||
		!(pair_shifted(way->pair, 0) || pair_shifted(way->pair, 1)));
}

/* The group that a segment without peer is in, or NULL. */
static inline const struct group *kept_group(const struct way *way,
					     const struct kept *k)
{
	return k->group ? &way->groups[k->group - 1] : NULL;
}

/* Arrival minus departure of a segment that has a peer, by both clocks, but
 * without their drift. */
static inline int64_t way_travel(const struct way *way, const struct kept *k)
{
	const struct kept *a = way->from == CAPTURE_A ? k : k->peer;
	const int64_t gained =
		(int64_t)(way->drift *
			  (double)(a->time_ns - way->drift_from_ns));
	const int64_t travel = k->peer->time_ns - k->time_ns;

	return way->from == CAPTURE_A ? travel - gained : travel + gained;
}

/* Those that may return an error return -ENOMEM. */

int capture_compare_pair(struct capture_compare *compare);
void capture_compare_align(struct pair *pair);

/* The arrays of a way; free what it made with capture_capture_way_clear(). */
int capture_way_begin(struct way *way, struct pair *pair, unsigned direction);
void capture_way_clear(struct way *way);

/* Median and spread of arrival minus departure, over sure matches. */
int capture_way_time(struct way *way);

int capture_compare_match(struct way ways[2]);

/* Order two segments by their octets: 0 for those that may be the same one;
 * the second, for qsort() of pointers, then by their order in the capture. */
int capture_kept_compare(const struct kept *a, const struct kept *b);
int capture_kept_by_range(const void *x, const void *y);

int capture_compare_near(struct pair *pair, struct way ways[2]);

void capture_clock_begin(struct clock_work *clock, int64_t first_ns,
			 int64_t last_ns);
void capture_clock_add(struct clock_work *clock, const struct way *way);
void capture_clock_finish(const struct clock_work *clock,
			  struct capture_clock *out);

void capture_compare_proxy(struct pair *pair, const struct way ways[2]);
int capture_compare_groups(const struct octet_hasher *hasher, struct way *way);
bool capture_cover_has(const struct cover *cover, int64_t from, int64_t to);
int capture_cover_make(struct cover *cover, struct kept *const *sorted,
		       size_t count);
int capture_compare_fate(const struct capture_compare *compare,
			 struct way ways[2]);
int capture_compare_marks(struct way *way);
void capture_compare_tell(struct capture_compare *compare, struct way ways[2]);
int capture_compare_tell_alone(struct capture_compare *compare);

#endif
