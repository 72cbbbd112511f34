/* Which segment of A is which of B, and which end stands near A. */
#include <errno.h>
#include <stdlib.h>

#include "capture/compare_inner.h"

/* --- a direction's arrays ----------------------------------------------- */

void capture_way_clear(struct way *way)
{
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		free(way->all[side]);
		free(way->left[side]);
		free(way->cover[side].at);
	}
	free(way->groups);
	free(way->marks);
	*way = (struct way){ 0 };
}

int capture_way_begin(struct way *way, struct pair *pair, unsigned direction)
{
	*way = (struct way){
		.pair = pair,
		.direction = (uint8_t)direction,
		.from = pair->told.near_a == direction ? CAPTURE_A : CAPTURE_B,
		.told = &pair->told.way[direction],
	};
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		const struct kept_half *half = pair_half(pair, side, direction);
		const size_t room = (half->count + 1) * sizeof(struct kept *);

		way->all[side] = malloc(room);
		way->left[side] = malloc(room);
		if (!way->all[side] || !way->left[side])
			return -ENOMEM;
		for (struct kept *k = half->first; k; k = k->next)
			way->all[side][way->count[side]++] = k;
	}
	return 0;
}

/* --- matching ----------------------------------------------------------- */

static int order64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Segments that may be the same: the same octets, and what sets those without
 * any apart. */
int capture_kept_compare(const struct kept *a, const struct kept *b)
{
	const uint8_t kinds = CAPTURE_SYN | CAPTURE_RST;
	int order = order64(a->pos, b->pos);

	if (!order)
		order = order64(kept_span(a), kept_span(b));
	if (!order)
		order = (int)(a->flags & kinds) - (int)(b->flags & kinds);
	if (!order && kept_span(a) == 0)
		order = order64(a->ack, b->ack);
	return order;
}

/* Segments that agree in all that a path leaves alone: of several with the
 * same octets, the very same transmission. */
static int compare_identity(const struct kept *a, const struct kept *b)
{
	int order = capture_kept_compare(a, b);

	if (!order)
		order = order64(a->ack, b->ack);
	if (!order)
		order = order64(a->stamp, b->stamp);
	if (!order)
		order = order64(a->window, b->window);
	if (!order && a->caplen == b->caplen && a->hash != b->hash)
		order = a->hash < b->hash ? -1 : 1;
	return order;
}

/* … and in what a path may change: how urgent it is. */
static int compare_all(const struct kept *a, const struct kept *b)
{
	int order = compare_identity(a, b);

	if (!order)
		order = (a->flags & CAPTURE_URG) - (b->flags & CAPTURE_URG);
	return order ? order : (int)a->pointer - (int)b->pointer;
}

static int by_all(const void *x, const void *y)
{
	const struct kept *a = *(struct kept *const *)x;
	const struct kept *b = *(struct kept *const *)y;
	int order = compare_all(a, b);

	return order ? order : order64((int64_t)a->frame, (int64_t)b->frame);
}

static int by_identity(const void *x, const void *y)
{
	const struct kept *a = *(struct kept *const *)x;
	const struct kept *b = *(struct kept *const *)y;
	int order = compare_identity(a, b);

	return order ? order : order64((int64_t)a->frame, (int64_t)b->frame);
}

int capture_kept_by_range(const void *x, const void *y)
{
	const struct kept *a = *(struct kept *const *)x;
	const struct kept *b = *(struct kept *const *)y;
	int order = capture_kept_compare(a, b);

	return order ? order : order64((int64_t)a->frame, (int64_t)b->frame);
}

/* One way of telling that two segments are the same. */
struct sameness {
	int (*compare)(const struct kept *a, const struct kept *b);
	int (*sort)(const void *x, const void *y); /* then by capture order */
};

static const struct sameness all = { compare_all, by_all };
static const struct sameness identity = { compare_identity, by_identity };
static const struct sameness range = { capture_kept_compare,
				       capture_kept_by_range };

static void collect_left(struct way *way, enum capture_side side)
{
	way->left_count[side] = 0;
	for (size_t i = 0; i < way->count[side]; i++)
		if (!way->all[side][i]->peer)
			way->left[side][way->left_count[side]++] =
				way->all[side][i];
}

static void join(struct kept *a, struct kept *b, bool sure)
{
	a->peer = b;
	b->peer = a;
	a->fate = FATE_MATCHED;
	b->fate = FATE_MATCHED;
	if (sure) {
		a->state |= KEPT_SURE;
		b->state |= KEPT_SURE;
	}
}

static uint64_t away(int64_t a, int64_t b)
{
	return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

/*
 * Equal segments, more of them in one capture than in the other. Each of the
 * few gets the one of the many that is nearest to the typical time, in order.
 */
static void join_nearest(struct kept **few, size_t nfew, struct kept **many,
			 size_t nmany, int64_t typical_ns)
{
	size_t k = 0;

	for (size_t i = 0; i < nfew; i++) {
		const int64_t due = few[i]->time_ns + typical_ns;
		const size_t last = nmany - (nfew - i);

		while (k < last && away(many[k + 1]->time_ns, due) <
					   away(many[k]->time_ns, due))
			k++;
		join(few[i], many[k++], false);
	}
}

/* Of as many, each the next; typical times are still B's minus A's. */
static void join_equal(const struct way *way, struct kept **a, size_t na,
		       struct kept **b, size_t nb)
{
	const int64_t b_minus_a = way->told->typical_ns;

	if (na == nb)
		for (size_t i = 0; i < na; i++)
			join(a[i], b[i], na == 1);
	else if (na < nb)
		join_nearest(a, na, b, nb, b_minus_a);
	else
		join_nearest(b, nb, a, na, -b_minus_a);
}

static size_t run_of_equals(const struct sameness *same, struct kept **k,
			    size_t from, size_t count)
{
	size_t to = from + 1;

	while (to < count && !same->compare(k[from], k[to]))
		to++;
	return to;
}

/* Join equal segments that have no peer; only where there is one of them in
 * each capture, if `single`. */
static void match(struct way *way, const struct sameness *same, bool single)
{
	struct kept **a = way->left[CAPTURE_A], **b = way->left[CAPTURE_B];
	size_t na, nb, i = 0, j = 0;

	collect_left(way, CAPTURE_A);
	collect_left(way, CAPTURE_B);
	na = way->left_count[CAPTURE_A];
	nb = way->left_count[CAPTURE_B];
	qsort(a, na, sizeof(*a), same->sort);
	qsort(b, nb, sizeof(*b), same->sort);
	while (i < na && j < nb) {
		const int order = same->compare(a[i], b[j]);
		const size_t to_a = run_of_equals(same, a, i, na);
		const size_t to_b = run_of_equals(same, b, j, nb);

		if (!order && (!single || (to_a - i == 1 && to_b - j == 1)))
			join_equal(way, a + i, to_a - i, b + j, to_b - j);
		if (order <= 0)
			i = to_a;
		if (order >= 0)
			j = to_b;
	}
}

/* --- typical times ------------------------------------------------------ */

static int by_size(const void *x, const void *y)
{
	return order64(*(const int64_t *)x, *(const int64_t *)y);
}

int capture_way_time(struct way *way)
{
	const enum capture_side side = way->from;
	int64_t *times = malloc((way->count[side] + 1) * sizeof(*times));
	size_t n = 0;

	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < way->count[side]; i++)
		if (way_times(way, way->all[side][i]))
			times[n++] = way_travel(way, way->all[side][i]);
	qsort(times, n, sizeof(*times), by_size);
	way->told->timed = n;
	if (n > 0) {
		way->told->typical_ns = times[n / 2];
		way->told->spread_ns = times[n - 1 - n / 10] - times[n / 2];
	}
	free(times);
	return 0;
}

static void tally(struct way *way)
{
	struct tally *t = &way->pair->tally[way->direction];

	for (size_t i = 0; i < way->count[CAPTURE_A]; i++) {
		const struct kept *a = way->all[CAPTURE_A][i], *b = a->peer;

		if (!b || b->flags & (CAPTURE_SYN | CAPTURE_RST))
			continue;
		if (a->window == b->window)
			t->same_window++;
		else
			t->other_window++;
		if ((a->state & b->state) & KEPT_STAMPED) {
			if (a->stamp == b->stamp)
				t->same_stamp++;
			else
				t->other_stamp++;
		} else if ((a->state ^ b->state) & KEPT_STAMPED) {
			t->other_stamp++;
		}
	}
}

/* The surest first, so that typical times are known when one of several equal
 * segments is to be chosen. */
int capture_compare_match(struct way ways[2])
{
	static const struct sameness *const steps[] = { &all, &identity,
							&range };
	int ret = 0;

	for (unsigned d = 0; d < 2; d++) {
		ways[d].from = CAPTURE_A;
		for (size_t i = 0; i < 3 && ret == 0; i++) {
			match(&ways[d], steps[i], true);
			if (!ways[d].told->timed)
				ret = capture_way_time(&ways[d]);
			match(&ways[d], steps[i], false);
		}
		tally(&ways[d]);
	}
	return ret;
}

/* --- which end is near A ------------------------------------------------ */

/* By how many hops packets have fewer left in B than in A; 0 if unknown. */
static int hops_lost(const struct way *way)
{
	for (size_t i = 0; i < way->count[CAPTURE_A]; i++) {
		const struct kept *a = way->all[CAPTURE_A][i];

		if (a->peer && !(a->flags & CAPTURE_RST))
			return (int)a->hops - (int)a->peer->hops;
	}
	return 0;
}

/*
 * With B's clock ahead by o, and a path that takes time, B minus A is more
 * than o for what goes toward B and less for what comes from there: whichever
 * direction has the greater difference goes toward B.
 */
static bool near_by_times(struct pair *pair, const struct way ways[2])
{
	const struct capture_way *to = ways[0].told, *back = ways[1].told;

	if (!to->timed || !back->timed || to->typical_ns == back->typical_ns)
		return false;
	pair->told.near_a = to->typical_ns > back->typical_ns ? 0 : 1;
	pair->told.near_from = CAPTURE_FROM_TIMES;
	return true;
}

static bool near_by_hops(struct pair *pair, const struct way ways[2])
{
	const int lost = hops_lost(&ways[0]), lost_back = hops_lost(&ways[1]);

	if (lost == lost_back)
		return false;
	pair->told.near_a = lost > lost_back ? 0 : 1;
	pair->told.near_from = CAPTURE_FROM_HOPS;
	return true;
}

static bool has_urgent(const struct way *way)
{
	for (size_t i = 0; i < way->count[CAPTURE_A]; i++)
		if (way->all[CAPTURE_A][i]->flags & CAPTURE_URG)
			return true;
	return false;
}

/* As the captures are given: A is the side that sends the urgent data or, if
 * there is none, opens the connection. */
static void near_by_word(struct pair *pair, const struct way ways[2])
{
	pair->told.near_a = !has_urgent(&ways[0]) && has_urgent(&ways[1]);
	pair->told.near_from = CAPTURE_ASSUMED;
}

int capture_compare_near(struct pair *pair, struct way ways[2])
{
	int ret = 0;

	if (!near_by_times(pair, ways) && !near_by_hops(pair, ways))
		near_by_word(pair, ways);
	for (unsigned d = 0; d < 2 && ret == 0; d++) {
		ways[d].from = pair->told.near_a == d ? CAPTURE_A : CAPTURE_B;
		ret = capture_way_time(&ways[d]);
	}
	return ret;
}
