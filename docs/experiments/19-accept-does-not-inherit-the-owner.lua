title "A socket that accept() made has no owner, whatever its listener has"
about [[
A server sets everything up on its listening socket, once. `SO_OOBINLINE` is
then inherited by each socket that `accept` returns (on TCP; not on a Unix
stream). The owner is not, nor the signal of `F_SETSIG`: for `SIGURG` to come,
`F_SETOWN` must be called on each accepted socket. BSD handed the owner on, and
texts from that time leave the call out.

Here a server and a client make their sockets by hand. The urgent byte arrives,
`POLLPRI` says so, and no signal comes.

accept(2) · fcntl(2), F_SETOWN · measured on Linux 6.18
]]
needs { "urgent" }

local server, client = program("server"), program("client")
local family = transport == "unix" and AF_UNIX
	or transport == "tcp6" and AF_INET6 or AF_INET

local l = server:socket(family, SOCK_STREAM)
expect(0, l:bind())
expect(0, l:setsockopt(SOL_SOCKET, SO_OOBINLINE, 1))
expect(0, l:fcntl(F_SETOWN, server.pid))
expect(0, l:fcntl(F_SETSIG, SIGUSR1))
expect(0, l:listen(1))

local c = client:socket(family, SOCK_STREAM)
expect(0, c:connect(l))
local a = l:accept()

expect(server.pid, l:fcntl(F_GETOWN))
expect(0, a:fcntl(F_GETOWN))
expect(0, a:fcntl(F_GETSIG))
expect(transport == "unix" and 0 or 1, a:getsockopt(SOL_SOCKET, SO_OOBINLINE))

expect(1, c:send("!", MSG_OOB))
expect(POLLPRI, a:poll(POLLPRI, 2.0))
expect(0, server:signals(SIGURG))

note "with an owner of its own"
expect(0, a:fcntl(F_SETOWN, server.pid))
expect(1, c:send("!", MSG_OOB))
expect(true, server:wait_signal(SIGURG, 2.0))
