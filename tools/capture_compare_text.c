/* Two captures compared, in lines a person reads. */
#include <inttypes.h>
#include <stdio.h>

#include "capture/urgent.h"
#include "tools/capture_compare.h"
#include "tools/text.h"

/* "12.5 us", "-3.1 ms", "2.000 s" */
static const char *duration(int64_t ns, char text[32])
{
	const double n = (double)ns;
	const double size = n < 0 ? -n : n;

	if (size < 1e6)
		snprintf(text, 32, "%.1f us", n / 1e3);
	else if (size < 1e9)
		snprintf(text, 32, "%.3f ms", n / 1e6);
	else
		snprintf(text, 32, "%.6f s", n / 1e9);
	return text;
}

static void files(struct compare_printer *p, const struct compare_file files[2])
{
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		const struct compare_file *f = &files[side];
		const struct capture_counts *n = &f->counts;
		char path[512];

		text_printable(path, sizeof(path), f->path,
			       TEXT_ONE_LINE | term_text_flags(&p->term));
		fprintf(p->term.out,
			"%s%c%s  %s: ", term_on(&p->term, TERM_BOLD),
			'A' + side, term_off(&p->term), path);
		fprintf(p->term.out,
			"%" PRIu64 " packets, %" PRIu64 " TCP, %" PRIu64
			" with URG, in %.3f s%s\n",
			n->packets, n->tcp, n->urg,
			(double)(f->last_ns - f->first_ns) / 1e9,
			f->truncated ? "; it ends early" : "");
	}
}

/* The estimate, or why there is none. */
static void print_clock(void *context, const struct capture_clock *clock)
{
	struct compare_printer *p = context;
	char offset[32], bound[32];
	FILE *out = p->term.out;

	p->clock = *clock;
	fputs("clocks: ", out);
	if (clock->known)
		fprintf(out, "B is %s %s A, give or take %s",
			duration(clock->offset_ns < 0 ? -clock->offset_ns
						      : clock->offset_ns,
				 offset),
			clock->offset_ns < 0 ? "behind" : "ahead of",
			duration(clock->uncertainty_ns, bound));
	else if (clock->impossible)
		fputs("no offset fits: one of them was set meanwhile", out);
	else if (clock->toward_a || clock->toward_b)
		fputs("with segments one way only, their offset cannot be "
		      "known",
		      out);
	else
		fputs("no segment is in both captures", out);
	if (clock->drifts)
		fprintf(out, ", and gains %.1f us a second", clock->drift_ppm);
	fprintf(out, " (%" PRIu64 " segments toward B, %" PRIu64 " toward A)\n",
		clock->toward_b, clock->toward_a);
}

static void connection(void *context, const struct capture_connection *c)
{
	struct compare_printer *p = context;

	p->connection = *c;
	p->named = false;
}

/* What one end sent, and how it fared. */
static void print_way(struct compare_printer *p, unsigned direction)
{
	const struct capture_connection *c = &p->connection;
	const struct capture_way *way = &c->way[direction];
	const bool to_b = c->near_a == direction;
	const int64_t ahead = to_b ? p->clock.offset_ns : -p->clock.offset_ns;
	char text[32];
	FILE *out = p->term.out;

	fprintf(out, "  %c to %c: %" PRIu64 " segment%s", 'A' + !to_b,
		'A' + to_b, way->sent, way->sent == 1 ? "" : "s");
	if (way->regrouped)
		fprintf(out, ", %" PRIu64 " cut or joined to %" PRIu64,
			way->regrouped, way->regrouped_to);
	if (way->offloaded)
		fprintf(out, " (%" PRIu64 " by segmentation offload)",
			way->offloaded);
	if (way->outside)
		fprintf(out, ", %" PRIu64 " while one capture did not run",
			way->outside);
	if (way->timed && p->clock.known)
		fprintf(out, ", typically %s on the way",
			duration(way->typical_ns - ahead, text));
	fputc('\n', out);
}

/* Before the first thing that is said of a connection. */
static void name_connection(struct compare_printer *p)
{
	const struct capture_connection *c = &p->connection;
	char from[CAPTURE_ENDPOINT_MAX], to[CAPTURE_ENDPOINT_MAX];
	FILE *out = p->term.out;

	if (p->named)
		return;
	p->named = true;
	fprintf(out, "\n%sconnection %u%s  %s > %s",
		term_on(&p->term, TERM_BOLD), c->number, term_off(&p->term),
		capture_endpoint_text(&c->ends_a[0], from),
		capture_endpoint_text(&c->ends_a[1], to));
	if (c->pairing != CAPTURE_BY_ADDRESS)
		fprintf(out, ", in B %s > %s",
			capture_endpoint_text(&c->ends_b[0], from),
			capture_endpoint_text(&c->ends_b[1], to));
	fprintf(out, "\n  A stands near %s (%s)\n",
		capture_endpoint_text(&c->ends_a[c->near_a], from),
		c->near_from == CAPTURE_FROM_TIMES  ? "by the times"
		: c->near_from == CAPTURE_FROM_HOPS ? "by the times to live"
						    : "as its name says");
	print_way(p, c->near_a);
	print_way(p, !c->near_a);
}

/* "3 announced, 1 kept, 2 cleared" */
static void print_counts(FILE *out, const struct capture_mark *m)
{
	const struct {
		uint32_t n;
		const char *how;
	} counts[] = {
		{ m->kept, "kept" },
		{ m->cleared, "cleared" },
		{ m->changed, "changed" },
		{ m->lost, "lost" },
	};

	fprintf(out, "%u announced", m->announced);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].n)
			fprintf(out, ", %u %s", counts[i].n, counts[i].how);
}

/* "A #4 pointer 3, B #4 pointer 0 to octet 0" */
static void print_example(struct compare_printer *p,
			  const struct capture_mark *m)
{
	const bool a_sends = p->connection.near_a == m->direction;
	const uint64_t sent = a_sends ? m->frame_a : m->frame_b;
	const uint64_t arrived = a_sends ? m->frame_b : m->frame_a;

	if (sent)
		fprintf(p->term.out, "; %c #%" PRIu64 " pointer %u",
			'A' + !a_sends, sent, m->pointer_sent);
	if (arrived)
		fprintf(p->term.out, "; %c #%" PRIu64 " pointer %u",
			'A' + a_sends, arrived, m->pointer_arrived);
	if (m->outcome == CAPTURE_MARK_CHANGED)
		fprintf(p->term.out, " to octet %" PRId64, m->mark_arrived - 1);
}

static void mark(void *context, const struct capture_mark *m)
{
	struct compare_printer *p = context;
	const bool intact = m->outcome == CAPTURE_MARK_KEPT ||
			    m->outcome == CAPTURE_MARK_MOVED;
	char quoted[8];

	name_connection(p);
	fprintf(p->term.out, "  mark behind octet %" PRId64, m->mark - 1);
	if (m->octet_bsd != CAPTURE_NO_OCTET)
		fprintf(p->term.out, " %s",
			capture_quote_byte(m->octet_bsd, quoted));
	fprintf(p->term.out, ": %s%s%s (",
		term_on(&p->term, intact ? TERM_GOOD : TERM_BAD),
		capture_outcome_name(m->outcome), term_off(&p->term));
	print_counts(p->term.out, m);
	print_example(p, m);
	fputs(")\n", p->term.out);
}

static void difference(void *context, const struct capture_difference *d)
{
	struct compare_printer *p = context;
	const struct capture_difference_kind *kind = d->kind;

	if (d->connection)
		name_connection(p);
	fprintf(p->term.out, "  %s%s %s%s: %s%s%s%s\n",
		term_on(&p->term,
			kind->severity == CAPTURE_NOTE ? TERM_DIM : TERM_BAD),
		capture_severity_name(kind->severity), kind->name,
		term_off(&p->term), d->sentence, kind->rfc ? " [" : "",
		kind->rfc ? kind->rfc : "", kind->rfc ? "]" : "");
}

static void summary(struct compare_printer *p, const struct capture_compared *r)
{
	FILE *out = p->term.out;

	fprintf(out,
		"\nconnections in both captures: %u; only in A: %u; "
		"only in B: %u\n",
		r->connections, r->only[CAPTURE_A], r->only[CAPTURE_B]);
	fprintf(out,
		"urgent marks: %" PRIu64 ", intact: %" PRIu64
		"; alarms: %" PRIu64 ", warnings: %" PRIu64 ", notes: %" PRIu64
		"\n",
		r->marks, r->marks_intact, r->differences[CAPTURE_ALARM],
		r->differences[CAPTURE_WARNING], r->differences[CAPTURE_NOTE]);
	for (int side = CAPTURE_A; side <= CAPTURE_B; side++)
		if (r->left_out[side])
			fprintf(out,
				"%" PRIu64 " segments of %c are left out: "
				"--max-memory or --max-flows is reached\n",
				r->left_out[side], 'A' + side);
}

const struct compare_format compare_text = {
	.files = files,
	.listener = {
		.clock = print_clock,
		.connection = connection,
		.mark = mark,
		.difference = difference,
	},
	.summary = summary,
};
