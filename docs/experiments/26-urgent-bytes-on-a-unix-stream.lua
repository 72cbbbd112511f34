title "A Unix stream carries urgent bytes too, by rules of its own"
about [[
Since Linux 5.15 AF_UNIX streams take `MSG_OOB`. There is no wire, no pointer
and no announcement: a byte is there, or it is not. Most of what the other
experiments show on TCP is the same here. What differs:

- Sending nothing urgently is refused; TCP sends nothing, and says 0.
- An urgent byte alone sets `POLLIN`; on TCP `POLLPRI` alone.
- `FIONREAD` counts the urgent byte and what follows the mark; on TCP it counts
  up to the mark.
- A second urgent byte never makes the first vanish, and never brings back one
  that was taken.
- `accept` does not hand `SO_OOBINLINE` on.

A program tested over a socketpair is not tested for TCP.

unix(7) · measured on Linux 6.18; the rules were mended several times since
5.15
]]
needs { "unix", "out-of-band" }

local s, r = connect()

expect_error(EOPNOTSUPP, s:send("", MSG_OOB))

expect(1, s:send("!", MSG_OOB))
expect(POLLIN | POLLPRI, r:poll(POLLIN | POLLPRI, 2.0))
expect(1, r:ioctl(FIONREAD))
expect("!", r:recv(1, MSG_OOB))
expect_error(EAGAIN, r:recv(10, MSG_DONTWAIT))

expect(3, s:send("ab?", MSG_OOB))
expect(2, s:send("cd"))
expect(5, r:ioctl(FIONREAD))
expect("ab", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))
expect("?", r:recv(1, MSG_OOB))
expect("cd", r:recv(10))
