/* Two captures of one connection, taken on both sides of a router that does
 * what middleboxes do; nothing of it is written by hand. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/analysis.h"
#include "capture/compare.h"
#include "capture/live.h"
#include "tests/path.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
	PORT = 7, /* nobody else listens in the new namespaces */
	WAIT_MS = 10000,
	BULK = 100000,
	DROPPED_TWICE = 2, /* sent so often and dropped, the sender tries on */
};

enum {
	HELD = 0,
	FAILED = 1,
	CANNOT = 77, /* no namespaces */
	NO_NFT = 78,
	NO_RULE = 79, /* the kernel lacks what it needs */
};

#define HOLDS(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#condition);                                   \
			return FAILED;                                         \
		}                                                              \
	} while (0)

/* What the box between A and B does, and when all has been seen of it. */
struct row {
	const char *name;
	const char *rules; /* in a chain of table ip t; NULL: none */
	const char *chain; /* its type and hook */
	size_t bulk;	   /* sent before the urgent octets */
	bool no_offload;   /* at the router */
	bool proxy;	   /* a program there carries the data on */
	bool lost;	   /* what is urgent never arrives */
	char urgent;	   /* what recv(MSG_OOB) gives; 0: EINVAL */
	const char *told;  /* its lines, whatever else there is */
	const char *kept;  /* a line that may not be there; NULL: any may */
};

#define FORWARD	    "type filter hook forward priority 0;"
#define POSTROUTING "type nat hook postrouting priority 100;"
#define URGENT	    "tcp flags & urg == urg "

/* clang-format off */
static const struct row rows[] = {
	{ .name = "clean_path", .urgent = 'c', .told = "mark 4 kept\n", .kept = "alarm" },
	{ .name = "pointer_set_to_0", .chain = FORWARD, .rules = URGENT "tcp urgptr set 0", .urgent = 'a', .told = "mark 4 changed\nalarm pointer-changed\n" },
	{ .name = "flag_cleared", .chain = FORWARD, .rules = URGENT "@th,104,8 set @th,104,8 & 0xdf", .told = "mark 4 cleared\nalarm urg-cleared\n" },
	{ .name = "urgent_segments_dropped", .chain = FORWARD, .rules = URGENT "drop", .lost = true, .told = "mark 4 lost\nalarm urg-dropped\nalarm data-missing\n" },
	{ .name = "reset_on_urgent_segments", .chain = FORWARD, .rules = URGENT "reject with tcp reset", .lost = true, .told = "mark 4 lost\nalarm urg-dropped\nalarm data-missing\nalarm reset-injected\n" },
	{ .name = "segment_size_clamped", .chain = FORWARD, .rules = "tcp flags syn tcp option maxseg size set 1200", .urgent = 'c', .told = "mark 4 kept\nnote mss-changed\nnote mss-changed\n", .kept = "alarm" },
	{ .name = "addresses_translated", .chain = POSTROUTING, .rules = "masquerade", .urgent = 'c', .told = "mark 4 kept\nnote addresses-translated\n", .kept = "alarm" },
	{ .name = "offload_that_ends_at_the_router", .bulk = BULK, .no_offload = true, .urgent = '!', .told = "kept\n", .kept = "resegmented" },
	{ .name = "proxy_that_reads_urgent_data_inline", .proxy = true, .told = "mark 4 cleared\nalarm urg-cleared\nwarning connection-terminated\nnote addresses-translated\n" },
};
/* clang-format on */

/* --- both captures, into the comparison ----------------------------------- */

struct side {
	struct capture_compare *compare;
	enum capture_side which;
	struct capture_live *live;
	struct capture_analysis *analysis;
	unsigned segments, ends, urgent; /* so far; ends: FIN or RST */
	bool failed;
};

static void take_segment(void *context, const struct capture_sighting *seen)
{
	struct side *side = context;
	const uint8_t flags = seen->segment->flags;

	side->segments++;
	side->ends += flags & (CAPTURE_FIN | CAPTURE_RST) ? 1 : 0;
	side->urgent += flags & CAPTURE_URG ? 1 : 0;
	if (capture_compare_segment(side->compare, side->which, seen) < 0)
		side->failed = true;
}

static int open_side(struct side *side, const struct path *path,
		     enum path_place place, const char *device)
{
	const struct capture_live_options live = {
		.device = device,
		.filter = "tcp",
		.snaplen = 65549, /* joined segments are long */
		.buffer_bytes = 64 << 20,
		.gather_ms = 1,
	};
	const struct capture_analysis_options analysis = {
		.listener = { .segment = take_segment, .context = side },
	};
	char err[CAPTURE_ERR_MAX];

	HOLDS(path_enter(path, place) == 0);
	HOLDS(capture_live_open(&side->live, &live, err) == 0);
	HOLDS(capture_analysis_new(&side->analysis, &analysis) == 0);
	return HELD;
}

/* All that is in the ring by now. */
static int drain(struct side *side)
{
	struct capture_packet packet;
	char err[CAPTURE_ERR_MAX];
	int n;

	while ((n = capture_live_next(side->live, &packet, err)) > 0)
		HOLDS(capture_analysis_packets(side->analysis, &packet, 1) ==
		      0);
	HOLDS(n == 0 && !side->failed);
	return HELD;
}

/* Until `side` has seen as many segments, and of these as many that end the
 * connection or are urgent. */
static int await(struct side *side, unsigned segments, unsigned ends,
		 unsigned urgent)
{
	struct pollfd pfd = { .fd = capture_live_fd(side->live),
			      .events = POLLIN };

	HOLDS(drain(side) == HELD);
	while (side->segments < segments || side->ends < ends ||
	       side->urgent < urgent) {
		HOLDS(poll(&pfd, 1, WAIT_MS) == 1);
		HOLDS(drain(side) == HELD);
	}
	return HELD;
}

/* --- the connection ------------------------------------------------------- */

static int wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, WAIT_MS) == 1 ? pfd.revents : -1;
}

static int listen_at(const struct path *path, enum path_place place)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };
	const int inline_delivery = place == PATH_ROUTER;
	int fd;

	if (path_enter(path, place) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &inline_delivery,
		       sizeof(inline_delivery)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    listen(fd, 1) < 0)
		return -1;
	return fd;
}

/* Connect to a listener, and accept. */
static int join(const struct path *path, enum path_place from,
		const char *address, int listener, int ends[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT) };

	HOLDS(inet_pton(AF_INET, address, &to.sin_addr) == 1);
	HOLDS(path_enter(path, from) == 0);
	ends[0] =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	HOLDS(ends[0] >= 0);
	HOLDS(connect(ends[0], (struct sockaddr *)&to, sizeof(to)) == 0 ||
	      errno == EINPROGRESS);
	HOLDS(wait_for(listener, POLLIN) > 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	HOLDS(ends[1] >= 0);
	HOLDS(wait_for(ends[0], POLLOUT) > 0);
	return HELD;
}

/* Send `count` octets while what arrives is read. */
static int send_bulk(const int ends[2], size_t count)
{
	static char octets[16384];
	size_t sent = 0, got = 0;

	while (got < count) {
		size_t n = count - sent < sizeof(octets) ? count - sent
							 : sizeof(octets);
		ssize_t out = n ? send(ends[0], octets, n, MSG_NOSIGNAL) : 0;
		ssize_t in;

		sent += out > 0 ? (size_t)out : 0;
		HOLDS(out >= 0 || errno == EAGAIN);
		HOLDS(wait_for(ends[1], POLLIN) > 0);
		in = recv(ends[1], octets, sizeof(octets), 0);
		HOLDS(in > 0);
		got += (size_t)in;
	}
	return HELD;
}

/* What `count` octets of stream from ends[0] are, the last urgent. */
static int send_urgent(const struct row *row, const int ends[2])
{
	const char *data = row->bulk ? "ab!" : "abc";
	char octet = 0;
	ssize_t n;

	HOLDS(send(ends[0], data, 3, MSG_OOB | MSG_NOSIGNAL) == 3);
	if (row->lost || row->proxy)
		return HELD;
	HOLDS(wait_for(ends[1], POLLIN | POLLPRI) > 0);
	n = recv(ends[1], &octet, 1, MSG_OOB);
	if (row->urgent)
		HOLDS(n == 1 && octet == row->urgent);
	else
		HOLDS(n < 0 && errno == EINVAL);
	return HELD;
}

/* Read `count` octets from one connection and write them to another, as a
 * proxy that knows nothing of urgent data does. */
static int carry(int from, int to, size_t count)
{
	char octets[64];
	size_t got = 0;

	while (got < count) {
		ssize_t n;

		HOLDS(wait_for(from, POLLIN) > 0);
		n = recv(from, octets, sizeof(octets), 0);
		HOLDS(n > 0 && send(to, octets, (size_t)n, MSG_NOSIGNAL) == n);
		got += (size_t)n;
	}
	return HELD;
}

/* Both ends close; what the one has not read does not reset it. */
static int close_ends(const int ends[2])
{
	char octets[64];

	shutdown(ends[0], SHUT_WR);
	do
		HOLDS(wait_for(ends[1], POLLIN) > 0);
	while (recv(ends[1], octets, sizeof(octets), 0) > 0);
	close(ends[1]);
	HOLDS(wait_for(ends[0], POLLIN) > 0);
	close(ends[0]);
	return HELD;
}

/* The sender learns by a reset, or tries again; B saw the handshake only. */
static int await_loss(const struct row *row, struct side sides[2])
{
	const bool reset = strstr(row->rules, "reset") != NULL;

	HOLDS(await(&sides[CAPTURE_A], 0, reset ? 1 : 0,
		    reset ? 1 : DROPPED_TWICE) == HELD);
	return await(&sides[CAPTURE_B], 3, 0, 0);
}

static int talk(const struct path *path, const struct row *row,
		struct side sides[2])
{
	const int at_b = listen_at(path, PATH_B);
	const int at_router = row->proxy ? listen_at(path, PATH_ROUTER) : -1;
	int near[2], far[2];

	HOLDS(at_b >= 0);
	HOLDS(join(path, PATH_A,
		   row->proxy ? PATH_ROUTER_ADDRESS : PATH_B_ADDRESS,
		   row->proxy ? at_router : at_b, near) == HELD);
	if (row->proxy)
		HOLDS(join(path, PATH_ROUTER, PATH_B_ADDRESS, at_b, far) ==
		      HELD);
	if (row->bulk)
		HOLDS(send_bulk(near, row->bulk) == HELD);
	HOLDS(send_urgent(row, near) == HELD);
	if (row->proxy)
		HOLDS(carry(near[1], far[0], 3) == HELD &&
		      close_ends(far) == HELD);
	if (row->lost)
		return await_loss(row, sides);
	HOLDS(close_ends(near) == HELD);
	HOLDS(await(&sides[CAPTURE_A], 0, 2, 0) == HELD);
	return await(&sides[CAPTURE_B], 0, 2, 0);
}

/* --- what is told --------------------------------------------------------- */

struct told {
	char text[4096];
	size_t used;
	uint64_t offloaded;
};

static void add_line(struct told *told, const char *first, const char *second)
{
	told->used += (size_t)snprintf(told->text + told->used,
				       sizeof(told->text) - told->used,
				       "%s %s\n", first, second);
}

static void on_connection(void *context, const struct capture_connection *c)
{
	((struct told *)context)->offloaded =
		c->way[0].offloaded + c->way[1].offloaded;
}

static void on_mark(void *context, const struct capture_mark *mark)
{
	char name[32];

	snprintf(name, sizeof(name), "mark %lld", (long long)mark->mark);
	add_line(context, name, capture_outcome_name(mark->outcome));
}

static void on_difference(void *context, const struct capture_difference *d)
{
	add_line(context, capture_severity_name(d->kind->severity),
		 d->kind->name);
}

/* Both captures are of one machine: their clocks are the same. */
static int check(const struct row *row, const struct told *told,
		 const struct capture_compared *result)
{
	const struct capture_clock *clock = &result->clock;

	if (!strstr(told->text, row->told) ||
	    (row->kept && strstr(told->text, row->kept)))
		fprintf(stderr, "told:\n%s", told->text);
	HOLDS(result->connections == 1);
	HOLDS(strstr(told->text, row->told) != NULL);
	HOLDS(!row->kept || !strstr(told->text, row->kept));
	HOLDS(!row->no_offload || told->offloaded > 0);
	if (!row->proxy) /* whose acknowledgements say nothing */
		HOLDS(clock->known);
	if (clock->known)
		HOLDS(clock->offset_ns <= clock->uncertainty_ns &&
		      -clock->offset_ns <= clock->uncertainty_ns);
	return HELD;
}

/* --- a row ---------------------------------------------------------------- */

static int set_rules(const struct path *path, const struct row *row)
{
	char text[512];
	int ret;

	if (row->no_offload)
		HOLDS(path_no_offload(path, PATH_ROUTER, PATH_ROUTER_B_LINK) ==
		      0);
	if (!row->rules)
		return HELD;
	snprintf(text, sizeof(text),
		 "table ip t {\n chain c {\n %s\n %s\n }\n}\n", row->chain,
		 row->rules);
	ret = path_rules(path, text);
	return ret == -ENOENT ? NO_NFT : ret < 0 ? NO_RULE : HELD;
}

static int run_row(const struct row *row)
{
	struct told told = { .used = 0 };
	const struct capture_compare_options options = {
		.listener = { .connection = on_connection,
			      .mark = on_mark,
			      .difference = on_difference,
			      .context = &told },
	};
	struct capture_compare *compare;
	struct capture_compared result;
	struct side sides[2] = { { .which = CAPTURE_A },
				 { .which = CAPTURE_B } };
	struct path path;
	int ret;

	if (path_build(&path) < 0)
		return CANNOT;
	ret = set_rules(&path, row);
	if (ret != HELD)
		return ret;
	HOLDS(capture_compare_new(&compare, &options) == 0);
	sides[0].compare = sides[1].compare = compare;
	HOLDS(open_side(&sides[0], &path, PATH_A, PATH_A_LINK) == HELD);
	HOLDS(open_side(&sides[1], &path, PATH_B, PATH_B_LINK) == HELD);
	HOLDS(talk(&path, row, sides) == HELD);
	HOLDS(drain(&sides[1]) == HELD);
	HOLDS(capture_compare_finish(compare, &result) == 0);
	capture_compare_free(compare);
	for (int i = 0; i < 2; i++) {
		capture_analysis_free(sides[i].analysis);
		capture_live_close(sides[i].live);
	}
	return check(row, &told, &result);
}

/* In a child of its own, which cannot leave the namespaces it enters. */
static void test_path(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		alarm(60);
		_exit(run_row(*state));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	switch (WEXITSTATUS(status)) {
	case CANNOT:
		print_message("no user or network namespaces here\n");
		skip();
		break;
	case NO_NFT:
		print_message("nft is missing: apt-get install nftables\n");
		skip();
		break;
	case NO_RULE:
		print_message("this kernel refuses the rule\n");
		skip();
		break;
	default:
		assert_int_equal(WEXITSTATUS(status), HELD);
	}
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_path,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
