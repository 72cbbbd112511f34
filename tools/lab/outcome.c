#include "tools/lab/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "tools/lab/event.h"
#include "tools/lab/trial.h"

bool outcome_add(struct outcome *o, json_t *event)
{
	json_t **more = o->events;

	if (!event)
		return false;
	if ((o->count & (o->count + 1)) == 0) /* 0, 1, 3, 7 …: it is full */
		more = realloc(o->events, 2 * (o->count + 1) * sizeof(*more));
	if (!more) {
		json_decref(event);
		return false;
	}
	o->events = more;
	o->events[o->count++] = event;
	return true;
}

static json_int_t time_of(const json_t *event)
{
	return json_integer_value(json_object_get(event, "t_ns"));
}

static int by_time(const void *a, const void *b)
{
	json_int_t x = time_of(*(json_t *const *)a);
	json_int_t y = time_of(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

void outcome_sort(struct outcome *o)
{
	if (o->count)
		qsort(o->events, o->count, sizeof(*o->events), by_time);
}

void outcome_judge(struct outcome *o, const char *why)
{
	struct event_verdict v = { .experiment = o->job->name,
				   .transport = o->job->transport,
				   .inline_delivery = o->job->inline_delivery,
				   .verdict = "error",
				   .why = why };

	if (o->verdict)
		return;
	for (size_t i = 0; i < o->count; i++) {
		const json_t *e = o->events[i];
		const json_t *held = json_object_get(e, "held");

		v.t_ns = time_of(e) > v.t_ns ? time_of(e) : v.t_ns;
		v.expectations += held != NULL;
		v.failures += json_is_false(held);
	}
	o->verdict = event_verdict_json(&v);
}

void outcome_free_events(struct outcome *o)
{
	for (size_t i = 0; i < o->count; i++)
		json_decref(o->events[i]);
	free(o->events);
	o->events = NULL;
	o->count = 0;
}

void outcome_free(struct outcome *o)
{
	outcome_free_events(o);
	json_decref(o->verdict);
	o->verdict = NULL;
}
