#include "tools/lab/course.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/place.h"

#define SUFFIX ".lua"

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_name(struct course *c, const char *folder, const char *file)
{
	size_t len = strlen(file) - strlen(SUFFIX);
	char **more = realloc(c->names, (c->count + 1) * sizeof(*more));
	char *name;

	if (!more)
		return -ENOMEM;
	c->names = more;
	if (asprintf(&name, "%s%s%.*s", folder, *folder ? "/" : "", (int)len,
		     file) < 0)
		return -ENOMEM;
	c->names[c->count++] = name;
	return 0;
}

static bool is_experiment(const char *file)
{
	size_t len = strlen(file);

	return file[0] != '.' && len > strlen(SUFFIX) &&
	       !strcmp(file + len - strlen(SUFFIX), SUFFIX);
}

/* One folder, and at the top the folders in it. */
static int scan(struct course *c, const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", c->dir, folder);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (ret == 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", c->dir, entry->d_name);
		if (is_experiment(entry->d_name))
			ret = add_name(c, folder, entry->d_name);
		else if (!*folder && entry->d_name[0] != '.' && is_dir(path))
			ret = scan(c, entry->d_name);
	}
	closedir(dir);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int course_open(struct course *c, char *err, size_t size)
{
	int ret = -ENOMEM;

	*c = (struct course){ .dir = place_of("experiments") };
	if (c->dir)
		ret = scan(c, "");
	if (ret < 0) {
		snprintf(err, size, "%s: %s", c->dir ? c->dir : "course",
			 strerror(-ret));
		course_close(c);
		return ret;
	}
	if (c->count)
		qsort(c->names, c->count, sizeof(*c->names), by_name);
	return 0;
}

void course_close(struct course *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->names[i]);
	free(c->names);
	free(c->dir);
	*c = (struct course){ 0 };
}

/* "03-reading-stops" is called that, "reading-stops", "03" or "3". */
static bool is_called(const char *name, const char *word)
{
	const char *base = strrchr(name, '/');
	size_t digits;
	char *end;

	if (!strcmp(name, word))
		return true;
	base = base ? base + 1 : name;
	digits = strspn(base, "0123456789");
	if (!digits || base[digits] != '-')
		return !strcmp(base, word);
	if (!strcmp(base, word) || !strcmp(base + digits + 1, word))
		return true;
	return base == name && *word >= '0' && *word <= '9' &&
	       strtol(word, &end, 10) == strtol(base, NULL, 10) && !*end;
}

static int read_text(FILE *f, struct experiment *e, char *err, size_t size)
{
	struct stat st;
	int ret = 0;

	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		ret = -EISDIR;
	if (ret == 0) {
		e->text = malloc(EXPERIMENT_BYTES_MAX + 2);
		ret = e->text ? 0 : -ENOMEM;
	}
	if (ret == 0) {
		e->text_len = fread(e->text, 1, EXPERIMENT_BYTES_MAX + 1, f);
		ret = ferror(f) ? -errno : 0;
	}
	if (ret < 0) {
		snprintf(err, size, "%s", strerror(-ret));
		return ret;
	}
	if (e->text_len > EXPERIMENT_BYTES_MAX) {
		snprintf(err, size, "more than 1 MiB is no experiment");
		return -EFBIG;
	}
	e->text[e->text_len] = '\0';
	return 0;
}

/* `f` NULL: `path` could not be opened, errno says why. */
static int load(const char *name, const char *path, FILE *f,
		struct experiment *e, char *err, size_t size)
{
	int ret = f ? 0 : -errno;
	char why[128];

	*e = (struct experiment){ .name = strdup(name), .path = strdup(path) };
	if (ret == 0 && (!e->name || !e->path))
		ret = -ENOMEM;
	if (ret < 0)
		snprintf(why, sizeof(why), "%s", strerror(-ret));
	else
		ret = read_text(f, e, why, sizeof(why));
	if (ret < 0) {
		/* The caller names what was asked for. */
		if (strcmp(name, path))
			snprintf(err, size, "%s: %s", path, why);
		else
			snprintf(err, size, "%s", why);
		experiment_free(e);
	}
	return ret;
}

static int load_file(const char *name, const char *path, struct experiment *e,
		     char *err, size_t size)
{
	FILE *f = fopen(path, "re");
	int ret = load(name, path, f, e, err, size);

	if (f)
		fclose(f);
	return ret;
}

/* "dir/reading-stops.lua" may have been meant for one of the course. */
static const char *nearest_name(const struct course *c, const char *word)
{
	const char *base = strrchr(word, '/');
	char stem[NAME_MAX];

	base = base ? base + 1 : word;
	snprintf(stem, sizeof(stem), "%.*s",
		 (int)(strlen(base) -
		       (is_experiment(base) ? strlen(SUFFIX) : 0)),
		 base);
	return cmd_nearest(stem, (const char *const *)c->names, c->count);
}

static int not_found(const struct course *c, const char *word, char *err,
		     size_t size)
{
	char file[PATH_MAX];
	const char *nearest = file;

	snprintf(file, sizeof(file), "%s" SUFFIX, word);
	if (access(file, F_OK) < 0)
		nearest = nearest_name(c, word);
	snprintf(err, size,
		 "no such file, nor an experiment of the course; "
		 "%s%s%s",
		 nearest ? "did you mean " : "'ooblab list' names them",
		 nearest ? nearest : "", nearest ? "?" : "");
	return -ENOENT;
}

int course_load(const struct course *c, const char *word, struct experiment *e,
		char *err, size_t size)
{
	char path[PATH_MAX + NAME_MAX];

	if (!strcmp(word, "-"))
		return load("stdin", "stdin", stdin, e, err, size);
	for (size_t i = 0; i < c->count; i++) {
		if (!is_called(c->names[i], word))
			continue;
		snprintf(path, sizeof(path), "%s/%s" SUFFIX, c->dir,
			 c->names[i]);
		return load_file(c->names[i], path, e, err, size);
	}
	if (access(word, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return not_found(c, word, err, size);
	return load_file(word, word, e, err, size);
}

void experiment_free(struct experiment *e)
{
	free(e->name);
	free(e->path);
	free(e->text);
	*e = (struct experiment){ 0 };
}
