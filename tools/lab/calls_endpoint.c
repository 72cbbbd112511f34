/* Calls that make, connect and end sockets, and say who is connected. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/lab/call.h"
#include "tools/lab/names.h"
#include "tools/lab/program.h"

/* Both ends' names travel with the reply: the lab finds segments by them. */
struct ends {
	struct sockaddr_storage local, peer;
};

static void add_ends(struct reply *out, int fd)
{
	static struct ends none;
	struct ends *ends = &none;
	socklen_t local_len = 0, peer_len = 0;
	int saved = errno;

	out->own = calloc(1, sizeof(*ends));
	if (out->own) {
		ends = out->own;
		local_len = peer_len = sizeof(ends->local);
		if (getsockname(fd, (void *)&ends->local, &local_len) < 0)
			local_len = 0;
		if (getpeername(fd, (void *)&ends->peer, &peer_len) < 0)
			peer_len = 0;
	}
	message_add_bytes(&out->m, &ends->local, local_len);
	message_add_bytes(&out->m, &ends->peer, peer_len);
	errno = saved;
}

static void run_socket(struct program *p, const struct message *in,
		       struct reply *out)
{
	(void)p;
	reply_result(out, socket((int)message_int(in, 0, 0),
				 (int)message_int(in, 1, 0),
				 (int)message_int(in, 2, 0)));
}

static void show_socket(struct text *t, const struct message *in,
			const struct message *out)
{
	int64_t type = message_int(in, 1, 0);

	text_add(t, "socket(");
	names_add(t, NAME_FAMILY, message_int(in, 0, 0));
	text_add(t, ", ");
	names_add(t, NAME_TYPE, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
	text_add(t, type & SOCK_NONBLOCK ? "|SOCK_NONBLOCK, " : ", ");
	if (message_int(in, 2, 0))
		names_add(t, NAME_PROTOCOL, message_int(in, 2, 0));
	else
		text_add(t, "0");
	text_add(t, ")");
	show_result(t, out);
}

static void run_bind(struct program *p, const struct message *in,
		     struct reply *out)
{
	int fd = call_fd(in);

	(void)p;
	reply_result(out, bind(fd, (const void *)in->v[1].bytes,
			       (socklen_t)in->v[1].len));
	add_ends(out, fd);
}

static void run_connect(struct program *p, const struct message *in,
			struct reply *out)
{
	int fd = call_fd(in);

	(void)p;
	reply_result(out, connect(fd, (const void *)in->v[1].bytes,
				  (socklen_t)in->v[1].len));
	add_ends(out, fd);
}

static void show_addressed(struct text *t, const struct message *in,
			   const struct message *out)
{
	text_add(t, "%s(%d, ", calls[in->call]->name, call_fd(in));
	show_address(t, in, 1);
	text_add(t, ")");
	show_result(t, out);
}

static void run_listen(struct program *p, const struct message *in,
		       struct reply *out)
{
	int fd = call_fd(in);

	(void)p;
	reply_result(out, listen(fd, (int)message_int(in, 1, 0)));
	add_ends(out, fd);
}

static void show_listen(struct text *t, const struct message *in,
			const struct message *out)
{
	text_add(t, "listen(%d, %d)", call_fd(in), (int)message_int(in, 1, 0));
	show_result(t, out);
}

static void run_accept(struct program *p, const struct message *in,
		       struct reply *out)
{
	int fd = accept(call_fd(in), NULL, NULL);

	(void)p;
	reply_result(out, fd);
	add_ends(out, fd);
}

/* accept, getsockname and getpeername: the address is part of the answer. */
static void show_named(struct text *t, const struct message *in,
		       const struct message *out, unsigned value)
{
	text_add(t, "%s(%d", calls[in->call]->name, call_fd(in));
	if (message_int(out, 0, -1) >= 0) {
		text_add(t, ", [");
		show_address(t, out, value);
		text_add(t, "]");
	}
	text_add(t, ")");
	show_result(t, out);
}

static void show_accept(struct text *t, const struct message *in,
			const struct message *out)
{
	show_named(t, in, out, 2);
}

static void run_name(const struct message *in, struct reply *out,
		     int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage *sa = calloc(1, sizeof(*sa));
	socklen_t len = sizeof(*sa);

	if (!sa) {
		errno = ENOMEM;
		reply_result(out, -1);
		return;
	}
	reply_result(out, name(call_fd(in), (void *)sa, &len));
	reply_take(out, sa, message_int(&out->m, 0, -1) < 0 ? 0 : len);
}

/* glibc declares the address as a transparent union of pointers. */
static int local_name(int fd, struct sockaddr *sa, socklen_t *len)
{
	return getsockname(fd, sa, len);
}

static int peer_name(int fd, struct sockaddr *sa, socklen_t *len)
{
	return getpeername(fd, sa, len);
}

static void run_getsockname(struct program *p, const struct message *in,
			    struct reply *out)
{
	(void)p;
	run_name(in, out, local_name);
}

static void run_getpeername(struct program *p, const struct message *in,
			    struct reply *out)
{
	(void)p;
	run_name(in, out, peer_name);
}

static void show_name(struct text *t, const struct message *in,
		      const struct message *out)
{
	show_named(t, in, out, 1);
}

static void run_shutdown(struct program *p, const struct message *in,
			 struct reply *out)
{
	(void)p;
	reply_result(out, shutdown(call_fd(in), (int)message_int(in, 1, 0)));
}

static void show_shutdown(struct text *t, const struct message *in,
			  const struct message *out)
{
	text_add(t, "shutdown(%d, ", call_fd(in));
	names_add(t, NAME_SHUT, message_int(in, 1, 0));
	text_add(t, ")");
	show_result(t, out);
}

static void run_close(struct program *p, const struct message *in,
		      struct reply *out)
{
	int fd = call_fd(in);

	program_forget(p, fd);
	reply_result(out, close(fd));
}

static void show_close(struct text *t, const struct message *in,
		       const struct message *out)
{
	text_add(t, "close(%d)", call_fd(in));
	show_result(t, out);
}

const struct call call_socket = {
	.name = "socket",
	.gives = 's',
	.run = run_socket,
	.show = show_socket,
};
const struct call call_bind = {
	.name = "bind",
	.takes = "a",
	.gives = 'i',
	.tells_ends = true,
	.run = run_bind,
	.show = show_addressed,
};
const struct call call_listen = {
	.name = "listen",
	.takes = "B",
	.gives = 'i',
	.tells_ends = true,
	.run = run_listen,
	.show = show_listen,
};
const struct call call_accept = {
	.name = "accept",
	.takes = "",
	.gives = 's',
	.tells_ends = true,
	.run = run_accept,
	.show = show_accept,
};
const struct call call_connect = {
	.name = "connect",
	.takes = "a",
	.gives = 'i',
	.tells_ends = true,
	.run = run_connect,
	.show = show_addressed,
};
const struct call call_getsockname = {
	.name = "getsockname",
	.takes = "",
	.gives = 'a',
	.run = run_getsockname,
	.show = show_name,
};
const struct call call_getpeername = {
	.name = "getpeername",
	.takes = "",
	.gives = 'a',
	.run = run_getpeername,
	.show = show_name,
};
const struct call call_shutdown = {
	.name = "shutdown",
	.takes = "n",
	.gives = 'i',
	.run = run_shutdown,
	.show = show_shutdown,
};
const struct call call_close = {
	.name = "close",
	.takes = "",
	.gives = 'i',
	.run = run_close,
	.show = show_close,
};
