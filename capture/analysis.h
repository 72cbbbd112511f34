/*
 * Packets in, urgent segments, episodes and findings out: decoder, flow table
 * and findings behind one door, fast enough to be fed a file as it is read.
 */
#ifndef CAPTURE_ANALYSIS_H
#define CAPTURE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/decode.h"
#include "capture/finding.h"
#include "capture/flow.h"
#include "capture/packet.h"

struct capture_analysis;

/* One segment in its place. Pointers are good during the call only. */
struct capture_sighting {
	uint64_t frame; /* counted from 1, over all packets */
	const struct capture_packet *packet;
	const struct capture_segment *segment;
	const struct capture_event *event;
};

/*
 * What the analysis tells, in the order of the packets. Any function may be
 * NULL: then it is only counted. Within one segment: the episodes it ends,
 * then itself, then its findings.
 */
struct capture_listener {
	/* Every TCP segment, urgent or not. */
	void (*segment)(void *context, const struct capture_sighting *seen);
	/* Each that has one of CAPTURE_FACTS_URGENT. */
	void (*urgent)(void *context, const struct capture_sighting *seen);
	void (*episode)(void *context, const struct capture_episode *episode);
	void (*finding)(void *context, const struct capture_sighting *seen,
			const struct capture_finding_kind *kind);
	void *context;
};

struct capture_analysis_options {
	uint32_t max_flows;	 /* 0: CAPTURE_MAX_FLOWS */
	bool inner;		 /* look into tunnels */
	bool apart_by_interface; /* a flow met at two capture points is two */
	struct capture_listener listener;
};

/* Every packet is counted in packets, and in one of tcp, malformed,
 * fragments, not_tcp and unknown_link. */
struct capture_counts {
	uint64_t packets;
	uint64_t tcp;
	uint64_t urg; /* of tcp, with the flag */
	uint64_t malformed;
	uint64_t fragments; /* later ones */
	uint64_t not_tcp;
	uint64_t unknown_link;
	uint64_t findings;
	struct capture_flows_counts flows; /* and episodes */
};

/* Returns 0, or -ENOMEM. */
int capture_analysis_new(struct capture_analysis **out,
			 const struct capture_analysis_options *options);

/* The next packets of the capture. Returns 0, or -ENOMEM after those before
 * the one it had no memory for. Several at once are faster: 32 and more. */
int capture_analysis_packets(struct capture_analysis *analysis,
			     const struct capture_packet *packets, size_t n);

/* The capture is over: ends what is open. */
void capture_analysis_finish(struct capture_analysis *analysis);

void capture_analysis_counts(const struct capture_analysis *analysis,
			     struct capture_counts *counts);

/* NULL is allowed. */
void capture_analysis_free(struct capture_analysis *analysis);

#endif
