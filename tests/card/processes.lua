title "Programs are processes: they fork, group, signal and end"
needs { "urgent" }

local s, r = connect()
local sender, receiver = s.program, r.program

expect("sender", sender.name)
expect("receiver", receiver.name)
expect("integer", math.type(sender.pid))
expect(true, sender.pid ~= receiver.pid)
expect(true, s.program == sender)       -- the same one, however reached

-- Signals are counted until asked for.
expect(0, receiver:signals(SIGUSR1))
expect(0, receiver:kill(SIGUSR1))
expect(true, receiver:wait_signal(SIGUSR1, 2.0))
expect(1, receiver:signals(SIGUSR1))
expect(0, receiver:signals(SIGUSR1))
expect_error(ETIMEDOUT, receiver:wait_signal(SIGUSR1, 0.01))

-- One awaited is still counted, and awaited once.
expect(0, r:fcntl(F_SETOWN, receiver.pid))
expect(1, s:send("!", MSG_OOB))
expect(true, receiver:wait_signal(SIGURG, 2.0))
expect(1, receiver:signals(SIGURG))
expect("!", r:recv(1, inline and 0 or MSG_OOB))

-- fork() copies a process; fork_to() gives a socket in the copy.
local child = receiver:fork()
expect(true, child.pid ~= receiver.pid)
local named = receiver:fork("worker")
expect("worker", named.name)
local r2 = r:fork_to("twin")
expect("twin", r2.program.name)
local r3 = r:fork_to()
expect(r.fd, r3.fd)
local r4 = r:fork_to(child)             -- the socket it already has
expect(child, r4.program)
expect(4, s:send("abcd"))
expect("a", r:recv(1))
expect("b", r2:recv(1))
expect("c", r3:recv(1))
expect("d", r4:recv(1))

-- A group hears together.
expect(0, receiver:setpgid())
local r5 = r:fork_to("member")
expect(0, r:fcntl(F_SETOWN, -receiver.pid))
expect(1, s:send("!", MSG_OOB))
expect(true, receiver:wait_signal(SIGURG, 2.0))
expect(true, r5.program:wait_signal(SIGURG, 2.0))
expect(0, child:signals(SIGURG))

-- A group can be joined by number, and by naming its leader.
expect(0, child:setpgid(0, receiver.pid))
expect(0, named:setpgid(receiver.pid))
expect(0, r2.program:setpgid(receiver))

-- A program can be ended; that it ends is no surprise then.
local victim = program("victim")
expect(0, victim:kill(SIGKILL))
expect(false, pcall(function()
	while true do
		victim:signals(SIGURG)
	end
end))

-- sysctls are those of the experiment's own network.
expect(0, receiver:sysctl("net.ipv4.tcp_stdurg"))
expect_error(ENOENT, receiver:sysctl("net.ipv4.no_such_thing"))
expect("string", type(receiver:sysctl("net.ipv4.tcp_rmem")))
