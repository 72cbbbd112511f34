/* segment{}, no_segment{} and segments{}: claims about the wire. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode.h"
#include "capture/flags.h"
#include "oob/deadline.h"
#include "tools/lab/lua_card.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/wire.h"
#include "tools/text.h"

/* How long a segment may take that is said to come, unless told. */
#define SEGMENT_NS 2000000000

#define FLAGS 6
static const struct {
	const char *key, *name;
	uint8_t flag;
} flags[FLAGS] = {
	{ "syn", "SYN", CAPTURE_SYN }, { "fin", "FIN", CAPTURE_FIN },
	{ "rst", "RST", CAPTURE_RST }, { "psh", "PSH", CAPTURE_PSH },
	{ "ack", "ACK", CAPTURE_ACK }, { "urg", "URG", CAPTURE_URG },
};

/* Fields that are numbers of a segment. */
enum {
	SEQ,
	ACKNO,
	WINDOW,
	POINTER,
	LEN,
	NUMBERS
};
static const char *const numbers[NUMBERS] = {
	"seq", "ack", "window", "urgent_pointer", "len",
};

static const char *const fields[] = {
	"from",	 "to",	    "syn",     "fin", "rst",	"psh",
	"urg",	 "seq",	    "ack",     "len", "window", "urgent_pointer",
	"flags", "payload", "timeout", NULL,
};

/* One end of a match: a socket, a program by name, or whichever. */
struct match_end {
	struct end *end;
	const char *program;
};

struct match {
	struct match_end from, to;
	uint8_t set, clear; /* flags that must, and must not, be there */
	bool has[NUMBERS];
	int64_t number[NUMBERS];
	const char *payload; /* NULL: any */
	size_t payload_len;
	int64_t timeout_ns;
};

static int64_t number_of(const struct wire_segment *s, int which)
{
	switch (which) {
	case SEQ:
		return s->seq;
	case ACKNO:
		return s->ack;
	case WINDOW:
		return s->window;
	case POINTER:
		return s->urgent_pointer;
	default:
		return s->payload_len;
	}
}

/*
 * A local address alone does not tell sockets accepted from one listener
 * apart: where the socket's peer is known, the other end must be it.
 */
static bool end_matches(const struct lab *lab, const struct match_end *m,
			const struct address *here, const struct address *there)
{
	if (m->end)
		return address_same(&m->end->local, here) &&
		       (!m->end->peer.len ||
			address_same(&m->end->peer, there));
	return !m->program || wire_held_by(lab, m->program, here, there);
}

/* Payload past the snaplen is compared by its length alone. */
static bool payload_matches(struct lab *lab, const struct match *m,
			    const struct wire_segment *s)
{
	if (!m->payload || m->payload_len != s->payload_len)
		return !m->payload;
	if (s->payload_len && !s->payload) {
		lab->broken = true;
		lab_why(lab, "a segment's payload was not kept: too much was "
			     "on the wire before it");
		return false;
	}
	return !s->payload_caplen ||
	       !memcmp(m->payload, s->payload, s->payload_caplen);
}

static bool matches(struct lab *lab, const struct match *m,
		    const struct wire_segment *s)
{
	if ((s->flags & m->set) != m->set || s->flags & m->clear)
		return false;
	for (int i = 0; i < NUMBERS; i++) {
		if (m->has[i] && m->number[i] != number_of(s, i))
			return false;
	}
	return end_matches(lab, &m->from, &s->src, &s->dst) &&
	       end_matches(lab, &m->to, &s->dst, &s->src) &&
	       payload_matches(lab, m, s);
}

static void read_end(lua_State *L, const char *key, struct match_end *m)
{
	struct actor *actor;

	*m = (struct match_end){ .end = NULL };
	lua_getfield(L, 1, key);
	m->end = card_test_end(L, -1);
	actor = card_test_actor(L, -1);
	if (actor)
		m->program = actor->name;
	else if (lua_type(L, -1) == LUA_TSTRING)
		m->program = lua_tostring(L, -1);
	else if (!m->end && !lua_isnil(L, -1))
		card_fail(L, "segment: %s must be a socket or a program", key);
	lua_pop(L, 1);
}

static uint8_t flag_named(lua_State *L, const char *name, size_t len)
{
	for (int i = 0; i < FLAGS; i++) {
		if (strlen(flags[i].name) == len &&
		    !strncmp(flags[i].name, name, len))
			return flags[i].flag;
	}
	card_fail(L, "segment: no flag is called \"%s\"", name);
}

static void read_flags(lua_State *L, struct match *m)
{
	const char *text;

	for (int i = 0; i < FLAGS; i++) {
		if (lua_getfield(L, 1, flags[i].key) == LUA_TBOOLEAN) {
			if (lua_toboolean(L, -1))
				m->set |= flags[i].flag;
			else
				m->clear |= flags[i].flag;
		}
		lua_pop(L, 1);
	}
	if (lua_getfield(L, 1, "flags") != LUA_TNIL) {
		text = luaL_checkstring(L, -1);
		for (text += strspn(text, " |,"); *text;
		     text += strspn(text, " |,")) {
			size_t len = strcspn(text, " |,");

			m->set |= flag_named(L, text, len);
			text += len;
		}
	}
	lua_pop(L, 1);
}

/* `ack` is a number here, a flag where it is true or false. */
static void read_numbers(lua_State *L, struct match *m)
{
	for (int i = 0; i < NUMBERS; i++) {
		int type = lua_getfield(L, 1, numbers[i]);

		if (type != LUA_TNIL && !(i == ACKNO && type == LUA_TBOOLEAN)) {
			int whole;

			m->number[i] = lua_tointegerx(L, -1, &whole);
			m->has[i] = true;
			if (!whole)
				card_fail(L, "segment: %s must be an integer",
					  numbers[i]);
		}
		lua_pop(L, 1);
	}
}

static void read_match(lua_State *L, struct match *m)
{
	*m = (struct match){ .timeout_ns = SEGMENT_NS };
	if (lua_isnoneornil(L, 1))
		return;
	luaL_checktype(L, 1, LUA_TTABLE);
	card_check_fields(L, 1, "segment", fields);
	read_end(L, "from", &m->from);
	read_end(L, "to", &m->to);
	read_flags(L, m);
	read_numbers(L, m);
	if (lua_getfield(L, 1, "payload") != LUA_TNIL)
		m->payload = luaL_checklstring(L, -1, &m->payload_len);
	lua_pop(L, 1);
	lua_getfield(L, 1, "timeout");
	m->timeout_ns = card_seconds(L, lua_gettop(L), SEGMENT_NS);
	lua_pop(L, 1);
}

static void set_integer(lua_State *L, const char *key, lua_Integer n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, key);
}

static void set_end(lua_State *L, const char *key, const struct address *a,
		    const struct address *there)
{
	const char *owner = wire_owner(sandbox_lab(L), a, there);
	struct text t;

	text_clear(&t);
	address_add(&t, a);
	lua_pushstring(L, owner ? owner : t.s);
	lua_setfield(L, -2, key);
}

static void push_segment(lua_State *L, const struct wire_segment *s)
{
	char text[CAPTURE_FLAGS_MAX];

	lua_newtable(L);
	set_end(L, "from", &s->src, &s->dst);
	set_end(L, "to", &s->dst, &s->src);
	for (int i = 0; i < NUMBERS; i++)
		set_integer(L, numbers[i], number_of(s, i));
	for (int i = 0; i < FLAGS; i++) {
		if (flags[i].flag == CAPTURE_ACK)
			continue; /* `ack` is the number */
		lua_pushboolean(L, s->flags & flags[i].flag);
		lua_setfield(L, -2, flags[i].key);
	}
	lua_pushlstring(L, text, capture_flags_text(s->flags, text));
	lua_setfield(L, -2, "flags");
	lua_pushlstring(L, s->payload ? (const char *)s->payload : "",
			s->payload_caplen);
	lua_setfield(L, -2, "payload");
	lua_pushnumber(L,
		       (lua_Number)(s->time_ns - sandbox_lab(L)->t0_ns) / 1e9);
	lua_setfield(L, -2, "time");
}

/* On unix, and without capture, there is no wire: no claim about it counts. */
static bool no_wire(lua_State *L)
{
	if (sandbox_lab(L)->wire)
		return false;
	lua_newtable(L);
	return true;
}

/* The next match behind the last one; waits for it. */
static const struct wire_segment *
next_match(struct lab *lab, const struct match *m, int64_t deadline)
{
	size_t i = lab->wire_cursor;
	bool over = false;

	for (;;) {
		for (; i < wire_count(lab->wire); i++) {
			const struct wire_segment *s = wire_at(lab->wire, i);

			if (!matches(lab, m, s))
				continue;
			lab->wire_cursor = i + 1;
			return s;
		}
		if (over)
			return NULL;
		over = oob_now_ns() >= deadline ||
		       oob_now_ns() >= lab->deadline_ns;
		lab_pump(lab, deadline);
	}
}

static void describe_match(lua_State *L, struct text *t)
{
	text_clear(t);
	text_add(t, "segment");
	if (lua_istable(L, 1))
		card_describe(L, 1, t);
}

static int segment(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	const struct wire_segment *s;
	struct match m;
	struct text want;

	read_match(L, &m);
	if (no_wire(L))
		return 1;
	describe_match(L, &want);
	s = next_match(lab, &m, oob_deadline_in(m.timeout_ns));
	card_judge(L, s != NULL, want.s, s ? "it" : "none on the wire");
	if (!s) {
		lua_pushnil(L);
		lua_pushliteral(L, "ETIMEDOUT");
		return 2;
	}
	push_segment(L, s);
	return 1;
}

/* None behind the last match, in all that is there by now. */
static int no_segment(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	bool none = true;
	struct match m;
	struct text want;

	read_match(L, &m);
	if (no_wire(L)) {
		lua_pushboolean(L, true);
		return 1;
	}
	lab_pump(lab, 0);
	for (size_t i = lab->wire_cursor; i < wire_count(lab->wire); i++)
		none &= !matches(lab, &m, wire_at(lab->wire, i));
	describe_match(L, &want);
	card_judge(L, none, "none on the wire", none ? "none" : want.s);
	lua_pushboolean(L, none);
	return 1;
}

static int segments(lua_State *L)
{
	struct lab *lab = sandbox_lab(L);
	lua_Integer n = 0;
	struct match m;

	read_match(L, &m);
	if (no_wire(L))
		return 1;
	lab_pump(lab, 0);
	lua_newtable(L);
	for (size_t i = 0; i < wire_count(lab->wire); i++) {
		if (!matches(lab, &m, wire_at(lab->wire, i)))
			continue;
		push_segment(L, wire_at(lab->wire, i));
		lua_seti(L, -2, ++n);
	}
	return 1;
}

void card_open_wire(lua_State *L)
{
	lua_register(L, "segment", segment);
	lua_register(L, "no_segment", no_segment);
	lua_register(L, "segments", segments);
}
