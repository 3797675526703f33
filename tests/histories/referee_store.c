// The promises of what is kept: batch by batch, and when all is over. The numbers of events are
// counted here once more.
#include "tests/histories/world_internal.h"

struct kept_job *referee_numbered(struct world *w, uint64_t number) {
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
    *kept = (struct kept_job){
        .asked = kept->asked, .hosts = kept->hosts, .canaries = kept->canaries, .view = kept->view};
}

static void check_number(struct world *w, const struct store_op *op, uint64_t n) {
    if (op->n != n)
        story_broken(w, one_outcome, "event %llu of job %llu comes as number %llu",
                     (unsigned long long)n, (unsigned long long)op->event.job,
                     (unsigned long long)op->n);
}

static void keep_of_host(const struct world *w, struct kept_job *kept,
                         const struct store_event *event) {
    const unsigned host = plan_host_at(kept->hosts, event->host);
    kept->last[host] = event->kind;
    if (event->kind == STORE_INTENT) {
        kept->attempt[host] = event->attempt;
        kept->n_intent[host] = kept->n;
    }
    if (event->kind != STORE_OUTCOME) return;
    kept->result[host] = event->result;
    if (kept->n_braked == 0 && referee_is_braked(w, (unsigned)(kept - w->jobs)))
        kept->n_braked = kept->n;
}

static void keep_of_job(struct world *w, struct kept_job *kept, const struct store_event *event) {
    const unsigned job = (unsigned)(kept - w->jobs);
    if (kept->state == JOB_CANCELLING && event->state != JOB_DONE)
        story_broken(w, stays_stopped, "job %u is stopped, and then it is in state %d", job,
                     (int)event->state);
    kept->state = event->state;
    if (event->state == JOB_RUNNING && kept->running_ms == 0) kept->running_ms = event->wall_ms;
    if (event->state == JOB_PAUSED) kept->n_paused = kept->n;
    if (event->state == JOB_CANCELLING) {
        kept->n_stopping = kept->n;
        kept->stop = event->outcome;
    }
    if (event->state == JOB_DONE) clients_done(w, job);
}

static bool takes_intents(const struct kept_job *kept) {
    return kept->state == JOB_RUNNING;
}

static void note_held(struct world *w, struct kept_job *kept, const struct store_event *event) {
    if (event->kind != STORE_INTENT || takes_intents(kept)) {
        story_broken(w, one_outcome, "an event of job %d is held, for no reason",
                     (int)(kept - w->jobs));
        return;
    }
    const unsigned host = plan_host_at(kept->hosts, event->host);
    if (kept->asked_last[host] == STORE_INTENT) kept->asked_last[host] = kept->last[host];
}

static void keep_event(struct world *w, const struct store_op *op) {
    const struct store_event *event = &op->event;
    struct kept_job *kept = referee_numbered(w, event->job);
    if (kept == NULL) {
        story_broken(w, one_outcome, "an event of job %llu, which is not there",
                     (unsigned long long)event->job);
        return;
    }
    if (op->status == STORE_HELD) {
        note_held(w, kept, event);
        return;
    }
    check_number(w, op, ++kept->n);
    if (event->kind == STORE_INTENT && !takes_intents(kept))
        story_broken(w, stays_stopped, "an intent of job %d is kept, which is paused or stopped",
                     (int)(kept - w->jobs));
    if (event->kind == STORE_JOB)
        keep_of_job(w, kept, event);
    else
        keep_of_host(w, kept, event);
}

// The same batch again, for its answer was lost: the same answers.
static void check_again(struct world *w, const struct store_batch *batch) {
    uint64_t n[PLAN_JOBS];
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        n[i] = w->jobs[i].n_before;
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_op *op = &batch->ops[i];
        if (op->kind != STORE_APPEND || op->status == STORE_HELD) continue;
        const struct kept_job *kept = referee_numbered(w, op->event.job);
        if (kept != NULL) check_number(w, op, ++n[kept - w->jobs]);
    }
}

// What only drops may be done twice, and is written each time.
static bool is_only_answered(const struct world *w, const struct store_batch *batch) {
    const enum store_op_kind kind = batch->ops[0].kind;
    return batch->number == w->last_beat && kind != STORE_FORGET && kind != STORE_RETAIN;
}

void referee_kept(struct world *w, const struct store_batch *batch) {
    if (is_only_answered(w, batch)) {
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
    if (row->state == JOB_DONE) referee_check_end(last->w, last->job, row);
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct last *last = arg;
    (void)row;
    if (event->n != ++last->n)
        story_broken(last->w, one_outcome, "job %u has an event %llu behind %llu", last->job,
                     (unsigned long long)event->n, (unsigned long long)last->n - 1);
    if (event->kind != STORE_OUTCOME) return true;
    const unsigned host = plan_host_at(last->w->jobs[last->job].hosts, event->host);
    last->results[host] = event->result;
    last->outcomes[host]++;
    return true;
}

static void check_hosts(struct world *w, unsigned job, const struct last *last) {
    uint64_t results[HOST_STATES] = {0};
    for (unsigned h = 0; h < w->plan->hosts; h++) {
        const enum host_state told = w->jobs[job].told[h];
        if ((w->jobs[job].hosts >> h & 1) == 0) continue;
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
    if (w->jobs[job].stop == JOB_NO_OUTCOME &&
        (last->row.outcome == JOB_COMPLETED) != (results[HOST_FAILED] + results[HOST_SKIPPED] == 0))
        story_broken(w, one_outcome, "the outcome of job %u is not what its hosts say", job);
}

static void check_job(struct world *w, unsigned job) {
    struct last last = {.w = w, .job = job};
    const char id[2] = {(char)('0' + job), 0};
    struct error err;
    struct store_query query = {.kind = STORE_READ_JOB, .id = id};
    world_back(w)->read(w->db, &query, on_row, &last, &err);
    if (last.row.number == 0) {
        if (w->jobs[job].is_created) story_broken(w, one_outcome, "job %u is lost", job);
        return;
    }
    if (last.row.state != JOB_DONE) {
        story_broken(w, comes_to_an_end, "job %u never ends", job);
        return;
    }
    query = (struct store_query){.kind = STORE_READ_EVENTS, .job = last.row.number};
    if (world_back(w)->read(w->db, &query, on_event, &last, &err) != 0)
        story_broken(w, one_outcome, "the events of job %u: %s", job, err.text);
    w->verdict->jobs++;
    check_hosts(w, job, &last);
}

void referee_end(struct world *w) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (!w->plan->jobs[i].is_absent) check_job(w, i);
}
