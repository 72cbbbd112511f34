/*
 * Signals as something to read, signalfd(2), in the form of sigurg/recorder.h.
 *
 * A signal read this way must be blocked, by sigurg_claim_begin() for SIGURG of
 * one socket, or in every thread before it is sent. The descriptor reads what
 * is pending for the thread that reads, or for the process.
 */
#ifndef SIGURG_FD_H
#define SIGURG_FD_H

#include "sigurg/recorder.h"

/* A descriptor for `signo`, non-blocking and closed by exec; the caller's to
 * close. Returns it or -errno of signalfd(2). */
int sigurg_fd_open(int signo);

/*
 * Take one signal, with the time of taking it on `clock`: when it was sent is
 * not known. Returns 1, -EAGAIN when none is pending, -EINVAL for a bad clock
 * or another descriptor, or -errno of read(2); then `*out` is as it was.
 */
int sigurg_fd_next(int fd, clockid_t clock, struct sigurg_record *out);

#endif
