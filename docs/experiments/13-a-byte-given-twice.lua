title "TCP gives an urgent byte twice when a second one moves the mark"
about [[
The receiver takes the urgent byte `1` out of band while ordinary data before
it is still unread: the very thing out-of-band data is for. Then a second
urgent byte arrives. Linux keeps only one mark, and forgets with the old one
that its byte was taken. `1` is ordinary data again, and is read a second time.

A program that acts on the out-of-band byte and then parses the stream acts
twice. A Unix stream remembers, and gives it once.

Measured on Linux 6.18; neither RFC 9293 nor the C library's manual speaks of
it
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

expect(3, s:send("ab1", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect("1", r:recv(1, MSG_OOB))

expect(3, s:send("cd2", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))

if transport == "unix" then
	expect("abcd", r:recv(10))
else
	expect("ab1cd", r:recv(10))
end
expect("2", r:recv(1, MSG_OOB))
