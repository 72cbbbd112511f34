# ooblab: `make` builds build/ooblab, `make check` tests it, `make demo` shows it.

VERSION  := 0.1.0
SOVERSION := 0
PREFIX   ?= /usr/local
DESTDIR  ?=

.DEFAULT_GOAL := all
comma    := ,
O        := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

# Asked for on first use only, so that the targets which install what is
# missing run on a machine that has no pkg-config yet.
LIB_PKGS  := libpcap liburing libzstd zlib
TOOL_PKGS := lua5.4 jansson libseccomp libcap-ng
pkg       = $(eval $1 := $$(shell pkg-config $2))$($1)
PKG_CFLAGS = $(call pkg,PKG_CFLAGS,--cflags $(LIB_PKGS) $(TOOL_PKGS))
LIB_LIBS   = $(call pkg,LIB_LIBS,--libs $(LIB_PKGS))
TOOL_LIBS  = $(call pkg,TOOL_LIBS,--libs $(TOOL_PKGS))
TEST_LIBS  = $(call pkg,TEST_LIBS,--libs cmocka)

CFLAGS   ?= -O2 -g
CFLAGS   += -std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes \
	    -Wmissing-prototypes -Wvla -fno-common -fPIC -pthread
CFLAGS   += $(if $(CI),-Werror)
CPPFLAGS += -I. -D_GNU_SOURCE -DOOBLAB_VERSION='"$(VERSION)"' \
	    -DOOBLAB_DATADIR='"$(PREFIX)/share/ooblab"' -MMD -MP $(PKG_CFLAGS)
LDFLAGS  += -pthread
ifdef SAN
CFLAGS   += -fsanitize=$(SAN) -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=$(SAN)
endif

# liburing tells its version to pkg-config only.
$O/tools/version.o: CPPFLAGS += \
	-DLIBURING_VERSION='"$(shell pkg-config --modversion liburing)"'

LIB_OBJ  := $(patsubst %.c,$O/%.o,$(wildcard oob/*.c sigurg/*.c capture/*.c))
TOOL_OBJ := $(patsubst %.c,$O/%.o,$(wildcard tools/*.c tools/lab/*.c))
TESTS    := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/test_*.c))

all: $(if $(wildcard tools/ooblab.c),$O/ooblab) $(if $(LIB_OBJ),$O/liboob.so)

$O/ooblab: $(TOOL_OBJ) $O/liboob.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(TOOL_LIBS)

$O/liboob.a: $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $^

$O/liboob.so: $(LIB_OBJ) oob/liboob.map
	$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F).$(SOVERSION) \
		-Wl,--version-script=oob/liboob.map -o $@ $(LIB_OBJ) $(LIB_LIBS)

$O/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# A test may reach any module of the tool but its main().
$O/tests/test_%: $O/tests/test_%.o $(filter-out %/ooblab.o,$(TOOL_OBJ)) $O/liboob.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(TOOL_LIBS) $(TEST_LIBS)

clean:
	rm -rf build build-*

.PHONY: all clean
.SECONDARY:
-include $(shell find $O -name '*.d' 2>/dev/null)
