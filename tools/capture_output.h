/*
 * What `ooblab capture` makes of what the analysis tells it: one const table
 * for each way, several at once.
 */
#ifndef TOOLS_CAPTURE_OUTPUT_H
#define TOOLS_CAPTURE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/analysis.h"
#include "tools/capture_input.h"
#include "tools/term.h"

/* What a first pass over the packets learns, for outputs that need it. */
struct survey {
	uint64_t *urgent; /* a bit a flow: it had URG or a pointer */
	size_t words;
	uint64_t urgent_flows;
	uint64_t first_flow;	  /* of those, and */
	uint8_t first_directions; /* in which directions: 1 a, 2 b */
	bool no_memory;
};

/* What the command line asks, and what all outputs share. */
struct output_context {
	struct input *input;
	struct term term;
	const char *write_path;	     /* -w */
	const struct survey *survey; /* of the first pass, once it is over */
	uint64_t flow;		     /* the one picked */
	int direction;		     /* 0 a, 1 b, -1 both */
	bool mermaid;		     /* --ladder=mermaid */
	const char *view;	     /* --view NAME */
	bool json;		     /* --views --json */
	int64_t first_ns;	     /* time of the first packet; 0 before it */
};

/* At the end. */
struct output_totals {
	struct capture_counts counts;
	struct input_drops drops;
	const char *truncated; /* why the file ends early; NULL it does not */
};

/* `state` is what begin() made, and the context of the listener. */
struct output {
	/* Returns 0, or an exit status after complaining. */
	int (*begin)(void **state, const struct output_context *context);
	struct capture_listener listener;
	/* No more packets for a while: what was told is to be seen. May be
	 * NULL. */
	void (*flush)(void *state);
	/* Frees the state. `totals` are NULL where nothing was read. Returns
	 * 0, or an exit status after complaining. */
	int (*end)(void *state, const struct output_totals *totals);
};

/* begin() and flush() of outputs whose state is the context. */
int output_begin(void **state, const struct output_context *context);
void output_flush(void *state);

/* "acknowledged", "replaced" … for enum capture_end. */
const char *output_end_name(uint8_t end);

/* What the survey found of `flow`. */
bool output_flow_is_urgent(const struct survey *survey, uint64_t flow);

/* "127.0.0.1:80", "[::1]:80" of a segment's source or destination. */
#define OUTPUT_END_MAX 56
const char *output_source(const struct capture_segment *segment,
			  char out[OUTPUT_END_MAX]);
const char *output_destination(const struct capture_segment *segment,
			       char out[OUTPUT_END_MAX]);

/* For a first pass; its state is a struct survey the caller frees. */
extern const struct capture_listener output_survey;

extern const struct output output_lines, output_json, output_summary,
	output_json_summary, output_write, output_write_whole, output_ladder,
	output_follow, output_view, output_views;

#endif
