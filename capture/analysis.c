#include "capture/analysis.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A flow's record is seldom in the cache, and fetching it takes longer than
 * all the rest. So packets go through in batches: all are decoded and their
 * hash slots asked for, then all their records, and when the first is wanted
 * it is there. Batches of 32 took 4 % longer, of 16 a fifth; longer ones gain
 * nothing.
 */
enum {
	BATCH = 64,
	REMEMBERED_BITS = 6,
	REMEMBERED = 1 << REMEMBERED_BITS
};

struct batch {
	uint32_t packet; /* index among those handed in */
	struct capture_flow_key key;
	struct capture_segment segment;
};

struct capture_analysis {
	struct capture_flows *flows;
	struct capture_listener listener;
	bool inner;
	bool apart_by_interface;
	uint64_t kinds[CAPTURE_UNKNOWN_LINK + 1]; /* packets of each */
	uint64_t packets;
	uint64_t urg;
	uint64_t findings;
	struct {
		uint32_t facts;
		struct capture_rows rows;
	} fitting[REMEMBERED]; /* facts of 0 have no rows */
	struct batch batch[BATCH];
};

/* Decode `n` packets, at most BATCH. Returns how many are segments. */
static size_t decode(struct capture_analysis *a,
		     const struct capture_packet *packets, size_t n)
{
	enum capture_kind kind;
	struct batch *batch = a->batch;

	for (size_t i = 0; i < n; i++) {
		const struct capture_packet *p = &packets[i];

		if (a->inner)
			kind = capture_decode_inner(p->linktype, p->data,
						    p->caplen, p->len,
						    &batch->segment);
		else
			kind = capture_decode(p->linktype, p->data, p->caplen,
					      p->len, &batch->segment);
		a->kinds[kind]++;
		if (kind != CAPTURE_TCP)
			continue;
		batch->packet = (uint32_t)i;
		capture_flows_key(a->flows, &batch->segment,
				  a->apart_by_interface ? p->interface : 0,
				  &batch->key);
		batch++;
	}
	return (size_t)(batch - a->batch);
}

/* What capture_find_rows() said before: looking through the table each time
 * took a sixth of the whole where half of the segments are urgent. */
static struct capture_rows fitting(struct capture_analysis *a, uint32_t facts)
{
	uint32_t i = facts * 0x9e3779b1 >> (32 - REMEMBERED_BITS);

	if (a->fitting[i].facts != facts) {
		a->fitting[i].facts = facts;
		a->fitting[i].rows = capture_find_rows(facts);
	}
	return a->fitting[i].rows;
}

static void tell(struct capture_analysis *a,
		 const struct capture_sighting *seen)
{
	uint32_t found;

	if (a->listener.segment)
		a->listener.segment(a->listener.context, seen);
	if (!(seen->event->facts & CAPTURE_FACTS_URGENT))
		return;
	if (a->listener.urgent)
		a->listener.urgent(a->listener.context, seen);
	found = capture_find(fitting(a, seen->event->facts), seen->segment,
			     seen->event);
	a->findings += (unsigned)__builtin_popcount(found);
	for (; found && a->listener.finding; found &= found - 1)
		a->listener.finding(a->listener.context, seen,
				    &capture_findings[__builtin_ctz(found)]);
}

static int track(struct capture_analysis *a, const struct batch *batch,
		 const struct capture_packet *packets)
{
	const struct capture_packet *packet = &packets[batch->packet];
	uint64_t frame = a->packets + batch->packet + 1;
	struct capture_event event;
	int ret = capture_flows_keyed(a->flows, &batch->key, &batch->segment,
				      frame, packet->time_ns, &event);

	if (ret < 0)
		return ret;
	a->urg += !!(batch->segment.flags & CAPTURE_URG);
	if (a->listener.segment || event.facts & CAPTURE_FACTS_URGENT)
		tell(a, &(struct capture_sighting){
				.frame = frame,
				.packet = packet,
				.segment = &batch->segment,
				.event = &event,
			});
	return 0;
}

static int take_batch(struct capture_analysis *a,
		      const struct capture_packet *packets, size_t n)
{
	size_t segments = decode(a, packets, n);
	int ret;

	for (size_t i = 0; i < segments; i++)
		capture_flows_prefetch(a->flows, &a->batch[i].key);
	for (size_t i = 0; i < segments; i++) {
		ret = track(a, &a->batch[i], packets);
		if (ret < 0)
			return ret;
	}
	a->packets += n;
	return 0;
}

int capture_analysis_packets(struct capture_analysis *a,
			     const struct capture_packet *packets, size_t n)
{
	size_t now;
	int ret = 0;

	for (; n && ret == 0; n -= now, packets += now) {
		now = n < BATCH ? n : BATCH;
		ret = take_batch(a, packets, now);
	}
	return ret;
}

void capture_analysis_finish(struct capture_analysis *a)
{
	capture_flows_finish(a->flows);
}

void capture_analysis_counts(const struct capture_analysis *a,
			     struct capture_counts *counts)
{
	*counts = (struct capture_counts){
		.packets = a->packets,
		.tcp = a->kinds[CAPTURE_TCP],
		.urg = a->urg,
		.malformed = a->kinds[CAPTURE_MALFORMED],
		.fragments = a->kinds[CAPTURE_FRAGMENT],
		.not_tcp = a->kinds[CAPTURE_NOT_TCP],
		.unknown_link = a->kinds[CAPTURE_UNKNOWN_LINK],
		.findings = a->findings,
	};
	capture_flows_counts(a->flows, &counts->flows);
}

int capture_analysis_new(struct capture_analysis **out,
			 const struct capture_analysis_options *options)
{
	const struct capture_flows_options flows = {
		.max_flows = options->max_flows,
		.episode = options->listener.episode,
		.context = options->listener.context,
	};
	struct capture_analysis *a = calloc(1, sizeof(*a));
	int ret;

	if (!a)
		return -ENOMEM;
	ret = capture_flows_new(&a->flows, &flows);
	if (ret < 0) {
		free(a);
		return ret;
	}
	a->listener = options->listener;
	a->inner = options->inner;
	a->apart_by_interface = options->apart_by_interface;
	*out = a;
	return 0;
}

void capture_analysis_free(struct capture_analysis *a)
{
	if (!a)
		return;
	capture_flows_free(a->flows);
	free(a);
}
