title "Discarding to the mark drops what came before it, and no more"
about [[
What urgent data was made for: the user of a terminal types ahead, then presses
the interrupt key. The typed lines must go, what comes behind must not. Telnet
calls it Synch, FTP sends it with ABOR, rlogin when output is flushed. The
receiver reads and drops until `SIOCATMARK` says 1.

`discard_until_mark()` is the library's `oob_discard_until_mark()`. The loop in
the C library's manual asks for the mark and then reads; when the urgent byte
arrives between the two, that read begins at the mark and swallows it. The
library looks first whether a byte is there to read and asks for the mark after
it: a byte once seen keeps a mark from landing before it.

RFC 854, "The Telnet Synch Signal" · the C library's manual, "Out-of-Band Data"
]]
needs { "urgent" }

local s, r = connect()

expect(11, s:send("typed ahead"))
expect(1, s:send("!", MSG_OOB))
expect(5, s:send("fresh"))

expect(11, r:discard_until_mark(2.0))
expect(1, r:ioctl(SIOCATMARK))
if inline then
	expect("!fresh", r:recv(6, MSG_WAITALL))
else
	expect("!", r:recv(1, MSG_OOB))
	expect("fresh", r:recv(5, MSG_WAITALL))
end
