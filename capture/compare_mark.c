/* What became of each urgent mark. */
#include <errno.h>
#include <stdlib.h>

#include "capture/compare_inner.h"

enum {
	LOOK = 64, /* at so many segments of a group, for each of the other */
};

/* The segments of one capture that announce marks, by mark. */
struct urgent {
	const struct kept **at;
	size_t count;
};

static bool announces(const struct kept *k)
{
	return k->flags & CAPTURE_URG && !(k->flags & CAPTURE_RST);
}

static int by_mark(const void *x, const void *y)
{
	const struct kept *a = *(const struct kept *const *)x;
	const struct kept *b = *(const struct kept *const *)y;

	if (kept_mark(a) != kept_mark(b))
		return kept_mark(a) < kept_mark(b) ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static int find_urgent(const struct way *way, enum capture_side side,
		       struct urgent *out)
{
	size_t n = 0;

	for (size_t i = 0; i < way->count[side]; i++)
		n += announces(way->all[side][i]);
	out->at = malloc((n + 1) * sizeof(*out->at));
	if (!out->at)
		return -ENOMEM;
	for (size_t i = 0; i < way->count[side]; i++)
		if (announces(way->all[side][i]))
			out->at[out->count++] = way->all[side][i];
	qsort(out->at, out->count, sizeof(*out->at), by_mark);
	return 0;
}

/* The first that announces this mark, or NULL. */
static const struct kept *find_mark(const struct urgent *urgent, int64_t mark)
{
	size_t low = 0, high = urgent->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (kept_mark(urgent->at[middle]) < mark)
			low = middle + 1;
		else
			high = middle;
	}
	return low < urgent->count && kept_mark(urgent->at[low]) == mark
		       ? urgent->at[low]
		       : NULL;
}

/* --- one announcement --------------------------------------------------- */

static bool overlap(const struct kept *a, const struct kept *b)
{
	return a->pos < kept_end(b) && b->pos < kept_end(a);
}

/* The first of the group's segments on `side` that may overlap `k`: all behind
 * it begin no earlier. */
static size_t first_near(const struct way *way, const struct group *group,
			 enum capture_side side, const struct kept *k)
{
	struct kept *const *left = way->left[side] + group->first[side];
	size_t low = 0, high = group->count[side];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (left[middle]->pos < k->pos)
			low = middle + 1;
		else
			high = middle;
	}
	/* one or more that begin before it may reach into it */
	for (int i = 0; i < LOOK && low > 0 && overlap(left[low - 1], k); i++)
		low--;
	return low;
}

/*
 * Of the segments that brought what `sent` carried, cut otherwise: the one
 * that announces the same mark, else one that announces a mark nobody sent,
 * else the first.
 */
static const struct kept *find_regrouped(const struct way *way,
					 const struct urgent *all_sent,
					 const struct kept *sent)
{
	const struct group *group = kept_group(way, sent);
	const enum capture_side to = other_side(way->from);
	struct kept *const *left = way->left[to] + group->first[to];
	const struct kept *strange = NULL, *first = NULL;
	const size_t from = first_near(way, group, to, sent);

	for (size_t i = from; i < group->count[to] && i < from + LOOK; i++) {
		if (left[i]->pos >= kept_end(sent))
			break;
		if (!overlap(left[i], sent))
			continue;
		if (!first)
			first = left[i];
		if (!announces(left[i]))
			continue;
		if (kept_mark(left[i]) == kept_mark(sent))
			return left[i];
		if (!strange && !find_mark(all_sent, kept_mark(left[i])))
			strange = left[i];
	}
	return strange ? strange : first;
}

static void count(uint32_t *counter, struct example *example,
		  const struct kept *sent, const struct kept *arrived)
{
	if (!(*counter)++)
		*example = (struct example){ sent, arrived };
}

/*
 * `arrived` brought what `sent` announced, or part of it. Where several marks
 * are joined into one segment, one pointer is left for all: the other marks
 * are lost, none is changed.
 */
static void count_arrival(struct mark *mark, const struct urgent *all_sent,
			  const struct kept *sent, const struct kept *arrived)
{
	struct capture_mark *told = &mark->told;

	if (announces(arrived) && kept_mark(arrived) == kept_mark(sent)) {
		count(&told->kept, &mark->kept, sent, arrived);
		if (arrived == sent->peer)
			told->outcome = CAPTURE_MARK_KEPT;
	} else if (announces(arrived) && arrived != sent->peer &&
		   find_mark(all_sent, kept_mark(arrived))) {
		count(&told->lost, &mark->lost, sent, NULL);
	} else if (announces(arrived)) {
		count(&told->changed, &mark->changed, sent, arrived);
	} else {
		count(&told->cleared, &mark->cleared, sent, arrived);
		told->pointers_zeroed += sent->pointer && !arrived->pointer;
	}
}

static void count_announcement(const struct way *way,
			       const struct urgent urgent[2], struct mark *mark,
			       const struct kept *sent)
{
	const enum capture_side to = other_side(way->from);
	const struct kept *arrived = sent->peer;

	mark->told.announced++;
	if (!arrived && sent->fate == FATE_REGROUPED)
		arrived =
			kept_group(way, sent)
				? find_regrouped(way, &urgent[way->from], sent)
				: find_mark(&urgent[to], kept_mark(sent));
	if (arrived)
		count_arrival(mark, &urgent[way->from], sent, arrived);
	else if (sent->fate == FATE_REGROUPED)
		count(&mark->told.cleared, &mark->cleared, sent, NULL);
	else if (sent->fate == FATE_DROPPED || sent->fate == FATE_MISSING)
		count(&mark->told.lost, &mark->lost, sent, NULL);
}

/* --- one mark ----------------------------------------------------------- */

static void learn_octets(struct capture_mark *told, const struct kept *k)
{
	if (k->state & KEPT_BSD && told->octet_bsd == CAPTURE_NO_OCTET)
		told->octet_bsd = k->octet_bsd;
	if (k->state & KEPT_1122 && told->octet_1122 == CAPTURE_NO_OCTET)
		told->octet_1122 = k->octet_1122;
}

static struct mark *add_mark(struct way *way, int64_t position)
{
	struct mark *mark = &way->marks[way->mark_count++];

	*mark = (struct mark){
		.told = {
			.connection = way->pair->told.number,
			.direction = way->direction,
			/* unless one of its announcements was kept as it is */
			.outcome = CAPTURE_MARK_MOVED,
			.mark = position,
			.octet_bsd = CAPTURE_NO_OCTET,
			.octet_1122 = CAPTURE_NO_OCTET,
		},
	};
	return mark;
}

/* What the receiver makes of all that came. A pointer that names another octet
 * misleads it even if others do not. */
static enum capture_outcome judge_mark(const struct capture_mark *told)
{
	if (told->changed)
		return CAPTURE_MARK_CHANGED;
	if (told->kept)
		return told->outcome; /* kept or moved */
	if (told->cleared)
		return CAPTURE_MARK_CLEARED;
	return told->lost ? CAPTURE_MARK_LOST : CAPTURE_MARK_UNSEEN;
}

/* The one that shows the outcome; `unseen` if there is none. */
static struct example choose_example(const struct mark *mark,
				     const struct kept *unseen)
{
	switch (mark->told.outcome) {
	case CAPTURE_MARK_KEPT:
	case CAPTURE_MARK_MOVED:
	case CAPTURE_MARK_MADE:
		return mark->kept;
	case CAPTURE_MARK_CLEARED:
		return mark->cleared;
	case CAPTURE_MARK_CHANGED:
		return mark->changed;
	case CAPTURE_MARK_LOST:
		return mark->lost;
	case CAPTURE_MARK_UNSEEN:
		break;
	}
	return (struct example){ unseen, NULL };
}

static void finish_mark(const struct way *way, struct mark *mark,
			const struct kept *unseen)
{
	struct capture_mark *told = &mark->told;
	const struct example example = choose_example(mark, unseen);
	const struct kept *sent = example.sent, *arrived = example.arrived;
	const uint64_t sent_frame = sent ? sent->frame : 0;
	const uint64_t arrived_frame = arrived ? arrived->frame : 0;

	if (sent)
		told->pointer_sent = sent->pointer;
	if (arrived) {
		told->pointer_arrived = arrived->pointer;
		told->mark_arrived = kept_mark(arrived);
	}
	told->frame_a = way->from == CAPTURE_A ? sent_frame : arrived_frame;
	told->frame_b = way->from == CAPTURE_A ? arrived_frame : sent_frame;
}

/* A pointer of 65535 is all that 16 bits can say: Linux sends it for as long
 * as the mark lies further off, segment by segment, and means the same mark. */
static bool is_saturated(const struct kept *k)
{
	return k->pointer == UINT16_MAX;
}

static void judge_sent(struct way *way, const struct urgent urgent[2])
{
	const struct urgent *sent = &urgent[way->from];
	size_t next;

	for (size_t i = 0; i < sent->count; i = next) {
		struct mark *mark = add_mark(way, 0);

		for (next = i; next < sent->count; next++) {
			const struct kept *k = sent->at[next];

			if (next > i && kept_mark(k) != mark->told.mark &&
			    !is_saturated(sent->at[next - 1]))
				break;
			mark->told.mark = kept_mark(k);
			learn_octets(&mark->told, k);
			count_announcement(way, urgent, mark, k);
		}
		mark->told.outcome = judge_mark(&mark->told);
		finish_mark(way, mark, sent->at[i]);
	}
}

/* Was the flag set on the way, and not only its pointer changed? */
static bool was_made(const struct way *way, const struct kept *arrived)
{
	const struct group *group = kept_group(way, arrived);
	const enum capture_side from = way->from;
	size_t first;

	if (arrived->peer)
		return !announces(arrived->peer);
	if (!group)
		return arrived->fate == FATE_INJECTED;
	first = first_near(way, group, from, arrived);
	for (size_t i = first; i < group->count[from] && i < first + LOOK;
	     i++) {
		const struct kept *k = way->left[from][group->first[from] + i];

		if (k->pos >= kept_end(arrived))
			break;
		if (overlap(k, arrived) && announces(k))
			return false;
	}
	return true;
}

static void judge_arrived(struct way *way, const struct urgent urgent[2])
{
	const struct urgent *arrived = &urgent[other_side(way->from)];
	struct mark *mark = NULL;

	for (size_t i = 0; i < arrived->count; i++) {
		const struct kept *k = arrived->at[i];

		if (find_mark(&urgent[way->from], kept_mark(k)) ||
		    !was_made(way, k))
			continue;
		if (!mark || mark->told.mark != kept_mark(k)) {
			mark = add_mark(way, kept_mark(k));
			mark->told.outcome = CAPTURE_MARK_MADE;
			mark->kept = (struct example){ k->peer, k };
			finish_mark(way, mark, NULL);
		}
		mark->told.announced++;
		learn_octets(&mark->told, k);
	}
}

int capture_compare_marks(struct way *way)
{
	struct urgent urgent[2] = { 0 };
	int ret = find_urgent(way, CAPTURE_A, &urgent[CAPTURE_A]);

	if (ret == 0)
		ret = find_urgent(way, CAPTURE_B, &urgent[CAPTURE_B]);
	if (ret == 0) {
		way->marks = malloc((urgent[CAPTURE_A].count +
				     urgent[CAPTURE_B].count + 1) *
				    sizeof(*way->marks));
		ret = way->marks ? 0 : -ENOMEM;
	}
	if (ret == 0) {
		judge_sent(way, urgent);
		judge_arrived(way, urgent);
	}
	free(urgent[CAPTURE_A].at);
	free(urgent[CAPTURE_B].at);
	return ret;
}
