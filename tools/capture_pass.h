/* One pass of an input's packets through the analysis, to some outputs. */
#ifndef TOOLS_CAPTURE_PASS_H
#define TOOLS_CAPTURE_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/capture_output.h"
#include "tools/capture_spool.h"

#define PASS_OUTPUTS 3

/* One output at work. */
struct slot {
	const struct output *output;
	void *state;
};

struct pass {
	struct slot slots[PASS_OUTPUTS];
	size_t count;
	struct survey *survey; /* to be made; NULL: not in this pass */
	struct spool *spool;   /* to keep packets in for a second one */
	struct output_totals totals;
	char why[CAPTURE_ERR_MAX];
};

/* Begin one more output. Returns 0, or an exit status after complaining. */
int pass_add(struct pass *pass, const struct output *output,
	     const struct output_context *context);

/*
 * Feed all packets through. `options` are those of the analysis but for the
 * listener, which is the pass's own. Returns 0, or -errno with why the packets
 * ended early in pass->why; the totals hold either way.
 */
int pass_run(struct pass *pass, const struct capture_analysis_options *options,
	     struct input *input, struct output_context *context);

/* End every output, whatever another one says. Returns the first status. */
int pass_end(struct pass *pass);

/* End them without a word: there was no pass. */
void pass_abandon(struct pass *pass);

#endif
