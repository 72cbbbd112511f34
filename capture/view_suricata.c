/*
 * What Suricata inspects, by its setting stream.reassembly.urgent.policy
 * (7.0.8 and later), as suricata.yaml describes it; where its code does
 * otherwise is told in docs/views.md. Told from its documentation and source;
 * not measured.
 */
#include "capture/view_family.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/reassembly.h"

enum policy {
	POLICY_OOB,    /* one byte is out of band (RFC 6093 section 3.1) */
	POLICY_INLINE, /* the pointer is ignored */
	POLICY_DROP,   /* a packet with URG does not pass */
	POLICY_GAP,    /* one byte is missing from the stream */
};

/* Of urgent bytes a direction; then oob-limit-policy, "drop", comes in. */
#define OOB_LIMIT 65535u

struct inspector {
	const struct capture_view_sink *sink;
	struct capture_reassembly text;
	enum policy policy;
	unsigned urgent_bytes;
	bool reset;
};

/* Is the segment let through? Marks the byte that is not to be inspected. */
static bool apply(struct inspector *i, const struct capture_arrival *a,
		  struct capture_run *run)
{
	if (!(a->flags & CAPTURE_URG) || i->policy == POLICY_INLINE)
		return true;
	if (i->policy == POLICY_DROP)
		return false;
	if (a->urgent_pointer == 0 || a->urgent_pointer > a->len)
		return true;
	if (i->policy == POLICY_OOB && i->urgent_bytes++ >= OOB_LIMIT)
		return false;
	run->taken = a->seq + a->urgent_pointer - 1;
	return true;
}

static void inspect(void *context, struct capture_run *run)
{
	struct inspector *i = context;
	int64_t end = run->seq + (int64_t)run->len;
	size_t offset = (size_t)(run->taken - run->seq);

	if (run->taken < run->seq || run->taken >= end) {
		capture_view_hand(i->sink, run, run->seq, end);
		return;
	}
	capture_view_hand(i->sink, run, run->seq, run->taken);
	if (i->policy == POLICY_OOB)
		i->sink->urgent(i->sink->context, run->taken,
				offset < run->caplen ? run->data + offset
						     : NULL);
	capture_view_hand(i->sink, run, run->taken + 1, end);
}

static void take_segment(struct inspector *i, const struct capture_arrival *a,
			 struct capture_run *run)
{
	if (i->reset || a->flags & CAPTURE_SYN)
		return;
	if (a->flags & CAPTURE_RST) {
		i->reset = a->seq == i->text.next;
		return;
	}
	capture_run_from(run, a);
	if (apply(i, a, run))
		capture_reassembly_take(&i->text, run);
}

static void report(struct inspector *i, struct capture_view_end *end)
{
	end->seq = i->text.next - i->text.fin;
	if (i->text.fin)
		end->stop = CAPTURE_VIEW_FIN;
	else if (i->reset)
		end->stop = CAPTURE_VIEW_RESET;
	else if (capture_runs_first(&i->text.early))
		end->stop = CAPTURE_VIEW_HOLE;
	else
		end->stop = CAPTURE_VIEW_OPEN;
}

static int watch(const struct capture_view *view,
		 const struct capture_stream *stream,
		 const struct capture_view_sink *sink,
		 struct capture_view_end *end)
{
	struct inspector inspector = {
		.sink = sink, .policy = *(const enum policy *)view->manner
	};
	size_t count;
	const struct capture_arrival *arrivals =
		capture_stream_arrivals(stream, &count);
	struct capture_run *runs = calloc(count ? count : 1, sizeof(*runs));

	if (!runs)
		return -ENOMEM;
	capture_reassembly_start(&inspector.text, inspect, &inspector);
	for (size_t n = 0; n < count; n++)
		take_segment(&inspector, &arrivals[n], &runs[n]);
	report(&inspector, end);
	free(runs);
	return 0;
}

#define SAYS "Suricata 7.0.8, suricata.yaml, urgent.policy: "

static const enum policy oob = POLICY_OOB;
static const enum policy in_line = POLICY_INLINE;
static const enum policy drop = POLICY_DROP;
static const enum policy gap = POLICY_GAP;

const struct capture_view capture_view_suricata_oob = {
	.name = "suricata-oob",
	.does = "Suricata: one byte a pointer is not inspected (its default)",
	.source = SAYS "oob",
	.run = watch,
	.manner = &oob,
};

const struct capture_view capture_view_suricata_inline = {
	.name = "suricata-inline",
	.does = "Suricata: urgent data is inspected as any other",
	.source = SAYS "inline",
	.run = watch,
	.manner = &in_line,
};

const struct capture_view capture_view_suricata_drop = {
	.name = "suricata-drop",
	.does = "Suricata in IPS mode: no segment with URG passes",
	.source = SAYS "drop",
	.run = watch,
	.manner = &drop,
};

const struct capture_view capture_view_suricata_gap = {
	.name = "suricata-gap",
	.does = "Suricata: one byte a pointer is missing",
	.source = SAYS "gap",
	.run = watch,
	.manner = &gap,
};
