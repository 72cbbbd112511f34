title "A full send buffer stops urgent data like any other"
about [[
"Higher priority" ends at the sender's own buffer. An urgent byte takes its
place behind what was written before, and where there is no room for a byte
there is none for an urgent one: `EAGAIN`, or a call that blocks. No
announcement goes out, no signal comes.

So urgent data cannot break a deadlock in which both ends wait for each other
to read, unless the sender left room for it.

send(2) · measured on Linux 6.18
]]
needs { "urgent" }
if transport ~= "unix" then
	needs { "capture" }   -- it is on the wire that the window is seen to close
end

local s, r = connect { rcvbuf = 4096, sndbuf = 8192 }
expect(0, r:fcntl(F_SETOWN, r.program.pid))

local function fill()
	repeat until not s:send(("x"):rep(1000), MSG_DONTWAIT)
end

fill()
segment { from = r, window = 0 }   -- nothing leaves from here on
fill()

expect_error(EAGAIN, s:send("x", MSG_DONTWAIT))
expect_error(EAGAIN, s:send("!", MSG_OOB | MSG_DONTWAIT))
expect(0, r.program:signals(SIGURG))
expect(0, r:poll(POLLPRI, 0))
