/*
 * A trial: one experiment on one axis, in a process and namespaces of its
 * own, reporting to the run by records.
 */
#ifndef LAB_TRIAL_H
#define LAB_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is tried. Borrowed by the trial for its life. */
struct trial_job {
	const char *name; /* of the experiment */
	const char *path; /* as errors name it */
	const char *text; /* the chunk */
	size_t text_len;
	const char *transport; /* "tcp4", "tcp6", "unix", "mptcp" */
	bool inline_delivery;
	bool capture;
	bool isolate; /* false: where this process is */
	double timeout_s;
};

/* Memory both processes see, read by the run when it has to kill a trial. */
struct trial_shared {
	volatile int line; /* of the chunk, now running; 0 before it */
};

/* The run's handle. */
struct trial {
	pid_t pid;
	int fd; /* records come from it; one byte written to it says go */
	struct trial_shared *shared;
};

/*
 * Start a trial: it prepares its namespace and capture, reports
 * RECORD_READY, and waits for a byte. Returns 0, or -errno with one line of
 * why in `err` when this machine refuses.
 */
int trial_start(struct trial *t, const struct trial_job *job, char *err,
		size_t err_size);

/* Begin the experiment that was prepared. */
void trial_go(const struct trial *t);

/* Kill it if it still runs, wait for it, and free what it holds. */
void trial_end(struct trial *t);

#endif
