#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "oob/address.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define TEN "0123456789"

/* Each is read with port 7 for want of one. */
static const struct accepted {
	const char *text;
	const char *formatted;
} accepted[] = {
	/* clang-format off */
	{ "127.0.0.1", "127.0.0.1:7" },
	{ "127.0.0.1:80", "127.0.0.1:80" },
	{ "0.0.0.0:0", "0.0.0.0:0" },
	{ "255.255.255.255:65535", "255.255.255.255:65535" },
	{ "::1", "[::1]:7" },
	{ "::", "[::]:7" },
	{ "[::1]", "[::1]:7" },
	{ "[::1]:80", "[::1]:80" },
	{ "[2001:db8:0:0:0:0:0:1]:80", "[2001:db8::1]:80" },
	{ "::ffff:1.2.3.4", "[::ffff:1.2.3.4]:7" },
	{ "[::1%1]:80", "[::1%lo]:80" },
	{ "[::1%lo]:80", "[::1%lo]:80" },
	{ "[::1%2147483000]:80", "[::1%2147483000]:80" },
	{ "/run/x", "unix:/run/x" },
	{ "./x:y", "unix:./x:y" },
	{ "unix:x", "unix:x" },
	{ "unix:", "unix:" },
	{ "unix:a b", "unix:a\\x20b" },
	{ "unix:\\x40x", "unix:\\x40x" },
	{ "@x", "unix:@x" },
	{ "unix:@x", "unix:@x" },
	{ "@", "unix:@" },
	{ "@@", "unix:@@" },
	{ "@a\\x00b\\xFF\\\\", "unix:@a\\x00b\\xff\\\\" },
	/* These fill sun_path. */
	{ "/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456", "unix:/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456" },
	{ "@" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456", "unix:@" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456" },
	/* clang-format on */
};

static const struct refused {
	const char *text;
	int error;
} refused[] = {
	/* clang-format off */
	{ "127.0.0.1:65536", -EINVAL },
	{ "127.0.0.1:99999999999999999999", -EINVAL },
	{ "127.0.0.1:", -EINVAL },
	{ "127.0.0.1:+1", -EINVAL },
	{ "127.0.0.1: 1", -EINVAL },
	{ "127.0.0.1:1x", -EINVAL },
	{ "127.0.0", -EINVAL },
	{ "127.0.0.01.1", -EINVAL },
	{ "localhost", -EINVAL },
	{ "", -EINVAL },
	{ ":80", -EINVAL },
	{ "1234567890123456789012345678901234567890", -EINVAL },
	{ "[::1%4294967297]:80", -ENODEV },
	{ "[::1%no-such-if]:80", -ENODEV },
	{ "[::1%]:80", -ENODEV },
	{ "[::1%-1]", -ENODEV },
	{ "[::1%1x]", -ENODEV },
	{ "[::1", -EINVAL },
	{ "::1]", -EINVAL },
	{ "::1]:80", -EINVAL },
	{ "[::1]80", -EINVAL },
	{ "[::1]:", -EINVAL },
	{ "[127.0.0.1]:80", -EINVAL },
	{ "[]", -EINVAL },
	{ "[", -EINVAL },
	{ ":::1", -EINVAL },
	{ "[2001:db8:0:0:0:0:0:1%0123456789012345678901234567890123456789]", -ENODEV },
	{ "unix:a\\x00b", -EINVAL },
	{ "@\\x0", -EINVAL },
	{ "@\\xg0", -EINVAL },
	{ "@\\n", -EINVAL },
	{ "@\\", -EINVAL },
	{ "/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567", -ENAMETOOLONG },
	{ "@" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567", -ENAMETOOLONG },
	/* clang-format on */
};

static void refuses(void **state)
{
	const struct refused *row = *state;
	struct oob_address a, untouched;

	memset(&a, 0x5a, sizeof(a));
	untouched = a;
	assert_int_equal(oob_address_parse(&a, row->text, 7), row->error);
	assert_memory_equal(&a, &untouched, sizeof(a));
}

static void reads_and_writes(void **state)
{
	const struct accepted *row = *state;
	char text[OOB_ADDRESS_TEXT_MAX];
	struct oob_address a;
	int ret;

	assert_int_equal(oob_address_parse(&a, row->text, 7), 0);
	ret = oob_address_format(&a, text, sizeof(text));
	assert_int_equal(ret, strlen(row->formatted));
	assert_string_equal(text, row->formatted);
}

static void what_is_written_reads_back_the_same(void **state)
{
	const struct accepted *row = *state;
	char text[OOB_ADDRESS_TEXT_MAX];
	struct oob_address a, b;

	assert_int_equal(oob_address_parse(&a, row->text, 7), 0);
	assert_true(oob_address_format(&a, text, sizeof(text)) > 0);
	assert_int_equal(oob_address_parse(&b, text, 9), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(&a.sa, &b.sa, sizeof(a.sa));
}

static void every_short_size_is_refused(void **state)
{
	const struct accepted *row = *state;
	struct oob_address a;
	char *text;

	assert_int_equal(oob_address_parse(&a, row->text, 7), 0);
	for (size_t size = 0; size <= strlen(row->formatted); size++) {
		text = malloc(size + 1);
		assert_non_null(text);
		text[size] = 0x5a;
		assert_int_equal(oob_address_format(&a, text, size), -ENOSPC);
		assert_int_equal(text[size], 0x5a);
		free(text);
	}
}

static void ports_are_in_host_order(void **state)
{
	struct oob_address a;

	(void)state;
	assert_int_equal(oob_address_parse(&a, "127.0.0.1:258", 0), 0);
	assert_int_equal(oob_address_port(&a), 258);
	assert_int_equal(((struct sockaddr_in *)&a.sa)->sin_port, htons(258));
	assert_int_equal(oob_address_parse(&a, "::1", 259), 0);
	assert_int_equal(oob_address_port(&a), 259);
	assert_int_equal(oob_address_parse(&a, "@x", 260), 0);
	assert_int_equal(oob_address_port(&a), 0);
}

static void the_kernel_takes_every_kind_of_name(void **state)
{
	static const char *const names[] = { "127.0.0.1:0", "@ooblab\\x00\\xff",
					     "unix:" };
	struct oob_address a;
	int fd;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(oob_address_parse(&a, names[i], 0), 0);
		fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
		close(fd);
	}
}

/* Names the kernel gives that no text of ours would. */
static void odd_names_are_written_within_bounds(void **state)
{
	struct oob_address a = { .sa.ss_family = AF_UNIX };
	char text[OOB_ADDRESS_TEXT_MAX];

	(void)state;
	for (socklen_t len = 0; len <= sizeof(a.sa) + 1; len++) {
		memset((char *)&a.sa + 2, 0xff, sizeof(a.sa) - 2);
		a.len = len;
		assert_true(oob_address_format(&a, text, sizeof(text)) >= 5);
		((char *)&a.sa)[2] = '\0';
		assert_true(oob_address_format(&a, text, sizeof(text)) >= 5);
	}
	a.sa.ss_family = AF_PACKET;
	assert_int_equal(oob_address_format(&a, text, sizeof(text)),
			 -EAFNOSUPPORT);
}

#define PER_ROW 3

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(ports_are_in_host_order),
		cmocka_unit_test(the_kernel_takes_every_kind_of_name),
		cmocka_unit_test(odd_names_are_written_within_bounds),
	};
	static const struct CMUnitTest each[PER_ROW] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(every_short_size_is_refused),
	};
	static struct CMUnitTest tests[COUNT(accepted) * PER_ROW +
				       COUNT(refused) + COUNT(single)];
	static char names[COUNT(tests)][192];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(accepted); i++) {
		for (size_t k = 0; k < PER_ROW; k++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s",
				 each[k].name, accepted[i].text);
			tests[n] = each[k];
			tests[n].name = names[n];
			tests[n].initial_state = (void *)&accepted[i];
		}
	}
	for (size_t i = 0; i < COUNT(refused); i++, n++) {
		snprintf(names[n], sizeof(names[n]), "refuses: %s",
			 refused[i].text);
		tests[n] = (struct CMUnitTest)cmocka_unit_test(refuses);
		tests[n].name = names[n];
		tests[n].initial_state = (void *)&refused[i];
	}
	memcpy(&tests[n], single, sizeof(single));
	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
