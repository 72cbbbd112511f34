#include "tools/lab/names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define N(group, constant)                                                     \
	{                                                                      \
		group, #constant, (int64_t)(constant)                          \
	}

const struct name names[] = {
	N(NAME_FAMILY, AF_UNSPEC),
	N(NAME_FAMILY, AF_UNIX),
	N(NAME_FAMILY, AF_LOCAL),
	N(NAME_FAMILY, AF_INET),
	N(NAME_FAMILY, AF_INET6),
	N(NAME_TYPE, SOCK_STREAM),
	N(NAME_TYPE, SOCK_DGRAM),
	N(NAME_TYPE, SOCK_SEQPACKET),
	N(NAME_TYPE, SOCK_NONBLOCK),
	N(NAME_TYPE, SOCK_CLOEXEC),
	N(NAME_PROTOCOL, IPPROTO_IP),
	N(NAME_PROTOCOL, IPPROTO_TCP),
	N(NAME_PROTOCOL, IPPROTO_UDP),
	N(NAME_PROTOCOL, IPPROTO_IPV6),
	N(NAME_PROTOCOL, IPPROTO_MPTCP),
	N(NAME_LEVEL, SOL_SOCKET),
	N(NAME_LEVEL, SOL_TCP),
	N(NAME_SO, SO_ACCEPTCONN),
	N(NAME_SO, SO_BINDTODEVICE),
	N(NAME_SO, SO_BROADCAST),
	N(NAME_SO, SO_BUSY_POLL),
	N(NAME_SO, SO_DEBUG),
	N(NAME_SO, SO_DOMAIN),
	N(NAME_SO, SO_DONTROUTE),
	N(NAME_SO, SO_ERROR),
	N(NAME_SO, SO_KEEPALIVE),
	N(NAME_SO, SO_LINGER),
	N(NAME_SO, SO_OOBINLINE),
	N(NAME_SO, SO_PEEK_OFF),
	N(NAME_SO, SO_PRIORITY),
	N(NAME_SO, SO_PROTOCOL),
	N(NAME_SO, SO_RCVBUF),
	N(NAME_SO, SO_RCVBUFFORCE),
	N(NAME_SO, SO_RCVLOWAT),
	N(NAME_SO, SO_RCVTIMEO),
	N(NAME_SO, SO_REUSEADDR),
	N(NAME_SO, SO_REUSEPORT),
	N(NAME_SO, SO_SNDBUF),
	N(NAME_SO, SO_SNDBUFFORCE),
	N(NAME_SO, SO_SNDLOWAT),
	N(NAME_SO, SO_SNDTIMEO),
	N(NAME_SO, SO_TYPE),
	N(NAME_TCP, TCP_CONGESTION),
	N(NAME_TCP, TCP_CORK),
	N(NAME_TCP, TCP_DEFER_ACCEPT),
	N(NAME_TCP, TCP_FASTOPEN),
	N(NAME_TCP, TCP_INFO),
	N(NAME_TCP, TCP_KEEPCNT),
	N(NAME_TCP, TCP_KEEPIDLE),
	N(NAME_TCP, TCP_KEEPINTVL),
	N(NAME_TCP, TCP_LINGER2),
	N(NAME_TCP, TCP_MAXSEG),
	N(NAME_TCP, TCP_NODELAY),
	N(NAME_TCP, TCP_NOTSENT_LOWAT),
	N(NAME_TCP, TCP_QUICKACK),
	N(NAME_TCP, TCP_SYNCNT),
	N(NAME_TCP, TCP_USER_TIMEOUT),
	N(NAME_TCP, TCP_WINDOW_CLAMP),
	N(NAME_MSG, MSG_OOB),
	N(NAME_MSG, MSG_PEEK),
	N(NAME_MSG, MSG_CONFIRM),
	N(NAME_MSG, MSG_CTRUNC),
	N(NAME_MSG, MSG_DONTROUTE),
	N(NAME_MSG, MSG_ERRQUEUE),
	N(NAME_MSG, MSG_TRUNC),
	N(NAME_MSG, MSG_DONTWAIT),
	N(NAME_MSG, MSG_EOR),
	N(NAME_MSG, MSG_WAITALL),
	N(NAME_MSG, MSG_NOSIGNAL),
	N(NAME_MSG, MSG_MORE),
	N(NAME_SHUT, SHUT_RD),
	N(NAME_SHUT, SHUT_WR),
	N(NAME_SHUT, SHUT_RDWR),
	N(NAME_FCNTL, F_GETFD),
	N(NAME_FCNTL, F_SETFD),
	N(NAME_FCNTL, F_GETFL),
	N(NAME_FCNTL, F_SETFL),
	N(NAME_FCNTL, F_SETOWN),
	N(NAME_FCNTL, F_GETOWN),
	N(NAME_FCNTL, F_SETSIG),
	N(NAME_FCNTL, F_GETSIG),
	N(NAME_FCNTL, F_SETOWN_EX),
	N(NAME_FCNTL, F_GETOWN_EX),
	N(NAME_OWNER, F_OWNER_TID),
	N(NAME_OWNER, F_OWNER_PID),
	N(NAME_OWNER, F_OWNER_PGRP),
	N(NAME_FILE, O_RDWR),
	N(NAME_FILE, O_APPEND),
	N(NAME_FILE, O_NONBLOCK),
	N(NAME_FILE, O_ASYNC),
	N(NAME_IOCTL, SIOCATMARK),
	N(NAME_IOCTL, SIOCINQ),
	N(NAME_IOCTL, SIOCOUTQ),
	N(NAME_IOCTL, SIOCOUTQNSD),
	N(NAME_IOCTL, FIONREAD),
	N(NAME_IOCTL, FIONBIO),
	N(NAME_IOCTL, FIOASYNC),
	N(NAME_IOCTL, FIOSETOWN),
	N(NAME_IOCTL, FIOGETOWN),
	N(NAME_IOCTL, SIOCSPGRP),
	N(NAME_IOCTL, SIOCGPGRP),
	N(NAME_POLL, POLLIN),
	N(NAME_POLL, POLLPRI),
	N(NAME_POLL, POLLOUT),
	N(NAME_POLL, POLLERR),
	N(NAME_POLL, POLLHUP),
	N(NAME_POLL, POLLNVAL),
	N(NAME_POLL, POLLRDNORM),
	N(NAME_POLL, POLLRDBAND),
	N(NAME_POLL, POLLWRNORM),
	N(NAME_POLL, POLLWRBAND),
	N(NAME_POLL, POLLRDHUP),
	N(NAME_EPOLL, EPOLLIN),
	N(NAME_EPOLL, EPOLLPRI),
	N(NAME_EPOLL, EPOLLOUT),
	N(NAME_EPOLL, EPOLLERR),
	N(NAME_EPOLL, EPOLLHUP),
	N(NAME_EPOLL, EPOLLRDNORM),
	N(NAME_EPOLL, EPOLLRDBAND),
	N(NAME_EPOLL, EPOLLWRNORM),
	N(NAME_EPOLL, EPOLLWRBAND),
	N(NAME_EPOLL, EPOLLRDHUP),
	N(NAME_EPOLL, EPOLLONESHOT),
	N(NAME_EPOLL, EPOLLET),
};
const size_t names_count = sizeof(names) / sizeof(names[0]);

void names_add(struct text *t, enum name_group group, int64_t value)
{
	for (size_t i = 0; i < names_count; i++) {
		if (names[i].group == group && names[i].value == value) {
			text_add(t, "%s", names[i].name);
			return;
		}
	}
	text_add(t, "%lld", (long long)value);
}

void names_add_flags(struct text *t, enum name_group group, uint64_t flags)
{
	const char *bar = "";

	for (size_t i = 0; i < names_count; i++) {
		uint64_t v = (uint64_t)names[i].value;

		if (names[i].group != group || !v || (flags & v) != v)
			continue;
		text_add(t, "%s%s", bar, names[i].name);
		flags &= ~v;
		bar = "|";
	}
	if (flags)
		text_add(t, "%s0x%llx", bar, (unsigned long long)flags);
	else if (!*bar)
		text_add(t, "0");
}

const char *names_errno(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "E?";
}

int names_errno_value(const char *name)
{
	if (!strcmp(name, "EWOULDBLOCK"))
		return EWOULDBLOCK;
	if (!strcmp(name, "ENOTSUP"))
		return ENOTSUP;
	for (int e = 1; e < 134; e++) {
		const char *known = strerrorname_np(e);

		if (known && !strcmp(name, known))
			return e;
	}
	return 0;
}

const char *names_signal(char *out, size_t size, int sig)
{
	const char *name = sigabbrev_np(sig);

	if (name)
		snprintf(out, size, "SIG%s", name);
	else if (sig == SIGRTMIN)
		snprintf(out, size, "SIGRTMIN");
	else if (sig > SIGRTMIN && sig <= SIGRTMAX)
		snprintf(out, size, "SIGRTMIN+%d", sig - SIGRTMIN);
	else
		snprintf(out, size, "signal %d", sig);
	return out;
}
