# make help lists the targets. Every binary goes to $(BUILD), tests to $(BUILD)/tests.
CC ?= gcc
BUILD ?= build
PREFIX ?= /usr/local
OPTIMISE ?= -O2
SANITISE ?=

PACKAGES = libuv libmicrohttpd libcjson yaml-0.1 libcurl
WARNINGS = -Wall -Wextra -Werror -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
	-Wundef -Wvla -Wformat=2 -Wpointer-arith -Wcast-qual -Wwrite-strings
CPPFLAGS += -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS += -std=c17 -g $(OPTIMISE) $(WARNINGS) $(SANITISE) -fno-common
LDFLAGS += $(SANITISE)
PURE_LIBS = $(shell pkg-config --libs libcjson yaml-0.1 2>/dev/null) -lm
SHELL_LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -lpthread

# Pure: no <uv.h>, no <microhttpd.h>; these link into the unit tests without either library.
COMMON_PURE = address buf duration error file http_route json limits line log mem options prom \
	prom_process rng rpc strmap suggest yml
COMMON_SHELL = http

SIMULATOR_PURE =
SIMULATOR_SHELL =

ORCHESTRATOR_PURE =
ORCHESTRATOR_SHELL =

UNIT_TESTS =

common_pure = $(COMMON_PURE:%=$(BUILD)/common/%.o)
common_shell = $(COMMON_SHELL:%=$(BUILD)/common/%.o)
simulator_pure = $(SIMULATOR_PURE:%=$(BUILD)/simulator/%.o)
simulator_shell = $(SIMULATOR_SHELL:%=$(BUILD)/simulator/%.o)
orchestrator_pure = $(ORCHESTRATOR_PURE:%=$(BUILD)/orchestrator/%.o)
orchestrator_shell = $(ORCHESTRATOR_SHELL:%=$(BUILD)/orchestrator/%.o)

.PHONY: all
all: $(BUILD)/simulator $(BUILD)/orchestrator

$(BUILD)/simulator.bin: $(simulator_shell) $(simulator_pure) $(common_shell) $(common_pure)
