/*
 * What no Linux sender does, but a network or another sender may: segments of
 * our own making, put into an established connection from a raw socket. In a
 * user and network namespace of the test's own; all is skipped where the
 * machine gives none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "oob/mark.h"
#include "oob/urgent.h"
#include "tests/streams.h"

struct fixture {
	struct streams s;
	int raw;
	int fds;
	uint32_t seq, ack; /* the sender's next, and the receiver's */
	struct sockaddr_in from, to;
};

static bool isolated;

/* Loopback up, in namespaces where this process may do as it likes. */
static bool isolate(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, ret;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ret = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return ret == 0;
}

/* tcp(7) leaves TCP_REPAIR out: a mode in which the sender's kernel stays
 * silent and tells the next sequence number of a queue. */
static uint32_t next_sequence(int fd, int queue)
{
	socklen_t len = sizeof(uint32_t);
	uint32_t seq = 0;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue));
	getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len);
	return seq;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct oob_address a;

	if (!f)
		return -1;
	*state = f;
	if (!isolated)
		return 0;
	f->fds = count_fds();
	if (open_streams(&f->s, TCP4, (struct buffers){ 0, 0 }) < 0) {
		free(f);
		return -1;
	}
	oob_local_name(f->s.sender, &a);
	memcpy(&f->from, &a.sa, sizeof(f->from));
	oob_local_name(f->s.receiver, &a);
	memcpy(&f->to, &a.sa, sizeof(f->to));
	f->seq = next_sequence(f->s.sender, TCP_SEND_QUEUE);
	f->ack = next_sequence(f->s.sender, TCP_RECV_QUEUE);
	f->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (f->raw >= 0)
		return 0;
	close_streams(&f->s);
	free(f);
	return -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int leaked = 0;

	if (isolated) {
		close(f->raw);
		close_streams(&f->s);
		leaked = count_fds() - f->fds;
	}
	free(f);
	return leaked;
}

static struct fixture *fixture(void **state)
{
	if (!isolated)
		skip();
	return *state;
}

static uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t checksum(const struct fixture *f, const void *tcp, size_t len)
{
	uint32_t sum = sum16(tcp, len, IPPROTO_TCP + (uint32_t)len);

	sum = sum16(&f->from.sin_addr, 4, sum);
	sum = sum16(&f->to.sin_addr, 4, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Send `data` as the sender would, `at` bytes into the stream; `up` 0 is
 * without URG, otherwise the urgent byte is the up-th from `at`. */
static void inject(const struct fixture *f, uint32_t at, const char *data,
		   uint16_t up)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
		char data[32];
	} packet = { 0 };
	size_t len = strlen(data);
	size_t size = sizeof(packet.ip) + sizeof(packet.tcp) + len;

	packet.ip.version = 4;
	packet.ip.ihl = 5;
	packet.ip.ttl = 64;
	packet.ip.protocol = IPPROTO_TCP;
	packet.ip.saddr = f->from.sin_addr.s_addr;
	packet.ip.daddr = f->to.sin_addr.s_addr;
	packet.tcp.source = f->from.sin_port;
	packet.tcp.dest = f->to.sin_port;
	packet.tcp.seq = htonl(f->seq + at);
	packet.tcp.ack_seq = htonl(f->ack);
	packet.tcp.doff = 5;
	packet.tcp.ack = 1;
	packet.tcp.urg = up != 0;
	packet.tcp.urg_ptr = htons(up);
	packet.tcp.window = htons(65535);
	memcpy(packet.data, data, len);
	packet.tcp.check = checksum(f, &packet.tcp, sizeof(packet.tcp) + len);
	assert_int_equal(sendto(f->raw, &packet, size, 0,
				(const struct sockaddr *)&f->to, sizeof(f->to)),
			 size);
}

/* The result, and what came of it as "data|byte". */
static int read_oob(const struct fixture *f, int64_t deadline_ns, char *got)
{
	struct oob_buffer before;
	unsigned char byte = '.';
	int ret;

	oob_buffer_init(&before, 64);
	ret = oob_read_oob(f->s.receiver, &byte, &before, deadline_ns);
	sprintf(got, "%.*s|%c", (int)before.len, (char *)before.data, byte);
	oob_buffer_free(&before);
	return ret;
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* POLLPRI is up all the while, and there is nothing to read. */
static void a_byte_ahead_of_missing_data_does_not_make_it_spin(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = '.';
	char got[80];
	int64_t used;

	inject(f, 2, "!", 1);
	assert_true(oob_wait(f->s.receiver, POLLPRI, SOON) & POLLPRI);
	assert_int_equal(oob_peek_urgent(f->s.receiver, &byte), 1);
	assert_int_equal(byte, '!');
	used = cpu_ns();
	assert_int_equal(read_oob(f, oob_deadline_in(100 * MS), got),
			 -ETIMEDOUT);
	assert_true(cpu_ns() - used < 30 * MS);
	assert_string_equal(got, "|.");
	inject(f, 0, "ab", 0);
	assert_int_equal(read_oob(f, SOON, got), 1);
	assert_string_equal(got, "ab|!");
}

static void a_bare_announcement_is_waited_for(void **state)
{
	struct fixture *f = fixture(state);
	unsigned char byte = '.';
	char got[80];

	inject(f, 0, "a", 3);
	assert_true(oob_wait(f->s.receiver, POLLIN, SOON) & POLLIN);
	assert_int_equal(oob_recv_urgent(f->s.receiver, &byte), -EAGAIN);
	assert_int_equal(read_oob(f, BRIEFLY, got), -ETIMEDOUT);
	assert_string_equal(got, "a|.");
	inject(f, 1, "b", 2);
	assert_int_equal(read_oob(f, BRIEFLY, got), -ETIMEDOUT);
	assert_string_equal(got, "b|.");
	assert_int_equal(oob_at_mark(f->s.receiver), 1);
	inject(f, 2, "!c", 1);
	assert_int_equal(read_oob(f, SOON, got), 1);
	assert_string_equal(got, "|!");
}

/* The kernel takes the urgent byte from the segment that marks it or a later
 * one. It never looks into what came before out of order. */
static void a_mark_set_on_earlier_data_asks_for_inline_delivery(void **state)
{
	struct fixture *f = fixture(state);
	char got[80];

	inject(f, 1, "!c", 0);
	inject(f, 0, "a", 2);
	assert_true(oob_wait(f->s.receiver, POLLIN, SOON) & POLLIN);
	assert_int_equal(read_oob(f, SOON, got), -EBADMSG);
	assert_string_equal(got, "a|.");
	assert_int_equal(oob_set_inline(f->s.receiver, true), 0);
	assert_int_equal(read_oob(f, SOON, got), 1);
	assert_string_equal(got, "|!");
	assert_int_equal(recv(f->s.receiver, got, sizeof(got), MSG_DONTWAIT),
			 1);
	assert_int_equal(got[0], 'c');
}

/* "Do not replay urg ptr", says the kernel: only data ahead can be marked. */
static void a_mark_on_data_in_the_queue_is_none(void **state)
{
	struct fixture *f = fixture(state);
	char got[80];

	inject(f, 0, "abc", 0);
	assert_true(oob_wait(f->s.receiver, POLLIN, SOON) & POLLIN);
	inject(f, 0, "abc", 2);
	inject(f, 3, "d", 0);
	assert_int_equal(read_oob(f, BRIEFLY, got), -ETIMEDOUT);
	assert_string_equal(got, "abcd|.");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_byte_ahead_of_missing_data_does_not_make_it_spin),
		CASE(a_bare_announcement_is_waited_for),
		CASE(a_mark_set_on_earlier_data_asks_for_inline_delivery),
		CASE(a_mark_on_data_in_the_queue_is_none),
	};

	isolated = isolate();
	return cmocka_run_group_tests_name("mark_crafted", tests, NULL, NULL);
}
