#include "sigurg/detector.h"

#include "oob/deadline.h"
#include "sigurg/claim.h"
#include "sigurg/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct sigurg_watch {
	struct sigurg_claim claim;
	int sigfd;
};

static void disarm(struct sigurg_watch *w)
{
	if (!w)
		return;
	close(w->sigfd);
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
	w->sigfd = sigurg_fd_open(SIGURG);
	if (w->sigfd < 0) {
		ret = w->sigfd;
		goto fail;
	}
	ret = sigurg_claim_begin(&w->claim, fd, true);
	if (ret < 0) {
		close(w->sigfd);
		goto fail;
	}
	*out = w;
	return 0;
fail:
	free(w);
	return ret;
}

static int wait_by_signalfd(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct sigurg_record rec;
	int ret;

	for (;;) {
		ret = sigurg_fd_next(w->sigfd, CLOCK_MONOTONIC, &rec);
		if (ret != -EAGAIN)
			return ret;
		ret = oob_wait(w->sigfd, POLLIN, deadline_ns);
		if (ret < 0)
			return ret;
	}
}

const struct sigurg_detector sigurg_by_signalfd = {
	.name = "signalfd",
	.calls = "signalfd(2) SIGURG",
	.by_signal = true,
	.arm = arm,
	.wait = wait_by_signalfd,
	.disarm = disarm,
};
