#include "tools/lab/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the caller, as the child must map them. Set before each fork. */
struct caller {
	uid_t uid;
	gid_t gid;
	bool user_namespace;
};
static struct caller caller;

/*
 * The system call itself: the C library's fork() has no flags, and unshare()
 * would not put its caller into the new PID namespace. Only a process of one
 * thread may do this; the run is one.
 */
static pid_t clone_into(unsigned long namespaces)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD | namespaces, NULL, NULL, NULL,
			      NULL);
}

pid_t isolate_fork(void)
{
	pid_t pid;

	caller.uid = geteuid();
	caller.gid = getegid();
	caller.user_namespace = false;
	if (caller.uid == 0) {
		pid = clone_into(CLONE_NEWPID | CLONE_NEWNET);
		if (pid >= 0 || errno != EPERM)
			return pid;
	}
	caller.user_namespace = true;
	return clone_into(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int become_root(void)
{
	char map[64];
	int ret;

	snprintf(map, sizeof(map), "0 %u 1\n", caller.uid);
	ret = write_file("/proc/self/uid_map", map);
	if (ret < 0)
		return ret;
	/* Without this a group map is refused: user_namespaces(7). */
	ret = write_file("/proc/self/setgroups", "deny");
	if (ret < 0 && ret != -ENOENT)
		return ret;
	snprintf(map, sizeof(map), "0 %u 1\n", caller.gid);
	return write_file("/proc/self/gid_map", map);
}

static int loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int isolate_settle(enum isolate_step *step)
{
	int ret = 0;

	*step = ISOLATE_MAP;
	if (caller.user_namespace)
		ret = become_root();
	if (ret < 0)
		return ret;
	*step = ISOLATE_LOOPBACK;
	return loopback_up();
}

/* The integer in a /proc/sys file; -1 where there is none. */
static long sysctl_value(const char *path)
{
	char text[32];
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

#define SYS_MAX	     "/proc/sys/user/max_user_namespaces"
#define SYS_CLONE_OK "/proc/sys/kernel/unprivileged_userns_clone"
#define SYS_APPARMOR "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

#define BY_APPARMOR                                                            \
	"AppArmor restricts user namespaces "                                  \
	"(kernel.apparmor_restrict_unprivileged_userns is 1); allow with a "   \
	"profile for ooblab that has the rule \"userns,\""

/* The first row whose condition holds names the setting. */
struct refusal {
	int error; /* 0: any */
	const char *path;
	long value; /* of the file at path */
	const char *says;
};

static const struct refusal refusals[] = {
	{ ENOSPC, SYS_MAX, 0,
	  "user.max_user_namespaces is 0; "
	  "allow with: sysctl user.max_user_namespaces=15000" },
	{ EPERM, SYS_CLONE_OK, 0,
	  "kernel.unprivileged_userns_clone is 0; "
	  "allow with: sysctl kernel.unprivileged_userns_clone=1" },
	{ EPERM, SYS_APPARMOR, 1, BY_APPARMOR },
	{ EACCES, SYS_APPARMOR, 1, BY_APPARMOR },
	{ ENOSPC, NULL, 0,
	  "too many namespaces; allow more with: sysctl "
	  "user.max_user_namespaces=15000 user.max_net_namespaces=15000 "
	  "user.max_pid_namespaces=15000" },
	{ EAGAIN, NULL, 0, "too many processes: allow more with ulimit -u" },
	{ ENOMEM, NULL, 0, "the machine has none left for another" },
	{ EPERM, NULL, 0,
	  "a seccomp filter or container forbids it; in a container, "
	  "start it with --security-opt seccomp=unconfined or as root with "
	  "--cap-add SYS_ADMIN" },
	{ 0, NULL, 0, "the kernel lacks or forbids it" },
};

void isolate_explain(enum isolate_step step, int error, char *out, size_t size)
{
	static const char *const doing[] = {
		[ISOLATE_CLONE] = "cannot make a network namespace",
		[ISOLATE_MAP] = "cannot become root in a user namespace",
		[ISOLATE_LOOPBACK] = "cannot bring lo up in a namespace",
	};
	const struct refusal *r = refusals;

	while ((r->error && r->error != error) ||
	       (r->path && sysctl_value(r->path) != r->value))
		r++;
	snprintf(out, size, "%s (%s): %s", doing[step], strerror(error),
		 r->says);
}

int isolate_probe(char *why, size_t size)
{
	enum isolate_step step = ISOLATE_CLONE;
	pid_t pid = isolate_fork();
	int ret = pid < 0 ? -errno : 0;
	int status;

	if (pid == 0)
		_exit(-isolate_settle(&step));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
		ret = -WEXITSTATUS(status);
		step = ISOLATE_MAP;
	}
	if (ret < 0)
		isolate_explain(step, -ret, why, size);
	return ret;
}
