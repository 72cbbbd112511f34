#!/usr/bin/env bats
# What it says of words it does not understand: one line on standard error,
# "ooblab: SUBJECT: CAUSE" with what to do about it, and exit status 2.

bats_require_minimum_version 1.5.0

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	ooblab=$(realpath "${OOBLAB:-build/ooblab}")
	cd "$BATS_TEST_TMPDIR" || return
}

# complains LINE ARGUMENT...: "ooblab: LINE" is all it says of the arguments
complains()
{
	run --separate-stderr timeout -k 1 30 "$ooblab" "${@:2}" </dev/null
	# shellcheck disable=SC2154 # bats sets it
	assert_equal "$stderr" "ooblab: $1"
	assert_equal "$output" ""
	assert_equal "$status" 2
}

@test "verbs" {
	complains "hlep: no such verb; did you mean help?" hlep
	complains "xyzzy: no such verb; 'ooblab help' lists them" xyzzy
	complains "ruin: no such verb; did you mean run?" help ruin
}

@test "options" {
	complains "run: unknown option --jsn; did you mean --json?" run --jsn
	complains "run: unknown option --jsn; did you mean --json?" run 1 --jsn
	complains "run: unknown option --xyzzy; 'ooblab help run' lists them" \
		run --xyzzy
	complains "run: unknown option -x; 'ooblab help run' lists them" \
		run -vx 1
	complains "run: --json takes no value" run --json=3
	complains "run: --timeout needs a value" run --timeout
	complains "capture: -r needs a value" capture -r
	complains "capture: unknown option --flwo; did you mean --flow?" \
		capture --flwo=3
}

@test "values" {
	complains "run: --timeout takes a number from 0.001 to 3600, not x" \
		run --timeout x 1
	complains "run: -j takes a number from 1 to 32, not 33" run -j 33 1
	complains "run: --inline is on, off or both, not yes" run --inline=yes
	complains "run: no transport is called tcp5; there are tcp4, tcp6, \
unix and mptcp" run --transport tcp5 1
	complains "run: --transport names none; there are tcp4, tcp6, unix \
and mptcp" run --transport= 1
	complains "run: --json and --tap: one at a time" run --json --tap 1
}

@test "arguments of verbs that take none, or one" {
	complains "list: usage: ooblab list; 'ooblab help list' tells more" \
		list 1
	complains "show: usage: ooblab show NAME; 'ooblab help show' tells \
more" show
	complains "new: usage: ooblab new NAME; 'ooblab help new' tells more" \
		new one two
}

@test "experiments" {
	touch mine.lua
	complains "mine: no such file, nor an experiment of the course; did \
you mean mine.lua?" run mine
	complains "one-urgent-bite: no such file, nor an experiment of the \
course; did you mean 01-one-urgent-byte?" run one-urgent-bite
	complains "999: no such file, nor an experiment of the course; \
'ooblab list' names them" show 999
	complains "no.lua: no such file, nor an experiment of the course; \
'ooblab list' names them" run no.lua
	complains "./no: no such file, nor an experiment of the course; \
'ooblab list' names them" run ./no
	complains "/: Is a directory" run /
	complains "mine.lua: File exists" new mine
}

@test "captures" {
	local data=$BATS_TEST_DIRNAME/data/clean-plain.pcap

	complains "capture: one of -i and -r is needed" capture
	complains "capture: one of -i and -r is needed" \
		capture -i lo -r "$data"
	complains "no.pcap: No such file or directory" \
		capture -r no.pcap
	complains "/dev/null: expected a pcap or pcapng file, found \
no bytes" capture -r /dev/null
	complains "$data: filter \"xyzzy\": can't parse filter expression: \
syntax error" capture -r "$data" xyzzy
	complains "capture: --flow needs --ladder, --view or --views" capture -r "$data" --flow 0
	complains "$data: there is no flow 9: there is 1" \
		capture -r "$data" --follow 9
	complains "capture: ladders, views, --follow and -w - have standard output \
to themselves" capture -r "$data" --ladder --json
	complains "capture: -c takes a number from 1 to 18446744073709551615, \
not 0" capture -r "$data" -c 0
	complains "no/x.pcapng: No such file or directory" \
		capture -r "$data" -w no/x.pcapng
}

@test "a capture that is cut off is named, after what it held" {
	head -c 500 "$BATS_TEST_DIRNAME/data/clean-plain.pcap" >cut.pcap
	run --separate-stderr "$ooblab" capture -r cut.pcap --summary
	assert_failure 2
	assert_output --regexp '^[0-9]+ packets, '
	assert_equal "$stderr" "ooblab: cut.pcap: at byte 449: the file ends \
within a record"
}

@test "findings" {
	complains "urg-on-sny: no such finding; did you mean urg-on-syn?" \
		explain urg-on-sny
}
