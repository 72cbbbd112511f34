/* One `ooblab capture`, once it is known what is asked. */
#ifndef TOOLS_CAPTURE_RUN_H
#define TOOLS_CAPTURE_RUN_H

#include "tools/capture_request.h"

/* Until the packets end, or SIGINT. Returns an exit status. */
int capture_run(struct request *request);

#endif
