/*
 * The calls a program can be told to make.
 *
 * A row is all there is to know of one: how its process makes it, what its
 * arguments are in Lua, and how strace would print it. The lab and the program
 * run the same binary, so a row's place in the table is its name on the way.
 */
#ifndef LAB_CALL_H
#define LAB_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lab/message.h"
#include "tools/text.h"

#define CALL_RECEIVE_MAX (16u << 20) /* bytes one receive may ask for */
#define CALL_SHOWN_BYTES 32	     /* of data, as strace prints it */

struct program; /* the process that makes the calls: tools/lab/program.h */

/* An answer in the making. v[0] is what the kernel returned, or -errno. */
struct reply {
	struct message m;
	void *own;   /* what the values point into; freed once sent */
	int pass_fd; /* goes with the reply and is closed here; -1 none */
};

enum call_thread {
	CALL_MAIN,    /* the program's main thread: a signal interrupts it */
	CALL_CONTROL, /* at once, while the main thread may be blocked */
};

struct call {
	const char *name;
	enum call_thread thread;

	/*
	 * A socket method's arguments, a letter each: n integer, N the same
	 * or 0, B the same or SOMAXCONN, L length of a receive, b bytes,
	 * a address, T seconds or for ever; O, F and S those of setsockopt,
	 * fcntl and select. NULL: this is no socket's method.
	 */
	const char *takes;

	/*
	 * What the method returns: i the integer; b the bytes received; a an
	 * address; s a new socket and its peer's address; r the events that
	 * are ready; x the sets of select; v what an ioctl filled; o an
	 * option; f what fcntl says; d bytes dropped; m data before the mark;
	 * u the urgent byte and the data before it.
	 */
	char gives;

	bool tells_ends; /* v[1] and v[2] of the reply: the socket's names */

	void (*run)(struct program *p, const struct message *in,
		    struct reply *out);
	void (*show)(struct text *t, const struct message *in,
		     const struct message *out);
};

extern const struct call *const calls[];
extern const uint32_t calls_count;

/* Index of the row called `name`; the table is known to have it. */
uint32_t call_index(const char *name);

/* The descriptor an order is about; -1 where it has none. */
int call_fd(const struct message *order);

/* For run: the kernel's answer, `ret` or -errno where that is negative. */
void reply_result(struct reply *out, int64_t ret);
/* For run: append `len` bytes of `own`, which the reply now owns. */
void reply_take(struct reply *out, void *own, size_t len);

/* For show: append " = 3", or " = -1 EAGAIN (...)". */
void show_result(struct text *t, const struct message *out);
/* For show: append the bytes of value `i` as a C string, cut at 32. */
void show_bytes(struct text *t, const struct message *m, unsigned i);
/* For show: append value `i` as an address. */
void show_address(struct text *t, const struct message *m, unsigned i);

#endif
