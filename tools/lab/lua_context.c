/* What an experiment says of itself, and what it finds itself in. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <netinet/in.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/cmd.h"
#include "tools/lab/event.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/names.h"
#include "tools/text.h"

#define ERRNO_LAST    133 /* EHWPOISON, Linux's last */
#define CONSTANTS_MAX 512

static int say_title(lua_State *L)
{
	event_text(sandbox_lab(L), "title", luaL_checkstring(L, 1));
	return 0;
}

static int say_about(lua_State *L)
{
	event_text(sandbox_lab(L), "about", luaL_checkstring(L, 1));
	return 0;
}

/* Push the value's text: of a plain table, what is in it. */
static void push_text(lua_State *L, int index)
{
	struct text t;
	bool plain = lua_istable(L, index);

	if (plain && lua_getmetatable(L, index)) {
		lua_pop(L, 1);
		plain = false;
	}
	if (!plain) {
		luaL_tolstring(L, index, NULL);
		return;
	}
	text_clear(&t);
	card_describe(L, index, &t);
	lua_pushstring(L, t.s);
}

static int say_note(lua_State *L)
{
	luaL_checkany(L, 1);
	push_text(L, 1);
	event_text(sandbox_lab(L), "note", lua_tostring(L, -1));
	return 0;
}

static int print_note(lua_State *L)
{
	int n = lua_gettop(L);
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, '\t');
		push_text(L, i);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	event_text(sandbox_lab(L), "note", lua_tostring(L, -1));
	return 0;
}

static int skip(lua_State *L)
{
	return sandbox_skip(L, luaL_optstring(L, 1, ""));
}

static bool has_tcp(const struct lab *lab)
{
	return !strcmp(lab->transport, "tcp4") ||
	       !strcmp(lab->transport, "tcp6");
}

static bool has_unix(const struct lab *lab)
{
	return !strcmp(lab->transport, "unix");
}

static bool has_urgent(const struct lab *lab)
{
	return strcmp(lab->transport, "mptcp") != 0;
}

static bool is_out_of_band(const struct lab *lab)
{
	return !lab->inline_delivery;
}

static bool has_tun(const struct lab *lab)
{
	(void)lab;
	return access("/dev/net/tun", R_OK | W_OK) == 0;
}

static bool can_make(int family, int protocol)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_mptcp(const struct lab *lab)
{
	(void)lab;
	return can_make(AF_INET, IPPROTO_MPTCP);
}

static bool has_ipv6(const struct lab *lab)
{
	(void)lab;
	return can_make(AF_INET6, 0);
}

static bool has_capture(const struct lab *lab)
{
	return lab->wire != NULL;
}

static bool has_namespace(const struct lab *lab)
{
	return lab->isolated;
}

/* What needs{} may name, and what to say where it is not there. */
static const struct need {
	const char *name;
	bool (*met)(const struct lab *lab);
	const char *otherwise;
} needs[] = {
	{ "tcp", has_tcp, "about TCP only" },
	{ "unix", has_unix, "about AF_UNIX only" },
	{ "urgent", has_urgent, "MPTCP carries no urgent data" },
	{ "out-of-band", is_out_of_band, "about delivery out of band" },
	{ "tun", has_tun, "/dev/net/tun cannot be opened here" },
	{ "mptcp", has_mptcp, "the kernel has no MPTCP" },
	{ "ipv6", has_ipv6, "the kernel has no IPv6" },
	{ "capture", has_capture, "nothing is captured in this run" },
	{ "namespace", has_namespace, "no namespace of its own in this run" },
};

static void check_need(lua_State *L, const char *name)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (strcmp(needs[i].name, name))
			continue;
		if (!needs[i].met(sandbox_lab(L)))
			sandbox_skip(L, needs[i].otherwise);
		return;
	}
	/* Written for another ooblab: what is not known here is not here. */
	sandbox_skip(L, lua_pushfstring(L,
					"needs \"%s\", which is not known "
					"here",
					name));
}

static int need(lua_State *L)
{
	if (!lua_istable(L, 1)) {
		check_need(L, luaL_checkstring(L, 1));
		return 0;
	}
	for (lua_Integer i = 1; lua_geti(L, 1, i) != LUA_TNIL; i++) {
		check_need(L, luaL_checkstring(L, -1));
		lua_pop(L, 1);
	}
	return 0;
}

/* Programs go on meanwhile: replies, signals and segments are let in. */
static int sleep_s(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	int64_t deadline = card_deadline(L, 1);

	while (oob_now_ns() < deadline && oob_now_ns() < lab->deadline_ns)
		lab_pump(lab, deadline);
	return 0;
}

static void set_constants(lua_State *L)
{
	char name[32];

	for (size_t i = 0; i < names_count; i++) {
		lua_pushinteger(L, names[i].value);
		lua_setglobal(L, names[i].name);
	}
	for (int sig = 1; sig < 32; sig++) {
		lua_pushinteger(L, sig);
		lua_setglobal(L, names_signal(name, sizeof(name), sig));
	}
	lua_pushinteger(L, SIGIO);
	lua_setglobal(L, "SIGIO");
	lua_pushinteger(L, SIGRTMIN);
	lua_setglobal(L, "SIGRTMIN");
	lua_pushinteger(L, SOMAXCONN);
	lua_setglobal(L, "SOMAXCONN");
}

/* Errors are their names; one errno can have two, and then both are one. */
static void set_errors(lua_State *L)
{
	static const char *const others[] = { "EWOULDBLOCK", "ENOTSUP" };

	for (int e = 1; e <= ERRNO_LAST; e++) {
		if (!strerrorname_np(e))
			continue;
		lua_pushstring(L, names_errno(e));
		lua_setglobal(L, names_errno(e));
	}
	for (size_t i = 0; i < 2; i++) {
		lua_pushstring(L, names_errno(names_errno_value(others[i])));
		lua_setglobal(L, others[i]);
	}
}

static bool is_constant(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return strlen(name) > 2 && *name >= 'A' && *name <= 'Z' &&
	       !name[strspn(name, letters)];
}

/*
 * Lua has nil for a global that is not there, and nil flags are none: with
 * MSG_OBB a send would be ordinary, and the experiment might hold.
 */
static int no_such_global(lua_State *L)
{
	const char *name = lua_tostring(L, 2), *known[CONSTANTS_MAX];
	const char *nearest;
	size_t n = 0;

	if (lua_type(L, 2) != LUA_TSTRING || !is_constant(name))
		return 0;
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		/* The table keeps the strings. */
		if (lua_type(L, -2) == LUA_TSTRING && n < CONSTANTS_MAX &&
		    is_constant(lua_tostring(L, -2)))
			known[n++] = lua_tostring(L, -2);
		lua_pop(L, 1);
	}
	nearest = cmd_nearest(name, known, n);
	card_fail(L, "no constant is called %s%s%s%s", name,
		  nearest ? "; did you mean " : "", nearest ? nearest : "",
		  nearest ? "?" : "");
}

static void guard_constants(lua_State *L)
{
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_pushcfunction(L, no_such_global);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

static void set_kernel(lua_State *L)
{
	struct utsname u;

	uname(&u);
	lua_newtable(L);
	lua_pushstring(L, u.release);
	lua_setfield(L, -2, "release");
	lua_pushstring(L, u.sysname);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, u.machine);
	lua_setfield(L, -2, "machine");
	lua_setglobal(L, "kernel");
}

void card_open_context(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "title", say_title }, { "about", say_about },
		{ "note", say_note },	{ "print", print_note },
		{ "skip", skip },	{ "needs", need },
		{ "sleep", sleep_s },	{ NULL, NULL },
	};
	struct lab *lab = sandbox_lab(L);

	lua_pushglobaltable(L);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
	lua_pushstring(L, lab->transport);
	lua_setglobal(L, "transport");
	lua_pushboolean(L, lab->inline_delivery);
	lua_setglobal(L, "inline");
	set_constants(L);
	set_errors(L);
	set_kernel(L);
	guard_constants(L);
}
