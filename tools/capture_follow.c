/*
 * --follow: what the two ends of one flow said to each other, with the byte
 * in brackets that the BSD reading calls urgent, and each mark that lies
 * ahead of its data.
 */
#include <stdio.h>

#include "tools/capture_output.h"
#include "tools/text.h"

#define SHOWN_BYTES 512 /* of one segment */

/* Octets of this segment before the urgent byte; at least payload_len: none. */
static uint32_t urgent_at(const struct capture_sighting *seen)
{
	if (!(seen->event->facts & CAPTURE_FACTS_URGENT) ||
	    !seen->event->has_mark)
		return UINT32_MAX;
	return seen->event->mark - 1 - seen->event->seq;
}

static void print_bytes(const struct output_context *c, const uint8_t *p,
			size_t len)
{
	struct text t;

	text_clear(&t);
	text_add_plain(&t, p, len, SHOWN_BYTES);
	fputs(t.s, c->term.out);
}

static void print_payload(const struct output_context *c,
			  const struct capture_segment *s, uint32_t at)
{
	if (at >= s->payload_caplen) {
		print_bytes(c, s->payload, s->payload_caplen);
		return;
	}
	print_bytes(c, s->payload, at);
	fprintf(c->term.out, "%s%s", term_on(&c->term, TERM_URGENT),
		c->term.utf8 ? "«" : "<<");
	print_bytes(c, s->payload + at, 1);
	fprintf(c->term.out, "%s%s", c->term.utf8 ? "»" : ">>",
		term_off(&c->term));
	print_bytes(c, s->payload + at + 1, s->payload_caplen - at - 1);
}

static void segment(void *state, const struct capture_sighting *seen)
{
	const struct output_context *c = state;
	const struct capture_segment *s = seen->segment;
	const struct capture_event *e = seen->event;
	bool ahead = e->facts & CAPTURE_FACT_BEYOND && s->flags & CAPTURE_URG;

	if (e->flow != c->flow ||
	    (c->direction >= 0 && c->direction != e->direction) ||
	    (!s->payload_len && !ahead))
		return;
	fprintf(c->term.out, "%c #%-5llu ", "ab"[e->direction],
		(unsigned long long)seen -> frame);
	print_payload(c, s, urgent_at(seen));
	if (s->payload_caplen < s->payload_len)
		fprintf(c->term.out, " (%u bytes not captured)",
			s->payload_len - s->payload_caplen);
	if (s->payload_len && e->facts & CAPTURE_FACT_OLD)
		fputs(" (again, or late)", c->term.out);
	if (ahead)
		fprintf(c->term.out, " (mark %u bytes ahead)",
			e->mark - e->seq - s->payload_len);
	putc('\n', c->term.out);
}

static int end(void *state, const struct output_totals *totals)
{
	(void)state;
	(void)totals;
	return 0;
}

const struct output output_follow = {
	.begin = output_begin,
	.listener = { .segment = segment },
	.end = end,
};
