title "A reader that blocks swallows the urgent byte, unless SIGURG wakes it"
about [[
A thread sits in `recv`, waiting for ordinary data. An urgent byte arrives. The
read is at the mark, so it passes the byte over and goes on waiting: the byte
is gone before any other thread could take it, and the one that waits for
`POLLPRI` waits for ever.

BSD's remedy was the signal. Where the socket has an owner, `SIGURG` interrupts
the read, which then leaves the byte where it is and says `EINTR`. That holds
only for a handler without `SA_RESTART`, like the one these programs have. The
other remedy is not to block: wait in `poll` for `POLLIN | POLLPRI`, read only
what is there, and ask for the mark first.

signal(7), "Interruption of system calls" · measured on Linux 6.18
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

local blocked = r.later:recv(10)
expect(1, s:send("!", MSG_OOB))
expect(1, s:send("x"))
expect("x", blocked:result(2.0))
expect_error(EINVAL, r:recv(1, MSG_OOB))

note "the same with an owner"
expect(0, r:fcntl(F_SETOWN, r.program.pid))
blocked = r.later:recv(10)
expect(1, s:send("!", MSG_OOB))
expect_error(EINTR, blocked:result(2.0))
expect("!", r:recv(1, MSG_OOB))
