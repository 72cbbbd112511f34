/* The flag octet in words. */
#ifndef CAPTURE_FLAGS_H
#define CAPTURE_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/* Room for all six names, NUL included. */
#define CAPTURE_FLAGS_MAX 32

/*
 * "PSH ACK URG" for the flags of `flags` (enum capture_flag) that are set,
 * in this order: SYN FIN RST PSH ACK URG. Returns the length.
 */
size_t capture_flags_text(uint8_t flags, char out[CAPTURE_FLAGS_MAX]);

#endif
