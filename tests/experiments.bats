#!/usr/bin/env bats
# Every experiment of the course is also a test: on each transport, delivered
# out of band and inline, it has the verdict that tests/golden/verdicts.txt
# has. verdicts.jq beside it says how to write that file anew.

OOBLAB=${OOBLAB:-build/ooblab}
COURSE=docs/experiments
TRANSPORTS=tcp4,tcp6,unix

# The names of the course, one a line. ThreadSanitizer ends a program with
# threads that forks and then makes one: it gets those that do not fork.
names()
{
	local file

	for file in "$COURSE"/*.lua; do
		if [[ ${O-} != *thread* ]] || ! grep -q fork "$file"; then
			basename "$file" .lua
		fi
	done
}

run_course()
{
	local course

	mapfile -t course < <(names)
	"$OOBLAB" run --json --inline=both --transport $TRANSPORTS "$@" \
		"${course[@]}"
}

setup_file()
{
	export RUN=$BATS_FILE_TMPDIR/run
	local status=0

	run_course -j2 >"$RUN" 2>"$RUN.stderr" || status=$?
	echo $status >"$RUN.status"
}

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	if [ "$(cat "$RUN.status")" = 77 ]; then
		skip "$(cat "$RUN.stderr")"
	fi
}

@test "each experiment has the verdict on record" {
	jq -rf tests/golden/verdicts.jq "$RUN" >"$RUN.verdicts"
	run diff -u <(grep -wFf <(names) tests/golden/verdicts.txt) \
		"$RUN.verdicts"
	assert_output ""
	assert_equal "$(cat "$RUN.status")" 0
}

@test "each experiment holds on some axis, and none fails" {
	run jq -r 'select(.event == "verdict" and .verdict != "held" and
		.verdict != "skipped") | "\(.experiment): \(.why)"' "$RUN"
	assert_output ""
	run jq -r 'select(.verdict == "held").experiment' "$RUN"
	assert_equal "$(sort -u <<<"$output")" "$(names)"
}

@test "each experiment that is skipped says why" {
	run jq -r 'select(.verdict == "skipped" and .why == "").experiment' \
		"$RUN"
	assert_output ""
}

@test "each experiment tells its reader what it is about" {
	run jq -r 'select(.event == "about" and (.text | length) < 200).text' \
		"$RUN"
	assert_output ""
	assert_equal "$(jq -r 'select(.event == "about").event' "$RUN" |
		wc -l)" "$(jq -r 'select(.event == "verdict").event' "$RUN" |
		wc -l)"
}

@test "list has a title for each, of one line" {
	run "$OOBLAB" list
	assert_success
	assert_equal "$(awk '{print $1}' <<<"$output")" \
		"$(basename -s .lua "$COURSE"/*.lua)"
	run awk 'NF < 4 || length > 118' <<<"$output"
	assert_output ""
}

@test "no two experiments claim the same" {
	run bash -c "grep -h '^title ' $COURSE/*.lua | sort | uniq -d"
	assert_output ""
}

@test "show prints an experiment as it is, by name or number" {
	"$OOBLAB" show one-urgent-byte | cmp - "$COURSE/01-one-urgent-byte.lua"
	"$OOBLAB" show 1 | cmp - "$COURSE/01-one-urgent-byte.lua"
}

@test "the course holds where nothing is captured" {
	run_course -j2 --no-capture >"$RUN.unverified"
	run jq -r 'select(.event == "verdict" and .verdict != "held" and
		.verdict != "skipped") | "\(.experiment): \(.why)"' \
		"$RUN.unverified"
	assert_output ""
}
