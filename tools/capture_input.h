/*
 * Where `ooblab capture` gets its packets: an interface, or a file, pipe or
 * growing file; through libpcap's filter language where one is given.
 */
#ifndef TOOLS_CAPTURE_INPUT_H
#define TOOLS_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

struct input;

struct input_options {
	const char *device; /* live; NULL: stored */
	const char *file;   /* "-": standard input */
	int fd;		    /* read this one, borrowed; -1: open `file` */
	const char *filter; /* NULL: everything */
	uint32_t snaplen;   /* live; 0: the default */
	uint32_t buffer_bytes;
	uint64_t max_packets; /* that pass the filter; 0: no limit */
	bool growing;	      /* at the end of the file, wait for more */
};

/* At the end of a live capture. */
struct input_drops {
	bool known;
	uint64_t received, dropped, interface_dropped;
};

/* Returns 0, or -errno with one line in `err`, which does not name the device
 * or file (-EPERM: CAP_NET_RAW is missing). */
int input_open(struct input **out, const struct input_options *options,
	       char err[CAPTURE_ERR_MAX]);

/* Have `idle` called whenever packets have to be waited for. */
void input_on_idle(struct input *in, void (*idle)(void *context),
		   void *context);

/*
 * The next packets, `max` at most, good until the next call. Waits for them;
 * input_stop() ends the wait. Returns their number, 0 at the end, or with one
 * line in `err` -ENODATA for a file that is cut, -EBADMSG for one that is
 * broken part-way, -EINTR for one that was left unread at a stop, or another
 * -errno.
 */
int input_next(struct input *in, struct capture_packet *packets, size_t max,
	       char err[CAPTURE_ERR_MAX]);

/*
 * From a signal handler: no more packets after those that arrived by now,
 * from any input of the process, until input_go_on().
 */
void input_stop(void);
bool input_stopped(void);
void input_go_on(void);

/* Is `path` the very file that is read? */
bool input_reads(const struct input *in, const char *path);

/* The capture point's name, "" where the file has none. */
const char *input_interface(struct input *in, uint32_t number);

/* Of the packets a live capture gives; 0 for a file. */
uint32_t input_snaplen(const struct input *in);

struct input_drops input_drops(struct input *in);

/* NULL is allowed. */
void input_close(struct input *in);

#endif
