#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>

#include "oob/endpoint.h"
#include "sigurg/owner.h"
#include "tests/streams.h"

/* A listener on each transport, and the count of descriptors before it. */
struct fixture {
	enum transport transport;
	int fds;
	int listener; /* or -errno where there is no such transport */
	struct oob_address at;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->transport = *(const enum transport *)*state;
	f->fds = count_fds();
	any_address(f->transport, &f->at);
	f->listener = oob_listen_on(&f->at, 1);
	if (f->listener >= 0)
		oob_local_name(f->listener, &f->at);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int leaked;

	if (f->listener >= 0)
		close(f->listener);
	leaked = count_fds() - f->fds;
	free(f);
	return leaked;
}

static struct fixture *fixture(void **state)
{
	struct fixture *f = *state;

	if (is_missing_transport(f->listener))
		skip();
	assert_true(f->listener >= 0);
	return f;
}

static void set_flags(int fd, int flags)
{
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

static int is_nonblocking(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void both_ends_know_their_names(void **state)
{
	struct fixture *f = fixture(state);
	struct oob_address client, server, peer, seen;
	char text[2][OOB_ADDRESS_TEXT_MAX];
	int dialled = oob_dial(&f->at, SOON);
	int accepted = oob_accept(f->listener, &seen, SOON);

	assert_true(dialled >= 0 && accepted >= 0);
	assert_int_equal(oob_local_name(dialled, &client), 0);
	assert_int_equal(oob_peer_name(accepted, &peer), 0);
	oob_address_format(&client, text[0], sizeof(text[0]));
	oob_address_format(&peer, text[1], sizeof(text[1]));
	assert_string_equal(text[0], text[1]);
	oob_address_format(&seen, text[1], sizeof(text[1]));
	assert_string_equal(text[0], text[1]);
	assert_int_equal(oob_peer_name(dialled, &server), 0);
	oob_address_format(&server, text[0], sizeof(text[0]));
	oob_address_format(&f->at, text[1], sizeof(text[1]));
	assert_string_equal(text[0], text[1]);
	close(dialled);
	close(accepted);
}

static void descriptors_are_blocking_and_closed_by_exec(void **state)
{
	struct fixture *f = fixture(state);
	int dialled = oob_dial(&f->at, SOON);
	int accepted;

	set_flags(f->listener, O_NONBLOCK);
	accepted = oob_accept(f->listener, NULL, SOON);
	assert_true(dialled >= 0 && accepted >= 0);
	assert_int_equal(fcntl(f->listener, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(dialled, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(accepted, F_GETFD), FD_CLOEXEC);
	assert_false(is_nonblocking(dialled));
	assert_false(is_nonblocking(accepted));
	close(dialled);
	close(accepted);
}

static void accept_ends_at_the_deadline(void **state)
{
	struct fixture *f = fixture(state);
	struct oob_address peer, untouched;

	memset(&peer, 0x5a, sizeof(peer));
	untouched = peer;
	assert_int_equal(oob_accept(f->listener, &peer, NOW), -ETIMEDOUT);
	assert_false(is_nonblocking(f->listener));
	set_flags(f->listener, O_NONBLOCK);
	assert_int_equal(oob_accept(f->listener, &peer, BRIEFLY), -ETIMEDOUT);
	assert_true(is_nonblocking(f->listener));
	assert_memory_equal(&peer, &untouched, sizeof(peer));
}

static void accept_outlasts_signals(void **state)
{
	struct fixture *f = fixture(state);

	storm_begin();
	assert_int_equal(oob_accept(f->listener, NULL, BRIEFLY), -ETIMEDOUT);
	storm_end();
	assert_true(storm_signals > 0);
}

static void accept_refuses_what_does_not_listen(void **state)
{
	struct fixture *f = fixture(state);
	int fd = oob_make(f->at.sa.ss_family, 0);

	assert_int_equal(oob_accept(fd, NULL, SOON), -EINVAL);
	assert_false(is_nonblocking(fd));
	close(fd);
	assert_int_equal(oob_accept(fd, NULL, SOON), -EBADF);
	assert_int_equal(oob_accept(STDIN_FILENO, NULL, SOON), -ENOTSOCK);
}

static void accept_passes_on_inline_delivery_but_no_owner(void **state)
{
	struct fixture *f = fixture(state);
	struct sigurg_owner owner = { SIGURG_PROCESS, getpid() };
	int dialled = oob_dial(&f->at, SOON);
	int accepted;

	assert_int_equal(oob_set_inline(f->listener, true), 0);
	assert_int_equal(sigurg_owner_set(f->listener, owner), 0);
	close(dialled);
	accepted = oob_accept(f->listener, NULL, SOON);
	close(accepted);
	dialled = oob_dial(&f->at, SOON);
	accepted = oob_accept(f->listener, NULL, SOON);
	/* AF_UNIX options belong to the socket that accept(2) makes. */
	assert_int_equal(oob_get_inline(accepted), f->transport != UNIX);
	assert_int_equal(sigurg_owner_get(accepted, &owner), 0);
	assert_int_equal(owner.kind, SIGURG_NOBODY);
	close(dialled);
	close(accepted);
}

static void connect_is_refused_where_nobody_listens(void **state)
{
	struct fixture *f = fixture(state);
	int fd = oob_make(f->at.sa.ss_family, 0);

	close(f->listener);
	f->listener = -1;
	assert_int_equal(oob_connect(fd, &f->at, SOON), -ECONNREFUSED);
	assert_false(is_nonblocking(fd));
	set_flags(fd, O_NONBLOCK);
	assert_int_equal(oob_connect(fd, &f->at, SOON), -ECONNREFUSED);
	assert_true(is_nonblocking(fd));
	close(fd);
	assert_int_equal(oob_dial(&f->at, SOON), -ECONNREFUSED);
}

static void connect_leaves_the_mode_as_it_was(void **state)
{
	struct fixture *f = fixture(state);
	struct timeval before = { 5, 0 }, after;
	socklen_t len = sizeof(after);
	int fd;

	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		fd = oob_make(f->at.sa.ss_family, 0);
		set_flags(fd, flags);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, len);
		assert_int_equal(oob_connect(fd, &f->at, SOON), 0);
		close(oob_accept(f->listener, NULL, SOON));
		assert_int_equal(is_nonblocking(fd), flags != 0);
		getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &after, &len);
		assert_memory_equal(&before, &after, sizeof(after));
		assert_int_equal(oob_connect(fd, &f->at, SOON), -EISCONN);
		assert_int_equal(is_nonblocking(fd), flags != 0);
		close(fd);
	}
}

/* Connections in the listener's queue until one more has to wait. */
static int fill_backlog(const struct fixture *f, int *fds, int max)
{
	for (int n = 0; n < max; n++) {
		fds[n] = oob_dial(&f->at, BRIEFLY);
		if (fds[n] == -ETIMEDOUT)
			return n;
		assert_true(fds[n] >= 0);
	}
	return max;
}

static void connect_to_a_full_listener_ends_at_the_deadline(void **state)
{
	struct fixture *f = fixture(state);
	int fds[8], fd, n;

	n = fill_backlog(f, fds, COUNT(fds));
	assert_in_range(n, 1, COUNT(fds) - 1);
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		fd = oob_make(f->at.sa.ss_family, 0);
		set_flags(fd, flags);
		storm_begin();
		assert_int_equal(oob_connect(fd, &f->at, BRIEFLY), -ETIMEDOUT);
		storm_end();
		assert_true(storm_signals > 0);
		assert_int_equal(is_nonblocking(fd), flags != 0);
		close(fd);
	}
	while (n)
		close(fds[--n]);
}

static void listen_on_a_taken_address_leaves_nothing_open(void **state)
{
	struct fixture *f = fixture(state);
	int fds = count_fds();

	assert_int_equal(oob_listen_on(&f->at, 1), -EADDRINUSE);
	assert_int_equal(count_fds(), fds);
}

static void names_need_a_socket_and_a_peer(void **state)
{
	struct fixture *f = fixture(state);
	struct oob_address name, untouched;

	memset(&name, 0x5a, sizeof(name));
	untouched = name;
	assert_int_equal(oob_peer_name(f->listener, &name), -ENOTCONN);
	assert_int_equal(oob_peer_name(STDIN_FILENO, &name), -ENOTSOCK);
	assert_int_equal(oob_local_name(STDIN_FILENO, &name), -ENOTSOCK);
	assert_int_equal(oob_local_name(-1, &name), -EBADF);
	assert_memory_equal(&name, &untouched, sizeof(name));
}

static void an_unknown_family_is_refused(void **state)
{
	struct fixture *f = fixture(state);
	struct oob_address a = f->at;

	a.sa.ss_family = 9999;
	assert_int_equal(oob_make(9999, 0), -EAFNOSUPPORT);
	assert_int_equal(oob_listen_on(&a, 1), -EAFNOSUPPORT);
	assert_int_equal(oob_dial(&a, SOON), -EAFNOSUPPORT);
}

int main(void)
{
	static enum transport transports[] = { TCP4, TCP6, UNIX };
	static const struct CMUnitTest each[] = {
		cmocka_unit_test(both_ends_know_their_names),
		cmocka_unit_test(descriptors_are_blocking_and_closed_by_exec),
		cmocka_unit_test(accept_ends_at_the_deadline),
		cmocka_unit_test(accept_outlasts_signals),
		cmocka_unit_test(accept_refuses_what_does_not_listen),
		cmocka_unit_test(accept_passes_on_inline_delivery_but_no_owner),
		cmocka_unit_test(connect_is_refused_where_nobody_listens),
		cmocka_unit_test(connect_leaves_the_mode_as_it_was),
		cmocka_unit_test(
			connect_to_a_full_listener_ends_at_the_deadline),
		cmocka_unit_test(listen_on_a_taken_address_leaves_nothing_open),
		cmocka_unit_test(names_need_a_socket_and_a_peer),
		cmocka_unit_test(an_unknown_family_is_refused),
	};
	static struct CMUnitTest tests[COUNT(each) * TRANSPORTS];
	static char names[COUNT(tests)][96];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(each); i++) {
		for (size_t t = 0; t < TRANSPORTS; t++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s",
				 transport_name[t], each[i].name);
			tests[n] = each[i];
			tests[n].name = names[n];
			tests[n].setup_func = set_up;
			tests[n].teardown_func = tear_down;
			tests[n].initial_state = &transports[t];
		}
	}
	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
