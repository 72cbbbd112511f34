/*
 * Inside the views: a queue of octets that came out of order, by sequence
 * number. It is a red-black tree balanced as the kernel's is, because the way
 * down such a tree is what decides some overlaps in Linux (see view_linux.c);
 * and because a flow made to be slow is not.
 */
#ifndef CAPTURE_RUNS_H
#define CAPTURE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/stream.h"

/* Octets in a row. Which of the fields mean something is its user's. */
struct capture_run {
	int64_t seq; /* of the first octet; never two in a queue alike */
	int64_t end; /* follows the last, FIN counted */
	const uint8_t *data; /* caplen bytes, the first of them seq's */
	size_t len;
	size_t caplen;
	int64_t taken; /* the octet that was taken out; none if not in it */
	bool fin;

	struct capture_run *next; /* in a list */
	struct capture_run *more; /* runs merged into this one: the next … */
	struct capture_run *last; /* … and the last … */
	size_t total;		  /* … and all their octets with its own */

	struct capture_run *parent; /* in a queue */
	struct capture_run *child[2];
	bool red;
};

/* All zero: empty. */
struct capture_runs {
	struct capture_run *root;
	struct capture_run *last; /* the highest */
};

/* Fill in what of `arrival`, FIN included, a run is made of. */
void capture_run_from(struct capture_run *run,
		      const struct capture_arrival *arrival);

struct capture_run *capture_runs_first(const struct capture_runs *runs);
struct capture_run *capture_runs_next(const struct capture_run *run);

/* The last run that begins at `seq` or before, or NULL. */
struct capture_run *capture_runs_at(const struct capture_runs *runs,
				    int64_t seq);

/* Runs are the caller's, and are only linked. */
void capture_runs_insert(struct capture_runs *runs, struct capture_run *run);
void capture_runs_remove(struct capture_runs *runs, struct capture_run *run);

/* Put `run` where `old`, which begins alike, was. */
void capture_runs_replace(struct capture_runs *runs, struct capture_run *old,
			  struct capture_run *run);

#endif
