title "A mistake in the experiment is a Lua error that names it"

local s, r = connect()

-- mistake(what the message says, function that makes it)
local function mistake(says, f)
	local ok, message = pcall(f)

	expect(false, ok)
	expect(true, type(message) == "string"
		and message:find("mistakes.lua:%d+: ") ~= nil
		and message:find(says, 1, true) ~= nil)
	if ok or not message:find(says, 1, true) then
		note(tostring(message))
	end
end

mistake("#1 to 'send' (string expected", function() s:send() end)
mistake("#1 to 'recv' (number expected", function() r:recv() end)
mistake("#1 to 'recv' (number expected", function() r:recv("x") end)
mistake("#1 to 'recv' (number has no integer", function() r:recv(1.5) end)
mistake("#1 to 'recv' (length of up to 16 MiB", function() r:recv(-1) end)
mistake("#1 to 'read' (length of up to 16 MiB", function() r:read(1 << 30) end)
mistake("#1 to 'recv' (ooblab.socket expected", function() r.recv(1) end)
mistake("#1 to 'poll' (number expected", function() r:poll() end)
mistake("#2 to 'poll' (seconds", function() r:poll(POLLIN, -1) end)
mistake("#1 to 'ioctl' (number expected", function() r:ioctl() end)
mistake("#3 to 'setsockopt'", function() r:setsockopt(SOL_SOCKET, SO_RCVBUF) end)
mistake("#1 to 'bind' (IPv4 or IPv6", function()
	s.program:socket(AF_INET, SOCK_STREAM):bind("localhost", 1)
end)
mistake("#1 to 'select' (table expected", function() r:select(1) end)
mistake("select: no field is called \"exept\"", function()
	r:select { exept = true, timeout = 0 }
end)
mistake("fcntl: pid must be an integer", function()
	r:fcntl(F_SETOWN_EX, { type = F_OWNER_PID })
end)
mistake("no constant is called MSG_OBB; did you mean MSG_OOB?", function()
	s:send("x", MSG_OBB)
end)
expect(nil, no_such_global)
mistake("a socket has no \"sned\"", function() s:sned("x") end)
mistake("there is no call \"sned\"", function() s.later:sned("x") end)
mistake("a program has no \"exec\"", function() s.program:exec() end)

mistake("connect: no field is called \"sendbuf\"", function()
	connect { sendbuf = 1 }
end)
mistake("connect: sndbuf must be an integer", function()
	connect { sndbuf = "x" }
end)
mistake("connect: rcvbuf must be 1 to", function() connect { rcvbuf = 0 } end)
mistake("connect: no transport is called \"tcp5\"", function()
	connect { transport = "tcp5" }
end)
mistake("a name no program has yet", function() program("sender") end)
mistake("the timeline has a lane", function() program("wire") end)
mistake("letters, digits", function() program("a b") end)
mistake("#1 to 'program' (string expected", function() program() end)
mistake("#1 to 'wait_signal' (number expected", function()
	r.program:wait_signal("SIGURG")
end)
mistake("a signal that programs count", function()
	r.program:signals(SIGTERM)
end)
mistake("signal expected", function() r.program:kill(99) end)

mistake("#1 to 'expect' (value expected", function() expect() end)
mistake("#1 to 'expect_error' (string expected", function()
	expect_error(nil, nil, "EAGAIN")
end)
mistake("name of an error expected", function() expect_error("AGAIN", nil) end)
mistake("#1 to 'needs' (string expected", function() needs() end)
mistake("segment: no field is called \"form\"", function()
	segment { form = s }
end)
mistake("segment: from must be a socket or a program", function()
	segment { from = 12 }
end)
mistake("segment: seq must be an integer", function() segment { seq = "x" } end)
mistake("segment: no flag is called \"URGENT\"", function()
	segment { flags = "URGENT" }
end)
