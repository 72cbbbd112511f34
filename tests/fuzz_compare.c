/* Any segments, in either of two captures or both: what is told of them fits
 * together, and a capture does not differ from itself. */
#include <string.h>

#include "capture/compare.h"
#include "tests/fuzz.h"

enum {
	SEGMENTS_MAX = 1000,
	PAYLOAD_MAX = 255,
	UNIT_NS = 100000,
	SHIFT = 0x40000000,
};

struct segment {
	struct capture_segment segment;
	uint8_t payload[PAYLOAD_MAX];
	uint8_t option[3];
};

static unsigned low_first(const uint8_t octets[2])
{
	return octets[0] + 256u * octets[1];
}

/* Sequence numbers of both sides are about to pass 0 and 2^31. */
static uint32_t first_of(unsigned side)
{
	return side ? 0x7ffffff0 : 0xfffffff0;
}

static void set_ends(struct capture_segment *s, unsigned from, unsigned number,
		     unsigned translated)
{
	static const uint8_t ends[3][16] = { { 0xfe, 0x80, [15] = 1 },
					     { 0xfe, 0x80, [15] = 2 },
					     { 0xfe, 0x80, [15] = 3 } };
	const unsigned a = translated ? 2 : 0;

	s->src = ends[from ? 1 : a];
	s->dst = ends[from ? a : 1];
	s->address_len = number < 5 ? 4 : 16;
	s->sport = from ? 23 : (uint16_t)(1000 + number);
	s->dport = from ? (uint16_t)(1000 + number) : 23;
}

static void read_segment(struct segment *out, const struct fuzz_seen *seen,
			 unsigned where)
{
	const struct fuzz_segment *f = &seen->segment;
	const unsigned from = f->who & FUZZ_FROM_B;
	const uint32_t seq = low_first(f->seq);
	const uint32_t shift = where & FUZZ_SHIFTED ? SHIFT : 0;
	struct capture_segment *s = &out->segment;

	*s = (struct capture_segment){
		.payload = out->payload,
		.payload_len = f->len,
		.payload_caplen = f->who & FUZZ_CUT ? f->len / 2 : f->len,
		.seq = first_of(from) + shift +
		       (f->who & FUZZ_FAR ? seq << 16 : seq),
		.ack = first_of(!from) + shift + low_first(f->ack),
		.flags = f->flags,
		.urgent_pointer = (uint16_t)low_first(f->up),
		.window = (uint16_t)low_first(f->window),
		.options = out->option,
		.options_len = f->who & FUZZ_SCALED ? sizeof(out->option) : 0,
		.hops = f->octet,
	};
	if (where & FUZZ_NO_URG)
		s->flags &= (uint8_t)~CAPTURE_URG;
	if (where & FUZZ_POINTER)
		s->urgent_pointer--;
	set_ends(s, from, (f->who & FUZZ_CONNECTION) >> 1,
		 where & FUZZ_TRANSLATED);
	memset(out->payload, f->octet ^ (where & FUZZ_OTHER ? 1 : 0),
	       sizeof(out->payload));
	memcpy(out->option, (uint8_t[]){ 3, 3, f->len }, sizeof(out->option));
}

/* --- what is told --------------------------------------------------------- */

struct told {
	uint32_t connections;
	uint64_t marks;
	uint64_t differences;
};

static void check_way(const struct capture_way *w)
{
	REQUIRE(w->matched + w->regrouped + w->missing <= w->sent);
	REQUIRE(w->matched + w->regrouped + w->dropped + w->acks_dropped +
			w->missing <=
		w->sent);
	REQUIRE(w->matched + w->regrouped_to + w->duplicated + w->injected +
			w->acks_injected <=
		w->arrived);
	REQUIRE(w->offloaded <= w->regrouped);
	REQUIRE(w->reordered <= w->matched);
	REQUIRE(w->timed <= w->matched && w->spread_ns >= 0);
}

static void take_connection(void *context, const struct capture_connection *c)
{
	struct told *told = context;

	REQUIRE(c->number == ++told->connections);
	REQUIRE(c->near_a < 2);
	check_way(&c->way[0]);
	check_way(&c->way[1]);
}

static void take_mark(void *context, const struct capture_mark *m)
{
	struct told *told = context;

	told->marks++;
	REQUIRE(m->connection == told->connections && m->direction < 2);
	REQUIRE(m->announced > 0);
	REQUIRE(m->kept + m->cleared + m->changed + m->lost <= m->announced);
	REQUIRE(m->pointers_zeroed <= m->cleared);
	REQUIRE(m->frame_a || m->frame_b);
	REQUIRE(m->octet_bsd >= CAPTURE_NO_OCTET && m->octet_bsd < 256);
	REQUIRE(*capture_outcome_name(m->outcome));
}

static void take_difference(void *context, const struct capture_difference *d)
{
	struct told *told = context;
	const size_t len = strlen(d->sentence);

	told->differences++;
	REQUIRE(d->connection <= told->connections && d->count > 0);
	REQUIRE(d->direction <= CAPTURE_BOTH_WAYS);
	REQUIRE(d->frame_a || d->frame_b || d->direction == CAPTURE_BOTH_WAYS);
	REQUIRE(len > 0 && d->sentence[len - 1] == '.');
	for (size_t i = 0; i < len; i++)
		REQUIRE(d->sentence[i] >= ' ' && d->sentence[i] <= '~');
}

/* --- two captures --------------------------------------------------------- */

static void feed(struct capture_compare *compare, enum capture_side as,
		 enum capture_side side, const uint8_t *data, size_t count)
{
	const struct capture_flows_options options = { .max_flows = 32 };
	struct capture_flows *flows;
	int64_t now = 0;

	REQUIRE(capture_flows_new(&flows, &options) == 0);
	for (size_t i = 0; i < count; i++) {
		struct capture_packet packet = { 0 };
		struct fuzz_seen seen;
		struct segment segment;
		struct capture_event event;
		const struct capture_sighting sighting = { i + 1, &packet,
							   &segment.segment,
							   &event };

		memcpy(&seen, data + i * sizeof(seen), sizeof(seen));
		now += seen.wait * (int64_t)UNIT_NS;
		packet.time_ns = now;
		if (side == CAPTURE_B)
			packet.time_ns += (seen.wait & 15) * (int64_t)UNIT_NS;
		if (seen.where & FUZZ_ODD_TIME)
			packet.time_ns = side == CAPTURE_A ? INT64_MAX
							   : INT64_MIN;
		if (seen.where & (side == CAPTURE_A ? FUZZ_NOT_A : FUZZ_NOT_B))
			continue;
		read_segment(&segment, &seen,
			     side == CAPTURE_B ? seen.where : 0);
		REQUIRE(capture_flows_segment(flows, &segment.segment, 0, i + 1,
					      packet.time_ns, &event) == 0);
		REQUIRE(capture_compare_segment(compare, as, &sighting) == 0);
	}
	capture_flows_free(flows);
}

/* Compare A with capture `other`. */
static void compare(enum capture_side other, const uint8_t *data, size_t count)
{
	struct told told = { 0 };
	const struct capture_compare_options options = {
		.listener = {
			.connection = take_connection,
			.mark = take_mark,
			.difference = take_difference,
			.context = &told,
		},
	};
	struct capture_compare *comparison;
	struct capture_compared result;

	REQUIRE(capture_compare_new(&comparison, &options) == 0);
	feed(comparison, CAPTURE_A, CAPTURE_A, data, count);
	feed(comparison, CAPTURE_B, other, data, count);
	REQUIRE(capture_compare_finish(comparison, &result) == 0);
	capture_compare_free(comparison);
	REQUIRE(result.connections == told.connections);
	REQUIRE(result.marks == told.marks);
	REQUIRE(result.differences[CAPTURE_NOTE] +
			result.differences[CAPTURE_WARNING] +
			result.differences[CAPTURE_ALARM] ==
		told.differences);
	if (other == CAPTURE_B)
		return;
	REQUIRE(told.differences == 0);
	REQUIRE(result.only[CAPTURE_A] == 0 && result.only[CAPTURE_B] == 0);
	REQUIRE(result.marks == result.marks_intact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t count = size / sizeof(struct fuzz_seen);

	if (count > SEGMENTS_MAX)
		return 0;
	compare(CAPTURE_B, data, count);
	compare(CAPTURE_A, data, count);
	return 0;
}
