#include "tools/lab/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/lab/event.h"
#include "tools/lab/isolate.h"
#include "tools/lab/lab.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/lab/record.h"
#include "tools/lab/wire.h"

static _Noreturn void refuse(int fd, const char *why)
{
	record_write(fd, RECORD_REFUSED, why, strlen(why), NULL, 0, NULL, 0);
	_exit(77);
}

static bool has_wire(const struct trial_job *job)
{
	return job->capture && strcmp(job->transport, "unix") != 0;
}

static void prepare(struct lab *lab, const struct trial_job *job)
{
	enum isolate_step step;
	char why[LAB_WHY_MAX];
	int ret;

	/* The terminal's signals are for the run, which then ends us. */
	setsid();
	if (job->isolate) {
		ret = isolate_settle(&step);
		if (ret < 0) {
			isolate_explain(step, -ret, why, sizeof(why));
			refuse(lab->out, why);
		}
	}
	if (has_wire(job) && wire_open(lab, why, sizeof(why)) < 0)
		refuse(lab->out, why);
}

static bool await_go(int fd)
{
	char go;
	ssize_t n;

	do {
		n = read(fd, &go, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static const char *verdict_of(struct lab *lab, enum sandbox_end how)
{
	if (how == SANDBOX_ERROR)
		return "error";
	if (lab->failures)
		return "failed";
	/* A program that died, a packet that was lost. */
	if (lab->broken)
		return "error";
	if (how == SANDBOX_SKIPPED)
		return "skipped";
	if (!lab->wire && strcmp(lab->transport, "unix") != 0)
		lab_why(lab, "unverified: the wire was not captured");
	if (!lab->expectations)
		lab_why(lab, "nothing was expected");
	return "held";
}

static _Noreturn void trial_main(const struct trial_job *job, int fd,
				 struct trial_shared *shared)
{
	struct lab lab = { .out = fd,
			   .isolated = job->isolate,
			   .experiment = job->name,
			   .transport = job->transport,
			   .inline_delivery = job->inline_delivery,
			   .timeout_s = job->timeout_s };
	enum sandbox_end how;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Other trials' sockets and open files are the run's alone. */
	close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
	prepare(&lab, job);
	lab_record(&lab, RECORD_READY, NULL, 0, NULL, 0, NULL, 0);
	if (!await_go(fd))
		_exit(0);
	lab.t0_ns = lab_realtime_ns();
	lab.deadline_ns = oob_deadline_in((int64_t)(job->timeout_s * 1e9));
	how = sandbox_run(&lab, job, shared);
	wire_finish(&lab);
	event_verdict(&lab, verdict_of(&lab, how));
	shutdown(fd, SHUT_WR);
	lab_close(&lab);
	wire_close(lab.wire);
	exit(0);
}

static pid_t fork_trial(const struct trial_job *job, char *err, size_t err_size)
{
	pid_t pid = job->isolate ? isolate_fork() : fork();

	if (pid < 0 && job->isolate) {
		int error = errno;

		isolate_explain(ISOLATE_CLONE, error, err, err_size);
		errno = error;
	} else if (pid < 0) {
		snprintf(err, err_size, "fork: %m");
	}
	return pid;
}

int trial_start(struct trial *t, const struct trial_job *job, char *err,
		size_t err_size)
{
	int pair[2], ret;

	t->shared = mmap(NULL, sizeof(*t->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->shared == MAP_FAILED) {
		ret = -errno;
		snprintf(err, err_size, "mmap: %m");
		return ret;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		ret = -errno;
		snprintf(err, err_size, "socketpair: %m");
		goto unmap;
	}
	t->pid = fork_trial(job, err, err_size);
	if (t->pid == 0) {
		close(pair[0]);
		trial_main(job, pair[1], t->shared);
	}
	ret = -errno;
	close(pair[1]);
	t->fd = pair[0];
	if (t->pid > 0)
		return 0;
	close(pair[0]);
unmap:
	munmap(t->shared, sizeof(*t->shared));
	return ret;
}

void trial_go(const struct trial *t)
{
	ssize_t n = send(t->fd, "g", 1, MSG_NOSIGNAL);

	(void)n; /* a trial that died closed its end, which the run sees */
}

void trial_end(struct trial *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->fd);
	munmap(t->shared, sizeof(*t->shared));
}
