// The orchestrator's process: what main.c and runner.c are live.
#include "tests/histories/world_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { GATHER_US = 2000, KEEP_JOBS = 1000 };

// --- the gate's shell

static uint64_t shell_now(void *self) {
    return ((struct world *)self)->now_ms;
}

static long long shell_wall(void *self) {
    return world_wall_ms(self);
}

// Whose arguments they are: an ask has none.
static int job_of(const struct world *w, const struct task_args *args) {
    for (unsigned i = 0; args != NULL && i < w->plan->jobs_count; i++) {
        const struct job *job = clients_job(w, i);
        if (job != NULL && &job->args == args) return (int)i;
    }
    return NOBODY;
}

static void *shell_connect(void *self, const struct task *task, const struct task_args *args,
                           struct device *device) {
    return talk_begin(self, task, args, device, job_of(self, args), false, NULL);
}

static void *shell_connect_in_doubt(void *self, const struct task *task,
                                    const struct task_args *args, struct device *device,
                                    const char *was) {
    return talk_begin(self, task, args, device, job_of(self, args), true, was);
}

static void shell_take(void *self, void *contact, const struct task *task,
                       const struct task_args *args) {
    talk_take(self, contact, task, args, job_of(self, args));
}

static void shell_answer(void *self, void *contact, bool granted) {
    talk_answer(self, contact, granted);
}

static void shell_leave(void *self, void *contact) {
    talk_leave(self, contact);
}

static void shell_abort(void *self, void *contact) {
    talk_end(self, contact);
}

static void shell_abort_all(void *self) {
    talk_end_all(self);
}

static void shell_append(void *self, const struct store_event *event, gate_kept kept, void *arg) {
    struct world *w = self;
    if (event->kind == STORE_JOB && event->state == JOB_DONE)
        for (unsigned i = 0; i < w->plan->jobs_count; i++)
            if (w->jobs[i].number == event->job) w->at->endings |= 1U << i;
    referee_asks_store(w, event);
    commits_append(w, event, kept, arg);
}

static void shell_start_soon(void *self, bool soon) {
    struct world *w = self;
    if (soon) world_at(w, w->now_ms, EVENT_START, w->at->life);
}

static void shell_retry_at(void *self, uint64_t due_ms) {
    struct world *w = self;
    if (due_ms != UINT64_MAX)
        world_at(w, due_ms > w->now_ms ? due_ms : w->now_ms + 1, EVENT_RETRY, w->at->life);
}

// --- what it does not decide

// Somebody else has the job held: the store takes no intent of it, of which the gate learns then.
void process_hold(struct world *w, bool holds) {
    const unsigned number = w->plan->hold.job;
    const struct job *job = clients_job(w, number);
    if (w->at->is_held == holds || job == NULL || w->at->is_closing ||
        (w->at->endings >> number & 1) != 0)
        return;
    if (holds && job->state != JOB_RUNNING) return;
    w->at->is_held = holds;
    if (job->state != JOB_RUNNING)
        return; // it is paused or stopped, and the store holds it for that
    commits_append(w,
                   &(struct store_event){.kind = STORE_JOB,
                                         .job = job->number,
                                         .host = STORE_NO_HOST,
                                         .wall_ms = world_wall_ms(w),
                                         .state = holds ? JOB_PAUSED : JOB_RUNNING},
                   NULL, NULL);
}

// --- its end

void process_halt(struct world *w) {
    story_tell(w, "the orchestrator is told to end; %zu hosts are in hand",
               gate_in_hand(w->at->gate));
    w->at->is_ending = true;
    gate_halt(w->at->gate);
}

void process_abort(struct world *w) {
    if (w->at->is_closing || gate_under_way(w->at->gate) == 0) return;
    story_tell(w, "the orchestrator is told again");
    w->at->is_aborted = true;
    gate_abort(w->at->gate);
}

static bool is_idle(const struct world *w) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (w->at->creating[i].job != NULL) return false;
    return w->at->is_aborted || gate_under_way(w->at->gate) == 0;
}

bool process_has_ended(struct world *w) {
    if (!w->at->is_ending) return false;
    if (!w->at->is_closing && is_idle(w)) {
        story_tell(w, "the store is closed");
        w->at->is_closing = true;
        store_queue_close(&w->at->queue);
        world_at(w, w->now_ms, EVENT_STORE, w->at->life);
    }
    return w->at->is_closing && w->at->under_way == NULL && store_queue_is_empty(&w->at->queue);
}

// The kernel closes its connections, and nobody is told anything.
void process_end(struct world *w) {
    talk_end_all(w);
    w->at->is_alive = false;
    w->at->under_way = NULL;
    store_queue_deinit(&w->at->queue);
    gate_free(w->at->gate);
    jobs_free(w->at->live);
    w->at->gate = NULL;
    w->at->live = NULL;
    for (unsigned i = 0; i < PLAN_JOBS; i++) {
        job_free(w->at->creating[i].job);
        w->at->creating[i].job = NULL;
    }
    for (unsigned h = 0; h < w->plan->hosts; h++) {
        memset(w->devices[h].answered_ms, 0, sizeof w->devices[h].answered_ms);
        memset(w->devices[h].hand, 0, sizeof w->devices[h].hand);
    }
}

// --- its beginning

static void begin_gate(struct world *w) {
    const struct gate_shell shell = {.self = w,
                                     .now_ms = shell_now,
                                     .wall_ms = shell_wall,
                                     .connect = shell_connect,
                                     .connect_in_doubt = shell_connect_in_doubt,
                                     .take = shell_take,
                                     .answer = shell_answer,
                                     .leave = shell_leave,
                                     .abort = shell_abort,
                                     .abort_all = shell_abort_all,
                                     .append = shell_append,
                                     .start_soon = shell_start_soon,
                                     .retry_at = shell_retry_at};
    const struct gate_config config = {.workers = w->plan->workers,
                                       .max_jobs = w->plan->max_jobs,
                                       .peers = {.check = true,
                                                 .asks = w->plan->asks,
                                                 .max_age_ms = MAX_AGE_MS,
                                                 .wait_ms = w->plan->peer_wait_ms},
                                       .policy = world_policy(w),
                                       .processors = &w->at->processors,
                                       .jobs = w->at->live,
                                       .is_persistent = true};
    w->at->gate = gate_new(&config, &shell);
}

void process_begin(struct world *w) {
    struct store_found found;
    struct error err;
    w->at->life++;
    w->at->is_alive = true;
    w->at->is_ending = w->at->is_aborted = w->at->is_closing = w->at->is_held = false;
    w->at->events = w->at->installs = 0;
    w->at->endings = 0;
    w->at->live = jobs_new();
    if (w->at->life > 1) story_tell(w, "the next orchestrator is there");
    if (w->db == NULL)
        store_memory.open(&w->db, "none", world_wall_ms(w), &found, &err);
    else
        store_memory_reopen(w->db, world_wall_ms(w), &found);
    begin_gate(w);
    w->is_inventory_away =
        w->at->life > 1 && world_draw(w, "the inventory is away", w->at->life, 0, 1, 100) <= 30;
    if (w->is_inventory_away)
        world_at(w, w->now_ms + world_draw(w, "away for", w->at->life, 0, 1, RESUMED_AFTER_MS - 1),
                 EVENT_INVENTORY, w->at->life);
    referee_begin(w);
    store_queue_init(&w->at->queue, &(struct store_queue_config){.gather_us = GATHER_US,
                                                                 .keep_jobs = KEEP_JOBS,
                                                                 .beat = found.beat});
    w->at->queue.config.open_jobs = recovery_begin(w, found.alive_ms);
    recovery_go_on(w);
}
