#include "tools/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/text.h"

#define WORD_MAX 64

int cmd_usage(const struct cmd *cmd)
{
	fprintf(stderr, "usage: ooblab %s %s\n", cmd->name, cmd->args);
	fprintf(stderr, "'ooblab help %s' tells more.\n", cmd->name);
	return STATUS_USAGE;
}

void cmd_complain(const char *subject, const char *format, ...)
{
	char cause[TEXT_MAX], line[2 * TEXT_MAX], safe[2 * TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(cause, sizeof(cause), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "ooblab: %s: %s", subject, cause);
	fprintf(stderr, "%s\n", text_printable(safe, sizeof(safe), line));
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to add, drop or change to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], lb = strlen(b);

	if (strlen(a) > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
				       diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

const char *cmd_nearest(const char *word, const char *const *names,
			size_t count)
{
	size_t best = strlen(word) / 2 + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, names[i]);

		if (d < best || (!nearest && strstr(names[i], word))) {
			best = d < best ? d : best;
			nearest = names[i];
		}
	}
	return nearest;
}
