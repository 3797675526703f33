// Tiny runs of every subcommand of the bench, so that none can rot. What they measure means nothing
// and is not looked at; that they measured is.
#include "common/count.h"
#include "common/json.h"
#include "tests/e2e/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_bench(void);

static const struct {
    const char *command, *shows[4];
    const char *more[4];
} commands[] = {
    {"concurrency",
     {"Workers against the limit", "live x", "asked, --asks 1000", "peer check on: makespan"},
     {NULL}},
    {"overhead", {"floor", "orchestrator", "Python asyncio", "Python thread pool"}, {NULL}},
    {"scale", {"simulator, at rest", "orchestrator, hosts queued"}, {NULL}},
    {"http", {"GET /metrics/", "POST /upgrade-os/", "A scrape of an idle orchestrator"}, {NULL}},
    {"tls", {"without TLS and with", "plain text", "TLS 1.3", "longest turn"}, {NULL}},
    {"events", {"followed by its events", "200", "memory of a stream that is not read"}, {NULL}},
    {"cluster", {"PostgreSQL", "a file", "until the others have its shards"}, {"--nodes", "1,2"}},
    {"whatif",
     {"window s", "knee", "Forecast for that seed", "Bar by bar"},
     {"--verify", "--time-scale", "0.01"}},
};
enum { COMMANDS = COUNT(commands) };

// A program of the bench preloads a library: a sanitizer is told that it need not be loaded first.
static void let_sanitizers_be_second(void) {
    const char *asan = getenv("ASAN_OPTIONS");
    char options[512];
    snprintf(options, sizeof options, "%s:verify_asan_link_order=0", asan == NULL ? "" : asan);
    setenv("ASAN_OPTIONS", options, 1);
}

START_TEST(every_command_measures_and_writes_csv_and_json) {
    let_sanitizers_be_second();
    char output[16384], csv[] = "/tmp/e2e-csv-XXXXXX", json[] = "/tmp/e2e-json-XXXXXX";
    close(mkstemp(csv));
    close(mkstemp(json));
    const char *args[16] = {commands[_i].command, "--tiny", "--csv", csv, "--json", json};
    for (size_t i = 0, n = 6; commands[_i].more[i] != NULL; i++)
        args[n++] = commands[_i].more[i];
    int code = program_run("bench", args, output, sizeof output);
    ck_assert_msg(code == 0, "%s", output);
    for (size_t i = 0; i < 4 && commands[_i].shows[i] != NULL; i++)
        ck_assert_msg(strstr(output, commands[_i].shows[i]) != NULL, "no '%s' in: %s",
                      commands[_i].shows[i], output);
    char *text = read_file(json);
    cJSON *result = NULL;
    struct error err;
    ck_assert_int_eq(json_parse(text, strlen(text), &result, &err), 0);
    ck_assert_str_eq(cJSON_GetObjectItem(result, "name")->valuestring, commands[_i].command);
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(result, "tables"), 0);
    ck_assert_int_ge(cJSON_GetArraySize(cJSON_GetObjectItem(first, "rows")), 1);
    cJSON_Delete(result);
    free(text);
    text = read_file(csv);
    ck_assert_ptr_nonnull(strstr(text, "\r\n"));
    free(text);
    unlink(csv);
    unlink(json);
}
END_TEST

START_TEST(a_wrong_command_line_is_refused_with_the_remedy) {
    static const struct {
        const char *args[4];
        int code;
        const char *says;
    } cases[] = {
        {{NULL}, 2, "usage: bench COMMAND"},
        {{"concurency"}, 2, "did you mean concurrency?\nusage: bench COMMAND"},
        {{"all"}, 2, "usage: bench all [OPTION]... FOLDER\n"},
        {{"scale", "--verify"}, 2, "bench scale: unrecognized option '--verify'\n"},
        {{"whatif", "--workers", "0"}, 2, "--workers: '0': expected a number from 1 to 1000000"},
        {{"whatif", "--peer-check", "maybe"}, 2, "--peer-check: 'maybe': expected on or off"},
        {{"whatif", "--asks", "0"}, 2, "--asks: '0': expected a number from 1 to 1000000"},
        {{"cluster", "--nodes", "2,9"}, 2, "--nodes: '2,9': expected numbers from 1 to 8"},
        {{"cluster", "--devices", "1500"}, 2, "--devices: '1500': expected a multiple of 1000"},
        {{"concurrency", "--asks", "5"}, 2, "unrecognized option '--asks'"},
        {{"whatif", "--failure-rate", "2"}, 2, "expected a number from 0 to 1"},
        {{"whatif", "--metrics", "/nowhere/scrape"}, 1, "/nowhere/scrape"},
        {{"whatif", "--network", "/nowhere/net.yaml"}, 1, "/nowhere/net.yaml"},
        {{"whatif", "--inventory", "/nowhere/hosts"}, 1, "/nowhere/hosts"},
        {{"whatif", "--policy", "/nowhere/policy.yaml"}, 1, "/nowhere/policy.yaml"},
        {{"whatif", "--network=a.yaml", "--inventory=b.yaml"}, 1, "give one"},
        {{"scale", "--inventory=b.yaml"}, 2, "unrecognized option '--inventory=b.yaml'"},
        {{"--help"}, 0, "overhead"},
        {{"--version"}, 0, "bench 0."},
        {{"whatif", "--help"}, 0, "--failure-rate P"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char output[8192];
        int code = program_run("bench", cases[i].args, output, sizeof output);
        ck_assert_msg(code == cases[i].code && strstr(output, cases[i].says) != NULL,
                      "case %zu: exit code %d: %s", i, code, output);
    }
}
END_TEST

static char *timeline_of(const char *const *more) {
    char path[] = "/tmp/e2e-timeline-XXXXXX", output[16384];
    const char *args[16] = {"whatif", "--tiny", "--failure-rate", "0.05", "--timeline", path};
    for (size_t i = 0; more[i] != NULL; i++)
        args[6 + i] = more[i];
    close(mkstemp(path));
    int code = program_run("bench", args, output, sizeof output);
    ck_assert_msg(code == 0, "%s", output);
    char *svg = read_file(path);
    unlink(path);
    return svg;
}

// The draws are the same everywhere, and so is the picture.
START_TEST(a_forecast_is_drawn) {
    char *svg = timeline_of(ARGS(NULL)), *again = timeline_of(ARGS(NULL));
    ck_assert_str_eq(svg, again);
    ck_assert_ptr_nonnull(strstr(svg, "<title>A foretold upgrade: 848 hosts, "));
    ck_assert_ptr_nonnull(strstr(svg, ", the median of 20 runs on the virtual clock; 100 workers"));
    ck_assert_ptr_nonnull(strstr(svg, "<title>leaf06.mars of mars_leaf_103\n"));
    ck_assert_ptr_nonnull(strstr(svg, "\nskipped: "));
    ck_assert_ptr_null(strstr(svg, "\nforetold "));
    free(svg);
    free(again);
}
END_TEST

START_TEST(a_live_run_is_drawn_over_its_forecast) {
    char *svg = timeline_of(ARGS("--verify", "--time-scale", "0.01"));
    ck_assert_ptr_nonnull(strstr(svg, "<title>An upgrade over its forecast: 848 hosts, "));
    ck_assert_ptr_nonnull(strstr(svg, "seed 1, live, delays times 0.01; 100 workers"));
    ck_assert_ptr_nonnull(strstr(svg, "\nforetold "));
    ck_assert_ptr_nonnull(strstr(svg, ": install_os_version: problem communicating with device"));
    free(svg);
}
END_TEST

START_TEST(a_network_that_no_timeline_shows_is_refused_at_once) {
    char path[] = "/tmp/e2e-network-XXXXXX", output[8192];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\ndev_types: {leaf: {count: 10001, rack: 1, per_rack: 2}}\n", file);
    fclose(file);
    ck_assert_int_eq(program_run("bench",
                                 ARGS("whatif", "--network", path, "--timeline", "/nowhere/a.svg"),
                                 output, sizeof output),
                     1);
    ck_assert_str_eq(output, "bench: whatif: --timeline: it shows 10000 hosts at most, and the "
                             "network has 10001\n");
    unlink(path);
}
END_TEST

// Live the timeouts are as much shorter as all else: those that are not to strike are long, for the
// machine may be busy.
#define PATIENT "--connect-timeout", "3000s", "--call-timeout", "3000s"

// Two groups of two; an install takes longer than the timeout, in the forecast and live.
START_TEST(a_forecast_counts_what_the_timeouts_fail) {
    char path[] = "/tmp/e2e-network-XXXXXX", output[8192];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\ndev_types: {edge: {count: 2}, spine: {count: 2}}\nversions: [5.2.1]\n"
          "latency: {login: 0, get_version: 0, install_os_version: 60s, logout: 0}\n",
          file);
    fclose(file);
    ck_assert_int_eq(program_run("bench",
                                 ARGS("whatif", "--tiny", "--network", path, "--verify",
                                      "--time-scale", "0.01", PATIENT, "--install-timeout", "10s"),
                                 output, sizeof output),
                     0);
    ck_assert_msg(strstr(output, "2 failed, 2 skipped. Forecast for that seed: 10.00 s, 2 failed, "
                                 "2 skipped") != NULL,
                  "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "by a timeout"));
    ck_assert_ptr_nonnull(strstr(output, "The longest group is most often earth_edge"));
    ck_assert_ptr_null(strstr(output, "The live run had"));
    ck_assert_int_eq(
        program_run("bench",
                    ARGS("whatif", "--tiny", "--network", path, "--verify", "--time-scale", "0.01",
                         PATIENT, "--install-timeout", "3000s"),
                    output, sizeof output),
        0);
    ck_assert_msg(strstr(output, "0 failed, 0 skipped. Forecast for that seed: 120.00 s, 0 failed, "
                                 "0 skipped") != NULL,
                  "%s", output);
    unlink(path);
}
END_TEST

// A policy, credentials, a restart behind every install; two hosts that are not there, one of
// another platform, and faults of several kinds. What becomes of whom depends on no draw.
START_TEST(a_forecast_plays_what_a_network_has_in_store) {
    char path[] = "/tmp/e2e-network-XXXXXX", output[16384];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\n"
          "dev_types: {edge: {count: 2}, spine: {count: 4}, leaf: {count: 8, pod: '{n/4}', "
          "username: leaf}}\n"
          "versions: [5.2.1]\nusername: root\npassword: of all evil\n"
          "latency: {login: 1s, get_version: 1s, install_os_version: 2s..4s, logout: 0,\n"
          "  reboot: 1s..2s}\n"
          "hosts:\n"
          "  edge00.earth: {state: down}\n"
          "  edge01.earth: {password: its own}\n"
          "  leaf04.earth: {port: 1}\n"
          "  fw: {site: earth, dev_type: firewall, platform: panos}\n"
          "policy:\n"
          "  redundancy:\n"
          "    - {group: '{dev_type} of {site}', unless: {dev_type: leaf}}\n"
          "    - {group: 'pod {pod}'}\n"
          "  throttle: [{group: 'links of {site}', at_once: 3}]\n"
          "faults:\n"
          "  - {match: {host: spine01.earth}, on: install_os_version, effect: brick}\n"
          "  - {match: {host: leaf00.earth}, on: install_os_version, effect: truncate}\n"
          "  - {match: {host: leaf01.earth}, on: login, effect: delay, by: 2s}\n"
          "  - {match: {host: leaf02.earth}, on: install_os_version, effect: wrong_version}\n",
          file);
    fclose(file);
    ck_assert_int_eq(program_run("bench",
                                 ARGS("whatif", "--tiny", "--network", path, "--verify",
                                      "--time-scale", "0.01", PATIENT, "--install-timeout", "60s"),
                                 output, sizeof output),
                     0);
    ck_assert_msg(strstr(output, " s, 4 failed, 8 skipped. Forecast for that seed: ") != NULL &&
                      strstr(output, " s, 4 failed, 8 skipped; over all seeds") != NULL,
                  "%s", output);
    ck_assert_ptr_null(strstr(output, "The live run had"));
    ck_assert_ptr_nonnull(strstr(output, "Hosts of another platform than acmeos: 1."));
    ck_assert_ptr_nonnull(strstr(output, "nobody listens: 2."));
    unlink(path);
}
END_TEST

// Two of four may be away, and one is: each of the others is upgraded while a peer of it is not up.
// Two of the next four are away: the first two of them are skipped, for an ask found that out; then
// those two fail. Of a pair the second is not there. So as without asking but for three hosts.
START_TEST(a_forecast_skips_whose_peers_are_not_up) {
    static const struct {
        const char *options[4];
        const char *says;
    } cases[] = {
        {{NULL}, " s, 4 failed, 3 skipped. Forecast for that seed: "},
        {{"--asks", "1"}, " s, 4 failed, 3 skipped. Forecast for that seed: "},
        {{"--peer-wait", "3s"}, " s, 4 failed, 3 skipped. Forecast for that seed: "},
        {{"--peer-check", "off"}, " s, 4 failed, 0 skipped. Forecast for that seed: "},
    };
    char path[] = "/tmp/e2e-network-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\n"
          "dev_types: {edge: {count: 2}, spine: {count: 4}, leaf: {count: 4}}\n"
          "versions: [5.2.1]\n"
          "latency: {login: 1s, get_version: 1s, install_os_version: 2s..4s, logout: 0}\n"
          "hosts:\n"
          "  edge01.earth: {state: down}\n"
          "  spine03.earth: {state: down}\n"
          "  leaf02.earth: {state: down}\n"
          "  leaf03.earth: {port: 1}\n"
          "policy: {redundancy: [{group: '{dev_type} of {site}', max_unavailable: 2,\n"
          "    unless: {dev_type: edge}}, {group: '{dev_type} of {site}', match: {dev_type: "
          "edge}}]}\n",
          file);
    fclose(file);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char output[16384];
        const char *args[16] = {"whatif",   "--tiny",       "--network", path,
                                "--verify", "--time-scale", "0.01",      PATIENT};
        memcpy(args + 11, cases[i].options, sizeof cases[i].options);
        int code = program_run("bench", args, output, sizeof output);
        ck_assert_msg(code == 0 && strstr(output, cases[i].says) != NULL, "case %zu: %s", i,
                      output);
        ck_assert_ptr_null(strstr(output, "The live run had"));
    }
    unlink(path);
}
END_TEST

START_TEST(the_example_networks_are_forecast_with_what_decides_their_windows) {
    static const struct {
        const char *args[8];
        const char *says[2];
    } cases[] = {
        {{"--network", "spec/examples/wan/network.yaml"},
         {"Hosts of another platform than acmeos: 1.",
          "The redundancy groups \"routers of {site}\""}},
        {{"--inventory", "spec/examples/wan", "--policy", "spec/examples/wan/policy.yaml",
          "--verify", "--time-scale", "0.01"},
         {"The redundancy groups \"routers of {site}\"",
          " s, 0 failed, 1 skipped. Forecast for that seed: "}},
        {{"--network", "spec/examples/fabric/network.yaml", "--asks", "1000"},
         {"1040 hosts in 521 redundancy groups under 0 throttles",
          "The redundancy groups \"{feed}\" (8 of them, each 12 at once;"}},
        {{"--network", "spec/examples/campus/network.yaml"},
         {"10 hosts in 4 redundancy groups under 2 throttles",
          "The redundancy group stack ams1-s03 (1 of its 4 hosts at once) decides the window in "
          "100 % of the runs: max_unavailable: 2 would shorten the median window by "}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char output[16384];
        const char *args[16] = {"whatif", "--tiny"};
        memcpy(args + 2, cases[i].args, sizeof cases[i].args);
        int code = program_run("bench", args, output, sizeof output);
        for (size_t j = 0; j < 2; j++)
            ck_assert_msg(code == 0 && strstr(output, cases[i].says[j]) != NULL, "no '%s' in: %s",
                          cases[i].says[j], output);
    }
}
END_TEST

START_TEST(workers_are_tried_until_more_are_of_no_use) {
    char path[] = "/tmp/e2e-network-XXXXXX", output[8192];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\ndev_types: {edge: {count: 40}}\nversions: [5.2.1]\n"
          "latency: {login: 0, get_version: 0, install_os_version: 1s, logout: 0}\n"
          "policy: {redundancy: [{group: '{site}', max_unavailable: 20}]}\n",
          file);
    fclose(file);
    ck_assert_int_eq(
        program_run("bench", ARGS("whatif", "--tiny", "--network", path), output, sizeof output),
        0);
    ck_assert_msg(strstr(output, "The knee is at 23 workers") != NULL, "%s", output);
    unlink(path);
}
END_TEST

START_TEST(durations_are_learnt_from_a_saved_scrape) {
    struct lab lab = lab_start(ARGS("--latency", "10ms..20ms"), ARGS("--workers", "400"));
    char path[] = "/tmp/e2e-scrape-XXXXXX", output[8192];
    assert_answer(http_post(lab.api, "/upgrade-os/",
                            "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"], "
                            "\"filter_sites\": [\"earth\"]}"),
                  200,
                  "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\", "
                  "\"edge01.earth\"]}");
    struct answer scrape = http_get(lab.api, "/metrics/");
    FILE *file = fdopen(mkstemp(path), "w");
    fputs(scrape.body, file);
    fclose(file);
    answer_free(&scrape);
    lab_stop(&lab);
    ck_assert_int_eq(
        program_run("bench", ARGS("whatif", "--tiny", "--metrics", path), output, sizeof output),
        0);
    ck_assert_ptr_nonnull(strstr(output, "window s"));
    unlink(path);
}
END_TEST

Suite *check_bench(void) {
    Suite *suite = suite_create("bench");
    TCase *tcase = tcase_create("bench");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, every_command_measures_and_writes_csv_and_json, 0, COMMANDS);
    tcase_add_test(tcase, a_wrong_command_line_is_refused_with_the_remedy);
    tcase_add_test(tcase, a_forecast_is_drawn);
    tcase_add_test(tcase, a_live_run_is_drawn_over_its_forecast);
    tcase_add_test(tcase, a_network_that_no_timeline_shows_is_refused_at_once);
    tcase_add_test(tcase, a_forecast_counts_what_the_timeouts_fail);
    tcase_add_test(tcase, a_forecast_plays_what_a_network_has_in_store);
    tcase_add_test(tcase, a_forecast_skips_whose_peers_are_not_up);
    tcase_add_test(tcase, the_example_networks_are_forecast_with_what_decides_their_windows);
    tcase_add_test(tcase, workers_are_tried_until_more_are_of_no_use);
    tcase_add_test(tcase, durations_are_learnt_from_a_saved_scrape);
    return suite;
}
