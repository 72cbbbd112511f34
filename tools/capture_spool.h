/* Packets of a stream kept for a second pass, in an unlinked file. */
#ifndef TOOLS_CAPTURE_SPOOL_H
#define TOOLS_CAPTURE_SPOOL_H

#include "capture/packet.h"
#include "tools/capture_input.h"

struct spool;

/* `input` is borrowed: the packets are its. Returns 0, or -errno. */
int spool_open(struct spool **out, struct input *input);

/* A first failure ends the keeping; spool_rewind() tells. */
void spool_packet(struct spool *s, const struct capture_packet *packet);

/* All that was kept, as a capture file: a descriptor that stays the spool's.
 * Or -errno. */
int spool_rewind(struct spool *s);

/* NULL is allowed. */
void spool_close(struct spool *s);

#endif
