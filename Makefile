# make help lists the targets. Binaries go to $(BUILD), objects and tests below it.
BUILD ?= build
PREFIX ?= /usr/local
OPTIMISE ?= -O2
SANITISE ?=

VERSION := $(shell sed -n 's/^.define PROJECT_VERSION "\(.*\)"/\1/p' common/version.h)

PACKAGES = libuv libmicrohttpd gnutls libcjson yaml-0.1 libcurl sqlite3 libpq libsystemd
WARNINGS = -Wall -Wextra -Werror -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
	-Wundef -Wvla -Wformat=2 -Wpointer-arith -Wcast-qual -Wwrite-strings
# What this compiler knows, of some options.
knows = $(shell for option in $(1); do $(CC) -Werror -O2 -U_FORTIFY_SOURCE -include features.h $$option -x c -S \
	-o /dev/null /dev/null 2>/dev/null && echo $$option; done)
# A fault in memory is to end the process and not to be of use to anybody; tests/hardening.sh looks that each holds.
# It reads from the debug information what each object was compiled with.
HARDENING := -fPIE -grecord-gcc-switches $(call knows,-fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-mbranch-protection=standard)
# Sanitizers look for the same themselves, and without optimisation there is none of it.
ifeq ($(SANITISE)$(filter -O0,$(OPTIMISE)),)
FORTIFY := -U_FORTIFY_SOURCE $(firstword $(call knows,-D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2))
endif
CPPFLAGS += $(FORTIFY) -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS += -std=c17 -g $(OPTIMISE) $(HARDENING) $(WARNINGS) $(SANITISE) -fno-common
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(SANITISE)
pure_libs = $(shell pkg-config --libs libcjson yaml-0.1 gnutls 2>/dev/null) -lm
all_libs = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -lpthread
test_libs = $(shell pkg-config --libs check libcurl sqlite3 libpq gnutls 2>/dev/null)

# Pure sources include neither <uv.h> nor <microhttpd.h> nor <sqlite3.h> nor <libpq-fe.h>: they link into the unit
# tests without these libraries. Shell sources translate between them and the world.
COMMON_PURE = acmeos address buf bytes clock completion duration error file folder glob heap http_framing http_head \
	http_host http_limits http_pass http_peer http_route inventory inventory_acme inventory_ansible inventory_builder inventory_file \
	inventory_nornir inventory_parse json limits line log mem options policy policy_hash prom prom_process rng \
	rpc scrape secret sse strmap suggest terms text texts timeline timeline_axis timeline_rows timestamp xml \
	yml
COMMON_SHELL = client daemon http_connection http_reads http_request http_server http_stream http_tls process program tls turnstile
SIMULATOR_PURE = console console_call console_effects console_methods device fault fault_parse fault_rule \
	journal listing network network_file network_file_hosts network_file_sites network_grammar network_groups \
	network_index network_inventory network_name network_seal network_source network_view operation referee \
	versions world
SIMULATOR_SHELL = admin admin_answer admin_events admin_metrics connection device_ca main server
TASKS := $(shell sed -n 's/^X(\(.*\))$$/\1/p' orchestrator/tasks.def)
ORCHESTRATOR_PURE = $(TASKS) access ask brakes canaries cli_bars cli_job cli_progress cli_prompt cli_request components \
	cli_view credentials devices dry_run event event_cursor event_log event_text foretell gate gate_asks gate_brakes gate_host gate_line gate_nodes gate_share \
	gate_tell group hosts_view job job_difference job_image job_look_up job_stored job_timeline job_view joblog jobs lanes limit \
	lease lock look metrics node offers page pace peers policy policy_agree policy_grouping policy_order request request_headers resume \
	retry schedule select session shards store_event store_file store_kept store_memory store_memory_shared store_queue store_rows store_where task tasks \
	version_answer virtual
ORCHESTRATOR_SHELL = api api_audit api_dry_run api_events api_hosts api_jobs api_metrics api_page api_tasks errands event_streams nodes replay \
	cli_timeline cli cli_commands cli_console cli_talk cli_watch config connection dial fetch job_loader main notify \
	recover recover_join recover_left recover_look_up runner store store_postgres store_postgres_read store_postgres_schema store_postgres_write store_pq \
	store_pq_advice store_sql store_sqlite store_sqlite_read store_sqlite_write swagger
SCENARIO_PURE = embedded expect expect_report findings fit heard outcomes outputs run scenario schema setup \
	suite vars
STEP_KINDS := $(shell sed -n 's/^X(\(.*\))$$/\1/p' scenarios/runner/steps.def)
SCENARIO_SHELL = commands drain follower main play programs runs stage step steps told $(STEP_KINDS:%=step_%)
BENCH_PURE = bars contact deciding knee model plan stats table visit
BENCH_SHELL = bench cluster cluster_nodes concurrency controlled database events followers http https interrupted lab live main networks order output overhead \
	picture processors scale scratch takeover tls verify whatif
UNIT_TESTS = access acmeos address applied_policy bars brakes buf bytes canaries cli_bars cli_job cli_progress cli_prompt \
	cli_request cli_view completion console console_epoch console_install credentials deciding devices dry_run duration error event \
	event_cursor event_log expect fault file findings folder gate glob group heap heard http_framing http_head http_host \
	http_limits http_pass http_peer http_route inventory inventory_ansible inventory_file inventory_nornir job job_difference job_image \
	job_stored job_timeline job_view joblog jobs json knee lanes lease limit limits line log mem metrics model network \
	network_file network_groups network_inventory network_name node offers options outcomes outputs pace page paused \
	peers policy policy_agree policy_grouping policy_hash policy_order prom reads referee referee_policy \
	request request_headers resume resumed retry rng round rpc scenario schedule schedule_model schema scrape secret \
	session session_calls session_doubt shards shared_out setup sse stats store store_crash store_event store_file store_postgres store_queue \
	store_rows store_sqlite store_where strmap suggest suite table terms text texts timeline timeline_axis timeline_rows timestamp \
	tls turns vars virtual visit world xml yml
# The longest first: they run beside one another.
E2E_TESTS = nodes node_loss nodes_inventory nodes_look_up scenario verdicts postgres machine connections machine_start bench events limits steps access admin wire fetch upgrade stream effects log jobs setup \
	programs dial requests store client timeline cli credentials device_tls epochs https notify turnstile
FUZZ_TARGETS = answers console credentials cursor fault folder headers hello http_head http_pass inventory job_image json network \
	options policy request route scenario scrape session sse stored tokens values yml

objects = $(patsubst %,$(BUILD)/obj/$(1)/%.o,$(2))
common_pure = $(call objects,common,$(COMMON_PURE))
common_shell = $(call objects,common,$(COMMON_SHELL))
simulator_pure = $(call objects,simulator,$(SIMULATOR_PURE))
simulator_shell = $(call objects,simulator,$(SIMULATOR_SHELL))
orchestrator_pure = $(call objects,orchestrator,$(ORCHESTRATOR_PURE))
orchestrator_shell = $(call objects,orchestrator,$(ORCHESTRATOR_SHELL))
bench_pure = $(call objects,bench,$(BENCH_PURE))
bench_shell = $(call objects,bench,$(BENCH_SHELL))
scenario_pure = $(call objects,scenarios/runner,$(SCENARIO_PURE))
scenario_shell = $(call objects,scenarios/runner,$(SCENARIO_SHELL))
unit_tests = $(call objects,tests/unit,main $(UNIT_TESTS:%=check_%))
# The backs of a store are tested with the libraries that they stand on.
store_backs = $(call objects,orchestrator,store_postgres store_postgres_read store_postgres_schema store_postgres_write \
	store_pq store_pq_advice store_sql store_sqlite store_sqlite_read store_sqlite_write)
e2e_tests = $(call objects,tests/e2e,main child cluster harness play processes rig $(E2E_TESTS:%=check_%)) $(call objects,tests/torture,truth) $(lab)

bench_floor = $(call objects,bench,floor) $(call objects,orchestrator,group policy policy_grouping policy_order) $(common_pure)

swagger_ui = build/swagger-ui/swagger-ui-bundle.js

sources = $(shell git ls-files '*.c' '*.h' 2>/dev/null || find . -name '*.[ch]')

.PHONY: all
all: deps-build ## build the programs into build/ (the default)
	@$(MAKE) --no-print-directory -j$(shell nproc) programs

.PHONY: programs
programs: $(BUILD)/simulator $(BUILD)/orchestrator $(BUILD)/scenario $(BUILD)/bench

$(BUILD)/simulator: $(simulator_shell) $(simulator_pure) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

$(BUILD)/orchestrator: $(orchestrator_shell) $(orchestrator_pure) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

# The loaders of the simulator check a scenario's network and faults.
$(BUILD)/scenario: $(scenario_shell) $(scenario_pure) $(simulator_pure) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

# The bench plays the orchestrator's schedule over the simulator's draws on a virtual clock.
$(BUILD)/bench: $(bench_shell) $(bench_pure) $(call objects,orchestrator,cli_timeline) $(call objects,simulator,device_ca) $(orchestrator_pure) \
		$(simulator_pure) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

.PHONY: bench-programs
bench-programs: $(BUILD)/floor $(BUILD)/slow_disk.so $(BUILD)/turns.so

$(BUILD)/floor: $(bench_floor)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

# Without sanitizers: it is loaded before theirs.
$(BUILD)/%.so: bench/%.c
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(CPPFLAGS) -std=c17 -O2 $(WARNINGS) -shared -fPIC -o $@ $< -ldl

$(BUILD)/%.so: tests/torture/%.c
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(CPPFLAGS) -std=c17 -O2 $(WARNINGS) -shared -fPIC -o $@ $< -ldl

$(BUILD)/disk.so: tests/torture/disk.h
$(BUILD)/machine.so: tests/torture/machine.h

preloads = $(patsubst %,$(BUILD)/%.so,slow_disk turns disk machine network)

# The shells that are tested there: the store's, and TLS, which has no socket.
unit_shells = $(store_backs) $(call objects,common,program tls) $(call objects,simulator,device_ca)
rounds = $(call objects,tests/torture,round body place draw)
lab = $(call objects,tests/lab,postgres proxy)

$(BUILD)/tests/unit: $(unit_tests) $(unit_shells) $(lab) $(rounds) $(bench_pure) $(scenario_pure) $(simulator_pure) \
		$(orchestrator_pure) $(common_pure)
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(pure_libs) $(test_libs)

$(BUILD)/tests/e2e: $(e2e_tests) $(call objects,orchestrator,cli_timeline dial job_timeline store) $(store_backs) \
		$(call objects,orchestrator,store_event store_file store_kept store_memory store_memory_shared store_queue store_rows store_where) \
		$(call objects,common,client daemon http_connection http_reads http_request http_server http_stream http_tls process program tls turnstile) \
		$(call objects,simulator,device_ca) $(common_pure) | $(preloads)
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs) $(test_libs)

histories = $(call objects,tests/histories,main clients commits device network nodes nodes_clients nodes_process nodes_shards nodes_store \
	plan plan_nodes plan_shrink plan_text plan_view process recovery referee referee_nodes referee_stops referee_store shell story talk world)

# nodes_shards.c puts itself before shards_of(): a history draws how few nodes its components fall to.
$(BUILD)/tests/histories: $(histories) $(orchestrator_pure) $(common_pure)
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -Wl,--wrap=shards_of -o $@ $^ $(pure_libs)

# Both beside the programs, which they start.
$(BUILD)/torture: $(call objects,tests/torture,torture) $(rounds) $(call objects,common,process program) \
		$(common_pure) | $(BUILD)/disk.so $(BUILD)/network.so
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

$(BUILD)/kills: $(call objects,tests/torture,kills truth) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

$(BUILD)/torture_nodes: $(call objects,tests/torture,nodes cluster cluster_people cluster_round cluster_truth body place draw) $(lab) \
		$(call objects,scenarios/runner,expect outcomes) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

rude = $(call objects,tests/rude,client_kinds clients crowd device device_kinds polite rude talk verdict)

# Beside the programs, too.
$(BUILD)/rude: $(rude) $(call objects,simulator,device_ca) $(common_shell) $(common_pure)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(all_libs)

crash = $(BUILD)/tests/crash/supervisor $(BUILD)/tests/crash/effects.so

$(BUILD)/tests/crash/supervisor: $(call objects,tests/crash,supervisor) $(call objects,common,daemon process) $(common_pure)
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(pure_libs)

$(BUILD)/tests/crash/effects.so: tests/crash/effects.c
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

# Under make fuzz the main function is libFuzzer's.
FUZZ_MAIN ?= $(BUILD)/obj/tests/fuzz/replay.o
fuzz_programs = $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)

$(fuzz_programs): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_MAIN) \
		$(scenario_pure) $(simulator_pure) $(orchestrator_pure) $(common_pure)
	@mkdir -p $(@D)
	@echo "LD $@"; $(CC) $(LDFLAGS) $(FUZZ_LDFLAGS) -o $@ $^ $(pure_libs)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/tests/unit/main.o: CPPFLAGS += '-DUNIT_TESTS=$(patsubst %,X(%),$(UNIT_TESTS))'
$(BUILD)/obj/tests/e2e/main.o: CPPFLAGS += '-DE2E_TESTS=$(patsubst %,X(%),$(E2E_TESTS))'
$(BUILD)/obj/tests/unit/main.o $(BUILD)/obj/tests/e2e/main.o: Makefile

$(BUILD)/obj/orchestrator/swagger.o: spec/orchestrator.yaml
$(BUILD)/obj/orchestrator/store_postgres_schema.o: orchestrator/store_postgres.sql
$(BUILD)/obj/orchestrator/page.o: $(patsubst orchestrator/%,build/%,$(wildcard orchestrator/web/*)) $(swagger_ui)

# What a browser loads of the page has no comments and no indentation: a sixth of it.
build/web/%.js: orchestrator/web/%.js
	@mkdir -p $(@D)
	@sed -e '/^ *\/\//d' -e 's/^ *//' $< >$@
build/web/%: orchestrator/web/%
	@mkdir -p $(@D)
	@cp $< $@

# Swagger UI is no part of this repository: it is fetched once, where npm and its registry are there.
$(swagger_ui):
	@orchestrator/docs/fetch.sh $(@D)

.PHONY: docs
docs: ## fetch Swagger UI anew, for /docs/
	@rm -rf $(dir $(swagger_ui)) && orchestrator/docs/fetch.sh --must $(patsubst %/,%,$(dir $(swagger_ui)))
	@$(MAKE) --no-print-directory all
$(BUILD)/obj/scenarios/runner/embedded.o: spec/scenario.schema.json scenarios/runner/starter.yaml.in

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- installing what is missing

.PHONY: deps
deps: ## install the Debian packages that are missing, for all targets
	@tests/deps.sh build demo test bench lint coverage fuzz

deps-%:
	@tests/deps.sh $*

# --- using it

.PHONY: demo
demo: deps-build deps-demo ## start orchestrator and simulator, upgrade a part of the network, show what happened
	@$(MAKE) --no-print-directory -j$(shell nproc) programs
	@scenarios/demo.sh $(BUILD)

# By hand, with addresses of one's own: make serve LISTEN=127.0.0.1:0
.PHONY: serve serve-check
serve: all ## start simulator and orchestrator in the foreground until Ctrl-C, and say what to type next
	@scenarios/serve.sh $(BUILD)

cluster: all deps-test ## start PostgreSQL, three orchestrators over it and the simulator, until Ctrl-C
	@scenarios/cluster.sh $(BUILD)

serve-check: all deps-demo ## check that serve leaves nothing behind
	@tests/serve.sh $(BUILD)

.PHONY: install install-man uninstall
installed = orchestrator simulator scenario bench
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/site-functions
completions = $(addprefix $(DESTDIR),$(PREFIX)/share/bash-completion/completions/orchestrator \
	$(PREFIX)/share/fish/vendor_completions.d/orchestrator.fish $(ZSH_COMPLETIONS)/_orchestrator)

install: all ## install the programs and what completes them below PREFIX (/usr/local), under DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(dir $(completions))
	install -m 755 $(installed:%=$(BUILD)/%) $(DESTDIR)$(PREFIX)/bin
	for shell in bash fish zsh; do $(BUILD)/orchestrator completion $$shell >$(BUILD)/completion.$$shell || exit 1; done
	set -- $(completions); for shell in bash fish zsh; do install -m 644 $(BUILD)/completion.$$shell $$1 || exit 1; shift; done

install-man: man ## install the man pages likewise
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1

uninstall: ## remove what install and install-man have installed
	rm -f $(installed:%=$(DESTDIR)$(PREFIX)/bin/%) $(completions)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,$(notdir $(wildcard $(BUILD)/man/*.1)))

# --- packing it

.PHONY: man dist print-dist dist-check deb deb-check
man: deps-man programs ## make man pages from --help and spec/man/, into build/man/
	@spec/man/make.sh $(BUILD)

print-dist:
	@echo $(BUILD)/orchestrator-$(VERSION).tar.gz

dist: ## pack what is committed into build/orchestrator-VERSION.tar.gz: the same bytes each time
	@mkdir -p $(BUILD)
	@git diff --quiet HEAD -- || echo "dist: what is not committed is left out"
	@git -c tar.umask=0022 archive --prefix=orchestrator-$(VERSION)/ -o $(BUILD)/orchestrator-$(VERSION).tar HEAD
	@gzip -9nf $(BUILD)/orchestrator-$(VERSION).tar && echo $(BUILD)/orchestrator-$(VERSION).tar.gz

dist-check: deps-build ## check that it is the same twice, and builds and runs where git is not
	@tests/dist.sh

deb: deps-build deps-man deps-deb $(swagger_ui) ## build the Debian packages of what is committed into build/deb/
	@spec/debian/build.sh $(BUILD)

deb-check: deb deps-deb-check ## install, use and purge them in a clean Debian that systemd boots (as root, 3 minutes)
	@tests/deb.sh $(BUILD)

# --- testing it; each kind of build has its own folder below $(BUILD)

address_sanitiser = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
thread_sanitiser = -fsanitize=thread -fno-omit-frame-pointer

.PHONY: test-programs
test-programs: programs bench-programs $(BUILD)/kills $(BUILD)/torture $(BUILD)/torture_nodes $(BUILD)/rude $(BUILD)/tests/unit \
		$(BUILD)/tests/e2e $(BUILD)/tests/histories $(fuzz_programs)

.PHONY: asan tsan torture-programs
# What of asan the torture needs.
torture-programs:
	@$(MAKE) --no-print-directory $(BUILD)/asan/torture programs BUILD=$(BUILD)/asan OPTIMISE=-O1 \
		SANITISE="$(address_sanitiser)"

asan: deps-build deps-test ## build everything with AddressSanitizer and UBSan, into build/asan
	@$(MAKE) --no-print-directory -j$(shell nproc) test-programs BUILD=$(BUILD)/asan OPTIMISE=-O1 \
		SANITISE="$(address_sanitiser)"

tsan: deps-build deps-test ## build everything with ThreadSanitizer, into build/tsan
	@$(MAKE) --no-print-directory -j$(shell nproc) test-programs BUILD=$(BUILD)/tsan OPTIMISE=-O1 \
		SANITISE="$(thread_sanitiser)"

.PHONY: test screenshot test-browser test-tsan
test: deps-demo asan ## run the unit, end-to-end and browser tests, and some histories, under AddressSanitizer and UBSan
	@tests/run.sh $(BUILD)/asan histories browser e2e unit

screenshot: all deps-test ## take spec/page.png, the picture of the page in README.md
	@tests/browser.sh $(BUILD) screenshot spec/page.png

test-browser: deps-demo asan ## run the tests of the page alone, in a headless Chromium
	@tests/run.sh $(BUILD)/asan browser

test-tsan: tsan ## run the end-to-end tests and the scenarios under ThreadSanitizer
	@tests/run.sh $(BUILD)/tsan e2e
	@TSAN_OPTIONS=halt_on_error=1 $(BUILD)/tsan/scenario run scenarios/ --jobs 4 --timeout 600s

.PHONY: scenarios
# To look for leaks takes half of the time of a process that lives for a second: make torture does.
scenarios: deps-test asan ## play scenarios/ under AddressSanitizer and UBSan; write build/scenarios.xml (JUnit)
	@ASAN_OPTIONS=detect_leaks=0 $(BUILD)/asan/scenario run scenarios/ --jobs 4 --junit $(BUILD)/scenarios.xml

.PHONY: scenarios-postgres
scenarios-postgres: deps-test all ## play scenarios/ with the jobs in PostgreSQL, on a server of their own
	@ORCHESTRATOR=$(abspath $(BUILD))/orchestrator tests/lab/postgres.sh run $(BUILD)/scenario run scenarios/ \
		--orchestrator tests/lab/on_postgres.sh

.PHONY: crash-matrix
crash-matrix: all ## play scenarios/crash/ with an orchestrator that is killed at everything that it does
	@$(MAKE) --no-print-directory $(crash)
	@tests/crash/matrix.sh $(BUILD)

.PHONY: histories
N ?= 100000
histories: deps-build ## play N (100000) histories, and a fifth of nodes that share a store, on a virtual clock, from SEED on
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/tests/histories
	@$(BUILD)/tests/histories $(N) $(SEED)
	@$(BUILD)/tests/histories --nodes $$(($(N) / 5)) $(SEED)

.PHONY: torture
MINUTES ?= 30
NODES ?= 1
torture: asan ## torture everything for MINUTES (30), under the sanitizers, in rounds drawn from SEED on; NODES=3: several
	@$(if $(filter 1,$(NODES)),$(BUILD)/asan/torture,$(BUILD)/asan/torture_nodes $(NODES)) $(MINUTES) $(SEED)

.PHONY: kills
KILLS ?= 200
kills: all ## kill the orchestrator KILLS (200) times while it upgrades, at moments drawn from SEED
	@$(MAKE) --no-print-directory $(BUILD)/kills
	@$(BUILD)/kills $(KILLS) $(SEED)

.PHONY: rude
rude: asan ## upgrade beside devices and clients that do not behave, drawn from SEED, under AddressSanitizer
	@$(BUILD)/asan/rude $(SEED)

.PHONY: mutants
mutants: all ## plant small faults, one by one (MUTANTS, or all): the suite must notice each
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/tests/unit $(BUILD)/tests/e2e \
		$(BUILD)/tests/histories
	@tests/mutants/run.sh $(BUILD) $(MUTANTS)

.PHONY: failures
failures: all deps-demo ## write spec/failures.md: what the log says of each fault on each call
	@tests/failures.sh $(BUILD)

.PHONY: load
load: deps-load all ## upgrade the whole network while clients ask every endpoint, for MINUTES (10), and alone
	@tests/load.sh $(BUILD) $(LOAD_MINUTES)

.PHONY: valgrind
valgrind: all deps-valgrind ## run the unit tests and an upgrade of the whole network under memcheck
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/tests/unit
	@tests/valgrind.sh $(BUILD)

.PHONY: fuzz fuzz-programs fuzz-corpus
FUZZ_SECONDS ?= 60
fuzz-programs: $(fuzz_programs)

fuzz: deps-build deps-fuzz ## run each fuzz target for FUZZ_SECONDS (60), from its corpus
	@$(MAKE) --no-print-directory -j$(shell nproc) fuzz-programs BUILD=$(BUILD)/fuzz CC=clang \
		OPTIMISE=-O1 SANITISE="$(address_sanitiser) -fsanitize=fuzzer-no-link" FUZZ_MAIN= \
		FUZZ_LDFLAGS=-fsanitize=fuzzer
	@tests/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-corpus: deps-build deps-test ## run the fuzz targets once over their corpus, without libFuzzer
	@$(MAKE) --no-print-directory -j$(shell nproc) fuzz-programs BUILD=$(BUILD)/asan OPTIMISE=-O1 \
		SANITISE="$(address_sanitiser)"
	@tests/fuzz_corpus.sh $(BUILD)/asan $(FUZZ_TARGETS)

.PHONY: schema
schema: deps-schema all ## check the schemas with ajv (from npm), and that our loaders agree with it
	@tests/schema.sh $(BUILD)

.PHONY: rules prometheus
rules: deps-prometheus ## check spec/prometheus/ with promtool, and the Grafana dashboard
	@tests/rules.sh

prometheus: rules all ## hold the alerts and the dashboard against real runs, with a real Prometheus (4 minutes)
	@$(MAKE) --no-print-directory $(BUILD)/slow_disk.so
	@tests/prometheus.sh $(BUILD)

.PHONY: bench
bench: all deps-bench ## measure everything and write bench/RESULTS.md and bench/plots/ (35 minutes)
	@$(MAKE) --no-print-directory bench-programs
	@$(BUILD)/bench all bench

.PHONY: bench-page
bench-page: all deps-test ## measure what the page costs a browser
	@tests/browser.sh $(BUILD) bench bench/page_network.yaml

.PHONY: coverage
coverage: deps-build deps-demo deps-test deps-coverage ## measure line coverage, as text and HTML (build/coverage)
	@$(MAKE) --no-print-directory -j$(shell nproc) test-programs BUILD=$(BUILD)/coverage OPTIMISE=-O0 \
		SANITISE="--coverage -fprofile-update=atomic"
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@tests/run.sh $(BUILD)/coverage
	@$(BUILD)/coverage/scenario run scenarios >$(BUILD)/coverage/scenarios.out; status=$$?; \
		tail -n 1 $(BUILD)/coverage/scenarios.out; exit $$status
	@mkdir -p $(BUILD)/coverage/html
	gcovr --root . --filter 'common/' --filter 'orchestrator/' --filter 'simulator/' --filter 'scenarios/' \
		--html-details $(BUILD)/coverage/html/index.html --txt $(BUILD)/coverage/coverage.txt \
		--fail-under-line 90 $(BUILD)/coverage/obj; status=$$?; cat $(BUILD)/coverage/coverage.txt; \
		exit $$status

.PHONY: lint
lint: deps-build deps-test deps-lint ## check warnings of gcc and clang, clang-tidy, cppcheck, formatting, house rules
	@tests/lint.sh $(BUILD) '$(COMMON_PURE:%=common/%) $(SIMULATOR_PURE:%=simulator/%) $(ORCHESTRATOR_PURE:%=orchestrator/%) $(SCENARIO_PURE:%=scenarios/runner/%) $(BENCH_PURE:%=bench/%)'

.PHONY: format
format: ## format all sources
	clang-format -i $(sources)

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(BUILD)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
