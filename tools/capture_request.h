/* What the command line of `ooblab capture` asks for. */
#ifndef TOOLS_CAPTURE_REQUEST_H
#define TOOLS_CAPTURE_REQUEST_H

#include <stdbool.h>

#include "tools/capture_output.h"
#include "tools/cmd.h"

struct request {
	struct input_options input; /* its filter belongs to the request */
	struct output_context context;
	const struct output *first;  /* made in one pass over the packets */
	const struct output *second; /* needs a survey first; NULL none */
	bool json, summary;
	bool write; /* -w without --whole-flows, beside `first` */
	bool whole_flows;
	bool picked;
	const char *compare[2];	   /* two files; NULL: nothing of that */
	uint64_t max_memory_bytes; /* as given; 0: the default */
	struct capture_analysis_options analysis;
};

/*
 * Read the words of the command line. Returns 0, or STATUS_USAGE after a
 * complaint; request_free() either way.
 */
int request_read(struct request *r, const struct cmd *self, int argc,
		 char **argv);
void request_free(struct request *r);

#endif
