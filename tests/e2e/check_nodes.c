// Three orchestrators over one database and one network. Each test has a thing go wrong in the
// midst of a job, and then asks every node how it ended.
#include "common/mem.h"
#include "tests/e2e/child.h"
#include "tests/e2e/harness.h"
#include "tests/lab/postgres.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

Suite *check_nodes(void);

enum { NODES = 3, SHARDS = 1024, TAKEN_S = 15, AGAIN_MS = 100 };

struct cluster {
    struct lab lab; // its orchestrator is empty
    struct program nodes[NODES];
    char state[LAB_URI_MAX];
    char path[128]; // of the job
};

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// --- nodes

static void start_node(struct cluster *c, unsigned i) {
    char inventory[100], name[16];
    snprintf(inventory, sizeof inventory, "%s/inventory/", c->lab.admin);
    snprintf(name, sizeof name, "log%u", i);
    c->nodes[i] = program_start("orchestrator",
                                ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log",
                                     folder_path(c->lab.dir, name), "--state", c->state,
                                     "--install-timeout", "10s", "--workers", "40"));
}

static long shards_of_all(const char *url, unsigned *nodes) {
    cJSON *answer = get_json(url, "/nodes/"), *node;
    long shards = 0;
    *nodes = 0;
    cJSON_ArrayForEach(node, cJSON_GetObjectItem(answer, "nodes")) {
        shards += (long)cJSON_GetObjectItem(node, "shards")->valuedouble;
        *nodes += cJSON_GetObjectItem(node, "shards")->valuedouble > 0;
    }
    cJSON_Delete(answer);
    return shards;
}

// So many nodes have all shards among them; how long that took.
static double await_shared(const char *url, unsigned nodes, double most_s) {
    const double begun = now_s();
    unsigned have;
    while (shards_of_all(url, &have) < SHARDS || have != nodes) {
        ck_assert_double_lt(now_s() - begun, most_s);
        usleep(AGAIN_MS * 1000);
    }
    return now_s() - begun;
}

static struct cluster cluster_start(const char *latency) {
    struct cluster c = {.lab = bare_start(ARGS("--latency", latency))};
    lab_database(c.state);
    for (unsigned i = 0; i < NODES; i++)
        start_node(&c, i);
    await_shared(c.nodes[0].url, NODES, 40); // the server may have been started just now
    return c;
}

static void end_node(struct program *node, int signum) {
    int status;
    program_signal(node, signum);
    ck_assert_int_eq(waitpid(node->pid, &status, 0), node->pid);
    close(node->out);
    node->pid = 0;
}

static void forget_file(const struct cluster *c, const char *name) {
    unlink(folder_path(c->lab.dir, name));
}

// The referee must have seen nothing.
static void cluster_end(struct cluster *c) {
    cJSON *audit = get_json(c->lab.admin, "/audit/?violations");
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(audit, "violations"));
    ck_assert_str_eq(text, "[]");
    cJSON_free(text);
    cJSON_Delete(audit);
    for (unsigned i = 0; i < NODES; i++)
        if (c->nodes[i].pid != 0) ck_assert_int_eq(program_stop(&c->nodes[i]), 0);
    forget_file(c, "log0");
    forget_file(c, "log1");
    forget_file(c, "log2");
    bare_stop(&c->lab);
}

// --- a job

static void begin_job(struct cluster *c, unsigned node, const char *key) {
    char header[64];
    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    struct answer a =
        http_send("POST", c->nodes[node].url, "/upgrade-os/",
                  ARGS("Prefer: respond-async", "Content-Type: application/json", header),
                  "{\"version\": \"5.3.1\"}");
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    snprintf(c->path, sizeof c->path, "%s", answer_header(&a, "Location"));
    answer_free(&a);
}

static long count_in(const cJSON *job, const char *name) {
    return (long)cJSON_GetObjectItem(cJSON_GetObjectItem(job, "counts"), name)->valuedouble;
}

static void await_changed(const struct cluster *c, unsigned node, long changed) {
    for (const double begun = now_s();;) {
        cJSON *job = get_json(c->nodes[node].url, c->path);
        const long now = count_in(job, "changed");
        cJSON_Delete(job);
        if (now >= changed) return;
        ck_assert_double_lt(now_s() - begun, 60);
        usleep(AGAIN_MS * 1000);
    }
}

static void await_state(const struct cluster *c, unsigned node, const char *state) {
    for (const double begun = now_s();;) {
        cJSON *job = get_json(c->nodes[node].url, c->path);
        const bool is_there = strcmp(cJSON_GetObjectItem(job, "state")->valuestring, state) == 0;
        cJSON_Delete(job);
        if (is_there) return;
        ck_assert_double_lt(now_s() - begun, 120);
        usleep(AGAIN_MS * 1000);
    }
}

// Every node that is there says the same of every host, and the devices are as they say.
static void assert_all_changed(const struct cluster *c) {
    char path[160];
    snprintf(path, sizeof path, "%shosts/?limit=1000", c->path);
    char *first = NULL;
    for (unsigned i = 0; i < NODES; i++) {
        if (c->nodes[i].pid == 0) continue;
        await_state(c, i, "done");
        cJSON *job = get_json(c->nodes[i].url, c->path);
        ck_assert_int_eq(count_in(job, "failed") + count_in(job, "skipped"), 0);
        ck_assert_int_eq(count_in(job, "changed") + count_in(job, "unchanged"), 848);
        cJSON_Delete(job);
        struct answer a = http_get(c->nodes[i].url, path);
        ck_assert_int_eq((int)a.status, 200);
        if (first == NULL)
            first = mem_strdup(a.body);
        else
            ck_assert_str_eq(a.body, first);
        answer_free(&a);
    }
    free(first);
    cJSON *answer = get_json(c->lab.admin, "/devices/"), *device;
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(answer, "devices")) {
        ck_assert_str_eq(cJSON_GetObjectItem(device, "version")->valuestring, "5.3.1");
        ck_assert_int_le((int)cJSON_GetObjectItem(device, "installs")->valuedouble, 1);
    }
    cJSON_Delete(answer);
}

// --- what goes wrong

START_TEST(three_nodes_share_a_job_and_say_the_same_of_it) {
    struct cluster c = cluster_start("5ms..50ms");
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

START_TEST(a_node_that_is_killed_is_taken_over_and_another_has_its_clients_report) {
    struct cluster c = cluster_start("20ms..400ms");
    begin_job(&c, 0, "night-1");
    await_changed(&c, 1, 40);
    end_node(&c.nodes[0], SIGKILL);
    ck_assert_double_lt(await_shared(c.nodes[1].url, NODES - 1, TAKEN_S + 5), TAKEN_S);
    struct answer a = http_send("POST", c.nodes[2].url, "/upgrade-os/",
                                ARGS("Content-Type: application/json", "Idempotency-Key: night-1"),
                                "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq((int)a.status, 200);
    ck_assert_str_eq(strstr(answer_header(&a, "Location"), "/jobs/"), c.path);
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 848);
    cJSON_Delete(report);
    answer_free(&a);
    assert_all_changed(&c);
    cluster_end(&c);
}
END_TEST

// Before another has its shards, for it may be between a grant and the bytes of an install.
START_TEST(a_node_that_stands_still_is_dead_before_it_can_send) {
    struct cluster c = cluster_start("20ms..400ms");
    int status;
    begin_job(&c, 1, "night-2");
    await_changed(&c, 1, 40);
    program_signal(&c.nodes[0], SIGSTOP);
    const double stopped = now_s();
    unsigned have = NODES;
    while (waitpid(c.nodes[0].pid, &status, WNOHANG) == 0) {
        ck_assert_uint_eq((shards_of_all(c.nodes[1].url, &have), have), NODES);
        ck_assert_double_lt(now_s() - stopped, 30);
        usleep(AGAIN_MS * 1000);
    }
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(c.nodes[0].out);
    c.nodes[0].pid = 0;
    assert_all_changed(&c);
    cluster_end(&c);
}
END_TEST

START_TEST(nodes_are_restarted_one_after_the_other_and_no_host_is_skipped) {
    struct cluster c = cluster_start("20ms..400ms");
    begin_job(&c, 1, "night-3");
    await_changed(&c, 1, 40);
    for (unsigned i = 0; i < NODES; i++) {
        end_node(&c.nodes[i], SIGTERM);
        start_node(&c, i);
    }
    assert_all_changed(&c);
    cluster_end(&c);
}
END_TEST

static void newest_job(struct cluster *c, unsigned node) {
    cJSON *list = get_json(c->nodes[node].url, "/jobs/?limit=1");
    const cJSON *job = cJSON_GetArrayItem(cJSON_GetObjectItem(list, "jobs"), 0);
    snprintf(c->path, sizeof c->path, "/jobs/%s/",
             cJSON_GetStringValue(cJSON_GetObjectItem(job, "id")));
    cJSON_Delete(list);
}

static void await_followed(struct child *client, const struct cluster *c, unsigned node) {
    char text[100];
    snprintf(text, sizeof text, " is not reached: following at %s\n", c->nodes[node].url);
    child_await(client, text);
}

// It has the events behind the last that it had, each once.
START_TEST(a_client_that_knows_all_nodes_follows_its_job_at_the_next) {
    struct cluster c = cluster_start("20ms..400ms");
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

static void control(const struct cluster *c, unsigned node, const char *verb, long status) {
    char path[160];
    snprintf(path, sizeof path, "%s%s/", c->path, verb);
    struct answer a = http_post(c->nodes[node].url, path, "");
    ck_assert_msg(a.status == status, "%s: %ld %s", verb, a.status, a.body);
    answer_free(&a);
}

START_TEST(a_job_is_paused_resumed_and_cancelled_at_any_node) {
    struct cluster c = cluster_start("20ms..400ms");
    begin_job(&c, 0, "night-4");
    await_changed(&c, 1, 40);
    control(&c, 1, "pause", 202);
    for (unsigned i = 0; i < NODES; i++)
        await_state(&c, i, "paused");
    control(&c, 2, "pause", 409);
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

// Longer than the lease: all nodes let go of what they have, and find out what became of it.
START_TEST(a_database_that_is_away_for_a_while_is_waited_for) {
    struct cluster c = {.lab = bare_start(ARGS("--latency", "20ms..400ms"))};
    struct lab_server server = {0};
    lab_server_start(&server, "");
    snprintf(c.state, sizeof c.state, "%s", server.uri);
    for (unsigned i = 0; i < NODES; i++)
        start_node(&c, i);
    await_shared(c.nodes[0].url, NODES, 40);
    begin_job(&c, 0, "night-5");
    await_changed(&c, 1, 40);
    lab_server_stop(&server, "kill");
    sleep(12);
    struct answer a = http_get(c.nodes[0].url, "/readyz");
    ck_assert_int_eq((int)a.status, 503);
    ck_assert_ptr_nonnull(strstr(a.body, "the store: postgresql://"));
    answer_free(&a);
    lab_server_start(&server, "");
    assert_all_changed(&c);
    cluster_end(&c);
    lab_server_stop(&server, "stop");
}
END_TEST

Suite *check_nodes(void) {
    Suite *suite = suite_create("nodes");
    TCase *tc = tcase_create("three nodes");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, three_nodes_share_a_job_and_say_the_same_of_it);
    tcase_add_test(tc, a_node_that_is_killed_is_taken_over_and_another_has_its_clients_report);
    tcase_add_test(tc, a_node_that_stands_still_is_dead_before_it_can_send);
    tcase_add_test(tc, nodes_are_restarted_one_after_the_other_and_no_host_is_skipped);
    tcase_add_test(tc, a_client_that_knows_all_nodes_follows_its_job_at_the_next);
    tcase_add_test(tc, a_job_is_paused_resumed_and_cancelled_at_any_node);
    tcase_add_test(tc, a_database_that_is_away_for_a_while_is_waited_for);
    return suite;
}
