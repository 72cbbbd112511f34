/*
 * Packets as they cross a network interface, through libpcap. Needs
 * CAP_NET_RAW in the network namespace's user namespace until
 * capture_live_open() has returned, nothing afterwards.
 */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/packet.h"

struct capture_live;

struct capture_live_options {
	const char *device; /* "lo", "any" … */
	const char *filter; /* libpcap's filter language; NULL: all */
	uint32_t snaplen; /* bytes kept of a packet; 0: CAPTURE_LIVE_SNAPLEN */
	uint32_t buffer_bytes; /* kernel ring; 0: CAPTURE_LIVE_BUFFER_BYTES */
	uint32_t gather_ms;    /* how long a packet may wait for others in
				* the ring; 0: none waits, but each takes a
				* slot of snaplen or MTU: see live.c */
	bool promiscuous;
};

/* What 0 stands for. */
#define CAPTURE_LIVE_SNAPLEN	  262144u
#define CAPTURE_LIVE_BUFFER_BYTES (16u << 20)

/* Since the handle was opened. */
struct capture_live_counts {
	uint64_t received; /* by the filter, dropped ones included */
	uint64_t dropped;  /* the ring was full */
	uint64_t interface_dropped;
};

/*
 * Start to capture. Returns 0 and a handle that capture_live_close() frees,
 * or with a line in `err`: -EPERM (CAP_NET_RAW is missing), -ENODEV (no such
 * device), -ENETDOWN, -EINVAL (the filter does not compile), -ENOMEM, -EIO.
 */
int capture_live_open(struct capture_live **out,
		      const struct capture_live_options *options,
		      char err[CAPTURE_ERR_MAX]);

/*
 * The next packet, without waiting. Returns 1 and fills `*packet`, whose data
 * is good until the next call on this handle; 0 when none is there: poll()
 * capture_live_fd() for POLLIN; -EIO with a line in `err` when the capture has
 * ended, as when the interface is no more. One that is only down may come up
 * again, and is waited for.
 */
int capture_live_next(struct capture_live *live, struct capture_packet *packet,
		      char err[CAPTURE_ERR_MAX]);

/* For poll(); the handle keeps owning it. */
int capture_live_fd(const struct capture_live *live);

/* LINKTYPE_ number of every packet of this handle. */
uint32_t capture_live_linktype(const struct capture_live *live);

/* Bytes of each packet that are kept. */
uint32_t capture_live_snaplen(const struct capture_live *live);

/* Returns 0, or -EIO when the kernel does not tell. */
int capture_live_counts(struct capture_live *live,
			struct capture_live_counts *counts);

/* NULL is allowed. */
void capture_live_close(struct capture_live *live);

#endif
