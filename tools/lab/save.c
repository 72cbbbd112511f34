#include "tools/lab/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/decode.h"
#include "capture/pcapng.h"
#include "tools/lab/lab.h"
#include "tools/lab/record.h"
#include "tools/lab/trial.h"
#include "tools/lab/wire.h"

struct save {
	struct capture_pcapng *pcapng;
	char *path;
	int fd;
	int error;	 /* the first failure, -errno */
	uint64_t frames; /* written whole */
};

static int open_file(const char *path)
{
	if (!strcmp(path, "-"))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

int save_open(struct save **out, const char *path, char *err, size_t size)
{
	struct save *s = calloc(1, sizeof(*s));
	struct capture_pcapng_origin origin = {
		.application = "ooblab " OOBLAB_VERSION
	};
	struct utsname u;
	char os[sizeof(u.sysname) + sizeof(u.release) + 2];
	int ret;

	if (!s)
		return -ENOMEM;
	uname(&u);
	snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	origin.os = os;
	origin.hardware = u.machine;
	s->path = strdup(path);
	s->fd = s->path ? open_file(path) : -1;
	ret = s->fd < 0 ? -errno : 0;
	if (ret == 0)
		ret = capture_pcapng_open(&s->pcapng, s->fd, WIRE_SNAPLEN,
					  &origin);
	if (ret < 0) {
		s->error = ret;
		save_close(s, err, size);
		return ret;
	}
	*out = s;
	return 0;
}

static int note(struct save *s, int ret)
{
	if (ret < 0 && !s->error)
		s->error = ret;
	return ret;
}

int save_trial(struct save *s, const struct trial_job *job)
{
	char description[256];
	struct capture_pcapng_interface iface = {
		.name = "lo",
		.description = description,
		.filter = "tcp",
		.linktype = CAPTURE_LINK_ETHERNET,
	};

	snprintf(description, sizeof(description), "%s (%s%s)", job->name,
		 job->transport, job->inline_delivery ? ", inline" : "");
	return note(s, capture_pcapng_add_interface(s->pcapng, &iface));
}

int save_frame(struct save *s, int point, const uint8_t *record, size_t len)
{
	struct capture_packet packet = { .interface = (uint32_t)point };
	char comment[CAPTURE_ERR_MAX] = "";
	struct record_frame head;
	int ret;

	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, record, sizeof(head));
	if (head.comment_len >= sizeof(comment) ||
	    head.comment_len > len - sizeof(head))
		return -EPROTO;
	memcpy(comment, record + sizeof(head), head.comment_len);
	packet.time_ns = head.time_ns;
	packet.linktype = head.linktype;
	packet.len = head.len;
	packet.data = record + sizeof(head) + head.comment_len;
	packet.caplen = (uint32_t)(len - sizeof(head) - head.comment_len);
	ret = capture_pcapng_packet(s->pcapng, &packet,
				    *comment ? comment : NULL);
	s->frames += ret == 0;
	return note(s, ret);
}

int save_counts(struct save *s, int point, uint64_t received, uint64_t dropped)
{
	return note(s, capture_pcapng_statistics(s->pcapng, (uint32_t)point,
						 lab_realtime_ns(), received,
						 dropped));
}

int save_close(struct save *s, char *err, size_t size)
{
	int ret = s->error;

	capture_pcapng_close(s->pcapng);
	if (s->fd >= 0 && close(s->fd) < 0 && !ret)
		ret = -errno;
	if (ret < 0 && s->pcapng)
		snprintf(err, size,
			 "%s: %s; it holds the first %llu frames and no more",
			 s->path, strerror(-ret),
			 (unsigned long long)s->frames);
	else if (ret < 0)
		snprintf(err, size, "%s: %s", s->path ? s->path : "save",
			 strerror(-ret));
	free(s->path);
	free(s);
	return ret;
}
