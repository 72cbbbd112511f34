#!/usr/bin/env bats
# Each finding has a trace and a section that explains it, and neither is
# without a finding. tests/data/README.md says what each trace holds.

bats_require_minimum_version 1.5.0

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
}

# The names of all findings.
findings()
{
	"$OOBLAB" explain | awk '{ print $1 }'
}

# trace<TAB>finding finding ..., of the table.
expected()
{
	awk -F ' *[|] *' '/^\| [a-z]/ && $2 != "trace" {
		gsub(",", "", $3); print $2 "\t" $3 }' tests/data/README.md
}

# What ooblab finds in file $1, in order.
found()
{
	"$OOBLAB" capture --json -r "$1" |
		jq -r 'select(.event == "finding").finding' | paste -sd ' '
}

summary()
{
	"$OOBLAB" capture --json -r "$1" | tail -n 1 | jq -c "$2"
}

@test "each trace has the findings that the table says, over IPv4 and IPv6" {
	local trace want file

	while IFS=$'\t' read -r trace want; do
		for file in tests/data/{,ip6/}"$trace.pcap"; do
			[ -e "$file" ] || continue
			assert_equal "$file: $(found "$file")" "$file: $want"
		done
	done < <(expected)
}

@test "each trace is in the table, and each of the table is there" {
	run diff <(expected | cut -f 1 | sort) \
		<(basename -s .pcap tests/data/*.pcap | sort)
	assert_output ""
	run diff <(basename -s .pcap tests/data/ip6/*.pcap | sort) \
		<(basename -s .pcap tests/data/*.pcap |
			grep -vxE 'counts|tunnel|unknown-link' | sort)
	assert_output ""
}

@test "each finding has a trace of its name that shows it" {
	local name

	for name in $(findings); do
		[[ " $(found "tests/data/$name.pcap") " == *" $name "* ]] ||
			fail "$name.pcap does not show it"
	done
}

@test "each finding has a section, in order, and no section is without" {
	run diff <(findings) <(sed -n 's/^## //p' docs/findings.md)
	assert_output ""
}

@test "a section ends with severity, source and command as the table has them" {
	local name severity rfc

	while read -r name severity rfc; do
		run "$OOBLAB" explain "$name"
		assert_success
		assert_line --index 0 "$name"
		assert_line --index -1 \
			"$severity · $rfc · \`ooblab capture -r tests/data/$name.pcap\`"
	done < <("$OOBLAB" explain)
}

@test "explain without its text says the one sentence" {
	cp "$OOBLAB" "$BATS_TEST_TMPDIR/ooblab"
	run "$BATS_TEST_TMPDIR/ooblab" explain pointer-zero
	assert_success
	assert_line --index 0 pointer-zero
	assert_line --index 1 --partial "URG with pointer 0"
	assert_line --index 2 "warning · RFC 6093 section 3.2"
}

@test "explain of what is no finding names the nearest, and exits 2" {
	run --separate-stderr "$OOBLAB" explain pointer-zer
	assert_failure 2
	assert_output ""
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	assert_equal "$stderr" \
		"ooblab: pointer-zer: no such finding; did you mean pointer-zero?"
}

# tshark's counts of file $1: frames, TCP, with URG. What is malformed behind TCP
# is not its fault.
tshark_counts()
{
	tshark -r "$1" -o ip.defragment:FALSE --disable-protocol tns \
		--disable-protocol telnet -T fields \
		-e tcp.hdr_len -e tcp.urgent_pointer -e tcp.flags.urg \
		-e _ws.malformed -E separator=, 2>/dev/null |
		awk -F , '{ n++ }
			$1 >= 20 && $2 != "" && $4 == "" { tcp++; urg += $3 }
			END { printf "[%d,%d,%d]\n", n, tcp, urg }'
}

@test "counts agree with tshark's on every trace" {
	local file

	for file in tests/data/*.pcap tests/data/ip6/*.pcap; do
		# tshark looks into tunnels
		[ "$file" = tests/data/tunnel.pcap ] && continue
		assert_equal "$file: $(summary "$file" '[.packets, .tcp, .urg]')" \
			"$file: $(tshark_counts "$file")"
	done
}

@test "packets that are no segments are counted apart" {
	run summary tests/data/counts.pcap \
		'[.packets, .tcp, .malformed, .fragments, .not_tcp, .unknown_link]'
	assert_output "[12,5,3,1,3,0]"
	run summary tests/data/unknown-link.pcap '[.packets, .tcp, .unknown_link]'
	assert_output "[1,0,1]"
}

@test "urgent data over IPv6 is found where tcpdump's tcpflags filter is blind" {
	local file=tests/data/ip6/readings-differ.pcap

	run --separate-stderr tcpdump -r $file 'tcp[tcpflags] & tcp-urg != 0'
	assert_output ""
	run found $file
	assert_output readings-differ
}
