/*
 * Writes TCP traffic to measure by: make_traffic KIND PACKETS SEED > FILE.
 * The same arguments give the same bytes. KIND is
 *
 *	small	100,000 flows of small packets, 1 in 100 with URG
 *	mixed	20,000 flows, payloads of 0 to 1460 bytes, 1 in 100 with URG
 *	dense	20,000 flows of small packets, every other one with URG
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kind {
	const char *name;
	uint32_t flows;
	uint32_t payload_max;
	uint32_t urgent_in_1000;
};

static const struct kind kinds[] = {
	{ "small", 100000, 12, 10 },
	{ "mixed", 20000, 1460, 10 },
	{ "dense", 20000, 12, 500 },
};

struct flow {
	uint32_t next[2]; /* sequence numbers of both ends */
	bool open;
};

enum {
	HEADERS = 14 + 20 + 20,
	RECORD = 16
};

static uint64_t state;

/* splitmix64 */
static uint32_t draw(uint32_t below)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * below >> 32);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void put_ends(uint8_t *ip, uint8_t *tcp, uint32_t flow, unsigned from)
{
	uint32_t address[2] = { 0x0a000000 + flow / 50,
				0xc0a80000 + flow % 97 };
	uint32_t port[2] = { 10000 + flow % 50000, flow % 3 ? 23 : 80 };

	put32(ip + 12, address[from]);
	put32(ip + 16, address[!from]);
	put16(tcp, port[from]);
	put16(tcp + 2, port[!from]);
}

/* One packet of 54 bytes of headers and `len` of data. */
static void put_packet(uint8_t *p, uint32_t number, struct flow *flow,
		       unsigned from, uint8_t flags, uint32_t len, uint32_t up)
{
	static const uint8_t ethernet[] = { 2, 0, 0, 0, 0, 2, 2,
					    0, 0, 0, 0, 1, 8, 0 };
	uint8_t *ip = p + sizeof(ethernet), *tcp = ip + 20;

	memset(p, 0, HEADERS);
	memcpy(p, ethernet, sizeof(ethernet));
	ip[0] = 0x45;
	put16(ip + 2, 40 + len);
	put16(ip + 4, number);
	ip[8] = 64;
	ip[9] = 6;
	put32(tcp + 4, flow->next[from]);
	put32(tcp + 8, flow->next[!from]);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 65535);
	put16(tcp + 18, up);
	for (uint32_t i = 0; i < len; i++)
		tcp[20 + i] = (uint8_t)('a' + (number + i) % 26);
	flow->next[from] += len + !!(flags & 0x02);
}

static void put_record(uint32_t number, const uint8_t *packet, uint32_t len)
{
	uint32_t us = number % 1000000;
	uint32_t record[4] = { 1700000000 + number / 1000000, us, len, len };

	fwrite(record, RECORD, 1, stdout);
	fwrite(packet, len, 1, stdout);
}

static void traffic(const struct kind *kind, uint32_t packets)
{
	struct flow *flows = calloc(kind->flows, sizeof(*flows));
	static uint8_t packet[HEADERS + 1500];

	if (!flows)
		exit(1);
	for (uint32_t n = 0; n < packets; n++) {
		/* A burst stays on its flow, as bursts do. */
		static uint32_t index, burst;
		uint32_t len = draw(kind->payload_max + 1), up = 0;
		unsigned from = draw(4) == 0;
		uint8_t flags = 0x10;

		if (burst-- == 0) {
			index = draw(kind->flows);
			burst = draw(3);
		}
		if (!flows[index].open) {
			flows[index].open = true;
			flows[index].next[0] = draw(UINT32_MAX);
			flows[index].next[1] = draw(UINT32_MAX);
			flags = 0x02;
			from = 0;
			len = 0;
		} else if (len && draw(1000) < kind->urgent_in_1000) {
			flags |= 0x20;
			up = len;
		}
		put_packet(packet, n, &flows[index], from, flags, len, up);
		put_ends(packet + 14, packet + 34, index, from);
		put_record(n, packet, HEADERS + len);
	}
	free(flows);
}

int main(int argc, char **argv)
{
	static const uint32_t header[6] = {
		0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1,
	};

	for (size_t i = 0; argc == 4 && i < sizeof(kinds) / sizeof(*kinds);
	     i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		state = strtoull(argv[3], NULL, 0);
		fwrite(header, sizeof(header), 1, stdout);
		traffic(&kinds[i], (uint32_t)strtoul(argv[2], NULL, 0));
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr, "usage: make_traffic small|mixed|dense PACKETS SEED "
			"> FILE\n");
	return 2;
}
