#!/usr/bin/env bats
# ooblab capture on a live interface, lo of a network namespace of the test's
# own: whatever is made of the packets is made by a process that may do next to
# nothing any more, and a call it may not make is the end of it.

bats_require_minimum_version 1.5.0

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	ooblab=$(realpath "${OOBLAB:-build/ooblab}")
	cd "$BATS_TEST_TMPDIR" || return
	unshare -rn true 2>/dev/null || skip "no namespaces: unshare -rn"
	# One stream over lo, "ab!" urgent.
	cat >send.pl <<-'END'
		use Socket;
		socket(my $l, PF_INET, SOCK_STREAM, 0) or die;
		bind($l, sockaddr_in(0, INADDR_LOOPBACK)) or die;
		listen($l, 1) or die;
		socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
		connect($s, getsockname($l)) or die;
		accept(my $r, $l) or die;
		defined(send($s, "ab!", MSG_OOB)) or die;
	END
	# Sends once it has given up its privileges: all is open by then.
	cat >live.sh <<-'END'
		ip link set lo up
		env --default-signal=INT "$@" & pid=$!
		until grep -qs 'NoNewPrivs:.1' /proc/$pid/status ||
			! readlink /proc/$pid/exe >/dev/null; do :; done
		perl send.pl
		kill -INT $pid 2>/dev/null
		wait $pid
	END
}

# live ARGUMENT...: `ooblab capture -i lo ARGUMENT...` sees the stream
live()
{
	run --separate-stderr timeout -k 1 30 unshare -rn sh live.sh \
		"$ooblab" capture -i lo "$@"
}

@test "lines" {
	live
	assert_success
	assert_output --partial "up=3: urgent byte '!'"
	assert_output --partial "0 dropped by the kernel"
}

@test "objects" {
	live --json
	assert_success
	assert_output --partial '"urg":1'
}

@test "urgent packets in a file" {
	live -w out.pcapng
	assert_success
	run tcpdump -nr out.pcapng
	assert_output --partial "urg 3"
}

@test "whole flows in a file" {
	live -w out.pcapng --whole-flows
	assert_success
	run tcpdump -nr out.pcapng
	assert_output --partial "urg 3"
	assert_output --partial "Flags [S.]"
}

@test "a file that cannot be written is found out before the packets" {
	live -w no/out.pcapng
	assert_failure 2
	# shellcheck disable=SC2154 # bats sets it
	assert_equal "$stderr" "ooblab: no/out.pcapng: No such file or directory"
}

@test "a ladder" {
	live --ladder
	assert_success
	assert_output --partial "SYN ACK"
	assert_output --partial "up=3: urgent byte '!'"
}

@test "what was said" {
	live --follow 0
	assert_success
	assert_output --partial "ab"
}

@test "a view, and what it has to say of it" {
	live --view linux
	assert_success
	assert_output "ab"
	assert_equal "$stderr" "ooblab: linux: out of band: '!' at 3"
}

@test "all views" {
	live --views
	assert_output --partial "suricata-oob"
	assert_equal "$status" 1
}

@test "a complaint at the end" {
	live --ladder --flow 7
	assert_failure 2
	assert_equal "$stderr" "ooblab: lo: there is no flow 7: there is 1"
}

@test "into a device that is no terminal" {
	# shellcheck disable=SC2016
	run timeout -k 1 30 unshare -rn sh live.sh sh -c 'exec "$0" "$@" >/dev/null' \
		"$ooblab" capture -i lo
	assert_success
}
