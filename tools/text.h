/* A bounded line of text, and bytes made safe to print. */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX 1024

/* Always NUL-terminated; what does not fit is dropped and `cut` says so. */
struct text {
	char s[TEXT_MAX];
	size_t len; /* bytes before the NUL */
	bool cut;
};

void text_clear(struct text *t);
void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Append `bytes` between double quotes as strace does: printable ASCII as
 * itself, the rest as escapes. Those without a letter are \xff, never octal, as
 * the notes on urgent bytes have them: Lua reads them back. Past `most` bytes
 * the string ends in "...". This is the only way a peer's bytes reach a
 * terminal.
 */
void text_add_bytes(struct text *t, const void *bytes, size_t len, size_t most);

/* The same without the quotes. */
void text_add_plain(struct text *t, const void *bytes, size_t len, size_t most);

enum text_flags {
	TEXT_ASCII = 1 << 0,	/* for a terminal that does not speak UTF-8 */
	TEXT_ONE_LINE = 1 << 1, /* newlines become spaces */
};

/*
 * Copy `line` into `out`, every control character (of text direction too) and
 * every byte that is not part of well-formed UTF-8 as an escape such as \x1b:
 * what anyone may have written is then safe to print. A tab becomes a space;
 * what does not fit is dropped. Returns `out`.
 */
char *text_printable(char *out, size_t size, const char *line, int flags);

#endif
