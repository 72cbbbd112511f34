/*
 * Views: the byte stream that one kind of receiver would have handed its
 * application, had it got the segments of a capture_stream.
 *
 * Windows are taken as wide enough, acknowledgements as sent at once, and
 * checksums and timestamps as good; docs/views.md tells each view's story.
 * A view needs up to 160 bytes of memory for each arrival while it runs.
 */
#ifndef CAPTURE_VIEW_H
#define CAPTURE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "capture/stream.h"

/*
 * Where a view puts what the application gets, in the order in which it gets
 * it. Bytes point into the stream and are good as long as that is; NULL
 * stands for bytes that the receiver had but the capture has not. Sequence
 * numbers are those of struct capture_arrival.
 */
struct capture_view_sink {
	/* The next `len` ordinary bytes. `seq` only grows; it jumps where
	 * bytes are left out. */
	void (*data)(void *context, int64_t seq, const uint8_t *data,
		     size_t len);
	/* The byte handed over out of band. */
	void (*urgent)(void *context, int64_t seq, const uint8_t *byte);
	/* The reader stands at the mark: sockatmark(3) would say so. `seq` is
	 * the octet that comes next. */
	void (*mark)(void *context, int64_t seq);
	void *context;
};

enum capture_view_stop {
	CAPTURE_VIEW_OPEN,  /* nothing more was captured */
	CAPTURE_VIEW_FIN,   /* end of file */
	CAPTURE_VIEW_RESET, /* an error: the connection was reset */
	CAPTURE_VIEW_HOLE,  /* more came, but for octets that never did */
};

struct capture_view_end {
	enum capture_view_stop stop;
	int64_t seq; /* the reader stands before this octet */
};

struct capture_view {
	const char *name;   /* as typed */
	const char *does;   /* one line */
	const char *source; /* who says so: RFC section; project and version */
	/* Returns 0, or -ENOMEM (the sink then has a part). */
	int (*run)(const struct capture_view *view,
		   const struct capture_stream *stream,
		   const struct capture_view_sink *sink,
		   struct capture_view_end *end);
	const void *manner; /* how the family tells its views apart */
};

#define CAPTURE_VIEWS 11

extern const struct capture_view *const capture_views[CAPTURE_VIEWS];

/* NULL: there is none of that name. */
const struct capture_view *capture_view_named(const char *name);

#endif
