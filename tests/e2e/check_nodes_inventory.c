// Orchestrators that share a store, and an inventory that has changed since a job began: a host
// that the job does not name ties its hosts to others, and so the shard of what another job sees is
// another. One orchestrator is enough to see who waits for whom.
#include "common/folder.h"
#include "common/mem.h"
#include "tests/e2e/harness.h"
#include "tests/lab/postgres.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_nodes_inventory(void);

enum { AGAIN_US = 10000 };

#define AT(name, groups)                                                                           \
    "\"" name "\": {\"hostname\": \"127.0.0.1\", \"port\": %s, \"platform\": \"acmeos\", "         \
    "\"dev_type\": \"fw\", \"redundancy_groups\": " groups "}"
#define BEFORE AT("b", "[\"p\"]") ", " AT("c", "[\"p\", \"q\"]")

// What is asked for behind the job, of c, which the job has not selected and its host's group has.
static const struct {
    const char *path, *body;
} behind[] = {
    {"/upgrade-os/", "{\"version\": \"5.9.1\", \"filter_hosts\": [\"c\"]}"},
    {"/get-version/", "{\"filter_hosts\": [\"b\"]}"},
};

static cJSON *post(const char *api, const char *path, const char *body) {
    struct answer a = http_send(
        "POST", api, path, ARGS("Content-Type: application/json", "Prefer: respond-async"), body);
    ck_assert_int_eq((int)a.status, 202);
    cJSON *job = answer_json(&a);
    answer_free(&a);
    return job;
}

static const char *id_of(const cJSON *job) {
    return cJSON_GetObjectItem(job, "id")->valuestring;
}

// a ties nothing that the job names: c is in its group, and b is not.
static void write_inventory(const char *path, const char *port, bool has_a) {
    char text[1000], a[300] = "";
    if (has_a) snprintf(a, sizeof a, ", " AT("a", "[\"q\"]"), port);
    snprintf(text, sizeof text, "{\"s\": {" BEFORE "%s}}", port, port, a);
    write_private(path, text);
}

// For what the job waits, or its state where it does not; to free.
static char *await_decision(const char *api, const char *path) {
    char *decision = NULL;
    while (decision == NULL) {
        cJSON *job = get_json(api, path);
        const char *state = cJSON_GetObjectItem(job, "state")->valuestring,
                   *why = cJSON_GetStringValue(cJSON_GetObjectItem(job, "waiting_for"));
        if (why != NULL && strcmp(why, "it is resumed") == 0) why = NULL;
        if (why != NULL || strcmp(state, "waiting") != 0)
            decision = mem_strdup(why == NULL ? state : why);
        else
            usleep(AGAIN_US); // whoever leads has not decided yet
        cJSON_Delete(job);
    }
    return decision;
}

static void await_in_hand(const char *api, const char *id, double count) {
    char path[128];
    double in_hand;
    snprintf(path, sizeof path, "/jobs/%s/", id);
    do {
        cJSON *job = get_json(api, path);
        const cJSON *counts = cJSON_GetObjectItem(job, "counts");
        in_hand = cJSON_GetObjectItem(counts, "in_hand")->valuedouble;
        cJSON_Delete(job);
        if (in_hand != count) usleep(AGAIN_US);
    } while (in_hand != count);
}

struct world { // a simulator, an orchestrator, and the inventory that it reads
    char dir[64], inventory[128], state[LAB_URI_MAX];
    const char *port;
    struct lab lab;
    struct program node;
};

static void begin(struct world *w, const char *faults) {
    char devices[128];
    struct error err;
    *w = (struct world){.dir = ""};
    ck_assert_int_eq(folder_make(w->dir, sizeof w->dir, "e2e", &err), 0);
    snprintf(devices, sizeof devices, "%s", folder_path(w->dir, "devices.json"));
    snprintf(w->inventory, sizeof w->inventory, "%s", folder_path(w->dir, "inventory.json"));
    write_inventory(devices, "1", true);
    w->lab = bare_start(ARGS("--inventory", devices, "--latency", "0"));
    w->port = strrchr(w->lab.devices, ':') + 1;
    write_inventory(w->inventory, w->port, false);
    lab_database(w->state);
    add_faults(&w->lab, faults);
    w->node = program_start("orchestrator",
                            ARGS("--listen", "127.0.0.1:0", "--inventory", w->inventory, "--log",
                                 folder_path(w->dir, "log"), "--state", w->state));
}

static void end(struct world *w) {
    program_signal(&w->node, SIGKILL);
    waitpid(w->node.pid, NULL, 0);
    bare_stop(&w->lab);
    folder_remove(w->dir);
}

static cJSON *upgrade(const struct world *w, const char *host) {
    char body[100];
    snprintf(body, sizeof body, "{\"version\": \"5.9.1\", \"filter_hosts\": [\"%s\"]}", host);
    return post(w->node.url, "/upgrade-os/", body);
}

static void control(const struct world *w, const cJSON *job, const char *verb) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/%s/", id_of(job), verb);
    cJSON_Delete(post(w->node.url, path, ""));
}

static void assert_waits_for(const struct world *w, const cJSON *job, const cJSON *other) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/", id_of(job));
    char *why = await_decision(w->node.url, path);
    ck_assert_msg(strstr(why, id_of(other)) != NULL, "%s", why);
    free(why);
}

// What takes 20 s is there to the end of the test.
START_TEST(a_job_waits_for_one_that_has_their_hosts_under_another_shard) {
    struct world w;
    begin(&w, "{\"match\": {\"host\": \"b\"}, \"on\": \"login\", \"effect\": \"delay\", "
              "\"by\": \"20s\"}");
    cJSON *job = upgrade(&w, "b");
    await_event(w.lab.admin, "login", "begun", 1);
    control(&w, job, "pause");
    write_inventory(w.inventory, w.port, true);
    control(&w, job, "resume");
    cJSON *other = post(w.node.url, behind[_i].path, behind[_i].body);
    assert_waits_for(&w, other, job);
    cJSON_Delete(other);
    cJSON_Delete(job);
    end(&w);
}
END_TEST

// Another node, which has not heard yet that the job is paused, begins its host.
static const char late[] =
    "with j as (update orchestrator.jobs set n = n + 1 where number = 1 returning n)"
    " insert into orchestrator.events (job, n, wall_ms, kind, host, attempt, result, ms, state,"
    " outcome, epoch) select 1, n, 0, 1, 0, 0, 0, 0, 0, 0, 7 from j";

START_TEST(a_job_that_is_resumed_waits_for_one_that_began_while_it_was_paused) {
    struct world w;
    begin(&w, "[{\"match\": {\"host\": \"b\"}, \"on\": \"get_version\", \"effect\": \"delay\", "
              "\"by\": \"200ms\", \"times\": 1}, {\"match\": {\"host\": \"c\"}, \"on\": \"login\", "
              "\"effect\": \"delay\", \"by\": \"20s\"}]");
    cJSON *job = upgrade(&w, "b");
    await_event(w.lab.admin, "get_version", "begun", 1);
    control(&w, job, "pause");
    await_in_hand(w.node.url, id_of(job), 0);
    write_inventory(w.inventory, w.port, true);
    cJSON *other = upgrade(&w, "c");
    await_in_hand(w.node.url, id_of(other), 1);
    lab_ask(w.state, late);
    await_in_hand(w.node.url, id_of(job), 1);
    control(&w, job, "resume");
    assert_waits_for(&w, job, other);
    cJSON_Delete(other);
    cJSON_Delete(job);
    end(&w);
}
END_TEST

static const char elsewhere[] =
    "with j as (update orchestrator.jobs set n = n + 1 where number = 2 returning n)"
    " insert into orchestrator.events (job, n, wall_ms, kind, host, attempt, result, ms, state,"
    " outcome, epoch) select 2, n, 0, 1, 0, 0, 0, 0, 0, 0, 7 from j";

static int times_fired(const struct world *w) {
    cJSON *rules = get_json(w->lab.admin, "/faults/");
    const cJSON *rule = cJSON_GetArrayItem(cJSON_GetObjectItem(rules, "faults"), 0);
    const int fired = (int)cJSON_GetObjectItem(rule, "fired")->valuedouble;
    cJSON_Delete(rules);
    return fired;
}

static void await_done(const struct world *w, cJSON *job) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/", id_of(job));
    for (bool is_done = false; !is_done; usleep(AGAIN_US)) {
        cJSON *now = get_json(w->node.url, path);
        is_done = strcmp(cJSON_GetObjectItem(now, "state")->valuestring, "done") == 0;
        cJSON_Delete(now);
    }
    cJSON_Delete(job);
}

// It has answered a moment ago, and been in another node's hand since.
START_TEST(a_peer_that_another_node_has_had_in_hand_is_asked_anew) {
    struct world w;
    begin(&w, "{\"match\": {\"host\": \"c\"}, \"on\": \"get_version\", \"effect\": "
              "\"delay\", \"by\": \"1ms\"}");
    await_done(&w, upgrade(&w, "b"));
    ck_assert_int_gt(times_fired(&w), 0);
    add_faults(&w.lab, "{\"match\": {\"host\": \"c\"}, \"on\": \"login\", \"effect\": "
                       "\"delay\", \"by\": \"1s\", \"times\": 1}");
    cJSON *other = upgrade(&w, "c");
    await_event(w.lab.admin, "login", "begun", 3);
    control(&w, other, "pause");
    await_in_hand(w.node.url, id_of(other), 0);
    lab_ask(w.state, elsewhere);
    await_in_hand(w.node.url, id_of(other), 1);
    const int before = times_fired(&w);
    cJSON *again =
        post(w.node.url, "/upgrade-os/", "{\"version\": \"5.9.2\", \"filter_hosts\": [\"b\"]}");
    await_done(&w, again);
    ck_assert_int_gt(times_fired(&w), before);
    cJSON_Delete(other);
    end(&w);
}
END_TEST

Suite *check_nodes_inventory(void) {
    Suite *suite = suite_create("nodes_inventory");
    TCase *tc = tcase_create("nodes_inventory");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_job_waits_for_one_that_has_their_hosts_under_another_shard, 0, 2);
    tcase_add_test(tc, a_peer_that_another_node_has_had_in_hand_is_asked_anew);
    tcase_add_test(tc, a_job_that_is_resumed_waits_for_one_that_began_while_it_was_paused);
    suite_add_tcase(suite, tc);
    return suite;
}
