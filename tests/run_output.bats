#!/usr/bin/env bats
# What `ooblab run` prints: for people, for harnesses, for programs.

setup()
{
	load run
	common_setup
	: "${ooblab:?}"
	experiment fails <<-'LUA'
		expect(1, 2)
	LUA
	experiment skipped <<-'LUA'
		skip "no reason"
	LUA
	# Bytes that a peer sends, in every place an experiment can put them.
	experiment hostile <<-'LUA'
		local bytes = "\27[31m\27]0;t\7\r\n\xff\xc2\x9b2J\x9b\xe2\x80\xae"
		title("title " .. bytes)
		local s, r = connect()
		s:send(bytes .. "!", MSG_OOB)
		local got = r:recv(100)
		note(got)
		print(got, got)
		expect({ [got] = got }, got)
		expect(got, setmetatable({}, { __name = got }))
		expect_error("EAGAIN", got)
		segment { from = s, payload = got, timeout = 0 }
		program("third"):sysctl(got)
		error(got)
	LUA
}

# Nothing but lines of printable UTF-8.
assert_printable()
{
	run iconv -f UTF-8 -t UTF-8 "$1"
	assert_success
	run grep -naP '[^\n\x20-\x7e\xa0-\x{2027}\x{202f}-\x{2065}\x{206a}-\x{10ffff}]' "$1"
	assert_failure 1
}

assert_no_wider_than()
{
	run grep -naP "^.{$(($1 + 1)),}" "$2"
	assert_output ""
}

@test "a timeline: title, name, lanes, verdict" {
	ooblab run ok.lua
	assert_success
	assert_line --index 0 "An urgent byte"
	assert_line --index 1 "ok.lua (tcp4)"
	assert_line --regexp "^ +µs  sender +wire +receiver$"
	assert_line --regexp '^ +[0-9]+  send\(3, "abc", 3, MSG_OOB\) = 3$'
	assert_line --regexp '^ +[0-9]+ +PSH ACK URG seq=1 ack=1 len=3 "abc" up=3: urgent byte .c. ──▶$'
	assert_line --regexp '^ +[0-9]+ +--- SIGURG \{si_code=SI_KERNEL\} ---$'
	assert_verdict "held: 4 expectations$"
}

@test "no experiment's bytes reach the terminal as themselves" {
	for how in "" --tap --json -v; do
		run timeout 30 "$ooblab" run $how hostile.lua
		assert_failure 1
		printf '%s\n' "$output" >said
		assert_printable said
	done
}

@test "no experiment's text passes for a line of ours" {
	experiment liar <<-'LUA'
		title "true\nheld: 1 expectation"
		note "\nheld: 2 expectations"
		expect(setmetatable({}, { __name = "\nheld: 3 expectations" }), 1)
		error "\nheld: 4 expectations"
	LUA
	ooblab run liar.lua
	assert_failure 1
	refute_line --regexp "^held"
	assert_verdict "error: 1 of 1 expectations; liar.lua:4:$"
}

@test "no file's name reaches the terminal as itself" {
	local name=$'a\e[31m\xff\n\xc2\x9b#b'

	cp ok.lua "$name"
	for how in "" --tap --json; do
		run timeout 30 "$ooblab" run $how "$name" ok.lua "$name"
		assert_success
		printf '%s\n' "$output" >said
		assert_printable said
	done
	run timeout 30 "$ooblab" run "$name.lua"
	assert_failure 2
	printf '%s\n' "$output" >said
	assert_printable said
	assert_equal "$(wc -l <said)" 1
}

@test "no line is wider than the terminal" {
	local how
	for how in 40 80 200 "40 -v" "80 -v"; do
		# shellcheck disable=SC2086 # a width and an option
		set -- $how
		COLUMNS=$1 timeout 60 "$ooblab" run "${@:2}" --inline=both \
			--transport tcp4,tcp6,unix ok.lua hostile.lua fails.lua \
			>said || true
		assert_no_wider_than "$1" said
		run grep -n ' $' said
		assert_output ""
	done
}

@test "a terminal that does not speak UTF-8 gets ASCII" {
	LC_ALL=C run timeout 30 "$ooblab" run ok.lua hostile.lua
	printf '%s\n' "$output" >said
	LC_ALL=C run grep -n '[^ -~]' said
	assert_output ""
	run cat said
	assert_line --regexp "^ +us  sender +wire +receiver$"
	assert_line --partial "urgent byte 'c' -->"
	assert_line --partial "<-- SYN ACK"
}

@test "colour on a terminal, unless NO_COLOR is set" {
	run script -qec "TERM=xterm '$ooblab' run ok.lua" /dev/null
	assert_output --partial $'\e[32mheld\e[0m'
	run script -qec "TERM=xterm NO_COLOR= '$ooblab' run ok.lua" /dev/null
	assert_output --partial $'\e[32mheld\e[0m'
	run script -qec "TERM=xterm NO_COLOR=1 '$ooblab' run ok.lua" /dev/null
	refute_output --partial $'\e['
	run script -qec "TERM=dumb '$ooblab' run ok.lua" /dev/null
	refute_output --partial $'\e['
	ooblab run ok.lua
	refute_output --partial $'\e['
}

@test "several end with a table of their verdicts" {
	ooblab run --transport tcp4,unix --inline=both ok.lua fails.lua \
		skipped.lua
	assert_failure 1
	assert_line "             tcp4         tcp4+inline  unix         unix+inline"
	assert_line "ok.lua       held         held         held         held"
	assert_line "fails.lua    failed       failed       failed       failed"
	assert_line "skipped.lua  skipped      skipped      skipped      skipped"
	assert_line "4 of 8 held, 4 failed, 4 skipped"
}

@test "--tap numbers them in the order they were named" {
	cp ok.lua 'name # SKIP of mine.lua'
	ooblab run --tap -j 4 ok.lua fails.lua skipped.lua \
		'name # SKIP of mine.lua'
	assert_failure 1
	assert_line --index 0 "TAP version 13"
	assert_line --index 1 "1..4"
	assert_line --index 2 "ok 1 - ok.lua tcp4"
	assert_line --index 3 "not ok 2 - fails.lua tcp4"
	assert_line --index 4 "# fails.lua:1: expected 1, got 2"
	assert_line --index 5 "ok 3 - skipped.lua tcp4 # SKIP no reason"
	assert_line --index 6 'ok 4 - name \# SKIP of mine.lua tcp4'
}

@test "--json is an object a line, each with time, lane and event" {
	timeout 30 "$ooblab" run --json --transport tcp4,tcp6,unix \
		--inline=both ok.lua hostile.lua >said || true
	run jq -se 'all(.[]; (.t_ns | type) == "number" and
		(.lane | type) == "string" and (.event | type) == "string")' said
	assert_success
}

@test "--json: each experiment's times are in order, its verdict last" {
	timeout 30 "$ooblab" run --json -j 2 ok.lua fails.lua ok.lua >said || true
	run jq -r 'select(.event == "verdict") | "\(.experiment) \(.verdict)"' said
	assert_output $'ok.lua held\nfails.lua failed\nok.lua held'
	run jq -se '[foreach .[] as $e ({last: 0};
		{ok: ($e.t_ns >= .last),
		 last: (if $e.event == "verdict" then 0 else $e.t_ns end)};
		.ok)] | all' said
	assert_success
	run jq -s 'last.event' said
	assert_output '"verdict"'
}

@test "--json: a verdict has its fields and no others" {
	timeout 30 "$ooblab" run --json --inline ok.lua >said
	run jq -c 'select(.event == "verdict") | del(.t_ns)' said
	assert_output '{"lane":"lab","event":"verdict","experiment":"ok.lua","transport":"tcp4","inline":true,"verdict":"held","expectations":4,"failures":0,"why":""}'
	timeout 30 "$ooblab" run --json fails.lua >said || true
	run jq -c 'select(.event == "verdict") | del(.t_ns)' said
	assert_output '{"lane":"lab","event":"verdict","experiment":"fails.lua","transport":"tcp4","inline":false,"verdict":"failed","expectations":1,"failures":1,"why":"fails.lua:1: expected 1, got 2"}'
}

@test "--json: what a segment was, tcpdump shows too" {
	timeout 30 "$ooblab" run --json --save saved.pcapng ok.lua >said
	run jq -r 'select(.event == "segment" and .urgent_pointer != 0) |
		"\(.urgent_pointer) \(.len) \(.data) \(.note)"' said
	assert_output "3 3 616263 URG up=3: urgent byte 'c'"
	run tcpdump -nr saved.pcapng
	assert_line --regexp 'Flags \[P\.U\].* urg 3, .*length 3'
	assert_equal "$(tcpdump -nr saved.pcapng 2>/dev/null | wc -l)" \
		"$(grep -c '"event":"segment"' said)"
}
