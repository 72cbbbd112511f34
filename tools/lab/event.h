/*
 * The events of a trial, as JSON objects on their way to the run. Each is
 * complete: what --json prints, and all that any renderer knows.
 */
#ifndef LAB_EVENT_H
#define LAB_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/lab/lab.h"

/* What an experiment says: "title", "about", "note"; and its "error". */
void event_text(struct lab *lab, const char *kind, const char *text);
void event_call(struct lab *lab, const struct pending *call);
void event_signal(struct lab *lab, const struct actor *actor,
		  const struct message *signal);
void event_exit(struct lab *lab, const struct actor *actor, int status);
/* `end` as it now stands. */
void event_queue(struct lab *lab, const struct end *end);
void event_expect(struct lab *lab, bool held, const char *want,
		  const char *got);
/* The last of a trial, with the counts and the reason in `lab`. */
void event_verdict(struct lab *lab, const char *verdict);

struct event_verdict {
	int64_t t_ns; /* since the experiment began */
	const char *experiment, *transport;
	bool inline_delivery;
	const char *verdict; /* "held", "failed", "skipped" or "error" */
	unsigned expectations, failures;
	const char *why;
};

/* The same for a trial that cannot speak for itself. NULL: no memory. */
json_t *event_verdict_json(const struct event_verdict *v);

struct event_segment {
	int64_t time_ns;
	const char *from, *to; /* programs' names, or addresses */
	unsigned frame;	       /* in this trial's capture, from 1 */
	const char *flags;     /* "PSH ACK URG" */
	int64_t seq, ack;      /* relative; ack -1 without ACK */
	unsigned window, urgent_pointer;
	const uint8_t *payload;
	uint32_t payload_caplen, payload_len;
	const char *note; /* what is urgent in it; NULL nothing */
	const char *text; /* one line */
};
void event_segment(struct lab *lab, const struct event_segment *segment);

#endif
