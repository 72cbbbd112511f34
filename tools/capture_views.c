/* --views: all views of a stream beside each other, octet by octet. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "capture/view_compare.h"
#include "tools/capture_kept.h"
#include "tools/cmd.h"
#include "tools/text.h"

#define DIFFERENCES_TOLD 20 /* as text; JSON has all */
#define OCTETS_TOLD	 16

/* What one view handed over, in numbers. */
struct account {
	uint64_t in_band, out_of_band, marks;
	struct capture_view_end end;
};

static void count_data(void *context, int64_t seq, const uint8_t *data,
		       size_t len)
{
	struct account *a = context;

	(void)seq;
	(void)data;
	a->in_band += len;
}

static void count_urgent(void *context, int64_t seq, const uint8_t *byte)
{
	struct account *a = context;

	(void)seq;
	(void)byte;
	a->out_of_band++;
}

static void count_mark(void *context, int64_t seq)
{
	struct account *a = context;

	(void)seq;
	a->marks++;
}

static int take_account(const struct capture_view *view,
			const struct capture_stream *stream, struct account *a)
{
	struct capture_view_sink sink = { .data = count_data,
					  .urgent = count_urgent,
					  .mark = count_mark,
					  .context = a };

	return view->run(view, stream, &sink, &a->end);
}

static const char *stop_name(enum capture_view_stop stop)
{
	static const char *const names[] = {
		[CAPTURE_VIEW_OPEN] = "open",
		[CAPTURE_VIEW_FIN] = "fin",
		[CAPTURE_VIEW_RESET] = "reset",
		[CAPTURE_VIEW_HOLE] = "hole",
	};

	return names[stop];
}

enum placed {
	IN_BAND,
	OUT_OF_BAND,
	BOTH,
	NOWHERE,
	PLACES
};

static const char *const place_names[PLACES] = { "in band", "out of band",
						 "both ways", "not at all" };

static enum placed placed(const struct capture_placing *p)
{
	if (p->in_band)
		return p->out_of_band ? BOTH : IN_BAND;
	return p->out_of_band ? OUT_OF_BAND : NOWHERE;
}

/* The octets, as some view has them: retransmissions can differ. */
static const uint8_t *octets_of(const struct capture_difference *d)
{
	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		if (d->views[i].in_band && d->views[i].data)
			return d->views[i].data;
	}
	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		if (d->views[i].out_of_band && d->views[i].urgent)
			return d->views[i].urgent;
	}
	return NULL;
}

struct telling {
	const struct output_context *context;
	uint64_t told;
};

static void tell_place(FILE *out, const struct capture_difference *d,
		       enum placed place)
{
	const char *comma = " ";

	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		if (placed(&d->views[i]) != place)
			continue;
		if (*comma == ' ')
			fprintf(out, "    %-12s", place_names[place]);
		fprintf(out, "%s%s", comma, capture_views[i]->name);
		comma = ", ";
	}
	if (*comma == ',')
		putc('\n', out);
}

static void tell_difference(void *context, const struct capture_difference *d)
{
	struct telling *t = context;
	FILE *out = t->context->term.out;
	const uint8_t *octets = octets_of(d);
	struct text line;

	if (t->told++ >= DIFFERENCES_TOLD)
		return;
	text_clear(&line);
	if (octets)
		text_add_bytes(&line, octets, d->len, OCTETS_TOLD);
	fprintf(out, "\n%zu octet%s at %lld %s\n", d->len,
		d->len == 1 ? "" : "s", (long long)d->seq, line.s);
	for (int place = 0; place < PLACES; place++)
		tell_place(out, d, place);
}

static void tell_account(const struct output_context *c,
			 const struct capture_view *view,
			 const struct account *a)
{
	fprintf(c->term.out, "%-16s %8llu %12llu %6llu  %-6s %s\n", view->name,
		(unsigned long long)a->in_band,
		(unsigned long long)a->out_of_band,
		(unsigned long long)a->marks, stop_name(a->end.stop),
		view->does);
}

static void tell_result(const struct output_context *c, uint64_t told,
			const struct capture_comparison *result)
{
	if (told > DIFFERENCES_TOLD)
		fprintf(c->term.out, "\n… and %llu more\n",
			(unsigned long long)told - DIFFERENCES_TOLD);
	if (result->differing)
		fprintf(c->term.out,
			"\nambiguous: %llu of %llu octets are not placed "
			"alike\n",
			(unsigned long long)result->differing,
			(unsigned long long)result->octets);
	else
		fprintf(c->term.out, "\nall views agree on %llu octets\n",
			(unsigned long long)result->octets);
}

static void print_json(const struct output_context *c, json_t *object)
{
	json_dumpf(object, c->term.out, JSON_COMPACT);
	putc('\n', c->term.out);
	json_decref(object);
}

static void json_account(const struct output_context *c,
			 const struct capture_view *view,
			 const struct account *a)
{
	print_json(c, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "event",
				"view", "view", view->name, "in_band",
				(json_int_t)a->in_band, "out_of_band",
				(json_int_t)a->out_of_band, "marks",
				(json_int_t)a->marks, "end",
				stop_name(a->end.stop)));
}

static void json_difference(void *context, const struct capture_difference *d)
{
	static const char *const keys[PLACES] = { "in_band", "out_of_band",
						  "both", "neither" };
	struct telling *t = context;
	json_t *object = json_pack("{s:s, s:I, s:I}", "event", "difference",
				   "seq", (json_int_t)d->seq, "len",
				   (json_int_t)d->len);

	t->told++;
	for (int place = 0; place < PLACES; place++) {
		json_t *list = json_array();

		for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
			if ((int)placed(&d->views[i]) == place)
				json_array_append_new(
					list,
					json_string(capture_views[i]->name));
		}
		json_object_set_new(object, keys[place], list);
	}
	print_json(t->context, object);
}

static void json_result(const struct output_context *c, uint64_t told,
			const struct capture_comparison *result)
{
	(void)told;
	print_json(c, json_pack("{s:s, s:I, s:I, s:b}", "event", "views",
				"octets", (json_int_t)result->octets,
				"differing", (json_int_t)result->differing,
				"ambiguous", result->differing != 0));
}

/* Two ways to tell the same. */
struct teller {
	void (*account)(const struct output_context *c,
			const struct capture_view *view,
			const struct account *a);
	void (*difference)(void *context, const struct capture_difference *d);
	void (*result)(const struct output_context *c, uint64_t told,
		       const struct capture_comparison *result);
};

static const struct teller as_text = { tell_account, tell_difference,
				       tell_result };
static const struct teller as_json = { json_account, json_difference,
				       json_result };

static int tell_all(const struct output_context *c,
		    const struct capture_stream *stream)
{
	const struct teller *teller = c->json ? &as_json : &as_text;
	struct capture_comparison result;
	struct telling telling = { .context = c };
	int ret = 0;

	if (!c->json)
		fprintf(c->term.out, "%-16s %8s %12s %6s  %-6s %s\n", "view",
			"in band", "out of band", "marks", "end", "receiver");
	for (size_t i = 0; ret == 0 && i < CAPTURE_VIEWS; i++) {
		struct account a = { .in_band = 0 };

		ret = take_account(capture_views[i], stream, &a);
		if (ret == 0)
			teller->account(c, capture_views[i], &a);
	}
	if (ret == 0)
		ret = capture_views_compare(stream, capture_views,
					    CAPTURE_VIEWS, teller->difference,
					    &telling, &result);
	if (ret < 0) {
		cmd_complain("capture", "%s", strerror(-ret));
		return STATUS_CANNOT;
	}
	teller->result(c, telling.told, &result);
	return result.differing ? STATUS_NOT : STATUS_HELD;
}

static int end_views(void *state, const struct output_totals *totals)
{
	struct kept *kept = state;
	struct capture_stream *stream;
	int status = STATUS_USAGE;

	if (!totals) {
		kept_free(kept);
		return 0;
	}
	stream = kept_stream(kept);
	if (stream)
		status = tell_all(kept->context, stream);
	if (kept->error)
		status = STATUS_USAGE;
	kept_free(kept);
	return status;
}

const struct output output_views = {
	.begin = kept_begin,
	.listener = { .segment = kept_segment },
	.end = end_views,
};
