#include "tools/capture_request.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/view.h"

#define FLOW_BYTES 256 /* what a flow takes at most (capture/flow.h) */

enum {
	OPT_JSON = 256,
	OPT_SUMMARY,
	OPT_WHOLE_FLOWS,
	OPT_INNER,
	OPT_MAX_FLOWS,
	OPT_MAX_MEMORY,
	OPT_FLOW,
	OPT_FOLLOW,
	OPT_LADDER,
	OPT_VIEW,
	OPT_VIEWS,
	OPT_COMPARE,
	OPT_GROWING,
	OPT_BY_INTERFACE,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "summary", no_argument, NULL, OPT_SUMMARY },
	{ "whole-flows", no_argument, NULL, OPT_WHOLE_FLOWS },
	{ "inner", no_argument, NULL, OPT_INNER },
	{ "max-flows", required_argument, NULL, OPT_MAX_FLOWS },
	{ "max-memory", required_argument, NULL, OPT_MAX_MEMORY },
	{ "flow", required_argument, NULL, OPT_FLOW },
	{ "follow", required_argument, NULL, OPT_FOLLOW },
	{ "ladder", optional_argument, NULL, OPT_LADDER },
	{ "view", required_argument, NULL, OPT_VIEW },
	{ "views", no_argument, NULL, OPT_VIEWS },
	{ "compare", required_argument, NULL, OPT_COMPARE },
	{ "growing", no_argument, NULL, OPT_GROWING },
	{ "by-interface", no_argument, NULL, OPT_BY_INTERFACE },
	{ NULL, 0, NULL, 0 },
};

static int read_count(const char *option, const char *text, uint64_t most,
		      uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out &&
	    *out <= most)
		return 0;
	cmd_complain("capture", "%s takes a number from 1 to %llu, not %s",
		     option, (unsigned long long)most, text);
	return -1;
}

/* Each of these has standard output, and the second pass, to itself. */
static int take_second(struct request *r, const struct output *output)
{
	if (r->second) {
		cmd_complain("capture", "--ladder, --follow, --view and "
					"--views: one at a time");
		return -1;
	}
	r->second = output;
	return 0;
}

/* "7", "7/a" or "7/b". */
static int read_flow(struct request *r, const char *option, const char *text)
{
	char *end;

	errno = 0;
	r->context.flow = strtoull(text, &end, 10);
	r->picked = true;
	if (*text >= '0' && *text <= '9' && !errno &&
	    (!*end || !strcmp(end, "/a") || !strcmp(end, "/b"))) {
		r->context.direction = *end ? end[1] - 'a' : -1;
		return 0;
	}
	cmd_complain("capture", "%s takes N, N/a or N/b, not %s", option, text);
	return -1;
}

static int read_ladder(struct request *r, const char *kind)
{
	if (take_second(r, &output_ladder) < 0)
		return -1;
	r->context.mermaid = kind && !strcmp(kind, "mermaid");
	if (!kind || r->context.mermaid || !strcmp(kind, "text"))
		return 0;
	cmd_complain("capture", "--ladder is text or mermaid, not %s", kind);
	return -1;
}

static int read_view(struct request *r, const char *name)
{
	const char *names[CAPTURE_VIEWS], *nearest;

	if (take_second(r, &output_view) < 0)
		return -1;
	r->context.view = name;
	if (capture_view_named(name))
		return 0;
	for (size_t i = 0; i < CAPTURE_VIEWS; i++)
		names[i] = capture_views[i]->name;
	nearest = cmd_nearest(name, names, CAPTURE_VIEWS);
	cmd_complain("capture",
		     "no view is called %s%s%s; --views compares them all",
		     name, nearest ? ", did you mean " : "",
		     nearest ? nearest : "");
	return -1;
}

/* A number, given in units of `unit`. */
static int read_size(const char *option, uint64_t most, uint64_t unit,
		     uint32_t *out)
{
	uint64_t n;

	if (read_count(option, optarg, most, &n) < 0)
		return -1;
	*out = (uint32_t)(n * unit);
	return 0;
}

/* What is on or off. */
static int read_switch(struct request *r, int option)
{
	switch (option) {
	case 'n': /* as everywhere: names are never looked up */
		return 0;
	case OPT_JSON:
		r->json = true;
		return 0;
	case OPT_SUMMARY:
		r->summary = true;
		return 0;
	case OPT_WHOLE_FLOWS:
		r->whole_flows = true;
		return 0;
	case OPT_INNER:
		r->analysis.inner = true;
		return 0;
	case OPT_BY_INTERFACE:
		r->analysis.apart_by_interface = true;
		return 0;
	case OPT_GROWING:
		r->input.growing = true;
		return 0;
	default:
		return -1;
	}
}

static int read_option(struct request *r, int option)
{
	uint64_t n;

	switch (option) {
	case 'i':
		r->input.device = optarg;
		return 0;
	case 'r':
		r->input.file = optarg;
		return 0;
	case 'w':
		r->context.write_path = optarg;
		return 0;
	case 'c':
		return read_count("-c", optarg, UINT64_MAX,
				  &r->input.max_packets);
	case 's':
		return read_size("-s", 262144, 1, &r->input.snaplen);
	case 'B':
		return read_size("-B", 1u << 20, 1024, &r->input.buffer_bytes);
	case OPT_MAX_FLOWS:
		return read_size("--max-flows", 1u << 30, 1,
				 &r->analysis.max_flows);
	case OPT_MAX_MEMORY:
		if (read_count("--max-memory", optarg, UINT64_C(1) << 38, &n) <
		    0)
			return -1;
		r->max_memory_bytes = n;
		r->analysis.max_flows =
			n < FLOW_BYTES ? 1 : (uint32_t)(n / FLOW_BYTES);
		return 0;
	case OPT_FLOW:
		return read_flow(r, "--flow", optarg);
	case OPT_FOLLOW:
		if (take_second(r, &output_follow) < 0)
			return -1;
		return read_flow(r, "--follow", optarg);
	case OPT_LADDER:
		return read_ladder(r, optarg);
	case OPT_VIEW:
		return read_view(r, optarg);
	case OPT_VIEWS:
		return take_second(r, &output_views);
	case OPT_COMPARE:
		r->compare[0] = optarg;
		return 0;
	default:
		return read_switch(r, option);
	}
}

/* What does not go together, before anything is opened. */
static int check(struct request *r)
{
	const char *path = r->context.write_path;

	if (!r->input.device == !r->input.file)
		return cmd_complain("capture", "one of -i and -r is needed"),
		       -1;
	if (r->whole_flows && !path)
		return cmd_complain("capture", "--whole-flows needs -w"), -1;
	if (r->whole_flows && r->second)
		return cmd_complain(
			       "capture",
			       "--whole-flows goes with no view, ladder or "
			       "--follow"),
		       -1;
	if (r->whole_flows)
		r->second = &output_write_whole;
	r->write = path && !r->whole_flows;
	if (r->picked && !r->second)
		return cmd_complain("capture",
				    "--flow needs --ladder, --view or --views"),
		       -1;
	if (path && !strcmp(path, "-") && isatty(STDOUT_FILENO))
		return cmd_complain("capture",
				    "-w - would fill the terminal with "
				    "packets; name a file, or a pipe"),
		       -1;
	/* A diagram, or packets to a pipe, are all there is to print. */
	if ((r->second && !r->whole_flows) || (path && !strcmp(path, "-"))) {
		r->context.json = r->json && r->second == &output_views;
		if ((r->json && !r->context.json) || r->summary)
			return cmd_complain(
				       "capture",
				       "ladders, views, --follow and -w - have "
				       "standard output to themselves"),
			       -1;
		return 0;
	}
	r->first = r->json ? (r->summary ? &output_json_summary : &output_json)
			   : (r->summary ? &output_summary : &output_lines);
	return 0;
}

/* The rest of the words are one filter, as tcpdump takes them. */
static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *text;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = calloc(1, size);
	for (int i = 0; text && i < argc; i++) {
		strcat(text, i ? " " : "");
		strcat(text, argv[i]);
	}
	return text;
}

int request_read(struct request *r, const struct cmd *self, int argc,
		 char **argv)
{
	int c;

	*r = (struct request){ .input = { .fd = -1 },
			       .context = { .term = term_open(stdout),
					    .direction = -1 } };
	while ((c = getopt_long(argc, argv, ":i:r:w:nc:s:B:", long_options,
				NULL)) != -1) {
		if (c == '?' || c == ':')
			return cmd_bad_option(self, c, argv, long_options);
		if (read_option(r, c) < 0)
			return STATUS_USAGE;
	}
	if (r->compare[0] && optind == argc) {
		cmd_complain("capture", "--compare needs two files");
		return STATUS_USAGE;
	}
	if (r->compare[0])
		r->compare[1] = argv[optind++];
	else if (check(r) < 0)
		return STATUS_USAGE;
	if (optind < argc)
		r->input.filter = join(argc - optind, argv + optind);
	return 0;
}

void request_free(struct request *r)
{
	free((char *)r->input.filter);
}
