title "SIGURG needs no O_ASYNC, and F_SETSIG does not replace it"
about [[
`F_SETOWN` serves two signals. `SIGIO`, "something can be read or written",
comes only with `O_ASYNC`, and `F_SETSIG` puts another signal in its place.
`SIGURG`, "urgent data", comes with the owner alone, and is always `SIGURG`.

With all three set an urgent byte brings both. The second is worth having:
`SIGURG` says neither which socket nor why (`si_code` is `SI_KERNEL`), while
the signal of `F_SETSIG` carries the descriptor in `si_fd` and `POLL_PRI` as
its code. Look for it in the timeline.

fcntl(2), "Managing signals" · measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()
expect(0, r:fcntl(F_SETOWN, r.program.pid))
expect(0, r:fcntl(F_SETSIG, SIGUSR1))

expect(1, s:send("!", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(0, r.program:signals(SIGUSR1))

expect(0, r:fcntl(F_SETFL, O_ASYNC))
expect(1, s:send("?", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 2.0))
expect(true, r.program:wait_signal(SIGUSR1, 2.0))
expect(0, r.program:signals(SIGIO))
