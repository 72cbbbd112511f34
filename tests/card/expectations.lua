title "expect() compares values, keys and all, and says whether they are the same"

expect(1, 1)
expect(1, 1.0)
expect("a\0b", "a" .. "\0" .. "b")
expect(nil, nil)
expect(nil)                             -- a call that returned nothing
expect(true, expect(1, 1))
expect({}, {})
expect({ 1, 2, { x = "y" } }, { 1, 2, { x = "y" } })
expect({ a = 1, b = {} }, { b = {}, a = 1 })

-- What follows the first value is shown, not compared.
expect("x", "x", "more")

expect_error(EAGAIN, nil, "EAGAIN")
expect_error(EWOULDBLOCK, nil, EAGAIN)
expect_error("EINVAL", nil, "EINVAL")

-- Lua's own libraries, but for what reaches out of the experiment.
expect(nil, io)
expect(nil, os)
expect(nil, debug)
expect(nil, package)
expect(nil, require)
expect(nil, load)
expect(nil, loadstring)
expect(nil, dofile)
expect(nil, loadfile)
expect(nil, string.dump)
expect("xxx", ("x"):rep(3))
expect("0x10", string.format("%#x", 16))
expect(3, #table.pack(1, 2, 3))
expect(2, math.max(1, 2))
expect("é", utf8.char(233))

-- An error is caught like any other, with its place.
local ok, message = pcall(error, "oops")
expect(false, ok)
expect("oops", message)
local s = connect()
ok, message = pcall(function() return s:send() end)
expect(false, ok)
expect(true, message:find("send") ~= nil)
ok, message = pcall(function() return s:sned("x") end)
expect(false, ok)
expect(true, message:find("sned") ~= nil)
ok = pcall(function() return segment { form = s } end)
expect(false, ok)
ok = pcall(connect, { transport = "tcp5" })
expect(false, ok)

-- Calls can be made anywhere: in coroutines, callbacks, metamethods.
local queue = coroutine.wrap(function()
	for i = 1, 3 do
		coroutine.yield(s:send(("x"):rep(i)))
	end
end)
expect(1, queue())
expect(2, queue())
expect(3, queue())
local lengths = {}
table.sort({ 2, 1 }, function(a, b)
	lengths[#lengths + 1] = s:send("y")
	return a < b
end)
expect(1, lengths[1])
