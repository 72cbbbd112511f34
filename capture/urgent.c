#include "capture/urgent.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A note in the making; what does not fit is cut. */
struct note {
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct note *note,
						      const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(note->text + note->used, CAPTURE_NOTE_MAX - note->used,
		      format, args);
	va_end(args);
	note->used += n > 0 ? (size_t)n : 0;
	if (note->used >= CAPTURE_NOTE_MAX)
		note->used = CAPTURE_NOTE_MAX - 1;
}

char *capture_quote_byte(int byte, char text[8])
{
	static const char plain[] = "\a\b\f\n\r\t\v\\'";
	static const char letters[] = "abfnrtv\\'";
	const char *special;

	if (byte < 0) {
		strcpy(text, "none");
		return text;
	}
	special = byte ? strchr(plain, byte) : NULL;
	if (special)
		snprintf(text, 8, "'\\%c'", letters[special - plain]);
	else if (byte >= ' ' && byte <= '~')
		snprintf(text, 8, "'%c'", byte);
	else
		snprintf(text, 8, "'\\x%02x'", (unsigned)byte & 0xff);
	return text;
}

/* What URG and its pointer say of this segment. */
static void add_pointer(struct note *note, const struct capture_segment *s,
			const struct capture_event *event)
{
	char quoted[8];

	if (event->facts & CAPTURE_FACT_BEYOND)
		add(note, "announces the mark %u byte%s past this segment",
		    s->urgent_pointer - s->payload_len,
		    s->urgent_pointer - s->payload_len == 1 ? "" : "s");
	else if (event->byte_bsd == CAPTURE_NO_BYTE)
		add(note, "urgent byte not captured");
	else
		add(note, "urgent byte %s%s",
		    capture_quote_byte(event->byte_bsd, quoted),
		    s->urgent_pointer ? "" : ", sent before");
}

static void add_urgent(struct note *note, const struct capture_segment *s,
		       const struct capture_event *event)
{
	if (event->facts & CAPTURE_FACT_ON_RST)
		add(note, "on RST, announces nothing");
	else if (event->facts & CAPTURE_FACT_BACKWARDS)
		add(note, "points behind the mark announced before");
	else if (event->facts & CAPTURE_FACT_BYTE_AGAIN &&
		 !(event->facts & CAPTURE_FACT_NEW_MARK))
		add(note, "the urgent byte again");
	else
		add_pointer(note, s, event);
	if (event->facts & CAPTURE_FACT_MOVES_ON)
		add(note, "; the mark before was as far as a pointer reaches");
	else if (event->facts & CAPTURE_FACT_REPLACES)
		add(note, "; replaces a mark not yet acknowledged");
}

/* Not worth a comment: a flag repeated for a mark that is known already, or
 * an old segment's pointer to a mark that has since moved on. */
static bool is_news(uint32_t facts)
{
	if (facts & (CAPTURE_FACT_NEW_MARK | CAPTURE_FACT_BYTE |
		     CAPTURE_FACT_BYTE_AGAIN | CAPTURE_FACT_BYTE_DIFFERS |
		     CAPTURE_FACT_POINTER_ONLY))
		return true;
	return facts & (CAPTURE_FACT_BACKWARDS | CAPTURE_FACT_ON_RST);
}

static void add_news(struct note *note, const struct capture_segment *segment,
		     const struct capture_event *event)
{
	char quoted[8];

	if (event->facts & CAPTURE_FACT_URG)
		add_urgent(note, segment, event);
	else if (event->facts & CAPTURE_FACT_BYTE)
		add(note, "the urgent byte %s, announced in frame %llu",
		    capture_quote_byte(event->byte_bsd, quoted),
		    (unsigned long long)event->announced_frame);
	else if (event->facts & CAPTURE_FACT_BYTE_AGAIN)
		add(note, "the urgent byte again, without URG");
	else
		add(note, "urgent pointer %u without URG",
		    segment->urgent_pointer);
	if (event->facts & CAPTURE_FACT_BYTE_DIFFERS)
		add(note, "; it had another value before");
}

size_t capture_urgent_note(const struct capture_segment *segment,
			   const struct capture_event *event,
			   char text[CAPTURE_NOTE_MAX])
{
	struct note note = { .text = text };

	text[0] = '\0';
	if (!is_news(event->facts))
		return 0;
	if (event->facts & CAPTURE_FACT_URG)
		add(&note, "URG up=%u: ", segment->urgent_pointer);
	add_news(&note, segment, event);
	return note.used;
}

size_t capture_urgent_field(const struct capture_segment *segment,
			    const struct capture_event *event,
			    char text[CAPTURE_NOTE_MAX])
{
	struct note note = { .text = text };
	bool news = is_news(event->facts);

	text[0] = '\0';
	if (event->facts & CAPTURE_FACT_URG)
		add(&note, "up=%u%s", segment->urgent_pointer,
		    news ? ": " : "");
	if (news)
		add_news(&note, segment, event);
	return note.used;
}
