/* Calls that move data. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/lab/call.h"
#include "tools/lab/names.h"

static void run_send(struct program *p, const struct message *in,
		     struct reply *out)
{
	(void)p;
	reply_result(out, send(call_fd(in), in->v[1].bytes, in->v[1].len,
			       (int)message_int(in, 2, 0)));
}

static void show_send(struct text *t, const struct message *in,
		      const struct message *out)
{
	text_add(t, "send(%d, ", call_fd(in));
	show_bytes(t, in, 1);
	text_add(t, ", %zu, ", in->v[1].len);
	names_add_flags(t, NAME_MSG, (uint64_t)message_int(in, 2, 0));
	text_add(t, ")");
	show_result(t, out);
}

static void run_write(struct program *p, const struct message *in,
		      struct reply *out)
{
	(void)p;
	reply_result(out, write(call_fd(in), in->v[1].bytes, in->v[1].len));
}

static void show_write(struct text *t, const struct message *in,
		       const struct message *out)
{
	text_add(t, "write(%d, ", call_fd(in));
	show_bytes(t, in, 1);
	text_add(t, ", %zu)", in->v[1].len);
	show_result(t, out);
}

/*
 * Room for what a receive asks; NULL with errno set when there is none. Zeroed:
 * with MSG_TRUNC TCP drops data and copies none of it.
 */
static void *receive_room(const struct message *in, size_t *len)
{
	*len = (size_t)message_int(in, 1, 0);
	return calloc(1, *len + 1);
}

static void run_recv(struct program *p, const struct message *in,
		     struct reply *out)
{
	size_t len;
	void *room = receive_room(in, &len);
	ssize_t n = -1;

	(void)p;
	if (room)
		n = recv(call_fd(in), room, len, (int)message_int(in, 2, 0));
	reply_result(out, n);
	/* With MSG_TRUNC the answer can be more than there was room for. */
	reply_take(out, room, n < 0 ? 0 : (size_t)n < len ? (size_t)n : len);
}

static void show_recv(struct text *t, const struct message *in,
		      const struct message *out)
{
	text_add(t, "recv(%d, ", call_fd(in));
	show_bytes(t, out, 1);
	text_add(t, ", %lld, ", (long long)message_int(in, 1, 0));
	names_add_flags(t, NAME_MSG, (uint64_t)message_int(in, 2, 0));
	text_add(t, ")");
	show_result(t, out);
}

static void run_read(struct program *p, const struct message *in,
		     struct reply *out)
{
	size_t len;
	void *room = receive_room(in, &len);
	ssize_t n = -1;

	(void)p;
	if (room)
		n = read(call_fd(in), room, len);
	reply_result(out, n);
	reply_take(out, room, n < 0 ? 0 : (size_t)n);
}

static void show_read(struct text *t, const struct message *in,
		      const struct message *out)
{
	text_add(t, "read(%d, ", call_fd(in));
	show_bytes(t, out, 1);
	text_add(t, ", %lld)", (long long)message_int(in, 1, 0));
	show_result(t, out);
}

const struct call call_send = {
	.name = "send",
	.takes = "bN",
	.gives = 'i',
	.run = run_send,
	.show = show_send,
};
const struct call call_recv = {
	.name = "recv",
	.takes = "LN",
	.gives = 'b',
	.run = run_recv,
	.show = show_recv,
};
const struct call call_read = {
	.name = "read",
	.takes = "L",
	.gives = 'b',
	.run = run_read,
	.show = show_read,
};
const struct call call_write = {
	.name = "write",
	.takes = "b",
	.gives = 'i',
	.run = run_write,
	.show = show_write,
};
