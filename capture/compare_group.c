/* Segments of the one capture that are cut otherwise in the other. */
#include <errno.h>
#include <stdlib.h>

#include "capture/compare_inner.h"

/* --- stretches ---------------------------------------------------------- */

/* Of segments sorted by position; those without octets do not count. */
int capture_cover_make(struct cover *cover, struct kept *const *sorted,
		       size_t count)
{
	struct stretch *at = malloc((count + 1) * sizeof(*at));
	size_t n = 0;

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct kept *k = sorted[i];

		if (!kept_has_octets(k))
			continue;
		if (n == 0 || k->pos > at[n - 1].to)
			at[n++] = (struct stretch){ k->pos, kept_end(k) };
		else if (kept_end(k) > at[n - 1].to)
			at[n - 1].to = kept_end(k);
	}
	cover->at = at;
	cover->count = n;
	return 0;
}

bool capture_cover_has(const struct cover *cover, int64_t from, int64_t to)
{
	size_t low = 0, high = cover->count;

	/* the last stretch that does not begin behind `from` */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (cover->at[middle].from <= from)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && cover->at[low - 1].to >= to;
}

/* --- groups ------------------------------------------------------------- */

static int by_position(const void *x, const void *y)
{
	const struct kept *a = *(struct kept *const *)x;
	const struct kept *b = *(struct kept *const *)y;

	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

/* What both captures cover, and what of it has no peer. */
static int sort_out(struct way *way, enum capture_side side)
{
	struct kept **left = way->left[side];
	size_t n = 0;
	int ret;

	for (size_t i = 0; i < way->count[side]; i++)
		if (kept_has_octets(way->all[side][i]))
			left[n++] = way->all[side][i];
	qsort(left, n, sizeof(*left), by_position);
	ret = capture_cover_make(&way->cover[side], left, n);
	way->left_count[side] = 0;
	for (size_t i = 0; i < n; i++)
		if (!left[i]->peer)
			left[way->left_count[side]++] = left[i];
	return ret;
}

/* Take in from `*next` on those that overlap what ends at `*end`. */
static bool take_overlapping(struct kept *const *left, size_t count,
			     size_t *next, int64_t *end)
{
	const size_t from = *next;

	while (*next < count && left[*next]->pos < *end) {
		if (kept_end(left[*next]) > *end)
			*end = kept_end(left[*next]);
		++*next;
	}
	return *next > from;
}

/* The segments of either side that hang together by their octets. */
static struct group next_group(const struct way *way, size_t next[2])
{
	struct group group = { .first = { next[0], next[1] } };
	int64_t end = INT64_MAX;
	bool grown;

	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		if (next[side] < way->left_count[side] &&
		    way->left[side][next[side]]->pos < end)
			end = way->left[side][next[side]]->pos;
	end++;
	do {
		grown = false;
		for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
			grown |= take_overlapping(way->left[side],
						  way->left_count[side],
						  &next[side], &end);
	} while (grown);
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		group.count[side] = next[side] - group.first[side];
	return group;
}

/* --- what a group is ---------------------------------------------------- */

static bool any_larger(const struct way *way, const struct group *group,
		       enum capture_side side)
{
	for (size_t i = 0; i < group->count[side]; i++)
		if (way->left[side][group->first[side] + i]->len > way->mss)
			return true;
	return false;
}

static bool any_fragment(const struct way *way, const struct group *group)
{
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		for (size_t i = 0; i < group->count[side]; i++)
			if (way->left[side][group->first[side] + i]->state &
			    KEPT_FRAGMENT)
				return true;
	return false;
}

/* As a receiver's card or kernel joins (Linux: net/ipv4/tcp_offload.c):
 * segments of one size, the last maybe shorter, only the last pushed. */
static bool joined_on_arrival(const struct way *way, const struct group *group)
{
	const enum capture_side from = way->from, to = other_side(from);
	struct kept *const *sent = way->left[from] + group->first[from];
	const size_t n = group->count[from];

	if (group->count[to] >= n)
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		if (sent[i]->len != sent[0]->len ||
		    sent[i]->flags & CAPTURE_PSH ||
		    kept_end(sent[i]) != sent[i + 1]->pos)
			return false;
	return sent[n - 1]->len <= sent[0]->len;
}

/* Segments one behind the other, hashed as one. */
struct chain {
	struct kept *const *at;
	size_t left;
	int64_t end;
	uint64_t hash;
};

static struct chain chain_of(const struct way *way, const struct group *group,
			     enum capture_side side)
{
	return (struct chain){
		.at = way->left[side] + group->first[side],
		.left = group->count[side],
	};
}

static void step(struct chain *chain)
{
	chain->at++;
	chain->left--;
}

/* The next with data that was captured whole. */
static const struct kept *next_data(struct chain *chain)
{
	while (chain->left && (!chain->at[0]->len ||
			       chain->at[0]->caplen != chain->at[0]->len))
		step(chain);
	return chain->left ? chain->at[0] : NULL;
}

static bool grow(const struct octet_hasher *hasher, struct chain *chain)
{
	const struct kept *k = next_data(chain);

	if (!k || kept_data(k) != chain->end)
		return false;
	chain->hash =
		capture_octet_hash_join(hasher, chain->hash, k->hash, k->len);
	chain->end += k->len;
	step(chain);
	return true;
}

/* From a place where segments of both begin to the next where segments of
 * both end, the data are to be the same. */
static bool data_differ(const struct octet_hasher *hasher,
			const struct way *way, const struct group *group)
{
	struct chain a = chain_of(way, group, CAPTURE_A);
	struct chain b = chain_of(way, group, CAPTURE_B);
	const struct kept *x, *y;

	while ((x = next_data(&a)) && (y = next_data(&b))) {
		if (kept_data(x) != kept_data(y)) {
			step(kept_data(x) < kept_data(y) ? &a : &b);
			continue;
		}
		a.end = b.end = kept_data(x);
		a.hash = b.hash = 0;
		grow(hasher, &a);
		grow(hasher, &b);
		while (a.end != b.end && grow(hasher, a.end < b.end ? &a : &b))
			;
		if (a.end == b.end && a.hash != b.hash)
			return true;
	}
	return false;
}

static void judge(const struct octet_hasher *hasher, const struct way *way,
		  struct group *group)
{
	group->fragments = any_fragment(way, group);
	group->offload = any_larger(way, group, CAPTURE_A) ||
			 any_larger(way, group, CAPTURE_B) ||
			 joined_on_arrival(way, group);
	group->differs = data_differ(hasher, way, group);
}

/*
 * No wire carries more than the smaller of what both captures say the receiver
 * takes (a router may have lowered it), less its timestamps: RFC 9293 section
 * 3.7.1, RFC 6691. Where no SYN was seen, what Ethernet carries.
 */
static uint32_t find_mss(const struct way *way)
{
	uint32_t mss = 0;
	bool stamped = false;

	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		const struct handshake *syn =
			&pair_half(way->pair, side, !way->direction)->syn;

		if (syn->mss && (!mss || syn->mss < mss))
			mss = syn->mss;
		if (way->count[side])
			stamped |= way->all[side][way->count[side] - 1]->state &
				   KEPT_STAMPED;
	}
	if (!mss)
		mss = 1460;
	return stamped && mss > 12 ? mss - 12 : mss;
}

int capture_compare_groups(const struct octet_hasher *hasher, struct way *way)
{
	size_t next[2] = { 0, 0 };
	int ret = sort_out(way, CAPTURE_A);

	if (ret == 0)
		ret = sort_out(way, CAPTURE_B);
	if (ret < 0)
		return ret;
	way->mss = find_mss(way);
	/* a group has at least one of each */
	way->groups =
		malloc((way->left_count[CAPTURE_A] + 1) * sizeof(*way->groups));
	if (!way->groups)
		return -ENOMEM;
	while (next[CAPTURE_A] < way->left_count[CAPTURE_A] ||
	       next[CAPTURE_B] < way->left_count[CAPTURE_B]) {
		struct group group = next_group(way, next);

		if (!group.count[CAPTURE_A] || !group.count[CAPTURE_B])
			continue;
		judge(hasher, way, &group);
		way->groups[way->group_count++] = group;
	}
	return 0;
}
