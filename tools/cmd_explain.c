/* ooblab explain: what a finding of `ooblab capture` means. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/finding.h"
#include "tools/cmd.h"
#include "tools/place.h"
#include "tools/term.h"

#define FINDINGS_MAX 64
#define HEADING	     "## "

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

static void print_name(const struct capture_finding_kind *kind)
{
	struct term term = term_open(stdout);

	printf("%s%s%s\n", term_on(&term, TERM_BOLD), kind->name,
	       term_off(&term));
}

static bool is_heading(const char *line, const char *name)
{
	size_t len = strlen(HEADING), name_len = strlen(name);

	return !strncmp(line, HEADING, len) &&
	       !strncmp(line + len, name, name_len) &&
	       line[len + name_len] == '\n';
}

/* The section of docs/findings.md, without the blank lines around it. False:
 * there is none to read. */
static bool print_section(const struct capture_finding_kind *kind)
{
	char *path = place_of("findings.md"), *line = NULL;
	FILE *f = path ? fopen(path, "re") : NULL;
	bool inside = false, blank = false;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (inside && !strncmp(line, HEADING, strlen(HEADING)))
			break;
		if (inside && *line != '\n')
			printf("%s%s", blank ? "\n" : "", line);
		blank = *line == '\n';
		if (is_heading(line, kind->name)) {
			print_name(kind);
			inside = true;
		}
	}
	free(line);
	free(path);
	if (f)
		fclose(f);
	return inside;
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
	if (print_section(kind))
		return STATUS_HELD;
	print_name(kind);
	printf("\n%s.\n\n%s · %s\n", kind->sentence,
	       capture_severity_name(kind->severity), kind->rfc);
	return STATUS_HELD;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.args = "[FINDING]",
	.does = "tell what a finding of 'ooblab capture' means, or list them",
	.help = "example: ooblab explain pointer-zero\n",
	.run = run,
};
