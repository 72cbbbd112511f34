#include "tools/lab/call.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tools/lab/address.h"
#include "tools/lab/names.h"

extern const struct call call_socket, call_bind, call_listen, call_accept,
	call_connect, call_getsockname, call_getpeername, call_shutdown,
	call_close;
extern const struct call call_send, call_recv, call_read, call_write;
extern const struct call call_setsockopt, call_getsockopt, call_fcntl,
	call_ioctl, call_observe;
extern const struct call call_select, call_poll, call_epoll;
extern const struct call call_discard_until_mark, call_read_until_mark,
	call_read_oob;
extern const struct call call_fork, call_setpgid, call_sysctl, call_settle;

const struct call *const calls[] = {
	&call_socket,
	&call_bind,
	&call_listen,
	&call_accept,
	&call_connect,
	&call_getsockname,
	&call_getpeername,
	&call_shutdown,
	&call_close,
	&call_send,
	&call_recv,
	&call_read,
	&call_write,
	&call_setsockopt,
	&call_getsockopt,
	&call_fcntl,
	&call_ioctl,
	&call_observe,
	&call_select,
	&call_poll,
	&call_epoll,
	&call_read_oob,
	&call_read_until_mark,
	&call_discard_until_mark,
	&call_fork,
	&call_setpgid,
	&call_sysctl,
	&call_settle,
};
const uint32_t calls_count = sizeof(calls) / sizeof(calls[0]);

uint32_t call_index(const char *name)
{
	for (uint32_t i = 0; i < calls_count; i++) {
		if (!strcmp(calls[i]->name, name))
			return i;
	}
	assert(!"a call that is in no table");
	return 0;
}

int call_fd(const struct message *order)
{
	return (int)message_int(order, 0, -1);
}

void reply_result(struct reply *out, int64_t ret)
{
	message_add_int(&out->m, ret < 0 ? -errno : ret);
}

void reply_take(struct reply *out, void *own, size_t len)
{
	out->own = own;
	message_add_bytes(&out->m, own, len);
}

void show_result(struct text *t, const struct message *out)
{
	int64_t ret = message_int(out, 0, 0);

	if (ret >= 0)
		text_add(t, " = %lld", (long long)ret);
	else
		text_add(t, " = -1 %s (%s)", names_errno((int)-ret),
			 strerrordesc_np((int)-ret));
}

void show_bytes(struct text *t, const struct message *m, unsigned i)
{
	if (i < m->n && m->v[i].kind == VALUE_BYTES)
		text_add_bytes(t, m->v[i].bytes, m->v[i].len, CALL_SHOWN_BYTES);
	else
		text_add(t, "\"\"");
}

void show_address(struct text *t, const struct message *m, unsigned i)
{
	struct address a = { .len = 0 };

	if (i < m->n && m->v[i].kind == VALUE_BYTES)
		a = address_from(m->v[i].bytes, m->v[i].len);
	address_add(t, &a);
}
