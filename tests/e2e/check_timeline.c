// The timeline of a real run, asked from the service that did it.
#include "orchestrator/cli_timeline.h"
#include "tests/e2e/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_timeline(void);

static void upgrade(const struct lab *lab) {
    struct answer answer = http_post(lab->api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(answer.status, 200);
    answer_free(&answer);
}

// The id of the last job.
static void find_job(const struct lab *lab, char id[64]) {
    cJSON *jobs = get_json(lab->api, "/jobs/?limit=1");
    const cJSON *job = cJSON_GetArrayItem(cJSON_GetObjectItem(jobs, "jobs"), 0);
    snprintf(id, 64, "%s", cJSON_GetObjectItem(job, "id")->valuestring);
    cJSON_Delete(jobs);
}

static size_t count(const char *text, const char *part) {
    size_t n = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        n++;
    }
    return n;
}

// It is XML to others, too.
static void assert_parses(const char *path) {
    char command[128];
    if (system("command -v xmllint >/dev/null") != 0) return;
    snprintf(command, sizeof command, "xmllint --noout '%s'", path);
    ck_assert_int_eq(system(command), 0);
}

static void draw(const struct lab *lab, char path[]) {
    char id[64];
    struct error err;
    find_job(lab, id);
    close(mkstemp(path));
    int rc = cli_timeline(lab->api, NULL, id, path, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    assert_parses(path);
}

// More hosts than a page of the service has.
START_TEST(a_job_is_drawn_with_each_of_its_hosts) {
    char network[] = "/tmp/e2e-network-XXXXXX", path[] = "/tmp/e2e-timeline-XXXXXX";
    FILE *file = fdopen(mkstemp(network), "w");
    fputs("sites: [earth]\nversions: [5.2.1]\nlatency: 0\n"
          "dev_types: {leaf: {count: 1200, rack: 100, per_rack: 3, name: 'leaf{n:04}.{site}'}}\n"
          "hosts: {leaf0030.earth: {version: 5.3.1}}\n"
          "faults: [{match: {host: leaf0060.earth}, on: install_os_version, effect: error, "
          "message: <no> space}]\n",
          file);
    fclose(file);
    struct lab lab = lab_start(ARGS("--network", network), NULL);
    upgrade(&lab);
    draw(&lab, path);
    char *svg = read_file(path);
    ck_assert_uint_eq(count(svg, "\nchanged, "), 1196);
    ck_assert_uint_eq(count(svg, "\nunchanged, "), 1);
    ck_assert_uint_eq(count(svg, "\nfailed, "), 2); // the bar and its cross
    ck_assert_uint_eq(count(svg, "<path d=\"M"), 1198);
    ck_assert_ptr_nonnull(strstr(svg, "<title>leaf0060.earth of earth_leaf_120\nfailed, "));
    ck_assert_ptr_nonnull(strstr(svg, ": install_os_version: &lt;no&gt; space</title>"));
    ck_assert_ptr_nonnull(
        strstr(svg, "<title>leaf0061.earth, leaf0062.earth\nskipped: leaf0060.earth</title>"));
    ck_assert_ptr_nonnull(strstr(svg, "<title>upgrade_os 5.3.1: 1200 hosts, "));
    free(svg);
    unlink(path);
    unlink(network);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_job_that_cannot_be_drawn_says_why) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    struct error err;
    char id[64];
    ck_assert_int_ne(cli_timeline(lab.api, NULL, "no/such job", "/tmp/e2e-never-written.svg", &err),
                     0);
    ck_assert_msg(strstr(err.text, "/jobs/no%2Fsuch%20job/: it answered 404: ") != NULL, "%s",
                  err.text);
    ck_assert_int_ne(access("/tmp/e2e-never-written.svg", F_OK), 0);
    upgrade(&lab);
    find_job(&lab, id);
    ck_assert_int_ne(cli_timeline(lab.api, NULL, id, "/nowhere/a.svg", &err), 0);
    ck_assert_str_eq(err.text, "/nowhere/a.svg: No such file or directory");
    ck_assert_int_ne(
        cli_timeline("http://127.0.0.1:1", NULL, id, "/tmp/e2e-never-written.svg", &err), 0);
    ck_assert_msg(strstr(err.text, "no answer") != NULL, "%s", err.text);
    lab_stop(&lab);
}
END_TEST

Suite *check_timeline(void) {
    Suite *suite = suite_create("timeline");
    TCase *tcase = tcase_create("timeline");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_job_is_drawn_with_each_of_its_hosts);
    tcase_add_test(tcase, a_job_that_cannot_be_drawn_says_why);
    return suite;
}
