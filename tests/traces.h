/* The traffic of tests/data, a table: for make_traces, and as what a fuzzer
 * begins with. tests/data/README.md says what each trace shows. */
#ifndef TESTS_TRACES_H
#define TESTS_TRACES_H

#include <stdint.h>

#include "tests/segments.h"

#define PSH	    CAPTURE_PSH
#define TRACE_LINES 12

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
	struct script lines[TRACE_LINES];
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

#endif
