#include "capture/compare_tell.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "capture/urgent.h"

void capture_tell_begin(struct compare_teller *t, const struct way *way,
			uint64_t count)
{
	t->used = 0;
	t->difference = (struct capture_difference){
		.kind = t->kind,
		.connection = t->pair ? t->pair->told.number : 0,
		.direction = way ? way->direction : CAPTURE_BOTH_WAYS,
		.count = count,
	};
}

void capture_tell_example(struct compare_teller *t, const struct way *way,
			  const struct kept *sent, const struct kept *arrived)
{
	const struct kept *a = way->from == CAPTURE_A ? sent : arrived;
	const struct kept *b = way->from == CAPTURE_A ? arrived : sent;

	t->difference.frame_a = a ? a->frame : 0;
	t->difference.frame_b = b ? b->frame : 0;
}

void capture_tell_list(struct compare_teller *t, const char *format,
		       va_list args)
{
	const size_t room = sizeof(t->difference.sentence) - t->used;
	const int n =
		vsnprintf(t->difference.sentence + t->used, room, format, args);

	if (n > 0)
		t->used += (size_t)n < room ? (size_t)n : room - 1;
}

void capture_tell_end(struct compare_teller *t)
{
	const struct capture_compare_listener *listener = &t->compare->listener;

	t->compare->result.differences[t->kind->severity]++;
	if (listener->difference)
		listener->difference(listener->context, &t->difference);
}

/* --- parts of sentences ------------------------------------------------- */

char *capture_endpoint_text(const struct capture_endpoint *end,
			    char text[CAPTURE_ENDPOINT_MAX])
{
	char address[INET6_ADDRSTRLEN] = "?";
	const bool v4 = end->address_len == 4;

	inet_ntop(v4 ? AF_INET : AF_INET6, end->address, address,
		  sizeof(address));
	snprintf(text, CAPTURE_ENDPOINT_MAX, v4 ? "%s:%u" : "[%s]:%u", address,
		 end->port);
	return text;
}

void capture_tell_way(struct compare_teller *t, const struct way *way)
{
	const struct capture_endpoint *ends = t->pair->told.ends_a;
	char from[CAPTURE_ENDPOINT_MAX], to[CAPTURE_ENDPOINT_MAX];

	tell(t, "%s > %s", capture_endpoint_text(&ends[way->direction], from),
	     capture_endpoint_text(&ends[!way->direction], to));
}

static void tell_frame(struct compare_teller *t, enum capture_side side,
		       const struct kept *k)
{
	tell(t, "%c's frame %llu", 'A' + side, (unsigned long long)k->frame);
}

void capture_tell_sent(struct compare_teller *t, const struct way *way,
		       const struct kept *k)
{
	tell_frame(t, way->from, k);
}

void capture_tell_arrived(struct compare_teller *t, const struct way *way,
			  const struct kept *k)
{
	tell_frame(t, other_side(way->from), k);
}

void capture_tell_content(struct compare_teller *t, const struct kept *k)
{
	const long long from = kept_data(k), to = from + k->len - 1;

	if (k->flags & CAPTURE_RST)
		tell(t, "a RST");
	else if (k->len > 1)
		tell(t, "octets %lld to %lld", from, to);
	else if (k->len == 1)
		tell(t, "octet %lld", from);
	else if (k->flags & CAPTURE_SYN)
		tell(t, "a SYN");
	else if (k->flags & CAPTURE_FIN)
		tell(t, "a FIN");
	else
		tell(t, "no data");
}

void capture_tell_where(struct compare_teller *t, const struct way *way)
{
	tell(t, "between %c and %c", 'A' + way->from,
	     'A' + other_side(way->from));
}

void capture_tell_ns(struct compare_teller *t, int64_t ns)
{
	const double size = ns < 0 ? -(double)ns : (double)ns;

	if (size < 1e6)
		tell(t, "%.1f us", (double)ns / 1e3);
	else if (size < 1e9)
		tell(t, "%.1f ms", (double)ns / 1e6);
	else
		tell(t, "%.3f s", (double)ns / 1e9);
}

void capture_tell_octet(struct compare_teller *t, const char *before, int octet,
			const char *after)
{
	char quoted[8];

	if (octet != CAPTURE_NO_OCTET)
		tell(t, "%s%s%s", before, capture_quote_byte(octet, quoted),
		     after);
}
