#include "capture/view_compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Octets as one view handed them over. */
struct span {
	int64_t begin;
	int64_t end;
	const uint8_t *data; /* NULL: not captured */
};

struct spans {
	struct span *at;
	size_t count;
	size_t room;
	size_t next; /* the first that does not lie behind */
};

struct side {
	struct spans in_band;
	struct spans urgent;
	bool no_memory;
};

/* --- what the views say ----------------------------------------------- */

static bool add(struct spans *spans, int64_t seq, const uint8_t *data,
		size_t len)
{
	size_t room = spans->room ? spans->room * 2 : 16;
	struct span *at = spans->at;

	if (spans->count == spans->room) {
		at = realloc(at, room * sizeof(*at));
		if (!at)
			return false;
		spans->at = at;
		spans->room = room;
	}
	at[spans->count++] = (struct span){ seq, seq + (int64_t)len, data };
	return true;
}

static void on_data(void *context, int64_t seq, const uint8_t *data, size_t len)
{
	struct side *side = context;

	side->no_memory |= !add(&side->in_band, seq, data, len);
}

static void on_urgent(void *context, int64_t seq, const uint8_t *byte)
{
	struct side *side = context;

	side->no_memory |= !add(&side->urgent, seq, byte, 1);
}

static void on_mark(void *context, int64_t seq)
{
	(void)context;
	(void)seq;
}

static int by_begin(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	return (left->begin > right->begin) - (left->begin < right->begin);
}

/* An octet handed over out of band twice counts once. */
static void put_in_order(struct spans *spans)
{
	size_t kept = 0;

	qsort(spans->at, spans->count, sizeof(*spans->at), by_begin);
	for (size_t i = 0; i < spans->count; i++)
		if (!kept || spans->at[kept - 1].begin != spans->at[i].begin)
			spans->at[kept++] = spans->at[i];
	spans->count = kept;
}

static int listen_to(struct side *side, const struct capture_view *view,
		     const struct capture_stream *stream)
{
	struct capture_view_sink sink = {
		.data = on_data,
		.urgent = on_urgent,
		.mark = on_mark,
		.context = side,
	};
	struct capture_view_end end;
	int ret = view->run(view, stream, &sink, &end);

	if (ret == 0 && side->no_memory)
		ret = -ENOMEM;
	if (ret == 0 && side->urgent.count)
		put_in_order(&side->urgent);
	return ret;
}

/* --- octet by octet --------------------------------------------------- */

struct comparing {
	struct side sides[CAPTURE_VIEWS];
	struct capture_placing placings[CAPTURE_VIEWS];
	size_t count;
	void (*difference)(void *context,
			   const struct capture_difference *difference);
	void *context;
	struct capture_comparison *out;
};

/* The span `seq` lies in, or NULL; *until comes down to where that changes. */
static const struct span *span_at(struct spans *spans, int64_t seq,
				  int64_t *until)
{
	const struct span *span;
	int64_t change;

	while (spans->next < spans->count && spans->at[spans->next].end <= seq)
		spans->next++;
	if (spans->next == spans->count)
		return NULL;
	span = &spans->at[spans->next];
	change = span->begin > seq ? span->begin : span->end;
	if (change < *until)
		*until = change;
	return span->begin > seq ? NULL : span;
}

static const uint8_t *byte_at(const struct span *span, int64_t seq)
{
	return span && span->data ? span->data + (seq - span->begin) : NULL;
}

/* Place `seq` in all views. Returns the octet at which a span begins or ends
 * next; INT64_MAX: all lie behind. */
static int64_t place(struct comparing *c, int64_t seq)
{
	int64_t until = INT64_MAX;

	for (size_t i = 0; i < c->count; i++) {
		struct side *side = &c->sides[i];
		const struct span *in = span_at(&side->in_band, seq, &until);
		const struct span *out = span_at(&side->urgent, seq, &until);

		c->placings[i] = (struct capture_placing){
			.in_band = in,
			.out_of_band = out,
			.data = byte_at(in, seq),
			.urgent = byte_at(out, seq),
		};
	}
	return until;
}

/* Where both are known they may be alike octet by octet; else all of a row
 * is as its first. */
static bool same_byte(const uint8_t *a, const uint8_t *b)
{
	return a == b || (a && b && *a == *b);
}

static bool alike(const struct capture_placing *a,
		  const struct capture_placing *b)
{
	return a->in_band == b->in_band && a->out_of_band == b->out_of_band &&
	       same_byte(a->data, b->data) && same_byte(a->urgent, b->urgent);
}

/* How many of `len` octets are to be counted as one: all, unless two views
 * took them from different segments. */
static size_t in_one(const struct comparing *c, size_t len)
{
	const uint8_t *data = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const uint8_t *other = c->placings[i].data;

		if (data && other && data != other)
			return 1;
		if (other)
			data = other;
	}
	return len;
}

static void count_in(struct comparing *c, int64_t seq, size_t len)
{
	struct capture_difference difference = { seq, len, c->placings };
	bool placed = false, differ = false;

	for (size_t a = 0; a < c->count; a++) {
		const struct capture_placing *left = &c->placings[a];

		placed |= left->in_band || left->out_of_band;
		for (size_t b = a + 1; b < c->count; b++) {
			if (alike(left, &c->placings[b]))
				continue;
			differ = true;
			c->out->pairs[a][b] += len;
			c->out->pairs[b][a] += len;
		}
	}
	c->out->octets += placed ? len : 0;
	c->out->differing += differ ? len : 0;
	if (differ && c->difference)
		c->difference(c->context, &difference);
}

static void advance(struct comparing *c, size_t n)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->placings[i].data)
			c->placings[i].data += n;
}

static void compare(struct comparing *c)
{
	int64_t seq = INT64_MIN;
	int64_t until;

	while ((until = place(c, seq)) != INT64_MAX) {
		if (seq == INT64_MIN) /* up to the first octet */
			seq = until;
		while (seq < until) {
			size_t len = in_one(c, (size_t)(until - seq));

			count_in(c, seq, len);
			advance(c, len);
			seq += (int64_t)len;
		}
	}
}

int capture_views_compare(
	const struct capture_stream *stream,
	const struct capture_view *const *views, size_t count,
	void (*difference)(void *context,
			   const struct capture_difference *difference),
	void *context, struct capture_comparison *out)
{
	struct comparing *c = calloc(1, sizeof(*c));
	int ret = 0;

	if (!c)
		return -ENOMEM;
	*out = (struct capture_comparison){ 0 };
	c->count = count;
	c->difference = difference;
	c->context = context;
	c->out = out;
	for (size_t i = 0; i < count && ret == 0; i++)
		ret = listen_to(&c->sides[i], views[i], stream);
	if (ret == 0)
		compare(c);
	for (size_t i = 0; i < count; i++) {
		free(c->sides[i].in_band.at);
		free(c->sides[i].urgent.at);
	}
	free(c);
	return ret;
}
