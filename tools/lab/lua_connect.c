/* connect{}: two programs and one established stream between them. */
#include <errno.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "oob/deadline.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/names.h"

static const struct transport {
	const char *name;
	int family, protocol;
} transports[] = {
	{ "tcp4", AF_INET, 0 },
	{ "tcp6", AF_INET6, 0 },
	{ "unix", AF_UNIX, 0 },
	{ "mptcp", AF_INET, IPPROTO_MPTCP },
};

struct wish {
	const struct transport *transport;
	bool inline_delivery;
	int64_t rcvbuf, sndbuf; /* bytes; 0 the system's */
};

static const struct transport *find_transport(lua_State *L, const char *name)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]);
	     i++) {
		if (!strcmp(transports[i].name, name))
			return &transports[i];
	}
	card_fail(L, "connect: no transport is called \"%s\"", name);
}

static int64_t buffer_wish(lua_State *L, const char *key)
{
	int64_t bytes;
	int type = lua_getfield(L, 1, key);

	lua_pop(L, 1);
	if (type == LUA_TNIL)
		return 0;
	bytes = card_integer_field(L, 1, "connect", key);
	if (bytes <= 0 || bytes > INT32_MAX)
		card_fail(L, "connect: %s must be 1 to 2147483647 bytes", key);
	return bytes;
}

static void read_wish(lua_State *L, struct wish *w)
{
	static const char *const fields[] = { "transport", "inline", "rcvbuf",
					      "sndbuf", NULL };
	struct lab *lab = sandbox_lab(L);

	*w = (struct wish){ .inline_delivery = lab->inline_delivery };
	lua_settop(L, 1);
	if (lua_isnil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	card_check_fields(L, 1, "connect", fields);
	lua_getfield(L, 1, "transport");
	w->transport = find_transport(L, luaL_optstring(L, -1, lab->transport));
	if (lua_getfield(L, 1, "inline") != LUA_TNIL)
		w->inline_delivery = lua_toboolean(L, -1);
	lua_pop(L, 2);
	/* MPTCP delivers all data in line, and refuses the option. */
	if (w->transport->protocol == IPPROTO_MPTCP)
		w->inline_delivery = false;
	w->rcvbuf = buffer_wish(L, "rcvbuf");
	w->sndbuf = buffer_wish(L, "sndbuf");
}

/* One step on the way; what goes wrong there is no observation. */
static struct pending *step(lua_State *L, struct actor *actor, struct end *end,
			    const char *name, const struct message *order)
{
	struct pending *call =
		card_order(L, actor, end, call_index(name), order);
	int64_t ret;

	call->setup = true;
	card_await(L, call, OOB_NO_DEADLINE);
	ret = message_int(call->reply, 0, -EIO);
	if (ret < 0)
		card_fail(L, "connect: %s() of %s: %s", name, actor->name,
			  names_errno((int)-ret));
	return call;
}

static struct end *new_socket(lua_State *L, struct actor *actor,
			      const struct transport *t)
{
	struct message order = { .n = 0 };
	struct pending *call;
	struct end *end;

	message_add_int(&order, t->family);
	message_add_int(&order, SOCK_STREAM);
	message_add_int(&order, t->protocol);
	call = step(L, actor, NULL, "socket", &order);
	end = call->made;
	if (!end)
		card_fail(L, "connect: not enough memory");
	end->family = t->family;
	lab_release(sandbox_lab(L), call);
	return end;
}

static void set_option(lua_State *L, struct end *end, int option, int64_t value)
{
	struct message order = { .n = 0 };

	if (!value)
		return;
	message_add_int(&order, end->fd);
	message_add_int(&order, SOL_SOCKET);
	message_add_int(&order, option);
	message_add_int(&order, value);
	lab_release(sandbox_lab(L),
		    step(L, end->actor, end, "setsockopt", &order));
}

static void name_step(lua_State *L, struct end *end, const char *name,
		      const struct address *a)
{
	struct message order = { .n = 0 };

	message_add_int(&order, end->fd);
	message_add_bytes(&order, &a->sa, a->len);
	lab_release(sandbox_lab(L), step(L, end->actor, end, name, &order));
}

/* An end the kernel chooses: a port of loopback, an abstract Unix name. */
static struct end *listening(lua_State *L, struct actor *actor,
			     const struct wish *w)
{
	struct end *end = new_socket(L, actor, w->transport);
	struct message order = { .n = 0 };
	struct address any;

	/* Sockets accepted on TCP inherit both; a receive buffer must be set
	 * before the window is offered. */
	if (w->transport->family != AF_UNIX)
		set_option(L, end, SO_OOBINLINE, w->inline_delivery);
	set_option(L, end, SO_RCVBUF, w->rcvbuf);
	lua_settop(L, 1);
	lua_pushnil(L);
	card_read_address(L, 2, w->transport->family, &any);
	name_step(L, end, "bind", &any);
	message_add_int(&order, end->fd);
	message_add_int(&order, 1);
	lab_release(sandbox_lab(L), step(L, actor, end, "listen", &order));
	return end;
}

static struct end *accepted(lua_State *L, struct end *listener,
			    const struct wish *w)
{
	struct message order = { .n = 0 };
	struct lab *lab = sandbox_lab(L);
	struct pending *call;
	struct end *end;

	message_add_int(&order, listener->fd);
	call = step(L, listener->actor, listener, "accept", &order);
	end = call->made;
	if (!end)
		card_fail(L, "connect: not enough memory");
	end->family = listener->family;
	lab_release(lab, call);
	lab_release(lab, step(L, listener->actor, listener, "close", &order));
	/* AF_UNIX inherits nothing of it (measured on Linux 6.18). */
	if (end->family == AF_UNIX)
		set_option(L, end, SO_OOBINLINE, w->inline_delivery);
	return end;
}

static struct actor *program_named(lua_State *L, const char *name)
{
	struct actor *actor = lab_find(sandbox_lab(L), name);

	return actor ? actor : card_program(L, name);
}

static int connect_pair(lua_State *L)
{
	struct end *listener, *sender, *receiver;
	struct actor *from, *to;
	struct wish w;

	read_wish(L, &w);
	from = program_named(L, "sender");
	to = program_named(L, "receiver");
	listener = listening(L, to, &w);
	sender = new_socket(L, from, w.transport);
	set_option(L, sender, SO_SNDBUF, w.sndbuf);
	name_step(L, sender, "connect", &listener->local);
	receiver = accepted(L, listener, &w);
	sender->other = receiver;
	receiver->other = sender;
	lab_observe(sandbox_lab(L), sender);
	card_push_end(L, sender);
	card_push_end(L, receiver);
	return 2;
}

void card_open_connect(lua_State *L)
{
	lua_register(L, "connect", connect_pair);
}
