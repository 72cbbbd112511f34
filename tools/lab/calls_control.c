/* Calls that set or ask about a socket: options, owner, mark, queues. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tools/lab/call.h"
#include "tools/lab/names.h"

#define OPTION_MAX 256 /* bytes of an option's value */

/* in: fd, level, option, and the value: an integer or the struct's bytes. */
static void run_setsockopt(struct program *p, const struct message *in,
			   struct reply *out)
{
	int n = (int)message_int(in, 3, 0);
	const void *value = &n;
	socklen_t len = sizeof(n);

	(void)p;
	if (in->n > 3 && in->v[3].kind == VALUE_BYTES) {
		value = in->v[3].bytes;
		len = (socklen_t)in->v[3].len;
	}
	reply_result(out, setsockopt(call_fd(in), (int)message_int(in, 1, 0),
				     (int)message_int(in, 2, 0), value, len));
}

static void add_option(struct text *t, const struct message *in)
{
	int64_t level = message_int(in, 1, 0);

	names_add(t, level == SOL_SOCKET ? NAME_LEVEL : NAME_PROTOCOL, level);
	text_add(t, ", ");
	if (level == SOL_SOCKET)
		names_add(t, NAME_SO, message_int(in, 2, 0));
	else if (level == IPPROTO_TCP)
		names_add(t, NAME_TCP, message_int(in, 2, 0));
	else
		text_add(t, "%lld", (long long)message_int(in, 2, 0));
}

static void show_setsockopt(struct text *t, const struct message *in,
			    const struct message *out)
{
	text_add(t, "setsockopt(%d, ", call_fd(in));
	add_option(t, in);
	if (in->n > 3 && in->v[3].kind == VALUE_BYTES)
		text_add(t, ", {...}, %zu)", in->v[3].len);
	else
		text_add(t, ", [%d], 4)", (int)message_int(in, 3, 0));
	show_result(t, out);
}

static void run_getsockopt(struct program *p, const struct message *in,
			   struct reply *out)
{
	socklen_t len = OPTION_MAX;
	void *value = calloc(1, len);
	int ret = -1;

	(void)p;
	if (value)
		ret = getsockopt(call_fd(in), (int)message_int(in, 1, 0),
				 (int)message_int(in, 2, 0), value, &len);
	reply_result(out, ret);
	reply_take(out, value, ret < 0 ? 0 : len);
}

static void show_getsockopt(struct text *t, const struct message *in,
			    const struct message *out)
{
	int n;

	text_add(t, "getsockopt(%d, ", call_fd(in));
	add_option(t, in);
	if (out->n > 1 && out->v[1].len == sizeof(n)) {
		memcpy(&n, out->v[1].bytes, sizeof(n));
		text_add(t, ", [%d], [4]", n);
	} else if (out->n > 1 && out->v[1].len) {
		text_add(t, ", {...}, [%zu]", out->v[1].len);
	}
	text_add(t, ")");
	show_result(t, out);
}

/* in: fd, command, argument, and for F_SETOWN_EX the id of what it names. */
static void run_fcntl(struct program *p, const struct message *in,
		      struct reply *out)
{
	int fd = call_fd(in), cmd = (int)message_int(in, 1, 0);
	struct f_owner_ex owner = { .type = (int)message_int(in, 2, 0),
				    .pid = (pid_t)message_int(in, 3, 0) };
	int ret;

	(void)p;
	if (cmd == F_SETOWN_EX || cmd == F_GETOWN_EX) {
		reply_result(out, fcntl(fd, cmd, &owner));
		message_add_int(&out->m, owner.type);
		message_add_int(&out->m, owner.pid);
		return;
	}
	ret = fcntl(fd, cmd, (int)message_int(in, 2, 0));
	if (cmd != F_GETOWN || ret == -1) {
		reply_result(out, ret);
		return;
	}
	/* A process group comes back negative: no error. */
	message_add_int(&out->m, 0);
	message_add_int(&out->m, ret);
}

static void add_owner(struct text *t, int64_t type, int64_t id)
{
	text_add(t, ", {type=");
	names_add(t, NAME_OWNER, type);
	text_add(t, ", pid=%lld}", (long long)id);
}

static void show_fcntl(struct text *t, const struct message *in,
		       const struct message *out)
{
	int64_t cmd = message_int(in, 1, 0), arg = message_int(in, 2, 0);

	text_add(t, "fcntl(%d, ", call_fd(in));
	names_add(t, NAME_FCNTL, cmd);
	if (cmd == F_SETFL) {
		text_add(t, ", ");
		names_add_flags(t, NAME_FILE, (uint64_t)arg);
	} else if (cmd == F_SETOWN_EX || cmd == F_GETOWN_EX) {
		add_owner(t, message_int(out, 1, 0), message_int(out, 2, 0));
	} else if (cmd == F_SETOWN || cmd == F_SETSIG || cmd == F_SETFD) {
		text_add(t, ", %lld", (long long)arg);
	}
	text_add(t, ")");
	if (cmd == F_GETOWN && out->n > 1)
		text_add(t, " = %lld", (long long)message_int(out, 1, 0));
	else
		show_result(t, out);
	if (cmd == F_GETFL && message_int(out, 0, -1) >= 0) {
		text_add(t, " (");
		names_add_flags(t, NAME_FILE, (uint64_t)message_int(out, 0, 0));
		text_add(t, ")");
	}
}

static bool sets_only(unsigned long request)
{
	return request == FIONBIO || request == FIOASYNC ||
	       request == FIOSETOWN || request == SIOCSPGRP;
}

/*
 * Every request that has a name here takes an int, others whatever they like:
 * zeros, in room for the most that a request's number can tell of (_IOC_SIZE).
 * v[1] is what it filled, or 0.
 */
static void run_ioctl(struct program *p, const struct message *in,
		      struct reply *out)
{
	unsigned long request = (unsigned long)message_int(in, 1, 0);
	union {
		int n;
		char room[1 << _IOC_SIZEBITS];
	} arg;

	(void)p;
	memset(&arg, 0, sizeof(arg));
	arg.n = (int)message_int(in, 2, 0);
	reply_result(out, ioctl(call_fd(in), request, &arg));
	message_add_int(&out->m, sets_only(request) ? 0 : arg.n);
}

static void show_ioctl(struct text *t, const struct message *in,
		       const struct message *out)
{
	text_add(t, "ioctl(%d, ", call_fd(in));
	names_add(t, NAME_IOCTL, message_int(in, 1, 0));
	if (sets_only((unsigned long)message_int(in, 1, 0)))
		text_add(t, ", [%d]", (int)message_int(in, 2, 0));
	else if (message_int(out, 0, -1) >= 0)
		text_add(t, ", [%d]", (int)message_int(out, 1, 0));
	text_add(t, ")");
	show_result(t, out);
}

static void ask(struct reply *out, int fd, unsigned long request)
{
	int n = 0;

	message_add_int(&out->m, ioctl(fd, request, &n) < 0 ? -errno : n);
}

/* What the lab looks at after each step: unread bytes, mark, unacknowledged. */
static void run_observe(struct program *p, const struct message *in,
			struct reply *out)
{
	(void)p;
	message_add_int(&out->m, 0);
	ask(out, call_fd(in), SIOCINQ);
	ask(out, call_fd(in), SIOCATMARK);
	ask(out, call_fd(in), SIOCOUTQ);
}

const struct call call_setsockopt = {
	.name = "setsockopt",
	.takes = "O",
	.gives = 'i',
	.run = run_setsockopt,
	.show = show_setsockopt,
};
const struct call call_getsockopt = {
	.name = "getsockopt",
	.takes = "nn",
	.gives = 'o',
	.run = run_getsockopt,
	.show = show_getsockopt,
};
const struct call call_fcntl = {
	.name = "fcntl",
	.takes = "F",
	.gives = 'f',
	.run = run_fcntl,
	.show = show_fcntl,
};
const struct call call_ioctl = {
	.name = "ioctl",
	.takes = "nN",
	.gives = 'v',
	.run = run_ioctl,
	.show = show_ioctl,
};
const struct call call_observe = {
	.name = "observe",
	.thread = CALL_CONTROL,
	.run = run_observe,
};
