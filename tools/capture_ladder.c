/*
 * --ladder: one flow as a sequence diagram, in text or as Mermaid source.
 */
#include <stdio.h>
#include <string.h>

#include "capture/flags.h"
#include "capture/urgent.h"
#include "tools/capture_output.h"
#include "tools/text.h"

#define SHOWN_PAYLOAD 16
#define ARROW_COLUMNS 14

/* The line of a segment: flags, relative numbers, payload, what is urgent. */
static void describe(const struct capture_sighting *seen, struct text *t)
{
	const struct capture_segment *s = seen->segment;
	char flags[CAPTURE_FLAGS_MAX], urgent[CAPTURE_NOTE_MAX];

	capture_flags_text(s->flags, flags);
	text_clear(t);
	text_add(t, "%s seq=%u", flags, seen->event->seq);
	if (s->flags & CAPTURE_ACK)
		text_add(t, " ack=%u", seen->event->ack);
	if (s->payload_len) {
		text_add(t, " len=%u ", s->payload_len);
		text_add_bytes(t, s->payload, s->payload_caplen, SHOWN_PAYLOAD);
	}
	if (capture_urgent_field(s, seen->event, urgent))
		text_add(t, " %s", urgent);
}

/* Mermaid ends a message at ';' and begins an entity at '#'. */
static void print_mermaid(FILE *out, const char *line, uint8_t direction)
{
	fprintf(out, direction ? "    b->>a: " : "    a->>b: ");
	for (; *line; line++) {
		if (strchr(";#<>&", *line))
			fprintf(out, "#%d;", *line);
		else
			putc(*line, out);
	}
	putc('\n', out);
}

static void print_text(const struct output_context *c, const char *line,
		       const struct capture_sighting *seen)
{
	bool urgent = seen->segment->flags & CAPTURE_URG;
	const char *dash = c->term.utf8 ? (urgent ? "═" : "─")
					: (urgent ? "=" : "-");
	bool back = seen->event->direction;

	fprintf(c->term.out, "%10.6f  ",
		(double)(seen->packet->time_ns - c->first_ns) / 1e9);
	fputs(term_on(&c->term, urgent ? TERM_URGENT : TERM_PLAIN),
	      c->term.out);
	fputs(back ? (c->term.utf8 ? "◀" : "<") : "", c->term.out);
	for (int i = 1; i < ARROW_COLUMNS; i++)
		fputs(dash, c->term.out);
	fputs(back ? "" : (c->term.utf8 ? "▶" : ">"), c->term.out);
	fprintf(c->term.out, "  %s%s\n", line, term_off(&c->term));
}

static void print_head(const struct output_context *c,
		       const struct capture_sighting *seen)
{
	char from[OUTPUT_END_MAX], to[OUTPUT_END_MAX];
	const char *a = output_source(seen->segment, from);
	const char *b = output_destination(seen->segment, to);

	if (seen->event->direction) {
		const char *swap = a;

		a = b;
		b = swap;
	}
	if (c->mermaid)
		fprintf(c->term.out,
			"sequenceDiagram\n    participant a as %s\n"
			"    participant b as %s\n",
			a, b);
	else
		fprintf(c->term.out, "flow %llu: a %s, b %s\n",
			(unsigned long long)c->flow, a, b);
}

static void segment(void *state, const struct capture_sighting *seen)
{
	const struct output_context *c = state;
	struct text line;

	if (seen->event->flow != c->flow)
		return;
	if (seen->event->facts & CAPTURE_FACT_NEW_FLOW)
		print_head(c, seen);
	describe(seen, &line);
	if (c->mermaid)
		print_mermaid(c->term.out, line.s, seen->event->direction);
	else
		print_text(c, line.s, seen);
}

static int end(void *state, const struct output_totals *totals)
{
	(void)state;
	(void)totals;
	return 0;
}

const struct output output_ladder = {
	.begin = output_begin,
	.listener = { .segment = segment },
	.end = end,
};
