/*
 * Writes pcapng (draft-ietf-opsawg-pcapng): little else writes comments and
 * several interfaces, and libpcap only reads it. Each block goes out whole in
 * one write(), so a run that is killed leaves a readable file.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdint.h>

#include "capture/packet.h"

struct capture_pcapng;

/* What the section header says; any may be NULL. UTF-8. */
struct capture_pcapng_origin {
	const char *hardware;
	const char *os;
	const char *application;
};

/* One capture point. Texts may be NULL. */
struct capture_pcapng_interface {
	const char *name;
	const char *description;
	const char *filter; /* libpcap's language */
	uint32_t linktype;
};

/*
 * Begin a file on `fd`, which is borrowed: closing it stays the caller's.
 * `snaplen` holds for every interface of the file (tcpdump gives up on files
 * in which they differ); longer packets are cut to it. 0: no limit.
 * Returns 0, -ENOMEM, or -errno of the write.
 */
int capture_pcapng_open(struct capture_pcapng **out, int fd, uint32_t snaplen,
			const struct capture_pcapng_origin *origin);

/* Returns the number of the new interface, counted from 0, or -errno. */
int capture_pcapng_add_interface(struct capture_pcapng *writer,
				 const struct capture_pcapng_interface *iface);

/*
 * Write one packet under the interface `packet->interface`. `comment` may be
 * NULL. Returns 0, -EINVAL for an interface that was not added or has another
 * link type or for a time before 1970, or -errno of the write.
 *
 * A failed write (a full disk, a closed pipe: SIGPIPE is not raised) cuts the
 * file back to its last whole block where it can be cut, and ends the
 * writing: later calls write nothing and return the same error.
 */
int capture_pcapng_packet(struct capture_pcapng *writer,
			  const struct capture_packet *packet,
			  const char *comment);

/* How many packets an interface's capture received and dropped until now. */
int capture_pcapng_statistics(struct capture_pcapng *writer, uint32_t interface,
			      int64_t time_ns, uint64_t received,
			      uint64_t dropped);

/* Frees the writer; NULL is allowed. All is written already. */
void capture_pcapng_close(struct capture_pcapng *writer);

#endif
