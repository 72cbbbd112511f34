/*
 * How fast stored packets are read, beside programs that do less: on traffic
 * that make_traffic writes from a seed, in a temporary folder.
 *
 *	bench_capture [TIMES]
 *
 * TIMES, 1 if not given, makes the files larger.
 */
#include <pcap/pcap.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/contest.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define SEED	 "7"
#define ROUNDS	 15
#define SECONDS	 12.0		  /* a table, about */
#define FINDINGS " || [ $? = 1 ]" /* which is no failure */
#define URGENT	 "'tcp[13] & 32 != 0'"
#define SUMMARY	 "$OOBLAB capture -r $F --summary" FINDINGS

/* Memory asked for: so much, and so much more a flow. */
#define RSS_KIB	   (16 << 10)
#define FLOW_BYTES 256

/* --- files, of which there is one at a time, and its packed kin ---------- */

static char folder[4096];
static char paths[3][sizeof(folder) + 16];

static void remove_files(void)
{
	for (size_t i = 0; i < COUNT(paths); i++)
		unlink(paths[i]);
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

static void on_signal(int sig)
{
	remove_folder();
	_exit(128 + sig);
}

/* Commands name the file $F. */
static void make_folder(void)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/bench_capture.XXXXXX",
		 tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(1);
	}
	for (size_t i = 0; i < COUNT(paths); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/pcap%s", folder,
			 suffixes[i]);
	setenv("F", paths[0], 1);
	atexit(remove_folder);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
}

static void make_file(const char *kind, unsigned long packets)
{
	char command[256];
	struct measure ignored;

	remove_files();
	snprintf(command, sizeof(command), "$MAKE_TRAFFIC %s %lu " SEED " >$F",
		 kind, packets);
	if (!contest_measure(command, &ignored))
		exit(1);
}

/* --- contests ----------------------------------------------------------- */

/* A line for each packet is the work only where there are many: elsewhere both
 * read the file for the most part. */
static void contest_readers(double json_most)
{
	const struct contestant all[] = {
		{ "tcpdump -w /dev/null FILTER", "tcpdump",
		  "exec tcpdump -r $F -w /dev/null " URGENT, 0, 0 },
		{ "ooblab capture --summary", NULL, SUMMARY, 1, 1 },
		{ "tcpdump -nn FILTER", "tcpdump",
		  "exec tcpdump -nn -r $F " URGENT, 0, 0 },
		{ "ooblab capture --json", NULL,
		  "$OOBLAB capture -r $F --json" FINDINGS, 1, json_most },
		{ "libpcap, counting packets", NULL, "exec $BENCH --count $F",
		  0, 0 },
	};

	contest(all, COUNT(all), ROUNDS, SECONDS);
}

static const struct contestant analysers[] = {
	{ "tshark -Y tcp.flags.urg==1", "tshark",
	  "exec tshark -n -r $F -Y tcp.flags.urg==1", 0, 0 },
	{ "ooblab capture --summary", NULL, SUMMARY, 1, 0.01 },
	{ "tcptrace -n -l", "tcptrace", "exec tcptrace -n -l $F", 0, 0 },
	{ "ooblab capture --summary", NULL, SUMMARY, 1, 0.1 },
};

static const struct contestant unpackers[] = {
	{ "zstd -dc", "zstd", "exec zstd -qdc $F.zst", 0, 0 },
	{ "ooblab capture --summary, zstd", NULL,
	  "$OOBLAB capture -r $F.zst --summary" FINDINGS, 1, 1.15 },
	{ "gzip -dc", "gzip", "exec gzip -dc $F.gz", 0, 0 },
	{ "ooblab capture --summary, gzip", NULL,
	  "$OOBLAB capture -r $F.gz --summary" FINDINGS, 1, 1.15 },
};

static void head(const char *title, unsigned long packets)
{
	printf("\n%s, %lu packets\n%48s %8s\n", title, packets, "wall s",
	       "CPU s");
}

static void pack(void)
{
	struct measure ignored;

	if (contest_has("zstd"))
		contest_measure("zstd -q -1 $F", &ignored);
	contest_measure("gzip -1 -c $F >$F.gz", &ignored);
}

static void print_rss(const char *what, long flows)
{
	long most = RSS_KIB + flows * FLOW_BYTES / 1024;
	struct measure m;

	if (contest_measure(SUMMARY, &m))
		printf("  %-36s %8ld KiB; %s %ld is asked\n", what, m.rss_kib,
		       m.rss_kib <= most ? "at most" : "MORE than", most);
}

static void run_all(unsigned long times)
{
	head("small packets, 100,000 flows, 1 % URG", 2000000 * times);
	make_file("small", 2000000 * times);
	contest_readers(0);
	head("small packets, 20,000 flows, 50 % URG", 2000000 * times);
	make_file("dense", 2000000 * times);
	contest_readers(1.0 / 3);
	head("mixed sizes, 20,000 flows, 1 % URG", 500000 * times);
	make_file("mixed", 500000 * times);
	contest_readers(0);
	head("the same, packed", 500000 * times);
	pack();
	contest(unpackers, COUNT(unpackers), ROUNDS, SECONDS);
	head("beside analysers: small packets, 50 % URG", 400000 * times);
	make_file("dense", 400000 * times);
	contest(analysers, COUNT(analysers), ROUNDS, 2 * SECONDS);

	printf("\nlargest resident set of ooblab capture --summary\n");
	make_file("dense", 400000 * times);
	print_rss("20,000 flows", 20000);
	make_file("dense", 2000000 * times);
	print_rss("20,000 flows, five times the packets", 20000);
	make_file("small", 2000000 * times);
	print_rss("100,000 flows", 100000);
}

/* --- the bare loop ------------------------------------------------------ */

static void count_one(u_char *count, const struct pcap_pkthdr *header,
		      const u_char *data)
{
	(void)header;
	(void)data;
	++*(unsigned long *)(void *)count;
}

static int count(const char *path)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, err);
	unsigned long packets = 0;

	if (!pcap) {
		fprintf(stderr, "bench_capture: %s\n", err);
		return 1;
	}
	pcap_loop(pcap, -1, count_one, (u_char *)&packets);
	pcap_close(pcap);
	printf("%lu\n", packets);
	return 0;
}

int main(int argc, char **argv)
{
	char maker[4096], *slash;

	if (argc == 3 && !strcmp(argv[1], "--count"))
		return count(argv[2]);
	snprintf(maker, sizeof(maker), "%s", argv[0]);
	slash = strrchr(maker, '/');
	snprintf(slash ? slash + 1 : maker,
		 sizeof(maker) - (size_t)(slash ? slash + 1 - maker : 0),
		 "make_traffic");
	setenv("MAKE_TRAFFIC", maker, 1);
	setenv("BENCH", argv[0], 1);
	setenv("OOBLAB", "build/ooblab", 0);
	make_folder();
	run_all(argc > 1 ? strtoul(argv[1], NULL, 10) : 1);
	return 0;
}
