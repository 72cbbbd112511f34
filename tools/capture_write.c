/*
 * -w: the urgent packets as pcapng with comments. With --whole-flows every
 * packet of a flow that had any, which is known at the end only: the packets
 * are then gone through a second time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/pcapng.h"
#include "capture/urgent.h"
#include "tools/capture_output.h"
#include "tools/cmd.h"

/* A capture point of the file, made when its first packet is written. */
struct point {
	uint32_t interface, linktype;
};

struct writer {
	const struct output_context *context;
	struct capture_pcapng *pcapng;
	int fd;
	int error;
	struct point *points;
	size_t points_count;
};

static int open_path(const char *path)
{
	if (!strcmp(path, "-"))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static int begin(void **state, const struct output_context *context)
{
	struct capture_pcapng_origin origin = {
		.application = "ooblab " OOBLAB_VERSION
	};
	struct writer *w = calloc(1, sizeof(*w));
	struct utsname u;
	int ret = -ENOMEM;

	uname(&u);
	origin.os = u.sysname;
	origin.hardware = u.machine;
	if (w) {
		w->context = context;
		w->fd = open_path(context->write_path);
		ret = w->fd < 0 ? -errno : 0;
	}
	if (ret == 0)
		ret = capture_pcapng_open(&w->pcapng, w->fd,
					  input_snaplen(context->input),
					  &origin);
	if (ret < 0) {
		cmd_complain(context->write_path, "%s", strerror(-ret));
		free(w);
		return STATUS_USAGE;
	}
	*state = w;
	return 0;
}

/* Number of the capture point in the file written; -errno. */
static int point_of(struct writer *w, const struct capture_packet *p)
{
	struct capture_pcapng_interface iface = {
		.name = input_interface(w->context->input, p->interface),
		.linktype = p->linktype,
	};
	struct point *more;

	for (size_t i = 0; i < w->points_count; i++) {
		if (w->points[i].interface == p->interface &&
		    w->points[i].linktype == p->linktype)
			return (int)i;
	}
	more = realloc(w->points, (w->points_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->points = more;
	more[w->points_count++] = (struct point){ p->interface, p->linktype };
	if (!*iface.name)
		iface.name = NULL;
	return capture_pcapng_add_interface(w->pcapng, &iface);
}

static void write_packet(struct writer *w, const struct capture_sighting *seen)
{
	struct capture_packet packet = *seen->packet;
	char note[CAPTURE_NOTE_MAX];
	int point = w->error ? w->error : point_of(w, &packet);

	if (point < 0) {
		w->error = point;
		return;
	}
	packet.interface = (uint32_t)point;
	capture_urgent_note(seen->segment, seen->event, note);
	w->error =
		capture_pcapng_packet(w->pcapng, &packet, *note ? note : NULL);
}

static void urgent(void *state, const struct capture_sighting *seen)
{
	struct writer *w = state;

	if (seen->segment->flags & CAPTURE_URG || seen->segment->urgent_pointer)
		write_packet(w, seen);
}

static void whole(void *state, const struct capture_sighting *seen)
{
	struct writer *w = state;

	if (output_flow_is_urgent(w->context->survey, seen->event->flow))
		write_packet(w, seen);
}

static int end(void *state, const struct output_totals *totals)
{
	struct writer *w = state;
	int error = w->error;

	(void)totals;
	if (close(w->fd) < 0 && !error)
		error = -errno;
	capture_pcapng_close(w->pcapng);
	if (error)
		cmd_complain(w->context->write_path,
			     "%s; it ends with the last whole packet",
			     strerror(-error));
	free(w->points);
	free(w);
	return error ? STATUS_USAGE : 0;
}

const struct output output_write = {
	.begin = begin,
	.listener = { .urgent = urgent },
	.end = end,
};

const struct output output_write_whole = {
	.begin = begin,
	.listener = { .segment = whole },
	.end = end,
};
