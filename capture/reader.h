/* Inside the stored-packet source: its buffer, and the formats that read
 * from it. */
#ifndef CAPTURE_READER_H
#define CAPTURE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "capture/source.h"

/* One capture point, and how its stamps become nanoseconds: ticks * multiply
 * / divide >> shift, then + offset. */
struct reader_interface {
	char *name;
	uint32_t linktype;
	uint32_t snaplen;
	uint32_t multiply;
	uint64_t divide;
	uint8_t shift;
	int64_t offset_ns;
};

struct format;
struct unpacker;

struct capture_source {
	const struct format *format;
	const char *kind;
	int fd;
	int stop; /* ends a wait; -1: nothing to wait for, or nothing ends it */
	struct unpacker *unpacker; /* NULL: the file is not packed */
	uint8_t packing;	   /* enum packing */
	int error;		   /* what parsing ended with, and why */
	char why[CAPTURE_ERR_MAX];
	bool swapped; /* its byte order is not this machine's */

	/* What was read and not yet parsed: data[begin..end). */
	uint8_t *data;
	size_t begin, end, size;
	uint64_t skip;	 /* bytes to come that nobody wants */
	uint64_t offset; /* in the unpacked file, of data[0] */

	struct reader_interface *interfaces; /* of all sections */
	uint32_t interface_count;
	uint32_t section_first; /* the current section's first interface */

	uint32_t record_header; /* pcap: 16 or 24 bytes */
	uint32_t tick_ns;	/* pcap: 1000 or 1 */
	uint8_t length_order;	/* pcap: enum length_order */
	bool in_section;	/* pcapng */
};

/*
 * A file format. parse() takes whole records from the buffer, advancing
 * `begin`, into at most `max` packets, at least one if there is a whole one.
 * Returns their number; with 0, `*need` is how many bytes from `begin` on
 * must be there for the next step. -EBADMSG with a line in `err` for bytes
 * that are none of its records; -ENOMEM.
 */
struct format {
	const char *name;
	/* Can the file that begins with these 24 bytes be this one's? */
	bool (*matches)(const uint8_t *first);
	int (*start)(struct capture_source *source, char *err);
	int (*parse)(struct capture_source *source,
		     struct capture_packet *packets, size_t max, size_t *need,
		     char *err);
};

extern const struct format capture_format_pcap;
extern const struct format capture_format_pcapng;

/* Bytes 24 and on may be missing: an empty pcap file is 24 bytes, a pcapng
 * section header at least 28. */
enum {
	FIRST_BYTES = 24,
	/* Larger ones are no faster, and fall out of the cache between being
	 * filled and being parsed. */
	READER_BUFFER_BYTES = 256 << 10,
};

static inline uint16_t reader_u16(const struct capture_source *s,
				  const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return s->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t reader_u32(const struct capture_source *s,
				  const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return s->swapped ? __builtin_bswap32(v) : v;
}

/* Where parsing stands in the unpacked file. */
static inline uint64_t reader_offset(const struct capture_source *s)
{
	return s->offset + s->begin;
}

/* Add an interface; its name is copied. Returns it, or NULL with a line in
 * `err` and errno-like `*error`. */
struct reader_interface *capture_reader_add_interface(struct capture_source *s,
						      char *err, int *error);

/* Put "at byte N: " and the text in `err`; returns -EBADMSG. */
__attribute__((format(printf, 3, 4))) int
capture_reader_broken(const struct capture_source *s, char *err,
		      const char *format, ...);

/* read() that begins again when it is interrupted, and ends with -ECANCELED
 * when one of `stops` can be read. Those that are -1 never can. */
ssize_t capture_reader_read(int fd, const int stops[2], void *data, size_t len);

/* --- packed files ------------------------------------------------------ */

enum packing {
	PACKING_NONE,
	PACKING_GZIP,
	PACKING_ZSTD
};

/* How a file that begins with these bytes is packed. */
enum packing capture_unpacker_detect(const uint8_t *p, size_t len);

/*
 * Unpack the source's file, from what has been read of it on, in a thread of
 * its own, so that unpacking and what is done with the result overlap.
 * Returns 0, -ENOMEM or -EAGAIN (no thread).
 */
int capture_unpacker_start(struct unpacker **out,
			   const struct capture_source *source,
			   enum packing packing);

/* As read(): bytes, 0 at the end, or -errno: -ENODATA where the packed file
 * is cut, -EBADMSG where it is broken, each after what stood before. */
ssize_t capture_unpacker_read(struct unpacker *unpacker, void *data,
			      size_t len);

/* NULL is allowed. Does not wait for input. */
void capture_unpacker_stop(struct unpacker *unpacker);

#endif
