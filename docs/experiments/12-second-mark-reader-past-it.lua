title "A reader past the first mark simply meets the second"
about [[
The third case, for completeness. The reader has gone on behind the first mark
without taking the byte: the byte is lost, as any read at the mark loses it,
and the second urgent byte is a new one with a mark of its own. Nothing of the
second episode is affected by the first.

Three cases, three fates of the first byte: ordinary data, vanished, dropped by
the read. Only inline delivery makes them one.

Measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()

expect(3, s:send("ab1", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect(2, s:send("xy"))
expect("ab", r:recv(10))
if inline then
	expect("1xy", r:recv(3, MSG_WAITALL))
else
	expect("xy", r:recv(2, MSG_WAITALL))
	expect_error(EINVAL, r:recv(1, MSG_OOB))
end
expect(0, r:ioctl(SIOCATMARK))

expect(3, s:send("cd2", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
if inline then
	expect("cd", r:recv(10))
	expect("2", r:recv(10))
else
	expect("2", r:recv(1, MSG_OOB))
	expect("cd", r:recv(10))
end
