#include "scenarios/runner/heard.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/scrape.h"
#include "common/strmap.h"
#include "scenarios/runner/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIFFERENCES_MAX = 10 }; // that are told: the others are likely to be of the same kind

struct heard_host {
    struct heard_host *next;
    char *name;
    cJSON *row; // as it was heard last
    unsigned outcomes;
};

struct heard_job {
    struct heard_job *next;
    char *id;
    double n; // of its last event
    bool is_done;
    bool is_partial; // it had begun before the stream did
    struct strmap by_name;
    struct heard_host *hosts;
};

struct heard {
    bool may_forget, has_forgotten; // what was before the last snapshot
    struct heard_job *jobs;
    struct buf wrong;
    unsigned wrongs;
};

static void forget(struct heard *h) {
    while (h->jobs != NULL) {
        struct heard_job *job = h->jobs;
        h->jobs = job->next;
        while (job->hosts != NULL) {
            struct heard_host *host = job->hosts;
            job->hosts = host->next;
            cJSON_Delete(host->row);
            free(host->name);
            free(host);
        }
        strmap_deinit(&job->by_name);
        free(job->id);
        free(job);
    }
}

struct heard *heard_new(bool may_forget) {
    struct heard *h = mem_zalloc(sizeof *h);
    h->may_forget = may_forget;
    return h;
}

void heard_free(struct heard *h) {
    if (h == NULL) return;
    forget(h);
    buf_deinit(&h->wrong);
    free(h);
}

static bool tells_more(struct heard *h) {
    return h->wrongs++ < DIFFERENCES_MAX;
}

#define WRONG(h, ...)                                                                              \
    do {                                                                                           \
        if (tells_more(h)) expect_differ(&(h)->wrong, __VA_ARGS__);                                \
    } while (0)

// --- events

static struct heard_job *find_job(const struct heard *h, const char *id) {
    struct heard_job *job = h->jobs;
    while (job != NULL && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

static struct heard_job *job_of(struct heard *h, const char *id) {
    struct heard_job *job = find_job(h, id);
    if (job != NULL) return job;
    job = mem_zalloc(sizeof *job);
    job->id = mem_strdup(id);
    job->next = h->jobs;
    h->jobs = job;
    return job;
}

static void take_number(struct heard *h, struct heard_job *job, const cJSON *data) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(data, "n");
    const double n = cJSON_IsNumber(number) ? number->valuedouble : 0;
    if (n != job->n + 1 && !(job->is_partial && job->n == 0))
        WRONG(h, "job %s: event %.0f came behind event %.0f", job->id, n, job->n);
    if (job->is_done) WRONG(h, "job %s: event %.0f came behind its end", job->id, n);
    job->n = n;
}

static struct heard_host *host_of(struct heard_job *job, const char *name) {
    struct heard_host *host = strmap_get(&job->by_name, name);
    if (host != NULL) return host;
    host = mem_zalloc(sizeof *host);
    host->name = mem_strdup(name);
    host->next = job->hosts;
    job->hosts = host;
    strmap_put(&job->by_name, host->name, host);
    return host;
}

// Takes the row.
static void take_host(struct heard *h, struct heard_job *job, cJSON *row) {
    struct heard_host *host = host_of(job, json_text(row, "name"));
    if (host->outcomes > 0)
        WRONG(h, "job %s: %s of %s came behind its outcome", job->id, json_text(row, "kind"),
              host->name);
    host->outcomes += strcmp(json_text(row, "kind"), "outcome") == 0;
    cJSON_Delete(host->row);
    host->row = row;
}

// Of those that it has, and of those that were over before, not all is heard.
static void take_snapshot(struct heard *h, const cJSON *snapshot) {
    const cJSON *job;
    if (!h->may_forget)
        WRONG(h, "%s", "the stream of events began anew, though its id was of this store");
    forget(h);
    h->has_forgotten = true;
    cJSON_ArrayForEach(job, cJSON_GetObjectItemCaseSensitive(snapshot, "jobs"))
        job_of(h, json_text(job, "id"))
            ->is_partial = true;
}

void heard_take(struct heard *h, const char *name, const char *data) {
    const bool is_host = strcmp(name, "host") == 0;
    struct error err;
    cJSON *json = NULL;
    const bool is_snapshot = strcmp(name, "snapshot") == 0;
    if (!is_host && !is_snapshot && strcmp(name, "job") != 0) return;
    if (json_parse(data, strlen(data), &json, &err) != 0) {
        WRONG(h, "an event that is no JSON: %s: %.200s", err.text, data);
        return;
    }
    if (is_snapshot) {
        take_snapshot(h, json);
        cJSON_Delete(json);
        return;
    }
    struct heard_job *job = job_of(h, json_text(json, is_host ? "job" : "id"));
    take_number(h, job, json);
    if (is_host) {
        take_host(h, job, json);
        return;
    }
    job->is_done = strcmp(json_text(json, "state"), "done") == 0;
    cJSON_Delete(json);
}

bool heard_has_end_of(const struct heard *h, const char *id) {
    const struct heard_job *job = find_job(h, id);
    return job == NULL ? h->has_forgotten : job->is_done;
}

// --- against what is told when all is over

static void check_row(const struct heard_job *job, const cJSON *row, struct buf *differences) {
    static const char *const fields[] = {"site",    "dev_type",        "groups",       "state",
                                         "started", "duration_ms",     "from_version", "to_version",
                                         "error",   "skipped_because", "in_doubt"};
    const char *name = json_text(row, "name");
    const struct heard_host *host = strmap_get(&job->by_name, name);
    if (host == NULL || host->outcomes != 1) {
        expect_differ(differences, "job %s: %u outcomes of %s were heard", job->id,
                      host == NULL ? 0 : host->outcomes, name);
        return;
    }
    for (size_t i = 0; i < COUNT(fields); i++) {
        const cJSON *told = cJSON_GetObjectItemCaseSensitive(row, fields[i]);
        const cJSON *heard = cJSON_GetObjectItemCaseSensitive(host->row, fields[i]);
        if ((told == NULL && heard == NULL) || cJSON_Compare(told, heard, true)) continue;
        expect_differ(differences, "job %s: the %s of %s is told otherwise than it was heard",
                      job->id, fields[i], name);
    }
}

static void check_job(const struct heard *h, const cJSON *told, struct buf *differences) {
    const struct heard_job *job = find_job(h, json_text(told, "id"));
    const cJSON *row;
    if (strcmp(json_text(told, "state"), "done") != 0) return;
    if (job == NULL ? h->has_forgotten : job->is_partial) return;
    if (job == NULL || !job->is_done) {
        expect_differ(differences, "job %s is done, and its end was not heard",
                      json_text(told, "id"));
        return;
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(told, "rows"))
        check_row(job, row, differences);
}

void heard_check(const struct heard *h, const cJSON *jobs, struct buf *differences) {
    const cJSON *job;
    if (h->wrong.len > 0) buf_adds(differences, h->wrong.data);
    cJSON_ArrayForEach(job, jobs) check_job(h, job, differences);
}

// In a log as text: ":JOB:completed host:NAME:" or "skipped  host:NAME:", the level before it.
static unsigned count_lines(const char *log, const char *job, const char *host, const char *state) {
    char wanted[512];
    unsigned lines = 0;
    snprintf(wanted, sizeof wanted, ":%s:%s host:%.300s:", job,
             strcmp(state, "skipped") == 0 ? "skipped  " : "completed", host);
    for (const char *at = log; (at = strstr(at, wanted)) != NULL; at += strlen(wanted))
        lines++;
    return lines;
}

static bool is_within(const char *text, const char *begin, const char *end) {
    const char *found = strstr(begin, text);
    return found != NULL && found < end;
}

// In one as JSON: objects of that event of the job, with the host and the result.
static unsigned count_objects(const char *log, const char *job, const char *host,
                              const char *state) {
    char event[128], name[512], result[64];
    unsigned objects = 0;
    snprintf(event, sizeof event, "\"job\": \"%s\", \"event\": \"task_instance_completed\"", job);
    snprintf(name, sizeof name, "\"host\": \"%.300s\"", host);
    snprintf(result, sizeof result, "\"result\": \"%s\"", state);
    for (const char *at = log; (at = strstr(at, event)) != NULL; at += strlen(event)) {
        const char *end = at + strcspn(at, "\n");
        objects += is_within(name, at, end) && is_within(result, at, end);
    }
    return objects;
}

static void check_line(const char *log, const struct heard_job *job, const struct heard_host *host,
                       struct buf *differences) {
    const char *state = json_text(host->row, "state");
    const unsigned lines = log[0] == '{' ? count_objects(log, job->id, host->name, state)
                                         : count_lines(log, job->id, host->name, state);
    if (lines != 1)
        expect_differ(differences, "job %s: the log has %u lines that %s is %s", job->id, lines,
                      host->name, state);
}

void heard_check_log(const struct heard *h, const char *log, struct buf *differences) {
    if (log[0] == '\0') return;
    for (const struct heard_job *job = h->jobs; job != NULL; job = job->next)
        for (const struct heard_host *host = job->hosts; host != NULL; host = host->next)
            if (host->outcomes > 0) check_line(log, job, host, differences);
}

static unsigned count(const struct heard *h, const char *state) {
    unsigned hosts = 0;
    for (const struct heard_job *job = h->jobs; job != NULL; job = job->next)
        for (const struct heard_host *host = job->hosts; host != NULL; host = host->next)
            hosts += host->outcomes > 0 && strcmp(json_text(host->row, "state"), state) == 0;
    return hosts;
}

void heard_check_metrics(const struct heard *h, const char *scrape, struct buf *differences) {
    static const char *const states[] = {"changed", "unchanged", "failed", "skipped"};
    for (size_t i = 0; i < COUNT(states); i++) {
        char selector[64];
        double told;
        snprintf(selector, sizeof selector, "orchestrator_hosts_total{result=\"%s\"}", states[i]);
        scrape_sum(scrape, selector, &told);
        if (told != count(h, states[i]))
            expect_differ(differences, "%s is %.0f, and %u were heard", selector, told,
                          count(h, states[i]));
    }
}
