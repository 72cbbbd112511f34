/*
 * Bytes that grow at the end, up to a limit the caller sets. Not a string:
 * no byte is special and none is added.
 *
 * The struct is the caller's; the memory in it is released by
 * oob_buffer_free(). A buffer serves one thread at a time.
 */
#ifndef OOB_BUFFER_H
#define OOB_BUFFER_H

#include <stddef.h>

struct oob_buffer {
	unsigned char *data; /* `len` bytes; NULL while nothing was added */
	size_t len;
	size_t allocated;
	size_t limit; /* `len` never exceeds it */
};

/* An empty buffer that will hold up to `limit` bytes. Allocates nothing. */
void oob_buffer_init(struct oob_buffer *b, size_t limit);

/* Release the memory and forget the content; the limit stays. Accepts NULL. */
void oob_buffer_free(struct oob_buffer *b);

/*
 * Make room for `want` more bytes, or for as many as the limit leaves, at least
 * one: `*room` bytes may then be stored at b->data + b->len, and b->len be
 * advanced by as many as were.
 *
 * Returns 0, -ENOBUFS when the buffer holds its limit, or -ENOMEM; a failing
 * call leaves buffer and `*room` as they were.
 */
int oob_buffer_reserve(struct oob_buffer *b, size_t want, size_t *room);

/*
 * Add `len` bytes at the end: all, or on failure none.
 * Returns 0, -ENOBUFS when they would pass the limit, or -ENOMEM.
 */
int oob_buffer_append(struct oob_buffer *b, const void *data, size_t len);

#endif
