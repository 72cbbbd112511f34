/* How to write to the terminal, or to what stands in for one. */
#ifndef TOOLS_TERM_H
#define TOOLS_TERM_H

#include <stdbool.h>
#include <stdio.h>

enum term_style {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_DIM,
	TERM_GOOD,
	TERM_BAD,
	TERM_URGENT,
};

struct term {
	FILE *out;
	bool colour; /* a tty, and NO_COLOR is not set (no-color.org) */
	bool utf8;   /* by the locale */
	int width;   /* columns, 40 to 1000; 100 where nothing tells */
};

struct term term_open(FILE *out);

/* Begin and end a style; nothing where there is no colour. */
const char *term_on(const struct term *t, enum term_style style);
const char *term_off(const struct term *t);

/* text_printable()'s flags for this terminal. */
int term_text_flags(const struct term *t);

/*
 * Print text that anyone may have written: made printable, and broken at the
 * right edge, after a space where there is one. The cursor stands in column
 * `at`; each further line begins in column `indent`, after a newline of the
 * text as well, so that no text can pass for a line of ours. Ends without one.
 */
void term_wrap(const struct term *t, enum term_style style, int at, int indent,
	       const char *text);

/* Columns that UTF-8 text of single-width characters takes. */
int term_columns(const char *text);

#endif
