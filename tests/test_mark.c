#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/walk.h"

static void expect_rest(const struct fixture *f, const char *want)
{
	char got[64];
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(got) && (r = recv(f->s.receiver, got + n,
					    sizeof(got) - n, MSG_DONTWAIT)) > 0)
		n += (size_t)r;
	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
}

/*
 * All is there before the walk begins. A word is one send; one that ends with
 * ! or ? is urgent.
 */
struct scene {
	const char *name;
	const char *sends[5];
	const char *before;
	char byte;
	const char *rest;
	unsigned on;
	enum {
		BOTH,
		SEPARATE,
		INLINE
	} delivery;
};

static const struct scene scenes[] = {
	/* clang-format off */
	{ "mark_first", { "!", "de" }, "", '!', "de", EVERYWHERE, BOTH },
	{ "mark_last", { "abc!" }, "abc", '!', "", EVERYWHERE, BOTH },
	{ "mark_in_the_middle", { "ab!", "cd" }, "ab", '!', "cd", EVERYWHERE, BOTH },
	{ "only_the_urgent_byte", { "!" }, "", '!', "", EVERYWHERE, BOTH },
	{ "data_from_many_sends", { "a", "bc", "def", "!", "g" }, "abcdef", '!', "g", EVERYWHERE, BOTH },
	{ "second_mark_replaces_the_first", { "ab!", "cd?", "e" }, "ab!cd", '?', "e", EVERYWHERE, BOTH },
	/* The reader stands at the first mark when the second comes. RFC 6093
	 * section 3.3 has the byte discarded, and TCP of Linux does; AF_UNIX
	 * and inline delivery keep it as ordinary data. */
	{ "second_mark_at_the_first", { "!", "?", "e" }, "", '?', "e", ON_TCP, SEPARATE },
	{ "second_mark_at_the_first", { "!", "?", "e" }, "!", '?', "e", ON(UNIX), SEPARATE },
	{ "second_mark_at_the_first", { "!", "?", "e" }, "!", '?', "e", EVERYWHERE, INLINE },
	/* clang-format on */
};

struct act {
	const struct scene *scene;
	enum way way;
	bool in_line;
};

static void play(void **state)
{
	struct fixture *f = fixture(state);
	const struct act *act = f->row;
	const struct scene *scene = act->scene;
	struct walk w;
	const char *text;
	unsigned char byte = '.';

	assert_int_equal(oob_set_inline(f->s.receiver, act->in_line), 0);
	for (size_t i = 0; i < COUNT(scene->sends) && scene->sends[i]; i++) {
		text = scene->sends[i];
		if (strpbrk(text, "!?"))
			send_urgent(f, text);
		else
			send_text(f, text);
		await_arrival(f);
	}
	walk_begin(&w, 64);
	walk(&w, act->way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, act->way, scene->before);
	if (act->way != OOB) {
		assert_int_equal(oob_at_mark(f->s.receiver), 1);
		if (act->in_line)
			recv(f->s.receiver, &byte, 1, MSG_DONTWAIT);
		else
			oob_recv_urgent(f->s.receiver, &byte);
		w.byte = byte;
	}
	assert_int_equal(w.byte, scene->byte);
	expect_rest(f, scene->rest);
	walk_end(&w);
}

static void without_a_mark_it_ends_at_the_deadline(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	storm_begin();
	walk(&w, way, f->s.receiver, BRIEFLY);
	storm_end();
	assert_true(storm_signals > 0);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	walk_end(&w);
}

static void a_second_call_goes_on_where_the_first_ended(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	walk(&w, way, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, way, "abc");
	walk(&w, way, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	send_urgent(f, "de!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, way == DISCARD ? "de" : "abcde");
	walk_end(&w);
}

static void the_end_of_the_stream_is_no_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	close_end(&f->s.sender);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 0);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	walk_end(&w);
}

static void a_mark_at_the_end_is_a_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	close_end(&f->s.sender);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, "ab");
	if (way == OOB) {
		assert_int_equal(w.byte, '!');
		walk(&w, way, f->s.receiver, SOON);
		assert_int_equal(w.ret, 0);
		expect_before(&w, way, "ab");
	}
	walk_end(&w);
}

static void a_reset_is_an_error_behind_the_data(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 64);
	send_text(f, "abc");
	await_arrival(f);
	reset_sender(&f->s, f->transport);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, -ECONNRESET);
	expect_before(&w, way, "abc");
	walk_end(&w);
}

static void full_memory_leaves_the_rest_in_the_socket(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	if (way == DISCARD)
		return;
	walk_begin(&w, 3);
	send_urgent(f, "abcde!");
	await_arrival(f);
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, -ENOBUFS);
	expect_before(&w, way, "abc");
	assert_int_equal(w.byte, '.');
	w.before.limit = 5;
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.before.len, 5);
	assert_memory_equal(w.before.data, "abcde", 5);
	walk_end(&w);
}

static void no_memory_is_needed_at_the_mark(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 0);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, way, "");
	if (way == OOB)
		assert_int_equal(w.byte, '!');
	walk_end(&w);
}

/* With no room left, it may still be that the mark comes next. */
static void full_memory_waits_for_what_comes_next(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, 2);
	send_text(f, "ab");
	await_arrival(f);
	walk(&w, way, f->s.receiver, BRIEFLY);
	assert_int_equal(w.ret, -ETIMEDOUT);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	walk_end(&w);
}

#define FILLER 65536

/* The byte is announced with the data before it still at the sender. */
static void a_byte_held_back_by_a_full_window_comes(void **state)
{
	struct fixture *f = fixture(state);
	static const char filler[FILLER];
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, FILLER);
	assert_int_equal(oob_send(f->s.sender, filler, FILLER, NULL, SOON), 0);
	send_urgent(f, "!");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.len, FILLER);
	if (way == OOB)
		assert_int_equal(w.byte, '!');
	walk_end(&w);
}

static void a_mark_replaced_before_it_comes_is_data(void **state)
{
	struct fixture *f = fixture(state);
	static const char filler[FILLER];
	enum way way = way_of(f);
	struct walk w;

	walk_begin(&w, FILLER + 2);
	assert_int_equal(oob_send(f->s.sender, filler, FILLER, NULL, SOON), 0);
	send_urgent(f, "!");
	send_urgent(f, "a?");
	walk(&w, way, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	assert_int_equal(w.len, FILLER + 2);
	if (way != DISCARD)
		assert_memory_equal(w.before.data + FILLER, "!a", 2);
	if (way == OOB)
		assert_int_equal(w.byte, '?');
	walk_end(&w);
}

static void what_is_no_socket_is_refused(void **state)
{
	struct fixture *f = fixture(state);
	enum way way = way_of(f);
	struct walk w;
	int p[2];

	walk_begin(&w, 64);
	assert_int_equal(pipe(p), 0);
	walk(&w, way, p[0], SOON);
	assert_int_equal(w.ret, -ENOTSOCK);
	expect_before(&w, way, "");
	close(p[0]);
	close(p[1]);
	walk(&w, way, p[0], SOON);
	assert_int_equal(w.ret, -EBADF);
	walk_end(&w);
}

static void a_byte_taken_ahead_is_passed(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = '.';
	struct walk w;

	walk_begin(&w, 64);
	send_urgent(f, "ab!");
	await_arrival(f);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), 1);
	send_text(f, "cd");
	await_arrival(f);
	walk(&w, BUFFER, f->s.receiver, SOON);
	assert_int_equal(w.ret, 1);
	expect_before(&w, BUFFER, "ab");
	walk(&w, OOB, f->s.receiver, NOW);
	assert_int_equal(w.ret, -ETIMEDOUT);
	expect_before(&w, OOB, "abcd");
	walk_end(&w);
}

/* clang-format off */
static const struct plan each_way[] = {
	PLAN(without_a_mark_it_ends_at_the_deadline),
	PLAN(a_second_call_goes_on_where_the_first_ended),
	PLAN(the_end_of_the_stream_is_no_mark),
	PLAN(a_mark_at_the_end_is_a_mark),
	PLAN(a_reset_is_an_error_behind_the_data),
	PLAN(full_memory_leaves_the_rest_in_the_socket),
	PLAN(no_memory_is_needed_at_the_mark),
	PLAN(full_memory_waits_for_what_comes_next),
	PLAN(a_byte_held_back_by_a_full_window_comes, .buffers = { 1 << 20, 4096 }),
	PLAN(a_mark_replaced_before_it_comes_is_data, .buffers = { 1 << 20, 4096 }),
	PLAN(what_is_no_socket_is_refused),
};
/* clang-format on */

#define ACTS (COUNT(scenes) * WAYS * 2)

static size_t add_scenes(struct CMUnitTest *tests, size_t n)
{
	static struct plan plans[ACTS];
	static struct act acts[ACTS];
	static char names[ACTS][96];
	size_t k = 0;

	for (size_t i = 0; i < ACTS; i++) {
		const struct scene *scene = &scenes[i / 2 / WAYS];
		bool in_line = i % 2;

		if (scene->delivery == (in_line ? SEPARATE : INLINE))
			continue;
		acts[k] = (struct act){ scene, i / 2 % WAYS, in_line };
		snprintf(names[k], sizeof(names[k]), "%s, %s%s", scene->name,
			 way_name[acts[k].way], in_line ? ", inline" : "");
		plans[k] = (struct plan){ .name = names[k],
					  .body = play,
					  .on = scene->on,
					  .row = &acts[k] };
		n = add_cases(tests, n, &plans[k]);
		k++;
	}
	return n;
}

int main(void)
{
	static const struct plan ahead = PLAN(a_byte_taken_ahead_is_passed);
	static struct CMUnitTest tests[TESTS_MAX];
	size_t n;

	n = add_scenes(tests, 0);
	for (size_t i = 0; i < COUNT(each_way); i++)
		n = add_each_way(tests, n, &each_way[i]);
	add_cases(tests, n, &ahead);
	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
