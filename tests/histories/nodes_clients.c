// What clients ask of nodes: each of any that is ready; whom none listens to comes again.
#include "orchestrator/gate_nodes.h"
#include "tests/histories/world_internal.h"

enum { AGAIN_AFTER_MS = 50 };

static bool listens(const struct process *p) {
    return p->is_alive && p->is_ready && !p->is_ending && !p->stands_still;
}

// It is its turn then.
static bool find_node(struct world *w, const char *what, unsigned number) {
    const unsigned nodes = w->plan->nodes;
    const unsigned first = (unsigned)world_draw(w, what, number, w->now_ms, 0, nodes - 1);
    for (unsigned i = 0; i < nodes; i++) {
        w->at = &w->processes[(first + i) % nodes];
        if (listens(w->at)) return true;
    }
    return false;
}

// --- jobs

void nodes_post(struct world *w, unsigned number) {
    if (find_node(w, "posted at", number))
        clients_submit(w, number);
    else
        world_at(w, w->now_ms + AGAIN_AFTER_MS, EVENT_JOB, number);
}

// --- controls

static void on_paused(void *arg, enum store_status status, uint64_t n) {
    const struct controlling *control = arg;
    if (status == STORE_OK) referee_nodes_paused(control->world, control->job, n);
}

static void on_cancelled(void *arg, enum store_status status, uint64_t n) {
    const struct controlling *control = arg;
    (void)n;
    if (status == STORE_OK) control->world->jobs[control->job].is_told_cancelled = true;
}

// The job goes on again after a while, unless another client says so sooner.
static void pause(struct world *w, struct job *job, struct controlling *control, unsigned for_ms) {
    if (job->state != JOB_WAITING && job->state != JOB_RUNNING) return;
    story_tell(w, "job %u is to be paused", control->job);
    world_at(w, w->now_ms + for_ms, EVENT_RESUME, control->job);
    w->jobs[control->job].rests = true;
    gate_pause(w->at->gate, job, on_paused, control);
}

static void cancel(struct world *w, struct job *job, struct controlling *control) {
    story_tell(w, "job %u is to be cancelled", control->job);
    w->jobs[control->job].is_to_be_cancelled = true;
    gate_cancel(w->at->gate, job, on_cancelled, control);
}

static bool let_go_on(struct world *w, struct job *job, unsigned number) {
    struct buf differs = {0};
    recovery_look_up(w, job, &differs);
    const bool goes_on = differs.len == 0;
    story_tell(w, "job %u is to go on%s%s", number,
               goes_on ? "" : ", but does not: ", goes_on ? "" : differs.data);
    referee_nodes_seen(w, number, goes_on);
    if (goes_on) {
        w->jobs[number].rests = w->jobs[number].is_told_paused = false;
        gate_ask_to_go_on(w->at->gate, job, NULL, NULL);
    }
    buf_deinit(&differs);
    return goes_on;
}

// What has changed is put right, for which another job may be another one then; or it is cancelled.
static void give_up(struct world *w, struct job *job, unsigned number) {
    struct controlling *control = &w->at->controlling[PLAN_CONTROLS + number];
    if (!w->is_put_right && world_draw(w, "is put right", number, 0, 1, 100) <= 50) {
        story_tell(w, "the inventory is put right");
        w->is_put_right = true;
        return;
    }
    *control = (struct controlling){.world = w, .job = number, .kind = CONTROL_CANCEL};
    cancel(w, job, control);
}

void nodes_control(struct world *w, unsigned number) {
    const struct plan_control *planned = &w->plan->controls[number];
    if (w->jobs[planned->job].state == JOB_DONE) return;
    struct job *job = find_node(w, "controlled at", number) ? clients_job(w, planned->job) : NULL;
    if (job == NULL) { // it does not know it yet
        world_at(w, w->now_ms + AGAIN_AFTER_MS, EVENT_CONTROL, number);
        return;
    }
    struct controlling *control = &w->at->controlling[number];
    *control = (struct controlling){.world = w, .job = planned->job, .kind = planned->kind};
    if (planned->kind == CONTROL_CANCEL)
        cancel(w, job, control);
    else if (planned->kind == CONTROL_PAUSE)
        pause(w, job, control, planned->for_ms);
    else if (job->state == JOB_PAUSED)
        let_go_on(w, job, planned->job);
}

void nodes_operate(struct world *w) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        if (w->jobs[i].state != JOB_PAUSED || w->jobs[i].rests) continue;
        struct job *job = find_node(w, "let go on at", i) ? clients_job(w, i) : NULL;
        if (job != NULL && job->state == JOB_PAUSED && !let_go_on(w, job, i)) give_up(w, job, i);
    }
}
