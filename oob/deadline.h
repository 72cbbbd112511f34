/*
 * Deadlines: points of CLOCK_MONOTONIC, in nanoseconds, by which a call
 * returns. A deadline, unlike a time-out, survives being interrupted: a wait
 * cut short by a signal goes on to the same point.
 *
 * A deadline that has passed (0 is always one) means "do what can be done
 * now and do not wait".
 */
#ifndef OOB_DEADLINE_H
#define OOB_DEADLINE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define OOB_NO_DEADLINE INT64_MAX

/* The present point of CLOCK_MONOTONIC, in nanoseconds. See clock_gettime(2).
 */
int64_t oob_now_ns(void);

/*
 * The deadline `timeout_ns` nanoseconds from now: the present for 0 or less,
 * OOB_NO_DEADLINE where the sum would not fit.
 */
int64_t oob_deadline_in(int64_t timeout_ns);

/* Whether the deadline is behind us; OOB_NO_DEADLINE never is. */
bool oob_has_passed(int64_t deadline_ns);

/*
 * The time left until the deadline, for pselect(2), ppoll(2), sigtimedwait(2)
 * and their like: `ts`, filled and never negative, or NULL for no deadline,
 * which those calls take as such.
 */
const struct timespec *oob_time_left(int64_t deadline_ns, struct timespec *ts);

/*
 * Wait until `fd` shows one of `events` (poll(2): POLLIN, POLLPRI, POLLOUT …),
 * or POLLERR or POLLHUP, which need no asking. Signal handlers run and the
 * wait goes on.
 *
 * Returns what was shown (more than 0), -ETIMEDOUT at the deadline, -EBADF
 * when `fd` is not open, or another -errno of poll(2).
 */
int oob_wait(int fd, short events, int64_t deadline_ns);

#endif
