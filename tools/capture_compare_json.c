/* Two captures compared, as one JSON object a line. */
#include <jansson.h>
#include <stdio.h>

#include "tools/capture_compare.h"
#include "tools/text.h"

/* {"event":"compare","of":WHAT}, to be filled and printed. */
static json_t *object(const char *what)
{
	return json_pack("{s:s,s:s}", "event", "compare", "of", what);
}

static void set_number(json_t *to, const char *key, int64_t n)
{
	json_object_set_new(to, key, json_integer(n));
}

static void set_text(json_t *to, const char *key, const char *text)
{
	json_object_set_new(to, key, text ? json_string(text) : json_null());
}

static void set_bool(json_t *to, const char *key, bool value)
{
	json_object_set_new(to, key, json_boolean(value));
}

static void print_line(struct compare_printer *p, json_t *line)
{
	json_dumpf(line, p->term.out, JSON_COMPACT | JSON_ENSURE_ASCII);
	putc('\n', p->term.out);
	json_decref(line);
}

static void files(struct compare_printer *p, const struct compare_file files[2])
{
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		const struct compare_file *f = &files[side];
		const char name[] = { 'A' + side, '\0' };
		char safe[512];
		json_t *line = object("capture");

		set_text(line, "capture", name);
		set_text(line, "file",
			 text_printable(safe, sizeof(safe), f->path, 0));
		set_number(line, "packets", (int64_t)f->counts.packets);
		set_number(line, "tcp", (int64_t)f->counts.tcp);
		set_number(line, "urg", (int64_t)f->counts.urg);
		set_number(line, "duration_ns", f->last_ns - f->first_ns);
		if (f->truncated) {
			set_bool(line, "truncated", true);
			set_text(line, "why", f->truncated);
		}
		print_line(p, line);
	}
}

static void clock_line(void *context, const struct capture_clock *clock)
{
	json_t *line = object("clock");

	set_bool(line, "known", clock->known);
	set_bool(line, "impossible", clock->impossible);
	if (clock->known) {
		set_number(line, "offset_ns", clock->offset_ns);
		set_number(line, "uncertainty_ns", clock->uncertainty_ns);
	}
	if (clock->drifts)
		json_object_set_new(line, "drift_ppm",
				    json_real(clock->drift_ppm));
	set_number(line, "toward_b", (int64_t)clock->toward_b);
	set_number(line, "toward_a", (int64_t)clock->toward_a);
	print_line(context, line);
}

static json_t *ends(const struct capture_endpoint both[2])
{
	char a[CAPTURE_ENDPOINT_MAX], b[CAPTURE_ENDPOINT_MAX];

	return json_pack("[s,s]", capture_endpoint_text(&both[0], a),
			 capture_endpoint_text(&both[1], b));
}

static json_t *way_object(const struct capture_way *way)
{
	const struct {
		const char *key;
		uint64_t n;
	} counts[] = {
		{ "sent", way->sent },
		{ "arrived", way->arrived },
		{ "matched", way->matched },
		{ "regrouped", way->regrouped },
		{ "regrouped_to", way->regrouped_to },
		{ "offloaded", way->offloaded },
		{ "dropped", way->dropped },
		{ "missing", way->missing },
		{ "unseen", way->unseen },
		{ "outside", way->outside },
		{ "duplicated", way->duplicated },
		{ "injected", way->injected },
		{ "acks_dropped", way->acks_dropped },
		{ "acks_injected", way->acks_injected },
		{ "reordered", way->reordered },
	};
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		set_number(out, counts[i].key, (int64_t)counts[i].n);
	if (way->timed) {
		set_number(out, "typical_ns", way->typical_ns);
		set_number(out, "spread_ns", way->spread_ns);
	}
	return out;
}

static void connection(void *context, const struct capture_connection *c)
{
	json_t *line = object("connection");

	set_number(line, "connection", c->number);
	set_number(line, "flow_a", (int64_t)c->flow_a);
	set_number(line, "flow_b", (int64_t)c->flow_b);
	json_object_set_new(line, "ends_a", ends(c->ends_a));
	json_object_set_new(line, "ends_b", ends(c->ends_b));
	set_text(line, "matched_by", capture_pairing_name(c->pairing));
	set_text(line, "near_a", c->near_a ? "b" : "a");
	set_text(line, "near_by", capture_evidence_name(c->near_from));
	set_bool(line, "terminated", c->terminated);
	json_object_set_new(line, "a", way_object(&c->way[0]));
	json_object_set_new(line, "b", way_object(&c->way[1]));
	print_line(context, line);
}

/* Frames are counted from 1. */
static void set_frames(json_t *line, uint64_t a, uint64_t b)
{
	json_object_set_new(line, "frame_a",
			    a ? json_integer((int64_t)a) : json_null());
	json_object_set_new(line, "frame_b",
			    b ? json_integer((int64_t)b) : json_null());
}

static void set_octet(json_t *line, const char *key, int octet)
{
	json_object_set_new(line, key,
			    octet == CAPTURE_NO_OCTET ? json_null()
						      : json_integer(octet));
}

static void set_direction(json_t *line, uint8_t direction)
{
	set_text(line, "direction",
		 direction == CAPTURE_BOTH_WAYS ? NULL
		 : direction			? "b"
						: "a");
}

static void mark(void *context, const struct capture_mark *m)
{
	json_t *line = object("mark");

	set_number(line, "connection", m->connection);
	set_direction(line, m->direction);
	set_number(line, "mark", m->mark);
	set_octet(line, "byte", m->octet_bsd);
	set_octet(line, "byte_rfc1122", m->octet_1122);
	set_text(line, "outcome", capture_outcome_name(m->outcome));
	set_number(line, "announced", m->announced);
	set_number(line, "kept", m->kept);
	set_number(line, "cleared", m->cleared);
	set_number(line, "pointers_zeroed", m->pointers_zeroed);
	set_number(line, "changed", m->changed);
	set_number(line, "lost", m->lost);
	set_frames(line, m->frame_a, m->frame_b);
	set_number(line, "pointer_sent", m->pointer_sent);
	if (m->outcome != CAPTURE_MARK_LOST &&
	    m->outcome != CAPTURE_MARK_UNSEEN) {
		set_number(line, "pointer_arrived", m->pointer_arrived);
		set_number(line, "mark_arrived", m->mark_arrived);
	}
	print_line(context, line);
}

static void difference(void *context, const struct capture_difference *d)
{
	json_t *line = object("difference");

	set_text(line, "difference", d->kind->name);
	set_text(line, "severity", capture_severity_name(d->kind->severity));
	if (d->connection)
		set_number(line, "connection", d->connection);
	set_direction(line, d->direction);
	set_number(line, "count", (int64_t)d->count);
	set_frames(line, d->frame_a, d->frame_b);
	if (d->has_mark)
		set_number(line, "mark", d->mark);
	set_text(line, "sentence", d->sentence);
	set_text(line, "rfc", d->kind->rfc);
	print_line(context, line);
}

static void summary(struct compare_printer *p, const struct capture_compared *r)
{
	json_t *line = object("summary");

	set_number(line, "connections", r->connections);
	set_number(line, "only_a", r->only[CAPTURE_A]);
	set_number(line, "only_b", r->only[CAPTURE_B]);
	set_number(line, "segments_a", (int64_t)r->segments[CAPTURE_A]);
	set_number(line, "segments_b", (int64_t)r->segments[CAPTURE_B]);
	set_number(line, "left_out_a", (int64_t)r->left_out[CAPTURE_A]);
	set_number(line, "left_out_b", (int64_t)r->left_out[CAPTURE_B]);
	set_number(line, "marks", (int64_t)r->marks);
	set_number(line, "marks_intact", (int64_t)r->marks_intact);
	set_number(line, "alarms", (int64_t)r->differences[CAPTURE_ALARM]);
	set_number(line, "warnings", (int64_t)r->differences[CAPTURE_WARNING]);
	set_number(line, "notes", (int64_t)r->differences[CAPTURE_NOTE]);
	print_line(p, line);
}

const struct compare_format compare_json = {
	.files = files,
	.listener = {
		.clock = clock_line,
		.connection = connection,
		.mark = mark,
		.difference = difference,
	},
	.summary = summary,
};
