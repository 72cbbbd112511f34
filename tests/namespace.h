/*
 * A network of a test's own. What a process enters it cannot leave, so each
 * such test runs in a child, whose exit status is the result.
 */
#ifndef TESTS_NAMESPACE_H
#define TESTS_NAMESPACE_H

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	HELD = 0,
	FAILED = 1,
	NO_NAMESPACE = 77
};

#define HOLDS(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#condition);                                   \
			return FAILED;                                         \
		}                                                              \
	} while (0)

static inline int loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };
	int ret;

	request.ifr_flags = IFF_UP;
	ret = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return ret;
}

static inline int write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	int ret = -1;

	if (!file)
		return -1;
	if (fputs(text, file) >= 0)
		ret = 0;
	return fclose(file) == 0 ? ret : -1;
}

/* With or without privilege; lo is up. */
static inline int enter_namespace(void)
{
	char map[64];
	uid_t uid = getuid();

	if (uid == 0)
		return unshare(CLONE_NEWNET) == 0 ? loopback_up() : -1;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return -1;
	return loopback_up();
}

/* Run `body` in a child that is in a network of its own, for `seconds` at
 * most. Returns its result, or FAILED. */
static inline int in_namespace(int (*body)(void), unsigned seconds)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		alarm(seconds);
		_exit(enter_namespace() < 0 ? NO_NAMESPACE : body());
	}
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status))
		return FAILED;
	return WEXITSTATUS(status);
}

#endif
