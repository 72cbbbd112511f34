#include "capture/runs.h"

void capture_run_from(struct capture_run *run,
		      const struct capture_arrival *arrival)
{
	bool fin = arrival->flags & CAPTURE_FIN;

	*run = (struct capture_run){
		.seq = arrival->seq,
		.end = arrival->seq + arrival->len + fin,
		.data = arrival->payload,
		.len = arrival->len,
		.caplen = arrival->caplen,
		.taken = arrival->seq - 1,
		.fin = fin,
		.total = arrival->len,
		.last = run,
	};
}

/* --- the tree --------------------------------------------------------- */

/* The outermost below `run`. */
static struct capture_run *outermost(struct capture_run *run, bool side)
{
	while (run && run->child[side])
		run = run->child[side];
	return run;
}

static bool side_of(const struct capture_run *run)
{
	return run == run->parent->child[1];
}

/* The next or, with side 0, the one before. */
static struct capture_run *neighbour(const struct capture_run *run, bool side)
{
	if (run->child[side])
		return outermost(run->child[side], !side);
	while (run->parent && side_of(run) == side)
		run = run->parent;
	return run->parent;
}

struct capture_run *capture_runs_first(const struct capture_runs *runs)
{
	return outermost(runs->root, 0);
}

struct capture_run *capture_runs_next(const struct capture_run *run)
{
	return neighbour(run, 1);
}

struct capture_run *capture_runs_at(const struct capture_runs *runs,
				    int64_t seq)
{
	struct capture_run *found = NULL;

	for (struct capture_run *run = runs->root; run;) {
		if (run->seq <= seq)
			found = run;
		run = run->child[run->seq <= seq];
	}
	return found;
}

/* Let `run`, or nothing, hang where `old` does. */
static void put_in_place(struct capture_runs *runs,
			 const struct capture_run *old, struct capture_run *run)
{
	if (run)
		run->parent = old->parent;
	if (!old->parent)
		runs->root = run;
	else
		old->parent->child[side_of(old)] = run;
}

/* `run` goes down to `side`; its child of the other side takes its place. */
static void rotate(struct capture_runs *runs, struct capture_run *run,
		   bool side)
{
	struct capture_run *up = run->child[!side];

	run->child[!side] = up->child[side];
	if (up->child[side])
		up->child[side]->parent = run;
	put_in_place(runs, run, up);
	up->child[side] = run;
	run->parent = up;
}

static bool is_red(const struct capture_run *run)
{
	return run && run->red;
}

void capture_runs_insert(struct capture_runs *runs, struct capture_run *run)
{
	struct capture_run *parent = NULL;

	for (struct capture_run *at = runs->root; at;
	     at = at->child[run->seq > at->seq])
		parent = at;
	run->parent = parent;
	run->child[0] = run->child[1] = NULL;
	run->red = true;
	if (parent)
		parent->child[run->seq > parent->seq] = run;
	else
		runs->root = run;
	if (!runs->last || run->seq > runs->last->seq)
		runs->last = run;

	while (is_red(parent = run->parent)) {
		struct capture_run *grand = parent->parent;
		bool side = side_of(parent);
		struct capture_run *uncle = grand->child[!side];

		grand->red = true;
		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			run = grand;
			continue;
		}
		if (side_of(run) != side) {
			rotate(runs, parent, side);
			run = parent;
			parent = run->parent;
		}
		parent->red = false;
		rotate(runs, grand, !side);
	}
	runs->root->red = false;
}

/* A black node is missing on the way to `run`, a child of `parent`, which may
 * be none. */
static void rebalance(struct capture_runs *runs, struct capture_run *run,
		      struct capture_run *parent)
{
	while (parent && !is_red(run)) {
		bool side = run == parent->child[1];
		struct capture_run *sibling = parent->child[!side];

		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			rotate(runs, parent, side);
			sibling = parent->child[!side];
		}
		if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
			sibling->red = true;
			run = parent;
			parent = run->parent;
			continue;
		}
		if (!is_red(sibling->child[!side])) {
			sibling->child[side]->red = false;
			sibling->red = true;
			rotate(runs, sibling, !side);
			sibling = parent->child[!side];
		}
		sibling->red = parent->red;
		parent->red = false;
		sibling->child[!side]->red = false;
		rotate(runs, parent, side);
		return;
	}
	if (run)
		run->red = false;
}

void capture_runs_remove(struct capture_runs *runs, struct capture_run *run)
{
	struct capture_run *hole = run; /* where a node goes missing */
	struct capture_run *child, *parent;
	bool black;

	if (runs->last == run)
		runs->last = neighbour(run, 0);
	if (run->child[0] && run->child[1])
		hole = outermost(run->child[1], 0);
	child = hole->child[hole->child[0] == NULL];
	parent = hole->parent == run ? hole : hole->parent;
	black = !hole->red;
	put_in_place(runs, hole, child);
	if (hole == run)
		parent = run->parent;
	else
		capture_runs_replace(runs, run, hole);
	if (black)
		rebalance(runs, child, parent);
}

void capture_runs_replace(struct capture_runs *runs, struct capture_run *old,
			  struct capture_run *run)
{
	put_in_place(runs, old, run);
	run->red = old->red;
	for (int side = 0; side < 2; side++) {
		run->child[side] = old->child[side];
		if (run->child[side])
			run->child[side]->parent = run;
	}
	if (runs->last == old)
		runs->last = run;
}
