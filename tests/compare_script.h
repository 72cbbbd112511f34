/* Connections written by hand as two captures have them, and what the
 * comparison tells of them, as text. */
#ifndef TESTS_COMPARE_SCRIPT_H
#define TESTS_COMPARE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/compare.h"
#include "capture/flow.h"
#include "tests/segments.h"

#define PSH CAPTURE_PSH

/*
 * Segments as they cross a path: near A sits a, near B sits b, 400 us apart;
 * B's clock is one second ahead. A line is seen by both captures unless it
 * says otherwise; what a box in between does is one line for each capture.
 */
enum {
	PATH_US = 400,
	AHEAD_US = 1000000,
	STEP_US = 1000, /* from a line to the next */
	MSS = 1000,
	LINES = 40,
};

struct line {
	char from; /* 'a', 'b'; 0 ends a script */
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	const char *data; /* or `len` octets that depend on seq alone */
	uint32_t len;
	uint16_t up;
	char only;	  /* 'A', 'B': seen by this capture alone */
	uint32_t late_us; /* longer on the path */
	uint32_t stamp;	  /* 0: no timestamps */
	uint32_t window;  /* 0: 1000 */
	uint8_t hops;	  /* as it arrives; 0: 62 of 64 */
	uint8_t scale;	  /* of a SYN; 0: not offered */
	bool fragment;
	bool cut;	/* by the snaplen, to 4 octets */
	uint32_t shift; /* of all sequence numbers, in B */
	bool nat;	/* in the first: B has other addresses */
	uint16_t port;	/* of the client; 0: 1000 */
	uint16_t point; /* of capture, in B */
};

struct row {
	const char *name;
	struct line lines[LINES];
	/* A line for each thing told: "mark 4 kept", or a difference with the
	 * end that sends, the count and the frames: "urg-cleared a 1 A4 B4" */
	const char *told;
};

/* clang-format off */
#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define HELLO A(SYN, 100, 0), B(SYN | ACK, 500, 101), A(ACK, 101, 501)
/* clang-format on */

struct told {
	char text[4096];
	size_t used;
	char sentences[16384];
};

/* Compare both captures of a row; fails the test where that fails. */
struct capture_compared compare_row(const struct row *row, struct told *told);

/* Feed one segment through a table of flows. */
void feed_segment(struct capture_compare *compare, struct capture_flows *flows,
		  enum capture_side side, uint32_t point, uint64_t frame,
		  int64_t time_ns, const struct capture_segment *segment);

#endif
