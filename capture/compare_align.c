/* One numbering for both captures of a connection: octet by octet the same. */
#include "capture/compare_inner.h"

enum {
	SAMPLE = 32, /* segments of each capture that vote */
};

/* The sequence numbers are as they were, but the two captures may have begun
 * to count them in different 4 GiB. */
static int64_t same_numbers(const struct kept_half *a,
			    const struct kept_half *b)
{
	const int64_t turn = INT64_C(1) << 32;
	int64_t apart = b->first->pos - a->first->pos;
	int64_t turns = (apart + (apart < 0 ? -turn : turn) / 2) / turn;

	return turns * turn;
}

/* The next segment with data that was captured whole. */
static const struct kept *next_data(const struct kept *k)
{
	while (k && (!k->len || k->caplen != k->len))
		k = k->next;
	return k;
}

/* How often segments of the same data are so far apart. */
static unsigned count_votes(const struct kept_half *a,
			    const struct kept_half *b, int64_t shift)
{
	const struct kept *x = next_data(a->first), *y;
	unsigned votes = 0;

	for (int i = 0; x && i < SAMPLE; i++, x = next_data(x->next)) {
		y = next_data(b->first);
		for (int j = 0; y && j < SAMPLE; j++, y = next_data(y->next))
			votes += x->len == y->len && x->hash == y->hash &&
				 kept_data(y) - kept_data(x) == shift;
	}
	return votes;
}

/* Where the SYNs do not tell: as most of the data has it, the numbers of the
 * wire before all others. */
static int64_t guess_shift(const struct kept_half *a, const struct kept_half *b)
{
	const int64_t same = same_numbers(a, b);
	const struct kept *x = next_data(a->first), *y;
	unsigned most = count_votes(a, b, same);
	int64_t best = same;

	/* One segment of A is enough to propose: it is in B or was lost. */
	/* One segment of A that B has as well proposes; all vote. */
	for (int i = 0; most == 0 && x && i < SAMPLE;
	     i++, x = next_data(x->next)) {
		y = next_data(b->first);
		for (int j = 0; y && j < SAMPLE; j++, y = next_data(y->next)) {
			const int64_t shift = kept_data(y) - kept_data(x);
			unsigned votes = 0;

			if (x->len == y->len && x->hash == y->hash)
				votes = count_votes(a, b, shift);
			if (votes > most) {
				most = votes;
				best = shift;
			}
		}
	}
	return best;
}

static int64_t lowest(const struct kept_half *half)
{
	int64_t pos = INT64_MAX;

	for (const struct kept *k = half->first; k; k = k->next)
		if (k == half->first ||
		    (!(k->flags & CAPTURE_RST) && k->pos < pos))
			pos = k->pos;
	return pos;
}

/* What becomes 0, in A's numbers: the SYN or, where nobody saw it, the octet
 * before the first that was seen. */
static int64_t find_origin(const struct kept_half *a, const struct kept_half *b,
			   int64_t shift)
{
	int64_t in_a, in_b;

	if (a->syn.seen)
		return a->base;
	if (b->syn.seen)
		return b->base - shift;
	in_a = a->count ? lowest(a) : INT64_MAX;
	in_b = b->count ? lowest(b) - shift : INT64_MAX;
	return (in_a < in_b ? in_a : in_b) - 1;
}

static void find_origins(struct kept_half *a, struct kept_half *b)
{
	int64_t shift = 0;

	if (a->syn.seen && b->syn.seen)
		shift = b->base - a->base;
	else if (a->count && b->count)
		shift = guess_shift(a, b);
	a->origin = find_origin(a, b, shift);
	b->origin = a->origin + shift;
}

/* A direction of which neither capture has a segment: its numbers are known
 * from what acknowledges it. */
static void origin_from_acks(struct kept_half *half,
			     const struct kept_half *other)
{
	const struct kept *k = other->first;

	while (k && !(k->flags & CAPTURE_ACK))
		k = k->next;
	half->origin = k ? (int64_t)k->ack - 1 : 0;
}

static void renumber(struct kept_half *half, uint32_t ack_origin)
{
	for (struct kept *k = half->first; k; k = k->next) {
		k->pos -= half->origin;
		if (k->flags & CAPTURE_ACK)
			k->ack -= ack_origin;
	}
	half->high -= half->origin;
	half->base -= half->origin;
}

void capture_compare_align(struct pair *pair)
{
	for (unsigned d = 0; d < 2; d++) {
		struct kept_half *a = pair_half(pair, CAPTURE_A, d);
		struct kept_half *b = pair_half(pair, CAPTURE_B, d);

		if (a->count || b->count) {
			find_origins(a, b);
			continue;
		}
		origin_from_acks(a, pair_half(pair, CAPTURE_A, !d));
		origin_from_acks(b, pair_half(pair, CAPTURE_B, !d));
	}
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		for (unsigned d = 0; d < 2; d++)
			renumber(pair_half(pair, side, d),
				 (uint32_t)pair_half(pair, side, !d)->origin);
}
