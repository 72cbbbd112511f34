/* Connected pairs of stream sockets, for the tests of what uses them. */
#ifndef TESTS_STREAMS_H
#define TESTS_STREAMS_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "oob/endpoint.h"
#include "oob/urgent.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define MS	    INT64_C(1000000)

/* What is to happen does so long before; only a failing test waits for it. */
#define SOON oob_deadline_in(10000 * MS)

/* For what is not to happen. */
#define BRIEFLY oob_deadline_in(15 * MS)

/* Already past. */
#define NOW 0

enum transport {
	TCP4,
	TCP6,
	UNIX,
	TRANSPORTS
};

static const char *const transport_name[] = { "tcp4", "tcp6", "unix" };

/* Where a listener of each may be: any port, a name of its own. */
static inline int any_address(enum transport t, struct oob_address *out)
{
	static unsigned last;
	char name[64];

	if (t == TCP4)
		return oob_address_parse(out, "127.0.0.1", 0);
	if (t == TCP6)
		return oob_address_parse(out, "::1", 0);
	snprintf(name, sizeof(name), "@ooblab-test-%d-%u", (int)getpid(),
		 ++last);
	return oob_address_parse(out, name, 0);
}

struct streams {
	int sender;
	int receiver;
};

/* Buffer sizes in bytes as setsockopt(2) takes them, 0 for the usual. Set
 * before the connection is, as the first window depends on them. */
struct buffers {
	int send;
	int receive;
};

static inline int set_buffer(int fd, int option, int bytes)
{
	if (!bytes)
		return 0;
	return setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes)) < 0
		       ? -errno
		       : 0;
}

/* Returns 0 or -errno; -EAFNOSUPPORT or -EADDRNOTAVAIL: no such transport. */
static inline int open_streams(struct streams *s, enum transport t,
			       struct buffers buffers)
{
	struct oob_address at;
	int listener, ret;

	*s = (struct streams){ -1, -1 };
	ret = any_address(t, &at);
	if (ret < 0)
		return ret;
	listener = oob_listen_on(&at, 1);
	if (listener < 0)
		return listener;
	s->sender = oob_make(at.sa.ss_family, 0);
	ret = set_buffer(listener, SO_RCVBUF, buffers.receive);
	if (ret == 0)
		ret = set_buffer(s->sender, SO_SNDBUF, buffers.send);
	if (ret == 0)
		ret = oob_local_name(listener, &at);
	if (ret == 0)
		ret = oob_connect(s->sender, &at, SOON);
	if (ret == 0)
		ret = s->receiver = oob_accept(listener, NULL, SOON);
	close(listener);
	if (ret < 0)
		close(s->sender);
	return ret < 0 ? ret : 0;
}

static inline void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void close_streams(struct streams *s)
{
	close_end(&s->sender);
	close_end(&s->receiver);
}

/* End the stream so that the receiver gets ECONNRESET behind what was sent.
 * AF_UNIX resets when data is left unread in the end that closes. */
static inline void reset_sender(struct streams *s, enum transport t)
{
	struct linger abort = { .l_onoff = 1, .l_linger = 0 };

	if (t == UNIX)
		oob_send(s->receiver, "unread", 6, NULL, SOON);
	else
		setsockopt(s->sender, SOL_SOCKET, SO_LINGER, &abort,
			   sizeof(abort));
	close_end(&s->sender);
}

static inline bool is_missing_transport(int ret)
{
	return ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL;
}

static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/*
 * SIGALRM again and again, its handler without SA_RESTART: blocking calls are
 * interrupted. Each is set off by the one before, so that even a slow machine
 * gets something done between two. Counted, so that a test can see that it
 * did blow.
 */
static atomic_int storm_signals;
static timer_t storm_timer;

static inline void storm_go_on(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 };

	timer_settime(storm_timer, 0, &soon, NULL);
}

static inline void on_storm(int signo)
{
	(void)signo;
	storm_signals++;
	storm_go_on();
}

static inline void storm_begin(void)
{
	struct sigaction sa = { .sa_handler = on_storm };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGALRM };

	storm_signals = 0;
	sigaction(SIGALRM, &sa, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &storm_timer);
	storm_go_on();
}

static inline void storm_end(void)
{
	signal(SIGALRM, SIG_IGN);
	timer_delete(storm_timer);
	signal(SIGALRM, SIG_DFL);
}

#endif
