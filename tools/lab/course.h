/* Where experiments are found: the course that comes along, and files. */
#ifndef LAB_COURSE_H
#define LAB_COURSE_H

#include <stddef.h>

#define EXPERIMENT_BYTES_MAX (1u << 20) /* of a chunk */
#define COURSE_TITLE_MAX     160

struct experiment {
	char *name; /* in the course: 03-reading-stops; of a file: its path */
	char *path;
	char *text; /* NUL behind it, not counted */
	size_t text_len;
};

struct course {
	char *dir;
	char **names; /* sorted */
	size_t count;
};

/*
 * The course: beside the binary when it runs where it was built, else where
 * it was installed. Returns 0, or -errno with one line in `err`.
 */
int course_open(struct course *c, char *err, size_t size);
void course_close(struct course *c);

/*
 * Load what `word` names: an experiment of the course by its name, its name
 * without the number, or its number; a file; or "-", standard input, which is
 * called stdin from then on. Returns 0, or -errno with one line in `err`, the
 * nearest name in it where there is one.
 */
int course_load(const struct course *c, const char *word, struct experiment *e,
		char *err, size_t size);
void experiment_free(struct experiment *e);

#endif
