#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/time.h>
#include <unistd.h>

/* Make `fd` non-blocking; 1 when that was a change, 0 when not, -errno. */
static int enter_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK)
		return 0;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 1;
}

static void leave_nonblocking(int fd, int changed)
{
	int flags;

	if (!changed)
		return;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int oob_make(int family, int protocol)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

static const struct sockaddr *sockaddr_of(const struct oob_address *a)
{
	return (const struct sockaddr *)&a->sa;
}

int oob_bind(int fd, const struct oob_address *a)
{
	return bind(fd, sockaddr_of(a), a->len) < 0 ? -errno : 0;
}

int oob_listen(int fd, int backlog)
{
	return listen(fd, backlog) < 0 ? -errno : 0;
}

int oob_listen_on(const struct oob_address *a, int backlog)
{
	int on = 1;
	int fd, ret;

	fd = oob_make(a->sa.ss_family, 0);
	if (fd < 0)
		return fd;
	ret = 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		ret = -errno;
	if (ret == 0)
		ret = oob_bind(fd, a);
	if (ret == 0)
		ret = oob_listen(fd, backlog);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

/* Errors of one connection, not of the listener: accept(2), "Error handling".
 */
static bool concerns_the_client(int err)
{
	return err == ECONNABORTED || err == EPROTO || err == ENETDOWN ||
	       err == EHOSTDOWN || err == ENONET || err == EHOSTUNREACH ||
	       err == ENETUNREACH;
}

static int accept_by(int fd, struct oob_address *peer, int64_t deadline_ns)
{
	struct oob_address name;
	int ret;

	for (;;) {
		name.len = sizeof(name.sa);
		ret = accept4(fd, (struct sockaddr *)&name.sa, &name.len,
			      SOCK_CLOEXEC);
		if (ret >= 0) {
			if (peer)
				*peer = name;
			return ret;
		}
		if (errno == EINTR || concerns_the_client(errno))
			continue;
		if (errno != EAGAIN)
			return -errno;
		ret = oob_wait(fd, POLLIN, deadline_ns);
		if (ret < 0)
			return ret;
	}
}

int oob_accept(int fd, struct oob_address *peer, int64_t deadline_ns)
{
	int changed = enter_nonblocking(fd);
	int ret;

	if (changed < 0)
		return changed;
	ret = accept_by(fd, peer, deadline_ns);
	leave_nonblocking(fd, changed);
	return ret;
}

/*
 * The outcome is asked of connect(2) again, not of SO_ERROR: that would leave
 * the socket "connecting", so that a later connect said 0 where it is
 * connected, and ECONNABORTED where it was refused (Linux 6.18).
 */
static int connect_nonblocking(int fd, const struct oob_address *a,
			       int64_t deadline_ns)
{
	int ret;

	if (connect(fd, sockaddr_of(a), a->len) == 0)
		return 0;
	/* A signal does not undo the attempt: it goes on, as in progress. */
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	ret = oob_wait(fd, POLLOUT, deadline_ns);
	if (ret < 0)
		return ret;
	return connect(fd, sockaddr_of(a), a->len) < 0 ? -errno : 0;
}

/* What is left as a socket time-out, where 0 would mean for ever. */
static struct timeval timeval_left(int64_t deadline_ns)
{
	struct timeval tv = { 0 };
	int64_t us;

	if (deadline_ns == OOB_NO_DEADLINE)
		return tv;
	us = (deadline_ns - oob_now_ns()) / 1000;
	if (us < 1)
		us = 1;
	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	return tv;
}

static int connect_unix_by(int fd, const struct oob_address *a,
			   int64_t deadline_ns)
{
	struct timeval tv;

	for (;;) {
		tv = timeval_left(deadline_ns);
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) <
		    0)
			return -errno;
		if (connect(fd, sockaddr_of(a), a->len) == 0)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		/* Socket time-outs are rounded up to ticks: signals that come
		 * faster would put the last of them off for ever. */
		if (errno == EAGAIN || oob_has_passed(deadline_ns))
			return -ETIMEDOUT;
	}
}

static int connect_unix(int fd, const struct oob_address *a,
			int64_t deadline_ns)
{
	struct timeval saved;
	socklen_t len = sizeof(saved);
	int flags = fcntl(fd, F_GETFL);
	int ret;

	if (flags < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &saved, &len) < 0)
		return -errno;
	if (flags & O_NONBLOCK && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return -errno;
	ret = connect_unix_by(fd, a, deadline_ns);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &saved, sizeof(saved));
	if (flags & O_NONBLOCK)
		fcntl(fd, F_SETFL, flags);
	return ret;
}

int oob_connect(int fd, const struct oob_address *a, int64_t deadline_ns)
{
	int changed, ret;

	if (a->sa.ss_family == AF_UNIX)
		return connect_unix(fd, a, deadline_ns);
	changed = enter_nonblocking(fd);
	if (changed < 0)
		return changed;
	ret = connect_nonblocking(fd, a, deadline_ns);
	leave_nonblocking(fd, changed);
	return ret;
}

int oob_dial(const struct oob_address *a, int64_t deadline_ns)
{
	int fd = oob_make(a->sa.ss_family, 0);
	int ret;

	if (fd < 0)
		return fd;
	ret = oob_connect(fd, a, deadline_ns);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

int oob_local_name(int fd, struct oob_address *out)
{
	struct oob_address name = { .len = sizeof(name.sa) };

	if (getsockname(fd, (struct sockaddr *)&name.sa, &name.len) < 0)
		return -errno;
	*out = name;
	return 0;
}

int oob_peer_name(int fd, struct oob_address *out)
{
	struct oob_address name = { .len = sizeof(name.sa) };

	if (getpeername(fd, (struct sockaddr *)&name.sa, &name.len) < 0)
		return -errno;
	*out = name;
	return 0;
}
