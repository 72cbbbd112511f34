/* What a fuzz target gives and requires. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's, or replay.c's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process in a way that a fuzzer takes for a find. */
#define REQUIRE(condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: required: %s\n", __FILE__,     \
				__LINE__, #condition);                         \
			abort();                                               \
		}                                                              \
	} while (0)

/*
 * Inputs of fuzz_decode: a head, and the packet's bytes.
 */
struct fuzz_packet {
	uint8_t linktype; /* index into fuzz_linktypes, modulo their number */
	uint8_t uncaptured[2]; /* bytes on the wire behind it, low first */
};

static const uint16_t fuzz_linktypes[] = { 0,	1,   9,	  12,  14,
					   50,	51,  101, 105, 108,
					   113, 204, 228, 229, 276 };

/*
 * Inputs of fuzz_flow and fuzz_view: segments. Numbers have their low octet
 * first, and sequence numbers count from the one of the side's SYN.
 */
struct fuzz_segment {
	uint8_t who; /* enum fuzz_who */
	uint8_t flags;
	uint8_t seq[2];
	uint8_t ack[2];
	uint8_t up[2];
	uint8_t window[2];
	uint8_t len;
	uint8_t octet; /* all of the payload is this */
};

enum fuzz_who {
	FUZZ_FROM_B = 1 << 0,
	FUZZ_CONNECTION = 7 << 1, /* which of eight */
	FUZZ_FAR = 1 << 4,	  /* seq is in units of 65536 */
	FUZZ_CUT = 1 << 5,	  /* half of the payload was captured */
	FUZZ_SCALED = 1 << 6,	  /* an option scales the window by len */
	FUZZ_BATCH = 1 << 7,	  /* the last that is taken at once */
};

/*
 * Inputs of fuzz_compare: segments, each with the captures it is in.
 */
struct fuzz_seen {
	uint8_t where; /* enum fuzz_where */
	uint8_t wait;  /* since the one before, in units of 100 us; and how
			* much later in B, as the lower four bits have it */
	struct fuzz_segment segment;
};

enum fuzz_where {
	FUZZ_NOT_A = 1 << 0,
	FUZZ_NOT_B = 1 << 1,
	/* and how it comes out in B: */
	FUZZ_NO_URG = 1 << 2,
	FUZZ_POINTER = 1 << 3,	  /* one less */
	FUZZ_TRANSLATED = 1 << 4, /* from another address */
	FUZZ_SHIFTED = 1 << 5,	  /* with other sequence numbers */
	FUZZ_OTHER = 1 << 6,	  /* with other data */
	FUZZ_ODD_TIME = 1 << 7,	  /* at an end of time */
};

#endif
