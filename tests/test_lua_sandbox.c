#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "oob/deadline.h"
#include "tests/listener.h"
#include "tests/streams.h"
#include "tools/lab/lab.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/trial.h"

/* A chunk, and how it ends. */
struct chunk {
	const char *name;
	const char *text;
	enum sandbox_end end;
	unsigned expectations, failures;
	const char *why;   /* begins so */
	int64_t within_ns; /* 0: enough */
	const char *path;  /* NULL: x.lua */
};

#define LONG_PATH                                                              \
	"/a/path/that/is/longer/than/what/lua/keeps/of/the/name/of/a/"         \
	"chunk/experiment.lua"

/* clang-format off */
static const struct chunk chunks[] = {
	{ "empty_chunk_ends", "", .end = SANDBOX_DONE },
	{ "expectations_are_counted", "expect(1, 1) expect(1, 2) expect(3, 4)", SANDBOX_DONE, .expectations = 3, .failures = 2, .why = "x.lua:1: expected 1, got 2" },

	/* errors have a place */
	{ "syntax_error", "x = = 1", SANDBOX_ERROR, .why = "x.lua:1: unexpected symbol near '='" },
	{ "runtime_error", "\n\nlocal x = nil + 1", SANDBOX_ERROR, .why = "x.lua:3: attempt to perform arithmetic on a nil value" },
	{ "error_in_a_function_called", "local function f()\nerror 'f'\nend\nf()", SANDBOX_ERROR, .why = "x.lua:2: f" },
	{ "error_without_a_place", "\nerror('bare', 0)", SANDBOX_ERROR, .why = "x.lua:2: bare" },
	{ "error_that_is_a_table", "error {}", SANDBOX_ERROR, .why = "x.lua:1: table: " },
	{ "error_that_is_nil", "error()", SANDBOX_ERROR, .why = "x.lua:1: nil" },
	{ "error_whose_text_fails", "error(setmetatable({}, { __tostring = function() error 'again' end }))", SANDBOX_ERROR, .why = "x.lua:1: " },
	{ "error_of_a_long_path", "error 'far'", SANDBOX_ERROR, .why = LONG_PATH ":1: far", .path = LONG_PATH },
	{ "error_that_looks_like_a_place", "error('x.lua.old:1: no', 0)", SANDBOX_ERROR, .why = "x.lua:1: x.lua.old:1: no" },
	{ "error_of_several_lines", "error 'one\\ntwo'", SANDBOX_ERROR, .why = "x.lua:1: one" },
	{ "error_in_a_coroutine", "coroutine.wrap(function() error 'in it' end)()", SANDBOX_ERROR, .why = "x.lua:1: x.lua:1: in it" },
	{ "endless_recursion", "local function f() return 1 + f() end f()", SANDBOX_ERROR, .why = "x.lua:1: not enough memory" },
	{ "wrong_argument_type", "sleep {}", SANDBOX_ERROR, .why = "x.lua:1: bad argument #1 to 'sleep'" },

	/* what is not there */
	{ "no_io", "local f = io.open", SANDBOX_ERROR, .why = "x.lua:1: attempt to index a nil value (global 'io')" },
	{ "no_os", "os.exit()", SANDBOX_ERROR, .why = "x.lua:1: attempt to index a nil value (global 'os')" },
	{ "no_debug", "debug.sethook()", SANDBOX_ERROR, .why = "x.lua:1: attempt to index a nil value (global 'debug')" },
	{ "no_package", "require 'io'", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (global 'require')" },
	{ "no_load", "load 'x = 1'", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (global 'load')" },
	{ "no_loadfile", "loadfile '/etc/passwd'", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (global 'loadfile')" },
	{ "no_dofile", "dofile '/etc/passwd'", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (global 'dofile')" },
	{ "no_collectgarbage", "collectgarbage 'stop'", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (global 'collectgarbage')" },
	{ "no_string_dump", "string.dump(print)", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (field 'dump')" },
	{ "no_string_dump_by_method", "(''):dump()", SANDBOX_ERROR, .why = "x.lua:1: attempt to call a nil value (method 'dump')" },
	{ "no_bytecode", "\x1bLua", SANDBOX_ERROR, .why = "x.lua:0: attempt to load a binary chunk" },
	{ "no_metatable_of_a_program", "assert(getmetatable(program 'a') == false)", .end = SANDBOX_DONE },

	/* limits */
	{ "memory_in_one_string", "\nlocal s = ('x'):rep(1 << 30)", SANDBOX_ERROR, .why = "x.lua:2: not enough memory" },
	{ "memory_in_many_tables", "local t = {}\nwhile true do t[#t + 1] = {} end", SANDBOX_ERROR, .why = "x.lua:2: not enough memory" },
	{ "memory_error_that_was_caught", "pcall(string.rep, 'x', 1 << 30) expect(1, 1)", SANDBOX_DONE, .expectations = 1 },
	{ "endless_loop", "while true do end", SANDBOX_ERROR, .why = "x.lua:1: time limit of 0.2 s reached", .within_ns = 200 * MS },
	{ "endless_loop_in_a_coroutine", "coroutine.wrap(function() while true do end end)()", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "endless_recursion_by_tail_calls", "local function f() return f() end f()", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "endless_loop_that_catches", "while true do pcall(function() while true do end end) end", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "endless_loop_that_catches_by_goto", "::again:: pcall(error) goto again", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "endless_loop_in_coroutines", "while true do coroutine.resume(coroutine.create(function() while true do end end)) end", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "time_limit_that_was_caught", "pcall(function() while true do end end)", SANDBOX_ERROR, .why = "x.lua:1: time limit reached", .within_ns = 200 * MS },
	{ "wait_that_the_limit_cut_short", "expect_error(ETIMEDOUT, program('a'):wait_signal(SIGURG, 60))", SANDBOX_ERROR, .expectations = 1, .why = "x.lua:1: time limit", .within_ns = 200 * MS },
	{ "sleep_past_the_limit", "sleep(60)", SANDBOX_ERROR, .why = "x.lua:1: time limit", .within_ns = 200 * MS },

	/* skip */
	{ "skip_ends_it", "skip 'why' error 'not here'", SANDBOX_SKIPPED, .why = "why" },
	{ "skip_that_was_caught", "pcall(skip, 'why')\nerror 'not here'", SANDBOX_SKIPPED, .why = "why" },
	{ "skip_that_was_caught_last", "pcall(skip, 'why')", SANDBOX_SKIPPED, .why = "why" },
	{ "skip_in_a_coroutine", "coroutine.resume(coroutine.create(skip), 'why')", SANDBOX_SKIPPED, .why = "why" },
	{ "skip_says_what_failed_before", "expect(1, 2) skip 'why'", SANDBOX_SKIPPED, .expectations = 1, .failures = 1, .why = "x.lua:1: expected 1, got 2" },
	{ "needs_what_is_not_there", "needs { 'tcp' }", SANDBOX_SKIPPED, .why = "about TCP only" },
	{ "needs_what_is_there", "needs { 'unix' } expect(1, 1)", SANDBOX_DONE, .expectations = 1 },
	{ "needs_what_nobody_knows", "needs { 'a flying carpet' }", SANDBOX_SKIPPED, .why = "needs \"a flying carpet\"" },
};
/* clang-format on */

static void test_chunk(void **state)
{
	const struct chunk *c = *state;
	int64_t within_ns = c->within_ns ? c->within_ns : 10000 * MS;
	struct trial_shared shared = { 0 };
	struct trial_job job = { .path = c->path ? c->path : "x.lua",
				 .text = c->text,
				 .text_len = strlen(c->text) };
	struct lab lab = { .experiment = "x",
			   .transport = "unix",
			   .t0_ns = lab_realtime_ns(),
			   .deadline_ns = oob_deadline_in(within_ns),
			   .timeout_s = (double)within_ns / 1e9 };
	pid_t run = open_listener(&lab.out);
	int fds = count_fds();

	assert_true(run > 0);
	assert_int_equal(sandbox_run(&lab, &job, &shared), c->end);
	lab_close(&lab);
	assert_int_equal(count_fds(), fds);
	close(lab.out);
	waitpid(run, NULL, 0);
	assert_int_equal(lab.expectations, c->expectations);
	assert_int_equal(lab.failures, c->failures);
	if (!c->why)
		assert_string_equal(lab.why, "");
	else if (strncmp(lab.why, c->why, strlen(c->why)))
		assert_string_equal(lab.why, c->why);
}

/* The title of a chunk, and of what has none. */
struct titled {
	const char *name;
	const char *text;
	const char *title;
};

/* clang-format off */
static const struct titled titles[] = {
	{ "title_is_found", "title 'A title'", "A title" },
	{ "title_behind_other_things", "-- text\nabout [[ long ]]\ntitle 'late'", "late" },
	{ "title_behind_calls_of_anything", "local s, r = connect()\nneeds { 'tcp' }\ntitle 'late'", "late" },
	{ "first_title_counts", "title 'one' title 'two'", "one" },
	{ "title_is_cut", "title '0123456789abcdef'", "0123456789abcde" },
	{ "nothing_behind_the_title_runs", "title 'x' while true do end", "x" },
	{ "no_title", "local x = 1", "" },
	{ "no_title_in_an_empty_text", "", "" },
	{ "no_title_in_bad_syntax", "title 'x' = =", "" },
	{ "no_title_in_bytecode", "\x1bLuaT", "" },
	{ "title_that_is_no_text", "title {}", "" },
	{ "title_that_is_a_number", "title(7)", "7" },
	{ "title_behind_an_error", "local x = nil + 1 title 'x'", "" },
	{ "title_behind_an_endless_loop", "while true do end title 'x'", "" },
	{ "no_library_keeps_it_busy", "string.rep('x', 1 << 40)\ntitle 'x'", "" },
	{ "no_method_keeps_it_busy", "local s = ('x'):rep(1 << 40)\ntitle 'x'", "" },
	{ "nothing_catches_the_limit", "while true do pcall(function() while true do end end) end", "" },
	{ "nothing_is_left_to_be_collected", "setmetatable({}, { __gc = function() while true do end end }) title 'x'", "x" },
};
/* clang-format on */

static void test_title(void **state)
{
	const struct titled *t = *state;
	char title[16];

	alarm(20); /* it ends at once, or not at all */
	sandbox_title(t->text, strlen(t->text), title, sizeof(title));
	alarm(0);
	assert_string_equal(title, t->title);
}

struct bytes {
	char at[1024];
	size_t len;
};

static int append(lua_State *L, const void *bytes, size_t len, void *to)
{
	struct bytes *b = to;

	(void)L;
	if (len > sizeof(b->at) - b->len)
		return 1;
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
	return 0;
}

/* What would run, and have a title, were it allowed. */
static void bytecode_is_refused(void **state)
{
	lua_State *L = luaL_newstate();
	struct trial_shared shared = { 0 };
	struct trial_job job = { .path = "x.lua" };
	struct lab lab = { .transport = "unix", .deadline_ns = SOON };
	struct bytes code = { .len = 0 };
	pid_t run = open_listener(&lab.out);
	char title[16];

	(void)state;
	assert_int_equal(luaL_loadstring(L, "title 'x'"), LUA_OK);
	assert_int_equal(lua_dump(L, append, &code, 0), 0);
	lua_close(L);
	sandbox_title(code.at, code.len, title, sizeof(title));
	assert_string_equal(title, "");
	job.text = code.at;
	job.text_len = code.len;
	assert_int_equal(sandbox_run(&lab, &job, &shared), SANDBOX_ERROR);
	close(lab.out);
	waitpid(run, NULL, 0);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(chunks) + COUNT(titles) + 1];

	for (size_t i = 0; i < COUNT(chunks); i++)
		tests[i] = (struct CMUnitTest){
			.name = chunks[i].name,
			.test_func = test_chunk,
			.initial_state = (void *)&chunks[i],
		};
	for (size_t i = 0; i < COUNT(titles); i++)
		tests[COUNT(chunks) + i] = (struct CMUnitTest){
			.name = titles[i].name,
			.test_func = test_title,
			.initial_state = (void *)&titles[i],
		};
	tests[COUNT(chunks) + COUNT(titles)] =
		(struct CMUnitTest)cmocka_unit_test(bytecode_is_refused);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
