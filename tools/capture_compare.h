/* ooblab capture --compare A B: two captures of the same connections. */
#ifndef TOOLS_CAPTURE_COMPARE_H
#define TOOLS_CAPTURE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/analysis.h"
#include "capture/compare.h"
#include "tools/term.h"

struct compare_options {
	bool json;	    /* an object a line, for lines to read */
	bool inner;	    /* look into tunnels */
	const char *filter; /* libpcap's, for both; NULL: everything */
	/* 0: capture/compare.h has the defaults */
	uint64_t max_memory_bytes;
	uint32_t max_flows;
	struct term term;
};

/*
 * Compare what is stored in file `a`, captured near the sender, with `b`, from
 * near the receiver; one of them may be "-". Prints what was found, and
 * complains where it cannot. Returns an exit status: STATUS_HELD where nothing
 * but notes is to be told, STATUS_NOT where something is, STATUS_USAGE for a
 * file that cannot be read or is cut or broken (what stood before is compared)
 * and for two that have no connection in common, STATUS_INTERRUPTED after
 * input_stop(), STATUS_CANNOT without memory.
 */
int compare_captures(const char *a, const char *b,
		     const struct compare_options *options);

/* --- how it is printed -------------------------------------------------- */

/* One of the two files, as it was read. */
struct compare_file {
	const char *path;
	struct capture_counts counts;
	int64_t first_ns, last_ns; /* of its packets */
	const char *truncated;	   /* why it ends early; NULL: it does not */
};

struct compare_printer {
	struct term term;
	/* In text: the connection is named before the first thing to be said
	 * of it, and others are not. */
	struct capture_connection connection;
	bool named;
	struct capture_clock clock;
};

/* One way to print it: what the listener is told, with a struct
 * compare_printer as context, between files and summary. */
struct compare_format {
	void (*files)(struct compare_printer *printer,
		      const struct compare_file files[2]);
	struct capture_compare_listener listener;
	void (*summary)(struct compare_printer *printer,
			const struct capture_compared *result);
};

extern const struct compare_format compare_text, compare_json;

#endif
