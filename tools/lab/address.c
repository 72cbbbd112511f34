#include "tools/lab/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

struct address address_from(const void *bytes, size_t len)
{
	struct address a = { .len = 0 };

	if (len > sizeof(a.sa))
		len = sizeof(a.sa);
	if (len)
		memcpy(&a.sa, bytes, len);
	a.len = (socklen_t)len;
	return a;
}

static bool same_inet6(const struct address *a, const struct address *b)
{
	const struct sockaddr_in6 *x = (const void *)&a->sa;
	const struct sockaddr_in6 *y = (const void *)&b->sa;

	return x->sin6_port == y->sin6_port &&
	       !memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr));
}

static bool same_inet(const struct address *a, const struct address *b)
{
	const struct sockaddr_in *x = (const void *)&a->sa;
	const struct sockaddr_in *y = (const void *)&b->sa;

	return x->sin_port == y->sin_port &&
	       x->sin_addr.s_addr == y->sin_addr.s_addr;
}

bool address_same(const struct address *a, const struct address *b)
{
	if (!a->len || !b->len || a->sa.ss_family != b->sa.ss_family)
		return false;
	if (a->sa.ss_family == AF_INET)
		return same_inet(a, b);
	if (a->sa.ss_family == AF_INET6)
		return same_inet6(a, b);
	return a->len == b->len && a->len > sizeof(sa_family_t) &&
	       !memcmp(&a->sa, &b->sa, a->len);
}

static void add_unix(struct text *t, const struct address *a)
{
	const struct sockaddr_un *un = (const void *)&a->sa;
	size_t len = a->len - offsetof(struct sockaddr_un, sun_path);

	if (a->len <= offsetof(struct sockaddr_un, sun_path)) {
		text_add(t, "unnamed");
	} else if (un->sun_path[0]) {
		text_add_bytes(t, un->sun_path, strnlen(un->sun_path, len),
			       108);
	} else {
		text_add(t, "@");
		text_add_bytes(t, un->sun_path + 1, len - 1, 108);
	}
}

void address_add(struct text *t, const struct address *a)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->len >= sizeof(struct sockaddr_in) &&
	    a->sa.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&a->sa;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		text_add(t, "%s:%u", host, ntohs(in->sin_port));
	} else if (a->len >= sizeof(struct sockaddr_in6) &&
		   a->sa.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&a->sa;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		text_add(t, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else if (a->len >= sizeof(sa_family_t) &&
		   a->sa.ss_family == AF_UNIX) {
		add_unix(t, a);
	} else {
		text_add(t, "unnamed");
	}
}
