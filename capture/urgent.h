/* What a segment's urgent pointer says, in words. */
#ifndef CAPTURE_URGENT_H
#define CAPTURE_URGENT_H

#include <stddef.h>

#include "capture/decode.h"
#include "capture/flow.h"

/* Room for any note, NUL included. */
#define CAPTURE_NOTE_MAX 160

/*
 * The comment a frame is worth, such as "URG up=3: urgent byte 'c'" or
 * "URG up=5: announces the mark 4 bytes past this segment". Names the BSD
 * reading's byte; bytes that do not print are escaped as in C. Returns its
 * length, or 0 (and an empty text) for a segment that brings no news.
 */
size_t capture_urgent_note(const struct capture_segment *segment,
			   const struct capture_event *event,
			   char text[CAPTURE_NOTE_MAX]);

/*
 * The same for a line that names the flags already: "up=3: urgent byte 'c'".
 * A segment with URG that brings no news has its pointer alone, "up=3".
 */
size_t capture_urgent_field(const struct capture_segment *segment,
			    const struct capture_event *event,
			    char text[CAPTURE_NOTE_MAX]);

/*
 * One payload byte as C would quote it: 'c', '\n', '\xff'. `byte` may be
 * CAPTURE_NO_BYTE: "none". Returns `text`.
 */
char *capture_quote_byte(int byte, char text[8]);

#endif
