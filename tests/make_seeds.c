/*
 * Writes what the fuzzers begin with: make_seeds FOLDER, which has a folder
 * for each target. The same bytes each time.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/fuzz.h"
#include "tests/packets.h"
#include "tests/stored.h"
#include "tests/traces.h"

/* Sequence numbers of the SYNs in tests/traces.h. */
enum {
	A_SYN = 1000,
	B_SYN = 5000,
};

static int save(const char *folder, const char *target, const char *name,
		const void *data, size_t len)
{
	char path[4096];
	FILE *f;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return perror(path), -1;
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (!f)
		return perror(path), -1;
	ret = fwrite(data, 1, len, f) == len ? 0 : -1;
	if (fclose(f) != 0 || ret < 0)
		return perror(path), -1;
	return 0;
}

/* --- packets ---------------------------------------------------------- */

static uint8_t index_of(uint32_t linktype)
{
	uint8_t i = 0;

	while (i + 1u < COUNT(fuzz_linktypes) && fuzz_linktypes[i] != linktype)
		i++;
	return i;
}

static int seed_packet(const char *folder, const struct packet_row *row)
{
	uint8_t bytes[sizeof(struct fuzz_packet) + PACKET_MAX];
	struct fuzz_packet head = {
		.linktype = index_of(row->linktype),
		.uncaptured = { (uint8_t)row->uncaptured,
				(uint8_t)(row->uncaptured >> 8) },
	};
	size_t len = sizeof(head);

	memcpy(bytes, &head, sizeof(head));
	len += from_hex(row->hex, bytes + sizeof(head));
	return save(folder, "decode", row->name, bytes, len);
}

/* --- files ------------------------------------------------------------ */

static size_t put_low_first(uint8_t *out, uint32_t v, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		out[i] = (uint8_t)(v >> 8 * i);
	return octets;
}

/*
 * Packed, in one block that is stored as it is: what a packer makes of it
 * changes with the packer's version. RFC 1952, RFC 1951 section 3.2.4.
 */
static size_t gzip_stored(uint8_t *out, const struct bytes *b)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1 };
	size_t n = sizeof(head);

	memcpy(out, head, n);
	n += put_low_first(out + n, (uint32_t)b->used, 2);
	n += put_low_first(out + n, ~(uint32_t)b->used, 2);
	memcpy(out + n, b->data, b->used);
	n += b->used;
	n += put_low_first(out + n, (uint32_t)crc32(0, b->data, (uInt)b->used),
			   4);
	return n + put_low_first(out + n, (uint32_t)b->used, 4);
}

/* RFC 8878 section 3.1.1: a frame that gives its size in four octets, and one
 * raw block, the last. */
static size_t zstd_stored(uint8_t *out, const struct bytes *b)
{
	static const uint8_t head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xa0 };
	size_t n = sizeof(head);

	memcpy(out, head, n);
	n += put_low_first(out + n, (uint32_t)b->used, 4);
	n += put_low_first(out + n, (uint32_t)b->used << 3 | 1, 3);
	memcpy(out + n, b->data, b->used);
	return n + b->used;
}

static int seed_file(const char *folder, const struct stored *row)
{
	struct bytes b = bytes_of(row);
	uint8_t packed[sizeof(b.data) + 64];
	char name[96];
	int failed;

	failed = save(folder, "source", row->name, b.data, b.used);
	snprintf(name, sizeof(name), "%s.gz", row->name);
	failed |= save(folder, "source", name, packed, gzip_stored(packed, &b));
	snprintf(name, sizeof(name), "%s.zst", row->name);
	failed |= save(folder, "source", name, packed, zstd_stored(packed, &b));
	return failed;
}

/* --- segments --------------------------------------------------------- */

static struct fuzz_segment segment_of(const struct script *line,
				      uint8_t connection)
{
	bool from_b = line->from == 'b';
	uint32_t own = from_b ? B_SYN : A_SYN, peer = from_b ? A_SYN : B_SYN;
	const char *data = line->data ? line->data : "";
	struct fuzz_segment f = {
		.who = (uint8_t)(from_b | connection << 1),
		.flags = line->flags,
		.len = (uint8_t)(line->len ? line->len : strlen(data)),
		.octet = (uint8_t)(*data ? data[strlen(data) - 1] : 0),
	};

	put_low_first(f.seq, line->seq - own, 2);
	put_low_first(f.ack, line->flags & ACK ? line->ack - peer : 0, 2);
	put_low_first(f.up, line->up, 2);
	put_low_first(f.window, line->shut ? 0 : line->window, 2);
	return f;
}

/* The connection of fuzz_flow.c that has the port. */
static uint8_t connection_of(uint16_t port)
{
	switch (port) {
	case PORT_FTP:
		return 1;
	case PORT_TELNET:
		return 2;
	case PORT_RLOGIN:
		return 3;
	case PORT_ORACLE:
		return 4;
	default:
		return 0;
	}
}

static int seed_flow(const char *folder, const struct trace *trace)
{
	struct fuzz_segment segments[TRACE_LINES];
	size_t n = 0;

	for (; n < TRACE_LINES && trace->lines[n].from; n++)
		segments[n] = segment_of(&trace->lines[n],
					 connection_of(trace->port));
	return save(folder, "flow", trace->name, segments,
		    n * sizeof(*segments)) |
	       save(folder, "view", trace->name, segments,
		    n * sizeof(*segments));
}

/* Seen by both captures and changed on the way to B, each in another manner. */
static int seed_compare(const char *folder, const struct trace *trace)
{
	static const struct {
		const char *name;
		uint8_t where; /* of every third segment */
	} ways[] = {
		{ "same", 0 },
		{ "dropped", FUZZ_NOT_B },
		{ "made", FUZZ_NOT_A },
		{ "cleared", FUZZ_NO_URG },
		{ "pointer", FUZZ_POINTER },
		{ "other", FUZZ_OTHER },
	};
	struct fuzz_seen seen[TRACE_LINES];
	char name[96];
	int failed = 0;

	for (size_t w = 0; w < COUNT(ways); w++) {
		size_t n = 0;

		for (; n < TRACE_LINES && trace->lines[n].from; n++)
			seen[n] = (struct fuzz_seen){
				.where = n % 3 == 0 ? ways[w].where : 0,
				.wait = 0x25,
				.segment =
					segment_of(&trace->lines[n],
						   connection_of(trace->port)),
			};
		snprintf(name, sizeof(name), "%s-%s", trace->name,
			 ways[w].name);
		failed |=
			save(folder, "compare", name, seen, n * sizeof(*seen));
	}
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < COUNT(packet_rows); i++)
		failed |= seed_packet(argv[1], &packet_rows[i]);
	for (size_t i = 0; i < COUNT(stored_rows); i++)
		failed |= seed_file(argv[1], &stored_rows[i]);
	for (size_t i = 0; i < COUNT(traces); i++)
		failed |= seed_flow(argv[1], &traces[i]) |
			  seed_compare(argv[1], &traces[i]);
	return failed ? 2 : 0;
}
