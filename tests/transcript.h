/* What a reader was handed, as a line of text: "ab" for ordinary bytes, !c for
 * an urgent one, | where it stood at the mark, ? for bytes not captured. */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "capture/urgent.h"
#include "capture/view.h"

struct transcript {
	char text[16384];
	size_t len;
	bool quoted; /* a string is open */
};

static inline void transcript_add(struct transcript *t, const char *format, ...)
{
	size_t room = sizeof(t->text) - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->text + t->len, room, format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

static inline void transcript_unquote(struct transcript *t)
{
	if (t->quoted)
		transcript_add(t, "\"");
	if (t->len > 0)
		transcript_add(t, " ");
	t->quoted = false;
}

static inline void transcript_byte(struct transcript *t, int byte)
{
	if (byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\')
		transcript_add(t, "%c", byte);
	else
		transcript_add(t, "\\x%02x", (unsigned)byte);
}

static inline void transcript_data(struct transcript *t, const uint8_t *data,
				   size_t len)
{
	if (!t->quoted) {
		transcript_unquote(t);
		transcript_add(t, "\"");
	}
	t->quoted = true;
	for (size_t i = 0; i < len; i++)
		if (data)
			transcript_byte(t, data[i]);
		else
			transcript_add(t, "?");
}

static inline void transcript_urgent(struct transcript *t, const uint8_t *byte)
{
	transcript_unquote(t);
	transcript_add(t, "!");
	if (byte)
		transcript_byte(t, *byte);
	else
		transcript_add(t, "?");
}

static inline void transcript_mark(struct transcript *t)
{
	transcript_unquote(t);
	transcript_add(t, "|");
}

static inline void transcript_stop(struct transcript *t,
				   enum capture_view_stop stop)
{
	static const char *const words[] = { "open", "fin", "reset", "hole" };

	transcript_unquote(t);
	transcript_add(t, "%s", words[stop]);
}

/* --- of a view -------------------------------------------------------- */

static inline void transcript_on_data(void *context, int64_t seq,
				      const uint8_t *data, size_t len)
{
	(void)seq;
	transcript_data(context, data, len);
}

static inline void transcript_on_urgent(void *context, int64_t seq,
					const uint8_t *byte)
{
	(void)seq;
	transcript_urgent(context, byte);
}

static inline void transcript_on_mark(void *context, int64_t seq)
{
	(void)seq;
	transcript_mark(context);
}

/* Returns what the view did. */
static inline int transcript_view(struct transcript *t,
				  const struct capture_view *view,
				  const struct capture_stream *stream)
{
	struct capture_view_sink sink = {
		.data = transcript_on_data,
		.urgent = transcript_on_urgent,
		.mark = transcript_on_mark,
		.context = t,
	};
	struct capture_view_end end;
	int ret = view->run(view, stream, &sink, &end);

	if (ret == 0)
		transcript_stop(t, end.stop);
	return ret;
}

#endif
