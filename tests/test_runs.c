#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "capture/runs.h"

#define RUNS 200

/* xorshift (Marsaglia 2003) */
static uint32_t roll(uint32_t *dice, uint32_t below)
{
	*dice ^= *dice << 13;
	*dice ^= *dice >> 17;
	*dice ^= *dice << 5;
	return *dice % below;
}

/* The black height of a tree whose links, order and colours are right. */
static int check(const struct capture_run *run,
		 const struct capture_run *parent)
{
	int height;

	if (!run)
		return 1;
	assert_ptr_equal(run->parent, parent);
	assert_false(run->red && parent && parent->red);
	if (run->child[0])
		assert_true(run->child[0]->seq < run->seq);
	if (run->child[1])
		assert_true(run->child[1]->seq > run->seq);
	height = check(run->child[0], run);
	assert_int_equal(check(run->child[1], run), height);
	return height + !run->red;
}

struct bag {
	struct capture_runs runs;
	struct capture_run run[RUNS]; /* run n begins at 2 n */
	bool in[RUNS];
};

static void check_all(const struct bag *bag)
{
	const struct capture_run *run = capture_runs_first(&bag->runs);
	const struct capture_run *before = NULL;

	assert_false(bag->runs.root && bag->runs.root->red);
	check(bag->runs.root, NULL);
	for (int n = 0; n < RUNS; n++) {
		if (bag->in[n]) {
			assert_ptr_equal(run, &bag->run[n]);
			before = run;
			run = capture_runs_next(run);
		}
		assert_ptr_equal(capture_runs_at(&bag->runs, 2 * n), before);
		assert_ptr_equal(capture_runs_at(&bag->runs, 2 * n + 1),
				 before);
	}
	assert_null(run);
	assert_ptr_equal(bag->runs.last, before);
}

/* Put in what is out, and take out what is in, by chance. */
static void test_stays_a_tree(void **state)
{
	static struct bag bag;
	uint32_t dice = 1;

	(void)state;
	memset(&bag, 0, sizeof(bag));
	for (int n = 0; n < RUNS; n++)
		bag.run[n].seq = 2 * n;
	for (int i = 0; i < 4000; i++) {
		uint32_t n = roll(&dice, RUNS);

		if (bag.in[n])
			capture_runs_remove(&bag.runs, &bag.run[n]);
		else
			capture_runs_insert(&bag.runs, &bag.run[n]);
		bag.in[n] = !bag.in[n];
		check_all(&bag);
	}
}

static void test_replaces_in_place(void **state)
{
	static struct bag bag;
	struct capture_run others[RUNS] = { 0 };

	(void)state;
	memset(&bag, 0, sizeof(bag));
	for (int n = 0; n < RUNS; n++) {
		bag.run[n].seq = others[n].seq = 2 * n;
		capture_runs_insert(&bag.runs, &bag.run[n]);
	}
	for (int n = 0; n < RUNS; n++) {
		const struct capture_run *left = bag.run[n].child[0];
		bool red = bag.run[n].red;

		capture_runs_replace(&bag.runs, &bag.run[n], &others[n]);
		assert_ptr_equal(capture_runs_at(&bag.runs, 2 * n), &others[n]);
		assert_ptr_equal(others[n].child[0], left);
		assert_int_equal(others[n].red, red);
	}
	check(bag.runs.root, NULL);
	assert_ptr_equal(bag.runs.last, &others[RUNS - 1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stays_a_tree),
		cmocka_unit_test(test_replaces_in_place),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
