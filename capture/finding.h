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

/* The most that one segment can have. */
#define CAPTURE_FINDINGS_MAX 32

/*
 * All findings of one segment, in the table's order. Puts at most
 * CAPTURE_FINDINGS_MAX rows in `kinds` and returns their number, which is 0
 * for nearly every segment and costs one comparison then.
 */
size_t capture_find(const struct capture_segment *segment,
		    const struct capture_event *event,
		    const struct capture_finding_kind **kinds);

#endif
