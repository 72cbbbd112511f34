#include "tools/lab/lab.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oob/deadline.h"
#include "tools/lab/event.h"
#include "tools/lab/names.h"
#include "tools/lab/program.h"
#include "tools/lab/wire.h"

#define OBSERVE_NS 1000000000 /* a program answers at once, or is stopped */

int64_t lab_realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void lab_why(struct lab *lab, const char *format, ...)
{
	va_list ap;

	if (lab->why[0])
		return;
	va_start(ap, format);
	vsnprintf(lab->why, sizeof(lab->why), format, ap);
	va_end(ap);
}

void lab_record(struct lab *lab, enum record_kind kind, const void *a,
		size_t a_len, const void *b, size_t b_len, const void *c,
		size_t c_len)
{
	if (record_write(lab->out, kind, a, a_len, b, b_len, c, c_len) < 0)
		_exit(1);
}

struct actor *lab_find(struct lab *lab, const char *name)
{
	for (unsigned i = 0; i < lab->actors_count; i++) {
		if (!strcmp(lab->actors[i]->name, name))
			return lab->actors[i];
	}
	return NULL;
}

struct actor *lab_adopt(struct lab *lab, const char *name, pid_t pid, int fd)
{
	struct actor *actor;

	if (lab->actors_count == LAB_ACTORS) {
		errno = EUSERS;
		return NULL;
	}
	actor = calloc(1, sizeof(*actor));
	if (!actor)
		return NULL;
	actor->lab = lab;
	actor->pid = pid;
	snprintf(actor->name, sizeof(actor->name), "%s", name);
	channel_open(&actor->channel, fd);
	lab->actors[lab->actors_count++] = actor;
	return actor;
}

struct end *lab_end(struct lab *lab, struct actor *actor, int fd)
{
	struct end *end = calloc(1, sizeof(*end));

	if (!end)
		return NULL;
	end->actor = actor;
	end->fd = fd;
	end->stream_open = true;
	end->next = lab->ends;
	lab->ends = end;
	return end;
}

struct end *lab_far_end(struct lab *lab, struct end *end)
{
	if (end->other)
		return end->other;
	for (struct end *e = lab->ends; e; e = e->next) {
		if (address_same(&e->local, &end->peer) &&
		    address_same(&e->peer, &end->local))
			return e;
	}
	return NULL;
}

/* What programs say meanwhile is let in: one may be waiting to be heard. */
static int send_order(struct lab *lab, struct actor *actor,
		      const struct message *order)
{
	int ret = channel_begin(&actor->channel, order, -1);

	if (ret < 0)
		return ret;
	while ((ret = channel_flush(&actor->channel)) == 0) {
		actor->order_waits = true;
		ret = lab_pump(lab, OOB_NO_DEADLINE);
		actor->order_waits = false;
		if (ret < 0 || actor->gone)
			return ret < 0 ? ret : -EPIPE;
		if (oob_now_ns() >= lab->deadline_ns)
			return -ETIMEDOUT;
	}
	return ret < 0 ? ret : 0;
}

static size_t bytes_of(const struct message *m)
{
	size_t bytes = 0;

	for (unsigned i = 0; m && i < m->n; i++)
		bytes += m->v[i].len;
	return bytes;
}

/* Each call under way is a thread of its program, and memory of ours. */
static bool too_many(const struct lab *lab, const struct message *order)
{
	size_t bytes = bytes_of(order);
	unsigned n = 0;

	for (const struct pending *p = lab->pending; p; p = p->next) {
		bytes += bytes_of(p->order) + bytes_of(p->reply);
		n++;
	}
	return n >= LAB_CALLS || bytes > LAB_CALL_BYTES;
}

struct pending *lab_order(struct lab *lab, struct actor *actor, struct end *end,
			  uint32_t call, const struct message *order)
{
	struct pending *p = calloc(1, sizeof(*p));
	int ret = actor->gone ? -EPIPE : 0;

	if (!p)
		return NULL;
	if (!ret && too_many(lab, order))
		ret = -ENOBUFS;
	if (!ret)
		p->order = message_copy(order);
	if (p->order) {
		p->order->kind = MESSAGE_ORDER;
		p->order->id = ++lab->next_id;
		p->order->call = call;
		ret = send_order(lab, actor, p->order);
	} else if (!ret) {
		ret = -ENOMEM;
	}
	if (ret < 0) {
		free(p->order);
		free(p);
		errno = -ret;
		return NULL;
	}
	p->actor = actor;
	p->end = end;
	p->passed_fd = -1;
	p->line = lab->line;
	p->next = lab->pending;
	lab->pending = p;
	return p;
}

static void free_pending(struct lab *lab, struct pending *call)
{
	struct pending **at = &lab->pending;

	while (*at && *at != call)
		at = &(*at)->next;
	if (*at)
		*at = call->next;
	if (call->passed_fd >= 0)
		close(call->passed_fd);
	free(call->order);
	free(call->reply);
	free(call);
}

void lab_release(struct lab *lab, struct pending *call)
{
	if (!call)
		return;
	call->released = true;
	if (call->reply || call->actor->gone)
		free_pending(lab, call);
}

/* What a reply tells of sockets: one more, its names, that it is closed. */
static void learn_ends(struct lab *lab, struct pending *call)
{
	const struct call *row = calls[call->order->call];
	const struct message *r = call->reply;
	struct end *end = call->end;
	int64_t ret = message_int(r, 0, -1);

	if (row->gives == 's' && ret >= 0)
		end = call->made = lab_end(lab, call->actor, (int)ret);
	if (row->tells_ends && end && r->n > 2) {
		end->local = address_from(r->v[1].bytes, r->v[1].len);
		end->peer = address_from(r->v[2].bytes, r->v[2].len);
	}
	if (row == calls[call_index("close")] && end && ret == 0)
		end->stream_open = false;
}

static void take_reply(struct lab *lab, struct actor *actor,
		       const struct message *m)
{
	struct pending *call = lab->pending;

	while (call && (call->order->id != m->id || call->actor != actor))
		call = call->next;
	if (!call || call->reply)
		return;
	call->reply = message_copy(m);
	if (!call->reply) {
		lab->broken = true;
		lab_why(lab, "an answer of %s was lost: not enough memory",
			actor->name);
		return;
	}
	call->passed_fd = channel_take_fd(&actor->channel, m);
	learn_ends(lab, call);
	if (calls[call->order->call]->show)
		event_call(lab, call);
	if (call->released)
		free_pending(lab, call);
}

static void take_signal(struct lab *lab, struct actor *actor,
			const struct message *m)
{
	int64_t sig = message_int(m, 0, 0);

	if (sig <= 0 || sig >= NSIG)
		return;
	actor->signals[sig]++;
	actor->unawaited[sig]++;
	event_signal(lab, actor, m);
}

/*
 * A program ended. A forked one is its parent's child, so that only the
 * closed socket tells.
 */
static void take_end(struct lab *lab, struct actor *actor)
{
	int status = 0;
	char name[32];

	actor->gone = true;
	if (waitpid(actor->pid, &status, 0) != actor->pid)
		return;
	event_exit(lab, actor, status);
	lab->broken |= !actor->killed_here;
	if (WIFSIGNALED(status))
		lab_why(lab, "%s was killed by %s", actor->name,
			names_signal(name, sizeof(name), WTERMSIG(status)));
	else
		lab_why(lab, "%s gave up: %s", actor->name,
			strerror(WEXITSTATUS(status)));
}

static void take_from(struct lab *lab, struct actor *actor)
{
	struct message m;
	int got;

	while ((got = channel_receive(&actor->channel, &m, false)) > 0) {
		if (m.kind == MESSAGE_REPLY)
			take_reply(lab, actor, &m);
		else if (m.kind == MESSAGE_SIGNAL)
			take_signal(lab, actor, &m);
	}
	if (got < 0)
		take_end(lab, actor);
}

static int until(int64_t deadline_ns)
{
	int64_t left = deadline_ns - oob_now_ns();

	if (left <= 0)
		return 0;
	return left > 1000000000LL ? 1000 : (int)(left / 1000000) + 1;
}

int lab_pump(struct lab *lab, int64_t deadline_ns)
{
	struct pollfd fds[LAB_ACTORS + 1];
	unsigned n = lab->actors_count;
	int ready;

	if (deadline_ns > lab->deadline_ns)
		deadline_ns = lab->deadline_ns;
	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){
			.fd = lab->actors[i]->gone ? -1
						   : lab->actors[i]->channel.fd,
			.events = lab->actors[i]->order_waits ? POLLIN | POLLOUT
							      : POLLIN,
		};
	fds[n] = (struct pollfd){ .fd = wire_fd(lab->wire), .events = POLLIN };
	ready = poll(fds, n + 1, until(deadline_ns));
	if (ready < 0 && errno != EINTR)
		return -errno;
	/* The wire first: a segment precedes what it makes a program do. */
	wire_drain(lab);
	for (unsigned i = 0; i < n; i++) {
		if (ready > 0 && fds[i].revents)
			take_from(lab, lab->actors[i]);
	}
	wire_report(lab, false);
	return ready > 0;
}

/* One more look behind the deadline: what came by then has come in time. */
static bool pump_until(struct lab *lab, int64_t deadline_ns, bool *over)
{
	if (*over)
		return false;
	*over = oob_now_ns() >= deadline_ns || oob_now_ns() >= lab->deadline_ns;
	lab_pump(lab, deadline_ns);
	return true;
}

int lab_await(struct lab *lab, struct pending *call, int64_t deadline_ns)
{
	bool over = false;

	do {
		if (call->reply)
			return 0;
		if (call->actor->gone)
			return -EPIPE;
	} while (pump_until(lab, deadline_ns, &over));
	return -ETIMEDOUT;
}

int lab_await_signal(struct lab *lab, struct actor *actor, int sig,
		     int64_t deadline_ns)
{
	bool over = false;

	do {
		if (actor->unawaited[sig]) {
			actor->unawaited[sig]--;
			return 0;
		}
		if (actor->gone)
			return -EPIPE;
	} while (pump_until(lab, deadline_ns, &over));
	return -ETIMEDOUT;
}

void lab_settle(struct lab *lab, struct actor *actor)
{
	struct message order = { .n = 0 };
	struct pending *call =
		lab_order(lab, actor, NULL, call_index("settle"), &order);

	if (call)
		lab_await(lab, call, OOB_NO_DEADLINE);
	lab_release(lab, call);
}

struct actor *lab_program(struct lab *lab, const char *name)
{
	struct actor *actor;
	int pair[2];
	pid_t pid;

	if (lab->actors_count == LAB_ACTORS) {
		errno = EUSERS;
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		program_main(pair[1]);
	}
	close(pair[1]);
	actor = pid < 0 ? NULL : lab_adopt(lab, name, pid, pair[0]);
	if (!actor)
		close(pair[0]); /* a program that was made ends by that */
	else
		lab_settle(lab, actor);
	return actor;
}

static struct pending *order_observe(struct lab *lab, struct end *end)
{
	struct message order = { .n = 0 };

	if (!end || !end->stream_open || end->actor->gone)
		return NULL;
	message_add_int(&order, end->fd);
	return lab_order(lab, end->actor, end, call_index("observe"), &order);
}

static void take_observed(struct lab *lab, struct pending *call)
{
	int64_t unread, at_mark, unacked;
	struct end *end;
	bool changed;

	if (!call)
		return;
	end = call->end;
	if (lab_await(lab, call, oob_deadline_in(OBSERVE_NS)) == 0) {
		unread = message_int(call->reply, 1, -1);
		at_mark = message_int(call->reply, 2, -1);
		unacked = message_int(call->reply, 3, -1);
		changed = unread != end->unread || at_mark != end->at_mark ||
			  unacked != end->unacked;
		end->unread = unread;
		end->at_mark = at_mark;
		end->unacked = unacked;
		if (changed)
			event_queue(lab, end);
	}
	lab_release(lab, call);
}

void lab_observe(struct lab *lab, struct end *end)
{
	struct end *far = lab_far_end(lab, end);
	struct pending *here, *there;

	if (!far && !end->peer.len)
		return;
	here = order_observe(lab, end);
	there = order_observe(lab, far);
	take_observed(lab, here);
	take_observed(lab, there);
}

static void end_actor(struct actor *actor)
{
	channel_close(&actor->channel);
	if (!actor->gone) {
		kill(actor->pid, SIGKILL);
		waitpid(actor->pid, NULL, 0);
	}
	free(actor);
}

void lab_close(struct lab *lab)
{
	while (lab->pending)
		free_pending(lab, lab->pending);
	for (unsigned i = 0; i < lab->actors_count; i++)
		end_actor(lab->actors[i]);
	while (lab->ends) {
		struct end *next = lab->ends->next;

		free(lab->ends);
		lab->ends = next;
	}
}
