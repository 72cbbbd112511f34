/*
 * SIGURG of one socket brought to the calling thread, blocked there to be
 * waited for or unblocked to be handled, and all put back afterwards.
 *
 * To the thread, since to the process it would be dropped: SIGURG is ignored
 * by default, and the kernel asks whether it is blocked of the main thread
 * alone, whichever thread waits for it.
 */
#ifndef SIGURG_CLAIM_H
#define SIGURG_CLAIM_H

#include "sigurg/owner.h"

#include <stdbool.h>

/* The caller's; what is to be put back. */
struct sigurg_claim {
	struct sigurg_owner owner;
	int fd;
	bool blocked;	  /* SIGURG in the thread's mask, before */
	bool now_blocked; /* and since */
};

/*
 * Make the calling thread the owner of `fd`, with SIGURG in its mask if
 * `block`, or not in it. `fd` is borrowed until sigurg_claim_end().
 *
 * Returns 0, -EBUSY when a SIGURG is pending already (whose, no one could
 * tell), or -errno of fcntl(2); then nothing has changed.
 */
int sigurg_claim_begin(struct sigurg_claim *c, int fd, bool block);

/*
 * Give back, on the same thread: the owner, and SIGURG's place in the mask.
 * A SIGURG that came meanwhile and was not waited for is dropped, so that it
 * does not reach a handler it was not meant for.
 */
void sigurg_claim_end(struct sigurg_claim *c);

#endif
