title "The urgent pointer names the byte behind the urgent one"
about [[
The header of a TCP segment has a flag, URG, and 16 bits for the *urgent
pointer*, which is added to the segment's sequence number. Here the segment
that carries `cd!` begins at sequence number 3, and its pointer is 3: it names
number 6, while `!` is number 5.

RFC 793 said both, on two pages. RFC 1122 settled for the urgent byte itself,
nearly every stack went on with the byte behind it, and RFC 6093 made that the
rule in 2011. Linux can still be told to read the pointer the other way, as
experiment 25 does.

Data behind the urgent byte travels without the flag. Captures and filters see
only this: `tcp[13] & 0x20` finds the flag on IPv4, and never on IPv6, where
tcpdump's `tcp[...]` does not match.

RFC 9293 sections 3.1 and 3.8.5 · RFC 6093 sections 3.2 and 4
]]
needs { "tcp" }

local s, r = connect()

expect(2, s:send("ab"))
segment {
	from = s, to = r, urg = false,
	seq = 1, payload = "ab",
}
expect(3, s:send("cd!", MSG_OOB))
local marked = segment {
	from = s, to = r, urg = true,
	seq = 3, payload = "cd!", urgent_pointer = 3,
}
expect(2, s:send("ef"))
segment {
	from = s, to = r, urg = false,
	seq = 6, payload = "ef", urgent_pointer = 0,
}
if marked and marked.seq then
	note("the pointer names byte " .. marked.seq + marked.urgent_pointer)
end
