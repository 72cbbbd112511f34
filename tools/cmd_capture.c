/* ooblab capture: all that is urgent in live or stored packets. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/capture_pass.h"
#include "tools/cmd.h"
#include "tools/confine.h"

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
	OPT_GROWING,
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
	{ "growing", no_argument, NULL, OPT_GROWING },
	{ NULL, 0, NULL, 0 },
};

struct request {
	struct input_options input;
	struct output_context context;
	const struct output *first;  /* made in one pass over the packets */
	const struct output *second; /* needs a survey first; NULL none */
	bool json, summary;
	bool write; /* -w without --whole-flows, beside `first` */
	bool whole_flows;
	bool picked;
	struct capture_analysis_options analysis;
};

/* The flow that a ladder or a view is of: the one given, or the only one. */
static int pick_flow(const struct request *r, const struct survey *survey,
		     const struct pass *first, struct output_context *context)
{
	uint64_t flows = first->totals.counts.flows.flows;

	if (r->picked && context->flow < flows)
		return 0;
	if (r->picked) {
		cmd_complain("capture", "there is no flow %llu: there are %llu",
			     (unsigned long long)context->flow,
			     (unsigned long long)flows);
		return STATUS_USAGE;
	}
	if (survey->urgent_flows > 1 || (!survey->urgent_flows && flows > 1)) {
		cmd_complain("capture",
			     "%llu flows could be meant: pick one with "
			     "--flow N, such as --flow %llu",
			     (unsigned long long)(survey->urgent_flows
							  ? survey->urgent_flows
							  : flows),
			     (unsigned long long)survey->first_flow);
		return STATUS_USAGE;
	}
	context->flow = survey->urgent_flows ? survey->first_flow : 0;
	if (survey->first_directions && survey->first_directions < 3)
		context->direction = survey->first_directions - 1;
	return 0;
}

/* The packets once more: of the file, or of what was kept of a stream. */
static int open_again(const struct request *r, struct spool *spool,
		      struct input **out, char err[CAPTURE_ERR_MAX])
{
	struct input_options options = r->input;

	options.growing = false;
	options.max_packets = 0;
	if (spool) {
		options.device = NULL;
		options.filter = NULL;
		options.fd = spool_rewind(spool);
		if (options.fd < 0) {
			snprintf(err, CAPTURE_ERR_MAX, "temporary file: %s",
				 strerror(-options.fd));
			return options.fd;
		}
	}
	return input_open(out, &options, err);
}

static int second_pass(const struct request *r, struct pass *first,
		       struct output_context *context)
{
	struct pass pass = { .count = 0 };
	struct input *input;
	char err[CAPTURE_ERR_MAX];
	int status;

	if (first->survey->no_memory) {
		cmd_complain("capture", "not enough memory");
		return STATUS_CANNOT;
	}
	if (r->second == &output_write_whole)
		status = 0;
	else
		status = pick_flow(r, first->survey, first, context);
	if (status)
		return status;
	if (open_again(r, first->spool, &input, err) < 0) {
		cmd_complain("capture", "%s", err);
		return STATUS_USAGE;
	}
	context->survey = first->survey;
	status = pass_add(&pass, r->second, context);
	if (!status) {
		pass_run(&pass, &r->analysis, input, context);
		status = pass_end(&pass);
	}
	input_close(input);
	return status;
}

static void on_signal(int sig)
{
	(void)sig;
	input_stop();
}

/* No SA_RESTART: a read that waits for a pipe must end. */
static void catch_signals(bool live)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	/* A live input lets them in while it waits, and only then. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (live)
		sigprocmask(SIG_BLOCK, &set, NULL);
}

static int begin_first(struct pass *pass, const struct request *r,
		       const struct output_context *context)
{
	int status = 0;

	if (r->first)
		status = pass_add(pass, r->first, context);
	if (!status && r->write)
		status = pass_add(pass, &output_write, context);
	return status;
}

static int confine_live(void)
{
	const char *step;
	int ret = confine(&step);

	if (ret == 0)
		return 0;
	cmd_complain("capture", "cannot %s: %s", step, strerror(-ret));
	return STATUS_CANNOT;
}

static int status_of(const struct request *r, const struct pass *pass, int ret,
		     int status)
{
	if (ret < 0)
		cmd_complain("capture", "%s: %s",
			     r->input.device ? r->input.device : r->input.file,
			     pass->why);
	if (status)
		return status;
	if (ret < 0)
		return STATUS_USAGE;
	return pass->totals.counts.findings ? STATUS_NOT : STATUS_HELD;
}

/* A stream passes once: a second pass is over what was kept of it. */
static bool needs_spool(const struct request *r)
{
	struct stat st;

	if (!r->second)
		return false;
	if (r->input.device || !strcmp(r->input.file, "-"))
		return true;
	return stat(r->input.file, &st) == 0 && !S_ISREG(st.st_mode);
}

static int capture(struct request *r, struct input *input)
{
	struct survey survey = { .words = 0 };
	struct pass pass = { .count = 0 };
	int ret = 0, status = 0;

	r->context.input = input;
	r->context.live = r->input.device != NULL;
	if (r->second)
		pass.survey = &survey;
	if (needs_spool(r) && spool_open(&pass.spool) < 0) {
		cmd_complain("capture", "temporary file: %s", strerror(errno));
		return STATUS_CANNOT;
	}
	status = begin_first(&pass, r, &r->context);
	if (!status && r->input.device)
		status = confine_live();
	if (!status) {
		ret = pass_run(&pass, &r->analysis, input, &r->context);
		status = pass_end(&pass);
	}
	if (!status && r->second)
		status = second_pass(r, &pass, &r->context);
	spool_close(pass.spool);
	free(survey.urgent);
	return status_of(r, &pass, ret, status);
}

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
	r->second = &output_ladder;
	r->context.mermaid = kind && !strcmp(kind, "mermaid");
	if (!kind || r->context.mermaid || !strcmp(kind, "text"))
		return 0;
	cmd_complain("capture", "--ladder is text or mermaid, not %s", kind);
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
	case 'n': /* as everywhere: names are never looked up */
		return 0;
	case 'c':
		return read_count("-c", optarg, UINT64_MAX,
				  &r->input.max_packets);
	case 's':
		return read_size("-s", 262144, 1, &r->input.snaplen);
	case 'B':
		return read_size("-B", 1u << 20, 1024, &r->input.buffer_bytes);
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
	case OPT_MAX_FLOWS:
		return read_size("--max-flows", 1u << 30, 1,
				 &r->analysis.max_flows);
	case OPT_MAX_MEMORY:
		if (read_count("--max-memory", optarg, UINT64_C(1) << 38, &n) <
		    0)
			return -1;
		r->analysis.max_flows =
			n < FLOW_BYTES ? 1 : (uint32_t)(n / FLOW_BYTES);
		return 0;
	case OPT_FLOW:
		return read_flow(r, "--flow", optarg);
	case OPT_FOLLOW:
		r->second = &output_follow;
		return read_flow(r, "--follow", optarg);
	case OPT_LADDER:
		return read_ladder(r, optarg);
	case OPT_GROWING:
		r->input.growing = true;
		return 0;
	default:
		return -1;
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
		return cmd_complain("capture",
				    "--whole-flows, --ladder and --follow: one "
				    "at a time"),
		       -1;
	if (r->whole_flows)
		r->second = &output_write_whole;
	r->write = path && !r->whole_flows;
	if (r->picked && !r->second)
		return cmd_complain("capture", "--flow needs --ladder"), -1;
	if (path && !strcmp(path, "-") && isatty(STDOUT_FILENO))
		return cmd_complain("capture",
				    "-w - would fill the terminal with "
				    "packets; name a file, or a pipe"),
		       -1;
	/* A diagram, or packets to a pipe, are all there is to print. */
	if ((r->second && !r->whole_flows) || (path && !strcmp(path, "-"))) {
		if (r->json || r->summary)
			return cmd_complain("capture",
					    "--ladder, --follow and -w - have "
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

static int run(const struct cmd *self, int argc, char **argv)
{
	struct request r = {
		.input = { .fd = -1 },
		.context = { .term = term_open(stdout), .direction = -1 },
	};
	char err[CAPTURE_ERR_MAX], *filter;
	struct input *input;
	int c, status;

	while ((c = getopt_long(argc, argv, ":i:r:w:nc:s:B:", long_options,
				NULL)) != -1) {
		if (c == '?' || c == ':')
			return cmd_bad_option(self, c, argv, long_options);
		if (read_option(&r, c) < 0)
			return STATUS_USAGE;
	}
	if (check(&r) < 0)
		return STATUS_USAGE;
	filter = join(argc - optind, argv + optind);
	r.input.filter = filter && *filter ? filter : NULL;
	catch_signals(r.input.device != NULL);
	status = input_open(&input, &r.input, err);
	if (status == -EPERM) {
		cmd_complain("capture", "%s; run it with sudo", err);
		status = STATUS_CANNOT;
	} else if (status < 0) {
		cmd_complain("capture", "%s", err);
		status = STATUS_USAGE;
	} else {
		status = capture(&r, input);
		input_close(input);
	}
	free(filter);
	return status;
}

const struct cmd cmd_capture = {
	.name = "capture",
	.args = "(-i INTERFACE | -r FILE) [OPTION]... [FILTER]",
	.does = "show what is urgent in live or stored packets",
	.help = "FILE is pcap or pcapng, plain or packed by gzip or zstd; - is "
		"standard input.\nFILTER is libpcap's filter language.\n\n"
		"  -i INTERFACE        live, until SIGINT; \"any\" is all\n"
		"  -r FILE             stored packets\n"
		"  -w FILE             the urgent packets as pcapng with "
		"comments\n"
		"  --whole-flows       all packets of flows that had any\n"
		"  -c COUNT            end after COUNT packets\n"
		"  -n                  no names (none are ever looked up)\n"
		"  -s SNAPLEN          bytes kept of a live packet; 262144\n"
		"  -B KIB              the kernel's ring, in KiB; 16384\n"
		"  --growing           at the end of FILE, wait for more\n"
		"  --json              an object a line, last a summary\n"
		"  --summary           the summary alone, as a line or an "
		"object\n"
		"  --ladder[=mermaid]  one flow as a sequence diagram\n"
		"  --follow N[/a|/b]   what one flow said, urgent bytes in "
		"brackets\n"
		"  --flow N[/a|/b]     the flow, and its direction\n"
		"  --inner             look into tunnels as well\n"
		"  --max-flows N       flows known at once; 1048576\n"
		"  --max-memory BYTES  the same, at 256 bytes a flow\n\n"
		"Exit status: 0 no findings, 1 findings, 2 usage or a file "
		"that is broken or\ncut, 77 no permission to capture.\n\n"
		"example: ooblab capture -r x.pcapng\n",
	.run = run,
};
