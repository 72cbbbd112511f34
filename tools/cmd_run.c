/* ooblab run: experiments, their timelines and verdicts. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/lab/course.h"
#include "tools/lab/run.h"

#define JOBS_MAX    32
#define TIMEOUT_MAX 3600

enum {
	OPT_TRANSPORT = 256,
	OPT_INLINE,
	OPT_SAVE,
	OPT_JSON,
	OPT_TAP,
	OPT_TIMEOUT,
	OPT_NO_CAPTURE,
};

static const struct option long_options[] = {
	{ "transport", required_argument, NULL, OPT_TRANSPORT },
	{ "inline", optional_argument, NULL, OPT_INLINE },
	{ "save", required_argument, NULL, OPT_SAVE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "tap", no_argument, NULL, OPT_TAP },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "no-capture", no_argument, NULL, OPT_NO_CAPTURE },
	{ "jobs", required_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static int read_transports(struct run_options *o, char *list)
{
	static const char *const known[] = { "tcp4", "tcp6", "unix", "mptcp" };
	char *rest, *word;

	o->transport_count = 0;
	for (word = strtok_r(list, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest)) {
		size_t i = 0;

		while (i < RUN_TRANSPORTS && strcmp(known[i], word))
			i++;
		if (i == RUN_TRANSPORTS) {
			cmd_complain("run",
				     "no transport is called %s; there are "
				     "tcp4, tcp6, unix and mptcp",
				     word);
			return -1;
		}
		if (o->transport_count == RUN_TRANSPORTS) {
			cmd_complain("run", "each transport once, please");
			return -1;
		}
		o->transports[o->transport_count++] = known[i];
	}
	if (!o->transport_count)
		cmd_complain("run", "--transport names none; there are tcp4, "
				    "tcp6, unix and mptcp");
	return o->transport_count ? 0 : -1;
}

static int read_inline(struct run_options *o, const char *which)
{
	bool both = which && !strcmp(which, "both");

	if (which && !both && strcmp(which, "on") && strcmp(which, "off")) {
		cmd_complain("run", "--inline is on, off or both, not %s",
			     which);
		return -1;
	}
	o->inline_axis[0] = both || (which && !strcmp(which, "off"));
	o->inline_axis[1] = both || !which || !strcmp(which, "on");
	return 0;
}

static int read_number(const char *option, const char *text, double least,
		       double most, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (end != text && !*end && *out >= least && *out <= most)
		return 0;
	cmd_complain("run", "%s takes a number from %g to %g, not %s", option,
		     least, most, text);
	return -1;
}

static int choose_report(struct run_options *o, const struct report *report)
{
	if (o->report != &report_text && o->report != report) {
		cmd_complain("run", "--json and --tap: one at a time");
		return -1;
	}
	o->report = report;
	return 0;
}

static int read_option(struct run_options *o, int option)
{
	double n;

	switch (option) {
	case OPT_TRANSPORT:
		return read_transports(o, optarg);
	case OPT_INLINE:
		return read_inline(o, optarg);
	case OPT_SAVE:
		o->save = optarg;
		return 0;
	case OPT_JSON:
		return choose_report(o, &report_json);
	case OPT_TAP:
		return choose_report(o, &report_tap);
	case OPT_TIMEOUT:
		return read_number("--timeout", optarg, 0.001, TIMEOUT_MAX,
				   &o->timeout_s);
	case OPT_NO_CAPTURE:
		o->capture = false;
		return 0;
	case 'j':
		if (read_number("-j", optarg, 1, JOBS_MAX, &n) < 0)
			return -1;
		o->jobs = (unsigned)n;
		if (o->jobs == n)
			return 0;
		cmd_complain("run", "-j takes a whole number, not %s", optarg);
		return -1;
	case 'v':
		o->reporter.verbose = true;
		return 0;
	default:
		return -1;
	}
}

/* Load what is named, or all of the course. Returns how many, or -1. */
static long load(int argc, char **argv, struct experiment **out)
{
	struct experiment *list;
	struct course course;
	size_t count, loaded = 0;
	char err[512];
	bool good = true;

	if (course_open(&course, err, sizeof(err)) < 0 && !argc) {
		cmd_complain("run", "%s", err);
		return -1;
	}
	count = argc ? (size_t)argc : course.count;
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list || !count) {
		cmd_complain("run", "%s",
			     list ? "the course is empty" : strerror(ENOMEM));
		good = false;
	}
	for (size_t i = 0; list && i < count; i++) {
		const char *word = argc ? argv[i] : course.names[i];

		if (course_load(&course, word, &list[loaded], err,
				sizeof(err)) < 0) {
			cmd_complain(word, "%s", err);
			good = false;
		} else {
			loaded++;
		}
	}
	course_close(&course);
	*out = list;
	return list && good ? (long)loaded : -(long)loaded - 1;
}

static void free_all(struct experiment *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		experiment_free(&list[i]);
	free(list);
}

/*
 * With --save - the capture has standard output to itself; what a person reads
 * goes to standard error.
 */
static int choose_streams(struct run_options *o)
{
	if (!o->save || strcmp(o->save, "-"))
		return 0;
	if (isatty(STDOUT_FILENO)) {
		cmd_complain("run", "--save - would fill the terminal with "
				    "packets; name a file, or a pipe");
		return -1;
	}
	o->reporter.term = term_open(stderr);
	return 0;
}

static int run(const struct cmd *self, int argc, char **argv)
{
	struct run_options o = {
		.transports = { "tcp4" },
		.transport_count = 1,
		.inline_axis = { true, false },
		.capture = true,
		.isolate = true,
		.jobs = 1,
		.timeout_s = 10,
		.report = &report_text,
		.reporter = { .term = term_open(stdout) },
	};
	struct experiment *list = NULL;
	int c, status = STATUS_USAGE;
	long count;

	while ((c = getopt_long(argc, argv, ":j:v", long_options, NULL)) !=
	       -1) {
		if (c == '?' || c == ':')
			return cmd_bad_option(self, c, argv, long_options);
		if (read_option(&o, c) < 0)
			return STATUS_USAGE;
	}
	if (choose_streams(&o) < 0)
		return STATUS_USAGE;
	count = load(argc - optind, argv + optind, &list);
	if (count > 0)
		status = run_experiments(list, (size_t)count, &o);
	free_all(list, (size_t)(count < 0 ? -count - 1 : count));
	return status;
}

const struct cmd cmd_run = {
	.name = "run",
	.args = "[OPTION]... [FILE | NAME]...",
	.does = "run experiments: a timeline and a verdict for each",
	.help = "A NAME is one of 'ooblab list', or its number; with none, all "
		"of the course\nruns. FILE - is standard input.\n\n"
		"  --transport LIST    tcp4, tcp6, unix, mptcp; default tcp4\n"
		"  --inline[=WHICH]    with SO_OOBINLINE: on, off or both;\n"
		"                      default off, on where WHICH is left "
		"out\n"
		"  --save FILE         the captured frames as pcapng; - is "
		"standard\n"
		"                      output, and the rest goes to standard "
		"error\n"
		"  --json              one object an event, one a line\n"
		"  --tap               Test Anything Protocol\n"
		"  -j, --jobs N        N experiments at once; default 1\n"
		"  --timeout SECONDS   of one experiment; default 10\n"
		"  --no-capture        without the wire, where it cannot be "
		"had\n"
		"  -v, --verbose       also what connect{} does, each queue,\n"
		"                      and expectations that held\n\n"
		"Exit status: 0 all held, 1 one did not, 2 usage or bad "
		"input,\n"
		"77 cannot run here or all were skipped, 130 interrupted.\n\n"
		"example: ooblab run --transport tcp4,unix 1\n",
	.run = run,
};
