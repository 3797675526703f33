#include "orchestrator/job.h"

#include "common/json.h"
#include "common/mem.h"
#include "orchestrator/shards.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MAX = UINT16_MAX, ATTEMPTS_MAX = 2 };

struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    const char *request, struct inventory *inventory, struct selection *selection,
                    struct grouping *grouping) {
    struct job *job = mem_zalloc(sizeof *job);
    snprintf(job->id, sizeof job->id, "%s", id);
    job->request = mem_strdup(request == NULL ? "{}" : request);
    job->task = task;
    job->args = *args;
    job->inventory = inventory;
    job->selection = *selection;
    *selection = (struct selection){0};
    job->grouping = *grouping;
    *grouping = (struct grouping){0};
    job->hosts = mem_array(job->selection.count, sizeof *job->hosts);
    job->counts[HOST_WAITING] = job->selection.count;
    job->state = JOB_WAITING;
    return job;
}

void job_free(struct job *job) {
    if (job == NULL) return;
    for (size_t i = 0; i < job->selection.count; i++)
        free(job->hosts[i].text);
    free(job->hosts);
    free(job->shards);
    free(job->left);
    free(job->key);
    free(job->request);
    free(job->why);
    free(job->version_list);
    texts_deinit(&job->versions);
    grouping_deinit(&job->grouping);
    selection_deinit(&job->selection);
    selection_deinit(&job->whole_selection);
    inventory_unref(job->whole);
    free(job->whole_hosts);
    inventory_unref(job->inventory);
    free(job);
}

// --- in another inventory

// By order, as long as they stand in the same one; else by name.
static const struct host *find_host(const struct inventory *in, const char *name, size_t *next,
                                    struct strmap *names) {
    while (*next < in->count && strcmp(in->hosts[*next].name, name) != 0)
        ++*next;
    if (*next < in->count) return &in->hosts[(*next)++];
    for (size_t i = 0; names->count == i && i < in->count; i++)
        strmap_put(names, in->hosts[i].name, &in->hosts[i]);
    return strmap_get(names, name);
}

static uint32_t *find_hosts(const struct inventory *of, const struct inventory *in) {
    uint32_t *found = mem_array(of->count, sizeof *found);
    struct strmap names = {0};
    size_t next = 0;
    for (size_t i = 0; i < of->count; i++) {
        const struct host *host = find_host(in, of->hosts[i].name, &next, &names);
        found[i] = host == NULL ? JOB_NOT_IN_WHOLE : (uint32_t)(host - in->hosts);
    }
    strmap_deinit(&names);
    return found;
}

void job_see_in(struct job *job, struct inventory *inventory, struct selection *selection) {
    inventory_unref(job->whole);
    selection_deinit(&job->whole_selection);
    free(job->whole_hosts);
    job->whole = inventory_ref(inventory);
    job->whole_selection = *selection;
    job->whole_hosts = find_hosts(job->inventory, inventory);
    *selection = (struct selection){0};
}

uint32_t job_in_whole(const struct job *job, uint32_t host) {
    return job->whole == NULL ? JOB_NOT_IN_WHOLE : job->whole_hosts[host];
}

// --- credentials of hosts in doubt

bool job_awaits_credentials(const struct job *job) {
    for (size_t i = 0; job->whole == NULL && job->in_doubt > 0 && i < job->selection.count; i++)
        if (job->hosts[i].is_in_doubt &&
            inventory_withholds_credentials(job->inventory, job->selection.hosts[i]))
            return true;
    return false;
}

void job_take_credentials(struct job *job, const struct inventory *today) {
    struct inventory *inventory = job->inventory;
    struct strmap doubts = {0};
    for (size_t i = 0; job->in_doubt > 0 && i < job->selection.count; i++) {
        const uint32_t number = job->selection.hosts[i];
        if (!job->hosts[i].is_in_doubt) continue;
        strmap_put(&doubts, inventory->hosts[number].name, &inventory->hosts[number]);
        if (inventory_withholds_credentials(inventory, number))
            inventory_set_credentials(inventory, number, (struct credentials){0});
    }
    for (size_t i = 0; doubts.count > 0 && i < today->count; i++) {
        const struct host *host = strmap_get(&doubts, today->hosts[i].name);
        const struct credentials own = inventory_credentials(today, i);
        if (host != NULL && (own.username != NULL || own.password != NULL))
            inventory_set_credentials(inventory, (size_t)(host - inventory->hosts), own);
    }
    strmap_deinit(&doubts);
}

// --- hosts

static int by_index(const void *key, const void *element) {
    uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)element;
    return (a > b) - (a < b);
}

static struct job_host *find(const struct job *job, uint32_t host) {
    const uint32_t *hosts = job->selection.hosts;
    if (job->selection.count == job->inventory->count) return &job->hosts[host]; // all are selected
    const uint32_t *found = bsearch(&host, hosts, job->selection.count, sizeof *hosts, by_index);
    return found == NULL ? NULL : &job->hosts[found - hosts];
}

uint32_t job_place(const struct job *job, uint32_t host) {
    const struct job_host *h = find(job, host);
    assert(h != NULL);
    return (uint32_t)(h - job->hosts);
}

const struct job_host *job_host(const struct job *job, uint32_t host) {
    const struct job_host *h = find(job, host);
    assert(h != NULL);
    return h;
}

bool job_is_waiting(const struct job *job, uint32_t host) {
    const struct job_host *h = find(job, host);
    return h != NULL && h->state == HOST_WAITING;
}

// --- versions

// Devices may say anything: beyond so many the rest is not told apart.
static uint16_t version_number(struct job *job, const char *version) {
    if (version == NULL) return 0;
    for (size_t i = 0; i < job->versions_count; i++)
        if (strcmp(job->version_list[i], version) == 0) return (uint16_t)(i + 1);
    if (job->versions_count == VERSIONS_MAX) return 0;
    job->version_list = mem_grow(job->version_list, &job->versions_cap, job->versions_count + 1,
                                 sizeof *job->version_list);
    job->version_list[job->versions_count++] = texts_keep(&job->versions, version);
    return (uint16_t)job->versions_count;
}

const char *job_version(const struct job *job, uint16_t number) {
    return number == 0 ? NULL : job->version_list[number - 1];
}

// --- what happens to a host

// Which states may follow which: the whole life of a host in a job. A result is final.
static bool may_follow(const struct job_host *h, const struct store_event *event) {
    const enum host_state from = (enum host_state)h->state;
    switch (event->kind) {
    case STORE_STARTED: // again, where the process that had it in hand is no more
        return from == HOST_WAITING || (from == HOST_IN_HAND && !h->has_intent);
    case STORE_INTENT: // one that was withdrawn may be asked for again
        return (from == HOST_WAITING || from == HOST_IN_HAND) && event->attempt >= 1 &&
               event->attempt <= ATTEMPTS_MAX;
    case STORE_WITHDRAWN:
        return from == HOST_IN_HAND && event->attempt <= ATTEMPTS_MAX;
    case STORE_OUTCOME:
        if (event->result == HOST_SKIPPED) return from == HOST_WAITING || from == HOST_IN_HAND;
        return from == HOST_IN_HAND && event->result > HOST_IN_HAND && event->result < HOST_STATES;
    case STORE_JOB:
        break;
    }
    return false;
}

static bool is_left(enum host_state state) {
    return state <= HOST_IN_HAND;
}

static void count_left(struct job *job, const struct job_host *h, uint32_t by) {
    struct job_left *left = &job->left[job->shards[h - job->hosts]];
    left->hosts += by;
    if (h->is_canary) left->canaries += by;
}

static void turn(struct job *job, struct job_host *h, enum host_state state) {
    if (job->left != NULL && !is_left(state)) count_left(job, h, UINT32_MAX); // one less
    job->counts[h->state]--;
    job->counts[state]++;
    job->canaries_left -= h->is_canary && state > HOST_IN_HAND; // a result is final
    h->state = (uint8_t)state;
}

static void set_in_doubt(struct job *job, struct job_host *h, bool is_in_doubt) {
    job->in_doubt += is_in_doubt;
    job->in_doubt -= h->is_in_doubt;
    h->is_in_doubt = is_in_doubt;
}

static void set_outcome(struct job *job, struct job_host *h, const struct store_event *event) {
    const uint16_t version = version_number(job, event->version);
    turn(job, h, event->result);
    job->progress_ms = event->wall_ms;
    if (h->attempt == 0)
        h->from = version; // as it was found
    else
        h->to = version;
    if (event->result == HOST_UNCHANGED) h->to = h->from;
    h->duration_ms = event->ms < UINT32_MAX ? (uint32_t)event->ms : UINT32_MAX;
    set_in_doubt(job, h, false);
    free(h->text);
    h->text = event->text == NULL ? NULL : mem_strdup(event->text);
}

static int apply_to_host(struct job *job, const struct store_event *event, struct error *err) {
    if (event->host >= job->selection.count)
        return error_set(err, "event %llu is of host %u, of %zu", (unsigned long long)event->n,
                         event->host, job->selection.count);
    struct job_host *h = &job->hosts[event->host];
    if (!may_follow(h, event))
        return error_set(err, "event %llu, of kind %d, may not follow: its host is %s",
                         (unsigned long long)event->n, (int)event->kind,
                         host_state_names[h->state]);
    switch (event->kind) {
    case STORE_STARTED:
        turn(job, h, HOST_IN_HAND);
        h->started_ms = event->wall_ms;
        break;
    case STORE_INTENT:
        turn(job, h, HOST_IN_HAND);
        h->attempt = event->attempt;
        h->has_intent = true;
        h->from = version_number(job, event->version);
        job->progress_ms = event->wall_ms;
        break;
    case STORE_WITHDRAWN:
        turn(job, h, HOST_WAITING);
        h->attempt = event->attempt;
        h->has_intent = false;
        set_in_doubt(job, h, false);
        break;
    default:
        set_outcome(job, h, event);
        break;
    }
    return 0;
}

static void count_all_left(struct job *job) {
    memset(job->left, 0, SHARDS * sizeof *job->left);
    for (size_t i = 0; i < job->selection.count; i++)
        if (is_left((enum host_state)job->hosts[i].state)) count_left(job, &job->hosts[i], 1);
}

void job_share_out(struct job *job, uint16_t *shards) {
    if (shards == NULL) return;
    free(job->shards);
    job->shards = shards;
    if (job->left == NULL) job->left = mem_array(SHARDS, sizeof *job->left);
    count_all_left(job);
}

// --- what happens to the job

static bool may_enter(enum job_state from, enum job_state to) {
    switch (to) {
    case JOB_WAITING:
    case JOB_RUNNING:
        return from == JOB_WAITING || from == JOB_PAUSED || from == JOB_RUNNING;
    case JOB_PAUSED:
    case JOB_CANCELLING:
        return from != JOB_DONE && from != JOB_CANCELLING;
    case JOB_DONE:
        return from != JOB_DONE;
    }
    return false;
}

static int apply_to_job(struct job *job, const struct store_event *event, struct error *err) {
    if (!may_enter(job->state, event->state))
        return error_set(err, "event %llu: the job cannot come from state %d to %d",
                         (unsigned long long)event->n, (int)job->state, (int)event->state);
    job->state = event->state;
    job->outcome = event->outcome;
    job->progress_ms = event->wall_ms;
    if (event->state == JOB_RUNNING && job->started_ms == 0) job->started_ms = event->wall_ms;
    if (event->state == JOB_DONE) job->ended_ms = event->wall_ms;
    char *why = event->text == NULL ? NULL : mem_strdup(event->text); // which may be its own
    free(job->why);
    job->why = why;
    return 0;
}

int job_apply(struct job *job, const struct store_event *event, struct error *err) {
    return event->kind == STORE_JOB ? apply_to_job(job, event, err)
                                    : apply_to_host(job, event, err);
}

void job_stop_write(struct buf *out, const char *reason, const char *host) {
    buf_adds(out, "{\"reason\": ");
    buf_add_json(out, reason);
    buf_adds(out, ", \"host\": ");
    if (host == NULL)
        buf_adds(out, "null");
    else
        buf_add_json(out, host);
    buf_adds(out, "}");
}

void job_stop_write_skipped(struct buf *out, enum job_outcome outcome, const char *why) {
    cJSON *stop = NULL;
    struct error err;
    if (outcome == JOB_CANCELLED) {
        buf_adds(out, "cancelled");
        return;
    }
    if (why != NULL && json_parse(why, strlen(why), &stop, &err) != 0) stop = NULL;
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(stop, "reason"));
    buf_addf(out, "stopped by %s", reason == NULL ? "a brake" : reason);
    cJSON_Delete(stop);
}

static void settle(struct job *job, struct job_host *h) {
    if (h->state != HOST_IN_HAND) return;
    set_in_doubt(job, h, h->has_intent);
    if (!h->has_intent) turn(job, h, HOST_WAITING);
}

void job_settle(struct job *job) {
    for (size_t i = 0; i < job->selection.count; i++)
        settle(job, &job->hosts[i]);
}

void job_settle_in(struct job *job, const bool *shards) {
    for (size_t i = 0; i < job->selection.count; i++)
        if (shards[job_shard(job, (uint32_t)i)]) settle(job, &job->hosts[i]);
}

void job_rewind(struct job *job) {
    memset(job->counts, 0, sizeof job->counts);
    job->counts[HOST_WAITING] = job->selection.count;
    job->in_doubt = job->canaries_left = 0;
    for (size_t i = 0; i < job->selection.count; i++) {
        struct job_host *h = &job->hosts[i];
        const bool is_canary = h->is_canary;
        free(h->text);
        *h = (struct job_host){.is_canary = is_canary};
        job->canaries_left += is_canary;
    }
    if (job->left != NULL) count_all_left(job);
    free(job->why);
    job->why = NULL;
    job->state = JOB_WAITING;
    job->outcome = JOB_NO_OUTCOME;
    job->started_ms = job->ended_ms = job->progress_ms = 0;
}

// --- the report

static void write_list(struct buf *out, const struct job *job, const char *name, unsigned states) {
    buf_addf(out, "\"%s\": [", name);
    const char *comma = "";
    for (size_t i = 0; i < job->selection.count; i++) {
        if ((states >> job->hosts[i].state & 1) == 0) continue;
        buf_adds(out, comma);
        buf_add_json(out, job->inventory->hosts[job->selection.hosts[i]].name);
        comma = ", ";
    }
    buf_adds(out, "]");
}

// A store that is damaged may have anything.
static bool is_object(const char *text) {
    cJSON *json = NULL;
    struct error err;
    const bool is_json =
        text != NULL && text[0] == '{' && json_parse(text, strlen(text), &json, &err) == 0;
    cJSON_Delete(json);
    return is_json;
}

// {"hosts": {"leaf00.earth": what it told}, "failed": {"leaf01.earth": why}}
static void write_told(struct buf *out, const struct job *job, const char *name, unsigned states) {
    buf_addf(out, "\"%s\": {", name);
    const char *comma = "";
    for (size_t i = 0; i < job->selection.count; i++) {
        const struct job_host *h = &job->hosts[i];
        if ((states >> h->state & 1) == 0) continue;
        buf_adds(out, comma);
        buf_add_json(out, job->inventory->hosts[job->selection.hosts[i]].name);
        buf_adds(out, ": ");
        if (h->state == HOST_UNCHANGED && is_object(h->text))
            buf_adds(out, h->text);
        else
            buf_add_json(out, h->text == NULL ? "" : h->text);
        comma = ", ";
    }
    buf_adds(out, "}");
}

static char *readings_json(const struct job *job, size_t *len) {
    struct buf out = {0};
    buf_adds(&out, "{");
    write_told(&out, job, "hosts", 1U << HOST_UNCHANGED);
    buf_adds(&out, ", ");
    write_told(&out, job, "failed", 1U << HOST_FAILED | 1U << HOST_SKIPPED);
    buf_adds(&out, "}\n");
    *len = out.len;
    return buf_take(&out);
}

char *job_report_json(const struct job *job, size_t *len) {
    struct buf out = {0};
    if (job->task->reads) return readings_json(job, len);
    buf_adds(&out, "{");
    write_list(&out, job, "failed", 1U << HOST_FAILED);
    buf_adds(&out, ", ");
    write_list(&out, job, "skipped", 1U << HOST_SKIPPED);
    buf_adds(&out, ", ");
    write_list(&out, job, "completed", 1U << HOST_CHANGED | 1U << HOST_UNCHANGED);
    buf_adds(&out, "}\n");
    *len = out.len;
    return buf_take(&out);
}
