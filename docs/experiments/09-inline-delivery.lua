title "With SO_OOBINLINE the urgent byte is read in its place, at the mark"
about [[
Out-of-band delivery can lose the byte, give it twice or out of order. Inline
delivery can do none of that: the byte stays where it was sent, nothing
overtakes anything, and the mark still says which byte it is. `recv(MSG_OOB)`
is refused. `SIGURG` and `POLLPRI` come as before. RFC 6093 asks it of every
program that must use urgent data at all.

Reads still stop at the mark, so the urgent byte is always the first of a read,
never in the middle: ask `SIOCATMARK`, and if it says 1 the next byte is it.

Set it before urgent data can arrive. TCP hands the option from a listening
socket to those it accepts; a Unix stream does not.

RFC 6093 section 6 · socket(7), SO_OOBINLINE · measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect { inline = true }
expect(1, r:getsockopt(SOL_SOCKET, SO_OOBINLINE))
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(3, s:send("ab!", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(2, s:send("cd"))

expect_error(EINVAL, r:recv(1, MSG_OOB))
expect("ab", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))
expect("!cd", r:recv(3, MSG_WAITALL))
expect(0, r:ioctl(SIOCATMARK))
