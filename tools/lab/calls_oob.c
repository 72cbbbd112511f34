/* The library's own calls, made in the program's process. */
#include "oob/mark.h"

#include "tools/lab/call.h"

#define KEPT_BYTES_MAX (16u << 20) /* of ordinary data before a mark */

/* in: fd, time-out in nanoseconds (below 0: for ever). */
static int64_t deadline_of(const struct message *in)
{
	int64_t ns = message_int(in, 1, -1);

	return ns < 0 ? OOB_NO_DEADLINE : oob_deadline_in(ns);
}

/* v[0]: 1 at the mark, 0 the stream ended, -errno; v[1]: bytes dropped. */
static void run_discard_until_mark(struct program *p, const struct message *in,
				   struct reply *out)
{
	size_t dropped = 0;
	int ret;

	(void)p;
	ret = oob_discard_until_mark(call_fd(in), &dropped, deadline_of(in));
	message_add_int(&out->m, ret);
	message_add_int(&out->m, (int64_t)dropped);
}

static void show_discard_until_mark(struct text *t, const struct message *in,
				    const struct message *out)
{
	text_add(t, "oob_discard_until_mark(%d, [%lld])", call_fd(in),
		 (long long)message_int(out, 1, 0));
	show_result(t, out);
}

/* v[1]: the data that stood before the mark. */
static void run_read_until_mark(struct program *p, const struct message *in,
				struct reply *out)
{
	struct oob_buffer kept;

	(void)p;
	oob_buffer_init(&kept, KEPT_BYTES_MAX);
	message_add_int(&out->m, oob_buffer_until_mark(call_fd(in), &kept,
						       deadline_of(in)));
	reply_take(out, kept.data, kept.len);
}

static void show_read_until_mark(struct text *t, const struct message *in,
				 const struct message *out)
{
	text_add(t, "oob_buffer_until_mark(%d, ", call_fd(in));
	show_bytes(t, out, 1);
	text_add(t, ")");
	show_result(t, out);
}

/* v[1]: the data before the urgent byte; v[2]: the byte. */
static void run_read_oob(struct program *p, const struct message *in,
			 struct reply *out)
{
	struct oob_buffer before;
	unsigned char byte = 0;

	(void)p;
	oob_buffer_init(&before, KEPT_BYTES_MAX);
	message_add_int(&out->m, oob_read_oob(call_fd(in), &byte, &before,
					      deadline_of(in)));
	reply_take(out, before.data, before.len);
	message_add_int(&out->m, byte);
}

static void show_read_oob(struct text *t, const struct message *in,
			  const struct message *out)
{
	unsigned char byte = (unsigned char)message_int(out, 2, 0);

	text_add(t, "oob_read_oob(%d, ", call_fd(in));
	if (message_int(out, 0, 0) == 1)
		text_add_bytes(t, &byte, 1, 1);
	else
		text_add(t, "\"\"");
	text_add(t, ", ");
	show_bytes(t, out, 1);
	text_add(t, ")");
	show_result(t, out);
}

const struct call call_discard_until_mark = {
	.name = "discard_until_mark",
	.takes = "T",
	.gives = 'd',
	.run = run_discard_until_mark,
	.show = show_discard_until_mark,
};
const struct call call_read_until_mark = {
	.name = "read_until_mark",
	.takes = "T",
	.gives = 'm',
	.run = run_read_until_mark,
	.show = show_read_until_mark,
};
const struct call call_read_oob = {
	.name = "read_oob",
	.takes = "T",
	.gives = 'u',
	.run = run_read_oob,
	.show = show_read_oob,
};
