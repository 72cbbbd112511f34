#include "tools/lab/message.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "oob/deadline.h"

#define LENGTH_BYTES 4u
#define HEAD_BYTES   36u /* kind, fds, id, call, values: 4; two times: 8 */
#define VALUE_HEAD   12u /* kind: 4; the integer, or the length: 8 */

void message_add_int(struct message *m, int64_t n)
{
	m->v[m->n++] = (struct value){ .kind = VALUE_INT, .n = n };
}

void message_add_bytes(struct message *m, const void *bytes, size_t len)
{
	m->v[m->n++] = (struct value){ .kind = VALUE_BYTES,
				       .bytes = bytes,
				       .len = len };
}

int64_t message_int(const struct message *m, unsigned i, int64_t otherwise)
{
	if (i >= m->n || m->v[i].kind != VALUE_INT)
		return otherwise;
	return m->v[i].n;
}

struct message *message_copy(const struct message *m)
{
	size_t bytes = 0;
	struct message *copy;
	uint8_t *p;

	for (unsigned i = 0; i < m->n; i++)
		bytes += m->v[i].kind == VALUE_BYTES ? m->v[i].len : 0;
	copy = malloc(sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	*copy = *m;
	p = (uint8_t *)(copy + 1);
	for (unsigned i = 0; i < m->n; i++) {
		if (m->v[i].kind != VALUE_BYTES || !m->v[i].len)
			continue;
		memcpy(p, m->v[i].bytes, m->v[i].len);
		copy->v[i].bytes = p;
		p += m->v[i].len;
	}
	return copy;
}

static uint8_t *put32(uint8_t *p, uint32_t n)
{
	n = htole32(n);
	memcpy(p, &n, sizeof(n));
	return p + sizeof(n);
}

static uint8_t *put64(uint8_t *p, int64_t n)
{
	uint64_t u = htole64((uint64_t)n);

	memcpy(p, &u, sizeof(u));
	return p + sizeof(u);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static int64_t get64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return (int64_t)le64toh(n);
}

static size_t encoded_size(const struct message *m)
{
	size_t size = LENGTH_BYTES + HEAD_BYTES;

	for (unsigned i = 0; i < m->n; i++)
		size += VALUE_HEAD +
			(m->v[i].kind == VALUE_BYTES ? m->v[i].len : 0);
	return size;
}

static void encode(const struct message *m, bool passes_fd, uint8_t *p,
		   size_t size)
{
	p = put32(p, (uint32_t)(size - LENGTH_BYTES));
	p = put32(p, m->kind);
	p = put32(p, passes_fd);
	p = put32(p, m->id);
	p = put32(p, m->call);
	p = put32(p, m->n);
	p = put64(p, m->start_ns);
	p = put64(p, m->end_ns);
	for (unsigned i = 0; i < m->n; i++) {
		const struct value *v = &m->v[i];

		p = put32(p, v->kind);
		if (v->kind == VALUE_INT) {
			p = put64(p, v->n);
			continue;
		}
		p = put64(p, (int64_t)v->len);
		if (v->len)
			memcpy(p, v->bytes, v->len);
		p += v->len;
	}
}

static int decode(struct message *m, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	*m = (struct message){
		.kind = get32(p),
		.passes_fd = get32(p + 4),
		.id = get32(p + 8),
		.call = get32(p + 12),
		.n = get32(p + 16),
		.start_ns = get64(p + 20),
		.end_ns = get64(p + 28),
	};
	p += HEAD_BYTES;
	if (m->n > MESSAGE_VALUES)
		return -EPROTO;
	for (unsigned i = 0; i < m->n; i++) {
		struct value *v = &m->v[i];

		if ((size_t)(end - p) < VALUE_HEAD)
			return -EPROTO;
		*v = (struct value){ .kind = get32(p), .n = get64(p + 4) };
		p += VALUE_HEAD;
		if (v->kind == VALUE_INT)
			continue;
		if (v->kind != VALUE_BYTES || v->n < 0 || v->n > end - p)
			return -EPROTO;
		v->bytes = p;
		v->len = (size_t)v->n;
		p += v->len;
	}
	return p == end ? 0 : -EPROTO;
}

void channel_open(struct channel *c, int fd)
{
	*c = (struct channel){ .fd = fd, .passed_fd = -1, .pass_fd = -1 };
}

void channel_close(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	free(c->in);
	free(c->out);
	channel_open(c, -1);
}

static ssize_t send_some(int fd, const uint8_t *p, size_t len, int pass_fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;

	if (pass_fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &pass_fd, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int make_room(uint8_t **bytes, size_t *size, size_t wanted)
{
	uint8_t *bigger;

	if (wanted <= *size)
		return 0;
	wanted = wanted < 4096 ? 4096 : wanted;
	bigger = realloc(*bytes, wanted);
	if (!bigger)
		return -ENOMEM;
	*bytes = bigger;
	*size = wanted;
	return 0;
}

int channel_begin(struct channel *c, const struct message *m, int pass_fd)
{
	size_t size = encoded_size(m);
	int ret;

	if (size - LENGTH_BYTES > MESSAGE_BYTES_MAX)
		return -EMSGSIZE;
	ret = make_room(&c->out, &c->out_size, size);
	if (ret < 0)
		return ret;
	encode(m, pass_fd >= 0, c->out, size);
	c->out_sent = 0;
	c->out_len = size;
	c->pass_fd = pass_fd;
	return 0;
}

int channel_flush(struct channel *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send_some(c->fd, c->out + c->out_sent,
				      c->out_len - c->out_sent, c->pass_fd);

		if (n >= 0) {
			c->out_sent += (size_t)n;
			c->pass_fd = -1;
		} else if (errno == EAGAIN) {
			return 0;
		} else if (errno != EINTR) {
			return errno == ECONNRESET ? -EPIPE : -errno;
		}
	}
	return 1;
}

int channel_send(struct channel *c, const struct message *m, int pass_fd,
		 int64_t deadline_ns)
{
	int ret = channel_begin(c, m, pass_fd);

	if (ret < 0)
		return ret;
	while ((ret = channel_flush(c)) == 0) {
		ret = oob_wait(c->fd, POLLOUT, deadline_ns);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? ret : 0;
}

int channel_take_fd(struct channel *c, const struct message *m)
{
	int fd = m->passes_fd ? c->passed_fd : -1;

	if (fd >= 0)
		c->passed_fd = -1;
	return fd;
}

static void keep_passed_fd(struct channel *c, struct msghdr *msg)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);

	if (!head || head->cmsg_level != SOL_SOCKET ||
	    head->cmsg_type != SCM_RIGHTS)
		return;
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	memcpy(&c->passed_fd, CMSG_DATA(head), sizeof(int));
}

/* Read what there is. Returns 1, 0 when there is nothing yet, or -errno. */
static int fill(struct channel *c, bool wait)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = c->in + c->in_len,
			     .iov_len = c->in_size - c->in_len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	int flags = MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT);
	ssize_t n;

	do {
		n = recvmsg(c->fd, &msg, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return -errno;
	if (n <= 0)
		return -EPIPE;
	keep_passed_fd(c, &msg);
	c->in_len += (size_t)n;
	return 1;
}

/* Bytes that the message at the front needs, as far as is known. */
static size_t wanted(const struct channel *c)
{
	if (c->in_len < LENGTH_BYTES)
		return LENGTH_BYTES + HEAD_BYTES;
	return LENGTH_BYTES + (size_t)get32(c->in);
}

int channel_receive(struct channel *c, struct message *m, bool wait)
{
	int ret;

	c->in_len -= c->in_used;
	if (c->in_used && c->in_len)
		memmove(c->in, c->in + c->in_used, c->in_len);
	c->in_used = 0;
	for (;;) {
		size_t size = wanted(c);

		if (size < LENGTH_BYTES + HEAD_BYTES ||
		    size > LENGTH_BYTES + MESSAGE_BYTES_MAX)
			return -EPROTO;
		if (c->in_len >= size) {
			c->in_used = size;
			ret = decode(m, c->in + LENGTH_BYTES,
				     size - LENGTH_BYTES);
			return ret < 0 ? ret : 1;
		}
		ret = make_room(&c->in, &c->in_size, size);
		if (ret < 0)
			return ret;
		ret = fill(c, wait);
		if (ret <= 0)
			return ret;
	}
}
