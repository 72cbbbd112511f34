/* sigurg/recorder.h with handlers running on several threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "sigurg/recorder.h"
#include "tests/streams.h"

#define THREADS 4
#define EACH	20000

static struct sigurg_slot slots[THREADS * EACH];

static int start(struct sigurg_recorder *r, size_t size)
{
	return sigurg_recorder_start(r, SIGUSR1, SA_RESTART, CLOCK_MONOTONIC,
				     slots, size);
}

static void *raise_many(void *arg)
{
	for (int i = 0; i < EACH; i++)
		raise(SIGUSR1);
	return arg;
}

static void *raise_until_stopped(void *arg)
{
	atomic_int *stop = arg;

	while (!atomic_load(stop))
		raise(SIGUSR1);
	return NULL;
}

static void run_all(pthread_t *threads, void *(*body)(void *), void *arg)
{
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body, arg),
				 0);
}

static void join_all(pthread_t *threads)
{
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static size_t take_all(struct sigurg_recorder *r)
{
	struct sigurg_record rec;
	size_t n = 0;

	while (sigurg_recorder_next(r, &rec)) {
		assert_int_equal(rec.pid, getpid());
		assert_int_equal(rec.code, SI_TKILL);
		n++;
	}
	return n;
}

/* A small ring, mostly full, and a reader beside the handlers. */
static void no_run_goes_uncounted(void **state)
{
	size_t want = COUNT(slots), taken = 0;
	int64_t deadline = SOON;
	struct sigurg_recorder r;
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(start(&r, 8), 0);
	run_all(threads, raise_many, NULL);
	while (sigurg_recorder_runs(&r) < want && oob_now_ns() < deadline)
		taken += take_all(&r);
	join_all(threads);
	taken += take_all(&r);
	assert_int_equal(sigurg_recorder_runs(&r), want);
	assert_int_equal(taken + sigurg_recorder_unrecorded(&r), want);
	sigurg_recorder_stop(&r);
}

static void no_record_overwrites_another(void **state)
{
	struct sigurg_recorder r;
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(start(&r, COUNT(slots)), 0);
	run_all(threads, raise_many, NULL);
	join_all(threads);
	assert_int_equal(sigurg_recorder_unrecorded(&r), 0);
	assert_int_equal(take_all(&r), COUNT(slots));
	sigurg_recorder_stop(&r);
}

/* Stopped while handlers run: none may touch the recorder afterwards, which
 * ThreadSanitizer sees. */
static void stop_waits_for_the_last_handler(void **state)
{
	struct sigurg_recorder r;
	pthread_t threads[THREADS];
	atomic_int stop = 0;
	size_t runs;

	(void)state;
	signal(SIGUSR1, SIG_IGN);
	run_all(threads, raise_until_stopped, &stop);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(start(&r, 8), 0);
		assert_int_equal(sigurg_recorder_wait(&r, SOON), 1);
		sigurg_recorder_stop(&r);
		runs = sigurg_recorder_runs(&r);
		memset(slots, 0x5a, 8 * sizeof(slots[0]));
		assert_int_equal(sigurg_recorder_runs(&r), runs);
	}
	atomic_store(&stop, 1);
	join_all(threads);
	signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_run_goes_uncounted),
		cmocka_unit_test(no_record_overwrites_another),
		cmocka_unit_test(stop_waits_for_the_last_handler),
	};

	return cmocka_run_group_tests_name("recorder_threads", tests, NULL,
					   NULL);
}
