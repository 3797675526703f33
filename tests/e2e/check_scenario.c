// The program scenario: what it says of wrong files, its exit codes and outputs, and its end.
#include "common/buf.h"
#include "common/count.h"
#include "common/file.h"
#include "tests/e2e/play.h"
#include "tests/e2e/processes.h"

#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_scenario(void);

// --- wrong files

static const struct {
    const char *file, *error;
} broken[] = {
    {"beyond/backwards-latency.yaml",
     "4:20: network.latency.login: '2s..10ms' runs backwards: write the shorter duration first"},
    {"beyond/captured-too-late.yaml",
     "4:11: network.sites[0]: there is no ${first} here; known are ${seed}, ${dir}"},
    {"beyond/effect-on-wrong-call.yaml",
     "4:9: faults[0].on: reboot makes no sense on login, only on install_os_version or any"},
    {"beyond/field-of-another-effect.yaml",
     "5:46: steps[0].faults[0].downtime: belongs to the effect reboot, not to close"},
    {"beyond/key-twice.yaml", "6:1: seed: given twice"},
    {"beyond/missing-network.yaml",
     "3:10: network: tests/e2e/broken/beyond/nowhere.yaml: No such file or directory"},
    {"beyond/missing-pace.yaml", "4:5: faults[0].bytes_per_second: missing"},
    {"beyond/nobodys-rule.yaml",
     "4:9: policy: redundancy[1] \"feed {feed}\": it applies to no device"},
    {"beyond/not-yaml.yaml", "4:6: not YAML: did not find expected ',' or ']'"},
    {"beyond/open-variable.yaml", "5:13: steps[0].log.has[0]: '${seed': expected a } behind ${"},
    {"beyond/too-many-combinations.yaml",
     "4:3: matrix: expected 10000 combinations at most, not 100000"},
    {"beyond/unknown-fault-name.yaml",
     "6:21: steps[0].remove_faults[0]: no fault of this scenario is named 'slow logins'; did you "
     "mean slow login?"},
    {"beyond/unknown-host.yaml",
     "6:18: network.hosts.leaf00.mars: the network has no device of that name"},
    {"beyond/unknown-variable-in-name.yaml",
     "2:7: name: there is no ${devise} here; did you mean ${device}?"},
    {"beyond/unknown-variable.yaml",
     "6:18: steps[0].devices: there is no ${devise} here; did you mean ${device}?"},
    {"schema/bad-duration.yaml",
     "6:16: steps[0].when.timeout: '5 seconds': expected a duration such as 250us, 10ms, 1.5s, 5m "
     "or 1h"},
    {"schema/bad-glob.yaml",
     "5:28: faults[0].match.host[1]: 'leaf0[1.earth': expected a name or a glob such as "
     "leaf*.earth or leaf0[0-3].earth"},
    {"schema/bad-host.yaml",
     "4:29: steps[0].devices: 'leaf00 earth': expected a name or a glob such as leaf*.earth or "
     "leaf0[0-3].earth"},
    {"schema/bad-matrix-name.yaml",
     "3:18: matrix: 'Device': expected a name of lower-case letters, digits and _"},
    {"schema/bad-matrix.yaml", "3:18: matrix.device: expected an array, not a string"},
    {"schema/bad-version.yaml",
     "4:39: steps[0].devices.leaf00.earth.version: expected a string, not 5.3: put it in quotes"},
    {"schema/bad-path.yaml",
     "5:13: steps[0].request.path: 'upgrade-os/': expected a path that begins with /"},
    {"schema/bad-variable.yaml",
     "4:25: orchestrator.workers: '${n}0': expected one ${name} and nothing else"},
    {"schema/bare-duration.yaml",
     "3:30: orchestrator.call_timeout: '5': expected a duration with its unit, such as 250us, "
     "10ms, 1.5s, 5m or 1h"},
    {"schema/empty-steps.yaml", "3:8: steps: it is empty: expected one element at least"},
    {"schema/missing-steps.yaml", "2:1: expected the field steps, which is missing"},
    {"schema/no-boolean.yaml",
     "5:16: steps[0].request.abandon: expected true or false, not a string"},
    {"schema/too-small.yaml", "4:12: orchestrator.workers: expected 1 at least, not 0"},
    {"schema/two-kinds.yaml",
     "4:5: steps[0]: expected exactly one of request, metrics, devices, audit, log, faults, "
     "remove_faults, parallel, when, job, signal, files, eventually, not 2 of them"},
    {"schema/unknown-effect.yaml",
     "5:13: faults[0].effect: 'eror' is none of error, refuse, reset, close, no_reply, delay, "
     "slow, truncate, garbage, oversize, wrong_id, wrong_version, reboot, brick; did you mean "
     "error?"},
    {"schema/unknown-field.yaml",
     "3:25: orchestrator.wrokers: unknown field; did you mean workers?"},
    {"beyond/unknown-match.yaml", "4:20: faults[0].match.hosts: unknown field; did you mean host?"},
    {"schema/unknown-operation.yaml",
     "4:10: faults[0].on: 'install' is none of login, get_version, get_cpu_ram, "
     "install_os_version, logout, any"},
    {"schema/unknown-step.yaml",
     "4:12: steps[0].sleep: unknown field; known are request, metrics, devices, audit, log, "
     "faults, remove_faults, parallel, when, job, signal, files, eventually"},
    {"schema/wrong-type.yaml", "3:7: seed: expected a whole number, not a string"},
};

enum { BROKEN = COUNT(broken) };

START_TEST(a_wrong_file_is_told_by_line_and_column_with_what_would_be_right) {
    char path[200], expected[600];
    snprintf(path, sizeof path, "tests/e2e/broken/%s", broken[_i].file);
    snprintf(expected, sizeof expected, "%s:%s\n", path, broken[_i].error);
    play_run(INVALID, ARGS("check", path));
    ck_assert_str_eq(play_output, expected);
    play_run(INVALID, ARGS("run", path));
    ck_assert_str_eq(play_output, expected);
}
END_TEST

static void assert_listed(const char *folder) {
    char path[200], name[300];
    snprintf(path, sizeof path, "tests/e2e/broken/%s", folder);
    DIR *files = opendir(path);
    ck_assert_ptr_nonnull(files);
    for (const struct dirent *entry; (entry = readdir(files)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        int i = 0;
        while (i < BROKEN && strcmp(broken[i].file, name) != 0)
            i++;
        ck_assert_msg(i < BROKEN, "%s is not in the table", name);
    }
    closedir(files);
}

START_TEST(every_wrong_file_is_in_the_table) {
    assert_listed("schema");
    assert_listed("beyond");
}
END_TEST

START_TEST(one_wrong_file_keeps_all_others_from_being_played) {
    play_write("a.yaml", GOOD);
    play_write("b.yaml", "name: b\n");
    play_run(INVALID, ARGS("run", play_dir));
    ck_assert_ptr_null(strstr(play_output, "a.yaml"));
}
END_TEST

START_TEST(all_that_is_wrong_in_the_files_is_told_at_once) {
    static const char *const commands[] = {"check", "run", "list"};
    struct buf long_file = {0}, expected = {0};
    buf_adds(&long_file, "name: b\nsteps:\n");
    for (int i = 0; i < 12; i++)
        buf_adds(&long_file, "  - log: {hs: [a]}\n");
    const char *a = play_write("a.yaml", "name: a\nnetwork: nowhere.yaml\nsed: 1\n"
                                         "faults: [{on: login, effect: brick}]\nsteps:\n"
                                         "  - devices: {leaf00.earth: {version: 5.3}}\n");
    const char *b = play_write("b.yaml", long_file.data);
    buf_addf(
        &expected,
        "%s:2:10: network: %s/nowhere.yaml: No such file or directory\n"
        "%s:3:6: sed: unknown field; did you mean seed?\n"
        "%s:4:15: faults[0].on: brick makes no sense on login, only on install_os_version or "
        "any\n"
        "%s:6:39: steps[0].devices.leaf00.earth.version: expected a string, not 5.3: put it in "
        "quotes\n",
        a, play_dir, a, a, a);
    for (int i = 0; i < 10; i++)
        buf_addf(&expected, "%s:%d:15: steps[%d].log.hs: unknown field; did you mean has?\n", b,
                 i + 3, i);
    buf_addf(&expected, "%s: and 2 more\n", b);
    for (size_t i = 0; i < COUNT(commands); i++) {
        play_run(INVALID, ARGS(commands[i], play_dir));
        ck_assert_str_eq(play_output, expected.data);
    }
    buf_deinit(&long_file);
    buf_deinit(&expected);
}
END_TEST

// Where our own sources lie in such a folder, they are no scenarios.
START_TEST(a_folder_named_runner_is_played_like_any_other) {
    ck_assert_int_eq(mkdir(play_path("runner"), 0700), 0);
    play_write("runner/a.yaml", GOOD);
    play_run(PASSED, ARGS("run", play_dir));
    play_said("/runner/a.yaml: it passes\n1 passed, 0 failed in ");
    play_run(PASSED, ARGS("list", "scenarios"));
    ck_assert_ptr_null(strstr(play_output, "/runner/"));
}
END_TEST

// --- exit codes

START_TEST(a_scenario_that_passes_ends_with_0) {
    play_run(PASSED, ARGS("run", play_write("a.yaml", GOOD)));
    play_said("a.yaml: it passes\n");
    play_said("1 passed, 0 failed in ");
}
END_TEST

START_TEST(one_failure_among_others_ends_with_1) {
    play_write("a.yaml", GOOD);
    play_write("b.yaml", BAD);
    play_run(FAILED, ARGS("run", play_dir, "--jobs", "2"));
    play_said("1 passed, 1 failed in ");
}
END_TEST

START_TEST(a_program_that_does_not_start_ends_with_3) {
    const char *path = play_write("a.yaml", GOOD);
    play_run(ENVIRONMENT, ARGS("run", "--simulator", "/nowhere/simulator", path));
    play_said("simulator did not start: /nowhere/simulator: No such file or directory");
    play_run(ENVIRONMENT, ARGS("run", "--orchestrator", "/bin/true", path));
    play_said("orchestrator did not start");
    play_run(ENVIRONMENT, ARGS("run", "--junit", "/nowhere/junit.xml", path));
    play_said("/nowhere/junit.xml: No such file or directory");
}
END_TEST

static const struct {
    const char *args[4], *said;
} usages[] = {
    {{NULL}, "usage: scenario COMMAND [OPTION]...\n"},
    {{"--tap"}, "scenario: there is no command '--tap'\nusage: scenario COMMAND"},
    {{"lst"}, "scenario: there is no command 'lst'; did you mean list?\nusage: scenario COMMAND"},
    {{"run", "--jobs", "0"}, "--jobs: '0': expected a number from 1 to 256"},
    {{"run", "--seed", "x"}, "--seed: 'x': expected a number from 0 to 9007199254740992"},
    {{"run", "--timeout", "5"}, "--timeout: '5': expected a duration of 1s at least"},
    {{"run", "--nonsense"},
     "scenario run: unrecognized option '--nonsense'\ntry 'scenario run --help'\n"},
    {{"list", "--jobs", "2"}, "scenario list: unrecognized option '--jobs'\n"},
    {{"check", "--tags", "a"}, "scenario check: unrecognized option '--tags'\n"},
    {{"run", "--filter", "no such one"}, "scenario: no scenario matches --filter 'no such one'\n"},
    {{"run", "--tags", "nosuch"}, "scenario: no scenario matches --tags nosuch\n"},
    {{"run", "bench"}, "scenario: no scenario matches bench\n"},
    {{"new"}, "usage: scenario new NAME\n"},
    {{"new", "a", "b"}, "scenario new: 'b': expected one NAME only\n"},
    {{"steps", "a"}, "scenario steps: unexpected argument 'a'\n"},
};

START_TEST(a_wrong_command_line_ends_with_4) {
    play_run(USAGE, usages[_i].args);
    play_said(usages[_i].said);
}
END_TEST

// --- outputs

// One of each outcome, and three failures.
static void write_mixed(void) {
    play_write("a.yaml", GOOD);
    play_write("b.yaml", BAD);
    play_write("c.yaml", "name: \"<&\\\"'> # TODO \xc3\xa4\"\nmatrix: {n: [1, 2]}\n" SMALL
                         "steps:\n  - log: {has: ['no such ${n} ]]> line']}\n");
    play_write("d.yaml", "name: no start\nnetwork: {sites: ['${seed}', '${seed}']}\n"
                         "steps:\n  - audit: {violations: []}\n");
}

START_TEST(a_terminal_gets_a_live_line_and_a_pipe_plain_ones) {
    const char *build = getenv("BUILD");
    play_write("a.yaml", GOOD);
    play_write("b.yaml", BAD);
    play_run(FAILED, ARGS("run", play_dir));
    ck_assert_ptr_null(strchr(play_output, '\r'));
    ck_assert_ptr_null(strchr(play_output, '\033'));
    play_said("a.yaml: it passes\n");
    ck_assert_int_eq(play_shell("script -qec '%s/scenario run %s' /dev/null </dev/null",
                                build == NULL ? "build" : build, play_dir),
                     FAILED);
    play_said("\r\033[K2/2 done, 1 failed, 0 running, ");
    play_said("\r\033[K\033[31mFAILED\033[0m ");
    ck_assert_ptr_null(strstr(play_output, "a.yaml: it passes")); // only what failed stays
    play_shell("NO_COLOR=1 script -qec '%s/scenario run %s --verbose' /dev/null </dev/null",
               build == NULL ? "build" : build, play_dir);
    play_said("\r\033[KFAILED ");
    play_said("\r\033[Kok     ");
    ck_assert_ptr_null(strstr(play_output, "\033[3"));
}
END_TEST

START_TEST(junit_is_accepted_and_counts_right) {
    write_mixed();
    play_run(FAILED, ARGS("run", play_dir, "--junit", play_path("mixed.xml")));
    ck_assert_int_eq(
        play_shell(
            "/usr/bin/python3 -c 'import junitparser, sys\n"
            "suite = next(iter(junitparser.JUnitXml.fromfile(sys.argv[1])))\n"
            "cases = [type(case.result[0]).__name__ if case.result else \"pass\" for case in "
            "suite]\n"
            "print(suite.tests, suite.failures, suite.errors, suite.skipped, *cases)\n"
            "print([case.name for case in suite][2].split(\": \", 1)[1])\n"
            "print([case.result for case in suite][1][0].message)' %s 2>&1",
            play_path("mixed.xml")),
        0);
    ck_assert_str_eq(play_output,
                     "5 3 1 0 pass Failure Failure Failure Error\n"
                     "<&\"'> # TODO \xc3\xa4 (n=1)\n"
                     "leaf00.earth: missing in failed; it is in completed (success!!!)\n");
    ck_assert_int_eq(
        play_shell("/usr/bin/python3 -m junitparser verify %s", play_path("mixed.xml")), 1);
    play_run(PASSED, ARGS("run", play_path("a.yaml"), "--junit", play_path("good.xml")));
    ck_assert_int_eq(play_shell("/usr/bin/python3 -m junitparser verify %s", play_path("good.xml")),
                     0);
}
END_TEST

START_TEST(tap_is_understood_by_prove) {
    write_mixed();
    play_run(FAILED, ARGS("run", play_dir, "--tap"));
    ck_assert_ptr_eq(strstr(play_output, "TAP version 13\n1..5\n"), play_output);
    FILE *file = fopen(play_path("mixed.tap"), "w");
    ck_assert_ptr_nonnull(file);
    fputs(play_output, file);
    fclose(file);
    ck_assert_int_ne(play_shell("prove --exec cat %s 2>&1", play_path("mixed.tap")), 0);
    play_said("Failed 4/5 subtests");
    play_run(PASSED, ARGS("run", play_path("a.yaml"), "--tap"));
    play_said("ok 1 - ");
}
END_TEST

static cJSON *read_json(const char *name) {
    char *text = read_file(play_path(name));
    cJSON *json = cJSON_Parse(text);
    ck_assert_msg(json != NULL, "%s", text);
    free(text);
    return json;
}

static const cJSON *run_of(const cJSON *json, int index) {
    return cJSON_GetArrayItem(cJSON_GetObjectItem(json, "runs"), index);
}

START_TEST(json_has_answers_and_how_often_faults_fired) {
    play_run(FAILED, ARGS("run", play_write("a.yaml", BAD), "--json", play_path("x.json")));
    cJSON *json = read_json("x.json");
    const cJSON *run = run_of(json, 0);
    ck_assert_str_eq(cJSON_GetObjectItem(run, "outcome")->valuestring, "fail");
    assert_json(cJSON_GetArrayItem(cJSON_GetObjectItem(run, "answers"), 0)->valuestring,
                "{\"failed\": [\"leaf01.earth\"], \"skipped\": [], \"completed\": "
                "[\"leaf00.earth\", \"leaf02.earth\", \"leaf03.earth\"]}");
    const cJSON *fault = cJSON_GetArrayItem(cJSON_GetObjectItem(run, "faults"), 0);
    ck_assert_int_eq(cJSON_GetObjectItem(fault, "fired")->valueint, 1);
    cJSON_Delete(json);
}
END_TEST

START_TEST(programs_leave_their_logs_where_they_are_to_be_kept) {
    const char *keep = play_path("kept");
    play_write("a.yaml", GOOD);
    for (int i = 0; i < 2; i++) // the second time over the first
        play_run(PASSED, ARGS("run", play_path("a.yaml"), "--keep", keep));
    char *log = read_file(play_path("kept/0001-a.yaml/orchestrator.log"));
    ck_assert_ptr_nonnull(strstr(log, "completed host:leaf00.earth"));
    ck_assert_int_eq(access(play_path("kept/0001-a.yaml/simulator.stderr"), R_OK), 0);
    free(log);
}
END_TEST

// The path of one of our programs, from / on; to free.
static char *built(const char *program) {
    char path[300];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/%s", build == NULL ? "build" : build, program);
    return file_absolute(path);
}

// Runs scenario in a folder below the test's own, where a user might stand.
static void play_standing_in(const char *folder, int expected, const char *arguments) {
    char *scenario = built("scenario");
    int code = play_shell("cd %s && %s %s 2>&1", play_path(folder), scenario, arguments);
    ck_assert_msg(code == expected, "exit code %d, expected %d:\n%s", code, expected, play_output);
    free(scenario);
}

// It passes on to our orchestrator all that it was given but --log, and says where it runs.
static void write_forgetful(const char *name) {
    struct buf text = {0};
    char *orchestrator = built("orchestrator");
    buf_addf(&text,
             "#!/bin/sh\nfor arg; do\n  shift\n"
             "  [ \"$last\" = --log ] || [ \"$arg\" = --log ] || set -- \"$@\" \"$arg\"\n"
             "  last=$arg\ndone\necho \"$COLOUR $*\" >>started\nexec %s \"$@\"\n",
             orchestrator);
    ck_assert_int_eq(chmod(play_write(name, text.data), 0700), 0);
    free(orchestrator);
    buf_deinit(&text);
}

START_TEST(what_a_program_writes_by_default_lands_in_a_folder_of_its_own) {
    ck_assert_int_eq(play_shell("mkdir %s %s", play_path("here"), play_path("here/below")), 0);
    write_forgetful("here/mine");
    play_write("here/below/net.yaml", "sites: [earth]\ndev_types: {leaf: {count: 4, rack: 100}}\n"
                                      "latency: 0\nfaults: []\n");
    play_write("here/below/a.yaml",
               "name: it passes\nnetwork: net.yaml\norchestrator: {password: admin, environment: "
               "{COLOUR: green}}\nsteps:\n" UPGRADE "  - signal: {do: restart}\n" UPGRADE);
    play_standing_in("here", PASSED, "run below --orchestrator ./mine --keep kept");
    char *log = read_file(play_path("here/kept/0001-a.yaml/orchestrator/orchestrator.log"));
    ck_assert_ptr_nonnull(strstr(log, "completed host:leaf00.earth:success!!!"));
    ck_assert_ptr_nonnull(strstr(log, "completed host:leaf00.earth:nothing to do!!!"));
    free(log);
    char *started = read_file(play_path("here/kept/0001-a.yaml/orchestrator/started"));
    ck_assert_ptr_eq(strstr(started, "green --listen 127.0.0.1:0 "), started);
    ck_assert_ptr_nonnull(strstr(strchr(started, '\n'), "green --listen 127.0.0.1:")); // again
    free(started);
    play_shell("ls %s", play_path("here"));
    ck_assert_str_eq(play_output, "below\nkept\nmine\n");
    play_standing_in("here", PASSED, "run below --orchestrator ./mine"); // and nothing is left
    ck_assert_int_ne(play_shell("ls -d %s/scenario-* 2>&1", play_dir), 0);
}
END_TEST

// The orchestrator upgrades the site in pairs or one by one, as it is told; the referee's policy is
// one by one, unless the scenario has one for both. --policy FILE shows what the orchestrator got.
static const struct {
    const char *parts, *policy; // the end of its path; NULL: none
} policies[] = {
    {"policy: pairs.yaml\n", "here/pairs.yaml"},
    {"policy: {redundancy: [{group: '{site}', max_unavailable: 2}]}\n", "/policy.yaml"},
    {"policy: {redundancy: [{group: '{site}', max_unavailable: 2}]}\n"
     "orchestrator: {policy: {redundancy: [{group: '{rack}'}]}}\n",
     "/orchestrator-policy.yaml"},
    {"orchestrator: {policy: pairs.yaml}\nalways: [audit: {allow: [group_overlap, peer_down]}]\n",
     "here/pairs.yaml"},
    {"", NULL},
};

START_TEST(a_policy_is_given_to_both_programs_and_that_of_the_network_to_the_simulator) {
    struct buf text = {0};
    ck_assert_int_eq(play_shell("mkdir %s", play_path("here")), 0);
    write_forgetful("here/mine");
    play_write("here/pairs.yaml", "redundancy:\n  - {group: '{site}', max_unavailable: 2}\n");
    buf_addf(
        &text,
        "name: it is told\nnetwork: {sites: [earth], dev_types: {leaf: {count: 4, rack: 100}}, "
        "policy: {redundancy: [{group: '{site}'}]}}\n%ssteps:\n" UPGRADE,
        policies[_i].parts);
    play_write("here/a.yaml", text.data);
    // ACME's policy is two racks at once: the referee, who has the network's, tells
    int expected = policies[_i].policy == NULL ? FAILED : PASSED;
    play_standing_in("here", expected, "run a.yaml --orchestrator ./mine --keep kept");
    if (expected == FAILED) ck_assert_ptr_nonnull(strstr(play_output, "group_overlap"));
    char *started = read_file(play_path("here/kept/0001-a.yaml/orchestrator/started"));
    const char *given = strstr(started, "--policy /");
    ck_assert_int_eq(given != NULL, policies[_i].policy != NULL);
    if (given != NULL) ck_assert_ptr_nonnull(strstr(given, policies[_i].policy));
    free(started);
    buf_deinit(&text);
}
END_TEST

START_TEST(an_inventory_is_a_url_or_lies_beside_its_scenario_or_where_the_user_stands) {
    ck_assert_int_eq(play_shell("mkdir %s %s", play_path("here"), play_path("here/below")), 0);
    play_write("here/one.json", "{\"where\": 1}");
    play_write("here/two.json", "{\"where\": 1}");
    play_write("here/below/two.json", "{\"beside\": 1}");
    static const char *const rows[][2] = {
        {"one.json", "here/one.json: where: "},
        {"two.json", "here/below/two.json: beside: "},
        {"none.json", "here/none.json: No such file"},
        {"http://127.0.0.1:1/x", "inventory: http://127.0.0.1:1/x: "},
    };
    struct buf text = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_clear(&text);
        buf_addf(&text,
                 "name: it is read\n" SMALL "orchestrator: {inventory: '%s'}\nsteps:\n"
                 "  - request: {json: {version: 5.3.1}, expect: {status: 502, body: ['%s']}}\n",
                 rows[i][0], rows[i][1]);
        play_write("here/below/a.yaml", text.data);
        play_standing_in("here", PASSED, "run below/a.yaml");
    }
    buf_deinit(&text);
}
END_TEST

START_TEST(after_a_failure_nothing_more_is_started_if_so_wanted) {
    play_write("a.yaml", BAD);
    play_write("b.yaml", GOOD);
    play_run(FAILED, ARGS("run", play_dir, "--jobs", "1", "--fail-fast"));
    play_said("1 not played\n0 passed, 1 failed in ");
}
END_TEST

START_TEST(repeating_until_a_failure_stops_at_the_first) {
    const char *path = play_write("a.yaml", BAD);
    play_run(FAILED, ARGS("run", path, "--until-fail"));
    play_said("0 passed, 1 failed in ");
}
END_TEST

START_TEST(a_name_has_the_values_of_the_matrix) {
    play_write("a.yaml",
               "matrix: {n: [1, 2], v: [3.10]}\nname: it passes ${n} of ${v} (${seed})\n" SMALL
               "steps:\n" UPGRADE);
    play_run(PASSED, ARGS("list", play_dir, "--filter", "n=2"));
    play_said("/a.yaml: it passes 2 of 3.10 (1) (n=2, v=3.10)\n");
}
END_TEST

START_TEST(what_lies_beside_scenarios_is_none) {
    play_write("a.yaml", "name: it passes\nnetwork: net.yaml\nsteps:\n" UPGRADE);
    play_write("net.yaml", "sites: [earth]\ndev_types: {leaf: {count: 4}}\nlatency: 0\n"
                           "faults: []\n");
    play_write("policy.yaml", "redundancy:\n  - {group: '{site}'}\n");
    play_write("hosts.yaml", "leaf00.earth: {hostname: 127.0.0.1, port: 8300}\n");
    play_run(PASSED, ARGS("run", play_dir));
    play_said("1 passed, 0 failed in ");
    play_run(INVALID, ARGS("run", play_path("net.yaml")));
    play_said("net.yaml:1:8: sites: unknown field");
    play_write("b.yaml", "name: it has no steps\n");
    play_run(INVALID, ARGS("run", play_dir));
    play_write("b.yaml", "steps: []\n");
    play_run(INVALID, ARGS("run", play_dir));
    play_write("b.yaml", "");
    play_run(INVALID, ARGS("run", play_dir));
}
END_TEST

START_TEST(scenarios_are_listed_by_tags_and_text) {
    play_write("a.yaml", "tags: [quick]\nmatrix: {n: [1, 2]}\n" GOOD);
    play_write("b.yaml", BAD);
    play_run(PASSED, ARGS("list", play_dir, "--tags", "quick", "--filter", "n=2"));
    char expected[200];
    snprintf(expected, sizeof expected, "%s/a.yaml: it passes (n=2)\n", play_dir);
    ck_assert_str_eq(play_output, expected);
}
END_TEST

START_TEST(the_starter_is_valid_passes_and_is_not_written_over) {
    const char *path = play_path("mine.yaml");
    play_run(PASSED, ARGS("new", play_path("mine")));
    play_run(PASSED, ARGS("check", path));
    play_said("1 scenario is valid\n");
    play_run(PASSED, ARGS("run", path));
    play_run(USAGE, ARGS("new", path));
    play_said("mine.yaml: File exists: give another NAME, or remove it\n");
    play_run(ENVIRONMENT, ARGS("new", "/nowhere/mine"));
    play_said("/nowhere/mine.yaml: No such file or directory\n");
}
END_TEST

// What each kind of step tells of itself is the schema's word, and an example that is valid.
START_TEST(the_steps_are_told_as_the_schema_describes_them_in_a_valid_scenario) {
    play_run(PASSED, ARGS("steps"));
    const char *path = play_write("all.yaml", play_output);
    char *said = read_file(path), *text = read_file("spec/scenario.schema.json");
    cJSON *schema = cJSON_Parse(text);
    const cJSON *defs = cJSON_GetObjectItem(schema, "$defs"), *kind;
    const cJSON *kinds = cJSON_GetObjectItem(cJSON_GetObjectItem(defs, "step"), "properties");
    const cJSON *checks = cJSON_GetObjectItem(cJSON_GetObjectItem(defs, "check"), "properties");
    const char *at = said;
    ck_assert_int_gt(cJSON_GetArraySize(kinds), 0);
    cJSON_ArrayForEach(kind, kinds) {
        char begin[100];
        snprintf(begin, sizeof begin, "\n  # %s: ", kind->string);
        at = strstr(at, begin); // in the same order
        ck_assert_msg(at != NULL, "%s is not told", kind->string);
        const char *help = at + strlen(begin), *end = strpbrk(help, ".\n");
        const cJSON *described = cJSON_GetObjectItem(kind, "description");
        if (described == NULL)
            described = cJSON_GetObjectItem(cJSON_GetObjectItem(defs, kind->string), "description");
        ck_assert_msg(strncmp(described->valuestring, help, (size_t)(end - help)) == 0,
                      "the schema describes %s otherwise: %s", kind->string,
                      described->valuestring);
        bool may = strncmp(end, ". It may stand in always, too.\n", 31) == 0;
        ck_assert(may == (cJSON_GetObjectItem(checks, kind->string) != NULL));
    }
    int told = 0;
    for (at = said; (at = strstr(at, "\n  - ")) != NULL; at++)
        told++;
    ck_assert_int_eq(told, cJSON_GetArraySize(kinds));
    play_run(PASSED, ARGS("check", path));
    play_said("1 scenario is valid\n");
    cJSON_Delete(schema);
    free(said);
    free(text);
}
END_TEST

// --- other orchestrators

// Its answers are right, so that what convicts it is the referee, whatever the load of the machine.
START_TEST(an_orchestrator_without_groups_is_convicted_every_time) {
    static const char *const files[] = {"010-one-pair", "020-one-site"};
    enum { TIMES = 20 };
    const char *build = getenv("BUILD");
    ck_assert_int_eq(play_shell("%s/scenario run scenarios/contract/%s.yaml --repeat %d --jobs 4 "
                                "--orchestrator scenarios/contract/standin.py --json %s >/dev/null",
                                build == NULL ? "build" : build, files[_i], TIMES,
                                play_path("x.json")),
                     FAILED);
    cJSON *json = read_json("x.json");
    const cJSON *run;
    int convicted = 0;
    cJSON_ArrayForEach(run, cJSON_GetObjectItem(json, "runs")) {
        const char *text = cJSON_GetObjectItem(run, "text")->valuestring;
        bool silent = strstr(text, "{\"kind\":\"group_overlap\"") == NULL;
        ck_assert_msg(!silent && strncmp(text, "always.audit\n", 13) == 0,
                      "convicted %d times, then: %s", convicted, text);
        convicted++;
    }
    ck_assert_int_eq(convicted, TIMES);
    cJSON_Delete(json);
}
END_TEST

// What only our own orchestrator has: options, log lines, metrics, problems.
START_TEST(a_scenario_of_the_contract_asks_for_nothing_of_ours) {
#define CONTRACT "grep -rlE '^tags: .*\\bcontract\\b' scenarios --include='*.yaml'"
    ck_assert_int_eq(play_shell(CONTRACT " | grep -c ."), 0);
    ck_assert_int_ge(atoi(play_output), 10);
    play_shell(CONTRACT " | xargs grep -nE '^orchestrator:|\\blog:|orchestrator_|filter_dev_sites|"
                        "logins: [1-9]|hangup|/(livez|readyz)|status: '");
    ck_assert_str_eq(play_output, "");
}
END_TEST

// --- replaying

#define ALL_DEVICES                                                                                \
    "name: chance\nfaults:\n  - {on: any, effect: error, probability: 0.05}\n"                     \
    "  - {on: install_os_version, effect: reboot, downtime: 1ms, probability: 0.05}\n"             \
    "orchestrator: {workers: 100, asks: 1000}\n"                                                   \
    "steps:\n  - request: {json: {version: 5.3.1}, expect: {report: {failed: {at_least: 1}, "      \
    "skipped: {at_least: 1}, completed: {at_least: 1}}}}\n"

// The answers and the fired counts of a run, as text to free.
static char *played(const cJSON *run) {
    struct buf text = {0};
    char *answers = cJSON_PrintUnformatted(cJSON_GetObjectItem(run, "answers"));
    char *faults = cJSON_PrintUnformatted(cJSON_GetObjectItem(run, "faults"));
    buf_addf(&text, "%s %s", answers, faults);
    free(answers);
    free(faults);
    return buf_take(&text);
}

START_TEST(the_same_seed_plays_the_same_and_another_another) {
    enum { TIMES = 5 };
    const char *path = play_write("a.yaml", ALL_DEVICES);
    char times[8];
    snprintf(times, sizeof times, "%d", TIMES);
    play_run(PASSED, ARGS("run", path, "--repeat", times, "--json", play_path("same.json")));
    play_run(PASSED, ARGS("run", path, "--seed", "2", "--json", play_path("other.json")));
    cJSON *same = read_json("same.json"), *other = read_json("other.json");
    char *first = played(run_of(same, 0)), *another = played(run_of(other, 0));
    ck_assert_ptr_nonnull(strstr(first, "completed")); // not two empty texts
    for (int i = 1; i < TIMES; i++) {
        char *again = played(run_of(same, i));
        ck_assert_str_eq(again, first);
        free(again);
    }
    ck_assert_str_ne(another, first);
    free(first);
    free(another);
    cJSON_Delete(same);
    cJSON_Delete(other);
}
END_TEST

// --- its end

// A server that never answers: who is connected to it is in mid-run.
static int silent_server(char address[64]) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, len), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&any, &len), 0);
    snprintf(address, 64, "http://127.0.0.1:%d/", ntohs(any.sin_port));
    return fd;
}

static void await_connection(int server) {
    struct pollfd waiting = {.fd = server, .events = POLLIN};
    ck_assert_msg(poll(&waiting, 1, 60000) == 1, "nobody connected");
    ck_assert_int_ge(accept4(server, NULL, NULL, SOCK_CLOEXEC), 0);
}

enum { PAIRS = 2, PROCESSES = PAIRS * 3 }; // each pair, and the process that plays with it

// Starts a run of which two scenarios are in mid-request, and finds its processes.
static struct program start_run(struct processes *found) {
    char text[1000], address[64];
    int server = silent_server(address);
    snprintf(text, sizeof text,
             "name: waits for an inventory\n" SMALL "matrix: {n: [1, 2]}\n"
             "orchestrator: {inventory: '%s'}\nsteps:\n" UPGRADE,
             address);
    struct program runner =
        program_spawn("scenario", ARGS("run", play_write("a.yaml", text), "--jobs", "2", "--junit",
                                       play_path("x.xml"), "--json", play_path("x.json")));
    for (int i = 0; i < PAIRS; i++)
        await_connection(server);
    processes_below(runner.pid, found);
    ck_assert_uint_eq(found->count, PROCESSES);
    return runner;
}

START_TEST(a_runner_that_is_killed_leaves_no_process_behind) {
    struct processes found;
    struct program runner = start_run(&found);
    int status;
    program_signal(&runner, SIGKILL);
    ck_assert_int_eq(waitpid(runner.pid, &status, 0), runner.pid);
    ck_assert(WIFSIGNALED(status));
    processes_await_end(&found);
}
END_TEST

START_TEST(an_interrupted_runner_ends_all_and_still_writes_its_outputs) {
    static const int signals[] = {SIGINT, SIGTERM};
    struct processes found;
    struct program runner = start_run(&found);
    program_signal(&runner, signals[_i]);
    ck_assert_int_eq(program_wait(&runner), FAILED);
    processes_await_end(&found);
    ck_assert_int_ne(play_shell("ls -d %s/scenario-* 2>&1", play_dir), 0); // nor a folder
    char *junit = read_file(play_path("x.xml"));
    ck_assert_ptr_nonnull(strstr(junit, "tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"2\""));
    free(junit);
    cJSON *json = read_json("x.json");
    ck_assert_str_eq(cJSON_GetObjectItem(run_of(json, 1), "outcome")->valuestring, "not played");
    cJSON_Delete(json);
}
END_TEST

Suite *check_scenario(void) {
    Suite *suite = suite_create("scenario");
    TCase *tc = tcase_create("scenario");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, play_set_up, play_tear_down);
    tcase_add_loop_test(tc, a_wrong_file_is_told_by_line_and_column_with_what_would_be_right, 0,
                        BROKEN);
    tcase_add_test(tc, every_wrong_file_is_in_the_table);
    tcase_add_test(tc, one_wrong_file_keeps_all_others_from_being_played);
    tcase_add_test(tc, all_that_is_wrong_in_the_files_is_told_at_once);
    tcase_add_test(tc, a_folder_named_runner_is_played_like_any_other);
    tcase_add_test(tc, a_scenario_that_passes_ends_with_0);
    tcase_add_test(tc, one_failure_among_others_ends_with_1);
    tcase_add_test(tc, a_program_that_does_not_start_ends_with_3);
    tcase_add_loop_test(tc, a_wrong_command_line_ends_with_4, 0, COUNT(usages));
    tcase_add_test(tc, a_terminal_gets_a_live_line_and_a_pipe_plain_ones);
    tcase_add_test(tc, junit_is_accepted_and_counts_right);
    tcase_add_test(tc, tap_is_understood_by_prove);
    tcase_add_test(tc, json_has_answers_and_how_often_faults_fired);
    tcase_add_test(tc, programs_leave_their_logs_where_they_are_to_be_kept);
    tcase_add_test(tc, what_a_program_writes_by_default_lands_in_a_folder_of_its_own);
    tcase_add_loop_test(tc,
                        a_policy_is_given_to_both_programs_and_that_of_the_network_to_the_simulator,
                        0, COUNT(policies));
    tcase_add_test(tc, an_inventory_is_a_url_or_lies_beside_its_scenario_or_where_the_user_stands);
    tcase_add_test(tc, after_a_failure_nothing_more_is_started_if_so_wanted);
    tcase_add_test(tc, repeating_until_a_failure_stops_at_the_first);
    tcase_add_test(tc, scenarios_are_listed_by_tags_and_text);
    tcase_add_test(tc, a_name_has_the_values_of_the_matrix);
    tcase_add_test(tc, what_lies_beside_scenarios_is_none);
    tcase_add_test(tc, the_starter_is_valid_passes_and_is_not_written_over);
    tcase_add_test(tc, the_steps_are_told_as_the_schema_describes_them_in_a_valid_scenario);
    tcase_add_loop_test(tc, an_orchestrator_without_groups_is_convicted_every_time, 0, 2);
    tcase_add_test(tc, a_scenario_of_the_contract_asks_for_nothing_of_ours);
    tcase_add_test(tc, the_same_seed_plays_the_same_and_another_another);
    tcase_add_test(tc, a_runner_that_is_killed_leaves_no_process_behind);
    tcase_add_loop_test(tc, an_interrupted_runner_ends_all_and_still_writes_its_outputs, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
