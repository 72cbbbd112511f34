/*
 * What the lab and a program say to each other.
 *
 * A message is a fixed head and a few values, behind a length, on a stream
 * socket. All numbers are little-endian on the way, so that the same stream
 * can leave the machine.
 */
#ifndef LAB_MESSAGE_H
#define LAB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_VALUES	  8
#define MESSAGE_BYTES_MAX (64u << 20) /* of one message; more is -EMSGSIZE */

enum message_kind {
	MESSAGE_ORDER = 1, /* lab to program: make this call */
	MESSAGE_REPLY,	   /* program to lab: what it answered */
	MESSAGE_SIGNAL,	   /* program to lab: a handler ran */
};

enum value_kind {
	VALUE_INT = 1,
	VALUE_BYTES
};

struct value {
	enum value_kind kind;
	int64_t n;	      /* the integer */
	const uint8_t *bytes; /* borrowed: see the function that gave it */
	size_t len;
};

struct message {
	enum message_kind kind;
	bool passes_fd;	  /* a descriptor came with it */
	uint32_t id;	  /* a reply bears its order's */
	uint32_t call;	  /* index into the table of calls */
	int64_t start_ns; /* CLOCK_REALTIME, when the call was made */
	int64_t end_ns;	  /* and when it returned */
	unsigned n;
	struct value v[MESSAGE_VALUES];
};

/* Append a value; `bytes` is borrowed. The caller keeps to MESSAGE_VALUES. */
void message_add_int(struct message *m, int64_t n);
void message_add_bytes(struct message *m, const void *bytes, size_t len);

/* The integer at `i`, or `otherwise` where there is none. */
int64_t message_int(const struct message *m, unsigned i, int64_t otherwise);

/*
 * Copy `m` with all it points at into one allocation, freed with free().
 * NULL when there is no memory.
 */
struct message *message_copy(const struct message *m);

/* One end of the stream. Owns fd, the buffers, and a descriptor passed to it.
 */
struct channel {
	int fd;
	uint8_t *in;
	size_t in_used; /* bytes of the message handed out last */
	size_t in_len;	/* bytes in the buffer */
	size_t in_size;
	int passed_fd; /* that came, and was not taken; -1 none */
	uint8_t *out;
	size_t out_sent; /* of the message on its way */
	size_t out_len;
	size_t out_size;
	int pass_fd; /* to go with its first byte; borrowed, -1 none */
};

void channel_open(struct channel *c, int fd);
void channel_close(struct channel *c);

/*
 * Send `m`, and `pass_fd` with it unless -1. Waits for room until
 * `deadline_ns` (CLOCK_MONOTONIC). Returns 0, -ETIMEDOUT, -EMSGSIZE, -EPIPE
 * when the other end is gone, or another -errno.
 */
int channel_send(struct channel *c, const struct message *m, int pass_fd,
		 int64_t deadline_ns);

/*
 * The same for who must not wait, because the other end may be waiting for
 * him to read: begin, then flush until all is sent. One message at a time.
 * channel_flush() returns 1 when it is, 0 when there is no room now, or
 * -errno.
 */
int channel_begin(struct channel *c, const struct message *m, int pass_fd);
int channel_flush(struct channel *c);

/* The descriptor that came with `m`, now the caller's; -1 where none did. */
int channel_take_fd(struct channel *c, const struct message *m);

/*
 * Take the next message. Returns 1 with `*m` filled (its bytes stay good until
 * the next call), 0 when there is none yet and `wait` is false, -EPIPE at the
 * end of the stream, -EPROTO for bytes that are no message, or -errno.
 */
int channel_receive(struct channel *c, struct message *m, bool wait);

#endif
