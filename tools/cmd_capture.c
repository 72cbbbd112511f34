/* ooblab capture: all that is urgent in live or stored packets. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/capture_compare.h"
#include "tools/capture_pass.h"
#include "tools/capture_request.h"
#include "tools/confine.h"

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
	/* What a flow said is no verdict on it. */
	if (r->second && !r->whole_flows)
		return STATUS_HELD;
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
	if (!status && r->input.device) {
		/* A terminal that stays empty looks like one that hangs. */
		if (isatty(STDERR_FILENO))
			cmd_complain(r->input.device,
				     "listening; Ctrl-C ends it");
		status = confine_live();
	}
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

static int compare(const struct request *r)
{
	struct compare_options options = {
		.json = r->json,
		.inner = r->analysis.inner,
		.filter = r->input.filter,
		.max_flows = r->analysis.max_flows,
		.term = r->context.term,
	};

	catch_signals(false);
	return compare_captures(r->compare[0], r->compare[1], &options);
}

static int open_and_capture(struct request *r)
{
	char err[CAPTURE_ERR_MAX];
	struct input *input;
	int status;

	catch_signals(r->input.device != NULL);
	status = input_open(&input, &r->input, err);
	if (status == -EPERM) {
		cmd_complain("capture", "%s; run it with sudo", err);
		return STATUS_CANNOT;
	}
	if (status < 0) {
		cmd_complain("capture", "%s", err);
		return STATUS_USAGE;
	}
	status = capture(r, input);
	input_close(input);
	return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
	struct request r;
	int status = request_read(&r, self, argc, argv);

	if (!status)
		status = r.compare[0] ? compare(&r) : open_and_capture(&r);
	request_free(&r);
	return status;
}

const struct cmd cmd_capture = {
	.name = "capture",
	.args = "(-i INTERFACE | -r FILE | --compare A B) [OPTION]... [FILTER]",
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
		"  --view NAME         the bytes that kind of receiver hands "
		"on\n"
		"  --views             all kinds compared, octet by octet\n"
		"  --compare A B       two captures of the same connections\n"
		"  --inner             look into tunnels as well\n"
		"  --max-flows N       flows known at once; 1048576\n"
		"  --max-memory BYTES  the same, at 256 bytes a flow\n\n"
		"Exit status: 0 no findings, 1 findings, 2 usage or a file "
		"that is broken or\ncut, 77 no permission to capture.\n\n"
		"example: ooblab capture -r x.pcapng\n",
	.run = run,
};
