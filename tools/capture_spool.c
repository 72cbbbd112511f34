#include "tools/capture_spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/capture_points.h"

struct spool {
	FILE *file;
	struct input *input;
	struct points points;
	int error;
};

int spool_open(struct spool **out, struct input *input)
{
	static const struct capture_pcapng_origin nobody;
	struct spool *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->input = input;
	s->file = tmpfile();
	ret = s->file ? capture_pcapng_open(&s->points.pcapng, fileno(s->file),
					    input_snaplen(input), &nobody)
		      : -errno;
	if (ret < 0) {
		spool_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

void spool_packet(struct spool *s, const struct capture_packet *packet)
{
	if (!s->error)
		s->error = points_write(&s->points, s->input, packet, NULL);
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
	points_close(&s->points);
	if (s->file)
		fclose(s->file);
	free(s);
}
