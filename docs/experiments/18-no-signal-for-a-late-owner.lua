title "An owner set after the urgent byte came hears nothing of it"
about [[
`SIGURG` is sent at the moment a new mark arrives, to whoever owns the socket
then. Setting the owner later brings no signal for a byte that is already
there, and no call asks for one. A server that calls `accept`, then `F_SETOWN`,
misses the urgent byte of a client that was quicker.

The cure: after `F_SETOWN`, look once (`POLLPRI`, or `SIOCATMARK`). The next
urgent byte is signalled.

fcntl(2), F_SETOWN · measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()

expect(1, s:send("!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(0, r:fcntl(F_GETOWN))
expect(0, r:fcntl(F_SETOWN, r.program.pid))
expect(0, r.program:signals(SIGURG))

expect(POLLPRI, r:poll(POLLPRI, 0))   -- looking is what helps

expect(1, s:send("?", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))
