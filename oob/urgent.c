#include "urgent.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

/*
 * MSG_DONTWAIT makes a blocking descriptor behave as the deadline asks;
 * without it a send larger than the free buffer would sleep in the kernel.
 */
static int send_all(int fd, const unsigned char *data, size_t len, int flags,
		    size_t *sent, int64_t deadline_ns)
{
	ssize_t n;
	int ret;

	while (*sent < len) {
		n = send(fd, data + *sent, len - *sent,
			 flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			*sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		ret = oob_wait(fd, POLLOUT, deadline_ns);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int oob_send(int fd, const void *data, size_t len, size_t *sent,
	     int64_t deadline_ns)
{
	size_t local;

	if (!sent)
		sent = &local;
	*sent = 0;
	return send_all(fd, data, len, 0, sent, deadline_ns);
}

int oob_send_urgent(int fd, const void *data, size_t len, size_t *sent,
		    int64_t deadline_ns)
{
	size_t local;
	int ret;

	if (!sent)
		sent = &local;
	*sent = 0;
	if (!len)
		return -EINVAL;
	ret = send_all(fd, data, len - 1, MSG_MORE, sent, deadline_ns);
	if (ret < 0)
		return ret;
	return send_all(fd, data, len, MSG_OOB, sent, deadline_ns);
}

/*
 * Length 1, never 0: a recv(MSG_OOB) of nothing returns 0 and destroys the
 * byte (Linux 6.18).
 */
static int recv_urgent(int fd, unsigned char *byte, int flags)
{
	unsigned char c;
	ssize_t n;

	do
		n = recv(fd, &c, 1, MSG_OOB | MSG_DONTWAIT | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 1)
		*byte = c;
	return (int)n;
}

int oob_recv_urgent(int fd, unsigned char *byte)
{
	return recv_urgent(fd, byte, 0);
}

int oob_peek_urgent(int fd, unsigned char *byte)
{
	return recv_urgent(fd, byte, MSG_PEEK);
}

int oob_at_mark(int fd)
{
	int at = 0;

	if (ioctl(fd, SIOCATMARK, &at) < 0)
		return -errno;
	return at != 0;
}

int oob_set_inline(int fd, bool on)
{
	int value = on;

	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

int oob_get_inline(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &value, &len) < 0)
		return -errno;
	return value != 0;
}
