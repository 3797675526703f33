// What the program scenario tells of a scenario that fails, and each kind of step.
#include "common/buf.h"
#include "common/count.h"
#include "tests/e2e/play.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

Suite *check_steps(void);

START_TEST(a_failure_says_what_was_asked_what_came_and_what_was_logged) {
    play_run(FAILED, ARGS("run", play_write("a.yaml", BAD)));
    play_said("/a.yaml:6: steps[0].request {\"json\":{\"version\":\"5.3.1\"},\"expect\":");
    play_said("  leaf00.earth: missing in failed; it is in completed (success!!!)\n"
              "  leaf01.earth: unexpected in failed (install_os_version: no space)\n"
              "  leaf09.earth: missing in completed, and in no other list\n");
    play_said("the last log lines of these hosts:\n");
    ck_assert_ptr_null(strstr(play_output, "task:upgrade_os"));
    play_said("completed host:leaf01.earth:install_os_version: no space\n");
}
END_TEST

START_TEST(the_replay_line_plays_the_same_failure_again) {
    static char first[sizeof play_output];
    play_run(FAILED,
             ARGS("run", "--repeat", "2", "--filter", "(host=leaf02.earth) #2",
                  play_write("it's a.yaml", "name: it fails\n" SMALL
                                            "matrix: {host: [leaf00.earth, leaf02.earth]}\n"
                                            "steps:\n  - devices: {'${host}': {installs: 1}}\n")));
    memcpy(first, play_output, sizeof first);
    const char *replay = strstr(first, "replay: ");
    ck_assert_msg(replay != NULL, "%s", first);
    replay += strlen("replay: ");
    ck_assert_int_eq(play_shell("%.*s 2>&1", (int)strcspn(replay, "\n"), replay), FAILED);
    play_said("(host=leaf02.earth)\n");
    play_said("/it's a.yaml:5: steps[0].devices {\"${host}\":{\"installs\":1}}\n"
              "  leaf02.earth: installs: expected 1, is 0\n");
    play_said("0 passed, 1 failed in ");
}
END_TEST

START_TEST(a_fault_that_never_fired_fails_unless_it_may) {
#define NEVER(more)                                                                                \
    "name: nothing\n" SMALL "faults:\n  - {name: idle, match: {host: leaf99.earth}, on: login, "   \
    "effect: close" more "}\nsteps:\n" UPGRADE
    play_run(FAILED, ARGS("run", play_write("a.yaml", NEVER(""))));
    play_said("a fault never fired, so it tested nothing: idle\n"
              "  correct its match, or give it may_not_fire: true\n");
    play_run(PASSED, ARGS("run", play_write("a.yaml", NEVER(", may_not_fire: true"))));
}
END_TEST

START_TEST(what_always_held_is_told_when_it_no_longer_does) {
    play_run(FAILED, ARGS("run", play_write("a.yaml", "name: nothing is installed\n" SMALL
                                                      "always:\n  - devices: {'*': {installs: 0}}\n"
                                                      "steps:\n" UPGRADE)));
    play_said("always[0].devices\n  leaf00.earth: installs: expected 0, is 1\n");
}
END_TEST

// The device runs what is wanted and says otherwise: so it is installed for nothing.
#define NEEDLESS                                                                                   \
    "network: {sites: [earth], dev_types: {leaf: {count: 4, rack: 100}}, versions: [5.3.1]}\n"     \
    "faults: [{match: {host: leaf00.earth}, on: get_version, effect: wrong_version, times: 1}]\n"

static const char *const referee_asked[] = {
    "steps:\n" UPGRADE,
    // beside invariants of the scenario's own, an audit of something else among them
    "always:\n  - devices: {'*': {installs: {at_least: 0}}}\nsteps:\n" UPGRADE,
    "always:\n  - audit: {max_in_flight: {at_most: 100}}\nsteps:\n" UPGRADE,
    // a simulator that ends takes along what it saw
    "steps:\n" UPGRADE "  - signal: {do: restart, program: simulator}\n",
    "steps:\n" UPGRADE "  - signal: {do: kill, program: simulator}\n",
    "steps:\n" UPGRADE "  - signal: {do: stop, program: simulator}\n",
};

START_TEST(the_referee_is_asked_whatever_else_the_scenario_asks) {
    struct buf text = {0};
    buf_addf(&text, "name: a needless install\n" NEEDLESS "%s", referee_asked[_i]);
    play_run(FAILED, ARGS("run", play_write("a.yaml", text.data)));
    play_said("  the referee saw: {\"kind\":\"needless_install\",\"group\":\"earth_leaf_100\"");
    buf_deinit(&text);
}
END_TEST

// The second job puts the old version back, and takes so long that somebody looks before.
START_TEST(what_did_not_hold_is_told_though_it_holds_again_at_the_end) {
    play_run(FAILED,
             ARGS("run",
                  play_write("a.yaml",
                             "name: there and back\n"
                             "network: {sites: [earth], dev_types: {leaf: {count: 1}}, versions: "
                             "[5.2.1]}\n"
                             "faults: [{on: login, effect: delay, by: 2s, after: 1}]\n"
                             "always:\n  - devices: {leaf00.earth: {version: 5.2.1}}\n"
                             "steps:\n  - request: {json: {version: 5.3.1}, expect: {report: "
                             "{completed: 1}}}\n  - request: {json: {version: 5.2.1}, expect: "
                             "{report: {completed: 1}}}\n  - devices: {'*': {version: 5.2.1}}\n")));
    play_said("/a.yaml:5: always[0].devices\n"
              "  leaf00.earth: version: expected \"5.2.1\", is \"5.3.1\"\n");
}
END_TEST

// It does not answer the first scrape, and /wait answers when that has come.
#define MUTE                                                                                       \
    "#!/usr/bin/python3\n"                                                                         \
    "import http.server, signal, sys, threading\n"                                                 \
    "asked = threading.Event()\n"                                                                  \
    "class Handler(http.server.BaseHTTPRequestHandler):\n"                                         \
    "    def do_GET(self):\n"                                                                      \
    "        if self.path == '/events/': return self.send_error(404)\n"                            \
    "        if self.path == '/wait': asked.wait()\n"                                              \
    "        elif not asked.is_set(): return asked.set()\n"                                        \
    "        self.send_response(200)\n"                                                            \
    "        self.end_headers()\n"                                                                 \
    "        self.wfile.write(b'a 1\\n')\n"                                                        \
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"                                      \
    "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"                        \
    "print(f'listening on http://127.0.0.1:{server.server_port}', flush=True)\n"                   \
    "server.serve_forever()\n"

START_TEST(a_program_that_runs_and_does_not_answer_for_a_while_fails_what_must_always_hold) {
    const char *program = play_write("orchestrator", MUTE);
    ck_assert_int_eq(chmod(program, 0700), 0);
    play_run(FAILED, ARGS("run", "--orchestrator", program,
                          play_write("a.yaml",
                                     "name: mute\n" SMALL "always:\n  - metrics: {values: {a: 1}}\n"
                                     "steps:\n  - request: {path: /wait}\n")));
    play_said("/a.yaml:4: always[0].metrics\n  GET http://");
    play_said("/metrics/: no answer: ");
}
END_TEST

// It says that it has changed a device that it has never spoken to, and forgets the job when it is
// started again.
#define LIAR                                                                                       \
    "#!/usr/bin/python3\n"                                                                         \
    "import http.server, json, signal, sys\n"                                                      \
    "row = {'name': 'leaf00.earth', 'state': 'changed', 'started': '2999-01-01T00:00:00.000Z'}\n"  \
    "counts = {'hosts': 1, 'waiting': 0, 'in_hand': 0, 'changed': 1, 'unchanged': 0, 'failed': "   \
    "0, 'skipped': 0}\n"                                                                           \
    "job = {'id': 'j', 'state': 'done', 'version': '5.9.9', 'ended': '2999-01-01T00:00:01.000Z', " \
    "'counts': counts}\n"                                                                          \
    "report = {'failed': [], 'skipped': [], 'completed': ['leaf00.earth']}\n"                      \
    "jobs = []\n"                                                                                  \
    "class Handler(http.server.BaseHTTPRequestHandler):\n"                                         \
    "    def answer(self, value):\n"                                                               \
    "        self.send_response(200)\n"                                                            \
    "        self.end_headers()\n"                                                                 \
    "        self.wfile.write(json.dumps(value).encode())\n"                                       \
    "    def do_GET(self):\n"                                                                      \
    "        if self.path.startswith('/jobs/?'): self.answer({'jobs': jobs})\n"                    \
    "        elif self.path.startswith('/jobs/j/hosts/'): self.answer({'hosts': [row]})\n"         \
    "        elif self.path == '/jobs/j/report/': self.answer(report)\n"                           \
    "    def do_POST(self):\n"                                                                     \
    "        jobs[:] = [job]\n"                                                                    \
    "        self.answer(report)\n"                                                                \
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"                                      \
    "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"                        \
    "print(f'listening on http://127.0.0.1:{server.server_port}', flush=True)\n"                   \
    "server.serve_forever()\n"

static const struct {
    const char *scenario, *said;
} lies[] = {
    // where its report came, and at the end
    {SMALL "steps:\n  - request: {json: {version: 5.9.9}}\n",
     "steps[0].request {\"json\":{\"version\":\"5.9.9\"}}\n"
     "  job j says that leaf00.earth runs 5.9.9; it runs 5."},
    {SMALL "steps:\n  - request: {path: /elsewhere/, json: {version: 5.9.9}}\n",
     "what the orchestrator tells of its jobs is not so:\n"
     "  job j says that leaf00.earth runs 5.9.9; it runs 5."},
    {"network: {sites: [earth], dev_types: {leaf: {count: 1}}, versions: [5.9.9]}\nsteps:\n"
     "  - request: {json: {version: 5.9.9}}\n  - signal: {do: restart}\n",
     "what the orchestrator tells of its jobs is not so:\n"
     "  job j: it was over, and is told of no more\n"},
};

START_TEST(an_orchestrator_that_tells_of_its_jobs_what_is_not_so_is_found_out) {
    const char *program = play_write("orchestrator", LIAR);
    struct buf text = {0};
    ck_assert_int_eq(chmod(program, 0700), 0);
    buf_addf(&text, "name: a lie\n%s", lies[_i].scenario);
    play_run(FAILED, ARGS("run", "--orchestrator", program, play_write("a.yaml", text.data)));
    play_said(lies[_i].said);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_fault_that_was_removed_must_have_fired_before) {
#define REMOVED(more)                                                                              \
    "name: nothing\n" SMALL "faults:\n  - {name: idle, match: {host: leaf03.earth}, on: logout, "  \
    "effect: close" more "}\nsteps:\n  - remove_faults: [idle]\n" UPGRADE
    play_run(FAILED, ARGS("run", play_write("a.yaml", REMOVED(""))));
    play_said("a fault never fired, so it tested nothing: idle\n");
    play_run(PASSED, ARGS("run", play_write("a.yaml", REMOVED(", may_not_fire: true"))));
}
END_TEST

// A stand-in that has nothing, and ends otherwise than it should.
#define SEVEN                                                                                      \
    "#!/usr/bin/python3\n"                                                                         \
    "import http.server, os, signal\n"                                                             \
    "class Handler(http.server.BaseHTTPRequestHandler):\n"                                         \
    "    def do_GET(self): self.send_error(404)\n"                                                 \
    "signal.signal(signal.SIGTERM, lambda *_: os._exit(7))\n"                                      \
    "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"                        \
    "print(f'listening on http://127.0.0.1:{server.server_port}', flush=True)\n"                   \
    "server.serve_forever()\n"

static const char *const ends[] = {
    "name: at the end\n" SMALL "steps:\n  - devices: {'*': {logins: 0}}\n",
    "name: asked to\n" SMALL "steps:\n  - signal: {do: stop}\n",
    "name: awaited\n" SMALL "steps:\n  - signal: {do: terminate}\n  - signal: {do: await_end}\n",
    "name: anew\n" SMALL "steps:\n  - signal: {do: restart}\n",
};

START_TEST(a_program_that_ends_with_another_exit_code_fails_the_scenario) {
    const char *program = play_write("orchestrator", SEVEN);
    ck_assert_int_eq(chmod(program, 0700), 0);
    play_run(FAILED, ARGS("run", "--orchestrator", program, play_write("a.yaml", ends[_i])));
    play_said("the orchestrator ended with exit code 7\n");
}
END_TEST

START_TEST(a_program_that_is_suspended_goes_on_after_a_while) {
    const char *program = play_write("orchestrator", "#!/bin/sh\ntrap 'exit 0' TERM\n"
                                                     "trap 'echo it goes on >&2' CONT\n"
                                                     "echo 'listening on http://127.0.0.1:9'\n"
                                                     "while :; do sleep 0.1; done\n");
    ck_assert_int_eq(chmod(program, 0700), 0);
    play_run(PASSED, ARGS("run", "--orchestrator", program,
                          play_write("a.yaml", "name: suspended\n" SMALL
                                               "steps:\n  - signal: {do: suspend, for: 10ms}\n"
                                               "  - eventually: {steps: [log: {stderr: [it goes "
                                               "on]}]}\n"
                                               "  - signal: {do: stop}\n"))); // it has no jobs
}
END_TEST

START_TEST(a_text_that_is_cut_within_a_character_does_not_hide_a_failure) {
    struct buf text = {0};
    buf_adds(&text, "name: it fails\n" SMALL "steps:\n  - request: {path: /x");
    for (int i = 0; i < 200; i++)
        buf_adds(&text, "\xc3\xa4");
    buf_adds(&text, "}\n");
    play_run(FAILED, ARGS("run", play_write("a.yaml", text.data)));
    play_said("steps[0].request {\"path\":\"/x\xc3\xa4");
    play_said("\xc3\xa4...\n  status: expected 200, is 404: ");
    buf_deinit(&text);
}
END_TEST

START_TEST(a_scenario_that_takes_too_long_is_ended) {
    play_run(FAILED, ARGS("run", "--timeout", "1s",
                          play_write("a.yaml", "name: waits\n" SMALL "steps:\n  - when: "
                                               "{operation: login, timeout: 1h}\n")));
    play_said("it took longer than --timeout\n");
}
END_TEST

static const struct {
    const char *text, *said;
} failures[] = {
    // @ is the path of the scenario
    {"steps:\n  - request: {path: /livez, capture: {x: a.b}}\n", "  the body: not JSON: "},
    {"steps:\n  - request: {path: /swagger/, capture: {x: a.b}}\n",
     "  capture x: the answer has nothing at a.b\n"},
    {"steps:\n  - request: {path: /swagger/, expect: {json: {openapi: '9.*'}, body: [nowhere]}}\n",
     "  the body does not contain: nowhere\n  openapi: expected \"9.*\", is \"3."},
    {"steps:\n  - request:\n      path: /swagger/\n      expect: {headers: {content-type: null, "
     "x-none: '*', Content-Type: text/*}}\n",
     "  header content-type: expected none, is application/json\n"
     "  header x-none: missing\n"
     "  header Content-Type: expected text/*, is application/json\n"},
    {"steps:\n  - request: {to: simulator, path: /nowhere, expect: {status: 204}}\n",
     "  status: expected 204, is 404: "},
    {"steps:\n  - request: {path: /nowhere, expect: {status: [202, 503]}}\n",
     "  status: expected 202 or 503, is 404: "},
    {"steps:\n  - request: {path: /swagger/, capture: {x: a.b}, expect: {status: [200, 409]}}\n",
     "  capture x: the answer has nothing at a.b\n"},
    {"steps:\n  - metrics: {of: simulator, values: {simulator_none: 1}, changes: "
     "{simulator_devices: "
     "5}, absent: [simulator_devices]}\n",
     "  change of simulator_devices: expected 5, is 4\n"
     "  simulator_none: there is no such series\n"
     "  simulator_devices: the series exists, but should not\n"},
    // a try that fails is not what the next one counts from
    {"steps:\n" UPGRADE
     "  - eventually: {timeout: 200ms, interval: 1ms, steps: [metrics: {changes: "
     "{orchestrator_hosts_total: 0}}]}\n",
     "  change of orchestrator_hosts_total: expected 0, is 4\n"},
    // two groups of two, whose devices take 50 ms each
    {"simulator: {latency: 10ms}\nsteps:\n  - request: {json: {version: 5.3.1}, expect: {report: "
     "{completed: 4}, takes: {workers: 1000, at_least: 1e9, at_most: 1}}}\n",
     "  takes, as a multiple of the devices' own delays: expected at least "},
    {"simulator: {latency: 10ms}\nsteps:\n  - request: {json: {version: 5.3.1}, expect: {report: "
     "{completed: 4}, takes: {workers: 1000, at_most: 1}}}\n",
     "  takes, as a multiple of the devices' own delays: expected at most 1, is "},
    {"simulator: {latency: 0}\nsteps:\n  - request: {json: {version: 5.3.1}, expect: {report: "
     "{completed: 4}, takes: {at_most: 1000}}}\n",
     "  takes: no call on a device took any time\n"},
    {"steps:\n  - when: {operation: login, host: 'leaf*', count: 2, timeout: 1ms}\n",
     "  login begun: expected 2 events, saw 0 until the timeout\n"},
    {"steps:\n  - eventually: {timeout: 1ms, steps: [devices: {leaf00.earth: {logins: 1}}]}\n",
     "  did not pass within 1ms; the last try:\n@:4: steps[0].devices "
     "{\"leaf00.earth\":{\"logins\":1}}\n"
     "  leaf00.earth: logins: expected 1, is 0\n"},
    {"matrix: {x: [soon]}\nsteps:\n  - eventually: {timeout: '${x}', steps: [log: {lacks: [a]}]}\n",
     "  timeout: 'soon' is not a duration: write 250us, 10ms, 1.5s, 5m or 1h\n"},
    {"faults: [{name: f, on: login, effect: close, may_not_fire: true}]\n"
     "steps:\n  - remove_faults: [f]\n  - remove_faults: [f]\n",
     "steps[1].remove_faults [\"f\"]\n  no fault named f is in force\n"},
    {"matrix: {x: [brick]}\nsteps:\n  - faults: [{on: login, effect: '${x}'}]\n",
     "  the simulator refused a fault: {"},
    {"steps:\n  - signal: {do: stop}\n  - signal: {do: terminate}\n",
     "steps[1].signal {\"do\":\"terminate\"}\n  the orchestrator is not running\n"},
    {"steps:\n  - signal: {do: hangup, program: simulator}\n  - signal: {do: await_end, program: "
     "simulator}\n",
     "  the simulator was ended by signal 1 (Hangup)\n"},
    {"steps:\n  - signal: {do: kill, program: simulator}\n  - devices: {'*': {logins: 0}}\n",
     "/devices/: no answer: "},
    {"steps:\n  - parallel:\n      - log: {has: [a line]}\n      - [log: {lacks: [x]}, audit: "
     "{max_in_flight: 9}]\n",
     "  the log has no line: a line\n@:6: branch 1[1].audit {\"max_in_flight\":9}\n"
     "  max_in_flight: expected 9, is 0\n"},
    {"steps:\n" UPGRADE "  - log: {has: ['INFO:completed host:leaf02.earth:done!!!', nowhere]}\n",
     "  the log has no line: INFO:completed host:leaf02.earth:done!!!\n"
     "  the nearest that it has: INFO:completed host:leaf02.earth:success!!!\n"
     "  the log has no line: nowhere\nthe last log lines of these hosts:\n"},
    {"steps:\n  - log: {lacks: [x]}\nfinally:\n  - log: {has: [a line]}\n",
     "finally[0].log {\"has\":[\"a line\"]}\n  the log has no line: a line\n"},
};

START_TEST(every_step_says_what_was_not_as_expected) {
    struct buf text = {0};
    buf_addf(&text, "name: it fails\n" SMALL "%s", failures[_i].text);
    const char *path = play_write("a.yaml", text.data), *at = strchr(failures[_i].said, '@');
    play_run(FAILED, ARGS("run", path));
    buf_clear(&text);
    if (at != NULL)
        buf_addf(&text, "%.*s%s", (int)(at - failures[_i].said), failures[_i].said, path);
    buf_adds(&text, at == NULL ? failures[_i].said : at + 1);
    play_said(text.data);
    buf_deinit(&text);
}
END_TEST

#define OTHER_SMALL                                                                                \
    "network: {sites: [earth], dev_types: {leaf: {count: 4, rack: 100}}, password: x}\n"

static const char *const passing[] = {
    // a refusal has nothing to capture, and leaves what was captured before
    SMALL "steps:\n"
          "  - request: {path: /swagger/, capture: {x: openapi}}\n"
          "  - request: {path: /nowhere, capture: {x: openapi}, expect: {status: [200, 404]}}\n"
          "  - request: {path: /swagger/, expect: {json: {openapi: '${x}'}}}\n",
    // the logins of the first upgrade do not count; and nobody logs in any more
    SMALL "faults: [{on: login, effect: delay, by: 500ms, after: 1}]\n"
          "steps:\n" UPGRADE "  - parallel:\n"
          "      - request: {json: {version: 5.4.1}, expect: {report: {completed: 4}}}\n"
          "      - - when: {operation: login, phase: answered, host: leaf00.earth, within: 1h}\n"
          "        - devices: {leaf00.earth: {logins: 2}}\n"
          "  - when: {operation: login, count: 9, within: 1ms}\n",
    // branches that start programs, at once, and go on with them
    SMALL "steps:\n" UPGRADE "  - parallel:\n"
          "      - [signal: {do: restart}, request: {path: /livez}]\n"
          "      - signal: {do: restart, program: simulator}\n"
          "      - eventually: {timeout: 30s, steps: [request: {path: /readyz}]}\n" UPGRADE,
    SMALL "steps:\n  - signal: {do: kill}\n  - signal: {do: restart}\n" UPGRADE,
    OTHER_SMALL "orchestrator: {password: x}\nsteps:\n" UPGRADE,
    OTHER_SMALL
    "orchestrator: {password: y}\nsteps:\n  - request: {json: {version: 5.3.1}, expect: "
    "{report: {failed: 2, skipped: 2, completed: 0}}}\n",
    "network: beside.yaml\nsteps:\n" UPGRADE,
    "matrix: {file: [beside]}\nnetwork: '${file}.yaml'\nsteps:\n" UPGRADE,
    // a captured value, one by one and as a list
    SMALL "steps:\n  - request: {json: {version: 5.3.1}, capture: {all: completed, third: "
          "'completed[2]'}}\n  - request: {json: {version: 5.3.2}, expect: {report: {completed: "
          "'${all}'}}}\n  - devices: {'${third}': {installs: 2}}\n",
    SMALL "faults: [{name: f, on: install_os_version, effect: error}]\nsteps:\n  - request: {json: "
          "{version: 5.3.1}, expect: {report: {failed: 2, skipped: 2}}}\n  - remove_faults: "
          "[f]\n" UPGRADE,
    "matrix: {w: [2]}\n" SMALL
    "simulator: {latency: 10ms}\norchestrator: {peer_check: off}\nsteps:\n  - request: {json: "
    "{version: 5.3.1}, expect: {report: "
    "{completed: 4}, takes: {workers: '${w}', at_least: 1, at_most: 1000}}}\n",
    "matrix: {soon: [20s], n: [4]}\n" SMALL "steps:\n" UPGRADE
    "  - eventually: {timeout: '${soon}', interval: 1ms, steps: [metrics: {changes: "
    "{orchestrator_hosts_total: '${n}'}}]}\n",
};

START_TEST(what_is_as_expected_passes) {
    struct buf text = {0};
    play_write("beside.yaml", "sites: [earth]\ndev_types: {leaf: {count: 4, rack: 100}}\n"
                              "latency: 0\n");
    buf_addf(&text, "name: it passes\n%s", passing[_i]);
    play_run(PASSED, ARGS("run", play_write("a.yaml", text.data)));
    buf_deinit(&text);
}
END_TEST

START_TEST(help_and_version_are_told) {
    play_run(PASSED, ARGS("--help"));
    play_said("Exit codes: 0 all passed");
    play_run(PASSED, ARGS("run", "--help"));
    play_said("usage: scenario run [OPTION]... [PATH]...\n");
    play_said("  --junit FILE ");
    play_run(PASSED, ARGS("run", "--version"));
    ck_assert_ptr_eq(strstr(play_output, "scenario 0."), play_output);
    play_run(PASSED, ARGS("--version"));
    ck_assert_ptr_eq(strstr(play_output, "scenario 0."), play_output);
}
END_TEST

Suite *check_steps(void) {
    Suite *suite = suite_create("steps");
    TCase *tc = tcase_create("steps");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, play_set_up, play_tear_down);
    tcase_add_test(tc, a_failure_says_what_was_asked_what_came_and_what_was_logged);
    tcase_add_test(tc, the_replay_line_plays_the_same_failure_again);
    tcase_add_test(tc, a_fault_that_never_fired_fails_unless_it_may);
    tcase_add_test(tc, what_always_held_is_told_when_it_no_longer_does);
    tcase_add_loop_test(tc, the_referee_is_asked_whatever_else_the_scenario_asks, 0,
                        COUNT(referee_asked));
    tcase_add_test(tc, what_did_not_hold_is_told_though_it_holds_again_at_the_end);
    tcase_add_test(tc,
                   a_program_that_runs_and_does_not_answer_for_a_while_fails_what_must_always_hold);
    tcase_add_loop_test(tc, an_orchestrator_that_tells_of_its_jobs_what_is_not_so_is_found_out, 0,
                        COUNT(lies));
    tcase_add_test(tc, a_fault_that_was_removed_must_have_fired_before);
    tcase_add_loop_test(tc, a_program_that_ends_with_another_exit_code_fails_the_scenario, 0,
                        COUNT(ends));
    tcase_add_test(tc, a_program_that_is_suspended_goes_on_after_a_while);
    tcase_add_test(tc, a_text_that_is_cut_within_a_character_does_not_hide_a_failure);
    tcase_add_test(tc, a_scenario_that_takes_too_long_is_ended);
    tcase_add_loop_test(tc, every_step_says_what_was_not_as_expected, 0, COUNT(failures));
    tcase_add_loop_test(tc, what_is_as_expected_passes, 0, COUNT(passing));
    tcase_add_test(tc, help_and_version_are_told);
    suite_add_tcase(suite, tc);
    return suite;
}
