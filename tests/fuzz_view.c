/* Any segments in any order: each view hands over octets in order of sequence,
 * none twice in band, and none that lie past what was sent; and the views can
 * be compared. */
#include <stdbool.h>
#include <string.h>

#include "capture/flow.h"
#include "capture/stream.h"
#include "capture/view.h"
#include "capture/view_compare.h"
#include "tests/fuzz.h"

enum {
	STREAM_BYTES = 1 << 20,
	SEGMENTS_MAX = 2000,
	PAYLOAD_MAX = 255,
	HEADER = 20,
};

struct packet {
	uint8_t header[HEADER];
	uint8_t payload[PAYLOAD_MAX];
};

static uint16_t low_first(const uint8_t octets[2])
{
	return (uint16_t)(octets[0] | octets[1] << 8);
}

/* As fuzz_flow.c reads it, but all is one connection, the payload counts on
 * from its first octet, and FUZZ_SCALED stands for a header not captured. */
static void read_segment(struct packet *packet, struct capture_segment *s,
			 const uint8_t *data)
{
	static const uint8_t ends[2][4] = { { 10 }, { 11 } };
	static const uint32_t syns[2] = { 0xfffffff0, 0x7ffffff0 };
	struct fuzz_segment f;
	unsigned from;
	uint32_t seq;

	memcpy(&f, data, sizeof(f));
	from = f.who & FUZZ_FROM_B;
	seq = low_first(f.seq);
	*s = (struct capture_segment){
		.src = ends[from],
		.dst = ends[!from],
		.address_len = 4,
		.sport = (uint16_t)(1 + from),
		.dport = (uint16_t)(2 - from),
		.payload = packet->payload,
		.payload_len = f.len,
		.payload_caplen = f.who & FUZZ_CUT ? f.len / 2 : f.len,
		.seq = syns[from] + (f.who & FUZZ_FAR ? seq << 16 : seq),
		.ack = syns[!from] + low_first(f.ack),
		.flags = f.flags,
		.urgent_pointer = low_first(f.up),
		.window = low_first(f.window),
		.options = f.who & FUZZ_SCALED ? NULL : packet->header + HEADER,
	};
	packet->header[12] = (HEADER / 4) << 4;
	for (unsigned i = 0; i < PAYLOAD_MAX; i++)
		packet->payload[i] = (uint8_t)(f.octet + i);
}

/* --- what a view may do ----------------------------------------------- */

struct watch {
	int64_t next;
	int64_t end;  /* of all that was sent, with room for two FINs */
	unsigned sum; /* of every byte: each must be there to be read */
};

static void on_data(void *context, int64_t seq, const uint8_t *data, size_t len)
{
	struct watch *watch = context;

	REQUIRE(len > 0 && seq >= watch->next);
	watch->next = seq + (int64_t)len;
	REQUIRE(watch->next <= watch->end);
	for (size_t i = 0; data && i < len; i++)
		watch->sum += data[i];
}

static void on_urgent(void *context, int64_t seq, const uint8_t *byte)
{
	struct watch *watch = context;

	REQUIRE(seq >= 1 && seq <= watch->end);
	watch->sum += byte ? *byte : 0;
}

static void on_mark(void *context, int64_t seq)
{
	struct watch *watch = context;

	REQUIRE(seq >= watch->next && seq <= watch->end);
}

static void run_views(const struct capture_stream *stream)
{
	size_t count;
	const struct capture_arrival *arrivals =
		capture_stream_arrivals(stream, &count);
	int64_t last = 1;

	for (size_t i = 0; i < count; i++) {
		int64_t end = arrivals[i].seq + arrivals[i].len + 2;

		REQUIRE(arrivals[i].caplen <= arrivals[i].len);
		last = end > last ? end : last;
	}
	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		struct watch watch = { .next = 1, .end = last };
		struct capture_view_sink sink = { on_data, on_urgent, on_mark,
						  &watch };
		struct capture_view_end end;

		REQUIRE(capture_views[i]->run(capture_views[i], stream, &sink,
					      &end) == 0);
		REQUIRE(end.seq >= watch.next && end.seq <= last);
	}
}

static void on_difference(void *context,
			  const struct capture_difference *difference)
{
	int64_t *next = context;

	REQUIRE(difference->len > 0 && difference->seq >= *next);
	*next = difference->seq + (int64_t)difference->len;
}

static void compare_views(const struct capture_stream *stream)
{
	struct capture_comparison c;
	int64_t next = 1;

	REQUIRE(capture_views_compare(stream, capture_views, CAPTURE_VIEWS,
				      on_difference, &next, &c) == 0);
	REQUIRE(c.differing <= c.octets);
	for (size_t i = 0; i < CAPTURE_VIEWS; i++) {
		REQUIRE(c.pairs[i][i] == 0);
		for (size_t j = 0; j < CAPTURE_VIEWS; j++) {
			REQUIRE(c.pairs[i][j] <= c.differing);
			REQUIRE(c.pairs[i][j] == c.pairs[j][i]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct capture_flows_options options = { .max_flows = 1 };
	size_t segments = size / sizeof(struct fuzz_segment);
	struct capture_flows *flows;
	struct capture_stream *stream;
	struct capture_segment segment;
	struct capture_event event;
	struct packet packet = { .header = { 0 } };

	if (segments > SEGMENTS_MAX)
		return 0;
	REQUIRE(capture_flows_new(&flows, &options) == 0);
	REQUIRE(capture_stream_new(&stream, 0, STREAM_BYTES) == 0);
	for (size_t i = 0; i < segments; i++) {
		read_segment(&packet, &segment,
			     data + i * sizeof(struct fuzz_segment));
		REQUIRE(capture_flows_segment(flows, &segment, 0, i + 1, 0,
					      &event) == 0);
		if (capture_stream_segment(stream, &segment, &event, i + 1, 0) <
		    0)
			break;
	}
	REQUIRE(capture_stream_finish(stream) == 0);
	run_views(stream);
	compare_views(stream);
	capture_stream_free(stream);
	capture_flows_free(flows);
	return 0;
}
