title "Only the last byte of an urgent send is urgent"
about [[
`send("abc", MSG_OOB)` sends three bytes and makes one of them urgent: `c`. The
other two are ordinary data like any other, read by a plain `recv`.

There is no urgent *message*. TCP marks a place in the stream, not a stretch of
it, and the sockets interface hands out one byte at that place. To call a
longer message urgent, a protocol must say so itself, as Telnet does with its
Data Mark (RFC 854).

Notice the order: `c` was sent last and is had first. That, and no more, is
what "higher priority" in the C library's manual comes to.

RFC 6093 section 3 · RFC 9293 section 3.8.5
]]
needs { "urgent" }

local s, r = connect()

expect(3, s:send("abc", MSG_OOB))
segment { from = s, urg = true, payload = "abc" }   -- the wire keeps the order
expect(POLLPRI, r:poll(POLLPRI, 2.0))

if inline then
	expect("ab", r:recv(10))    -- a read stops before the urgent byte
	expect("c", r:recv(10))
else
	expect("c", r:recv(10, MSG_OOB))
	expect("ab", r:recv(10))
end
