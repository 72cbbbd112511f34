#include "tools/lab/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/cmd.h"
#include "tools/lab/isolate.h"
#include "tools/lab/record.h"
#include "tools/lab/save.h"
#include "tools/lab/trial.h"

/*
 * Trials made ready while others run. Half of a trial's 40 ms are waits for
 * the kernel's grace periods when its packet socket opens and closes; more
 * than this many of them at once gain nothing on two cores.
 */
#define AHEAD	 4
#define LIVE_MAX 64

#define GRACE_NS	1000000000LL /* for a trial to end by itself */
#define PREPARE_NS	30000000000LL
#define EVENT_BYTES_MAX (256u << 20) /* that one trial may report */

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
	bool told;
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

static void add_event(struct attempt *a, json_t *event)
{
	struct outcome *o = &a->outcome;
	json_t **more = o->events;

	if (!event)
		return;
	if ((o->count & (o->count + 1)) == 0) /* 0, 1, 3, 7 …: it is full */
		more = realloc(o->events, 2 * (o->count + 1) * sizeof(*more));
	if (!more) {
		json_decref(event);
		return;
	}
	o->events = more;
	o->events[o->count++] = event;
}

static int by_time(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	json_int_t tx = json_integer_value(json_object_get(x, "t_ns"));
	json_int_t ty = json_integer_value(json_object_get(y, "t_ns"));

	return tx < ty ? -1 : tx > ty;
}

/* A verdict the trial could not give itself. */
static json_t *own_verdict(const struct attempt *a, const char *why)
{
	json_int_t t = 0;

	if (a->outcome.count)
		t = json_integer_value(json_object_get(
			a->outcome.events[a->outcome.count - 1], "t_ns"));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:s}",
			 "t_ns", t, "lane", "lab", "event", "verdict",
			 "experiment", a->job.name, "transport",
			 a->job.transport, "inline", a->job.inline_delivery,
			 "verdict", "error", "expectations", 0, "failures", 0,
			 "why", why);
}

static void set_verdict(struct attempt *a, json_t *verdict)
{
	if (!a->outcome.verdict)
		a->outcome.verdict = verdict;
	else
		json_decref(verdict);
}

static void end_trial(struct run *run, struct attempt *a, const char *why)
{
	if (a->state == RUNNING)
		run->running--;
	set_verdict(a, own_verdict(a, why));
	a->state = ENDING;
	a->deadline_ns = oob_deadline_in(GRACE_NS);
}

/* Stuck where no hook reaches: the last line it told us is where. */
static void end_late(struct run *run, struct attempt *a)
{
	char why[512];

	if (a->state == RUNNING)
		snprintf(why, sizeof(why),
			 "%s:%d: still running after %g s: ended by force",
			 a->job.path, a->trial.shared->line, a->job.timeout_s);
	else
		snprintf(why, sizeof(why), "the namespace was never ready");
	if (a->state != ENDING)
		end_trial(run, a, why);
	kill(a->trial.pid, SIGKILL);
	a->deadline_ns = OOB_NO_DEADLINE;
}

static void refuse(struct run *run, const char *why)
{
	if (!run->refused)
		cmd_complain("run", "%s", why);
	run->refused = true;
}

static void take_record(struct run *run, struct attempt *a,
			enum record_kind kind, const uint8_t *data, size_t len)
{
	struct record_counts counts;

	switch (kind) {
	case RECORD_READY:
		a->state = READY;
		a->deadline_ns = OOB_NO_DEADLINE;
		return;
	case RECORD_REFUSED:
		refuse(run, strndupa((const char *)data, len));
		return;
	case RECORD_EVENT:
		a->event_bytes += len;
		add_event(a, json_loadb((const char *)data, len, 0, NULL));
		return;
	case RECORD_VERDICT:
		set_verdict(a, json_loadb((const char *)data, len, 0, NULL));
		return;
	case RECORD_FRAME:
		if (run->save)
			save_frame(run->save, a->point, data, len);
		return;
	case RECORD_COUNTS:
		memcpy(&counts, data, sizeof(counts));
		if (run->save)
			save_counts(run->save, a->point, counts.received,
				    counts.dropped);
		return;
	}
}

static void take_from(struct run *run, struct attempt *a)
{
	int got = record_fill(&a->reader, a->trial.fd);
	enum record_kind kind;
	const uint8_t *data;
	size_t len;

	while ((kind = record_next(&a->reader, &data, &len)))
		take_record(run, a, kind, data, len);
	if (a->event_bytes > EVENT_BYTES_MAX) {
		end_trial(run, a, "more than 256 MiB of events");
		kill(a->trial.pid, SIGKILL);
	} else if (got == 0 || (got < 0 && got != -EAGAIN)) {
		end_trial(run, a, "the trial ended before its verdict");
	}
}

/* Reap a trial whose process is gone; its parts live on for the report. */
static void reap(struct run *run, struct attempt *a)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)a->trial.pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    !info.si_pid)
		return;
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
	if (!isatty(STDERR_FILENO) ||
	    oob_now_ns() - run->start_ns < 1000000000LL)
		return;
	fprintf(stderr, "\r%zu of %zu: %.40s\033[K", run->told + 1, run->count,
		run->attempts[run->told].job.name);
	run->progress = true;
}

/* In the order of the command line, whichever ended first. */
static void tell(struct run *run)
{
	struct reporter *r = &run->options->reporter;

	while (run->told < run->started &&
	       run->attempts[run->told].state >= ENDING) {
		struct outcome *o = &run->attempts[run->told].outcome;
		bool begun = run->told < run->gone && !run->refused;

		clear_progress(run);
		if (o->count)
			qsort(o->events, o->count, sizeof(*o->events), by_time);
		if (begun)
			run->options->report->outcome(r, o);
		fflush(r->term.out);
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

		if (a->state == ENDED)
			continue;
		kill(a->trial.pid, SIGKILL);
		if (a->state != ENDING)
			end_trial(run, a, "interrupted");
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

static void catch_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &run->old_mask);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void free_run(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct outcome *o = &run->attempts[i].outcome;

		for (size_t j = 0; j < o->count; j++)
			json_decref(o->events[j]);
		free(o->events);
		json_decref(o->verdict);
	}
	free(run->attempts);
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

int run_experiments(const struct experiment *experiments, size_t count,
		    struct run_options *options)
{
	struct run run = { .options = options, .start_ns = oob_now_ns() };
	int status = STATUS_USAGE;
	char err[512];

	if (options->save &&
	    save_open(&run.save, options->save, err, sizeof(err)) < 0) {
		cmd_complain("run", "%s", err);
		return STATUS_USAGE;
	}
	choose_isolation(options);
	catch_signals(&run);
	if (list_attempts(&run, experiments, count) < 0) {
		cmd_complain("run", "not enough memory");
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
