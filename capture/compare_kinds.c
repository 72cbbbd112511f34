/* The differences that concern whole connections, and the table of all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/compare_tell.h"

static void begin(struct compare_teller *t, const struct way *way)
{
	capture_tell_begin(t, way, 1);
	tell(t, "On ");
	capture_tell_way(t, way);
	tell(t, ", ");
}

static uint64_t first_frame(const struct kept_flow *flow)
{
	const struct kept *a = flow->half[0].first, *b = flow->half[1].first;

	return !b || (a && a->frame < b->frame) ? a->frame : b->frame;
}

static void find_terminated(struct compare_teller *t)
{
	static const struct {
		enum proxy_sign sign;
		const char *words;
	} signs[] = {
		{ PROXY_SCALE, ", window scales" },
		{ PROXY_STAMPS, ", timestamps" },
		{ PROXY_WINDOWS, ", windows" },
		{ PROXY_HOPS, ", times to live that rise" },
	};

	if (!t->pair->told.terminated)
		return;
	capture_tell_begin(t, NULL, 1);
	t->difference.frame_a = first_frame(t->pair->flow[CAPTURE_A]);
	t->difference.frame_b = first_frame(t->pair->flow[CAPTURE_B]);
	capture_tell_way(t, &t->ways[0]);
	tell(t, " is two connections, with a proxy between A and B that "
		"carries the data on: the two captures have different "
		"sequence numbers");
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (t->pair->signs & signs[i].sign)
			tell(t, "%s", signs[i].words);
	tell(t, ". Each end talks to the proxy alone; urgent data crosses it "
		"only if its program reads and sends it as such.");
	capture_tell_end(t);
}

static void find_rewritten(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2 && !t->pair->told.terminated; d++) {
		const struct kept_half *a = pair_half(t->pair, CAPTURE_A, d);
		const struct kept_half *b = pair_half(t->pair, CAPTURE_B, d);
		const uint32_t by = (uint32_t)b->origin - (uint32_t)a->origin;

		if (!by || !a->count || !b->count)
			continue;
		begin(t, &t->ways[d]);
		t->difference.count = a->count;
		t->difference.frame_a = a->first->frame;
		t->difference.frame_b = b->first->frame;
		tell(t,
		     "sequence numbers are %u higher (modulo 2^32) in B "
		     "than "
		     "in A, and all else is kept: a firewall makes initial "
		     "sequence numbers anew.",
		     by);
		capture_tell_end(t);
	}
}

static bool same_end(const struct capture_endpoint *x,
		     const struct capture_endpoint *y)
{
	return x->address_len == y->address_len && x->port == y->port &&
	       !memcmp(x->address, y->address, x->address_len);
}

static void find_translated(struct compare_teller *t)
{
	const struct capture_connection *told = &t->pair->told;
	char from[CAPTURE_ENDPOINT_MAX], to[CAPTURE_ENDPOINT_MAX];

	if (same_end(&told->ends_a[0], &told->ends_b[0]) &&
	    same_end(&told->ends_a[1], &told->ends_b[1]))
		return;
	capture_tell_begin(t, NULL, 1);
	capture_tell_way(t, &t->ways[0]);
	tell(t,
	     " in A is %s > %s in B: addresses or ports are translated on "
	     "the way. The two were matched by %s.",
	     capture_endpoint_text(&told->ends_b[0], from),
	     capture_endpoint_text(&told->ends_b[1], to),
	     told->pairing == CAPTURE_BY_SEQUENCE ? "their sequence numbers"
						  : "the data they carry");
	capture_tell_end(t);
}

static void tell_scale(struct compare_teller *t, const struct handshake *syn)
{
	if (syn->has_scale)
		tell(t, "%u", syn->scale);
	else
		tell(t, "none");
}

static void find_syn_changed(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2 && !t->pair->told.terminated; d++) {
		const struct way *way = &t->ways[d];
		const struct handshake *from =
			&pair_half(t->pair, way->from, d)->syn;
		const struct handshake *to =
			&pair_half(t->pair, other_side(way->from), d)->syn;
		const bool scale = from->has_scale != to->has_scale ||
				   from->scale != to->scale;
		const bool sack = from->has_sack != to->has_sack;
		const bool stamps = from->has_stamps != to->has_stamps;

		if (!from->seen || !to->seen || !(scale || sack || stamps))
			continue;
		begin(t, way);
		t->difference.frame_a =
			pair_half(t->pair, CAPTURE_A, d)->syn.frame;
		t->difference.frame_b =
			pair_half(t->pair, CAPTURE_B, d)->syn.frame;
		tell(t, "the options of the SYN changed ");
		capture_tell_where(t, way);
		tell(t, ":");
		if (scale) {
			tell(t, " the window scale, sent as ");
			tell_scale(t, from);
			tell(t, ", comes as ");
			tell_scale(t, to);
			tell(t, ";");
		}
		if (sack)
			tell(t, " \"SACK permitted\" was %s;",
			     from->has_sack ? "taken out" : "put in");
		if (stamps)
			tell(t, " timestamps were %s;",
			     from->has_stamps ? "taken out" : "put in");
		tell(t, " the two ends do not agree on what they use.");
		capture_tell_end(t);
	}
}

static void find_mss_changed(struct compare_teller *t)
{
	for (unsigned d = 0; d < 2 && !t->pair->told.terminated; d++) {
		const struct way *way = &t->ways[d];
		const struct handshake *from =
			&pair_half(t->pair, way->from, d)->syn;
		const struct handshake *to =
			&pair_half(t->pair, other_side(way->from), d)->syn;

		if (!from->seen || !to->seen || from->mss == to->mss)
			continue;
		begin(t, way);
		t->difference.frame_a =
			pair_half(t->pair, CAPTURE_A, d)->syn.frame;
		t->difference.frame_b =
			pair_half(t->pair, CAPTURE_B, d)->syn.frame;
		tell(t,
		     "the maximum segment size was changed from %u to %u "
		     "(0: no such option), as routers before a narrower "
		     "link do.",
		     from->mss, to->mss);
		capture_tell_end(t);
	}
}

/* --- a connection in one capture alone ----------------------------------- */

/* Asked for and never answered, while the other capture ran. */
static bool is_unanswered(const struct capture_compare *compare,
			  enum capture_side side, const struct kept_flow *flow)
{
	const struct kept_capture *other = &compare->captures[other_side(side)];
	const struct capture_clock *clock = &compare->result.clock;
	const struct kept *first = flow->half[0].first;
	int64_t ahead = clock->known ? clock->offset_ns : 0;

	if (!flow->half[0].syn.seen || flow->half[1].count)
		return false;
	if (side == CAPTURE_B)
		ahead = -ahead;
	return first->time_ns + ahead >= other->first_ns &&
	       first->time_ns + ahead <= other->last_ns;
}

static int by_address(const void *x, const void *y)
{
	const struct capture_endpoint *a = x, *b = y;

	if (a->address_len != b->address_len)
		return (int)a->address_len - (int)b->address_len;
	return memcmp(a->address, b->address, a->address_len);
}

/* The addresses that connections of both captures go to, as `side` sees them,
 * sorted. */
static int list_addresses(const struct capture_compare *compare,
			  enum capture_side side, struct capture_endpoint **out)
{
	const uint32_t n = compare->pair_count;
	struct capture_endpoint *list = malloc((n + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		list[i] = side == CAPTURE_A ? compare->pairs[i].told.ends_a[1]
					    : compare->pairs[i].told.ends_b[1];
	qsort(list, n, sizeof(*list), by_address);
	*out = list;
	return 0;
}

static void tell_missing(struct compare_teller *t, enum capture_side side,
			 const struct kept_flow *first, uint64_t count)
{
	char from[CAPTURE_ENDPOINT_MAX], to[CAPTURE_ENDPOINT_MAX];
	const uint64_t frame = first->half[0].first->frame;

	capture_tell_begin(t, NULL, count);
	t->difference.frame_a = side == CAPTURE_A ? frame : 0;
	t->difference.frame_b = side == CAPTURE_B ? frame : 0;
	tell(t,
	     "%llu connection%s asked for in %c (the first is %s > %s, "
	     "frame "
	     "%llu) got no answer, and %c knows nothing of %s, though "
	     "others "
	     "to that address are in both: something between drops %s.",
	     (unsigned long long)count, PLURAL(count), 'A' + side,
	     capture_endpoint_text(&first->ends[0], from),
	     capture_endpoint_text(&first->ends[1], to),
	     (unsigned long long)frame, 'A' + other_side(side),
	     count == 1 ? "it" : "them", count == 1 ? "its SYN" : "their SYNs");
	capture_tell_end(t);
}

static int tell_alone(struct compare_teller *t, enum capture_side side)
{
	const struct kept_capture *capture = &t->compare->captures[side];
	const struct kept_flow *first = NULL;
	struct capture_endpoint *known;
	uint64_t n = 0;
	int ret = list_addresses(t->compare, side, &known);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < capture->flow_count; i++) {
		const struct kept_flow *flow = &capture->flows[i];

		if (flow->paired || flow->twin ||
		    !(flow->half[0].count + flow->half[1].count))
			continue;
		t->compare->result.only[side]++;
		if (is_unanswered(t->compare, side, flow) &&
		    bsearch(&flow->ends[1], known, t->compare->pair_count,
			    sizeof(*known), by_address) &&
		    !n++)
			first = flow;
	}
	if (n)
		tell_missing(t, side, first, n);
	free(known);
	return 0;
}

int capture_compare_tell_alone(struct capture_compare *compare)
{
	struct compare_teller t = {
		.compare = compare,
		.kind = capture_difference_by_name("connection-missing"),
	};
	int ret = tell_alone(&t, CAPTURE_A);

	return ret < 0 ? ret : tell_alone(&t, CAPTURE_B);
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off: version 14 crashes on it */
const struct capture_difference_kind capture_differences[] = {
	{
		.name = "urg-cleared",
		.severity = CAPTURE_ALARM,
		.meaning = "URG was cleared on the way: the receiver is "
			   "not told of urgent data",
		.rfc = "RFC 6093 section 3.4",
		.find = capture_find_urg_cleared,
	},
	{
		.name = "pointer-changed",
		.severity = CAPTURE_ALARM,
		.meaning = "the urgent pointer was changed on the way "
			   "and names another octet",
		.rfc = "RFC 9293 section 3.8.5",
		.find = capture_find_pointer_changed,
	},
	{
		.name = "urg-made",
		.severity = CAPTURE_ALARM,
		.meaning = "URG was set on the way: ordinary data are "
			   "made urgent",
		.rfc = "RFC 9293 section 3.8.5",
		.find = capture_find_urg_made,
	},
	{
		.name = "urg-dropped",
		.severity = CAPTURE_ALARM,
		.meaning = "no segment that announces an urgent mark "
			   "came through",
		.rfc = "RFC 6093 section 3.4",
		.find = capture_find_urg_dropped,
	},
	{
		.name = "mark-moved",
		.severity = CAPTURE_NOTE,
		.meaning = "another segment than the one sent announces "
			   "the mark, and names the same octet: no "
			   "change",
		.rfc = "RFC 9293 section 3.8.5",
		.find = capture_find_mark_moved,
	},
	{
		.name = "pointer-scrubbed",
		.severity = CAPTURE_NOTE,
		.meaning = "a pointer without URG, which means nothing, "
			   "was zeroed on the way",
		.rfc = "RFC 9293 section 3.1",
		.find = capture_find_pointer_scrubbed,
	},
	{
		.name = "data-changed",
		.severity = CAPTURE_ALARM,
		.meaning = "octets of the stream were changed on the way",
		.rfc = "RFC 9293 section 2.2",
		.find = capture_find_data_changed,
	},
	{
		.name = "data-missing",
		.severity = CAPTURE_ALARM,
		.meaning = "data were dropped on the way and never came",
		.rfc = "RFC 9293 section 3.8.1",
		.find = capture_find_missing,
	},
	{
		.name = "reset-injected",
		.severity = CAPTURE_ALARM,
		.meaning = "a RST came that the end it speaks for never "
			   "sent",
		.rfc = "RFC 3360",
		.find = capture_find_reset,
	},
	{
		.name = "segments-injected",
		.severity = CAPTURE_ALARM,
		.meaning = "data, SYN or FIN came that were never sent",
		.rfc = "RFC 5961 section 5",
		.find = capture_find_injected,
	},
	{
		.name = "connection-terminated",
		.severity = CAPTURE_WARNING,
		.meaning = "a proxy between the captures ends one "
			   "connection and opens another",
		.rfc = "RFC 3135 section 2.4",
		.find = find_terminated,
	},
	{
		.name = "sequence-rewritten",
		.severity = CAPTURE_NOTE,
		.meaning = "sequence numbers are shifted on the way",
		.rfc = "RFC 9293 section 3.4.1",
		.find = find_rewritten,
	},
	{
		.name = "addresses-translated",
		.severity = CAPTURE_NOTE,
		.meaning = "addresses or ports differ between the "
			   "captures",
		.rfc = "RFC 3022",
		.find = find_translated,
	},
	{
		.name = "syn-options-changed",
		.severity = CAPTURE_WARNING,
		.meaning = "options of a SYN were changed on the way",
		.rfc = "RFC 7323 section 2.2",
		.find = find_syn_changed,
	},
	{
		.name = "mss-changed",
		.severity = CAPTURE_NOTE,
		.meaning = "the maximum segment size was changed on the "
			   "way",
		.rfc = "RFC 9293 section 3.7.1",
		.find = find_mss_changed,
	},
	{
		.name = "segments-dropped",
		.severity = CAPTURE_WARNING,
		.meaning = "segments got lost; other segments brought "
			   "what they carried",
		.rfc = "RFC 9293 section 3.8.1",
		.find = capture_find_dropped,
	},
	{
		.name = "segments-delayed",
		.severity = CAPTURE_WARNING,
		.meaning = "segments took far longer than is typical for "
			   "the path",
		.rfc = "RFC 9293 section 3.8.1",
		.find = capture_find_delayed,
	},
	{
		.name = "segments-reordered",
		.severity = CAPTURE_WARNING,
		.meaning = "segments overtook each other on the way",
		.rfc = "RFC 9293 section 3.10.7.4",
		.find = capture_find_reordered,
	},
	{
		.name = "segments-duplicated",
		.severity = CAPTURE_NOTE,
		.meaning = "segments were copied on the way",
		.rfc = "RFC 9293 section 3.10.7.4",
		.find = capture_find_duplicated,
	},
	{
		.name = "resegmented",
		.severity = CAPTURE_NOTE,
		.meaning = "segments were cut or joined on the way, not "
			   "by segmentation offload",
		.rfc = "RFC 9293 section 3.7",
		.find = capture_find_resegmented,
	},
	{
		.name = "fragmented",
		.severity = CAPTURE_NOTE,
		.meaning = "segments came as IP fragments",
		.rfc = "RFC 791 section 3.2",
		.find = capture_find_fragmented,
	},
	{
		.name = "acks-injected",
		.severity = CAPTURE_WARNING,
		.meaning = "acknowledgements came that were never sent",
		.rfc = "RFC 3135 section 3.1.3",
		.find = capture_find_acks_injected,
	},
	{
		.name = "acks-dropped",
		.severity = CAPTURE_NOTE,
		.meaning = "empty acknowledgements did not come through",
		.rfc = "RFC 3135 section 3.1.5",
		.find = capture_find_acks_dropped,
	},
	{
		.name = "capture-incomplete",
		.severity = CAPTURE_NOTE,
		.meaning = "a capture lacks segments that crossed the "
			   "path: it lost them itself",
		.find = capture_find_unseen,
	},
	{
		.name = "connection-missing",
		.severity = CAPTURE_WARNING,
		.meaning = "a connection was asked for in one capture, "
			   "and the other, past which others to the same "
			   "address go, knows nothing of it",
		.rfc = "RFC 9293 section 3.5",
	},
};
/* clang-format on */

const size_t capture_difference_count =
	sizeof(capture_differences) / sizeof(capture_differences[0]);

const struct capture_difference_kind *
capture_difference_by_name(const char *name)
{
	for (size_t i = 0; i < capture_difference_count; i++)
		if (!strcmp(capture_differences[i].name, name))
			return &capture_differences[i];
	return NULL;
}

static void count_marks(struct capture_compare *compare, const struct way *way)
{
	const struct capture_compare_listener *listener = &compare->listener;

	for (size_t i = 0; i < way->mark_count; i++) {
		const struct capture_mark *mark = &way->marks[i].told;

		compare->result.marks++;
		compare->result.marks_intact +=
			mark->outcome == CAPTURE_MARK_KEPT ||
			mark->outcome == CAPTURE_MARK_MOVED;
		if (listener->mark)
			listener->mark(listener->context, mark);
	}
}

void capture_compare_tell(struct capture_compare *compare, struct way ways[2])
{
	const struct capture_compare_listener *listener = &compare->listener;
	struct compare_teller t = {
		.compare = compare,
		.pair = ways[0].pair,
		.ways = ways,
	};

	if (listener->connection)
		listener->connection(listener->context, &t.pair->told);
	count_marks(compare, &ways[0]);
	count_marks(compare, &ways[1]);
	for (size_t i = 0; i < capture_difference_count; i++) {
		t.kind = &capture_differences[i];
		if (t.kind->find)
			t.kind->find(&t);
	}
}
