/* What the files of the card share. */
#include "tools/lab/lua_card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "oob/deadline.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/names.h"

void card_open(lua_State *L)
{
	card_open_context(L);
	card_open_expect(L);
	card_open_program(L);
	card_open_socket(L);
	card_open_connect(L);
	card_open_wire(L);
}

void card_fail(lua_State *L, const char *format, ...)
{
	va_list ap;

	luaL_where(L, 1);
	va_start(ap, format);
	lua_pushvfstring(L, format, ap);
	va_end(ap);
	lua_concat(L, 2);
	lua_error(L);
	abort(); /* lua_error() never returns, but is not declared so */
}

static bool is_known(const char *const *known, const char *key)
{
	while (*known && strcmp(*known, key))
		known++;
	return *known;
}

void card_check_fields(lua_State *L, int arg, const char *what,
		       const char *const *known)
{
	lua_pushnil(L);
	while (lua_next(L, arg)) {
		/* lua_tostring() would change a number under lua_next(). */
		const char *key = lua_type(L, -2) == LUA_TSTRING
					  ? lua_tostring(L, -2)
					  : luaL_typename(L, -2);

		if (!is_known(known, key))
			card_fail(L, "%s: no field is called \"%s\"", what,
				  key);
		lua_pop(L, 1);
	}
}

lua_Integer card_integer_field(lua_State *L, int arg, const char *what,
			       const char *key)
{
	lua_Integer n;
	int whole;

	lua_getfield(L, arg, key);
	n = lua_tointegerx(L, -1, &whole);
	if (!whole)
		card_fail(L, "%s: %s must be an integer", what, key);
	lua_pop(L, 1);
	return n;
}

lua_Integer card_int(lua_State *L, int arg)
{
	lua_Integer n = luaL_checkinteger(L, arg);

	luaL_argcheck(L, n >= INT32_MIN && n <= UINT32_MAX, arg,
		      "integer of 32 bits expected");
	return n;
}

int64_t card_seconds(lua_State *L, int arg, int64_t otherwise)
{
	lua_Number s;

	if (lua_isnoneornil(L, arg))
		return otherwise;
	s = luaL_checknumber(L, arg);
	luaL_argcheck(L, s >= 0 && s <= 86400, arg,
		      "seconds from 0 to 86400 expected");
	return (int64_t)(s * 1e9);
}

int64_t card_deadline(lua_State *L, int arg)
{
	int64_t ns = card_seconds(L, arg, -1);

	return ns < 0 ? sandbox_lab(L)->deadline_ns : oob_deadline_in(ns);
}

static int inet_address(lua_State *L, int arg, const char *host,
			lua_Integer port, struct address *out)
{
	struct sockaddr_in *in = (void *)&out->sa;
	struct sockaddr_in6 *in6 = (void *)&out->sa;

	luaL_argcheck(L, port >= 0 && port <= 65535, arg,
		      "port from 0 to 65535 expected");
	memset(&out->sa, 0, sizeof(out->sa));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		out->len = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		out->len = sizeof(*in6);
		return 0;
	}
	return luaL_argerror(L, arg, "IPv4 or IPv6 address expected");
}

/* "@name" is an abstract address, "" asks the kernel for one: unix(7). */
static void unix_address(lua_State *L, int arg, const char *path, size_t len,
			 struct address *out)
{
	struct sockaddr_un *un = (void *)&out->sa;

	luaL_argcheck(L, len < sizeof(un->sun_path), arg,
		      "path of at most 107 bytes expected");
	memset(&out->sa, 0, sizeof(out->sa));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (!len)
		return;
	if (path[0] == '@')
		un->sun_path[0] = '\0';
	else
		out->len++; /* the NUL */
}

static void any_address(lua_State *L, int family, struct address *out)
{
	if (family == AF_UNIX)
		unix_address(L, 1, "", 0, out);
	else
		inet_address(L, 1, family == AF_INET6 ? "::1" : "127.0.0.1", 0,
			     out);
}

static void table_address(lua_State *L, int arg, struct address *out)
{
	const char *text;
	size_t len;

	if (lua_getfield(L, arg, "path") != LUA_TNIL) {
		text = luaL_checklstring(L, -1, &len);
		unix_address(L, arg, text, len, out);
		lua_pop(L, 1);
		return;
	}
	lua_pop(L, 1);
	if (lua_getfield(L, arg, "address") == LUA_TNIL) {
		lua_pop(L, 1);
		lua_getfield(L, arg, "host");
	}
	lua_getfield(L, arg, "port");
	luaL_argcheck(L, lua_isstring(L, -2), arg,
		      "table with address and port, or path, expected");
	inet_address(L, arg, lua_tostring(L, -2), lua_tointeger(L, -1), out);
	lua_pop(L, 2);
}

/* "127.0.0.1:80" and "[::1]:80", or the host alone with the port behind. */
static void text_address(lua_State *L, int arg, const char *text,
			 struct address *out)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[' && colon && colon[-1] == ']';
	char host[INET6_ADDRSTRLEN + 2] = "", *end = "";
	long port = 0;

	if (!bracketed && (!colon || strchr(text, ':') != colon)) {
		inet_address(L, arg, text, luaL_optinteger(L, arg + 1, 0), out);
		return;
	}
	if ((size_t)(colon - text) < sizeof(host))
		memcpy(host, text + bracketed,
		       (size_t)(colon - text) - 2 * bracketed);
	port = strtol(colon + 1, &end, 10);
	luaL_argcheck(L, colon[1] && !*end, arg, "port expected behind ':'");
	inet_address(L, arg, host, port, out);
}

void card_read_address(lua_State *L, int arg, int family, struct address *out)
{
	struct end *end = card_test_end(L, arg);
	const char *text;
	size_t len;

	if (lua_isnoneornil(L, arg)) {
		any_address(L, family, out);
	} else if (end) {
		luaL_argcheck(L, end->local.len, arg, "a socket with a name");
		*out = end->local;
	} else if (lua_istable(L, arg)) {
		table_address(L, arg, out);
	} else {
		text = luaL_checklstring(L, arg, &len);
		if (family == AF_UNIX || strchr(text, '/') || text[0] == '@')
			unix_address(L, arg, text, len, out);
		else
			text_address(L, arg, text, out);
	}
}

static int address_text(lua_State *L)
{
	struct address a = { .len = 0 };
	struct text t;

	text_clear(&t);
	table_address(L, 1, &a);
	address_add(&t, &a);
	lua_pushstring(L, t.s);
	return 1;
}

static void push_unix(lua_State *L, const struct address *a)
{
	const struct sockaddr_un *un = (const void *)&a->sa;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t len = a->len > head ? a->len - head : 0;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	if (len && !un->sun_path[0]) {
		luaL_addchar(&b, '@');
		luaL_addlstring(&b, un->sun_path + 1, len - 1);
	} else {
		luaL_addlstring(&b, un->sun_path, strnlen(un->sun_path, len));
	}
	luaL_pushresult(&b);
	lua_setfield(L, -2, "path");
}

static void push_inet(lua_State *L, const void *host, int family, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, host, text, sizeof(text));
	lua_pushstring(L, text);
	lua_setfield(L, -2, "address");
	lua_pushinteger(L, ntohs(port));
	lua_setfield(L, -2, "port");
}

void card_push_address(lua_State *L, const struct address *a)
{
	const struct sockaddr_in *in = (const void *)&a->sa;
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;

	lua_newtable(L);
	if (luaL_newmetatable(L, "ooblab.address")) {
		lua_pushcfunction(L, address_text);
		lua_setfield(L, -2, "__tostring");
	}
	lua_setmetatable(L, -2);
	lua_pushinteger(L, a->sa.ss_family);
	lua_setfield(L, -2, "family");
	if (a->sa.ss_family == AF_UNIX)
		push_unix(L, a);
	else if (a->sa.ss_family == AF_INET)
		push_inet(L, &in->sin_addr, AF_INET, in->sin_port);
	else if (a->sa.ss_family == AF_INET6)
		push_inet(L, &in6->sin6_addr, AF_INET6, in6->sin6_port);
}

struct pending *card_order(lua_State *L, struct actor *actor, struct end *end,
			   uint32_t call, const struct message *order)
{
	struct lab *lab = sandbox_lab(L);
	struct pending *p = lab_order(lab, actor, end, call, order);

	if (!p && errno == ENOBUFS) {
		lua_gc(L, LUA_GCCOLLECT); /* releases calls nobody knows */
		p = lab_order(lab, actor, end, call, order);
	}
	if (p)
		return p;
	if (errno == ENOBUFS)
		card_fail(L,
			  "%s(): more than %d calls, or %d MiB in them, are "
			  "under way",
			  calls[call]->name, LAB_CALLS, LAB_CALL_BYTES >> 20);
	if (errno != EPIPE)
		card_fail(L, "%s: %s(): %s", actor->name, calls[call]->name,
			  strerror(errno));
	lab_pump(lab, 0); /* learn how it ended */
	card_fail(L, "%s() of %s: %s", calls[call]->name, actor->name,
		  lab->why[0] ? lab->why : "the program has ended");
}

void card_await(lua_State *L, struct pending *call, int64_t deadline_ns)
{
	struct lab *lab = sandbox_lab(L);
	const char *name = calls[call->order->call]->name;
	int ret = lab_await(lab, call, deadline_ns);

	if (ret == -ETIMEDOUT)
		card_fail(L, "time limit of %f s reached: %s is still in %s()",
			  lab->timeout_s, call->actor->name, name);
	if (ret < 0)
		card_fail(L, "%s in %s()",
			  lab->why[0] ? lab->why : "the program ended", name);
}

int card_push_error(lua_State *L, int64_t error)
{
	lua_pushnil(L);
	lua_pushstring(L, names_errno((int)error));
	return 2;
}
