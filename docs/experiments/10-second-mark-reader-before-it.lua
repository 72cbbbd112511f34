title "A second urgent byte moves the mark; the first becomes ordinary data"
about [[
There is one urgent pointer and one mark. When a second urgent byte comes while
the reader still stands before the first, the mark moves on, and the first byte
is ordinary data from then on: `1` is read in its place in the stream, as if it
had never been urgent. Two urgent bytes were sent, two signals came, one byte
can be taken.

So a protocol must not count on one byte for each send. Telnet puts a Data Mark
into the stream for this reason: whatever happens to the mark, the reader knows
where the Synch was.

What comes of the first byte depends on where the reader stands; the next
experiments show the other cases. RFC 6093 section 3 says it is discarded.
Linux does not do that here. Measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(3, s:send("ab1", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))
expect(3, s:send("cd2", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))

if inline then
	expect("ab1cd", r:recv(5, MSG_WAITALL))
	expect(1, r:ioctl(SIOCATMARK))
	expect("2", r:recv(10))
else
	expect("2", r:recv(1, MSG_OOB))
	expect("ab1cd", r:recv(5, MSG_WAITALL))
	expect(1, r:ioctl(SIOCATMARK))
end
