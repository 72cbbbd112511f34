/* Calls about the program itself. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/lab/call.h"
#include "tools/lab/program.h"

#define SYSCTL_BYTES 4096

static void run_fork(struct program *p, const struct message *in,
		     struct reply *out)
{
	(void)in;
	program_fork(p, out);
}

static void show_fork(struct text *t, const struct message *in,
		      const struct message *out)
{
	(void)in;
	text_add(t, "fork()");
	show_result(t, out);
}

static void run_setpgid(struct program *p, const struct message *in,
			struct reply *out)
{
	(void)p;
	reply_result(out, setpgid((pid_t)message_int(in, 0, 0),
				  (pid_t)message_int(in, 1, 0)));
}

static void show_setpgid(struct text *t, const struct message *in,
			 const struct message *out)
{
	text_add(t, "setpgid(%d, %d)", (int)message_int(in, 0, 0),
		 (int)message_int(in, 1, 0));
	show_result(t, out);
}

/* "net.ipv4.tcp_stdurg" to its file; -1 for what is no sysctl's name. */
static int sysctl_path(char *path, size_t size, const struct value *name)
{
	int used = snprintf(path, size, "/proc/sys/%.*s", (int)name->len,
			    (const char *)name->bytes);

	if (used < 0 || (size_t)used >= size || strstr(path, "..") ||
	    strlen(path) != (size_t)used)
		return -1;
	for (char *c = path + strlen("/proc/sys/"); *c; c++) {
		if (*c == '.')
			*c = '/';
		else if (!isalnum((unsigned char)*c) && !strchr("_-/", *c))
			return -1;
	}
	return 0;
}

/* /proc/sys/net is that of the network namespace of whoever opens it. */
static void run_sysctl(struct program *p, const struct message *in,
		       struct reply *out)
{
	char path[256], *text = NULL;
	bool set = in->n > 1;
	ssize_t n = -1;
	int fd = -1;

	(void)p;
	if (sysctl_path(path, sizeof(path), &in->v[0]) < 0)
		errno = ENOENT;
	else
		fd = open(path, (set ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd >= 0 && set) {
		n = write(fd, in->v[1].bytes, in->v[1].len);
	} else if (fd >= 0) {
		text = malloc(SYSCTL_BYTES);
		n = text ? read(fd, text, SYSCTL_BYTES) : -1;
	}
	reply_result(out, n < 0 ? -1 : 0);
	while (text && n > 0 && text[n - 1] == '\n')
		n--;
	reply_take(out, text, text && n > 0 ? (size_t)n : 0);
	if (fd >= 0)
		close(fd);
}

static void show_sysctl(struct text *t, const struct message *in,
			const struct message *out)
{
	text_add(t, "sysctl(");
	show_bytes(t, in, 0);
	text_add(t, ", ");
	if (in->n > 1)
		show_bytes(t, in, 1);
	else
		show_bytes(t, out, 1);
	text_add(t, ")");
	show_result(t, out);
}

/* Answers when the signals that came before it are counted. */
static void run_settle(struct program *p, const struct message *in,
		       struct reply *out)
{
	(void)p;
	(void)in;
	reply_result(out, 0);
}

const struct call call_fork = {
	.name = "fork",
	.run = run_fork,
	.show = show_fork,
};
const struct call call_setpgid = {
	.name = "setpgid",
	.run = run_setpgid,
	.show = show_setpgid,
};
const struct call call_sysctl = {
	.name = "sysctl",
	.run = run_sysctl,
	.show = show_sysctl,
};
const struct call call_settle = {
	.name = "settle",
	.run = run_settle,
};
