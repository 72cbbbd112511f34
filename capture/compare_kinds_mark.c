/* The differences that concern urgent marks. */
#include "capture/compare_tell.h"

/* The marks of one direction that fared alike: the first, which is told for
 * all, how many they are, and how many segments announced them so. */
struct alike {
	const struct mark *first;
	uint64_t marks;
	uint64_t segments;
};

/* `count` gives, of one mark, the announcements that fared so. */
static struct alike find_alike(const struct way *way,
			       uint32_t (*count)(const struct mark *mark))
{
	struct alike alike = { 0 };

	for (size_t i = 0; i < way->mark_count; i++) {
		const uint32_t n = count(&way->marks[i]);

		if (n && !alike.marks++)
			alike.first = &way->marks[i];
		alike.segments += n;
	}
	return alike;
}

static void begin(struct compare_teller *t, const struct way *way,
		  const struct alike *alike, const struct example *example)
{
	capture_tell_begin(t, way, alike->segments);
	capture_tell_example(t, way, example->sent, example->arrived);
	t->difference.has_mark = true;
	t->difference.mark = alike->first->told.mark;
	tell(t, "On ");
	capture_tell_way(t, way);
	tell(t, ", ");
}

static void end(struct compare_teller *t, const struct way *way,
		const struct alike *alike)
{
	if (alike->marks > 1)
		tell(t, " So it is with %llu of its %llu marks.",
		     (unsigned long long)alike->marks,
		     (unsigned long long)way->mark_count);
	capture_tell_end(t);
}

/* "octet 3 ('c')", as the BSD reading has it. */
static void tell_urgent(struct compare_teller *t, const struct mark *mark)
{
	tell(t, "octet %lld", (long long)mark->told.mark - 1);
	capture_tell_octet(t, " (", mark->told.octet_bsd, ")");
}

/* Some of a mark's announcements came as they were sent. */
static void tell_of_kept(struct compare_teller *t, const struct mark *mark)
{
	if (mark->told.kept)
		tell(t,
		     " %u of its %u announcements came as sent, so the "
		     "receiver does learn of the mark.",
		     mark->told.kept, mark->told.announced);
}

/* Tell once for each direction that has such marks. */
static void
tell_alike(struct compare_teller *t, uint32_t (*count)(const struct mark *mark),
	   void (*tell_one)(struct compare_teller *t, const struct way *way,
			    const struct alike *alike))
{
	for (unsigned d = 0; d < 2; d++) {
		const struct alike alike = find_alike(&t->ways[d], count);

		if (alike.marks)
			tell_one(t, &t->ways[d], &alike);
	}
}

/* --- urg-cleared --------------------------------------------------------- */

static uint32_t count_cleared(const struct mark *mark)
{
	return mark->told.cleared;
}

static void tell_cleared(struct compare_teller *t, const struct way *way,
			 const struct alike *alike)
{
	const struct mark *mark = alike->first;
	const struct example *e = &mark->cleared;

	begin(t, way, alike, e);
	tell(t, "something ");
	capture_tell_where(t, way);
	tell(t, " cleared URG: ");
	capture_tell_sent(t, way, e->sent);
	tell(t, " announces urgent data up to ");
	tell_urgent(t, mark);
	if (e->arrived) {
		tell(t, ", and what it carries comes in ");
		capture_tell_arrived(t, way, e->arrived);
		tell(t, " without the flag; the pointer %s %u.",
		     e->sent->pointer == e->arrived->pointer ? "still says"
							     : "now says",
		     e->arrived->pointer);
	} else {
		tell(t, ", and what it carries comes without the flag.");
	}
	tell_of_kept(t, mark);
	if (!mark->told.kept)
		tell(t, " The receiver is not told of urgent data and reads "
			"the octet among all others.");
	end(t, way, alike);
}

void capture_find_urg_cleared(struct compare_teller *t)
{
	tell_alike(t, count_cleared, tell_cleared);
}

/* --- pointer-changed ----------------------------------------------------- */

static void tell_readings(struct compare_teller *t, const struct mark *mark)
{
	const long long sent = kept_mark(mark->changed.sent);
	const long long arrived = kept_mark(mark->changed.arrived);
	const long long apart = arrived - sent;

	tell(t,
	     " The mark lies %lld octet%s %s: by the BSD reading octet %lld "
	     "is urgent instead of ",
	     apart < 0 ? -apart : apart, PLURAL(apart < 0 ? -apart : apart),
	     apart < 0 ? "earlier" : "later", (long long)arrived - 1);
	tell_urgent(t, mark);
	tell(t, ", by RFC 1122's octet %lld instead of %lld",
	     (long long)arrived, sent);
	capture_tell_octet(t, " (", mark->told.octet_1122, ")");
	tell(t, ".");
}

static uint32_t count_changed(const struct mark *mark)
{
	return mark->told.changed;
}

static void tell_changed(struct compare_teller *t, const struct way *way,
			 const struct alike *alike)
{
	const struct mark *mark = alike->first;
	const struct example *e = &mark->changed;

	begin(t, way, alike, e);
	tell(t, "something ");
	capture_tell_where(t, way);
	tell(t, " changed the urgent pointer: %u in ", e->sent->pointer);
	capture_tell_sent(t, way, e->sent);
	tell(t, ", %u in ", e->arrived->pointer);
	capture_tell_arrived(t, way, e->arrived);
	if (e->sent->peer != e->arrived)
		tell(t, ", which brings part of it");
	tell(t, ".");
	tell_readings(t, mark);
	if (!e->arrived->pointer)
		tell(t,
		     " With pointer 0, Linux takes the segment's first "
		     "octet, %lld.",
		     (long long)e->arrived->pos);
	tell_of_kept(t, mark);
	end(t, way, alike);
}

void capture_find_pointer_changed(struct compare_teller *t)
{
	tell_alike(t, count_changed, tell_changed);
}

/* --- urg-made ------------------------------------------------------------ */

static uint32_t count_made(const struct mark *mark)
{
	return mark->told.outcome == CAPTURE_MARK_MADE ? mark->told.announced
						       : 0;
}

static void tell_made(struct compare_teller *t, const struct way *way,
		      const struct alike *alike)
{
	const struct mark *mark = alike->first;
	const struct example *e = &mark->kept;

	begin(t, way, alike, e);
	capture_tell_arrived(t, way, e->arrived);
	tell(t, " has URG and announces urgent data up to ");
	tell_urgent(t, mark);
	if (e->sent) {
		tell(t, "; the same segment, ");
		capture_tell_sent(t, way, e->sent);
		tell(t, ", was sent without the flag.");
	} else {
		tell(t, "; no such segment was sent.");
	}
	tell(t, " Something ");
	capture_tell_where(t, way);
	tell(t, " makes ordinary data urgent.");
	end(t, way, alike);
}

void capture_find_urg_made(struct compare_teller *t)
{
	tell_alike(t, count_made, tell_made);
}

/* --- urg-dropped --------------------------------------------------------- */

static uint32_t count_dropped(const struct mark *mark)
{
	return mark->told.outcome == CAPTURE_MARK_LOST ? mark->told.lost : 0;
}

static void tell_dropped(struct compare_teller *t, const struct way *way,
			 const struct alike *alike)
{
	const struct mark *mark = alike->first;
	const enum capture_side to = other_side(way->from);
	const int64_t urgent = mark->told.mark - 1;
	const struct example *e = &mark->lost;
	const bool came =
		capture_cover_has(&way->cover[to], urgent, mark->told.mark);

	begin(t, way, alike, e);
	tell(t, "no announcement of urgent data up to ");
	tell_urgent(t, mark);
	tell(t, " reached %c: sent %u time%s (first in ", 'A' + to,
	     mark->told.lost, PLURAL(mark->told.lost));
	capture_tell_sent(t, way, e->sent);
	tell(t, "), lost ");
	capture_tell_where(t, way);
	tell(t, came ? ". The octet itself came: the receiver takes it for "
		       "ordinary data."
		     : ". Nor did the octet come in any other segment.");
	end(t, way, alike);
}

void capture_find_urg_dropped(struct compare_teller *t)
{
	tell_alike(t, count_dropped, tell_dropped);
}

/* --- mark-moved ---------------------------------------------------------- */

static uint32_t count_moved(const struct mark *mark)
{
	return mark->told.outcome == CAPTURE_MARK_MOVED && mark->kept.arrived
		       ? mark->told.kept
		       : 0;
}

static void tell_moved(struct compare_teller *t, const struct way *way,
		       const struct alike *alike)
{
	const struct mark *mark = alike->first;
	const struct example *e = &mark->kept;

	begin(t, way, alike, e);
	tell(t, "the mark behind ");
	tell_urgent(t, mark);
	tell(t, " comes in another segment than it was sent in: pointer %u in ",
	     e->sent->pointer);
	capture_tell_sent(t, way, e->sent);
	tell(t, ", %u in ", e->arrived->pointer);
	capture_tell_arrived(t, way, e->arrived);
	tell(t, ". Both name the same octet: no change to the receiver.");
	end(t, way, alike);
}

void capture_find_mark_moved(struct compare_teller *t)
{
	tell_alike(t, count_moved, tell_moved);
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
		tell(t, "On ");
		capture_tell_way(t, way);
		tell(t, ", something ");
		capture_tell_where(t, way);
		tell(t,
		     " zeroes the urgent pointer of segments without URG "
		     "(%llu, first ",
		     (unsigned long long)n);
		capture_tell_sent(t, way, first);
		tell(t, ": %u). Without the flag the field means nothing.",
		     first->pointer);
		capture_tell_end(t);
	}
}
