#include "deadline.h"

#include <errno.h>

#define NS_PER_S 1000000000

int64_t oob_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t oob_deadline_in(int64_t timeout_ns)
{
	int64_t now = oob_now_ns();

	if (timeout_ns <= 0)
		return now;
	if (timeout_ns > OOB_NO_DEADLINE - now)
		return OOB_NO_DEADLINE;
	return now + timeout_ns;
}

bool oob_has_passed(int64_t deadline_ns)
{
	return oob_now_ns() >= deadline_ns;
}

const struct timespec *oob_time_left(int64_t deadline_ns, struct timespec *ts)
{
	int64_t now, left = 0;

	if (deadline_ns == OOB_NO_DEADLINE)
		return NULL;
	now = oob_now_ns();
	if (deadline_ns > now)
		left = deadline_ns - now;
	ts->tv_sec = left / NS_PER_S;
	ts->tv_nsec = left % NS_PER_S;
	return ts;
}

int oob_wait(int fd, short events, int64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec ts;
	int n;

	/* poll(2) ignores a negative descriptor and would wait for nothing. */
	if (fd < 0)
		return -EBADF;
	do
		n = ppoll(&p, 1, oob_time_left(deadline_ns, &ts), NULL);
	while (n < 0 && errno == EINTR && !oob_has_passed(deadline_ns));
	/* Interrupted means that nothing was ready: at the deadline it is over,
	 * or signals that come faster than it polls would keep it here. */
	if (n == 0 || (n < 0 && errno == EINTR))
		return -ETIMEDOUT;
	if (n < 0)
		return -errno;
	return p.revents & POLLNVAL ? -EBADF : p.revents;
}
