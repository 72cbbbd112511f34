/* Any segments in any order: what is told of them fits together, and does not
 * depend on whether they are taken one by one or several at once. */
#include <stdbool.h>
#include <string.h>

#include "capture/finding.h"
#include "capture/flow.h"
#include "capture/urgent.h"
#include "tests/fuzz.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
	MAX_FLOWS = 4, /* of the eight connections there can be */
	BATCH_MAX = 32,
	SEGMENTS_MAX = 2000,
	PAYLOAD_MAX = 255,
};

struct ended {
	uint64_t count;
	uint64_t frame; /* that is being taken; 0: finishing */
};

struct taken {
	struct capture_segment segment;
	struct capture_flow_key key;
	uint8_t payload[PAYLOAD_MAX];
	uint8_t option[3];
};

static const uint16_t ports[] = { 9, 21, 23, 513, 1521, 9, 23, 80 };

static unsigned low_first(const uint8_t octets[2])
{
	return octets[0] + 256u * octets[1];
}

/* Sequence numbers of both sides are about to pass 0 and 2^31. */
static uint32_t first_of(unsigned side)
{
	return side ? 0x7ffffff0 : 0xfffffff0;
}

static void set_ends(struct capture_segment *s, unsigned from, unsigned number)
{
	static const uint8_t ends[2][16] = { { 0xfe, 0x80, [15] = 1 },
					     { 0xfe, 0x80, [15] = 2 } };
	uint16_t port = ports[number % COUNT(ports)];

	s->src = ends[from];
	s->dst = ends[!from];
	s->address_len = number < 5 ? 4 : 16;
	s->sport = from ? port : (uint16_t)(1000 + number);
	s->dport = from ? (uint16_t)(1000 + number) : port;
}

static void read_segment(struct taken *t, const uint8_t *data)
{
	struct capture_segment *s = &t->segment;
	struct fuzz_segment f;
	unsigned from;
	uint32_t seq;

	memcpy(&f, data, sizeof(f));
	from = f.who & FUZZ_FROM_B;
	seq = low_first(f.seq);
	*s = (struct capture_segment){
		.payload = t->payload,
		.payload_len = f.len,
		.payload_caplen = f.who & FUZZ_CUT ? f.len / 2 : f.len,
		.seq = first_of(from) + (f.who & FUZZ_FAR ? seq << 16 : seq),
		.ack = first_of(!from) + low_first(f.ack),
		.flags = f.flags,
		.urgent_pointer = (uint16_t)low_first(f.up),
		.window = (uint16_t)low_first(f.window),
		.options = t->option,
		.options_len = f.who & FUZZ_SCALED ? sizeof(t->option) : 0,
	};
	set_ends(s, from, (f.who & FUZZ_CONNECTION) >> 1);
	memset(t->payload, f.octet, sizeof(t->payload));
	memcpy(t->option, (uint8_t[]){ 3, 3, f.len }, sizeof(t->option));
}

/* --- what is told ----------------------------------------------------- */

static void take_episode(void *context, const struct capture_episode *e)
{
	struct ended *ended = context;

	ended->count++;
	REQUIRE(e->announced_frame > 0 && e->segments > 0);
	REQUIRE(e->direction < 2 && e->end <= CAPTURE_END_OPEN);
	REQUIRE(ended->frame == 0 || e->announced_frame <= ended->frame);
	REQUIRE(e->end_frame == 0 || e->announced_frame <= e->end_frame);
	REQUIRE(e->byte_bsd == CAPTURE_NO_BYTE ||
		(e->byte_bsd >= 0 && e->byte_bsd < 256));
}

static bool implies(uint32_t facts, uint32_t some, uint32_t all)
{
	return !(facts & some) || (facts & all) == all;
}

static void check_facts(uint32_t facts)
{
	const uint32_t needs_urg =
		CAPTURE_FACT_POINTER_ZERO | CAPTURE_FACT_ON_SYN |
		CAPTURE_FACT_ON_RST | CAPTURE_FACT_EMPTY | CAPTURE_FACT_BEYOND |
		CAPTURE_FACT_NEW_MARK | CAPTURE_FACT_BACKWARDS |
		CAPTURE_FACT_NO_WINDOW | CAPTURE_FACT_PAST_WINDOW;

	REQUIRE(implies(facts, CAPTURE_FACT_REUSED, CAPTURE_FACT_NEW_FLOW));
	REQUIRE(implies(facts, needs_urg, CAPTURE_FACT_URG));
	REQUIRE(implies(facts, CAPTURE_FACT_REPLACES, CAPTURE_FACT_NEW_MARK));
	REQUIRE(implies(facts, CAPTURE_FACT_MOVES_ON, CAPTURE_FACT_REPLACES));
	REQUIRE(implies(facts,
			CAPTURE_FACT_BYTE_DIFFERS | CAPTURE_FACT_UNMARKED |
				CAPTURE_FACT_REMARKED,
			CAPTURE_FACT_BYTE_AGAIN));
}

static void check_event(const struct capture_segment *s,
			const struct capture_event *e)
{
	uint32_t found = capture_find(capture_find_rows(e->facts), s, e);
	char note[CAPTURE_NOTE_MAX];
	size_t len;

	REQUIRE(e->direction < 2);
	REQUIRE(e->readings_count <= COUNT(e->readings));
	REQUIRE(found >> capture_finding_count == 0);
	REQUIRE(!found || e->facts & CAPTURE_FACTS_URGENT);
	check_facts(e->facts);
	if (!(e->facts & CAPTURE_FACTS_URGENT))
		return;
	REQUIRE(!e->has_mark || e->announced_frame);
	len = capture_urgent_note(s, e, note);
	REQUIRE(len < sizeof(note) && strlen(note) == len);
	for (size_t i = 0; i < len; i++)
		REQUIRE(note[i] >= ' ' && note[i] <= '~');
}

static void check_same(const struct capture_event *a,
		       const struct capture_event *b)
{
	REQUIRE(a->flow == b->flow && a->facts == b->facts);
	REQUIRE(a->seq == b->seq && a->ack == b->ack);
	REQUIRE(a->direction == b->direction);
	if (!(a->facts & CAPTURE_FACTS_URGENT))
		return;
	REQUIRE(a->has_mark == b->has_mark);
	if (!a->has_mark)
		return;
	REQUIRE(a->mark == b->mark && a->byte_bsd == b->byte_bsd);
	REQUIRE(a->byte_1122 == b->byte_1122);
	REQUIRE(a->announced_frame == b->announced_frame);
}

/* --- two tables ------------------------------------------------------- */

struct table {
	struct capture_flows *flows;
	struct ended ended;
};

static void open_table(struct table *table)
{
	const struct capture_flows_options options = {
		.max_flows = MAX_FLOWS,
		.episode = take_episode,
		.context = &table->ended,
	};

	table->ended = (struct ended){ .count = 0 };
	REQUIRE(capture_flows_new(&table->flows, &options) == 0);
}

static void close_table(struct table *table)
{
	struct capture_flows_counts counts;

	table->ended.frame = 0;
	capture_flows_finish(table->flows);
	capture_flows_counts(table->flows, &counts);
	REQUIRE(counts.episodes == table->ended.count);
	REQUIRE(counts.held <= MAX_FLOWS);
	REQUIRE(counts.flows >= counts.evicted + counts.held);
	capture_flows_free(table->flows);
}

/* Take `n` segments, in one table each by itself, in the other all at once. */
static void take(struct table tables[2], struct taken *taken, size_t n,
		 uint64_t frame)
{
	struct capture_event one, many;

	for (size_t i = 0; i < n; i++)
		capture_flows_key(tables[1].flows, &taken[i].segment, 0,
				  &taken[i].key);
	for (size_t i = 0; i < n; i++)
		capture_flows_prefetch(tables[1].flows, &taken[i].key);
	for (size_t i = 0; i < n; i++, frame++) {
		tables[0].ended.frame = tables[1].ended.frame = frame;
		REQUIRE(capture_flows_segment(tables[0].flows,
					      &taken[i].segment, 0, frame,
					      (int64_t)frame, &one) == 0);
		REQUIRE(capture_flows_keyed(tables[1].flows, &taken[i].key,
					    &taken[i].segment, frame,
					    (int64_t)frame, &many) == 0);
		check_event(&taken[i].segment, &one);
		check_same(&one, &many);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct taken taken[BATCH_MAX];
	size_t segments = size / sizeof(struct fuzz_segment), n = 0;
	struct table tables[2];

	if (segments > SEGMENTS_MAX)
		return 0;
	open_table(&tables[0]);
	open_table(&tables[1]);
	for (size_t i = 0; i < segments; i++) {
		const uint8_t *at = data + i * sizeof(struct fuzz_segment);

		read_segment(&taken[n++], at);
		if (n < BATCH_MAX && i + 1 < segments && !(*at & FUZZ_BATCH))
			continue;
		take(tables, taken, n, i + 2 - n);
		n = 0;
	}
	close_table(&tables[0]);
	close_table(&tables[1]);
	return 0;
}
