#include "orchestrator/gate_nodes.h"

#include "common/mem.h"
#include "orchestrator/gate_internal.h"

#include <assert.h>
#include <stdlib.h>

// --- what other nodes say of a job

// Where this node has paused it meanwhile, that is to be heard yet.
static void heard_running(struct run *run) {
    struct gate *g = run->gate;
    if (run->state != RUN_WAITING) return;
    run_open(run);
    gate_start(g);
}

// It has been let go on at another node, which has found it to be the same. Here it stays paused,
// whatever is heard, until this node has found that too: of its hosts it knows no credentials, and
// of its groups nothing but what they were.
static void heard_going_on(struct run *run) {
    const struct gate *g = run->gate;
    if (run->state != RUN_PAUSED) return;
    if (run_is_strange(run))
        g->shell.look_up(g->shell.self, run->job);
    else
        run_wait_again(run);
}

bool gate_looked_up(struct gate *g, struct job *job, const char *why) {
    const struct store_event pause = {.state = JOB_PAUSED, .text = why};
    struct run *run = gate_run_of(g, job);
    if (run == NULL) return false;
    for (struct flight *flight = g->flights; flight != NULL; flight = flight->next)
        if (flight->run == run) flight_ask_doubt(flight);
    if (run->state != RUN_PAUSED || job->state == JOB_PAUSED) return false;
    if (why != NULL)
        run_note_job(run, &pause, NULL, NULL);
    else if (job->state == JOB_RUNNING)
        run_go_on(run);
    else
        run_wait_again(run);
    return why != NULL;
}

// What this node has said itself is heard by all others: those behind the run may go, if nobody has
// hosts of it in hand.
static void held_back_everywhere(struct run *run) {
    struct gate *g = run->gate;
    run_host_over(run);
    gate_start(g);
}

static void heard_paused(struct run *run, const char *why) {
    if (run->state == RUN_PAUSED) {
        held_back_everywhere(run);
    } else if (run->state == RUN_WAITING || run->state == RUN_OPEN) {
        run_pause(run, why == NULL ? "by another node" : why);
        run_hold_back(run);
    }
}

// The store has not kept an end that says nothing of that.
static void end_again(struct run *run) {
    const struct store_event event = run_end_event(run);
    if (gate_leads(run->gate)) run_note_job(run, &event, NULL, NULL);
}

static void heard_stopped(struct run *run, const struct store_event *event) {
    if (run->state == RUN_STOPPED) {
        held_back_everywhere(run);
    } else if (run->state == RUN_ENDING) {
        end_again(run);
    } else {
        run_stop(run, event->outcome, event->text);
        run_hold_back(run);
    }
}

// Hosts whose outcome is kept may have their logout before them still.
static void heard_done(struct run *run) {
    if (run->flights > 0)
        run->is_over = true;
    else
        run_end(run);
}

static void heard_of_job(struct run *run, const struct store_event *event) {
    const enum job_state before = run->job->state;
    run_apply(run, event);
    switch (event->state) {
    case JOB_WAITING:
        if (before == JOB_PAUSED) heard_going_on(run);
        break;
    case JOB_RUNNING:
        heard_running(run);
        break;
    case JOB_PAUSED:
        heard_paused(run, event->text);
        break;
    case JOB_CANCELLING:
        heard_stopped(run, event);
        break;
    case JOB_DONE:
        heard_done(run);
        break;
    }
}

// What is over elsewhere may be the last, of the job or of its canaries, or one too many.
static void heard_of_host(struct run *run, const struct store_event *event) {
    struct gate *g = run->gate;
    run_apply(run, event);
    if (event->kind == STORE_OUTCOME) brakes_check(run, run->job->selection.hosts[event->host]);
    run_host_over(run);
    gate_start(g);
}

void gate_heard(struct gate *g, struct job *job, const struct store_event *event) {
    struct run *run = gate_run_of(g, job);
    if (run == NULL) return;
    if (event->kind == STORE_JOB)
        heard_of_job(run, event);
    else if (event->epoch == 0 || event->epoch != g->config.held->own[job_shard(job, event->host)])
        heard_of_host(run, event);
    else
        run_finish_if_done(run); // its own, which is applied
}

bool gate_ask_to_go_on(struct gate *g, struct job *job, gate_kept kept, void *arg) {
    const struct store_event event = {.state = JOB_WAITING, .text = "it is resumed"};
    struct run *run = gate_run_of(g, job);
    if (run == NULL || run->state != RUN_PAUSED) return false;
    run_note_job(run, &event, kept, arg);
    return true;
}

// --- shards come and go

// Whether it was in contact; a session that is kept for it is let go.
static bool let_go_of_contact(struct gate *g, const struct host *host) {
    struct device *device = peers_find(g->peers, host);
    if (device == NULL || (device->turn == NULL && device->contact == NULL)) return false;
    peers_keep_not(g->peers, device);
    return true;
}

bool gate_make_way(struct gate *g, const bool *shards) {
    bool is_clear = true;
    for (const struct run *run = g->runs; run != NULL; run = run->next) {
        const struct job *job = run->job;
        for (uint32_t i = 0; i < job->selection.count && job->counts[HOST_IN_HAND] > 0; i++)
            if (job->hosts[i].state == HOST_IN_HAND && job->hosts[i].has_intent &&
                shards[job_shard(job, i)] &&
                let_go_of_contact(g, &job->inventory->hosts[job->selection.hosts[i]]))
                is_clear = false;
    }
    gate_pump(g);
    return is_clear;
}

// Those cohorts of the job whose shard is marked; a cohort is never cut.
static uint32_t *cohorts_in(const struct job *job, const bool *shards, size_t *count) {
    const struct grouping *grouping = &job->grouping;
    uint32_t *cohorts = mem_array(grouping->cohorts_count, sizeof *cohorts);
    *count = 0;
    for (uint32_t i = 0; i < grouping->cohorts_count; i++) {
        const uint32_t place = job_place(job, grouping->order[grouping->cohorts[i].first]);
        if (shards[job_shard(job, place)]) cohorts[(*count)++] = i;
    }
    return cohorts;
}

// What the node before had in hand, and would not have changed yet, waits again: all nodes are to
// know, for it counts among the workers of the job.
static void withdraw_in(struct run *run, const bool *shards) {
    const struct job *job = run->job;
    for (uint32_t i = 0; i < job->selection.count && job->counts[HOST_IN_HAND] > 0; i++) {
        const struct job_host *h = &job->hosts[i];
        if (h->state == HOST_IN_HAND && !h->has_intent && shards[job_shard(job, i)])
            run_note(run, (struct store_event){
                              .kind = STORE_WITHDRAWN, .host = i, .attempt = h->attempt});
    }
}

// What is in doubt is asked in jobs that are paused, too.
static void take_on(struct run *run, const bool *shards) {
    struct gate *g = run->gate;
    withdraw_in(run, shards);
    job_settle_in(run->job, shards);
    if (run->scheduled == NULL) {
        if (run->job->in_doubt == 0) return;
        run_enter_schedule(run);
    } else {
        size_t count;
        uint32_t *cohorts = cohorts_in(run->job, shards, &count);
        schedule_take_on(g->schedule, run->scheduled, cohorts, count, run_past, run);
        free(cohorts);
    }
    run_begin_doubts(run);
    if (run->state != RUN_STOPPED) return;
    run->is_skipping = true;
    g->shell.start_soon(g->shell.self, true);
}

static void check_all(struct gate *g) {
    for (struct run *run = g->runs, *next; run != NULL; run = next) {
        next = run->next;
        brakes_check_all(run);
        run_host_over(run);
    }
}

void gate_take_on(struct gate *g, const bool *shards) {
    g->is_quiet = false;
    peers_distrust(g->peers);
    for (struct run *run = g->runs; run != NULL; run = run->next)
        if (run->state != RUN_ENDING) take_on(run, shards);
    if (shards[0]) gate_lead(g);
    check_all(g);
    gate_arm(g);
    gate_pump(g);
    gate_start(g);
}

void gate_give_up(struct gate *g, const bool *shards) {
    for (struct run *run = g->runs; run != NULL; run = run->next) {
        size_t count;
        if (run->scheduled == NULL) continue;
        uint32_t *cohorts = cohorts_in(run->job, shards, &count);
        schedule_give_up(g->schedule, run->scheduled, cohorts, count);
        free(cohorts);
    }
}

void gate_mark_in_hand(const struct gate *g, bool *shards) {
    for (const struct flight *flight = g->flights; flight != NULL; flight = flight->next) {
        const struct job *job = flight->run->job;
        shards[job_shard(job, job_place(job, flight->work.host))] = true;
    }
}

void gate_mark_contacts(const struct gate *g, bool *shards) {
    peers_mark_contacts(g->peers, shards);
}

void gate_let_go_in(struct gate *g, const bool *shards) {
    peers_keep_none_in(g->peers, shards);
    gate_pump(g);
}

// --- the lease is lost

void gate_lose(struct gate *g) {
    g->is_quiet = true;
    g->reach = (struct reach){0};
    g->shell.abort_all(g->shell.self);
    peers_lose_contacts(g->peers);
    for (struct flight *flight = g->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        flight_lose(flight);
    }
}

bool gate_has_hosts(const struct gate *g) {
    return g->flights != NULL;
}

// What this node has said, and the store has not kept, was never so.
void gate_rewind(struct gate *g, struct job *job) {
    struct run *run = gate_run_of(g, job);
    job_rewind(job);
    if (run == NULL) return;
    assert(run->flights == 0);
    if (run->scheduled != NULL) schedule_remove(g->schedule, run->scheduled);
    run->scheduled = NULL;
    free(run->skipped);
    run->skipped = NULL;
    run->is_skipping = run->is_canary_phase = run->is_over = run->is_in_line = false;
    run->awaited_count = 0;
    run->state = RUN_WAITING;
}

// --- jobs that are new here

void gate_join(struct gate *g, struct job *job, const char *why) {
    static const enum run_state states[] = {[JOB_WAITING] = RUN_WAITING,
                                            [JOB_RUNNING] = RUN_OPEN,
                                            [JOB_PAUSED] = RUN_PAUSED,
                                            [JOB_CANCELLING] = RUN_STOPPED};
    const struct store_event pause = {.state = JOB_PAUSED, .text = why};
    struct run *run = run_new(g, job, states[job->state]);
    peers_distrust(g->peers); // it may have had any of them in hand
    run_count_time_before(run);
    if (run->state == RUN_STOPPED)
        run_stop(run, job->outcome, job->why);
    else if (run->state == RUN_OPEN)
        run_enter_schedule(run);
    if (why != NULL && (run->state == RUN_WAITING || run->state == RUN_OPEN)) {
        run_pause(run, why);
        run_note_job(run, &pause, NULL, NULL);
    }
    if (run->state == RUN_WAITING) run_await_others(run);
    gate_let_in(g);
    gate_start(g);
}
