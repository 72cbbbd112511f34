/*
 * The capture points of a pcapng file that is being written: each is made
 * when its first packet comes, under the name it had where it was read.
 */
#ifndef TOOLS_CAPTURE_POINTS_H
#define TOOLS_CAPTURE_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "capture/pcapng.h"
#include "tools/capture_input.h"

struct point {
	uint32_t interface, linktype; /* as the input numbers it */
};

struct points {
	struct capture_pcapng *pcapng;
	struct point *list;
	size_t count;
};

/* Write a packet of `input`, with `comment` or NULL. Returns 0 or -errno. */
int points_write(struct points *points, struct input *input,
		 const struct capture_packet *packet, const char *comment);

/* Frees the list and the writer. */
void points_close(struct points *points);

#endif
