#!/usr/bin/env bats
# What programs write and the repository keeps: traces, and what fuzzers begin
# with.

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
}

@test "the traces are what make_traces writes" {
	"$O/tests/make_traces" "$BATS_TEST_TMPDIR"
	run diff -r --exclude README.md tests/data "$BATS_TEST_TMPDIR"
	assert_success
	assert_output ""
}

@test "the seeds are what make_seeds writes, and more" {
	"$O/tests/make_seeds" "$BATS_TEST_TMPDIR"
	run bash -c 'diff -r tests/corpus "$1" | grep -v "^Only in tests/corpus"' \
		- "$BATS_TEST_TMPDIR"
	assert_output ""
}

@test "each fuzz target has seeds" {
	local target

	for target in tests/fuzz_*.c; do
		target=${target#tests/fuzz_}
		run ls "tests/corpus/${target%.c}"
		assert_success
		refute_output ""
	done
}
