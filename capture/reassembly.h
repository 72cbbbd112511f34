/*
 * Inside the views: reassembly by the BSD rule. Of octets that came twice and
 * wait for others, those of the run that begins first count: a new run loses
 * to one that begins before it, and wins over one that begins behind.
 */
#ifndef CAPTURE_REASSEMBLY_H
#define CAPTURE_REASSEMBLY_H

#include "capture/runs.h"

struct capture_reassembly {
	struct capture_runs early;
	int64_t next; /* all before this has come */
	bool fin;
	/* Takes the runs that are in order: in order, and each octet once. */
	void (*accept)(void *context, struct capture_run *run);
	void *context;
};

void capture_reassembly_start(struct capture_reassembly *r,
			      void (*accept)(void *context,
					     struct capture_run *run),
			      void *context);

/* Put in the next run. Nothing behind a FIN counts. */
void capture_reassembly_take(struct capture_reassembly *r,
			     struct capture_run *run);

#endif
