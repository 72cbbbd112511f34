#!/usr/bin/env bats
# .ci/layers, on a copy of the tree in which somebody left the plan.

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	top=$BATS_TEST_TMPDIR
	mkdir -p "$top"/{oob,sigurg,capture,tools/lab,objects/{oob,sigurg,capture}}
	layers=$PWD/.ci/layers
	cd "$top" || return
}

# source FILE TEXT: a source file, and its object when it is a library's
source_file()
{
	printf '%s\n' "$2" >"$1"
	case $1 in
	tools/*) ;;
	*.c) "${CC:-cc}" -I. -c -o "objects/${1%.c}.o" "$1" ;;
	esac
}

@test "the plan's own arrows are allowed" {
	source_file oob/urgent.h 'int oob_send(void);'
	source_file oob/urgent.c '#include "oob/urgent.h"'
	source_file sigurg/owner.c '#include "oob/urgent.h"'
	source_file capture/flow.h ''
	source_file capture/flow.c '#include "flow.h"'
	source_file tools/lab/run.c '#include "capture/flow.h"'
	run "$layers" objects
	assert_success
	assert_output ""
}

@test "an arrow the plan does not have is named with file and line" {
	source_file sigurg/owner.h ''
	source_file capture/flow.h ''
	source_file oob/urgent.c $'\n#include "sigurg/owner.h"'
	source_file sigurg/owner.c '#  include "capture/flow.h"'
	source_file tools/text.h ''
	source_file capture/live.h '#include "tools/text.h"'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: oob/urgent.c:2: oob may not include sigurg/owner.h"
	assert_line "layers: sigurg/owner.c:1: sigurg may not include capture/flow.h"
	assert_line "layers: capture/live.h:1: capture may not include tools/text.h"
	assert_equal "${#lines[@]}" 3
}

@test "a way round through the folder above is seen" {
	source_file tools/text.h ''
	source_file oob/urgent.c '#include "../tools/text.h"'
	run "$layers" objects
	assert_failure 1
	assert_line --partial "oob may not include ../tools/text.h"
}

@test "a library that prints is named" {
	source_file oob/urgent.c '#include <stdio.h>
void oob_say(int n) { printf("%d\n", n); fputs("x", stderr); }'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: oob/urgent.c: a library may not use printf"
	assert_line "layers: oob/urgent.c: a library may not use stderr"
}

@test "a library that ends the process is named, assert() too" {
	source_file capture/flow.c '#include <assert.h>
#include <stdlib.h>
void capture_end(int n) { assert(n); exit(1); }'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: capture/flow.c: a library may not use exit"
	assert_line "layers: capture/flow.c: a library may not use __assert_fail"
}

@test "a library that knows Lua is named" {
	source_file sigurg/owner.c 'int lua_gettop(void *);
int sigurg_top(void *l) { return lua_gettop(l); }'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: sigurg/owner.c: a library may not use lua_gettop"
}

@test "writing to a stream the caller gave is allowed" {
	source_file capture/pcapng.c '#include <stdio.h>
int capture_write(FILE *f, int n) { return fprintf(f, "%d", n); }'
	run "$layers" objects
	assert_success
}

@test "capture opens no socket" {
	source_file capture/live.c '#include <sys/socket.h>
int capture_open(void) { return socket(AF_INET, SOCK_STREAM, 0); }'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: capture/live.c: a library may not use socket"
}

@test "a name without its room in front is named" {
	source_file oob/urgent.c 'int helper(void); int helper(void) { return 1; }'
	run "$layers" objects
	assert_failure 1
	assert_line "layers: oob/urgent.c: helper lacks the prefix oob_"
}
