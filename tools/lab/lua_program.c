/* program(name) and what a program can be asked. */
#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oob/deadline.h"
#include "tools/lab/event.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/names.h"
#include "tools/lab/program.h"

#define ACTOR "ooblab.program"

void card_push_actor(lua_State *L, struct actor *actor)
{
	struct actor **u;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, actor) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	u = lua_newuserdatauv(L, sizeof(*u), 0);
	*u = actor;
	luaL_setmetatable(L, ACTOR);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, actor);
}

struct actor *card_test_actor(lua_State *L, int arg)
{
	struct actor **u = luaL_testudata(L, arg, ACTOR);

	return u ? *u : NULL;
}

struct actor *card_check_actor(lua_State *L, int arg)
{
	return *(struct actor **)luaL_checkudata(L, arg, ACTOR);
}

static bool good_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < LAB_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

static const char *check_new_name(lua_State *L, int arg, const char *name)
{
	luaL_argcheck(L, good_name(name), arg,
		      "a name of 1 to 31 letters, digits, '-', '_' or '.'");
	luaL_argcheck(L, strcmp(name, "wire") && strcmp(name, "lab"), arg,
		      "another name: the timeline has a lane of that one");
	luaL_argcheck(L, !lab_find(sandbox_lab(L), name), arg,
		      "a name no program has yet");
	return name;
}

struct actor *card_program(lua_State *L, const char *name)
{
	struct lab *lab = sandbox_lab(L);
	struct actor *actor = lab_program(lab, name);

	if (!actor && errno == EUSERS)
		card_fail(L, "program %s: there are %d already", name,
			  LAB_ACTORS);
	if (!actor || actor->gone)
		card_fail(L, "program %s: %s", name,
			  actor ? lab->why : strerror(errno));
	return actor;
}

static int new_program(lua_State *L)
{
	const char *name = check_new_name(L, 1, luaL_checkstring(L, 1));

	card_push_actor(L, card_program(L, name));
	return 1;
}

/* Order, wait, and give back the integer it returned, below 0 an error. */
static int64_t call_program(lua_State *L, struct actor *actor, const char *name,
			    const struct message *order, struct pending **call)
{
	*call = card_order(L, actor, NULL, call_index(name), order);
	card_await(L, *call, OOB_NO_DEADLINE);
	return message_int((*call)->reply, 0, -EIO);
}

static int push_result(lua_State *L, struct pending *call, int64_t ret)
{
	lab_release(sandbox_lab(L), call);
	if (ret < 0)
		return card_push_error(L, -ret);
	lua_pushinteger(L, ret);
	return 1;
}

static int make_socket(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	struct message order = { .n = 0 };
	struct pending *call;
	int64_t ret;

	message_add_int(&order, card_int(L, 2));
	message_add_int(&order, card_int(L, 3));
	message_add_int(&order, luaL_opt(L, card_int, 4, 0));
	ret = call_program(L, actor, "socket", &order, &call);
	if (ret < 0)
		return push_result(L, call, ret);
	if (!call->made)
		return luaL_error(L, "not enough memory");
	call->made->family = (int)message_int(&order, 0, 0);
	card_push_end(L, call->made);
	lab_release(sandbox_lab(L), call);
	return 1;
}

/* "receiver.2" for the second process of receiver, unless a name is given. */
static void child_name(lua_State *L, const struct actor *parent, char *name,
		       size_t size)
{
	struct lab *lab = sandbox_lab(L);
	unsigned n = 2;

	do {
		snprintf(name, size, "%.24s.%u", parent->name, n++);
	} while (lab_find(lab, name));
}

struct actor *card_fork(lua_State *L, struct actor *parent, int name_arg)
{
	struct lab *lab = sandbox_lab(L);
	struct message order = { .n = 0 };
	char name[LAB_NAME_MAX];
	struct pending *call;
	struct actor *child;
	int64_t ret;

	if (lua_isnoneornil(L, name_arg))
		child_name(L, parent, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s",
			 check_new_name(L, name_arg,
					luaL_checkstring(L, name_arg)));
	ret = call_program(L, parent, "fork", &order, &call);
	if (ret < 0 || call->passed_fd < 0) {
		lab_release(lab, call);
		card_fail(L, "fork: %s",
			  ret < 0 ? strerror((int)-ret) : "its child is lost");
	}
	child = lab_adopt(lab, name, (pid_t)ret, call->passed_fd);
	if (child)
		call->passed_fd = -1;
	lab_release(lab, call);
	if (!child)
		card_fail(L, "fork: more than %d programs", LAB_ACTORS);
	lab_settle(lab, child);
	return child;
}

static int fork_program(lua_State *L)
{
	card_push_actor(L, card_fork(L, card_check_actor(L, 1), 2));
	return 1;
}

/* setpgid(): a group of its own; setpgid(pgid), setpgid(pid, pgid). */
static int set_group(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	struct actor *leader = card_test_actor(L, 2);
	bool both = !lua_isnoneornil(L, 3);
	struct message order = { .n = 0 };
	struct pending *call;
	int64_t ret;

	message_add_int(&order, both ? card_int(L, 2) : 0);
	if (leader)
		message_add_int(&order, leader->pid);
	else
		message_add_int(&order, both ? card_int(L, 3)
					     : luaL_opt(L, card_int, 2, 0));
	ret = call_program(L, actor, "setpgid", &order, &call);
	return push_result(L, call, ret);
}

static int check_signal(lua_State *L, int arg)
{
	lua_Integer sig = card_int(L, arg);

	luaL_argcheck(L, sig > 0 && sig < NSIG, arg, "signal expected");
	return (int)sig;
}

static bool is_counted(int sig)
{
	for (unsigned i = 0; i < program_signals_count; i++) {
		if (program_signals[i] == sig)
			return true;
	}
	return sig == SIGRTMIN;
}

static int check_counted_signal(lua_State *L, int arg)
{
	int sig = check_signal(L, arg);

	luaL_argcheck(L, is_counted(sig), arg,
		      "a signal that programs count expected");
	return sig;
}

/* How often it was noticed since last asked; what is pending counts. */
static int count_signals(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	int sig = check_counted_signal(L, 2);
	struct message order = { .n = 0 };
	struct pending *call;

	call_program(L, actor, "settle", &order, &call);
	lab_release(sandbox_lab(L), call);
	lua_pushinteger(L, actor->signals[sig]);
	actor->signals[sig] = 0;
	actor->unawaited[sig] = 0;
	return 1;
}

static int wait_signal(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	int sig = check_counted_signal(L, 2);
	struct lab *lab = sandbox_lab(L);
	int ret = lab_await_signal(lab, actor, sig, card_deadline(L, 3));

	if (ret == -EPIPE)
		return luaL_error(L, "wait_signal: %s",
				  lab->why[0] ? lab->why : "program ended");
	if (ret < 0)
		return card_push_error(L, -ret);
	lua_pushboolean(L, true);
	return 1;
}

static int kill_program(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	int sig = check_signal(L, 2);

	/* The number of one that has ended may be another's by now. */
	if (actor->gone)
		return card_push_error(L, ESRCH);
	if (kill(actor->pid, sig) < 0)
		return card_push_error(L, errno);
	actor->killed_here |= !is_counted(sig);
	lua_pushinteger(L, 0);
	return 1;
}

static void push_sysctl(lua_State *L, const struct value *text)
{
	lua_pushlstring(L, (const char *)text->bytes, text->len);
	if (lua_stringtonumber(L, lua_tostring(L, -1)) == text->len + 1)
		lua_remove(L, -2);
}

static int sysctl(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	struct message order = { .n = 0 };
	struct pending *call;
	const char *text;
	size_t len;
	int64_t ret;

	text = luaL_checklstring(L, 2, &len);
	message_add_bytes(&order, text, len);
	if (!lua_isnoneornil(L, 3)) {
		/* Others are the whole machine's, and root's to set. */
		luaL_argcheck(L, sandbox_lab(L)->isolated, 2,
			      "only a network namespace of one's own is set");
		luaL_argcheck(L, !strncmp(text, "net.", 4), 2,
			      "only those of the network (net.*) are set");
		text = luaL_checklstring(L, 3, &len);
		message_add_bytes(&order, text, len);
	}
	ret = call_program(L, actor, "sysctl", &order, &call);
	if (ret < 0 || order.n > 1)
		return push_result(L, call, ret);
	push_sysctl(L, &call->reply->v[1]);
	lab_release(sandbox_lab(L), call);
	return 1;
}

static const luaL_Reg methods[] = {
	{ "socket", make_socket },	{ "fork", fork_program },
	{ "setpgid", set_group },	{ "signals", count_signals },
	{ "wait_signal", wait_signal }, { "kill", kill_program },
	{ "sysctl", sysctl },		{ NULL, NULL },
};

static int index_program(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);
	const char *key = luaL_checkstring(L, 2);

	if (!strcmp(key, "pid"))
		lua_pushinteger(L, actor->pid);
	else if (!strcmp(key, "name"))
		lua_pushstring(L, actor->name);
	else if (luaL_getmetafield(L, 1, key) == LUA_TNIL)
		return luaL_error(L, "a program has no \"%s\"", key);
	return 1;
}

static int program_text(lua_State *L)
{
	struct actor *actor = card_check_actor(L, 1);

	lua_pushfstring(L, "program %s (pid %d)", actor->name, actor->pid);
	return 1;
}

void card_open_program(lua_State *L)
{
	luaL_newmetatable(L, ACTOR);
	luaL_setfuncs(L, methods, 0);
	lua_pushcfunction(L, index_program);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, program_text);
	lua_setfield(L, -2, "__tostring");
	lua_pushboolean(L, false); /* out of the experiment's reach */
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_register(L, "program", new_program);
}
