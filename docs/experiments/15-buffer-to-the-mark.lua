title "Buffering to the mark keeps what came before it"
about [[
The other thing to do with the data before the mark is to keep it. With a full
receive window that is more than politeness: the urgent byte itself cannot
arrive until what stands before it has been read.

`read_until_mark()` gives all data up to the mark. `read_oob()` also fetches
the urgent byte, and gives both: the byte, and what stood before it. The C
library's manual has a function of that name, which sleeps a second whenever
the byte was announced but has not come. Here the wait is an event, with a
deadline.

Inline or out of band, the results are the same.

The C library's manual, "Out-of-Band Data" · oob/mark.h
]]
needs { "urgent" }

local s, r = connect()

expect(9, s:send("keep this"))
expect(1, s:send("!", MSG_OOB))
expect("keep this", r:read_until_mark(2.0))
expect(1, r:ioctl(SIOCATMARK))
expect("!", r:recv(1, inline and 0 or MSG_OOB))

expect(8, s:send("and this"))
expect(1, s:send("?", MSG_OOB))
local byte, before = r:read_oob(2.0)
expect("?", byte)
expect("and this", before)
