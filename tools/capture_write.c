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
#include "tools/capture_points.h"
#include "tools/cmd.h"

struct writer {
	const struct output_context *context;
	struct points points;
	int fd;
	int error;
};

/* Returns a descriptor, or -errno with a line in `*why`. */
static int open_path(const struct output_context *context, const char **why)
{
	const char *path = context->write_path;
	int fd;

	if (input_reads(context->input, path)) {
		*why = "it is the file that is read";
		return -EINVAL;
	}
	fd = !strcmp(path, "-")
		     ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
		     : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    0666);
	if (fd >= 0)
		return fd;
	fd = -errno;
	*why = strerror(errno);
	return fd;
}

static int begin_file(struct writer *w, const char **why)
{
	struct capture_pcapng_origin origin = {
		.application = "ooblab " OOBLAB_VERSION
	};
	struct utsname u;
	int ret;

	uname(&u);
	origin.os = u.sysname;
	origin.hardware = u.machine;
	w->fd = open_path(w->context, why);
	if (w->fd < 0)
		return w->fd;
	ret = capture_pcapng_open(&w->points.pcapng, w->fd,
				  input_snaplen(w->context->input), &origin);
	if (ret < 0) {
		*why = strerror(-ret);
		close(w->fd);
	}
	return ret;
}

static int begin(void **state, const struct output_context *context)
{
	struct writer *w = calloc(1, sizeof(*w));
	const char *why = strerror(ENOMEM);

	if (w) {
		w->context = context;
		if (begin_file(w, &why) == 0) {
			*state = w;
			return 0;
		}
	}
	cmd_complain(context->write_path, "%s", why);
	free(w);
	return STATUS_USAGE;
}

static void write_packet(struct writer *w, const struct capture_sighting *seen,
			 const char *note)
{
	if (!w->error)
		w->error = points_write(&w->points, w->context->input,
					seen->packet, *note ? note : NULL);
}

/* With the packet that brings a byte which was announced before, though it
 * may have no sign of that itself. */
static void urgent(void *state, const struct capture_sighting *seen)
{
	char note[CAPTURE_NOTE_MAX];

	if (capture_urgent_note(seen->segment, seen->event, note) ||
	    seen->segment->flags & CAPTURE_URG)
		write_packet(state, seen, note);
}

static void whole(void *state, const struct capture_sighting *seen)
{
	struct writer *w = state;
	char note[CAPTURE_NOTE_MAX];

	if (!output_flow_is_urgent(w->context->survey, seen->event->flow))
		return;
	capture_urgent_note(seen->segment, seen->event, note);
	write_packet(w, seen, note);
}

static int end(void *state, const struct output_totals *totals)
{
	struct writer *w = state;
	int error = w->error;

	(void)totals;
	if (close(w->fd) < 0 && !error)
		error = -errno;
	points_close(&w->points);
	if (error)
		cmd_complain(w->context->write_path,
			     "%s; it ends with the last whole packet",
			     strerror(-error));
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
