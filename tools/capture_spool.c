#include "tools/capture_spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/pcapng.h"

/* One interface of the file for each link type: that is all it must keep. */
#define LINKTYPES 16

struct spool {
	FILE *file;
	struct capture_pcapng *pcapng;
	uint32_t linktypes[LINKTYPES];
	unsigned count;
	int error;
};

int spool_open(struct spool **out)
{
	static const struct capture_pcapng_origin nobody;
	struct spool *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	if (s) {
		s->file = tmpfile();
		ret = s->file ? capture_pcapng_open(&s->pcapng, fileno(s->file),
						    0, &nobody)
			      : -errno;
	}
	if (ret < 0) {
		spool_close(s);
		errno = -ret;
		return ret;
	}
	*out = s;
	return 0;
}

static int point_of(struct spool *s, uint32_t linktype)
{
	struct capture_pcapng_interface iface = { .linktype = linktype };

	for (unsigned i = 0; i < s->count; i++) {
		if (s->linktypes[i] == linktype)
			return (int)i;
	}
	if (s->count == LINKTYPES)
		return -ENOSPC;
	s->linktypes[s->count++] = linktype;
	return capture_pcapng_add_interface(s->pcapng, &iface);
}

void spool_packet(struct spool *s, const struct capture_packet *packet)
{
	struct capture_packet copy = *packet;
	int point = s->error ? s->error : point_of(s, packet->linktype);

	if (point < 0) {
		s->error = point;
		return;
	}
	copy.interface = (uint32_t)point;
	s->error = capture_pcapng_packet(s->pcapng, &copy, NULL);
}

int spool_rewind(struct spool *s)
{
	if (s->error)
		return s->error;
	if (lseek(fileno(s->file), 0, SEEK_SET) < 0)
		return -errno;
	return fileno(s->file);
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	capture_pcapng_close(s->pcapng);
	if (s->file)
		fclose(s->file);
	free(s);
}
