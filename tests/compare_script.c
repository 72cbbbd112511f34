#include "tests/compare_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum {
	DATA_MAX = 70000
};

struct record {
	int64_t time_ns;
	const struct line *line;
};

struct feed {
	struct record records[LINES];
	size_t count;
};

static void add_record(struct feed *feed, const struct line *line,
		       int64_t time_us)
{
	struct record record = { time_us * 1000, line };
	size_t i = feed->count++;

	for (; i > 0 && feed->records[i - 1].time_ns > record.time_ns; i--)
		feed->records[i] = feed->records[i - 1];
	feed->records[i] = record;
}

static void make_feeds(const struct row *row, struct feed feeds[2])
{
	for (int i = 0; i < LINES && row->lines[i].from; i++) {
		const struct line *line = &row->lines[i];
		const int64_t sent = (int64_t)(i + 1) * STEP_US;
		const int64_t came = sent + PATH_US + line->late_us;
		const bool to_b = line->from == 'a';

		if (line->only != 'B')
			add_record(&feeds[CAPTURE_A], line, to_b ? sent : came);
		if (line->only != 'A')
			add_record(&feeds[CAPTURE_B], line,
				   (to_b ? came : sent) + AHEAD_US);
	}
}

static uint8_t put_options(const struct line *line, uint8_t *out)
{
	uint8_t n = 0;

	if (line->flags & SYN) {
		const uint8_t mss[] = { 2, 4, MSS >> 8, MSS & 0xff };

		memcpy(out, mss, 4);
		n = 4;
	}
	if (line->scale) {
		const uint8_t scale[] = { 3, 3, line->scale };

		memcpy(out + n, scale, 3);
		n += 3;
	}
	if (line->stamp) {
		const uint8_t stamps[] = { 8, 10, 0, 0, 0, (uint8_t)line->stamp,
					   0, 0,  0, 0 };

		memcpy(out + n, stamps, 10);
		n += 10;
	}
	return n;
}

/* The segment of a line as one of the captures sees it. */
static struct capture_segment make_segment(const struct row *row,
					   const struct line *line,
					   enum capture_side side)
{
	static const uint8_t ends[4][4] = { { 10, 0, 0, 1 },
					    { 10, 0, 0, 2 },
					    { 192, 0, 2, 1 },
					    { 192, 0, 2, 2 } };
	const uint16_t client = line->port ? line->port : 1000;
	const uint16_t ports[4] = { client, 23, (uint16_t)(39000 + client),
				    2323 };
	static uint8_t options[40], data[DATA_MAX];
	const unsigned base = row->lines[0].nat && side == CAPTURE_B ? 2 : 0;
	const unsigned from = line->from == 'b';
	const uint32_t shift = side == CAPTURE_B ? line->shift : 0;
	const bool arrives = (line->from == 'a') == (side == CAPTURE_B);
	uint32_t len = line->data ? (uint32_t)strlen(line->data) : line->len;

	for (uint32_t i = 0; i < len; i++)
		data[i] = line->data ? (uint8_t)line->data[i]
				     : (uint8_t)((line->seq + i) * 37 >> 3);
	return (struct capture_segment){
		.src = ends[base + from],
		.dst = ends[base + !from],
		.address_len = 4,
		.sport = ports[base + from],
		.dport = ports[base + !from],
		.options = options,
		.options_len = put_options(line, options),
		.payload = data,
		.payload_len = len,
		.payload_caplen = line->cut && len > 4 ? 4 : len,
		.seq = line->seq + shift,
		.ack = line->ack + (line->flags & ACK ? shift : 0),
		.window = (uint16_t)(line->window ? line->window : 1000),
		.urgent_pointer = line->up,
		.flags = line->flags,
		.fragment = line->fragment,
		.hops = !arrives     ? 64
			: line->hops ? line->hops
				     : 62,
	};
}

void feed_segment(struct capture_compare *compare, struct capture_flows *flows,
		  enum capture_side side, uint32_t point, uint64_t frame,
		  int64_t time_ns, const struct capture_segment *segment)
{
	const struct capture_packet packet = { .time_ns = time_ns };
	struct capture_event event;
	const struct capture_sighting seen = { frame, &packet, segment,
					       &event };

	assert_int_equal(capture_flows_segment(flows, segment, point, frame,
					       time_ns, &event),
			 0);
	assert_int_equal(capture_compare_segment(compare, side, &seen), 0);
}

static void feed_all(struct capture_compare *compare, const struct row *row,
		     enum capture_side side, const struct feed *feed)
{
	const struct capture_flows_options options = { .max_flows = 64 };
	struct capture_flows *flows;

	assert_int_equal(capture_flows_new(&flows, &options), 0);
	for (size_t i = 0; i < feed->count; i++) {
		const struct record *record = &feed->records[i];
		const struct capture_segment segment =
			make_segment(row, record->line, side);

		feed_segment(compare, flows, side,
			     side == CAPTURE_B ? record->line->point : 0, i + 1,
			     record->time_ns, &segment);
	}
	capture_flows_free(flows);
}

/* --- what is told, as lines of text -------------------------------------- */

__attribute__((format(printf, 2, 3))) static void add(struct told *told,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	told->used += (size_t)vsnprintf(told->text + told->used,
					sizeof(told->text) - told->used, format,
					args);
	va_end(args);
}

static void on_connection(void *context, const struct capture_connection *c)
{
	struct told *told = context;

	if (c->pairing == CAPTURE_BY_SEQUENCE)
		add(told, "by sequence\n");
	if (c->pairing == CAPTURE_BY_PAYLOAD)
		add(told, "by payload\n");
}

static void on_mark(void *context, const struct capture_mark *mark)
{
	struct told *told = context;

	add(told, "mark %lld %s", (long long)mark->mark,
	    capture_outcome_name(mark->outcome));
	if (mark->outcome == CAPTURE_MARK_CHANGED)
		add(told, " to %lld", (long long)mark->mark_arrived);
	add(told, "%s\n", mark->pointers_zeroed ? " zeroed" : "");
}

static void on_difference(void *context, const struct capture_difference *d)
{
	struct told *told = context;

	add(told, "%s %c %llu", d->kind->name, "ab-"[d->direction],
	    (unsigned long long)d -> count);
	if (d->frame_a)
		add(told, " A%llu", (unsigned long long)d->frame_a);
	if (d->frame_b)
		add(told, " B%llu", (unsigned long long)d->frame_b);
	add(told, "\n");
	assert_true(strlen(d->sentence) > 20);
	assert_true(strlen(d->sentence) + 1 < CAPTURE_SENTENCE_MAX);
	strcat(strcat(told->sentences, d->sentence), "\n");
}

struct capture_compared compare_row(const struct row *row, struct told *told)
{
	const struct capture_compare_options options = {
		.listener = {
			.connection = on_connection,
			.mark = on_mark,
			.difference = on_difference,
			.context = told,
		},
	};
	struct capture_compare *compare;
	struct capture_compared result;
	struct feed feeds[2] = { 0 };

	make_feeds(row, feeds);
	assert_int_equal(capture_compare_new(&compare, &options), 0);
	feed_all(compare, row, CAPTURE_A, &feeds[CAPTURE_A]);
	feed_all(compare, row, CAPTURE_B, &feeds[CAPTURE_B]);
	assert_int_equal(capture_compare_finish(compare, &result), 0);
	capture_compare_free(compare);
	return result;
}
