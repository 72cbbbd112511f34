/* The differences that concern urgent marks. */
#include "capture/compare_tell.h"

/* Call `tell_one` for each mark of either direction. */
static void each_mark(struct compare_teller *t,
		      void (*tell_one)(struct compare_teller *t,
				       const struct way *way,
				       const struct mark *mark))
{
	for (unsigned d = 0; d < 2; d++)
		for (size_t i = 0; i < t->ways[d].mark_count; i++)
			tell_one(t, &t->ways[d], &t->ways[d].marks[i]);
}

static void begin(struct compare_teller *t, const struct way *way,
		  const struct mark *mark, uint64_t count,
		  const struct example *example)
{
	capture_tell_begin(t, way, count);
	capture_tell_example(t, way, example->sent, example->arrived);
	t->difference.has_mark = true;
	t->difference.mark = mark->told.mark;
	capture_tell(t, "On ");
	capture_tell_way(t, way);
	capture_tell(t, ", ");
}

/* "octet 3 ('c')", as the BSD reading has it. */
static void tell_urgent(struct compare_teller *t, const struct mark *mark)
{
	capture_tell(t, "octet %lld", (long long)mark->told.mark - 1);
	capture_tell_octet(t, " (", mark->told.octet_bsd, ")");
}

/* Some of a mark's announcements came as they were sent. */
static void tell_of_kept(struct compare_teller *t, const struct mark *mark)
{
	if (mark->told.kept)
		capture_tell(t,
			     " %u of its %u announcements came as sent, so the "
			     "receiver does learn of the mark.",
			     mark->told.kept, mark->told.announced);
}

/* --- urg-cleared --------------------------------------------------------- */

static void tell_cleared(struct compare_teller *t, const struct way *way,
			 const struct mark *mark)
{
	const struct example *e = &mark->cleared;

	if (!mark->told.cleared)
		return;
	begin(t, way, mark, mark->told.cleared, e);
	capture_tell(t, "something ");
	capture_tell_where(t, way);
	capture_tell(t, " cleared URG: ");
	capture_tell_sent(t, way, e->sent);
	capture_tell(t, " announces urgent data up to ");
	tell_urgent(t, mark);
	if (e->arrived) {
		capture_tell(t, ", and what it carries comes in ");
		capture_tell_arrived(t, way, e->arrived);
		capture_tell(t, " without the flag; the pointer %s %u.",
			     e->sent->pointer == e->arrived->pointer
				     ? "still says"
				     : "now says",
			     e->arrived->pointer);
	} else {
		capture_tell(t,
			     ", and what it carries comes without the flag.");
	}
	tell_of_kept(t, mark);
	if (!mark->told.kept)
		capture_tell(
			t, " The receiver is not told of urgent data and reads "
			   "the octet among all others.");
	capture_tell_end(t);
}

void capture_find_urg_cleared(struct compare_teller *t)
{
	each_mark(t, tell_cleared);
}

/* --- pointer-changed ----------------------------------------------------- */

static void tell_readings(struct compare_teller *t, const struct mark *mark,
			  int64_t arrived)
{
	const long long sent = mark->told.mark;
	const long long apart = arrived - sent;

	capture_tell(
		t,
		" The mark lies %lld octet%s %s: by the BSD reading octet %lld "
		"is urgent instead of ",
		apart < 0 ? -apart : apart, PLURAL(apart < 0 ? -apart : apart),
		apart < 0 ? "earlier" : "later", (long long)arrived - 1);
	tell_urgent(t, mark);
	capture_tell(t, ", by RFC 1122's octet %lld instead of %lld",
		     (long long)arrived, sent);
	capture_tell_octet(t, " (", mark->told.octet_1122, ")");
	capture_tell(t, ".");
}

static void tell_changed(struct compare_teller *t, const struct way *way,
			 const struct mark *mark)
{
	const struct example *e = &mark->changed;

	if (!mark->told.changed)
		return;
	begin(t, way, mark, mark->told.changed, e);
	capture_tell(t, "something ");
	capture_tell_where(t, way);
	capture_tell(t, " changed the urgent pointer: %u in ",
		     e->sent->pointer);
	capture_tell_sent(t, way, e->sent);
	capture_tell(t, ", %u in ", e->arrived->pointer);
	capture_tell_arrived(t, way, e->arrived);
	if (e->sent->peer != e->arrived)
		capture_tell(t, ", which brings part of it");
	capture_tell(t, ".");
	tell_readings(t, mark, kept_mark(e->arrived));
	if (!e->arrived->pointer)
		capture_tell(
			t,
			" (With pointer 0, Linux takes the segment's first "
			"octet, %lld.)",
			(long long)e->arrived->pos);
	tell_of_kept(t, mark);
	capture_tell_end(t);
}

void capture_find_pointer_changed(struct compare_teller *t)
{
	each_mark(t, tell_changed);
}

/* --- urg-made ------------------------------------------------------------ */

static void tell_made(struct compare_teller *t, const struct way *way,
		      const struct mark *mark)
{
	const struct example *e = &mark->kept;

	if (mark->told.outcome != CAPTURE_MARK_MADE)
		return;
	begin(t, way, mark, mark->told.announced, e);
	capture_tell_arrived(t, way, e->arrived);
	capture_tell(t, " has URG and announces urgent data up to ");
	tell_urgent(t, mark);
	if (e->sent) {
		capture_tell(t, "; the same segment, ");
		capture_tell_sent(t, way, e->sent);
		capture_tell(t, ", was sent without the flag.");
	} else {
		capture_tell(t, "; no such segment was sent.");
	}
	capture_tell(t, " Something ");
	capture_tell_where(t, way);
	capture_tell(t, " makes ordinary data urgent.");
	capture_tell_end(t);
}

void capture_find_urg_made(struct compare_teller *t)
{
	each_mark(t, tell_made);
}

/* --- urg-dropped --------------------------------------------------------- */

static void tell_dropped(struct compare_teller *t, const struct way *way,
			 const struct mark *mark)
{
	const enum capture_side to = other_side(way->from);
	const int64_t urgent = mark->told.mark - 1;
	const struct example *e = &mark->lost;
	const bool came =
		capture_cover_has(&way->cover[to], urgent, mark->told.mark);

	if (mark->told.outcome != CAPTURE_MARK_LOST)
		return;
	begin(t, way, mark, mark->told.lost, e);
	capture_tell(t, "no announcement of urgent data up to ");
	tell_urgent(t, mark);
	capture_tell(t, " reached %c: sent %u time%s (first in ", "AB"[to],
		     mark -> told.lost, PLURAL(mark->told.lost));
	capture_tell_sent(t, way, e->sent);
	capture_tell(t, "), lost ");
	capture_tell_where(t, way);
	capture_tell(
		t, came ? ". The octet itself came: the receiver takes it for "
			  "ordinary data."
			: ". Nor did the octet come in any other segment.");
	capture_tell_end(t);
}

void capture_find_urg_dropped(struct compare_teller *t)
{
	each_mark(t, tell_dropped);
}

/* --- mark-moved ---------------------------------------------------------- */

static void tell_moved(struct compare_teller *t, const struct way *way,
		       const struct mark *mark)
{
	const struct example *e = &mark->kept;

	if (mark->told.outcome != CAPTURE_MARK_MOVED || !e->arrived)
		return;
	begin(t, way, mark, mark->told.kept, e);
	capture_tell(t, "the mark behind ");
	tell_urgent(t, mark);
	capture_tell(
		t,
		" comes in another segment than it was sent in: pointer %u in ",
		e->sent->pointer);
	capture_tell_sent(t, way, e->sent);
	capture_tell(t, ", %u in ", e->arrived->pointer);
	capture_tell_arrived(t, way, e->arrived);
	capture_tell(t,
		     ". Both name the same octet: no change to the receiver.");
	capture_tell_end(t);
}

void capture_find_mark_moved(struct compare_teller *t)
{
	each_mark(t, tell_moved);
}

/* --- pointer-scrubbed ---------------------------------------------------- */

static bool is_scrubbed(const struct kept *sent)
{
	return sent->peer && sent->pointer && !sent->peer->pointer &&
	       !((sent->flags | sent->peer->flags) & CAPTURE_URG);
}

void capture_find_pointer_scrubbed(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first = NULL;
		uint64_t n = 0;

		for (size_t i = 0; i < way->count[way->from]; i++) {
			const struct kept *k = way->all[way->from][i];

			if (is_scrubbed(k) && !n++)
				first = k;
		}
		if (!n)
			continue;
		capture_tell_begin(t, way, n);
		capture_tell_example(t, way, first, first->peer);
		capture_tell(t, "On ");
		capture_tell_way(t, way);
		capture_tell(t, ", something ");
		capture_tell_where(t, way);
		capture_tell(
			t,
			" zeroes the urgent pointer of segments without URG "
			"(%llu, first ",
			(unsigned long long)n);
		capture_tell_sent(t, way, first);
		capture_tell(t,
			     ": %u). Without the flag the field means nothing.",
			     first->pointer);
		capture_tell_end(t);
	}
}
