/* Calls that wait until a socket is ready. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "tools/lab/call.h"
#include "tools/lab/names.h"
#include "tools/lab/program.h"

#define LONG_BITS (8 * (int)sizeof(unsigned long))

/* A time-out in nanoseconds; below 0 is for ever, as NULL is to the calls. */
static const struct timespec *timeout_of(const struct message *in,
					 struct timespec *ts)
{
	int64_t ns = message_int(in, 2, -1);

	if (ns < 0)
		return NULL;
	ts->tv_sec = ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
	return ts;
}

static void add_timeout_ms(struct text *t, const struct message *in)
{
	int64_t ns = message_int(in, 2, -1);

	text_add(t, "%lld", ns < 0 ? -1 : (long long)(ns / 1000000));
}

/* fd_set stops at 1024 descriptors, the system call does not. */
static void run_select(struct program *p, const struct message *in,
		       struct reply *out)
{
	int fd = call_fd(in), sets = (int)message_int(in, 1, 0), ready = 0;
	size_t longs = fd < 0 ? 1 : (size_t)(fd / LONG_BITS) + 1;
	unsigned long *bits = calloc(3 * longs, sizeof(*bits));
	unsigned long bit = 1ul << (fd < 0 ? 0 : fd % LONG_BITS);
	struct timespec ts;
	fd_set *set[3];

	(void)p;
	if (!bits || fd < 0) {
		errno = bits ? EBADF : ENOMEM;
		reply_result(out, -1);
		free(bits);
		return;
	}
	for (int i = 0; i < 3; i++) {
		set[i] = sets & 1 << i ? (fd_set *)(bits + i * longs) : NULL;
		if (set[i])
			bits[(i + 1) * longs - 1] |= bit;
	}
	reply_result(out, pselect(fd + 1, set[0], set[1], set[2],
				  timeout_of(in, &ts), NULL));
	for (int i = 0; i < 3; i++) {
		if (set[i] && bits[(i + 1) * longs - 1] & bit)
			ready |= 1 << i;
	}
	message_add_int(&out->m, message_int(&out->m, 0, 0) > 0 ? ready : 0);
	free(bits);
}

static void show_select(struct text *t, const struct message *in,
			const struct message *out)
{
	static const char *const set_names[] = { "read", "write", "except" };
	int fd = call_fd(in), sets = (int)message_int(in, 1, 0);
	int ready = (int)message_int(out, 1, 0);
	int64_t ns = message_int(in, 2, -1);
	const char *comma = "";

	text_add(t, "select(%d", fd + 1);
	for (int i = 0; i < 3; i++) {
		if (sets & 1 << i)
			text_add(t, ", [%d]", fd);
		else
			text_add(t, ", NULL");
	}
	if (ns < 0)
		text_add(t, ", NULL)");
	else
		text_add(t, ", {%lld.%06lld})", (long long)(ns / 1000000000),
			 (long long)(ns % 1000000000 / 1000));
	show_result(t, out);
	if (message_int(out, 0, -1) == 0)
		text_add(t, " (Timeout)");
	if (!ready)
		return;
	text_add(t, " (");
	for (int i = 0; i < 3; i++) {
		if (!(ready & 1 << i))
			continue;
		text_add(t, "%s%s", comma, set_names[i]);
		comma = ", ";
	}
	text_add(t, ")");
}

static void run_poll(struct program *p, const struct message *in,
		     struct reply *out)
{
	struct pollfd pfd = { .fd = call_fd(in),
			      .events = (short)message_int(in, 1, 0) };
	struct timespec ts;

	(void)p;
	reply_result(out, ppoll(&pfd, 1, timeout_of(in, &ts), NULL));
	message_add_int(&out->m, (unsigned short)pfd.revents);
}

static void show_poll(struct text *t, const struct message *in,
		      const struct message *out)
{
	text_add(t, "poll([{fd=%d, events=", call_fd(in));
	names_add_flags(t, NAME_POLL, (uint64_t)message_int(in, 1, 0));
	text_add(t, "}], 1, ");
	add_timeout_ms(t, in);
	text_add(t, ")");
	show_result(t, out);
	if (message_int(out, 0, -1) == 0)
		text_add(t, " (Timeout)");
	if (message_int(out, 0, -1) <= 0)
		return;
	text_add(t, " ([revents=");
	names_add_flags(t, NAME_POLL, (uint64_t)message_int(out, 1, 0));
	text_add(t, "])");
}

static void run_epoll(struct program *p, const struct message *in,
		      struct reply *out)
{
	uint32_t events = (uint32_t)message_int(in, 1, 0);
	int epfd = program_epoll(p, call_fd(in), events);
	struct epoll_event ev = { .events = 0 };
	struct timespec ts;

	if (epfd < 0) {
		errno = -epfd;
		reply_result(out, -1);
		return;
	}
	reply_result(out,
		     epoll_pwait2(epfd, &ev, 1, timeout_of(in, &ts), NULL));
	message_add_int(&out->m, ev.events);
}

static void show_epoll(struct text *t, const struct message *in,
		       const struct message *out)
{
	text_add(t, "epoll_wait([{fd=%d, events=", call_fd(in));
	names_add_flags(t, NAME_EPOLL, (uint64_t)message_int(in, 1, 0));
	text_add(t, "}], 1, ");
	add_timeout_ms(t, in);
	text_add(t, ")");
	show_result(t, out);
	if (message_int(out, 0, -1) <= 0)
		return;
	text_add(t, " ([events=");
	names_add_flags(t, NAME_EPOLL, (uint64_t)message_int(out, 1, 0));
	text_add(t, "])");
}

const struct call call_select = {
	.name = "select",
	.takes = "S",
	.gives = 'x',
	.run = run_select,
	.show = show_select,
};
const struct call call_poll = {
	.name = "poll",
	.takes = "nT",
	.gives = 'r',
	.run = run_poll,
	.show = show_poll,
};
const struct call call_epoll = {
	.name = "epoll",
	.takes = "nT",
	.gives = 'r',
	.run = run_epoll,
	.show = show_epoll,
};
