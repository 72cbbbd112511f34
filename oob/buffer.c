#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

void oob_buffer_init(struct oob_buffer *b, size_t limit)
{
	*b = (struct oob_buffer){ .limit = limit };
}

void oob_buffer_free(struct oob_buffer *b)
{
	if (!b)
		return;
	free(b->data);
	oob_buffer_init(b, b->limit);
}

/* Hold `need` bytes, at most the limit; doubling keeps appends linear. */
static int grow(struct oob_buffer *b, size_t need)
{
	size_t size = b->allocated ? b->allocated : FIRST_BYTES;
	unsigned char *data;

	if (need <= b->allocated)
		return 0;
	while (size < need && size <= b->limit / 2)
		size *= 2;
	if (size < need || size > b->limit)
		size = b->limit;
	data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->allocated = size;
	return 0;
}

int oob_buffer_reserve(struct oob_buffer *b, size_t want, size_t *room)
{
	size_t left = b->limit - b->len;
	int ret;

	if (!left)
		return -ENOBUFS;
	if (want > left)
		want = left;
	ret = grow(b, b->len + (want ? want : 1));
	if (ret < 0)
		return ret;
	*room = b->allocated - b->len;
	return 0;
}

int oob_buffer_append(struct oob_buffer *b, const void *data, size_t len)
{
	int ret;

	if (!len)
		return 0;
	if (len > b->limit - b->len)
		return -ENOBUFS;
	ret = grow(b, b->len + len);
	if (ret < 0)
		return ret;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}
