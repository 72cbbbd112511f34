title "Receiving the urgent byte into no room at all destroys it"
about [[
`recv(fd, buf, 0, MSG_OOB)` returns 0, which looks like "nothing happened". But
the kernel has handed the byte out: it marks it as read, whatever the room. To
ask whether there is an urgent byte, peek at it, or poll for `POLLPRI`.

The ordinary data around it is unharmed, and so is the mark.

Measured on Linux 6.18, on TCP and on Unix streams
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

expect(3, s:send("ab!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))

expect("", r:recv(0, MSG_OOB | MSG_PEEK))  -- a peek takes nothing
expect("", r:recv(0, MSG_OOB))             -- this took the byte
expect_error(EINVAL, r:recv(1, MSG_OOB))
expect(0, r:poll(POLLPRI, 0))

expect("ab", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))
