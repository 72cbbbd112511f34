title "With tcp_stdurg=1 the urgent byte is the one behind the sender's"
about [[
RFC 1122 said that the urgent pointer names the urgent byte itself. Linux reads
it so when `net.ipv4.tcp_stdurg` is 1, but only when it receives: what it sends
is as before, and points to the byte behind. A Linux sender and a receiver with
`tcp_stdurg` therefore differ by one.

The sender means `!`. The receiver takes `!` for ordinary data, is told of an
urgent byte that has not come (`EAGAIN`), and takes the next one sent, `c`, for
it. If nothing more is ever sent, it waits for ever. RFC 6093 dropped RFC
1122's reading in 2011; the switch is still there. It counts for IPv6 too.

tcp(7), tcp_stdurg · RFC 6093 sections 3.2 and 4 · measured on Linux 6.18
]]
needs { "tcp", "namespace" }

local s, r = connect()
expect(0, r:fcntl(F_SETOWN, r.program.pid))
expect(0, r.program:sysctl("net.ipv4.tcp_stdurg"))
expect(0, r.program:sysctl("net.ipv4.tcp_stdurg", 1))

expect(3, s:send("ab!", MSG_OOB))
segment { from = s, urg = true, urgent_pointer = 3, payload = "ab!" }
expect(true, r.program:wait_signal(SIGURG, 2.0))
expect_error(inline and EINVAL or EAGAIN, r:recv(1, MSG_OOB))
expect("ab!", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))

expect(2, s:send("cd"))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
if inline then
	expect("cd", r:recv(2, MSG_WAITALL))
else
	expect("c", r:recv(1, MSG_OOB))
	expect("d", r:recv(1))
end
