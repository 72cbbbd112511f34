/*
 * The stream of the flow that was picked, kept for a view of it. Both
 * directions are, until it is known which one carries data.
 */
#ifndef TOOLS_CAPTURE_KEPT_H
#define TOOLS_CAPTURE_KEPT_H

#include "capture/stream.h"
#include "tools/capture_output.h"

struct kept {
	const struct output_context *context;
	struct capture_stream *streams[2];
	uint64_t payload[2];
	int error; /* of collecting, -errno */
};

/* begin() and segment() of an output whose state is a struct kept. */
int kept_begin(void **state, const struct output_context *context);
void kept_segment(void *state, const struct capture_sighting *seen);

/*
 * The stream asked for, or the only one that carries data, finished. NULL
 * after a complaint; kept->error is set, after one, where the stream is only
 * a part.
 */
struct capture_stream *kept_stream(struct kept *kept);

void kept_free(struct kept *kept);

#endif
