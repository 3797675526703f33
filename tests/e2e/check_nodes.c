// Three orchestrators over one database and one network: what they share, and what their clients
// see.
#include "tests/e2e/child.h"
#include "tests/e2e/cluster.h"
#include "tests/torture/machine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

Suite *check_nodes(void);

START_TEST(three_nodes_share_a_job_and_say_the_same_of_it) {
    struct cluster c = cluster_start("5ms..50ms", NULL);
    struct answer a = http_post(c.nodes[2].url, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq((int)a.status, 200);
    snprintf(c.path, sizeof c.path, "%s", answer_header(&a, "Location"));
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 848);
    cJSON_Delete(report);
    answer_free(&a);
    assert_all_changed(&c);
    for (unsigned i = 0; i < NODES; i++) { // each had its share
        a = http_get(c.nodes[i].url, "/metrics/");
        const char *changed = strstr(a.body, "orchestrator_hosts_total{result=\"changed\"} ");
        ck_assert_ptr_nonnull(changed);
        ck_assert_double_gt(strtod(strchr(changed, ' '), NULL), 100);
        answer_free(&a);
    }
    cluster_end(&c);
}
END_TEST

static int by_number(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double when(const cJSON *row) {
    struct tm tm = {0};
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(row, "started"));
    ck_assert_ptr_nonnull(text);
    const char *fraction = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    ck_assert_ptr_nonnull(fraction);
    return (double)timegm(&tm) + strtod(fraction, NULL);
}

// The most hosts of the job that were in hand at the same time, at all nodes.
static size_t most_in_hand(const struct cluster *c, size_t *count) {
    static double begun[1000], ended[1000];
    char path[160];
    size_t most = 0, over = 0;
    snprintf(path, sizeof path, "%shosts/?limit=1000", c->path);
    cJSON *answer = get_json(c->nodes[0].url, path), *row;
    *count = 0;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(answer, "hosts")) {
        begun[*count] = when(row);
        ended[*count] = begun[*count] + cJSON_GetObjectItem(row, "duration_ms")->valuedouble / 1000;
        ++*count;
    }
    cJSON_Delete(answer);
    qsort(begun, *count, sizeof *begun, by_number);
    qsort(ended, *count, sizeof *ended, by_number);
    for (size_t i = 0; i < *count; i++) {
        while (ended[over] <= begun[i])
            over++;
        if (i + 1 - over > most) most = i + 1 - over;
    }
    return most;
}

START_TEST(the_workers_that_a_job_asks_for_are_those_of_all_nodes) {
    struct cluster c = cluster_start("5ms..50ms", NULL);
    size_t count;
    struct answer a =
        http_post(c.nodes[1].url, "/upgrade-os/",
                  "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], \"workers\": 4}");
    ck_assert_int_eq((int)a.status, 200);
    snprintf(c.path, sizeof c.path, "%s", answer_header(&a, "Location"));
    answer_free(&a);
    const size_t most = most_in_hand(&c, &count);
    ck_assert_uint_eq(count, 106);
    ck_assert_uint_le(most, 4);
    ck_assert_uint_gt(most, 2); // of more than one node
    cluster_end(&c);
}
END_TEST

// What the first node of the next version does to the database, in the midst of a job.
static void bring_schema_to_next_version(const struct cluster *c) {
    static const char *const statements[] = {
        "alter table orchestrator.nodes add column later text",
        "alter table orchestrator.jobs add column later text default 'none'",
        "alter table orchestrator.events add column later text",
        "alter table orchestrator.shards add column later text",
        "update orchestrator.meta set version = version + 1"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        lab_ask(c->state, statements[i]);
}

// In a rolling upgrade nodes of this version work on, and start, beside the first of the next.
START_TEST(nodes_are_restarted_one_after_the_other_and_no_host_is_skipped) {
    struct cluster c = cluster_start("20ms..400ms", NULL);
    begin_job(&c, 1, "night-3");
    await_changed(&c, 1, 40);
    if (_i == 1) bring_schema_to_next_version(&c);
    for (unsigned i = 0; i < NODES; i++) {
        end_node(&c.nodes[i], SIGTERM);
        start_node(&c, i);
    }
    assert_all_changed(&c);
    cluster_end(&c);
}
END_TEST

// The node that has the host's shard.
static unsigned owner_of(const struct cluster *c, const char *host) {
    char path[80], question[200];
    snprintf(path, sizeof path, "/hosts/%s/", host);
    cJSON *answer = get_json(c->nodes[0].url, path);
    const int shard = (int)cJSON_GetObjectItem(answer, "shard")->valuedouble;
    cJSON_Delete(answer);
    snprintf(question, sizeof question,
             "select substring(n.place from '[0-9]+') from orchestrator.shards s"
             " join orchestrator.nodes n on n.id = s.node where s.shard = %d",
             shard);
    const long pid = strtol(lab_ask(c->state, question), NULL, 10);
    unsigned i = 0;
    while (i < NODES && c->nodes[i].pid != pid)
        i++;
    ck_assert_uint_lt(i, NODES);
    return i;
}

static void assert_one_completed(struct answer a) {
    ck_assert_msg(a.status == 200, "%ld %s", a.status, a.body);
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 1);
    cJSON_Delete(report);
    answer_free(&a);
}

// Its last host has ended, and a peer that was asked for its sake has not answered; a client that
// sends half of a body keeps the process. The next node logs in to that peer.
START_TEST(a_node_that_ends_has_no_connection_to_a_device_of_the_next) {
    struct cluster c = cluster_start(
        "0ms", "{sites: [earth], dev_types: {leaf: {count: 2, rack: 100, per_rack: 2}},"
               " hosts: {leaf00.earth: {version: 5.3.1}}}");
    const unsigned owner = owner_of(&c, "leaf01.earth"), next = (owner + 1) % NODES;
    add_faults(&c.lab, "{\"match\": {\"host\": \"leaf00.earth\"}, \"on\": \"get_version\", "
                       "\"effect\": \"delay\", \"by\": \"1s\", \"times\": 1}");
    add_faults(&c.lab, "{\"match\": {\"host\": \"leaf01.earth\"}, \"on\": \"get_version\", "
                       "\"effect\": \"delay\", \"by\": \"20s\", \"times\": 1}");
    assert_one_completed(
        http_post(c.nodes[next].url, "/upgrade-os/",
                  "{\"version\": \"5.3.1\", \"filter_hosts\": [\"leaf00.earth\"]}"));
    await_event(c.lab.admin, "get_version", "begun", 2);
    const int client = dial(strstr(c.nodes[owner].url, "//") + 2);
    send_text(client, "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                      "application/json\r\nContent-Length: 50\r\n\r\n{");
    struct answer behind = http_get(c.nodes[owner].url, "/livez");
    answer_free(&behind);
    program_signal(&c.nodes[owner], SIGTERM);
    assert_one_completed(
        http_post(c.nodes[next].url, "/upgrade-os/",
                  "{\"version\": \"5.3.1\", \"filter_hosts\": [\"leaf01.earth\"]}"));
    close(client);
    ck_assert_int_eq(program_wait(&c.nodes[owner]), 0);
    c.nodes[owner].pid = 0;
    cluster_end(&c);
}
END_TEST

static void assert_is_to_ask_again(const struct cluster *c, unsigned node, const char *verb) {
    char path[160];
    snprintf(path, sizeof path, "%s%s/", c->path, verb);
    struct answer a = http_post(c->nodes[node].url, path, "");
    ck_assert_msg(a.status == 503, "%s: %ld %s", verb, a.status, a.body);
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    ck_assert_str_eq(answer_header(&a, "Location"), c->path);
    ck_assert_ptr_nonnull(strstr(a.body, "this node does not know the job yet"));
    answer_free(&a);
}

static int post_again(const struct cluster *c, unsigned node, const char *key) {
    static const char body[] = "{\"version\": \"5.3.1\"}";
    char request[300];
    const int client = dial(strstr(c->nodes[node].url, "//") + 2);
    snprintf(request, sizeof request,
             "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Idempotency-Key: %s\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             key, strlen(body), body);
    send_text(client, request);
    return client;
}

static void assert_all_completed(const struct cluster *c, int client) {
    char *text;
    ck_assert_int_eq(read_rest(client, &text), 0);
    ck_assert_msg(strncmp(text, "HTTP/1.1 200 ", 13) == 0, "%s", text);
    ck_assert_msg(strstr(text, c->path) != NULL, "%s", text);
    const char *body = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    cJSON *report = cJSON_Parse(body);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 848);
    cJSON_Delete(report);
    free(text);
    close(client);
}

// Its inventory cannot be read when the job begins elsewhere; it can again, or not before the other
// nodes have done all of it.
START_TEST(a_key_whose_job_a_node_does_not_know_yet_has_its_whole_report_there) {
    struct cluster c = {.lab = bare_start(ARGS("--latency", "5ms..50ms"))};
    const char *inventory = folder_path(c.lab.dir, "inventory.json");
    lab_database(c.state);
    write_inventory(&c, inventory);
    start_node(&c, 0);
    start_node(&c, 1);
    start_node_with(&c, 2, inventory);
    await_shared(c.nodes[0].url, NODES, 40);
    write_private(inventory, "{");
    begin_job(&c, 0, "night-8");
    const int client = post_again(&c, 2, "night-8");
    struct answer other =
        http_send("POST", c.nodes[2].url, "/upgrade-os/",
                  ARGS("Content-Type: application/json", "Idempotency-Key: night-8"),
                  "{\"version\": \"5.3.2\"}");
    assert_problem(other, 422, NULL, "another request has had this key");
    if (_i == 1) {
        write_inventory(&c, inventory);
    } else {
        assert_is_to_ask_again(&c, 2, "pause");
        assert_is_to_ask_again(&c, 2, "resume");
        assert_is_to_ask_again(&c, 2, "cancel");
    }
    assert_all_completed(&c, client);
    if (_i == 1) assert_all_changed(&c);
    forget_file(&c, "inventory.json");
    cluster_end(&c);
}
END_TEST

// The wall clock of a node that is started now: so much ahead, or behind.
static void preload_clock(const struct cluster *c, int64_t clock_ms) {
    const char *build = getenv("BUILD"), *asan = getenv("ASAN_OPTIONS");
    const struct machine machine = {.clock_ms = clock_ms};
    char path[256], options[512];
    FILE *file = fopen(folder_path(c->lab.dir, "machine"), "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(&machine, sizeof machine, 1, file), 1);
    ck_assert_int_eq(fclose(file), 0);
    snprintf(path, sizeof path, "%s/machine.so", build == NULL ? "build" : build);
    snprintf(options, sizeof options, "%s:verify_asan_link_order=0", asan == NULL ? "" : asan);
    ck_assert_int_eq(access(path, R_OK), 0);
    setenv("MACHINE", folder_path(c->lab.dir, "machine"), 1);
    setenv("ASAN_OPTIONS", options, 1); // a sanitizer need not be loaded first
    setenv("LD_PRELOAD", path, 1);
}

static const int64_t clocks_ms[] = {-2000, 700000, -700000};

// Nobody was away: the others are at work.
START_TEST(a_node_whose_clock_is_another_pauses_no_job_of_the_others) {
    struct cluster c = {.lab = bare_start(ARGS("--latency", "20ms..400ms"))};
    lab_database(c.state);
    start_node(&c, 0);
    start_node(&c, 1);
    await_shared(c.nodes[0].url, 2, 40);
    begin_job(&c, 0, "night-9");
    await_changed(&c, 0, 40);
    preload_clock(&c, clocks_ms[_i]);
    start_node(&c, 2);
    unsetenv("LD_PRELOAD");
    await_shared(c.nodes[0].url, NODES, 40); // it knows the job then
    assert_all_changed(&c);
    cJSON *job = get_json(c.nodes[0].url, c.path);
    ck_assert_str_eq(cJSON_GetObjectItem(job, "outcome")->valuestring, "completed");
    cJSON_Delete(job);
    forget_file(&c, "machine");
    cluster_end(&c);
}
END_TEST

START_TEST(after_all_nodes_were_away_for_long_their_jobs_are_paused) {
    struct cluster c = {.lab = bare_start(ARGS("--latency", "20ms..400ms"))};
    lab_database(c.state);
    start_node(&c, 0);
    await_shared(c.nodes[0].url, 1, 40);
    begin_job(&c, 0, "night-10");
    await_changed(&c, 0, 40);
    end_node(&c.nodes[0], SIGTERM);
    lab_ask(c.state, "update orchestrator.nodes set alive_ms = alive_ms - 700000");
    start_node(&c, 1);
    await_state(&c, 1, "paused");
    cJSON *job = get_json(c.nodes[1].url, c.path);
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(job, "paused_because"));
    ck_assert_ptr_nonnull(why);
    ck_assert_str_eq(why, "the service was away for 11 min, longer than --resume-within 10 min");
    cJSON_Delete(job);
    cluster_end(&c);
}
END_TEST

static void await_followed(struct child *client, const struct cluster *c, unsigned node) {
    char text[100];
    snprintf(text, sizeof text, " is not reached: following at %s\n", c->nodes[node].url);
    child_await(client, text);
}

// It has the events behind the last that it had, each once.
START_TEST(a_client_that_knows_all_nodes_follows_its_job_at_the_next) {
    struct cluster c = cluster_start("20ms..400ms", NULL);
    static char output[100000];
    add_faults(&c.lab, "{\"match\": {\"host\": \"leaf00.neptune\"}, \"on\": "
                       "\"install_os_version\", \"effect\": \"error\"}");
    struct child client =
        child_start(ARGS("upgrade-os", "--version", "5.3.1", "--url", "http://127.0.0.1:1", "--url",
                         c.nodes[0].url, "--url", c.nodes[1].url, "--url", c.nodes[2].url));
    child_await(&client, "848 hosts\n");
    newest_job(&c, 2);
    await_changed(&c, 2, 40);
    end_node(&c.nodes[0], SIGKILL);
    await_followed(&client, &c, 1);
    end_node(&c.nodes[1], SIGTERM);
    await_followed(&client, &c, 2);
    child_end(&client, 1, output, sizeof output);
    ck_assert_msg(strstr(output, ", 1 failed, 1 skipped, in ") != NULL, "%s", output);
    const char *first = strstr(output, "  failed   leaf00.neptune  ");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "  failed   leaf00.neptune  "));
    ck_assert_ptr_null(strstr(output, "connection lost"));
    cluster_end(&c);
}
END_TEST

static void await_rest(const struct cluster *c, unsigned node) {
    for (const double begun = now_s();;) {
        cJSON *job = get_json(c->nodes[node].url, c->path);
        const long in_hand = count_in(job, "in_hand");
        cJSON_Delete(job);
        if (in_hand == 0) return;
        ck_assert_double_lt(now_s() - begun, 60);
        usleep(AGAIN_MS * 1000);
    }
}

// A client comes from another node, which has told it of an event that this one has not read yet.
static void assert_asked_to_come_again(const struct cluster *c) {
    char path[160], id[48];
    snprintf(path, sizeof path, "%sevents/", c->path);
    snprintf(id, sizeof id, "Last-Event-ID: %s",
             lab_ask(c->state, "update orchestrator.jobs set n = n + 1 returning n"));
    struct answer a = http_send("GET", c->nodes[1].url, path, ARGS(id), NULL);
    ck_assert_msg(a.status == 503, "%ld %s", a.status, a.body);
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    answer_free(&a);
    lab_ask(c->state, "update orchestrator.jobs set n = n - 1");
    assert_problem(http_send("GET", c->nodes[1].url, path, ARGS(id), NULL), 400, "Last-Event-ID",
                   "the job has no event");
}

START_TEST(a_job_is_paused_resumed_and_cancelled_at_any_node) {
    struct cluster c = cluster_start("20ms..400ms", NULL);
    begin_job(&c, 0, "night-4");
    await_changed(&c, 1, 40);
    control(&c, 1, "pause", 202);
    for (unsigned i = 0; i < NODES; i++)
        await_state(&c, i, "paused");
    control(&c, 2, "pause", 409);
    await_rest(&c, 1);
    assert_asked_to_come_again(&c);
    control(&c, 2, "resume", 202);
    for (unsigned i = 0; i < NODES; i++)
        await_state(&c, i, "running");
    control(&c, 0, "cancel", 202);
    for (unsigned i = 0; i < NODES; i++)
        await_state(&c, i, "done");
    cJSON *job = get_json(c.nodes[1].url, c.path);
    ck_assert_str_eq(cJSON_GetObjectItem(job, "outcome")->valuestring, "cancelled");
    ck_assert_int_gt(count_in(job, "skipped"), 0);
    ck_assert_int_eq(count_in(job, "failed"), 0);
    cJSON_Delete(job);
    cluster_end(&c);
}
END_TEST

Suite *check_nodes(void) {
    Suite *suite = suite_create("nodes");
    TCase *tc = tcase_create("three nodes");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, three_nodes_share_a_job_and_say_the_same_of_it);
    tcase_add_test(tc, the_workers_that_a_job_asks_for_are_those_of_all_nodes);
    tcase_add_loop_test(tc, nodes_are_restarted_one_after_the_other_and_no_host_is_skipped, 0, 2);
    tcase_add_test(tc, a_client_that_knows_all_nodes_follows_its_job_at_the_next);
    tcase_add_test(tc, a_job_is_paused_resumed_and_cancelled_at_any_node);
    tc = tcase_create("one of three");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_node_that_ends_has_no_connection_to_a_device_of_the_next);
    tcase_add_loop_test(tc, a_key_whose_job_a_node_does_not_know_yet_has_its_whole_report_there, 0,
                        2);
    tcase_add_loop_test(tc, a_node_whose_clock_is_another_pauses_no_job_of_the_others, 0,
                        (int)(sizeof clocks_ms / sizeof *clocks_ms));
    tcase_add_test(tc, after_all_nodes_were_away_for_long_their_jobs_are_paused);
    return suite;
}
