#include "tools/lab/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/lab/call.h"
#include "tools/lab/message.h"

/* Out of the way, so that an experiment's first socket is descriptor 3. */
#define OWN_FDS_FROM 900
#define WATCHES	     64 /* epoll instances kept at once */
_Static_assert(OWN_FDS_FROM + WATCHES + 16 <= PROGRAM_OPEN_FILES,
	       "a program's own descriptors fit its limit");

const int program_signals[] = {
	SIGURG, SIGIO, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD,
};
const unsigned program_signals_count =
	sizeof(program_signals) / sizeof(program_signals[0]);

struct watch {
	int fd; /* watched; -1: this entry is free */
	int epfd;
	uint32_t events;
};

struct program {
	struct channel channel; /* read by the control thread only */
	pthread_mutex_t out;	/* held while a message is written */
	int signal_pipe[2];	/* handler to whoever writes next */
	int stat_fd;		/* /proc/self/stat; -1 where there is none */

	pthread_mutex_t lock; /* the fields below */
	pthread_cond_t work;
	struct message *job; /* for the main thread; NULL none */
	bool busy;	     /* the main thread is in a call */
	struct watch watch[WATCHES];
};

/* What a handler writes: less than PIPE_BUF, so it arrives whole. */
struct noticed {
	int64_t t_ns;
	int sig;
	int code; /* si_code */
	int pid;  /* si_pid; 0 from the kernel */
};

/* The one thing a signal handler can reach: it has no argument of ours. */
static volatile sig_atomic_t noticed_fd = -1;

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void notice(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	struct noticed n = { .t_ns = realtime_ns(),
			     .sig = sig,
			     .code = info->si_code };
	ssize_t written;

	(void)context;
	if (info->si_code <= 0)
		n.pid = info->si_pid;
	/* 64 KiB hold 2,730 of these, and each reply empties the pipe. */
	written = write(noticed_fd, &n, sizeof(n));
	(void)written;
	errno = saved;
}

/* No SA_RESTART: that a signal interrupts a blocking call is worth seeing. */
static void take_signals(void)
{
	struct sigaction sa = { .sa_sigaction = notice,
				.sa_flags = SA_SIGINFO };
	sigset_t all;

	sigfillset(&sa.sa_mask);
	for (unsigned i = 0; i < program_signals_count; i++)
		sigaction(program_signals[i], &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	sigemptyset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

/* With `out` held. Signals go first: who has a reply has all that preceded. */
static void send_noticed(struct program *p)
{
	struct noticed n;

	while (read(p->signal_pipe[0], &n, sizeof(n)) == sizeof(n)) {
		struct message m = { .kind = MESSAGE_SIGNAL,
				     .start_ns = n.t_ns,
				     .end_ns = n.t_ns };

		message_add_int(&m, n.sig);
		message_add_int(&m, n.code);
		message_add_int(&m, n.pid);
		if (channel_send(&p->channel, &m, -1, OOB_NO_DEADLINE) < 0)
			_exit(0);
	}
}

static void carry_out(struct program *p, const struct message *order)
{
	struct reply r = { .m = { .kind = MESSAGE_REPLY,
				  .id = order->id,
				  .call = order->call },
			   .pass_fd = -1 };

	if (order->call >= calls_count)
		_exit(EPROTO);
	r.m.start_ns = realtime_ns();
	calls[order->call]->run(p, order, &r);
	r.m.end_ns = realtime_ns();
	pthread_mutex_lock(&p->out);
	send_noticed(p);
	if (channel_send(&p->channel, &r.m, r.pass_fd, OOB_NO_DEADLINE) < 0)
		_exit(0);
	pthread_mutex_unlock(&p->out);
	if (r.pass_fd >= 0)
		close(r.pass_fd);
	free(r.own);
}

struct errand {
	struct program *p;
	struct message *order;
};

static void *run_errand(void *arg)
{
	struct errand *e = arg;

	carry_out(e->p, e->order);
	free(e->order);
	free(e);
	return NULL;
}

/* The main thread is blocked: a thread of its own, deaf to signals. */
static void send_on_errand(struct program *p, struct message *order)
{
	struct errand *e = malloc(sizeof(*e));
	pthread_t thread;

	if (!e)
		_exit(ENOMEM);
	*e = (struct errand){ .p = p, .order = order };
	if (pthread_create(&thread, NULL, run_errand, e))
		_exit(EAGAIN);
	pthread_detach(thread);
}

/*
 * No reply to a settle may leave before a signal that is pending for the
 * process was handled. An idle main thread handles it before it takes the
 * job; a blocked one is about to: the kernel has woken it.
 */
static void await_pending(void)
{
	int64_t deadline = oob_deadline_in(1000000000);
	sigset_t pending;
	bool any = true;

	while (any && oob_now_ns() < deadline) {
		any = false;
		sigpending(&pending);
		for (unsigned i = 0; i < program_signals_count; i++)
			any |= sigismember(&pending, program_signals[i]) == 1;
		if (any)
			sched_yield();
	}
}

/* The state letter of the process is that of its main thread: proc(5). */
static bool main_thread_sleeps(const struct program *p)
{
	char stat[512], *end;
	ssize_t n = pread(p->stat_fd, stat, sizeof(stat) - 1, 0);

	if (n < 0)
		return true; /* nothing to be learnt by waiting */
	stat[n] = '\0';
	end = strrchr(stat, ')'); /* of the name, which may hold any byte */
	return end && end[1] == ' ' && end[2] == 'S';
}

/*
 * Nor before the main thread has got as far as it will on its own: it has no
 * job any more, or its call blocks. So that what an experiment does next
 * really meets a call that blocks, and an interrupted one has come back.
 */
static void await_rest(struct program *p)
{
	int64_t deadline = oob_deadline_in(1000000000);
	bool rests = false;

	while (!rests && oob_now_ns() < deadline) {
		bool taken, busy;

		pthread_mutex_lock(&p->lock);
		taken = !p->job;
		busy = p->busy;
		pthread_mutex_unlock(&p->lock);
		rests = taken && (!busy || main_thread_sleeps(p));
		if (!rests)
			sched_yield();
	}
}

static bool give_job(struct program *p, struct message *order)
{
	bool idle;

	pthread_mutex_lock(&p->lock);
	idle = !p->busy && !p->job;
	if (idle) {
		p->job = order;
		pthread_cond_signal(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	return idle;
}

static void dispatch(struct program *p, const struct message *order)
{
	struct message *copy;

	if (order->call < calls_count &&
	    calls[order->call]->thread == CALL_CONTROL) {
		carry_out(p, order);
		return;
	}
	copy = message_copy(order);
	if (!copy)
		_exit(ENOMEM);
	if (give_job(p, copy))
		return;
	await_pending();
	await_rest(p);
	if (!give_job(p, copy))
		send_on_errand(p, copy);
}

static void *control(void *arg)
{
	struct program *p = arg;
	struct pollfd fds[] = {
		{ .fd = p->channel.fd, .events = POLLIN },
		{ .fd = p->signal_pipe[0], .events = POLLIN },
	};

	for (;;) {
		struct message order;
		int got;

		while ((got = channel_receive(&p->channel, &order, false)) > 0)
			dispatch(p, &order);
		if (got < 0)
			_exit(got == -EPIPE ? 0 : -got);
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			_exit(errno);
		if (fds[1].revents) {
			pthread_mutex_lock(&p->out);
			send_noticed(p);
			pthread_mutex_unlock(&p->out);
		}
	}
	return NULL;
}

static _Noreturn void make_calls(struct program *p)
{
	for (;;) {
		struct message *job;

		pthread_mutex_lock(&p->lock);
		p->busy = false;
		while (!p->job)
			pthread_cond_wait(&p->work, &p->lock);
		job = p->job;
		p->job = NULL;
		p->busy = true;
		pthread_mutex_unlock(&p->lock);
		carry_out(p, job);
		free(job);
	}
}

static int move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FDS_FROM);

	if (high < 0)
		_exit(errno);
	close(fd);
	return high;
}

static void own_descriptors(struct program *p, int fd, bool keep_sockets)
{
	int pair[2];

	channel_open(&p->channel, move_up(fd));
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		_exit(errno);
	p->signal_pipe[0] = move_up(pair[0]);
	p->signal_pipe[1] = move_up(pair[1]);
	noticed_fd = p->signal_pipe[1];
	p->stat_fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	if (p->stat_fd >= 0)
		p->stat_fd = move_up(p->stat_fd);
	if (!keep_sockets)
		close_range(3, OWN_FDS_FROM - 1, 0);
}

static _Noreturn void be_program(int fd, bool keep_sockets)
{
	struct program *p = calloc(1, sizeof(*p));
	sigset_t all, old;
	pthread_t thread;

	if (!p)
		_exit(ENOMEM);
	own_descriptors(p, fd, keep_sockets);
	pthread_mutex_init(&p->out, NULL);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	for (unsigned i = 0; i < WATCHES; i++)
		p->watch[i].fd = -1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, control, p))
		_exit(EAGAIN);
	take_signals();
	make_calls(p);
}

/*
 * Only a program the trial forks: the parent whose end prctl(2) signals is a
 * thread, and one that forks a program may be an errand's, soon over. What a
 * program forked ends by its channel.
 */
_Noreturn void program_main(int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be_program(fd, false);
}

/* In a child: what was its parent's alone. The locks may be held: unused. */
static void close_own_descriptors(struct program *p)
{
	close(p->channel.fd);
	close(p->signal_pipe[0]);
	close(p->signal_pipe[1]);
	if (p->stat_fd >= 0)
		close(p->stat_fd);
	for (unsigned i = 0; i < WATCHES; i++) {
		if (p->watch[i].fd >= 0)
			close(p->watch[i].epfd);
	}
}

void program_fork(struct program *p, struct reply *out)
{
	sigset_t all, old;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		reply_result(out, -1);
		return;
	}
	/* The child's go on being blocked until it can count them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0) {
		close_own_descriptors(p);
		close(pair[0]);
		be_program(pair[1], true);
	}
	reply_result(out, pid);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		out->pass_fd = pair[0];
}

/* The entry that watches `fd`, else a free one, else NULL. With `lock` held. */
static struct watch *find_watch(struct program *p, int fd)
{
	struct watch *unused = NULL;

	for (unsigned i = 0; i < WATCHES; i++) {
		if (p->watch[i].fd == fd)
			return &p->watch[i];
		if (p->watch[i].fd < 0 && !unused)
			unused = &p->watch[i];
	}
	return unused;
}

static int begin_watch(struct watch *w, int fd, struct epoll_event *ev)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	int ret = 0;

	if (epfd < 0)
		return -errno;
	epfd = move_up(epfd);
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, ev) < 0) {
		ret = -errno;
		close(epfd);
		return ret;
	}
	*w = (struct watch){ .fd = fd, .epfd = epfd, .events = ev->events };
	return epfd;
}

/* EPOLL_CTL_MOD arms an edge anew, so only for events that did change. */
static int change_watch(struct watch *w, struct epoll_event *ev)
{
	if (w->events != ev->events &&
	    epoll_ctl(w->epfd, EPOLL_CTL_MOD, w->fd, ev) < 0)
		return -errno;
	w->events = ev->events;
	return w->epfd;
}

int program_epoll(struct program *p, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	struct watch *w;
	int ret = -ENOSPC;

	pthread_mutex_lock(&p->lock);
	w = find_watch(p, fd);
	if (w)
		ret = w->fd == fd ? change_watch(w, &ev)
				  : begin_watch(w, fd, &ev);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

void program_forget(struct program *p, int fd)
{
	struct watch *w;

	pthread_mutex_lock(&p->lock);
	w = find_watch(p, fd);
	if (w && w->fd == fd) {
		close(w->epfd);
		w->fd = -1;
	}
	pthread_mutex_unlock(&p->lock);
}
