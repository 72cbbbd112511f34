#include "tools/capture_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/capture_compare.h"
#include "tools/capture_pass.h"
#include "tools/confine.h"

/* A capture under way: one pass over the packets, or two. */
struct work {
	struct request *request;
	const char *subject; /* of complaints: what is read */
	struct input *input;
	struct pass first, second;
	struct survey survey;
	struct spool *spool;
};

/* --- signals ---------------------------------------------------------- */

static void on_signal(int sig)
{
	(void)sig;
	input_stop();
}

/* Whatever else is under way ends by itself: only the wait for a first writer
 * of a named pipe must be interrupted. */
static void catch_signals(int flags)
{
	const struct sigaction sa = { .sa_handler = on_signal,
				      .sa_flags = flags };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* --- the second pass -------------------------------------------------- */

static int no_such_flow(const struct work *w, uint64_t flows)
{
	cmd_complain(w->subject, "there is no flow %llu: there %s %llu",
		     (unsigned long long)w->request->context.flow,
		     flows == 1 ? "is" : "are", (unsigned long long)flows);
	return STATUS_USAGE;
}

/* The flow that a ladder or a view is of: the one given, or the only one. */
static int pick_flow(const struct work *w)
{
	uint64_t flows = w->first.totals.counts.flows.flows;
	struct output_context *context = &w->request->context;
	const struct survey *survey = &w->survey;

	if (w->request->picked)
		return context->flow < flows ? 0 : no_such_flow(w, flows);
	if (survey->urgent_flows > 1 || (!survey->urgent_flows && flows > 1)) {
		cmd_complain(w->subject,
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

/* The packets of the first pass once more: of the file, or of what was kept
 * of a stream. */
static int open_again(const struct work *w, struct input **out,
		      char err[CAPTURE_ERR_MAX])
{
	struct input_options options = w->request->input;

	options.growing = false;
	options.max_packets = w->first.totals.counts.packets;
	if (w->spool) {
		options.device = NULL;
		options.filter = NULL;
		options.fd = spool_rewind(w->spool);
		if (options.fd < 0) {
			snprintf(err, CAPTURE_ERR_MAX, "temporary file: %s",
				 strerror(-options.fd));
			return options.fd;
		}
	}
	input_go_on();
	return input_open(out, &options, err);
}

static int second_pass(struct work *w)
{
	struct output_context *context = &w->request->context;
	struct input *input;
	char err[CAPTURE_ERR_MAX];
	int status = 0;

	if (w->survey.no_memory) {
		cmd_complain(w->subject, "not enough memory");
		return STATUS_CANNOT;
	}
	if (w->request->second != &output_write_whole)
		status = pick_flow(w);
	if (status || !w->first.totals.counts.packets)
		return status;
	if (open_again(w, &input, err) < 0) {
		cmd_complain(w->subject, "%s", err);
		return STATUS_USAGE;
	}
	context->input = input;
	pass_run(&w->second, &w->request->analysis, input, context);
	input_close(input);
	return 0;
}

/* --- the first -------------------------------------------------------- */

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

static int confine_live(const struct work *w)
{
	const char *step;
	int ret;

	/* A terminal that stays empty looks like one that hangs. */
	if (isatty(STDERR_FILENO))
		cmd_complain(w->subject, "listening; Ctrl-C ends it");
	ret = confine(&step);
	if (ret == 0)
		return 0;
	cmd_complain(w->subject, "cannot %s: %s", step, strerror(-ret));
	return STATUS_CANNOT;
}

/* All that needs files, or a privilege, before the first packet. */
static int begin(struct work *w)
{
	const struct request *r = w->request;
	int status = 0, ret = 0;

	if (needs_spool(r))
		ret = spool_open(&w->spool, w->input);
	if (ret < 0) {
		cmd_complain("temporary file", "%s", strerror(-ret));
		return STATUS_CANNOT;
	}
	w->first.spool = w->spool;
	if (r->second) {
		w->first.survey = &w->survey;
		status = pass_add(&w->second, r->second, &r->context);
	}
	if (!status && r->first)
		status = pass_add(&w->first, r->first, &r->context);
	if (!status && r->write)
		status = pass_add(&w->first, &output_write, &r->context);
	if (!status && r->input.device)
		status = confine_live(w);
	return status;
}

static int status_of(const struct work *w, int ret)
{
	const struct request *r = w->request;

	if (ret < 0)
		cmd_complain(w->subject, "%s", w->first.why);
	if (ret == -EINTR)
		return STATUS_INTERRUPTED;
	if (ret < 0)
		return STATUS_USAGE;
	/* What a flow said is no verdict on it. */
	if (r->second && !r->whole_flows)
		return STATUS_HELD;
	return w->first.totals.counts.findings ? STATUS_NOT : STATUS_HELD;
}

static int passes(struct work *w)
{
	struct request *r = w->request;
	int status, ret;

	r->context.input = w->input;
	r->context.survey = &w->survey;
	status = begin(w);
	if (status) {
		pass_abandon(&w->first);
		pass_abandon(&w->second);
		return status;
	}
	ret = pass_run(&w->first, &r->analysis, w->input, &r->context);
	status = pass_end(&w->first);
	if (!status && r->second)
		status = second_pass(w);
	if (status)
		pass_abandon(&w->second);
	else
		status = pass_end(&w->second);
	return status ? status : status_of(w, ret);
}

static int cannot_open(const struct work *w, int error, const char *why)
{
	cmd_complain(w->subject, "%s%s", why,
		     error == -EPERM ? "; run it with sudo" : "");
	if (error == -EPERM)
		return STATUS_CANNOT;
	return input_stopped() ? STATUS_INTERRUPTED : STATUS_USAGE;
}

static int open_and_pass(struct request *r)
{
	struct work w = {
		.request = r,
		.subject = r->input.device ? r->input.device : r->input.file,
	};
	char err[CAPTURE_ERR_MAX];
	int ret, status;

	catch_signals(0);
	ret = input_open(&w.input, &r->input, err);
	if (ret < 0)
		return cannot_open(&w, ret, err);
	catch_signals(SA_RESTART);
	status = passes(&w);
	spool_close(w.spool);
	free(w.survey.urgent);
	input_close(w.input);
	return status;
}

static int compare(const struct request *r)
{
	struct compare_options options = {
		.json = r->json,
		.inner = r->analysis.inner,
		.filter = r->input.filter,
		.max_memory_bytes = r->max_memory_bytes,
		/* a memory that was given is for segments before all */
		.max_flows = r->max_memory_bytes ? 0 : r->analysis.max_flows,
		.term = r->context.term,
	};

	catch_signals(0);
	return compare_captures(r->compare[0], r->compare[1], &options);
}

int capture_run(struct request *r)
{
	return r->compare[0] ? compare(r) : open_and_pass(r);
}
