#include "detector.h"

#include <string.h>

const struct sigurg_detector *const sigurg_detectors[] = {
	&sigurg_by_select,	 &sigurg_by_poll,     &sigurg_by_epoll,
	&sigurg_by_epoll_edge,	 &sigurg_by_handler,  &sigurg_by_signalfd,
	&sigurg_by_sigtimedwait, &sigurg_by_io_uring, NULL,
};

const struct sigurg_detector *sigurg_detector_find(const char *name)
{
	for (size_t i = 0; sigurg_detectors[i]; i++) {
		if (!strcmp(sigurg_detectors[i]->name, name))
			return sigurg_detectors[i];
	}
	return NULL;
}
