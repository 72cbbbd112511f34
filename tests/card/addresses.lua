title "Addresses can be given as host and port, text, table, socket, or not at all"

local server, client = program("server"), program("client")
local tcp = transport ~= "unix"
local family = transport == "unix" and AF_UNIX
	or transport == "tcp6" and AF_INET6 or AF_INET
local host = family == AF_INET6 and "::1" or "127.0.0.1"
local shown = family == AF_INET6 and "[::1]" or "127.0.0.1"

local function listener(...)
	local l = server:socket(family, SOCK_STREAM)
	expect(0, l:bind(...))
	expect(0, l:listen(5))
	return l
end

-- Connects to `l` by the address given, and compares all names there are.
local function meet(l, ...)
	local c = client:socket(family, SOCK_STREAM)

	expect(0, c:connect(...))
	local a, from = l:accept()
	expect(l:getsockname(), c:getpeername())
	expect(a:getsockname(), c:getpeername())
	expect(a:getpeername(), c:getsockname())
	expect(from, c:getsockname())
	expect(2, c:send("hi"))
	expect("hi", a:recv(2, MSG_WAITALL))
	expect(0, a:close())
	expect(0, c:close())
end

local l = listener()
meet(l, l)
meet(l, l:getsockname())

if tcp then
	local port = l:getsockname().port
	expect(host, l:getsockname().address)
	expect(family, l:getsockname().family)
	expect(shown .. ":" .. port, tostring(l:getsockname()))
	meet(l, host, port)
	meet(l, { address = host, port = port })
	meet(l, { host = host, port = port })
	meet(l, shown .. ":" .. port)
	l = listener(host, 0)
	meet(l, l:getsockname())
	l = listener(host)
	meet(l, l:getsockname())
	l = listener { address = host, port = 0 }
	meet(l, l:getsockname())
	l = listener(shown .. ":0")
	meet(l, l:getsockname())
else
	l = listener("@named")
	expect("@named", l:getsockname().path)
	meet(l, "@named")
	meet(l, { path = "@named" })
	l = listener { path = "@other" }
	meet(l, "@other")
end
