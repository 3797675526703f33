// Who may do what: every endpoint of the OpenAPI document and every command of the client, for
// everybody who may come. And nowhere is anything left of what is secret.
#include "common/buf.h"
#include "common/count.h"
#include "tests/e2e/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_access(void);

static char dir[64], tokens_path[128], read_token[80], operate_token[80];
static char output[20000];

// The token on the first line of what the command prints; the line for the file behind it.
static void make_token(const char *role, char token[80], struct buf *file) {
    ck_assert_int_eq(program_run("orchestrator", ARGS("token", role, role), output, sizeof output),
                     0);
    char *end = strchr(output, '\n');
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    snprintf(token, 80, "%.79s", output);
    buf_adds(file, end + 1);
}

static void set_up(void) {
    struct buf file = {0};
    snprintf(dir, sizeof dir, "/tmp/e2e-access-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make_token("read", read_token, &file);
    make_token("operate", operate_token, &file);
    snprintf(tokens_path, sizeof tokens_path, "%s/tokens", dir);
    write_private(tokens_path, file.data);
    buf_deinit(&file);
}

static void tear_down(void) {
    folder_remove(dir);
}

enum asker { NOBODY, WRONG, TWICE, READER, OPERATOR, ASKERS };
static const char *const asker_names[ASKERS] = {"no token", "a wrong token", "two tokens", "read",
                                                "operate"};

static struct answer ask(const char *api, enum asker asker, const char *method, const char *path,
                         const char *body) {
    char one[160];
    const char *headers[4] = {"Content-Type: application/json"};
    snprintf(one, sizeof one, "Authorization: Bearer %s",
             asker == WRONG    ? "0123456789abcdef"
             : asker == READER ? read_token
                               : operate_token);
    if (asker != NOBODY) headers[1] = one;
    if (asker == TWICE) headers[2] = "Authorization: Bearer 0123456789abcdef";
    return http_send(method, api, path, headers, body);
}

// --- every endpoint

enum needs { NEEDS_NOTHING, NEEDS_READ, NEEDS_OPERATE };

static const struct {
    const char *method, *path;
    enum needs needs;
} endpoints[] = {
    {"POST", "/upgrade-os/", NEEDS_OPERATE},
    {"POST", "/get-version/", NEEDS_OPERATE}, // it logs in to devices
    {"POST", "/get-cpu-ram/", NEEDS_OPERATE},
    {"GET", "/jobs/", NEEDS_READ},
    {"GET", "/jobs/{id}/", NEEDS_READ},
    {"GET", "/jobs/{id}/hosts/", NEEDS_READ},
    {"GET", "/jobs/{id}/report/", NEEDS_READ},
    {"GET", "/jobs/{id}/events/", NEEDS_READ},
    {"GET", "/events/", NEEDS_READ},
    {"POST", "/jobs/{id}/resume/", NEEDS_OPERATE},
    {"POST", "/jobs/{id}/pause/", NEEDS_OPERATE},
    {"POST", "/jobs/{id}/cancel/", NEEDS_OPERATE},
    {"POST", "/jobs/{id}/retry/", NEEDS_OPERATE},
    {"GET", "/hosts/", NEEDS_READ},
    {"GET", "/hosts/{host}/", NEEDS_READ},
    {"GET", "/", NEEDS_NOTHING},
    {"GET", "/web/{file}", NEEDS_NOTHING},
    {"GET", "/docs/", NEEDS_NOTHING},
    {"GET", "/docs/{file}", NEEDS_NOTHING},
    {"GET", "/swagger/", NEEDS_NOTHING},
    {"GET", "/metrics/", NEEDS_READ},
    {"GET", "/audit/", NEEDS_READ},
    {"GET", "/nodes/", NEEDS_READ},
    {"GET", "/livez", NEEDS_NOTHING},
    {"GET", "/readyz", NEEDS_NOTHING},
};

// 0: it comes to the endpoint, which may find fault with the rest.
static long status_for(enum needs needs, enum asker asker) {
    static const long statuses[][ASKERS] = {[NEEDS_NOTHING] = {0, 0, 0, 0, 0},
                                            [NEEDS_READ] = {401, 401, 400, 0, 0},
                                            [NEEDS_OPERATE] = {401, 401, 400, 403, 0}};
    return statuses[needs][asker];
}

static void assert_challenge(const struct answer *a, enum asker asker) {
    static const char *const challenges[ASKERS] = {
        [NOBODY] = "Bearer realm=\"orchestrator\"",
        [WRONG] = "Bearer realm=\"orchestrator\", error=\"invalid_token\"",
        [TWICE] = "Bearer realm=\"orchestrator\", error=\"invalid_request\"",
        [READER] = "Bearer realm=\"orchestrator\", error=\"insufficient_scope\", scope=\"operate\"",
    };
    ck_assert_pstr_eq(answer_header(a, "WWW-Authenticate"), challenges[asker]);
    ck_assert_str_eq(answer_header(a, "Content-Type"), "application/problem+json");
}

// A stream is not read to its end: HEAD goes the same way.
static void assert_endpoint(const char *api, size_t i, enum asker asker) {
    const char *method = strcmp(endpoints[i].method, "GET") == 0 ? "HEAD" : endpoints[i].method;
    const char *body = strcmp(method, "POST") == 0 ? "{\"nothing\": 1}" : NULL;
    struct answer a = ask(api, asker, method, endpoints[i].path, body);
    const long status = status_for(endpoints[i].needs, asker);
    ck_assert_msg(a.status != 0, "%s %s: no answer", method, endpoints[i].path);
    if (status != 0) {
        ck_assert_msg(a.status == status, "%s %s with %s: %ld, not %ld", method, endpoints[i].path,
                      asker_names[asker], a.status, status);
        assert_challenge(&a, asker);
    } else {
        ck_assert_msg(a.status != 401 && a.status != 403, "%s %s with %s: %ld", method,
                      endpoints[i].path, asker_names[asker], a.status);
        ck_assert_ptr_null(answer_header(&a, "WWW-Authenticate"));
    }
    answer_free(&a);
}

static bool is_in_table(const char *method, const char *path) {
    for (size_t i = 0; i < COUNT(endpoints); i++)
        if (strcasecmp(endpoints[i].method, method) == 0 && strcmp(endpoints[i].path, path) == 0)
            return true;
    return false;
}

// An endpoint that is new, and not in the table, fails here.
static void assert_table_is_whole(const char *api) {
    cJSON *document = get_json(api, "/swagger/");
    const cJSON *path, *operation;
    cJSON_ArrayForEach(path, cJSON_GetObjectItem(document, "paths"))
        cJSON_ArrayForEach(operation, path) if (strcmp(operation->string, "get") == 0 ||
                                                strcmp(operation->string, "post") == 0)
            ck_assert_msg(is_in_table(operation->string, path->string), "%s %s", operation->string,
                          path->string);
    cJSON_Delete(document);
}

START_TEST(each_endpoint_answers_whom_it_should) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    assert_table_is_whole(lab.api);
    for (size_t i = 0; i < COUNT(endpoints); i++)
        for (int asker = 0; asker < ASKERS; asker++)
            assert_endpoint(lab.api, i, (enum asker)asker);
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(without_tokens_nobody_is_asked) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    for (size_t i = 0; i < COUNT(endpoints); i++)
        assert_endpoint(lab.api, i, OPERATOR);
    assert_answer(http_get(lab.api, "/jobs/"), 200, "{\"jobs\": []}");
    lab_stop(&lab);
}
END_TEST

// What stands in the way of a job is not for everybody: it names files and addresses.
START_TEST(why_it_is_not_ready_is_told_to_whom_it_knows) {
    struct lab lab = lab_start(ARGS("--latency", "0"),
                               ARGS("--tokens", tokens_path, "--inventory", "/nonexistent/hosts"));
    static const char *const secret = "/nonexistent";
    for (int asker = 0; asker < ASKERS; asker++) {
        struct answer a = ask(lab.api, (enum asker)asker, "GET", "/readyz", NULL);
        ck_assert_int_eq(a.status, 503);
        ck_assert_int_eq(strstr(a.body, secret) != NULL, asker == READER || asker == OPERATOR);
        answer_free(&a);
    }
    lab_stop(&lab);
}
END_TEST

// --- every command

enum { WELL, NOT_WELL, REFUSED, UNREACHED };

static void assert_command(const char *api, enum asker asker, const char *command,
                           const char *first, const char *second, bool changes) {
    const char *args[8] = {command, "--url", api};
    size_t count = 3;
    if (asker != NOBODY) {
        args[count++] = "--token-file";
        args[count++] = folder_path(dir, asker == WRONG    ? "wrong"
                                         : asker == READER ? "reader"
                                                           : "operator");
    }
    if (first != NULL) args[count++] = first;
    if (second != NULL) args[count++] = second;
    const int code = program_run("orchestrator", args, output, sizeof output);
    const bool may = asker == OPERATOR || (asker == READER && !changes);
    if (may)
        ck_assert_msg(strstr(output, "token") == NULL && code != UNREACHED, "%s: %s", command,
                      output);
    else
        ck_assert_msg(code == REFUSED && strstr(output, asker == READER ? "for reading alone"
                                                                        : "--token-file") != NULL,
                      "%s with %s: %d, %s", command, asker_names[asker], code, output);
}

START_TEST(each_command_is_for_whom_it_should_be) {
    static const struct {
        const char *command, *first, *second;
        bool changes;
    } commands[] = {
        {"upgrade-os", "--version", "5.3.1", true},
        {"upgrade-os", "--version=5.3.1", "--dry-run", true},
        {"jobs", NULL, NULL, false},
        {"job", NULL, NULL, false}, // with the ID of a job
        {"pause", NULL, NULL, true},
        {"resume", NULL, NULL, true},
        {"cancel", NULL, NULL, true},
        {"retry", NULL, NULL, true},
    };
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    write_private(folder_path(dir, "wrong"), "0123456789abcdef\n");
    write_private(folder_path(dir, "reader"), read_token);
    write_private(folder_path(dir, "operator"), operate_token);
    char id[40] = "";
    for (int asker = ASKERS; asker-- > 0;) {
        if (asker == TWICE) continue;
        for (size_t i = 0; i < COUNT(commands); i++) {
            const bool is_of_job = i >= 3;
            assert_command(lab.api, (enum asker)asker, commands[i].command,
                           is_of_job ? id : commands[i].first, commands[i].second,
                           commands[i].changes);
            if (id[0] != '\0') continue;
            struct answer a = ask(lab.api, READER, "GET", "/jobs/", NULL);
            cJSON *list = answer_json(&a);
            const cJSON *job = cJSON_GetObjectItem(list, "jobs")->child;
            snprintf(id, sizeof id, "%s", cJSON_GetObjectItem(job, "id")->valuestring);
            cJSON_Delete(list);
            answer_free(&a);
        }
    }
    lab_stop(&lab);
}
END_TEST

START_TEST(no_token_is_sent_in_the_clear) {
    write_private(folder_path(dir, "operator"), operate_token);
    ck_assert_int_eq(program_run("orchestrator",
                                 ARGS("jobs", "--url", "http://192.0.2.1:5000", "--token-file",
                                      folder_path(dir, "operator")),
                                 output, sizeof output),
                     REFUSED);
    ck_assert_ptr_nonnull(strstr(output, "ask for https://"));
}
END_TEST

// --- the file

static void assert_will_not_start(const char *const *args, const char *why) {
    const int code = program_run("orchestrator", args, output, sizeof output);
    ck_assert_msg(code != 0 && strstr(output, why) != NULL, "%d: %s", code, output);
}

START_TEST(a_file_that_others_may_read_is_refused) {
    static const mode_t modes[] = {0640, 0604, 0620, 0602};
    for (size_t i = 0; i < COUNT(modes); i++) {
        ck_assert_int_eq(chmod(tokens_path, modes[i]), 0);
        assert_will_not_start(ARGS("--listen", "127.0.0.1:0", "--tokens", tokens_path),
                              "chmod 600");
    }
    assert_will_not_start(ARGS("--listen", "127.0.0.1:0", "--tokens", folder_path(dir, "none")),
                          "No such file");
}
END_TEST

START_TEST(what_others_can_reach_is_not_served_to_everybody) {
    static const char *const reached[] = {"0.0.0.0:0", "[::]:0"};
    for (size_t i = 0; i < COUNT(reached); i++) {
        assert_will_not_start(ARGS("--listen", reached[i], "--state", "none", "--log", "-"),
                              "give --tokens");
        assert_will_not_start(
            ARGS("--listen", reached[i], "--state", "none", "--log", "-", "--tokens", tokens_path),
            "--tls-cert");
    }
}
END_TEST

START_TEST(hangup_reads_the_tokens_anew_and_keeps_the_old_ones_where_it_cannot) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    struct buf file = {0};
    char newer[80];
    struct answer a;
    make_token("read", newer, &file);
    write_private(tokens_path, "nonsense\n");
    program_signal(&lab.orchestrator, SIGHUP);
    a = ask(lab.api, READER, "GET", "/jobs/", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    write_private(tokens_path, file.data);
    program_signal(&lab.orchestrator, SIGHUP);
    long status;
    do { // until the signal has been seen
        a = ask(lab.api, READER, "GET", "/jobs/", NULL);
        status = a.status;
        answer_free(&a);
    } while (status == 200);
    ck_assert_int_eq(status, 401);
    snprintf(read_token, sizeof read_token, "%s", newer);
    a = ask(lab.api, READER, "GET", "/jobs/", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    buf_deinit(&file);
    lab_stop(&lab);
}
END_TEST

// What is refused before anybody looks at it pushes out nothing of what was done.
START_TEST(a_reader_cannot_write_the_audit_full) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    struct answer a = ask(lab.api, OPERATOR, "POST", "/jobs/1/pause/", NULL);
    answer_free(&a);
    for (int i = 0; i < 100; i++) {
        a = ask(lab.api, READER, "POST", "/upgrade-os/", "{}");
        ck_assert_int_eq(a.status, 403);
        answer_free(&a);
    }
    a = http_get(lab.api, "/livez");
    answer_free(&a);
    a = ask(lab.api, READER, "GET", "/metrics/", NULL);
    ck_assert_ptr_nonnull(strstr(a.body, "orchestrator_requests_refused_total 100"));
    answer_free(&a);
    do { // until the lines are kept
        a = ask(lab.api, READER, "GET", "/audit/?limit=1000", NULL);
        ck_assert_int_eq(a.status, 200);
        if (strstr(a.body, "\"status\": 403") != NULL) break;
        answer_free(&a);
    } while (true);
    ck_assert_ptr_nonnull(strstr(a.body, "\"who\": \"operate\""));
    size_t lines = 0;
    for (const char *at = a.body; (at = strstr(at, "\"status\": 403")) != NULL; at++)
        lines++;
    ck_assert_uint_lt(lines, 100);
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_token_that_is_taken_back_begins_nothing_with_what_it_had_begun_to_send) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    struct buf request = {0}, file = {0};
    static const char body[] = "{\"version\": \"5.3.1\"}";
    char newer[80], *text = NULL;
    buf_addf(&request,
             "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: %zu\r\n\r\n%.5s",
             operate_token, strlen(body), body);
    int fd = dial(strstr(lab.api, "//") + 2);
    send_text(fd, request.data);
    struct answer a = ask(lab.api, OPERATOR, "GET", "/jobs/", NULL); // it has come, too
    answer_free(&a);
    make_token("read", newer, &file);
    write_private(tokens_path, file.data);
    program_signal(&lab.orchestrator, SIGHUP);
    long status;
    do {
        a = ask(lab.api, OPERATOR, "GET", "/jobs/", NULL);
        status = a.status;
        answer_free(&a);
    } while (status == 200);
    send_text(fd, body + 5);
    read_rest(fd, &text);
    ck_assert_msg(strncmp(text, "HTTP/1.1 401 ", 13) == 0, "%s", text);
    free(text);
    close(fd);
    buf_deinit(&request);
    buf_deinit(&file);
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_stream_of_events_ends_where_tokens_are_read_anew) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    struct buf request = {0};
    char *text = NULL;
    buf_addf(&request,
             "GET /events/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Authorization: Bearer %s\r\n\r\n",
             read_token);
    int fd = dial(strstr(lab.api, "//") + 2);
    send_text(fd, request.data);
    char *line = read_line(fd);
    ck_assert_ptr_nonnull(strstr(line, "200"));
    free(line);
    program_signal(&lab.orchestrator, SIGHUP);
    ck_assert_int_eq(read_rest(fd, &text), 0);
    free(text);
    close(fd);
    buf_deinit(&request);
    lab_stop(&lab);
}
END_TEST

// --- what is left of secrets

static void assert_free_of_secrets(const char *path) {
    struct buf text = {0};
    const char *const secrets[] = {read_token, operate_token, "a-secret-of-all-devices"};
    int fd = open(path, O_RDONLY);
    char piece[4096];
    ck_assert_int_ge(fd, 0);
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        buf_add(&text, piece, (size_t)n);
    close(fd);
    for (size_t i = 0; text.len > 0 && i < COUNT(secrets); i++)
        ck_assert_msg(memmem(text.data, text.len, secrets[i], strlen(secrets[i])) == NULL,
                      "%s has a secret", path);
    buf_deinit(&text);
}

START_TEST(no_secret_is_left_anywhere) {
    const char *store = folder_path(dir, "state.db"), *password = folder_path(dir, "password");
    char wal[160], proc[64];
    write_private(password, "a-secret-of-all-devices\n"); // the devices have another
    struct lab lab =
        lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path, "--password-file", password,
                                               "--state", store, "--log-level", "debug"));
    struct answer a = ask(lab.api, OPERATOR, "POST", "/upgrade-os/",
                          "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"]}");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    a = ask(lab.api, WRONG, "POST", "/upgrade-os/?access_token=a-secret-of-all-devices", "{}");
    answer_free(&a);
    for (;;) { // until the line of the second request is kept
        a = ask(lab.api, READER, "GET", "/audit/", NULL);
        if (strstr(a.body, "\"status\": 401") != NULL) break;
        answer_free(&a);
    }
    ck_assert_ptr_nonnull(strstr(a.body, "\"who\": \"operate\""));
    ck_assert_ptr_null(strstr(a.body, "secret"));
    answer_free(&a);
    snprintf(proc, sizeof proc, "/proc/%d/cmdline", (int)lab.orchestrator.pid);
    assert_free_of_secrets(proc);
    snprintf(wal, sizeof wal, "%s-wal", store);
    assert_free_of_secrets(lab.log);
    assert_free_of_secrets(store);
    assert_free_of_secrets(wal);
    assert_logged(&lab, "authentication failed");
    lab_stop(&lab);
}
END_TEST

START_TEST(there_is_no_core_dump) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--tokens", tokens_path));
    const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
    int status;
    prlimit(lab.orchestrator.pid, RLIMIT_CORE, &any, NULL);
    kill(lab.orchestrator.pid, SIGQUIT);
    ck_assert_int_eq(waitpid(lab.orchestrator.pid, &status, 0), lab.orchestrator.pid);
    ck_assert(WIFSIGNALED(status) && !WCOREDUMP(status));
}
END_TEST

Suite *check_access(void) {
    Suite *suite = suite_create("access");
    TCase *tcase = tcase_create("access");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60); // some thirty programs, one after another
    tcase_add_test(tcase, each_endpoint_answers_whom_it_should);
    tcase_add_test(tcase, without_tokens_nobody_is_asked);
    tcase_add_test(tcase, why_it_is_not_ready_is_told_to_whom_it_knows);
    tcase_add_test(tcase, each_command_is_for_whom_it_should_be);
    tcase_add_test(tcase, no_token_is_sent_in_the_clear);
    tcase_add_test(tcase, a_file_that_others_may_read_is_refused);
    tcase_add_test(tcase, what_others_can_reach_is_not_served_to_everybody);
    tcase_add_test(tcase, hangup_reads_the_tokens_anew_and_keeps_the_old_ones_where_it_cannot);
    tcase_add_test(tcase, a_reader_cannot_write_the_audit_full);
    tcase_add_test(tcase, a_token_that_is_taken_back_begins_nothing_with_what_it_had_begun_to_send);
    tcase_add_test(tcase, a_stream_of_events_ends_where_tokens_are_read_anew);
    tcase_add_test(tcase, no_secret_is_left_anywhere);
    tcase_add_test(tcase, there_is_no_core_dump);
    return suite;
}
