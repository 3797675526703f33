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
    {"concurrency", {"Workers against the limit", "acme", "live x", "virtual"}, {NULL}},
    {"overhead", {"floor", "orchestrator", "Python asyncio", "Python thread pool"}, {NULL}},
    {"scale", {"simulator, at rest", "orchestrator, hosts queued"}, {NULL}},
    {"http", {"GET /metrics/", "POST /upgrade-os/", "A scrape of an idle orchestrator"}, {NULL}},
    {"whatif",
     {"window s", "failed hosts", "knee", "Forecast for that seed"},
     {"--verify", "--time-scale", "0.01"}},
};
enum { COMMANDS = COUNT(commands) };

START_TEST(every_command_measures_and_writes_csv_and_json) {
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
        {{"whatif", "--failure-rate", "2"}, 2, "expected a number from 0 to 1"},
        {{"whatif", "--metrics", "/nowhere/scrape"}, 1, "/nowhere/scrape"},
        {{"whatif", "--network", "/nowhere/net.yaml"}, 1, "/nowhere/net.yaml"},
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

// Two groups of two; an install takes longer than the timeout, in the forecast and live.
START_TEST(a_forecast_counts_what_the_timeouts_fail) {
    char path[] = "/tmp/e2e-network-XXXXXX", output[8192];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("sites: [earth]\ndev_types: {edge: {count: 2}, spine: {count: 2}}\nversions: [5.2.1]\n"
          "latency: {login: 0, get_version: 0, install_os_version: 400s, logout: 0}\n",
          file);
    fclose(file);
    const char *const args[] = {"whatif",   "--tiny",       "--network", path,
                                "--verify", "--time-scale", "0.001",     NULL};
    ck_assert_int_eq(program_run("bench", args, output, sizeof output), 0);
    ck_assert_msg(strstr(output, "2 failed, 2 skipped. Forecast for that seed: 300.00 s, 2 failed, "
                                 "2 skipped") != NULL,
                  "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "by a timeout"));
    ck_assert_ptr_nonnull(strstr(output, "The longest group is most often earth_edge"));
    ck_assert_ptr_null(strstr(output, "The live run had"));
    ck_assert_int_eq(program_run("bench",
                                 ARGS("whatif", "--tiny", "--network", path, "--verify",
                                      "--time-scale", "0.001", "--install-timeout", "500s"),
                                 output, sizeof output),
                     0);
    ck_assert_msg(strstr(output, "0 failed, 0 skipped. Forecast for that seed: 800.00 s, 0 failed, "
                                 "0 skipped") != NULL,
                  "%s", output);
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
    tcase_add_test(tcase, a_forecast_counts_what_the_timeouts_fail);
    tcase_add_test(tcase, durations_are_learnt_from_a_saved_scrape);
    return suite;
}
