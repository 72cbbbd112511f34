/*
 * Whom SIGURG goes to: the owner of a socket, fcntl(2) F_SETOWN_EX.
 *
 * An owner is needed, O_ASYNC is not, and F_SETSIG changes nothing: the signal
 * is always SIGURG. Owner and socket meet when the announcement arrives; one
 * set later gets no late signal, and accept(2) gives the new socket none.
 */
#ifndef SIGURG_OWNER_H
#define SIGURG_OWNER_H

#include <sys/types.h>

enum sigurg_owner_kind {
	SIGURG_NOBODY,
	SIGURG_THREAD,	/* `id` as gettid(2) gives it */
	SIGURG_PROCESS, /* `id` as getpid(2) gives it */
	SIGURG_GROUP,	/* `id` as getpgrp(2) gives it, positive */
};

struct sigurg_owner {
	enum sigurg_owner_kind kind;
	pid_t id; /* 0 for nobody */
};

/*
 * Let SIGURG of `fd` go to `owner`. The kernel keeps the caller's user IDs
 * with it, and later sends only where they would be allowed to kill(2).
 *
 * Returns 0, -EINVAL when kind and id do not fit each other, or -errno of
 * fcntl(2): -ESRCH when there is no such thread, process or group, -EBADF.
 * A failing call leaves the owner as it was.
 */
int sigurg_owner_set(int fd, struct sigurg_owner owner);

/*
 * Read the owner back. A process that has ended, or is not to be seen from
 * this PID namespace, reads as nobody.
 *
 * Unlike F_GETOWN, on which a group of a small number looks like an error,
 * this is never in doubt. Returns 0 or -errno of fcntl(2).
 */
int sigurg_owner_get(int fd, struct sigurg_owner *out);

#endif
