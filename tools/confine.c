#include "tools/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534

/* An id from sudo's environment: only taken where we are root already. */
static unsigned long id_from(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long id = text ? strtoul(text, &end, 10) : 0;

	return text && *text && !*end && id && id < NOBODY ? id : NOBODY;
}

/* In a user namespace that maps no other user, root stays what it is there. */
static void leave_root(void)
{
	gid_t gid = (gid_t)id_from("SUDO_GID");
	uid_t uid = (uid_t)id_from("SUDO_UID");

	if (geteuid() != 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0)
		return;
	if (setresuid(uid, uid, uid) < 0)
		return;
}

static int drop_capabilities(void)
{
	leave_root();
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	return 0;
}

#ifdef __SANITIZE_ADDRESS__

/* Its leak check at the end stops and traces the whole process. */
static int filter_calls(void)
{
	return 0;
}

#else

/* What poll, the ring, stdio, malloc and an orderly end need. */
static const int allowed[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(close),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(recvfrom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(setsockopt),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
};

static int filter_calls(void)
{
	static const scmp_datum_t asked[] = { TCGETS, TIOCGWINSZ };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < sizeof(allowed) / sizeof(allowed[0]);
	     i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* pcap_stats() asks sysfs what the interface dropped; it can do
	 * without. */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
				       SCMP_SYS(openat), 0);
	/* Is it a terminal, and how wide? Asked before a first line. */
	for (size_t i = 0; !ret && i < sizeof(asked) / sizeof(asked[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, asked[i]));
	/* Memory to allocate from, not code. */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC,
					       0));
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}

#endif

int confine(const char **step)
{
	int ret;

	*step = "drop capabilities";
	ret = drop_capabilities();
	if (ret < 0)
		return ret;
	*step = "forbid new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*step = "filter system calls";
	return filter_calls();
}
