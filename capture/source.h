/*
 * Stored packets, from a file, a pipe or a growing file: pcap (either byte
 * order, micro- and nanoseconds, the "modified" kind, lengths swapped as in
 * versions before 2.4) and pcapng (several sections, interfaces and time
 * resolutions; enhanced, simple and old packet blocks), each as it is or
 * packed by gzip or zstd.
 *
 * Memory is bounded whatever the bytes say: a buffer that holds one record
 * of at most CAPTURE_RECORD_MAX bytes, and CAPTURE_INTERFACES_MAX interfaces.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

#define CAPTURE_RECORD_MAX     (4u << 20)
#define CAPTURE_INTERFACES_MAX 65536u

struct capture_source;

struct capture_interface {
	const char *name; /* the source's; NULL where the file has none */
	uint32_t linktype;
	uint32_t snaplen; /* 0: no limit */
};

/*
 * Begin to read `fd`, which is borrowed and read from where it stands; reads
 * until the kind of file is known. Where input may have to be waited for, the
 * wait ends when `stop`, borrowed as well, can be read: an eventfd, say, to
 * which a signal handler writes. -1: nothing ends it. Returns 0, or with a
 * line in `err`: -EBADMSG (no capture: says what was expected and found),
 * -ENOMEM, -ECANCELED (stopped), -errno of the read.
 */
int capture_source_open(struct capture_source **out, int fd, int stop,
			char err[CAPTURE_ERR_MAX]);

/*
 * The next packets, `max` at most: those that have been read already, so that
 * a pipe's come as they come; else waits for input. Returns their number,
 * good with their data until the next call; 0 at the end; or with a line in
 * `err`, when all that stood before has been returned:
 *
 *	-ENODATA	the file ends within a record (it is cut, or grows: a
 *			later call goes on where there is more by then)
 *	-EBADMSG	what follows is broken; further calls return the same
 *	-ECANCELED	stopped; more may be there
 *	-errno		of the read
 */
int capture_source_next(struct capture_source *source,
			struct capture_packet *packets, size_t max,
			char err[CAPTURE_ERR_MAX]);

/* "pcap", "pcapng", "pcap in gzip" … */
const char *capture_source_kind(const struct capture_source *source);

/* The capture point `number` as packets name it (they are counted on through
 * all sections). Returns 0, or -ENOENT for one not met yet. */
int capture_source_interface(const struct capture_source *source,
			     uint32_t number, struct capture_interface *out);

/* NULL is allowed. */
void capture_source_close(struct capture_source *source);

#endif
