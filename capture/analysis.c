#include "capture/analysis.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A flow's record is seldom in the cache, and fetching it takes longer than
 * all the rest. So packets go through in batches: all are decoded and their
 * hash slots asked for, then all their records, and when the first is wanted
 * it is there.
 */
enum {
	BATCH = 32
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

		kind = (a->inner ? capture_decode_inner : capture_decode)(
			p->linktype, p->data, p->caplen, p->len,
			&batch->segment);
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

static void tell_urgent(struct capture_analysis *a,
			const struct capture_sighting *seen)
{
	const struct capture_finding_kind *kinds[CAPTURE_FINDINGS_MAX];
	size_t n;

	if (a->listener.urgent && seen->event->facts & CAPTURE_FACTS_URGENT)
		a->listener.urgent(a->listener.context, seen);
	n = capture_find(seen->segment, seen->event, kinds);
	a->findings += n;
	if (!a->listener.finding)
		return;
	for (size_t i = 0; i < n; i++)
		a->listener.finding(a->listener.context, seen, kinds[i]);
}

static int track(struct capture_analysis *a, const struct batch *batch,
		 const struct capture_packet *packets)
{
	const struct capture_packet *packet = &packets[batch->packet];
	struct capture_event event;
	const struct capture_sighting seen = {
		.frame = a->packets + batch->packet + 1,
		.packet = packet,
		.segment = &batch->segment,
		.event = &event,
	};
	int ret = capture_flows_keyed(a->flows, &batch->key, &batch->segment,
				      seen.frame, packet->time_ns, &event);

	if (ret < 0)
		return ret;
	a->urg += !!(batch->segment.flags & CAPTURE_URG);
	if (a->listener.segment)
		a->listener.segment(a->listener.context, &seen);
	if (event.facts & CAPTURE_FACTS_URGENT)
		tell_urgent(a, &seen);
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
