/* What became of each segment that has no peer. */
#include <errno.h>
#include <stdlib.h>

#include "capture/compare_inner.h"

/* --- what is known of a direction --------------------------------------- */

/* How far the other end has acknowledged: relative, whichever capture has it.
 * A RST may be anybody's. */
static int64_t find_acked(const struct way *way, const struct way *back)
{
	int64_t high = 0, acked = 0;

	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		const struct kept_half *half =
			pair_half(way->pair, side, way->direction);

		if (half->count && half->high > high)
			high = half->high;
	}
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		for (size_t i = 0; i < back->count[side]; i++) {
			const struct kept *k = back->all[side][i];
			const int64_t up_to =
				high + (int32_t)(k->ack - (uint32_t)high);

			if ((k->flags & (CAPTURE_ACK | CAPTURE_RST)) ==
				    CAPTURE_ACK &&
			    up_to <= high && up_to > acked)
				acked = up_to;
		}
	return acked;
}

/* Did the capture on `side` run at that time of its own clock? */
static bool ran(const struct capture_compare *compare, enum capture_side side,
		int64_t time_ns)
{
	const struct kept_capture *capture = &compare->captures[side];

	return time_ns >= capture->first_ns && time_ns <= capture->last_ns;
}

/* --- segments that did not arrive --------------------------------------- */

/* Was what left[from][i] carries sent again? As none of it has a peer, all of
 * it is there, sorted. */
static bool sent_again(const struct way *way, size_t i)
{
	struct kept *const *left = way->left[way->from];

	return (i + 1 < way->left_count[way->from] &&
		left[i + 1]->pos < kept_end(left[i])) ||
	       (i > 0 && kept_end(left[i - 1]) > left[i]->pos);
}

static bool is_due(const struct capture_compare *compare, const struct way *way,
		   const struct kept *k)
{
	return ran(compare, other_side(way->from),
		   k->time_ns + way->told->typical_ns);
}

/*
 * The path dropped it, unless the other capture did not run when it was due,
 * or must have missed it, as the receiver acknowledged what no segment there
 * brought. A sender that tries again in vain, or that something between resets,
 * shows that nothing came, though the other capture ends before.
 */
static enum fate judge_absent(const struct capture_compare *compare,
			      const struct way *way, size_t i)
{
	const enum capture_side to = other_side(way->from);
	const struct kept *k = way->left[way->from][i];
	const bool terminated = way->pair->told.terminated;
	const bool due = is_due(compare, way, k);

	if (capture_cover_has(&way->cover[to], k->pos, kept_end(k))) {
		if (terminated)
			return FATE_REGROUPED;
		return due ? FATE_DROPPED : FATE_OUTSIDE;
	}
	if (!terminated && kept_end(k) <= way->acked)
		return due ? FATE_UNSEEN : FATE_OUTSIDE;
	return due || sent_again(way, i) || way->pair->cut_off ? FATE_MISSING
							       : FATE_OUTSIDE;
}

/* --- segments that were not sent ---------------------------------------- */

static enum fate judge_foreign(const struct capture_compare *compare,
			       const struct way *way, const struct kept *k)
{
	const struct kept_half *sent =
		pair_half(way->pair, way->from, way->direction);

	if (capture_cover_has(&way->cover[way->from], k->pos, kept_end(k)))
		return way->pair->told.terminated ? FATE_REGROUPED
						  : FATE_DUPLICATED;
	if (!ran(compare, way->from, k->time_ns - way->told->typical_ns))
		return FATE_OUTSIDE;
	/* in a hole among what was sent: a capture lost it */
	return kept_end(k) <= sent->high ? FATE_UNSEEN : FATE_INJECTED;
}

/* --- groups ------------------------------------------------------------- */

static int judge_group(const struct capture_compare *compare, struct way *way,
		       uint32_t number)
{
	const struct group *group = &way->groups[number];
	const enum capture_side from = way->from, to = other_side(from);
	struct cover came = { 0 };
	int ret = capture_cover_make(&came, way->left[to] + group->first[to],
				     group->count[to]);

	if (ret < 0)
		return ret;
	for (size_t n = 0; n < group->count[from]; n++) {
		const size_t i = group->first[from] + n;
		struct kept *k = way->left[from][i];

		k->group = number + 1;
		/* the header of later fragments is in none of them */
		k->fate = group->fragments || capture_cover_has(&came, k->pos,
								kept_end(k))
				  ? FATE_REGROUPED
				  : judge_absent(compare, way, i);
	}
	for (size_t n = 0; n < group->count[to]; n++) {
		struct kept *k = way->left[to][group->first[to] + n];

		k->group = number + 1;
		k->fate = capture_cover_has(&way->cover[from], k->pos,
					    kept_end(k))
				  ? FATE_REGROUPED
				  : judge_foreign(compare, way, k);
	}
	free(came.at);
	return 0;
}

static void judge_left(const struct capture_compare *compare,
		       const struct way *way)
{
	const enum capture_side from = way->from, to = other_side(from);

	for (size_t i = 0; i < way->left_count[from]; i++)
		if (way->left[from][i]->fate == FATE_NONE)
			way->left[from][i]->fate =
				judge_absent(compare, way, i);
	for (size_t i = 0; i < way->left_count[to]; i++)
		if (way->left[to][i]->fate == FATE_NONE)
			way->left[to][i]->fate =
				judge_foreign(compare, way, way->left[to][i]);
}

/* --- segments without octets, and resets -------------------------------- */

static bool closes(const struct way *way)
{
	for (size_t i = 0; i < way->count[way->from]; i++)
		if (way->all[way->from][i]->flags & (CAPTURE_FIN | CAPTURE_RST))
			return true;
	return false;
}

static enum fate judge_empty_absent(const struct capture_compare *compare,
				    const struct way *way, const struct kept *k)
{
	if (way->pair->told.terminated && !(k->flags & CAPTURE_URG))
		return FATE_LOCAL;
	return is_due(compare, way, k) ? FATE_DROPPED : FATE_OUTSIDE;
}

/* Did it cross other routers than what its sender's SYN did? */
static bool other_hops(const struct way *way, const struct kept *arrived)
{
	const struct handshake *syn =
		&pair_half(way->pair, other_side(way->from), way->direction)
			 ->syn;

	return syn->seen && syn->hops != arrived->hops;
}

/*
 * A proxy acknowledges by itself, and resets its second connection when the
 * first one closes. A reset whose time to live is not the sender's gives
 * itself away even when the sender's own capture has ended.
 */
static enum fate judge_empty_foreign(const struct capture_compare *compare,
				     const struct way *way,
				     const struct kept *k, bool copied)
{
	const bool reset = k->flags & CAPTURE_RST;

	if (way->pair->told.terminated &&
	    (kept_is_ack(k) || (reset && closes(way))))
		return FATE_LOCAL;
	if (copied)
		return FATE_DUPLICATED;
	if (ran(compare, way->from, k->time_ns - way->told->typical_ns) ||
	    (reset && other_hops(way, k)))
		return FATE_INJECTED;
	return FATE_OUTSIDE;
}

/* Do those equal to all[from] have a peer among them? */
static bool has_peer(struct kept *const *all, size_t from, size_t count)
{
	for (size_t i = from;
	     i < count && !capture_kept_compare(all[from], all[i]); i++)
		if (all[i]->peer)
			return true;
	return false;
}

/* Of equal ones that arrived, those beyond what was sent are copies. */
static int judge_empty(const struct capture_compare *compare, struct way *way)
{
	const enum capture_side from = way->from, to = other_side(from);
	struct kept **all =
		malloc((way->count[to] + 1) * sizeof(struct kept *));
	size_t n = 0;
	bool copied = false;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < way->count[from]; i++)
		if (way->all[from][i]->fate == FATE_NONE &&
		    !kept_has_octets(way->all[from][i]))
			way->all[from][i]->fate = judge_empty_absent(
				compare, way, way->all[from][i]);
	for (size_t i = 0; i < way->count[to]; i++)
		if (!kept_has_octets(way->all[to][i]))
			all[n++] = way->all[to][i];
	qsort(all, n, sizeof(*all), capture_kept_by_range);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || capture_kept_compare(all[i - 1], all[i]))
			copied = has_peer(all, i, n);
		if (all[i]->fate == FATE_NONE)
			all[i]->fate = judge_empty_foreign(compare, way, all[i],
							   copied);
	}
	free(all);
	return 0;
}

/* --- counting ----------------------------------------------------------- */

static void count_fate(struct capture_way *told, const struct kept *k,
		       bool departs, const struct group *group)
{
	switch ((enum fate)k->fate) {
	case FATE_MATCHED:
		told->matched += departs;
		break;
	case FATE_REGROUPED:
		if (!departs)
			told->regrouped_to++;
		else
			told->regrouped++;
		told->offloaded += departs && group &&
				   (group->offload || group->fragments);
		break;
	case FATE_DROPPED:
		if (kept_is_ack(k))
			told->acks_dropped++;
		else
			told->dropped++;
		break;
	case FATE_INJECTED:
		if (kept_is_ack(k))
			told->acks_injected++;
		else
			told->injected++;
		break;
	case FATE_MISSING:
		told->missing++;
		break;
	case FATE_UNSEEN:
		told->unseen++;
		break;
	case FATE_OUTSIDE:
		told->outside++;
		break;
	case FATE_DUPLICATED:
		told->duplicated++;
		break;
	case FATE_NONE:
	case FATE_LOCAL:
		break;
	}
}

static void count_way(struct way *way)
{
	const enum capture_side from = way->from, to = other_side(from);
	uint64_t latest = 0;

	way->told->sent = way->count[from];
	way->told->arrived = way->count[to];
	for (size_t i = 0; i < way->count[from]; i++)
		count_fate(way->told, way->all[from][i], true,
			   kept_group(way, way->all[from][i]));
	for (size_t i = 0; i < way->count[to]; i++) {
		const struct kept *k = way->all[to][i];

		count_fate(way->told, k, false, kept_group(way, k));
		if (!k->peer)
			continue;
		way->told->reordered += k->peer->frame < latest;
		if (k->peer->frame > latest)
			latest = k->peer->frame;
	}
}

static bool any_reset(const struct way *way)
{
	const enum capture_side to = other_side(way->from);

	for (size_t i = 0; i < way->count[to]; i++)
		if (way->all[to][i]->fate == FATE_INJECTED &&
		    way->all[to][i]->flags & CAPTURE_RST)
			return true;
	return false;
}

static int judge_octets(const struct capture_compare *compare, struct way *way)
{
	int ret = capture_compare_groups(&compare->hasher, way);

	for (uint32_t i = 0; i < way->group_count && ret == 0; i++)
		ret = judge_group(compare, way, i);
	if (ret == 0)
		judge_left(compare, way);
	return ret;
}

int capture_compare_fate(const struct capture_compare *compare,
			 struct way ways[2])
{
	struct pair *pair = ways[0].pair;
	int ret = 0;

	capture_compare_proxy(pair, ways);
	for (unsigned d = 0; d < 2 && ret == 0; d++) {
		ways[d].acked = find_acked(&ways[d], &ways[!d]);
		ret = judge_empty(compare, &ways[d]);
		pair->cut_off |= any_reset(&ways[d]);
	}
	for (unsigned d = 0; d < 2 && ret == 0; d++)
		ret = judge_octets(compare, &ways[d]);
	if (ret < 0)
		return ret;
	count_way(&ways[0]);
	count_way(&ways[1]);
	return 0;
}
