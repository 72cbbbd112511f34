title "Edge-triggered EPOLLPRI fires again when ordinary data arrives"
about [[
With `EPOLLET` a program hopes to hear of the urgent byte once. It does, until
ordinary data arrives while the byte is still there: then epoll reports
`EPOLLPRI` again, though nothing urgent happened. The kernel wakes the sockets'
waiters for any arrival, epoll looks anew, and finds the old byte.

So an edge is no count of urgent bytes. Take the byte at the first edge, or be
ready to find the same one at the next.

epoll(7), "Level-triggered and edge-triggered" · measured on Linux 6.18
]]
needs { "urgent", "out-of-band" }

local s, r = connect()

expect(1, s:send("!", MSG_OOB))
expect(POLLPRI, r:poll(POLLPRI, 2.0))
expect("!", r:recv(1, MSG_OOB | MSG_PEEK))     -- the segment is all in

expect(EPOLLPRI, r:epoll(EPOLLPRI | EPOLLET, 2.0))
expect(0, r:epoll(EPOLLPRI | EPOLLET, 0))      -- told once

expect(1, s:send("x"))
expect(EPOLLPRI, r:epoll(EPOLLPRI | EPOLLET, 2.0))
expect("!", r:recv(1, MSG_OOB))                -- it is the same byte
