/*
 * Every way Linux has to tell a program of urgent data, behind one interface.
 *
 * Two kinds differ in what they tell of. A signal comes with the announcement,
 * once each, even while the urgent byte itself is held back (a full receive
 * window); readiness comes with the byte and lasts until it is taken. Thus
 * select(2) stays quiet on the announcement alone, where the C library's
 * manual says it wakes (Linux 6.18).
 *
 * A watch belongs to the thread that armed it: arm, wait and disarm there.
 * Watches on different threads do not disturb each other, but for "handler",
 * of which a process has one. SIGURG does not name its socket: on one thread,
 * signal watches of two sockets tell of each other's urgent data.
 */
#ifndef SIGURG_DETECTOR_H
#define SIGURG_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sigurg_watch; /* each detector's own */

struct sigurg_detector {
	const char *name;  /* as typed: "epoll-edge" */
	const char *calls; /* the interface it stands for, with its section */
	bool by_signal;	   /* tells of the announcement, not of the byte */
	bool while_unread; /* says so again while the byte is not taken */
	bool tells_of_end; /* can return 0 */

	/*
	 * Watch socket `fd`, borrowed until disarm. Returns 0 and a watch in
	 * `*out`, or -errno and nothing has changed: -ENOMEM, -EMFILE, -EBADF,
	 * -ENOSYS or -EPERM where the kernel lacks or refuses the interface,
	 * -EBUSY where SIGURG is taken (sigurg/recorder.h, sigurg/claim.h).
	 */
	int (*arm)(struct sigurg_watch **out, int fd);

	/*
	 * Wait until urgent data shows: 1; 0 when there is none and none
	 * can come, the peer having ended the stream, or an error shows,
	 * which a read will name; -ETIMEDOUT at the deadline
	 * (oob/deadline.h); or -errno. Signal handlers run, and the wait
	 * goes on.
	 */
	int (*wait)(struct sigurg_watch *w, int64_t deadline_ns);

	/* Release the watch, and put back owner, mask and handler where they
	 * were changed. Accepts NULL. */
	void (*disarm)(struct sigurg_watch *w);
};

extern const struct sigurg_detector sigurg_by_select;	    /* exceptions */
extern const struct sigurg_detector sigurg_by_poll;	    /* POLLPRI */
extern const struct sigurg_detector sigurg_by_epoll;	    /* level */
extern const struct sigurg_detector sigurg_by_epoll_edge;   /* EPOLLET */
extern const struct sigurg_detector sigurg_by_handler;	    /* sigaction */
extern const struct sigurg_detector sigurg_by_signalfd;	    /* signalfd */
extern const struct sigurg_detector sigurg_by_sigtimedwait; /* sigtimedwait */
extern const struct sigurg_detector sigurg_by_io_uring;	    /* POLL_ADD */

/* All of them, in that order; NULL ends the list. */
extern const struct sigurg_detector *const sigurg_detectors[];

/* The detector of that name, or NULL. */
const struct sigurg_detector *sigurg_detector_find(const char *name);

#endif
