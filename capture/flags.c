#include "capture/flags.h"

#include <string.h>

#include "capture/decode.h"

size_t capture_flags_text(uint8_t flags, char out[CAPTURE_FLAGS_MAX])
{
	static const struct {
		uint8_t flag;
		char name[4];
	} order[] = {
		{ CAPTURE_SYN, "SYN" }, { CAPTURE_FIN, "FIN" },
		{ CAPTURE_RST, "RST" }, { CAPTURE_PSH, "PSH" },
		{ CAPTURE_ACK, "ACK" }, { CAPTURE_URG, "URG" },
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!(flags & order[i].flag))
			continue;
		if (len)
			out[len++] = ' ';
		memcpy(out + len, order[i].name, 3);
		len += 3;
	}
	out[len] = '\0';
	return len;
}
