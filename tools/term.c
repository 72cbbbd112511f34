#include "tools/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/text.h"

#define WIDTH_ELSEWHERE 100
#define WIDTH_LEAST	40
#define WIDTH_MOST	1000
#define WRAP_BYTES_MAX	4096

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
	if (width > WIDTH_MOST)
		return WIDTH_MOST;
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

int term_text_flags(const struct term *t)
{
	return t->utf8 ? 0 : TEXT_ASCII;
}

/* Bytes of `text` that go on a line of `room` columns. */
static size_t line_bytes(const char *text, int room)
{
	size_t bytes = 0, space = 0;
	int columns = 0;

	while (text[bytes] && text[bytes] != '\n' && columns < room) {
		if (text[bytes] == ' ')
			space = bytes;
		do {
			bytes++;
		} while (((unsigned char)text[bytes] & 0xc0) == 0x80);
		columns++;
	}
	if (!text[bytes] || text[bytes] == '\n' || text[bytes] == ' ')
		return bytes;
	return space ? space : bytes;
}

void term_wrap(const struct term *t, enum term_style style, int at, int indent,
	       const char *text)
{
	char safe[WRAP_BYTES_MAX];
	int room = t->width - at;

	text = text_printable(safe, sizeof(safe), text, term_text_flags(t));
	for (;;) {
		size_t n = line_bytes(text, room > 0 ? room : 1), shown = n;

		while (shown && text[shown - 1] == ' ')
			shown--;
		fprintf(t->out, "%s%.*s%s", term_on(t, style), (int)shown, text,
			term_off(t));
		text += n;
		text += *text == '\n' ? 1 : strspn(text, " ");
		if (!*text)
			return;
		fprintf(t->out, "\n%*s", *text == '\n' ? 0 : indent, "");
		room = t->width - indent;
	}
}
