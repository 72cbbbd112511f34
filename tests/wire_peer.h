/*
 * A TCP end that sends exactly the segments it is told to, opposite a socket
 * of the kernel's. It has no kernel behind it: its address is nobody's, so
 * that what the kernel answers is neither reset nor acknowledged.
 *
 * Needs a network namespace in which it may open raw sockets: any that an
 * ordinary user makes together with a user namespace.
 */
#ifndef TESTS_WIRE_PEER_H
#define TESTS_WIRE_PEER_H

#include <stddef.h>
#include <stdint.h>

/* Of any packet sent: IPv4 and TCP headers without options, and payload. */
#define WIRE_HEADERS	 40
#define WIRE_PAYLOAD_MAX 1400

struct wire_peer {
	int tx;	      /* raw IP */
	int ear;      /* packet socket */
	int listener; /* the kernel's */
	int fd;	      /* the kernel's end of the connection, or -1 */
	uint16_t port;
	uint16_t kernel_port;
	uint16_t listener_port;
	uint32_t isn;	   /* raw: relative sequence number 0 */
	uint32_t ack;	   /* raw: what comes next from the kernel */
	uint32_t segments; /* that the kernel's end has been given */
	uint8_t packet[WIRE_HEADERS + WIRE_PAYLOAD_MAX]; /* the last sent */
	size_t packet_len;
};

struct wire_segment {
	uint32_t seq; /* relative */
	uint8_t flags;
	uint16_t up;
	const void *data;
	uint16_t len;
};

/*
 * Make sockets, and a route to the peer's address through lo, which is to be
 * up. Returns 0, or -errno (-EPERM, -EACCES: no privilege here).
 */
int wire_peer_open(struct wire_peer *peer);

/*
 * Make a connection on ports of its own whose first octet from the peer is
 * the SYN with the raw sequence number `isn`. With _accept() the peer opens
 * it; with _connect() the kernel does, and `syn` (flags besides SYN and ACK,
 * pointer) is what the peer answers. The packet with the peer's SYN is left
 * in peer->packet. Returns 0, or -errno (-ETIMEDOUT).
 */
int wire_peer_accept(struct wire_peer *peer, uint32_t isn);
int wire_peer_connect(struct wire_peer *peer, uint32_t isn,
		      const struct wire_segment *syn);

/*
 * Send one segment with ACK and a right checksum, and wait until the kernel
 * has done with it. Returns 0, -EPIPE when there is no connection any more
 * (the segment then was not sent), or -errno (-ETIMEDOUT).
 */
int wire_peer_send(struct wire_peer *peer, const struct wire_segment *segment);

/* End the connection; the next may be made. */
void wire_peer_hang_up(struct wire_peer *peer);

void wire_peer_close(struct wire_peer *peer);

#endif
