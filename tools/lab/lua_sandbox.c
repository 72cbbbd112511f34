#include "tools/lab/lua_sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oob/deadline.h"
#include "tools/lab/event.h"
#include "tools/lab/lab.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/trial.h"

#define HOOK_INSTRUCTIONS  10000
#define TITLE_INSTRUCTIONS 100000 /* to get to the title */

/* What a state's allocator and hook need; the allocator's argument. */
struct sandbox {
	struct lab *lab; /* NULL while only a title is looked for */
	struct trial_shared *shared;
	size_t used;
	bool skipped;
	bool over_time;
};

static void *limited_alloc(void *ud, void *ptr, size_t old, size_t size)
{
	struct sandbox *box = ud;
	void *p;

	if (!ptr)
		old = 0; /* Lua passes the kind of object here */
	if (size == 0) {
		free(ptr);
		box->used -= old;
		return NULL;
	}
	if (size > old && box->used + (size - old) > SANDBOX_MEMORY_BYTES)
		return NULL;
	p = realloc(ptr, size);
	if (p)
		box->used += size - old;
	return p;
}

static struct sandbox *sandbox_of(lua_State *L)
{
	void *box;

	lua_getallocf(L, &box);
	return box;
}

struct lab *sandbox_lab(lua_State *L)
{
	return sandbox_of(L)->lab;
}

/*
 * Runs at each line, so that the run knows where a trial stood that it has to
 * kill, and after each 10,000 instructions. No hook interrupts one long C
 * function such as string.rep(): that is what the run's own clock is for.
 */
static void hook(lua_State *L, lua_Debug *at)
{
	struct sandbox *box = sandbox_of(L);

	if (at->event == LUA_HOOKLINE) {
		box->lab->line = at->currentline;
		box->shared->line = at->currentline;
	}
	if (box->skipped)
		luaL_error(L, "skipped");
	if (oob_now_ns() < box->lab->deadline_ns)
		return;
	box->over_time = true;
	luaL_error(L, "time limit of %f s reached", box->lab->timeout_s);
}

int sandbox_skip(lua_State *L, const char *why)
{
	struct sandbox *box = sandbox_of(L);

	box->skipped = true;
	if (!box->lab->failures && !box->lab->broken)
		box->lab->why[0] = '\0';
	lab_why(box->lab, "%s", why);
	return luaL_error(L, "skipped");
}

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
		{ LUA_COLIBNAME, luaopen_coroutine },
	};
	/* They load files or bytecode, or reach past the limits. */
	static const char *const removed[] = { "dofile", "loadfile", "load",
					       "collectgarbage" };

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
		lua_pushnil(L);
		lua_setglobal(L, removed[i]);
	}
	lua_getglobal(L, LUA_STRLIBNAME);
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	lua_pop(L, 1);
}

static int add_traceback(lua_State *L)
{
	const char *message = luaL_tolstring(L, 1, NULL);

	luaL_traceback(L, L, message, 1);
	return 1;
}

/* Everything that may raise an error, so that none goes unprotected. */
static int run_chunk(lua_State *L)
{
	const struct trial_job *job = lua_touserdata(L, 1);
	char name[512];

	open_libraries(L);
	card_open(L);
	snprintf(name, sizeof(name), "@%s", job->path);
	lua_settop(L, 0);
	lua_pushcfunction(L, add_traceback);
	if (luaL_loadbufferx(L, job->text, job->text_len, name, "t"))
		return lua_error(L);
	lua_sethook(L, hook, LUA_MASKLINE | LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
	if (lua_pcall(L, 0, 0, 1))
		return lua_error(L);
	return 0;
}

/*
 * What stands behind the chunk's name in `message`, NULL where that is not
 * what it begins with: memory errors have no place. Of a long name Lua shows
 * the end alone, behind "...".
 */
static const char *behind_name(const char *message, const char *path)
{
	size_t len = strlen(path), shown = LUA_IDSIZE - sizeof("...");

	if (len >= LUA_IDSIZE && !strncmp(message, "...", 3)) {
		message += 3;
		path += len - shown;
		len = shown;
	}
	return strncmp(message, path, len) || message[len] != ':'
		       ? NULL
		       : message + len;
}

/* The first line of a traceback is the error itself. */
static void report_error(struct sandbox *box, const struct trial_job *job,
			 const char *message)
{
	const char *behind = behind_name(message, job->path);
	struct lab *lab = box->lab;
	char text[2048];

	if (behind)
		snprintf(text, sizeof(text), "%s%s", job->path, behind);
	else
		snprintf(text, sizeof(text), "%s:%d: %s", job->path, lab->line,
			 message);
	event_text(lab, "error", text);
	lab->why[0] = '\0';
	lab_why(lab, "%.*s", (int)strcspn(text, "\n"), text);
}

enum sandbox_end sandbox_run(struct lab *lab, const struct trial_job *job,
			     struct trial_shared *shared)
{
	struct sandbox box = { .lab = lab, .shared = shared };
	enum sandbox_end end = SANDBOX_DONE;
	lua_State *L = lua_newstate(limited_alloc, &box);
	const char *message = NULL;

	if (!L) {
		lab_why(lab, "no memory for a Lua state");
		return SANDBOX_ERROR;
	}
	lua_pushcfunction(L, run_chunk);
	lua_pushlightuserdata(L, (void *)job);
	/*
	 * It may have caught the error that was to end it, or have ended by a
	 * wait that the limit cut short: what it then saw was not so.
	 */
	if (lua_pcall(L, 1, 0, 0)) {
		message = lua_tostring(L, -1);
		end = SANDBOX_ERROR;
	} else if (box.over_time || oob_now_ns() >= lab->deadline_ns) {
		message = "time limit reached";
		end = SANDBOX_ERROR;
	}
	if (box.skipped)
		end = SANDBOX_SKIPPED;
	if (end == SANDBOX_ERROR)
		report_error(&box, job, message ? message : "error");
	lua_close(L);
	return end;
}

/* Ends the search: the title is the first thing said. */
static int take_title(lua_State *L)
{
	lua_settop(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "title");
	return luaL_error(L, "found");
}

static int ignore(lua_State *L)
{
	(void)L;
	return 0;
}

static int ignore_any(lua_State *L)
{
	lua_pushcfunction(L, ignore);
	return 1;
}

static void stop(lua_State *L, lua_Debug *at)
{
	(void)at;
	luaL_error(L, "no title");
}

struct title_search {
	const char *text;
	size_t len;
	char *title;
	size_t size;
};

static int find_title(lua_State *L)
{
	struct title_search *search = lua_touserdata(L, 1);
	const char *title;

	lua_pushcfunction(L, take_title);
	lua_setglobal(L, "title");
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_pushcfunction(L, ignore_any);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	if (luaL_loadbufferx(L, search->text, search->len, "=title", "t"))
		return 0;
	lua_sethook(L, stop, LUA_MASKCOUNT, TITLE_INSTRUCTIONS);
	lua_pcall(L, 0, 0, 0);
	lua_sethook(L, NULL, 0, 0);
	lua_getfield(L, LUA_REGISTRYINDEX, "title");
	title = lua_tostring(L, -1);
	if (title)
		snprintf(search->title, search->size, "%s", title);
	return 0;
}

void sandbox_title(const char *text, size_t len, char *title, size_t size)
{
	struct sandbox box = { .lab = NULL };
	struct title_search search = { text, len, title, size };
	lua_State *L = lua_newstate(limited_alloc, &box);

	title[0] = '\0';
	if (!L)
		return;
	lua_pushcfunction(L, find_title);
	lua_pushlightuserdata(L, &search);
	lua_pcall(L, 1, 0, 0);
	lua_close(L);
}
