title "A read that begins at the mark drops the urgent byte"
about [[
An urgent byte that nobody took is gone once somebody reads on. The read that
begins at the mark passes it over, and `recv(MSG_OOB)` then says `EINVAL`, as
if there had never been one.

It goes even where that read returns no data. With nothing behind the mark a
non-blocking read says `EAGAIN`, "try again", and has dropped the byte all the
same. So an event loop that reads until `EAGAIN` loses urgent bytes unless it
asks `SIOCATMARK` before each read, and takes the byte there.

The C library's manual asks the mark before each read for that reason, and does
not name it. Measured on Linux 6.18, on TCP and on Unix streams
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

expect(3, s:send("ab!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(2, s:send("cd"))
expect("ab", r:recv(10))
expect(1, r:ioctl(SIOCATMARK))
expect("!", r:recv(1, MSG_OOB | MSG_PEEK))  -- there it is

expect("cd", r:recv(2, MSG_WAITALL))
expect_error(EINVAL, r:recv(1, MSG_OOB))    -- and now it is not

note "the same with nothing behind the mark"
expect(1, s:send("?", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect("?", r:recv(1, MSG_OOB | MSG_PEEK))
expect_error(EAGAIN, r:recv(10, MSG_DONTWAIT))
expect_error(EINVAL, r:recv(1, MSG_OOB))
