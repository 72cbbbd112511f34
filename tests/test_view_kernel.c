/*
 * The Linux views against Linux: the same segments go into a view and, from a
 * peer of raw packets, into a socket of the running kernel, which is read as
 * the view says. Both must hand over the same, byte by byte and mark by mark.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/decode.h"
#include "capture/flow.h"
#include "capture/stream.h"
#include "capture/view.h"
#include "tests/transcript.h"
#include "tests/wire_peer.h"
#include "tools/lab/isolate.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define STEPS 12

#define FIN CAPTURE_FIN
#define RST CAPTURE_RST
#define ACK CAPTURE_ACK
#define URG CAPTURE_URG

struct step {
	uint8_t flags; /* 0 ends a script */
	uint32_t seq;  /* relative */
	uint16_t up;
	const char *data;
};

struct script {
	const char *name;
	uint32_t isn;
	bool kernel_connects;
	struct step syn; /* then: what the SYN|ACK carries */
	struct step steps[STEPS];
};

/* clang-format off */
#define S(seq_, data_) { ACK, seq_, 0, data_ }
#define U(seq_, up_, data_) { ACK | URG, seq_, up_, data_ }
#define F(seq_, data_) { ACK | FIN, seq_, 0, data_ }
#define R(seq_) { RST, seq_, 0, "" }

static const struct script scripts[] = {
	{ "plain", .steps = { S(1, "abc"), S(4, "def"), F(7, "") } },
	{ "one_urgent_byte", .steps = { U(1, 3, "abc"), S(4, "de") } },
	{ "only_an_urgent_byte", .steps = { U(1, 1, "!") } },
	{ "first_of_a_segment", .steps = { U(1, 1, "abc"), S(4, "d") } },
	{ "middle_of_a_segment", .steps = { U(1, 2, "abc"), S(4, "d") } },
	{ "in_the_second_segment", .steps = { S(1, "ab"), U(3, 2, "cd"), S(5, "ef") } },
	{ "two_marks_in_a_row", .steps = { U(1, 1, "A"), U(2, 1, "B"), S(3, "c") } },
	{ "two_marks_apart", .steps = { U(1, 1, "A"), S(2, "x"), U(3, 1, "B"), S(4, "c") } },
	{ "three_marks", .steps = { U(1, 2, "aA"), U(3, 2, "bB"), U(5, 2, "cC"), F(7, "") } },
	{ "many_marks", .steps = { U(1, 1, "A"), U(2, 1, "B"), U(3, 1, "C"), U(4, 1, "D"), S(5, "e") } },
	{ "announced_before_it_comes", .steps = { U(1, 5, "ab"), S(3, "cde"), S(6, "f") } },
	{ "announced_by_an_empty_segment", .steps = { U(1, 3, ""), S(1, "abc"), S(4, "d") } },
	{ "announced_again_and_again", .steps = { U(1, 6, "a"), U(2, 5, "b"), U(3, 4, "c"), U(4, 3, "def"), S(7, "g") } },
	{ "announced_then_replaced", .steps = { U(1, 4, "a"), U(2, 5, "b"), S(3, "cdefgh") } },
	{ "mark_replaced_before_the_reader", .steps = { S(1, "ab"), U(3, 4, "cd"), U(5, 4, "efghi") } },
	{ "mark_replaced_where_the_reader_stands", .steps = { U(1, 3, "ab"), U(3, 3, "cde"), S(6, "f") } },
	{ "pointer_zero", .steps = { U(1, 0, "abc"), S(4, "d") } },
	{ "pointer_zero_on_an_empty_segment", .steps = { S(1, "a"), U(2, 0, ""), S(2, "bc") } },
	{ "pointer_zero_behind_urgent", .steps = { U(1, 2, "ab"), U(3, 0, "cd") } },
	{ "pointer_far_past", .steps = { U(1, 65535, "abc"), S(4, "def"), F(7, "") } },
	{ "pointer_far_past_then_near", .steps = { U(1, 60000, "abc"), U(4, 2, "def") } },
	{ "pointer_one_past_the_segment", .steps = { U(1, 4, "abc"), S(4, "de") } },
	{ "receding_pointer", .steps = { U(1, 6, "a"), U(2, 2, "bcdefg"), S(8, "h") } },
	{ "receding_behind_the_reader", .steps = { U(1, 3, "abc"), U(4, 0, ""), U(2, 1, "bc") } },
	{ "same_mark_again", .steps = { U(1, 3, "abc"), U(1, 3, "abc"), S(4, "d") } },
	{ "early_carrier", .steps = { U(4, 2, "de"), S(1, "abc"), S(6, "f") } },
	{ "early_carrier_read_then_replaced", .steps = { U(4, 2, "de"), U(6, 3, "fgh"), S(1, "abc"), S(9, "i") } },
	{ "early_byte_announced_late", .steps = { S(4, "def"), U(1, 5, "abc"), S(7, "g") } },
	{ "early_byte_announced_late_then_again", .steps = { S(4, "def"), U(1, 5, "abc"), U(4, 2, "def"), S(7, "g") } },
	{ "header_byte_1_for_the_urgent_one", .steps = { U(1, 3, ""), S(4, "def"), S(1, "abc") } },
	{ "header_byte_for_an_empty_segment", .steps = { U(1, 3, ""), S(5, ""), S(1, "abcd") } },
	{ "header_byte_20_for_the_urgent_one", .steps = { U(1, 3, ""), S(23, "x"), S(1, "abcdefghijklmnopqrstuv") } },
	{ "header_too_far_behind", .steps = { U(1, 3, ""), S(24, "x"), S(1, "abcdefghijklmnopqrstuvw") } },
	{ "retransmitted_without_urg", .steps = { U(1, 3, "abc"), S(1, "abc"), S(4, "d") } },
	{ "retransmitted_with_another_pointer", .steps = { U(1, 3, "abc"), U(1, 2, "abc"), S(4, "d") } },
	{ "retransmitted_with_a_pointer_ahead", .steps = { S(1, "abc"), U(1, 5, "abc"), S(4, "de") } },
	{ "old_retransmission_with_a_pointer_ahead", .steps = { S(1, "abc"), S(4, "d"), U(1, 6, "abc"), S(5, "ef") } },
	{ "retransmission_that_goes_on", .steps = { U(1, 3, "abc"), U(1, 5, "abcde"), S(6, "f") } },
	{ "late_urg_for_a_received_byte", .steps = { S(1, "abc"), U(1, 2, "abc"), S(4, "d") } },
	{ "early_overlap_differs_at_the_urgent_byte", .steps = { U(4, 2, "de"), S(5, "XY"), S(1, "abc"), S(7, "f") } },
	{ "early_overlap_covers_the_urgent_byte", .steps = { U(4, 2, "de"), S(4, "XYZ"), S(1, "abc") } },
	{ "in_order_overlap_differs_at_the_urgent_byte", .steps = { U(1, 3, "abc"), S(2, "XYZW"), S(6, "f") } },
	{ "announced_twice_brought_differently", .steps = { U(1, 4, "ab"), S(4, "X"), S(3, "cde") } },
	{ "early_runs_merge_and_win", .steps = { S(3, "cd"), S(5, "ef"), S(3, "XXXX"), S(1, "ab") } },
	{ "early_runs_lose_to_one_around_them", .steps = { S(3, "cd"), S(5, "ef"), S(3, "XXXXX"), S(1, "ab") } },
	{ "early_run_merges_into_one_not_next_to_it", .steps = { S(10, "klm"), S(12, "mnop"), S(12, "MNOPQ"), S(13, "noXXX"), S(1, "abcdefghij") } },
	{ "early_fin_alone_is_read_with_the_octets", .steps = { F(5, ""), U(1, 5, "abcd") } },
	{ "mark_at_a_fin_steps_over_it", .steps = { { ACK | URG | FIN, 1, 0, "" }, U(1, 2, "bcde") } },
	{ "second_fin_counts_once_more", .steps = { F(1, "ab"), { ACK | URG | FIN, 2, 3, "bX" }, U(4, 4, ""), S(4, "c") } },
	{ "early_run_loses_to_a_longer_one", .steps = { S(3, "cd"), S(3, "XXXXX"), S(1, "ab") } },
	{ "early_run_loses_to_one_around_it", .steps = { S(5, "ef"), S(4, "XXXX"), S(1, "abc") } },
	{ "early_run_wins_over_one_behind", .steps = { S(4, "def"), S(5, "XXXX"), S(1, "abc") } },
	{ "in_order_wins_over_early", .steps = { S(4, "def"), S(1, "XXXXX") } },
	{ "fin_behind_the_urgent_byte", .steps = { U(1, 3, "abc"), F(4, "") } },
	{ "fin_with_the_urgent_byte", .steps = { { ACK | URG | FIN, 1, 3, "abc" } } },
	{ "pointer_at_the_fin", .steps = { { ACK | URG | FIN, 1, 4, "abc" } } },
	{ "pointer_behind_the_fin", .steps = { { ACK | URG | FIN, 1, 5, "abc" } } },
	{ "announced_then_fin", .steps = { U(1, 9, "abc"), F(4, "d") } },
	{ "urgent_data_behind_the_fin", .steps = { F(1, "ab"), U(4, 1, "!"), S(5, "c") } },
	{ "data_across_the_fin_resets", .steps = { F(1, "ab"), S(1, "abXcd") } },
	{ "early_fin", .steps = { F(4, "de"), U(1, 3, "abc") } },
	{ "data_behind_an_early_fin", .steps = { F(4, "de"), S(7, "fg"), S(1, "abc") } },
	{ "reset", .steps = { U(1, 2, "ab"), R(3) } },
	{ "reset_unread", .steps = { U(1, 2, "abc"), S(4, "d"), R(5), S(5, "e") } },
	{ "reset_out_of_place", .steps = { U(1, 2, "ab"), R(9), S(3, "c") } },
	{ "reset_behind_the_fin", .steps = { U(1, 2, "ab"), F(3, ""), R(4), S(4, "c") } },
	{ "reset_at_the_fin", .steps = { U(1, 2, "ab"), F(3, ""), R(3) } },
	{ "hole", .steps = { U(1, 2, "ab"), S(5, "ef") } },
	{ "wraps_at_the_urgent_byte", .isn = 0xfffffffd, .steps = { U(1, 3, "abc"), S(4, "de"), U(6, 2, "fg"), S(8, "h") } },
	{ "wraps_before_the_urgent_byte", .isn = 0xfffffffc, .steps = { U(1, 5, "abc"), S(4, "de"), S(6, "f") } },
	{ "wraps_while_early", .isn = 0xfffffffa, .steps = { U(8, 2, "hi"), S(4, "defg"), S(1, "abc") } },
	{ "pointer_on_the_syn_ack", .kernel_connects = true, .syn = U(0, 4, ""), .steps = { S(1, "abc"), S(4, "d") } },
	{ "pointer_on_the_syn_ack_to_itself", .kernel_connects = true, .syn = U(0, 1, ""), .steps = { S(1, "abc") } },
	{ "pointer_zero_on_the_syn_ack", .kernel_connects = true, .syn = U(0, 0, ""), .steps = { S(1, "abc") } },
};
/* clang-format on */

/* How the kernel is told to be the view, which is checked against it. */
struct manner {
	const char *view;
	bool late;
	bool inline_urg;
	bool rfc1122;
};

static const struct manner manners[] = {
	{ .view = "linux" },
	{ .view = "linux-late", .late = true },
	{ .view = "linux-inline", .inline_urg = true },
	{ .view = "rfc1122", .rfc1122 = true },
	{ .view = "rfc1122-late", .rfc1122 = true, .late = true },
};

/* --- the kernel ------------------------------------------------------- */

struct reader {
	int fd;
	struct transcript transcript;
	size_t bytes;	/* ordinary ones read */
	bool at_mark;	/* as told last … */
	size_t told_at; /* … after so many bytes */
	enum capture_view_stop stop;
};

static void look(struct reader *r)
{
	int at_mark;

	assert_int_equal(ioctl(r->fd, SIOCATMARK, &at_mark), 0);
	if (at_mark && !(r->at_mark && r->told_at == r->bytes))
		transcript_mark(&r->transcript);
	r->at_mark = at_mark;
	r->told_at = r->bytes;
}

static bool read_some(struct reader *r)
{
	uint8_t data[4096];
	ssize_t n = recv(r->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0) {
		transcript_data(&r->transcript, data, (size_t)n);
		r->bytes += (size_t)n;
		return true;
	}
	if (n == 0 && r->stop == CAPTURE_VIEW_OPEN)
		r->stop = CAPTURE_VIEW_FIN;
	else if (n < 0 && errno != EAGAIN)
		r->stop = CAPTURE_VIEW_RESET;
	return false;
}

static void drain(struct reader *r)
{
	struct pollfd poller = { r->fd, POLLPRI, 0 };
	uint8_t byte;
	bool some;

	if (poll(&poller, 1, 0) > 0 && poller.revents & POLLPRI &&
	    recv(r->fd, &byte, 1, MSG_OOB | MSG_DONTWAIT) == 1)
		transcript_urgent(&r->transcript, &byte);
	do {
		look(r);
		some = read_some(r);
	} while (some);
	look(r);
}

/* --- one script ------------------------------------------------------- */

struct world {
	const char *refused; /* why there is no kernel to ask */
	char why[256];
	struct wire_peer peer;
};

static struct world world;
static uint32_t random_scripts = 400;

/* What the view is given: the very packets that the kernel was. */
struct seen {
	struct capture_flows *flows;
	struct capture_stream *stream;
	uint64_t frame;
};

static void see(struct seen *seen)
{
	struct capture_segment segment;
	struct capture_event event;

	assert_int_equal(capture_decode(CAPTURE_LINK_IPV4, world.peer.packet,
					(uint32_t)world.peer.packet_len,
					(uint32_t)world.peer.packet_len,
					&segment),
			 CAPTURE_TCP);
	assert_int_equal(capture_flows_segment(seen->flows, &segment, 0,
					       ++seen->frame, 0, &event),
			 0);
	event.direction = 0; /* the peer's, whoever opened the connection */
	assert_int_equal(capture_stream_segment(seen->stream, &segment, &event,
						seen->frame, 0),
			 0);
}

static void begin(struct seen *seen, const struct script *script)
{
	struct capture_flows_options options = { 0 };
	struct wire_segment syn = { .flags = script->syn.flags,
				    .up = script->syn.up };

	*seen = (struct seen){ 0 };
	assert_int_equal(capture_flows_new(&seen->flows, &options), 0);
	assert_int_equal(
		capture_stream_new(&seen->stream, 0, CAPTURE_STREAM_BYTES), 0);
	assert_int_equal(script->kernel_connects
				 ? wire_peer_connect(&world.peer, script->isn,
						     &syn)
				 : wire_peer_accept(&world.peer, script->isn),
			 0);
	see(seen);
}

static void set_stdurg(bool on)
{
	int fd = open("/proc/sys/net/ipv4/tcp_stdurg", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, on ? "1" : "0", 1), 1);
	close(fd);
}

static void play(struct reader *reader, struct seen *seen,
		 const struct script *script, const struct manner *manner)
{
	if (!manner->late)
		drain(reader);
	for (size_t i = 0; i < STEPS && script->steps[i].flags; i++) {
		const struct step *step = &script->steps[i];
		struct wire_segment segment = {
			.seq = step->seq,
			.flags = step->flags,
			.up = step->up,
			.data = step->data,
			.len = (uint16_t)strlen(step->data),
		};
		int ret = wire_peer_send(&world.peer, &segment);

		assert_true(ret == 0 || ret == -EPIPE);
		if (ret == 0)
			see(seen);
		if (!manner->late)
			drain(reader);
	}
	drain(reader);
}

static void print_script(const struct script *script)
{
	print_message("isn %u\n", script->isn);
	for (size_t i = 0; i < STEPS && script->steps[i].flags; i++)
		print_message("%s%s%s seq %u up %u \"%s\"\n",
			      script->steps[i].flags & URG ? "URG " : "",
			      script->steps[i].flags & FIN ? "FIN " : "",
			      script->steps[i].flags & RST ? "RST " : "",
			      script->steps[i].seq, script->steps[i].up,
			      script->steps[i].data);
}

static void replay(const struct script *script, const struct manner *manner)
{
	static struct transcript view;
	static struct reader reader;
	struct seen seen;
	int on = 1;

	view = (struct transcript){ 0 };
	set_stdurg(manner->rfc1122);
	begin(&seen, script);
	reader = (struct reader){ .fd = world.peer.fd };
	if (manner->inline_urg)
		assert_int_equal(setsockopt(reader.fd, SOL_SOCKET, SO_OOBINLINE,
					    &on, sizeof(on)),
				 0);
	play(&reader, &seen, script, manner);
	wire_peer_hang_up(&world.peer);
	assert_int_equal(capture_stream_finish(seen.stream), 0);
	assert_int_equal(transcript_view(&view,
					 capture_view_named(manner->view),
					 seen.stream),
			 0);
	transcript_stop(&reader.transcript, reader.stop);
	/* The kernel does not tell a hole from the end of the capture. */
	if (view.len >= 4 && strcmp(view.text + view.len - 4, "hole") == 0)
		memcpy(view.text + view.len - 4, "open", 4);
	capture_stream_free(seen.stream);
	capture_flows_free(seen.flows);
	if (strcmp(view.text, reader.transcript.text) != 0)
		print_script(script);
	assert_string_equal(view.text, reader.transcript.text);
}

/* --- scripts by chance ------------------------------------------------ */

/* xorshift (Marsaglia 2003): the same scripts on every machine */
static uint32_t roll(uint32_t *dice, uint32_t below)
{
	*dice ^= *dice << 13;
	*dice ^= *dice >> 17;
	*dice ^= *dice << 5;
	return *dice % below;
}

struct random_script {
	struct script script;
	char data[STEPS][8];
};

static uint16_t random_pointer(uint32_t *dice, uint32_t len)
{
	switch (roll(dice, 8)) {
	case 0:
		return 0;
	case 1:
		return (uint16_t)roll(dice, 65536);
	case 2:
	case 3:
		return (uint16_t)(len + roll(dice, 6));
	default:
		return (uint16_t)(1 + roll(dice, len + 1));
	}
}

/* Around what comes next, which moves on; a byte in six is not what its
 * sequence number says. */
static void random_step(struct step *step, char *data, uint32_t *dice,
			uint32_t *next)
{
	uint32_t len = roll(dice, 7);
	uint32_t back = roll(dice, 3) ? 0 : roll(dice, 8);
	uint32_t ahead = roll(dice, 3) ? 0 : roll(dice, 8);

	if (back >= *next)
		back = *next - 1;
	step->flags = ACK;
	step->seq = *next - back + ahead;
	for (uint32_t i = 0; i < len; i++)
		data[i] = (char)((roll(dice, 6) ? 'a' : 'A') +
				 (step->seq + i) % 26);
	step->data = data;
	if (roll(dice, 2)) {
		step->flags |= URG;
		step->up = random_pointer(dice, len);
	}
	if (roll(dice, 14) == 0)
		step->flags |= FIN;
	if (roll(dice, 50) == 0)
		step->flags = RST;
	if (ahead <= 1 && step->seq + len > *next)
		*next = step->seq + len;
}

static void make_script(struct random_script *r, uint32_t seed)
{
	uint32_t dice = seed * 2654435761u | 1;
	uint32_t next = 1;

	*r = (struct random_script){ .script.name = "random" };
	r->script.isn = roll(&dice, 2) ? roll(&dice, UINT32_MAX)
				       : (uint32_t)-1 - roll(&dice, 30);
	r->script.kernel_connects = roll(&dice, 8) == 0;
	if (r->script.kernel_connects && roll(&dice, 2)) {
		r->script.syn.flags = URG;
		r->script.syn.up = random_pointer(&dice, 0);
	}
	for (size_t i = 0; i < STEPS; i++)
		random_step(&r->script.steps[i], r->data[i], &dice, &next);
}

/* --- tests ------------------------------------------------------------ */

struct row {
	char name[96];
	const struct script *script;
	const struct manner *manner;
};

static void test_script(void **state)
{
	const struct row *row = *state;

	if (world.refused) {
		print_message("%s\n", world.refused);
		skip();
	}
	replay(row->script, row->manner);
}

static void test_random_scripts(void **state)
{
	static struct random_script random;
	const struct row *row = *state;

	if (world.refused) {
		print_message("%s\n", world.refused);
		skip();
	}
	for (uint32_t seed = 1; seed <= random_scripts; seed++) {
		make_script(&random, seed);
		replay(&random.script, row->manner);
	}
}

static int hang_up(void **state)
{
	(void)state;
	wire_peer_hang_up(&world.peer);
	return 0;
}

static int run_all(void)
{
	static struct row rows[(COUNT(scripts) + 1) * COUNT(manners)];
	static struct CMUnitTest tests[COUNT(rows)];
	size_t n = 0;

	for (size_t j = 0; j < COUNT(manners); j++, n++) {
		snprintf(rows[n].name, sizeof(rows[n].name),
			 "%s: scripts by chance", manners[j].view);
		rows[n].manner = &manners[j];
		tests[n] = (struct CMUnitTest){
			.name = rows[n].name,
			.test_func = test_random_scripts,
			.teardown_func = hang_up,
			.initial_state = &rows[n],
		};
	}

	for (size_t i = 0; i < COUNT(scripts); i++) {
		for (size_t j = 0; j < COUNT(manners); j++, n++) {
			snprintf(rows[n].name, sizeof(rows[n].name), "%s: %s",
				 manners[j].view, scripts[i].name);
			rows[n].script = &scripts[i];
			rows[n].manner = &manners[j];
			tests[n] = (struct CMUnitTest){
				.name = rows[n].name,
				.test_func = test_script,
				.teardown_func = hang_up,
				.initial_state = &rows[n],
			};
		}
	}
	return cmocka_run_group_tests_name("view_kernel", tests, NULL, NULL);
}

static void enter_world(void)
{
	enum isolate_step step;
	int ret = isolate_settle(&step);

	if (ret < 0) {
		isolate_explain(step, -ret, world.why, sizeof(world.why));
		world.refused = world.why;
		return;
	}
	ret = wire_peer_open(&world.peer);
	if (ret < 0) {
		snprintf(world.why, sizeof(world.why), "raw sockets: %s",
			 strerror(-ret));
		world.refused = world.why;
	}
}

/* An argument is how many scripts by chance to try with each view. */
int main(int argc, char **argv)
{
	pid_t pid = isolate_fork();
	int status;

	if (argc > 1)
		random_scripts = (uint32_t)strtoul(argv[1], NULL, 10);
	if (pid < 0) {
		isolate_explain(ISOLATE_CLONE, errno, world.why,
				sizeof(world.why));
		world.refused = world.why;
		return run_all();
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter_world();
		return run_all();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}
