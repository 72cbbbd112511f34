#!/usr/bin/env bats
# .ci/check itself, on suites that pass, fail, crash, hang and leave things.

# The suites are scripts: what they expand is theirs.
# shellcheck disable=SC2016

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	top=$BATS_TEST_TMPDIR
	mkdir -p "$top"/{.ci,tests,build/tests}
	cp .ci/check .ci/tap.awk "$top/.ci"
	cd "$top" || return
}

# suite NAME SCRIPT
suite()
{
	: >"tests/$1.c"
	printf '#!/bin/bash\n%s\n' "$2" >"build/tests/$1"
	chmod +x "build/tests/$1"
}

check()
{
	JOBS=2 run .ci/check build "$@"
}

# gone PID: it has ended, or does within five seconds.
gone()
{
	local tries

	for tries in {1..50}; do
		grep -qs '^State:[[:space:]][^Z]' "/proc/$1/status" || return 0
		sleep 0.1
	done
	fail "process $1 still runs after $tries looks"
}

last_line_is()
{
	assert_equal "${lines[-1]}" "$1"
}

@test "counts what passes, and says so in the last line" {
	suite test_a 'printf "1..2\nok 1 - x\nok 2 - y\n"'
	suite test_b 'printf "1..1\nok 1 - z\n"'
	check
	assert_success
	last_line_is "3 passed, 0 failed, 0 skipped"
}

@test "a failure is counted, shown whole, and the rest goes on" {
	suite test_a 'printf "1..1\nnot ok 1 - x\n# 1 != 2\n"; exit 1'
	suite test_b 'printf "1..1\nok 1 - z\n"'
	check
	assert_failure 1
	assert_line "== test_a"
	assert_line "# 1 != 2"
	last_line_is "1 passed, 1 failed, 0 skipped"
}

@test "skips are listed with their reasons, cmocka's and bats's" {
	suite test_a 'printf "1..2\nok 1 - x\nno TUN here\nnot ok 2 # SKIP y\n"'
	printf '@test "z" { skip "no tty"; }\n' >tests/b.bats
	check
	assert_success
	assert_line "  test_a: y: no TUN here"
	assert_line "  b.bats: z: no tty"
	last_line_is "1 passed, 0 failed, 2 skipped"
}

@test "what the plan promised and a crash prevented has failed" {
	suite test_a 'printf "1..3\nok 1 - x\n"; kill -SEGV $$'
	check
	assert_failure 1
	last_line_is "1 passed, 2 failed, 0 skipped"
}

@test "a bad status after nothing but passes is a failure" {
	suite test_a 'printf "1..1\nok 1 - x\n"; exit 23'
	check
	assert_failure 1
	last_line_is "1 passed, 1 failed, 0 skipped"
}

@test "a suite that says nothing has failed, and so has one not built" {
	suite test_a ''
	suite test_b ''
	rm build/tests/test_b
	check
	assert_failure 1
	last_line_is "0 passed, 2 failed, 0 skipped"
}

@test "a suite that hangs is ended at its deadline" {
	suite test_a 'printf "1..1\n"; exec sleep 60'
	TEST_TIMEOUT=1 check
	assert_failure 1
	assert_line "no end within 1 s"
}

@test "what a suite leaves running is ended, named, and a failure" {
	suite test_a 'printf "1..1\nok 1 - x\n"; sleep 60 >/dev/null 2>&1 &
echo $! >left'
	check
	assert_failure 1
	assert_line --regexp '^left behind: [0-9]+ sleep$'
	last_line_is "1 passed, 1 failed, 0 skipped"
	gone "$(cat left)"
}

@test "a child that changes its process group does not get away" {
	suite test_a 'printf "1..1\nok 1 - x\n"; set -m; sleep 60 >/dev/null 2>&1 &
echo $! >left'
	check
	assert_failure 1
	assert_line --regexp '^left behind: [0-9]+ sleep$'
	gone "$(cat left)"
}

@test "a sanitizer's report in a child that nobody reads is a failure" {
	suite test_a 'printf "1..1\nok 1 - x\n"
log=${ASAN_OPTIONS#*log_path=}
echo "heap-use-after-free" >"${log%%:*}.$$"'
	check
	assert_failure 1
	assert_line "heap-use-after-free"
	last_line_is "1 passed, 1 failed, 0 skipped"
}

@test "a fuzz target is run over its corpus" {
	suite fuzz_decode 'printf "1..1\nok 1 - %s\n" "$1"'
	check
	assert_success
	assert_equal "$(sed -n 2p build/check/fuzz_decode.log)" \
		"ok 1 - tests/corpus/decode"
}

@test "only what is named is run" {
	suite test_a 'printf "1..1\nok 1 - x\n"'
	suite test_b 'printf "1..1\nnot ok 1 - x\n"'
	check test_a
	assert_success
	last_line_is "1 passed, 0 failed, 0 skipped"
}

@test "an interrupt ends the suites that run" {
	mkfifo began
	suite test_a 'echo $$ >began; exec sleep 60'
	.ci/check build >/dev/null 2>&1 3>&- &
	runner=$!
	read -r left <began
	kill -TERM $runner
	wait $runner || status=$?
	assert_equal "$status" 130
	gone "$left"
}

@test "no test at all is a failure" {
	check
	assert_failure 1
	last_line_is "0 passed, 0 failed, 0 skipped"
}
