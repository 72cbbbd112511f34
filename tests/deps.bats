#!/usr/bin/env bats
# .ci/deps on machines that lack things: told by commands that stand in front
# of the real ones and write down what they were asked.

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	bin=$BATS_TEST_TMPDIR/bin
	asked=$BATS_TEST_TMPDIR/asked
	mkdir -p "$bin" "$BATS_TEST_TMPDIR/.ci"
	cp .ci/deps "$BATS_TEST_TMPDIR/.ci"
	deps=$BATS_TEST_TMPDIR/.ci/deps
	for tool in sh env dirname xargs echo true; do
		ln -s "$(type -P $tool)" "$bin/$tool"
	done
	: >"$asked"
	packages 'build libone-dev cmd:one' 'test two cmd:two' 'lint three cmd:three'
}

packages()
{
	printf '%s\n' '# a comment' '' "$@" >"$BATS_TEST_TMPDIR/.ci/packages"
}

# here NAME: a command NAME that does nothing
here()
{
	stand_in "$1" true
}

# stand_in NAME SCRIPT
stand_in()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# What apt-get install NAME brings is a command NAME, less "lib" and "-dev".
debian()
{
	stand_in apt-get "echo apt-get \"\$@\" >>$asked
for word; do
	case \$word in
	libone-dev) printf '#!/bin/sh\n' >$bin/one ;;
	two) printf '#!/bin/sh\n' >$bin/two ;;
	esac
done
/bin/chmod +x $bin/one $bin/two 2>/dev/null
true"
}

user()
{
	stand_in id "echo $1"
}

deps()
{
	PATH=$bin run "$deps" "$@" </dev/null
}

@test "nothing missing: silent, installs nothing" {
	debian
	user 0
	here one
	here two
	deps build test
	assert_success
	assert_output ""
	run cat "$asked"
	assert_output ""
}

@test "what another purpose needs is left alone" {
	debian
	user 0
	here one
	deps build
	assert_success
	assert_output ""
}

@test "missing, as root: says it, then installs just that by name" {
	debian
	user 0
	here one
	deps build test
	assert_success
	assert_line --partial "apt-get install --no-install-recommends two"
	run cat "$asked"
	assert_line --index 0 --regexp '^apt-get .* update$'
	assert_line --index 1 --regexp ' install --no-install-recommends -y two$'
}

@test "missing, as a user who may use sudo: through sudo" {
	debian
	user 1000
	stand_in sudo "echo sudo \"\$@\" >>$asked
[ \"\$1\" != -n ] || shift
exec \"\$@\""
	deps build
	assert_success
	assert_line --partial "sudo apt-get install --no-install-recommends libone-dev"
	run grep -c '^sudo env DEBIAN_FRONTEND=noninteractive apt-get' "$asked"
	assert_output 2
}

@test "missing, sudo wants a password and nobody is there: the command, 77" {
	debian
	user 1000
	stand_in sudo 'exit 1'
	deps build test
	assert_failure 77
	assert_line "    apt-get install --no-install-recommends libone-dev two"
	run cat "$asked"
	assert_output ""
}

@test "missing, neither root nor sudo: the command, 77" {
	debian
	user 1000
	deps build
	assert_failure 77
	assert_line "    apt-get install --no-install-recommends libone-dev"
}

@test "not Debian: says what is needed, 77" {
	user 0
	deps build
	assert_failure 77
	assert_output --partial "libone-dev"
	assert_output --partial "no apt-get"
}

@test "not Debian, and all is here: silent" {
	user 1000
	here one
	deps build
	assert_success
	assert_output ""
}

@test "apt-get fails: so does the set-up" {
	user 0
	stand_in apt-get 'echo "E: no network" >&2; exit 100'
	deps build
	assert_failure 100
	assert_output --partial "E: no network"
}

@test "installed and still not seen: says which, 77" {
	debian
	user 0
	packages 'build elsewhere cmd:elsewhere'
	deps build
	assert_failure 77
	assert_line "Installed, and still not found here: elsewhere"
}

@test "libraries and headers are looked for where the compiler would" {
	debian
	user 1000
	packages 'build libx-dev pkg:x' 'build y-dev inc:y.h' 'build z file:/nowhere'
	stand_in pkg-config '[ "$*" = "--exists x" ]'
	stand_in cc '/bin/grep -q "#include <y.h>"'
	deps build
	assert_failure 77
	assert_line "    apt-get install --no-install-recommends z"
}

@test "no purpose: usage" {
	deps
	assert_failure 2
}
