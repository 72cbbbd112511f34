#include "sigurg/detector.h"

#include "sigurg/claim.h"
#include "sigurg/recorder.h"

#include <errno.h>
#include <stdlib.h>

/* More than can be unread: signals merge while one is pending. */
#define SLOTS 16

struct sigurg_watch {
	struct sigurg_claim claim;
	struct sigurg_recorder recorder;
	struct sigurg_slot slots[SLOTS];
};

static void disarm(struct sigurg_watch *w)
{
	if (!w)
		return;
	sigurg_claim_end(&w->claim);
	sigurg_recorder_stop(&w->recorder);
	free(w);
}

static int arm(struct sigurg_watch **out, int fd)
{
	struct sigurg_watch *w;
	int ret;

	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	ret = sigurg_recorder_start(&w->recorder, SIGURG, SA_RESTART,
				    CLOCK_MONOTONIC, w->slots, SLOTS);
	if (ret < 0)
		goto fail;
	ret = sigurg_claim_begin(&w->claim, fd, false);
	if (ret < 0) {
		sigurg_recorder_stop(&w->recorder);
		goto fail;
	}
	*out = w;
	return 0;
fail:
	free(w);
	return ret;
}

static int wait_by_handler(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct sigurg_record rec;
	int ret;

	ret = sigurg_recorder_wait(&w->recorder, deadline_ns);
	if (ret == 1)
		sigurg_recorder_next(&w->recorder, &rec);
	return ret;
}

const struct sigurg_detector sigurg_by_handler = {
	.name = "handler",
	.calls = "sigaction(2) SIGURG",
	.by_signal = true,
	.arm = arm,
	.wait = wait_by_handler,
	.disarm = disarm,
};
