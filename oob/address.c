#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_NAME_AT  offsetof(struct sockaddr_un, sun_path)
#define UNIX_NAME_MAX (sizeof(struct sockaddr_un) - UNIX_NAME_AT)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of an AF_UNIX name, moving `*text` behind it; -EINVAL. */
static int unix_byte(const char **text)
{
	const char *t = *text;
	int hi, lo;

	if (t[0] != '\\') {
		*text = t + 1;
		return (unsigned char)t[0];
	}
	if (t[1] == '\\') {
		*text = t + 2;
		return '\\';
	}
	hi = t[1] == 'x' ? hex_digit(t[2]) : -1;
	lo = hi >= 0 ? hex_digit(t[3]) : -1;
	if (lo < 0)
		return -EINVAL;
	*text = t + 4;
	return hi << 4 | lo;
}

/*
 * The kernel takes a path with its final NUL or, where it fills sun_path,
 * without; an abstract name begins with a NUL, and its length is its end.
 */
static int parse_unix(struct oob_address *out, const char *text)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	bool abstract = text[0] == '@';
	size_t len = abstract;
	int c;

	for (text += abstract; *text; len++) {
		c = unix_byte(&text);
		if (c < 0 || (!abstract && !c))
			return -EINVAL;
		if (len == UNIX_NAME_MAX)
			return -ENAMETOOLONG;
		sun.sun_path[len] = (char)c;
	}
	if (!abstract && len && len < UNIX_NAME_MAX)
		len++;
	memset(out, 0, sizeof(*out));
	memcpy(&out->sa, &sun, sizeof(sun));
	out->len = (socklen_t)(UNIX_NAME_AT + len);
	return 0;
}

/* The port after a colon; `dflt` where `text` is empty. */
static int parse_port(const char *text, uint16_t dflt, uint16_t *port)
{
	unsigned long value = 0;

	*port = dflt;
	if (!*text)
		return 0;
	if (*text++ != ':' || !*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned long)(*text - '0');
		if (value > UINT16_MAX)
			return -EINVAL;
	}
	*port = (uint16_t)value;
	return 0;
}

static int parse_inet(struct oob_address *out, const char *text, uint16_t dflt)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	size_t len = strcspn(text, ":");
	char host[INET_ADDRSTRLEN];
	uint16_t port;

	if (len >= sizeof(host) || parse_port(text + len, dflt, &port) < 0)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		return -EINVAL;
	sin.sin_port = htons(port);
	memset(out, 0, sizeof(*out));
	memcpy(&out->sa, &sin, sizeof(sin));
	out->len = sizeof(sin);
	return 0;
}

/* The zone of RFC 4007: an interface's name or number. */
static int parse_zone(const char *zone, uint32_t *id)
{
	unsigned long value;
	char *end;

	*id = if_nametoindex(zone);
	if (*id)
		return 0;
	if (*zone < '0' || *zone > '9')
		return -ENODEV;
	value = strtoul(zone, &end, 10);
	if (*end || !value || value > INT32_MAX)
		return -ENODEV;
	*id = (uint32_t)value;
	return 0;
}

static int parse_inet6(struct oob_address *out, const char *text, uint16_t dflt)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	bool bracket = text[0] == '[';
	size_t len = strcspn(text += bracket, "]");
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE];
	const char *rest = text + len;
	uint16_t port;
	char *zone;
	int ret;

	if (bracket != (*rest == ']') || len >= sizeof(host) ||
	    parse_port(rest + bracket, dflt, &port) < 0)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	zone = strchr(host, '%');
	if (zone)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1)
		return -EINVAL;
	ret = zone ? parse_zone(zone, &sin6.sin6_scope_id) : 0;
	if (ret < 0)
		return ret;
	sin6.sin6_port = htons(port);
	memset(out, 0, sizeof(*out));
	memcpy(&out->sa, &sin6, sizeof(sin6));
	out->len = sizeof(sin6);
	return 0;
}

int oob_address_parse(struct oob_address *out, const char *text, uint16_t port)
{
	if (!strncmp(text, "unix:", 5))
		return parse_unix(out, text + 5);
	if (text[0] == '@' || strchr(text, '/'))
		return parse_unix(out, text);
	if (text[0] == '[' || strchr(text, ':') != strrchr(text, ':'))
		return parse_inet6(out, text, port);
	return parse_inet(out, text, port);
}

static int format_inet(const struct oob_address *a, char *text, size_t size)
{
	struct sockaddr_in sin;
	char host[INET_ADDRSTRLEN];

	memcpy(&sin, &a->sa, sizeof(sin));
	inet_ntop(AF_INET, &sin.sin_addr, host, sizeof(host));
	return snprintf(text, size, "%s:%u", host, ntohs(sin.sin_port));
}

static int format_inet6(const struct oob_address *a, char *text, size_t size)
{
	struct sockaddr_in6 sin6;
	char host[INET6_ADDRSTRLEN];
	char zone[1 + IF_NAMESIZE] = "";

	memcpy(&sin6, &a->sa, sizeof(sin6));
	inet_ntop(AF_INET6, &sin6.sin6_addr, host, sizeof(host));
	if (sin6.sin6_scope_id) {
		zone[0] = '%';
		if (!if_indextoname(sin6.sin6_scope_id, zone + 1))
			snprintf(zone + 1, sizeof(zone) - 1, "%u",
				 sin6.sin6_scope_id);
	}
	return snprintf(text, size, "[%s%s]:%u", host, zone,
			ntohs(sin6.sin6_port));
}

static size_t format_byte(unsigned char c, char *text)
{
	if (c == '\\')
		return (size_t)sprintf(text, "\\\\");
	if (c < 0x21 || c > 0x7e)
		return (size_t)sprintf(text, "\\x%02x", c);
	*text = (char)c;
	return 1;
}

static int format_unix(const struct oob_address *a, char *text, size_t size)
{
	const char *name = (const char *)&a->sa + UNIX_NAME_AT;
	char out[OOB_ADDRESS_TEXT_MAX] = "unix:";
	size_t n = strlen(out), len = 0;
	bool abstract;

	if (a->len > UNIX_NAME_AT)
		len = a->len - UNIX_NAME_AT;
	/* getsockname(2) of a path that fills sun_path counts one more. */
	if (len > UNIX_NAME_MAX)
		len = UNIX_NAME_MAX;
	abstract = len && !name[0];
	if (abstract) {
		out[n++] = '@';
		name++;
		len--;
	} else {
		len = strnlen(name, len);
	}
	/* As it is, it would read as an abstract name. */
	if (!abstract && len && name[0] == '@') {
		n += (size_t)sprintf(out + n, "\\x40");
		name++;
		len--;
	}
	for (; len; name++, len--)
		n += format_byte((unsigned char)*name, out + n);
	out[n] = '\0';
	return snprintf(text, size, "%s", out);
}

int oob_address_format(const struct oob_address *a, char *text, size_t size)
{
	int n;

	if (a->sa.ss_family == AF_INET)
		n = format_inet(a, text, size);
	else if (a->sa.ss_family == AF_INET6)
		n = format_inet6(a, text, size);
	else if (a->sa.ss_family == AF_UNIX)
		n = format_unix(a, text, size);
	else
		return -EAFNOSUPPORT;
	return (size_t)n < size ? n : -ENOSPC;
}

uint16_t oob_address_port(const struct oob_address *a)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (a->sa.ss_family == AF_INET) {
		memcpy(&sin, &a->sa, sizeof(sin));
		return ntohs(sin.sin_port);
	}
	if (a->sa.ss_family == AF_INET6) {
		memcpy(&sin6, &a->sa, sizeof(sin6));
		return ntohs(sin6.sin6_port);
	}
	return 0;
}
