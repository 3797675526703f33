// Jobs of a store that several nodes share, which this node has not known. Each is read, looked up
// in today's inventory and given to the gate; where the inventory cannot be read all of them wait.
//
//   asked for -> read on the store's thread -> looked up, in order of arrival -> told
#include "orchestrator/recover_join.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/job_look_up.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/recover_internal.h"
#include "orchestrator/resume.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct joining { // a job of the store that is new here
    struct joining *next;
    struct recovery *recovery;
    struct left left;
    struct job *job; // NULL: it is done, or gone
    uint64_t n;
    int rc;
    struct error err;
    bool is_first, reads;
    recovery_joined told;
    void *arg;
};

static void free_joining(struct joining *one) {
    job_free(one->job);
    free(one->left.image);
    free(one);
}

void recovery_joins_begin(struct recovery *r) {
    uv_timer_init(r->config.loop, &r->joins.again);
    r->joins.again.data = r;
    r->joins.begun_ms = clock_boot_ms();
}

void recovery_joins_stop(struct recovery *r) {
    if (r->joins.fetches) fetcher_forget(r->config.fetcher, &r->joins);
    r->joins.fetches = false;
    r->joins.is_stopped = true;
    uv_close((uv_handle_t *)&r->joins.again, NULL);
}

void recovery_joins_free(struct recovery *r) {
    for (struct joining *one = r->joins.first, *next; one != NULL; one = next) {
        next = one->next;
        free_joining(one);
    }
}

static void join_all(struct recovery *r);

static void on_join_again(uv_timer_t *timer) {
    join_all(timer->data);
}

// For how long nobody may have been at work, by the database's clock alone: nodes keep its time,
// and no clock of theirs is compared with it. While this node waits for its inventory others may
// work.
static struct resume_facts facts_of(const struct recovery *r) {
    const struct store_found *found = store_found(r->config.store);
    const bool has_others = gate_configuration(r->config.gate)->held->has_others;
    const uint64_t waited_ms = has_others ? 0 : clock_boot_ms() - r->joins.begun_ms;
    return (struct resume_facts){.now_ms = found->now_ms + (long long)waited_ms,
                                 .alive_ms = found->alive_ms,
                                 .within_ms = r->config.resume_within_ms};
}

// The store was written so lately that whoever did is at work still, as far as anybody knows.
static bool is_alive(const struct resume_facts *facts) {
    return llabs(facts->now_ms - facts->alive_ms) < LEASE_TTL_MS;
}

// Whether the job is to be paused, and why: as for all jobs that an earlier process has left,
// unless another node is at work on them.
static bool is_to_pause(const struct joining *one, const struct buf *differs, struct buf *why) {
    const struct resume_facts facts = facts_of(one->recovery);
    const char *text = differs->len == 0 ? NULL : differs->data;
    if (one->is_first && !is_alive(&facts)) return resume_is_paused(one->job, &facts, text, why);
    if (text != NULL) buf_adds(why, text);
    return text != NULL;
}

// As it was kept: whoever looks it up again compares it with that. Of jobs that are over nothing is
// needed any more.
static void keep_image(struct recovery *r, struct left *joined) {
    for (struct left **link = &r->jobs; *link != NULL;) {
        struct left *left = *link;
        if (jobs_numbered(r->config.jobs, left->number) != NULL) {
            link = &left->next;
            continue;
        }
        *link = left->next;
        recovery_free_left(left);
    }
    struct left *left = mem_alloc(sizeof *left);
    *left = *joined;
    left->next = r->jobs;
    r->jobs = left;
    joined->image = NULL;
}

static void give_to_gate(struct joining *one, struct inventory *inventory) {
    struct recovery *r = one->recovery;
    struct job *job = one->job;
    struct buf differs = {0}, why = {0};
    job_look_up(job, r->config.policy, inventory, one->left.image, one->left.image_len, &differs);
    const bool is_paused = is_to_pause(one, &differs, &why);
    if (is_paused && job->state != JOB_PAUSED) recovery_say_paused(job, why.data);
    jobs_add(r->config.jobs, job);
    if (differs.len > 0) keep_image(r, &one->left);
    gate_join(r->config.gate, job, is_paused ? why.data : NULL);
    buf_deinit(&differs);
    buf_deinit(&why);
}

// The gate may end the job at once.
static void join(struct joining *one, struct inventory *inventory) {
    if (one->job != NULL) give_to_gate(one, inventory);
    one->told(one->arg, one->left.number, one->job, one->n);
    one->job = NULL;
    free_joining(one);
}

static void on_inventory_for_joins(void *arg, struct inventory *inventory,
                                   const struct error *why) {
    struct recovery *r = (struct recovery *)((char *)arg - offsetof(struct recovery, joins));
    r->joins.fetches = false;
    if (inventory == NULL) {
        r->joins.why = *why;
        uv_timer_start(&r->joins.again, on_join_again, PAUSE_FIRST_MS, 0);
        return;
    }
    r->joins.why.text[0] = '\0';
    for (struct joining **link = &r->joins.first; *link != NULL;) {
        struct joining *one = *link;
        if (one->reads) { // it has come meanwhile
            link = &one->next;
            continue;
        }
        *link = one->next;
        join(one, inventory);
    }
    inventory_unref(inventory);
    join_all(r);
}

// Those that are read, in order of arrival.
static void join_all(struct recovery *r) {
    const struct joining *one = r->joins.first;
    while (one != NULL && one->reads)
        one = one->next;
    if (one == NULL || r->joins.fetches || r->joins.is_stopped) return;
    r->joins.fetches = true;
    fetcher_ask(r->config.fetcher, on_inventory_for_joins, &r->joins);
}

static bool on_joined_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct joining *one = arg;
    (void)event;
    if (row->state == JOB_DONE) return false;
    one->job = job_from_store(row, &one->err);
    if (one->job == NULL) one->rc = ERROR_INPUT;
    if (one->job == NULL) return false;
    one->job->n = 0;
    one->left.image = mem_alloc(row->image_len);
    memcpy(one->left.image, row->image, row->image_len);
    one->left.image_len = row->image_len;
    if (row->shards == NULL) return true;
    uint16_t *shards = mem_array(row->hosts, sizeof *shards);
    memcpy(shards, row->shards, row->hosts * sizeof *shards);
    job_share_out(one->job, shards);
    return true;
}

static bool on_joined_event(void *arg, const struct store_job *row,
                            const struct store_event *event) {
    struct joining *one = arg;
    (void)row;
    one->rc = job_apply(one->job, event, &one->err);
    one->n = event->n;
    one->job->n = event->n;
    return one->rc == 0;
}

static void read_to_join(void *arg, const struct store_reader *reader) {
    struct joining *one = arg;
    struct store_query query = {.kind = STORE_READ_JOB, .job = one->left.number};
    int rc = store_rows(reader, &query, on_joined_row, one, &one->err);
    if (rc == 0) rc = one->rc;
    query.kind = STORE_READ_EVENTS;
    if (rc == 0 && one->job != NULL)
        rc = store_rows(reader, &query, on_joined_event, one, &one->err);
    if (rc == 0) rc = one->rc;
    one->rc = rc;
    const bool is_over = one->job != NULL && one->job->state == JOB_DONE;
    if (rc == 0 && !is_over) return;
    job_free(one->job);
    one->job = NULL;
}

static void on_read_to_join(void *arg) {
    struct joining *one = arg;
    struct recovery *r = one->recovery;
    one->reads = false;
    if (r->joins.is_stopped) return;
    if (one->rc == 0) {
        join_all(r);
        return;
    }
    // It is looked for again with the next look.
    struct joining **link = &r->joins.first;
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
    r->joins.why = one->err;
    one->told(one->arg, one->left.number, NULL, 0);
    free_joining(one);
}

void recovery_join(struct recovery *r, uint64_t number, bool is_first, recovery_joined told,
                   void *arg) {
    struct joining **end = &r->joins.first;
    struct joining *one = mem_alloc(sizeof *one);
    *one = (struct joining){.recovery = r,
                            .left = {.number = number},
                            .is_first = is_first,
                            .reads = true,
                            .told = told,
                            .arg = arg};
    while (*end != NULL)
        end = &(*end)->next;
    *end = one;
    store_read(r->config.store, read_to_join, on_read_to_join, one);
}

bool recovery_is_idle(const struct recovery *r) {
    const struct joining *one = r->joins.first;
    while (one != NULL && !one->reads)
        one = one->next;
    return one == NULL;
}

const char *recovery_joins_wait(const struct recovery *r) {
    return r->joins.first != NULL && r->joins.why.text[0] != '\0' ? r->joins.why.text : NULL;
}
