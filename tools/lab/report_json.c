/* One JSON object a line, as the trial made it. */
#include <stdio.h>

#include "tools/lab/report.h"

static void print_line(struct reporter *r, const json_t *event)
{
	/* Nothing but ASCII: no control character, of a terminal's or of
	 * Unicode's, leaves here as itself. */
	json_dumpf(event, r->term.out, JSON_COMPACT | JSON_ENSURE_ASCII);
	putc('\n', r->term.out);
}

static void outcome(struct reporter *r, const struct outcome *o)
{
	for (size_t i = 0; i < o->count; i++)
		print_line(r, o->events[i]);
	if (o->verdict)
		print_line(r, o->verdict);
}

const struct report report_json = {
	.name = "json",
	.outcome = outcome,
};
