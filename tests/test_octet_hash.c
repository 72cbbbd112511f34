#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "capture/octet_hash.h"

enum {
	LEN = 100
};

struct fixture {
	struct octet_hasher hasher;
	uint8_t data[LEN];
};

static int setup(void **state)
{
	static struct fixture f;

	capture_octet_hasher_init(&f.hasher, UINT64_C(0x0123456789abcdef));
	for (size_t i = 0; i < LEN; i++)
		f.data[i] = (uint8_t)(i * 131 + 7);
	*state = &f;
	return 0;
}

static void joins_at_every_cut(void **state)
{
	const struct fixture *f = *state;
	const uint64_t whole = capture_octet_hash(&f->hasher, f->data, LEN);

	for (uint32_t cut = 0; cut <= LEN; cut++) {
		uint64_t head = capture_octet_hash(&f->hasher, f->data, cut);
		uint64_t tail = capture_octet_hash(&f->hasher, f->data + cut,
						   LEN - cut);

		assert_int_equal(capture_octet_hash_join(&f->hasher, head, tail,
							 LEN - cut),
				 whole);
	}
}

/* A length of several bits, so that squares are multiplied. */
static void joins_long_pieces(void **state)
{
	const struct fixture *f = *state;
	static uint8_t zeros[70000];
	uint64_t head = capture_octet_hash(&f->hasher, f->data, LEN);
	uint64_t joined = capture_octet_hash_join(
		&f->hasher, head, capture_octet_hash(&f->hasher, zeros, 65535),
		65535);

	memcpy(zeros, f->data, LEN);
	assert_int_equal(joined,
			 capture_octet_hash(&f->hasher, zeros, LEN + 65535));
	memset(zeros, 0, LEN);
}

static void one_changed_octet_shows(void **state)
{
	struct fixture f = *(struct fixture *)*state;
	const uint64_t whole = capture_octet_hash(&f.hasher, f.data, LEN);

	for (size_t i = 0; i < LEN; i++) {
		f.data[i] ^= 1;
		assert_int_not_equal(capture_octet_hash(&f.hasher, f.data, LEN),
				     whole);
		f.data[i] ^= 1;
	}
}

static void two_swapped_octets_show(void **state)
{
	struct fixture f = *(struct fixture *)*state;
	const uint64_t whole = capture_octet_hash(&f.hasher, f.data, LEN);

	for (size_t i = 1; i < LEN; i++) {
		uint8_t kept = f.data[i];

		f.data[i] = f.data[0];
		f.data[0] = kept;
		assert_int_not_equal(capture_octet_hash(&f.hasher, f.data, LEN),
				     whole);
		f.data[0] = f.data[i];
		f.data[i] = kept;
	}
}

/* The largest values that can meet in one reduction. */
static void largest_octets_and_bases_stay_in_range(void **state)
{
	const uint64_t secrets[] = { 0, 1, UINT64_MAX, UINT64_MAX >> 3 };
	uint8_t ones[64];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < 4; i++) {
		struct octet_hasher h;

		capture_octet_hasher_init(&h, secrets[i]);
		assert_true(capture_octet_hash(&h, ones, sizeof(ones)) <
			    (UINT64_C(1) << 61) - 1);
		assert_int_equal(capture_octet_hash(&h, ones, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(joins_at_every_cut, setup),
		cmocka_unit_test_setup(joins_long_pieces, setup),
		cmocka_unit_test_setup(one_changed_octet_shows, setup),
		cmocka_unit_test_setup(two_swapped_octets_show, setup),
		cmocka_unit_test(largest_octets_and_bases_stay_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
