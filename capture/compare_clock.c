/*
 * How far B's clock is ahead of A's. For a segment that goes toward B, B minus
 * A is the offset plus the time on the path; for one that comes from there,
 * the offset minus it. So the offset lies below all of the first and above all
 * of the second: between two chains of points, if it drifts, a line does.
 */
#include <math.h>
#include <string.h>

#include "capture/compare_inner.h"

/* What a clock under NTP's or adjtime()'s control may gain, and crystals keep
 * within: 500 ppm. */
#define DRIFT_MAX 500e-6

enum {
	/* Each way; fewer do not tell drift from chance. */
	DRIFT_SEGMENTS = 32,
	THIRDINGS = 40,
};

void capture_clock_begin(struct clock_work *clock, int64_t first_ns,
			 int64_t last_ns)
{
	memset(clock, 0, sizeof(*clock));
	clock->start_ns = first_ns;
	clock->bin_ns = (last_ns - first_ns) / CLOCK_BINS + 1;
}

static void add_match(struct clock_work *clock, const struct kept *a,
		      bool toward_b)
{
	const int64_t ahead = a->peer->time_ns - a->time_ns;
	const int64_t place = (a->time_ns - clock->start_ns) / clock->bin_ns;
	struct clock_bin *bin;

	if (place < 0 || place >= CLOCK_BINS)
		return;
	bin = &clock->bins[place];
	if (toward_b) {
		clock->toward_b++;
		if (bin->toward_b && ahead >= bin->toward_b_ns)
			return;
		bin->toward_b = true;
		bin->toward_b_ns = ahead;
		bin->toward_b_at = a->time_ns;
	} else {
		clock->toward_a++;
		if (bin->toward_a && ahead <= bin->toward_a_ns)
			return;
		bin->toward_a = true;
		bin->toward_a_ns = ahead;
		bin->toward_a_at = a->time_ns;
	}
}

void capture_clock_add(struct clock_work *clock, const struct way *way)
{
	for (size_t i = 0; i < way->count[CAPTURE_A]; i++)
		if (way_times(way, way->all[CAPTURE_A][i]))
			add_match(clock, way->all[CAPTURE_A][i],
				  way->from == CAPTURE_A);
}

/* Bounds of the offset at the start, if B's clock gains `drift`. */
struct bounds {
	double below; /* the offset is at most this */
	double above; /* … and at least that */
};

static struct bounds find_bounds(const struct clock_work *clock, double drift)
{
	struct bounds b = { INFINITY, -INFINITY };

	for (size_t i = 0; i < CLOCK_BINS; i++) {
		const struct clock_bin *bin = &clock->bins[i];
		const double below =
			(double)bin->toward_b_ns -
			drift * (double)(bin->toward_b_at - clock->start_ns);
		const double above =
			(double)bin->toward_a_ns -
			drift * (double)(bin->toward_a_at - clock->start_ns);

		if (bin->toward_b && below < b.below)
			b.below = below;
		if (bin->toward_a && above > b.above)
			b.above = above;
	}
	return b;
}

static double room(const struct clock_work *clock, double drift)
{
	const struct bounds b = find_bounds(clock, drift);

	return b.below - b.above;
}

/* The drift that leaves most room: a concave function of it. */
static double best_drift(const struct clock_work *clock)
{
	double low = -DRIFT_MAX, high = DRIFT_MAX;

	for (int i = 0; i < THIRDINGS; i++) {
		const double third = (high - low) / 3;

		if (room(clock, low + third) < room(clock, high - third))
			low += third;
		else
			high -= third;
	}
	return (low + high) / 2;
}

/*
 * A drift shows if no one offset does, or if a drift would leave twice the
 * room: a path that grew slower one way leaves no more.
 */
static bool drift_shows(const struct clock_work *clock, double drift)
{
	const double with = room(clock, drift), without = room(clock, 0);

	if (with < 0)
		return false;
	if (without < 0)
		return true;
	return clock->toward_b >= DRIFT_SEGMENTS &&
	       clock->toward_a >= DRIFT_SEGMENTS && with > 2 * without;
}

void capture_clock_finish(const struct clock_work *clock,
			  struct capture_clock *out)
{
	struct bounds b;
	double drift, middle;

	*out = (struct capture_clock){
		.toward_b = clock->toward_b,
		.toward_a = clock->toward_a,
		.at_ns = clock->start_ns,
	};
	if (!clock->toward_b || !clock->toward_a)
		return;
	drift = best_drift(clock);
	out->drifts = drift_shows(clock, drift);
	if (out->drifts)
		out->drift_ppm = drift * 1e6;
	else
		drift = 0;
	b = find_bounds(clock, drift);
	if (b.below < b.above) {
		out->impossible = true;
		return;
	}
	middle = (b.below + b.above) / 2;
	out->known = true;
	out->offset_ns = (int64_t)middle;
	out->uncertainty_ns = (int64_t)((b.below - b.above) / 2) + 1;
}
