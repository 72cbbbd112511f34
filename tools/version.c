#include "tools/version.h"

#include <jansson.h>
#include <lua.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "tools/cmd.h"

int version_print(void)
{
	printf("ooblab %s\n%s\n%s\njansson %s\n", OOBLAB_VERSION,
	       pcap_lib_version(), LUA_RELEASE, jansson_version_str());
	/* liburing tells its version to pkg-config only. */
	printf("liburing %s\nzlib %s\nzstd %s\n", LIBURING_VERSION,
	       zlibVersion(), ZSTD_versionString());
	return STATUS_HELD;
}
