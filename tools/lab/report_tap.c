/* The Test Anything Protocol, version 13: a test each trial. */
#include <stdio.h>
#include <string.h>

#include "tools/lab/report.h"
#include "tools/text.h"

static void begin(struct reporter *r)
{
	fprintf(r->term.out, "TAP version 13\n1..%zu\n", r->trials);
}

static void outcome(struct reporter *r, const struct outcome *o)
{
	const char *verdict = report_string(o->verdict, "verdict");
	const char *why = report_string(o->verdict, "why");
	bool skipped = !strcmp(verdict, "skipped");
	bool held = skipped || !strcmp(verdict, "held");
	char safe[TEXT_MAX];

	fprintf(r->term.out, "%s %zu - %s %s%s", held ? "ok" : "not ok",
		r->told + 1, o->job->name, o->job->transport,
		o->job->inline_delivery ? " inline" : "");
	text_printable(safe, sizeof(safe), why);
	for (char *c = safe; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	if (skipped)
		fprintf(r->term.out, " # SKIP %s\n", safe);
	else
		fprintf(r->term.out, "\n%s%s%s", *safe ? "# " : "", safe,
			*safe ? "\n" : "");
}

const struct report report_tap = {
	.name = "tap",
	.begin = begin,
	.outcome = outcome,
};
