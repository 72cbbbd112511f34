#include "tools/capture_points.h"

#include <errno.h>
#include <stdlib.h>

/* Number of the capture point in the file, or -errno. */
static int number_of(struct points *points, struct input *input,
		     const struct capture_packet *p)
{
	struct capture_pcapng_interface iface = { .linktype = p->linktype };
	struct point *more;
	const char *name;

	for (size_t i = 0; i < points->count; i++) {
		if (points->list[i].interface == p->interface &&
		    points->list[i].linktype == p->linktype)
			return (int)i;
	}
	more = realloc(points->list, (points->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	points->list = more;
	more[points->count++] = (struct point){ p->interface, p->linktype };
	name = input_interface(input, p->interface);
	iface.name = *name ? name : NULL;
	return capture_pcapng_add_interface(points->pcapng, &iface);
}

int points_write(struct points *points, struct input *input,
		 const struct capture_packet *packet, const char *comment)
{
	struct capture_packet copy = *packet;
	int number = number_of(points, input, packet);

	if (number < 0)
		return number;
	copy.interface = (uint32_t)number;
	return capture_pcapng_packet(points->pcapng, &copy, comment);
}

void points_close(struct points *points)
{
	capture_pcapng_close(points->pcapng);
	free(points->list);
	*points = (struct points){ .list = NULL };
}
