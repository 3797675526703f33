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
        if (why != NULL || strcmp(state, "waiting") != 0)
            decision = mem_strdup(why == NULL ? state : why);
        else
            usleep(AGAIN_US); // whoever leads has not decided yet
        cJSON_Delete(job);
    }
    return decision;
}

START_TEST(a_job_waits_for_one_that_has_their_hosts_under_another_shard) {
    char dir[64] = "", devices[64], inventory[128], state[LAB_URI_MAX], path[128];
    struct error err;
    ck_assert_int_eq(folder_make(dir, sizeof dir, "e2e", &err), 0);
    snprintf(devices, sizeof devices, "%s", folder_path(dir, "devices.json"));
    snprintf(inventory, sizeof inventory, "%s", folder_path(dir, "inventory.json"));
    write_inventory(devices, "1", true);
    struct lab lab = bare_start(ARGS("--inventory", devices, "--latency", "0"));
    const char *port = strrchr(lab.devices, ':') + 1;
    write_inventory(inventory, port, false);
    lab_database(state);
    // The login of b takes as long as the test; that of c is not to come.
    add_faults(&lab, "{\"match\": {\"host\": \"b\"}, \"on\": \"login\", \"effect\": \"delay\", "
                     "\"by\": \"20s\"}");
    struct program node =
        program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                           "--log", folder_path(dir, "log"), "--state", state));
    cJSON *job =
        post(node.url, "/upgrade-os/", "{\"version\": \"5.9.1\", \"filter_hosts\": [\"b\"]}");
    await_event(lab.admin, "login", "begun", 1);
    snprintf(path, sizeof path, "/jobs/%s/pause/", id_of(job));
    cJSON_Delete(post(node.url, path, ""));
    write_inventory(inventory, port, true);
    snprintf(path, sizeof path, "/jobs/%s/resume/", id_of(job));
    cJSON_Delete(post(node.url, path, ""));
    cJSON *other = post(node.url, behind[_i].path, behind[_i].body);
    snprintf(path, sizeof path, "/jobs/%s/", id_of(other));
    char *why = await_decision(node.url, path);
    ck_assert_msg(strstr(why, id_of(job)) != NULL, "%s", why);
    free(why);
    cJSON_Delete(other);
    cJSON_Delete(job);
    program_signal(&node, SIGKILL);
    waitpid(node.pid, NULL, 0);
    bare_stop(&lab);
    folder_remove(dir);
}
END_TEST

Suite *check_nodes_inventory(void) {
    Suite *suite = suite_create("nodes_inventory");
    TCase *tc = tcase_create("nodes_inventory");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_job_waits_for_one_that_has_their_hosts_under_another_shard, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
