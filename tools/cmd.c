#include "tools/cmd.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/term.h"
#include "tools/text.h"

#define WORD_MAX    64
#define PART_LEAST  3 /* letters that tell which name they are part of */
#define OPTIONS_MAX 64

const char *cmd_synopsis(const struct cmd *cmd, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", cmd->name, *cmd->args ? " " : "",
		 cmd->args);
	return out;
}

int cmd_usage(const struct cmd *cmd)
{
	char synopsis[TEXT_MAX];

	cmd_complain(cmd->name, "usage: ooblab %s; 'ooblab help %s' tells more",
		     cmd_synopsis(cmd, synopsis, sizeof(synopsis)), cmd->name);
	return STATUS_USAGE;
}

void cmd_complain(const char *subject, const char *format, ...)
{
	char cause[TEXT_MAX], line[2 * TEXT_MAX], safe[2 * TEXT_MAX];
	struct term term = term_open(stderr);
	va_list ap;

	va_start(ap, format);
	vsnprintf(cause, sizeof(cause), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "ooblab: %s: %s", subject, cause);
	text_printable(safe, sizeof(safe), line,
		       TEXT_ONE_LINE | term_text_flags(&term));
	fprintf(stderr, "%s\n", safe);
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to add, drop, change, or swap with the next, to make b of a. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], lb = strlen(b);

	if (strlen(a) > WORD_MAX || lb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], row[j],
					       rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[strlen(a) % 3][lb];
}

const char *cmd_nearest(const char *word, const char *const *names,
			size_t count)
{
	size_t best = strlen(word) / 2 + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, names[i]);

		if (d < best ||
		    (nearest && d == best && strcmp(names[i], nearest) < 0)) {
			best = d;
			nearest = names[i];
		}
	}
	if (strlen(word) < PART_LEAST)
		return nearest;
	for (size_t i = 0; !nearest && i < count; i++)
		nearest = strstr(names[i], word) ? names[i] : NULL;
	return nearest;
}

static const char *nearest_option(const char *word, const struct option *known)
{
	const char *names[OPTIONS_MAX];
	size_t n = 0;

	for (; n < OPTIONS_MAX && known[n].name; n++)
		names[n] = known[n].name;
	return cmd_nearest(word, names, n);
}

int cmd_bad_option(const struct cmd *cmd, int c, char **argv,
		   const struct option *known)
{
	const char *word = argv[optind - 1], *nearest = NULL;
	bool is_long = !strncmp(word, "--", 2);
	char name[WORD_MAX];

	snprintf(name, sizeof(name), "-%c", optopt);
	if (is_long)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="),
			 word);
	if (c == ':' || (is_long && optopt)) {
		cmd_complain(cmd->name, "%s %s", name,
			     c == ':' ? "needs a value" : "takes no value");
		return STATUS_USAGE;
	}
	if (is_long)
		nearest = nearest_option(name + 2, known);
	if (nearest)
		cmd_complain(cmd->name, "unknown option %s; did you mean --%s?",
			     name, nearest);
	else
		cmd_complain(cmd->name,
			     "unknown option %s; 'ooblab help %s' lists them",
			     name, cmd->name);
	return STATUS_USAGE;
}
