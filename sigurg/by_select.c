#include "sigurg/detector.h"

#include "oob/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

/*
 * FD_SETSIZE (1024) bounds the C library's fd_set and its macros, not the
 * kernel: a set as long as the descriptor asks for has no such end.
 */
struct sigurg_watch {
	int fd;
	size_t size; /* of the set, in bytes */
	fd_mask set[];
};

static void disarm(struct sigurg_watch *w)
{
	free(w);
}

static int arm(struct sigurg_watch **out, int fd)
{
	struct sigurg_watch *w;
	size_t size;

	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	size = ((size_t)fd / NFDBITS + 1) * sizeof(fd_mask);
	w = malloc(sizeof(*w) + size);
	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->size = size;
	*out = w;
	return 0;
}

static int wait_by_select(struct sigurg_watch *w, int64_t deadline_ns)
{
	struct timespec ts;
	int n;

	do {
		memset(w->set, 0, w->size);
		w->set[w->fd / NFDBITS] |= (fd_mask)1UL << w->fd % NFDBITS;
		n = pselect(w->fd + 1, NULL, NULL, (fd_set *)w->set,
			    oob_time_left(deadline_ns, &ts), NULL);
	} while (n < 0 && errno == EINTR && !oob_has_passed(deadline_ns));
	if (n == 0 || (n < 0 && errno == EINTR))
		return -ETIMEDOUT;
	return n < 0 ? -errno : 1;
}

/* The set of exceptions shows no end: it is a matter of the other two. */
const struct sigurg_detector sigurg_by_select = {
	.name = "select",
	.calls = "select(2) exceptfds",
	.while_unread = true,
	.arm = arm,
	.wait = wait_by_select,
	.disarm = disarm,
};
