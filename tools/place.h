/* Where what comes along with the program lies. */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

/*
 * The path of `name` ("experiments", "findings.md"), which the caller frees:
 * in docs/ when the program runs where it was built, else where it was
 * installed, whether or not there is anything there. NULL: no memory.
 */
char *place_of(const char *name);

#endif
