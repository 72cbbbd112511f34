/* The frames of a run's trials as one pcapng file, a capture point a trial. */
#ifndef LAB_SAVE_H
#define LAB_SAVE_H

#include <stddef.h>
#include <stdint.h>

struct save;
struct trial_job;

/*
 * Begin `path`, or standard output for "-". Returns 0, or -errno with one
 * line in `err`.
 */
int save_open(struct save **out, const char *path, char *err, size_t size);

/* The capture point of a trial. Returns its number or -errno. */
int save_trial(struct save *s, const struct trial_job *job);

/*
 * One RECORD_FRAME's content; -EPROTO for what is none. After a first failure
 * nothing is written any more: save_close() tells.
 */
int save_frame(struct save *s, int point, const uint8_t *record, size_t len);

/* What the trial's kernel counted. */
int save_counts(struct save *s, int point, uint64_t received, uint64_t dropped);

/*
 * End the file. Returns 0, or the -errno of the first write that failed, with
 * one line in `err`: the file then ends after its last whole frame.
 */
int save_close(struct save *s, char *err, size_t size);

#endif
