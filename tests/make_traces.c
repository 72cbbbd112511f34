/*
 * Writes the traces of tests/data: make_traces FOLDER. The same bytes each
 * time, and the same traffic over IPv4 in FOLDER and IPv6 in FOLDER/ip6.
 * tests/data/README.md says what each shows.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/frame.h"
#include "tests/segments.h"

#define PSH		CAPTURE_PSH
#define LINES		12
#define STEP_US		1000
#define LINK_IEEE802_11 105 /* which we do not decode */

enum {
	PORT_FTP = 21,
	PORT_TELNET = 23,
	PORT_DISCARD = 9,
	PORT_RLOGIN = 513,
	PORT_ORACLE = 1521,
	PORT_CLIENT = 40000,
};

/* The client, a, sends from 1001 on and the server, b, from 5001. */
struct trace {
	const char *name;
	uint16_t port; /* the server's */
	struct script lines[LINES];
};

/* clang-format off */
#define A(flags_, seq_, ack_, ...) { .from = 'a', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define B(flags_, seq_, ack_, ...) { .from = 'b', .flags = flags_, .seq = seq_, .ack = ack_, __VA_ARGS__ }
#define OPEN A(SYN, 1000, 0), B(SYN | ACK, 5000, 1001), A(ACK, 1001, 5001)
#define CLOSE(a, b) A(FIN | ACK, a, b), B(FIN | ACK, b, (a) + 1), A(ACK, (a) + 1, (b) + 1)

static const struct trace traces[] = {
	{ "clean-plain", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "hello"), B(ACK, 5001, 1006),
		CLOSE(1006, 5001),
	} },
	{ "clean-urgent", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "ab"), B(ACK, 5001, 1003),
		A(PSH | URG | ACK, 1003, 5001, .data = "cd!", .up = 3), B(ACK, 5001, 1006),
		CLOSE(1006, 5001),
	} },
	{ "pointer-beyond-data", PORT_DISCARD, { OPEN,
		A(URG | ACK, 1001, 5001, .data = "ab", .up = 5), B(ACK, 5001, 1003),
		A(PSH | URG | ACK, 1003, 5001, .data = "cd!", .up = 3), B(ACK, 5001, 1006),
		CLOSE(1006, 5001),
	} },
	/* 90,000 bytes and one urgent, over a large MTU; what the file keeps
	 * of the first two segments is cut. */
	{ "pointer-saturated", PORT_DISCARD, { OPEN,
		A(URG | ACK, 1001, 5001, .data = "xxxxxxxx", .len = 40000, .up = 65535), B(ACK, 5001, 41001),
		A(URG | ACK, 41001, 5001, .data = "xxxxxxxx", .len = 49992, .up = 50001), B(ACK, 5001, 90993),
		A(PSH | URG | ACK, 90993, 5001, .data = "xxxxxxxx!", .up = 9), B(ACK, 5001, 91002),
		CLOSE(91002, 5001),
	} },
	{ "pointer-zero", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "abc"), B(ACK, 5001, 1004),
		A(PSH | URG | ACK, 1004, 5001, .data = "de"), B(ACK, 5001, 1006),
		CLOSE(1006, 5001),
	} },
	{ "pointer-without-urg", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "ab!", .up = 3), B(ACK, 5001, 1004),
		CLOSE(1004, 5001),
	} },
	{ "urg-on-syn", PORT_DISCARD, {
		A(URG | SYN, 1000, 0, .up = 1), B(RST | ACK, 0, 1001, .shut = true),
	} },
	{ "urg-on-rst", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "abc"), B(ACK, 5001, 1004),
		A(RST | URG | ACK, 1004, 5001, .up = 1),
	} },
	{ "urg-without-data", PORT_DISCARD, { OPEN,
		A(URG | ACK, 1001, 5001, .up = 3), B(ACK, 5001, 1001),
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3), B(ACK, 5001, 1004),
		CLOSE(1004, 5001),
	} },
	{ "pointer-backwards", PORT_DISCARD, { OPEN,
		A(URG | ACK, 1001, 5001, .data = "ab", .up = 6),
		A(URG | ACK, 1003, 5001, .data = "cd", .up = 2), B(ACK, 5001, 1005),
		A(PSH | ACK, 1005, 5001, .data = "e!"), B(ACK, 5001, 1007),
		CLOSE(1007, 5001),
	} },
	{ "retransmission-moves-pointer", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3),
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 2), B(ACK, 5001, 1004),
		CLOSE(1004, 5001),
	} },
	{ "retransmission-drops-urg", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3),
		A(PSH | ACK, 1001, 5001, .data = "ab!"), B(ACK, 5001, 1004),
		CLOSE(1004, 5001),
	} },
	{ "urgent-byte-changed", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3),
		A(PSH | URG | ACK, 1001, 5001, .data = "ab?", .up = 3), B(ACK, 5001, 1004),
		CLOSE(1004, 5001),
	} },
	{ "pointer-past-window", PORT_DISCARD, {
		A(SYN, 1000, 0), B(SYN | ACK, 5000, 1001, .window = 8), A(ACK, 1001, 5001),
		A(URG | ACK, 1001, 5001, .data = "abcdefgh", .up = 11), B(ACK, 5001, 1009, .window = 8),
		A(PSH | URG | ACK, 1009, 5001, .data = "ij!", .up = 3), B(ACK, 5001, 1012),
		CLOSE(1012, 5001),
	} },
	{ "several-marks", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "!", .up = 1),
		A(PSH | URG | ACK, 1002, 5001, .data = "!", .up = 1), B(ACK, 5001, 1003),
		CLOSE(1003, 5001),
	} },
	/* As Linux does it: a probe at what is awaited, and one before it. */
	{ "zero-window-announcement", PORT_DISCARD, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "abcd"), B(ACK, 5001, 1005, .shut = true),
		A(URG | ACK, 1005, 5001, .up = 3), A(URG | ACK, 1004, 5001, .up = 4),
		B(ACK, 5001, 1005, .shut = true), B(ACK, 5001, 1005),
		A(PSH | URG | ACK, 1005, 5001, .data = "ef!", .up = 3), B(ACK, 5001, 1008),
	} },
	{ "urgent-after-fin", PORT_DISCARD, { OPEN,
		A(FIN | PSH | ACK, 1001, 5001, .data = "bye"), B(ACK, 5001, 1005),
		A(PSH | URG | ACK, 1005, 5001, .data = "!", .up = 1), B(ACK, 5001, 1005),
		B(FIN | ACK, 5001, 1005), A(ACK, 1006, 5002),
	} },
	{ "readings-differ", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3), B(ACK, 5001, 1004),
		A(PSH | ACK, 1004, 5001, .data = "cd"), B(ACK, 5001, 1006),
		CLOSE(1006, 5001),
	} },
	/* As BSD's telnet sends it: IP and IAC, then the Data Mark alone. */
	{ "telnet-synch", PORT_TELNET, { OPEN,
		A(PSH | ACK, 1001, 5001, .data = "\xff\xf4\xff"), B(ACK, 5001, 1004),
		A(PSH | URG | ACK, 1004, 5001, .data = "\xf2", .up = 1), B(ACK, 5001, 1005),
		CLOSE(1005, 5001),
	} },
	/* As BSD's ftp sends it: IAC IP IAC, the last urgent; then DM ABOR. */
	{ "ftp-abort", PORT_FTP, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "\xff\xf4\xff", .up = 3), B(ACK, 5001, 1004),
		A(PSH | ACK, 1004, 5001, .data = "\xf2" "ABOR\r\n"), B(ACK, 5001, 1011),
		CLOSE(1011, 5001),
	} },
	/* The server asks for the size of the window. */
	{ "rlogin-control", PORT_RLOGIN, { OPEN,
		B(PSH | URG | ACK, 5001, 1001, .data = "\x80", .up = 1), A(ACK, 1001, 5002),
		CLOSE(1001, 5002),
	} },
	{ "database-break", PORT_ORACLE, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "!", .up = 1), B(ACK, 5001, 1002),
		CLOSE(1002, 5001),
	} },
	/* Bytes that would clear a terminal, rename its window and leave the
	 * string of a program that prints them. */
	{ "hostile-payload", PORT_DISCARD, { OPEN,
		A(PSH | URG | ACK, 1001, 5001, .data = "\x1b[2J\x1b]0;gone\x07\"};#\x9b" "31m\x1b", .up = 22), B(ACK, 5001, 1023),
		CLOSE(1023, 5001),
	} },
};
/* clang-format on */

/* --- segments --------------------------------------------------------- */

static struct capture_segment segment_of(const struct script *line,
					 uint16_t port, bool ipv6)
{
	static const uint8_t ipv4_ends[2][4] = { { 192, 0, 2, 1 },
						 { 192, 0, 2, 2 } };
	static const uint8_t ipv6_ends[2][16] = {
		{ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
		{ 0x20, 0x01, 0x0d, 0xb8, [15] = 2 }
	};
	struct capture_segment s = from_script(line);
	unsigned from = line->from == 'b';

	s.src = ipv6 ? ipv6_ends[from] : ipv4_ends[from];
	s.dst = ipv6 ? ipv6_ends[!from] : ipv4_ends[!from];
	s.address_len = ipv6 ? 16 : 4;
	s.sport = from ? port : PORT_CLIENT;
	s.dport = from ? PORT_CLIENT : port;
	return s;
}

/* --- files ------------------------------------------------------------ */

struct maker {
	struct pcap_file file;
	uint64_t frames;
	bool ipv6;
	uint8_t bytes[16384];
};

static void begin(struct maker *m, uint32_t linktype, bool ipv6)
{
	m->file.data = m->bytes;
	m->file.size = sizeof(m->bytes);
	m->frames = 0;
	m->ipv6 = ipv6;
	pcap_begin(&m->file, linktype);
}

static void add(struct maker *m, const uint8_t *frame, size_t caplen,
		size_t len)
{
	uint64_t time_us = UINT64_C(1000000000000000) + STEP_US * m->frames++;

	pcap_add(&m->file, time_us, frame, caplen, len);
}

static void add_line(struct maker *m, const struct script *line, uint16_t port)
{
	struct capture_segment s = segment_of(line, port, m->ipv6);
	uint8_t frame[FRAME_MAX];
	size_t caplen = frame_write(frame, &s, (uint16_t)(m->frames + 1));

	add(m, frame, caplen, caplen + s.payload_len - s.payload_caplen);
}

static int write_file(const struct maker *m, const char *folder,
		      const char *name)
{
	char path[4096];
	FILE *f;
	int ret;

	if (m->file.used > m->file.size)
		return fprintf(stderr, "%s: too long\n", name), -1;
	snprintf(path, sizeof(path), "%s%s/%s.pcap", folder,
		 m->ipv6 ? "/ip6" : "", name);
	f = fopen(path, "wb");
	if (!f)
		return perror(path), -1;
	ret = fwrite(m->bytes, 1, m->file.used, f) == m->file.used ? 0 : -1;
	if (fclose(f) != 0 || ret < 0)
		return perror(path), -1;
	return 0;
}

static int make_trace(struct maker *m, const char *folder,
		      const struct trace *trace, bool ipv6)
{
	begin(m, CAPTURE_LINK_ETHERNET, ipv6);
	for (size_t i = 0; i < LINES && trace->lines[i].from; i++)
		add_line(m, &trace->lines[i], trace->port);
	return write_file(m, folder, trace->name);
}

/* --- packets of other kinds ------------------------------------------- */

enum {
	ETHERNET = 14,
	IPV4 = 20,
};

static const struct script urgent_line =
	A(PSH | URG | ACK, 1001, 5001, .data = "ab!", .up = 3);

/* The urgent segment every odd packet is made from. */
static size_t urgent_frame(uint8_t *frame)
{
	struct capture_segment s = segment_of(&urgent_line, PORT_DISCARD, 0);

	return frame_write(frame, &s, 1);
}

/* Put `len` bytes in at `at`, of a frame that has `used`. */
static size_t insert(uint8_t *frame, size_t used, size_t at, const void *bytes,
		     size_t len)
{
	memmove(frame + at + len, frame + at, used - at);
	memcpy(frame + at, bytes, len);
	return used + len;
}

static void add_vlan(struct maker *m)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0x00, 0x07 };
	uint8_t frame[FRAME_MAX + sizeof(tag)];
	size_t used = urgent_frame(frame);

	used = insert(frame, used, 12, tag, sizeof(tag));
	add(m, frame, used, used);
}

static void add_mpls(struct maker *m)
{
	static const uint8_t label[] = { 0x00, 0x01, 0x01, 0x40 };
	uint8_t frame[FRAME_MAX + sizeof(label)];
	size_t used = urgent_frame(frame);

	used = insert(frame, used, ETHERNET, label, sizeof(label));
	frame[12] = 0x88;
	frame[13] = 0x47;
	add(m, frame, used, used);
}

/* With `offset` at `value`, and with no checksum that would then be wrong. */
static void add_altered(struct maker *m, size_t offset, uint8_t value)
{
	uint8_t frame[FRAME_MAX];
	size_t used = urgent_frame(frame);

	frame[offset] = value;
	add(m, frame, used, used);
}

static void add_cut(struct maker *m, size_t caplen)
{
	uint8_t frame[FRAME_MAX];
	size_t used = urgent_frame(frame);

	add(m, frame, caplen, used);
}

/* One of each kind that the summary counts apart. */
static int make_counts(struct maker *m, const char *folder)
{
	begin(m, CAPTURE_LINK_ETHERNET, false);
	add_line(m, &urgent_line, PORT_DISCARD);
	add_vlan(m);
	add_mpls(m);
	add_altered(m, ETHERNET + 6, 0x20);	    /* first fragment */
	add_altered(m, ETHERNET + 7, 0x01);	    /* later fragment */
	add_altered(m, ETHERNET + 9, 17);	    /* UDP */
	add_altered(m, ETHERNET + IPV4 + 12, 0x40); /* a header of 16 */
	add_altered(m, ETHERNET + IPV4 + 12, 0xf0); /* … of 60, of 23 */
	add_cut(m, ETHERNET + IPV4 + 20);	    /* no payload kept */
	add_cut(m, ETHERNET + IPV4 + 19);	    /* not all headers */
	add_cut(m, ETHERNET + IPV4 - 1);	    /* nor those of IP */
	add_altered(m, 13, 0x06);		    /* ARP */
	return write_file(m, folder, "counts");
}

/* An urgent segment in IPv4 in IPv4, and one beside it. */
static int make_tunnel(struct maker *m, const char *folder)
{
	uint8_t frame[FRAME_MAX + IPV4], outer[IPV4];
	size_t used = urgent_frame(frame);

	begin(m, CAPTURE_LINK_ETHERNET, false);
	add(m, frame, used, used);
	memcpy(outer, frame + ETHERNET, IPV4);
	outer[3] = (uint8_t)(outer[3] + IPV4);
	outer[9] = 4;
	used = insert(frame, used, ETHERNET, outer, IPV4);
	add(m, frame, used, used);
	return write_file(m, folder, "tunnel");
}

static int make_unknown_link(struct maker *m, const char *folder)
{
	begin(m, LINK_IEEE802_11, false);
	add_line(m, &urgent_line, PORT_DISCARD);
	return write_file(m, folder, "unknown-link");
}

int main(int argc, char **argv)
{
	static struct maker m;
	char ip6[4096];
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	snprintf(ip6, sizeof(ip6), "%s/ip6", argv[1]);
	if (mkdir(ip6, 0777) < 0 && errno != EEXIST) {
		perror(ip6);
		return 2;
	}
	for (size_t i = 0; i < COUNT(traces); i++) {
		failed |= make_trace(&m, argv[1], &traces[i], false);
		failed |= make_trace(&m, argv[1], &traces[i], true);
	}
	failed |= make_counts(&m, argv[1]);
	failed |= make_tunnel(&m, argv[1]);
	failed |= make_unknown_link(&m, argv[1]);
	return failed ? 2 : 0;
}
