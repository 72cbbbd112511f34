/*
 * Lines a person reads: each urgent segment, what is to be said of it below
 * it, each episode when it has ended, and a summary.
 */
#include <stdio.h>

#include "capture/flags.h"
#include "capture/urgent.h"
#include "tools/capture_output.h"

/* Seconds since the first packet, to the microsecond. */
static double seconds(const struct output_context *c, int64_t time_ns)
{
	return (double)(time_ns - c->first_ns) / 1e9;
}

static void urgent(void *state, const struct capture_sighting *seen)
{
	const struct output_context *c = state;
	const struct capture_segment *s = seen->segment;
	const struct capture_event *e = seen->event;
	char field[CAPTURE_NOTE_MAX], flags[CAPTURE_FLAGS_MAX];
	char from[OUTPUT_END_MAX], to[OUTPUT_END_MAX];
	FILE *out = c->term.out;

	if (!capture_urgent_field(s, e, field))
		return;
	capture_flags_text(s->flags, flags);
	fprintf(out,
		"%s#%llu%s %.6f %llu/%c %s > %s: %s seq=%u len=%u %s%s%s\n",
		term_on(&c->term, TERM_DIM), (unsigned long long)seen->frame,
		term_off(&c->term), seconds(c, seen->packet->time_ns),
		(unsigned long long)e->flow, "ab"[e->direction],
		output_source(s, from), output_destination(s, to), flags,
		e -> seq, s -> payload_len, term_on(&c->term, TERM_URGENT),
		field, term_off(&c->term));
}

static void finding(void *state, const struct capture_sighting *seen,
		    const struct capture_finding_kind *kind)
{
	const struct output_context *c = state;

	fprintf(c->term.out, "  %s%s %s%s in #%llu: %s (%s)\n",
		term_on(&c->term,
			kind->severity == CAPTURE_NOTE ? TERM_DIM : TERM_BAD),
		capture_severity_name(kind->severity), kind->name,
		term_off(&c->term), (unsigned long long)seen->frame,
		kind->sentence, kind->rfc);
}

static void episode(void *state, const struct capture_episode *e)
{
	const struct output_context *c = state;
	char bsd[8], rfc1122[8];
	FILE *out = c->term.out;

	fprintf(out,
		"  episode %llu/%c mark=%u announced in #%llu (up=%u): "
		"urgent byte %s",
		(unsigned long long)e->flow, "ab"[e->direction], e -> mark,
		(unsigned long long)e -> announced_frame, e -> pointer,
		capture_quote_byte(e->byte_bsd, bsd));
	if (e->byte_1122 != CAPTURE_NO_BYTE)
		fprintf(out, ", by RFC 1122's reading %s",
			capture_quote_byte(e->byte_1122, rfc1122));
	if (e->carrier_frame)
		fprintf(out, ", in #%llu after %.6f s",
			(unsigned long long)e->carrier_frame,
			(double)(e->carrier_ns - e->announced_ns) / 1e9);
	if (e->end_frame)
		fprintf(out, "; %s by #%llu after %.6f s\n",
			output_end_name(e->end),
			(unsigned long long)e->end_frame,
			(double)(e->end_ns - e->announced_ns) / 1e9);
	else
		fprintf(out, "; %s\n", output_end_name(e->end));
}

static void print_drops(FILE *out, const struct input_drops *d)
{
	if (!d->known)
		return;
	fprintf(out, "%llu received by the filter, %llu dropped by the kernel",
		(unsigned long long)d->received,
		(unsigned long long)d->dropped);
	if (d->interface_dropped)
		fprintf(out, ", %llu by the interface",
			(unsigned long long)d->interface_dropped);
	fputs("\n", out);
}

static void put_count(FILE *out, uint64_t n, const char *what,
		      const char *behind)
{
	fprintf(out, "%llu %s%s%s", (unsigned long long)n, what,
		n == 1 ? "" : "s", behind);
}

static void print_counts(FILE *out, const struct capture_counts *n)
{
	put_count(out, n->packets, "packet", ", ");
	fprintf(out, "%llu TCP, %llu with URG, ", (unsigned long long)n->tcp,
		(unsigned long long)n->urg);
	put_count(out, n->flows.flows, "flow", ", ");
	put_count(out, n->flows.episodes, "episode", ", ");
	put_count(out, n->findings, "finding", "\n");
	if (n->malformed || n->fragments || n->unknown_link)
		fprintf(out,
			"%llu malformed, %llu later fragments, "
			"%llu of unknown link types\n",
			(unsigned long long)n->malformed,
			(unsigned long long)n->fragments,
			(unsigned long long)n->unknown_link);
	if (n->flows.evicted)
		put_count(out, n->flows.evicted, "flow",
			  " evicted to make room: see --max-flows\n");
}

static int print_summary(void *state, const struct output_totals *totals)
{
	const struct output_context *c = state;

	if (!totals)
		return 0;
	print_counts(c->term.out, &totals->counts);
	if (totals->truncated)
		fprintf(c->term.out, "not all of it: %s\n", totals->truncated);
	print_drops(c->term.out, &totals->drops);
	return 0;
}

const struct output output_lines = {
	.begin = output_begin,
	.listener = { .urgent = urgent,
		      .episode = episode,
		      .finding = finding },
	.flush = output_flush,
	.end = print_summary,
};

const struct output output_summary = {
	.begin = output_begin,
	.end = print_summary,
};
