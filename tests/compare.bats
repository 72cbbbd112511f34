#!/usr/bin/env bats
# Two captures of one connection, on the command line.

bats_require_minimum_version 1.5.0

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
}

@test "each trace is the same as itself" {
	local trace

	for trace in tests/data/*.pcap tests/data/ip6/*.pcap; do
		# which holds no TCP that we know
		[[ $trace != */unknown-link.pcap ]] || continue
		run "$OOBLAB" capture --json --compare "$trace" "$trace"
		[ "$status" -eq 0 ] || fail "$trace: status $status: $output"
		refute_output --partial '"of":"difference"'
	done
}

@test "the last object is the summary" {
	local trace=tests/data/clean-urgent.pcap

	run bash -c '"$1" capture --json --compare "$2" "$2" | tail -n 1 |
		jq -c "[.event, .of, .connections, .marks, .marks_intact]"' \
		- "$OOBLAB" "$trace"
	assert_output '["compare","summary",1,1,1]'
}

@test "standard input may be one of the two" {
	local trace=tests/data/clean-urgent.pcap

	run bash -c '"$1" capture --compare "$2" - <"$2"' - "$OOBLAB" "$trace"
	assert_success
	assert_output --partial "urgent marks: 1, intact: 1"
}

@test "a filter holds for both files" {
	local trace=tests/data/clean-urgent.pcap

	run --separate-stderr "$OOBLAB" capture --compare "$trace" "$trace" \
		udp port 9
	assert_failure 2
	assert_output --partial "A  $trace: 0 packets"
	assert_output --partial "B  $trace: 0 packets"
}

@test "docs/compare.md has each difference, as the table says it" {
	local names

	names=$(sed -n 's/^\t\t\.name = "\(.*\)",$/\1/p' capture/compare_kinds.c)
	refute [ -z "$names" ]
	# shellcheck disable=SC2016 # backquotes are the table's
	run diff <(echo "$names") <(sed -n 's/^| `\(.*\)` |.*/\1/p' \
		docs/compare.md | cut -d'`' -f1)
	assert_success
}
