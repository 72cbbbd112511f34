title "On TCP a second urgent byte wipes out a first that the reader stands at"
about [[
As before, a second urgent byte replaces the first. But now the reader has read
up to the first mark and stands there, about to take the byte, when the second
arrives. On TCP the first byte vanishes: it is neither urgent any more nor in
the stream. Between asking `SIOCATMARK` and calling `recv(MSG_OOB)` a program
can lose a byte it was told was there.

Linux steps over it on purpose, so that the reader is not left standing before
a byte that is no longer urgent. A Unix stream keeps it as ordinary data. With
inline delivery nothing is lost on either.

RFC 6093 section 3 · tcp_check_urg() in Linux's net/ipv4/tcp_input.c · measured
on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(3, s:send("ab1", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect("ab", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))
expect(1, r.program:signals(SIGURG))

expect(3, s:send("cd2", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))

if inline then
	expect("1cd", r:recv(3, MSG_WAITALL))
	expect("2", r:recv(10))
else
	expect("2", r:recv(1, MSG_OOB))
	if transport == "unix" then
		expect("1cd", r:recv(10))
	else
		expect("cd", r:recv(10))
	end
end
