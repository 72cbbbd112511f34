/*
 * Give up what is not needed once everything is open: what follows reads
 * bytes that strangers made.
 */
#ifndef TOOLS_CONFINE_H
#define TOOLS_CONFINE_H

/*
 * For a process of one thread that from here on only waits, reads, writes and
 * allocates: drop every capability, become an ordinary user where that is
 * possible (the one who called sudo, else nobody), forbid new privileges, and
 * leave the system calls for that and no other; any other ends the process.
 * Returns 0, or -errno with the step that failed in `*step`: the steps before
 * it hold.
 */
int confine(const char **step);

#endif
