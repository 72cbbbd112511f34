#include "capture/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIXED_HEADER = 20,
	CHUNK_BYTES = 1 << 16,
};

/* Bytes that never move, so that arrivals may point to them. */
struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	uint8_t bytes[];
};

struct capture_stream {
	struct capture_arrival *arrivals;
	size_t count;
	size_t room;
	struct chunk *chunks; /* the newest first */
	size_t bytes;	      /* of memory held */
	size_t max_bytes;
	int64_t end;   /* follows the highest octet sent */
	int64_t acked; /* highest acknowledgement by the other end */
	unsigned direction;
	int full; /* -ENOBUFS or -ENOMEM: takes no more */
};

int capture_stream_new(struct capture_stream **out, unsigned direction,
		       size_t max_bytes)
{
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	stream->direction = direction;
	stream->max_bytes = max_bytes;
	stream->bytes = sizeof(*stream);
	stream->end = stream->acked = 1;
	*out = stream;
	return 0;
}

/* --- memory ----------------------------------------------------------- */

static bool affords(const struct capture_stream *stream, size_t bytes)
{
	return stream->bytes <= stream->max_bytes &&
	       bytes <= stream->max_bytes - stream->bytes;
}

static int grow(struct capture_stream *stream, size_t count)
{
	size_t room = stream->room ? stream->room : 16;
	struct capture_arrival *arrivals;

	while (room < count)
		room *= 2;
	if (room == stream->room)
		return 0;
	arrivals = realloc(stream->arrivals, room * sizeof(*arrivals));
	if (!arrivals)
		return -ENOMEM;
	stream->bytes += (room - stream->room) * sizeof(*arrivals);
	stream->arrivals = arrivals;
	stream->room = room;
	return 0;
}

static struct chunk *new_chunk(struct capture_stream *stream, size_t size)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	*chunk = (struct chunk){ .next = stream->chunks, .size = size };
	stream->chunks = chunk;
	stream->bytes += sizeof(*chunk) + size;
	return chunk;
}

/* Room for `len` bytes that will stay where they are. */
static int reserve(struct capture_stream *stream, size_t len, uint8_t **out)
{
	struct chunk *chunk = stream->chunks;
	size_t size = CHUNK_BYTES;

	if (!chunk || len > chunk->size - chunk->used) {
		if (len > size || !affords(stream, sizeof(*chunk) + size))
			size = len;
		if (!affords(stream, sizeof(*chunk) + size))
			return -ENOBUFS;
		chunk = new_chunk(stream, size);
		if (!chunk)
			return -ENOMEM;
	}
	*out = chunk->bytes + chunk->used;
	chunk->used += len;
	return 0;
}

/* --- segments --------------------------------------------------------- */

/* The number that ends in these 32 bits and is nearest to what was sent. */
static int64_t unwrap(const struct capture_stream *stream, uint32_t seq)
{
	return stream->end + (int32_t)(seq - (uint32_t)stream->end);
}

static int64_t begin_of(const struct capture_arrival *arrival)
{
	return arrival->seq + !!(arrival->flags & CAPTURE_SYN);
}

static int64_t end_of(const struct capture_arrival *arrival)
{
	return begin_of(arrival) + arrival->len +
	       !!(arrival->flags & CAPTURE_FIN);
}

static uint8_t *copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
	return to + len;
}

static int add(struct capture_stream *stream,
	       const struct capture_segment *segment,
	       struct capture_arrival *arrival)
{
	/* The options follow the header's fixed part. Segments made by hand
	 * have neither. */
	const uint8_t *header =
		segment->options ? segment->options - FIXED_HEADER : NULL;
	size_t header_len = header ? (size_t)FIXED_HEADER + segment->options_len
				   : 0;
	uint8_t *bytes;
	int ret;

	if (stream->count == stream->room &&
	    !affords(stream, (stream->room + 16) * sizeof(*arrival)))
		return -ENOBUFS;
	ret = grow(stream, stream->count + 1);
	if (ret < 0)
		return ret;
	ret = reserve(stream, header_len + segment->payload_caplen, &bytes);
	if (ret < 0)
		return ret;
	if (header)
		arrival->header = bytes;
	arrival->header_len = (uint8_t)header_len;
	bytes = copy(bytes, header, header_len);
	arrival->payload = bytes;
	copy(bytes, segment->payload, segment->payload_caplen);
	stream->arrivals[stream->count++] = *arrival;
	if (end_of(arrival) > stream->end)
		stream->end = end_of(arrival);
	return 0;
}

int capture_stream_segment(struct capture_stream *stream,
			   const struct capture_segment *segment,
			   const struct capture_event *event, uint64_t frame,
			   int64_t time_ns)
{
	struct capture_arrival arrival = {
		.frame = frame,
		.time_ns = time_ns,
		.seq = unwrap(stream, event->seq),
		.acked = stream->acked,
		.len = segment->payload_len,
		.caplen = segment->payload_caplen,
		.urgent_pointer = segment->urgent_pointer,
		.flags = segment->flags,
	};
	int64_t ack;

	if (stream->full)
		return stream->full;
	if (event->direction == stream->direction) {
		stream->full = add(stream, segment, &arrival);
		return stream->full;
	}
	ack = unwrap(stream, event->ack);
	if (segment->flags & CAPTURE_ACK && ack > stream->acked)
		stream->acked = ack;
	return 0;
}

/* --- what was missed -------------------------------------------------- */

/* Octets from begin up to end, none of which was captured. */
struct hole {
	int64_t begin;
	int64_t end;
};

static int by_begin(const void *a, const void *b)
{
	const struct hole *left = a, *right = b;

	return (left->begin > right->begin) - (left->begin < right->begin);
}

/* What segments brought, in order of sequence. Data on a SYN does not count:
 * a receiver without TCP Fast Open drops it. */
static size_t brought(const struct capture_stream *stream, struct hole *spans)
{
	size_t n = 0;

	for (size_t i = 0; i < stream->count; i++) {
		const struct capture_arrival *arrival = &stream->arrivals[i];

		if (arrival->flags & (CAPTURE_SYN | CAPTURE_RST) ||
		    end_of(arrival) == begin_of(arrival))
			continue;
		spans[n++] =
			(struct hole){ begin_of(arrival), end_of(arrival) };
	}
	qsort(spans, n, sizeof(*spans), by_begin);
	return n;
}

/* Replaces `spans` by the holes between them that were acknowledged. */
static size_t find_holes(const struct capture_stream *stream,
			 struct hole *spans, size_t n)
{
	int64_t next = 1;
	size_t holes = 0;

	for (size_t i = 0; i < n; i++) {
		struct hole hole = { next, spans[i].begin };

		if (spans[i].end > next)
			next = spans[i].end;
		if (hole.end > stream->acked)
			hole.end = stream->acked;
		if (hole.end > hole.begin)
			spans[holes++] = hole;
	}
	return holes;
}

/* The first of `count` arrivals ahead of which octet `seq` was acknowledged. */
static size_t acked_before(const struct capture_stream *stream, size_t count,
			   int64_t seq)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stream->arrivals[middle].acked > seq)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * What came in a hole. TCP Fast Open lets data on the SYN count (RFC 7413
 * section 4.2.2), and this is how it shows: acknowledged, and never sent again.
 */
static struct capture_arrival missed(const struct capture_stream *stream,
				     const struct hole *hole)
{
	const struct capture_arrival *first = stream->arrivals;
	struct capture_arrival arrival = {
		.seq = hole->begin,
		.acked = hole->begin,
		.len = (uint32_t)(hole->end - hole->begin),
		.flags = CAPTURE_ACK,
	};

	if (first->flags & CAPTURE_SYN && begin_of(first) == hole->begin) {
		arrival.payload = first->payload;
		arrival.caplen = first->caplen < arrival.len ? first->caplen
							     : arrival.len;
	}
	return arrival;
}

/* Holes are in order of sequence, and so of their acknowledgement too. From
 * the last to the first: what stands before the one at hand has not moved. */
static void put_in(struct capture_stream *stream, const struct hole *holes,
		   size_t n)
{
	size_t from = stream->count, to = from + n;

	while (n > 0) {
		size_t place = acked_before(stream, from, holes[n - 1].begin);

		while (from > place)
			stream->arrivals[--to] = stream->arrivals[--from];
		stream->arrivals[--to] = missed(stream, &holes[--n]);
	}
}

int capture_stream_finish(struct capture_stream *stream)
{
	struct hole *holes;
	size_t n;
	int ret;

	if (stream->count == 0)
		return 0;
	holes = malloc(stream->count * sizeof(*holes));
	if (!holes)
		return -ENOMEM;
	n = find_holes(stream, holes, brought(stream, holes));
	ret = grow(stream, stream->count + n);
	if (ret == 0 && n > 0) {
		put_in(stream, holes, n);
		stream->count += n;
	}
	free(holes);
	return ret;
}

const struct capture_arrival *
capture_stream_arrivals(const struct capture_stream *stream, size_t *count)
{
	*count = stream->count;
	return stream->arrivals;
}

void capture_stream_free(struct capture_stream *stream)
{
	if (!stream)
		return;
	while (stream->chunks) {
		struct chunk *chunk = stream->chunks;

		stream->chunks = chunk->next;
		free(chunk);
	}
	free(stream->arrivals);
	free(stream);
}
