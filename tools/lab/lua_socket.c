/* A socket's methods: each orders a call of its program and waits for it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>

#include "oob/deadline.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"

#define END	"ooblab.socket"
#define LATER	"ooblab.later"
#define PENDING "ooblab.call"

/* How long call:done() lets a call that was just woken come back. */
#define DONE_GRACE_NS 20000000

void card_push_end(lua_State *L, struct end *end)
{
	struct end **u;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, end) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	u = lua_newuserdatauv(L, sizeof(*u), 0);
	*u = end;
	luaL_setmetatable(L, END);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, end);
}

struct end *card_test_end(lua_State *L, int arg)
{
	struct end **u = luaL_testudata(L, arg, END);

	return u ? *u : NULL;
}

struct end *card_check_end(lua_State *L, int arg)
{
	return *(struct end **)luaL_checkudata(L, arg, END);
}

static void read_fcntl(lua_State *L, int arg, struct message *order)
{
	message_add_int(order, card_int(L, arg));
	if (!lua_istable(L, arg + 1)) {
		struct actor *actor = card_test_actor(L, arg + 1);

		message_add_int(order, actor ? actor->pid
					     : luaL_optinteger(L, arg + 1, 0));
		return;
	}
	message_add_int(order, card_integer_field(L, arg + 1, "fcntl", "type"));
	message_add_int(order, card_integer_field(L, arg + 1, "fcntl", "pid"));
}

static void read_select(lua_State *L, int arg, struct message *order)
{
	static const char *const sets[] = { "read", "write", "except",
					    "timeout", NULL };
	int64_t bits = 0;

	luaL_checktype(L, arg, LUA_TTABLE);
	card_check_fields(L, arg, "select", sets);
	for (int i = 0; i < 3; i++) {
		lua_getfield(L, arg, sets[i]);
		bits |= lua_toboolean(L, -1) ? 1 << i : 0;
	}
	lua_getfield(L, arg, "timeout");
	message_add_int(order, bits);
	message_add_int(order, card_seconds(L, lua_gettop(L), -1));
}

static void read_letter(lua_State *L, int arg, char letter, int family,
			struct message *order)
{
	struct address a;
	const char *bytes;
	size_t len;

	switch (letter) {
	case 'n':
		message_add_int(order, card_int(L, arg));
		return;
	case 'L':
		message_add_int(order, card_int(L, arg));
		luaL_argcheck(L,
			      lua_tointeger(L, arg) >= 0 &&
				      lua_tointeger(L, arg) <= CALL_RECEIVE_MAX,
			      arg, "length of up to 16 MiB expected");
		return;
	case 'N':
		message_add_int(order, luaL_opt(L, card_int, arg, 0));
		return;
	case 'B':
		message_add_int(order, luaL_opt(L, card_int, arg, SOMAXCONN));
		return;
	case 'T':
		message_add_int(order, card_seconds(L, arg, -1));
		return;
	case 'b':
		bytes = luaL_checklstring(L, arg, &len);
		message_add_bytes(order, bytes, len);
		return;
	case 'a':
		card_read_address(L, arg, family, &a);
		lua_pushlstring(L, (const char *)&a.sa, a.len);
		message_add_bytes(order, lua_tostring(L, -1), a.len);
		return;
	case 'O':
		card_read_option(L, arg, order);
		return;
	case 'F':
		read_fcntl(L, arg, order);
		return;
	case 'S':
		read_select(L, arg, order);
		return;
	}
}

static void read_arguments(lua_State *L, const struct call *row,
			   struct end *end, struct message *order)
{
	message_add_int(order, end->fd);
	for (size_t i = 0; row->takes[i]; i++)
		read_letter(L, 2 + (int)i, row->takes[i], end->family, order);
}

static int give_socket(lua_State *L, struct pending *call)
{
	if (!call->made)
		return luaL_error(L, "not enough memory");
	assert(call->end); /* accept() is a method of a socket */
	call->made->family = call->end->family;
	card_push_end(L, call->made);
	card_push_address(L, &call->made->peer);
	return 2;
}

static void push_bytes(lua_State *L, const struct value *v)
{
	lua_pushlstring(L, (const char *)v->bytes, v->len);
}

static void push_integer_field(lua_State *L, const char *key, lua_Integer n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, key);
}

static int give_fcntl(lua_State *L, const struct pending *call)
{
	int64_t cmd = message_int(call->order, 1, 0);
	const struct message *r = call->reply;

	if (cmd == F_GETOWN_EX) {
		lua_newtable(L);
		push_integer_field(L, "type", message_int(r, 1, 0));
		push_integer_field(L, "pid", message_int(r, 2, 0));
		return 1;
	}
	lua_pushinteger(L, message_int(r, cmd == F_GETOWN ? 1 : 0, 0));
	return 1;
}

static int give_select(lua_State *L, int64_t ready)
{
	static const char *const sets[] = { "read", "write", "except" };

	lua_newtable(L);
	for (int i = 0; i < 3; i++) {
		if (!(ready & 1 << i))
			continue;
		lua_pushboolean(L, true);
		lua_setfield(L, -2, sets[i]);
	}
	return 1;
}

/* The urgent byte (nil: the stream ended) and the data before it. */
static int give_urgent(lua_State *L, const struct message *r)
{
	char byte = (char)message_int(r, 2, 0);

	if (message_int(r, 0, 0) == 1)
		lua_pushlstring(L, &byte, 1);
	else
		lua_pushnil(L);
	push_bytes(L, &r->v[1]);
	return 2;
}

/* A refusal: nil, its name, and what liboob had read by then. */
static int give_error(lua_State *L, char gives, const struct message *r)
{
	card_push_error(L, -message_int(r, 0, -EIO));
	if (gives == 'd')
		lua_pushinteger(L, message_int(r, 1, 0));
	else if (gives == 'm' || gives == 'u')
		push_bytes(L, &r->v[1]);
	else
		return 2;
	return 3;
}

/* What the method returns for the reply that came. */
static int give(lua_State *L, struct pending *call)
{
	const struct message *r = call->reply;
	char gives = calls[call->order->call]->gives;
	int64_t ret = message_int(r, 0, -EIO);
	struct address a;

	if (ret < 0)
		return give_error(L, gives, r);
	switch (gives) {
	case 'b':
	case 'm':
		push_bytes(L, &r->v[1]);
		return 1;
	case 'a':
		a = address_from(r->v[1].bytes, r->v[1].len);
		card_push_address(L, &a);
		return 1;
	case 's':
		return give_socket(L, call);
	case 'r':
	case 'd':
	case 'v':
		lua_pushinteger(L, message_int(r, 1, 0));
		return 1;
	case 'o':
		card_push_option(L, call->order, &r->v[1]);
		return 1;
	case 'f':
		return give_fcntl(L, call);
	case 'x':
		return give_select(L, message_int(r, 1, 0));
	case 'u':
		return give_urgent(L, r);
	default:
		lua_pushinteger(L, ret);
		return 1;
	}
}

static struct pending *order_method(lua_State *L, struct end *end)
{
	uint32_t call = (uint32_t)lua_tointeger(L, lua_upvalueindex(1));
	struct message order = { .n = 0 };

	read_arguments(L, calls[call], end, &order);
	return card_order(L, end->actor, end, call, &order);
}

static int call_method(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	struct end *end = card_check_end(L, 1);
	struct pending *call = order_method(L, end);
	int n;

	card_await(L, call, OOB_NO_DEADLINE);
	lab_observe(lab, end);
	n = give(L, call);
	lab_release(lab, call);
	return n;
}

static int later_method(lua_State *L)
{
	struct end *end = *(struct end **)luaL_checkudata(L, 1, LATER);
	struct pending *call = order_method(L, end);
	struct pending **u = lua_newuserdatauv(L, sizeof(*u), 0);

	*u = call;
	call->later = true;
	luaL_setmetatable(L, PENDING);
	lab_settle(sandbox_lab(L), end->actor);
	return 1;
}

static struct pending *check_pending(lua_State *L)
{
	return *(struct pending **)luaL_checkudata(L, 1, PENDING);
}

/* Whether it came back; one just woken by another program has a moment. */
static int call_done(lua_State *L)
{
	struct pending *call = check_pending(L);
	int ret =
		lab_await(sandbox_lab(L), call, oob_deadline_in(DONE_GRACE_NS));

	lua_pushboolean(L, ret == 0);
	return 1;
}

static int call_result(lua_State *L)
{
	struct pending *call = check_pending(L);
	struct lab *lab = sandbox_lab(L);
	int ret = lab_await(lab, call, card_deadline(L, 2));

	if (ret == -ETIMEDOUT)
		return card_push_error(L, ETIMEDOUT);
	card_await(L, call, 0); /* a program that ended is an error */
	lab_observe(lab, call->end);
	return give(L, call);
}

static int forget_call(lua_State *L)
{
	struct pending **u = luaL_checkudata(L, 1, PENDING);

	lab_release(sandbox_lab(L), *u);
	*u = NULL;
	return 0;
}

static int fork_to(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	struct end *end = card_check_end(L, 1);
	struct actor *child = card_test_actor(L, 2);
	struct end *copy;

	if (!child)
		child = card_fork(L, end->actor, 2);
	copy = lab_end(lab, child, end->fd);
	if (!copy)
		return luaL_error(L, "not enough memory");
	copy->local = end->local;
	copy->peer = end->peer;
	copy->family = end->family;
	copy->other = end->other;
	card_push_end(L, copy);
	return 1;
}

static int index_end(lua_State *L)
{
	struct end *end = card_check_end(L, 1);
	const char *key = luaL_checkstring(L, 2);
	struct end **later;

	if (!strcmp(key, "program")) {
		card_push_actor(L, end->actor);
	} else if (!strcmp(key, "fd")) {
		lua_pushinteger(L, end->fd);
	} else if (!strcmp(key, "later")) {
		later = lua_newuserdatauv(L, sizeof(*later), 0);
		*later = end;
		luaL_setmetatable(L, LATER);
	} else if (luaL_getmetafield(L, 1, key) == LUA_TNIL) {
		return luaL_error(L, "a socket has no \"%s\"", key);
	}
	return 1;
}

static int index_methods(lua_State *L)
{
	const char *key = luaL_checkstring(L, 2);

	if (luaL_getmetafield(L, 1, key) == LUA_TNIL)
		return luaL_error(L, "there is no call \"%s\"", key);
	return 1;
}

static int end_text(lua_State *L)
{
	struct end *end = card_check_end(L, 1);

	lua_pushfstring(L, "socket %d of %s", end->fd, end->actor->name);
	return 1;
}

/* A metatable with the calls of all rows that are a socket's. */
static void new_methods(lua_State *L, const char *name, lua_CFunction method,
			lua_CFunction index)
{
	luaL_newmetatable(L, name);
	for (uint32_t i = 0; i < calls_count; i++) {
		if (!calls[i]->takes)
			continue;
		lua_pushinteger(L, i);
		lua_pushcclosure(L, method, 1);
		lua_setfield(L, -2, calls[i]->name);
	}
	lua_pushcfunction(L, index);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
}

void card_open_socket(lua_State *L)
{
	static const luaL_Reg pending[] = {
		{ "done", call_done },	 { "result", call_result },
		{ "__gc", forget_call }, { "__index", index_methods },
		{ NULL, NULL },
	};

	new_methods(L, END, call_method, index_end);
	lua_pushcfunction(L, fork_to);
	lua_setfield(L, -2, "fork_to");
	lua_pushcfunction(L, end_text);
	lua_setfield(L, -2, "__tostring");
	new_methods(L, LATER, later_method, index_methods);
	luaL_newmetatable(L, PENDING);
	luaL_setfuncs(L, pending, 0);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 3);
}
