/*
 * One JSON object a line, written by hand into one large buffer: in a file
 * half of whose packets are urgent, this is where the time goes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/flags.h"
#include "capture/urgent.h"
#include "tools/capture_output.h"
#include "tools/cmd.h"

#define BUFFER_BYTES   (256u << 10)
#define LINE_MAX_BYTES 2048 /* of any object; texts in it are bounded */

struct json {
	const struct output_context *context;
	int fd;
	int error; /* the first failed write, errno */
	size_t len;
	char buffer[BUFFER_BYTES];
};

static int begin(void **state, const struct output_context *context)
{
	struct json *j = malloc(sizeof(*j));

	if (!j) {
		cmd_complain("capture", "not enough memory");
		return STATUS_CANNOT;
	}
	j->context = context;
	j->fd = STDOUT_FILENO;
	j->error = 0;
	j->len = 0;
	*state = j;
	return 0;
}

static void flush(void *state)
{
	struct json *j = state;
	const char *p = j->buffer;

	while (j->len && !j->error) {
		ssize_t n = write(j->fd, p, j->len);

		if (n < 0 && errno != EINTR)
			j->error = errno;
		if (n > 0) {
			p += n;
			j->len -= (size_t)n;
		}
	}
	j->len = 0;
}

static void put(struct json *j, const char *text, size_t len)
{
	memcpy(j->buffer + j->len, text, len);
	j->len += len;
}

/* A literal, whose length the compiler knows. */
#define LITERAL(j, text) put(j, text, sizeof(text) - 1)

static void put_unsigned(struct json *j, uint64_t n)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(j, p, (size_t)(digits + sizeof(digits) - p));
}

static void put_signed(struct json *j, int64_t n)
{
	if (n < 0)
		LITERAL(j, "-");
	put_unsigned(j, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* Texts of ours and notes are ASCII; quotes and backslashes may be in them. */
static void put_string(struct json *j, const char *text)
{
	LITERAL(j, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			LITERAL(j, "\\");
		if (c >= 0x20 && c < 0x7f)
			j->buffer[j->len++] = *text;
		else
			LITERAL(j, "?");
	}
	LITERAL(j, "\"");
}

#define NUMBER(j, key, n)                                                      \
	do {                                                                   \
		LITERAL(j, ",\"" key "\":");                                   \
		put_unsigned(j, (uint64_t)(n));                                \
	} while (0)

static void put_octet(struct json *j, uint8_t n)
{
	put_unsigned(j, n);
}

static void put_address(struct json *j, const uint8_t *address, uint8_t len)
{
	char host[INET6_ADDRSTRLEN];

	LITERAL(j, "\"");
	if (len == 4) {
		for (int i = 0; i < 4; i++) {
			if (i)
				LITERAL(j, ".");
			put_octet(j, address[i]);
		}
	} else {
		inet_ntop(AF_INET6, address, host, sizeof(host));
		put(j, host, strlen(host));
	}
	LITERAL(j, "\"");
}

/* A byte as its value, null where none came. */
static void put_byte(struct json *j, int byte)
{
	if (byte == CAPTURE_NO_BYTE)
		LITERAL(j, "null");
	else
		put_unsigned(j, (uint64_t)byte);
}

static void start_line(struct json *j)
{
	if (j->len > BUFFER_BYTES - LINE_MAX_BYTES)
		flush(j);
}

static void end_line(struct json *j)
{
	LITERAL(j, "}\n");
}

static void put_time(struct json *j, int64_t time_ns)
{
	LITERAL(j, ",\"t_ns\":");
	put_signed(j, time_ns - j->context->first_ns);
}

static void put_place(struct json *j, uint64_t flow, uint8_t direction)
{
	NUMBER(j, "flow", flow);
	if (direction)
		LITERAL(j, ",\"direction\":\"b\"");
	else
		LITERAL(j, ",\"direction\":\"a\"");
}

static void put_ends(struct json *j, const struct capture_segment *s)
{
	LITERAL(j, ",\"src\":");
	put_address(j, s->src, s->address_len);
	NUMBER(j, "sport", s->sport);
	LITERAL(j, ",\"dst\":");
	put_address(j, s->dst, s->address_len);
	NUMBER(j, "dport", s->dport);
}

static void put_urgent(struct json *j, const struct capture_segment *s,
		       const struct capture_event *e)
{
	char note[CAPTURE_NOTE_MAX];

	NUMBER(j, "urgent_pointer", s->urgent_pointer);
	if (e->has_mark) {
		NUMBER(j, "mark", e->mark);
		LITERAL(j, ",\"byte\":");
		put_byte(j, e->byte_bsd);
		LITERAL(j, ",\"byte_rfc1122\":");
		put_byte(j, e->byte_1122);
	}
	if (capture_urgent_note(s, e, note)) {
		LITERAL(j, ",\"note\":");
		put_string(j, note);
	}
}

static void urgent(void *state, const struct capture_sighting *seen)
{
	const struct capture_segment *s = seen->segment;
	const struct capture_event *e = seen->event;
	char flags[CAPTURE_FLAGS_MAX];
	struct json *j = state;
	size_t len;

	if (!(s->flags & CAPTURE_URG))
		return;
	start_line(j);
	LITERAL(j, "{\"event\":\"segment\"");
	NUMBER(j, "frame", seen->frame);
	put_time(j, seen->packet->time_ns);
	put_place(j, e->flow, e->direction);
	put_ends(j, s);
	LITERAL(j, ",\"flags\":\"");
	len = capture_flags_text(s->flags, flags);
	put(j, flags, len);
	LITERAL(j, "\"");
	NUMBER(j, "seq", e->seq);
	if (s->flags & CAPTURE_ACK)
		NUMBER(j, "ack", e->ack);
	NUMBER(j, "window", s->window);
	NUMBER(j, "len", s->payload_len);
	put_urgent(j, s, e);
	end_line(j);
}

static void episode(void *state, const struct capture_episode *e)
{
	struct json *j = state;

	start_line(j);
	LITERAL(j, "{\"event\":\"episode\"");
	NUMBER(j, "frame", e->announced_frame);
	put_time(j, e->announced_ns);
	put_place(j, e->flow, e->direction);
	NUMBER(j, "mark", e->mark);
	NUMBER(j, "urgent_pointer", e->pointer);
	NUMBER(j, "segments", e->segments);
	LITERAL(j, ",\"byte\":");
	put_byte(j, e->byte_bsd);
	LITERAL(j, ",\"byte_rfc1122\":");
	put_byte(j, e->byte_1122);
	if (e->carrier_frame) {
		NUMBER(j, "carrier_frame", e->carrier_frame);
		LITERAL(j, ",\"arrival_ns\":");
		put_signed(j, e->carrier_ns - e->announced_ns);
	}
	LITERAL(j, ",\"end\":");
	put_string(j, output_end_name(e->end));
	if (e->end_frame) {
		NUMBER(j, "end_frame", e->end_frame);
		LITERAL(j, ",\"end_ns\":");
		put_signed(j, e->end_ns - e->announced_ns);
	}
	end_line(j);
}

static void finding(void *state, const struct capture_sighting *seen,
		    const struct capture_finding_kind *kind)
{
	struct json *j = state;

	start_line(j);
	LITERAL(j, "{\"event\":\"finding\"");
	NUMBER(j, "frame", seen->frame);
	put_time(j, seen->packet->time_ns);
	put_place(j, seen->event->flow, seen->event->direction);
	LITERAL(j, ",\"finding\":");
	put_string(j, kind->name);
	LITERAL(j, ",\"severity\":");
	put_string(j, capture_severity_name(kind->severity));
	LITERAL(j, ",\"sentence\":");
	put_string(j, kind->sentence);
	LITERAL(j, ",\"rfc\":");
	put_string(j, kind->rfc);
	end_line(j);
}

static void put_start(struct json *j)
{
	time_t s = (time_t)(j->context->first_ns / 1000000000);
	char text[64];
	struct tm tm;

	if (!gmtime_r(&s, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	LITERAL(j, ",\"start\":\"");
	put(j, text, strlen(text));
	snprintf(text, sizeof(text), ".%09dZ\"",
		 (int)(j->context->first_ns % 1000000000));
	put(j, text, strlen(text));
}

static void put_drops(struct json *j, const struct input_drops *d)
{
	if (!d->known)
		return;
	NUMBER(j, "received", d->received);
	NUMBER(j, "dropped", d->dropped);
	NUMBER(j, "interface_dropped", d->interface_dropped);
}

static void put_summary(struct json *j, const struct output_totals *t)
{
	const struct capture_counts *n = &t->counts;

	start_line(j);
	LITERAL(j, "{\"event\":\"summary\"");
	NUMBER(j, "packets", n->packets);
	NUMBER(j, "tcp", n->tcp);
	NUMBER(j, "urg", n->urg);
	NUMBER(j, "flows", n->flows.flows);
	NUMBER(j, "episodes", n->flows.episodes);
	NUMBER(j, "findings", n->findings);
	NUMBER(j, "malformed", n->malformed);
	NUMBER(j, "fragments", n->fragments);
	NUMBER(j, "not_tcp", n->not_tcp);
	NUMBER(j, "unknown_link", n->unknown_link);
	NUMBER(j, "evicted", n->flows.evicted);
	if (n->packets)
		put_start(j);
	put_drops(j, &t->drops);
	if (t->truncated) {
		LITERAL(j, ",\"truncated\":true,\"why\":");
		put_string(j, t->truncated);
	}
	end_line(j);
	flush(j);
}

static int end(void *state, const struct output_totals *totals)
{
	struct json *j = state;
	int error;

	if (totals)
		put_summary(j, totals);
	error = j->error;
	free(j);
	if (!error)
		return 0;
	cmd_complain("standard output", "%s", strerror(error));
	return STATUS_USAGE;
}

const struct output output_json = {
	.begin = begin,
	.listener = { .urgent = urgent,
		      .episode = episode,
		      .finding = finding },
	.flush = flush,
	.end = end,
};

const struct output output_json_summary = {
	.begin = begin,
	.end = end,
};
