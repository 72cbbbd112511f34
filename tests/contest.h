/*
 * Programs that do the same job, run in turn and measured from outside, so
 * that whatever else the machine does meets them all alike.
 */
#ifndef TESTS_CONTEST_H
#define TESTS_CONTEST_H

#include <stdbool.h>
#include <stddef.h>

struct measure {
	double wall_s; /* from start to exit */
	double cpu_s;
	long rss_kib; /* the largest */
};

struct contestant {
	const char *name;
	const char *needs;   /* a program that must be installed; NULL: none */
	const char *command; /* for sh; what it prints is thrown away */
	/* Compared to the row that stands so many rows above it; 0: not. */
	size_t beside;
	double most; /* of that row's time that it should take; 0: any */
};

/* Is there such a program to be run? */
bool contest_has(const char *program);

/* Run the command once. False, with a line on standard error, if its status
 * is not 0. */
bool contest_measure(const char *command, struct measure *out);

/*
 * Run all in turn, at most `rounds` times and for about `seconds`, at least
 * once, and print a line each: medians of time, and how they compare.
 */
void contest(const struct contestant *all, size_t count, unsigned rounds,
	     double seconds);

#endif
