#include "mark.h"

#include "oob/urgent.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_BYTES 4096	 /* at least, of each receive into a buffer */
#define DROP_BYTES 16384 /* on the stack, which may be a thread's small one */

/* Where ordinary data goes. */
struct sink {
	/* Receive once into the sink: bytes, or -errno. */
	ssize_t (*take)(struct sink *s, int fd);
	struct oob_buffer *out; /* sink of buffer_until_mark, read_oob */
	unsigned char *buf;	/* sink of read_until_mark */
	size_t size;
	size_t len; /* bytes taken */
};

/* One walk toward the mark. */
struct walk {
	int fd;
	int epfd;     /* -1 until poll has proved useless */
	bool woken;   /* poll said ready, and nothing was there */
	bool late;    /* the deadline has passed; */
	size_t grace; /* what may still be read: what was there then */
	int64_t deadline_ns;
	struct sink *sink;
};

/* What the next read of a socket would meet. */
struct view {
	int n; /* 1: a byte, 0: the end of the stream, -EAGAIN: nothing yet */
	int at_mark;
};

static ssize_t receive(int fd, void *buf, size_t size, int flags)
{
	ssize_t n;

	do
		n = recv(fd, buf, size, flags | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * Look before reading, in this order. A byte seen at the present position
 * keeps a mark from landing there later (Linux ignores an urgent pointer to
 * data already received in order), so with `n` 1 and no mark the next read
 * cannot cross one. Asking for the mark first and then reading could: when the
 * urgent byte and data behind it arrive in between, the read skips the byte
 * and returns what follows.
 */
static int look(int fd, struct view *v)
{
	unsigned char c;

	v->n = (int)receive(fd, &c, 1, MSG_PEEK);
	if (v->n < 0 && v->n != -EAGAIN)
		return v->n;
	v->at_mark = oob_at_mark(fd);
	return v->at_mark < 0 ? v->at_mark : 0;
}

static ssize_t take_dropped(struct sink *s, int fd)
{
	unsigned char scratch[DROP_BYTES];
	ssize_t n;

	/* TCP drops MSG_TRUNC data without copying it; AF_UNIX copies. */
	n = receive(fd, scratch, sizeof(scratch), MSG_TRUNC);
	if (n > 0)
		s->len += (size_t)n;
	return n;
}

static ssize_t take_to_memory(struct sink *s, int fd)
{
	ssize_t n;

	if (s->len == s->size)
		return -ENOBUFS;
	n = receive(fd, s->buf + s->len, s->size - s->len, 0);
	if (n > 0)
		s->len += (size_t)n;
	return n;
}

static ssize_t take_to_buffer(struct sink *s, int fd)
{
	size_t room = 0;
	ssize_t n;
	int ret;

	ret = oob_buffer_reserve(s->out, KEEP_BYTES, &room);
	if (ret < 0)
		return ret;
	n = receive(fd, s->out->data + s->out->len, room, 0);
	if (n > 0)
		s->out->len += (size_t)n;
	return n;
}

/* A sender that never pauses must not carry the walk past its deadline. */
static int spend_grace(struct walk *w, size_t n)
{
	int queued = 0;

	if (w->late) {
		w->grace -= n < w->grace ? n : w->grace;
		return 0;
	}
	if (!oob_has_passed(w->deadline_ns))
		return 0;
	w->late = true;
	if (ioctl(w->fd, FIONREAD, &queued) < 0)
		return -errno;
	w->grace = (size_t)queued;
	return 0;
}

static int advance(struct walk *w)
{
	ssize_t n;

	if (w->late && !w->grace)
		return -ETIMEDOUT;
	n = w->sink->take(w->sink, w->fd);
	if (n < 0 && n != -EAGAIN)
		return (int)n;
	if (n <= 0)
		return 0;
	w->woken = false;
	return spend_grace(w, (size_t)n);
}

/* Wait for a change, where poll would go on reporting an old state. */
static int wait_for_edge(struct walk *w)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLPRI | EPOLLET };
	int ret;

	if (w->epfd < 0) {
		w->epfd = epoll_create1(EPOLL_CLOEXEC);
		if (w->epfd < 0)
			return -errno;
		if (epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->fd, &ev) < 0)
			return -errno;
	}
	ret = oob_wait(w->epfd, POLLIN, w->deadline_ns);
	if (ret < 0)
		return ret;
	return epoll_wait(w->epfd, &ev, 1, 0) < 0 ? -errno : 0;
}

/*
 * Readiness can outlast its cause: POLLPRI while the urgent byte came ahead
 * of data that is missing, POLLIN at a mark of AF_UNIX whose byte was taken,
 * POLLERR while the error queue holds anything. Such a level would make the
 * walk spin, so a wake that brought nothing is followed by waits for edges.
 */
static int wait_for_more(struct walk *w)
{
	int ret;

	if (w->woken)
		return wait_for_edge(w);
	ret = oob_wait(w->fd, POLLIN | POLLPRI, w->deadline_ns);
	if (ret < 0)
		return ret;
	w->woken = true;
	return 0;
}

static int finish(struct walk *w, int ret)
{
	if (w->epfd >= 0)
		close(w->epfd);
	return ret;
}

static int walk_to_mark(int fd, struct sink *sink, int64_t deadline_ns)
{
	struct walk w = {
		.fd = fd, .epfd = -1, .deadline_ns = deadline_ns, .sink = sink
	};
	struct view v;
	int ret;

	for (;;) {
		ret = look(fd, &v);
		if (ret < 0)
			return finish(&w, ret);
		if (v.at_mark)
			return finish(&w, 1);
		if (v.n == 0)
			return finish(&w, 0);
		ret = v.n > 0 ? advance(&w) : wait_for_more(&w);
		if (ret < 0)
			return finish(&w, ret);
	}
}

int oob_discard_until_mark(int fd, size_t *dropped, int64_t deadline_ns)
{
	struct sink sink = { .take = take_dropped };
	int ret;

	ret = walk_to_mark(fd, &sink, deadline_ns);
	if (dropped)
		*dropped = sink.len;
	return ret;
}

int oob_read_until_mark(int fd, void *buf, size_t size, size_t *len,
			int64_t deadline_ns)
{
	struct sink sink = { .take = take_to_memory, .buf = buf, .size = size };
	int ret;

	ret = walk_to_mark(fd, &sink, deadline_ns);
	*len = sink.len;
	return ret;
}

int oob_buffer_until_mark(int fd, struct oob_buffer *out, int64_t deadline_ns)
{
	struct sink sink = { .take = take_to_buffer, .out = out };

	return walk_to_mark(fd, &sink, deadline_ns);
}

/*
 * At the mark, take the byte where it is delivered. 1 with it; 0 at the end
 * of the stream; -EAGAIN before it came; -EINVAL when it was taken before.
 */
static int fetch(int fd, const struct view *v, bool in_line,
		 unsigned char *byte)
{
	int ret;

	if (in_line)
		return v->n == 1 ? (int)receive(fd, byte, 1, 0) : v->n;
	ret = oob_recv_urgent(fd, byte);
	if (ret == -EAGAIN && v->n == 1)
		return -EBADMSG;
	return ret;
}

static int walk_to_urgent_byte(struct walk *w, bool in_line,
			       unsigned char *byte)
{
	struct view v;
	int ret;

	for (;;) {
		ret = look(w->fd, &v);
		if (ret < 0)
			return ret;
		if (v.at_mark) {
			ret = fetch(w->fd, &v, in_line, byte);
			if (ret != -EAGAIN && ret != -EINVAL)
				return ret;
		}
		if (v.n == 0)
			return 0;
		ret = v.n > 0 ? advance(w) : wait_for_more(w);
		if (ret < 0)
			return ret;
	}
}

int oob_read_oob(int fd, unsigned char *byte, struct oob_buffer *before,
		 int64_t deadline_ns)
{
	struct sink sink = { .take = take_to_buffer, .out = before };
	struct walk w = {
		.fd = fd, .epfd = -1, .deadline_ns = deadline_ns, .sink = &sink
	};
	int in_line = oob_get_inline(fd);

	if (in_line < 0)
		return in_line;
	return finish(&w, walk_to_urgent_byte(&w, in_line, byte));
}
