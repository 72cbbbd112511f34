/*
 * Gives the files of a folder to a fuzz target, one by one, and says so in TAP:
 * what the fuzzer once found stays found without it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int plain_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The copy is as large as the file, so that a sanitizer sees the first byte
 * read past its end. Returns NULL when the file cannot be read. */
static uint8_t *read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long end;

	if (!file)
		return NULL;
	if (!fseek(file, 0, SEEK_END) && (end = ftell(file)) >= 0) {
		rewind(file);
		*size = (size_t)end;
		data = malloc(*size ? *size : 1);
		if (data && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	fclose(file);
	return data;
}

static int replay(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	data = read_whole(path, &size);
	if (!data)
		return -1;
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int n, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	n = scandir(argv[1], &entries, plain_file, alphasort);
	if (n < 0) {
		perror(argv[1]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		int ok = replay(argv[1], entries[i]->d_name) == 0;

		printf("%s %d - %s\n", ok ? "ok" : "not ok", i + 1,
		       entries[i]->d_name);
		failed += !ok;
		free(entries[i]);
	}
	free(entries);
	return failed > 0;
}
