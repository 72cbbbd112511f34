#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "oob/buffer.h"

static void an_empty_one_holds_nothing(void **state)
{
	struct oob_buffer b;

	(void)state;
	oob_buffer_init(&b, 10);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.limit, 10);
	oob_buffer_free(&b);
	oob_buffer_free(&b);
	oob_buffer_free(NULL);
}

static void keeps_bytes_in_order(void **state)
{
	struct oob_buffer b;

	(void)state;
	oob_buffer_init(&b, 10);
	assert_int_equal(oob_buffer_append(&b, "ab\0c", 4), 0);
	assert_int_equal(oob_buffer_append(&b, NULL, 0), 0);
	assert_int_equal(oob_buffer_append(&b, "def", 3), 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "ab\0cdef", 7);
	oob_buffer_free(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.limit, 10);
}

static void fills_to_the_limit_and_no_further(void **state)
{
	struct oob_buffer b;
	size_t room = 77;

	(void)state;
	oob_buffer_init(&b, 5);
	assert_int_equal(oob_buffer_append(&b, "abcdef", 6), -ENOBUFS);
	assert_int_equal(b.len, 0);
	assert_int_equal(oob_buffer_append(&b, "abc", 3), 0);
	assert_int_equal(oob_buffer_append(&b, "def", 3), -ENOBUFS);
	assert_int_equal(oob_buffer_append(&b, "x", SIZE_MAX), -ENOBUFS);
	assert_int_equal(oob_buffer_append(&b, "de", 2), 0);
	assert_int_equal(oob_buffer_append(&b, "f", 1), -ENOBUFS);
	assert_int_equal(oob_buffer_reserve(&b, 1, &room), -ENOBUFS);
	assert_int_equal(room, 77);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "abcde", 5);
	oob_buffer_free(&b);
}

static void a_limit_of_nothing_takes_nothing(void **state)
{
	struct oob_buffer b;

	(void)state;
	oob_buffer_init(&b, 0);
	assert_int_equal(oob_buffer_append(&b, "", 0), 0);
	assert_int_equal(oob_buffer_append(&b, "x", 1), -ENOBUFS);
	assert_null(b.data);
}

static void reserves_what_the_limit_leaves(void **state)
{
	struct oob_buffer b;
	size_t room = 0;

	(void)state;
	oob_buffer_init(&b, 1000);
	assert_int_equal(oob_buffer_reserve(&b, 600, &room), 0);
	assert_in_range(room, 600, 1000);
	memset(b.data, 'x', 600);
	b.len = 600;
	assert_int_equal(oob_buffer_reserve(&b, 600, &room), 0);
	assert_int_equal(room, 400);
	assert_int_equal(oob_buffer_reserve(&b, 0, &room), 0);
	assert_true(room >= 1);
	oob_buffer_free(&b);
}

static void grows_byte_by_byte(void **state)
{
	struct oob_buffer b;

	(void)state;
	oob_buffer_init(&b, 100000);
	for (int i = 0; i < 100000; i++) {
		unsigned char c = (unsigned char)(i * 7);

		assert_int_equal(oob_buffer_append(&b, &c, 1), 0);
	}
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (unsigned char)(i * 7));
	assert_in_range(b.allocated, 100000, 100000);
	oob_buffer_free(&b);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* The sanitizers' allocators abort where malloc(3) returns NULL. */
static void loses_nothing_when_memory_ends(void **state)
{
	struct oob_buffer b;
	size_t room = 77;

	(void)state;
	oob_buffer_init(&b, SIZE_MAX);
	assert_int_equal(oob_buffer_append(&b, "abc", 3), 0);
	assert_int_equal(oob_buffer_reserve(&b, SIZE_MAX / 8, &room), -ENOMEM);
	assert_int_equal(room, 77);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);
	oob_buffer_free(&b);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_holds_nothing),
		cmocka_unit_test(keeps_bytes_in_order),
		cmocka_unit_test(fills_to_the_limit_and_no_further),
		cmocka_unit_test(a_limit_of_nothing_takes_nothing),
		cmocka_unit_test(reserves_what_the_limit_leaves),
		cmocka_unit_test(grows_byte_by_byte),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(loses_nothing_when_memory_ends),
#endif
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
