/* Inside the views: what the families of receivers share, and their rows. */
#ifndef CAPTURE_VIEW_FAMILY_H
#define CAPTURE_VIEW_FAMILY_H

#include "capture/runs.h"
#include "capture/view.h"

/* Hand over the octets of `run` from `begin` up to `end`, all of which are
 * payload; the last of them may not have been captured. */
void capture_view_hand(const struct capture_view_sink *sink,
		       const struct capture_run *run, int64_t begin,
		       int64_t end);

extern const struct capture_view capture_view_linux;
extern const struct capture_view capture_view_linux_late;
extern const struct capture_view capture_view_linux_inline;
extern const struct capture_view capture_view_rfc1122;
extern const struct capture_view capture_view_rfc1122_late;
extern const struct capture_view capture_view_bsd;
extern const struct capture_view capture_view_suricata_oob;
extern const struct capture_view capture_view_suricata_inline;
extern const struct capture_view capture_view_suricata_drop;
extern const struct capture_view capture_view_suricata_gap;
extern const struct capture_view capture_view_stripped;

#endif
