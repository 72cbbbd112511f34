# ooblab: `make demo` shows it, `make check` tests it, `make install` keeps it.
#
# CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are yours; what the house needs itself
# stands apart from them, in small letters.

VERSION    := 0.1.0
SOVERSION  := 0
PREFIX     ?= /usr/local
DESTDIR    ?=
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
CFLAGS     ?= -O2 -g

# make SAN=address,undefined and SAN=thread build in folders of their own.
comma := ,
O     := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
san   := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)

# Asked for on first use only: the targets that install what is missing must
# run on a machine that has no pkg-config yet.
lib_pkgs  := libpcap liburing libzstd zlib
tool_pkgs := lua5.4 jansson libseccomp libcap-ng
pkg        = $(eval $1 := $$(shell pkg-config $2))$($1)
pkg_cflags = $(call pkg,pkg_cflags,--cflags $(lib_pkgs) $(tool_pkgs))
lib_libs   = $(call pkg,lib_libs,--libs $(lib_pkgs))
tool_libs  = $(call pkg,tool_libs,--libs $(tool_pkgs))
test_libs  = $(call pkg,test_libs,--libs cmocka)
uring      = $(call pkg,uring,--modversion liburing)

cflags   = -std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes \
	   -Wmissing-prototypes -Wvla $(if $(CI),-Werror) -fno-common -fPIC \
	   -pthread $(san) $(CFLAGS)
cppflags = -I. -D_GNU_SOURCE -DOOBLAB_VERSION='"$(VERSION)"' \
	   -DLIBURING_VERSION='"$(uring)"' $(pkg_cflags) $(CPPFLAGS)
ldflags  = -pthread $(san) $(LDFLAGS)

built     = $(patsubst %.c,$O/%$2,$(wildcard $1))
lib_obj  := $(call built,oob/*.c sigurg/*.c capture/*.c,.o)
tool_obj := $(call built,tools/*.c tools/lab/*.c,.o)
tests    := $(call built,tests/test_*.c)
fuzzers  := $(call built,tests/fuzz_*.c)
benches  := $(call built,tests/bench_*.c)
makers   := $(call built,tests/make_*.c)
helpers  := $(filter-out $O/tests/replay.o $(addsuffix .o,$(tests) $(fuzzers) \
	    $(benches) $(makers)),$(call built,tests/*.c,.o))
manuals  := $(patsubst docs/man/%.scd,$O/man/%,$(wildcard docs/man/*.scd))
map      := $(wildcard oob/liboob.map)

all: $(if $(wildcard tools/ooblab.c),$O/ooblab) $O/liboob.a $O/liboob.so

$O/ooblab: $(tool_obj) $O/liboob.a
	$(CC) $(ldflags) -o $@ $^ $(lib_libs) $(tool_libs) $(LDLIBS)

$O/liboob.a: $(lib_obj)
	rm -f $@ && $(AR) rcs $@ $^

$O/liboob.so: $(lib_obj) oob/liboob.map
	$(CC) $(ldflags) -shared -Wl,-soname,$(@F).$(SOVERSION) -o $@ \
		-Wl,--version-script=oob/liboob.map $(lib_obj) $(lib_libs) \
		$(LDLIBS)

$O/%.o: %.c $O/made-for
	@mkdir -p $(@D)
	$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

# These change when what the objects beside them are compiled for does. Only
# one asks where it will be installed: install PREFIX=... need not build anew.
$O/made-for: made = $(CC) $(VERSION) $(CPPFLAGS) $(CFLAGS)
$O/made-to: made = $(DATADIR)
$O/made-for $O/made-to: FORCE
	@mkdir -p $O
	@echo '$(made)' | cmp -s - $@ || echo '$(made)' >$@

$O/tools/place.o: $O/made-to
$O/tools/place.o $O/tidy/tools/place: \
	cppflags += -DOOBLAB_DATADIR='"$(DATADIR)/ooblab"'

# Tests reach the helpers beside them and every module of the tool but main().
# A fuzz target is given its inputs by replay.o or, with FUZZER=1, by libFuzzer.
modules := $(helpers) $(filter-out %/ooblab.o,$(tool_obj)) $O/liboob.a
$O/tests/fuzz_%: modules += $(if $(FUZZER),-fsanitize=fuzzer,$O/tests/replay.o)
$(tests) $(fuzzers) $(benches) $(makers): %: %.o $(modules) $(if $(fuzzers),$O/tests/replay.o)
	$(CC) $(ldflags) -o $@ $< $(modules) $(lib_libs) $(tool_libs) \
		$(test_libs) $(LDLIBS)

# A second make, once the packages are there; on all cores unless told -j.
again = +@$(MAKE) --no-print-directory \
	$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# The first experiments of the course.
demo:
	@.ci/deps build
	$(again) -s all
	$O/ooblab run $(wordlist 1,3,$(sort $(wildcard docs/experiments/*.lua)))

# make check T="test_flow run.bats" runs only these.
check:
	@.ci/deps build test
	$(again) -s all $(tests) $(fuzzers) $(makers) $(manuals)
	@.ci/check $O $(T)

deps:
	@.ci/deps build test

fuzz:
	@.ci/deps build test fuzz
	$(again) -s CC=clang O=build-fuzz FUZZER=1 \
		SAN=fuzzer-no-link,address,undefined fuzzers
	@.ci/fuzz build-fuzz

fuzzers: $(fuzzers)

bench:
	@.ci/deps build test
	$(again) -s all $(benches) $O/tests/make_traffic
	@export OOBLAB=$O/ooblab; for bench in $(benches) \
		$(wildcard tests/bench_*.sh); do timeout 300 $$bench; done

install: all $(manuals)
install uninstall:
	@O='$O' VERSION='$(VERSION)' SOVERSION='$(SOVERSION)' \
		LIBS='$(lib_libs)' DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' \
		LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
		DATADIR='$(DATADIR)' MANDIR='$(MANDIR)' .ci/install $@

clean:
	rm -rf build build-*

$O/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@.new && mv $@.new $@

include .ci/lint.mk
FORCE:
.PHONY: all demo check deps fuzz fuzzers bench install uninstall clean FORCE
.SECONDARY:
-include $(shell find $O -name '*.d' 2>/dev/null)
