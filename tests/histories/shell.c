// What every process has, whether it is the only one or a node of several: its gate with what that
// asks of its shell, its store's queue, and its end.
#include "tests/histories/world_internal.h"

enum {
    GATHER_US = 2000,
    KEEP_JOBS = 1000,
    US_PER_MS = 1000,
    CUT_OFF_MISSED = 3,
    CUT_OFF_GROUPS = 2
};

// --- the gate's shell

static uint64_t now(void *self) {
    return ((struct world *)self)->now_ms;
}

static long long wall(void *self) {
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

static void *connect(void *self, const struct task *task, const struct task_args *args,
                     struct device *device) {
    return talk_begin(self, task, args, device, job_of(self, args), false, NULL);
}

static void *connect_in_doubt(void *self, const struct task *task, const struct task_args *args,
                              struct device *device, const char *was) {
    return talk_begin(self, task, args, device, job_of(self, args), true, was);
}

static void take(void *self, void *contact, const struct task *task, const struct task_args *args) {
    talk_take(self, contact, task, args, job_of(self, args));
}

static void answer(void *self, void *contact, bool granted) {
    talk_answer(self, contact, granted);
}

static void leave(void *self, void *contact) {
    talk_leave(self, contact);
}

static void abort_one(void *self, void *contact) {
    talk_end(self, contact);
}

static void abort_all(void *self) {
    talk_end_all(self);
}

static void start_soon(void *self, bool soon) {
    struct world *w = self;
    if (soon) world_at(w, w->now_ms, EVENT_START, w->at->life);
}

static void retry_at(void *self, uint64_t due_ms) {
    struct world *w = self;
    if (due_ms != UINT64_MAX)
        world_at(w, due_ms > w->now_ms ? due_ms : w->now_ms + 1, EVENT_RETRY, w->at->life);
}

struct gate_shell shell_of(struct world *w) {
    return (struct gate_shell){.self = w,
                               .now_ms = now,
                               .wall_ms = wall,
                               .connect = connect,
                               .connect_in_doubt = connect_in_doubt,
                               .take = take,
                               .answer = answer,
                               .leave = leave,
                               .abort = abort_one,
                               .abort_all = abort_all,
                               .start_soon = start_soon,
                               .retry_at = retry_at};
}

// --- its beginning

static void make_gate(struct world *w, const struct gate_shell *shell) {
    struct process *p = w->at;
    const struct gate_config config = {.workers = w->plan->workers,
                                       .max_jobs = w->plan->max_jobs,
                                       .peers = {.check = true,
                                                 .asks = w->plan->asks,
                                                 .max_age_ms = world_paced(w, w->plan->max_age_ms),
                                                 .wait_ms = w->plan->peer_wait_ms},
                                       .policy = world_policy(w),
                                       .processors = &p->processors,
                                       .jobs = p->live,
                                       .is_persistent = true,
                                       .cut_off = {CUT_OFF_MISSED, CUT_OFF_GROUPS},
                                       .held = w->plan->nodes > 0 ? &p->held : NULL};
    p->gate = gate_new(&config, shell);
}

void shell_begin(struct world *w, const struct gate_shell *shell) {
    struct process *p = w->at;
    const bool are_nodes = w->plan->nodes > 0;
    p->life = ++w->lives;
    p->is_alive = true;
    p->has_other_policy =
        w->plan->policy_changes && (are_nodes ? w->now_ms >= w->plan->policy_ms : p->life > 1);
    p->live = jobs_new();
    processors_add(&p->processors,
                   (struct processor){are_nodes ? referee_nodes_event : referee_event, w});
    make_gate(w, shell);
}

void shell_open_queue(struct world *w, uint64_t beat) {
    const struct store_queue_config config = {.gather_us = GATHER_US,
                                              .beat_us =
                                                  (uint64_t)world_back(w)->beat_ms * US_PER_MS,
                                              .keep_jobs = KEEP_JOBS,
                                              .beat = beat,
                                              .is_shared = w->plan->nodes > 0};
    store_queue_init(&w->at->queue, &config);
}

// --- what happens to it

bool shell_happen(struct world *w, enum history_event kind) {
    switch (kind) {
    case EVENT_STORE:
        commits_due(w);
        return true;
    case EVENT_WRITTEN:
        commits_written(w);
        return true;
    case EVENT_RETRY:
        gate_retry(w->at->gate);
        return true;
    case EVENT_START:
        gate_start(w->at->gate);
        return true;
    default:
        return false;
    }
}

// --- its end

bool shell_creates(const struct process *p) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (p->creating[i].job != NULL) return true;
    return false;
}

void shell_close_queue(struct world *w) {
    w->at->is_closing = true;
    store_queue_close(&w->at->queue);
    world_at(w, w->now_ms, EVENT_STORE, w->at->life);
}

bool shell_is_closed(const struct process *p) {
    return p->is_closing && p->under_way == NULL && store_queue_is_empty(&p->queue);
}

// The kernel closes its connections, and nobody is told anything.
void shell_end(struct world *w) {
    struct process *p = w->at;
    talk_end_all(w);
    referee_all_lost(w);
    store_queue_deinit(&p->queue);
    gate_free(p->gate);
    jobs_free(p->live);
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        job_free(p->creating[i].job);
    *p = (struct process){.which = p->which, .life = p->life, .update.send = p->update.send};
}
