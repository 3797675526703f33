// The program scenario where its verdict might be a pass for want of a look: an orchestrator whose
// jobs or metrics cannot be read, values that are of another type than they should, rules and
// violations that are forgotten before the end. And programs of others, which write where they
// like and leave something behind.
#include "common/buf.h"
#include "common/count.h"
#include "tests/e2e/play.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_verdicts(void);

// Answers as MODE says. It is started with our options, and listens where --listen says.
#define OTHER                                                                                      \
    "#!/usr/bin/python3\n"                                                                         \
    "import http.server, json, os, signal, sys\n"                                                  \
    "mode = os.environ.get('MODE', '')\n"                                                          \
    "def answer_of(path):\n"                                                                       \
    "    jobs = path.split('?')[0] == '/jobs/'\n"                                                  \
    "    if path == '/metrics/' and mode == '503': return 503, b'busy'\n"                          \
    "    if path.startswith('/echo/'): return 200, path.encode()\n"                                \
    "    if not jobs: return 404, b'{}'\n"                                                         \
    "    if mode == 'error': return 500, b'{}'\n"                                                  \
    "    if mode == 'none': return 501, b'{}'\n"                                                   \
    "    if mode == 'html': return 200, b'<html>'\n"                                               \
    "    if mode == 'no list': return 200, b'{}'\n"                                                \
    "    if mode == 'no hosts': return 200, b'{\"jobs\": [{\"id\": \"1\", \"state\": "             \
    "\"done\"}]}'\n"                                                                               \
    "    return 404, b'{}'\n"                                                                      \
    "class Handler(http.server.BaseHTTPRequestHandler):\n"                                         \
    "    def answer(self, status, body):\n"                                                        \
    "        self.send_response(status)\n"                                                         \
    "        self.send_header('Content-Length', str(len(body)))\n"                                 \
    "        self.end_headers()\n"                                                                 \
    "        self.wfile.write(body)\n"                                                             \
    "    def do_GET(self): self.answer(*answer_of(self.path))\n"                                   \
    "    def do_POST(self):\n"                                                                     \
    "        if mode == 'wordy': print('x' * 200000 + '\\n' + 'the last of it', flush=True)\n"     \
    "        if mode == 'latin-1': return self.answer(500, b'd\\xe9faut')\n"                       \
    "        self.answer(200, b'{\"failed\": [], \"skipped\": [], \"completed\": []}')\n"          \
    "        if mode == 'gone': os._exit(0)\n"                                                     \
    "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n"                                      \
    "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"                        \
    "print(f'http-upgrader 1.0: http://127.0.0.1:{server.server_port}', flush=True)\n"             \
    "server.serve_forever()\n"

#define ASKED "steps:\n  - request: {json: {version: 5.9.1}, expect: {report: {completed: 0}}}\n"

static const struct {
    const char *mode, *steps;
    int code;
    const char *said; // or NULL
} others[] = {
    // who has no jobs is not asked further
    {"", ASKED, PASSED, NULL},
    {"none", ASKED, PASSED, NULL},
    // who has them has to tell of them
    {"error", ASKED, FAILED, "  GET /jobs/?limit=1000: status 500: {}\n"},
    {"html", ASKED, FAILED, "  GET /jobs/?limit=1000: not JSON"},
    {"no list", ASKED, FAILED, "  GET /jobs/?limit=1000: no jobs\n"},
    {"no hosts", ASKED, FAILED, "  there is no job 1\n"},
    {"gone", ASKED "  - when: {operation: login, within: 1s}\n", FAILED, ": no answer: "},
    {"error", ASKED "  - signal: {do: terminate}\n", PASSED, NULL}, // nobody is left to ask
    // metrics that cannot be read are none that are as expected
    {"", "steps:\n  - metrics: {changes: {a: 0}, absent: [b]}\n", FAILED,
     "/metrics/: it answered 404"},
    {"503", "steps:\n  - metrics: {changes: {a: 0}}\n", FAILED, "/metrics/: it answered 503: busy"},
    {"503", "always:\n  - metrics: {absent: [b]}\n" ASKED, FAILED,
     "/metrics/: it answered 503: busy"},
    // what no text may hold, and a pipe that nobody reads
    {"latin-1", "steps:\n  - request: {json: {}, expect: {status: 500}}\n", PASSED, NULL},
    {"wordy", ASKED, PASSED, NULL},
    {"wordy", ASKED "  - devices: {'*': {logins: 1}}\n", FAILED, "the orchestrator's stdout:\n"},
    {"wordy", ASKED "  - devices: {'*': {logins: 1}}\n", FAILED, "\nthe last of it\n"},
};

static const char *write_other(void) {
    const char *program = play_write("orchestrator", OTHER);
    ck_assert_int_eq(chmod(program, 0700), 0);
    return program;
}

START_TEST(what_cannot_be_read_is_not_as_expected) {
    struct buf text = {0};
    const char *program = write_other();
    buf_addf(&text,
             "name: another orchestrator\n" SMALL "orchestrator: {environment: {MODE: '%s'}}\n%s",
             others[_i].mode, others[_i].steps);
    play_run(others[_i].code, ARGS("run", "--orchestrator", program, "--timeout", "100s",
                                   play_write("a.yaml", text.data)));
    if (others[_i].said != NULL) play_said(others[_i].said);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_long_path_is_asked_for_as_a_whole) {
    struct buf text = {0};
    buf_addf(&text,
             "name: a long path\n" SMALL "steps:\n  - request: {path: /echo/%0900d.end, expect: "
             "{body: ['0.end']}}\n",
             0);
    play_run(PASSED, ARGS("run", "--orchestrator", write_other(), play_write("a.yaml", text.data)));
    buf_deinit(&text);
}
END_TEST

// A shell that does not wait for what it has started is ended by the signal, and that goes with it.
START_TEST(what_a_script_has_started_does_not_outlive_it) {
    struct buf text = {0};
    char program[200], proc[64], command[300] = "";
    snprintf(program, sizeof program, "%s", write_other());
    buf_addf(&text, "#!/bin/sh\ntrap 'exit 0' TERM\n%s \"$@\" &\necho $! >%s\nwait\n", program,
             play_path("pid"));
    const char *script = play_write("script", text.data);
    ck_assert_int_eq(chmod(script, 0700), 0);
    play_run(PASSED, ARGS("run", "--orchestrator", script,
                          play_write("a.yaml", "name: left behind\n" SMALL ASKED)));
    char *pid = read_file(play_path("pid"));
    snprintf(proc, sizeof proc, "/proc/%d/cmdline", atoi(pid));
    FILE *alive = fopen(proc, "re");
    size_t len = alive == NULL ? 0 : fread(command, 1, sizeof command - 1, alive);
    if (alive != NULL) fclose(alive);
    for (size_t i = 0; i < len; i++)
        if (command[i] == '\0') command[i] = ' ';
    const bool is_alive = strstr(command, program) != NULL; // a zombie has no command line
    if (is_alive) kill(atoi(pid), SIGKILL);
    ck_assert(!is_alive);
    free(pid);
    buf_deinit(&text);
}
END_TEST

// --- values of another type

#define CAPTURE                                                                                    \
    SMALL "steps:\n"                                                                               \
          "  - request: {json: {version: 5.9.1, dry_run: true}, capture: {n: hosts}}\n"            \
          "  - request: {path: /swagger/, capture: {v: openapi}}\n"

static const struct {
    const char *text, *said; // @ is the path of the scenario; NULL: it passes
} types[] = {
    {"matrix: {n: ['77']}\n" SMALL
     "steps:\n  - request: {json: {version: 5.9.1}, expect: {report: {completed: '${n}'}}}\n",
     "@:5: steps[0].request "
     "{\"json\":{\"version\":\"5.9.1\"},\"expect\":{\"report\":{\"completed\":"
     "\"${n}\"}}}\n  request.expect.report.completed: expected "},
    {"matrix: {n: ['77']}\n" SMALL
     "steps:\n  - request: {json: {version: 5.9.1}, expect: {report: {completed: {at_least: "
     "'${n}'}}}}\n",
     "  request.expect.report.completed.at_least: expected a whole number, not a string\n"},
    {"matrix: {n: ['409']}\n" SMALL
     "steps:\n  - request: {path: /livez, expect: {status: '${n}'}}\n",
     "  request.expect.status: expected a whole number or an array, not a string\n"},
    {"matrix: {n: ['77']}\n" SMALL "steps:\n  - devices: {'*': {installs: '${n}'}}\n",
     "  devices.*.installs: expected "},
    {"matrix: {n: ['77']}\n" SMALL "steps:\n  - audit: {max_installing: '${n}'}\n",
     "  audit.max_installing: expected "},
    {"matrix: {n: ['77']}\n" SMALL "steps:\n  - metrics: {values: {failed_tasks_total: '${n}'}}\n",
     "  metrics.values.failed_tasks_total: expected "},
    {"matrix: {n: ['1']}\n" SMALL "steps:\n" UPGRADE
     "  - when: {operation: login, count: '${n}'}\n",
     "  when.count: expected a whole number, not a string\n"},
    {"matrix: {n: ['4']}\n" SMALL "steps:\n  - request: {json: {version: 5.9.1}, expect: {json: "
     "{completed: {count: '${n}'}}}}\n",
     "  completed: it is compared with a number, not with a string\n"},
    {"matrix: {n: [20]}\n" SMALL "steps:\n  - request: {path: /livez, timeout: '${n}'}\n",
     "  request.timeout: '20': expected a duration with its unit, such as 250us, 10ms, 1.5s, 5m or "
     "1h\n"},
    {"matrix: {n: [20]}\n" SMALL
     "steps:\n  - eventually: {timeout: '${n}', steps: [request: {path: /livez}]}\n",
     "  timeout: expected a duration such as 10ms, not a number\n"},
    {CAPTURE "  - devices: {'*': {logins: '${v}'}}\n", "  devices.*.logins: expected "},
    {CAPTURE "  - remove_faults: ['${n}']\n", "  no fault named 4 is in force\n"},
    // where a text stands a number and a truth value become one
    {CAPTURE "  - request: {path: /livez, headers: {X-N: '${n}'}}\n", NULL},
    {CAPTURE "  - request: {path: /livez, expect: {body: ['${n}']}}\n",
     "  the body does not contain: 4\n"},
    {CAPTURE "  - request: {path: /livez, expect: {headers: {Content-Type: '${n}'}}}\n",
     "  header Content-Type: expected 4, is text/plain"},
    {CAPTURE "  - metrics: {absent: ['${n}']}\n", NULL},
    {CAPTURE "  - request: {json: {version: 5.9.1}, expect: {report: {completed: ['${n}']}}}\n",
     "  4: missing in completed"},
    {"matrix: {b: [true, false]}\n" SMALL
     "steps:\n  - request: {path: /livez, headers: {X-B: '${b}'}}\n",
     NULL},
    // what the programs are started with, and faults
    {"matrix: {n: ['two']}\n" SMALL "orchestrator: {workers: '${n}'}\nsteps:\n" UPGRADE,
     "orchestrator.workers: expected a whole number, not a string\n"},
    {"matrix: {n: ['two']}\n" SMALL
     "faults: [{on: login, effect: close, times: '${n}', may_not_fire: true}]\nsteps:\n" UPGRADE,
     "faults[0].times: expected a whole number, not a string\n"},
    {SMALL "orchestrator: {environment: {SEED: '${seed}'}}\nsteps:\n" UPGRADE, NULL},
};

START_TEST(a_value_that_comes_in_late_has_the_type_that_it_must_have) {
    struct buf text = {0};
    buf_addf(&text, "name: types\n%s", types[_i].text);
    const char *path = play_write("a.yaml", text.data), *said = types[_i].said;
    play_run(said == NULL ? PASSED : FAILED, ARGS("run", path));
    buf_clear(&text);
    if (said != NULL) {
        buf_addf(&text, "%s%s", said[0] == '@' ? path : "", said[0] == '@' ? said + 1 : said);
        play_said(text.data);
    }
    buf_deinit(&text);
}
END_TEST

// --- what is forgotten before the end

// The second of a pair is upgraded while the first is bricked.
#define PEER_DOWN                                                                                  \
    "network: {sites: [earth], dev_types: {leaf: {count: 2}}}\n"                                   \
    "orchestrator: {peer_check: 'off', install_timeout: 1s}\n"                                     \
    "faults: [{match: {host: leaf00.earth}, on: install_os_version, effect: brick}]\nsteps:\n"     \
    "  - request: {json: {version: 5.9.1, filter_hosts: [leaf00.earth]}, expect: {report: "        \
    "{failed: 1, completed: 0}}}\n"                                                                \
    "  - request: {json: {version: 5.9.1, filter_hosts: [leaf01.earth]}, expect: {report: "        \
    "{completed: 1}}}\n"
#define RESET "  - request: {to: simulator, method: POST, path: /reset/, expect: {status: 204}}\n"
#define FIRES(name)                                                                                \
    "  - faults: [{name: " name ", match: {host: leaf00.earth}, on: install_os_version, effect: "  \
    "error}]\n"                                                                                    \
    "  - request: {json: {version: 5.9.1, filter_hosts: [leaf00.earth]}, expect: {report: "        \
    "{failed: 1, completed: 0}}}\n"
#define REMOVE(path)                                                                               \
    "  - request: {to: simulator, method: DELETE, path: " path ", expect: {status: 204}}\n"

static const struct {
    const char *text, *said; // NULL: it passes
} forgotten[] = {
    {PEER_DOWN RESET, "the referee saw: {\"kind\":\"peer_down\""},
    {PEER_DOWN "  - signal: {do: kill}\n  - signal: {program: simulator, do: restart}\n"
               "  - signal: {do: restart}\n",
     "the referee saw: {\"kind\":\"peer_down\""},
    // a rule of before has the number of one of after
    {SMALL "faults: [{name: idle, match: {host: leaf99.earth}, on: login, effect: close}]\n"
           "steps:\n" RESET FIRES("real"),
     "a fault never fired, so it tested nothing: idle\n"},
    {SMALL "steps:\n" FIRES("first") RESET, NULL},
    {SMALL "steps:\n" FIRES("first") RESET FIRES("second"), NULL},
    {SMALL "steps:\n" FIRES("first") REMOVE("/faults/"), NULL},
    {SMALL "steps:\n" FIRES("first") REMOVE("/faults/1/"), NULL},
    {SMALL "faults: [{name: idle, match: {host: leaf99.earth}, on: login, effect: close}]\n"
           "steps:\n" FIRES("real") REMOVE("/faults/2/"),
     "a fault never fired, so it tested nothing: idle\n"},
};

START_TEST(what_a_simulator_forgets_is_looked_at_before) {
    struct buf text = {0};
    buf_addf(&text, "name: forgotten\n%s", forgotten[_i].text);
    play_run(forgotten[_i].said == NULL ? PASSED : FAILED,
             ARGS("run", play_write("a.yaml", text.data)));
    if (forgotten[_i].said != NULL) play_said(forgotten[_i].said);
    buf_deinit(&text);
}
END_TEST

// --- what is asked for is what is done

START_TEST(every_option_arrives_and_every_variable) {
    enum { MANY = 60 };
    struct buf text = {0};
    const char *script = play_write("script", "#!/bin/sh\necho \"$V59 $*\" >&2\nexit 1\n");
    ck_assert_int_eq(chmod(script, 0700), 0);
    buf_adds(&text,
             "name: many options\n" SMALL "policy: {redundancy: [{group: '{rack}'}]}\n"
             "orchestrator: {workers: 3, max_jobs: 2, max_failures: 1, downgrade: refuse, "
             "log_level: debug, log_format: text, cors_origin: 'http://x.example', username: "
             "admin, password: admin, connect_timeout: 5s, call_timeout: 5s, "
             "install_timeout: 5s, peer_check: 'on', peer_max_age: 60s, peer_wait: 1s, asks: "
             "5, state: none, resume_within: 5m, keep_jobs: 30, environment: {");
    for (int i = 0; i < MANY; i++)
        buf_addf(&text, "%sV%d: v%d", i == 0 ? "" : ", ", i, i);
    buf_adds(&text, "}}\nsteps:\n" UPGRADE);
    play_run(ENVIRONMENT, ARGS("run", "--orchestrator", script, play_write("a.yaml", text.data)));
    play_said("orchestrator did not start: v59 --listen ");
    play_said(" --keep-jobs 30 --policy /");
    buf_deinit(&text);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_told) {
    play_write("a.yaml", GOOD);
    ck_assert_int_eq(symlink("nowhere", play_path("b.yaml")), 0);
    ck_assert_int_eq(symlink("nowhere", play_path("other")), 0); // none of ours
    play_run(INVALID, ARGS("run", play_path("a.yaml"), play_path("b.yaml")));
    play_said("/b.yaml: No such file or directory\n");
    play_run(INVALID, ARGS("run", play_dir));
    play_said("/b.yaml: No such file or directory\n");
    ck_assert_ptr_null(strstr(play_output, "other"));
}
END_TEST

Suite *check_verdicts(void) {
    Suite *suite = suite_create("verdicts");
    TCase *tc = tcase_create("verdicts");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, play_set_up, play_tear_down);
    tcase_add_loop_test(tc, what_cannot_be_read_is_not_as_expected, 0, COUNT(others));
    tcase_add_test(tc, a_long_path_is_asked_for_as_a_whole);
    tcase_add_test(tc, what_a_script_has_started_does_not_outlive_it);
    tcase_add_loop_test(tc, a_value_that_comes_in_late_has_the_type_that_it_must_have, 0,
                        COUNT(types));
    tcase_add_loop_test(tc, what_a_simulator_forgets_is_looked_at_before, 0, COUNT(forgotten));
    tcase_add_test(tc, every_option_arrives_and_every_variable);
    tcase_add_test(tc, a_link_that_leads_nowhere_is_told);
    suite_add_tcase(suite, tc);
    return suite;
}
