/*
 * Namespaces of an experiment's own: user (so that no privilege is needed),
 * PID (so that nothing outlives it) and network (so that its ports, sysctls
 * and packets are its own). See user_namespaces(7).
 */
#ifndef LAB_ISOLATE_H
#define LAB_ISOLATE_H

#include <stddef.h>
#include <sys/types.h>

enum isolate_step {
	ISOLATE_CLONE,	 /* make the namespaces */
	ISOLATE_MAP,	 /* become root in the user namespace */
	ISOLATE_LOOPBACK /* bring lo up */
};

/*
 * Like fork(), but the child is process 1 of new PID and network namespaces:
 * made directly where the caller may, else within a new user namespace.
 * Returns as fork() does. The child then calls isolate_settle().
 */
pid_t isolate_fork(void);

/*
 * In the child: map the caller's user and group to root and bring lo up.
 * Returns 0, or -errno with what failed in `*step`.
 */
int isolate_settle(enum isolate_step *step);

/*
 * Can a child be isolated here? Returns 0, or -errno with the line of
 * isolate_explain() in `why`.
 */
int isolate_probe(char *why, size_t size);

/*
 * Why this machine refused `step` with `error`, which setting says so, and
 * what would change it: one line into `out`.
 */
void isolate_explain(enum isolate_step step, int error, char *out, size_t size);

#endif
