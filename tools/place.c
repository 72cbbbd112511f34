#include "tools/place.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *place_of(const char *name)
{
	char exe[PATH_MAX], *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n > 0) {
		exe[n] = '\0';
		slash = strrchr(exe, '/');
		if (slash)
			*slash = '\0';
		if (asprintf(&path, "%s/../docs/%s", exe, name) < 0)
			return NULL;
		if (access(path, F_OK) == 0) {
			char *real = realpath(path, NULL);

			free(path);
			return real;
		}
		free(path);
	}
	return asprintf(&path, OOBLAB_DATADIR "/%s", name) < 0 ? NULL : path;
}
