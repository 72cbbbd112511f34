/* The wire of a trial: what was captured on it, in order. */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lab/address.h"

struct lab;
struct wire;

/*
 * Bytes kept of a packet. Immediate mode gives each packet a slot of this
 * size in the ring, which so holds some 1,000 packets between two looks at
 * it; a snaplen of 64 KiB would leave 64.
 */
#define WIRE_SNAPLEN 4000

/* One captured segment. */
struct wire_segment {
	int64_t time_ns; /* CLOCK_REALTIME */
	struct address src, dst;
	uint32_t seq, ack; /* relative; 1 at the first data byte */
	uint16_t window, urgent_pointer;
	uint8_t flags;	  /* enum capture_flag */
	uint8_t *payload; /* owned; NULL when too much was kept already */
	uint32_t payload_caplen, payload_len;
	char *note;   /* owned; what is urgent in it, NULL nothing */
	char *urgent; /* owned; the same for a line of text, NULL nothing */
};

/*
 * Begin to capture on lo, into lab->wire. Returns 0, or -errno with one line
 * of why in `err`.
 */
int wire_open(struct lab *lab, char *err, size_t size);

/* NULL is allowed for each of these: there is no wire. */
void wire_close(struct wire *wire);
int wire_fd(const struct wire *wire); /* for poll(); -1 */
size_t wire_count(const struct wire *wire);
const struct wire_segment *wire_at(const struct wire *wire, size_t i);

/* Take in what was captured; each frame goes to the run at once. */
void wire_drain(struct lab *lab);

/*
 * Report segments whose two ends are known programs by now, up to the first
 * that is not; with `all`, report that and the rest by address.
 */
void wire_report(struct lab *lab, bool all);

/* Take in and report everything, and how many packets the kernel lost. */
void wire_finish(struct lab *lab);

/*
 * The program whose socket is at `here` of a segment between it and `there`;
 * or NULL. Of those that share it by fork, the one that had it first.
 */
const char *wire_owner(const struct lab *lab, const struct address *here,
		       const struct address *there);

/* Does the program of this name hold that socket, or did it? */
bool wire_held_by(const struct lab *lab, const char *program,
		  const struct address *here, const struct address *there);

#endif
