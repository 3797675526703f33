// Secrets of devices and of the service, over a run with everything that can go wrong: nothing that
// the programs write, answer or keep has any of them. And what is said of files of secrets.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_credentials(void);

// --- files

static void write_to(const char *path, mode_t mode, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static const char *path_in(const struct lab *lab, const char *name) {
    static char paths[8][128];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", lab->dir, name);
    return path;
}

static char *read_all(const char *path, size_t *len) { // a store has NULs
    FILE *file = fopen(path, "rb");
    static const size_t most = 16 << 20;
    if (file == NULL) return NULL;
    char *bytes = malloc(most);
    ck_assert_ptr_nonnull(bytes);
    *len = fread(bytes, 1, most, file);
    ck_assert_uint_lt(*len, most);
    fclose(file);
    return bytes;
}

// --- what is looked for

static const char *const secrets[] = {
    "Inv-User-00", "Inv-Pass-00", "File-User-01", "File-Pass-01", "Glob-Pass-2x",
    "Group-Pass",  "Site-Pass",   "Wrong-Pass",   "Service-Pass", "Reread-Pass",
};

static void assert_none(const char *where, const char *text, size_t len) {
    for (size_t i = 0; i < COUNT(secrets); i++)
        ck_assert_msg(memmem(text, len, secrets[i], strlen(secrets[i])) == NULL, "%s tells %s",
                      where, secrets[i]);
}

static void assert_none_in_file(const struct lab *lab, const char *name, bool must_be_there) {
    size_t len = 0;
    char *text = read_all(path_in(lab, name), &len);
    ck_assert_msg(text != NULL || !must_be_there, "%s is not there", name);
    if (text != NULL) assert_none(name, text, len);
    free(text);
}

static void assert_none_in_answer(const char *api, const char *path) {
    struct answer a = http_get(api, path);
    ck_assert_msg(a.status == 200, "%s: %ld %s", path, a.status, a.body);
    assert_none(path, a.body, strlen(a.body));
    assert_none(path, a.headers, strlen(a.headers));
    answer_free(&a);
}

static void assert_none_in_command_line(const struct program *p) {
    char path[64];
    size_t len = 0;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)p->pid);
    char *text = read_all(path, &len);
    ck_assert_ptr_nonnull(text);
    assert_none(path, text, len);
    free(text);
}

// --- the run

#define HOST(name, rack, more)                                                                     \
    "    " name ": {hostname: 127.0.0.1, port: %s, platform: acmeos, dev_type: leaf, rack: '" rack \
    "'" more "}\n"

static void write_files(const struct lab *lab) {
    const char *port = strchr(lab->devices, ':') + 1;
    char text[2000];
    snprintf(
        text, sizeof text,
        "earth:\n" HOST("leaf00.earth", "100", ", username: Inv-User-00, password: Inv-Pass-00")
            HOST("leaf01.earth", "100", "") HOST("leaf02.earth", "101", "")
                HOST("leaf03.earth", "101", "") HOST("leaf04.earth", "102", "")
                    HOST("leaf05.earth", "102", ", password: Wrong-Pass"),
        port, port, port, port, port, port);
    write_to(path_in(lab, "inventory.yaml"), 0600, text);
    write_to(path_in(lab, "password"), 0600, "Service-Pass\n");
    write_to(path_in(lab, "credentials.yaml"), 0600,
             "hosts:\n"
             "  leaf01.earth: {username: File-User-01, password: File-Pass-01}\n"
             "  'leaf02*': {password: Glob-Pass-2x}\n"
             "groups: {earth_leaf_101: {password: Group-Pass}}\n"
             "sites: {earth: {password: Site-Pass}}\n");
}

static void start_service(struct lab *lab, const char *format) {
    lab->orchestrator = program_start(
        "orchestrator",
        ARGS("--listen", "127.0.0.1:0", "--inventory", path_in(lab, "inventory.yaml"), "--log",
             path_in(lab, "log"), "--log-level", "debug", "--log-format", format, "--state",
             path_in(lab, "store"), "--credentials", path_in(lab, "credentials.yaml"),
             "--password-file", path_in(lab, "password"), "--install-timeout", "3s"));
    snprintf(lab->api, sizeof lab->api, "%s", lab->orchestrator.url);
}

static void post_upgrade(const struct lab *lab, const char *version, char id[64]) {
    char body[64];
    snprintf(body, sizeof body, "{\"version\": \"%s\"}", version);
    struct answer a =
        http_send("POST", lab->api, "/upgrade-os/",
                  ARGS("Content-Type: application/json", "Prefer: respond-async"), body);
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    cJSON *job = answer_json(&a);
    snprintf(id, 64, "%s", cJSON_GetObjectItem(job, "id")->valuestring);
    cJSON_Delete(job);
    assert_none("202", a.body, strlen(a.body));
    answer_free(&a);
}

static void look_everywhere(const struct lab *lab, const char *id) {
    static const char *const of_job[] = {"", "hosts/", "report/"};
    char path[128];
    for (size_t i = 0; i < COUNT(of_job); i++) {
        snprintf(path, sizeof path, "/jobs/%s/%s", id, of_job[i]);
        assert_none_in_answer(lab->api, path);
    }
    assert_none_in_answer(lab->api, "/jobs/");
    assert_none_in_answer(lab->api, "/hosts/");
    assert_none_in_answer(lab->api, "/hosts/leaf00.earth/");
    assert_none_in_answer(lab->api, "/metrics/");
    assert_none_in_answer(lab->admin, "/inventory/");
    assert_none_in_answer(lab->admin, "/devices/");
    assert_none_in_answer(lab->admin, "/events/");
    assert_none_in_command_line(&lab->orchestrator);
    assert_none_in_file(lab, "log", true);
    assert_none_in_file(lab, "store", true);
    assert_none_in_file(lab, "store-wal", false);
    assert_none_in_file(lab, "stderr", true);
}

// The stream ends with the job.
static void assert_events_tell_none(const struct lab *lab, const char *id) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/events/", id);
    struct answer a = http_send("GET", lab->api, path, ARGS("Last-Event-ID: 0"), NULL);
    ck_assert_int_eq((int)a.status, 200);
    ck_assert_ptr_nonnull(strstr(a.body, "leaf00.earth"));
    assert_none(path, a.body, strlen(a.body));
    answer_free(&a);
}

// An error of either file quotes nothing of it.
static void assert_errors_tell_none(const struct lab *lab) {
    write_to(path_in(lab, "inventory.yaml"), 0600,
             "earth:\n  leaf00.earth: {hostname: a, port: 1, platform: acmeos, dev_type: leaf, "
             "password: [Inv-Pass-00], rack: '1'}\n");
    struct answer a = http_post(lab->api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq((int)a.status, 502);
    ck_assert_ptr_nonnull(strstr(a.body, "earth.leaf00.earth.password: expected a text"));
    assert_none("502", a.body, strlen(a.body));
    answer_free(&a);
    write_to(path_in(lab, "credentials.yaml"), 0600,
             "hosts: {leaf01.earth: {password: {Reread-Pass: x}}}\n");
    program_signal(&lab->orchestrator, SIGHUP);
    a = http_get(lab->api, "/livez"); // behind the signal
    ck_assert_int_eq((int)a.status, 200);
    answer_free(&a);
}

static void kill_service(struct lab *lab) {
    int status;
    program_signal(&lab->orchestrator, SIGKILL);
    ck_assert_int_eq(waitpid(lab->orchestrator.pid, &status, 0), lab->orchestrator.pid);
}

static const char network[] =
    "sites: [earth]\n"
    "dev_types: {leaf: {count: 6, password: Site-Pass}}\n"
    "versions: [5.2.1]\n"
    "latency: 0\n"
    "hosts:\n"
    "  leaf00.earth: {username: Inv-User-00, password: Inv-Pass-00}\n"
    "  leaf01.earth: {username: File-User-01, password: File-Pass-01}\n"
    "  leaf02.earth: {password: Glob-Pass-2x}\n"
    "  leaf03.earth: {password: Group-Pass}\n"
    "  leaf05.earth: {password: Service-Pass}\n" // that it is logged in to with Wrong-Pass
    "faults: [{match: {host: leaf00.earth}, on: install_os_version, effect: delay, by: 1s, times: "
    "1}]\n";

static void forget_files(const struct lab *lab) {
    static const char *const names[] = {
        "inventory.yaml", "password",  "credentials.yaml", "log",
        "store",          "store-wal", "store-shm",        "stderr"};
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(path_in(lab, names[i]));
}

START_TEST(nothing_that_is_written_answered_or_kept_has_a_secret) {
    char file[] = "/tmp/e2e-network-XXXXXX", id[64];
    close(mkstemp(file));
    write_to(file, 0600, network);
    struct lab lab = bare_start(ARGS("--network", file));
    const int own_stderr = dup(STDERR_FILENO);
    write_files(&lab);
    ck_assert_ptr_nonnull(freopen(path_in(&lab, "stderr"), "a", stderr));
    start_service(&lab, "text");
    post_upgrade(&lab, "5.3.1", id);
    await_event(lab.admin, "install_os_version", "begun", 1);
    look_everywhere(&lab, id);
    kill_service(&lab);
    assert_none_in_file(&lab, "store", true);
    assert_none_in_file(&lab, "store-wal", true);
    start_service(&lab, "json");
    assert_events_tell_none(&lab, id);
    look_everywhere(&lab, id);
    char *report = read_file(path_in(&lab, "log"));
    ck_assert_ptr_nonnull(strstr(report, "authentication failed")); // leaf05
    free(report);
    assert_errors_tell_none(&lab);
    ck_assert_int_eq(program_stop(&lab.orchestrator), 0);
    assert_none_in_file(&lab, "store", true);
    assert_none_in_file(&lab, "log", true);
    assert_none_in_file(&lab, "stderr", true);
    char *said = read_file(path_in(&lab, "stderr"));
    dup2(own_stderr, STDERR_FILENO);
    ck_assert_msg(strstr(said, "what was read before holds") != NULL, "%s", said);
    free(said);
    forget_files(&lab);
    bare_stop(&lab);
    unlink(file);
}
END_TEST

// --- what is said of the files

static const struct {
    const char *option, *text;
    mode_t mode;
    const char *said;
} files[] = {
    {"--credentials", "sites: {earth: {password: hidden}}", 0644,
     ": others may read it: chmod 600 /tmp/e2e-secret-"},
    {"--credentials", "sites: {earth: {password: 17}}", 0600,
     ":1:27: sites.earth.password: expected a text, not a number: put it in quotes"},
    {"--credentials", "site: {earth: {password: hidden}}", 0600, "did you mean sites?"},
};

START_TEST(a_file_of_credentials_that_is_wrong_ends_the_start) {
    char output[1024], path[] = "/tmp/e2e-secret-XXXXXX";
    close(mkstemp(path));
    write_to(path, files[_i].mode, files[_i].text);
    ck_assert_int_eq(
        program_run("orchestrator", ARGS(files[_i].option, path), output, sizeof output), 2);
    ck_assert_msg(strstr(output, files[_i].said) != NULL, "%s", output);
    ck_assert_ptr_null(strstr(output, "hidden"));
    unlink(path);
}
END_TEST

// It would break those who have run it so for years.
START_TEST(a_password_file_that_others_may_read_is_used_and_warned_of) {
    char output[1024], path[] = "/tmp/e2e-secret-XXXXXX";
    close(mkstemp(path));
    write_to(path, 0644, "hidden\n");
    ck_assert_int_eq(program_run("orchestrator",
                                 ARGS("--password-file", path, "--log", "/nonexistent/x.log"),
                                 output, sizeof output),
                     1); // past its options
    ck_assert_msg(strstr(output, "warning: --password-file: /tmp/e2e-secret-") != NULL, "%s",
                  output);
    ck_assert_ptr_null(strstr(output, "hidden"));
    unlink(path);
}
END_TEST

Suite *check_credentials(void) {
    Suite *suite = suite_create("credentials");
    TCase *tc = tcase_create("credentials");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, nothing_that_is_written_answered_or_kept_has_a_secret);
    tcase_add_loop_test(tc, a_file_of_credentials_that_is_wrong_ends_the_start, 0,
                        (int)COUNT(files));
    tcase_add_test(tc, a_password_file_that_others_may_read_is_used_and_warned_of);
    suite_add_tcase(suite, tc);
    return suite;
}
