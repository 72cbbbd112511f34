/* Verdicts at the end: a row an experiment, a column an axis. */
#include <stdio.h>
#include <string.h>

#include "tools/lab/report.h"
#include "tools/text.h"

#define AXIS_COLUMNS 11 /* of the longest, "tcp4+inline" */
#define NAME_COLUMNS 10 /* at least */
#define NAME_BYTES   256
#define GAP	     2

static bool same_axis(const struct trial_job *a, const struct trial_job *b)
{
	return !strcmp(a->transport, b->transport) &&
	       a->inline_delivery == b->inline_delivery;
}

static const char *axis_name(const struct trial_job *job, char *out,
			     size_t size)
{
	snprintf(out, size, "%s%s", job->transport,
		 job->inline_delivery ? "+inline" : "");
	return out;
}

static const char *safe_name(const struct reporter *r, const struct outcome *o,
			     char out[NAME_BYTES])
{
	return text_printable(out, NAME_BYTES, o->job->name,
			      TEXT_ONE_LINE | term_text_flags(&r->term));
}

/* A blank at the end of a line would be there for nothing. */
static void print_cell(struct reporter *r, const char *text,
		       enum term_style style, bool last)
{
	fprintf(r->term.out, "%*s%s%s%s%*s", GAP, "", term_on(&r->term, style),
		text, term_off(&r->term),
		last ? 0 : AXIS_COLUMNS - (int)strlen(text), "");
}

static void print_verdict(struct reporter *r, const struct outcome *o,
			  bool last)
{
	const char *verdict = report_string(o->verdict, "verdict");

	print_cell(r, verdict, report_style(verdict), last);
}

static void print_axes(struct reporter *r, const struct outcome *all,
		       size_t axes, int width)
{
	char axis[32];

	fprintf(r->term.out, "\n%*s", width, "");
	for (size_t i = 0; i < axes; i++)
		print_cell(r, axis_name(all[i].job, axis, sizeof(axis)),
			   TERM_PLAIN, i + 1 == axes);
}

static void print_grid(struct reporter *r, const struct outcome *all,
		       size_t count, size_t axes, int width)
{
	char name[NAME_BYTES];

	print_axes(r, all, axes, width);
	for (size_t i = 0; i < count; i++) {
		if (i % axes == 0) {
			safe_name(r, &all[i], name);
			fprintf(r->term.out, "\n%s%*s", name,
				width - term_columns(name), "");
		}
		print_verdict(r, &all[i], (i + 1) % axes == 0);
	}
}

/* Where the grid would pass the right edge: a line each. */
static void print_list(struct reporter *r, const struct outcome *all,
		       size_t count, size_t axes)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < count; i++) {
		if (i % axes == 0) {
			fputs("\n", r->term.out);
			term_wrap(&r->term, TERM_PLAIN, 0, GAP,
				  safe_name(r, &all[i], name));
		}
		fputs("\n", r->term.out);
		print_cell(r, axis_name(all[i].job, name, sizeof(name)),
			   TERM_PLAIN, false);
		print_verdict(r, &all[i], true);
	}
}

/* All experiments were tried on the same axes, in the same order. */
void report_table(struct reporter *r, const struct outcome *all, size_t count)
{
	int width = NAME_COLUMNS, room;
	char name[NAME_BYTES];
	size_t axes = 1;

	while (axes < count && !same_axis(all[axes].job, all[0].job))
		axes++;
	for (size_t i = 0; i < count; i++) {
		int columns = term_columns(safe_name(r, &all[i], name));

		width = columns > width ? columns : width;
	}
	room = (r->term.width - width) / (GAP + AXIS_COLUMNS);
	if (room >= 0 && axes <= (size_t)room)
		print_grid(r, all, count, axes, width);
	else
		print_list(r, all, count, axes);
	fputs("\n", r->term.out);
}
