/* Whether what both captures have is one connection, or two with a proxy
 * between that carries the data on. */
#include "capture/compare_inner.h"

static bool other_scale(const struct pair *pair, unsigned d)
{
	const struct handshake *a = &pair_half(pair, CAPTURE_A, d)->syn;
	const struct handshake *b = &pair_half(pair, CAPTURE_B, d)->syn;

	return a->seen && b->seen &&
	       (a->has_scale != b->has_scale || a->scale != b->scale);
}

static bool hops_rise(const struct pair *pair, const struct way *way)
{
	const struct handshake *from =
		&pair_half(pair, way->from, way->direction)->syn;
	const struct handshake *to =
		&pair_half(pair, other_side(way->from), way->direction)->syn;

	return from->seen && to->seen && to->hops > from->hops;
}

/*
 * Numbers alone do not make a proxy: firewalls shift them, to make them hard
 * to guess, and leave everything else. What a proxy's own stack sends has its
 * own windows, timestamps and time to live.
 */
void capture_compare_proxy(struct pair *pair, const struct way ways[2])
{
	for (unsigned d = 0; d < 2; d++) {
		const struct tally *tally = &pair->tally[d];

		if (pair_shifted(pair, d))
			pair->signs |= PROXY_SEQUENCE;
		if (other_scale(pair, d))
			pair->signs |= PROXY_SCALE;
		if (tally->other_stamp > tally->same_stamp)
			pair->signs |= PROXY_STAMPS;
		if (tally->other_window > tally->same_window)
			pair->signs |= PROXY_WINDOWS;
		if (hops_rise(pair, &ways[d]))
			pair->signs |= PROXY_HOPS;
	}
	pair->told.terminated = pair->signs & PROXY_SEQUENCE &&
				pair->signs & ~PROXY_SEQUENCE;
}
