/*
 * The urgent byte: sending it, receiving it, and where its mark stands.
 *
 * Descriptors are borrowed, never closed. No call blocks past its deadline on
 * a blocking descriptor, no signal cuts one short, and none raises SIGPIPE.
 * Each is safe to call from several threads, though two senders' bytes may
 * interleave.
 *
 * Sources: RFC 9293 section 3.8.5, RFC 6093, tcp(7), unix(7), recv(2).
 */
#ifndef OOB_URGENT_H
#define OOB_URGENT_H

#include "oob/deadline.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Send all `len` bytes as ordinary data, however many short sends that takes.
 *
 * Returns 0, -ETIMEDOUT, or -errno of send(2): -EPIPE, -ECONNRESET … In every
 * case the kernel has taken the first `*sent` bytes (`sent` may be NULL), so
 * that a caller can go on from there.
 */
int oob_send(int fd, const void *data, size_t len, size_t *sent,
	     int64_t deadline_ns);

/*
 * Send all `len` bytes, the last of them urgent, and no other: the one byte a
 * receiver gets out of band (RFC 6093 section 3.1).
 *
 * A plain send(MSG_OOB) that does not fit the send buffer makes the last byte
 * of each piece urgent on TCP: one of 2,000,000 bytes through an SO_SNDBUF of
 * 20,000 set 40 marks, a short non-blocking one a mark in the middle of the
 * caller's data (Linux 6.18). Here the last byte alone carries MSG_OOB, and
 * MSG_MORE before it keeps both in one segment where they fit.
 *
 * A full send buffer holds urgent data back like any other: the wait for room
 * is part of the deadline. MPTCP takes the byte and delivers it as ordinary.
 *
 * Returns as oob_send() does; also -EINVAL for `len` 0, which has no last
 * byte, and -EOPNOTSUPP where the family has no urgent data. The mark is set
 * only if 0 is returned; until then, go on with the rest in another call.
 */
int oob_send_urgent(int fd, const void *data, size_t len, size_t *sent,
		    int64_t deadline_ns);

/*
 * Take the urgent byte out of band, or look at it and leave it; neither waits.
 * Wait for it with oob_wait(POLLPRI) or any detector of sigurg/, or use
 * oob_read_oob() (oob/mark.h), which also makes way for it.
 *
 * Returns 1 with the byte in `*byte`, or, `*byte` untouched:
 *  0		it was announced, but the stream ended before it came
 *  -EAGAIN	it was announced (SIGURG was sent) but has not come
 *  -EINVAL	there is none, or it was taken, or delivery is inline
 *  -ENOTCONN	the connection is gone (a plain read tells why)
 * or another -errno of recv(2): -ENOTSOCK … MPTCP has no urgent data and
 * ignores the flag: there this takes a byte of ordinary data.
 */
int oob_recv_urgent(int fd, unsigned char *byte);
int oob_peek_urgent(int fd, unsigned char *byte);

/*
 * Does the next read start at the mark? Returns 1, 0, or -errno of the
 * SIOCATMARK ioctl (sockatmark(3)). It goes on saying 1 after the urgent byte
 * was taken, until ordinary data behind the mark is read.
 */
int oob_at_mark(int fd);

/*
 * Inline delivery, SO_OOBINLINE: the urgent byte stays in the stream, first
 * behind the mark. RFC 6093 section 6 recommends it to all who must use urgent
 * data. Set: 0 or -errno. Get: 1, 0 or -errno of getsockopt(2).
 */
int oob_set_inline(int fd, bool on);
int oob_get_inline(int fd);

#endif
