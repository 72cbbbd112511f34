/*
 * Level and edge in one file: they differ in one flag.
 *
 * An edge is a wake-up of the socket while urgent data shows, so ordinary data
 * that arrives before the urgent byte is taken makes one too (Linux 6.18).
 */
#include "sigurg/detector.h"

#include "oob/deadline.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct sigurg_watch {
	int epfd;
};

static void disarm(struct sigurg_watch *w)
{
	if (!w)
		return;
	close(w->epfd);
	free(w);
}

static int arm_epoll(struct sigurg_watch **out, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	struct sigurg_watch *w;
	int ret;

	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epfd < 0) {
		ret = -errno;
		free(w);
		return ret;
	}
	if (epoll_ctl(w->epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		ret = -errno;
		disarm(w);
		return ret;
	}
	*out = w;
	return 0;
}

static int arm_level(struct sigurg_watch **out, int fd)
{
	return arm_epoll(out, fd, EPOLLPRI | EPOLLRDHUP);
}

static int arm_edge(struct sigurg_watch **out, int fd)
{
	return arm_epoll(out, fd, EPOLLPRI | EPOLLRDHUP | EPOLLET);
}

/* epoll_pwait2(2), of Linux 5.11, counts nanoseconds as the others here do;
 * before, the epoll descriptor itself can be polled so. */
static int wait_ns(int epfd, struct epoll_event *ev, int64_t deadline_ns)
{
	struct timespec ts;
	int n;

	do
		n = epoll_pwait2(epfd, ev, 1, oob_time_left(deadline_ns, &ts),
				 NULL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno != ENOSYS)
		return n < 0 ? -errno : n;
	n = oob_wait(epfd, POLLIN, deadline_ns);
	if (n < 0)
		return n;
	n = epoll_wait(epfd, ev, 1, 0);
	return n < 0 ? -errno : n;
}

static int wait_by_epoll(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct epoll_event ev;
	int n;

	n = wait_ns(w->epfd, &ev, deadline_ns);
	if (n < 0)
		return n;
	if (n == 0)
		return -ETIMEDOUT;
	return ev.events & EPOLLPRI ? 1 : 0;
}

const struct sigurg_detector sigurg_by_epoll = {
	.name = "epoll",
	.calls = "epoll(7) EPOLLPRI",
	.while_unread = true,
	.tells_of_end = true,
	.arm = arm_level,
	.wait = wait_by_epoll,
	.disarm = disarm,
};

const struct sigurg_detector sigurg_by_epoll_edge = {
	.name = "epoll-edge",
	.calls = "epoll(7) EPOLLPRI|EPOLLET",
	.tells_of_end = true,
	.arm = arm_edge,
	.wait = wait_by_epoll,
	.disarm = disarm,
};
