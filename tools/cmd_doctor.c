/* ooblab doctor: what this machine allows, and the remedy for each lack. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <liburing.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/live.h"
#include "tools/cmd.h"
#include "tools/lab/isolate.h"
#include "tools/term.h"

#define SAYS_MAX 320

/* What one check found. `says` is a cause and a remedy, or a detail. */
struct finding {
	bool good;
	char says[SAYS_MAX];
};

static void found(struct finding *f, const char *detail)
{
	f->good = true;
	snprintf(f->says, sizeof(f->says), "%s", detail);
}

static void lacks(struct finding *f, int error, const char *remedy)
{
	snprintf(f->says, sizeof(f->says), "%s; %s", strerror(error), remedy);
}

static void check_capture(struct finding *f)
{
	struct capture_live_options options = { .device = "lo",
						.snaplen = 256 };
	struct capture_live *live;
	char err[CAPTURE_ERR_MAX];

	if (capture_live_open(&live, &options, err) == 0) {
		capture_live_close(live);
		found(f, "packets on lo can be captured");
		return;
	}
	snprintf(f->says, sizeof(f->says),
		 "%.200s; in a container add --cap-add NET_RAW, elsewhere run "
		 "as root, or use run --no-capture",
		 err);
}

static void check_tun(struct finding *f)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		lacks(f, errno,
		      errno == ENOENT ? "modprobe tun"
				      : "chmod 0666 /dev/net/tun");
		return;
	}
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		lacks(f, errno, "needs CAP_NET_ADMIN in a namespace");
	else
		found(f, "a TUN device can be made");
	close(fd);
}

static void check_unix(struct finding *f)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		lacks(f, errno, "the kernel lacks AF_UNIX");
		return;
	}
	if (send(pair[0], "x", 1, MSG_OOB | MSG_NOSIGNAL) == 1)
		found(f, "MSG_OOB works on AF_UNIX streams");
	else
		lacks(f, errno, "Linux 5.15 or later with CONFIG_AF_UNIX_OOB");
	close(pair[0]);
	close(pair[1]);
}

static void check_family(struct finding *f, int family, int protocol,
			 const char *remedy)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0) {
		lacks(f, errno, remedy);
		return;
	}
	close(fd);
	found(f, "sockets can be made");
}

static void check_ipv6(struct finding *f)
{
	check_family(f, AF_INET6, 0, "boot without ipv6.disable=1");
}

static void check_mptcp(struct finding *f)
{
	check_family(f, AF_INET, IPPROTO_MPTCP,
		     "needs CONFIG_MPTCP and sysctl net.mptcp.enabled=1");
}

static void check_uring(struct finding *f)
{
	struct io_uring ring;
	int ret = io_uring_queue_init(4, &ring, 0);

	if (ret < 0) {
		lacks(f, -ret,
		      "sysctl kernel.io_uring_disabled=0; containers "
		      "often filter it");
		return;
	}
	io_uring_queue_exit(&ring);
	found(f, "a ring can be made");
}

static void check_stdurg(struct finding *f)
{
	int fd = open("/proc/sys/net/ipv4/tcp_stdurg", O_RDONLY | O_CLOEXEC);
	char value = '?';

	if (fd < 0 || read(fd, &value, 1) != 1)
		lacks(f, errno, "mount /proc");
	else
		found(f, value == '0' ? "0: the BSD reading of the pointer"
				      : "1: the RFC 1122 reading");
	if (fd >= 0)
		close(fd);
}

/* Needed: without it `run` cannot do its main job. */
static const struct check {
	const char *name;
	bool needed;
	void (*run)(struct finding *f);
} checks[] = {
	{ "capture", true, check_capture },
	{ "AF_UNIX MSG_OOB", true, check_unix },
	{ "IPv6", true, check_ipv6 },
	{ "TUN", false, check_tun },
	{ "MPTCP", false, check_mptcp },
	{ "io_uring", false, check_uring },
	{ "tcp_stdurg", false, check_stdurg },
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* Findings in memory the child shares: the namespace's own comes first. */
static int examine(struct finding *findings)
{
	enum isolate_step step = ISOLATE_CLONE;
	pid_t pid;
	int ret;

	pid = isolate_fork();
	if (pid < 0) {
		isolate_explain(step, errno, findings[0].says, SAYS_MAX);
		return -1;
	}
	if (pid == 0) {
		ret = isolate_settle(&step);
		if (ret < 0)
			isolate_explain(step, -ret, findings[0].says, SAYS_MAX);
		else
			found(&findings[0], "without privilege of the "
					    "machine's own");
		for (size_t i = 0; ret == 0 && i < CHECKS; i++)
			checks[i].run(&findings[i + 1]);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return findings[0].good ? 0 : -1;
}

static void print_text(const struct term *t, const char *name, bool needed,
		       const struct finding *f)
{
	enum term_style style = f->good	 ? TERM_GOOD
				: needed ? TERM_BAD
					 : TERM_DIM;

	printf("%s%-5s%s %-16s %s\n", term_on(t, style),
	       f->good	? "ok"
	       : needed ? "LACKS"
			: "lacks",
	       term_off(t), name, f->says);
}

static void print_json(const char *name, bool needed, const struct finding *f)
{
	json_t *line = json_pack("{s:s, s:s, s:b, s:b, s:s}", "event", "check",
				 "check", name, "ok", f->good, "needed", needed,
				 "says", f->says);

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_kernel(bool json)
{
	struct utsname u;
	struct finding f = { .good = true };

	uname(&u);
	snprintf(f.says, sizeof(f.says), "%.100s %.100s %.100s", u.sysname,
		 u.release, u.machine);
	if (json)
		print_json("kernel", true, &f);
	else
		printf("      %-16s %s\n", "kernel", f.says);
}

static int doctor(const struct cmd *self, int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	size_t size = (CHECKS + 1) * sizeof(struct finding);
	struct term t = term_open(stdout);
	struct finding *findings;
	int status;

	if (argc > 1 && !json)
		return cmd_usage(self);
	findings = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (findings == MAP_FAILED) {
		cmd_complain("doctor", "%s", strerror(errno));
		return STATUS_CANNOT;
	}
	status = examine(findings) < 0 ? STATUS_NOT : STATUS_HELD;
	print_kernel(json);
	for (size_t i = 0; i <= CHECKS; i++) {
		const char *name = i ? checks[i - 1].name : "namespaces";
		bool needed = i ? checks[i - 1].needed : true;

		if (i && !findings[0].good)
			checks[i - 1].run(&findings[i]);
		if (needed && !findings[i].good)
			status = STATUS_NOT;
		if (json)
			print_json(name, needed, &findings[i]);
		else
			print_text(&t, name, needed, &findings[i]);
	}
	munmap(findings, size);
	return status;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.args = "[--json]",
	.does = "tell what this machine allows, and the remedy for each lack",
	.help = "Checks within the namespaces that 'ooblab run' would use.\n\n"
		"Exit status: 0 nothing needed is lacking, 1 something is.\n\n"
		"example: ooblab doctor\n",
	.run = doctor,
};
