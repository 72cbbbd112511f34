/*
 * What about urgent data deserves a person's look. The table is the one place
 * that knows a finding: its name, how bad it is, what it means, and the facts
 * or the function that recognise it.
 */
#ifndef CAPTURE_FINDING_H
#define CAPTURE_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"
#include "capture/flow.h"

enum capture_severity {
	CAPTURE_NOTE,	 /* worth knowing: how the protocol is used */
	CAPTURE_WARNING, /* receivers may read it differently, or wait */
	CAPTURE_ALARM,	 /* data was changed, or somebody evades */
};

struct capture_finding_kind {
	const char *name;     /* "pointer-zero": stable, as typed */
	const char *sentence; /* what it means, without a full stop */
	const char *rfc;      /* "RFC 9293 section 3.8.5" */
	enum capture_severity severity;
	/* Recognised by: all of these enum capture_fact bits, … */
	uint32_t facts;
	/* … none of these, … */
	uint32_t without;
	/* … and, where there is one, this. */
	int (*detect)(const struct capture_segment *segment,
		      const struct capture_event *event);
};

/* In the order in which `explain` lists them. */
extern const struct capture_finding_kind capture_findings[];
extern const size_t capture_finding_count;

/* One row of the table by its name, or NULL. */
const struct capture_finding_kind *capture_finding_by_name(const char *name);

/* "note", "warning", "alarm". */
const char *capture_severity_name(enum capture_severity severity);

/* Rows of the table, a bit each: bit n is capture_findings[n]. */
struct capture_rows {
	uint32_t sure; /* findings by their facts alone */
	uint32_t ask;  /* findings if the segment has what they look for */
};

/* What the facts of a segment can be. Depends on nothing else, and a capture
 * has few different ones: it can be remembered. */
struct capture_rows capture_find_rows(uint32_t facts);

/* All findings of a segment whose facts fit these rows, a bit each. Hardly
 * any segment has one. */
uint32_t capture_find(struct capture_rows rows,
		      const struct capture_segment *segment,
		      const struct capture_event *event);

#endif
