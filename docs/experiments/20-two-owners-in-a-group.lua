title "A process group can own a socket: each of its members gets SIGURG"
about [[
The owner may be a process group: `F_SETOWN` with the group's number below
zero, or `F_SETOWN_EX` with `F_OWNER_PGRP`. One urgent byte then brings a
`SIGURG` to every member, so that a whole job is told, not one process of it.

Here the receiver begins a group and forks; both processes share the socket and
both are signalled. The byte is still one: who asks first has it.

fcntl(2), F_SETOWN and F_SETOWN_EX
]]
needs { "urgent" }

local s, r = connect()
local parent = r.program

expect(0, parent:setpgid())          -- a group of its own, named after it
local r2 = r:fork_to("child")        -- the same socket in a second process
local child = r2.program

expect(0, r:fcntl(F_SETOWN, -parent.pid))
expect(-parent.pid, r2:fcntl(F_GETOWN))
expect({ type = F_OWNER_PGRP, pid = parent.pid }, r2:fcntl(F_GETOWN_EX))

expect(1, s:send("!", MSG_OOB))
expect(true, parent:wait_signal(SIGURG, 2.0))
expect(true, child:wait_signal(SIGURG, 2.0))

if inline then
	expect("!", r2:recv(1))
	expect_error(EAGAIN, r:recv(1, MSG_DONTWAIT))
else
	expect("!", r2:recv(1, MSG_OOB))
	expect_error(EINVAL, r:recv(1, MSG_OOB))
end
