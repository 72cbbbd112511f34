#!/usr/bin/env bats
# However a run ends, nothing of it is left, and what it found out is told.

# shellcheck disable=SC2030,SC2031 # each test is a process, and sets its own

setup()
{
	load run
	common_setup
	own_binary
	: "${ooblab:?}"
	experiment waits <<-'LUA'
		local s, r = connect()
		expect(3, s:send("abc", MSG_OOB))
		expect("x", r:recv(10, MSG_OOB))
		s.later:recv(1)
		note "waiting"
		r:recv(1, MSG_WAITALL)
		r:recv(1, MSG_WAITALL)
		r:recv(1, MSG_WAITALL)
	LUA
}

frames_saved()
{
	tcpdump -nr saved.pcapng 2>/dev/null | grep -q "urg 3"
}

# Start a run that waits in namespaces of its own, as $pid.
start_waiting()
{
	# A shell's background jobs ignore SIGINT, unless told.
	env --default-signal=INT "$ooblab" run --save saved.pcapng waits.lua \
		>out 2>err 3>&- &
	pid=$!
	becomes frames_saved
	namespaces=$(for p in $(ours); do
		readlink "/proc/$p/ns/net" "/proc/$p/ns/pid"
	done | grep -vFe "$(readlink /proc/self/ns/net)" \
		-e "$(readlink /proc/self/ns/pid)" | tr -dc '0-9\n' | sort -u)
	[ -n "$namespaces" ]
}

namespaces_gone()
{
	! lsns -n -o NS | grep -qFw "$namespaces"
}

assert_nothing_left()
{
	becomes none_left
	becomes namespaces_gone
}

# A capture that ends after a whole frame, the urgent one among them.
assert_saved()
{
	run tcpdump -nr saved.pcapng
	assert_success
	assert_output --partial "urg 3"
	refute_output --partial "truncated"
}

# assert_ends STATUS: the run does, with that
assert_ends()
{
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" "$1"
}

@test "children are waited for where the caller ignored their signal" {
	run timeout -k 1 30 env --ignore-signal=CHLD "$ooblab" run ok.lua
	assert_success
	assert_verdict "held: 4 expectations"
	assert_nothing_left
}

@test "SIGINT ends the run with 130; what was found out is told and saved" {
	start_waiting
	kill -INT "$pid"
	assert_ends 130
	assert_nothing_left
	assert_saved
	run cat out
	assert_line --partial "FAILED line 3"
	assert_verdict 'error: 1 of 2 expectations; interrupted'
}

@test "SIGTERM ends it with 143" {
	start_waiting
	kill -TERM "$pid"
	assert_ends 143
	assert_nothing_left
	assert_saved
}

@test "SIGHUP ends it with 129" {
	start_waiting
	kill -HUP "$pid"
	assert_ends 129
	assert_nothing_left
	assert_saved
}

@test "SIGKILL of the run takes all with it and leaves a readable capture" {
	start_waiting
	kill -KILL "$pid"
	assert_ends 137
	assert_nothing_left
	assert_saved
}

@test "trials that run at once all end with it" {
	for _ in 1 2 3; do set -- waits.lua "$@"; done
	env --default-signal=INT "$ooblab" run -j 3 "$@" >out 2>err 3>&- &
	pid=$!
	all_run() { [ "$(ours | wc -l)" -ge 10 ]; }
	becomes all_run
	kill -INT "$pid"
	assert_ends 130
	becomes none_left
}

@test "the kill of a trial is an error that names the signal" {
	start_waiting
	# The trial is the child of the run and the parent of its programs.
	kill -KILL "$(tr -d " " <"/proc/$pid/task/$pid/children")"
	assert_ends 1
	run cat out
	assert_verdict "error: 1 of 2 expectations; the trial was killed by SIGKILL"
	assert_nothing_left
}

@test "a reader that leaves ends the run at its next word" {
	# shellcheck disable=SC2016 # the inner shell's to expand
	run timeout -k 1 30 bash -c \
		'"$1" run --timeout 0.5 ok.lua waits.lua | head -c 1' _ "$ooblab"
	assert_output "A"
	becomes none_left
}
