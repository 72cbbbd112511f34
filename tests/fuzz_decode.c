/* Any packet of any link type: nothing is read beyond it, and what a segment
 * points to lies within. */
#include <string.h>

#include "capture/decode.h"
#include "tests/fuzz.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check_inside(const struct capture_segment *s, const uint8_t *begin,
			 const uint8_t *end)
{
	REQUIRE(s->address_len == 4 || s->address_len == 16);
	REQUIRE(s->src >= begin && s->src + s->address_len <= end);
	REQUIRE(s->dst >= begin && s->dst + s->address_len <= end);
	REQUIRE(s->options >= begin && s->options + s->options_len <= end);
	REQUIRE(s->payload >= begin && s->payload + s->payload_caplen <= end);
	REQUIRE(s->payload_caplen <= s->payload_len);
}

static void check_options(const struct capture_segment *s)
{
	for (unsigned kind = 2; kind < 256; kind++) {
		const uint8_t *value =
			capture_option(s, (uint8_t)kind, (uint8_t)(kind % 9));

		REQUIRE(!value ||
			(value >= s->options &&
			 value + kind % 9 <= s->options + s->options_len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_segment s, inner;
	const uint8_t *packet = data + sizeof(struct fuzz_packet);
	const uint8_t *end = data + size;
	struct fuzz_packet head;
	enum capture_kind kind, inner_kind;
	uint32_t caplen, len, link;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	caplen = (uint32_t)(end - packet);
	len = caplen + head.uncaptured[0] + 256u * head.uncaptured[1];
	link = fuzz_linktypes[head.linktype % COUNT(fuzz_linktypes)];

	kind = capture_decode(link, packet, caplen, len, &s);
	inner_kind = capture_decode_inner(link, packet, caplen, len, &inner);
	if (inner_kind == CAPTURE_TCP) {
		check_inside(&inner, packet, end);
		check_options(&inner);
	}
	if (kind == CAPTURE_TCP) {
		check_inside(&s, packet, end);
		/* What the outermost header carries is no tunnel's. */
		REQUIRE(inner_kind == CAPTURE_TCP && inner.tunnels == 0);
		REQUIRE(inner.payload == s.payload && inner.seq == s.seq);
	}
	REQUIRE((kind == CAPTURE_UNKNOWN_LINK) ==
		(inner_kind == CAPTURE_UNKNOWN_LINK));
	return 0;
}
