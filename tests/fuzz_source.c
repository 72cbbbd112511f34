/* Any file of stored packets, packed or not: an end is reached, and however
 * many packets are asked for at once, they are the same. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/source.h"
#include "tests/fuzz.h"

/* A few bytes may be unpacked to any number. */
#define PACKETS_MAX 20000
#define ASKED_MAX   64

struct told {
	uint64_t packets;
	uint64_t sum; /* of all that was told of them */
	int end;
	char err[CAPTURE_ERR_MAX];
};

static void add(struct told *told, uint64_t value)
{
	told->sum = (told->sum ^ value) * UINT64_C(0x100000001b3);
}

static void take(struct told *told, const struct capture_source *source,
		 const struct capture_packet *p)
{
	struct capture_interface interface;

	REQUIRE(p->caplen <= p->len);
	REQUIRE(p->caplen <= CAPTURE_RECORD_MAX);
	REQUIRE(capture_source_interface(source, p->interface, &interface) ==
		0);
	REQUIRE(interface.linktype == p->linktype);
	add(told, (uint64_t)p->time_ns);
	add(told, (uint64_t)p->caplen << 32 | p->len);
	for (uint32_t i = 0; i < p->caplen; i++)
		add(told, p->data[i]);
	told->packets++;
}

static void read_all(int fd, size_t asked, struct told *told)
{
	struct capture_packet packets[ASKED_MAX];
	struct capture_source *source;

	memset(told, 0, sizeof(*told));
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	told->end = capture_source_open(&source, fd, -1, told->err);
	if (told->end < 0) {
		REQUIRE(*told->err);
		return;
	}
	REQUIRE(*capture_source_kind(source));
	do {
		told->end =
			capture_source_next(source, packets, asked, told->err);
		REQUIRE(told->end <= (int)asked);
		for (int i = 0; i < told->end; i++)
			take(told, source, &packets[i]);
	} while (told->end > 0 && told->packets < PACKETS_MAX);
	REQUIRE(told->end >= 0 || *told->err);
	capture_source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told one, many;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	read_all(fd, 1, &one);
	read_all(fd, ASKED_MAX, &many);
	close(fd);
	if (one.packets == PACKETS_MAX)
		return 0;
	REQUIRE(one.packets == many.packets && one.sum == many.sum);
	REQUIRE(one.end == many.end);
	REQUIRE(!strcmp(one.err, many.err));
	return 0;
}
