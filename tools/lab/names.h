/* The system's own names for its numbers, both ways. */
#ifndef LAB_NAMES_H
#define LAB_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "tools/text.h"

enum name_group {
	NAME_FAMILY,   /* AF_* */
	NAME_TYPE,     /* SOCK_* */
	NAME_PROTOCOL, /* IPPROTO_* */
	NAME_LEVEL,    /* SOL_* */
	NAME_SO,       /* SO_* options of SOL_SOCKET */
	NAME_TCP,      /* TCP_* options of IPPROTO_TCP */
	NAME_MSG,      /* MSG_* flags */
	NAME_SHUT,     /* SHUT_* */
	NAME_FCNTL,    /* F_* commands */
	NAME_OWNER,    /* F_OWNER_* */
	NAME_FILE,     /* O_* status flags */
	NAME_IOCTL,    /* SIOC*, FION* */
	NAME_POLL,     /* POLL* */
	NAME_EPOLL,    /* EPOLL* */
};

struct name {
	enum name_group group;
	const char *name;
	int64_t value;
};

extern const struct name names[];
extern const size_t names_count;

/* Append the name of `value`, or the number where it has none. */
void names_add(struct text *t, enum name_group group, int64_t value);

/* Append flags joined by "|", what has no name in hexadecimal, "0" for none. */
void names_add_flags(struct text *t, enum name_group group, uint64_t flags);

/* "EAGAIN" for 11; "E?" for a number the C library has no name for. */
const char *names_errno(int error);

/* 11 for "EAGAIN" or "EWOULDBLOCK"; 0 for what is no error's name. */
int names_errno_value(const char *name);

/* "SIGURG" for 23, into the caller's buffer; real-time ones as "SIGRTMIN+1". */
const char *names_signal(char *out, size_t size, int sig);

#endif
