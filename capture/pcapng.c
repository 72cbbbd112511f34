#include "capture/pcapng.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Block and option types of the pcapng specification. All is written in the
 * byte order of this machine, which the section header gives away. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,

	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_HARDWARE = 2,
	SECTION_OS = 3,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_DESCRIPTION = 3,
	INTERFACE_RESOLUTION = 9,
	INTERFACE_FILTER = 11,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5,
};

struct capture_pcapng {
	int fd;
	int error;     /* -errno of the write that ended the writing */
	bool seekable; /* a regular file: can be cut back */
	bool pipe;     /* writing may raise SIGPIPE */
	off_t end;     /* of the last whole block; when seekable */
	uint32_t snaplen;
	uint32_t interfaces;
	uint32_t *linktypes; /* of each interface */
	uint8_t *block;	     /* the block in the making */
	size_t used, size;
};

/* --- a block in the making ------------------------------------------- */

static int reserve(struct capture_pcapng *w, size_t more)
{
	size_t size = w->size ? w->size : 4096;
	uint8_t *block;

	while (size - w->used < more)
		size *= 2;
	if (size == w->size)
		return 0;
	block = realloc(w->block, size);
	if (!block)
		return -ENOMEM;
	w->block = block;
	w->size = size;
	return 0;
}

/* Room must have been reserved: see begin(). */
static void put(struct capture_pcapng *w, const void *data, size_t len)
{
	memcpy(w->block + w->used, data, len);
	w->used += len;
}

static void put_padded(struct capture_pcapng *w, const void *data, size_t len)
{
	static const uint8_t zeros[4];

	put(w, data, len);
	put(w, zeros, -len & 3);
}

static void put_u16(struct capture_pcapng *w, uint16_t value)
{
	put(w, &value, sizeof(value));
}

static void put_u32(struct capture_pcapng *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

/* Upper half first, whatever the byte order: so the specification has it. */
static void put_time(struct capture_pcapng *w, int64_t time_ns)
{
	put_u32(w, (uint32_t)((uint64_t)time_ns >> 32));
	put_u32(w, (uint32_t)time_ns);
}

static void put_option(struct capture_pcapng *w, uint16_t type,
		       const void *value, size_t len)
{
	put_u16(w, type);
	put_u16(w, (uint16_t)len);
	put_padded(w, value, len);
}

/* An option's length has 16 bits; a longer text is cut between characters. */
static size_t text_length(const char *text)
{
	size_t len = strlen(text);

	if (len <= UINT16_MAX)
		return len;
	len = UINT16_MAX;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void put_text(struct capture_pcapng *w, uint16_t type, const char *text)
{
	if (text)
		put_option(w, type, text, text_length(text));
}

/* Begin a block, with room for its frame, fixed part and end of options and
 * for `more` bytes of data and options with all their padding. */
static int begin(struct capture_pcapng *w, uint32_t type, size_t more)
{
	int ret;

	if (w->error)
		return w->error;
	w->used = 0;
	ret = reserve(w, 64 + more);
	if (ret < 0)
		return ret;
	put_u32(w, type);
	put_u32(w, 0); /* the length: finish() knows it */
	return 0;
}

static size_t text_room(const char *text)
{
	return text ? text_length(text) + 8 : 0;
}

/* --- the way out ------------------------------------------------------ */

/*
 * A pipe whose reader has gone raises SIGPIPE, and whether that ends the
 * process is not a library's to decide. There is no MSG_NOSIGNAL for pipes,
 * so the signal is held back in this thread and taken away again.
 */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec now = { 0, 0 };
	sigset_t pipe_signal, old, pending;
	bool was_pending;
	ssize_t n;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	n = write(fd, data, len);
	error = errno;
	if (n < 0 && error == EPIPE && !was_pending)
		while (sigtimedwait(&pipe_signal, NULL, &now) < 0 &&
		       errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return n;
}

static int write_all(const struct capture_pcapng *w)
{
	size_t done = 0;
	ssize_t n;

	while (done < w->used) {
		n = (w->pipe ? write_quietly : write)(w->fd, w->block + done,
						      w->used - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

/* End the block's options, fill in its length, and write it. */
static int finish(struct capture_pcapng *w)
{
	uint32_t total;

	put_u32(w, OPTION_END);
	total = (uint32_t)w->used + 4;
	put_u32(w, total);
	memcpy(w->block + 4, &total, sizeof(total));
	w->error = write_all(w);
	if (w->error == 0) {
		w->end += (off_t)w->used;
		return 0;
	}
	/* Failing to cut it back leaves what a reader calls truncated; the
	 * first error is the one to tell. */
	if (w->seekable && ftruncate(w->fd, w->end) == 0)
		lseek(w->fd, w->end, SEEK_SET);
	return w->error;
}

/* --- blocks ----------------------------------------------------------- */

static int section(struct capture_pcapng *w,
		   const struct capture_pcapng_origin *origin)
{
	int ret = begin(w, BLOCK_SECTION,
			text_room(origin->hardware) + text_room(origin->os) +
				text_room(origin->application));

	if (ret < 0)
		return ret;
	put_u32(w, 0x1a2b3c4d); /* byte-order magic */
	put_u16(w, 1);		/* version 1.0 */
	put_u16(w, 0);
	put_u32(w, UINT32_MAX); /* section length: not known, 64 bits */
	put_u32(w, UINT32_MAX);
	put_text(w, SECTION_HARDWARE, origin->hardware);
	put_text(w, SECTION_OS, origin->os);
	put_text(w, SECTION_APPLICATION, origin->application);
	return finish(w);
}

static void look_at_fd(struct capture_pcapng *w)
{
	struct stat st;

	if (fstat(w->fd, &st) < 0)
		return;
	w->pipe = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	w->end = lseek(w->fd, 0, SEEK_CUR);
	w->seekable = S_ISREG(st.st_mode) && w->end >= 0;
}

int capture_pcapng_open(struct capture_pcapng **out, int fd, uint32_t snaplen,
			const struct capture_pcapng_origin *origin)
{
	struct capture_pcapng *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->snaplen = snaplen;
	look_at_fd(w);
	ret = section(w, origin);
	if (ret < 0) {
		capture_pcapng_close(w);
		return ret;
	}
	*out = w;
	return 0;
}

static int remember_linktype(struct capture_pcapng *w, uint32_t linktype)
{
	uint32_t *linktypes =
		realloc(w->linktypes, (w->interfaces + 1) * sizeof(*linktypes));

	if (!linktypes)
		return -ENOMEM;
	linktypes[w->interfaces] = linktype;
	w->linktypes = linktypes;
	return 0;
}

static void put_filter(struct capture_pcapng *w, const char *filter)
{
	size_t len = text_length(filter);

	if (len == UINT16_MAX)
		len--; /* the byte before the text counts */
	put_u16(w, INTERFACE_FILTER);
	put_u16(w, (uint16_t)(len + 1));
	put(w, "", 1); /* kind 0: the text in libpcap's language */
	put(w, filter, len);
	put(w, "\0\0\0", -(len + 1) & 3);
}

int capture_pcapng_add_interface(struct capture_pcapng *w,
				 const struct capture_pcapng_interface *iface)
{
	const uint8_t nanoseconds = 9;
	int ret;

	if (iface->linktype > UINT16_MAX || w->interfaces == INT32_MAX)
		return -EINVAL;
	ret = begin(w, BLOCK_INTERFACE,
		    text_room(iface->name) + text_room(iface->description) +
			    text_room(iface->filter) + 16);
	if (ret < 0)
		return ret;
	ret = remember_linktype(w, iface->linktype);
	if (ret < 0)
		return ret;
	put_u16(w, (uint16_t)iface->linktype);
	put_u16(w, 0);
	put_u32(w, w->snaplen);
	put_text(w, INTERFACE_NAME, iface->name);
	put_text(w, INTERFACE_DESCRIPTION, iface->description);
	put_option(w, INTERFACE_RESOLUTION, &nanoseconds, 1);
	if (iface->filter)
		put_filter(w, iface->filter);
	ret = finish(w);
	return ret < 0 ? ret : (int)w->interfaces++;
}

int capture_pcapng_packet(struct capture_pcapng *w,
			  const struct capture_packet *packet,
			  const char *comment)
{
	uint32_t caplen = packet->caplen;
	int ret;

	if (packet->interface >= w->interfaces || packet->time_ns < 0 ||
	    packet->linktype != w->linktypes[packet->interface])
		return -EINVAL;
	if (w->snaplen && caplen > w->snaplen)
		caplen = w->snaplen;
	ret = begin(w, BLOCK_PACKET, caplen + text_room(comment));
	if (ret < 0)
		return ret;
	put_u32(w, packet->interface);
	put_time(w, packet->time_ns);
	put_u32(w, caplen);
	put_u32(w, packet->len);
	put_padded(w, packet->data, caplen);
	put_text(w, OPTION_COMMENT, comment);
	return finish(w);
}

int capture_pcapng_statistics(struct capture_pcapng *w, uint32_t interface,
			      int64_t time_ns, uint64_t received,
			      uint64_t dropped)
{
	int ret;

	if (interface >= w->interfaces || time_ns < 0)
		return -EINVAL;
	ret = begin(w, BLOCK_STATISTICS, 0);
	if (ret < 0)
		return ret;
	put_u32(w, interface);
	put_time(w, time_ns);
	put_option(w, STATISTICS_RECEIVED, &received, sizeof(received));
	put_option(w, STATISTICS_DROPPED, &dropped, sizeof(dropped));
	return finish(w);
}

void capture_pcapng_close(struct capture_pcapng *w)
{
	if (!w)
		return;
	free(w->linktypes);
	free(w->block);
	free(w);
}
