title "One urgent byte: SIGURG for the owner, the byte for recv(MSG_OOB)"
about [[
A byte sent with `MSG_OOB` is *urgent*. Two things come of it at the other end:
a signal, `SIGURG`, and the byte itself, which `recv(MSG_OOB)` takes out of the
stream. It can be taken once.

The signal goes to the socket's *owner*, and a socket has none until
`fcntl(F_SETOWN)` names one. It says that urgent data is coming, not what it
is. With `SO_OOBINLINE` (run this with `--inline`) the signal is the same, but
the byte stays in the stream.

On the wire nothing is out of band. The byte travels in its place in the
stream; a flag, URG, and a pointer say where it is.

RFC 9293 section 3.8.5 · fcntl(2), F_SETOWN · the C library's manual,
"Out-of-Band Data"
]]
needs { "urgent" }

local s, r = connect()
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(1, s:send("!", MSG_OOB))
segment { from = s, urg = true, payload = "!" }
expect(true, r.program:wait_signal(SIGURG, 2.0))

if inline then
	expect_error(EINVAL, r:recv(1, MSG_OOB))
	expect("!", r:recv(1))
else
	expect("!", r:recv(1, MSG_OOB))
	expect_error(EINVAL, r:recv(1, MSG_OOB))
end
