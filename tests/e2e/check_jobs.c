// Clients that leave in mid-job, files that change under the service, and command lines: what a
// scenario cannot say. Jobs that overlap, signals and restarts are in scenarios/.
#include "common/count.h"
#include "common/scrape.h"
#include "common/version.h"
#include "tests/e2e/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_jobs(void);

static void assert_all_run(const struct lab *lab, const char *site, const char *version,
                           int expected) {
    cJSON *answer = get_json(lab->admin, "/devices/");
    const cJSON *device;
    int count = 0;
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(answer, "devices")) {
        if (strcmp(cJSON_GetObjectItem(device, "site")->valuestring, site) != 0) continue;
        ck_assert_str_eq(cJSON_GetObjectItem(device, "version")->valuestring, version);
        count++;
    }
    cJSON_Delete(answer);
    ck_assert_int_eq(count, expected);
}

static void assert_report(struct answer a, size_t failed, size_t skipped, size_t completed) {
    ck_assert_msg(a.status == 200, "%ld %s", a.status, a.body);
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "failed")), failed);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "skipped")), skipped);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), completed);
    cJSON_Delete(report);
    answer_free(&a);
}

START_TEST(a_client_that_goes_away_does_not_stop_its_job) {
    struct lab lab = lab_start(ARGS("--time-scale", "0.01"), ARGS("--peer-check", "off"));
    int client = dial(strstr(lab.api, "//") + 2);
    const char *body = "{\"version\": \"5.3.1\", \"filter_sites\": [\"venus\"]}";
    char request[512];
    snprintf(request, sizeof request,
             "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    send_text(client, request);
    await_event(lab.admin, "login", "begun", 1);
    close(client);
    await_event(lab.admin, "logout", "answered", 106);
    assert_all_run(&lab, "venus", "5.3.1", 106);
    lab_stop(&lab);
}
END_TEST

// What both programs find in their environment, beside what a sanitizer is told already: it need
// not be loaded first.
static void preload(const char *library) {
    const char *build = getenv("BUILD"), *asan = getenv("ASAN_OPTIONS");
    char path[256], options[512];
    snprintf(path, sizeof path, "%s/%s", build == NULL ? "build" : build, library);
    snprintf(options, sizeof options, "%s:verify_asan_link_order=0", asan == NULL ? "" : asan);
    ck_assert_int_eq(access(path, R_OK), 0);
    setenv("LD_PRELOAD", path, 1);
    setenv("ASAN_OPTIONS", options, 1);
}

static double commits(const struct lab *lab, const char *what) {
    char selector[64];
    double sum;
    struct answer a = http_get(lab->api, "/metrics/");
    snprintf(selector, sizeof selector, "orchestrator_store_commit_seconds_%s", what);
    ck_assert(scrape_sum(a.body, selector, &sum));
    answer_free(&a);
    return sum;
}

START_TEST(a_job_completes_on_a_disk_that_stalls) {
    char store[] = "/tmp/e2e-store-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(store));
    snprintf(file, sizeof file, "%s/store", store);
    preload("slow_disk.so");
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--state", file));
    unsetenv("LD_PRELOAD");
    assert_report(http_post(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}"), 0, 0, 848);
    ck_assert(commits(&lab, "sum") >= 0.05 * commits(&lab, "count")); // it does stall
    lab_stop(&lab);
    ck_assert_int_eq(unlink(file), 0);
    rmdir(store);
}
END_TEST

static void write_mode(const char *path, const char *mode) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(mode, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void assert_state(const struct lab *lab, const char *path, const char *state) {
    cJSON *job = get_json(lab->api, path);
    ck_assert_str_eq(cJSON_GetObjectItem(job, "state")->valuestring, state);
    cJSON_Delete(job);
}

// What a client is told is on disk; but an operator who stops a job does not wait for the disk.
START_TEST(a_job_is_paused_at_once_though_the_disk_is_full) {
    char store[] = "/tmp/e2e-store-XXXXXX", file[64], mode[64], path[128], control[160];
    ck_assert_ptr_nonnull(mkdtemp(store));
    snprintf(file, sizeof file, "%s/store", store);
    snprintf(mode, sizeof mode, "%s/mode", store);
    write_mode(mode, "o");
    setenv("DISK_MODE", mode, 1);
    setenv("DISK_FOLDER", store, 1);
    preload("disk.so");
    struct lab lab = lab_start(ARGS("--latency", "50ms"), ARGS("--state", file, "--workers", "1"));
    unsetenv("LD_PRELOAD");
    struct answer a = http_send("POST", lab.api, "/upgrade-os/",
                                ARGS("Prefer: respond-async", "Content-Type: application/json"),
                                "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 202);
    snprintf(path, sizeof path, "%s", answer_header(&a, "Location"));
    answer_free(&a);
    snprintf(control, sizeof control, "%spause/", path);
    write_mode(mode, "f");
    a = http_post(lab.api, control, "{}");
    ck_assert_msg(a.status == 503, "%ld %s", a.status, a.body);
    ck_assert_msg(strstr(a.body, "takes effect, but is lost if the service ends before the store "
                                 "can be written again: ") != NULL,
                  "%s", a.body);
    answer_free(&a);
    assert_state(&lab, path, "paused");
    a = http_post(lab.api, control, "{}");
    ck_assert_int_eq(a.status, 409);
    answer_free(&a);
    write_mode(mode, "o");
    snprintf(control, sizeof control, "%scancel/", path);
    long ready;
    do {
        a = http_get(lab.api, "/readyz");
        ready = a.status;
        answer_free(&a);
    } while (ready != 200);
    a = http_post(lab.api, control, "{}");
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    answer_free(&a);
    lab_stop(&lab);
    ck_assert_int_eq(unlink(file), 0);
    unlink(mode);
    rmdir(store);
}
END_TEST

START_TEST(sighup_reopens_the_log) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    char moved[160];
    snprintf(moved, sizeof moved, "%s.1", lab.log);
    const char *request = "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"]}";
    assert_report(http_post(lab.api, "/upgrade-os/", request), 0, 0, 16);
    ck_assert_int_eq(rename(lab.log, moved), 0);
    program_signal(&lab.orchestrator, SIGHUP);
    while (access(lab.log, F_OK) != 0) { // the signal is on its way
        struct answer a = http_get(lab.api, "/livez");
        answer_free(&a);
    }
    assert_report(http_post(lab.api, "/upgrade-os/", request), 0, 0, 16);
    char *before = read_file(moved), *after = read_file(lab.log);
    ck_assert_ptr_nonnull(strstr(before, "starting  task:upgrade_os"));
    ck_assert_ptr_nonnull(strstr(after, "completed task:upgrade_os"));
    ck_assert_ptr_null(strstr(strstr(before, "completed task:upgrade_os"), "starting  task"));
    free(before);
    free(after);
    unlink(moved);
    lab_stop(&lab);
}
END_TEST

static const struct {
    const char *text;
    const char *detail;
} bad_inventories[] = {
    {"{\"earth\": [", "not JSON"},
    {"[]", "expected an object of sites"},
    {"{\"earth\": {\"a\": {\"platform\": \"acmeos\", \"dev_type\": \"leaf\", \"rack\": \"1\", "
     "\"hostname\": \"127.0.0.1\", \"port\": 0}}}",
     "earth.a.port: expected a whole number from 1 to 65535"},
    {"earth:\n  leaf00.earth:\n    platform: 5\n", ":3:15: earth.leaf00.earth.platform"},
    {"earth: {}\nearth: {}\n", ":2:1: earth: given twice"},
    {"", "it is empty"},
};

START_TEST(an_inventory_that_cannot_be_used_is_a_bad_gateway) {
    char path[] = "/tmp/e2e-inventory-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    struct program p = program_start(
        "orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", path, "--log", "/dev/null"));
    const char *api = p.url;
    for (size_t i = 0; i < COUNT(bad_inventories); i++) {
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(pwrite(fd, bad_inventories[i].text, strlen(bad_inventories[i].text), 0),
                         (long)strlen(bad_inventories[i].text));
        assert_problem(http_post(api, "/upgrade-os/", "{\"version\": \"5.3.1\"}"), 502, NULL,
                       bad_inventories[i].detail);
    }
    struct answer a = http_get(api, "/readyz");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    unlink(path);
    assert_problem(http_post(api, "/upgrade-os/", "{\"version\": \"5.3.1\"}"), 502, NULL,
                   "No such file");
    assert_problem(http_get(api, "/readyz"), 503, NULL, "No such file");
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

START_TEST(a_name_of_the_longest_length_is_told_whole_and_a_longer_one_refused) {
    enum { LONGEST = 255 };
    char path[] = "/tmp/e2e-inventory-XXXXXX", name[LONGEST + 2], part[LONGEST + 100];
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--inventory", path));
    for (size_t len = LONGEST; len <= LONGEST + 1; len++) {
        memset(name, 'x', len);
        name[len] = '\0';
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        lseek(fd, 0, SEEK_SET);
        dprintf(fd,
                "%.255s: {%s: {platform: acmeos, dev_type: %.255s, rack: '1', hostname: 127.0.0.1, "
                "port: 1}}\n",
                name, name, name);
        struct answer a = http_post(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
        if (len > LONGEST) {
            assert_problem(a, 502, NULL, "longer than 255 bytes");
            break;
        }
        snprintf(part, sizeof part, "{\"failed\": [\"%s\"], \"skipped\": [], \"completed\": []}",
                 name);
        assert_answer(a, 200, part);
        a = http_get(lab.api, "/metrics/");
        snprintf(part, sizeof part, ",host=\"%s\",site=\"%s", name, "xxx");
        ck_assert_ptr_nonnull(strstr(a.body, part));
        answer_free(&a);
        char *log = read_file(lab.log);
        snprintf(part, sizeof part,
                 ":completed host:%s:connect to 127.0.0.1:1: connection refused\n", name);
        ck_assert_msg(strstr(log, part) != NULL, "%s", log);
        free(log);
    }
    close(fd);
    unlink(path);
    lab_stop(&lab);
}
END_TEST

// Of each line that begins a job, the id: a random UUID.
START_TEST(each_job_has_an_id_of_its_own) {
    enum { JOBS = 4, ID = 36, STAMP = 24 };
    char ids[JOBS][ID + 1];
    int count = 0;
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    for (int i = 0; i < JOBS; i++)
        assert_report(http_post(lab.api, "/upgrade-os/",
                                "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"]}"),
                      0, 0, 16);
    char *log = read_file(lab.log), *save = NULL;
    for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strstr(line, ":starting  task:upgrade_os") == NULL) continue;
        ck_assert_int_lt(count, JOBS);
        snprintf(ids[count], sizeof ids[0], "%s", strchr(line, ':') + 1 + STAMP);
        ck_assert_msg(strspn(ids[count], "0123456789abcdef-") == ID && ids[count][14] == '4', "%s",
                      line);
        for (int i = 0; i < count; i++)
            ck_assert_str_ne(ids[i], ids[count]);
        count++;
    }
    ck_assert_int_eq(count, JOBS);
    free(log);
    lab_stop(&lab);
}
END_TEST

static void write_leaf(int fd, const struct lab *lab, const char *rack) {
    char text[300];
    snprintf(text, sizeof text,
             "{\"earth\": {\"leaf00.earth\": {\"platform\": \"acmeos\", \"dev_type\": \"leaf\", "
             "\"rack\": \"%s\", \"hostname\": \"127.0.0.1\", \"port\": %s}}}",
             rack, strrchr(lab->devices, ':') + 1);
    ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (long)strlen(text));
}

// Between two jobs the inventory has moved the leaf to another rack: another group, the same
// device.
START_TEST(jobs_that_see_a_device_in_different_groups_drive_it_one_after_the_other) {
    char path[] = "/tmp/e2e-inventory-XXXXXX";
    int fd = mkstemp(path);
    struct lab lab = lab_start(ARGS("--latency", "100ms"), ARGS("--inventory", path));
    write_leaf(fd, &lab, "100");
    struct call *first = call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    await_event(lab.admin, "login", "begun", 1);
    write_leaf(fd, &lab, "999");
    struct call *second = call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.2\"}");
    static const char all[] =
        "{\"failed\": [], \"skipped\": [], \"completed\": [\"leaf00.earth\"]}";
    assert_answer(call_wait(first), 200, all);
    assert_answer(call_wait(second), 200, all);
    assert_logged(&lab, ":waiting   task:upgrade_os:for job ");
    lab_stop(&lab); // the referee saw no double_drive
    close(fd);
    unlink(path);
}
END_TEST

// Of two devices one has its install and does not answer it, the other is silent before.
START_TEST(a_second_signal_waits_for_nobody_and_says_who_is_in_doubt) {
    struct lab lab = bare_start(ARGS("--latency", "0")); // its stderr is the test's
    char inventory[128], log[160];
    int fds[2], before = dup(STDERR_FILENO);
    snprintf(inventory, sizeof inventory, "%s/inventory/?filter_sites=earth", lab.admin);
    snprintf(log, sizeof log, "%s/orchestrator.log", lab.dir);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    dup2(fds[1], STDERR_FILENO);
    lab.orchestrator =
        program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                           "--log", log, "--workers", "2"));
    dup2(before, STDERR_FILENO);
    add_faults(&lab, "[{\"match\": {\"host\": \"edge00.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"delay\", \"by\": \"1h\"}, {\"match\": {\"host\": "
                     "\"spine00.earth\"}, \"on\": \"get_version\", \"effect\": \"no_reply\"}]");
    struct call *call = call_start(lab.orchestrator.url, "/upgrade-os/",
                                   "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\", "
                                   "\"spine\"]}");
    await_event(lab.admin, "install_os_version", "begun", 1);
    await_event(lab.admin, "get_version", "begun", 2);
    program_signal(&lab.orchestrator, SIGTERM);
    char *line = read_line(fds[0]);
    ck_assert_str_eq(line,
                     "orchestrator: waiting for 2 hosts in hand, at most 300s; a second signal "
                     "ends it");
    free(line);
    program_signal(&lab.orchestrator, SIGTERM);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [\"edge01.earth\", "
                  "\"spine00.earth\", \"spine01.earth\", \"spine02.earth\", \"spine03.earth\"], "
                  "\"completed\": []}");
    ck_assert_int_eq(program_wait(&lab.orchestrator), 1);
    char *text = read_file(log);
    ck_assert_ptr_nonnull(strstr(text,
                                 ":completed host:edge00.earth:in doubt: the install was sent, "
                                 "and its end was not awaited\n"));
    ck_assert_ptr_nonnull(strstr(text, ":skipped   host:spine00.earth:shutting down\n"));
    free(text);
    unlink(log);
    bare_stop(&lab);
}
END_TEST

START_TEST(an_inventory_file_is_read_anew_for_every_job) {
    struct program simulator = program_start(
        "simulator", ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--latency", "0"));
    const char *admin = simulator.url;
    char path[] = "/tmp/e2e-inventory-XXXXXX";
    int fd = mkstemp(path);
    struct program p = program_start(
        "orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", path, "--log", "/dev/null"));
    const char *api = p.url;
    struct answer a = http_get(admin, "/inventory/?filter_sites=earth&filter_dev_types=spine");
    ck_assert_int_eq(dprintf(fd, "%s", a.body), (int)strlen(a.body));
    answer_free(&a);
    assert_report(http_post(api, "/upgrade-os/", "{\"version\": \"5.3.1\"}"), 0, 0, 4);
    a = http_get(admin, "/inventory/?filter_sites=earth,mars");
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(pwrite(fd, a.body, strlen(a.body), 0), (long)strlen(a.body));
    answer_free(&a);
    assert_report(http_post(api, "/upgrade-os/", "{\"version\": \"5.3.1\"}"), 0, 0, 212);
    unlink(path);
    ck_assert_int_eq(program_stop(&p), 0);
    ck_assert_int_eq(program_stop(&simulator), 0);
}
END_TEST

static const struct {
    const char *program;
    const char *args[6]; // NULL-terminated
    int exit_code;
    const char *output;
} command_lines[] = {
    {"orchestrator", {"--help"}, 0, "--install-timeout DURATION"},
    {"orchestrator", {"--version"}, 0, "orchestrator " PROJECT_VERSION "\n"},
    {"orchestrator", {"--workers", "0"}, 2, "--workers: '0': expected a number from 1"},
    {"orchestrator", {"--workers", "900000", "--log", "/dev/null"}, 1, "ulimit -n"},
    {"orchestrator", {"--listen", "5000"}, 2, "expected HOST:PORT"},
    {"orchestrator", {"--call-timeout", "30"}, 2, "is not a duration"},
    {"orchestrator", {"--log", "/nonexistent/x.log"}, 1, "/nonexistent/x.log: No such file"},
    {"orchestrator", {"--password-file", "/nonexistent"}, 2, "/nonexistent: No such file"},
    {"orchestrator", {"--cors-origin", "noc"}, 2, "expected an origin"},
    {"orchestrator", {"--bogus"}, 2, "try 'orchestrator --help'"},
    {"orchestrator", {"extra"}, 2, "there is no command 'extra'"},
    {"simulator", {"--help"}, 0, "--time-scale"},
    {"simulator", {"--version"}, 0, "simulator " PROJECT_VERSION "\n"},
    {"simulator", {"--latency", "fast"}, 2, "is not a duration"},
    {"simulator", {"--network", "/nonexistent"}, 2, "/nonexistent: No such file"},
};

START_TEST(command_lines_are_checked_and_explained) {
    char output[8192];
    int code =
        program_run(command_lines[_i].program, command_lines[_i].args, output, sizeof output);
    ck_assert_msg(code == command_lines[_i].exit_code, "%d: %s", code, output);
    ck_assert_msg(strstr(output, command_lines[_i].output) != NULL, "%s", output);
    if (strcmp(command_lines[_i].args[0], "--help") != 0) return;
    for (const char *line = output; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 100, "wider than a terminal: %.120s", line);
}
END_TEST

Suite *check_jobs(void) {
    Suite *suite = suite_create("jobs");
    TCase *tc = tcase_create("jobs");
    tcase_set_timeout(tc, 180);
    tcase_add_test(tc, a_client_that_goes_away_does_not_stop_its_job);
    tcase_add_test(tc, a_job_completes_on_a_disk_that_stalls);
    tcase_add_test(tc, a_job_is_paused_at_once_though_the_disk_is_full);
    tcase_add_test(tc, sighup_reopens_the_log);
    tcase_add_test(tc, an_inventory_that_cannot_be_used_is_a_bad_gateway);
    tcase_add_test(tc, a_name_of_the_longest_length_is_told_whole_and_a_longer_one_refused);
    tcase_add_test(tc, each_job_has_an_id_of_its_own);
    tcase_add_test(tc, jobs_that_see_a_device_in_different_groups_drive_it_one_after_the_other);
    tcase_add_test(tc, a_second_signal_waits_for_nobody_and_says_who_is_in_doubt);
    tcase_add_test(tc, an_inventory_file_is_read_anew_for_every_job);
    tcase_add_loop_test(tc, command_lines_are_checked_and_explained, 0, (int)COUNT(command_lines));
    suite_add_tcase(suite, tc);
    return suite;
}
