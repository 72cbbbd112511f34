/* Socket addresses in the lab: raw bytes on the way, short text for people. */
#ifndef LAB_ADDRESS_H
#define LAB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "tools/text.h"

struct address {
	struct sockaddr_storage sa;
	socklen_t len; /* 0: none known */
};

/* `bytes` as a call gave them; more than fits is cut. */
struct address address_from(const void *bytes, size_t len);

bool address_same(const struct address *a, const struct address *b);

/* Append 127.0.0.1:5555, [::1]:5555, @abstract, /path, or "unnamed". */
void address_add(struct text *t, const struct address *a);

#endif
