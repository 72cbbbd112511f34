#include "tools/lab/event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tools/lab/names.h"
#include "tools/text.h"

/* Of one event's data or text; the rest is only counted. */
#define DATA_BYTES_MAX (64u << 10)

/* What cannot be told cannot be judged. */
static void lost(struct lab *lab)
{
	lab->broken = true;
	lab_why(lab, "an event was lost: not enough memory");
}

static void send_json(struct lab *lab, enum record_kind kind, json_t *event)
{
	char *line = json_dumps(event, JSON_COMPACT);

	if (line)
		lab_record(lab, kind, line, strlen(line), NULL, 0, NULL, 0);
	else
		lost(lab);
	free(line);
	json_decref(event);
}

static void set(struct lab *lab, json_t *e, const char *key, json_t *value)
{
	if (json_object_set_new(e, key, value) < 0)
		lost(lab);
}

/* jansson refuses what is not UTF-8: a script's text may be anything. */
static json_t *any_text(const char *s)
{
	json_t *text = json_string(s);
	size_t size = 4 * strlen(s) + 6;
	char *clean;

	if (text)
		return text;
	clean = malloc(size);
	if (!clean)
		return NULL;
	text = json_string(text_printable(clean, size, s, 0));
	free(clean);
	return text;
}

static json_t *event_at(struct lab *lab, int64_t time_ns, const char *lane,
			const char *event)
{
	return json_pack("{s:I, s:s, s:s}", "t_ns",
			 (json_int_t)(time_ns - lab->t0_ns), "lane", lane,
			 "event", event);
}

static json_t *event_now(struct lab *lab, const char *event)
{
	json_t *e = event_at(lab, lab_realtime_ns(), "lab", event);

	set(lab, e, "line", json_integer(lab->line));
	return e;
}

static void set_hex(struct lab *lab, json_t *e, const char *key,
		    const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t shown = len < DATA_BYTES_MAX ? len : DATA_BYTES_MAX;
	char *hex = calloc(2, shown + 1);

	if (!hex) {
		lost(lab);
		return;
	}
	for (size_t i = 0; i < shown; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	set(lab, e, key, json_stringn(hex, 2 * shown));
	if (shown < len)
		set(lab, e, "data_cut", json_true());
	free(hex);
}

/* What the call was given or gave: the data of a send, a receive, a read. */
static const struct value *call_data(const struct pending *call)
{
	const struct call *row = calls[call->order->call];

	if (row->gives == 'b' || row->gives == 'm' || row->gives == 'u')
		return &call->reply->v[1];
	if (row->takes && row->takes[0] == 'b')
		return &call->order->v[1];
	return NULL;
}

static void set_end(struct lab *lab, json_t *e, const struct end *end)
{
	struct text t;

	if (!end->local.len)
		return;
	text_clear(&t);
	address_add(&t, &end->local);
	set(lab, e, "local", any_text(t.s));
	if (!end->peer.len)
		return;
	text_clear(&t);
	address_add(&t, &end->peer);
	set(lab, e, "peer", any_text(t.s));
}

void event_call(struct lab *lab, const struct pending *call)
{
	const struct call *row = calls[call->order->call];
	json_t *e =
		event_at(lab, call->reply->start_ns, call->actor->name, "call");
	int64_t ret = message_int(call->reply, 0, 0);
	const struct value *data = call_data(call);
	struct text t;

	text_clear(&t);
	row->show(&t, call->order, call->reply);
	set(lab, e, "end_ns", json_integer(call->reply->end_ns - lab->t0_ns));
	set(lab, e, "pid", json_integer(call->actor->pid));
	set(lab, e, "call", json_string(row->name));
	if (call->end) {
		set(lab, e, "fd", json_integer(call->end->fd));
		set_end(lab, e, call->end);
	}
	set(lab, e, "result", json_integer(ret < 0 ? -1 : ret));
	if (ret < 0)
		set(lab, e, "error", json_string(names_errno((int)-ret)));
	if (data && data->kind == VALUE_BYTES)
		set_hex(lab, e, "data", data->bytes, data->len);
	set(lab, e, "line", json_integer(call->line));
	if (call->setup)
		set(lab, e, "setup", json_true());
	if (call->later)
		set(lab, e, "later", json_true());
	set(lab, e, "text", any_text(t.s));
	send_json(lab, RECORD_EVENT, e);
}

static const char *signal_code(int sig, int code)
{
	switch (code) {
	case SI_USER:
		return "SI_USER";
	case SI_KERNEL:
		return "SI_KERNEL";
	case SI_QUEUE:
		return "SI_QUEUE";
	case SI_TKILL:
		return "SI_TKILL";
	default:
		/* Only signals of asynchronous I/O number their codes so. */
		return code == POLL_PRI && sig != SIGCHLD ? "POLL_PRI" : NULL;
	}
}

void event_signal(struct lab *lab, const struct actor *actor,
		  const struct message *signal)
{
	json_t *e = event_at(lab, signal->start_ns, actor->name, "signal");
	int sig = (int)message_int(signal, 0, 0);
	int code = (int)message_int(signal, 1, 0);
	int pid = (int)message_int(signal, 2, 0);
	const char *code_name = signal_code(sig, code);
	char name[32];
	struct text t;

	text_clear(&t);
	names_signal(name, sizeof(name), sig);
	text_add(&t, "--- %s {si_code=", name);
	if (code_name)
		text_add(&t, "%s", code_name);
	else
		text_add(&t, "%d", code);
	if (pid)
		text_add(&t, ", si_pid=%d", pid);
	text_add(&t, "} ---");
	set(lab, e, "signal", json_string(name));
	set(lab, e, "code", json_integer(code));
	set(lab, e, "sender_pid", json_integer(pid));
	set(lab, e, "pid", json_integer(actor->pid));
	set(lab, e, "text", json_string(t.s));
	send_json(lab, RECORD_EVENT, e);
}

void event_exit(struct lab *lab, const struct actor *actor, int status)
{
	json_t *e = event_at(lab, lab_realtime_ns(), actor->name, "exit");
	char name[32];
	struct text t;

	text_clear(&t);
	if (WIFSIGNALED(status)) {
		names_signal(name, sizeof(name), WTERMSIG(status));
		text_add(&t, "+++ killed by %s +++", name);
		set(lab, e, "signal", json_string(name));
	} else {
		text_add(&t, "+++ exited with %d +++", WEXITSTATUS(status));
		set(lab, e, "status", json_integer(WEXITSTATUS(status)));
	}
	set(lab, e, "pid", json_integer(actor->pid));
	set(lab, e, "text", json_string(t.s));
	send_json(lab, RECORD_EVENT, e);
}

void event_queue(struct lab *lab, const struct end *end)
{
	json_t *e = event_at(lab, lab_realtime_ns(), end->actor->name, "queue");

	set(lab, e, "fd", json_integer(end->fd));
	if (end->unread >= 0)
		set(lab, e, "unread", json_integer(end->unread));
	if (end->at_mark >= 0)
		set(lab, e, "at_mark", json_boolean(end->at_mark));
	if (end->unacked >= 0)
		set(lab, e, "unacked", json_integer(end->unacked));
	send_json(lab, RECORD_EVENT, e);
}

void event_expect(struct lab *lab, bool held, const char *want, const char *got)
{
	json_t *e = event_now(lab, "expect");

	set(lab, e, "held", json_boolean(held));
	set(lab, e, "want", any_text(want));
	set(lab, e, "got", any_text(got));
	send_json(lab, RECORD_EVENT, e);
}

void event_text(struct lab *lab, const char *kind, const char *text)
{
	json_t *e = event_now(lab, kind);
	char *cut = NULL;

	if (strlen(text) > DATA_BYTES_MAX) {
		cut = strndup(text, DATA_BYTES_MAX);
		set(lab, e, "text_cut", json_true());
	}
	set(lab, e, "text", any_text(cut ? cut : text));
	free(cut);
	send_json(lab, RECORD_EVENT, e);
}

json_t *event_verdict_json(const struct event_verdict *v)
{
	json_t *experiment = any_text(v->experiment), *why = any_text(v->why);

	/* "o" takes the reference, and fails for NULL. */
	return json_pack("{s:I, s:s, s:s, s:o, s:s, s:b, s:s, s:I, s:I, s:o}",
			 "t_ns", (json_int_t)v->t_ns, "lane", "lab", "event",
			 "verdict", "experiment", experiment, "transport",
			 v->transport, "inline", v->inline_delivery, "verdict",
			 v->verdict, "expectations",
			 (json_int_t)v->expectations, "failures",
			 (json_int_t)v->failures, "why", why);
}

void event_verdict(struct lab *lab, const char *verdict)
{
	const struct event_verdict v = {
		.t_ns = lab_realtime_ns() - lab->t0_ns,
		.experiment = lab->experiment,
		.transport = lab->transport,
		.inline_delivery = lab->inline_delivery,
		.verdict = verdict,
		.expectations = lab->expectations,
		.failures = lab->failures,
		.why = lab->why,
	};

	send_json(lab, RECORD_VERDICT, event_verdict_json(&v));
}

void event_segment(struct lab *lab, const struct event_segment *s)
{
	json_t *e = event_at(lab, s->time_ns, "wire", "segment");

	set(lab, e, "frame", json_integer(s->frame));
	set(lab, e, "from", json_string(s->from));
	set(lab, e, "to", json_string(s->to));
	set(lab, e, "flags", json_string(s->flags));
	set(lab, e, "seq", json_integer(s->seq));
	if (s->ack >= 0)
		set(lab, e, "ack", json_integer(s->ack));
	set(lab, e, "window", json_integer(s->window));
	set(lab, e, "urgent_pointer", json_integer(s->urgent_pointer));
	set(lab, e, "len", json_integer(s->payload_len));
	if (s->payload_caplen)
		set_hex(lab, e, "data", s->payload, s->payload_caplen);
	if (s->note)
		set(lab, e, "note", json_string(s->note));
	set(lab, e, "text", json_string(s->text));
	send_json(lab, RECORD_EVENT, e);
}
