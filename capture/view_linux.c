/*
 * What Linux makes of a stream. Follows net/ipv4/tcp_input.c and tcp.c; that it
 * does is proved by tests/test_view_kernel.c, which gives the same segments to
 * the running kernel. Last measured on 6.18.
 */
#include "capture/view_family.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* How the socket, and who reads from it, differ between the views. */
struct manner {
	bool late; /* reads when all has arrived, not after each segment */
	bool inline_urg; /* SO_OOBINLINE */
	bool rfc1122;	 /* net.ipv4.tcp_stdurg=1 */
	bool no_urg;	 /* the flag was cleared on the way */
};

enum urgent_state {
	URGENT_NONE,
	URGENT_AWAITED, /* announced: the byte has not come */
	URGENT_HERE,
	URGENT_READ, /* taken with MSG_OOB; the mark stands */
};

/* The receiving half of a socket, in the kernel's words. */
struct receiver {
	const struct manner *manner;
	const struct capture_view_sink *sink;
	struct capture_run *queue; /* sk_receive_queue, linked by next */
	struct capture_run *queue_last;
	struct capture_runs early; /* out_of_order_queue */
	int64_t rcv_nxt;
	int64_t copied; /* copied_seq: what read() returns next */
	enum urgent_state urgent;
	int64_t urg_seq;
	const uint8_t *urg_byte; /* NULL: not captured */
	bool established;
	bool fin;
	bool reset;
	bool at_mark;  /* what the reader was told last … */
	int64_t stood; /* … and where it stood then */
};

/* --- urgent mode ------------------------------------------------------ */

/* tcp_check_urg(): does this pointer make a new mark? */
static void check_pointer(struct receiver *r, const struct capture_arrival *a)
{
	int64_t mark = a->seq + a->urgent_pointer;

	/* Pointer 0 names the first octet in both readings. */
	if (a->urgent_pointer && !r->manner->rfc1122)
		mark--;
	/*
	 * A byte that has been received, or read, can no longer be made
	 * urgent. One that waits in the out of order queue can, but is not
	 * fetched from there: unless it comes again, it is never handed over,
	 * neither out of band nor, as read() leaves it out, in band.
	 */
	if (mark < r->copied || mark < r->rcv_nxt)
		return;
	if (r->urgent && mark <= r->urg_seq)
		return;
	/*
	 * The reader stands at the old mark, and the byte there has come: it
	 * vanishes, so that two bytes sent urgent one after the other both
	 * stay out of the ordinary stream. Where the reader stands elsewhere,
	 * the old urgent byte becomes an ordinary one.
	 */
	if (r->urgent && r->urg_seq == r->copied && !r->manner->inline_urg &&
	    r->copied != r->rcv_nxt) {
		r->copied++;
		if (r->queue && r->copied >= r->queue->end)
			r->queue = r->queue->next; /* even if a FIN is in it */
	}
	r->urgent = URGENT_AWAITED;
	r->urg_seq = mark;
}

/*
 * tcp_urg(): takes the byte from the segment at hand, in order or not. The
 * kernel counts from the segment's header, and so, where a segment begins
 * right behind a mark whose byte has not come, takes a byte of that segment's
 * header for the urgent one.
 */
static void take_pointer(struct receiver *r, const struct capture_arrival *a)
{
	uint32_t header = a->header ? (a->header[12] >> 4) * 4u : 0;
	int64_t offset;

	if (a->flags & CAPTURE_URG && !r->manner->no_urg)
		check_pointer(r, a);
	if (r->urgent != URGENT_AWAITED)
		return;
	offset = r->urg_seq - a->seq - !!(a->flags & CAPTURE_SYN) + header;
	if (offset < 0 || offset >= (int64_t)header + a->len)
		return;
	r->urgent = URGENT_HERE;
	r->urg_byte = NULL;
	if (offset < a->header_len)
		r->urg_byte = a->header + offset;
	else if (offset >= header && offset - header < a->caplen)
		r->urg_byte = a->payload + (offset - header);
}

/* --- reassembly ------------------------------------------------------- */

/* tcp_try_coalesce(): true if `run` follows right on `to` and is now a part
 * of it. (With a FIN between the two, the octets of `run` move down by one.) */
static bool merge(struct capture_run *to, struct capture_run *run)
{
	if (run->seq != to->end)
		return false;
	to->last->more = run;
	to->last = run->last;
	to->total += run->total;
	to->end = run->end;
	to->fin |= run->fin;
	return true;
}

/* tcp_queue_rcv(). What can be merged is read in one go: a FIN that comes
 * alone ends the read of the octets before it, at a mark or not. */
static void append(struct receiver *r, struct capture_run *run)
{
	r->rcv_nxt = run->end;
	if (run->fin) { /* tcp_fin(): nothing that follows counts */
		r->fin = true;
		r->early = (struct capture_runs){ 0 };
	}
	if (r->queue && merge(r->queue_last, run))
		return;
	run->next = NULL;
	if (r->queue)
		r->queue_last->next = run;
	else
		r->queue = run;
	r->queue_last = run;
}

/* tcp_ofo_queue() */
static void append_early(struct receiver *r)
{
	struct capture_run *run;

	while ((run = capture_runs_first(&r->early)) &&
	       run->seq <= r->rcv_nxt) {
		capture_runs_remove(&r->early, run);
		if (run->end > r->rcv_nxt)
			append(r, run);
	}
}

/*
 * tcp_data_queue_ofo(), on the way down the tree. Of octets that came twice
 * those count that came first, unless a run replaces one that begins where it
 * does, or covers ones that begin behind; but a run that follows right on one
 * met on the way is merged into that, and then is before all behind it.
 * Whether the kernel can merge two depends on how their memory lies; here it
 * always can. False: nothing of `run` is kept in its own place.
 */
static bool find_place(struct receiver *r, struct capture_run *run,
		       struct capture_run **alike)
{
	struct capture_run *at = r->early.root;

	*alike = NULL;
	if (!at)
		return true;
	if (merge(r->early.last, run))
		return false;
	if (run->seq >= r->early.last->end)
		return true;
	for (; at && !*alike; at = at->child[run->seq >= at->seq]) {
		if (run->seq < at->seq)
			continue;
		if (run->seq >= at->end ? merge(at, run) : run->end <= at->end)
			return false;
		if (run->seq == at->seq)
			*alike = at;
	}
	return true;
}

static void keep_early(struct receiver *r, struct capture_run *run)
{
	struct capture_run *alike, *after;

	if (!find_place(r, run, &alike))
		return;
	if (alike)
		capture_runs_replace(&r->early, alike, run);
	else
		capture_runs_insert(&r->early, run);
	while ((after = capture_runs_next(run)) && after->end <= run->end)
		capture_runs_remove(&r->early, after);
}

/* tcp_data_queue() */
static void take_text(struct receiver *r, struct capture_run *run)
{
	if (run->end == run->seq || run->end <= r->rcv_nxt)
		return;
	if (run->seq > r->rcv_nxt) {
		keep_early(r, run);
		return;
	}
	append(r, run);
	append_early(r);
}

/* --- a segment -------------------------------------------------------- */

/*
 * A pointer on the SYN|ACK that answers a connect() counts; one on the SYN
 * that reaches a listening socket does not, nor one on any later SYN.
 */
static bool take_syn(struct receiver *r, const struct capture_arrival *a)
{
	bool first = !r->established;

	r->established = true;
	if (!(a->flags & CAPTURE_SYN))
		return false;
	if (first && a->flags & CAPTURE_ACK)
		take_pointer(r, a);
	return true;
}

/* tcp_rcv_established(), and tcp_rcv_state_process() in CLOSE_WAIT. */
static void take_segment(struct receiver *r, const struct capture_arrival *a,
			 struct capture_run *run)
{
	capture_run_from(run, a);
	if (r->reset || take_syn(r, a))
		return;
	if (a->flags & CAPTURE_RST) {
		/* RFC 5961 section 3.2: only the very number resets; after a
		 * FIN its own does, too. */
		r->reset = a->seq == r->rcv_nxt ||
			   (r->fin && a->seq == r->rcv_nxt - 1);
		return;
	}
	/* All of it acknowledged: dropped, pointer and all. */
	if (!(a->flags & CAPTURE_ACK) || run->end < r->rcv_nxt)
		return;
	take_pointer(r, a);
	/* Behind a FIN a pointer still counts. Data does not, but resets if
	 * it begins before the FIN; a second FIN counts once more. */
	if (r->fin && run->seq >= r->rcv_nxt)
		return;
	if (r->fin && run->end - run->fin > r->rcv_nxt)
		r->reset = true;
	else
		take_text(r, run);
}

/* --- the reader ------------------------------------------------------- */

/* ioctl(SIOCATMARK), asked before each read */
static void look(struct receiver *r)
{
	bool at_mark = r->urgent && r->urg_seq == r->copied;

	if (at_mark && !(r->at_mark && r->stood == r->copied))
		r->sink->mark(r->sink->context, r->copied);
	r->at_mark = at_mark;
	r->stood = r->copied;
}

/* recv(MSG_OOB), upon POLLPRI */
static void read_urgent(struct receiver *r)
{
	if (r->urgent != URGENT_HERE || r->manner->inline_urg)
		return;
	if (r->reset && !r->fin)
		return; /* ENOTCONN */
	r->urgent = URGENT_READ;
	r->sink->urgent(r->sink->context, r->urg_seq, r->urg_byte);
}

/* `used` octets of a run and of those merged into it, from r->copied on. */
static void hand(struct receiver *r, const struct capture_run *run,
		 int64_t used)
{
	int64_t end = r->copied + used;
	int64_t seq = run->seq;

	for (; run && r->copied < end; run = run->more) {
		struct capture_run piece = *run;
		int64_t until = seq + (int64_t)run->len;

		piece.seq = seq;
		seq = until;
		if (until > end)
			until = end;
		if (r->copied >= until)
			continue;
		capture_view_hand(r->sink, &piece, r->copied, until);
		r->copied = until;
	}
}

/* The first run of the queue with something to read, a FIN if nothing else. */
static struct capture_run *next_run(struct receiver *r)
{
	struct capture_run *run;

	while ((run = r->queue)) {
		if (r->copied < run->seq + (int64_t)run->total || run->fin)
			return run;
		r->queue = run->next;
	}
	return NULL;
}

/* How much of `left` octets a read takes before the mark stops it; steps over
 * the urgent byte. */
static int64_t up_to_mark(struct receiver *r, int64_t left)
{
	int64_t ahead = r->urg_seq - r->copied;

	if (!r->urgent || ahead < 0 || ahead >= left)
		return left;
	if (ahead > 0)
		return ahead;
	if (r->manner->inline_urg)
		return left;
	r->copied++;
	return left - 1;
}

/* One read() of any size, as tcp_recvmsg_locked() does it. False: there was
 * nothing, or the end. */
static bool read_some(struct receiver *r)
{
	struct capture_run *run;
	bool some = false;

	while ((run = next_run(r)) &&
	       !(some && r->urgent && r->urg_seq == r->copied)) {
		int64_t end = run->seq + (int64_t)run->total;
		int64_t used = 0;

		if (r->copied < end)
			used = up_to_mark(r, end - r->copied);
		hand(r, run, used);
		some |= used > 0;
		if (r->urgent && r->copied > r->urg_seq)
			r->urgent = URGENT_NONE;
		/* No look at the mark between the last octet and the FIN. */
		if (r->copied >= end && run->fin) {
			r->copied++;
			run->fin = false;
			break;
		}
	}
	return some;
}

static void drain(struct receiver *r)
{
	bool some;

	read_urgent(r);
	do {
		look(r);
		some = read_some(r);
	} while (some);
	look(r);
}

static void report(const struct receiver *r, struct capture_view_end *end)
{
	end->seq = r->copied;
	if (r->fin) /* told first, and again: read() returns 0 */
		end->stop = CAPTURE_VIEW_FIN;
	else if (r->reset)
		end->stop = CAPTURE_VIEW_RESET;
	else if (capture_runs_first(&r->early))
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
		.manner = view->manner, .sink = sink, .rcv_nxt = 1, .copied = 1
	};
	size_t count;
	const struct capture_arrival *arrivals =
		capture_stream_arrivals(stream, &count);
	struct capture_run *runs = calloc(count ? count : 1, sizeof(*runs));

	if (!runs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		take_segment(&r, &arrivals[i], &runs[i]);
		if (!r.manner->late)
			drain(&r);
	}
	drain(&r);
	report(&r, end);
	free(runs);
	return 0;
}

/* --- the views -------------------------------------------------------- */

#define MEASURED "Linux 6.18, tcp(7); replayed into the kernel"
#define RFC_1122 "RFC 1122 section 4.2.2.4; "

static const struct manner at_once;
static const struct manner late = { .late = true };
static const struct manner inline_urg = { .inline_urg = true };
static const struct manner rfc1122 = { .rfc1122 = true };
static const struct manner rfc1122_late = { .rfc1122 = true, .late = true };
static const struct manner no_urg = { .no_urg = true };

const struct capture_view capture_view_linux = {
	.name = "linux",
	.does = "Linux, urgent byte out of band, read after every segment",
	.source = MEASURED,
	.run = receive,
	.manner = &at_once,
};

const struct capture_view capture_view_linux_late = {
	.name = "linux-late",
	.does = "Linux, urgent byte out of band, read when all has arrived",
	.source = MEASURED,
	.run = receive,
	.manner = &late,
};

const struct capture_view capture_view_linux_inline = {
	.name = "linux-inline",
	.does = "Linux with SO_OOBINLINE, read after every segment",
	.source = MEASURED,
	.run = receive,
	.manner = &inline_urg,
};

const struct capture_view capture_view_rfc1122 = {
	.name = "rfc1122",
	.does = "the pointer names the urgent byte: Linux with tcp_stdurg=1",
	.source = RFC_1122 MEASURED,
	.run = receive,
	.manner = &rfc1122,
};

const struct capture_view capture_view_rfc1122_late = {
	.name = "rfc1122-late",
	.does = "the same, read when all has arrived",
	.source = RFC_1122 MEASURED,
	.run = receive,
	.manner = &rfc1122_late,
};

const struct capture_view capture_view_stripped = {
	.name = "stripped",
	.does = "URG cleared on the way: every byte ordinary",
	.source = "RFC 6093 section 3.4",
	.run = receive,
	.manner = &no_urg,
};
