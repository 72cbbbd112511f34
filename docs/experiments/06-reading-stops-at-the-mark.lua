title "A read never crosses the mark, however much it asks for"
about [[
The place of the urgent byte in the stream is the *mark*. A read that begins
before it ends before it, even with `MSG_WAITALL`, which promises to return no
less than was asked. That is what makes the mark useful: `SIOCATMARK` says 1
when, and only when, the next read begins there, so a program can tell data
sent before the urgent byte from data sent after it.

At the mark TCP's `FIONREAD` says 0, though `POLLIN` is set and data follows:
it counts what can be read up to the mark. A loop that asks `FIONREAD` and
takes 0 for "nothing came" stands still here. A Unix stream counts it all, the
urgent byte included.

The next read begins at the mark and goes on behind it. The urgent byte is not
in it; with `SO_OOBINLINE` it is, as the first byte.

sockatmark(3) · tcp(7), SIOCATMARK and SIOCINQ · measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()

expect(3, s:send("ab!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(2, s:send("cd"))

expect(0, r:ioctl(SIOCATMARK))
expect("ab", r:recv(10, MSG_WAITALL))
expect(1, r:ioctl(SIOCATMARK))

expect(POLLIN, r:poll(POLLIN, 2.0))
if inline then
	expect("!cd", r:recv(3, MSG_WAITALL))
else
	expect(transport == "unix" and 3 or 0, r:ioctl(FIONREAD))
	expect("cd", r:recv(2, MSG_WAITALL))
end
expect(0, r:ioctl(SIOCATMARK))
