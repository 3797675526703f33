#include "tests/e2e/cluster.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHARDS = 1024 };

double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// --- nodes

void start_node_with(struct cluster *c, unsigned i, const char *inventory) {
    char name[16];
    snprintf(name, sizeof name, "log%u", i);
    c->nodes[i] = program_start("orchestrator",
                                ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log",
                                     folder_path(c->lab.dir, name), "--state", c->state,
                                     "--install-timeout", "10s", "--workers", "40"));
}

void write_inventory(const struct cluster *c, const char *path) {
    struct answer a = http_get(c->lab.admin, "/inventory/");
    ck_assert_int_eq((int)a.status, 200);
    write_private(path, a.body);
    answer_free(&a);
}

void start_node(struct cluster *c, unsigned i) {
    char inventory[100];
    snprintf(inventory, sizeof inventory, "%s/inventory/", c->lab.admin);
    start_node_with(c, i, inventory);
}

static bool bring_up_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0) close(fd);
    return is_up;
}

// Its database is a socket of the file system, and its inventory a file: it misses the devices
// alone.
bool start_node_apart(struct cluster *c, unsigned i, const char *inventory) {
    const int outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(outside, 0);
    if (unshare(CLONE_NEWNET) != 0) {
        ck_assert_int_eq(errno, EPERM);
        close(outside);
        return false;
    }
    ck_assert(bring_up_loopback());
    start_node_with(c, i, inventory);
    ck_assert_int_eq(setns(outside, CLONE_NEWNET), 0);
    close(outside);
    return true;
}

void start_nodes(struct cluster *c) {
    for (unsigned i = 0; i < NODES; i++)
        start_node(c, i);
    await_shared(c->nodes[0].url, NODES, 40); // the server may have been started just now
}

long shards_of_all(const char *url, unsigned *nodes) {
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
double await_shared(const char *url, unsigned nodes, double most_s) {
    const double begun = now_s();
    unsigned have;
    while (shards_of_all(url, &have) < SHARDS || have != nodes) {
        ck_assert_double_lt(now_s() - begun, most_s);
        usleep(AGAIN_MS * 1000);
    }
    return now_s() - begun;
}

static struct lab start_simulator(const char *latency, const char *network) {
    char path[64];
    if (network == NULL) return bare_start(ARGS("--latency", latency));
    snprintf(path, sizeof path, "/tmp/e2e-cluster-%d.yaml", (int)getpid());
    write_private(path, network);
    const struct lab lab = bare_start(ARGS("--latency", latency, "--network", path));
    unlink(path);
    return lab;
}

struct cluster cluster_start(const char *latency, const char *network) {
    struct cluster c = {.lab = start_simulator(latency, network)};
    lab_database(c.state);
    start_nodes(&c);
    return c;
}

void end_node(struct program *node, int signum) {
    int status;
    program_signal(node, signum);
    ck_assert_int_eq(waitpid(node->pid, &status, 0), node->pid);
    close(node->out);
    node->pid = 0;
}

void forget_file(const struct cluster *c, const char *name) {
    unlink(folder_path(c->lab.dir, name));
}

// The referee must have seen nothing.
void cluster_end(struct cluster *c) {
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

void begin_job(struct cluster *c, unsigned node, const char *key) {
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

long count_in(const cJSON *job, const char *name) {
    return (long)cJSON_GetObjectItem(cJSON_GetObjectItem(job, "counts"), name)->valuedouble;
}

void await_changed(const struct cluster *c, unsigned node, long changed) {
    for (const double begun = now_s();;) {
        cJSON *job = get_json(c->nodes[node].url, c->path);
        const long now = count_in(job, "changed");
        cJSON_Delete(job);
        if (now >= changed) return;
        ck_assert_double_lt(now_s() - begun, 60);
        usleep(AGAIN_MS * 1000);
    }
}

void await_state(const struct cluster *c, unsigned node, const char *state) {
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
void assert_all_changed(const struct cluster *c) {
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

void newest_job(struct cluster *c, unsigned node) {
    cJSON *list = get_json(c->nodes[node].url, "/jobs/?limit=1");
    const cJSON *job = cJSON_GetArrayItem(cJSON_GetObjectItem(list, "jobs"), 0);
    snprintf(c->path, sizeof c->path, "/jobs/%s/",
             cJSON_GetStringValue(cJSON_GetObjectItem(job, "id")));
    cJSON_Delete(list);
}

void control(const struct cluster *c, unsigned node, const char *verb, long status) {
    char path[160];
    snprintf(path, sizeof path, "%s%s/", c->path, verb);
    struct answer a = http_post(c->nodes[node].url, path, "");
    ck_assert_msg(a.status == status, "%s: %ld %s", verb, a.status, a.body);
    answer_free(&a);
}
