#include "sigurg/detector.h"

#include "oob/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES 2

/*
 * POLLPRI alone, armed before the byte comes, never completes: the wake-up
 * leaves it out of its mask. POLLRDBAND, which TCP never shows, is in the mask
 * and lets the wake-up through; but then ordinary data completes the request
 * as well, and poll(2) must tell which it was. POLLRDHUP is always asked for,
 * unasked (all Linux 6.18).
 */
#define EVENTS (POLLPRI | POLLRDBAND)

struct sigurg_watch {
	struct io_uring ring;
	int fd;
	bool polling; /* a request is with the kernel */
};

static void disarm(struct sigurg_watch *w)
{
	if (!w)
		return;
	io_uring_queue_exit(&w->ring);
	free(w);
}

static int submit_poll(struct sigurg_watch *w)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);
	int n;

	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_add(sqe, w->fd, EVENTS);
	n = io_uring_submit(&w->ring);
	if (n < 0)
		return n;
	w->polling = true;
	return 0;
}

static int arm(struct sigurg_watch **out, int fd)
{
	struct sigurg_watch *w;
	int ret;

	/* A ring would take it, and tell in the first wait only. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->polling = false;
	ret = io_uring_queue_init(ENTRIES, &w->ring, 0);
	if (ret < 0) {
		free(w);
		return ret;
	}
	/* Before Linux 5.11 a wait with a time-out needs a request of its own.
	 */
	ret = w->ring.features & IORING_FEAT_EXT_ARG ? submit_poll(w) : -ENOSYS;
	if (ret < 0) {
		disarm(w);
		return ret;
	}
	*out = w;
	return 0;
}

/* Wait for the request to complete: 0, -ETIMEDOUT or -errno. */
static int await_completion(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct __kernel_timespec kts, *timeout;
	struct io_uring_cqe *cqe;
	struct timespec ts;
	int ret;

	do {
		timeout = NULL;
		if (oob_time_left(deadline_ns, &ts)) {
			kts.tv_sec = ts.tv_sec;
			kts.tv_nsec = ts.tv_nsec;
			timeout = &kts;
		}
		ret = io_uring_wait_cqe_timeout(&w->ring, &cqe, timeout);
	} while (ret == -EINTR && !oob_has_passed(deadline_ns));
	if (ret < 0)
		return ret == -ETIME || ret == -EINTR ? -ETIMEDOUT : ret;
	ret = cqe->res < 0 ? cqe->res : 0;
	io_uring_cqe_seen(&w->ring, cqe);
	w->polling = false;
	return ret;
}

static int wait_by_io_uring(struct sigurg_watch *w, int64_t deadline_ns)
{
	int ret;

	for (;;) {
		ret = w->polling ? 0 : submit_poll(w);
		if (ret == 0)
			ret = await_completion(w, deadline_ns);
		if (ret < 0)
			return ret;
		ret = oob_wait(w->fd, POLLPRI | POLLRDHUP, 0);
		if (ret != -ETIMEDOUT)
			break;
	}
	if (ret < 0)
		return ret;
	return ret & POLLPRI ? 1 : 0;
}

const struct sigurg_detector sigurg_by_io_uring = {
	.name = "io_uring",
	.calls = "io_uring(7) IORING_OP_POLL_ADD",
	.while_unread = true,
	.tells_of_end = true,
	.arm = arm,
	.wait = wait_by_io_uring,
	.disarm = disarm,
};
