/* The experiment card: what an experiment's Lua finds in its globals. */
#ifndef LAB_LUA_CARD_H
#define LAB_LUA_CARD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/lab/lab.h"

struct text;

/* Set all globals of the card. */
void card_open(lua_State *L);

/* Parts of it, a file each. */
void card_open_context(lua_State *L); /* lua_context.c */
void card_open_expect(lua_State *L);  /* lua_expect.c */
void card_open_program(lua_State *L); /* lua_program.c */
void card_open_socket(lua_State *L);  /* lua_socket.c */
void card_open_connect(lua_State *L); /* lua_connect.c */
void card_open_wire(lua_State *L);    /* lua_wire.c */

/* luaL_error(), and the compiler knows that it does not come back. */
void card_fail(lua_State *L, const char *format, ...) __attribute__((noreturn));

/* Push the one userdata that stands for it. */
void card_push_actor(lua_State *L, struct actor *actor);
void card_push_end(lua_State *L, struct end *end);

/* The argument as that, or an error naming the argument. */
struct actor *card_check_actor(lua_State *L, int arg);
struct end *card_check_end(lua_State *L, int arg);
/* The same, NULL where it is something else. */
struct actor *card_test_actor(lua_State *L, int arg);
struct end *card_test_end(lua_State *L, int arg);

/* A new program, or an error that says why there is none. */
struct actor *card_program(lua_State *L, const char *name);

/* fork() of `parent`; the child's name is at `name_arg`, or made up. */
struct actor *card_fork(lua_State *L, struct actor *parent, int name_arg);

/*
 * A Lua error that names `what` unless all keys of the table at `arg` are in
 * `known`, which NULL ends: a misspelt one would silently do nothing.
 */
void card_check_fields(lua_State *L, int arg, const char *what,
		       const char *const *known);
/* The table's field as an integer; a Lua error when it is none. */
lua_Integer card_integer_field(lua_State *L, int arg, const char *what,
			       const char *key);

/*
 * The integer at `arg`, an error where it does not fit the int, or unsigned
 * int, that the system's call has there: cut to it, it would be another call.
 */
lua_Integer card_int(lua_State *L, int arg);

/* Seconds at `arg` as nanoseconds; `otherwise` where it is absent or nil. */
int64_t card_seconds(lua_State *L, int arg, int64_t otherwise);

/* The deadline `arg` seconds from now; the experiment's where it is absent. */
int64_t card_deadline(lua_State *L, int arg);

/* Add the argument's address at `arg` (table, socket, host and port, path). */
void card_read_address(lua_State *L, int arg, int family, struct address *out);
void card_push_address(lua_State *L, const struct address *a);

/*
 * Add level, option and value at `arg` and behind it. SO_RCVTIMEO and
 * SO_SNDTIMEO are seconds, SO_LINGER is {onoff=, linger=}; of all others an
 * integer or a boolean is an int, and a string the value's bytes.
 */
void card_read_option(lua_State *L, int arg, struct message *order);
/* Push the value `v` that getsockopt gave for `order`, in the same form. */
void card_push_option(lua_State *L, const struct message *order,
		      const struct value *v);

/* Wait for a call's reply; a Lua error when it cannot come any more. */
void card_await(lua_State *L, struct pending *call, int64_t deadline_ns);

/* Order a call, or a Lua error when the program is gone. */
struct pending *card_order(lua_State *L, struct actor *actor, struct end *end,
			   uint32_t call, const struct message *order);

/* Push nil and the error's name; 2. */
int card_push_error(lua_State *L, int64_t error);

/* Append the value at `index` in Lua's own notation, one line. */
void card_describe(lua_State *L, int index, struct text *t);

/* Record one expectation and, when it failed, why. */
void card_judge(lua_State *L, bool held, const char *want, const char *got);

#endif
