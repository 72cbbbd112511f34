/*
 * What a BSD receiver makes of a stream: tcp_input() as 4.4BSD had it and
 * FreeBSD still does. Told from its source; not measured.
 */
#include "capture/view_family.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/reassembly.h"

/* The receiving half of a socket, in BSD's words. */
struct receiver {
	const struct capture_view_sink *sink;
	struct capture_reassembly text;
	struct capture_run *queue; /* so_rcv, linked by next */
	struct capture_run **queue_end;
	int64_t read;	/* all before this has been read */
	int64_t rcv_up; /* no pointer up to here makes a new mark */
	int64_t mark;	/* so_oobmark, as a sequence number */
	int64_t iobc_seq;
	const uint8_t *iobc; /* NULL: not captured */
	bool told;	     /* the reader has stood there */
	bool have_data;	     /* TCPOOB_HAVEDATA: iobc can be read */
	bool had_data;	     /* TCPOOB_HADDATA: it has been, since the mark */
	bool reset;
};

/*
 * The pointer names the octet behind the urgent byte, which is taken out of
 * the segment that brings it: one that has URG itself, whether or not its
 * pointer is news. A byte announced by one segment and brought by another
 * without URG stays in the stream.
 */
static void take_pointer(struct receiver *r, const struct capture_arrival *a,
			 struct capture_run *run)
{
	int64_t up = a->seq + a->urgent_pointer;
	size_t offset;

	if (!(a->flags & CAPTURE_URG) || up <= r->text.next) {
		/* Old, or none: later pointers are compared to what came. */
		if (r->text.next > r->rcv_up)
			r->rcv_up = r->text.next;
		return;
	}
	if (up > r->rcv_up) {
		r->rcv_up = up;
		r->mark = up - 1;
		r->told = r->have_data = r->had_data = false;
	}
	if (a->urgent_pointer > a->len)
		return;
	offset = a->urgent_pointer - 1u;
	run->taken = r->iobc_seq = up - 1;
	r->iobc = offset < a->caplen ? a->payload + offset : NULL;
	r->have_data = true;
}

static void append(void *context, struct capture_run *run)
{
	struct receiver *r = context;

	run->next = NULL;
	*r->queue_end = run;
	r->queue_end = &run->next;
}

static void take_segment(struct receiver *r, const struct capture_arrival *a,
			 struct capture_run *run)
{
	if (r->reset || a->flags & CAPTURE_SYN)
		return;
	if (a->flags & CAPTURE_RST) {
		r->reset = a->seq == r->text.next;
		return;
	}
	if (!(a->flags & CAPTURE_ACK))
		return;
	capture_run_from(run, a);
	if (!r->text.fin)
		take_pointer(r, a, run);
	capture_reassembly_take(&r->text, run);
}

/* --- the reader, after every segment ---------------------------------- */

static void read_urgent(struct receiver *r)
{
	if (!r->have_data || r->had_data)
		return;
	r->have_data = false;
	r->had_data = true;
	r->sink->urgent(r->sink->context, r->iobc_seq, r->iobc);
}

static void look(struct receiver *r)
{
	if (!r->told && r->read == r->mark) {
		r->told = true;
		r->sink->mark(r->sink->context, r->mark);
	}
}

/* Up to `end`, but for the byte that was taken out. */
static void hand(struct receiver *r, const struct capture_run *run, int64_t end)
{
	bool around = run->taken >= r->read && run->taken < end;

	capture_view_hand(r->sink, run, r->read, around ? run->taken : end);
	if (around)
		capture_view_hand(r->sink, run, run->taken + 1, end);
	r->read = end;
}

static void drain(struct receiver *r)
{
	read_urgent(r);
	look(r);
	for (struct capture_run *run = r->queue; run; run = run->next) {
		int64_t end = run->seq + (int64_t)run->len;

		if (r->read < r->mark && r->mark < end)
			hand(r, run, r->mark);
		look(r);
		hand(r, run, end);
		look(r);
	}
	r->queue = NULL;
	r->queue_end = &r->queue;
}

static void report(struct receiver *r, struct capture_view_end *end)
{
	end->seq = r->read;
	if (r->text.fin)
		end->stop = CAPTURE_VIEW_FIN;
	else if (r->reset)
		end->stop = CAPTURE_VIEW_RESET;
	else if (capture_runs_first(&r->text.early))
		end->stop = CAPTURE_VIEW_HOLE;
	else
		end->stop = CAPTURE_VIEW_OPEN;
}

static int receive(const struct capture_view *view,
		   const struct capture_stream *stream,
		   const struct capture_view_sink *sink,
		   struct capture_view_end *end)
{
	struct receiver r = {
		.sink = sink, .read = 1, .rcv_up = 1, .told = true
	};
	size_t count;
	const struct capture_arrival *arrivals =
		capture_stream_arrivals(stream, &count);
	struct capture_run *runs = calloc(count ? count : 1, sizeof(*runs));

	(void)view;
	if (!runs)
		return -ENOMEM;
	r.queue_end = &r.queue;
	capture_reassembly_start(&r.text, append, &r);
	for (size_t i = 0; i < count; i++) {
		take_segment(&r, &arrivals[i], &runs[i]);
		drain(&r);
	}
	report(&r, end);
	free(runs);
	return 0;
}

const struct capture_view capture_view_bsd = {
	.name = "bsd",
	.does = "BSD: the urgent byte is taken from the segment that brings it",
	.source = "RFC 6093 section 3.1; 4.4BSD, FreeBSD 14 tcp_input.c; told",
	.run = receive,
};
