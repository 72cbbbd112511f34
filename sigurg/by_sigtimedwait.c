#include "sigurg/detector.h"

#include "oob/deadline.h"
#include "sigurg/claim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

struct sigurg_watch {
	struct sigurg_claim claim;
};

static void disarm(struct sigurg_watch *w)
{
	if (!w)
		return;
	sigurg_claim_end(&w->claim);
	free(w);
}

static int arm(struct sigurg_watch **out, int fd)
{
	struct sigurg_watch *w;
	int ret;

	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	ret = sigurg_claim_begin(&w->claim, fd, true);
	if (ret < 0) {
		free(w);
		return ret;
	}
	*out = w;
	return 0;
}

static int wait_by_sigtimedwait(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct timespec ts;
	sigset_t set;
	int n;

	(void)w;
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	do
		n = sigtimedwait(&set, NULL, oob_time_left(deadline_ns, &ts));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 1;
}

const struct sigurg_detector sigurg_by_sigtimedwait = {
	.name = "sigtimedwait",
	.calls = "sigtimedwait(2) SIGURG",
	.by_signal = true,
	.arm = arm,
	.wait = wait_by_sigtimedwait,
	.disarm = disarm,
};
