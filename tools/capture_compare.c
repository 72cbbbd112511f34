#include "tools/capture_compare.h"

#include <stdio.h>
#include <string.h>

#include "tools/capture_input.h"
#include "tools/cmd.h"

#define BATCH 256 /* packets taken from a file at once */

/* A file on its way into the comparison. */
struct reading {
	struct capture_compare *compare;
	enum capture_side side;
	bool no_memory;
	struct compare_file *file;
};

static void take_segment(void *context, const struct capture_sighting *seen)
{
	struct reading *reading = context;

	if (capture_compare_segment(reading->compare, reading->side, seen) < 0)
		reading->no_memory = true;
}

static void note_times(struct compare_file *file,
		       const struct capture_packet *packets, int n)
{
	if (!file->first_ns)
		file->first_ns = packets[0].time_ns;
	file->last_ns = packets[n - 1].time_ns;
}

/* Returns 0 at the end of the file, or -errno with a line in `err`. */
static int feed(struct reading *reading, struct input *input,
		struct capture_analysis *analysis, char err[CAPTURE_ERR_MAX])
{
	struct capture_packet packets[BATCH];
	int n;

	while ((n = input_next(input, packets, BATCH, err)) > 0) {
		note_times(reading->file, packets, n);
		if (capture_analysis_packets(analysis, packets, (size_t)n) < 0)
			reading->no_memory = true;
		if (reading->no_memory)
			return 0;
	}
	return n;
}

/*
 * Read one file to its end. A flow that crosses several capture points of one
 * file is one at each, and one of them is compared.
 */
static int read_file(struct reading *reading,
		     const struct compare_options *options,
		     char err[CAPTURE_ERR_MAX])
{
	const struct input_options from = {
		.file = reading->file->path,
		.fd = -1,
		.filter = options->filter,
	};
	const struct capture_analysis_options how = {
		.inner = options->inner,
		.apart_by_interface = true,
		.listener = { .segment = take_segment, .context = reading },
	};
	struct capture_analysis *analysis;
	struct input *input;

	if (input_open(&input, &from, err) < 0) {
		cmd_complain(from.file, "%s", err);
		return STATUS_USAGE;
	}
	if (capture_analysis_new(&analysis, &how) < 0) {
		input_close(input);
		reading->no_memory = true;
		return STATUS_CANNOT;
	}
	if (feed(reading, input, analysis, err) < 0) {
		cmd_complain(from.file, "%s", err);
		reading->file->truncated = err;
	}
	capture_analysis_counts(analysis, &reading->file->counts);
	capture_analysis_free(analysis);
	input_close(input);
	return STATUS_HELD;
}

static int status_of(const struct compare_file files[2],
		     const struct capture_compared *result)
{
	if (input_stopped())
		return STATUS_INTERRUPTED;
	if (!result->connections) {
		cmd_complain("capture",
			     "%s and %s have no connection in common",
			     files[CAPTURE_A].path, files[CAPTURE_B].path);
		return STATUS_USAGE;
	}
	if (files[CAPTURE_A].truncated || files[CAPTURE_B].truncated)
		return STATUS_USAGE;
	if (result->differences[CAPTURE_WARNING] ||
	    result->differences[CAPTURE_ALARM])
		return STATUS_NOT;
	return STATUS_HELD;
}

static int compare(struct capture_compare *compare,
		   struct compare_file files[2],
		   const struct compare_options *options,
		   struct compare_printer *printer)
{
	const struct compare_format *format = options->json ? &compare_json
							    : &compare_text;
	char errs[2][CAPTURE_ERR_MAX];
	struct capture_compared result;
	bool no_memory = false;
	int status;

	for (int side = CAPTURE_A; side <= CAPTURE_B; side++) {
		struct reading reading = {
			.compare = compare,
			.side = (enum capture_side)side,
			.file = &files[side],
		};

		status = read_file(&reading, options, errs[side]);
		no_memory |= reading.no_memory;
		if (status == STATUS_USAGE)
			return status;
	}
	if (!no_memory) {
		format->files(printer, files);
		no_memory = capture_compare_finish(compare, &result) < 0;
	}
	if (no_memory) {
		cmd_complain("capture", "not enough memory");
		return STATUS_CANNOT;
	}
	format->summary(printer, &result);
	return status_of(files, &result);
}

int compare_captures(const char *a, const char *b,
		     const struct compare_options *options)
{
	struct compare_printer printer = { .term = options->term };
	struct compare_file files[2] = { { .path = a }, { .path = b } };
	struct capture_compare_options how = {
		.max_memory_bytes = options->max_memory_bytes,
		.max_flows = options->max_flows,
		.listener = options->json ? compare_json.listener
					  : compare_text.listener,
	};
	struct capture_compare *comparison;
	int status;

	if (!strcmp(a, "-") && !strcmp(b, "-")) {
		cmd_complain("capture", "standard input holds one of them");
		return STATUS_USAGE;
	}
	how.listener.context = &printer;
	if (capture_compare_new(&comparison, &how) < 0) {
		cmd_complain("capture", "not enough memory");
		return STATUS_CANNOT;
	}
	status = compare(comparison, files, options, &printer);
	capture_compare_free(comparison);
	return status;
}
