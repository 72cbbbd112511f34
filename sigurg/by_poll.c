#include "sigurg/detector.h"

#include "oob/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct sigurg_watch {
	int fd;
};

static void disarm(struct sigurg_watch *w)
{
	free(w);
}

static int arm(struct sigurg_watch **out, int fd)
{
	struct sigurg_watch *w;

	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fd = fd;
	*out = w;
	return 0;
}

static int wait_by_poll(struct sigurg_watch *w, int64_t deadline_ns)
{
	int revents = oob_wait(w->fd, POLLPRI | POLLRDHUP, deadline_ns);

	if (revents < 0)
		return revents;
	return revents & POLLPRI ? 1 : 0;
}

const struct sigurg_detector sigurg_by_poll = {
	.name = "poll",
	.calls = "poll(2) POLLPRI",
	.while_unread = true,
	.tells_of_end = true,
	.arm = arm,
	.wait = wait_by_poll,
	.disarm = disarm,
};
