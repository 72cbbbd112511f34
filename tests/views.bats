#!/usr/bin/env bats
# --view, --views and --compare: what a receiver would have read, where
# receivers disagree, and what happened to a mark between two captures.

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	ooblab=$(realpath "${OOBLAB:-build/ooblab}")
	data=$BATS_TEST_DIRNAME/data
}

# octets FILE VIEW: what --view writes into a pipe, in hexadecimal
octets()
{
	"$ooblab" capture -r "$data/$1" --view "$2" 2>/dev/null |
		od -An -tx1 | tr -d ' \n'
}

@test "a view into a pipe is the receiver's bytes and nothing else" {
	run octets readings-differ.pcap stripped
	stripped=$output
	run octets readings-differ.pcap linux-inline
	assert_output "$stripped"
	run octets readings-differ.pcap linux
	assert_equal "${#output}" "$((${#stripped} - 2))"
	run octets readings-differ.pcap rfc1122
	assert_equal "${#output}" "$((${#stripped} - 2))"
}

@test "what goes out of band is told on standard error" {
	run --separate-stderr "$ooblab" capture -r "$data/readings-differ.pcap" \
		--view linux
	assert_success
	# shellcheck disable=SC2154 # bats sets it
	assert_regex "$stderr" "^ooblab: linux: out of band: '.+' at [0-9]+$"
}

@test "on a terminal a view's bytes are escaped" {
	run script -qec "'$ooblab' capture -r '$data/hostile-payload.pcap' \
		--view stripped" /dev/null
	assert_success
	refute_output --regexp $'[\x01-\x08\x0e-\x1f\x7f]'
}

@test "views that differ are ambiguous, with status 1" {
	run "$ooblab" capture -r "$data/readings-differ.pcap" --views
	assert_failure 1
	assert_line --regexp '^ambiguous: [0-9]+ of [0-9]+ octets'
	run "$ooblab" capture -r "$data/clean-plain.pcap" --views
	assert_success
	assert_line --regexp '^all views agree on [0-9]+ octets$'
}

@test "--views --json has an object a view, a difference, and the verdict" {
	run --separate-stderr "$ooblab" capture \
		-r "$data/readings-differ.pcap" --views --json
	assert_failure 1
	run jq -es 'map(select(.event == "view").view) | index("linux-late")
		and index("suricata-gap") and length == 11' <<<"$output"
	assert_success
	run bash -c "'$ooblab' capture -r '$data/readings-differ.pcap' --views \
		--json | tail -n 1 | jq -c '[.event, .ambiguous]'"
	assert_output '["views",true]'
}

@test "a view of standard input is that of the file" {
	run bash -c "'$ooblab' capture -r - --view linux \
		<'$data/readings-differ.pcap' 2>/dev/null | od -An -tx1 |
		tr -d ' \n'"
	assert_output "$(octets readings-differ.pcap linux)"
}

@test "an unknown view names the nearest" {
	run "$ooblab" capture -r "$data/clean-plain.pcap" --view linux-inlin
	assert_failure 2
	assert_output "ooblab: capture: no view is called linux-inlin, did you \
mean linux-inline; --views compares them all"
}

@test "one second look at a time" {
	run "$ooblab" capture -r "$data/clean-plain.pcap" --views --ladder
	assert_failure 2
	assert_output "ooblab: capture: --ladder, --follow, --view and --views: \
one at a time"
}

@test "a capture compared with itself is the same" {
	run "$ooblab" capture --compare "$data/readings-differ.pcap" \
		"$data/readings-differ.pcap"
	assert_success
	run bash -c "'$ooblab' capture --compare \
		'$data/readings-differ.pcap' '$data/readings-differ.pcap' \
		--json | tail -n 1 | jq -c '[.event, .of, .marks_intact]'"
	assert_output '["compare","summary",1]'
}

@test "packets that -w wrote compare as the same; one file is not two" {
	run "$ooblab" capture -r "$data/readings-differ.pcap" \
		-w "$BATS_TEST_TMPDIR/a.pcapng" --whole-flows
	assert_failure 1
	run "$ooblab" capture --compare "$data/readings-differ.pcap" \
		"$BATS_TEST_TMPDIR/a.pcapng"
	assert_success
	run "$ooblab" capture --compare "$data/readings-differ.pcap"
	assert_failure 2
	assert_output "ooblab: capture: --compare needs two files"
}
