#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <pcap/pcap.h>

#include "capture/decode.h"
#include "capture/pcapng.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* 10.0.0.1:1000 > 10.0.0.2:23, URG|ACK, pointer 3, "abc". */
static const uint8_t packet_bytes[] = {
	0x45, 0x00, 0x00, 0x2b, 0x00, 0x01, 0x00, 0x00, 0x40, 0x06, 0x00,
	0x00, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0x03, 0xe8,
	0x00, 0x17, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x50,
	0x30, 0x10, 0x00, 0x00, 0x00, 0x00, 0x03, 0x61, 0x62, 0x63,
};

static const int64_t when_ns = INT64_C(1700000000123456789);

static const struct capture_packet packet = {
	.time_ns = when_ns,
	.data = packet_bytes,
	.caplen = sizeof(packet_bytes),
	.len = sizeof(packet_bytes),
	.linktype = CAPTURE_LINK_IPV4,
};

static const struct capture_pcapng_origin origin = {
	.hardware = "x86_64",
	.os = "Linux",
	.application = "test_pcapng",
};

/* IPV4 and not RAW: libpcap 1.10.3 refuses two interfaces of RAW, as it
 * compares the file's number of one with its own number of the other. */
static const struct capture_pcapng_interface lo = {
	.name = "lo",
	.description = "loopback, as the sender sees it",
	.filter = "tcp port 23",
	.linktype = CAPTURE_LINK_IPV4,
};

struct file {
	int fd;
	struct capture_pcapng *writer;
};

static void make_file(struct file *file, uint32_t snaplen)
{
	file->fd = memfd_create("pcapng", MFD_CLOEXEC);
	assert_true(file->fd >= 0);
	assert_int_equal(capture_pcapng_open(&file->writer, file->fd, snaplen,
					     &origin),
			 0);
	assert_int_equal(capture_pcapng_add_interface(file->writer, &lo), 0);
}

static void drop_file(struct file *file)
{
	capture_pcapng_close(file->writer);
	close(file->fd);
}

static pcap_t *read_back(const struct file *file, char *err)
{
	int copy = dup(file->fd);
	FILE *stream;

	assert_int_equal(lseek(copy, 0, SEEK_SET), 0);
	stream = fdopen(copy, "r");
	assert_non_null(stream);
	return pcap_fopen_offline_with_tstamp_precision(
		stream, PCAP_TSTAMP_PRECISION_NANO, err);
}

/* How many packets libpcap reads; every one must be `packet`. */
static int count_packets(const struct file *file, uint32_t caplen)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = read_back(file, err);
	struct pcap_pkthdr *header;
	const u_char *data;
	int n = 0, got;

	assert_string_equal(err, "");
	assert_non_null(pcap);
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		assert_int_equal(header->caplen, caplen);
		assert_int_equal(header->len, sizeof(packet_bytes));
		assert_int_equal(header->ts.tv_sec, 1700000000);
		assert_int_equal(header->ts.tv_usec, 123456789);
		assert_memory_equal(data, packet_bytes, caplen);
		n++;
	}
	if (got != PCAP_ERROR_BREAK)
		print_error("%s\n", pcap_geterr(pcap));
	assert_int_equal(got, PCAP_ERROR_BREAK);
	pcap_close(pcap);
	return n;
}

static void test_libpcap_reads_it(void **state)
{
	struct file file;

	(void)state;
	make_file(&file, 262144);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet,
					       "URG up=3: urgent byte 'c'"),
			 0);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL), 0);
	assert_int_equal(
		capture_pcapng_statistics(file.writer, 0, when_ns, 2, 0), 0);
	assert_int_equal(count_packets(&file, sizeof(packet_bytes)), 2);
	drop_file(&file);
}

static void test_interface_added_in_mid_file(void **state)
{
	struct capture_pcapng_interface other = lo;
	struct capture_packet second = packet;
	struct file file;

	(void)state;
	other.name = "veth0";
	other.filter = NULL;
	make_file(&file, 262144);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL), 0);
	assert_int_equal(capture_pcapng_add_interface(file.writer, &other), 1);
	second.interface = 1;
	assert_int_equal(capture_pcapng_packet(file.writer, &second, NULL), 0);
	assert_int_equal(count_packets(&file, sizeof(packet_bytes)), 2);
	drop_file(&file);
}

static void test_snaplen_cuts(void **state)
{
	struct file file;

	(void)state;
	make_file(&file, 41);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL), 0);
	assert_int_equal(count_packets(&file, 41), 1);
	drop_file(&file);
}

static void test_every_block_is_whole_at_once(void **state)
{
	struct file file;
	off_t before, after;

	(void)state;
	make_file(&file, 0);
	for (int i = 1; i <= 3; i++) {
		before = lseek(file.fd, 0, SEEK_END);
		assert_int_equal(
			capture_pcapng_packet(file.writer, &packet, "note"), 0);
		after = lseek(file.fd, 0, SEEK_END);
		/* frame 12, fixed part 20, 43 bytes and a comment of 4 padded,
		 * option headers */
		assert_int_equal(after - before, 32 + 44 + 8 + 4);
		assert_int_equal(count_packets(&file, sizeof(packet_bytes)), i);
		lseek(file.fd, 0, SEEK_END);
	}
	drop_file(&file);
}

static void test_long_texts_are_cut_between_characters(void **state)
{
	enum {
		LONG = 70000
	};
	char *comment = malloc(LONG + 1);
	struct file file;

	(void)state;
	assert_non_null(comment);
	/* Two bytes a character, from the second byte on. */
	for (size_t i = 0; i < LONG; i++)
		comment[i] = i == 0 ? 'x' : i & 1 ? '\xc3' : '\xa9';
	comment[LONG] = '\0';
	make_file(&file, 0);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, comment),
			 0);
	assert_int_equal(count_packets(&file, sizeof(packet_bytes)), 1);
	free(comment);
	drop_file(&file);
}

struct bad_row {
	const char *name;
	struct capture_packet packet;
};

static const struct bad_row bad_rows[] = {
	{ "unknown_interface_is_einval",
	  { .interface = 1, .linktype = CAPTURE_LINK_IPV4 } },
	{ "other_link_type_is_einval", { .linktype = CAPTURE_LINK_ETHERNET } },
	{ "time_before_1970_is_einval",
	  { .time_ns = -1, .linktype = CAPTURE_LINK_IPV4 } },
};

static void test_refused(void **state)
{
	const struct bad_row *row = *state;
	struct file file;
	off_t before;

	make_file(&file, 0);
	before = lseek(file.fd, 0, SEEK_END);
	assert_int_equal(capture_pcapng_packet(file.writer, &row->packet, NULL),
			 -EINVAL);
	assert_int_equal(lseek(file.fd, 0, SEEK_END), before);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL), 0);
	drop_file(&file);
}

/* A file that may not grow past `limit`, which write() reports as EFBIG after
 * a part of the block went out, as a full disk does with ENOSPC. */
static void test_full_disk_leaves_whole_blocks(void **state)
{
	struct rlimit old, small;
	struct file file;
	char name[] = "/tmp/test_pcapng.XXXXXX";
	off_t whole;

	(void)state;
	file.fd = mkstemp(name);
	assert_true(file.fd >= 0);
	unlink(name);
	assert_int_equal(capture_pcapng_open(&file.writer, file.fd, 0, &origin),
			 0);
	assert_int_equal(capture_pcapng_add_interface(file.writer, &lo), 0);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL), 0);
	whole = lseek(file.fd, 0, SEEK_END);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = (rlim_t)whole + 21;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL),
			 -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet, NULL),
			 -EFBIG);
	assert_int_equal(lseek(file.fd, 0, SEEK_END), whole);
	assert_int_equal(count_packets(&file, sizeof(packet_bytes)), 1);
	drop_file(&file);
}

static void test_closed_pipe_is_epipe_without_a_signal(void **state)
{
	struct capture_pcapng *writer = NULL;
	sigset_t pending;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(capture_pcapng_open(&writer, fds[1], 0, &origin), 0);
	close(fds[0]);
	assert_int_equal(capture_pcapng_add_interface(writer, &lo), -EPIPE);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
	capture_pcapng_close(writer);
	close(fds[1]);
}

static void test_read_only_fd_is_ebadf(void **state)
{
	struct capture_pcapng *writer = NULL;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(capture_pcapng_open(&writer, fd, 0, &origin), -EBADF);
	assert_null(writer);
	close(fd);
}

/* What `argv` prints when the file is its standard input. */
static void output_of(const struct file *file, char *const argv[], char *text,
		      size_t size)
{
	int fds[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(lseek(file->fd, 0, SEEK_SET), 0);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(file->fd, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		skip();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct tool_row {
	const char *name;
	char *argv[20];
	const char *want;
};

static const struct tool_row tool_rows[] = {
	{ "tshark_shows_what_was_written",
	  { "tshark", "-r", "-", "-T", "fields", "-e", "frame.time_epoch", "-e",
	    "frame.interface_name", "-e", "frame.interface_description", "-e",
	    "frame.comment", "-e", "tcp.urgent_pointer", "-e", "tcp.payload" },
	  "1700000000.123456789\tlo\tloopback, as the sender sees it\t"
	  "URG up=3: urgent byte 'c'\t3\t616263\n" },
	{ "tcpdump_shows_what_was_written",
	  { "tcpdump", "-r", "-", "-n", "-tt", "--time-stamp-precision=nano" },
	  "1700000000.123456789 IP 10.0.0.1.1000 > 10.0.0.2.23: Flags [.U], "
	  "seq 16909060:16909063, ack 84281096, win 4096, urg 3, length 3\n" },
};

static void test_tool(void **state)
{
	const struct tool_row *row = *state;
	char text[1024];
	struct file file;

	make_file(&file, 262144);
	assert_int_equal(capture_pcapng_packet(file.writer, &packet,
					       "URG up=3: urgent byte 'c'"),
			 0);
	assert_int_equal(
		capture_pcapng_statistics(file.writer, 0, when_ns, 1, 0), 0);
	output_of(&file, row->argv, text, sizeof(text));
	drop_file(&file);
	assert_string_equal(text, row->want);
}

int main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_libpcap_reads_it),
		cmocka_unit_test(test_interface_added_in_mid_file),
		cmocka_unit_test(test_snaplen_cuts),
		cmocka_unit_test(test_every_block_is_whole_at_once),
		cmocka_unit_test(test_long_texts_are_cut_between_characters),
		cmocka_unit_test(test_full_disk_leaves_whole_blocks),
		cmocka_unit_test(test_closed_pipe_is_epipe_without_a_signal),
		cmocka_unit_test(test_read_only_fd_is_ebadf),
	};
	struct CMUnitTest
		tests[COUNT(fixed) + COUNT(bad_rows) + COUNT(tool_rows)];
	size_t n = COUNT(fixed);

	memcpy(tests, fixed, sizeof(fixed));
	for (size_t i = 0; i < COUNT(bad_rows); i++)
		tests[n++] = (struct CMUnitTest){ bad_rows[i].name,
						  test_refused, NULL, NULL,
						  (void *)&bad_rows[i] };
	for (size_t i = 0; i < COUNT(tool_rows); i++)
		tests[n++] = (struct CMUnitTest){ tool_rows[i].name, test_tool,
						  NULL, NULL,
						  (void *)&tool_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
