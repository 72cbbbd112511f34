title "A socket handed on by fork belongs to both programs"
needs { "tcp", "capture" }

local s, r = connect()
local child = r:fork_to("child")

-- The name on the wire stays that of the program that had it first.
expect(2, s:send("ab"))
expect("receiver", segment { from = s, to = r, payload = "ab" }.to)

-- Whichever is named, it is the same segment.
expect(1, #segments { to = child, payload = "ab" })
expect(1, #segments { to = "child", payload = "ab" })
expect(1, #segments { to = "receiver", payload = "ab" })
expect(0, #segments { from = "child", payload = "ab" })

-- Sockets accepted from one listener are told apart by their far ends.
local server, alice, bob = program("server"), program("alice"), program("bob")
local l = server:socket(r:getsockname().family, SOCK_STREAM)
expect(0, l:bind())
expect(0, l:listen(2))

local function accept(client, worker)
	local c = client:socket(l:getsockname().family, SOCK_STREAM)

	expect(0, c:connect(l))
	return c, (l:accept()):fork_to(worker)
end
local a, wa = accept(alice, "worker_a")
local b, wb = accept(bob, "worker_b")

expect(1, a:send("!", MSG_OOB))
segment { from = a, to = wa, urg = true }
expect(1, b:send("?", MSG_OOB))
segment { from = bob, to = "worker_b", urg = true, payload = "?" }
expect(0, #segments { to = wb, payload = "!" })
expect(0, #segments { to = "worker_b", payload = "!" })
expect(1, #segments { to = "worker_a", urg = true })
