/* How the outcome of trials is told: one const table for each way. */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/lab/outcome.h"
#include "tools/lab/trial.h"
#include "tools/term.h"

struct reporter {
	struct term term;
	bool verbose;
	bool headed; /* the lanes' names stand above this timeline */
	const char *left, *right; /* programs with a lane of their own */
	const char *wire;	  /* the name of the lane between them */
	size_t trials;		  /* there will be in all */
	size_t told;		  /* so far */
};

struct report {
	const char *name;
	void (*begin)(struct reporter *r);
	void (*outcome)(struct reporter *r, const struct outcome *o);
	/* All outcomes, in order. */
	void (*end)(struct reporter *r, const struct outcome *all,
		    size_t count);
};

extern const struct report report_text, report_json, report_tap;

/* For the text report: the verdicts of all, side by side. */
void report_table(struct reporter *r, const struct outcome *all, size_t count);

/* How a verdict is shown. */
enum term_style report_style(const char *verdict);

/* A string of an event, "" where there is none. */
const char *report_string(const json_t *event, const char *key);

#endif
