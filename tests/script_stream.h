/* A finished stream from a script (tests/segments.h): what a sends. */
#ifndef TESTS_SCRIPT_STREAM_H
#define TESTS_SCRIPT_STREAM_H

#include "capture/flow.h"
#include "capture/stream.h"
#include "tests/segments.h"

/* To be included after cmocka.h. */
static inline struct capture_stream *script_stream(const struct script *script,
						   size_t count)
{
	struct capture_flows_options options = { 0 };
	struct capture_flows *flows;
	struct capture_stream *stream;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	assert_int_equal(capture_stream_new(&stream, 0, CAPTURE_STREAM_BYTES),
			 0);
	for (size_t i = 0; i < count && script[i].from; i++) {
		struct capture_segment segment = from_script(&script[i]);
		struct capture_event event;

		assert_int_equal(capture_flows_segment(flows, &segment, 0,
						       i + 1, 0, &event),
				 0);
		assert_int_equal(capture_stream_segment(stream, &segment,
							&event, i + 1, 0),
				 0);
	}
	assert_int_equal(capture_stream_finish(stream), 0);
	capture_flows_free(flows);
	return stream;
}

#endif
