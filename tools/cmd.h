/* A verb of the command line. One row carries all that is said of it. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

#include <getopt.h>
#include <stddef.h>

/* Exit statuses, the same for every verb. */
enum status {
	STATUS_HELD = 0,    /* held, nothing wrong */
	STATUS_NOT = 1,	    /* did not hold, something found */
	STATUS_USAGE = 2,   /* usage, or bad input */
	STATUS_CANNOT = 77, /* cannot run here; the line says what is missing */
	STATUS_INTERRUPTED = 130,
};

struct cmd {
	const char *name;
	const char *args; /* synopsis behind the name; "" none */
	const char *does; /* half a line */
	const char *help; /* options and an example, whole lines */

	/* argv[0] is the verb. Returns an exit status. */
	int (*run)(const struct cmd *self, int argc, char **argv);
};

extern const struct cmd *const cmds[];
extern const size_t cmds_count;

/* "show NAME" */
const char *cmd_synopsis(const struct cmd *cmd, char *out, size_t size);

/* Complain of the arguments: how `cmd` is used. Returns STATUS_USAGE. */
int cmd_usage(const struct cmd *cmd);

/*
 * Complain of the option that getopt_long() did not take: `c` is what it gave,
 * '?' or ':', and the short options begin with ':'. Returns STATUS_USAGE.
 */
int cmd_bad_option(const struct cmd *cmd, int c, char **argv,
		   const struct option *known);

/* "ooblab: SUBJECT: CAUSE" on stderr; control characters made visible. */
void cmd_complain(const char *subject, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The one of `names` that `word` was likely meant to be, the first by alphabet
 * of several, or one that it is part of; NULL if none is.
 */
const char *cmd_nearest(const char *word, const char *const *names,
			size_t count);

#endif
