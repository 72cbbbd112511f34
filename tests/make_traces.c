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
#include "tests/traces.h"

#define STEP_US		1000
#define LINK_IEEE802_11 105 /* which we do not decode */

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
	for (size_t i = 0; i < TRACE_LINES && trace->lines[i].from; i++)
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
