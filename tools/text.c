#include "tools/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void text_clear(struct text *t)
{
	t->s[0] = '\0';
	t->len = 0;
	t->cut = false;
}

void text_add(struct text *t, const char *format, ...)
{
	size_t room = sizeof(t->s) - t->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->s + t->len, room, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->cut = true;
		n = (int)room - 1;
	}
	t->len += (size_t)n;
}

static void add_escaped(struct text *t, unsigned char c)
{
	static const char named[][2] = {
		{ '\n', 'n' }, { '\r', 'r' }, { '\t', 't' },  { '\v', 'v' },
		{ '\f', 'f' }, { '"', '"' },  { '\\', '\\' },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (c == (unsigned char)named[i][0]) {
			text_add(t, "\\%c", named[i][1]);
			return;
		}
	}
	if (c >= 0x20 && c < 0x7f)
		text_add(t, "%c", c);
	else
		text_add(t, "\\x%02x", c);
}

static void add_all(struct text *t, const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add_escaped(t, p[i]);
}

void text_add_bytes(struct text *t, const void *bytes, size_t len, size_t most)
{
	text_add(t, "\"");
	add_all(t, bytes, len < most ? len : most);
	text_add(t, most < len ? "\"..." : "\"");
}

void text_add_plain(struct text *t, const void *bytes, size_t len, size_t most)
{
	add_all(t, bytes, len < most ? len : most);
	if (most < len)
		text_add(t, "...");
}

/* Controls of a terminal (C1) and of the order of what it shows (UAX #9). */
static bool is_control(uint32_t code)
{
	return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/*
 * Length of the well-formed UTF-8 sequence at `p`; 0 when there is none, or
 * one that is not to be printed.
 */
static size_t utf8_length(const unsigned char *p)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
	} forms[] = {
		{ 0xe0, 0xc0, 2 },
		{ 0xf0, 0xe0, 3 },
		{ 0xf8, 0xf0, 4 },
	};
	uint32_t code;

	for (size_t f = 0; f < 3; f++) {
		if ((p[0] & forms[f].mask) != forms[f].lead)
			continue;
		code = p[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[i] & 0x3f);
		}
		/* No overlong form, surrogate, or past U+10FFFF. */
		if (is_control(code) || (f == 1 && code < 0x800) ||
		    (f == 2 && code < 0x10000) || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		return forms[f].len;
	}
	return 0;
}

/* Room for four bytes. Returns how many it took. */
static size_t put_byte(char *out, unsigned char c, int flags)
{
	static const char digits[] = "0123456789abcdef";

	if (c == '\t' || (c == '\n' && flags & TEXT_ONE_LINE)) {
		out[0] = ' ';
		return 1;
	}
	if (c == '\n' || (c >= 0x20 && c < 0x7f)) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[c >> 4];
	out[3] = digits[c & 15];
	return 4;
}

char *text_printable(char *out, size_t size, const char *line, int flags)
{
	const unsigned char *p = (const unsigned char *)line;
	size_t o = 0;

	while (*p && o + 5 < size) {
		size_t n = flags & TEXT_ASCII ? 0 : utf8_length(p);

		if (n)
			memcpy(out + o, p, n);
		o += n ? n : put_byte(out + o, *p, flags);
		p += n ? n : 1;
	}
	out[o] = '\0';
	return out;
}
