# What the tests of `ooblab run` share. OOBLAB: the command under test.

common_setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	ooblab=$(realpath "${OOBLAB:-build/ooblab}")
	# Leave what the caller's terminal and language would change.
	export LC_ALL=C.UTF-8 COLUMNS=200
	unset NO_COLOR
	cd "$BATS_TEST_TMPDIR" || return
	experiment ok <<-'LUA'
		title "An urgent byte"
		local s, r = connect()
		expect(0, r:fcntl(F_SETOWN, r.program.pid))
		expect(3, s:send("abc", MSG_OOB))
		expect(true, r.program:wait_signal(SIGURG, 5.0))
		expect("ab", r:recv(2))
	LUA
}

# experiment NAME <<LUA: make NAME.lua
experiment()
{
	cat >"$1.lua"
}

# ooblab ARGUMENT...: as `run` does, for at most 30 seconds
ooblab()
{
	run timeout -k 1 30 "$ooblab" "$@"
}

# A binary of this test's own, so that what runs it can be told from others.
own_binary()
{
	cp "$ooblab" ooblab
	ooblab=$PWD/ooblab
}

# the text of the verdict: "held: 4 expectations"
assert_verdict()
{
	assert_line --regexp "^$1"
}

# the processes that run own_binary, one PID a line
ours()
{
	find /proc -maxdepth 2 -name exe -lname "$ooblab" 2>/dev/null |
		tr -dc '0-9\n'
}

none_left()
{
	[ -z "$(ours)" ]
}

# becomes COMMAND...: true within five seconds
becomes()
{
	local tries

	for tries in {1..100}; do
		! "$@" || return 0
		sleep 0.05
	done
	fail "still not so after $tries looks: $*"
}
