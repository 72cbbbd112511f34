#include "capture/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "capture/flow_mark.h"

/*
 * The table: `slots`, a hash table of indices into `records`. A slot holds
 * all 32 bits of the hash that place it, so that growing reads nothing but
 * slots, and a lookup seldom fetches a record that is not the wanted one.
 *
 * Records lie in one reservation of address space, and memory comes as they
 * are used. `order`, the heap that finds the longest silent flow, is built
 * when the table is full for the first time: until then a segment touches one
 * slot and one record.
 */

struct slot {
	uint32_t hash;
	uint32_t record; /* index + 1; 0: free */
};

/* `last` of a record when it was put in the heap: it may be later by now,
 * never earlier. */
struct silent {
	uint64_t last;
	uint32_t record;
};

struct capture_flows {
	struct slot *slots;
	struct flow *records;
	struct silent *order;
	uint32_t slot_shift; /* from a hash to its home among the slots */
	uint32_t held;
	uint32_t max_flows;
	uint64_t seeds[5];
	uint64_t clock; /* segments so far */
	uint64_t flows;
	uint64_t evicted;
	struct marks marks;
};

enum {
	FIRST_SLOT_BITS = 8
};

/* --- keys ------------------------------------------------------------- */

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Both directions have the same ends: the one that compares lower comes
 * first. Returns which of them sent the segment. Directions alternate as they
 * like, so the usual case does without a branch on them.
 */
static inline uint32_t
set_ends_ipv4(uint64_t ends[5], const struct capture_segment *s, uint32_t point)
{
	uint64_t src = (uint64_t)load32(s->src) << 16 | s->sport;
	uint64_t dst = (uint64_t)load32(s->dst) << 16 | s->dport;

	ends[0] = src < dst ? src : dst;
	ends[1] = src < dst ? dst : src;
	ends[2] = 0;
	ends[3] = 0;
	ends[4] = (uint64_t)point << 32;
	return src > dst;
}

static uint32_t set_ends_ipv6(uint64_t ends[5], const struct capture_segment *s,
			      uint32_t point)
{
	int order = memcmp(s->src, s->dst, 16);
	bool swap = order > 0 || (order == 0 && s->sport > s->dport);

	ends[0] = load64(swap ? s->dst : s->src);
	ends[1] = load64((swap ? s->dst : s->src) + 8);
	ends[2] = load64(swap ? s->src : s->dst);
	ends[3] = load64((swap ? s->src : s->dst) + 8);
	ends[4] = UINT64_C(1) << 63 | (uint64_t)point << 32 |
		  (swap ? (uint32_t)s->dport << 16 | s->sport
			: (uint32_t)s->sport << 16 | s->dport);
	return swap;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded, so that nobody who writes the packets can choose the chains. */
static inline uint32_t hash_ends(const struct capture_flows *f,
				 const uint64_t ends[5])
{
	uint64_t h = mix(ends[0] ^ f->seeds[0], ends[1] ^ f->seeds[1]);

	if (ends[4]) /* IPv6, or one of several capture points */
		h ^= mix(ends[2] ^ f->seeds[2], ends[3] ^ f->seeds[3]) ^
		     mix(ends[4], f->seeds[4]);
	return (uint32_t)(h ^ h >> 32);
}

static inline bool same_ends(const uint64_t a[5], const uint64_t b[5])
{
	return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
		(a[4] ^ b[4])) == 0;
}

/* --- slots ------------------------------------------------------------ */

static inline uint32_t home(const struct capture_flows *f, uint32_t hash)
{
	return hash >> f->slot_shift;
}

static inline uint32_t mask(const struct capture_flows *f)
{
	return UINT32_MAX >> f->slot_shift;
}

/* Where the key was told to look. NULL: it was not, or the flow has been
 * evicted since and another lies there. */
static inline struct flow *find_again(const struct capture_flows *f,
				      const struct capture_flow_key *key)
{
	struct flow *flow;

	if (!key->record)
		return NULL;
	flow = &f->records[key->record - 1];
	return same_ends(flow->ends, key->ends) ? flow : NULL;
}

static struct flow *find(const struct capture_flows *f,
			 const struct capture_flow_key *key)
{
	uint32_t i = home(f, key->hash);

	for (; f->slots[i].record; i = (i + 1) & mask(f)) {
		struct flow *flow = &f->records[f->slots[i].record - 1];

		if (f->slots[i].hash == key->hash &&
		    same_ends(flow->ends, key->ends))
			return flow;
	}
	return NULL;
}

static void insert_slot(struct capture_flows *f, struct slot slot)
{
	uint32_t i = home(f, slot.hash);

	while (f->slots[i].record)
		i = (i + 1) & mask(f);
	f->slots[i] = slot;
}

/* Close the hole: what follows it in its run moves up, unless it would leave
 * its home behind. */
static void remove_slot(struct capture_flows *f, uint32_t hash, uint32_t record)
{
	uint32_t hole = home(f, hash), i;

	while (f->slots[hole].record != record)
		hole = (hole + 1) & mask(f);
	for (i = (hole + 1) & mask(f); f->slots[i].record;
	     i = (i + 1) & mask(f)) {
		uint32_t from_home = (i - home(f, f->slots[i].hash)) & mask(f);

		if (from_home < ((i - hole) & mask(f)))
			continue;
		f->slots[hole] = f->slots[i];
		hole = i;
	}
	f->slots[hole].record = 0;
}

static int grow(struct capture_flows *f)
{
	uint32_t old_size = mask(f) + 1;
	struct slot *old = f->slots;
	struct slot *slots = calloc((size_t)old_size * 2, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	f->slots = slots;
	f->slot_shift--;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].record)
			insert_slot(f, old[i]);
	free(old);
	return 0;
}

/* --- eviction --------------------------------------------------------- */

static void sift_down(struct silent *order, uint32_t count, uint32_t i)
{
	struct silent moving = order[i];
	uint32_t child;

	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
		    order[child + 1].last < order[child].last)
			child++;
		if (moving.last <= order[child].last)
			break;
		order[i] = order[child];
		i = child;
	}
	order[i] = moving;
}

static int build_order(struct capture_flows *f)
{
	f->order = malloc(f->held * sizeof(*f->order));
	if (!f->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->held; i++)
		f->order[i] = (struct silent){ f->records[i].last, i };
	for (uint32_t i = f->held / 2; i-- > 0;)
		sift_down(f->order, f->held, i);
	return 0;
}

/*
 * Empty the record that was silent longest and return it in `*out`. Times in
 * the heap that are out of date are put right on the way; each costs a
 * segment that came since.
 */
static int evict(struct capture_flows *f, struct flow **out)
{
	struct flow *flow;
	int ret = f->order ? 0 : build_order(f);

	if (ret < 0)
		return ret;
	for (;;) {
		flow = &f->records[f->order[0].record];
		if (flow->last == f->order[0].last)
			break;
		f->order[0].last = flow->last;
		sift_down(f->order, f->held, 0);
	}
	capture_flow_end_marks(&f->marks, flow, CAPTURE_END_EVICTED);
	remove_slot(f, hash_ends(f, flow->ends), f->order[0].record + 1);
	f->order[0].last = f->clock;
	sift_down(f->order, f->held, 0);
	f->evicted++;
	*out = flow;
	return 0;
}

/* --- flows ------------------------------------------------------------ */

/* Wipe the record and begin a flow in it. The side that opened it is `a`. */
static void start(struct capture_flows *f, struct flow *flow,
		  const struct capture_flow_key *key,
		  const struct capture_segment *s)
{
	const uint8_t opening = CAPTURE_SYN | CAPTURE_ACK;

	memset(flow, 0, sizeof(*flow));
	memcpy(flow->ends, key->ends, sizeof(flow->ends));
	flow->number = f->flows++;
	flow->a_side = key->side ^ ((s->flags & opening) == opening);
}

/* A record for a flow that is not in the table, already under its hash. */
static int add(struct capture_flows *f, uint32_t hash, struct flow **out)
{
	int ret = 0;

	if (f->held == f->max_flows) {
		ret = evict(f, out);
	} else {
		if (((uint64_t)f->held + 1) * 2 > mask(f))
			ret = grow(f);
		if (ret == 0)
			*out = &f->records[f->held++];
	}
	if (ret == 0)
		insert_slot(f,
			    (struct slot){ hash,
					   (uint32_t)(*out - f->records) + 1 });
	return ret;
}

/*
 * Does this SYN begin another connection on the same ports? One that repeats
 * the first SYN does not, unless that connection is over.
 */
static bool is_reuse(const struct flow *flow, unsigned side,
		     const struct capture_segment *s)
{
	if (!(flow->known & (1u << side)))
		return false;
	if (s->seq != flow->base[side])
		return true;
	return !(s->flags & CAPTURE_ACK) && flow->closed;
}

static inline void take(struct capture_flows *f, struct flow *flow,
			const struct capture_flow_key *key,
			const struct capture_segment *s, uint32_t facts,
			struct capture_event *event)
{
	flow->last = ++f->clock;
	event->flow = flow->number;
	event->direction = (uint8_t)(key->side ^ flow->a_side);
	event->facts = facts;
	capture_flow_segment(&f->marks, flow, key->side, s, event);
}

/* A segment that may begin a flow. */
static int take_first(struct capture_flows *f,
		      const struct capture_flow_key *key,
		      const struct capture_segment *s,
		      struct capture_event *event)
{
	struct flow *flow = find(f, key);
	uint32_t facts = 0;
	int ret;

	if (!flow) {
		ret = add(f, key->hash, &flow);
		if (ret < 0)
			return ret;
		start(f, flow, key, s);
		facts = CAPTURE_FACT_NEW_FLOW;
	} else if (s->flags & CAPTURE_SYN && is_reuse(flow, key->side, s)) {
		capture_flow_end_marks(&f->marks, flow, CAPTURE_END_REUSED);
		start(f, flow, key, s);
		facts = CAPTURE_FACT_NEW_FLOW | CAPTURE_FACT_REUSED;
	}
	take(f, flow, key, s, facts, event);
	return 0;
}

int capture_flows_keyed(struct capture_flows *f,
			const struct capture_flow_key *key,
			const struct capture_segment *s, uint64_t frame,
			int64_t time_ns, struct capture_event *event)
{
	struct flow *flow = find_again(f, key);

	f->marks.frame = frame;
	f->marks.time_ns = time_ns;
	if (!flow || s->flags & CAPTURE_SYN)
		return take_first(f, key, s, event);
	take(f, flow, key, s, 0, event);
	return 0;
}

void capture_flows_key(const struct capture_flows *f,
		       const struct capture_segment *segment, uint32_t point,
		       struct capture_flow_key *key)
{
	key->side = segment->address_len == 4
			    ? set_ends_ipv4(key->ends, segment, point)
			    : set_ends_ipv6(key->ends, segment, point);
	key->hash = hash_ends(f, key->ends);
	key->record = 0;
	__builtin_prefetch(&f->slots[home(f, key->hash)]);
}

void capture_flows_prefetch(const struct capture_flows *f,
			    struct capture_flow_key *key)
{
	uint32_t i = home(f, key->hash);
	const struct flow *flow;

	/* One in four is not at home but next door, which no branch foresees:
	 * 2 % of the time. */
	i = (i + (f->slots[i].hash != key->hash)) & mask(f);
	while (f->slots[i].record && f->slots[i].hash != key->hash)
		i = (i + 1) & mask(f);
	if (!f->slots[i].record)
		return;
	key->record = f->slots[i].record;
	flow = &f->records[key->record - 1];
	/* All of it: half of the segments need the other half as well where
	 * many are urgent, and waiting for it took 5 % of the time. */
	__builtin_prefetch(flow, 1);
	__builtin_prefetch(&flow->half[0], 1);
	__builtin_prefetch(&flow->half[1], 1);
}

int capture_flows_segment(struct capture_flows *f,
			  const struct capture_segment *segment, uint32_t point,
			  uint64_t frame, int64_t time_ns,
			  struct capture_event *event)
{
	struct capture_flow_key key;

	capture_flows_key(f, segment, point, &key);
	return capture_flows_keyed(f, &key, segment, frame, time_ns, event);
}

void capture_flows_finish(struct capture_flows *f)
{
	for (uint32_t i = 0; i < f->held; i++)
		capture_flow_end_marks(&f->marks, &f->records[i],
				       CAPTURE_END_OPEN);
}

void capture_flows_counts(const struct capture_flows *f,
			  struct capture_flows_counts *counts)
{
	counts->flows = f->flows;
	counts->evicted = f->evicted;
	counts->episodes = f->marks.episodes;
	counts->held = f->held;
	counts->bytes = f->held * sizeof(*f->records) +
			((uint64_t)mask(f) + 1) * sizeof(*f->slots) +
			(f->order ? f->held * sizeof(*f->order) : 0);
}

/* Address space for all records. Large pages spare a TLB miss a segment; a
 * table of a few flows would only waste one. */
static struct flow *reserve_records(uint32_t max_flows)
{
	size_t bytes = max_flows * sizeof(struct flow);
	void *records = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);

	if (records == MAP_FAILED)
		return NULL;
	if (bytes > 8u << 20)
		madvise(records, bytes, MADV_HUGEPAGE);
	return records;
}

int capture_flows_new(struct capture_flows **out,
		      const struct capture_flows_options *options)
{
	struct capture_flows *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->max_flows = options->max_flows ? options->max_flows
					  : CAPTURE_MAX_FLOWS;
	f->marks.episode = options->episode;
	f->marks.context = options->context;
	f->slot_shift = 32 - FIRST_SLOT_BITS;
	f->slots = calloc((size_t)mask(f) + 1, sizeof(*f->slots));
	f->records = reserve_records(f->max_flows);
	if (!f->slots || !f->records ||
	    getrandom(f->seeds, sizeof(f->seeds), 0) != sizeof(f->seeds)) {
		capture_flows_free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void capture_flows_free(struct capture_flows *f)
{
	if (!f)
		return;
	if (f->records)
		munmap(f->records, f->max_flows * sizeof(*f->records));
	free(f->slots);
	free(f->order);
	free(f);
}
