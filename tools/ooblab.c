/* ooblab: an out-of-band data and urgent-signal laboratory. */
#include <ctype.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/version.h"

extern const struct cmd cmd_run, cmd_list, cmd_show, cmd_new, cmd_capture,
	cmd_explain, cmd_doctor, cmd_help;

const struct cmd *const cmds[] = {
	&cmd_run,     &cmd_list,    &cmd_show,	 &cmd_new,
	&cmd_capture, &cmd_explain, &cmd_doctor, &cmd_help,
};
const size_t cmds_count = sizeof(cmds) / sizeof(cmds[0]);

static void print_overview(FILE *out)
{
	fprintf(out, "usage: ooblab VERB [ARGUMENT]...\n\n");
	for (size_t i = 0; i < cmds_count; i++)
		fprintf(out, "  %-9s %s\n", cmds[i]->name, cmds[i]->does);
	fprintf(out, "\n'ooblab help VERB' tells more of one; "
		     "'ooblab run' begins the course.\n");
}

static const struct cmd *find(const char *name)
{
	for (size_t i = 0; i < cmds_count; i++) {
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *verbs[16];
	const char *nearest;

	for (size_t i = 0; i < cmds_count; i++)
		verbs[i] = cmds[i]->name;
	nearest = cmd_nearest(name, verbs, cmds_count);
	if (nearest)
		cmd_complain(name, "no such verb; did you mean %s?", nearest);
	else
		cmd_complain(name, "no such verb; 'ooblab help' lists them");
	return STATUS_USAGE;
}

static int help(const struct cmd *self, int argc, char **argv)
{
	const struct cmd *cmd;
	char synopsis[128];

	if (argc > 2)
		return cmd_usage(self);
	if (argc < 2) {
		print_overview(stdout);
		return STATUS_HELD;
	}
	cmd = find(argv[1]);
	if (!cmd)
		return unknown(argv[1]);
	printf("usage: ooblab %s\n\n%c%s.\n\n%s",
	       cmd_synopsis(cmd, synopsis, sizeof(synopsis)),
	       toupper((unsigned char)*cmd->does), cmd->does + 1, cmd->help);
	return STATUS_HELD;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[VERB]",
	.does = "tell what a verb does, its options and an example",
	.help = "example: ooblab help run\n",
	.run = help,
};

/* A reader that left (| head) is no error worth a message. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cmd_complain("standard output", "cannot write all of it");
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;

	setlocale(LC_CTYPE, "");
	opterr = 0; /* cmd_bad_option() says it in our own form */
	/* Ignored by our parent, a child's end could not be waited for. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2) {
		print_overview(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return finish(version_print());
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return finish(help(&cmd_help, 1, argv));
	cmd = find(argv[1]);
	if (!cmd)
		return unknown(argv[1]);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
		return finish(help(&cmd_help, 2, argv));
	return finish(cmd->run(cmd, argc - 1, argv + 1));
}
