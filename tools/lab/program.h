/*
 * A program: one process of an experiment, told what to call over a socket.
 *
 * Its main thread makes the calls, so that a signal sent to the process
 * interrupts the call that blocks, as in a program of one thread. A second
 * thread, with all signals blocked, reads orders; one that comes while the
 * main thread is blocked is carried out by a thread of its own.
 */
#ifndef LAB_PROGRAM_H
#define LAB_PROGRAM_H

#include <stdint.h>

struct program;
struct reply;

/* Signals a program counts. Any other does what it does by default. */
extern const int program_signals[];
extern const unsigned program_signals_count;

/* Of RLIMIT_NOFILE: its own are high, the experiment's begin at 3. */
#define PROGRAM_OPEN_FILES 1024

/*
 * Be a program: take orders from `fd`, a stream socket, until it closes.
 * Closes every other descriptor from 3 up. Never returns: the exit status is 0,
 * or the errno of what a program cannot do without.
 */
_Noreturn void program_main(int fd);

/*
 * For a call: fork; the child becomes a program of its own. Fills `out` with
 * the child's pid and passes on the socket it takes its orders from.
 */
void program_fork(struct program *p, struct reply *out);

/*
 * The epoll instance that watches `fd` for `events`, kept between calls so
 * that edges are seen as an event loop sees them. Returns its descriptor or
 * -errno.
 */
int program_epoll(struct program *p, int fd, uint32_t events);

/* Drop what is kept about `fd`, which is being closed. */
void program_forget(struct program *p, int fd);

#endif
