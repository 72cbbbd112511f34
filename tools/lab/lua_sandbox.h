/*
 * The Lua state an experiment runs in: text chunks only, no io, os, debug or
 * package, bounded memory and time, entered through a protected call.
 */
#ifndef LAB_LUA_SANDBOX_H
#define LAB_LUA_SANDBOX_H

#include <lua.h>
#include <stddef.h>

struct lab;
struct trial_job;
struct trial_shared;

#define SANDBOX_MEMORY_BYTES (64u << 20)

enum sandbox_end {
	SANDBOX_DONE,
	SANDBOX_SKIPPED, /* by skip() or needs{}; lab->why says why */
	SANDBOX_ERROR,	 /* lab->why has file and line; an event the rest */
};

enum sandbox_end sandbox_run(struct lab *lab, const struct trial_job *job,
			     struct trial_shared *shared);

/* The lab of a state, coroutines' included. */
struct lab *sandbox_lab(lua_State *L);

/*
 * End the chunk, as it asked for; pcall() does not hold it back. `why` becomes
 * that of the lab, unless something was wrong before.
 */
int sandbox_skip(lua_State *L, const char *why);

/*
 * Find the title in a chunk without running it further than to there: into
 * `title`, empty where there is none. No library is there meanwhile, so that a
 * chunk has no means to go on for long: title() is to come before its use.
 */
void sandbox_title(const char *text, size_t len, char *title, size_t size);

#endif
