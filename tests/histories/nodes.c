// Histories in which several nodes share the store: whose turn it is, what happens to whom, and
// when all is over.
//
// A process that stands still has its events when it goes on again, if the kernel has not ended it
// by then: each node has that armed for the end of its lease. One that is killed is followed by the
// next of its node, under another name.
#include "orchestrator/node.h"
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

enum {
    OPERATOR_MS = 3000,
    FIRST_LIFE_MS = 50, // of a process that came to its end in order
};

static struct process *process_of(struct world *w, unsigned life) {
    for (unsigned i = 0; i < w->plan->nodes; i++)
        if (w->processes[i].is_alive && w->processes[i].life == life) return &w->processes[i];
    return NULL;
}

static struct process *process_that_talks(struct world *w, unsigned serial) {
    for (unsigned i = 0; i < w->plan->nodes; i++)
        if (talk_of(&w->processes[i], serial) != NULL) return &w->processes[i];
    return NULL;
}

void nodes_begin(struct world *w) {
    const struct plan *p = w->plan;
    struct store_found found;
    struct error err;
    store_memory_shared.open(&w->db, "none", world_wall_ms(w), &found, &err);
    store_memory_leave(w->db); // who looks on is no node
    nodes_draw_shards(w);
    for (unsigned i = 0; i < p->nodes; i++) {
        w->processes[i].which = i;
        world_at(w, p->begins_ms[i], EVENT_ENTER, i);
    }
    for (unsigned i = 0; i < p->faults_count; i++) {
        if (p->faults[i].is_absent) continue;
        world_at(w, p->faults[i].at_ms, EVENT_FAULT, i);
        w->faults_left++;
    }
    world_at(w, OPERATOR_MS, EVENT_OPERATOR, 0);
}

// --- what happens to a process

void nodes_stand_still(struct world *w, uint64_t for_ms) {
    struct process *p = w->at;
    story_tell(w, "stands still for %llu ms", (unsigned long long)for_ms);
    p->stands_still = true;
    p->still_ms = w->now_ms;
    p->goes_on_ms = w->now_ms + for_ms;
    world_at(w, p->goes_on_ms, EVENT_GO_ON, p->life);
}

static void go_on(struct world *w) {
    struct process *p = w->at;
    story_tell(w, "goes on");
    p->stands_still = false;
    struct talk *talk = p->late_talk == 0 ? NULL : talk_of(p, p->late_talk);
    p->late_talk = 0;
    p->late_ms = w->now_ms - p->still_ms;
    if (talk != NULL) talk_answer(w, talk, true);
    p->late_ms = 0;
    talk_lose_late(w);
}

static void come_back(struct world *w, unsigned which, uint64_t at_ms) {
    world_at(w, at_ms, EVENT_ENTER, which);
}

static void kill(struct world *w, const char *how, uint64_t away_ms) {
    const unsigned which = w->at->which;
    story_tell(w, "%s", how);
    nodes_process_end(w, false);
    w->verdict->ends++;
    come_back(w, which, w->now_ms + away_ms);
}

bool nodes_store_is_away(const struct world *w) {
    return w->now_ms < w->store_back_ms || w->now_ms < w->at->cut_until_ms;
}

static void store_goes_away(struct world *w, uint64_t for_ms) {
    story_tell(w, "the store is away for %llu ms", (unsigned long long)for_ms);
    w->store_back_ms = w->now_ms + for_ms;
    world_at(w, w->store_back_ms, EVENT_STORE_BACK, 0);
}

static void tell_to_end(struct world *w, const struct plan_fault *fault) {
    struct process *p = w->at;
    if (p->is_ending) return;
    p->back_ms = fault->for_ms;
    nodes_process_halt(w);
    if (!fault->is_again || gate_under_way(p->gate) == 0) return;
    p->is_aborted = true;
    gate_abort(p->gate);
}

static void come_about(struct world *w, const struct plan_fault *fault) {
    w->faults_left--;
    w->at->fault = NULL;
    switch (fault->kind) {
    case FAULT_KILL:
        kill(w, "is killed", fault->for_ms);
        break;
    case FAULT_TERM:
        tell_to_end(w, fault);
        break;
    case FAULT_STOP:
        nodes_stand_still(w, fault->for_ms);
        break;
    case FAULT_CUT:
        story_tell(w, "is cut off from the store for %u ms", fault->for_ms);
        w->at->cut_until_ms = w->now_ms + fault->for_ms;
        break;
    case FAULT_APART:
        story_tell(w, "is cut off from the devices for %u ms", fault->for_ms);
        w->at->apart_until_ms = w->now_ms + fault->for_ms;
        break;
    case FAULT_STORE:
        store_goes_away(w, fault->for_ms);
        break;
    }
}

// One that waits for an install may have none any more.
static void come_up(struct world *w, const struct plan_fault *fault) {
    struct process *p = &w->processes[fault->node];
    w->at = p;
    if (!p->is_alive || p->stands_still || p->fault != NULL) {
        w->faults_left--; // something else has happened to it
        return;
    }
    if (!fault->is_at_install) {
        come_about(w, fault);
        return;
    }
    p->fault = fault;
    p->installs = 0;
    p->events = 0;
}

static bool keeps_intent(const struct process *p) {
    for (size_t i = 0; p->under_way != NULL && i < p->under_way->count; i++)
        if (p->under_way->ops[i].kind == STORE_APPEND &&
            p->under_way->ops[i].event.kind == STORE_INTENT)
            return true;
    return false;
}

// One stands still best when its leave to install is on its way. After each event of the process.
static void come_about_if_due(struct world *w) {
    const struct process *p = w->at;
    if (!p->is_alive || p->fault == NULL || p->stands_still) return;
    const bool is_due = p->fault->kind == FAULT_STOP
                            ? keeps_intent(p)
                            : p->installs > 0 && p->events >= p->fault->after;
    if (is_due) come_about(w, p->fault);
}

static void end_if_idle(struct world *w) {
    struct process *p = w->at;
    const unsigned which = p->which;
    if (!p->is_alive || p->stands_still || !p->is_ending || !nodes_process_is_idle(w)) return;
    const uint64_t back_ms = w->now_ms + p->back_ms;
    story_tell(w, "has ended");
    nodes_process_end(w, true);
    w->verdict->ends++;
    come_back(w, which, back_ms);
}

// --- whose turn it is

static void process_event(struct world *w, enum history_event kind) {
    struct process *p = w->at;
    if (shell_happen(w, kind)) return;
    switch (kind) {
    case EVENT_TICK:
        node_pass(p->node);
        world_at(w, w->now_ms + NODE_TICK_MS, EVENT_TICK, p->life);
        break;
    case EVENT_LOOKED:
        nodes_looked(w);
        break;
    case EVENT_JOINED:
        nodes_join(w);
        break;
    case EVENT_LOOKED_UP:
        nodes_look_up(w);
        break;
    default:
        break;
    }
}

static void happen_to(struct world *w, struct process *p, enum history_event kind, unsigned what) {
    if (p == NULL) return; // it is no more
    w->at = p;
    if (kind == EVENT_KILL) {
        if (p->kill_ms == w->now_ms) kill(w, "is ended by the kernel", FIRST_LIFE_MS);
        return;
    }
    if (kind == EVENT_GO_ON) {
        if (p->stands_still && p->goes_on_ms == w->now_ms) go_on(w);
    } else if (p->stands_still) {
        world_at(w, p->goes_on_ms, kind, what);
        return;
    } else if (kind == EVENT_TALK) {
        talk_due(w, what);
    } else {
        process_event(w, kind);
    }
    p->events += p->installs > 0;
    come_about_if_due(w);
    end_if_idle(w);
}

void nodes_happen(struct world *w, enum history_event kind, unsigned what) {
    store_memory_set_time(w->db, w->now_ms);
    if (device_happen(w, kind, what)) return;
    switch (kind) {
    case EVENT_ENTER:
        nodes_process_begin(w, what);
        break;
    case EVENT_JOB:
        w->jobs_awaited &= ~(1U << what);
        nodes_post(w, what);
        break;
    case EVENT_CONTROL:
        nodes_control(w, what);
        break;
    case EVENT_RESUME:
        w->jobs[what].rests = false;
        break;
    case EVENT_OPERATOR:
        nodes_operate(w);
        world_at(w, w->now_ms + OPERATOR_MS, EVENT_OPERATOR, 0);
        break;
    case EVENT_FAULT:
        come_up(w, &w->plan->faults[what]);
        break;
    case EVENT_STORE_BACK:
        store_memory_restart(w->db, w->now_ms);
        break;
    case EVENT_TALK:
        happen_to(w, process_that_talks(w, what), kind, what);
        break;
    default:
        happen_to(w, process_of(w, what), kind, what);
        break;
    }
}

// --- the end

static bool is_waiting_for_install(const struct world *w) {
    unsigned waiting = 0;
    for (unsigned i = 0; i < w->plan->nodes; i++)
        waiting += w->processes[i].fault != NULL;
    return waiting == w->faults_left;
}

// Jobs that are done, and of which all nodes have heard that.
static bool are_jobs_over(const struct world *w) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (w->jobs[i].number != 0 && w->jobs[i].state != JOB_DONE) return false;
    for (unsigned i = 0; i < w->plan->nodes; i++) {
        const struct process *p = &w->processes[i];
        if (p->is_alive && (jobs_count(p->live) > 0 || shell_creates(p))) return false;
    }
    return true;
}

bool nodes_are_over(struct world *w) {
    return w->jobs_awaited == 0 && is_waiting_for_install(w) && are_jobs_over(w);
}

void nodes_end(struct world *w) {
    for (unsigned i = 0; i < w->plan->nodes; i++) {
        w->at = &w->processes[i];
        if (w->at->is_alive) nodes_process_end(w, false);
    }
    w->at = &w->processes[0];
}
