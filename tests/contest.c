#include "tests/contest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS_MAX = 21
};

/* Of one contestant. */
struct results {
	struct measure rounds[ROUNDS_MAX];
	unsigned count;
	bool missing, failed;
	struct measure median;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void become(const char *command)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int run(const char *command, struct measure *out)
{
	struct rusage used;
	double start;
	int status;
	pid_t pid;

	fflush(stdout); /* or the child has it to print as well */
	start = now_s();
	pid = fork();
	if (pid == 0)
		become(command);
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return -1;
	*out = (struct measure){
		.wall_s = now_s() - start,
		.cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
		.rss_kib = used.ru_maxrss,
	};
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool contest_has(const char *program)
{
	struct measure ignored;
	char command[128];

	snprintf(command, sizeof(command), "command -v %s", program);
	return run(command, &ignored) == 0;
}

bool contest_measure(const char *command, struct measure *out)
{
	int status = run(command, out);

	if (status != 0)
		fprintf(stderr, "status %d: %s\n", status, command);
	return status == 0;
}

static int by_wall(const void *a, const void *b)
{
	double x = ((const struct measure *)a)->wall_s;
	double y = ((const struct measure *)b)->wall_s;

	return (x > y) - (x < y);
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct measure *)a)->cpu_s;
	double y = ((const struct measure *)b)->cpu_s;

	return (x > y) - (x < y);
}

static void take_median(struct results *r)
{
	qsort(r->rounds, r->count, sizeof(r->rounds[0]), by_cpu);
	r->median.cpu_s = r->rounds[r->count / 2].cpu_s;
	qsort(r->rounds, r->count, sizeof(r->rounds[0]), by_wall);
	r->median.wall_s = r->rounds[r->count / 2].wall_s;
}

static bool has_result(const struct results *r)
{
	return r->count && !r->failed;
}

static void print(const struct contestant *c, const struct results *r)
{
	const struct results *other = r - c->beside;
	double times;

	printf("  %-36s", c->name);
	if (r->missing)
		printf(" %s is not installed\n", c->needs);
	else if (!has_result(r))
		printf(" failed\n");
	else
		printf(" %8.3f %8.3f", r->median.wall_s, r->median.cpu_s);
	if (!has_result(r))
		return;
	if (c->beside && has_result(other)) {
		times = r->median.wall_s / other->median.wall_s;
		printf(" %8.3g of %s", times, c[-(ptrdiff_t)c->beside].name);
		if (c->most > 0)
			printf(times <= c->most ? "; %.3g is asked"
						: "; MORE than %.3g",
			       c->most);
	}
	printf("\n");
}

void contest(const struct contestant *all, size_t count, unsigned rounds,
	     double seconds)
{
	struct results *results = calloc(count, sizeof(*results));
	double end = now_s() + seconds;

	if (!results)
		abort();
	for (size_t i = 0; i < count; i++)
		results[i].missing = all[i].needs && !contest_has(all[i].needs);
	for (unsigned round = 0; round < rounds && round < ROUNDS_MAX;
	     round++) {
		for (size_t i = 0; i < count; i++) {
			struct results *r = &results[i];

			if (r->missing || r->failed)
				continue;
			r->failed = !contest_measure(all[i].command,
						     &r->rounds[r->count]);
			r->count++;
		}
		if (now_s() > end)
			break;
	}
	for (size_t i = 0; i < count; i++) {
		if (has_result(&results[i]))
			take_median(&results[i]);
		print(&all[i], &results[i]);
	}
	free(results);
}
