# Tallies one test program's output, TAP as cmocka 1.1.5 and bats write it.
# Prints "PASSED FAILED SKIPPED", then a line with the reason of each skip.
#
# cmocka writes a skip as "not ok N # SKIP name" and has no place for a reason;
# the line printed just before is taken for it. What the plan promised and never
# came counts as failed, and so does a bad exit status without one failed test:
# a crash, a leak, a deadline.

/^1\.\.[0-9]+$/ { planned += substr($0, 4); next }

/^(not )?ok [0-9]+/ {
	if (match($0, /# (skip|SKIP)/)) {
		text = substr($0, RSTART + 7)
		if (/^ok/) {
			reason = text
			text = substr($0, 1, RSTART - 2)
			sub(/^ok [0-9]+ /, "", text)
		}
		why[skipped++] = name ": " text ": " (reason ? reason : "no reason given")
	} else if (/^ok/) {
		passed++
	} else {
		failed++
	}
	reason = ""
	next
}

{
	reason = $0
	sub(/^# */, "", reason)
}

END {
	ran = passed + failed + skipped
	if (planned > ran)
		failed += planned - ran
	if (failed == 0 && (status != 0 || ran == 0))
		failed = 1
	print passed + 0, failed + 0, skipped + 0
	for (i = 0; i < skipped; i++)
		print "  " why[i]
}
