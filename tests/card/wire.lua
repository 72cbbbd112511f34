title "What was on the wire can be awaited, denied and counted"
needs { "tcp", "capture" }

local s, r = connect()

segment { from = s, flags = "SYN", ack = 0, syn = true }
segment { from = r, flags = "SYN ACK" }
segment { from = s, to = r, syn = false, len = 0, seq = 1, ack = 1 }

expect(2, s:send("ab"))
local first = segment { from = s, payload = "ab" }
expect(1, first.seq)
expect(2, first.len)
expect("ab", first.payload)
expect("sender", first.from)
expect("receiver", first.to)
expect(false, first.urg)
expect(true, first.psh)
expect(0, first.urgent_pointer)
expect("PSH ACK", first.flags)
expect("number", type(first.window))
segment { from = r, ack = 3, len = 0 }

expect(3, s:send("cd!", MSG_OOB))
segment {
	from = s.program,
	to = "receiver",
	flags = "URG ACK PSH",
	urg = true,
	psh = true,
	fin = false,
	rst = false,
	ack = 1,
	seq = 3,
	urgent_pointer = 3,
	payload = "cd!",
	len = 3,
}

-- In order: what lies before the last match is past.
no_segment { payload = "ab" }
expect(true, no_segment { from = s, fin = true })
expect(true, #segments { payload = "ab" } >= 1)    -- one, or sent again
expect(1, #segments { from = r, syn = true })
expect(3, segments { urg = true }[1].urgent_pointer)
expect(0, #segments { rst = true })
expect(true, #segments {} >= 6)
expect(true, #segments() >= 6)

-- Both ends can be told apart where both send.
expect(2, r:send("ok"))
segment { from = r, to = s, payload = "ok", seq = 1, ack = 6 }
expect(0, #segments { from = s, payload = "ok" })

-- One that did not come is a failure, and gives nil and why.
expect(0, s:shutdown(SHUT_WR))
segment { from = s, fin = true, timeout = 5.0 }
segment { from = r, ack = 7 }

-- A second stream between the same programs is another one.
local s2, r2 = connect()
expect(1, s2:send("2"))
expect("2", r2:recv(1))
segment { from = s2, to = r2, payload = "2", seq = 1 }
expect(0, #segments { from = s, payload = "2" })
