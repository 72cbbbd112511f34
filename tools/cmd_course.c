/* ooblab list, show and new: the course, and an experiment of one's own. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/lab/course.h"
#include "tools/lab/lua_sandbox.h"
#include "tools/term.h"
#include "tools/text.h"

#define TITLE_COLUMNS 36 /* less is no column to read */

static int open_course(const char *verb, struct course *c)
{
	char err[512];

	if (course_open(c, err, sizeof(err)) == 0)
		return 0;
	cmd_complain(verb, "%s", err);
	return -1;
}

/* Behind a name of `width` columns. In a pipe an entry is one line. */
static void print_title(const struct term *term, int width, const char *title)
{
	int at = width, indent = width + 2;
	char safe[COURSE_TITLE_MAX];

	if (!isatty(fileno(term->out))) {
		printf("  %s\n",
		       text_printable(safe, sizeof(safe), title,
				      TEXT_ONE_LINE | term_text_flags(term)));
		return;
	}
	if (term->width - indent < TITLE_COLUMNS) {
		putchar('\n');
		at = 0;
		indent = 4;
	}
	printf("%*s", indent - at, "");
	term_wrap(term, TERM_PLAIN, indent, indent, title);
	putchar('\n');
}

static void print_entry(const struct term *term, const struct course *c,
			const char *name, int width)
{
	char title[COURSE_TITLE_MAX], safe[NAME_MAX], err[512];
	int flags = TEXT_ONE_LINE | term_text_flags(term);
	struct experiment e;

	if (course_load(c, name, &e, err, sizeof(err)) < 0) {
		cmd_complain(name, "%s", err);
		return;
	}
	sandbox_title(e.text, e.text_len, title, sizeof(title));
	printf("%-*s", width, text_printable(safe, sizeof(safe), name, flags));
	print_title(term, width, title);
	experiment_free(&e);
}

static int list(const struct cmd *self, int argc, char **argv)
{
	struct term term = term_open(stdout);
	struct course c;
	int width = 0;

	(void)argv;
	if (argc > 1)
		return cmd_usage(self);
	if (open_course("list", &c) < 0)
		return STATUS_USAGE;
	for (size_t i = 0; i < c.count; i++) {
		int w = (int)strlen(c.names[i]);

		width = w > width ? w : width;
	}
	for (size_t i = 0; i < c.count; i++)
		print_entry(&term, &c, c.names[i], width);
	course_close(&c);
	return STATUS_HELD;
}

static int show(const struct cmd *self, int argc, char **argv)
{
	struct experiment e;
	struct course c;
	char err[512];
	int ret;

	if (argc != 2)
		return cmd_usage(self);
	if (open_course("show", &c) < 0)
		return STATUS_USAGE;
	ret = course_load(&c, argv[1], &e, err, sizeof(err));
	course_close(&c);
	if (ret < 0) {
		cmd_complain(argv[1], "%s", err);
		return STATUS_USAGE;
	}
	fwrite(e.text, 1, e.text_len, stdout);
	experiment_free(&e);
	return STATUS_HELD;
}

static const char template[] =
	"title \"%s\"\n"
	"about [[\n"
	"What a reader will see, and why it is so.\n"
	"]]\n"
	"\n"
	"-- Two programs, sender and receiver: real processes, one stream.\n"
	"-- s and r are their sockets; methods are the system's calls.\n"
	"local s, r = connect()\n"
	"\n"
	"-- Who is to get SIGURG when an urgent byte is announced.\n"
	"expect(0, r:fcntl(F_SETOWN, r.program.pid))\n"
	"\n"
	"-- The last byte of a send with MSG_OOB is urgent.\n"
	"expect(3, s:send(\"abc\", MSG_OOB))\n"
	"expect(true, r.program:wait_signal(SIGURG, 1.0))\n"
	"\n"
	"-- A call the kernel refuses gives nil and the error's name.\n"
	"if inline then\n"
	"\texpect_error(EINVAL, r:recv(1, MSG_OOB))\n"
	"else\n"
	"\texpect(\"c\", r:recv(1, MSG_OOB))\n"
	"end\n"
	"\n"
	"-- What was on the wire; on a Unix stream there is none to look at.\n"
	"segment { from = s, urg = true, urgent_pointer = 3, payload = \"abc\" "
	"}\n";

/* "my-first.lua" and "my-first" both are experiments called my-first. */
static int new (const struct cmd *self, int argc, char **argv)
{
	char path[4096], title[256];
	const char *base;
	size_t len;
	FILE *f;

	if (argc != 2 || !*argv[1])
		return cmd_usage(self);
	len = strlen(argv[1]);
	snprintf(path, sizeof(path), "%s%s", argv[1],
		 len > 4 && !strcmp(argv[1] + len - 4, ".lua") ? "" : ".lua");
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	snprintf(title, sizeof(title), "%.*s", (int)strlen(base) - 4, base);
	for (char *c = title; *c; c++)
		*c = *c == '"' || *c == '\\' || *c == '\n' ? '_' : *c;
	f = fopen(path, "wxe"); /* never over a file that is there */
	if (!f) {
		cmd_complain(path, "%s", strerror(errno));
		return STATUS_USAGE;
	}
	fprintf(f, template, title);
	if (fclose(f) != 0) {
		cmd_complain(path, "%s", strerror(errno));
		remove(path);
		return STATUS_USAGE;
	}
	printf("%s\n", path);
	return STATUS_HELD;
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "",
	.does = "list the course's experiments",
	.help = "example: ooblab list\n",
	.run = list,
};

const struct cmd cmd_show = {
	.name = "show",
	.args = "NAME",
	.does = "print the text of one experiment",
	.help = "example: ooblab show 1\n",
	.run = show,
};

const struct cmd cmd_new = {
	.name = "new",
	.args = "NAME",
	.does = "write a commented experiment to begin with",
	.help = "Writes NAME.lua, unless there is one already, and prints its "
		"name.\nWhat it can say is in docs/lua.md, installed as "
		"share/doc/ooblab/lua.md.\n\n"
		"example: ooblab new mine && ooblab run mine.lua\n",
	.run = new,
};
