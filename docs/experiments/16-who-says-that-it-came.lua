title "poll, select and epoll tell of the urgent byte; POLLRDBAND never does"
about [[
Besides the signal there are the readiness calls, and all of them ask the same
question of the kernel: is there an urgent byte to take now? `select` says so
in its third set, `poll` with `POLLPRI`, `epoll` with `EPOLLPRI`. `POLLRDBAND`,
the name that sounds right, comes from STREAMS; neither TCP nor a Unix stream
ever sets it on Linux.

Is an urgent byte alone something to *read*? On TCP it is not: `POLLPRI` comes
alone. A Unix stream sets `POLLIN` as well, though a plain read returns nothing
(and drops the byte). Delivered inline it is data, and `POLLIN` is right.

None of them is set by the announcement alone; `SIGURG` is.

poll(2) · select(2), "exceptional conditions" · measured on Linux 6.18
]]
needs { "urgent" }

local s, r = connect()
local all = POLLIN | POLLPRI | POLLRDBAND

expect(0, r:poll(all, 0))
expect({}, r:select { read = true, except = true, timeout = 0 })

expect(1, s:send("!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
if inline then
	expect(POLLIN, r:poll(POLLIN, 2.0))
	expect(POLLIN | POLLPRI, r:poll(all, 0))
	expect({ read = true, except = true },
		r:select { read = true, except = true, timeout = 0 })
	expect("!", r:recv(1))
elseif transport == "unix" then
	expect(POLLIN | POLLPRI, r:poll(all, 0))
	expect({ read = true, except = true },
		r:select { read = true, except = true, timeout = 0 })
	expect("!", r:recv(1, MSG_OOB))
else
	expect(POLLPRI, r:poll(all, 0))
	expect({ except = true },
		r:select { read = true, except = true, timeout = 0 })
	expect("!", r:recv(1, MSG_OOB))
end

expect(0, r:poll(POLLPRI, 0))
expect({}, r:select { except = true, timeout = 0 })
expect(0, r:epoll(EPOLLPRI, 0))
