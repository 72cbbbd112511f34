#include "capture/flow_mark.h"

/* No window is larger (RFC 7323 section 2.3), so nothing that lies further
 * from the data seen so far can be this connection's. */
#define WINDOW_MAX (1u << 30)

/* Kept out of the way of the segments that are plain data. */
#define COLD __attribute__((cold, noinline))

enum {
	BOTH_KNOWN = 3,
	OPTION_WINDOW_SCALE = 3,
	SCALE_MAX = 14
};

/* How far `a` is ahead of `b`. */
static inline int32_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Where the data of a segment begins, behind a SYN, and ends, FIN counted. */
struct span {
	uint32_t begin;
	uint32_t end;
};

static inline struct span span_of(const struct capture_segment *s)
{
	uint32_t begin = s->seq + !!(s->flags & CAPTURE_SYN);

	return (struct span){
		.begin = begin,
		.end = begin + s->payload_len + !!(s->flags & CAPTURE_FIN),
	};
}

/* --- episodes --------------------------------------------------------- */

static void end_mark(struct marks *marks, struct flow *flow, unsigned side,
		     enum capture_end end)
{
	struct half *half = &flow->half[side];
	bool seen = end != CAPTURE_END_OPEN;
	struct capture_episode episode;

	flow->open &= (uint8_t) ~(1u << side);
	if (!marks->episode)
		return;
	episode = (struct capture_episode){
		.flow = flow->number,
		.announced_frame = half->announced_frame,
		.carrier_frame = half->carrier_frame,
		.end_frame = seen ? marks->frame : 0,
		.announced_ns = half->announced_ns,
		.carrier_ns = half->carrier_ns,
		.end_ns = seen ? marks->time_ns : 0,
		.mark = half->mark - flow->base[side],
		.segments = half->segments,
		.pointer = half->pointer,
		.byte_bsd = half->byte_bsd,
		.byte_1122 = half->byte_1122,
		.direction = (uint8_t)(side ^ flow->a_side),
		.end = (uint8_t)end,
	};
	marks->episode(marks->context, &episode);
}

void capture_flow_end_marks(struct marks *marks, struct flow *flow,
			    enum capture_end end)
{
	/* What a sent first, whichever end of the key a is. */
	for (unsigned direction = 0; direction < 2; direction++) {
		unsigned side = direction ^ flow->a_side;

		if (flow->open & (1u << side))
			end_mark(marks, flow, side, end);
	}
}

/* --- sequence numbers and windows ------------------------------------- */

static void know(struct flow *flow, unsigned side, uint32_t base)
{
	flow->known |= 1u << side;
	flow->base[side] = base;
	flow->half[side].next = base + 1;
	flow->half[side].tail = CAPTURE_NO_BYTE;
	flow->half[side].mark = base;
}

/* The first segment from a side, or the first that acknowledges it. */
COLD static void take_bases(struct flow *flow, unsigned side,
			    const struct capture_segment *s)
{
	if (!(flow->known & (1u << side)))
		know(flow, side, s->seq - !(s->flags & CAPTURE_SYN));
	if (s->flags & CAPTURE_ACK && !(flow->known & (1u << !side)))
		know(flow, !side, s->ack - 1);
}

/*
 * A window is scaled if both SYNs had the option (RFC 7323 section 2.2), and
 * a SYN|ACK has it only if the SYN had.
 */
COLD static void take_syn(struct flow *flow, unsigned side,
			  const struct capture_segment *s)
{
	struct half *own = &flow->half[side], *peer = &flow->half[!side];
	const uint8_t *shift = capture_option(s, OPTION_WINDOW_SCALE, 1);

	own->scale = shift ? (*shift < SCALE_MAX ? *shift : SCALE_MAX) : 0;
	if (!(s->flags & CAPTURE_ACK))
		return;
	own->state |= HALF_SCALE_KNOWN;
	/* What the other SYN said is known only if it came before. */
	if (!shift)
		peer->scale = 0;
	if (!shift || flow->known & (1u << !side))
		peer->state |= HALF_SCALE_KNOWN;
}

/* An acknowledgement of much more than the last: the capture may have lost so
 * much that advance() does not believe what follows. */
COLD static void catch_up(struct flow *flow, unsigned side, uint32_t ack)
{
	struct half *half = &flow->half[side];

	if (flow->known & (1u << side) &&
	    ahead(ack, half->next) >= (int32_t)WINDOW_MAX)
		half->next = ack;
}

/* The other half is touched only where it must be: it is another cache line,
 * and seldom there. */
static inline void take_ack(struct flow *flow, unsigned side,
			    const struct capture_segment *s)
{
	struct half *own = &flow->half[side];

	if (ahead(s->ack, own->ack) < 0 && own->state & HALF_ACKED)
		return;
	if (s->ack - own->ack >= WINDOW_MAX)
		catch_up(flow, !side, s->ack);
	own->ack = s->ack;
	own->window = s->flags & CAPTURE_SYN
			      ? s->window
			      : (uint32_t)s->window << own->scale;
	own->state |= HALF_ACKED;
}

static inline uint32_t place(const struct half *own, struct span span,
			     const struct capture_segment *s)
{
	uint32_t facts = 0;

	if (span.end == span.begin)
		return 0;
	if (ahead(span.end, own->next) <= 0)
		return CAPTURE_FACT_OLD;
	if (ahead(span.begin, own->next) > 0)
		facts = CAPTURE_FACT_GAP;
	if (own->state & HALF_FIN && s->payload_len)
		facts |= CAPTURE_FACT_AFTER_FIN;
	return facts;
}

/* The highest octet so far may be this segment's; keep it, as a pointer may
 * name it once it has gone by. */
static inline void advance(struct half *own, struct span span,
			   const struct capture_segment *s)
{
	if (span.end - own->next - 1 >= WINDOW_MAX - 1)
		return;
	own->next = span.end;
	own->tail = CAPTURE_NO_BYTE;
	if (s->payload_len && s->payload_caplen == s->payload_len &&
	    !(s->flags & CAPTURE_FIN))
		own->tail = s->payload[s->payload_len - 1];
}

/* --- urgent bytes ----------------------------------------------------- */

/* Was `seq` sent in this segment? Then *byte is its octet, or
 * CAPTURE_NO_BYTE where the capture was cut before it. */
static inline bool covers(struct span span, const struct capture_segment *s,
			  uint32_t seq, int16_t *byte)
{
	uint32_t offset = seq - span.begin;

	if (offset >= s->payload_len)
		return false;
	*byte = offset < s->payload_caplen ? s->payload[offset]
					   : CAPTURE_NO_BYTE;
	return true;
}

static uint32_t compare_readings(const struct half *own, uint32_t base,
				 struct capture_event *event)
{
	if (own->byte_bsd == CAPTURE_NO_BYTE ||
	    own->byte_1122 == CAPTURE_NO_BYTE ||
	    own->byte_bsd == own->byte_1122)
		return 0;
	event->readings[event->readings_count++] = (struct capture_readings){
		.mark = own->mark - base,
		.byte_bsd = (uint8_t)own->byte_bsd,
		.byte_1122 = (uint8_t)own->byte_1122,
	};
	return CAPTURE_FACT_READINGS_DIFFER;
}

/*
 * Does a pointer that comes with the urgent byte once more contradict the
 * mark? One to data that was not sent before does not: a retransmission
 * announces the latest mark there is.
 */
static bool is_remarked(const struct half *own, uint32_t mark)
{
	return ahead(mark, own->mark) < 0 ||
	       (mark != own->mark && ahead(mark, own->next) <= 0);
}

static uint32_t repeat_bsd_byte(const struct half *own,
				const struct capture_segment *s, int16_t byte)
{
	uint32_t facts = CAPTURE_FACT_BYTE_AGAIN;

	if (!(s->flags & CAPTURE_URG))
		facts |= CAPTURE_FACT_UNMARKED;
	else if (is_remarked(own, s->seq + s->urgent_pointer))
		facts |= CAPTURE_FACT_REMARKED;
	if (byte != CAPTURE_NO_BYTE && own->byte_bsd != CAPTURE_NO_BYTE &&
	    byte != own->byte_bsd)
		facts |= CAPTURE_FACT_BYTE_DIFFERS;
	return facts;
}

static uint32_t take_bsd_byte(const struct marks *marks, struct half *own,
			      const struct capture_segment *s, int16_t byte)
{
	if (own->state & HALF_BSD_CAME)
		return repeat_bsd_byte(own, s, byte);
	own->state |= HALF_BSD_CAME;
	own->carrier_frame = marks->frame;
	own->carrier_ns = marks->time_ns;
	own->byte_bsd = byte;
	return CAPTURE_FACT_BYTE;
}

/*
 * One octet that was acknowledged, repeated so that the other end answers
 * (RFC 1122 section 4.2.3.6): it may be anything, and nobody takes it.
 */
static bool is_keep_alive(const struct half *own, const struct half *peer,
			  struct span span, const struct capture_segment *s)
{
	return s->payload_len == 1 && span.end == own->next &&
	       peer->state & HALF_ACKED && peer->ack == own->next;
}

/* Does this segment bring an octet that a reading of the current mark calls
 * urgent? */
static uint32_t take_bytes(const struct marks *marks, struct half *own,
			   uint32_t base, struct span span,
			   const struct capture_segment *s,
			   struct capture_event *event)
{
	bool both = own->byte_bsd != CAPTURE_NO_BYTE &&
		    own->byte_1122 != CAPTURE_NO_BYTE;
	uint32_t facts = 0;
	int16_t byte;

	if (covers(span, s, own->mark - 1, &byte))
		facts = take_bsd_byte(marks, own, s, byte);
	if (own->byte_1122 == CAPTURE_NO_BYTE &&
	    covers(span, s, own->mark, &byte) && byte != CAPTURE_NO_BYTE) {
		own->byte_1122 = byte;
		facts |= CAPTURE_FACT_BYTE_1122;
	}
	if (!both)
		facts |= compare_readings(own, base, event);
	return facts;
}

/* --- marks ------------------------------------------------------------ */

static void begin_mark(struct marks *marks, struct half *own,
		       const struct capture_segment *s)
{
	own->state &= (uint8_t)~HALF_BSD_CAME;
	own->state |= HALF_MARK;
	own->mark = s->seq + s->urgent_pointer;
	own->pointer = s->urgent_pointer;
	own->segments = 1;
	own->byte_bsd = CAPTURE_NO_BYTE;
	own->byte_1122 = CAPTURE_NO_BYTE;
	own->announced_frame = marks->frame;
	own->announced_ns = marks->time_ns;
	own->carrier_frame = 0;
	own->carrier_ns = 0;
	marks->episodes++;
	/* The octet may have gone by before it was called urgent. */
	if (own->mark == own->next && own->tail != CAPTURE_NO_BYTE) {
		own->byte_bsd = own->tail;
		own->state |= HALF_BSD_CAME;
	}
}

static uint32_t header_facts(const struct capture_segment *s)
{
	uint32_t facts = CAPTURE_FACT_URG;

	if (s->urgent_pointer == 0)
		facts |= CAPTURE_FACT_POINTER_ZERO;
	if (s->flags & CAPTURE_SYN)
		facts |= CAPTURE_FACT_ON_SYN;
	if (s->flags & CAPTURE_RST)
		facts |= CAPTURE_FACT_ON_RST;
	if (s->payload_len == 0)
		facts |= CAPTURE_FACT_EMPTY;
	if (s->urgent_pointer > s->payload_len)
		facts |= CAPTURE_FACT_BEYOND;
	return facts;
}

static uint32_t window_facts(const struct half *peer, uint32_t mark)
{
	uint32_t facts = 0;

	if (!(peer->state & HALF_ACKED))
		return 0;
	if (peer->window == 0)
		facts |= CAPTURE_FACT_NO_WINDOW;
	if ((peer->window == 0 || peer->state & HALF_SCALE_KNOWN) &&
	    ahead(mark, peer->ack + peer->window) > 0)
		facts |= CAPTURE_FACT_PAST_WINDOW;
	return facts;
}

/* Has the segment anything that was not sent before? One without data does
 * if it stands at the end of the data. */
static bool is_fresh(const struct half *own, struct span span)
{
	if (span.end != span.begin)
		return ahead(span.end, own->next) > 0;
	return ahead(span.end, own->next) >= 0;
}

/*
 * An urgent pointer was sent. It makes a mark only if it lies ahead of the
 * last: receivers of both readings ignore one that goes back (RFC 9293
 * section 3.10.7.4, step 6: RCV.UP is the larger).
 */
static uint32_t take_pointer(struct marks *marks, struct flow *flow,
			     unsigned side, struct span span,
			     const struct capture_segment *s,
			     struct capture_event *event)
{
	struct half *own = &flow->half[side];
	uint32_t mark = s->seq + s->urgent_pointer;
	uint32_t facts = header_facts(s) |
			 window_facts(&flow->half[!side], mark);

	if (s->flags & CAPTURE_RST)
		return facts;
	if (own->state & HALF_MARK && mark == own->mark) {
		own->segments++;
		return facts;
	}
	if (own->state & HALF_MARK && ahead(mark, own->mark) < 0)
		return is_fresh(own, span) ? facts | CAPTURE_FACT_BACKWARDS
					   : facts;
	facts |= CAPTURE_FACT_NEW_MARK;
	if (flow->open & (1u << side)) {
		facts |= CAPTURE_FACT_REPLACES;
		if (own->pointer == UINT16_MAX)
			facts |= CAPTURE_FACT_MOVES_ON;
		end_mark(marks, flow, side, CAPTURE_END_REPLACED);
	}
	flow->open |= 1u << side;
	begin_mark(marks, own, s);
	return facts | take_bytes(marks, own, flow->base[side], span, s, event);
}

/*
 * What was sent has left the mark behind further than any window reaches.
 * Before long it would compare as if it lay ahead, so it is dropped.
 */
COLD static void drop_mark(struct marks *marks, struct flow *flow,
			   unsigned side)
{
	struct half *own = &flow->half[side];

	if (flow->open & (1u << side))
		end_mark(marks, flow, side, CAPTURE_END_OPEN);
	own->state &= (uint8_t)~HALF_MARK;
	own->mark = own->next - 1;
}

static void describe_mark(const struct half *own, uint32_t base,
			  struct capture_event *event)
{
	event->has_mark = own->state & HALF_MARK;
	event->byte_bsd = CAPTURE_NO_BYTE;
	if (!event->has_mark)
		return;
	event->byte_bsd = own->byte_bsd;
	event->byte_1122 = own->byte_1122;
	event->mark = own->mark - base;
	event->announced_frame = own->announced_frame;
	event->announced_ns = own->announced_ns;
}

/* --- a segment -------------------------------------------------------- */

static inline void take_position(struct flow *flow, unsigned side,
				 const struct capture_segment *s)
{
	if (s->flags & CAPTURE_SYN)
		take_syn(flow, side, s);
	if (flow->known != BOTH_KNOWN)
		take_bases(flow, side, s);
	if (s->flags & CAPTURE_ACK)
		take_ack(flow, side, s);
}

static uint32_t end_by_segment(struct marks *marks, struct flow *flow,
			       unsigned side, const struct capture_segment *s)
{
	uint32_t facts = 0;

	if (s->flags & CAPTURE_ACK && flow->open & (1u << !side) &&
	    ahead(s->ack, flow->half[!side].mark) >= 0) {
		facts = CAPTURE_FACT_ACKED;
		end_mark(marks, flow, !side, CAPTURE_END_ACKED);
	}
	if (s->flags & CAPTURE_RST)
		capture_flow_end_marks(marks, flow, CAPTURE_END_RESET);
	return facts;
}

void capture_flow_segment(struct marks *marks, struct flow *flow, unsigned side,
			  const struct capture_segment *s,
			  struct capture_event *event)
{
	struct half *own = &flow->half[side], *peer = &flow->half[!side];
	const struct span span = span_of(s);
	uint32_t facts;

	event->readings_count = 0;
	take_position(flow, side, s);
	facts = place(own, span, s);
	/* Numbers first: they seldom match, which is easier to foresee than
	 * which flows have a mark. Without one, `mark` lies behind. */
	if (ahead(own->next, own->mark) > (int32_t)WINDOW_MAX)
		drop_mark(marks, flow, side);
	if (own->mark - span.begin <= s->payload_len &&
	    own->state & HALF_MARK && !is_keep_alive(own, peer, span, s))
		facts |= take_bytes(marks, own, flow->base[side], span, s,
				    event);
	if (s->flags & CAPTURE_URG)
		facts |= take_pointer(marks, flow, side, span, s, event);
	else if (s->urgent_pointer)
		facts |= CAPTURE_FACT_POINTER_ONLY;
	if (flow->open)
		facts |= end_by_segment(marks, flow, side, s);
	advance(own, span, s);
	if (s->flags & CAPTURE_FIN)
		own->state |= HALF_FIN;
	if (s->flags & (CAPTURE_FIN | CAPTURE_RST))
		flow->closed = 1;
	event->facts |= facts;
	event->seq = s->seq - flow->base[side];
	event->ack = s->flags & CAPTURE_ACK ? s->ack - flow->base[!side] : 0;
	if (facts & CAPTURE_FACTS_URGENT)
		describe_mark(own, flow->base[side], event);
}
