#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <pcap/pcap.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/source.h"
#include "tests/stored.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int64_t want_ns(int64_t own, int64_t usual)
{
	return own == NO_TIME ? 0 : own ? own : usual;
}

static void check_packet(const struct stored *row, unsigned n,
			 const struct capture_packet *p)
{
	assert_int_equal(p->linktype, 101);
	if (n == 0) {
		assert_int_equal(p->caplen, 3);
		assert_int_equal(p->len, 3);
		assert_memory_equal(p->data, "abc", 3);
		assert_int_equal(p->interface, 0);
		assert_int_equal(p->time_ns, want_ns(row->first_ns, us * 1000));
		return;
	}
	assert_int_equal(p->caplen, 5);
	assert_int_equal(p->len, 1000);
	assert_memory_equal(p->data, "defgh", 5);
	assert_int_equal(p->interface, row->second_interface);
	assert_int_equal(p->time_ns, want_ns(row->second_ns, us * 1000 + 1000));
}

/* Read all of `fd`, checking each packet; `*end` is what next returned last.
 * Returns how many there were. */
static unsigned read_all(const struct stored *row, int fd, size_t max, int *end)
{
	char err[CAPTURE_ERR_MAX] = "";
	struct capture_packet packets[4];
	struct capture_source *source;
	unsigned count = 0;
	int n;

	*end = capture_source_open(&source, fd, -1, err);
	if (*end < 0) {
		assert_true(*err);
		return 0;
	}
	while ((n = capture_source_next(source, packets, max, err)) > 0)
		for (int i = 0; i < n; i++)
			check_packet(row, count++, &packets[i]);
	*end = n;
	if (n < 0) {
		assert_true(*err);
		assert_null(strchr(err, '\n'));
	}
	capture_source_close(source);
	return count;
}

static void test_read(void **state)
{
	const struct stored *row = *state;
	struct bytes b = bytes_of(row);

	for (size_t max = 1; max <= 4; max++) {
		int fd = file_of(b.data, b.used), end_;

		assert_int_equal(read_all(row, fd, max, &end_), 2);
		assert_int_equal(end_, 0);
		close(fd);
	}
}

/* Cut anywhere, the file gives what stood before, and says that it is cut. */
static void test_cut(void **state)
{
	const struct stored *row = *state;
	struct bytes b = bytes_of(row);
	unsigned last = 0;

	for (size_t cut = 0; cut < b.used; cut++) {
		int fd = file_of(b.data, cut), end_;
		unsigned n = read_all(row, fd, 4, &end_);

		assert_true(n >= last && n <= 2);
		assert_true(end_ == 0 || end_ == -ENODATA ||
			    (end_ == -EBADMSG && cut < 24));
		last = n;
		close(fd);
	}
}

/* Through a pipe, a byte at a time, packets come when their bytes are there.
 */
static void test_trickle(void **state)
{
	const struct stored *row = *state;
	struct bytes b = bytes_of(row);
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[4];
	struct capture_source *source;
	unsigned count = 0;
	int fds[2], n;

	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], b.data, 24), 24);
	assert_int_equal(capture_source_open(&source, fds[0], -1, err), 0);
	for (size_t i = 24; i < b.used; i++) {
		assert_int_equal(write(fds[1], b.data + i, 1), 1);
		n = capture_source_next(source, packets, 4, err);
		assert_true(n == 1 || n == -EAGAIN);
		if (n == 1)
			check_packet(row, count++, &packets[0]);
	}
	close(fds[1]);
	assert_int_equal(capture_source_next(source, packets, 4, err), 0);
	assert_int_equal(count, 2);
	capture_source_close(source);
	close(fds[0]);
}

static size_t gzip(const void *data, size_t len, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (uint8_t *)data,
		       .avail_in = (uInt)len,
		       .next_out = out,
		       .avail_out = (uInt)room };

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t zstd(const void *data, size_t len, uint8_t *out, size_t room)
{
	return ZSTD_compress(out, room, data, len, 3);
}

static size_t (*const packers[])(const void *data, size_t len, uint8_t *out,
				 size_t room) = { gzip, zstd };

static void test_packed(void **state)
{
	const struct stored *row = *state;
	struct bytes b = bytes_of(row);
	uint8_t out[8192];

	for (size_t i = 0; i < COUNT(packers); i++) {
		size_t len = packers[i](b.data, b.used, out, sizeof(out));
		int fd = file_of(out, len), end_;

		assert_int_equal(read_all(row, fd, 4, &end_), 2);
		assert_int_equal(end_, 0);
		close(fd);
		/* Cut: whatever came, nothing is made up. */
		for (size_t cut = 0; cut < len; cut += 3) {
			fd = file_of(out, cut);
			assert_true(read_all(row, fd, 4, &end_) <= 2);
			assert_true(end_ == -ENODATA || end_ == -EBADMSG);
			close(fd);
		}
	}
}

/* Every byte set to some other values: any packets or an error, but an end. */
static void test_broken(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	const struct stored *row = *state;
	const struct bytes b = bytes_of(row);
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[4];
	struct capture_source *source;
	struct bytes bad;

	for (size_t i = 0; i < b.used * COUNT(values); i++) {
		int fd, calls = 0;

		bad = b;
		bad.data[i / COUNT(values)] = values[i % COUNT(values)];
		fd = file_of(bad.data, bad.used);
		if (capture_source_open(&source, fd, -1, err) == 0) {
			while (capture_source_next(source, packets, 4, err) > 0)
				assert_true(++calls < 100);
			capture_source_close(source);
		}
		close(fd);
	}
}

/* libpcap reads the same packets. */
static void test_libpcap_agrees(void **state)
{
	const struct stored *row = *state;
	struct bytes b = bytes_of(row);
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *data;
	FILE *stream;
	pcap_t *pcap;

	stream = fdopen(file_of(b.data, b.used), "r");
	assert_non_null(stream);
	pcap = pcap_fopen_offline_with_tstamp_precision(
		stream, PCAP_TSTAMP_PRECISION_NANO, err);
	assert_non_null(pcap);
	for (unsigned i = 0; i < 2; i++) {
		struct capture_packet p;

		assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
		p = (struct capture_packet){
			.time_ns = header->ts.tv_sec * INT64_C(1000000000) +
				   header->ts.tv_usec,
			.data = data,
			.caplen = header->caplen,
			.len = header->len,
			.linktype = 101,
		};
		check_packet(row, i, &p);
	}
	assert_int_equal(pcap_next_ex(pcap, &header, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

/* --- what is no capture ------------------------------------------------ */

struct refused_row {
	const char *name;
	const char *data;
	size_t len;
	const char *part;
};

static const struct refused_row refused_rows[] = {
	{ "no_bytes", "", 0, "found no bytes" },
	{ "an_elf_file",
	  "\x7f"
	  "ELF2345678901234567890123456789",
	  32, "begins with 7f 45 4c 46" },
	{ "pcap_of_another_version",
	  "\xd4\xc3\xb2\xa1\x07\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24,
	  "version 2, found 7" },
	{ "gzip_of_no_capture",
	  "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0",
	  21, "begins with 61" },
	{ "gzip_that_is_broken", "\x1f\x8b\x09\0\0\0\0\0\0\x03\x4b\x04", 12,
	  "broken" },
	{ "zstd_that_is_cut", "\x28\xb5\x2f\xfd\x04", 5, "cut off" },
};

static void test_refused(void **state)
{
	const struct refused_row *row = *state;
	char err[CAPTURE_ERR_MAX] = "";
	struct capture_source *source = NULL;
	int fd = file_of(row->data, row->len);

	assert_true(capture_source_open(&source, fd, -1, err) < 0);
	assert_null(source);
	if (!strstr(err, row->part))
		print_error("%s\n", err);
	assert_non_null(strstr(err, row->part));
	close(fd);
}

/* Read until there are `enough` packets, each the first of the rows. */
static unsigned count_first(int fd, unsigned enough, int *end)
{
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[64];
	struct capture_source *source;
	unsigned count = 0;

	assert_int_equal(capture_source_open(&source, fd, -1, err), 0);
	do {
		*end = capture_source_next(source, packets, 64, err);
		for (int i = 0; i < *end; i++, count++)
			check_packet(&stored_rows[0], 0, &packets[i]);
	} while (*end > 0 && count < enough);
	capture_source_close(source);
	return count;
}

/* --- odds --------------------------------------------------------------- */

static void test_growing_file_goes_on(void **state)
{
	struct bytes b = { .used = 0 };
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[4];
	struct capture_source *source;
	int fd;

	(void)state;
	micro(&b);
	fd = file_of(b.data, b.used - 2);
	assert_int_equal(capture_source_open(&source, fd, -1, err), 0);
	assert_int_equal(capture_source_next(source, packets, 4, err), 1);
	assert_int_equal(capture_source_next(source, packets, 4, err),
			 -ENODATA);
	assert_int_equal(pwrite(fd, b.data + b.used - 2, 2, b.used - 2), 2);
	assert_int_equal(capture_source_next(source, packets, 4, err), 1);
	check_packet(&stored_rows[0], 1, &packets[0]);
	assert_int_equal(capture_source_next(source, packets, 4, err), 0);
	capture_source_close(source);
	close(fd);
}

static void test_interfaces_are_named(void **state)
{
	struct bytes b = { .used = 0 };
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[4];
	struct capture_interface interface_;
	struct capture_source *source;
	int fd;

	(void)state;
	ng_two_sections(&b);
	fd = file_of(b.data, b.used);
	assert_int_equal(capture_source_open(&source, fd, -1, err), 0);
	assert_int_equal(capture_source_interface(source, 0, &interface_),
			 -ENOENT);
	while (capture_source_next(source, packets, 4, err) > 0)
		;
	assert_int_equal(capture_source_interface(source, 1, &interface_), 0);
	assert_string_equal(interface_.name, "eth1");
	assert_int_equal(interface_.linktype, 101);
	assert_int_equal(interface_.snaplen, 65535);
	capture_source_close(source);
	close(fd);
}

enum {
	RECORD = 19,
	RECORDS = 275950, /* 5 MiB and 194 bytes: larger than every buffer */
	LONG = 24 + RECORDS * RECORD,
};

static const uint8_t *long_file(void)
{
	static uint8_t data[LONG];
	struct bytes b = { .used = 0 };

	pcap_header(&b, 0xa1b2c3d4, 4);
	pcap_record(&b, 123456, 3, 3, 0, "abc");
	memcpy(data, b.data, 24);
	for (size_t i = 0; i < RECORDS; i++)
		memcpy(data + 24 + i * RECORD, b.data + 24, RECORD);
	return data;
}

/* Members of gzip and frames of zstd may follow one another. */
static void test_long_packed_file(void **state)
{
	enum {
		PIECES = 3
	};
	size_t (*pack)(const void *, size_t, uint8_t *, size_t) = *state;
	static uint8_t out[1 << 20];
	const uint8_t *data = long_file();
	size_t len = pack(data, LONG, out, sizeof(out));
	unsigned count;
	int fd, end_;

	for (unsigned piece = 1; piece < PIECES; piece++)
		len += pack(data + 24, LONG - 24, out + len, sizeof(out) - len);
	fd = file_of(out, len);
	count = count_first(fd, UINT32_MAX, &end_);
	assert_int_equal(end_, 0);
	assert_int_equal(count, RECORDS * PIECES);
	close(fd);
}

static size_t gzip_flushed(const uint8_t *data, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (uint8_t *)data,
		       .avail_in = LONG,
		       .next_out = out,
		       .avail_out = (uInt)room };

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0);
	deflate(&z, Z_SYNC_FLUSH);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t zstd_flushed(const uint8_t *data, uint8_t *out, size_t room)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_inBuffer in = { data, LONG, 0 };
	ZSTD_outBuffer to = { out, room, 0 };

	ZSTD_compressStream2(z, &to, &in, ZSTD_e_flush);
	ZSTD_freeCCtx(z);
	return to.pos;
}

/* All that was sent can be unpacked, and is, though no more comes: even what
 * the unpacker held back for want of room. */
static void test_flushed_pipe(void **state)
{
	size_t (*pack)(const uint8_t *, uint8_t *, size_t) = *state;
	static uint8_t out[60000]; /* a pipe holds it */
	size_t len = pack(long_file(), out, sizeof(out));
	int fds[2], end_;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], out, len), len);
	alarm(60);
	assert_int_equal(count_first(fds[0], RECORDS, &end_), RECORDS);
	alarm(0);
	close(fds[0]);
	close(fds[1]);
}

/* The thread waits for input that never comes; closing does not. */
static void test_close_does_not_wait_for_a_pipe(void **state)
{
	struct bytes b = { .used = 0 };
	uint8_t out[8192];
	char err[CAPTURE_ERR_MAX];
	struct capture_source *source;
	size_t len;
	int fds[2];

	(void)state;
	micro(&b);
	len = gzip(b.data, b.used, out, sizeof(out));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], out, len), len);
	assert_int_equal(capture_source_open(&source, fds[0], -1, err), 0);
	capture_source_close(source);
	close(fds[0]);
	close(fds[1]);
}

/*
 * Somebody else ends the wait, as a signal handler would: before the kind of
 * file is known, and after all that came has been told.
 */
static void test_a_wait_is_stopped(void **state)
{
	size_t (*pack)(const void *, size_t, uint8_t *, size_t) = *state;
	struct bytes b = { .used = 0 };
	uint8_t out[8192];
	char err[CAPTURE_ERR_MAX];
	struct capture_packet packets[4];
	struct capture_source *source = NULL;
	int fds[2], stop = eventfd(1, EFD_CLOEXEC);
	eventfd_t stops;
	size_t len;

	micro(&b);
	len = pack(b.data, b.used, out, sizeof(out));
	assert_true(stop >= 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	alarm(60);
	assert_int_equal(capture_source_open(&source, fds[0], stop, err),
			 -ECANCELED);
	assert_null(source);
	assert_int_equal(eventfd_read(stop, &stops), 0);
	assert_int_equal(write(fds[1], out, len), len);
	assert_int_equal(capture_source_open(&source, fds[0], stop, err), 0);
	assert_int_equal(capture_source_next(source, packets, 4, err), 2);
	assert_int_equal(eventfd_write(stop, 1), 0);
	assert_int_equal(capture_source_next(source, packets, 4, err),
			 -ECANCELED);
	alarm(0);
	capture_source_close(source);
	close(fds[0]);
	close(fds[1]);
	close(stop);
}

static size_t unpacked(const void *data, size_t len, uint8_t *out, size_t room)
{
	assert_true(len <= room);
	memcpy(out, data, len);
	return len;
}

/* --- all of them -------------------------------------------------------- */

static const struct {
	const char *suffix;
	CMUnitTestFunction body;
} bodies[] = {
	{ "", test_read },
	{ "_cut", test_cut },
	{ "_trickle", test_trickle },
	{ "_packed", test_packed },
	{ "_broken", test_broken },
	{ "_libpcap_agrees", test_libpcap_agrees },
};

int main(void)
{
	static char names[COUNT(stored_rows) * COUNT(bodies)][64];
	const struct CMUnitTest odds[] = {
		cmocka_unit_test(test_growing_file_goes_on),
		cmocka_unit_test(test_interfaces_are_named),
		{ "long_file_in_gzip", test_long_packed_file, NULL, NULL,
		  (void *)gzip },
		{ "long_file_in_zstd", test_long_packed_file, NULL, NULL,
		  (void *)zstd },
		{ "flushed_pipe_in_gzip", test_flushed_pipe, NULL, NULL,
		  (void *)gzip_flushed },
		{ "flushed_pipe_in_zstd", test_flushed_pipe, NULL, NULL,
		  (void *)zstd_flushed },
		cmocka_unit_test(test_close_does_not_wait_for_a_pipe),
		{ "a_wait_is_stopped", test_a_wait_is_stopped, NULL, NULL,
		  (void *)unpacked },
		{ "a_wait_is_stopped_in_gzip", test_a_wait_is_stopped, NULL,
		  NULL, (void *)gzip },
		{ "a_wait_is_stopped_in_zstd", test_a_wait_is_stopped, NULL,
		  NULL, (void *)zstd },
	};
	struct CMUnitTest tests[COUNT(stored_rows) * COUNT(bodies) +
				COUNT(refused_rows) + COUNT(odds)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(stored_rows) * COUNT(bodies); i++) {
		const struct stored *row = &stored_rows[i / COUNT(bodies)];
		CMUnitTestFunction body = bodies[i % COUNT(bodies)].body;

		if (row->unlike_libpcap && body == test_libpcap_agrees)
			continue;
		snprintf(names[n], sizeof(names[n]), "%s%s", row->name,
			 bodies[i % COUNT(bodies)].suffix);
		tests[n] = (struct CMUnitTest){ names[n], body, NULL, NULL,
						(void *)row };
		n++;
	}
	for (size_t i = 0; i < COUNT(refused_rows); i++)
		tests[n++] = (struct CMUnitTest){ refused_rows[i].name,
						  test_refused, NULL, NULL,
						  (void *)&refused_rows[i] };
	for (size_t i = 0; i < COUNT(odds); i++)
		tests[n++] = odds[i];
	return _cmocka_run_group_tests("source", tests, n, NULL, NULL);
}
