/* ooblab explain: what a finding of `ooblab capture` means. */
#include <stdio.h>

#include "capture/finding.h"
#include "tools/cmd.h"

#define FINDINGS_MAX 64

static int list(void)
{
	for (size_t i = 0; i < capture_finding_count; i++)
		printf("%-30s %-8s %s\n", capture_findings[i].name,
		       capture_severity_name(capture_findings[i].severity),
		       capture_findings[i].rfc);
	return STATUS_HELD;
}

static int unknown(const char *word)
{
	const char *names[FINDINGS_MAX], *nearest;
	size_t n = 0;

	for (; n < capture_finding_count && n < FINDINGS_MAX; n++)
		names[n] = capture_findings[n].name;
	nearest = cmd_nearest(word, names, n);
	cmd_complain(word, "no such finding%s%s%s",
		     nearest ? "; did you mean " : "", nearest ? nearest : "",
		     nearest ? "?" : "; 'ooblab explain' lists them");
	return STATUS_USAGE;
}

static int run(const struct cmd *self, int argc, char **argv)
{
	const struct capture_finding_kind *kind;

	if (argc > 2)
		return cmd_usage(self);
	if (argc < 2)
		return list();
	kind = capture_finding_by_name(argv[1]);
	if (!kind)
		return unknown(argv[1]);
	printf("%s (%s)\n\n%s.\n\nSource: %s\n", kind->name,
	       capture_severity_name(kind->severity), kind->sentence,
	       kind->rfc);
	return STATUS_HELD;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.args = "[FINDING]",
	.does = "tell what a finding of 'ooblab capture' means, or list them",
	.help = "example: ooblab explain pointer-zero\n",
	.run = run,
};
