/* Which flow of A is which of B. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/compare_inner.h"

enum {
	/* Of flows on the same ports, how many are tried further down. */
	LOOKAHEAD = 64,
	/* Of each direction, segments that take part in the search. */
	PRINTS = 16,
	/* Candidates taken for each print. */
	CANDIDATES = 8,
	/* What a SYN's sequence number counts for, in octets of data. */
	SYN_WEIGHT = 32,
	/* Octets below which two flows of other addresses are strangers, if
	 * there are others they might be. */
	ENOUGH = 4,
};

struct pairing {
	struct capture_compare *compare;
	struct kept_flow **order[2]; /* flows that have segments */
	size_t count[2];
};

static void join(struct pairing *p, struct kept_flow *a, struct kept_flow *b,
		 bool flip, enum capture_pairing how)
{
	struct pair *pair = &p->compare->pairs[p->compare->pair_count++];

	*pair = (struct pair){
		.flow = { a, b },
		.flip = flip,
	};
	pair->told.pairing = how;
	a->paired = true;
	b->paired = true;
}

/* --- by addresses ------------------------------------------------------- */

static int compare_ends(const struct capture_endpoint *x,
			const struct capture_endpoint *y)
{
	int order = (int)x->address_len - (int)y->address_len;

	if (!order)
		order = memcmp(x->address, y->address, x->address_len);
	return order ? order : (int)x->port - (int)y->port;
}

/* Which of its ends comes first in the order of flows. */
static unsigned lower_end(const struct kept_flow *flow)
{
	return compare_ends(&flow->ends[0], &flow->ends[1]) > 0;
}

static int compare_addresses(const struct kept_flow *x,
			     const struct kept_flow *y)
{
	unsigned lx = lower_end(x), ly = lower_end(y);
	int order = compare_ends(&x->ends[lx], &y->ends[ly]);

	return order ? order : compare_ends(&x->ends[!lx], &y->ends[!ly]);
}

static int by_addresses(const void *x, const void *y)
{
	const struct kept_flow *a = *(struct kept_flow *const *)x;
	const struct kept_flow *b = *(struct kept_flow *const *)y;
	int order = compare_addresses(a, b);

	if (order)
		return order;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* 1: a SYN that both saw had one sequence number; -1: it had two. */
static int compare_syns(const struct kept_flow *a, const struct kept_flow *b)
{
	const bool flip = lower_end(a) != lower_end(b);
	int same = 0;

	for (unsigned d = 0; d < 2; d++) {
		const struct kept_half *x = &a->half[d];
		const struct kept_half *y = &b->half[d ^ flip];

		if (!x->syn.seen || !y->syn.seen)
			continue;
		if ((uint32_t)x->base != (uint32_t)y->base)
			return -1;
		same = 1;
	}
	return same;
}

/* Flows on the same ports, in the order of time: ports are reused. */
struct ports {
	struct kept_flow **flows[2];
	size_t count[2];
};

static bool is_free(const struct kept_flow *flow)
{
	return !flow->paired && !flow->twin;
}

static size_t count_free(const struct ports *ports, enum capture_side side)
{
	size_t n = 0;

	for (size_t i = 0; i < ports->count[side]; i++)
		n += is_free(ports->flows[side][i]);
	return n;
}

/* Those that are left, in order. */
static void join_in_order(struct pairing *p, const struct ports *ports)
{
	struct kept_flow **a = ports->flows[CAPTURE_A];
	struct kept_flow **b = ports->flows[CAPTURE_B];
	size_t j = 0;

	for (size_t i = 0; i < ports->count[CAPTURE_A]; i++) {
		if (!is_free(a[i]))
			continue;
		while (j < ports->count[CAPTURE_B] && !is_free(b[j]))
			j++;
		if (j == ports->count[CAPTURE_B])
			return;
		join(p, a[i], b[j], lower_end(a[i]) != lower_end(b[j]),
		     CAPTURE_BY_ADDRESS);
	}
}

/*
 * Those whose SYNs agree. A second flow of the same SYN in one capture is the
 * same connection seen at another capture point. If one flow is left in each
 * capture, they are a pair too: something between may have made a new SYN.
 */
static void join_same_syns(struct pairing *p, const struct ports *ports)
{
	struct kept_flow **a = ports->flows[CAPTURE_A];
	struct kept_flow **b = ports->flows[CAPTURE_B];
	size_t from = 0;

	for (size_t i = 0; i < ports->count[CAPTURE_A]; i++)
		for (size_t j = from;
		     j < ports->count[CAPTURE_B] && j < from + LOOKAHEAD; j++) {
			if (compare_syns(a[i], b[j]) <= 0)
				continue;
			if (a[i]->paired || b[j]->paired) {
				a[i]->twin = !a[i]->paired;
				b[j]->twin = !b[j]->paired;
				continue;
			}
			join(p, a[i], b[j], lower_end(a[i]) != lower_end(b[j]),
			     CAPTURE_BY_ADDRESS);
			from = j;
		}
	if (count_free(ports, CAPTURE_A) == 1 &&
	    count_free(ports, CAPTURE_B) == 1)
		join_in_order(p, ports);
}

static size_t same_ports(struct kept_flow *const *order, size_t from,
			 size_t count)
{
	size_t to = from + 1;

	while (to < count && !compare_addresses(order[from], order[to]))
		to++;
	return to;
}

/* Call `how` for the flows on each set of ports that both captures have. */
static void join_by_address(struct pairing *p,
			    void (*how)(struct pairing *p,
					const struct ports *ports))
{
	struct kept_flow **a = p->order[CAPTURE_A], **b = p->order[CAPTURE_B];
	const size_t na = p->count[CAPTURE_A], nb = p->count[CAPTURE_B];
	size_t i = 0, j = 0;

	while (i < na && j < nb) {
		const int order = compare_addresses(a[i], b[j]);
		const size_t to_a = same_ports(a, i, na);
		const size_t to_b = same_ports(b, j, nb);
		const struct ports ports = {
			.flows = { a + i, b + j },
			.count = { to_a - i, to_b - j },
		};

		if (!order)
			how(p, &ports);
		if (order <= 0)
			i = to_a;
		if (order >= 0)
			j = to_b;
	}
}

/* --- by what they carry ------------------------------------------------- */

/* Something of a flow that no address translation touches. */
struct print {
	uint64_t value;
	struct kept_flow *flow;
	uint32_t weight; /* octets it vouches for */
	uint8_t half;
	bool sequence; /* a sequence number is part of it */
};

struct candidate {
	struct kept_flow *a, *b;
	uint32_t weight;
	bool flip;
	bool sequence;
};

enum print_kind {
	PRINT_SYN,
	PRINT_SEGMENT, /* data with its raw sequence number */
	PRINT_PREFIX,  /* data from the connection's start to here */
};

static uint64_t mix(enum print_kind kind, uint64_t a, uint64_t b)
{
	unsigned __int128 product =
		(unsigned __int128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
		(b ^ UINT64_C(0xd6e8feb86659fd93));

	return ((uint64_t)product ^ (uint64_t)(product >> 64)) * 4 + kind;
}

/* All prints of one direction, at most 2 * PRINTS + 1. Returns how many. */
static size_t print_half(const struct octet_hasher *hasher,
			 struct kept_flow *flow, unsigned half,
			 struct print *out)
{
	const struct kept_half *h = &flow->half[half];
	const struct print blank = { .flow = flow, .half = (uint8_t)half };
	struct print *p = out;
	int64_t next = h->base + 1;
	uint64_t prefix = 0;
	int taken = 0;

	if (h->syn.seen) {
		*p = blank;
		p->value = mix(PRINT_SYN, (uint32_t)h->base, 0);
		p->weight = SYN_WEIGHT;
		p++->sequence = true;
	}
	for (const struct kept *k = h->first; k && taken < PRINTS;
	     k = k->next) {
		if (!k->len || k->caplen != k->len || k->flags & CAPTURE_RST)
			continue;
		taken++;
		*p = blank;
		p->value = mix(PRINT_SEGMENT, k->hash, (uint32_t)kept_data(k));
		p->weight = k->len;
		p++->sequence = true;
		if (!h->syn.seen || kept_data(k) != next)
			continue;
		next += k->len;
		prefix = capture_octet_hash_join(hasher, prefix, k->hash,
						 k->len);
		*p = blank;
		p->value =
			mix(PRINT_PREFIX, prefix, (uint64_t)(next - h->base));
		p++->weight = k->len;
	}
	return (size_t)(p - out);
}

static int by_value(const void *x, const void *y)
{
	const struct print *a = x, *b = y;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->flow->number < b->flow->number
		       ? -1
		       : a->flow->number > b->flow->number;
}

/* The prints of all flows of `side` that have no pair. */
static int print_all(const struct pairing *p, enum capture_side side,
		     struct print **out, size_t *count)
{
	struct print *prints;
	size_t n = 0, rest = 0;

	for (size_t i = 0; i < p->count[side]; i++)
		rest += is_free(p->order[side][i]);
	prints = malloc((rest * 2 * (2 * PRINTS + 1) + 1) * sizeof(*prints));
	if (!prints)
		return -ENOMEM;
	for (size_t i = 0; i < p->count[side]; i++) {
		struct kept_flow *flow = p->order[side][i];

		if (!is_free(flow))
			continue;
		for (unsigned half = 0; half < 2; half++)
			n += print_half(&p->compare->hasher, flow, half,
					prints + n);
	}
	qsort(prints, n, sizeof(*prints), by_value);
	*out = prints;
	*count = n;
	return 0;
}

/* Flows a and b, this way or that way round. */
static int by_flows(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->a != b->a)
		return a->a->number < b->a->number ? -1 : 1;
	if (a->b != b->b)
		return a->b->number < b->b->number ? -1 : 1;
	return (int)a->flip - (int)b->flip;
}

static uint64_t distance(const struct candidate *c)
{
	return c->a->number > c->b->number ? c->a->number - c->b->number
					   : c->b->number - c->a->number;
}

static int by_weight(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (distance(a) != distance(b))
		return distance(a) < distance(b) ? -1 : 1;
	return by_flows(x, y);
}

/* Put those of the same flows together. */
static size_t add_up(struct candidate *c, size_t count)
{
	size_t n = 0;

	qsort(c, count, sizeof(*c), by_flows);
	for (size_t i = 0; i < count; i++) {
		if (n > 0 && !by_flows(&c[n - 1], &c[i])) {
			c[n - 1].weight += c[i].weight;
			c[n - 1].sequence |= c[i].sequence;
		} else {
			c[n++] = c[i];
		}
	}
	return n;
}

/* Every equal print speaks for a pair. `out` has room for CANDIDATES to each
 * of b's. */
static size_t find_candidates(const struct print *a, size_t na,
			      const struct print *b, size_t nb,
			      struct candidate *out)
{
	size_t i = 0, n = 0;

	for (size_t j = 0; j < nb; j++) {
		while (i < na && a[i].value < b[j].value)
			i++;
		for (size_t k = i;
		     k < na && k < i + CANDIDATES && a[k].value == b[j].value;
		     k++)
			out[n++] = (struct candidate){
				.a = a[k].flow,
				.b = b[j].flow,
				.flip = a[k].half != b[j].half,
				.weight = a[k].weight & 0xffff,
				.sequence = a[k].sequence,
			};
	}
	return add_up(out, n);
}

static enum capture_pairing how_found(const struct candidate *c)
{
	if (!compare_addresses(c->a, c->b))
		return CAPTURE_BY_ADDRESS;
	return c->sequence ? CAPTURE_BY_SEQUENCE : CAPTURE_BY_PAYLOAD;
}

static size_t count_left(const struct pairing *p, enum capture_side side)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count[side]; i++)
		n += is_free(p->order[side][i]);
	return n;
}

/* The strongest first; the weak only where nothing else could be meant. */
static void join_candidates(struct pairing *p, struct candidate *found,
			    size_t count)
{
	size_t i;

	qsort(found, count, sizeof(*found), by_weight);
	for (i = 0; i < count && found[i].weight >= ENOUGH; i++)
		if (!found[i].a->paired && !found[i].b->paired)
			join(p, found[i].a, found[i].b, found[i].flip,
			     how_found(&found[i]));
	if (count_left(p, CAPTURE_A) != 1 || count_left(p, CAPTURE_B) != 1)
		return;
	for (; i < count; i++)
		if (is_free(found[i].a) && is_free(found[i].b))
			join(p, found[i].a, found[i].b, found[i].flip,
			     how_found(&found[i]));
}

static int join_by_prints(struct pairing *p)
{
	struct print *prints[2] = { NULL, NULL };
	struct candidate *found = NULL;
	size_t count[2];
	int ret;

	ret = print_all(p, CAPTURE_A, &prints[CAPTURE_A], &count[CAPTURE_A]);
	if (ret == 0)
		ret = print_all(p, CAPTURE_B, &prints[CAPTURE_B],
				&count[CAPTURE_B]);
	if (ret == 0) {
		found = malloc((count[CAPTURE_B] * CANDIDATES + 1) *
			       sizeof(*found));
		ret = found ? 0 : -ENOMEM;
	}
	if (ret == 0)
		join_candidates(p, found,
				find_candidates(prints[CAPTURE_A],
						count[CAPTURE_A],
						prints[CAPTURE_B],
						count[CAPTURE_B], found));
	free(found);
	free(prints[CAPTURE_A]);
	free(prints[CAPTURE_B]);
	return ret;
}

/* --- all ---------------------------------------------------------------- */

static int list_flows(struct pairing *p, enum capture_side side)
{
	struct kept_capture *capture = &p->compare->captures[side];
	struct kept_flow *flow;

	p->order[side] =
		malloc((capture->flow_count + 1) * sizeof(*p->order[side]));
	if (!p->order[side])
		return -ENOMEM;
	for (uint32_t i = 0; i < capture->flow_count; i++) {
		flow = &capture->flows[i];
		if (flow->half[0].count + flow->half[1].count > 0)
			p->order[side][p->count[side]++] = flow;
	}
	qsort(p->order[side], p->count[side], sizeof(*p->order[side]),
	      by_addresses);
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;

	return a->flow[CAPTURE_A]->number < b->flow[CAPTURE_A]->number ? -1 : 1;
}

static void describe(struct pair *pair, uint32_t number)
{
	struct capture_connection *told = &pair->told;

	told->number = number;
	told->flow_a = pair->flow[CAPTURE_A]->number;
	told->flow_b = pair->flow[CAPTURE_B]->number;
	for (unsigned end = 0; end < 2; end++) {
		told->ends_a[end] = pair->flow[CAPTURE_A]->ends[end];
		told->ends_b[end] =
			pair->flow[CAPTURE_B]->ends[end ^ pair->flip];
	}
}

int capture_compare_pair(struct capture_compare *compare)
{
	struct pairing p = { .compare = compare };
	int ret = list_flows(&p, CAPTURE_A);

	if (ret == 0)
		ret = list_flows(&p, CAPTURE_B);
	if (ret == 0) {
		compare->pairs =
			malloc((p.count[CAPTURE_A] + 1) * sizeof(struct pair));
		ret = compare->pairs ? 0 : -ENOMEM;
	}
	if (ret == 0) {
		join_by_address(&p, join_same_syns);
		ret = join_by_prints(&p);
	}
	if (ret == 0) {
		join_by_address(&p, join_in_order);
		qsort(compare->pairs, compare->pair_count,
		      sizeof(*compare->pairs), by_number);
		for (uint32_t i = 0; i < compare->pair_count; i++)
			describe(&compare->pairs[i], i + 1);
	}
	free(p.order[CAPTURE_A]);
	free(p.order[CAPTURE_B]);
	return ret;
}
