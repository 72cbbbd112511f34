/*
 * A signal handler that writes down every one of its runs: how many, when,
 * and from whom.
 *
 * No run is lost, on whichever threads they happen at once: the ring in the
 * caller's memory is lock-free, and what no longer fits in it is counted. What
 * can be lost is outside: a standard signal sent while one of the same number
 * is pending merges with it (signal(7)), so two announcements can make one
 * run. SIGURG comes from the kernel: si_code SI_KERNEL, no pid, no descriptor.
 *
 * A handler takes no argument of ours, so which recorder serves a signal is
 * the one thing kept per process: one recorder to a signal number. Everything
 * else lies in the caller's struct.
 */
#ifndef SIGURG_RECORDER_H
#define SIGURG_RECORDER_H

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* One run of the handler. */
struct sigurg_record {
	int64_t when_ns; /* on the clock asked for */
	int code;	 /* si_code: SI_KERNEL for SIGURG of a socket */
	pid_t pid;	 /* the sender's; 0 from the kernel */
	uid_t uid;	 /* the sender's real one; 0 from the kernel */
};

/* The memory for one record; only sigurg_recorder_*() look inside. */
struct sigurg_slot {
	atomic_size_t turn;
	struct sigurg_record record;
};

/* The caller's, and read with the functions below only. */
struct sigurg_recorder {
	struct sigurg_slot *slots;
	size_t size;
	clockid_t clock;
	int signo;
	int wake_fd;
	atomic_size_t claimed; /* by handlers, since the start */
	atomic_size_t taken;   /* by the reader, since the start */
	atomic_size_t runs;
	atomic_size_t unrecorded;
	struct sigaction before;
};

/*
 * Handle `signo` by recording it, stamped with `clock` (CLOCK_MONOTONIC,
 * CLOCK_REALTIME). `sa_flags` is SA_RESTART, or 0 to have blocking calls
 * interrupted with EINTR. `r` and its `size` slots, at least one, stay the
 * caller's and must live until sigurg_recorder_stop().
 *
 * Returns 0, -EBUSY when `signo` has a recorder, -EINVAL for a signal that
 * cannot be handled, a bad clock or no slots, or -errno of eventfd(2). On
 * failure the process's handlers are as they were.
 */
int sigurg_recorder_start(struct sigurg_recorder *r, int signo, int sa_flags,
			  clockid_t clock, struct sigurg_slot *slots,
			  size_t size);

/*
 * Put back the handler that was there before, unless another has replaced ours
 * since, and release what start() took. When it returns no handler is using
 * `r` any more. Records not yet read are gone. Not from a signal handler.
 */
void sigurg_recorder_stop(struct sigurg_recorder *r);

/*
 * Take the oldest record: 1, or 0 when there is none. One reader at a time.
 * Runs on several threads at once stand in the order they took their places;
 * their times may differ from it by as much as they overlapped.
 */
int sigurg_recorder_next(struct sigurg_recorder *r, struct sigurg_record *out);

/*
 * Wait until there is a record: 1, -ETIMEDOUT, or -errno of poll(2). The
 * deadline is as in oob/deadline.h. One reader at a time.
 */
int sigurg_recorder_wait(struct sigurg_recorder *r, int64_t deadline_ns);

/*
 * A descriptor that polls POLLIN once a handler has run, for an event loop;
 * sigurg_recorder_wait() with a deadline of 0 quietens it. Not to be closed.
 */
int sigurg_recorder_fd(const struct sigurg_recorder *r);

/* Runs of the handler since the start. Exact, read or not, ring full or not. */
size_t sigurg_recorder_runs(const struct sigurg_recorder *r);

/* Those of them that found the ring full, and left no record. */
size_t sigurg_recorder_unrecorded(const struct sigurg_recorder *r);

/*
 * In a child of fork(2), which goes on recording in its copy of `r`: forget
 * the parent's records and counts, and get a wake-up of its own (until then
 * the child shares the parent's). Returns 0 or -errno of eventfd(2).
 */
int sigurg_recorder_after_fork(struct sigurg_recorder *r);

#endif
