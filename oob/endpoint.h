/*
 * Ends of a byte stream: TCP over IPv4 and IPv6, MPTCP, and AF_UNIX. See
 * socket(7), tcp(7), unix(7).
 *
 * Descriptors returned here are the caller's to close, and closed by exec.
 * A call with a deadline never blocks past it, whether the descriptor is
 * blocking or not, and leaves O_NONBLOCK as it found it. To do so it sets
 * O_NONBLOCK for its duration on a blocking descriptor, which those who share
 * the open file description see: share only non-blocking ones.
 */
#ifndef OOB_ENDPOINT_H
#define OOB_ENDPOINT_H

#include "oob/address.h"
#include "oob/deadline.h"

/*
 * A stream socket of `family` (AF_INET, AF_INET6, AF_UNIX), blocking.
 * `protocol` is 0 for the family's own or, for example, IPPROTO_MPTCP.
 * Returns the descriptor or -errno of socket(2).
 */
int oob_make(int family, int protocol);

/* Give `fd` the local address `a`. Returns 0 or -errno of bind(2). */
int oob_bind(int fd, const struct oob_address *a);

/*
 * Await connections, at most `backlog` of them not yet accepted; Linux cuts
 * it to net.core.somaxconn. A client that finds the queue full is not refused,
 * as the C library's manual has it: its connect waits (TCP sends its SYN
 * again, AF_UNIX blocks).
 * Returns 0 or -errno of listen(2).
 */
int oob_listen(int fd, int backlog);

/*
 * Make, bind and listen, with SO_REUSEADDR so that a restarted server gets its
 * port. Returns the descriptor or -errno; then nothing is left open.
 */
int oob_listen_on(const struct oob_address *a, int backlog);

/*
 * Take the next connection of listener `fd`; its client's name goes to `peer`
 * unless NULL. The new socket is blocking whatever `fd` is. On TCP it inherits
 * SO_OOBINLINE from the listener; on AF_UNIX it does not, nor the F_SETOWN
 * owner on either (measured on Linux 6.18).
 *
 * A connection that fails before it is accepted is not reported: accept(2)
 * passes its network error, and the wait goes on.
 *
 * Returns the descriptor, -ETIMEDOUT, or -errno of accept(2).
 */
int oob_accept(int fd, struct oob_address *peer, int64_t deadline_ns);

/*
 * Connect `fd` to `a`. Returns 0 or -errno of connect(2): -ECONNREFUSED,
 * -EHOSTUNREACH … After -ETIMEDOUT, the kernel's or the deadline's, the kernel
 * may still be trying: close `fd`.
 *
 * An AF_UNIX connection to a full listener gives no event to wait for; there
 * the wait is connect(2)'s own under SO_SNDTIMEO, which is put back after.
 */
int oob_connect(int fd, const struct oob_address *a, int64_t deadline_ns);

/* Make and connect: the descriptor or -errno; then nothing is left open. */
int oob_dial(const struct oob_address *a, int64_t deadline_ns);

/* The name of this end of `fd`. Returns 0 or -errno of getsockname(2). */
int oob_local_name(int fd, struct oob_address *out);

/* The name of the other end. Returns 0 or -errno of getpeername(2):
 * -ENOTCONN when there is none. */
int oob_peer_name(int fd, struct oob_address *out);

#endif
