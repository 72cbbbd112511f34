#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "oob/deadline.h"
#include "tests/listener.h"
#include "tests/streams.h"
#include "tools/lab/lab.h"

/* ThreadSanitizer delivers none in the child of a process of two threads. */
#ifdef __SANITIZE_THREAD__
#define CHILD_HAS_SIGNALS false
#else
#define CHILD_HAS_SIGNALS true
#endif

/* A lab, and a process that listens to it. */
struct bench {
	struct lab lab;
	pid_t run;
	int fds;
};

static int open_lab(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	b->fds = count_fds();
	b->run = open_listener(&b->lab.out);
	if (b->run < 0) {
		free(b);
		return -1;
	}
	b->lab = (struct lab){ .out = b->lab.out,
			       .experiment = "test",
			       .transport = "unix",
			       .t0_ns = lab_realtime_ns(),
			       .deadline_ns = SOON,
			       .timeout_s = 10 };
	*state = b;
	return 0;
}

/* No descriptor and no process is left. */
static int close_lab(void **state)
{
	struct bench *b = *state;
	int left;

	lab_close(&b->lab);
	close(b->lab.out);
	waitpid(b->run, NULL, 0);
	left = count_fds() - b->fds;
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		left++;
	free(b);
	return left;
}

static struct message of_ints(unsigned n, ...)
{
	struct message m = { .n = 0 };
	va_list ap;

	va_start(ap, n);
	for (unsigned i = 0; i < n; i++)
		message_add_int(&m, va_arg(ap, int));
	va_end(ap);
	return m;
}

static struct pending *order(struct lab *lab, struct actor *actor,
			     struct end *end, const char *name,
			     const struct message *m)
{
	struct pending *call = lab_order(lab, actor, end, call_index(name), m);

	assert_non_null(call);
	return call;
}

/* What a call that comes back at once returned. */
static int64_t made(struct lab *lab, struct actor *actor, struct end *end,
		    const char *name, struct message m)
{
	struct pending *call = order(lab, actor, end, name, &m);
	int64_t ret;

	assert_int_equal(lab_await(lab, call, SOON), 0);
	ret = message_int(call->reply, 0, INT64_MIN);
	lab_release(lab, call);
	return ret;
}

static struct actor *program(struct lab *lab, const char *name)
{
	struct actor *actor = lab_program(lab, name);

	assert_non_null(actor);
	return actor;
}

static struct end *made_socket(struct lab *lab, struct actor *actor,
			       struct end *from, const char *name,
			       struct message m)
{
	struct pending *call = order(lab, actor, from, name, &m);
	struct end *end;

	assert_int_equal(lab_await(lab, call, SOON), 0);
	end = call->made;
	assert_non_null(end);
	lab_release(lab, call);
	return end;
}

struct stream {
	struct end *sender, *receiver;
};

/* A Unix stream between two programs, as connect{} makes it. */
static struct stream connected(struct lab *lab)
{
	const sa_family_t any = AF_UNIX;
	struct actor *a = program(lab, "sender"), *b = program(lab, "receiver");
	struct message socket = of_ints(3, AF_UNIX, SOCK_STREAM, 0);
	struct end *listener = made_socket(lab, b, NULL, "socket", socket);
	struct message m = of_ints(1, listener->fd);
	struct stream s;

	message_add_bytes(&m, &any, sizeof(any));
	assert_int_equal(made(lab, b, listener, "bind", m), 0);
	made(lab, b, listener, "listen", of_ints(2, listener->fd, 1));
	s.sender = made_socket(lab, a, NULL, "socket", socket);
	m = of_ints(1, s.sender->fd);
	message_add_bytes(&m, &listener->local.sa, listener->local.len);
	assert_int_equal(made(lab, a, s.sender, "connect", m), 0);
	s.receiver = made_socket(lab, b, listener, "accept",
				 of_ints(1, listener->fd));
	made(lab, b, listener, "close", of_ints(1, listener->fd));
	return s;
}

static int64_t sent(struct lab *lab, struct end *end, const char *text,
		    int flags)
{
	struct message m = of_ints(1, end->fd);

	message_add_bytes(&m, text, strlen(text));
	message_add_int(&m, flags);
	return made(lab, end->actor, end, "send", m);
}

static struct pending *receiving(struct lab *lab, struct end *end, int bytes)
{
	struct message m = of_ints(3, end->fd, bytes, 0);

	return order(lab, end->actor, end, "recv", &m);
}

static void assert_received(struct lab *lab, struct pending *call,
			    const char *text)
{
	assert_int_equal(lab_await(lab, call, SOON), 0);
	assert_int_equal(message_int(call->reply, 0, -1), strlen(text));
	assert_memory_equal(call->reply->v[1].bytes, text, strlen(text));
	lab_release(lab, call);
}

static void assert_blocked(struct lab *lab, struct pending *call)
{
	lab_settle(lab, call->actor);
	assert_int_equal(lab_await(lab, call, BRIEFLY), -ETIMEDOUT);
}

static void first_socket_is_descriptor_3(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct actor *a = program(lab, "a");
	struct message m = of_ints(3, AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(made(lab, a, NULL, "socket", m), 3);
	assert_int_equal(made(lab, a, NULL, "socket", m), 4);
	assert_int_equal(made(lab, a, NULL, "close", of_ints(1, 3)), 0);
	assert_int_equal(made(lab, a, NULL, "socket", m), 3);
}

static void what_the_kernel_refuses_is_an_answer(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct actor *a = program(lab, "a");

	assert_int_equal(made(lab, a, NULL, "listen", of_ints(2, 77, 1)),
			 -EBADF);
	assert_int_equal(made(lab, a, NULL, "socket", of_ints(3, -1, 0, 0)),
			 -EAFNOSUPPORT);
}

static void ends_know_each_other(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);

	assert_ptr_equal(lab_find(lab, "sender"), s.sender->actor);
	assert_null(lab_find(lab, "nobody"));
	/* An unnamed client has no address to be found by. */
	assert_null(lab_far_end(lab, s.receiver));
	s.receiver->other = s.sender;
	assert_ptr_equal(lab_far_end(lab, s.receiver), s.sender);
}

static void a_second_call_is_made_while_one_blocks(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct pending *first = receiving(lab, s.receiver, 10);

	assert_blocked(lab, first);
	assert_int_equal(sent(lab, s.receiver, "back", 0), 4);
	assert_null(first->reply);
	assert_int_equal(sent(lab, s.sender, "abc", 0), 3);
	assert_received(lab, first, "abc");
}

static void sigurg_interrupts_the_call_that_blocks(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct actor *r = s.receiver->actor;
	struct pending *call;

	assert_int_equal(made(lab, r, s.receiver, "fcntl",
			      of_ints(3, s.receiver->fd, F_SETOWN, r->pid)),
			 0);
	call = receiving(lab, s.receiver, 10);
	assert_blocked(lab, call);
	assert_int_equal(kill(r->pid, SIGURG), 0);
	assert_int_equal(lab_await(lab, call, SOON), 0);
	assert_int_equal(message_int(call->reply, 0, 0), -EINTR);
	lab_release(lab, call);
	assert_int_equal(lab_await_signal(lab, r, SIGURG, NOW), 0);
	assert_int_equal(r->signals[SIGURG], 1);
}

static void the_owner_gets_sigurg(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct actor *r = s.receiver->actor;

	made(lab, r, s.receiver, "fcntl",
	     of_ints(3, s.receiver->fd, F_SETOWN, r->pid));
	assert_int_equal(sent(lab, s.sender, "!", MSG_OOB), 1);
	assert_int_equal(lab_await_signal(lab, r, SIGURG, SOON), 0);
	assert_int_equal(lab_await_signal(lab, r, SIGURG, BRIEFLY), -ETIMEDOUT);
}

/* Whoever has a reply has the signals that came before it. */
static void a_reply_overtakes_no_signal(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct actor *a = program(lab, "a");

	for (unsigned i = 1; i <= 100; i++) {
		assert_int_equal(kill(a->pid, SIGUSR1), 0);
		lab_settle(lab, a);
		assert_int_equal(a->signals[SIGUSR1], i);
	}
}

static void a_child_has_its_parents_sockets(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct message none = { .n = 0 };
	struct pending *call =
		order(lab, s.receiver->actor, NULL, "fork", &none);
	struct actor *child;
	struct end *copy;
	int64_t pid;

	assert_int_equal(lab_await(lab, call, SOON), 0);
	pid = message_int(call->reply, 0, -1);
	assert_true(pid > 0 && call->passed_fd >= 0);
	child = lab_adopt(lab, "child", (pid_t)pid, call->passed_fd);
	assert_non_null(child);
	call->passed_fd = -1;
	lab_release(lab, call);
	copy = lab_end(lab, child, s.receiver->fd);
	assert_non_null(copy);
	sent(lab, s.sender, "abc", 0);
	assert_received(lab, receiving(lab, copy, 10), "abc");
	if (!CHILD_HAS_SIGNALS)
		return;
	/* A signal is the child's alone. */
	assert_int_equal(kill(child->pid, SIGUSR2), 0);
	assert_int_equal(lab_await_signal(lab, child, SIGUSR2, SOON), 0);
	lab_settle(lab, s.receiver->actor);
	assert_int_equal(s.receiver->actor->signals[SIGUSR2], 0);
}

/* The thread that forks it is another then, and does not stay. */
static void a_child_of_a_blocked_program_lives_on(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct pending *blocked = receiving(lab, s.receiver, 10), *call;
	struct message none = { .n = 0 };
	struct actor *child;

	assert_blocked(lab, blocked);
	call = order(lab, s.receiver->actor, NULL, "fork", &none);
	assert_int_equal(lab_await(lab, call, SOON), 0);
	child = lab_adopt(lab, "child", (pid_t)message_int(call->reply, 0, -1),
			  call->passed_fd);
	assert_non_null(child);
	call->passed_fd = -1;
	lab_release(lab, call);
	/* A call of each of them, after the forking thread had its time. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(lab_await(lab, blocked, BRIEFLY), -ETIMEDOUT);
	assert_false(child->gone);
	assert_int_equal(made(lab, child, NULL, "settle", none), 0);
}

static void a_killed_program_breaks_the_experiment(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct pending *call = receiving(lab, s.receiver, 10);
	struct message m = of_ints(1, s.receiver->fd);

	assert_int_equal(kill(s.receiver->actor->pid, SIGKILL), 0);
	assert_int_equal(lab_await(lab, call, SOON), -EPIPE);
	assert_true(lab->broken);
	assert_string_equal(lab->why, "receiver was killed by SIGKILL");
	assert_null(lab_order(lab, s.receiver->actor, NULL,
			      call_index("listen"), &m));
	assert_int_equal(errno, EPIPE);
	lab_release(lab, call);
}

static void one_killed_on_purpose_does_not(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct actor *a = program(lab, "a");

	a->killed_here = true;
	assert_int_equal(kill(a->pid, SIGTERM), 0);
	while (!a->gone)
		assert_true(lab_pump(lab, SOON) > 0);
	assert_false(lab->broken);
	assert_string_equal(lab->why, "a was killed by SIGTERM");
}

/* Neither answers; its end may not wait for that. */
static void a_stopped_program_can_be_ended(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct actor *a = program(lab, "a");
	struct message none = { .n = 0 };
	struct pending *call;

	assert_int_equal(kill(a->pid, SIGSTOP), 0);
	call = order(lab, a, NULL, "settle", &none);
	assert_int_equal(lab_await(lab, call, BRIEFLY), -ETIMEDOUT);
	lab_release(lab, call);
}

static void there_are_only_so_many_programs(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;

	for (int i = 0; i < LAB_ACTORS; i++)
		program(lab, "one");
	errno = 0;
	assert_null(lab_program(lab, "too many"));
	assert_int_equal(errno, EUSERS);
}

#define BIG 12000000

/*
 * The program is stuck in sending its answer, and its other thread in telling
 * of signals, so that neither takes an order, while the lab sends it one that
 * does not fit: the lab must listen meanwhile.
 */
static void big_answers_and_orders_cross(void **state)
{
	struct lab *lab = &((struct bench *)*state)->lab;
	struct stream s = connected(lab);
	struct actor *r = s.receiver->actor;
	char *big = malloc(BIG);
	struct message recv = of_ints(3, s.receiver->fd, BIG, MSG_WAITALL);
	struct message send = of_ints(1, s.sender->fd);
	struct message back = of_ints(1, s.receiver->fd);
	struct pending *call, *filling, *answer;

	assert_non_null(big);
	memset(big, 'x', BIG);
	message_add_bytes(&send, big, BIG);
	message_add_bytes(&back, big, BIG);
	call = order(lab, r, s.receiver, "recv", &recv);
	filling = order(lab, s.sender->actor, s.sender, "send", &send);
	/* The answer has begun to come. It does not fit the socket either. */
	assert_int_equal(oob_wait(r->channel.fd, POLLIN, SOON), POLLIN);
	kill(r->pid, SIGUSR1);
	answer = order(lab, r, s.receiver, "send", &back);
	assert_int_equal(lab_await(lab, call, SOON), 0);
	lab_release(lab, call);
	lab_release(lab, filling);
	lab_release(lab, answer);
	free(big);
}

/* In a process of its own: what is looked at is what it leaves behind. */
static _Noreturn void be_a_lab(int run, int out)
{
	struct lab lab = { .out = run,
			   .experiment = "test",
			   .transport = "unix",
			   .deadline_ns = SOON };
	struct stream s = connected(&lab);
	pid_t pids[2] = { s.sender->actor->pid, s.receiver->actor->pid };

	receiving(&lab, s.receiver, 10);
	kill(pids[0], SIGSTOP);
	if (write(out, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	for (;;)
		pause();
}

static void programs_end_with_their_lab(void **state)
{
	struct bench *b = *state;
	int pair[2], pidfd[2];
	pid_t lab, pids[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	lab = fork();
	if (lab == 0)
		be_a_lab(b->lab.out, pair[1]);
	close(pair[1]);
	assert_int_equal(read(pair[0], pids, sizeof(pids)), sizeof(pids));
	close(pair[0]);
	for (int i = 0; i < 2; i++)
		pidfd[i] = (int)syscall(SYS_pidfd_open, pids[i], 0);
	kill(lab, SIGKILL);
	waitpid(lab, NULL, 0);
	for (int i = 0; i < 2; i++) {
		struct pollfd p = { pidfd[i], POLLIN, 0 };

		assert_int_equal(poll(&p, 1, 5000), 1);
		close(pidfd[i]);
	}
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, open_lab, close_lab)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(first_socket_is_descriptor_3),
		TEST(what_the_kernel_refuses_is_an_answer),
		TEST(ends_know_each_other),
		TEST(a_second_call_is_made_while_one_blocks),
		TEST(sigurg_interrupts_the_call_that_blocks),
		TEST(the_owner_gets_sigurg),
		TEST(a_reply_overtakes_no_signal),
		TEST(a_child_has_its_parents_sockets),
		TEST(a_child_of_a_blocked_program_lives_on),
		TEST(a_killed_program_breaks_the_experiment),
		TEST(one_killed_on_purpose_does_not),
		TEST(a_stopped_program_can_be_ended),
		TEST(there_are_only_so_many_programs),
		TEST(big_answers_and_orders_cross),
		TEST(programs_end_with_their_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
