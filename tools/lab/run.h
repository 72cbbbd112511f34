/* A run: experiments on all axes asked for, tried, told and saved. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/lab/course.h"
#include "tools/lab/report.h"

#define RUN_TRANSPORTS 4

struct run_options {
	const char *transports[RUN_TRANSPORTS];
	size_t transport_count;
	bool inline_axis[2]; /* try without inline delivery; with it */
	bool capture;
	bool isolate;	  /* in namespaces of their own */
	unsigned jobs;	  /* trials at once */
	double timeout_s; /* of one trial */
	const char *save; /* path of a pcapng file; NULL none */
	const struct report *report;
	struct reporter reporter;
};

/* Returns an exit status (tools/cmd.h). */
int run_experiments(const struct experiment *experiments, size_t count,
		    struct run_options *options);

#endif
