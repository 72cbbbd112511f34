title "Socket options, flags and owners are set and asked by their own names"
needs { "urgent" }

local s, r = connect()

-- Integers.
expect(0, r:setsockopt(SOL_SOCKET, SO_RCVBUF, 8192))
expect(16384, r:getsockopt(SOL_SOCKET, SO_RCVBUF))
expect(0, s:setsockopt(SOL_SOCKET, SO_SNDBUF, 8192))
expect(16384, s:getsockopt(SOL_SOCKET, SO_SNDBUF))
expect(0, r:setsockopt(SOL_SOCKET, SO_KEEPALIVE, true))
expect(SOCK_STREAM, r:getsockopt(SOL_SOCKET, SO_TYPE))
expect(0, r:getsockopt(SOL_SOCKET, SO_ERROR))
expect(inline and 1 or 0, r:getsockopt(SOL_SOCKET, SO_OOBINLINE))
expect(0, r:setsockopt(SOL_SOCKET, SO_OOBINLINE, 1))
expect(1, r:getsockopt(SOL_SOCKET, SO_OOBINLINE))
expect(0, r:setsockopt(SOL_SOCKET, SO_OOBINLINE, false))
expect(0, r:getsockopt(SOL_SOCKET, SO_OOBINLINE))

-- Structs: seconds, and a table.
expect(0, r:setsockopt(SOL_SOCKET, SO_RCVTIMEO, 0.5))
expect(0.5, r:getsockopt(SOL_SOCKET, SO_RCVTIMEO))
expect_error(EAGAIN, r:recv(1))
expect(0, r:setsockopt(SOL_SOCKET, SO_RCVTIMEO, 0))
expect(0, r:setsockopt(SOL_SOCKET, SO_LINGER, { onoff = 1, linger = 3 }))
expect({ onoff = 1, linger = 3 }, r:getsockopt(SOL_SOCKET, SO_LINGER))

if transport ~= "unix" then
	expect(0, s:setsockopt(IPPROTO_TCP, TCP_NODELAY, 1))
	expect(1, s:getsockopt(SOL_TCP, TCP_NODELAY))
	expect("string", type(s:getsockopt(IPPROTO_TCP, TCP_CONGESTION)))
	expect(0, s:setsockopt(IPPROTO_TCP, TCP_CONGESTION, "reno"))
	expect("reno", s:getsockopt(IPPROTO_TCP, TCP_CONGESTION))
	expect_error(ENOPROTOOPT, s:getsockopt(IPPROTO_TCP, 9999))
end

-- Files' flags.
expect(O_RDWR, r:fcntl(F_GETFL))
expect(0, r:fcntl(F_SETFL, O_NONBLOCK))
expect(O_RDWR | O_NONBLOCK, r:fcntl(F_GETFL))
expect_error(EAGAIN, r:recv(1))
expect(0, r:fcntl(F_SETFL, 0))
expect(0, r:ioctl(FIONBIO, 1))
expect(O_NONBLOCK, r:fcntl(F_GETFL) & O_NONBLOCK)
expect(0, r:ioctl(FIONBIO, 0))
expect(0, r:fcntl(F_GETFL) & O_NONBLOCK)

-- Owners: by number, by program, by group, by kind.
local me = r.program
expect(0, r:fcntl(F_GETOWN))
expect(0, r:fcntl(F_SETOWN, me.pid))
expect(me.pid, r:fcntl(F_GETOWN))
expect({ type = F_OWNER_PID, pid = me.pid }, r:fcntl(F_GETOWN_EX))
expect(0, r:fcntl(F_SETOWN, me))
expect(me.pid, r:fcntl(F_GETOWN))
expect(0, r:fcntl(F_SETOWN_EX, { type = F_OWNER_TID, pid = me.pid }))
expect(F_OWNER_TID, r:fcntl(F_GETOWN_EX).type)
expect(0, r:fcntl(F_SETOWN_EX, { type = F_OWNER_PGRP, pid = me.pid }))
expect(0, me:setpgid())
expect(0, r:fcntl(F_SETOWN, -me.pid))
expect(-me.pid, r:fcntl(F_GETOWN))
expect(0, r:fcntl(F_SETOWN_EX, { type = F_OWNER_PID, pid = 0 }))
expect_error(ESRCH, r:fcntl(F_SETOWN, 999999))
expect(0, r:fcntl(F_SETSIG, SIGUSR2))
expect(SIGUSR2, r:fcntl(F_GETSIG))

-- Queues.
expect(3, s:send("abc"))
expect(POLLIN, r:poll(POLLIN, 2.0))
expect(3, r:ioctl(FIONREAD))
expect(3, r:ioctl(SIOCINQ))
expect("number", type(s:ioctl(SIOCOUTQ)))
expect(0, r:ioctl(SIOCATMARK))
expect_error(ENOTTY, r:ioctl(0x1234))
expect_error(ENOPROTOOPT, r:getsockopt(SOL_SOCKET, 9999))
