/*
 * The timeline: three lanes, the sender's calls, the segments, the
 * receiver's calls. A line belongs to one lane, so a long one may reach into
 * the next; one that would pass the edge moves left, then wraps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lab/report.h"
#include "tools/text.h"

#define TIME_COLUMNS 10
#define INDENT	     2 /* of a line's continuation */

enum lane {
	LANE_LEFT,
	LANE_WIRE,
	LANE_RIGHT
};

/* A call the experiment went on beside makes two lines, as in strace. */
enum phase {
	WHOLE,
	UNFINISHED,
	RESUMED
};

struct entry {
	json_int_t t_ns;
	const json_t *event;
	enum phase phase;
};

struct line {
	enum lane lane;
	enum phase phase;
	enum term_style style;
	struct text text;
};

const char *report_string(const json_t *event, const char *key)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s ? s : "";
}

static json_int_t integer(const json_t *event, const char *key,
			  json_int_t otherwise)
{
	const json_t *n = json_object_get(event, key);

	return json_is_integer(n) ? json_integer_value(n) : otherwise;
}

static int lane_column(const struct reporter *r, enum lane lane)
{
	int room = r->term.width - TIME_COLUMNS;

	return TIME_COLUMNS + (lane == LANE_LEFT   ? 0
			       : lane == LANE_WIRE ? room / 4
						   : room / 2);
}

static void print_time(struct reporter *r, const char *time)
{
	int blanks = TIME_COLUMNS - 2 - term_columns(time);

	fprintf(r->term.out, "%*s%s%s%s  ", blanks > 0 ? blanks : 0, "",
		term_on(&r->term, TERM_DIM), time, term_off(&r->term));
}

static void print_line(struct reporter *r, const char *time,
		       const struct line *line)
{
	int column = lane_column(r, line->lane);
	int columns = term_columns(line->text.s);

	if (column + columns > r->term.width)
		column = r->term.width - columns;
	if (column < TIME_COLUMNS)
		column = TIME_COLUMNS;
	print_time(r, time);
	fprintf(r->term.out, "%*s", column - TIME_COLUMNS, "");
	term_wrap(&r->term, line->style, column, TIME_COLUMNS + 4,
		  line->text.s);
	fputs("\n", r->term.out);
}

static enum lane lane_of(const struct reporter *r, const json_t *event)
{
	return strcmp(report_string(event, "lane"), r->left) ? LANE_RIGHT
							     : LANE_LEFT;
}

/* Programs that have no lane of their own are named. */
static void add_who(const struct reporter *r, struct line *line,
		    const json_t *event)
{
	const char *who = report_string(event, "lane");

	if (strcmp(who, r->left) && strcmp(who, r->right))
		text_add(&line->text, "%s: ", who);
}

static bool call_line(const struct reporter *r, const json_t *e,
		      struct line *line)
{
	if (json_is_true(json_object_get(e, "setup")) && !r->verbose)
		return false;
	line->lane = lane_of(r, e);
	add_who(r, line, e);
	if (line->phase == UNFINISHED) {
		text_add(&line->text, "%s(%lld <unfinished ...>",
			 report_string(e, "call"),
			 (long long)integer(e, "fd", 0));
		return true;
	}
	if (line->phase == RESUMED)
		text_add(&line->text, "<... resumed> ");
	text_add(&line->text, "%s", report_string(e, "text"));
	return true;
}

static bool signal_line(const struct reporter *r, const json_t *e,
			struct line *line)
{
	line->lane = lane_of(r, e);
	line->style = TERM_URGENT;
	add_who(r, line, e);
	text_add(&line->text, "%s", report_string(e, "text"));
	return true;
}

static bool segment_line(const struct reporter *r, const json_t *e,
			 struct line *line)
{
	const char *from = report_string(e, "from"),
		   *to = report_string(e, "to");
	const char *right = r->term.utf8 ? "──▶" : "-->";
	const char *left = r->term.utf8 ? "◀──" : "<--";
	bool urgent = integer(e, "urgent_pointer", 0) ||
		      strstr(report_string(e, "flags"), "URG");
	const char *text = report_string(e, "text");

	line->lane = LANE_WIRE;
	line->style = urgent		     ? TERM_URGENT
		      : integer(e, "len", 0) ? TERM_PLAIN
					     : TERM_DIM;
	if (!strcmp(from, r->left) && !strcmp(to, r->right))
		text_add(&line->text, "%s %s", text, right);
	else if (!strcmp(from, r->right) && !strcmp(to, r->left))
		text_add(&line->text, "%s %s", left, text);
	else
		text_add(&line->text, "%s %s %s: %s", from, right, to, text);
	return true;
}

static bool queue_line(const struct reporter *r, const json_t *e,
		       struct line *line)
{
	json_int_t unread = integer(e, "unread", 0);
	json_int_t unacked = integer(e, "unacked", 0);
	bool at_mark = json_is_true(json_object_get(e, "at_mark"));

	/* A sender's queue drains by itself: only what stays is news. */
	if (lane_of(r, e) == LANE_LEFT && !unread && !r->verbose)
		return false;
	line->lane = lane_of(r, e);
	line->style = TERM_DIM;
	add_who(r, line, e);
	text_add(&line->text, "%s %lld to read%s", r->term.utf8 ? "·" : "-",
		 (long long)unread, at_mark ? ", at the mark" : "");
	if (r->verbose || unacked > 0)
		text_add(&line->text, ", %lld unacknowledged",
			 (long long)unacked);
	return true;
}

static bool expect_line(const struct reporter *r, const json_t *e,
			struct line *line)
{
	bool held = json_is_true(json_object_get(e, "held"));

	if (held && !r->verbose)
		return false;
	line->style = held ? TERM_GOOD : TERM_BAD;
	text_add(&line->text, "%s line %lld: expected %s",
		 held ? "ok" : "FAILED", (long long)integer(e, "line", 0),
		 report_string(e, "want"));
	if (!held)
		text_add(&line->text, ", got %s", report_string(e, "got"));
	return true;
}

static bool note_line(const struct reporter *r, const json_t *e,
		      struct line *line)
{
	(void)r;
	line->style = TERM_DIM;
	text_add(&line->text, "# %s", report_string(e, "text"));
	return true;
}

static bool exit_line(const struct reporter *r, const json_t *e,
		      struct line *line)
{
	bool shown = signal_line(r, e, line);

	line->style = TERM_BAD;
	return shown;
}

/* One row for each kind of event that makes a line. */
static const struct {
	const char *event;
	bool (*make)(const struct reporter *r, const json_t *e,
		     struct line *line);
} kinds[] = {
	{ "call", call_line },	     { "signal", signal_line },
	{ "segment", segment_line }, { "queue", queue_line },
	{ "expect", expect_line },   { "note", note_line },
	{ "exit", exit_line },
};

/* Above the first line: an experiment that was skipped has none. */
static void print_lanes(struct reporter *r)
{
	struct text line;

	if (r->headed)
		return;
	r->headed = true;
	text_clear(&line);
	text_add(&line, "%-*s%-*s%s", lane_column(r, LANE_WIRE) - TIME_COLUMNS,
		 r->left,
		 lane_column(r, LANE_RIGHT) - lane_column(r, LANE_WIRE),
		 r->wire, r->right);
	fputs("\n", r->term.out);
	print_time(r, r->term.utf8 ? "µs" : "us");
	term_wrap(&r->term, TERM_DIM, TIME_COLUMNS, TIME_COLUMNS, line.s);
	fputs("\n", r->term.out);
}

/* In microseconds; from 100 s on these would not fit their column. */
static void time_text(char *out, size_t size, json_int_t ns)
{
	if (ns < 100000000000LL)
		snprintf(out, size, "%lld", (long long)ns / 1000);
	else
		snprintf(out, size, "%.2fs", (double)ns / 1e9);
}

static void print_entry(struct reporter *r, const struct entry *entry)
{
	struct line line = { .lane = LANE_LEFT, .phase = entry->phase };
	const json_t *e = entry->event;
	char time[32];

	text_clear(&line.text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].event, report_string(e, "event")))
			continue;
		if (!kinds[i].make(r, e, &line))
			return;
		time_text(time, sizeof(time), entry->t_ns);
		print_lanes(r);
		print_line(r, time, &line);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->phase == RESUMED ? 1 : y->phase == RESUMED ? -1 : 0;
}

/* Does anything else happen between an event's beginning and its end? */
static bool overlaps(const struct outcome *o, size_t i)
{
	json_int_t end_ns = integer(o->events[i], "end_ns", 0);

	return json_is_true(json_object_get(o->events[i], "later")) &&
	       i + 1 < o->count &&
	       integer(o->events[i + 1], "t_ns", end_ns) < end_ns;
}

static void print_timeline(struct reporter *r, const struct outcome *o)
{
	struct entry *entries = calloc(2 * o->count + 1, sizeof(*entries));
	size_t n = 0;

	for (size_t i = 0; entries && i < o->count; i++) {
		const json_t *e = o->events[i];
		bool two = overlaps(o, i);

		entries[n++] = (struct entry){ integer(e, "t_ns", 0), e,
					       two ? UNFINISHED : WHOLE };
		if (two)
			entries[n++] = (struct entry){ integer(e, "end_ns", 0),
						       e, RESUMED };
	}
	if (n)
		qsort(entries, n, sizeof(*entries), by_time);
	r->headed = false;
	for (size_t i = 0; i < n; i++)
		print_entry(r, &entries[i]);
	free(entries);
}

/* The first text that an event of this kind has. */
static const char *said(const struct outcome *o, const char *kind)
{
	for (size_t i = 0; i < o->count; i++) {
		if (!strcmp(report_string(o->events[i], "event"), kind))
			return report_string(o->events[i], "text");
	}
	return "";
}

/* The connect{} pair where there is one, else the first two to act. */
static void give_lanes(struct reporter *r, const struct outcome *o)
{
	const char *seen[2] = { NULL, NULL };

	r->left = "sender";
	r->right = "receiver";
	r->wire = strcmp(o->job->transport, "unix") ? "wire" : "";
	for (size_t i = 0; i < o->count; i++) {
		const char *who = report_string(o->events[i], "lane");

		if (!strcmp(who, "sender") || !strcmp(who, "receiver"))
			return;
		if (!strcmp(who, "lab") || !strcmp(who, "wire"))
			continue;
		if (!seen[0])
			seen[0] = who;
		else if (!seen[1] && strcmp(seen[0], who))
			seen[1] = who;
	}
	r->left = seen[0] ? seen[0] : r->left;
	r->right = seen[1] ? seen[1] : r->right;
}

static void print_head(struct reporter *r, const struct outcome *o)
{
	const char *title = said(o, "title");
	struct text line;

	term_wrap(&r->term, TERM_BOLD, 0, INDENT,
		  *title ? title : o->job->name);
	text_clear(&line);
	text_add(&line, "%s (%s%s)", o->job->name, o->job->transport,
		 o->job->inline_delivery ? ", inline delivery" : "");
	fputs("\n", r->term.out);
	term_wrap(&r->term, TERM_PLAIN, 0, INDENT, line.s);
	fputs("\n", r->term.out);
}

enum term_style report_style(const char *verdict)
{
	if (!strcmp(verdict, "held"))
		return TERM_GOOD;
	return strcmp(verdict, "skipped") ? TERM_BAD : TERM_DIM;
}

static void print_verdict(struct reporter *r, const struct outcome *o)
{
	const char *verdict = report_string(o->verdict, "verdict");
	const char *why = report_string(o->verdict, "why");
	json_int_t n = integer(o->verdict, "expectations", 0);
	json_int_t failures = integer(o->verdict, "failures", 0);
	struct text line;

	text_clear(&line);
	if (!strcmp(verdict, "held") && n)
		text_add(&line, ": %lld expectation%s", (long long)n,
			 n == 1 ? "" : "s");
	else if (failures)
		text_add(&line, ": %lld of %lld expectations",
			 (long long)failures, (long long)n);
	if (*why)
		text_add(&line, "%s %s", line.len ? ";" : ":", why);
	fprintf(r->term.out, "\n%s%s%s",
		term_on(&r->term, report_style(verdict)), verdict,
		term_off(&r->term));
	term_wrap(&r->term, TERM_PLAIN, (int)strlen(verdict), INDENT, line.s);
	fputs("\n", r->term.out);
}

static void outcome(struct reporter *r, const struct outcome *o)
{
	const char *error = said(o, "error");

	if (r->told)
		fputs("\n", r->term.out);
	give_lanes(r, o);
	print_head(r, o);
	print_timeline(r, o);
	if (*error) {
		fputs("\n", r->term.out);
		term_wrap(&r->term, TERM_PLAIN, 0, INDENT, error);
		fputs("\n", r->term.out);
	}
	print_verdict(r, o);
}

/* "126 of 127 held, 1 failed; 89 skipped": of those that could run. */
static void print_totals(struct reporter *r, const struct outcome *all,
			 size_t count)
{
	static const char *const verdicts[] = { "held", "failed", "error",
						"skipped" };
	size_t n[4] = { 0 };

	for (size_t i = 0; i < count; i++) {
		const char *verdict = report_string(all[i].verdict, "verdict");

		for (size_t k = 0; k < 4; k++)
			n[k] += !strcmp(verdicts[k], verdict);
	}
	fprintf(r->term.out, "\n%zu of %zu held", n[0], count - n[3]);
	for (size_t k = 1; k < 4; k++) {
		if (n[k])
			fprintf(r->term.out, ", %zu %s", n[k], verdicts[k]);
	}
	fputs("\n", r->term.out);
}

static void end(struct reporter *r, const struct outcome *all, size_t count)
{
	if (count < 2)
		return;
	report_table(r, all, count);
	print_totals(r, all, count);
}

const struct report report_text = {
	.name = "text",
	.outcome = outcome,
	.end = end,
};
