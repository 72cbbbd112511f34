#include "tools/capture_input.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/decode.h"
#include "capture/live.h"
#include "capture/source.h"
#include "oob/deadline.h"

/*
 * When a block of the ring that is not full is handed over. A ring has eight
 * blocks in 2 MiB, so this times eight is how long a slow stream may go unread
 * without loss: with 1 ms it dropped some in one run of ten on a busy machine
 * (make bench).
 */
#define GATHER_MS 10
#define TAIL_NS	  100000000

#define LINKTYPES 64 /* filters are compiled for, in one file */

#define PCAP_HEADER_BYTES 24 /* a shorter file tells nothing yet */

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
	bool whole;    /* a regular file: nothing in it is waited for */
	bool drained;  /* the source gave all that had been read */
	void (*idle)(void *context);
	void *idle_context;
	struct filter filters[LINKTYPES];
	size_t filters_count;
	uint64_t given;
	int64_t stop_ns; /* CLOCK_REALTIME of the stop; 0 none yet */
	int64_t tail_deadline_ns;
};

/* --- stopping --------------------------------------------------------- */

/* The signal handler's: the flag, and an eventfd that ends every wait. */
static volatile sig_atomic_t stopped;
static volatile sig_atomic_t stop_fd = -1;

void input_stop(void)
{
	int error = errno;

	stopped = 1;
	if (stop_fd >= 0)
		eventfd_write(stop_fd, 1);
	errno = error;
}

bool input_stopped(void)
{
	return stopped;
}

void input_go_on(void)
{
	eventfd_t stops;

	stopped = 0;
	if (stop_fd >= 0)
		eventfd_read(stop_fd, &stops);
}

/* A stop before there was an eventfd was only flagged. */
static int make_stoppable(void)
{
	if (stop_fd < 0)
		stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0)
		return -errno;
	return stopped ? -EINTR : 0;
}

void input_on_idle(struct input *in, void (*idle)(void *context), void *context)
{
	in->idle = idle;
	in->idle_context = context;
}

static void tell_idle(const struct input *in)
{
	if (in->idle)
		in->idle(in->idle_context);
}

/* Until `fd` can be read; false: stopped. */
static bool await(int fd)
{
	struct pollfd wait[] = { { fd, POLLIN, 0 }, { stop_fd, POLLIN, 0 } };

	while (poll(wait, 2, -1) < 0 && errno == EINTR)
		;
	return !wait[1].revents;
}

/* --- opening ---------------------------------------------------------- */

/* capture_live_open() names the device, which the caller does too. */
static void drop_subject(char *err, const char *subject)
{
	size_t len = strlen(subject);

	if (!strncmp(err, subject, len) && !strncmp(err + len, ": ", 2))
		memmove(err, err + len + 2, strlen(err + len + 2) + 1);
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
	int ret = capture_live_open(&in->live, &options, err);

	if (ret < 0)
		drop_subject(err, in->options.device);
	return ret;
}

static int system_error(char err[CAPTURE_ERR_MAX])
{
	int error = errno;

	snprintf(err, CAPTURE_ERR_MAX, "%s", strerror(error));
	return -error;
}

static int watch_growth(struct input *in, char err[CAPTURE_ERR_MAX])
{
	in->growth_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (in->growth_fd >= 0 &&
	    inotify_add_watch(in->growth_fd, in->options.file, IN_MODIFY) >= 0)
		return 0;
	return system_error(err);
}

/* Until the file has changed; false when the wait was stopped. */
static bool await_growth(struct input *in)
{
	char events[4096]
		__attribute__((aligned(__alignof__(struct inotify_event))));

	return await(in->growth_fd) &&
	       read(in->growth_fd, events, sizeof(events)) > 0;
}

static int open_file(struct input *in, char err[CAPTURE_ERR_MAX])
{
	const char *path = in->options.file;
	struct stat st;

	if (in->options.fd >= 0)
		in->fd = in->options.fd;
	else if (!strcmp(path, "-"))
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		return system_error(err);
	if (in->options.growing && strcmp(path, "-"))
		return watch_growth(in, err);
	in->whole = S_ISREG(st.st_mode);
	return 0;
}

/* What writes the file may have written nothing yet. */
static bool has_begun(const struct input *in)
{
	struct stat st;

	return in->growth_fd < 0 || fstat(in->fd, &st) < 0 ||
	       st.st_size >= PCAP_HEADER_BYTES;
}

static int open_stored(struct input *in, char err[CAPTURE_ERR_MAX])
{
	int ret = open_file(in, err);

	if (ret < 0)
		return ret;
	while (!has_begun(in)) {
		if (!await_growth(in)) {
			snprintf(err, CAPTURE_ERR_MAX,
				 "stopped before it began");
			return -EINTR;
		}
	}
	return capture_source_open(&in->source, in->fd, stop_fd, err);
}

/* Compiled for a link type that may never be met: the filter itself fails. */
static int check_filter(const char *text, char err[CAPTURE_ERR_MAX])
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	int ret = dead ? 0 : -ENOMEM;

	if (dead &&
	    pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "filter \"%.200s\": %.200s",
			 text, pcap_geterr(dead));
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
	int ret;

	if (!in) {
		snprintf(err, CAPTURE_ERR_MAX, "not enough memory");
		return -ENOMEM;
	}
	in->options = *options;
	in->fd = in->growth_fd = -1;
	ret = make_stoppable();
	if (ret < 0)
		snprintf(err, CAPTURE_ERR_MAX, "%s", strerror(-ret));
	else if (options->filter)
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

/* What libpcap calls a link type inside, where that differs from files'. */
static int to_dlt(uint32_t linktype)
{
	switch (linktype) {
	case 100:
		return DLT_ATM_RFC1483;
	case CAPTURE_LINK_RAW:
		return DLT_RAW;
	case 106:
		return DLT_ATM_CLIP;
	default:
		return (int)linktype;
	}
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
	dead = pcap_open_dead(to_dlt(linktype), 65535);
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

static int left_unread(char err[CAPTURE_ERR_MAX])
{
	snprintf(err, CAPTURE_ERR_MAX, "stopped before its end");
	return -EINTR;
}

/* As capture_source_next(), but waits for a file to grow. */
static int next_of_source(struct input *in, struct capture_packet *packets,
			  size_t max, char err[CAPTURE_ERR_MAX])
{
	int n;

	for (;;) {
		if (stopped)
			return in->whole ? left_unread(err) : 0;
		if (in->drained && !in->whole)
			tell_idle(in);
		n = capture_source_next(in->source, packets, max, err);
		in->drained = n < (int)max;
		if (n == -ECANCELED)
			return 0;
		if (in->growth_fd < 0 || (n != 0 && n != -ENODATA))
			return n;
		if (!await_growth(in))
			return 0;
	}
}

static int next_stored(struct input *in, struct capture_packet *packets,
		       size_t max, char err[CAPTURE_ERR_MAX])
{
	int n;

	do {
		n = next_of_source(in, packets, max, err);
		if (n <= 0)
			return n;
		if (in->options.filter)
			n = filter_stored(in, packets, n);
	} while (!n);
	return n;
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
static void begin_tail(struct input *in)
{
	if (in->stop_ns)
		return;
	in->stop_ns = realtime_ns();
	in->tail_deadline_ns = oob_deadline_in(TAIL_NS);
}

static int next_live(struct input *in, struct capture_packet *packet,
		     char err[CAPTURE_ERR_MAX])
{
	struct pollfd ring = { .fd = capture_live_fd(in->live),
			       .events = POLLIN };

	for (;;) {
		int ret = capture_live_next(in->live, packet, err);

		if (stopped)
			begin_tail(in);
		if (ret < 0)
			return ret;
		if (ret > 0 && in->stop_ns && packet->time_ns > in->stop_ns)
			return 0;
		if (ret > 0)
			return 1;
		tell_idle(in);
		if (!in->stop_ns)
			await(ring.fd);
		else if (oob_now_ns() >= in->tail_deadline_ns)
			return 0;
		else
			poll(&ring, 1, GATHER_MS);
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

bool input_reads(const struct input *in, const char *path)
{
	struct stat own, other;

	return in->whole && fstat(in->fd, &own) == 0 &&
	       stat(path, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
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
