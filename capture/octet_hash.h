/*
 * A hash of octets that can be joined: that of two pieces gives that of the
 * whole. So data cut into segments in two ways is compared without being
 * kept. A polynomial modulo 2^61 - 1 in a secret base: whoever writes the
 * data cannot choose two pieces of one hash.
 */
#ifndef CAPTURE_OCTET_HASH_H
#define CAPTURE_OCTET_HASH_H

#include <stddef.h>
#include <stdint.h>

struct octet_hasher {
	uint64_t powers[9];   /* base^0 … base^8 */
	uint64_t squares[32]; /* base^(2^i) */
};

/* Any `secret` will do; take a random one. */
void capture_octet_hasher_init(struct octet_hasher *hasher, uint64_t secret);

/* 0 for no octets. */
uint64_t capture_octet_hash(const struct octet_hasher *hasher,
			    const uint8_t *data, size_t len);

/* The hash of what `head` is of, followed by the `len` octets that `tail` is
 * of. */
uint64_t capture_octet_hash_join(const struct octet_hasher *hasher,
				 uint64_t head, uint64_t tail, uint32_t len);

#endif
