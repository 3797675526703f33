// Two orchestrators over one database, of which one reads an inventory in which the job is another
// one. It has no more of the job than the store: not what its devices are logged in to with.
#include "tests/e2e/cluster.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Suite *check_nodes_look_up(void);

enum { HOSTS = 24, RACKS = 12, AGAIN_US = 50 * 1000 };

static const char network[] = "sites: [earth]\n"
                              "dev_types: {leaf: {count: 24, password: Own-Pass}}\n"
                              "versions: [5.2.1]\n"
                              "latency: 0\n";

// Long enough for the other node to have its say.
static const char slow_reading[] = "{\"match\": {\"site\": \"earth\"}, \"on\": \"get_version\", "
                                   "\"effect\": \"delay\", \"by\": \"2s\"}";

struct world {
    struct cluster c;
    char inventory[2][128]; // by node
    unsigned first, other;  // nodes: the holder of the first shard, which leads
};

// Of the simulated network. has_moved: a host is in a rack of its own.
static void write_for(const struct world *w, unsigned node, bool has_moved) {
    cJSON *inventory = get_json(w->c.lab.admin, "/inventory/");
    cJSON *hosts = cJSON_GetObjectItem(inventory, "earth"), *host;
    cJSON_ArrayForEach(host, hosts) cJSON_AddStringToObject(host, "password", "Own-Pass");
    host = cJSON_GetObjectItem(hosts, "leaf00.earth");
    if (has_moved) cJSON_ReplaceItemInObject(host, "rack", cJSON_CreateString("999"));
    char *text = cJSON_PrintUnformatted(inventory);
    write_private(w->inventory[node], text);
    cJSON_free(text);
    cJSON_Delete(inventory);
}

static struct world world_start(const char *faults) {
    char path[64];
    struct world w = {.c = {.path = ""}};
    snprintf(path, sizeof path, "/tmp/e2e-look-up-%d.yaml", (int)getpid());
    write_private(path, network);
    w.c.lab = bare_start(ARGS("--network", path));
    unlink(path);
    lab_database(w.c.state);
    for (unsigned i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "inventory%u", i);
        snprintf(w.inventory[i], sizeof w.inventory[i], "%s", folder_path(w.c.lab.dir, name));
        write_for(&w, i, false);
    }
    add_faults(&w.c.lab, faults);
    start_node_with(&w.c, 0, w.inventory[0]);
    return w;
}

static void world_end(struct world *w) {
    unlink(w->inventory[0]);
    unlink(w->inventory[1]);
    cluster_end(&w->c);
}

static long count_of(const struct world *w, unsigned node, const char *name) {
    cJSON *job = get_json(w->c.nodes[node].url, w->c.path);
    const long count = count_in(job, name);
    cJSON_Delete(job);
    return count;
}

static bool leads(const struct program *node) {
    cJSON *answer = get_json(node->url, "/nodes/"), *one;
    bool leads = false;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(answer, "nodes")) {
        const cJSON *range = cJSON_GetArrayItem(cJSON_GetObjectItem(one, "ranges"), 0);
        if (cJSON_IsTrue(cJSON_GetObjectItem(one, "this")))
            leads = cJSON_GetArrayItem(range, 0)->valuedouble == 0;
    }
    cJSON_Delete(answer);
    return leads;
}

// Both have their share of the shards; the one that does not lead finds another job than the one
// that leads was asked for.
static void begin_paused(struct world *w) {
    start_node_with(&w->c, 1, w->inventory[1]);
    await_shared(w->c.nodes[0].url, 2, 40);
    w->first = leads(&w->c.nodes[0]) ? 0 : 1;
    w->other = 1 - w->first;
    write_for(w, w->other, true);
    begin_job(&w->c, w->first, "one");
    await_state(&w->c, w->first, "paused");
}

START_TEST(a_job_that_goes_on_is_looked_up_by_who_had_found_another_one) {
    struct world w = world_start(slow_reading);
    begin_paused(&w);
    write_for(&w, w.other, false);
    control(&w.c, w.first, "resume", 202);
    await_state(&w.c, w.other, "done");
    ck_assert_int_eq(count_of(&w, w.other, "changed"), HOSTS);
    struct answer a = http_get(w.c.nodes[w.other].url, "/metrics/"); // it had its share
    ck_assert_ptr_nonnull(strstr(a.body, "orchestrator_hosts_total{result=\"changed\"} "));
    ck_assert_ptr_null(strstr(a.body, "orchestrator_hosts_total{result=\"changed\"} 0\n"));
    answer_free(&a);
    world_end(&w);
}
END_TEST

START_TEST(a_job_that_differs_still_is_paused_again) {
    struct world w = world_start(slow_reading);
    begin_paused(&w);
    control(&w.c, w.first, "resume", 202);
    await_state(&w.c, w.first, "paused");
    control(&w.c, w.other, "resume", 409);
    unlink(w.inventory[w.other]); // then it cannot be looked up, and goes on at the first alone,
                                  // which leads
    control(&w.c, w.first, "resume", 202);
    await_state(&w.c, w.other, "running");
    control(&w.c, w.other, "pause", 202);
    await_state(&w.c, w.first, "paused");
    control(&w.c, w.other, "cancel", 202);
    await_state(&w.c, w.first, "done");
    ck_assert_int_lt(count_of(&w, w.first, "changed"), HOSTS);
    world_end(&w);
}
END_TEST

START_TEST(hosts_in_doubt_of_a_job_that_differs_are_asked_with_their_own_credentials) {
    struct world w = world_start("{\"match\": {\"site\": \"earth\"}, \"on\": "
                                 "\"install_os_version\", \"effect\": \"delay\", \"by\": \"12s\"}");
    begin_job(&w.c, 0, "one");
    await_event(w.c.lab.admin, "install_os_version", "begun", RACKS); // one of each
    write_for(&w, 1, true);
    start_node_with(&w.c, 1, w.inventory[1]);
    await_state(&w.c, 0, "paused");
    end_node(&w.c.nodes[0], SIGKILL);
    while (count_of(&w, 1, "changed") < RACKS) {
        ck_assert_int_eq(count_of(&w, 1, "failed"), 0);
        usleep(AGAIN_US);
    }
    control(&w.c, 1, "cancel", 202);
    await_state(&w.c, 1, "done");
    world_end(&w);
}
END_TEST

Suite *check_nodes_look_up(void) {
    Suite *suite = suite_create("nodes_look_up");
    TCase *tc = tcase_create("nodes_look_up");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_job_that_goes_on_is_looked_up_by_who_had_found_another_one);
    tcase_add_test(tc, a_job_that_differs_still_is_paused_again);
    tcase_add_test(tc, hosts_in_doubt_of_a_job_that_differs_are_asked_with_their_own_credentials);
    suite_add_tcase(suite, tc);
    return suite;
}
