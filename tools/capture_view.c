/* --view: the bytes one kind of receiver would have handed its application. */
#include <stdio.h>
#include <unistd.h>

#include "capture/urgent.h"
#include "capture/view.h"
#include "tools/capture_kept.h"
#include "tools/cmd.h"
#include "tools/text.h"

#define CHUNK_BYTES 256 /* escaped at once */
#define OCTETS_TOLD 16

struct printing {
	const struct term *term;
	bool raw;	  /* into a pipe or a file: the bytes as they are */
	uint64_t missing; /* octets the capture has not */
	uint64_t urgent;  /* handed over out of band */
	struct text told; /* the first of those */
};

static void print_data(void *context, int64_t seq, const uint8_t *data,
		       size_t len)
{
	struct printing *p = context;
	struct text t;

	(void)seq;
	if (!data) {
		p->missing += len;
		return;
	}
	if (p->raw) {
		fwrite(data, 1, len, p->term->out);
		return;
	}
	for (size_t i = 0; i < len; i += CHUNK_BYTES) {
		size_t n = len - i < CHUNK_BYTES ? len - i : CHUNK_BYTES;

		text_clear(&t);
		text_add_plain(&t, data + i, n, n);
		fputs(t.s, p->term->out);
	}
}

static void note_urgent(void *context, int64_t seq, const uint8_t *byte)
{
	struct printing *p = context;
	char quoted[8];

	if (p->urgent++ < OCTETS_TOLD)
		text_add(&p->told, "%s %s at %lld", p->urgent > 1 ? "," : "",
			 capture_quote_byte(byte ? *byte : CAPTURE_NO_BYTE,
					    quoted),
			 (long long)seq);
}

/* A byte stream has no place to show it. */
static void pass_mark(void *context, int64_t seq)
{
	(void)context;
	(void)seq;
}

/* Returns 0, or an exit status after complaining. */
static int run_view(struct kept *kept, const struct capture_view *view,
		    struct printing *p)
{
	struct capture_view_sink sink = { .data = print_data,
					  .urgent = note_urgent,
					  .mark = pass_mark,
					  .context = p };
	struct capture_stream *stream = kept_stream(kept);
	struct capture_view_end at;

	if (!stream)
		return STATUS_USAGE;
	if (view->run(view, stream, &sink, &at) < 0) {
		cmd_complain("capture", "not enough memory");
		return STATUS_CANNOT;
	}
	if (!p->raw)
		putc('\n', p->term->out);
	return kept->error ? STATUS_USAGE : 0;
}

static int end_view(void *state, const struct output_totals *totals)
{
	struct kept *kept = state;
	struct printing p = { .raw = !isatty(STDOUT_FILENO) };
	const struct capture_view *view;
	int status = 0;

	text_clear(&p.told);
	p.term = &kept->context->term;
	view = capture_view_named(kept->context->view);
	if (totals)
		status = run_view(kept, view, &p);
	if (p.urgent)
		cmd_complain(view->name, "out of band:%s%s", p.told.s,
			     p.urgent > OCTETS_TOLD ? " …" : "");
	if (p.missing)
		cmd_complain(view->name,
			     "%llu bytes were not captured and are left out",
			     (unsigned long long)p.missing);
	kept_free(kept);
	return status;
}

const struct output output_view = {
	.begin = kept_begin,
	.listener = { .segment = kept_segment },
	.end = end_view,
};
