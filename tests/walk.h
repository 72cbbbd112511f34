/* Walks to the mark, each way there is, for the tests of oob/mark.h. */
#ifndef TESTS_WALK_H
#define TESTS_WALK_H

#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "oob/mark.h"
#include "oob/urgent.h"
#include "tests/fixture.h"

/* The four ways to the mark. */
enum way {
	DISCARD,
	READ,
	BUFFER,
	OOB,
	WAYS
};

static const char *const way_name[] = { "discard", "read", "buffer", "oob" };

/* What one walk brought; `before` is limited to what the test allows. */
struct walk {
	int ret;
	size_t len; /* of the data before the mark */
	unsigned char byte;
	struct oob_buffer before;
};

static inline void walk_begin(struct walk *w, size_t limit)
{
	*w = (struct walk){ .byte = '.' };
	oob_buffer_init(&w->before, limit);
}

static inline void walk_end(struct walk *w)
{
	oob_buffer_free(&w->before);
}

static inline void walk(struct walk *w, enum way way, int fd,
			int64_t deadline_ns)
{
	size_t room = 0;

	if (way == DISCARD) {
		w->ret = oob_discard_until_mark(fd, &w->len, deadline_ns);
		return;
	}
	if (way == READ) {
		if (w->before.len < w->before.limit)
			oob_buffer_reserve(&w->before, w->before.limit, &room);
		w->ret = oob_read_until_mark(fd, w->before.data + w->before.len,
					     room, &w->len, deadline_ns);
		w->before.len += w->len;
	} else if (way == BUFFER) {
		w->ret = oob_buffer_until_mark(fd, &w->before, deadline_ns);
	} else {
		w->ret = oob_read_oob(fd, &w->byte, &w->before, deadline_ns);
	}
	w->len = w->before.len;
}

static inline void expect_before(const struct walk *w, enum way way,
				 const char *want)
{
	assert_int_equal(w->len, strlen(want));
	if (way != DISCARD && w->len)
		assert_memory_equal(w->before.data, want, w->len);
}

static inline void send_text(const struct fixture *f, const char *text)
{
	assert_int_equal(oob_send(f->s.sender, text, strlen(text), NULL, SOON),
			 0);
}

static inline void send_urgent(const struct fixture *f, const char *text)
{
	assert_int_equal(oob_send_urgent(f->s.sender, text, strlen(text), NULL,
					 SOON),
			 0);
}

/* Until the receiver's kernel has all that was sent. AF_UNIX hands it over in
 * the send itself, and counts it as unsent until it is read. */
static inline void await_arrival(const struct fixture *f)
{
	int64_t deadline = SOON;
	int unsent = 1;

	while (f->transport != UNIX && unsent) {
		assert_int_equal(ioctl(f->s.sender, SIOCOUTQ, &unsent), 0);
		assert_true(oob_now_ns() < deadline);
		sched_yield();
	}
}

/* Of a test that runs once each way: the way is its row. */
static inline enum way way_of(const struct fixture *f)
{
	return *(const enum way *)f->row;
}

/* Add the cases of a plan, each way. */
static inline size_t add_each_way(struct CMUnitTest *tests, size_t n,
				  const struct plan *plan)
{
	static const enum way ways[] = { DISCARD, READ, BUFFER, OOB };
	static struct plan plans[TESTS_MAX];
	static char names[TESTS_MAX][TEST_NAME_BYTES];
	static size_t used;

	for (size_t i = 0; i < WAYS && used < TESTS_MAX; i++, used++) {
		plans[used] = *plan;
		plans[used].row = &ways[i];
		snprintf(names[used], sizeof(names[used]), "%s, %s", plan->name,
			 way_name[i]);
		plans[used].name = names[used];
		n = add_cases(tests, n, &plans[used]);
	}
	return n;
}

#endif
