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
 * slot and two cache lines of its record.
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
	uint32_t slot_bits; /* log2 of the number of slots */
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
 * Both directions have one key: the end that compares lower comes first.
 * Returns 1 if that is the destination.
 */
static inline unsigned make_key(struct key *key,
				const struct capture_segment *s, uint32_t point)
{
	uint64_t top = (uint64_t)point << 32;
	uint32_t src, dst;
	unsigned swap;
	int order;

	if (s->address_len == 4) {
		src = load32(s->src);
		dst = load32(s->dst);
		swap = src > dst || (src == dst && s->sport > s->dport);
		key->w[0] = swap ? dst : src;
		key->w[1] = swap ? src : dst;
		key->w[2] = 0;
		key->w[3] = 0;
	} else {
		order = memcmp(s->src, s->dst, 16);
		swap = order > 0 || (order == 0 && s->sport > s->dport);
		key->w[0] = load64(swap ? s->dst : s->src);
		key->w[1] = load64((swap ? s->dst : s->src) + 8);
		key->w[2] = load64(swap ? s->src : s->dst);
		key->w[3] = load64((swap ? s->src : s->dst) + 8);
		top |= UINT64_C(1) << 63;
	}
	key->w[4] = top | (swap ? (uint32_t)s->dport << 16 | s->sport
				: (uint32_t)s->sport << 16 | s->dport);
	return swap;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded, so that nobody who writes the packets can choose the chains. */
static inline uint32_t hash_key(const struct capture_flows *f,
				const struct key *key)
{
	uint64_t h = mix(key->w[0] ^ f->seeds[0], key->w[1] ^ f->seeds[1]);

	if (key->w[4] >> 63)
		h ^= mix(key->w[2] ^ f->seeds[2], key->w[3] ^ f->seeds[3]);
	h = mix(h ^ key->w[4], f->seeds[4]);
	return (uint32_t)(h ^ h >> 32);
}

static inline bool same_key(const struct key *a, const struct key *b)
{
	return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) |
		(a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]) |
		(a->w[4] ^ b->w[4])) == 0;
}

/* --- slots ------------------------------------------------------------ */

static inline uint32_t home(const struct capture_flows *f, uint32_t hash)
{
	return hash >> (32 - f->slot_bits);
}

static inline uint32_t mask(const struct capture_flows *f)
{
	return (1u << f->slot_bits) - 1;
}

static inline struct flow *find(const struct capture_flows *f, uint32_t hash,
				const struct key *key)
{
	uint32_t i = home(f, hash);

	for (; f->slots[i].record; i = (i + 1) & mask(f)) {
		struct flow *flow = &f->records[f->slots[i].record - 1];

		if (f->slots[i].hash == hash && same_key(&flow->key, key))
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
	uint32_t old_size = 1u << f->slot_bits;
	struct slot *old = f->slots;
	struct slot *slots = calloc((size_t)old_size * 2, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	f->slots = slots;
	f->slot_bits++;
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
static int evict(struct capture_flows *f, uint64_t frame, int64_t time_ns,
		 struct flow **out)
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
	flow_end_marks(&f->marks, flow, CAPTURE_END_EVICTED, frame, time_ns);
	remove_slot(f, hash_key(f, &flow->key), f->order[0].record + 1);
	f->order[0].last = f->clock;
	sift_down(f->order, f->held, 0);
	f->evicted++;
	*out = flow;
	return 0;
}

/* --- flows ------------------------------------------------------------ */

/* Wipe the record and begin a flow in it. The side that opened it is `a`. */
static void start(struct capture_flows *f, struct flow *flow,
		  const struct key *key, unsigned side,
		  const struct capture_segment *s)
{
	const uint8_t opening = CAPTURE_SYN | CAPTURE_ACK;

	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	flow->number = f->flows++;
	flow->a_side =
		(uint8_t)((s->flags & opening) == opening ? !side : side);
}

/* A record for a flow that is not in the table, already under its hash. */
static int add(struct capture_flows *f, uint32_t hash, uint64_t frame,
	       int64_t time_ns, struct flow **out)
{
	int ret = 0;

	if (f->held == f->max_flows) {
		ret = evict(f, frame, time_ns, out);
	} else {
		if (((uint64_t)f->held + 1) * 4 > (uint64_t)mask(f) * 3)
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

int capture_flows_hashed(struct capture_flows *f, uint64_t hash,
			 const struct capture_segment *s, uint32_t point,
			 uint64_t frame, int64_t time_ns,
			 struct capture_event *event)
{
	struct key key;
	const unsigned side = make_key(&key, s, point);
	struct flow *flow = find(f, (uint32_t)hash, &key);
	uint32_t facts = 0;
	int ret;

	if (!flow) {
		ret = add(f, (uint32_t)hash, frame, time_ns, &flow);
		if (ret < 0)
			return ret;
		start(f, flow, &key, side, s);
		facts = CAPTURE_FACT_NEW_FLOW;
	} else if (s->flags & CAPTURE_SYN && is_reuse(flow, side, s)) {
		flow_end_marks(&f->marks, flow, CAPTURE_END_REUSED, frame,
			       time_ns);
		start(f, flow, &key, side, s);
		facts = CAPTURE_FACT_NEW_FLOW | CAPTURE_FACT_REUSED;
	}
	flow->last = ++f->clock;
	event->flow = flow->number;
	event->direction = (uint8_t)(side ^ flow->a_side);
	event->facts = facts;
	flow_segment(&f->marks, flow, side, s, frame, time_ns, event);
	return 0;
}

uint64_t capture_flows_hash(const struct capture_flows *f,
			    const struct capture_segment *segment,
			    uint32_t point)
{
	struct key key;
	unsigned side = make_key(&key, segment, point);
	uint32_t hash = hash_key(f, &key);

	__builtin_prefetch(&f->slots[home(f, hash)]);
	return (uint64_t)side << 32 | hash;
}

void capture_flows_prefetch(const struct capture_flows *f, uint64_t hash)
{
	uint32_t i = home(f, (uint32_t)hash);
	const struct flow *flow;

	while (f->slots[i].record && f->slots[i].hash != (uint32_t)hash)
		i = (i + 1) & mask(f);
	if (!f->slots[i].record)
		return;
	flow = &f->records[f->slots[i].record - 1];
	__builtin_prefetch(flow, 1);
	__builtin_prefetch(&flow->half[hash >> 32], 1);
}

int capture_flows_segment(struct capture_flows *f,
			  const struct capture_segment *segment, uint32_t point,
			  uint64_t frame, int64_t time_ns,
			  struct capture_event *event)
{
	return capture_flows_hashed(f, capture_flows_hash(f, segment, point),
				    segment, point, frame, time_ns, event);
}

void capture_flows_finish(struct capture_flows *f)
{
	for (uint32_t i = 0; i < f->held; i++)
		flow_end_marks(&f->marks, &f->records[i], CAPTURE_END_OPEN, 0,
			       0);
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
	f->slot_bits = FIRST_SLOT_BITS;
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
