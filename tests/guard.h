/* Memory whose end cannot be passed: the page behind it is not there. */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
	uint8_t *map;
	uint8_t *end; /* the first byte that cannot be read */
	size_t size;
};

/* Room for `len` bytes; without it no test can go on. Returns 0, or -1. */
static inline int guard_map(struct guard *guard, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (len + page - 1) / page * page;

	guard->size = room + page;
	guard->map = mmap(NULL, guard->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guard->map == MAP_FAILED)
		abort();
	guard->end = guard->map + room;
	return mprotect(guard->end, page, PROT_NONE);
}

/* A copy of `data` that ends where reading does. */
static inline uint8_t *guard_copy(const struct guard *guard, const void *data,
				  size_t len)
{
	uint8_t *copy = guard->end - len;

	if (data && len)
		memcpy(copy, data, len);
	return copy;
}

static inline void guard_unmap(struct guard *guard)
{
	munmap(guard->map, guard->size);
}

#endif
