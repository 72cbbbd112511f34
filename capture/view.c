#include "capture/view.h"

#include <string.h>

#include "capture/view_family.h"

const struct capture_view *const capture_views[CAPTURE_VIEWS] = {
	&capture_view_linux,	     &capture_view_linux_late,
	&capture_view_linux_inline,  &capture_view_rfc1122,
	&capture_view_rfc1122_late,  &capture_view_bsd,
	&capture_view_suricata_oob,  &capture_view_suricata_inline,
	&capture_view_suricata_drop, &capture_view_suricata_gap,
	&capture_view_stripped,
};

const struct capture_view *capture_view_named(const char *name)
{
	for (size_t i = 0; i < CAPTURE_VIEWS; i++)
		if (strcmp(capture_views[i]->name, name) == 0)
			return capture_views[i];
	return NULL;
}

void capture_view_hand(const struct capture_view_sink *sink,
		       const struct capture_run *run, int64_t begin,
		       int64_t end)
{
	int64_t cut = run->seq + (int64_t)run->caplen;

	if (begin < end && begin < cut) {
		int64_t until = end < cut ? end : cut;

		sink->data(sink->context, begin, run->data + (begin - run->seq),
			   (size_t)(until - begin));
		begin = until;
	}
	if (begin < end)
		sink->data(sink->context, begin, NULL, (size_t)(end - begin));
}
