#!/usr/bin/env bats
# What `ooblab capture` prints, and that nothing else is in it.

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	ooblab=$(realpath "${OOBLAB:-build/ooblab}")
	data=$BATS_TEST_DIRNAME/data
}

@test "--json --summary is the last object of --json, alone" {
	local last

	last=$("$ooblab" capture -r "$data/readings-differ.pcap" --json |
		tail -n 1)
	run "$ooblab" capture -r "$data/readings-differ.pcap" --json --summary
	assert_failure 1
	assert_output "$last"
	run "$ooblab" capture -r "$data/readings-differ.pcap" --summary --json
	assert_output "$last"
}

@test "one of a thing is not several" {
	run "$ooblab" capture -r "$data/readings-differ.pcap" --summary
	assert_failure 1
	assert_output --partial " 1 flow, "
	refute_output --regexp '(^| )1 [a-z]+s\b'
}

# Each segment with URG has a line with its pointer, as tcpdump shows it.
@test "each urgent segment has a line, with the pointer that tcpdump shows" {
	local file

	for file in "$data"/zero-window-announcement.pcap \
		"$data"/pointer-beyond-data.pcap "$data"/several-marks.pcap; do
		run "$ooblab" capture -r "$file"
		assert_equal "$(sed -n 's/^#.* up=\([0-9]*\).*/\1/p' <<<"$output")" \
			"$(tcpdump -nr "$file" 2>/dev/null |
				sed -n 's/.*Flags \[[^]]*U[^]]*\].* urg \([0-9]*\).*/\1/p')"
		assert_output --partial " up="
	done
}
