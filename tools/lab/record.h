/*
 * What a trial tells the run: records on a stream socket, in the order in
 * which things became known. Both ends are the same process image.
 */
#ifndef LAB_RECORD_H
#define LAB_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

enum record_kind {
	RECORD_READY = 1, /* namespace and capture stand; waits for a byte */
	RECORD_REFUSED,	  /* text: this machine forbids it, and the remedy */
	RECORD_EVENT,	  /* text: one JSON object, as --json prints it */
	RECORD_VERDICT,	  /* the same, and the last of the trial */
	RECORD_FRAME,	  /* struct record_frame, comment, captured bytes */
	RECORD_COUNTS,	  /* struct record_counts */
};

#define RECORD_BYTES_MAX (1u << 20) /* of one record's content */

struct record_head {
	uint32_t kind;
	uint32_t len; /* bytes that follow */
};

struct record_frame {
	int64_t time_ns; /* CLOCK_REALTIME */
	uint32_t len;	 /* bytes on the wire */
	uint32_t linktype;
	uint32_t comment_len;
};

struct record_counts {
	uint64_t received; /* packets, by the kernel's count */
	uint64_t dropped;
};

/*
 * Write one record of up to three parts. Waits for the reader: the run always
 * reads. Returns 0, -EMSGSIZE for more than RECORD_BYTES_MAX in all, -EPIPE
 * when the run is gone, or another -errno; part of it may then be written.
 */
int record_write(int fd, enum record_kind kind, const void *a, size_t a_len,
		 const void *b, size_t b_len, const void *c, size_t c_len);

/* Bytes received, and how many of them were handed out. */
struct record_reader {
	uint8_t *bytes;
	size_t len, used, size;
};

/*
 * Read what `fd` has. Returns 1, 0 at the end of the stream, or -errno:
 * -EAGAIN when there is nothing.
 */
int record_fill(struct record_reader *r, int fd);

/*
 * The next whole record: its kind, with its content (good until the next
 * record_fill()) in `*data` and `*len`; 0 when more must be read first; or
 * -EPROTO, now and from then on, for what is no record.
 */
int record_next(struct record_reader *r, const uint8_t **data, size_t *len);

void record_free(struct record_reader *r);

#endif
