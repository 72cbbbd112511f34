/* gzip and zstd, unpacked ahead of the reader by a thread. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/reader.h"

enum {
	RING_BYTES = 1 << 20, /* a power of two */
};

struct unpacker {
	int fd;
	int stops[2]; /* the source's; ours, for when nobody reads any more */
	enum packing packing;
	pthread_t thread;

	/* The thread's: what was read and not yet unpacked. */
	uint8_t packed[READER_BUFFER_BYTES];
	size_t begin, end;
	z_stream gzip;
	ZSTD_DStream *zstd;

	/* Shared: `written` and `taken` count bytes; they differ by what lies
	 * in the ring. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t written, taken;
	bool ended;   /* with `error`: 0 is the end of the file */
	bool stopped; /* nobody reads any more */
	int error;
	uint8_t ring[RING_BYTES];
};

enum packing capture_unpacker_detect(const uint8_t *p, size_t len)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b };
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t skippable[] = { 0x2a, 0x4d, 0x18 };

	if (len >= 2 && memcmp(p, gzip, sizeof(gzip)) == 0)
		return PACKING_GZIP;
	if (len < 4)
		return PACKING_NONE;
	if (memcmp(p, zstd, sizeof(zstd)) == 0 ||
	    ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, skippable, 3) == 0))
		return PACKING_ZSTD;
	return PACKING_NONE;
}

/* --- the thread ------------------------------------------------------- */

/* Read on once all that was read is unpacked: 1, 0 at the end, -errno. */
static int refill(struct unpacker *u)
{
	ssize_t n;

	if (u->begin < u->end)
		return 1;
	n = capture_reader_read(u->fd, u->stops, u->packed, sizeof(u->packed));
	if (n <= 0)
		return (int)n;
	u->begin = 0;
	u->end = (size_t)n;
	return 1;
}

/* What one step of unpacking did. */
struct step {
	size_t out; /* bytes written */
	bool whole; /* no member or frame is under way */
	bool full;  /* more to write may be held back for want of room, and
		     * a read() might wait for long */
};

static int step_gzip(struct unpacker *u, uint8_t *out, size_t room,
		     struct step *step)
{
	int ret;

	u->gzip.next_in = u->packed + u->begin;
	u->gzip.avail_in = (uInt)(u->end - u->begin);
	u->gzip.next_out = out;
	u->gzip.avail_out = (uInt)room;
	ret = inflate(&u->gzip, Z_NO_FLUSH);
	step->out = room - u->gzip.avail_out;
	step->full = u->gzip.avail_out == 0 && ret != Z_STREAM_END;
	if (step->out || u->begin != u->end - u->gzip.avail_in)
		step->whole = ret == Z_STREAM_END;
	u->begin = u->end - u->gzip.avail_in;
	if (ret == Z_STREAM_END)
		inflateReset(&u->gzip);
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR
		       ? 0
		       : -EBADMSG;
}

static int step_zstd(struct unpacker *u, uint8_t *out, size_t room,
		     struct step *step)
{
	ZSTD_inBuffer in = { u->packed, u->end, u->begin };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t ret = ZSTD_decompressStream(u->zstd, &to, &in);

	step->out = to.pos;
	step->full = to.pos == room && ret != 0;
	if (to.pos || in.pos != u->begin)
		step->whole = ret == 0;
	u->begin = in.pos;
	return ZSTD_isError(ret) ? -EBADMSG : 0;
}

/* Room for the thread to write into, waited for: 0 when nobody reads. */
static size_t ring_room(struct unpacker *u, uint8_t **out)
{
	size_t used, at, room;

	pthread_mutex_lock(&u->lock);
	while (!u->stopped && u->written - u->taken == RING_BYTES)
		pthread_cond_wait(&u->changed, &u->lock);
	used = u->stopped ? RING_BYTES : (size_t)(u->written - u->taken);
	at = u->written % RING_BYTES;
	pthread_mutex_unlock(&u->lock);
	room = RING_BYTES - used;
	*out = u->ring + at;
	return room < RING_BYTES - at ? room : RING_BYTES - at;
}

static void ring_written(struct unpacker *u, size_t n)
{
	pthread_mutex_lock(&u->lock);
	u->written += n;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
}

/*
 * All of the file: several members or frames may follow one another. The end
 * of the file is its end only between two of them. Returns 0 or -errno.
 */
static int unpack_all(struct unpacker *u)
{
	struct step step = { .whole = true };
	uint8_t *out;
	size_t room;
	int ret;

	for (;;) {
		ret = step.full ? 1 : refill(u);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return step.whole ? 0 : -ENODATA;
		room = ring_room(u, &out);
		if (room == 0)
			return 0;
		ret = u->packing == PACKING_GZIP
			      ? step_gzip(u, out, room, &step)
			      : step_zstd(u, out, room, &step);
		if (step.out)
			ring_written(u, step.out);
		if (ret < 0)
			return ret;
	}
}

static void *run(void *unpacker)
{
	struct unpacker *u = unpacker;
	int error = unpack_all(u);

	pthread_mutex_lock(&u->lock);
	u->ended = true;
	u->error = error;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* --- the reader ------------------------------------------------------- */

static void unpacker_free(struct unpacker *u)
{
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	if (u->packing == PACKING_GZIP)
		inflateEnd(&u->gzip);
	ZSTD_freeDStream(u->zstd);
	if (u->stops[1] >= 0)
		close(u->stops[1]);
	free(u);
}

/* Signals are for the program's threads, which know what to do with them. */
static int start_thread(struct unpacker *u)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&u->thread, NULL, run, u);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

int capture_unpacker_start(struct unpacker **out,
			   const struct capture_source *s, enum packing packing)
{
	const int gzip_only = 16 + MAX_WBITS;
	struct unpacker *u = calloc(1, sizeof(*u));
	int ret = -ENOMEM;

	if (!u)
		return -ENOMEM;
	u->fd = s->fd;
	u->packing = packing;
	u->stops[0] = s->stop;
	u->stops[1] = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	u->end = s->end;
	memcpy(u->packed, s->data, u->end);
	if (u->stops[1] < 0)
		goto fail;
	if (packing == PACKING_GZIP ? inflateInit2(&u->gzip, gzip_only) != Z_OK
				    : !(u->zstd = ZSTD_createDStream()))
		goto fail;
	ret = start_thread(u);
	if (ret < 0)
		goto fail;
	*out = u;
	return 0;
fail:
	unpacker_free(u);
	return ret;
}

ssize_t capture_unpacker_read(struct unpacker *u, void *data, size_t len)
{
	size_t at, there, n = 0;
	int error = 0;

	pthread_mutex_lock(&u->lock);
	while (!u->ended && u->written == u->taken)
		pthread_cond_wait(&u->changed, &u->lock);
	there = (size_t)(u->written - u->taken);
	if (there == 0)
		error = u->error;
	pthread_mutex_unlock(&u->lock);
	at = u->taken % RING_BYTES;
	n = there < len ? there : len;
	if (n > RING_BYTES - at)
		n = RING_BYTES - at;
	if (n == 0)
		return error;
	memcpy(data, u->ring + at, n);
	pthread_mutex_lock(&u->lock);
	u->taken += n;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	return (ssize_t)n;
}

void capture_unpacker_stop(struct unpacker *u)
{
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	u->stopped = true;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	eventfd_write(u->stops[1], 1);
	pthread_join(u->thread, NULL);
	unpacker_free(u);
}
