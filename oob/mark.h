/*
 * Reading up to the urgent mark, with what lies before it dropped or kept.
 *
 * All four calls read ordinary data of `fd` until it stands at the mark. They
 * wait for data, the mark and the urgent byte as events, up to the deadline;
 * no signal cuts them short. They never read past a mark, not even one that
 * arrives while they run. SIOCATMARK followed by a read, as manuals have it,
 * does when the urgent byte and data behind it come in between, and the byte
 * is gone: 42 of 20,000 over TCP, 14 over AF_UNIX (Linux 6.18, sender and
 * reader on two processors).
 *
 * A mark moves: while one is ahead, a second urgent byte replaces it. Where
 * RFC 6093 section 3.3 has the first discarded, Linux makes it ordinary data,
 * returned as such; only when the reader stands at it already, TCP drops it.
 *
 * Each returns
 *  1		at the mark
 *  0		the stream ended before a mark
 *  -ETIMEDOUT	the deadline passed; with one already past, all that was there
 *		has been read
 *  -errno	of recv(2) or SIOCATMARK: -ECONNRESET …, -ENOTTY for a socket
 *		that knows no mark (MPTCP); or of epoll_create1(2), where
 *		poll(2) would spin
 * and whatever the result, what was read is the caller's: it lies in the
 * memory given, and nothing was lost. A second call goes on from there.
 *
 * Standing at a mark, the three *_until_mark() return 1 and read nothing,
 * whether the urgent byte was taken or not. Read something to get past it.
 *
 * One thread at a time may read a socket, and none set its SO_PEEK_OFF: these
 * calls peek. Sources: RFC 9293 section 3.8.5, RFC 6093, sockatmark(3), the C
 * library's manual, "Out-of-Band Data".
 */
#ifndef OOB_MARK_H
#define OOB_MARK_H

#include "oob/buffer.h"
#include "oob/deadline.h"

/* Drop what lies before the mark; `*dropped` bytes of it (may be NULL). */
int oob_discard_until_mark(int fd, size_t *dropped, int64_t deadline_ns);

/*
 * Read what lies before the mark into `buf` of `size` bytes; `*len` of them
 * were filled. Returns also -ENOBUFS: the buffer is full, and more data stands
 * before the mark, in the socket still.
 */
int oob_read_until_mark(int fd, void *buf, size_t size, size_t *len,
			int64_t deadline_ns);

/*
 * Add what lies before the mark to the end of `out`. Returns also -ENOBUFS
 * when out->limit is reached with more data before the mark, in the socket
 * still, and -ENOMEM.
 */
int oob_buffer_until_mark(int fd, struct oob_buffer *out, int64_t deadline_ns);

/*
 * Fetch the next urgent byte into `*byte`, and add the ordinary data that
 * stood before it to `before`, in order. It takes the byte at the mark: one
 * announced but held back by a full receive window comes once the data before
 * it is read. A mark whose byte was already taken is passed, and inline
 * delivery served as well. Where the C library's manual has its read_oob()
 * sleep, this waits for the byte itself.
 *
 * Returns as oob_buffer_until_mark() does, where 1 also means that `*byte` is
 * filled; and -EBADMSG where the sender marked a byte that had come without
 * URG: Linux has it at the mark and will not hand it out of band; turn inline
 * delivery on and call again to have it. To have the byte ahead of the data
 * before it, oob_recv_urgent().
 */
int oob_read_oob(int fd, unsigned char *byte, struct oob_buffer *before,
		 int64_t deadline_ns);

#endif
