/* Inside the comparison: sentences about what was found. */
#ifndef CAPTURE_COMPARE_TELL_H
#define CAPTURE_COMPARE_TELL_H

#include <stdarg.h>

#include "capture/compare_inner.h"

/* One connection being told, and the sentences in the making. */
struct compare_teller {
	struct capture_compare *compare;
	const struct pair *pair;
	struct way *ways;			    /* two */
	const struct capture_difference_kind *kind; /* being looked for */
	struct capture_difference difference;
	size_t used; /* bytes of its sentence */
};

/* Begin a difference of this direction; NULL: of the connection. */
void capture_tell_begin(struct compare_teller *t, const struct way *way,
			uint64_t count);

/* Its first example: a segment of the capture near the sender, and one of the
 * other. Either may be NULL. */
void capture_tell_example(struct compare_teller *t, const struct way *way,
			  const struct kept *sent, const struct kept *arrived);

/* Go on with the sentence. What does not fit is cut. */
void capture_tell_list(struct compare_teller *t, const char *format,
		       va_list args);

__attribute__((format(printf, 2, 3))) static inline void
tell(struct compare_teller *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	capture_tell_list(t, format, args);
	va_end(args);
}

/* Hand it to the listener. */
void capture_tell_end(struct compare_teller *t);

/* --- parts of sentences ------------------------------------------------- */

/* "10.0.0.1:1000 > 10.0.0.2:23", as A sees it. */
void capture_tell_way(struct compare_teller *t, const struct way *way);

/* "A's frame 7", of the capture near the sender or of the other. */
void capture_tell_sent(struct compare_teller *t, const struct way *way,
		       const struct kept *k);
void capture_tell_arrived(struct compare_teller *t, const struct way *way,
			  const struct kept *k);

/* "octets 1 to 100", "octet 1", "a RST", "no data". */
void capture_tell_content(struct compare_teller *t, const struct kept *k);

/* "between A and B", in the order of travel. */
void capture_tell_where(struct compare_teller *t, const struct way *way);

/* "1.5 ms"; the sign only where negative. */
void capture_tell_ns(struct compare_teller *t, int64_t ns);

/* "'c'", or nothing where the octet is not known; `before` it. */
void capture_tell_octet(struct compare_teller *t, const char *before, int octet,
			const char *after);

/* "1 segment", "2 segments". */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* --- kinds, in their files' order ---------------------------------------- */

void capture_find_urg_cleared(struct compare_teller *t);
void capture_find_pointer_changed(struct compare_teller *t);
void capture_find_urg_made(struct compare_teller *t);
void capture_find_urg_dropped(struct compare_teller *t);
void capture_find_mark_moved(struct compare_teller *t);
void capture_find_pointer_scrubbed(struct compare_teller *t);
void capture_find_data_changed(struct compare_teller *t);
void capture_find_missing(struct compare_teller *t);
void capture_find_reset(struct compare_teller *t);
void capture_find_injected(struct compare_teller *t);
void capture_find_dropped(struct compare_teller *t);
void capture_find_delayed(struct compare_teller *t);
void capture_find_reordered(struct compare_teller *t);
void capture_find_duplicated(struct compare_teller *t);
void capture_find_resegmented(struct compare_teller *t);
void capture_find_fragmented(struct compare_teller *t);
void capture_find_acks_injected(struct compare_teller *t);
void capture_find_acks_dropped(struct compare_teller *t);
void capture_find_unseen(struct compare_teller *t);

#endif
