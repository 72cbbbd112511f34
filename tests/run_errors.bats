#!/usr/bin/env bats
# Experiments that go wrong: each says where, and the others run all the same.

setup()
{
	load run
	common_setup
	: "${ooblab:?}"
}

# One that goes wrong, and one that does not.
run_both()
{
	ooblab run --timeout "${limit:-10}" bad.lua ok.lua
	assert_failure 1
	assert_verdict "held: 4 expectations$"
	assert_line "1 of 2 held, 1 error"
}

# The same with a limit of a second: done within that, one more where the run
# has to use force, and one for the machine.
run_both_in_time()
{
	local limit=1 began=$EPOCHREALTIME took

	run_both
	took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	echo "took $took ms"
	[ "$took" -lt 3000 ]
}

@test "a syntax error: file and line" {
	experiment bad <<<'local x = = 1'
	run_both
	assert_verdict "error: bad.lua:1: unexpected symbol near '='$"
}

@test "a run-time error: file, line and traceback" {
	experiment bad <<-'LUA'
		local function reads(socket)
			return socket:recv("ten")
		end
		local s, r = connect()
		reads(r)
	LUA
	run_both
	assert_verdict "error: bad.lua:2: bad argument #1 to 'recv' \(number expected, got string\)$"
	assert_line --regexp "^ *bad.lua:2: in .*'reads'"
	assert_line --regexp "^ *bad.lua:5: in main chunk"
}

@test "an endless loop" {
	experiment bad <<<'while true do end'
	run_both_in_time
	assert_verdict "error: bad.lua:1: time limit of 1.0 s reached$"
}

@test "an endless loop in an error's handler, where no hook runs" {
	experiment bad <<-'LUA'
		local function forever() while true do end end
		xpcall(error, forever)
	LUA
	run_both_in_time
	assert_verdict "error: bad.lua:[12]: still running after 1 s: ended by force$"
}

@test "an endless finalizer" {
	experiment bad <<-'LUA'
		setmetatable({}, { __gc = function() while true do end end })
	LUA
	run_both_in_time
	assert_verdict "error: bad.lua:1: still running after 1 s: ended by force$"
}

@test "one call that takes minutes" {
	experiment bad <<-'LUA'
		local long = ("a"):rep(100000)
		expect(1, 2)
		long:find(".-.-.-.-.-.-b")
	LUA
	run_both_in_time
	assert_verdict "error: 1 of 1 expectations; bad.lua:3: still running after 1 s: ended by force$"
}

@test "all the memory there is" {
	experiment bad <<-'LUA'
		local all = {}
		while true do all[#all + 1] = ("x"):rep(1000) .. #all end
	LUA
	run_both
	assert_verdict "error: bad.lua:2: not enough memory$"
}

@test "a call that blocks for ever is named" {
	experiment bad <<-'LUA'
		local s, r = connect()
		r:recv(3)
	LUA
	run_both_in_time
	assert_verdict "error: bad.lua:2: time limit of 1.0 s reached: receiver is still in recv\(\)$"
}

@test "a program killed by a signal is named, and the signal" {
	experiment bad <<-'LUA'
		local s, r = connect()
		expect(0, r.program:kill(SIGTERM))
		r:recv(3)
	LUA
	run_both
	assert_verdict "error: bad.lua:3: .*receiver was killed by SIGTERM"
	assert_line --partial "+++ killed by SIGTERM +++"
}

@test "a program killed by what it did itself breaks the experiment" {
	experiment bad <<-'LUA'
		local s, r = connect()
		expect(0, r:fcntl(F_SETOWN, r.program.pid))
		expect(0, r:fcntl(F_SETSIG, SIGKILL))
		expect(0, r:fcntl(F_SETFL, O_ASYNC))
		expect(3, s:send("abc"))
		sleep(0.2)
	LUA
	run_both
	assert_verdict "error: receiver was killed by SIGKILL$"
}

@test "a program that has ended cannot be killed again" {
	experiment dead <<-'LUA'
		local a = program("a")
		expect(0, a:kill(SIGKILL))
		sleep(0.2)
		expect_error(ESRCH, a:kill(SIGKILL))
	LUA
	ooblab run dead.lua
	assert_success
}

@test "numbers that do not fit the system's call" {
	experiment bad <<-'LUA'
		local s, r = connect()
		s:send("x", MSG_OOB | 1 << 40)
	LUA
	run_both
	assert_verdict "error: bad.lua:2: bad argument #2 to 'send' \(integer of 32 bits expected\)$"
}

@test "requests that fill more than an int do no harm" {
	experiment odd <<-'LUA'
		local s, r = connect()
		for _, request in ipairs { 0x8912, 0x8913, 0x8927, 0x8904, 0x8933,
			0x89a2, 0x8946, 0x5413, 0xbfff5401 } do
			r:ioctl(request)
		end
		expect(3, s:send("abc"))
		expect("abc", r:recv(3))
	LUA
	ooblab run odd.lua
	assert_success
}

@test "no setting of the machine's can be changed" {
	experiment bad <<-'LUA'
		local a = program("a")
		expect(0, a:sysctl("net.ipv4.tcp_stdurg", 1))
		a:sysctl("kernel.printk", "7 4 1 7")
	LUA
	local before

	before=$(cat /proc/sys/net/ipv4/tcp_stdurg)
	run_both
	assert_verdict "error: bad.lua:3: bad argument #1 to 'sysctl' \(only those of the network \(net\.\*\) are set\)$"
	assert_equal "$(cat /proc/sys/net/ipv4/tcp_stdurg)" "$before"
	experiment bad <<-'LUA'
		program("a"):sysctl("net.../kernel.printk", "7 4 1 7")
	LUA
	ooblab run bad.lua
	assert_line --partial "ENOENT"
}

@test "more programs than there may be" {
	experiment bad <<-'LUA'
		for i = 1, 33 do program("p" .. i) end
	LUA
	run_both
	assert_verdict "error: bad.lua:1: program p33: there are 32 already$"
}

@test "more calls at once than there may be" {
	experiment bad <<-'LUA'
		local s, r = connect()
		for i = 1, 300 do r.later:recv(1) end
	LUA
	run_both
	assert_verdict "error: bad.lua:2: recv\(\): more than 256 calls, or 256 MiB in them, are under way$"
}

@test "more data in calls than there may be" {
	experiment bad <<-'LUA'
		local s, r = connect()
		local big = ("x"):rep(10000000)
		for i = 1, 100 do s.later:send(big) end
	LUA
	run_both
	assert_verdict "error: bad.lua:3: send\(\): more than 256 calls"
}

@test "calls that came back and are forgotten make room for others" {
	experiment many <<-'LUA'
		local s, r = connect()
		for i = 1, 600 do
			s:send("x")
			r.later:recv(1)
		end
		expect(1, s:send("y"))
	LUA
	ooblab run many.lua
	assert_success
}

@test "bytecode" {
	lua5.4 -e 'io.open("bad.lua", "wb"):write(string.dump(load("x = 1")))' \
		2>/dev/null || printf '\x1bLuaT' >bad.lua
	run_both
	assert_verdict "error: bad.lua:0: attempt to load a binary chunk"
}

@test "an error with more text than anyone wants" {
	experiment bad <<<'error(("x"):rep(10000000))'
	run_both
	assert [ "${#output}" -lt 20000 ]
}
