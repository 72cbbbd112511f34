title "select, poll and epoll wait for what they are asked, as long as told"
needs { "urgent", "out-of-band" }

local s, r = connect()

-- Nothing yet: 0 after the time, an empty table from select.
expect(0, r:poll(POLLIN, 0))
expect(0, r:poll(POLLIN | POLLPRI, 0.01))
expect(0, r:epoll(EPOLLIN | EPOLLPRI, 0))
expect({}, r:select { read = true, timeout = 0 })
expect({}, r:select { read = true, except = true, timeout = 0.01 })

-- Always ready to write.
expect(POLLOUT, r:poll(POLLIN | POLLOUT, 1.0))
expect(EPOLLOUT, r:epoll(EPOLLOUT, 1.0))
expect({ write = true }, r:select { read = true, write = true, except = true })
expect(true, r:select { write = true, timeout = 1.0 }.write)

expect(1, s:send("x"))
expect(POLLIN, r:poll(POLLIN | POLLPRI, 2.0))
expect(EPOLLIN, r:epoll(EPOLLIN | EPOLLPRI, 2.0))
expect({ read = true },
	r:select { read = true, except = true, timeout = 2.0 })
expect({ read = true, write = true },
	r:select { read = true, write = true, except = true, timeout = 2.0 })

expect(2, s:send("y!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect("!", r:recv(1, MSG_OOB | MSG_PEEK))
expect(POLLIN | POLLPRI, r:poll(POLLIN | POLLPRI, 2.0))
expect(EPOLLPRI, r:epoll(EPOLLPRI, 2.0))
local ready = r:select { read = true, except = true, timeout = 2.0 }
expect(true, ready.read)
expect(true, ready.except)
expect(nil, ready.write)

-- Level-triggered says it again, edge-triggered once, one-shot until rearmed.
expect(EPOLLPRI, r:epoll(EPOLLPRI, 0))
expect(EPOLLPRI, r:epoll(EPOLLPRI, 0))
expect(EPOLLPRI, r:epoll(EPOLLPRI | EPOLLET, 2.0))
expect(0, r:epoll(EPOLLPRI | EPOLLET, 0))
expect(EPOLLPRI, r:epoll(EPOLLPRI | EPOLLONESHOT, 2.0))
expect(0, r:epoll(EPOLLPRI | EPOLLONESHOT, 0))

-- A wait that another program ends.
expect("!", r:recv(1, MSG_OOB))
expect("xy", r:recv(2, MSG_WAITALL))
for _, wait in ipairs {
	r.later:poll(POLLPRI),
	r.later:epoll(EPOLLPRI, 5.0),
	r.later:select { except = true },
} do
	expect(1, s:send("!", MSG_OOB))
	expect(true, wait:result(2.0) ~= nil)
	expect("!", r:recv(1, MSG_OOB))
end
