#include "capture/reassembly.h"

void capture_reassembly_start(struct capture_reassembly *r,
			      void (*accept)(void *context,
					     struct capture_run *run),
			      void *context)
{
	*r = (struct capture_reassembly){
		.next = 1,
		.accept = accept,
		.context = context,
	};
}

/* Let the run begin at `seq`, if it begins before. */
static void cut_front(struct capture_run *run, int64_t seq)
{
	size_t n = seq > run->seq ? (size_t)(seq - run->seq) : 0;

	if (n > run->len) /* into the FIN */
		n = run->len;
	run->len -= n;
	if (n > run->caplen) {
		run->data += run->caplen;
		run->caplen = 0;
	} else if (n > 0) {
		run->data += n;
		run->caplen -= n;
	}
	if (seq > run->seq)
		run->seq = seq;
}

static void keep_early(struct capture_reassembly *r, struct capture_run *run)
{
	const struct capture_run *before = capture_runs_at(&r->early, run->seq);
	struct capture_run *after;

	if (before)
		cut_front(run, before->end);
	if (run->seq >= run->end)
		return;
	capture_runs_insert(&r->early, run);
	while ((after = capture_runs_next(run)) && after->seq < run->end) {
		if (after->end > run->end) {
			cut_front(after, run->end); /* still next in line */
			break;
		}
		capture_runs_remove(&r->early, after);
	}
}

static void accept_run(struct capture_reassembly *r, struct capture_run *run)
{
	r->next = run->end;
	r->fin = run->fin;
	r->accept(r->context, run);
}

void capture_reassembly_take(struct capture_reassembly *r,
			     struct capture_run *run)
{
	if (r->fin)
		return;
	cut_front(run, r->next);
	if (run->seq >= run->end)
		return;
	keep_early(r, run);
	while (!r->fin && (run = capture_runs_first(&r->early)) &&
	       run->seq == r->next) {
		capture_runs_remove(&r->early, run);
		accept_run(r, run);
	}
}
