#include "tests/frame.h"

#include <string.h>

enum {
	ETHERNET = 14,
	TCP = 20,
	PROTOCOL_TCP = 6,
	HOPS = 64,
};

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

/* RFC 1071; an odd octet at the end stands before one of zero. */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		so_far += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return so_far;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t write_ethernet(uint8_t *p, int ipv6)
{
	static const uint8_t ends[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	memcpy(p, ends, sizeof(ends));
	put16(p + sizeof(ends), ipv6 ? 0x86dd : 0x0800);
	return ETHERNET;
}

static size_t write_ipv4(uint8_t *p, const struct capture_segment *s,
			 uint16_t identification)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, 20 + TCP + s->payload_len);
	put16(p + 4, identification);
	p[8] = HOPS;
	p[9] = PROTOCOL_TCP;
	memcpy(p + 12, s->src, 4);
	memcpy(p + 16, s->dst, 4);
	put16(p + 10, folded(sum(0, p, 20)));
	return 20;
}

static size_t write_ipv6(uint8_t *p, const struct capture_segment *s)
{
	memset(p, 0, 8);
	p[0] = 0x60;
	put16(p + 4, TCP + s->payload_len);
	p[6] = PROTOCOL_TCP;
	p[7] = HOPS;
	memcpy(p + 8, s->src, 16);
	memcpy(p + 24, s->dst, 16);
	return 40;
}

static void write_tcp(uint8_t *p, const struct capture_segment *s)
{
	uint32_t pseudo = PROTOCOL_TCP + TCP + s->payload_len;

	memset(p, 0, TCP);
	put16(p, s->sport);
	put16(p + 2, s->dport);
	put32(p + 4, s->seq);
	put32(p + 8, s->flags & CAPTURE_ACK ? s->ack : 0);
	p[12] = TCP / 4 << 4;
	p[13] = s->flags;
	put16(p + 14, s->window);
	put16(p + 18, s->urgent_pointer);
	pseudo = sum(pseudo, s->src, s->address_len);
	pseudo = sum(pseudo, s->dst, s->address_len);
	pseudo = sum(pseudo, p, TCP);
	put16(p + 16, folded(sum(pseudo, s->payload, s->payload_caplen)));
}

size_t frame_write(uint8_t *frame, const struct capture_segment *s,
		   uint16_t identification)
{
	size_t used = write_ethernet(frame, s->address_len == 16);

	if (s->address_len == 16)
		used += write_ipv6(frame + used, s);
	else
		used += write_ipv4(frame + used, s, identification);
	write_tcp(frame + used, s);
	used += TCP;
	memcpy(frame + used, s->payload, s->payload_caplen);
	return used + s->payload_caplen;
}

/* --- the file --------------------------------------------------------- */

static void add(struct pcap_file *file, const void *data, size_t len)
{
	if (file->used <= file->size && len <= file->size - file->used)
		memcpy(file->data + file->used, data, len);
	else
		len = file->size + 1;
	file->used += len;
}

static void add32(struct pcap_file *file, uint32_t v)
{
	const uint8_t p[4] = { (uint8_t)v, (uint8_t)(v >> 8),
			       (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	add(file, p, sizeof(p));
}

void pcap_begin(struct pcap_file *file, uint32_t linktype)
{
	file->used = 0;
	add32(file, 0xa1b2c3d4);
	add32(file, 4 << 16 | 2); /* version 2.4 */
	add32(file, 0);
	add32(file, 0);
	add32(file, 262144);
	add32(file, linktype);
}

void pcap_add(struct pcap_file *file, uint64_t time_us, const void *data,
	      size_t caplen, size_t len)
{
	add32(file, (uint32_t)(time_us / 1000000));
	add32(file, (uint32_t)(time_us % 1000000));
	add32(file, (uint32_t)caplen);
	add32(file, (uint32_t)len);
	add(file, data, caplen);
}
