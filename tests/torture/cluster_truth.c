#include "tests/torture/cluster_truth.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/outcomes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALL = 1000, PATH_LEN = 300, SOON_MS = 5000, AGAIN_US = 50000, SHOWN = 300 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// --- all nodes say the same

static int read_text(const char *base, const char *path, struct buf *text, struct error *err) {
    char url[PATH_LEN];
    snprintf(url, sizeof url, "%s%s", base, path);
    return client_expect(&(struct client_request){.method = "GET", .url = url}, 200, text, err);
}

static size_t same_length(const char *a, const char *b) {
    size_t len = 0;
    while (a[len] != '\0' && a[len] == b[len])
        len++;
    return len;
}

static int compare(const struct cluster *c, const char *path, bool is_last, struct buf *first,
                   struct buf *differences, struct error *err) {
    int rc = read_text(c->nodes[0].url, path, first, err);
    for (unsigned i = 1; i < c->count && rc == 0; i++) {
        struct buf other = {0};
        rc = read_text(c->nodes[i].url, path, &other, err);
        if (rc == 0 && strcmp(first->data, other.data) != 0) {
            const size_t same = same_length(first->data, other.data);
            const size_t from = same < SHOWN / 2 ? 0 : same - SHOWN / 2;
            if (is_last)
                expect_differ(differences, "%s: node 0 says ...%.*s, node %u ...%.*s", path, SHOWN,
                              first->data + from, i, SHOWN, other.data + from);
            rc = is_last ? 0 : -1;
        }
        buf_deinit(&other);
    }
    return rc;
}

// A node hears of what another has done within a moment.
static int read_same(const struct cluster *c, const char *path, cJSON **out,
                     struct buf *differences, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + SOON_MS;
    struct buf text = {0};
    int rc;
    for (;;) {
        const bool is_last = clock_boot_ms() >= until_ms;
        buf_clear(&text);
        rc = compare(c, path, is_last, &text, differences, err);
        if (rc >= 0 || is_last) break;
        usleep(AGAIN_US);
    }
    if (rc == 0) rc = json_parse(text.data, text.len, out, err);
    buf_deinit(&text);
    return rc;
}

static int read_job(const struct cluster *c, cJSON *job, struct buf *differences,
                    struct error *err) {
    char path[PATH_LEN];
    cJSON *same = NULL, *hosts = NULL, *report = NULL;
    snprintf(path, sizeof path, "/jobs/%s/", json_text(job, "id"));
    int rc = read_same(c, path, &same, differences, err);
    cJSON_Delete(same);
    if (rc != 0) return rc;
    snprintf(path, sizeof path, "/jobs/%s/hosts/?limit=%d", json_text(job, "id"), ALL);
    rc = read_same(c, path, &hosts, differences, err);
    if (rc != 0) return rc;
    cJSON_AddItemToObject(job, "rows", cJSON_DetachItemFromObjectCaseSensitive(hosts, "hosts"));
    cJSON_Delete(hosts);
    snprintf(path, sizeof path, "/jobs/%s/report/", json_text(job, "id"));
    rc = read_same(c, path, &report, differences, err);
    if (rc == 0) cJSON_AddItemToObject(job, "report", report);
    return rc;
}

static int read_jobs(const struct cluster *c, cJSON **jobs, struct buf *differences,
                     struct error *err) {
    char path[64];
    cJSON *job;
    snprintf(path, sizeof path, "/jobs/?limit=%d", ALL);
    int rc = read_same(c, path, jobs, differences, err);
    cJSON_ArrayForEach(job, get(*jobs, "jobs")) {
        if (rc == 0) rc = read_job(c, job, differences, err);
    }
    return rc;
}

// --- the database

// Each says what is wrong, or nothing.
static const char *const questions[] = {
    "select format('job %s: its events are %s, from %s to %s, and it counts %s', number, count, "
    "low, high, n) from orchestrator.jobs, lateral (select count(*), min(e.n) as low, max(e.n) as "
    "high from orchestrator.events e where job = number) x where low <> 1 or high <> count or n <> "
    "count limit 1",

    "select format('job %s: host %s has %s outcomes, and %s events behind the last', number, h, "
    "outcomes, behind) from orchestrator.jobs, generate_series(0, hosts - 1) h, lateral (select "
    "count(*) filter (where kind = 4) as outcomes, count(*) filter (where kind <> 4 and n > "
    "(select "
    "max(n) from orchestrator.events o where o.job = number and o.host = h and kind = 4)) as "
    "behind "
    "from orchestrator.events e where e.job = number and e.host = h) x where state = 5 and "
    "(outcomes <> 1 or behind > 0) limit 1",

    "select format('job %s: host %s has %s intents, the last is attempt %s', job, host, intents, "
    "last) from (select job, host, count(*) filter (where kind = 2) - count(*) filter (where kind "
    "= "
    "3) as intents, max(attempt) as last from orchestrator.events where host is not null group by "
    "job, host) x where intents > 2 or last > 2 limit 1",

    "select format('shard %s: epoch %s comes behind epoch %s in job %s, event %s', shard, epoch, "
    "before, job, n) from (select *, lag(epoch) over (partition by job, shard order by n) as "
    "before "
    "from (select e.job, e.n, e.epoch, get_byte(j.shards, 2 * e.host::int) * 256 + "
    "get_byte(j.shards, 2 * e.host::int + 1) as shard from orchestrator.events e join "
    "orchestrator.jobs j on j.number = e.job where e.host is not null and e.epoch is not null) y) "
    "x where epoch < before limit 1",
};

static void ask_database(const struct cluster *c, struct buf *differences) {
    for (size_t i = 0; i < COUNT(questions); i++) {
        const char *wrong = lab_ask(c->database, questions[i]);
        if (*wrong != '\0') expect_differ(differences, "%s", wrong);
    }
}

// --- the devices

static int check_referee(const struct cluster *c, struct buf *differences, struct error *err) {
    cJSON *audit = NULL;
    int rc = client_get_json(c->simulator.url, NULL, "/audit/?violations", &audit, err);
    const cJSON *violations = get(audit, "violations");
    if (rc == 0 && cJSON_GetArraySize(violations) > 0) {
        char *text = cJSON_PrintUnformatted(violations);
        expect_differ(differences, "the referee saw: %.1000s", text);
        cJSON_free(text);
    }
    cJSON_Delete(audit);
    return rc;
}

static void judge(const cJSON *jobs, const cJSON *devices, const cJSON *born,
                  struct buf *differences) {
    cJSON *memory = cJSON_CreateObject();
    outcomes_check(&(struct outcomes){.jobs = get(jobs, "jobs"),
                                      .devices = get(devices, "devices"),
                                      .born = born,
                                      .since = "",
                                      .memory = memory},
                   differences);
    cJSON_Delete(memory);
}

int cluster_truth(const struct cluster *c, const cJSON *born, struct buf *differences,
                  unsigned *jobs, unsigned *hosts, struct error *err) {
    cJSON *told = NULL, *devices = NULL;
    const cJSON *job;
    int rc = read_jobs(c, &told, differences, err);
    if (rc == 0) rc = client_get_json(c->simulator.url, NULL, "/devices/", &devices, err);
    if (rc == 0) judge(told, devices, born, differences);
    if (rc == 0) ask_database(c, differences);
    if (rc == 0) rc = check_referee(c, differences, err);
    cJSON_ArrayForEach(job, get(told, "jobs")) {
        *jobs += 1;
        *hosts += (unsigned)cJSON_GetArraySize(get(job, "rows"));
    }
    cJSON_Delete(told);
    cJSON_Delete(devices);
    return rc;
}
