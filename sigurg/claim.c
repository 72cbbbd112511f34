#include "claim.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void only_sigurg(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGURG);
}

/* Change SIGURG's place in the mask and no other; whether it was blocked. */
static bool mask_sigurg(bool block)
{
	sigset_t set, before;

	only_sigurg(&set);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, &before);
	return sigismember(&before, SIGURG);
}

int sigurg_claim_begin(struct sigurg_claim *c, int fd, bool block)
{
	struct sigurg_owner self = { SIGURG_THREAD, gettid() };
	struct sigurg_owner before;
	sigset_t pending;
	bool blocked;
	int ret;

	sigpending(&pending);
	if (sigismember(&pending, SIGURG))
		return -EBUSY;
	ret = sigurg_owner_get(fd, &before);
	if (ret < 0)
		return ret;
	blocked = mask_sigurg(block);
	ret = sigurg_owner_set(fd, self);
	if (ret < 0) {
		mask_sigurg(blocked);
		return ret;
	}
	*c = (struct sigurg_claim){ .owner = before,
				    .fd = fd,
				    .blocked = blocked,
				    .now_blocked = block };
	return 0;
}

void sigurg_claim_end(struct sigurg_claim *c)
{
	const struct timespec at_once = { 0 };
	struct sigurg_owner nobody = { SIGURG_NOBODY, 0 };
	sigset_t set;

	/* The former owner may have ended by now. */
	if (sigurg_owner_set(c->fd, c->owner) < 0)
		sigurg_owner_set(c->fd, nobody);
	if (c->now_blocked) {
		only_sigurg(&set);
		while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
			;
	}
	mask_sigurg(c->blocked);
}
