title "A later call leaves the experiment free, and has its result in the end"
needs { "urgent" }

local s, r = connect()

local call = r.later:recv(10)
expect(false, call:done())
expect_error(ETIMEDOUT, call:result(0.05))
expect(5, s:send("hello"))
expect("hello", call:result(2.0))
expect(true, call:done())
expect("hello", call:result())         -- as often as one likes

-- One that does not block is there at once; refusals are results too.
call = r.later:recv(10, MSG_DONTWAIT)
expect(true, call:done())
expect_error(EAGAIN, call:result(2.0))

-- Others can use the socket meanwhile.
call = r.later:poll(POLLPRI, 5.0)
expect(0, r:poll(POLLIN, 0))
expect(1, s:send("!", MSG_OOB))
expect(POLLPRI, call:result(2.0))
expect("!", r:recv(1, inline and 0 or MSG_OOB))

-- Two calls of two programs at once.
local one, two = r.later:recv(10), s.later:recv(10)
expect(1, r:send("a"))
expect(1, s:send("b"))
expect("b", one:result(2.0))
expect("a", two:result(2.0))

-- accept() and connect() like any other.
local server, client = program("server"), program("client")
local l = server:socket(AF_UNIX, SOCK_STREAM)
expect(0, l:bind("@later"))
expect(0, l:listen())
local accepting = l.later:accept()
expect(false, accepting:done())
local c = client:socket(AF_UNIX, SOCK_STREAM)
local connecting = c.later:connect(l)
expect(0, connecting:result(2.0))
local a, from = accepting:result(2.0)
expect("server", a.program.name)
expect("table", type(from))
expect(3, a:write("end"))
expect("end", c:read(10))

-- All of them can be asked for later.
expect(2, r.later:send("xy"):result(1.0))
expect({ read = true }, s.later:select { read = true, timeout = 2.0 }
	:result(3.0))
expect("xy", s.later:read(2):result(1.0))
expect(0, r.later:ioctl(FIONREAD):result(1.0))
expect(0, r.later:shutdown(SHUT_RDWR):result(1.0))
