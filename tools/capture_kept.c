#include "tools/capture_kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd.h"

int kept_begin(void **state, const struct output_context *context)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	int ret = kept ? 0 : -ENOMEM;

	for (unsigned i = 0; ret == 0 && i < 2; i++)
		ret = capture_stream_new(&kept->streams[i], i,
					 CAPTURE_STREAM_BYTES);
	*state = kept;
	if (ret == 0) {
		kept->context = context;
		return 0;
	}
	cmd_complain("capture", "%s", strerror(-ret));
	return STATUS_CANNOT;
}

void kept_segment(void *state, const struct capture_sighting *seen)
{
	struct kept *kept = state;

	if (seen->event->flow != kept->context->flow)
		return;
	kept->payload[seen->event->direction] += seen->segment->payload_len;
	for (unsigned i = 0; i < 2; i++) {
		int ret = capture_stream_segment(kept->streams[i],
						 seen->segment, seen->event,
						 seen->frame,
						 seen->packet->time_ns);

		if (ret < 0 && !kept->error)
			kept->error = ret;
	}
}

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	capture_stream_free(kept->streams[0]);
	capture_stream_free(kept->streams[1]);
	free(kept);
}

struct capture_stream *kept_stream(struct kept *kept)
{
	int direction = kept->context->direction;

	if (direction < 0 && kept->payload[0] && kept->payload[1]) {
		cmd_complain("capture",
			     "both directions carry data: pick one with "
			     "--flow %llu/a or --flow %llu/b",
			     (unsigned long long)kept->context->flow,
			     (unsigned long long)kept->context->flow);
		return NULL;
	}
	if (direction < 0)
		direction = kept->payload[1] ? 1 : 0;
	if (!kept->error)
		kept->error = capture_stream_finish(kept->streams[direction]);
	if (kept->error == -ENOBUFS)
		cmd_complain("capture",
			     "the flow is longer than the %u MiB "
			     "that are kept of one; what follows "
			     "is left out",
			     CAPTURE_STREAM_BYTES >> 20);
	else if (kept->error)
		cmd_complain("capture", "%s", strerror(-kept->error));
	return kept->streams[direction];
}
