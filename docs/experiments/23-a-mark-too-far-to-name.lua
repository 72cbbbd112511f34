title "One urgent byte, many signals: a mark beyond 65,535 bytes keeps moving"
about [[
The urgent pointer has 16 bits. When the urgent byte lies further ahead, Linux
sends 65,535, the furthest it can point: a mark in the middle of ordinary data.
The next segment points 65,535 from where *it* begins, and so on, until the
true place is within reach. The receiver cannot know. It takes each for a new
mark and sends `SIGURG` for each.

No false byte is handed out, for each mark has moved on before the data reaches
it. But who counts signals counts wrong, and who asks how far the mark is ahead
is told too little.

RFC 9293 section 3.1, Urgent Pointer: 16 bits · measured on Linux 6.18
]]
needs { "tcp" }

local s, r = connect { rcvbuf = 4096, sndbuf = 1 << 18 }
expect(0, r:fcntl(F_SETOWN, r.program.pid))

expect(100000, s:send(("x"):rep(100000)))
expect(1, s:send("!", MSG_OOB))
segment { from = s, urg = true, urgent_pointer = 65535, timeout = 5.0 }

local unread, signals = 100000, 0
while unread > 0 do
	unread = unread - #r:recv(unread)
	signals = signals + r.program:signals(SIGURG)
end
note(signals .. " signals")
expect(true, signals > 1)
expect(POLLPRI, r:poll(POLLPRI, 5.0))
expect("!", r:recv(1, inline and 0 or MSG_OOB))
