/*
 * The lab of one experiment: its programs, the sockets they hold, the wire
 * between them, and the calls in flight. Lives in the trial's process.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/lab/address.h"
#include "tools/lab/call.h"
#include "tools/lab/message.h"
#include "tools/lab/record.h"

#define LAB_ACTORS   32
#define LAB_NAME_MAX 32
#define LAB_WHY_MAX  512

/* Of calls that nobody has released yet: how many, and what they hold. */
#define LAB_CALLS      256
#define LAB_CALL_BYTES (256u << 20)

struct lab;
struct wire;

/* A program as the lab sees it. */
struct actor {
	struct lab *lab;
	char name[LAB_NAME_MAX];
	pid_t pid; /* in the trial's PID namespace */
	struct channel channel;
	bool order_waits;	  /* part of an order found no room yet */
	bool gone;		  /* its socket closed: it has ended */
	bool killed_here;	  /* by the experiment's own kill() */
	unsigned signals[NSIG];	  /* noticed since signals() was asked last */
	unsigned unawaited[NSIG]; /* noticed, not yet met by wait_signal() */
};

/* One socket in one program. */
struct end {
	struct actor *actor;
	struct end *other; /* the far end, where it is known */
	struct end *next;
	struct address local, peer;
	int fd;
	int family; /* AF_* it was made with */
	bool stream_open;
	int64_t unread, at_mark, unacked; /* as last observed */
};

/* A call that was ordered. Freed by lab_release(). */
struct pending {
	struct pending *next;
	struct actor *actor;
	struct end *end;       /* NULL for a call of the program itself */
	struct end *made;      /* the socket it made, once it has */
	struct message *order; /* owned copies */
	struct message *reply; /* NULL until it came */
	int passed_fd;	       /* that came with the reply; -1 none */
	int line;	       /* of the experiment's text */
	bool setup;	       /* made by connect{}, not by the experiment */
	bool later;	       /* the experiment goes on meanwhile */
	bool released;	       /* nobody waits any more */
};

struct lab {
	int out;	     /* where records go */
	int64_t t0_ns;	     /* CLOCK_REALTIME: the experiment begins */
	int64_t deadline_ns; /* CLOCK_MONOTONIC: and is over by then */
	double timeout_s;
	bool isolated;		/* in a network namespace of its own */
	struct wire *wire;	/* NULL without capture, and on unix */
	size_t wire_cursor;	/* behind the segment matched last */
	const char *experiment; /* its name */
	const char *transport;
	bool inline_delivery;
	struct actor *actors[LAB_ACTORS];
	unsigned actors_count;
	struct end *ends;
	struct pending *pending;
	uint32_t next_id;
	int line; /* of the experiment's text, now running */
	unsigned expectations, failures;
	bool broken;	       /* `why` is no fault of an expectation */
	char why[LAB_WHY_MAX]; /* first thing that went wrong */
};

int64_t lab_realtime_ns(void);

/* Keep the first reason; later ones are its consequences. */
void lab_why(struct lab *lab, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Tell the run, as record_write() does. A trial that cannot ends here: what it
 * found out would be lost, and no verdict is better than a wrong one.
 */
void lab_record(struct lab *lab, enum record_kind kind, const void *a,
		size_t a_len, const void *b, size_t b_len, const void *c,
		size_t c_len);

/* The program called `name`, or NULL. */
struct actor *lab_find(struct lab *lab, const char *name);

/*
 * Start a program, and wait until it takes orders. NULL with errno set: EUSERS
 * when there are LAB_ACTORS.
 */
struct actor *lab_program(struct lab *lab, const char *name);

/* Take in the child that `parent` forked, reachable over `fd`. */
struct actor *lab_adopt(struct lab *lab, const char *name, pid_t pid, int fd);

/* A socket `fd` of `actor` the lab did not know yet. NULL: no memory. */
struct end *lab_end(struct lab *lab, struct actor *actor, int fd);

/* The far end of `end`, by what is known of their names; or NULL. */
struct end *lab_far_end(struct lab *lab, struct end *end);

/*
 * Order a call. `order` holds the values alone. The pending call is returned,
 * or NULL with errno set: EPIPE when the program is gone, ENOBUFS when there
 * are as many calls, or as much data in them, as there may be.
 */
struct pending *lab_order(struct lab *lab, struct actor *actor, struct end *end,
			  uint32_t call, const struct message *order);

/*
 * Let events in (replies, signals, segments) until `call` has its reply, the
 * deadline passes, or its program ends. Returns 0, -ETIMEDOUT or -EPIPE.
 */
int lab_await(struct lab *lab, struct pending *call, int64_t deadline_ns);

/* The same until `sig` was noticed by `actor` and not yet waited for. */
int lab_await_signal(struct lab *lab, struct actor *actor, int sig,
		     int64_t deadline_ns);

/*
 * Let in what `actor` has noticed by now, once its main thread waits for an
 * order or blocks in its call. Nothing, when the program is gone. A new one
 * has made its second thread then, so that the next has always the same pid.
 */
void lab_settle(struct lab *lab, struct actor *actor);

/* Let in what is there, and more until `deadline_ns`, once. */
int lab_pump(struct lab *lab, int64_t deadline_ns);

/* Nobody will ask for this call's result again. NULL is allowed. */
void lab_release(struct lab *lab, struct pending *call);

/* Ask both ends for their queues, and report what changed. */
void lab_observe(struct lab *lab, struct end *end);

/* End all programs and free everything. */
void lab_close(struct lab *lab);

#endif
