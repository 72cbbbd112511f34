/* The Test Anything Protocol, version 13: a test each trial. */
#include <stdio.h>
#include <string.h>

#include "tools/lab/report.h"
#include "tools/text.h"

static void begin(struct reporter *r)
{
	fprintf(r->term.out, "TAP version 13\n1..%zu\n", r->trials);
}

/* A '#' in a name would begin a directive. */
static void print_name(struct reporter *r, const char *name)
{
	char safe[TEXT_MAX];

	text_printable(safe, sizeof(safe), name,
		       TEXT_ONE_LINE | term_text_flags(&r->term));
	for (const char *c = safe; *c; c++)
		fprintf(r->term.out, *c == '#' ? "\\%c" : "%c", *c);
}

static void outcome(struct reporter *r, const struct outcome *o)
{
	const char *verdict = report_string(o->verdict, "verdict");
	bool skipped = !strcmp(verdict, "skipped");
	bool held = skipped || !strcmp(verdict, "held");
	char why[TEXT_MAX];

	text_printable(why, sizeof(why), report_string(o->verdict, "why"),
		       TEXT_ONE_LINE | term_text_flags(&r->term));
	fprintf(r->term.out, "%s %zu - ", held ? "ok" : "not ok", r->told + 1);
	print_name(r, o->job->name);
	fprintf(r->term.out, " %s%s", o->job->transport,
		o->job->inline_delivery ? " inline" : "");
	if (skipped)
		fprintf(r->term.out, " # SKIP %s\n", why);
	else
		fprintf(r->term.out, "\n%s%s%s", *why ? "# " : "", why,
			*why ? "\n" : "");
}

const struct report report_tap = {
	.name = "tap",
	.begin = begin,
	.outcome = outcome,
};
