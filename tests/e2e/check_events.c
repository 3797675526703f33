// Streams of events that are cut, and go on: over another connection, another process, another
// store. What one stream says as it happens is in scenarios/.
#include "common/client.h"
#include "common/count.h"
#include "common/mem.h"
#include "common/sse.h"
#include "tests/e2e/harness.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_events(void);

enum { LONGEST = 1 << 20 };

// --- a client

struct heard { // events that have an id, and how the stream began and ended
    char last_id[8200];
    char first[32];   // name of the first event of the first stream
    char *list[1000]; // what they say, in short
    size_t count;
    size_t until; // it is cut once there are so many
    size_t done;  // jobs
    size_t jobs;  // it is cut once so many are done; 0: it is not
    long status;
    struct sse_reader reader;
};

static const char *text_of(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(value) ? value->valuestring : "-";
}

static void note_event(struct heard *h, const struct sse_event *e) {
    char line[256];
    if (h->first[0] == '\0') snprintf(h->first, sizeof h->first, "%s", e->name);
    if (strcmp(e->name, "host") != 0 && strcmp(e->name, "job") != 0) return;
    cJSON *data = cJSON_Parse(e->data);
    ck_assert_msg(data != NULL, "%s", e->data);
    if (e->name[0] == 'h')
        snprintf(line, sizeof line, "host %s %d %s %s %s %s", text_of(data, "job"),
                 cJSON_GetObjectItem(data, "n")->valueint, text_of(data, "kind"),
                 text_of(data, "name"), text_of(data, "state"), text_of(data, "from_version"));
    else
        snprintf(line, sizeof line, "job %s %s %s", text_of(data, "id"), text_of(data, "state"),
                 text_of(data, "at"));
    ck_assert_str_ne(text_of(data, "at"), "-");
    if (strcmp(text_of(data, "state"), "done") == 0) h->done++;
    ck_assert_uint_lt(h->count, COUNT(h->list));
    h->list[h->count++] = mem_strdup(line);
    ck_assert_uint_lt(strlen(e->id), sizeof h->last_id);
    snprintf(h->last_id, sizeof h->last_id, "%s", e->id);
    cJSON_Delete(data);
}

static bool has_enough(const struct heard *h) {
    return h->count >= h->until || (h->jobs > 0 && h->done >= h->jobs);
}

static bool on_piece(void *arg, long status, const char *data, size_t len) {
    struct heard *h = arg;
    struct sse_event e;
    enum sse_status next;
    h->status = status;
    if (status != 200) return false;
    sse_reader_feed(&h->reader, data, len);
    while (!has_enough(h) && (next = sse_reader_next(&h->reader, &e)) != SSE_NONE) {
        ck_assert_int_eq(next, SSE_READY);
        note_event(h, &e);
    }
    return !has_enough(h);
}

// Until there are so many, or the stream ends. It goes on behind the last that was heard.
static void hear(struct heard *h, const char *base, const char *path, size_t until) {
    char url[256];
    struct error err;
    cJSON *headers = cJSON_CreateObject();
    snprintf(url, sizeof url, "%s%s", base, path);
    if (h->last_id[0] != '\0') cJSON_AddStringToObject(headers, "Last-Event-ID", h->last_id);
    const struct client_request request = {.method = "GET", .url = url, .headers = headers};
    const struct client_stream stream = {.on_piece = on_piece, .arg = h};
    sse_reader_init(&h->reader, LONGEST, h->last_id);
    h->until = until;
    h->status = 0;
    const int rc = client_follow(&request, &stream, &h->status, &err);
    ck_assert_msg(rc == 0 || h->status == 0, "%s", err.text); // who is killed says nothing more
    sse_reader_deinit(&h->reader);
    cJSON_Delete(headers);
}

static void forget(struct heard *h) {
    for (size_t i = 0; i < h->count; i++)
        free(h->list[i]);
    *h = (struct heard){0};
}

static void assert_same(const struct heard *a, const struct heard *b) {
    for (size_t i = 0; i < a->count && i < b->count; i++)
        ck_assert_str_eq(a->list[i], b->list[i]);
    ck_assert_uint_eq(a->count, b->count);
}

// --- jobs

// A store in memory, or a file.
static const char *const stores[] = {"none", "orchestrator.db"};

static void start_orchestrator(struct lab *lab, const char *store) {
    char inventory[128], log[128], state[128];
    const bool is_file = strcmp(store, "none") != 0;
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab->admin);
    snprintf(log, sizeof log, "%s/orchestrator.log", lab->dir);
    snprintf(state, sizeof state, "%s%s%s", is_file ? lab->dir : "", is_file ? "/" : "", store);
    lab->orchestrator = program_start(
        "orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log", log,
                             "--state", state, "--install-timeout", "3s")); // for who is in doubt
    snprintf(lab->api, sizeof lab->api, "%s", lab->orchestrator.url);
}

static struct lab start(const char *latency, const char *store) {
    struct lab lab = bare_start(ARGS("--latency", latency));
    start_orchestrator(&lab, store);
    return lab;
}

static void stop(struct lab *lab) {
    ck_assert_int_eq(program_stop(&lab->orchestrator), 0);
    bare_stop(lab);
}

static void begin_job(const struct lab *lab, const char *body, char id[64]) {
    struct answer a =
        http_send("POST", lab->api, "/upgrade-os/",
                  ARGS("Content-Type: application/json", "Prefer: respond-async"), body);
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    cJSON *job = answer_json(&a);
    snprintf(id, 64, "%s", text_of(job, "id"));
    cJSON_Delete(job);
    answer_free(&a);
}

static void events_path(const char *id, char path[128]) {
    snprintf(path, 128, "/jobs/%s/events/", id);
}

static const char site[] = "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"]}";
static const char leaves[] =
    "{\"version\": \"5.3.1\", \"filter_hosts\": [\"leaf0*.mars\", \"spine*.mars\"]}";

// --- tests

START_TEST(a_stream_that_is_cut_goes_on_without_a_gap) {
    struct lab lab = start("1ms..10ms", stores[_i]);
    struct heard cut = {0}, whole = {0};
    char id[64], path[128];
    begin_job(&lab, site, id);
    events_path(id, path);
    snprintf(cut.last_id, sizeof cut.last_id, "0");
    for (size_t until = 1; cut.done == 0; until += 1 + until % 13)
        hear(&cut, lab.api, path, until);
    ck_assert_str_ne(cut.first, "snapshot");
    snprintf(whole.last_id, sizeof whole.last_id, "0");
    hear(&whole, lab.api, path, SIZE_MAX);
    assert_same(&cut, &whole);
    hear(&whole, lab.api, path, SIZE_MAX); // all is said
    ck_assert_int_eq(whole.status, 204);
    forget(&cut);
    forget(&whole);
    stop(&lab);
}
END_TEST

// Of a job's hosts those that are over, by name; n: the job's last event that the answer has.
static cJSON *read_over(const char *base, const char *id, unsigned *n) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/hosts/?limit=1000", id);
    struct answer a = http_get(base, path);
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_nonnull(answer_header(&a, "Last-Event-ID"));
    *n = (unsigned)strtoul(answer_header(&a, "Last-Event-ID"), NULL, 10);
    cJSON *told = answer_json(&a);
    cJSON *over = cJSON_CreateObject();
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(told, "hosts")) {
        const char *state = text_of(row, "state");
        if (strcmp(state, "waiting") != 0 && strcmp(state, "in_hand") != 0)
            cJSON_AddStringToObject(over, text_of(row, "name"), state);
    }
    cJSON_Delete(told);
    answer_free(&a);
    return over;
}

// The rows have all outcomes up to that event: so many.
static size_t assert_has_outcomes(const cJSON *over, const struct heard *h, unsigned until) {
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++) {
        unsigned n;
        char kind[16], name[64], state[16];
        if (sscanf(h->list[i], "host %*s %u %15s %63s %15s", &n, kind, name, state) != 4) continue;
        if (n > until || strcmp(kind, "outcome") != 0) continue;
        ck_assert_str_eq(text_of(over, name), state);
        count++;
    }
    return count;
}

// A row may be ahead of that by one event: requests are answered in the midst of what an outcome
// brings.
START_TEST(rows_say_up_to_which_event_they_are) {
    struct lab lab = start("1ms..10ms", stores[_i]);
    struct heard some = {0}, whole = {0};
    char id[64], path[128];
    unsigned n[2];
    begin_job(&lab, site, id);
    events_path(id, path);
    snprintf(some.last_id, sizeof some.last_id, "0");
    hear(&some, lab.api, path, 100);
    cJSON *early = read_over(lab.api, id, &n[0]);
    ck_assert_uint_ge(n[0], 100);
    snprintf(whole.last_id, sizeof whole.last_id, "0");
    hear(&whole, lab.api, path, SIZE_MAX);
    cJSON *late = read_over(lab.api, id, &n[1]);
    ck_assert_uint_eq(n[1], strtoul(whole.last_id, NULL, 10));
    const size_t over = (size_t)cJSON_GetArraySize(early);
    if (assert_has_outcomes(early, &whole, n[0]) != over)
        ck_assert_uint_eq(assert_has_outcomes(early, &whole, n[0] + 1), over);
    ck_assert_uint_eq(assert_has_outcomes(late, &whole, n[1]), 106);
    ck_assert_int_eq(cJSON_GetArraySize(late), 106);
    cJSON_Delete(early);
    cJSON_Delete(late);
    forget(&some);
    forget(&whole);
    stop(&lab);
}
END_TEST

// What was heard of one job among others is the end of what there is to hear of it.
static void assert_end_of(const struct heard *of_all, const char *id, const struct heard *of_job) {
    size_t at = of_job->count;
    for (size_t i = of_all->count; i-- > 0;) {
        if (strstr(of_all->list[i], id) == NULL) continue;
        ck_assert_uint_gt(at, 0);
        ck_assert_str_eq(of_all->list[i], of_job->list[--at]);
    }
    ck_assert_uint_lt(at, of_job->count);
}

static void hear_job(struct heard *h, const char *base, const char *id) {
    char path[128];
    events_path(id, path);
    snprintf(h->last_id, sizeof h->last_id, "0");
    hear(h, base, path, SIZE_MAX);
    ck_assert_uint_eq(h->done, 1);
}

START_TEST(a_stream_of_all_jobs_that_is_cut_goes_on_without_a_gap) {
    struct lab lab = start("1ms..10ms", stores[_i]);
    struct heard cut = {.jobs = 2};
    char ids[2][64];
    begin_job(&lab, site, ids[0]);
    hear(&cut, lab.api, "/events/", 1);
    ck_assert_str_eq(cut.first, "snapshot");
    begin_job(&lab, leaves, ids[1]);
    for (size_t until = 2; cut.done < 2; until = cut.count + 1 + until % 7)
        hear(&cut, lab.api, "/events/", until);
    for (size_t j = 0; j < COUNT(ids); j++) {
        struct heard whole = {0};
        hear_job(&whole, lab.api, ids[j]);
        assert_end_of(&cut, ids[j], &whole);
        forget(&whole);
    }
    forget(&cut);
    stop(&lab);
}
END_TEST

// Over a kill and a start, which is no client's doing: the streams of the job, and of all.
START_TEST(a_stream_goes_on_after_the_service_was_killed) {
    struct lab lab = start("10ms..80ms", stores[1]);
    struct heard one = {0}, all = {.jobs = 1}, whole = {0};
    char id[64], path[128];
    begin_job(&lab, site, id);
    events_path(id, path);
    snprintf(one.last_id, sizeof one.last_id, "0");
    hear(&one, lab.api, path, 20);
    hear(&all, lab.api, "/events/", 20);
    program_signal(&lab.orchestrator, SIGKILL);
    ck_assert_int_eq(waitpid(lab.orchestrator.pid, NULL, 0), lab.orchestrator.pid);
    start_orchestrator(&lab, stores[1]);
    hear(&one, lab.api, path, SIZE_MAX);
    while (all.done == 0)
        hear(&all, lab.api, "/events/", all.count + 11);
    hear_job(&whole, lab.api, id);
    assert_same(&one, &whole);
    assert_end_of(&all, id, &whole);
    forget(&one);
    forget(&all);
    forget(&whole);
    stop(&lab);
}
END_TEST

static void assert_refused(const struct lab *lab, const char *path, const char *id,
                           const char *detail) {
    char header[256];
    snprintf(header, sizeof header, "Last-Event-ID: %s", id);
    assert_problem(http_send("GET", lab->api, path, ARGS(header), NULL), 400, "Last-Event-ID",
                   detail);
}

START_TEST(an_id_that_was_never_sent_is_refused) {
    struct lab lab = start("0s", "none");
    char id[64], path[128];
    struct heard h = {0};
    begin_job(&lab, leaves, id);
    events_path(id, path);
    assert_refused(&lab, path, "one", "'one' is no number");
    assert_refused(&lab, path, "-1", "'-1' is no number");
    assert_refused(&lab, path, "99999999999", "is no number");
    assert_refused(&lab, path, "9999", "the job has no event 9999; its last is ");
    hear_job(&h, lab.api, id);
    assert_refused(&lab, path, "9999", "the job has no event 9999; its last is ");
    assert_refused(&lab, "/events/", "12", "'12' was never sent as an id");
    assert_refused(&lab, "/events/", "x;1:2", "'x;1:2' was never sent as an id");
    forget(&h);
    stop(&lab);
}
END_TEST

START_TEST(an_id_of_another_store_begins_with_a_snapshot) {
    struct lab lab = start("10ms..50ms", stores[_i]);
    struct heard h = {.last_id = "8e03978e-40d5-43dd-bc93-6894a57f9324;1:3"};
    char id[64];
    begin_job(&lab, site, id);
    hear(&h, lab.api, "/events/", 1);
    ck_assert_str_eq(h.first, "snapshot");
    forget(&h);
    stop(&lab);
}
END_TEST

// --- clients that read when they want to

static int ask_for_events(const struct lab *lab, const char *path, const char *last_id,
                          int receives) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[512];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (receives > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receives, sizeof receives);
    to.sin_port = htons((uint16_t)strtoul(strrchr(lab->api, ':') + 1, NULL, 10));
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s\r\n", path,
             last_id == NULL ? "" : "Last-Event-ID: ", last_id == NULL ? "" : last_id,
             last_id == NULL ? "" : "\r\n");
    send_text(fd, request);
    return fd;
}

// More than are told at a time what they have missed; the last to come is read first.
START_TEST(many_clients_that_come_back_at_once_are_all_told_what_they_missed) {
    struct lab lab = start("0s", stores[_i]);
    struct heard h = {0};
    char id[64], path[128];
    int clients[4 * 3];
    begin_job(&lab, site, id);
    hear_job(&h, lab.api, id);
    events_path(id, path);
    for (size_t i = 0; i < COUNT(clients); i++)
        clients[i] = ask_for_events(&lab, path, i % 2 == 0 ? "0" : "7", 0);
    for (size_t i = COUNT(clients); i-- > 0;) {
        char *text;
        ck_assert_int_eq(read_rest(clients[i], &text), 0);
        close(clients[i]);
        ck_assert_ptr_nonnull(strstr(text, "\"state\": \"done\""));
        ck_assert_int_eq(strstr(text, "id: 7\n") == NULL, i % 2 == 1);
        ck_assert_ptr_nonnull(strstr(text, "id: 8\n"));
        free(text);
    }
    forget(&h);
    stop(&lab);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_let_go_and_the_log_says_so) {
    struct lab lab = start("0s", "none");
    char id[64], *text;
    int client = ask_for_events(&lab, "/events/", NULL, 2048);
    for (int i = 0; i < 5; i++) { // more than lies in buffers on the way, and the limit
        struct answer a =
            http_send("POST", lab.api, "/upgrade-os/", ARGS("Content-Type: application/json"),
                      "{\"version\": \"5.3.1\"}");
        ck_assert_msg(a.status == 200, "%ld %s", a.status, a.body);
        snprintf(id, sizeof id, "%s", answer_header(&a, "Location"));
        answer_free(&a);
    }
    id[strlen(id) - 1] = '\0'; // "/jobs/ID/"
    char path[160];
    snprintf(path, sizeof path, "%s/orchestrator.log", lab.dir);
    char *log = read_file(path);
    ck_assert_ptr_nonnull(
        strstr(log, ":events:a client was let go that has not taken 1MiB of what happened\n"));
    free(log);
    struct answer metrics = http_get(lab.api, "/metrics/");
    ck_assert_ptr_nonnull(strstr(metrics.body, "\norchestrator_event_streams_dropped_total 1.0\n"));
    answer_free(&metrics);
    read_rest(client, &text);
    // Of the last job nothing is there any more.
    ck_assert_ptr_null(strstr(text, id + strlen("/jobs/")));
    close(client);
    free(text);
    stop(&lab);
}
END_TEST

Suite *check_events(void) {
    Suite *suite = suite_create("events");
    TCase *tcase = tcase_create("events");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, rows_say_up_to_which_event_they_are, 0, COUNT(stores));
    tcase_add_loop_test(tcase, a_stream_that_is_cut_goes_on_without_a_gap, 0, COUNT(stores));
    tcase_add_loop_test(tcase, a_stream_of_all_jobs_that_is_cut_goes_on_without_a_gap, 0,
                        COUNT(stores));
    tcase_add_test(tcase, a_stream_goes_on_after_the_service_was_killed);
    tcase_add_test(tcase, an_id_that_was_never_sent_is_refused);
    tcase_add_loop_test(tcase, an_id_of_another_store_begins_with_a_snapshot, 0, COUNT(stores));
    tcase_add_loop_test(tcase, many_clients_that_come_back_at_once_are_all_told_what_they_missed, 0,
                        COUNT(stores));
    tcase_add_test(tcase, a_client_that_does_not_read_is_let_go_and_the_log_says_so);
    suite_add_tcase(suite, tcase);
    return suite;
}
