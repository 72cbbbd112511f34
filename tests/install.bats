#!/usr/bin/env bats
# make install into a folder, a program built against what lies there, and make
# uninstall.

setup_file()
{
	# What the make that runs us was told is not for the one we run.
	unset MAKEFLAGS MFLAGS MAKELEVEL
	export DESTDIR=$BATS_FILE_TMPDIR/root
	export PKG_CONFIG_LIBDIR=$DESTDIR/usr/local/lib/pkgconfig
	PKG_CONFIG_LIBDIR+=:$(pkg-config --variable pc_path pkg-config)
	make --no-print-directory -s install "DESTDIR=$DESTDIR"
}

setup()
{
	bats_load_library bats-support
	bats_load_library bats-assert
	prefix=$DESTDIR/usr/local
	cc=("${CC:-cc}" -Wall -Wextra -Werror ${SAN:+"-fsanitize=$SAN"})
}

# What pkg-config says of the library, which stands below DESTDIR here.
flags()
{
	pkg-config "$@" ooblab | sed "s|/usr/local/|$prefix/|g"
}

program()
{
	cat >"$BATS_TEST_TMPDIR/program.c" <<-'END'
		#include <capture/decode.h>
		#include <oob/deadline.h>
		#include <oob/urgent.h>
		#include <sigurg/owner.h>
		#include <stdio.h>

		int main(void)
		{
			return puts(oob_now_ns() > 0 ? "works" : "") < 0;
		}
	END
	echo "$BATS_TEST_TMPDIR/program.c"
}

@test "a program links against the shared library by its soname" {
	# shellcheck disable=SC2046
	"${cc[@]}" -o "$BATS_TEST_TMPDIR/shared" "$(program)" \
		$(flags --cflags --libs)
	run readelf -d "$BATS_TEST_TMPDIR/shared"
	assert_output --partial "[liboob.so.0]"
	refute_output --partial "[libpcap"
	LD_LIBRARY_PATH=$prefix/lib run "$BATS_TEST_TMPDIR/shared"
	assert_output works
}

@test "a program links against the static library" {
	local libs

	libs=$(flags --static --libs)
	# shellcheck disable=SC2046,SC2086
	"${cc[@]}" -o "$BATS_TEST_TMPDIR/static" "$(program)" \
		$(flags --cflags) ${libs/-loob/-l:liboob.a}
	run readelf -d "$BATS_TEST_TMPDIR/static"
	refute_output --partial "liboob"
	run "$BATS_TEST_TMPDIR/static"
	assert_output works
}

@test "the README's example compiles" {
	# shellcheck disable=SC2046
	awk '/^```c$/ { c = 1; next } /^```$/ { c = 0 } c' README.md |
		"${cc[@]}" -std=c11 $(flags --cflags) -fsyntax-only -x c -
}

@test "every header stands alone" {
	local header

	cd "$prefix/include/ooblab" || return
	for header in */*.h; do
		echo "#include <$header>"
		# shellcheck disable=SC2046
		echo "#include <$header>" | "${cc[@]}" -std=c11 -D_GNU_SOURCE \
			$(flags --cflags) -fsyntax-only -x c -
	done
}

@test "the shared library gives only what has its room's name in front" {
	run bash -c "nm -D --defined-only $prefix/lib/liboob.so |
		grep -vE ' (oob|sigurg|capture)_| LIBOOB_'"
	assert_output ""
}

@test "the installed program runs, and finds its course" {
	[ -e "$prefix/bin/ooblab" ] || skip "no program in this tree"
	run "$prefix/bin/ooblab" --version
	assert_success
	assert_output --partial "ooblab"
}

@test "what is installed can be read by all" {
	run find "$DESTDIR" -type f ! -perm -444
	assert_output ""
}

@test "uninstall removes what install put, and nothing else" {
	cp -r "$DESTDIR" "$BATS_TEST_TMPDIR/root"
	touch "$BATS_TEST_TMPDIR/root/usr/local/lib/another.so"
	run make --no-print-directory -s uninstall \
		"DESTDIR=$BATS_TEST_TMPDIR/root"
	assert_success
	run find "$BATS_TEST_TMPDIR/root" ! -type d
	assert_output "$BATS_TEST_TMPDIR/root/usr/local/lib/another.so"
	run find "$BATS_TEST_TMPDIR/root" -name '*ooblab*'
	assert_output ""
}
