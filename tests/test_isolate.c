#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/lab/isolate.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A child's exit status is its result: what it enters cannot be left. */
enum {
	HELD = 0,
	FAILED = 1,
	CANNOT = 77
};

#define HOLDS(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#condition);                                   \
			return FAILED;                                         \
		}                                                              \
	} while (0)

static ino_t namespace(const char *kind)
{
	char path[64];
	struct stat st = { 0 };

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int ret = write(fd, text, strlen(text)) < 0 ? -1 : 0;

	close(fd);
	return ret;
}

static bool loopback_is_up(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = ioctl(fd, SIOCGIFFLAGS, &req);

	close(fd);
	return ret == 0 && req.ifr_flags & IFF_UP &&
	       req.ifr_flags & IFF_RUNNING;
}

static bool can_bind(int family)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(80),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = family == AF_INET ? bind(fd, (const void *)&in, sizeof(in))
				    : bind(fd, (const void *)&in6, sizeof(in6));

	close(fd);
	return ret == 0 || (family == AF_INET6 && fd < 0);
}

static int look_around(ino_t outer_net, ino_t outer_pid)
{
	enum isolate_step step;

	HOLDS(isolate_settle(&step) == 0);
	HOLDS(getpid() == 1);
	HOLDS(geteuid() == 0 && getegid() == 0);
	HOLDS(namespace("net") != outer_net);
	HOLDS(namespace("pid") != outer_pid);
	HOLDS(loopback_is_up());
	/* Ports and settings are its own, the privileged ones too. */
	HOLDS(can_bind(AF_INET));
	HOLDS(can_bind(AF_INET6));
	HOLDS(write_text("/proc/sys/net/ipv4/tcp_stdurg", "1\n") == 0);
	return HELD;
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

/* Root in a user namespace of one's own, if the machine lets us. */
static bool own_machine(int flags)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | flags) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_text("/proc/self/uid_map", map) < 0 ||
	    write_text("/proc/self/setgroups", "deny") < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map) == 0;
}

static bool machine_allows(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(own_machine(CLONE_NEWPID | CLONE_NEWNET) ? HELD : CANNOT);
	return status_of(pid) == HELD;
}

static int isolated(void)
{
	ino_t net = namespace("net"), pid_ns = namespace("pid");
	char why[512];
	pid_t pid;

	if (isolate_probe(why, sizeof(why)) < 0) {
		fprintf(stderr, "%s\n", why);
		return machine_allows() ? FAILED : CANNOT;
	}
	pid = isolate_fork();
	if (pid == 0)
		_exit(look_around(net, pid_ns));
	HOLDS(pid > 0);
	HOLDS(namespace("net") == net);
	return status_of(pid);
}

/* Run `body` in a child. */
static void in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body());
	status = status_of(pid);
	if (status == CANNOT)
		skip();
	assert_int_equal(status, HELD);
}

static void the_child_is_alone_and_root(void **state)
{
	(void)state;
	in_child(isolated);
}

static int isolated_as_nobody(void)
{
	if (geteuid() != 0)
		return CANNOT; /* the test before was just this */
	if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		return CANNOT;
	/* Or /proc/self stays root's: proc(5). exec() would do the same. */
	prctl(PR_SET_DUMPABLE, 1);
	return isolated();
}

static void without_any_privilege_too(void **state)
{
	(void)state;
	in_child(isolated_as_nobody);
}

static int refused_by_limit(void)
{
	char why[512];

	if (!own_machine(0) ||
	    write_text("/proc/sys/user/max_user_namespaces", "0") < 0 ||
	    write_text("/proc/sys/user/max_net_namespaces", "0") < 0)
		return CANNOT;
	HOLDS(isolate_fork() == -1);
	HOLDS(errno == ENOSPC);
	HOLDS(isolate_probe(why, sizeof(why)) == -ENOSPC);
	HOLDS(strstr(why, "user.max_user_namespaces is 0"));
	HOLDS(!strchr(why, '\n'));
	return HELD;
}

static void the_limit_that_refuses_is_named(void **state)
{
	(void)state;
	in_child(refused_by_limit);
}

/* A refusal on a machine that has these settings, and what it is laid to. */
static const struct row {
	const char *name;
	int error;
	const char *setting, *value; /* under /proc/sys; NULL: none */
	const char *says;
} rows[] = {
	{ "limit_of_0", ENOSPC, "user/max_user_namespaces", "0\n",
	  "user.max_user_namespaces is 0; allow with: sysctl" },
	{ "limit_that_is_reached", ENOSPC, "user/max_user_namespaces", "100\n",
	  "too many namespaces" },
	{ "limit_that_is_unknown", ENOSPC, NULL, NULL, "too many namespaces" },
	{ "limit_of_0_is_not_why_of_another", EPERM, "user/max_user_namespaces",
	  "0\n", "a seccomp filter or container" },
	{ "debian_switch", EPERM, "kernel/unprivileged_userns_clone", "0\n",
	  "allow with: sysctl kernel.unprivileged_userns_clone=1" },
	{ "debian_switch_is_on", EPERM, "kernel/unprivileged_userns_clone",
	  "1\n", "a seccomp filter or container" },
	{ "ubuntu_profile", EPERM,
	  "kernel/apparmor_restrict_unprivileged_userns", "1\n",
	  "a profile for ooblab that has the rule \"userns,\"" },
	{ "ubuntu_profile_that_denies_access", EACCES,
	  "kernel/apparmor_restrict_unprivileged_userns", "1\n",
	  "AppArmor restricts user namespaces" },
	{ "ubuntu_profile_is_off", EPERM,
	  "kernel/apparmor_restrict_unprivileged_userns", "0\n",
	  "a seccomp filter or container" },
	{ "ubuntu_profile_is_not_why_memory_is_short", ENOMEM,
	  "kernel/apparmor_restrict_unprivileged_userns", "1\n",
	  "(Cannot allocate memory): the machine has none left" },
	{ "setting_of_garbage", EPERM, "kernel/unprivileged_userns_clone",
	  "many\n", "unprivileged_userns_clone is 0" },
	{ "setting_that_is_empty", EPERM, "kernel/unprivileged_userns_clone",
	  "", "a seccomp filter or container" },
	{ "seccomp_or_container", EPERM, NULL, NULL,
	  "--security-opt seccomp=unconfined" },
	{ "too_many_processes", EAGAIN, NULL, NULL, "ulimit -u" },
	{ "kernel_without_them", EINVAL, NULL, NULL,
	  "(Invalid argument): the kernel lacks or forbids it" },
};

static const struct row *explained;

/* Where /proc/sys has what the row says, and nothing else. */
static int explain(void)
{
	char path[128], why[512];

	if (!own_machine(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc/sys/kernel", "tmpfs", 0, NULL) < 0 ||
	    mount("none", "/proc/sys/user", "tmpfs", 0, NULL) < 0)
		return CANNOT;
	snprintf(path, sizeof(path), "/proc/sys/%s",
		 explained->setting ? explained->setting : "");
	if (explained->setting)
		HOLDS(write_text(path, explained->value) == 0);
	isolate_explain(ISOLATE_CLONE, explained->error, why, sizeof(why));
	if (!strstr(why, explained->says))
		fprintf(stderr, "%s\n", why);
	HOLDS(strstr(why, explained->says));
	HOLDS(!strncmp(why, "cannot make a network namespace (", 33));
	HOLDS(!strchr(why, '\n'));
	return HELD;
}

static void test_explained(void **state)
{
	explained = *state;
	in_child(explain);
}

int main(void)
{
	static const struct CMUnitTest whole[] = {
		cmocka_unit_test(the_child_is_alone_and_root),
		cmocka_unit_test(without_any_privilege_too),
		cmocka_unit_test(the_limit_that_refuses_is_named),
	};
	struct CMUnitTest tests[COUNT(whole) + COUNT(rows)];

	memcpy(tests, whole, sizeof(whole));
	for (size_t i = 0; i < COUNT(rows); i++)
		tests[COUNT(whole) + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_explained,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
