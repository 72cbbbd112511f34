#include "capture/source.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/reader.h"

static const struct format *const formats[] = { &capture_format_pcap,
						&capture_format_pcapng };

int capture_reader_broken(const struct capture_source *s, char *err,
			  const char *format, ...)
{
	va_list args;
	int n = snprintf(err, CAPTURE_ERR_MAX, "at byte %llu: ",
			 (unsigned long long)reader_offset(s));

	va_start(args, format);
	vsnprintf(err + n, CAPTURE_ERR_MAX - (size_t)n, format, args);
	va_end(args);
	return -EBADMSG;
}

struct reader_interface *capture_reader_add_interface(struct capture_source *s,
						      char *err, int *error)
{
	uint32_t count = s->interface_count;
	struct reader_interface *interfaces;

	if (count == CAPTURE_INTERFACES_MAX) {
		*error = capture_reader_broken(s, err,
					       "more than %u interfaces",
					       CAPTURE_INTERFACES_MAX);
		return NULL;
	}
	if ((count & (count - 1)) == 0) { /* full at each power of two */
		interfaces =
			realloc(s->interfaces,
				(count ? count * 2 : 1) * sizeof(*interfaces));
		if (!interfaces) {
			snprintf(err, CAPTURE_ERR_MAX, "out of memory");
			*error = -ENOMEM;
			return NULL;
		}
		s->interfaces = interfaces;
	}
	s->interfaces[count] = (struct reader_interface){ .divide = 1 };
	s->interface_count++;
	return &s->interfaces[count];
}

/* --- the buffer ------------------------------------------------------- */

ssize_t capture_reader_read(int fd, const int stops[2], void *data, size_t len)
{
	struct pollfd wait[] = { { fd, POLLIN, 0 },
				 { stops[0], POLLIN, 0 },
				 { stops[1], POLLIN, 0 } };
	bool may_stop = stops[0] >= 0 || stops[1] >= 0;
	ssize_t n;

	do {
		if (may_stop && poll(wait, 3, -1) < 0)
			continue;
		if (wait[1].revents || wait[2].revents)
			return -ECANCELED;
		n = read(fd, data, len);
		if (n >= 0)
			return n;
	} while (errno == EINTR || (may_stop && errno == EAGAIN));
	return -errno;
}

static ssize_t read_more(struct capture_source *s, uint8_t *data, size_t len)
{
	if (s->unpacker)
		return capture_unpacker_read(s->unpacker, data, len);
	return capture_reader_read(s->fd, (int[]){ s->stop, -1 }, data, len);
}

/* Room for `need` bytes from `begin` on. */
static int make_room(struct capture_source *s, size_t need)
{
	uint8_t *data;
	size_t size = s->size;

	if (s->begin) {
		memmove(s->data, s->data + s->begin, s->end - s->begin);
		s->offset += s->begin;
		s->end -= s->begin;
		s->begin = 0;
	}
	while (size < need)
		size *= 2;
	if (size == s->size)
		return 0;
	data = realloc(s->data, size);
	if (!data)
		return -ENOMEM;
	s->data = data;
	s->size = size;
	return 0;
}

/* Bytes that nobody wants go by without taking room. */
static void drop_skipped(struct capture_source *s)
{
	size_t n = s->end - s->begin;

	if (n > s->skip)
		n = (size_t)s->skip;
	s->begin += n;
	s->skip -= n;
}

/*
 * Read until `need` wanted bytes are there. Returns 1; 0 at the end of the
 * file; or -errno.
 */
static int fill(struct capture_source *s, size_t need)
{
	ssize_t n;
	int ret;

	for (;;) {
		drop_skipped(s);
		if (s->skip == 0 && s->end - s->begin >= need)
			return 1;
		ret = make_room(s, need);
		if (ret < 0)
			return ret;
		n = read_more(s, s->data + s->end, s->size - s->end);
		if (n <= 0)
			return (int)n;
		s->end += (size_t)n;
	}
}

/* --- opening ---------------------------------------------------------- */

static int not_a_capture(const struct capture_source *s, char *err)
{
	const uint8_t *p = s->data + s->begin;
	size_t n = s->end - s->begin;
	int used;

	if (n == 0) {
		snprintf(err, CAPTURE_ERR_MAX,
			 "expected a pcap or pcapng file, found no bytes");
		return -EBADMSG;
	}
	used = snprintf(err, CAPTURE_ERR_MAX,
			"expected a pcap or pcapng file, found one that "
			"begins with");
	for (size_t i = 0; i < n && i < 4; i++)
		used += snprintf(err + used, CAPTURE_ERR_MAX - (size_t)used,
				 " %02x", p[i]);
	return -EBADMSG;
}

static int read_error(int error, char *err)
{
	if (error == -EBADMSG)
		snprintf(err, CAPTURE_ERR_MAX, "the packed file is broken");
	else if (error == -ENODATA)
		snprintf(err, CAPTURE_ERR_MAX, "the packed file is cut off");
	else
		snprintf(err, CAPTURE_ERR_MAX, "%s", strerror(-error));
	return error;
}

/* What was read so far becomes the beginning of what is to be unpacked. */
static int start_unpacking(struct capture_source *s, char *err)
{
	enum packing packing = capture_unpacker_detect(s->data, s->end);
	int ret;

	if (packing == PACKING_NONE)
		return 0;
	ret = capture_unpacker_start(&s->unpacker, s, packing);
	if (ret < 0)
		return read_error(ret, err);
	s->packing = (uint8_t)packing;
	s->end = 0;
	ret = fill(s, FIRST_BYTES);
	return ret < 0 ? read_error(ret, err) : 0;
}

static const char *kind_name(const struct capture_source *s)
{
	static const char *const names[2][3] = {
		{ "pcap", "pcap in gzip", "pcap in zstd" },
		{ "pcapng", "pcapng in gzip", "pcapng in zstd" },
	};

	return names[s->format == &capture_format_pcapng][s->packing];
}

static int start(struct capture_source *s, char *err)
{
	int ret;

	s->size = READER_BUFFER_BYTES;
	s->data = malloc(s->size);
	if (!s->data)
		return read_error(-ENOMEM, err);
	ret = fill(s, FIRST_BYTES);
	if (ret < 0)
		return read_error(ret, err);
	ret = start_unpacking(s, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (s->end >= FIRST_BYTES && formats[i]->matches(s->data))
			s->format = formats[i];
	if (!s->format)
		return not_a_capture(s, err);
	s->kind = kind_name(s);
	return s->format->start(s, err);
}

int capture_source_open(struct capture_source **out, int fd, int stop,
			char err[CAPTURE_ERR_MAX])
{
	struct capture_source *s = calloc(1, sizeof(*s));
	struct stat st;
	int ret;

	if (!s)
		return read_error(-ENOMEM, err);
	s->fd = fd;
	s->stop = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? -1 : stop;
	ret = start(s, err);
	if (ret < 0) {
		capture_source_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

/* --- reading ---------------------------------------------------------- */

static int at_end(struct capture_source *s, int error, char *err)
{
	if (error < 0)
		return read_error(error, err);
	if (s->begin == s->end && s->skip == 0)
		return 0;
	snprintf(err, CAPTURE_ERR_MAX,
		 "at byte %llu: the file ends within a record",
		 (unsigned long long)reader_offset(s));
	return -ENODATA;
}

int capture_source_next(struct capture_source *s,
			struct capture_packet *packets, size_t max,
			char err[CAPTURE_ERR_MAX])
{
	size_t need = 0;
	int ret;

	if (s->error) {
		snprintf(err, CAPTURE_ERR_MAX, "%s", s->why);
		return s->error;
	}
	for (;;) {
		drop_skipped(s);
		ret = s->skip ? 0
			      : s->format->parse(s, packets, max, &need, err);
		if (ret == 0 && s->skip)
			need = 1;
		if (ret > 0)
			return ret;
		if (ret == 0) {
			ret = fill(s, need);
			if (ret > 0)
				continue;
			return at_end(s, ret, err);
		}
		s->error = ret;
		snprintf(s->why, sizeof(s->why), "%s", err);
		return ret;
	}
}

const char *capture_source_kind(const struct capture_source *s)
{
	return s->kind;
}

int capture_source_interface(const struct capture_source *s, uint32_t number,
			     struct capture_interface *out)
{
	if (number >= s->interface_count)
		return -ENOENT;
	*out = (struct capture_interface){
		.name = s->interfaces[number].name,
		.linktype = s->interfaces[number].linktype,
		.snaplen = s->interfaces[number].snaplen,
	};
	return 0;
}

void capture_source_close(struct capture_source *s)
{
	if (!s)
		return;
	capture_unpacker_stop(s->unpacker);
	for (uint32_t i = 0; i < s->interface_count; i++)
		free(s->interfaces[i].name);
	free(s->interfaces);
	free(s->data);
	free(s);
}
