title "Multipath TCP takes an urgent send and delivers ordinary data"
about [[
`send(MSG_OOB)` on an MPTCP socket succeeds. Nothing urgent comes of it: no URG
on the wire, no mark, no signal; the bytes arrive as ordinary data. The flag is
ignored on receipt too, where `recv(MSG_OOB)` reads the stream like any `recv`,
and blocks like one. Only the mark and inline delivery are refused openly.

An urgent pointer counts the bytes of one TCP connection. Multipath TCP spreads
a stream over several, with sequence numbers of its own, and has no place for
it. A program that relies on urgent data and has its sockets turned into MPTCP,
by a wrapper or an eBPF program, loses it without an error.

RFC 8684 · measured on Linux 6.18
]]
needs { "mptcp", "out-of-band" }
if transport ~= "tcp4" and transport ~= "mptcp" then
	skip "MPTCP runs over IPv4 here"
end

local s, r = connect { transport = "mptcp" }
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(3, s:send("ab!", MSG_OOB))
segment { from = s, urg = false, urgent_pointer = 0, payload = "ab!" }
expect(POLLIN, r:poll(POLLIN | POLLPRI, 2.0))
expect(0, r.program:signals(SIGURG))

expect("ab", r:recv(2, MSG_OOB))
expect("!", r:recv(10))
expect_error(ENOTTY, r:ioctl(SIOCATMARK))
expect_error(EOPNOTSUPP, r:setsockopt(SOL_SOCKET, SO_OOBINLINE, 1))
