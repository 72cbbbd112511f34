/* The differences that concern segments. */
#include "capture/compare_tell.h"

enum {
	/* A time on the path is no more than typical, unless it is by this and
	 * by so many times the spread of all; and fewer matches tell nothing.
	 */
	DELAY_NS = 10000000,
	DELAY_SPREADS = 8,
	DELAY_MATCHES = 8,
};

/* --- what several of them do -------------------------------------------- */

/* The first segment of the capture on `side` with this fate, empty ACKs apart
 * or, with `acks`, only those. */
static const struct kept *first_with(const struct way *way,
				     enum capture_side side, enum fate fate,
				     bool acks)
{
	for (size_t i = 0; i < way->count[side]; i++) {
		const struct kept *k = way->all[side][i];

		if (k->fate == fate && kept_is_ack(k) == acks)
			return k;
	}
	return NULL;
}

static void begin(struct compare_teller *t, const struct way *way,
		  uint64_t count, const struct kept *sent,
		  const struct kept *arrived)
{
	capture_tell_begin(t, way, count);
	capture_tell_example(t, way, sent, arrived);
	tell(t, "On ");
	capture_tell_way(t, way);
	tell(t, ", ");
}

/* "3 of 57 segments" */
static void tell_share(struct compare_teller *t, uint64_t n, uint64_t of)
{
	tell(t, "%llu of %llu segment%s", (unsigned long long)n,
	     (unsigned long long)of, PLURAL(of));
}

/* " (the first: A's frame 7, octets 1 to 100)" */
static void tell_first_sent(struct compare_teller *t, const struct way *way,
			    const struct kept *k)
{
	tell(t, " (the first: ");
	capture_tell_sent(t, way, k);
	tell(t, ", ");
	capture_tell_content(t, k);
	tell(t, ")");
}

static void tell_first_arrived(struct compare_teller *t, const struct way *way,
			       const struct kept *k)
{
	tell(t, " (the first: ");
	capture_tell_arrived(t, way, k);
	tell(t, ", ");
	capture_tell_content(t, k);
	tell(t, ")");
}

/* --- data ---------------------------------------------------------------- */

static bool data_differ(const struct kept *sent)
{
	const struct kept *arrived = sent->peer;

	return arrived && sent->caplen == arrived->caplen &&
	       sent->len == arrived->len && sent->hash != arrived->hash;
}

/* Counts segments, or groups of them, with other data; *sent and *arrived are
 * the first. */
static uint64_t count_changed(const struct way *way, const struct kept **sent,
			      const struct kept **arrived)
{
	const enum capture_side from = way->from, to = other_side(from);
	uint64_t n = 0;

	for (size_t i = 0; i < way->count[from]; i++) {
		const struct kept *k = way->all[from][i];

		if (data_differ(k) && !n++) {
			*sent = k;
			*arrived = k->peer;
		}
	}
	for (size_t i = 0; i < way->group_count; i++) {
		const struct group *group = &way->groups[i];

		if (group->differs && !n++) {
			*sent = way->left[from][group->first[from]];
			*arrived = way->left[to][group->first[to]];
		}
	}
	return n;
}

void capture_find_data_changed(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *sent = NULL, *arrived = NULL;
		uint64_t n = count_changed(way, &sent, &arrived);

		if (!n)
			continue;
		begin(t, way, n, sent, arrived);
		tell(t, "changed ");
		capture_tell_where(t, way);
		tell(t, ": the data of %llu segment%s", (unsigned long long)n,
		     PLURAL(n));
		tell_first_sent(t, way, sent);
		tell(t, ".");
		if ((sent->state & arrived->state) & KEPT_BSD &&
		    sent->octet_bsd != arrived->octet_bsd) {
			capture_tell_octet(t, " The urgent octet was ",
					   sent->octet_bsd, "");
			capture_tell_octet(t, " and now is ",
					   arrived->octet_bsd, ".");
		}
		capture_tell_end(t);
	}
}

void capture_find_missing(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first =
			first_with(way, way->from, FATE_MISSING, false);

		if (!first)
			continue;
		begin(t, way, way->told->missing, first, NULL);
		tell(t, "dropped ");
		capture_tell_where(t, way);
		tell(t, " for good: ");
		tell_share(t, way->told->missing, way->told->sent);
		tell_first_sent(t, way, first);
		tell(t, ". What is in them came in no other segment, "
			"and nobody "
			"acknowledged it.");
		capture_tell_end(t);
	}
}

/* --- segments ------------------------------------------------------------ */

/* The time to live that the sender's other segments arrive with; 0: none. */
static uint8_t usual_hops(const struct way *way)
{
	const enum capture_side to = other_side(way->from);

	for (size_t i = 0; i < way->count[to]; i++)
		if (way->all[to][i]->peer)
			return way->all[to][i]->hops;
	return 0;
}

static uint64_t count_resets(const struct way *way, const struct kept **first)
{
	const enum capture_side to = other_side(way->from);
	uint64_t n = 0;

	for (size_t i = 0; i < way->count[to]; i++) {
		const struct kept *k = way->all[to][i];

		if (k->fate == FATE_INJECTED && k->flags & CAPTURE_RST && !n++)
			*first = k;
	}
	return n;
}

void capture_find_reset(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first = NULL;
		const uint64_t n = count_resets(way, &first);
		uint8_t hops = usual_hops(way);

		if (!n)
			continue;
		begin(t, way, n, NULL, first);
		capture_tell_arrived(t, way, first);
		tell(t, " is a RST that %c's end never sent: something ",
		     'A' + way->from);
		capture_tell_where(t, way);
		tell(t, " ends the connection in its name.");
		if (hops && hops != first->hops)
			tell(t,
			     " Its time to live is %u, that of the "
			     "end's own "
			     "segments %u.",
			     first->hops, hops);
		capture_tell_end(t);
	}
}

void capture_find_injected(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const enum capture_side to = other_side(way->from);
		const struct kept *first = NULL;
		uint64_t n = 0;

		for (size_t i = 0; i < way->count[to]; i++) {
			const struct kept *k = way->all[to][i];

			if (k->fate == FATE_INJECTED && !kept_is_ack(k) &&
			    !(k->flags & CAPTURE_RST) && !n++)
				first = k;
		}
		if (!n)
			continue;
		begin(t, way, n, NULL, first);
		tell(t, "put in ");
		capture_tell_where(t, way);
		tell(t, ": ");
		tell_share(t, n, way->told->arrived);
		tell_first_arrived(t, way, first);
		tell(t, ". The end they speak for never sent the like.");
		capture_tell_end(t);
	}
}

void capture_find_dropped(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first =
			first_with(way, way->from, FATE_DROPPED, false);

		if (!first)
			continue;
		begin(t, way, way->told->dropped, first, NULL);
		tell(t, "lost ");
		capture_tell_where(t, way);
		tell(t, ": ");
		tell_share(t, way->told->dropped, way->told->sent);
		tell_first_sent(t, way, first);
		tell(t, ". What was in them came in others.");
		capture_tell_end(t);
	}
}

struct delays {
	uint64_t count, urgent;
	const struct kept *worst;
	int64_t worst_ns; /* beyond the typical */
};

static struct delays find_delays(const struct way *way)
{
	const struct capture_way *told = way->told;
	const int64_t spread = told->spread_ns < DELAY_NS * INT64_C(1000)
				       ? told->spread_ns
				       : DELAY_NS * INT64_C(1000);
	int64_t beyond = DELAY_SPREADS * spread;
	struct delays delays = { 0 };

	if (beyond < DELAY_NS)
		beyond = DELAY_NS;
	for (size_t i = 0; i < way->count[way->from]; i++) {
		const struct kept *k = way->all[way->from][i];
		int64_t late;

		if (!(k->state & KEPT_SURE))
			continue;
		late = way_travel(way, k) - told->typical_ns;
		if (late <= beyond)
			continue;
		delays.count++;
		delays.urgent += k->flags & CAPTURE_URG ? 1 : 0;
		if (!delays.worst || late > delays.worst_ns) {
			delays.worst_ns = late;
			delays.worst = k;
		}
	}
	return delays;
}

void capture_find_delayed(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		struct delays delays;

		if (way->told->timed < DELAY_MATCHES ||
		    t->pair->told.terminated)
			continue;
		delays = find_delays(way);
		if (!delays.worst)
			continue;
		begin(t, way, delays.count, delays.worst, delays.worst->peer);
		tell(t, "delayed ");
		capture_tell_where(t, way);
		tell(t, " far beyond what is typical: ");
		tell_share(t, delays.count, way->told->sent);
		tell(t, ", %llu of them with URG. The most, ",
		     (unsigned long long)delays.urgent);
		capture_tell_sent(t, way, delays.worst);
		tell(t, " by ");
		capture_tell_ns(t, delays.worst_ns);
		tell(t, ".");
		capture_tell_end(t);
	}
}

static const struct kept *first_overtaken(const struct way *way)
{
	const enum capture_side to = other_side(way->from);
	uint64_t latest = 0;

	for (size_t i = 0; i < way->count[to]; i++) {
		const struct kept *k = way->all[to][i];

		if (k->peer && k->peer->frame < latest)
			return k;
		if (k->peer)
			latest = k->peer->frame;
	}
	return NULL;
}

void capture_find_reordered(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first = first_overtaken(way);

		if (!first)
			continue;
		begin(t, way, way->told->reordered, first->peer, first);
		tell(t, "overtaken ");
		capture_tell_where(t, way);
		tell(t, " by others that were sent later: ");
		tell_share(t, way->told->reordered, way->told->matched);
		tell_first_arrived(t, way, first);
		tell(t, ".");
		capture_tell_end(t);
	}
}

void capture_find_duplicated(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const enum capture_side to = other_side(way->from);
		const struct kept *first =
			first_with(way, to, FATE_DUPLICATED, false);

		if (!first)
			first = first_with(way, to, FATE_DUPLICATED, true);
		if (!first)
			continue;
		begin(t, way, way->told->duplicated, NULL, first);
		tell(t, "copied ");
		capture_tell_where(t, way);
		tell(t, ": ");
		tell_share(t, way->told->duplicated, way->told->arrived);
		tell_first_arrived(t, way, first);
		tell(t, ".");
		capture_tell_end(t);
	}
}

/* The first group that is no offload or, with `fragments`, has IP fragments;
 * and how many there are. */
static uint64_t count_groups(const struct way *way, bool fragments,
			     const struct group **first)
{
	uint64_t n = 0;

	for (size_t i = 0; i < way->group_count; i++) {
		const struct group *group = &way->groups[i];
		const bool wanted = fragments ? group->fragments
					      : !group->fragments &&
							!group->offload;

		if (wanted && !n++)
			*first = group;
	}
	return n;
}

void capture_find_resegmented(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2 && !t->pair->told.terminated; d++) {
		const struct way *way = &t->ways[d];
		const enum capture_side from = way->from, to = other_side(from);
		const struct group *first = NULL;
		const uint64_t n = count_groups(way, false, &first);
		const struct kept *sent, *arrived;

		if (!n)
			continue;
		sent = way->left[from][first->first[from]];
		arrived = way->left[to][first->first[to]];
		begin(t, way, n, sent, arrived);
		tell(t, "something ");
		capture_tell_where(t, way);
		tell(t, " cuts or joins segments in %llu place%s: ",
		     (unsigned long long)n, PLURAL(n));
		capture_tell_sent(t, way, sent);
		tell(t, ", ");
		capture_tell_content(t, sent);
		tell(t, ", comes as ");
		capture_tell_arrived(t, way, arrived);
		tell(t, ", ");
		capture_tell_content(t, arrived);
		tell(t,
		     ". None is above the %u octets that fit a packet, "
		     "so it "
		     "is not segmentation offload.",
		     way->mss);
		capture_tell_end(t);
	}
}

void capture_find_fragmented(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2 && !t->pair->told.terminated; d++) {
		const struct way *way = &t->ways[d];
		const enum capture_side from = way->from;
		const struct group *first = NULL;
		const uint64_t n = count_groups(way, true, &first);
		const struct kept *sent;

		if (!n)
			continue;
		sent = way->left[from][first->first[from]];
		begin(t, way, n, sent, NULL);
		tell(t, "come as IP fragments, of which only the first has a "
			"TCP header: ");
		tell_share(t, n, way->told->sent);
		tell_first_sent(t, way, sent);
		tell(t, ".");
		capture_tell_end(t);
	}
}

/* --- acknowledgements, and what the captures lack ------------------------ */

void capture_find_acks_injected(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first = first_with(
			way, other_side(way->from), FATE_INJECTED, true);

		if (!first)
			continue;
		begin(t, way, way->told->acks_injected, NULL, first);
		tell(t, "made ");
		capture_tell_where(t, way);
		tell(t, ": %llu acknowledgement%s (the first: ",
		     (unsigned long long)way->told->acks_injected,
		     PLURAL(way->told->acks_injected));
		capture_tell_arrived(t, way, first);
		tell(t, "). Something acknowledges in the other end's name.");
		capture_tell_end(t);
	}
}

void capture_find_acks_dropped(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const struct kept *first =
			first_with(way, way->from, FATE_DROPPED, true);

		if (!first)
			continue;
		begin(t, way, way->told->acks_dropped, first, NULL);
		tell(t, "lost or thinned out ");
		capture_tell_where(t, way);
		tell(t, ": %llu empty acknowledgement%s (the first: ",
		     (unsigned long long)way->told->acks_dropped,
		     PLURAL(way->told->acks_dropped));
		capture_tell_sent(t, way, first);
		tell(t, "). Later ones say as much.");
		capture_tell_end(t);
	}
}

void capture_find_unseen(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct way *way = &t->ways[d];
		const enum capture_side from = way->from, to = other_side(from);
		const struct kept *sent =
			first_with(way, from, FATE_UNSEEN, false);
		const struct kept *arrived =
			first_with(way, to, FATE_UNSEEN, false);

		if (!sent && !arrived)
			continue;
		begin(t, way, way->told->unseen, sent, arrived);
		tell(t,
		     "missed by a capture, not lost by the path: %llu "
		     "segment%s",
		     (unsigned long long)way->told->unseen,
		     PLURAL(way->told->unseen));
		if (sent)
			tell_first_sent(t, way, sent);
		else
			tell_first_arrived(t, way, arrived);
		tell(t, ".");
		capture_tell_end(t);
	}
}
