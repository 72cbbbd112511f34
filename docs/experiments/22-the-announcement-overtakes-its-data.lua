title "SIGURG can come before its byte: a full window stops only the data"
about [[
The receiver does not read, and its window closes. The sender has more to send,
and then an urgent byte. TCP must tell the receiver of it all the same, so
Linux lets the announcement ride on a window probe: a segment without data,
with URG and a pointer to a byte that lies far behind what the receiver has.

Then there is a mark, and `SIGURG`, but no byte. `recv(MSG_OOB)` says `EAGAIN`
where it would say `EINVAL` if there were none. `poll` and `select` are quiet:
the C library's manual says that select, too, tells of data on its way. On
Linux the signal alone does. What helps is to read: each read makes room, and
in the end the byte arrives.

RFC 9293 sections 3.8.5 and 3.8.6.1 (zero-window probes) · the C library's
manual, "Out-of-Band Data" · measured on Linux 6.18
]]
needs { "tcp" }

local s, r = connect { rcvbuf = 4096, sndbuf = 1 << 18 }
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(32768, s:send(("x"):rep(32768)))
segment { from = r, window = 0 }
expect(1, s:send("!", MSG_OOB))
segment { from = s, urg = true, len = 0, timeout = 5.0 }
expect(true, r.program:wait_signal(SIGURG, 5.0))

expect_error(inline and EINVAL or EAGAIN, r:recv(1, MSG_OOB))
expect(0, r:poll(POLLPRI, 0))
expect({}, r:select { except = true, timeout = 0 })
expect(0, r:ioctl(SIOCATMARK))

local unread = 32768
while unread > 0 do
	unread = unread - #r:recv(unread)
end
expect(POLLPRI, r:poll(POLLPRI, 5.0))
expect(1, r:ioctl(SIOCATMARK))
expect("!", r:recv(1, inline and 0 or MSG_OOB))
