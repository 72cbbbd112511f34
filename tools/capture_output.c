/* What the outputs share. */
#include "tools/capture_output.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int output_begin(void **state, const struct output_context *context)
{
	*state = (void *)context;
	return 0;
}

void output_flush(void *state)
{
	const struct output_context *c = state;

	fflush(c->term.out);
}

const char *output_end_name(uint8_t end)
{
	static const char *const names[] = {
		[CAPTURE_END_ACKED] = "acknowledged",
		[CAPTURE_END_REPLACED] = "replaced",
		[CAPTURE_END_RESET] = "reset",
		[CAPTURE_END_REUSED] = "reused",
		[CAPTURE_END_EVICTED] = "evicted",
		[CAPTURE_END_OPEN] = "open",
	};

	return names[end];
}

static const char *end_text(const uint8_t *address, uint8_t len, uint16_t port,
			    char out[OUTPUT_END_MAX])
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(len == 4 ? AF_INET : AF_INET6, address, host, sizeof(host));
	snprintf(out, OUTPUT_END_MAX, len == 4 ? "%s:%u" : "[%s]:%u", host,
		 port);
	return out;
}

const char *output_source(const struct capture_segment *segment,
			  char out[OUTPUT_END_MAX])
{
	return end_text(segment->src, segment->address_len, segment->sport,
			out);
}

const char *output_destination(const struct capture_segment *segment,
			       char out[OUTPUT_END_MAX])
{
	return end_text(segment->dst, segment->address_len, segment->dport,
			out);
}

bool output_flow_is_urgent(const struct survey *survey, uint64_t flow)
{
	return flow / 64 < survey->words &&
	       survey->urgent[flow / 64] >> flow % 64 & 1;
}

static bool make_room(struct survey *s, uint64_t flow)
{
	size_t words = s->words ? s->words : 64;
	uint64_t *more;

	while (words <= flow / 64)
		words *= 2;
	if (words == s->words)
		return true;
	more = realloc(s->urgent, words * sizeof(*more));
	if (!more)
		return false;
	memset(more + s->words, 0, (words - s->words) * sizeof(*more));
	s->urgent = more;
	s->words = words;
	return true;
}

static void survey_urgent(void *context, const struct capture_sighting *seen)
{
	const struct capture_event *e = seen->event;
	struct survey *s = context;

	if (!(seen->segment->flags & CAPTURE_URG) &&
	    !seen->segment->urgent_pointer)
		return;
	if (!make_room(s, e->flow)) {
		s->no_memory = true;
		return;
	}
	if (!s->urgent_flows)
		s->first_flow = e->flow;
	if (e->flow == s->first_flow)
		s->first_directions |= (uint8_t)(1 << e->direction);
	if (!output_flow_is_urgent(s, e->flow))
		s->urgent_flows++;
	s->urgent[e->flow / 64] |= UINT64_C(1) << e->flow % 64;
}

const struct capture_listener output_survey = { .urgent = survey_urgent };
