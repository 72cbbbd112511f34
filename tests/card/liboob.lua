title "The library's calls read, drop or keep up to the mark, with deadlines"
needs { "urgent" }

local s, r = connect()

-- No mark comes: what was there is read and given all the same.
expect(4, s:send("data"))
expect(POLLIN, r:poll(POLLIN, 2.0))
local data, why, got = r:read_until_mark(0.01)
expect(nil, data)
expect(ETIMEDOUT, why)
expect("data", got)
expect(4, s:send("more"))
expect(POLLIN, r:poll(POLLIN, 2.0))
local n, error_name, dropped = r:discard_until_mark(0.01)
expect(nil, n)
expect("ETIMEDOUT", error_name)
expect(4, dropped)
expect_error(ETIMEDOUT, r:read_oob(0.01))

-- The mark comes.
expect(3, s:send("ab!", MSG_OOB))
expect(2, r:discard_until_mark(2.0))
expect(0, r:discard_until_mark())              -- standing at it
expect("", r:read_until_mark())
expect("!", r:recv(1, inline and 0 or MSG_OOB))

expect(3, s:send("cd?", MSG_OOB))
expect("cd", r:read_until_mark(2.0))
expect("?", r:recv(1, inline and 0 or MSG_OOB))

expect(3, s:send("ef#", MSG_OOB))
expect({ "#", "ef" }, { r:read_oob(2.0) })

-- While the sender is not even ready yet.
local call = r.later:read_oob(2.0)
expect(6, s:send("before"))
expect(1, s:send("*", MSG_OOB))
local byte, before = call:result(2.0)
expect("*", byte)
expect("before", before)

-- The stream ends before a mark.
expect(3, s:send("end"))
expect(0, s:shutdown(SHUT_WR))
byte, before = r:read_oob(2.0)
expect(nil, byte)
expect("end", before)
expect(0, r:discard_until_mark(2.0))
expect("", r:read_until_mark(2.0))
