title "Streams end as the calls say: by shutdown, close, reset and refusal"

local server, client = program("server"), program("client")
local family = transport == "unix" and AF_UNIX
	or transport == "tcp6" and AF_INET6 or AF_INET

local s, r = connect()

-- Half a stream ends; the other goes on.
expect(4, s:write("last"))
expect(0, s:shutdown(SHUT_WR))
expect("last", r:read(10))
expect("", r:read(10))
expect("", r:recv(10))
expect(3, r:send("yes"))
expect("yes", s:recv(3, MSG_WAITALL))
expect(true, r:poll(POLLIN | POLLRDHUP, 2.0) & POLLRDHUP ~= 0)

-- Writing where writing has ended: EPIPE, and SIGPIPE unless refused.
expect_error(EPIPE, s:send("x", MSG_NOSIGNAL))
expect(0, s.program:signals(SIGPIPE))
expect_error(EPIPE, s:send("x"))
expect(true, s.program:wait_signal(SIGPIPE, 2.0))
expect(1, s.program:signals(SIGPIPE))

-- A descriptor that was closed is none.
expect(0, s:close())
expect_error(EBADF, s:recv(1))
expect_error(EBADF, s:close())
expect_error(EBADF, s:select { read = true, timeout = 0 })
expect(POLLNVAL, s:poll(POLLIN, 0))

-- Nobody listens.
local l = server:socket(family, SOCK_STREAM)
expect(0, l:bind())
local where = l:getsockname()
local c = client:socket(family, SOCK_STREAM)
expect_error(ECONNREFUSED, c:connect(where))
expect_error(ENOTCONN, client:socket(family, SOCK_STREAM):getpeername())
if transport ~= "unix" then
	-- A reset: close with unread data, or with linger off.
	expect(0, l:listen(1))
	c = client:socket(family, SOCK_STREAM)
	expect(0, c:connect(where))
	local a = l:accept()
	expect(0, a:setsockopt(SOL_SOCKET, SO_LINGER, { onoff = 1, linger = 0 }))
	expect(0, a:close())
	expect(true, c:poll(POLLIN, 2.0) & POLLERR ~= 0)
	expect_error(ECONNRESET, c:recv(1))
	expect("", c:recv(1))
	segment { from = where.port and server, rst = true }
end

-- An address that is taken.
local other = server:socket(family, SOCK_STREAM)
expect_error(EADDRINUSE, other:bind(where))

-- Non-blocking connect and accept.
expect(0, l:listen(1))
expect(0, l:fcntl(F_SETFL, O_NONBLOCK))
expect_error(EAGAIN, l:accept())
c = client:socket(family, SOCK_STREAM | SOCK_NONBLOCK)
local done, why = c:connect(where)
expect(true, done == 0 or why == EINPROGRESS)
expect(POLLIN, l:poll(POLLIN, 2.0))
expect(POLLOUT, c:poll(POLLOUT, 2.0))
expect(0, c:getsockopt(SOL_SOCKET, SO_ERROR))
local a, from = l:accept()
expect(true, a ~= nil)
expect("table", type(from))
