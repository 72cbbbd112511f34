/*
 * The fixture of tests on one pair of streams: each test over each transport
 * it is meant for, the receiver blocking or not. The teardown fails a test
 * that left a descriptor open.
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>

#include "tests/streams.h"

#define ON(transport)	(1u << (transport))
#define ON_TCP		(ON(TCP4) | ON(TCP6))
#define EVERYWHERE	(ON_TCP | ON(UNIX))
#define TESTS_MAX	1024
#define TEST_NAME_BYTES 128

/* One test body and what it runs with. */
struct plan {
	const char *name;
	CMUnitTestFunction body;
	unsigned on; /* transports, EVERYWHERE for 0 */
	struct buffers buffers;
	bool blocking_only; /* where the receiver's mode is nothing to it */
	const void *row;    /* of the test's own */
};

#define PLAN(test, ...)                                                        \
	{                                                                      \
		.name = #test, .body = test, __VA_ARGS__                       \
	}

struct cell {
	const struct plan *plan;
	enum transport transport;
	bool nonblocking;
};

struct fixture {
	struct streams s;
	const struct cell *cell;
	const void *row;
	enum transport transport;
	int opened; /* 0, or -errno where there is no such transport */
	int fds;
};

static int fixture_set_up(void **state)
{
	const struct cell *cell = *state;
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->cell = cell;
	f->row = cell->plan->row;
	f->transport = cell->transport;
	f->fds = count_fds();
	f->opened = open_streams(&f->s, f->transport, cell->plan->buffers);
	if (f->opened == 0 && cell->nonblocking)
		fcntl(f->s.receiver, F_SETFL, O_NONBLOCK);
	*state = f;
	return 0;
}

static int fixture_tear_down(void **state)
{
	struct fixture *f = *state;
	int leaked;

	if (f->opened == 0)
		close_streams(&f->s);
	leaked = count_fds() - f->fds;
	free(f);
	return leaked;
}

/* The fixture of a test body; skips where this machine lacks the transport. */
static inline struct fixture *fixture(void **state)
{
	struct fixture *f = *state;

	if (is_missing_transport(f->opened))
		skip();
	assert_int_equal(f->opened, 0);
	return f;
}

/* Add a case for each transport of the plan, and each kind of receiver. */
static inline size_t add_cases(struct CMUnitTest *tests, size_t n,
			       const struct plan *plan)
{
	static struct cell cells[TESTS_MAX];
	static char names[TESTS_MAX][TEST_NAME_BYTES];
	unsigned on = plan->on ? plan->on : EVERYWHERE;

	for (int t = 0; t < TRANSPORTS; t++) {
		for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
			if (!(on & ON(t)) || n == TESTS_MAX ||
			    (nonblocking && plan->blocking_only))
				continue;
			cells[n] = (struct cell){ plan, t, nonblocking };
			snprintf(names[n], sizeof(names[n]), "%s%s: %s",
				 transport_name[t],
				 nonblocking ? " O_NONBLOCK" : "", plan->name);
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = plan->body,
				.setup_func = fixture_set_up,
				.teardown_func = fixture_tear_down,
				.initial_state = &cells[n],
			};
			n++;
		}
	}
	return n;
}

#endif
