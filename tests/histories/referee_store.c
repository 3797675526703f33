// The promises of what is kept: batch by batch, and when all is over. The numbers of events are
// counted here once more.
#include "tests/histories/world_internal.h"

static struct kept_job *by_number(struct world *w, uint64_t number) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (w->jobs[i].number == number) return &w->jobs[i];
    return NULL;
}

static void keep_create(struct world *w, const struct store_op *op) {
    struct kept_job *kept = &w->jobs[op->job.id[0] - '0'];
    if (op->status != STORE_OK) return;
    kept->number = op->n;
    kept->state = JOB_WAITING;
}

static void keep_forget(struct world *w, const struct store_op *op) {
    struct kept_job *kept = &w->jobs[op->job.id[0] - '0'];
    if (kept->is_created)
        story_broken(w, one_outcome, "job %s is forgotten, and its client was told of it",
                     op->job.id);
    *kept = (struct kept_job){.view = kept->view};
}

static void check_number(struct world *w, const struct store_op *op, uint64_t n) {
    if (op->n != n)
        story_broken(w, one_outcome, "event %llu of job %llu comes as number %llu",
                     (unsigned long long)n, (unsigned long long)op->event.job,
                     (unsigned long long)op->n);
}

static void keep_of_host(const struct world *w, struct kept_job *kept,
                         const struct store_event *event) {
    const unsigned host = plan_host_at(w->plan, (unsigned)(kept - w->jobs), event->host);
    kept->last[host] = event->kind;
    if (event->kind == STORE_INTENT) kept->attempt[host] = event->attempt;
    if (event->kind == STORE_OUTCOME) kept->result[host] = event->result;
}

static void keep_event(struct world *w, const struct store_op *op) {
    const struct store_event *event = &op->event;
    struct kept_job *kept = by_number(w, event->job);
    const bool is_held = op->status == STORE_HELD;
    if (kept == NULL) {
        story_broken(w, one_outcome, "an event of job %llu, which is not there",
                     (unsigned long long)event->job);
    } else if (is_held && (event->kind != STORE_INTENT || kept->state != JOB_PAUSED)) {
        story_broken(w, one_outcome, "an event of job %llu is held, for no reason",
                     (unsigned long long)event->job);
    } else if (!is_held) {
        check_number(w, op, ++kept->n);
        if (event->kind == STORE_JOB)
            kept->state = event->state;
        else
            keep_of_host(w, kept, event);
    }
}

// The same batch again, for its answer was lost: the same answers.
static void check_again(struct world *w, const struct store_batch *batch) {
    uint64_t n[PLAN_JOBS];
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        n[i] = w->jobs[i].n_before;
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_op *op = &batch->ops[i];
        if (op->kind != STORE_APPEND || op->status == STORE_HELD) continue;
        const struct kept_job *kept = by_number(w, op->event.job);
        if (kept != NULL) check_number(w, op, ++n[kept - w->jobs]);
    }
}

void referee_kept(struct world *w, const struct store_batch *batch) {
    if (batch->number == w->last_beat && batch->ops[0].kind != STORE_FORGET) {
        check_again(w, batch);
        return;
    }
    w->last_beat = batch->number;
    w->last_wall_ms = world_wall_ms(w);
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        w->jobs[i].n_before = w->jobs[i].n;
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_op *op = &batch->ops[i];
        if (op->kind == STORE_CREATE) keep_create(w, op);
        if (op->kind == STORE_FORGET) keep_forget(w, op);
        if (op->kind == STORE_APPEND) keep_event(w, op);
    }
}

// --- all is over

struct last {
    struct world *w;
    unsigned job;
    enum host_state results[PLAN_HOSTS];
    unsigned outcomes[PLAN_HOSTS];
    struct store_job row; // without its strings
    uint64_t n;
};

static bool on_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct last *last = arg;
    (void)event;
    last->row = *row;
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct last *last = arg;
    (void)row;
    if (event->n != ++last->n)
        story_broken(last->w, one_outcome, "job %u has an event %llu behind %llu", last->job,
                     (unsigned long long)event->n, (unsigned long long)last->n - 1);
    if (event->kind != STORE_OUTCOME) return true;
    const unsigned host = plan_host_at(last->w->plan, last->job, event->host);
    last->results[host] = event->result;
    last->outcomes[host]++;
    return true;
}

// A job that may not go on keeps the groups of its hosts in doubt until it is cancelled.
static bool is_held_up(const struct world *w) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (w->jobs[i].is_refused) return true;
    return false;
}

static void check_hosts(struct world *w, unsigned job, const struct last *last) {
    uint64_t results[HOST_STATES] = {0};
    for (unsigned h = 0; h < w->plan->hosts; h++) {
        const enum host_state told = w->jobs[job].told[h];
        if ((w->plan->jobs[job].hosts >> h & 1) == 0) continue;
        w->verdict->hosts++;
        results[last->results[h]]++;
        if (last->outcomes[h] != 1)
            story_broken(w, one_outcome, "job %u has %u outcomes of h%u", job, last->outcomes[h],
                         h);
        if (told != HOST_WAITING && told != last->results[h])
            story_broken(w, one_outcome, "job %u told %s of h%u, and the store says %s", job,
                         host_state_names[told], h, host_state_names[last->results[h]]);
    }
    for (enum host_state state = HOST_WAITING; state < HOST_STATES; state++)
        if (results[state] != last->row.results[state])
            story_broken(w, one_outcome, "the row of job %u counts %llu of %llu %s", job,
                         (unsigned long long)last->row.results[state],
                         (unsigned long long)results[state], host_state_names[state]);
    if ((last->row.outcome == JOB_COMPLETED) != (results[HOST_FAILED] + results[HOST_SKIPPED] == 0))
        story_broken(w, one_outcome, "the outcome of job %u is not what its hosts say", job);
}

static void check_job(struct world *w, unsigned job) {
    struct last last = {.w = w, .job = job};
    const char id[2] = {(char)('0' + job), 0};
    struct error err;
    struct store_query query = {.kind = STORE_READ_JOB, .id = id};
    store_memory.read(w->db, &query, on_row, &last, &err);
    if (last.row.number == 0) {
        if (w->jobs[job].is_created) story_broken(w, one_outcome, "job %u is lost", job);
        return;
    }
    if (last.row.state != JOB_DONE) {
        if (!is_held_up(w)) story_broken(w, comes_to_an_end, "job %u never ends", job);
        return;
    }
    query = (struct store_query){.kind = STORE_READ_EVENTS, .job = last.row.number};
    if (store_memory.read(w->db, &query, on_event, &last, &err) != 0)
        story_broken(w, one_outcome, "the events of job %u: %s", job, err.text);
    w->verdict->jobs++;
    check_hosts(w, job, &last);
}

void referee_end(struct world *w) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (!w->plan->jobs[i].is_absent) check_job(w, i);
}
