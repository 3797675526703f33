// The service, and the store's front, over a PostgreSQL database. What its back does is
// tests/unit/check_store_postgres.c's.
#include "common/mem.h"
#include "orchestrator/store.h"
#include "tests/e2e/harness.h"
#include "tests/lab/postgres.h"
#include "tests/lab/proxy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

Suite *check_postgres(void);

static char place[LAB_URI_MAX];

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void assert_asked(const char *statement, const char *expected) {
    ck_assert_str_eq(lab_ask(place, statement), expected);
}

// --- the service

static struct program start_service(const struct lab *lab, const char *state) {
    char inventory[100];
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab->admin);
    return program_start("orchestrator",
                         ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log",
                              folder_path(lab->dir, "log"), "--log-level", "debug", "--state",
                              state, "--install-timeout", "5s"));
}

static void begin_job(const struct program *service, char path[128]) {
    struct answer a = http_send("POST", service->url, "/upgrade-os/",
                                ARGS("Prefer: respond-async", "Content-Type: application/json"),
                                "{\"version\": \"5.3.1\"}");
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    snprintf(path, 128, "%s", answer_header(&a, "Location"));
    answer_free(&a);
}

static void await_done(const struct program *service, const char *path) {
    for (const double begun = now_s();;) {
        cJSON *job = get_json(service->url, path);
        const bool is_done = strcmp(cJSON_GetObjectItem(job, "state")->valuestring, "done") == 0;
        cJSON_Delete(job);
        if (is_done) return;
        ck_assert_double_lt(now_s() - begun, 60);
        usleep(100000);
    }
}

static void assert_changed_once(const struct lab *lab) {
    cJSON *answer = get_json(lab->admin, "/devices/"), *device;
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(answer, "devices")) {
        ck_assert_str_eq(cJSON_GetObjectItem(device, "version")->valuestring, "5.3.1");
        ck_assert_int_le((int)cJSON_GetObjectItem(device, "installs")->valuedouble, 1);
    }
    cJSON_Delete(answer);
}

static void assert_no_violation(const struct lab *lab) {
    cJSON *audit = get_json(lab->admin, "/audit/?violations");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(audit, "violations")), 0);
    cJSON_Delete(audit);
}

START_TEST(a_job_that_was_killed_midway_goes_on_over_the_same_database) {
    char path[128];
    int status;
    lab_database(place);
    struct lab lab = bare_start(ARGS("--latency", "5ms..30ms"));
    struct program service = start_service(&lab, place);
    begin_job(&service, path);
    await_event(lab.admin, "install_os_version", "begun", 200);
    program_signal(&service, SIGKILL);
    ck_assert_int_eq(waitpid(service.pid, &status, 0), service.pid);
    service = start_service(&lab, place);
    await_done(&service, path);
    assert_changed_once(&lab);
    assert_no_violation(&lab);
    assert_asked("select count(*) from orchestrator.events where kind = 4", "848");
    assert_asked("select count(*) from (select host from orchestrator.events where kind = 4"
                 " group by host having count(*) > 1) x",
                 "0");
    assert_asked("select max(n) - count(*) from orchestrator.events", "0"); // dense
    ck_assert_int_eq(program_stop(&service), 0);
    assert_asked("select count(*) from orchestrator.nodes where not dead", "0");
    unlink(folder_path(lab.dir, "log"));
    bare_stop(&lab);
}
END_TEST

static void assert_no_secret(const char *what, const char *text) {
    ck_assert_msg(strstr(text, "Store-Pass") == NULL, "%s: %s", what, text);
}

START_TEST(a_database_that_goes_is_told_without_its_password_and_found_again) {
    struct lab_server server = {0};
    char where[LAB_URI_MAX + 20];
    lab_server_start(&server, "");
    snprintf(where, sizeof where, "postgresql://postgres:Store-Pass@/postgres%s",
             strchr(server.uri, '?'));
    struct lab lab = bare_start(ARGS("--latency", "0"));
    struct program service = start_service(&lab, where);
    static const char *const paths[] = {"/readyz", "/metrics/"};
    for (int round = 0; round < 2; round++) {
        const double begun = now_s();
        const long expected = round == 0 ? 503 : 200; // it notices though nobody asks for anything
        if (round == 0) lab_server_stop(&server, "kill");
        if (round == 1) lab_server_start(&server, "");
        for (long status = 0; status != expected; usleep(100000)) {
            ck_assert_double_lt(now_s() - begun, 20);
            struct answer a = http_get(service.url, "/readyz");
            status = a.status;
            answer_free(&a);
        }
        for (size_t i = 0; i < 2; i++) {
            struct answer a = http_get(service.url, paths[i]);
            assert_no_secret(paths[i], a.body);
            answer_free(&a);
        }
    }
    struct answer a = http_post(service.url, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_int_eq(program_stop(&service), 0);
    char *log = read_file(folder_path(lab.dir, "log"));
    assert_no_secret("log", log);
    ck_assert_ptr_nonnull(strstr(log, "no install begins and no job is taken until"));
    ck_assert_ptr_nonnull(strstr(log, "it can be written again"));
    free(log);
    unlink(folder_path(lab.dir, "log"));
    bare_stop(&lab);
}
END_TEST

// --- the front

static uv_loop_t loop;
static struct store *store;
static bool is_closed;

static void open_store(void) {
    const struct store_config config = {.where = place, .keep_jobs = 100};
    struct error err;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    int rc = store_open(&store, &loop, &config, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    is_closed = false;
}

static void on_closed(void *arg) {
    (void)arg;
    is_closed = true;
}

static void close_store(void) {
    store_close(store, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void on_time(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

static void run_for(uint64_t ms) {
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_time, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

START_TEST(a_store_without_work_shows_that_it_is_alive_and_keeps_no_time) {
    lab_database(place);
    open_store();
    run_for(5000);
    const long beat = strtol(lab_ask(place, "select beat from orchestrator.nodes"), NULL, 10);
    ck_assert_int_ge(beat, 2);
    ck_assert_int_le(beat, 4);
    assert_asked("select alive_ms from orchestrator.nodes", "0");
    ck_assert(store_is_well(store, NULL));
    close_store();
}
END_TEST

static const char *trouble;
static enum store_status answered;

static void on_trouble(void *arg, const char *why) {
    (void)arg;
    trouble = why;
}

static void on_done(void *arg, enum store_status status, uint64_t n) {
    (void)arg;
    (void)n;
    answered = status;
}

START_TEST(a_store_that_was_taken_for_dead_says_so_and_gives_up_when_it_is_closed) {
    lab_database(place);
    open_store();
    store_on_trouble(store, on_trouble, NULL);
    run_for(500);
    trouble = NULL;
    answered = STORE_OK;
    lab_ask(place, "update orchestrator.nodes set dead = true");
    run_for(3000); // the next beat
    ck_assert_ptr_nonnull(trouble);
    ck_assert_msg(strstr(trouble, "took this one for dead") != NULL, "%s", trouble);
    ck_assert(!store_is_well(store, NULL));
    const struct store_event event = {.kind = STORE_STARTED, .job = 1};
    store_append(store, &event, on_done, NULL);
    run_for(3000);
    ck_assert_int_eq(answered, STORE_OK); // nobody has answered
    close_store();
    ck_assert_int_eq(answered, STORE_UNREACHABLE);
}
END_TEST

static void await_line(const struct lab *lab, const char *part) {
    for (bool is_there = false; !is_there; usleep(100000)) {
        char *log = read_file(folder_path(lab->dir, "log"));
        is_there = strstr(log, part) != NULL;
        free(log);
    }
}

static void await_readiness(const struct program *service, const char *part) {
    for (bool is_so = false; !is_so; usleep(100000)) {
        struct answer a = http_get(service->url, "/readyz");
        is_so = strstr(a.body, part) != NULL;
        answer_free(&a);
    }
}

// What was about to be installed when the lease ended is given up once, not at each signal.
START_TEST(a_service_without_its_database_ends_when_it_is_told_twice) {
    struct lab_server server = {0};
    char path[128];
    lab_server_start(&server, "");
    struct lab lab = bare_start(ARGS("--latency", "0"));
    struct program service = start_service(&lab, server.uri);
    add_faults(&lab, "{\"match\": {\"site\": \"earth\"}, \"on\": \"get_version\", "
                     "\"effect\": \"delay\", \"by\": \"2s\"}");
    begin_job(&service, path);
    await_event(lab.admin, "get_version", "begun", 1);
    lab_server_stop(&server, "kill");
    await_line(&lab, "its lease is over");
    program_signal(&service, SIGTERM);
    await_readiness(&service, "shutting down");
    program_signal(&service, SIGTERM);
    ck_assert_int_eq(program_wait(&service), EXIT_FAILURE);
    assert_no_violation(&lab);
    bare_stop(&lab);
}
END_TEST

Suite *check_postgres(void) {
    Suite *suite = suite_create("postgres");
    TCase *tcase = tcase_create("postgres");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_job_that_was_killed_midway_goes_on_over_the_same_database);
    tcase_add_test(tcase, a_database_that_goes_is_told_without_its_password_and_found_again);
    tcase_add_test(tcase, a_service_without_its_database_ends_when_it_is_told_twice);
    tcase_add_test(tcase, a_store_without_work_shows_that_it_is_alive_and_keeps_no_time);
    tcase_add_test(tcase, a_store_that_was_taken_for_dead_says_so_and_gives_up_when_it_is_closed);
    return suite;
}
