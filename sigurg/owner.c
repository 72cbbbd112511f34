#include "owner.h"

#include <errno.h>
#include <fcntl.h>

static const int kernel_type[] = {
	[SIGURG_NOBODY] = F_OWNER_PID,
	[SIGURG_THREAD] = F_OWNER_TID,
	[SIGURG_PROCESS] = F_OWNER_PID,
	[SIGURG_GROUP] = F_OWNER_PGRP,
};

int sigurg_owner_set(int fd, struct sigurg_owner owner)
{
	struct f_owner_ex ex = { .pid = owner.id };

	if ((unsigned)owner.kind > SIGURG_GROUP || owner.id < 0 ||
	    (owner.kind == SIGURG_NOBODY) != (owner.id == 0))
		return -EINVAL;
	ex.type = kernel_type[owner.kind];
	return fcntl(fd, F_SETOWN_EX, &ex) < 0 ? -errno : 0;
}

int sigurg_owner_get(int fd, struct sigurg_owner *out)
{
	struct f_owner_ex ex;

	if (fcntl(fd, F_GETOWN_EX, &ex) < 0)
		return -errno;
	*out = (struct sigurg_owner){ .id = ex.pid };
	if (!ex.pid)
		out->kind = SIGURG_NOBODY;
	else if (ex.type == F_OWNER_TID)
		out->kind = SIGURG_THREAD;
	else if (ex.type == F_OWNER_PGRP)
		out->kind = SIGURG_GROUP;
	else
		out->kind = SIGURG_PROCESS;
	return 0;
}
