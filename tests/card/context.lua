title "An experiment knows where it runs, and what it needs"
about [[
Text for the reader.

- of more than one paragraph
]]

local known = { tcp4 = true, tcp6 = true, unix = true, mptcp = true }
expect(true, known[transport])
expect("boolean", type(inline))
expect("Linux", kernel.name)
expect(true, kernel.release:match("^%d+%.%d+") ~= nil)

needs {}
if transport == "unix" then
	needs { "unix" }
	needs "unix"
else
	needs { "tcp", "urgent" }
end
needs(inline and {} or { "out-of-band" })

note("a note")
note(42)
print("printed", 1, nil, true)
sleep(0.01)
sleep(0)

-- Names are the system's; error constants are their names.
expect("EAGAIN", EAGAIN)
expect(EAGAIN, EWOULDBLOCK)
expect("ECONNREFUSED", ECONNREFUSED)
expect("integer", math.type(MSG_OOB))
for _, name in ipairs {
	"MSG_OOB", "MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_TRUNC",
	"MSG_NOSIGNAL", "MSG_MORE", "SO_OOBINLINE", "SO_RCVBUF", "SO_SNDBUF",
	"SO_RCVLOWAT", "SO_ERROR", "SO_LINGER", "SO_REUSEADDR", "SO_RCVTIMEO",
	"SOL_SOCKET", "SOL_TCP", "IPPROTO_TCP", "TCP_NODELAY", "TCP_CORK",
	"TCP_QUICKACK", "TCP_MAXSEG", "SIOCATMARK", "FIONREAD", "SIOCINQ",
	"SIOCOUTQ", "FIONBIO", "F_SETOWN", "F_GETOWN", "F_SETOWN_EX",
	"F_GETOWN_EX", "F_SETSIG", "F_GETSIG", "F_GETFL", "F_SETFL",
	"F_OWNER_TID", "F_OWNER_PID", "F_OWNER_PGRP", "O_NONBLOCK", "O_ASYNC",
	"SIGURG", "SIGIO", "SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGKILL",
	"SIGCHLD", "SIGALRM", "SIGINT", "POLLIN", "POLLPRI", "POLLOUT", "POLLERR",
	"POLLHUP", "POLLRDHUP", "POLLRDBAND", "POLLRDNORM", "EPOLLIN",
	"EPOLLPRI", "EPOLLET", "EPOLLONESHOT", "EPOLLRDHUP", "AF_UNIX", "AF_INET",
	"AF_INET6", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_NONBLOCK", "SHUT_RD",
	"SHUT_WR", "SHUT_RDWR", "SOMAXCONN",
} do
	expect(name .. " number", name .. " " .. type(_G[name]))
end
for _, name in ipairs {
	"EAGAIN", "EINVAL", "EINTR", "EPIPE", "ECONNRESET", "ECONNREFUSED",
	"ENOTCONN", "EOPNOTSUPP", "ETIMEDOUT", "EINPROGRESS", "EADDRINUSE",
	"EBADF", "ENOBUFS", "EALREADY", "EISCONN", "EPERM", "EACCES", "ESRCH",
	"ENOTTY", "ENOENT", "EDESTADDRREQ", "ENOTSOCK", "EPROTOTYPE",
} do
	expect(name, _G[name])
end
