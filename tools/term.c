#include "tools/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_ELSEWHERE 100
#define WIDTH_LEAST	40

static int width_of(FILE *out)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int width = 0;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (!width && columns)
		width = atoi(columns);
	if (width <= 0)
		return WIDTH_ELSEWHERE;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

struct term term_open(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *name = getenv("TERM");

	return (struct term){
		.out = out,
		.colour = isatty(fileno(out)) && !(no_color && *no_color) &&
			  !(name && !strcmp(name, "dumb")),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.width = width_of(out),
	};
}

const char *term_on(const struct term *t, enum term_style style)
{
	static const char *const codes[] = {
		[TERM_PLAIN] = "",	   [TERM_BOLD] = "\033[1m",
		[TERM_DIM] = "\033[2m",	   [TERM_GOOD] = "\033[32m",
		[TERM_BAD] = "\033[1;31m", [TERM_URGENT] = "\033[1;35m",
	};

	return t->colour ? codes[style] : "";
}

const char *term_off(const struct term *t)
{
	return t->colour ? "\033[0m" : "";
}

int term_columns(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
