#include "tools/lab/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode.h"
#include "capture/flags.h"
#include "capture/flow.h"
#include "capture/live.h"
#include "capture/urgent.h"
#include "tools/lab/event.h"
#include "tools/lab/lab.h"
#include "tools/lab/record.h"
#include "tools/text.h"

#define WIRE_BUFFER_BYTES (4u << 20)
#define WIRE_KEPT_BYTES	  (64u << 20) /* of payload, in all */
#define SHOWN_PAYLOAD	  16

struct wire {
	struct capture_live *live;
	struct capture_flows *flows;
	struct wire_segment *segments;
	size_t count, size;
	size_t reported;
	size_t kept_bytes;
	uint64_t frames;
};

int wire_open(struct lab *lab, char *err, size_t size)
{
	struct capture_live_options options = {
		.device = "lo",
		.filter = "tcp",
		.snaplen = WIRE_SNAPLEN,
		.buffer_bytes = WIRE_BUFFER_BYTES,
	};
	struct capture_flows_options flows = { .max_flows = 4096 };
	struct wire *wire = calloc(1, sizeof(*wire));
	char why[CAPTURE_ERR_MAX] = "not enough memory";
	int ret = -ENOMEM;

	if (wire)
		ret = capture_flows_new(&wire->flows, &flows);
	if (ret == 0)
		ret = capture_live_open(&wire->live, &options, why);
	if (ret < 0) {
		snprintf(err, size, "cannot capture: %s", why);
		wire_close(wire);
		return ret;
	}
	lab->wire = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	for (size_t i = 0; i < wire->count; i++) {
		free(wire->segments[i].payload);
		free(wire->segments[i].note);
		free(wire->segments[i].urgent);
	}
	free(wire->segments);
	capture_flows_free(wire->flows);
	capture_live_close(wire->live);
	free(wire);
}

int wire_fd(const struct wire *wire)
{
	return wire ? capture_live_fd(wire->live) : -1;
}

size_t wire_count(const struct wire *wire)
{
	return wire ? wire->count : 0;
}

const struct wire_segment *wire_at(const struct wire *wire, size_t i)
{
	return &wire->segments[i];
}

static struct address address_of(const uint8_t *host, uint8_t len,
				 uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };

	if (len == sizeof(in.sin_addr)) {
		memcpy(&in.sin_addr, host, len);
		return address_from(&in, sizeof(in));
	}
	memcpy(&in6.sin6_addr, host, sizeof(in6.sin6_addr));
	return address_from(&in6, sizeof(in6));
}

/* What was not seen, or not kept, cannot be judged. */
static void lost(struct lab *lab)
{
	lab->broken = true;
	lab_why(lab, "a segment was lost: not enough memory");
}

static struct wire_segment *next_place(struct wire *wire)
{
	struct wire_segment *more;

	if (wire->count == wire->size) {
		size_t size = wire->size ? 2 * wire->size : 64;

		more = realloc(wire->segments, size * sizeof(*more));
		if (!more)
			return NULL;
		wire->segments = more;
		wire->size = size;
	}
	return &wire->segments[wire->count++];
}

/* Returns 0 or -ENOMEM; past WIRE_KEPT_BYTES payload is not kept. */
static int keep_payload(struct wire *wire, struct wire_segment *kept,
			const struct capture_segment *s)
{
	if (!s->payload_caplen ||
	    wire->kept_bytes + s->payload_caplen > WIRE_KEPT_BYTES)
		return 0;
	kept->payload = malloc(s->payload_caplen);
	if (!kept->payload)
		return -ENOMEM;
	memcpy(kept->payload, s->payload, s->payload_caplen);
	kept->payload_caplen = s->payload_caplen;
	wire->kept_bytes += s->payload_caplen;
	return 0;
}

static int keep(struct wire *wire, const struct capture_segment *s,
		const struct capture_event *event, int64_t time_ns,
		const char *note)
{
	char urgent[CAPTURE_NOTE_MAX];
	struct wire_segment *kept = next_place(wire);

	if (!kept)
		return -ENOMEM;
	*kept = (struct wire_segment){
		.time_ns = time_ns,
		.src = address_of(s->src, s->address_len, s->sport),
		.dst = address_of(s->dst, s->address_len, s->dport),
		.seq = event->seq,
		.ack = event->ack,
		.window = s->window,
		.urgent_pointer = s->urgent_pointer,
		.flags = s->flags,
		.payload_len = s->payload_len,
		.note = *note ? strdup(note) : NULL,
	};
	if (capture_urgent_field(s, event, urgent))
		kept->urgent = strdup(urgent);
	if ((*note && !kept->note) || (*urgent && !kept->urgent))
		return -ENOMEM;
	return keep_payload(wire, kept, s);
}

static void take(struct lab *lab, const struct capture_packet *packet)
{
	struct capture_segment segment;
	struct capture_event event;
	char note[CAPTURE_NOTE_MAX] = "";
	struct wire *wire = lab->wire;
	struct record_frame head = { .time_ns = packet->time_ns,
				     .len = packet->len,
				     .linktype = packet->linktype };

	wire->frames++;
	if (capture_decode(packet->linktype, packet->data, packet->caplen,
			   packet->len, &segment) != CAPTURE_TCP)
		return;
	if (capture_flows_segment(wire->flows, &segment, 0, wire->frames,
				  packet->time_ns, &event) < 0) {
		lost(lab);
		return;
	}
	capture_urgent_note(&segment, &event, note);
	head.comment_len = (uint32_t)strlen(note);
	lab_record(lab, RECORD_FRAME, &head, sizeof(head), note,
		   head.comment_len, packet->data, packet->caplen);
	if (keep(wire, &segment, &event, packet->time_ns, note) < 0)
		lost(lab);
}

void wire_drain(struct lab *lab)
{
	struct capture_packet packet;
	char err[CAPTURE_ERR_MAX];
	int ret = 0;

	if (!lab->wire)
		return;
	while ((ret = capture_live_next(lab->wire->live, &packet, err)) > 0)
		take(lab, &packet);
	if (ret < 0) {
		lab->broken = true;
		lab_why(lab, "the capture ended: %s", err);
	}
}

/*
 * All sockets accepted from one listener have its address: the far end tells
 * them apart, once it is known.
 */
static bool is_at(const struct end *e, const struct address *here,
		  const struct address *there)
{
	return address_same(&e->local, here) &&
	       (!e->peer.len || address_same(&e->peer, there));
}

const char *wire_owner(const struct lab *lab, const struct address *here,
		       const struct address *there)
{
	const char *owner = NULL;
	bool sure = false;

	/* The newest comes first. */
	for (const struct end *e = lab->ends; e; e = e->next) {
		if (!is_at(e, here, there) || (sure && !e->peer.len))
			continue;
		owner = e->actor->name;
		sure = e->peer.len;
	}
	return owner;
}

bool wire_held_by(const struct lab *lab, const char *program,
		  const struct address *here, const struct address *there)
{
	for (const struct end *e = lab->ends; e; e = e->next) {
		if (is_at(e, here, there) && !strcmp(e->actor->name, program))
			return true;
	}
	return false;
}

static void segment_text(const struct wire_segment *s, struct text *t)
{
	char flags[CAPTURE_FLAGS_MAX];

	capture_flags_text(s->flags, flags);
	text_clear(t);
	text_add(t, "%s seq=%u", flags, s->seq);
	if (s->flags & CAPTURE_ACK)
		text_add(t, " ack=%u", s->ack);
	if (!s->window)
		text_add(t, " win=0");
	if (s->payload_len) {
		text_add(t, " len=%u ", s->payload_len);
		text_add_bytes(t, s->payload, s->payload_caplen, SHOWN_PAYLOAD);
	}
	if (s->urgent)
		text_add(t, " %s", s->urgent);
}

/* An address as text, where no program is known to have it. */
static const char *owner_or_address(const struct lab *lab,
				    const struct address *a,
				    const struct address *there, struct text *t)
{
	const char *owner = wire_owner(lab, a, there);

	if (owner)
		return owner;
	text_clear(t);
	address_add(t, a);
	return t->s;
}

void wire_report(struct lab *lab, bool all)
{
	struct wire *wire = lab->wire;
	struct text from_text, to_text, line;
	char flags[CAPTURE_FLAGS_MAX];

	for (; wire && wire->reported < wire->count; wire->reported++) {
		struct wire_segment *s = &wire->segments[wire->reported];
		const char *from, *to;

		if (!all && (!wire_owner(lab, &s->src, &s->dst) ||
			     !wire_owner(lab, &s->dst, &s->src)))
			return;
		from = owner_or_address(lab, &s->src, &s->dst, &from_text);
		to = owner_or_address(lab, &s->dst, &s->src, &to_text);
		segment_text(s, &line);
		capture_flags_text(s->flags, flags);
		event_segment(lab,
			      &(struct event_segment){
				      .time_ns = s->time_ns,
				      .from = from,
				      .to = to,
				      .frame = (unsigned)wire->reported + 1,
				      .flags = flags,
				      .seq = s->seq,
				      .ack = s->flags & CAPTURE_ACK
						     ? (int64_t)s->ack
						     : -1,
				      .window = s->window,
				      .urgent_pointer = s->urgent_pointer,
				      .payload = s->payload,
				      .payload_caplen = s->payload_caplen,
				      .payload_len = s->payload_len,
				      .note = s->note,
				      .text = line.s,
			      });
	}
}

void wire_finish(struct lab *lab)
{
	struct capture_live_counts counts;
	struct record_counts record;

	if (!lab->wire)
		return;
	wire_drain(lab);
	wire_report(lab, true);
	if (capture_live_counts(lab->wire->live, &counts) < 0) {
		lab->broken = true;
		lab_why(lab, "the kernel does not tell what the capture lost");
		return;
	}
	record = (struct record_counts){ counts.received, counts.dropped };
	lab_record(lab, RECORD_COUNTS, &record, sizeof(record), NULL, 0, NULL,
		   0);
	if (counts.dropped) {
		lab->broken = true;
		lab_why(lab, "the capture lost %llu of %llu packets",
			(unsigned long long)counts.dropped,
			(unsigned long long)counts.received);
	}
}
