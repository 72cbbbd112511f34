/* What came of one trial: the events it told of, and its verdict. */
#ifndef LAB_OUTCOME_H
#define LAB_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct trial_job;

struct outcome {
	const struct trial_job *job; /* borrowed */
	json_t **events;	     /* without the verdict */
	size_t count;
	json_t *verdict; /* NULL until there is one */
};

/*
 * Take `event`, NULL allowed for one that could not be made. Returns false when
 * it is lost.
 */
bool outcome_add(struct outcome *o, json_t *event);

/* Put the events in order of time. */
void outcome_sort(struct outcome *o);

/*
 * The verdict of a trial that gave none itself: "error", and why. The
 * expectations among the events are counted. Nothing when there is one already.
 */
void outcome_judge(struct outcome *o, const char *why);

/* Of what was told the verdict is enough. */
void outcome_free_events(struct outcome *o);
void outcome_free(struct outcome *o);

#endif
