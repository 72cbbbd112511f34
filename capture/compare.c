#include "capture/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "capture/bytes.h"
#include "capture/compare_inner.h"

enum {
	CHUNK = 256, /* segments */

	OPTION_MSS = 2,	   /* RFC 9293 section 3.2 */
	OPTION_SCALE = 3,  /* RFC 7323 section 2.2 */
	OPTION_SACK = 4,   /* RFC 2018 section 2 */
	OPTION_STAMPS = 8, /* RFC 7323 section 3.2 */
};

struct chunk {
	struct chunk *older;
	struct kept kept[CHUNK];
};

/* --- taking segments in ------------------------------------------------- */

/* The next record, not yet counted. NULL and *full, or NULL for -ENOMEM. */
static struct kept *make_room(const struct capture_compare *compare,
			      struct kept_capture *capture)
{
	struct chunk *chunk;

	if (capture->chunks && capture->used < CHUNK)
		return &capture->chunks->kept[capture->used];
	if (capture->chunk_count == compare->max_chunks) {
		capture->full = true;
		return NULL;
	}
	chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return NULL;
	chunk->older = capture->chunks;
	capture->chunks = chunk;
	capture->chunk_count++;
	capture->used = 0;
	return &chunk->kept[0];
}

static void set_endpoint(struct capture_endpoint *end, const uint8_t *address,
			 uint8_t len, uint16_t port)
{
	memcpy(end->address, address, len);
	end->address_len = len;
	end->port = port;
}

/* The flow that the segment is of. NULL and *full, or NULL for -ENOMEM. */
static struct kept_flow *find_flow(const struct capture_compare *compare,
				   struct kept_capture *capture,
				   const struct capture_segment *s,
				   const struct capture_event *event)
{
	struct kept_flow *flows = capture->flows, *flow;
	uint32_t room = capture->flow_room;
	const unsigned d = event->direction;

	if (event->flow < capture->flow_count)
		return &flows[event->flow];
	if (event->flow >= compare->max_flows) {
		capture->full = true;
		return NULL;
	}
	if (event->flow >= room) {
		room = event->flow < 32 ? 64 : (uint32_t)event->flow * 2;
		flows = realloc(flows, room * sizeof(*flows));
		if (!flows)
			return NULL;
		capture->flows = flows;
		capture->flow_room = room;
	}
	while (capture->flow_count <= event->flow) {
		flow = &flows[capture->flow_count];
		memset(flow, 0, sizeof(*flow));
		flow->number = capture->flow_count++;
	}
	flow = &flows[event->flow];
	set_endpoint(&flow->ends[d], s->src, s->address_len, s->sport);
	set_endpoint(&flow->ends[!d], s->dst, s->address_len, s->dport);
	return flow;
}

static void read_handshake(struct handshake *syn,
			   const struct capture_segment *s, uint64_t frame)
{
	const uint8_t *mss = capture_option(s, OPTION_MSS, 2);
	const uint8_t *scale = capture_option(s, OPTION_SCALE, 1);

	*syn = (struct handshake){
		.seen = true,
		.frame = frame,
		.hops = s->hops,
		.mss = mss ? be16(mss) : 0,
		.has_scale = scale,
		.scale = scale ? *scale : 0,
		.has_sack = capture_option(s, OPTION_SACK, 0),
		.has_stamps = capture_option(s, OPTION_STAMPS, 8),
	};
}

/* The urgent octets, as far as this very segment has them. */
static void read_octets(struct kept *kept, const struct capture_segment *s)
{
	const uint32_t pointer = s->urgent_pointer;
	const uint32_t syn = !!(s->flags & CAPTURE_SYN);

	if (!(s->flags & CAPTURE_URG) || pointer < syn)
		return;
	if (pointer > syn && pointer - syn <= s->payload_caplen) {
		kept->octet_bsd = s->payload[pointer - syn - 1];
		kept->state |= KEPT_BSD;
	}
	if (pointer - syn < s->payload_caplen) {
		kept->octet_1122 = s->payload[pointer - syn];
		kept->state |= KEPT_1122;
	}
}

/* Nearer to the highest position so far than any other of that number. */
static int64_t unwrap(const struct kept_half *half, uint32_t seq)
{
	if (!half->count)
		return (INT64_C(1) << 32) + seq;
	return half->high + (int32_t)(seq - (uint32_t)half->high);
}

/* A file may claim any time. So the sum of a time and a difference of two
 * others does not overflow. */
static int64_t sane_time(int64_t time_ns)
{
	const int64_t most = (INT64_C(1) << 62) - 1; /* in the year 2116 */

	return time_ns < 0 ? 0 : time_ns > most ? most : time_ns;
}

static void fill(const struct capture_compare *compare, struct kept *kept,
		 const struct capture_sighting *seen)
{
	const struct capture_segment *s = seen->segment;
	const uint8_t *stamps = capture_option(s, OPTION_STAMPS, 8);

	*kept = (struct kept){
		.time_ns = sane_time(seen->packet->time_ns),
		.frame = seen->frame,
		.hash = capture_octet_hash(&compare->hasher, s->payload,
					   s->payload_caplen),
		.len = s->payload_len,
		.caplen = s->payload_caplen,
		.ack = s->flags & CAPTURE_ACK ? s->ack : 0,
		.pointer = s->urgent_pointer,
		.window = s->window,
		.flags = s->flags,
		.hops = s->hops,
	};
	if (stamps) {
		kept->stamp = be32(stamps);
		kept->state |= KEPT_STAMPED;
	}
	if (s->fragment)
		kept->state |= KEPT_FRAGMENT;
	read_octets(kept, s);
}

static void append(struct kept_half *half, struct kept *kept,
		   const struct capture_segment *s)
{
	kept->pos = unwrap(half, s->seq);
	if (!(s->flags & CAPTURE_RST) &&
	    (!half->count || kept_end(kept) > half->high))
		half->high = kept_end(kept);
	else if (!half->count)
		half->high = kept->pos;
	if (s->flags & CAPTURE_SYN && !half->syn.seen) {
		read_handshake(&half->syn, s, kept->frame);
		half->base = kept->pos;
	}
	if (half->last)
		half->last->next = kept;
	else
		half->first = kept;
	half->last = kept;
	half->count++;
}

static void note_time(struct kept_capture *capture, int64_t time_ns)
{
	if (!capture->segments || time_ns < capture->first_ns)
		capture->first_ns = time_ns;
	if (!capture->segments || time_ns > capture->last_ns)
		capture->last_ns = time_ns;
	capture->segments++;
}

int capture_compare_segment(struct capture_compare *compare,
			    enum capture_side side,
			    const struct capture_sighting *seen)
{
	struct kept_capture *capture = &compare->captures[side];
	struct kept_flow *flow = NULL;
	struct kept *kept = NULL;

	if (!capture->full)
		flow = find_flow(compare, capture, seen->segment, seen->event);
	if (flow)
		kept = make_room(compare, capture);
	if (!kept && !capture->full)
		return -ENOMEM;
	if (capture->full) {
		capture->left_out++;
		return 0;
	}
	fill(compare, kept, seen);
	append(&flow->half[seen->event->direction], kept, seen->segment);
	capture->used++;
	note_time(capture, kept->time_ns);
	return 0;
}

/* --- comparing ---------------------------------------------------------- */

/*
 * Twice through the connections: all segments are matched before the first
 * connection is judged, because the clock's drift is known only then. The
 * arrays of a connection are made for each of the two and freed again, so
 * that memory holds those of one connection at a time.
 */
static int match_all(struct capture_compare *compare)
{
	struct way ways[2] = { 0 };
	int ret = 0;

	for (uint32_t i = 0; i < compare->pair_count && ret == 0; i++) {
		struct pair *pair = &compare->pairs[i];

		capture_compare_align(pair);
		ret = capture_way_begin(&ways[0], pair, 0);
		if (ret == 0)
			ret = capture_way_begin(&ways[1], pair, 1);
		if (ret == 0)
			ret = capture_compare_match(ways);
		if (ret == 0)
			ret = capture_compare_near(pair, ways);
		capture_clock_add(&compare->clock, &ways[0]);
		capture_clock_add(&compare->clock, &ways[1]);
		capture_way_clear(&ways[0]);
		capture_way_clear(&ways[1]);
	}
	return ret;
}

/* The ways again, this time with what is known of the clocks. */
static int begin_ways(const struct capture_clock *clock, struct pair *pair,
		      struct way ways[2])
{
	int ret = 0;

	for (unsigned d = 0; d < 2 && ret == 0; d++) {
		ret = capture_way_begin(&ways[d], pair, d);
		if (ret < 0 || !clock->drifts)
			continue;
		ways[d].drift = clock->drift_ppm / 1e6;
		ways[d].drift_from_ns = clock->at_ns;
		ret = capture_way_time(&ways[d]);
	}
	return ret;
}

static int judge(struct capture_compare *compare, struct pair *pair,
		 struct way ways[2])
{
	int ret = begin_ways(&compare->result.clock, pair, ways);

	if (ret == 0)
		ret = capture_compare_fate(compare, ways);
	if (ret == 0)
		ret = capture_compare_marks(&ways[0]);
	if (ret == 0)
		ret = capture_compare_marks(&ways[1]);
	if (ret == 0)
		capture_compare_tell(compare, ways);
	return ret;
}

static int judge_all(struct capture_compare *compare)
{
	struct way ways[2] = { 0 };
	int ret = 0;

	for (uint32_t i = 0; i < compare->pair_count && ret == 0; i++) {
		ret = judge(compare, &compare->pairs[i], ways);
		capture_way_clear(&ways[0]);
		capture_way_clear(&ways[1]);
	}
	return ret;
}

int capture_compare_finish(struct capture_compare *compare,
			   struct capture_compared *out)
{
	const struct capture_compare_listener *listener = &compare->listener;
	const struct kept_capture *a = &compare->captures[CAPTURE_A];
	struct capture_compared *result = &compare->result;
	int ret;

	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		result->segments[side] = compare->captures[side].segments;
		result->left_out[side] = compare->captures[side].left_out;
	}
	ret = capture_compare_pair(compare);
	if (ret < 0)
		return ret;
	result->connections = compare->pair_count;
	capture_clock_begin(&compare->clock, a->first_ns, a->last_ns);
	ret = match_all(compare);
	if (ret < 0)
		return ret;
	capture_clock_finish(&compare->clock, &result->clock);
	if (listener->clock)
		listener->clock(listener->context, &result->clock);
	ret = judge_all(compare);
	if (ret == 0)
		ret = capture_compare_tell_alone(compare);
	if (ret == 0)
		*out = *result;
	return ret;
}

/* --- making and freeing ------------------------------------------------- */

int capture_compare_new(struct capture_compare **out,
			const struct capture_compare_options *options)
{
	struct capture_compare *compare = calloc(1, sizeof(*compare));
	uint64_t bytes = options->max_memory_bytes, secret, chunks;

	if (!compare)
		return -ENOMEM;
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret)) {
		free(compare);
		return -ENOMEM;
	}
	capture_octet_hasher_init(&compare->hasher, secret);
	if (!bytes)
		bytes = CAPTURE_COMPARE_MEMORY_BYTES;
	/* Half for each capture; an eighth is for the arrays of pointers of
	 * the largest connection. */
	chunks = bytes / 16 * 7 / sizeof(struct chunk);
	compare->max_chunks = chunks < 1	    ? 1
			      : chunks > UINT32_MAX ? UINT32_MAX
						    : (uint32_t)chunks;
	compare->max_flows = options->max_flows ? options->max_flows
						: CAPTURE_COMPARE_FLOWS;
	compare->listener = options->listener;
	*out = compare;
	return 0;
}

void capture_compare_free(struct capture_compare *compare)
{
	if (!compare)
		return;
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		struct chunk *chunk = compare->captures[side].chunks, *older;

		for (; chunk; chunk = older) {
			older = chunk->older;
			free(chunk);
		}
		free(compare->captures[side].flows);
	}
	free(compare->pairs);
	free(compare);
}

const char *capture_outcome_name(enum capture_outcome outcome)
{
	static const char *const names[] = { "kept",	"moved", "cleared",
					     "changed", "lost",	 "unseen",
					     "made" };

	return names[outcome];
}

const char *capture_pairing_name(enum capture_pairing pairing)
{
	static const char *const names[] = { "addresses", "sequence",
					     "payload" };

	return names[pairing];
}

const char *capture_evidence_name(enum capture_evidence evidence)
{
	static const char *const names[] = { "times", "hops", "assumption" };

	return names[evidence];
}
