/*
 * Views beside each other, octet by octet: which receivers would have handed
 * it over in band, which out of band, and which not at all.
 */
#ifndef CAPTURE_VIEW_COMPARE_H
#define CAPTURE_VIEW_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/view.h"

/* What one view made of some octets; both at once where a byte read out of
 * band came in band as well. */
struct capture_placing {
	bool in_band;
	bool out_of_band;
	const uint8_t *data;   /* in band; NULL: not captured */
	const uint8_t *urgent; /* out of band; NULL: not captured */
};

/* Octets in a row that not all views place alike. */
struct capture_difference {
	int64_t seq;
	size_t len;
	const struct capture_placing *views; /* one a view compared */
};

struct capture_comparison {
	uint64_t octets;    /* that any of the views handed over */
	uint64_t differing; /* of them, not placed alike by all: not 0 means
			     * that the stream is ambiguous */
	/* … not placed alike by these two, in the order of the views given */
	uint64_t pairs[CAPTURE_VIEWS][CAPTURE_VIEWS];
};

/*
 * Compare `count` (at most CAPTURE_VIEWS) views of a finished stream.
 * `difference`, which may be NULL, is called for each difference in order of
 * sequence; what it is given is good during the call, the bytes as long as
 * the stream. Returns 0, or -ENOMEM.
 */
int capture_views_compare(
	const struct capture_stream *stream,
	const struct capture_view *const *views, size_t count,
	void (*difference)(void *context,
			   const struct capture_difference *difference),
	void *context, struct capture_comparison *out);

#endif
