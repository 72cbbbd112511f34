/* Socket options: an integer, or what a struct's fields say. */
#include <lauxlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tools/lab/lua_card.h"

static bool is_time_option(int64_t level, int64_t option)
{
	return level == SOL_SOCKET &&
	       (option == SO_RCVTIMEO || option == SO_SNDTIMEO);
}

static bool is_linger_option(int64_t level, int64_t option)
{
	return level == SOL_SOCKET && option == SO_LINGER;
}

static bool is_name_option(int64_t level, int64_t option)
{
	return (level == SOL_SOCKET && option == SO_BINDTODEVICE) ||
	       (level == IPPROTO_TCP && option == TCP_CONGESTION);
}

/* A struct timeval; those options are in seconds here. */
static void push_time(lua_State *L, int arg)
{
	int64_t ns = card_seconds(L, arg, 0);
	struct timeval tv = { .tv_sec = ns / 1000000000,
			      .tv_usec = ns % 1000000000 / 1000 };

	lua_pushlstring(L, (const char *)&tv, sizeof(tv));
}

static void push_linger(lua_State *L, int arg)
{
	struct linger l;

	luaL_checktype(L, arg, LUA_TTABLE);
	lua_getfield(L, arg, "onoff");
	l.l_onoff = lua_isboolean(L, -1) ? lua_toboolean(L, -1)
					 : (int)lua_tointeger(L, -1);
	lua_getfield(L, arg, "linger");
	l.l_linger = (int)lua_tointeger(L, -1);
	lua_pushlstring(L, (const char *)&l, sizeof(l));
}

void card_read_option(lua_State *L, int arg, struct message *order)
{
	lua_Integer level = card_int(L, arg);
	lua_Integer option = card_int(L, arg + 1);

	message_add_int(order, level);
	message_add_int(order, option);
	if (is_time_option(level, option)) {
		push_time(L, arg + 2);
	} else if (is_linger_option(level, option)) {
		push_linger(L, arg + 2);
	} else if (lua_isboolean(L, arg + 2)) {
		message_add_int(order, lua_toboolean(L, arg + 2));
		return;
	} else if (lua_type(L, arg + 2) == LUA_TSTRING) {
		lua_pushvalue(L, arg + 2);
	} else {
		message_add_int(order, card_int(L, arg + 2));
		return;
	}
	/* The string stays on the stack until the order is copied. */
	message_add_bytes(order, lua_tostring(L, -1), lua_rawlen(L, -1));
}

static void push_seconds(lua_State *L, const struct value *v)
{
	struct timeval tv;

	memcpy(&tv, v->bytes, sizeof(tv));
	lua_pushnumber(L, (lua_Number)tv.tv_sec + (lua_Number)tv.tv_usec / 1e6);
}

static void push_linger_table(lua_State *L, const struct value *v)
{
	struct linger l;

	memcpy(&l, v->bytes, sizeof(l));
	lua_newtable(L);
	lua_pushinteger(L, l.l_onoff);
	lua_setfield(L, -2, "onoff");
	lua_pushinteger(L, l.l_linger);
	lua_setfield(L, -2, "linger");
}

void card_push_option(lua_State *L, const struct message *order,
		      const struct value *v)
{
	int64_t level = message_int(order, 1, 0);
	int64_t option = message_int(order, 2, 0);
	const char *bytes = (const char *)v->bytes;
	int n;

	if (is_time_option(level, option) && v->len == sizeof(struct timeval)) {
		push_seconds(L, v);
	} else if (is_linger_option(level, option) &&
		   v->len == sizeof(struct linger)) {
		push_linger_table(L, v);
	} else if (is_name_option(level, option)) {
		lua_pushlstring(L, bytes, strnlen(bytes, v->len));
	} else if (v->len == sizeof(n)) {
		memcpy(&n, bytes, sizeof(n));
		lua_pushinteger(L, n);
	} else {
		lua_pushlstring(L, bytes, v->len);
	}
}
