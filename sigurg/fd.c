#include "fd.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int sigurg_fd_open(int signo)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	if (sigaddset(&set, signo) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int sigurg_fd_next(int fd, clockid_t clock, struct sigurg_record *out)
{
	struct signalfd_siginfo info;
	struct timespec ts;
	ssize_t n;

	/* A bad clock must not cost a signal. */
	if (clock_getres(clock, &ts) < 0)
		return -errno;
	do
		n = read(fd, &info, sizeof(info));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != sizeof(info))
		return -EINVAL;
	clock_gettime(clock, &ts);
	*out = (struct sigurg_record){
		.when_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec,
		.code = info.ssi_code,
		.pid = (pid_t)info.ssi_pid,
		.uid = info.ssi_uid,
	};
	return 1;
}
