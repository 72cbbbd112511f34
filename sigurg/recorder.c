#include "recorder.h"

#include "oob/deadline.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SIGNALS 65 /* _NSIG of Linux: 1 to 64 */

/* Anything else would take a lock in a signal handler. */
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	       "atomics of this machine are not async-signal-safe");

static _Atomic(struct sigurg_recorder *) active[SIGNALS];

/* Handlers at work, so that stop() knows when the last has left. */
static atomic_int running;

static int64_t now_on(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void wake(struct sigurg_recorder *r)
{
	const uint64_t one = 1;

	/* It can fail only with 2^64 - 1 wake-ups unread: awake already. */
	if (write(r->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* A timer's or a descriptor's signal has other things where these have the
 * process that sent them (sigaction(2)). */
static bool has_sender(int code)
{
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL ||
	       code == SI_MESGQ;
}

/*
 * Each handler takes a place of its own and publishes it by its turn: no one
 * waits for anyone, so a handler may interrupt the reader or be held up.
 */
static void record(struct sigurg_recorder *r, const siginfo_t *info)
{
	struct sigurg_record rec = { .when_ns = now_on(r->clock),
				     .code = info->si_code };
	size_t place = atomic_load(&r->claimed);
	struct sigurg_slot *slot;

	if (has_sender(info->si_code)) {
		rec.pid = info->si_pid;
		rec.uid = info->si_uid;
	}
	atomic_fetch_add(&r->runs, 1);
	do {
		if (place - atomic_load(&r->taken) >= r->size) {
			atomic_fetch_add(&r->unrecorded, 1);
			return;
		}
	} while (!atomic_compare_exchange_weak(&r->claimed, &place, place + 1));
	slot = &r->slots[place % r->size];
	slot->record = rec;
	atomic_store(&slot->turn, place + 1);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	struct sigurg_recorder *r;
	int saved = errno;

	(void)context;
	atomic_fetch_add(&running, 1);
	r = atomic_load(&active[signo]);
	if (r) {
		record(r, info);
		wake(r);
	}
	atomic_fetch_sub(&running, 1);
	errno = saved;
}

static void clear(struct sigurg_recorder *r)
{
	atomic_init(&r->claimed, 0);
	atomic_init(&r->taken, 0);
	atomic_init(&r->runs, 0);
	atomic_init(&r->unrecorded, 0);
	for (size_t i = 0; i < r->size; i++)
		atomic_init(&r->slots[i].turn, 0);
}

static int install(struct sigurg_recorder *r, int sa_flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | sa_flags };
	struct sigurg_recorder *none = NULL;
	int ret;

	sigemptyset(&sa.sa_mask);
	if (!atomic_compare_exchange_strong(&active[r->signo], &none, r))
		return -EBUSY;
	if (sigaction(r->signo, &sa, &r->before) == 0)
		return 0;
	ret = -errno;
	atomic_store(&active[r->signo], NULL);
	return ret;
}

int sigurg_recorder_start(struct sigurg_recorder *r, int signo, int sa_flags,
			  clockid_t clock, struct sigurg_slot *slots,
			  size_t size)
{
	struct timespec ts;
	int fd, ret;

	if (signo < 1 || signo >= SIGNALS || !size || sa_flags & ~SA_RESTART ||
	    clock_gettime(clock, &ts) < 0)
		return -EINVAL;
	if (atomic_load(&active[signo]))
		return -EBUSY;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	*r = (struct sigurg_recorder){ .slots = slots,
				       .size = size,
				       .clock = clock,
				       .signo = signo,
				       .wake_fd = fd };
	clear(r);
	ret = install(r, sa_flags);
	if (ret < 0)
		close(fd);
	return ret;
}

void sigurg_recorder_stop(struct sigurg_recorder *r)
{
	struct sigaction now;

	if (sigaction(r->signo, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
	    now.sa_sigaction == on_signal)
		sigaction(r->signo, &r->before, NULL);
	atomic_store(&active[r->signo], NULL);
	/* A handler that got in first runs to its end in nanoseconds, unless
	 * its thread was preempted: let that one go on. */
	while (atomic_load(&running))
		sched_yield();
	close(r->wake_fd);
	r->wake_fd = -1;
}

int sigurg_recorder_next(struct sigurg_recorder *r, struct sigurg_record *out)
{
	size_t place = atomic_load(&r->taken);
	struct sigurg_slot *slot = &r->slots[place % r->size];

	if (atomic_load(&slot->turn) != place + 1)
		return 0;
	*out = slot->record;
	atomic_store(&r->taken, place + 1);
	return 1;
}

static int has_record(struct sigurg_recorder *r)
{
	size_t place = atomic_load(&r->taken);

	return atomic_load(&r->slots[place % r->size].turn) == place + 1;
}

int sigurg_recorder_wait(struct sigurg_recorder *r, int64_t deadline_ns)
{
	uint64_t wakes;
	int ret;

	for (;;) {
		/* Quieten first: a handler publishes before it wakes. */
		if (read(r->wake_fd, &wakes, sizeof(wakes)) < 0 &&
		    errno != EAGAIN && errno != EINTR)
			return -errno;
		if (has_record(r))
			return 1;
		ret = oob_wait(r->wake_fd, POLLIN, deadline_ns);
		if (ret < 0)
			return ret;
	}
}

int sigurg_recorder_fd(const struct sigurg_recorder *r)
{
	return r->wake_fd;
}

size_t sigurg_recorder_runs(const struct sigurg_recorder *r)
{
	return atomic_load(&r->runs);
}

size_t sigurg_recorder_unrecorded(const struct sigurg_recorder *r)
{
	return atomic_load(&r->unrecorded);
}

int sigurg_recorder_after_fork(struct sigurg_recorder *r)
{
	sigset_t set, before;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	/* A child of fork has one thread: no handler runs while it is held. */
	sigemptyset(&set);
	sigaddset(&set, r->signo);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	close(r->wake_fd);
	r->wake_fd = fd;
	clear(r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return 0;
}
