title "One urgent byte, seen on the wire"

local s, r = connect()
r:fcntl(F_SETOWN, r.program.pid)
expect(3, s:send("abc", MSG_OOB))
expect(true, r.program:wait_signal(SIGURG, 1.0))
expect("c", r:recv(1, MSG_OOB))
segment { from = s, urg = true, urgent_pointer = 3, payload = "abc" }
