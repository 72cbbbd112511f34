#!/usr/bin/env bats
# Experiments written to the card as docs/lua.md has it, each using one part of
# it in all the forms that a reader may expect to work.

OOBLAB=$(realpath "${OOBLAB:-build/ooblab}")

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
}

# ThreadSanitizer ends a program with threads that forks and then makes one.
unless_it_forks()
{
	if [[ ${O-} == *thread* ]] && grep -q fork "$1"; then
		skip "ThreadSanitizer cannot follow a fork"
	fi
}

# Runs tests/card/NAME.lua on all transports, both ways; all must hold there or
# be skipped, and one must hold.
holds()
{
	unless_it_forks "tests/card/$1.lua"
	run "$OOBLAB" run --json --inline=both -j2 \
		--transport tcp4,tcp6,unix,mptcp "tests/card/$1.lua"
	if [ "$status" -eq 77 ]; then
		skip "$output"
	fi
	assert_equal "$(jq -rR 'fromjson? | select(.event == "verdict" and
		.verdict != "held" and .verdict != "skipped") |
		"\(.transport): \(.why)"' <<<"$output")" ""
	assert_success
}

@test "addresses" { holds addresses; }
@test "calls that block" { holds blocking; }
@test "sockets handed on by fork" { holds handed_on; }
@test "context and constants" { holds context; }
@test "ends of streams, refusals" { holds endings; }
@test "expectations, and Lua itself" { holds expectations; }
@test "the library's calls" { holds liboob; }
@test "mistakes" { holds mistakes; }
@test "options, flags, owners, queues" { holds options; }
@test "processes, signals, sysctls" { holds processes; }
@test "select, poll and epoll" { holds readiness; }
@test "the wire" { holds wire; }

@test "no file of tests/card is left out" {
	local file

	for file in tests/card/*.lua; do
		grep -q "holds $(basename "$file" .lua);" tests/card.bats
	done
}

@test "what ooblab new writes holds" {
	cd "$BATS_TEST_TMPDIR" || return
	run "$OOBLAB" new mine
	assert_output mine.lua
	run "$OOBLAB" run --inline=both --transport tcp4,tcp6,unix mine.lua
	if [ "$status" -eq 77 ]; then
		skip "$output"
	fi
	assert_success
	assert_output --partial "6 of 6 held"
}

# Prints the folder that holds each block of docs/lua.md as an experiment.
blocks()
{
	awk -v dir="$BATS_TEST_TMPDIR" '
		/^```lua$/ { file = sprintf("%s/block-%02d.lua", dir, ++n); next }
		/^```$/ { file = "" }
		file { print >file }' docs/lua.md
	echo "$BATS_TEST_TMPDIR"
}

@test "each block of docs/lua.md is an experiment that holds" {
	unless_it_forks docs/lua.md
	run "$OOBLAB" run --json -j2 "$(blocks)"/block-*.lua
	if [ "$status" -eq 77 ]; then
		skip "$output"
	fi
	assert_equal "$(jq -rR 'fromjson? | select(.event == "verdict" and
		.verdict != "held") | "\(.experiment): \(.why)"' \
		<<<"$output")" ""
	assert_success
}

@test "docs/lua.md names all that the card has" {
	local name missing=

	while read -r name; do
		case $name in
		settle | observe) continue ;; # the lab's own
		esac
		grep -q "\b$name\b" docs/lua.md || missing+=" $name"
	done < <(sed -n 's/^\t\.name = "\([a-z_]*\)",$/\1/p' \
		tools/lab/calls_*.c)
	assert_equal "$missing" ""
}
