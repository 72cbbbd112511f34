#include "capture/finding.h"

#include <stdbool.h>
#include <string.h>

/* --- recognised by more than facts ------------------------------------- */

enum {
	PORT_FTP = 21,
	PORT_TELNET = 23,
	PORT_RLOGIN = 513,
	PORT_ORACLE = 1521,

	TELNET_IAC = 255,
	TELNET_IP = 244,
	TELNET_DM = 242,

	RLOGIN_FLUSH = 0x02,
	RLOGIN_RAW = 0x10,
	RLOGIN_COOKED = 0x20,
	RLOGIN_WINDOW = 0x80,

	ORACLE_BREAK = '!',
};

/* Is it the urgent byte of any application below? */
static bool is_spoken(int byte)
{
	switch (byte) {
	case TELNET_DM:
	case TELNET_IAC:
	case TELNET_IP:
	case RLOGIN_FLUSH:
	case RLOGIN_COOKED:
	case RLOGIN_RAW:
	case RLOGIN_WINDOW:
	case ORACLE_BREAK:
		return true;
	default:
		return false;
	}
}

static int uses_port(const struct capture_segment *s, uint16_t port)
{
	return s->sport == port || s->dport == port;
}

/* Urgent data may be of any length (RFC 9293 section 3.8.5), a pointer is of
 * 16 bits: senders point as far as they can, and further later. */
static int is_saturated(const struct capture_segment *s,
			const struct capture_event *event)
{
	(void)event;
	return s->urgent_pointer == UINT16_MAX;
}

/* The BSD urgent byte, when this segment is the first that tells it: with its
 * mark, or after it was announced. */
static int told_byte(const struct capture_event *event)
{
	const uint32_t tells = CAPTURE_FACT_NEW_MARK | CAPTURE_FACT_BYTE;

	return event->facts & tells ? event->byte_bsd : CAPTURE_NO_BYTE;
}

/* RFC 854: the Data Mark, which follows IAC, ends what is to be dropped.
 * Where the two readings differ, either may be the one that was meant. */
static int is_telnet_synch(const struct capture_segment *s,
			   const struct capture_event *event)
{
	int byte = told_byte(event);

	return uses_port(s, PORT_TELNET) &&
	       (byte == TELNET_DM || byte == TELNET_IAC);
}

/* RFC 959 section 4.1.3: Telnet "Interrupt Process" and "Synch" on the
 * control connection, and ABOR behind them. Clients differ in which of the
 * bytes they make urgent. */
static int is_ftp_abort(const struct capture_segment *s,
			const struct capture_event *event)
{
	int byte = told_byte(event);

	return s->dport == PORT_FTP &&
	       (byte == TELNET_DM || byte == TELNET_IAC || byte == TELNET_IP);
}

/* RFC 1282: window size request, flush, and the two switches of flow control
 * go from server to client. */
static int is_rlogin_control(const struct capture_segment *s,
			     const struct capture_event *event)
{
	int byte = told_byte(event);

	return s->sport == PORT_RLOGIN &&
	       (byte == RLOGIN_FLUSH || byte == RLOGIN_RAW ||
		byte == RLOGIN_COOKED || byte == RLOGIN_WINDOW);
}

/* Oracle Net tells a server to look for a break by one "!". */
static int is_database_break(const struct capture_segment *s,
			     const struct capture_event *event)
{
	return s->dport == PORT_ORACLE && told_byte(event) == ORACLE_BREAK;
}

/* --- the table --------------------------------------------------------- */

#define FACT(name) CAPTURE_FACT_##name

/* clang-format off: version 14 crashes on it */
enum {
	APPLICATIONS = 16 /* the first of them */
};

const struct capture_finding_kind capture_findings[] = {
	{
		.name = "pointer-beyond-data",
		.severity = CAPTURE_NOTE,
		.sentence = "the urgent pointer names a byte past this "
			    "segment: the receiver learns of it before it "
			    "comes",
		.rfc = "RFC 9293 section 3.8.5",
		.facts = FACT(URG) | FACT(BEYOND),
		.without = FACT(ON_SYN) | FACT(ON_RST) | FACT(EMPTY),
	},
	{
		.name = "pointer-saturated",
		.severity = CAPTURE_NOTE,
		.sentence = "the urgent pointer is as large as it can be: the "
			    "mark lies there or further, and may move on with "
			    "each segment",
		.rfc = "RFC 9293 section 3.8.5",
		.facts = FACT(URG) | FACT(BEYOND),
		.without = FACT(ON_SYN) | FACT(ON_RST),
		.detect = is_saturated,
	},
	{
		.name = "pointer-zero",
		.severity = CAPTURE_WARNING,
		.sentence = "URG with pointer 0: one reading takes a byte that "
			    "was already sent, the other this segment's first",
		.rfc = "RFC 6093 section 3.2",
		.facts = FACT(URG) | FACT(POINTER_ZERO),
	},
	{
		.name = "pointer-without-urg",
		.severity = CAPTURE_WARNING,
		.sentence = "an urgent pointer without URG: the flag was "
			    "cleared on the way, or the sender leaks memory",
		.rfc = "RFC 9293 section 3.1",
		.facts = FACT(POINTER_ONLY),
	},
	{
		.name = "urg-on-syn",
		.severity = CAPTURE_WARNING,
		.sentence = "URG on a SYN: there is no data yet to be urgent; "
			    "seen in probes for a stack's reaction",
		.rfc = "RFC 9293 section 3.10.7",
		.facts = FACT(URG) | FACT(ON_SYN),
	},
	{
		.name = "urg-on-rst",
		.severity = CAPTURE_WARNING,
		.sentence = "URG on a RST: the connection is gone before its "
			    "urgent data can be read",
		.rfc = "RFC 9293 section 3.10.7",
		.facts = FACT(URG) | FACT(ON_RST),
	},
	{
		.name = "urg-without-data",
		.severity = CAPTURE_NOTE,
		.sentence = "URG on a segment without payload: an announcement "
			    "alone",
		.rfc = "RFC 9293 section 3.8.5",
		.facts = FACT(URG) | FACT(EMPTY),
		.without = FACT(ON_SYN) | FACT(ON_RST),
	},
	{
		.name = "pointer-backwards",
		.severity = CAPTURE_WARNING,
		.sentence = "new data points to a mark behind the one "
			    "announced before; receivers ignore it",
		.rfc = "RFC 9293 section 3.10.7.4",
		.facts = FACT(URG) | FACT(BACKWARDS),
	},
	{
		.name = "retransmission-moves-pointer",
		.severity = CAPTURE_ALARM,
		.sentence = "the urgent byte was sent again with another "
			    "urgent pointer",
		.rfc = "RFC 9293 section 3.8.5",
		.facts = FACT(REMARKED),
	},
	{
		.name = "retransmission-drops-urg",
		.severity = CAPTURE_WARNING,
		.sentence = "the urgent byte was sent again without URG: the "
			    "receiver that missed the first takes it as data",
		.rfc = "RFC 9293 section 3.8.5",
		.facts = FACT(UNMARKED),
	},
	{
		.name = "urgent-byte-changed",
		.severity = CAPTURE_ALARM,
		.sentence = "overlapping segments disagree on the urgent byte",
		.rfc = "RFC 9293 section 3.10.7.4",
		.facts = FACT(BYTE_DIFFERS),
	},
	{
		.name = "pointer-past-window",
		.severity = CAPTURE_NOTE,
		.sentence = "the mark lies past the receiver's window: its "
			    "byte may not be sent yet",
		.rfc = "RFC 9293 section 3.8.6",
		.facts = FACT(URG) | FACT(PAST_WINDOW),
		.without = FACT(NO_WINDOW) | FACT(ON_RST),
	},
	{
		.name = "several-marks",
		.severity = CAPTURE_WARNING,
		.sentence = "a mark was announced while another was not yet "
			    "acknowledged; a receiver keeps only the last",
		.rfc = "RFC 6093 section 3.3",
		.facts = FACT(REPLACES),
		.without = FACT(MOVES_ON),
	},
	{
		.name = "zero-window-announcement",
		.severity = CAPTURE_NOTE,
		.sentence = "urgent data is announced to a receiver whose "
			    "window is shut: it hears of a byte it cannot get",
		.rfc = "RFC 9293 section 3.8.6.1",
		.facts = FACT(URG) | FACT(NO_WINDOW),
		.without = FACT(ON_RST),
	},
	{
		.name = "urgent-after-fin",
		.severity = CAPTURE_ALARM,
		.sentence = "urgent data behind the sender's own FIN: its "
			    "stream has ended, but some receivers take the "
			    "byte",
		.rfc = "RFC 9293 section 3.10.7.4",
		.facts = FACT(URG) | FACT(AFTER_FIN),
	},
	{
		.name = "readings-differ",
		.severity = CAPTURE_WARNING,
		.sentence = "the two readings of the pointer take different "
			    "bytes out of this stream",
		.rfc = "RFC 6093 section 3.2",
		.facts = FACT(READINGS_DIFFER),
	},
	[APPLICATIONS] = {
		.name = "telnet-synch",
		.severity = CAPTURE_NOTE,
		.sentence = "Telnet Synch: drop all up to the Data Mark but "
			    "its commands",
		.rfc = "RFC 854",
		.detect = is_telnet_synch,
	},
	{
		.name = "ftp-abort",
		.severity = CAPTURE_NOTE,
		.sentence = "FTP ABOR, announced by Telnet Interrupt Process "
			    "and Synch",
		.rfc = "RFC 959 section 4.1.3",
		.detect = is_ftp_abort,
	},
	{
		.name = "rlogin-control",
		.severity = CAPTURE_NOTE,
		.sentence = "an rlogin control byte from the server",
		.rfc = "RFC 1282",
		.detect = is_rlogin_control,
	},
	{
		.name = "database-break",
		.severity = CAPTURE_NOTE,
		.sentence = "a database client's break marker",
		.rfc = "RFC 6093 section 6",
		.detect = is_database_break,
	},
};
/* clang-format on */

const size_t capture_finding_count =
	sizeof(capture_findings) / sizeof(capture_findings[0]);

_Static_assert(sizeof(capture_findings) / sizeof(capture_findings[0]) <= 32,
	       "a bit each");

struct capture_rows capture_find_rows(uint32_t facts)
{
	struct capture_rows rows = { 0, 0 };

	if (!(facts & CAPTURE_FACTS_URGENT))
		return rows;
	for (size_t i = 0; i < capture_finding_count; i++) {
		const struct capture_finding_kind *kind = &capture_findings[i];

		if ((facts & (kind->facts | kind->without)) != kind->facts)
			continue;
		if (kind->detect)
			rows.ask |= 1u << i;
		else
			rows.sure |= 1u << i;
	}
	return rows;
}

uint32_t capture_find(struct capture_rows rows,
		      const struct capture_segment *segment,
		      const struct capture_event *event)
{
	uint32_t found = rows.sure;

	/* Hardly any, and asking them all took 6 % of the whole where half of
	 * the segments are urgent. */
	if (!is_spoken(event->byte_bsd))
		rows.ask &= (1u << APPLICATIONS) - 1;
	for (; rows.ask; rows.ask &= rows.ask - 1) {
		unsigned i = (unsigned)__builtin_ctz(rows.ask);

		if (capture_findings[i].detect(segment, event))
			found |= 1u << i;
	}
	return found;
}

const struct capture_finding_kind *capture_finding_by_name(const char *name)
{
	for (size_t i = 0; i < capture_finding_count; i++)
		if (strcmp(capture_findings[i].name, name) == 0)
			return &capture_findings[i];
	return NULL;
}

const char *capture_severity_name(enum capture_severity severity)
{
	static const char *const names[] = { "note", "warning", "alarm" };

	return names[severity];
}
