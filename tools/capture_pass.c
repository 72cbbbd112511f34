#include "tools/capture_pass.h"

#include <errno.h>
#include <stdio.h>

#define BATCH 256 /* packets taken from a file at once */

#define EACH(pass, function, ...)                                              \
	do {                                                                   \
		for (size_t i_ = 0; i_ < (pass)->count; i_++) {                \
			const struct slot *s_ = &(pass)->slots[i_];            \
			if (s_->output->listener.function)                     \
				s_->output->listener.function(s_->state,       \
							      __VA_ARGS__);    \
		}                                                              \
	} while (0)

static void each_segment(void *context, const struct capture_sighting *seen)
{
	struct pass *pass = context;

	if (pass->spool)
		spool_packet(pass->spool, seen->packet);
	EACH(pass, segment, seen);
}

static void each_urgent(void *context, const struct capture_sighting *seen)
{
	struct pass *pass = context;

	if (pass->survey)
		output_survey.urgent(pass->survey, seen);
	EACH(pass, urgent, seen);
}

static void each_episode(void *context, const struct capture_episode *episode)
{
	struct pass *pass = context;

	EACH(pass, episode, episode);
}

static void each_finding(void *context, const struct capture_sighting *seen,
			 const struct capture_finding_kind *kind)
{
	struct pass *pass = context;

	EACH(pass, finding, seen, kind);
}

/* Only what some output of the pass asks for is asked of the analysis. */
static struct capture_listener listener_of(struct pass *pass)
{
	struct capture_listener all = { .context = pass };

	for (size_t i = 0; i < pass->count; i++) {
		const struct capture_listener *l =
			&pass->slots[i].output->listener;

		all.segment = l->segment ? each_segment : all.segment;
		all.urgent = l->urgent ? each_urgent : all.urgent;
		all.episode = l->episode ? each_episode : all.episode;
		all.finding = l->finding ? each_finding : all.finding;
	}
	if (pass->spool)
		all.segment = each_segment;
	if (pass->survey)
		all.urgent = each_urgent;
	/* Alone, an output needs nobody between. */
	if (pass->count == 1 && !pass->spool && !pass->survey) {
		all = pass->slots[0].output->listener;
		all.context = pass->slots[0].state;
	}
	return all;
}

int pass_add(struct pass *pass, const struct output *output,
	     const struct output_context *context)
{
	struct slot slot = { .output = output };
	int status = 0;

	if (output->begin)
		status = output->begin(&slot.state, context);
	if (!status)
		pass->slots[pass->count++] = slot;
	return status;
}

static int end_outputs(struct pass *pass, const struct output_totals *totals)
{
	int status = 0;

	for (size_t i = 0; i < pass->count; i++) {
		int s = pass->slots[i].output->end(pass->slots[i].state,
						   totals);

		status = status ? status : s;
	}
	pass->count = 0;
	return status;
}

int pass_end(struct pass *pass)
{
	return end_outputs(pass, &pass->totals);
}

void pass_abandon(struct pass *pass)
{
	end_outputs(pass, NULL);
}

static void flush_outputs(void *context)
{
	struct pass *pass = context;

	for (size_t i = 0; i < pass->count; i++) {
		if (pass->slots[i].output->flush)
			pass->slots[i].output->flush(pass->slots[i].state);
	}
}

/* Feed the packets through. Returns 0, or what ended them early. */
static int feed(struct capture_analysis *analysis, struct input *input,
		struct output_context *context, char err[CAPTURE_ERR_MAX])
{
	struct capture_packet packets[BATCH];
	int n;

	while ((n = input_next(input, packets, BATCH, err)) > 0) {
		if (!context->first_ns)
			context->first_ns = packets[0].time_ns;
		if (capture_analysis_packets(analysis, packets, (size_t)n) <
		    0) {
			snprintf(err, CAPTURE_ERR_MAX, "not enough memory");
			return -ENOMEM;
		}
	}
	return n;
}

int pass_run(struct pass *pass, const struct capture_analysis_options *options,
	     struct input *input, struct output_context *context)
{
	struct capture_analysis_options own = *options;
	struct capture_analysis *analysis;
	int ret;

	own.listener = listener_of(pass);
	ret = capture_analysis_new(&analysis, &own);

	if (ret < 0) {
		snprintf(pass->why, sizeof(pass->why), "not enough memory");
		return ret;
	}
	input_on_idle(input, flush_outputs, pass);
	ret = feed(analysis, input, context, pass->why);
	if (ret < 0)
		pass->totals.truncated = pass->why;
	capture_analysis_finish(analysis);
	capture_analysis_counts(analysis, &pass->totals.counts);
	pass->totals.drops = input_drops(input);
	capture_analysis_free(analysis);
	return ret;
}
