#include "capture/octet_hash.h"

/* The base, like every value, is a residue of this Mersenne prime. */
#define PRIME ((UINT64_C(1) << 61) - 1)

static uint64_t reduce(unsigned __int128 n)
{
	uint64_t folded = (uint64_t)(n & PRIME) + (uint64_t)(n >> 61);

	/* n is below 2^124, so that folded is below 2^64 */
	folded = (folded & PRIME) + (folded >> 61);
	return folded >= PRIME ? folded - PRIME : folded;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	return reduce((unsigned __int128)a * b);
}

void capture_octet_hasher_init(struct octet_hasher *h, uint64_t secret)
{
	h->powers[0] = 1;
	h->powers[1] = secret % (PRIME - 1024) + 512;
	for (int i = 2; i < 9; i++)
		h->powers[i] = times(h->powers[i - 1], h->powers[1]);
	h->squares[0] = h->powers[1];
	for (int i = 1; i < 32; i++)
		h->squares[i] = times(h->squares[i - 1], h->squares[i - 1]);
}

/* Eight octets a reduction: the products of one round do not wait for each
 * other. */
uint64_t capture_octet_hash(const struct octet_hasher *h, const uint8_t *data,
			    size_t len)
{
	uint64_t value = 0;
	unsigned __int128 sum;

	for (; len >= 8; len -= 8, data += 8) {
		sum = (unsigned __int128)value * h->powers[8];
		for (int i = 0; i < 8; i++)
			sum += (unsigned __int128)data[i] * h->powers[7 - i];
		value = reduce(sum);
	}
	for (; len > 0; len--, data++)
		value = reduce((unsigned __int128)value * h->powers[1] + *data);
	return value;
}

uint64_t capture_octet_hash_join(const struct octet_hasher *h, uint64_t head,
				 uint64_t tail, uint32_t len)
{
	for (int i = 0; len; len >>= 1, i++)
		if (len & 1)
			head = times(head, h->squares[i]);
	return reduce((unsigned __int128)head + tail);
}
