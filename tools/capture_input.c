#include "tools/capture_input.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "capture/live.h"
#include "capture/source.h"
#include "oob/deadline.h"

/* Long enough to hand over a block of the ring that is not full. */
#define GATHER_MS 1
#define TAIL_NS	  100000000

#define LINKTYPES 8 /* filters are compiled for, in one file */

/* A filter holds for one link type. */
struct filter {
	uint32_t linktype;
	struct bpf_program program;
};

struct input {
	struct input_options options;
	struct capture_live *live;
	struct capture_source *source;
	int fd;	       /* of the source */
	int growth_fd; /* inotify on it, when it grows; -1 */
	struct filter filters[LINKTYPES];
	size_t filters_count;
	uint64_t given;
	int64_t stop_ns; /* CLOCK_REALTIME of the stop; 0 none yet */
	int64_t tail_deadline_ns;
};

static volatile sig_atomic_t stopped;

void input_stop(void)
{
	stopped = 1;
}

bool input_stopped(void)
{
	return stopped;
}

static int open_live(struct input *in, char err[CAPTURE_ERR_MAX])
{
	struct capture_live_options options = {
		.device = in->options.device,
		.filter = in->options.filter,
		.snaplen = in->options.snaplen,
		.buffer_bytes = in->options.buffer_bytes,
		.gather_ms = GATHER_MS,
		.promiscuous = true,
	};

	return capture_live_open(&in->live, &options, err);
}

static int watch_growth(struct input *in, char err[CAPTURE_ERR_MAX])
{
	in->growth_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (in->growth_fd >= 0 &&
	    inotify_add_watch(in->growth_fd, in->options.file,
			      IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF) >= 0)
		return 0;
	snprintf(err, CAPTURE_ERR_MAX, "%s: cannot watch it grow: %s",
		 in->options.file, strerror(errno));
	return -errno;
}

static int open_stored(struct input *in, char err[CAPTURE_ERR_MAX])
{
	const char *path = in->options.file;
	char why[CAPTURE_ERR_MAX];
	int ret = 0;

	if (in->options.fd >= 0)
		in->fd = in->options.fd;
	else if (!strcmp(path, "-"))
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0) {
		ret = -errno;
		snprintf(err, CAPTURE_ERR_MAX, "%s: %s", path, strerror(errno));
		return ret;
	}
	if (in->options.growing && strcmp(path, "-"))
		ret = watch_growth(in, err);
	if (ret < 0)
		return ret;
	ret = capture_source_open(&in->source, in->fd, -1, why);
	if (ret < 0)
		snprintf(err, CAPTURE_ERR_MAX, "%.100s: %.400s", path, why);
	return ret;
}

/* Compiled for a link type that may never be met: the filter itself fails. */
static int check_filter(const char *text, char err[CAPTURE_ERR_MAX])
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	int ret = dead ? 0 : -ENOMEM;

	if (dead &&
	    pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "filter: %s", pcap_geterr(dead));
		ret = -EINVAL;
	} else if (dead) {
		pcap_freecode(&program);
	}
	if (dead)
		pcap_close(dead);
	return ret;
}

int input_open(struct input **out, const struct input_options *options,
	       char err[CAPTURE_ERR_MAX])
{
	struct input *in = calloc(1, sizeof(*in));
	int ret = 0;

	if (!in) {
		snprintf(err, CAPTURE_ERR_MAX, "not enough memory");
		return -ENOMEM;
	}
	in->options = *options;
	in->fd = in->growth_fd = -1;
	if (options->filter)
		ret = check_filter(options->filter, err);
	if (ret == 0)
		ret = options->device ? open_live(in, err)
				      : open_stored(in, err);
	if (ret < 0) {
		input_close(in);
		return ret;
	}
	*out = in;
	return 0;
}

/* NULL: the filter means nothing on this link type, so nothing matches. */
static const struct bpf_program *filter_for(struct input *in, uint32_t linktype)
{
	struct filter *f = in->filters;
	pcap_t *dead;

	for (size_t i = 0; i < in->filters_count; i++) {
		if (f[i].linktype == linktype)
			return f[i].program.bf_insns ? &f[i].program : NULL;
	}
	if (in->filters_count == LINKTYPES)
		return NULL;
	f += in->filters_count++;
	f->linktype = linktype;
	dead = pcap_open_dead((int)linktype, 65535);
	if (dead && pcap_compile(dead, &f->program, in->options.filter, 1,
				 PCAP_NETMASK_UNKNOWN) < 0)
		f->program.bf_insns = NULL;
	if (dead)
		pcap_close(dead);
	return f->program.bf_insns ? &f->program : NULL;
}

static bool passes(struct input *in, const struct capture_packet *p)
{
	const struct bpf_program *program = filter_for(in, p->linktype);
	struct pcap_pkthdr head = { .caplen = p->caplen, .len = p->len };

	return program && pcap_offline_filter(program, &head, p->data);
}

static int filter_stored(struct input *in, struct capture_packet *packets,
			 int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (passes(in, &packets[i]))
			packets[kept++] = packets[i];
	}
	return kept;
}

/* Until the file has changed; false when the wait was stopped. */
static bool await_growth(struct input *in)
{
	char events[4096]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd pfd = { .fd = in->growth_fd, .events = POLLIN };

	if (stopped || poll(&pfd, 1, -1) <= 0)
		return false;
	return read(in->growth_fd, events, sizeof(events)) > 0;
}

static int next_stored(struct input *in, struct capture_packet *packets,
		       size_t max, char err[CAPTURE_ERR_MAX])
{
	int n, kept;

	do {
		n = stopped ? 0
			    : capture_source_next(in->source, packets, max,
						  err);
		if (n == -EINTR)
			return 0;
		if ((n == 0 || n == -ENODATA) && in->growth_fd >= 0 &&
		    !stopped) {
			if (!await_growth(in))
				return 0;
			kept = 0;
			continue;
		}
		if (n <= 0)
			return n;
		kept = in->options.filter ? filter_stored(in, packets, n) : n;
	} while (!kept);
	return kept;
}

static int64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * At a stop the ring may hold packets in a block not handed over yet: go on
 * until one that came after the stop is met, or nothing has for a while.
 */
static bool tail_is_done(struct input *in)
{
	if (!in->stop_ns) {
		in->stop_ns = realtime_ns();
		in->tail_deadline_ns = oob_deadline_in(TAIL_NS);
	}
	return oob_now_ns() >= in->tail_deadline_ns;
}

static int next_live(struct input *in, struct capture_packet *packet,
		     char err[CAPTURE_ERR_MAX])
{
	struct pollfd pfd = { .fd = capture_live_fd(in->live),
			      .events = POLLIN };
	const struct timespec gather = { .tv_nsec = GATHER_MS * 1000000 };
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		int ret = capture_live_next(in->live, packet, err);

		if (ret < 0)
			return ret;
		if (ret > 0 && in->stop_ns && packet->time_ns > in->stop_ns)
			return 0;
		if (ret > 0)
			return 1;
		if (stopped && tail_is_done(in))
			return 0;
		ppoll(&pfd, 1, stopped ? &gather : NULL, &none);
	}
}

int input_next(struct input *in, struct capture_packet *packets, size_t max,
	       char err[CAPTURE_ERR_MAX])
{
	uint64_t left = in->options.max_packets - in->given;
	int n;

	if (in->options.max_packets && !left)
		return 0;
	n = in->live ? next_live(in, packets, err)
		     : next_stored(in, packets, max, err);
	if (in->options.max_packets && n > 0 && (uint64_t)n > left)
		n = (int)left;
	if (n > 0)
		in->given += (uint64_t)n;
	return n;
}

const char *input_interface(struct input *in, uint32_t number)
{
	struct capture_interface found = { .name = NULL };

	if (in->live)
		return in->options.device;
	capture_source_interface(in->source, number, &found);
	return found.name ? found.name : "";
}

uint32_t input_snaplen(const struct input *in)
{
	return in->live ? capture_live_snaplen(in->live) : 0;
}

struct input_drops input_drops(struct input *in)
{
	struct capture_live_counts counts;

	if (!in->live || capture_live_counts(in->live, &counts) < 0)
		return (struct input_drops){ .known = false };
	return (struct input_drops){
		.known = true,
		.received = counts.received,
		.dropped = counts.dropped,
		.interface_dropped = counts.interface_dropped,
	};
}

void input_close(struct input *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->filters_count; i++)
		pcap_freecode(&in->filters[i].program);
	capture_source_close(in->source);
	capture_live_close(in->live);
	if (in->fd >= 0 && in->options.fd < 0)
		close(in->fd);
	if (in->growth_fd >= 0)
		close(in->growth_fd);
	free(in);
}
