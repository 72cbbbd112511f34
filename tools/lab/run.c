#include "tools/lab/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/cmd.h"
#include "tools/lab/isolate.h"
#include "tools/lab/names.h"
#include "tools/lab/outcome.h"
#include "tools/lab/program.h"
#include "tools/lab/record.h"
#include "tools/lab/save.h"
#include "tools/lab/trial.h"
#include "tools/text.h"

/*
 * Trials made ready while others run. Half of a trial's 40 ms are waits for
 * the kernel's grace periods when its packet socket opens and closes; more
 * than this many of them at once gain nothing on two cores.
 */
#define AHEAD	 4
#define LIVE_MAX 64

#define GRACE_NS	1000000000LL /* for a trial to end by itself */
#define PREPARE_NS	30000000000LL
#define EVENT_BYTES_MAX (64u << 20) /* that one trial may report */

enum state {
	PREPARING,
	READY,
	RUNNING,
	ENDING,
	ENDED
};

struct attempt {
	struct trial_job job;
	struct trial trial;
	struct record_reader reader;
	struct outcome outcome;
	enum state state;
	int64_t deadline_ns; /* of this state; CLOCK_MONOTONIC */
	size_t event_bytes;
	int point; /* in the saved file */
};

struct run {
	struct run_options *options;
	struct attempt *attempts;
	size_t count;
	size_t started, gone, told; /* each in order */
	unsigned live, running;
	struct save *save;
	sigset_t old_mask;
	int signal_fd;
	int signal;    /* that ends the run; 0 none */
	bool refused;  /* this machine cannot run them */
	bool progress; /* a line stands on the terminal */
	int64_t start_ns;
};

/* All is said; its process has yet to end. */
static void end_trial(struct run *run, struct attempt *a)
{
	if (a->state == RUNNING)
		run->running--;
	a->state = ENDING;
	a->deadline_ns = oob_deadline_in(GRACE_NS);
}

static void refuse(struct run *run, const char *why)
{
	if (!run->refused)
		cmd_complain("run", "%s%s", why,
			     run->options->capture
				     ? "; --no-capture runs without"
				     : "");
	run->refused = true;
}

/* Returns false when the record says nothing that can be kept. */
static bool take_record(struct run *run, struct attempt *a, int kind,
			const uint8_t *data, size_t len)
{
	struct record_counts counts;
	char why[512];

	switch (kind) {
	case RECORD_READY:
		a->state = READY;
		a->deadline_ns = OOB_NO_DEADLINE;
		return true;
	case RECORD_REFUSED:
		snprintf(why, sizeof(why), "%.*s", (int)len, (char *)data);
		refuse(run, why);
		return true;
	case RECORD_EVENT:
		a->event_bytes += len;
		return outcome_add(&a->outcome,
				   json_loadb((char *)data, len, 0, NULL));
	case RECORD_VERDICT:
		json_decref(a->outcome.verdict);
		a->outcome.verdict = json_loadb((char *)data, len, 0, NULL);
		return a->outcome.verdict;
	case RECORD_FRAME:
		if (run->save)
			save_frame(run->save, a->point, data, len);
		return true;
	case RECORD_COUNTS:
		memcpy(&counts, data, sizeof(counts));
		if (run->save)
			save_counts(run->save, a->point, counts.received,
				    counts.dropped);
		return true;
	}
	return false;
}

/* Returns NULL, or why what came cannot be relied on. */
static const char *take_records(struct run *run, struct attempt *a)
{
	const uint8_t *data;
	size_t len;
	int kind;

	while ((kind = record_next(&a->reader, &data, &len)) > 0) {
		if (!take_record(run, a, kind, data, len))
			return "an event was lost: not enough memory";
		if (a->event_bytes > EVENT_BYTES_MAX)
			return "more than 64 MiB of events";
	}
	return kind < 0 ? "the trial's report is broken" : NULL;
}

/* By force; what it said until now is kept. */
static void kill_trial(struct run *run, struct attempt *a, const char *why)
{
	kill(a->trial.pid, SIGKILL);
	while (record_fill(&a->reader, a->trial.fd) > 0 &&
	       !take_records(run, a))
		;
	outcome_judge(&a->outcome, why);
	end_trial(run, a);
	a->deadline_ns = OOB_NO_DEADLINE;
}

static void take_from(struct run *run, struct attempt *a)
{
	int got = record_fill(&a->reader, a->trial.fd);
	const char *why = take_records(run, a);

	if (why)
		kill_trial(run, a, why);
	else if (got <= 0 && got != -EAGAIN)
		end_trial(run, a);
}

/* Stuck where no hook reaches: the last line it told us is where. */
static void end_late(struct run *run, struct attempt *a)
{
	char why[512] = "the namespace was never ready";

	if (a->state == RUNNING)
		snprintf(why, sizeof(why),
			 "%s:%d: still running after %g s: ended by force",
			 a->job.path, a->trial.shared->line, a->job.timeout_s);
	else if (a->state == ENDING)
		snprintf(why, sizeof(why), "the trial did not end");
	kill_trial(run, a, why);
}

/* Its process is gone, and how it went is what there is to say. */
static void explain_end(struct attempt *a, const siginfo_t *info)
{
	char why[128], name[32];

	if (info->si_code == CLD_EXITED)
		snprintf(why, sizeof(why),
			 "the trial ended with status %d before its verdict",
			 info->si_status);
	else
		snprintf(why, sizeof(why), "the trial was killed by %s",
			 names_signal(name, sizeof(name), info->si_status));
	outcome_judge(&a->outcome, why);
}

/* Reap a trial whose process is gone; its parts live on for the report. */
static void reap(struct run *run, struct attempt *a)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)a->trial.pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    !info.si_pid)
		return;
	explain_end(a, &info);
	trial_end(&a->trial);
	record_free(&a->reader);
	a->state = ENDED;
	run->live--;
}

static int start_next(struct run *run)
{
	struct attempt *a = &run->attempts[run->started];
	char why[512];

	fflush(NULL); /* or the trial's exit() writes it once more */
	if (trial_start(&a->trial, &a->job, why, sizeof(why)) < 0) {
		refuse(run, why);
		return -1;
	}
	if (run->save)
		a->point = save_trial(run->save, &a->job);
	a->state = PREPARING;
	a->deadline_ns = oob_deadline_in(PREPARE_NS);
	run->started++;
	run->live++;
	return 0;
}

static void start_and_go(struct run *run)
{
	unsigned ahead = run->options->jobs + AHEAD;

	while (!run->refused && !run->signal && run->started < run->count &&
	       run->live < ahead && run->started < run->gone + ahead) {
		if (start_next(run) < 0)
			return;
	}
	while (!run->refused && run->gone < run->started &&
	       run->running < run->options->jobs) {
		struct attempt *a = &run->attempts[run->gone];

		if (a->state == PREPARING)
			return;
		if (a->state == READY) {
			trial_go(&a->trial);
			a->state = RUNNING;
			a->deadline_ns = oob_deadline_in(
				(int64_t)(a->job.timeout_s * 1e9) + GRACE_NS);
			run->running++;
		}
		run->gone++;
	}
}

static void clear_progress(struct run *run)
{
	if (run->progress)
		fputs("\r\033[K", stderr);
	run->progress = false;
}

static void show_progress(struct run *run)
{
	char name[40];

	if (!isatty(STDERR_FILENO) ||
	    oob_now_ns() - run->start_ns < 1000000000LL)
		return;
	text_printable(name, sizeof(name), run->attempts[run->told].job.name,
		       TEXT_ONE_LINE | TEXT_ASCII);
	fprintf(stderr, "\r%zu of %zu: %s\033[K", run->told + 1, run->count,
		name);
	run->progress = true;
}

/* In the order of the command line, whichever ended first. */
static void tell(struct run *run)
{
	struct reporter *r = &run->options->reporter;

	while (run->told < run->started &&
	       (run->attempts[run->told].state == ENDED ||
		(run->attempts[run->told].state == ENDING &&
		 run->attempts[run->told].outcome.verdict))) {
		struct outcome *o = &run->attempts[run->told].outcome;
		bool begun = run->told < run->gone && !run->refused;

		clear_progress(run);
		outcome_sort(o);
		if (begun)
			run->options->report->outcome(r, o);
		fflush(r->term.out);
		outcome_free_events(o);
		r->told++;
		run->told++;
	}
}

static int64_t nearest_deadline(const struct run *run)
{
	int64_t nearest = oob_deadline_in(1000000000LL);

	for (size_t i = 0; i < run->started; i++) {
		const struct attempt *a = &run->attempts[i];

		if (a->state != ENDED && a->deadline_ns < nearest)
			nearest = a->deadline_ns;
	}
	return nearest;
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			run->signal = (int)info.ssi_signo;
	}
}

/* A signal, or a refusal: all that live are ended. */
static void end_all(struct run *run)
{
	for (size_t i = 0; i < run->started; i++) {
		struct attempt *a = &run->attempts[i];

		if (a->state < ENDING)
			kill_trial(run, a, "interrupted");
	}
}

static void wait_and_take(struct run *run)
{
	struct pollfd fds[LIVE_MAX + 1];
	struct attempt *of[LIVE_MAX];
	int64_t left = nearest_deadline(run) - oob_now_ns();
	nfds_t n = 0;

	for (size_t i = 0; i < run->started && n < LIVE_MAX; i++) {
		struct attempt *a = &run->attempts[i];

		if (a->state >= ENDING)
			continue;
		of[n] = a;
		fds[n++] = (struct pollfd){ a->trial.fd, POLLIN, 0 };
	}
	fds[n] = (struct pollfd){ run->signal_fd, POLLIN, 0 };
	if (poll(fds, n + 1, left <= 0 ? 0 : (int)(left / 1000000) + 1) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++) {
		if (fds[i].revents)
			take_from(run, of[i]);
	}
	if (fds[n].revents)
		take_signal(run);
}

static void loop(struct run *run)
{
	while (run->live ||
	       (!run->refused && !run->signal && run->started < run->count)) {
		start_and_go(run);
		wait_and_take(run);
		if (run->refused || run->signal)
			end_all(run);
		for (size_t i = 0; i < run->started; i++) {
			struct attempt *a = &run->attempts[i];

			if (a->state != ENDED && oob_now_ns() >= a->deadline_ns)
				end_late(run, a);
			if (a->state == ENDING)
				reap(run, a);
		}
		tell(run);
		if (run->told < run->count && run->live)
			show_progress(run);
	}
	clear_progress(run);
}

static int list_attempts(struct run *run, const struct experiment *e,
			 size_t count)
{
	const struct run_options *o = run->options;
	size_t each = o->transport_count *
		      ((size_t)o->inline_axis[0] + o->inline_axis[1]);

	run->attempts = calloc(count * each, sizeof(*run->attempts));
	if (!run->attempts)
		return -ENOMEM;
	for (size_t i = 0; i < count * o->transport_count * 2; i++) {
		struct attempt *a = &run->attempts[run->count];

		if (!o->inline_axis[i % 2])
			continue;
		a->job = (struct trial_job){
			.name = e[i / 2 / o->transport_count].name,
			.path = e[i / 2 / o->transport_count].path,
			.text = e[i / 2 / o->transport_count].text,
			.text_len = e[i / 2 / o->transport_count].text_len,
			.transport = o->transports[i / 2 % o->transport_count],
			.inline_delivery = i % 2,
			.capture = o->capture,
			.isolate = o->isolate,
			.timeout_s = o->timeout_s,
		};
		a->outcome.job = &a->job;
		run->count++;
	}
	return 0;
}

static int status_of(const struct run *run)
{
	size_t skipped = 0, held = 0;

	for (size_t i = 0; i < run->count; i++) {
		const char *verdict = report_string(
			run->attempts[i].outcome.verdict, "verdict");

		skipped += !strcmp(verdict, "skipped");
		held += !strcmp(verdict, "held");
	}
	if (held + skipped < run->count)
		return STATUS_NOT;
	return held ? STATUS_HELD : STATUS_CANNOT;
}

static int catch_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &run->old_mask);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signal_fd < 0 ? -errno : 0;
}

static void free_run(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		outcome_free(&run->attempts[i].outcome);
	free(run->attempts);
	if (run->signal_fd >= 0)
		close(run->signal_fd);
	sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
}

static void tell_end(struct run *run)
{
	struct reporter *r = &run->options->reporter;
	struct outcome *all = calloc(run->count, sizeof(*all));

	if (!all || !run->options->report->end)
		goto out;
	for (size_t i = 0; i < run->count; i++)
		all[i] = run->attempts[i].outcome;
	run->options->report->end(r, all, run->count);
out:
	free(all);
}

/* Without a capture, a machine that forbids namespaces will do. */
static void choose_isolation(struct run_options *options)
{
	char why[512];

	if (options->capture || isolate_probe(why, sizeof(why)) == 0)
		return;
	options->isolate = false;
	cmd_complain("run", "%s; going on without one", why);
}

/* Programs inherit the limit. Returns 0, or -EMFILE having said so. */
static int allow_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= PROGRAM_OPEN_FILES)
		return 0;
	if (limit.rlim_max >= PROGRAM_OPEN_FILES) {
		limit.rlim_cur = PROGRAM_OPEN_FILES;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return 0;
	}
	cmd_complain("run",
		     "only %llu open files are allowed; allow with: "
		     "ulimit -n %d",
		     (unsigned long long)limit.rlim_max, PROGRAM_OPEN_FILES);
	return -EMFILE;
}

int run_experiments(const struct experiment *experiments, size_t count,
		    struct run_options *options)
{
	struct run run = { .options = options, .start_ns = oob_now_ns() };
	int ret, status = STATUS_USAGE;
	char err[512];

	if (allow_open_files() < 0)
		return STATUS_CANNOT;
	if (options->save &&
	    save_open(&run.save, options->save, err, sizeof(err)) < 0) {
		cmd_complain("run", "%s", err);
		return STATUS_USAGE;
	}
	choose_isolation(options);
	ret = catch_signals(&run);
	if (ret == 0)
		ret = list_attempts(&run, experiments, count);
	if (ret < 0) {
		cmd_complain("run", "%s", strerror(-ret));
		status = STATUS_CANNOT;
		goto out;
	}
	options->reporter.trials = run.count;
	if (options->report->begin)
		options->report->begin(&options->reporter);
	loop(&run);
	if (run.signal)
		status = 128 + run.signal;
	else if (run.refused)
		status = STATUS_CANNOT;
	else
		status = status_of(&run);
	if (!run.signal && !run.refused)
		tell_end(&run);
out:
	free_run(&run);
	if (run.save && save_close(run.save, err, sizeof(err)) < 0) {
		cmd_complain("run", "%s", err);
		return STATUS_USAGE;
	}
	return status;
}
