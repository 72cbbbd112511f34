#include "tools/lab/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FILL_BYTES (64u << 10)

static void skip_sent(struct msghdr *msg, size_t n)
{
	while (msg->msg_iovlen && n >= msg->msg_iov->iov_len) {
		n -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (!msg->msg_iovlen)
		return;
	msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
	msg->msg_iov->iov_len -= n;
}

int record_write(int fd, enum record_kind kind, const void *a, size_t a_len,
		 const void *b, size_t b_len, const void *c, size_t c_len)
{
	struct record_head head = { kind, (uint32_t)(a_len + b_len + c_len) };
	struct iovec iov[] = {
		{ &head, sizeof(head) },
		{ (void *)a, a_len },
		{ (void *)b, b_len },
		{ (void *)c, c_len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 4 };

	if (a_len + b_len + c_len > RECORD_BYTES_MAX)
		return -EMSGSIZE;
	while (msg.msg_iovlen) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		skip_sent(&msg, (size_t)n);
	}
	return 0;
}

static int make_room(struct record_reader *r)
{
	uint8_t *bigger;

	if (r->used) {
		memmove(r->bytes, r->bytes + r->used, r->len - r->used);
		r->len -= r->used;
		r->used = 0;
	}
	if (r->size - r->len >= FILL_BYTES)
		return 0;
	bigger = realloc(r->bytes, 2 * r->size + FILL_BYTES);
	if (!bigger)
		return -ENOMEM;
	r->bytes = bigger;
	r->size = 2 * r->size + FILL_BYTES;
	return 0;
}

int record_fill(struct record_reader *r, int fd)
{
	int ret = make_room(r);
	ssize_t n;

	if (ret < 0)
		return ret;
	n = recv(fd, r->bytes + r->len, r->size - r->len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	r->len += (size_t)n;
	return n > 0;
}

int record_next(struct record_reader *r, const uint8_t **data, size_t *len)
{
	struct record_head head;
	size_t left = r->len - r->used;

	if (left < sizeof(head))
		return 0;
	memcpy(&head, r->bytes + r->used, sizeof(head));
	if (head.kind < RECORD_READY || head.kind > RECORD_COUNTS ||
	    head.len > RECORD_BYTES_MAX)
		return -EPROTO;
	if (left - sizeof(head) < head.len)
		return 0;
	*data = r->bytes + r->used + sizeof(head);
	*len = head.len;
	r->used += sizeof(head) + head.len;
	return (int)head.kind;
}

void record_free(struct record_reader *r)
{
	free(r->bytes);
	*r = (struct record_reader){ 0 };
}
