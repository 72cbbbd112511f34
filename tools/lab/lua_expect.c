/* expect() and expect_error(): what an experiment claims. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lab/event.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/names.h"
#include "tools/text.h"

#define SHOWN_BYTES 64 /* of a string in a failed expectation */
#define TABLE_DEPTH 8
#define KEYS_SHOWN  32 /* of a table */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * A table's names, sorted: Lua's own order changes from run to run. `*all`
 * keys there are, of whatever type.
 */
static size_t sorted_keys(lua_State *L, int index, const char *keys[KEYS_SHOWN],
			  size_t *all)
{
	size_t n = 0;

	*all = 0;
	lua_pushnil(L);
	while (lua_next(L, index)) {
		++*all;
		/* The table keeps the strings. */
		if (lua_type(L, -2) == LUA_TSTRING && n < KEYS_SHOWN)
			keys[n++] = lua_tostring(L, -2);
		lua_pop(L, 1);
	}
	qsort(keys, n, sizeof(*keys), by_text);
	return n;
}

/* A name as Lua would have it: name=, else ["any text"]=. */
static void describe_name(const char *name, struct text *t)
{
	size_t len = strlen(name);

	if (len &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz_"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len) {
		text_add(t, "%s=", name);
		return;
	}
	text_add(t, "[");
	text_add_bytes(t, name, len, SHOWN_BYTES);
	text_add(t, "]=");
}

static void describe_table(lua_State *L, int index, struct text *t)
{
	const char *keys[KEYS_SHOWN] = { NULL }, *comma = "";
	size_t all, n = sorted_keys(L, index, keys, &all);
	lua_Integer i;

	text_add(t, "{");
	/* What would be cut off shows nowhere, however long it is. */
	for (i = 1; lua_rawgeti(L, index, i) != LUA_TNIL && !t->cut; i++) {
		text_add(t, "%s", comma);
		card_describe(L, lua_gettop(L), t);
		lua_pop(L, 1);
		comma = ", ";
	}
	lua_pop(L, 1);
	for (size_t k = 0; k < n; k++) {
		text_add(t, "%s", comma);
		describe_name(keys[k], t);
		lua_getfield(L, index, keys[k]);
		card_describe(L, lua_gettop(L), t);
		lua_pop(L, 1);
		comma = ", ";
	}
	if (n + (size_t)i - 1 < all)
		text_add(t, "%s...", comma);
	text_add(t, "}");
}

void card_describe(lua_State *L, int index, struct text *t)
{
	const char *s;
	size_t len;

	index = lua_absindex(L, index);
	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		s = lua_tolstring(L, index, &len);
		text_add_bytes(t, s, len, SHOWN_BYTES);
		return;
	case LUA_TTABLE:
		if (t->len < TEXT_MAX / 2 && lua_checkstack(L, 4)) {
			describe_table(L, index, t);
			return;
		}
		break;
	}
	text_add(t, "%s", luaL_tolstring(L, index, NULL));
	lua_pop(L, 1);
}

/* Every key of the table at `a` is the same in the one at `b`. */
static bool same_values(lua_State *L, int a, int b, int depth);

static bool covers(lua_State *L, int a, int b, int depth)
{
	bool same = true;

	lua_pushnil(L);
	while (same && lua_next(L, a)) {
		lua_pushvalue(L, -2);
		lua_rawget(L, b);
		same = same_values(L, lua_gettop(L) - 1, lua_gettop(L),
				   depth + 1);
		lua_pop(L, 2);
	}
	if (!same)
		lua_pop(L, 1); /* the key */
	return same;
}

static bool same_values(lua_State *L, int a, int b, int depth)
{
	if (lua_compare(L, a, b, LUA_OPEQ))
		return true;
	if (!lua_istable(L, a) || !lua_istable(L, b) || depth > TABLE_DEPTH)
		return false;
	luaL_checkstack(L, 8, "nested tables");
	return covers(L, a, b, depth) && covers(L, b, a, depth);
}

void card_judge(lua_State *L, bool held, const char *want, const char *got)
{
	struct lab *lab = sandbox_lab(L);
	struct text why;

	lab->expectations++;
	event_expect(lab, held, want, got);
	if (held)
		return;
	lab->failures++;
	text_clear(&why);
	luaL_where(L, 1);
	text_add(&why, "%sexpected %s, got %s", lua_tostring(L, -1), want, got);
	lua_pop(L, 1);
	lab_why(lab, "%s", why.s);
}

/* All that was given from `first` on: a refused call gives nil and a name. */
static void describe_rest(lua_State *L, int first, struct text *t)
{
	int top = lua_gettop(L);

	if (first > top)
		text_add(t, "nothing");
	for (int i = first; i <= top; i++) {
		text_add(t, i > first ? ", " : "");
		card_describe(L, i, t);
	}
}

static int expect(lua_State *L)
{
	struct text want, got;
	bool held;

	luaL_checkany(L, 1);
	if (lua_gettop(L) < 2)
		lua_settop(L, 2); /* a call that returned nothing is nil */
	held = same_values(L, 1, 2, 0);
	text_clear(&want);
	text_clear(&got);
	card_describe(L, 1, &want);
	describe_rest(L, 2, &got);
	card_judge(L, held, want.s, got.s);
	lua_pushboolean(L, held);
	return 1;
}

static int expect_error(lua_State *L)
{
	const char *want = luaL_checkstring(L, 1);
	struct text wanted, got;
	bool held;

	luaL_argcheck(L, names_errno_value(want), 1,
		      "name of an error expected");
	held = lua_isnil(L, 2) && lua_type(L, 3) == LUA_TSTRING &&
	       names_errno_value(lua_tostring(L, 3)) == names_errno_value(want);
	text_clear(&wanted);
	text_add(&wanted, "%s", want);
	text_clear(&got);
	describe_rest(L, 2, &got);
	card_judge(L, held, wanted.s, got.s);
	lua_pushboolean(L, held);
	return 1;
}

void card_open_expect(lua_State *L)
{
	lua_register(L, "expect", expect);
	lua_register(L, "expect_error", expect_error);
}
