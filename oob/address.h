/*
 * Addresses of stream sockets: IPv4, IPv6 and AF_UNIX, as text and as the
 * kernel takes them. Nothing here asks a name server.
 */
#ifndef OOB_ADDRESS_H
#define OOB_ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct oob_address {
	struct sockaddr_storage sa; /* as the kernel takes it */
	socklen_t len;		    /* of what `sa` holds */
};

/* Room for any address as text and its final NUL: every byte of the longest
 * AF_UNIX name written as \xHH. */
#define OOB_ADDRESS_TEXT_MAX 448

/*
 * Read an address:
 *
 *	127.0.0.1  127.0.0.1:80			IPv4
 *	::1  [::1]  [::1]:80  [fe80::1%eth0]:80	IPv6, RFC 4291 section 2.2
 *	/run/x  ./x  unix:x			AF_UNIX, a path
 *	@x  unix:@x				AF_UNIX, an abstract name
 *(unix(7))
 *
 * `port` (host order) serves where the text names none; AF_UNIX has none.
 * An AF_UNIX name may hold any byte as \xHH, and a backslash as \\.
 *
 * Returns 0, -EINVAL when the text is none of these, -ENAMETOOLONG when an
 * AF_UNIX name does not fit (108 bytes of path, 107 of abstract name), or
 * -ENODEV for an interface after % that is not there. A failing call leaves
 * `*out` as it was.
 */
int oob_address_parse(struct oob_address *out, const char *text, uint16_t port);

/*
 * Write `a` as text that oob_address_parse() reads back into the same: IPv4
 * and IPv6 with their port, AF_UNIX with "unix:" before it ("unix:" alone for
 * a socket without a name). Bytes outside printable ASCII become \xHH.
 *
 * Returns the length without the final NUL, -ENOSPC when `size` is too small
 * (OOB_ADDRESS_TEXT_MAX never is), or -EAFNOSUPPORT.
 */
int oob_address_format(const struct oob_address *a, char *text, size_t size);

/* The port of an IPv4 or IPv6 address in host order, 0 for any other. */
uint16_t oob_address_port(const struct oob_address *a);

#endif
