title "The urgent byte can be looked at without taking it"
about [[
`MSG_OOB | MSG_PEEK` shows the urgent byte as often as one likes; `MSG_OOB`
alone takes it, and then there is none: `EINVAL`, and `POLLPRI` is quiet.

A plain `MSG_PEEK` looks at ordinary data, and stops before the urgent byte
just as a plain read does. Peeking moves nothing: neither the byte nor the
mark.

recv(2) · measured on Linux 6.18
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

expect(3, s:send("ab!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))

expect("!", r:recv(1, MSG_OOB | MSG_PEEK))
expect("!", r:recv(1, MSG_OOB | MSG_PEEK))
expect("ab", r:recv(10, MSG_PEEK))
expect(0, r:ioctl(SIOCATMARK))

expect("!", r:recv(1, MSG_OOB))
expect_error(EINVAL, r:recv(1, MSG_OOB | MSG_PEEK))
expect(0, r:poll(POLLPRI, 0))
expect("ab", r:recv(10))
