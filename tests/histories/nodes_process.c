// The process of a node: what main.c, runner.c, nodes.c and recover_join.c are live.
#include "common/mem.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    GATHER_US = 2000,
    KEEP_JOBS = 1000,
    US_PER_MS = 1000,
    MORE_MS = 1500,
    CUT_OFF_MISSED = 3,
    CUT_OFF_GROUPS = 2
};

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

// It may stand still right before the bytes go.
static void shell_answer(void *self, void *contact, bool granted) {
    struct world *w = self;
    struct talk *talk = contact;
    const bool is_late = granted && !w->at->stands_still &&
                         world_draw(w, "stands still", talk->serial, 0, 1, 100) <= w->plan->breaks;
    if (!is_late) {
        talk_answer(w, talk, granted);
        return;
    }
    w->at->late_talk = talk->serial;
    nodes_stand_still(w, world_draw(w, "before it sends", talk->serial, 0, 1, 12000));
}

static bool shell_may_act(void *self) {
    return node_may_act(((const struct world *)self)->at->node);
}

static void shell_leave(void *self, void *contact) {
    talk_leave(self, contact);
}

static void shell_abort(void *self, void *contact) {
    talk_end(self, contact);
}

static void shell_abort_all(void *self) {
    talk_end_all(self);
    referee_nodes_lost(self);
}

static void shell_gate_append(void *self, const struct store_event *event, gate_kept kept,
                              void *arg) {
    node_append(((const struct world *)self)->at->node, event, kept, arg);
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

// --- the node's

static int read_view(void *self, struct store_view *view, struct error *err) {
    return store_memory_shared.look(self, view, err);
}

static int read_rows(void *self, const struct store_query *query, store_row row, void *arg,
                     struct error *err) {
    return store_memory_shared.read(self, query, row, arg, err);
}

// What it reads is as it is when it is asked, and told later.
static void shell_look(void *self, struct look *look) {
    struct world *w = self;
    struct process *p = w->at;
    const struct look_source source = {.self = p->db, .view = read_view, .rows = read_rows};
    const bool is_slow =
        world_draw(w, "look is slow", p->life, look->nth, 1, 100) <= (w->plan->slow > 0 ? 30 : 5);
    const uint64_t takes_ms =
        world_draw(w, "look takes", p->life, look->nth, 1, is_slow ? 500 : 20);
    p->look = look;
    if (nodes_store_is_away(w))
        look->rc = error_set(&look->err, "the store is away");
    else
        look_read(look, &source);
    memset(p->looked_n, 0, sizeof p->looked_n);
    for (size_t i = 0; i < look->asked_count; i++) {
        const struct kept_job *kept = referee_numbered(w, look->asked[i].number);
        if (kept != NULL) p->looked_n[kept - w->jobs] = kept->n;
    }
    world_at(w, w->now_ms + (look->rc == 0 ? takes_ms : 1000), EVENT_LOOKED, p->life);
}

static void shell_lease(void *self, struct store_lease *lease, store_done told, void *arg) {
    struct world *w = self;
    store_queue_lease(&w->at->queue, lease, told, arg);
    world_at(w, w->now_ms, EVENT_STORE, w->at->life);
}

static void shell_append(void *self, const struct store_event *event, store_done kept, void *arg) {
    commits_append(self, event, kept, arg);
}

static bool shell_is_creating(void *self, const char *id) {
    return store_queue_is_creating(&((const struct world *)self)->at->queue, id);
}

static void shell_heard(void *self, const struct store_event *event) {
    (void)self;
    (void)event;
}

static void shell_join(void *self, uint64_t number, bool is_first) {
    struct world *w = self;
    struct process *p = w->at;
    p->joining[p->joining_count++] = number;
    p->joins_first = is_first;
    world_at(w, w->now_ms + world_draw(w, "join takes", p->life, number, 1, 400), EVENT_JOINED,
             p->life);
}

static void shell_kill_at(void *self, uint64_t at_ms) {
    struct world *w = self;
    if (w->at->kill_ms == at_ms) return;
    w->at->kill_ms = at_ms;
    if (at_ms != UINT64_MAX) world_at(w, at_ms, EVENT_KILL, w->at->life);
}

static void shell_ready(void *self) {
    struct world *w = self;
    story_tell(w, "is ready");
    w->at->is_ready = true;
}

// --- a look has come

void nodes_looked(struct world *w) {
    struct process *p = w->at;
    struct look *look = p->look;
    struct shards_held *before = mem_alloc(sizeof *before);
    bool is_news = look->rc != 0;
    for (size_t i = 0; i < look->events_count; i++)
        is_news |= look->events[i].count > 0;
    p->look = NULL;
    *before = p->held;
    node_looked(p->node, look);
    referee_nodes_taken_on(w, before);
    free(before);
    if (!is_news && p->joining_count == 0) referee_nodes_picture(w);
}

// --- jobs that are new to it

struct reading {
    struct job *job;
    struct buf image;
    struct error err;
    int rc;
    uint64_t n;
};

static bool on_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    (void)event;
    if (row->state == JOB_DONE) return false;
    reading->job = job_from_store(row, &reading->err);
    if (reading->job == NULL) return false;
    buf_add(&reading->image, row->image, row->image_len);
    uint16_t *shards = mem_array(row->hosts, sizeof *shards);
    memcpy(shards, row->shards, row->hosts * sizeof *shards);
    job_share_out(reading->job, shards);
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    (void)row;
    reading->rc = job_apply(reading->job, event, &reading->err);
    reading->n = event->n;
    return reading->rc == 0;
}

// NULL: it is done.
static struct job *read_job(struct world *w, uint64_t number, uint64_t *n) {
    struct reading reading = {0};
    struct buf differs = {0};
    struct store_query query = {.kind = STORE_READ_JOB, .job = number};
    store_memory_shared.read(w->db, &query, on_row, &reading, &reading.err);
    query.kind = STORE_READ_EVENTS;
    if (reading.job != NULL)
        store_memory_shared.read(w->db, &query, on_event, &reading, &reading.err);
    if (reading.rc != 0)
        story_broken(w, one_outcome, "job %llu cannot be read again: %s",
                     (unsigned long long)number, reading.err.text);
    *n = reading.n;
    if (reading.job != NULL && reading.job->state != JOB_DONE) {
        recovery_see_in(w, reading.job, &reading.image, &differs);
        if (differs.len > 0)
            story_broken(w, one_outcome, "job %s differs: %s", reading.job->id, differs.data);
    } else {
        job_free(reading.job);
        reading.job = NULL;
    }
    buf_deinit(&differs);
    buf_deinit(&reading.image);
    return reading.job;
}

void nodes_join(struct world *w) {
    struct process *p = w->at;
    const uint64_t number = p->joining[0];
    uint64_t n = 0;
    memmove(&p->joining[0], &p->joining[1], --p->joining_count * sizeof *p->joining);
    struct job *job = nodes_store_is_away(w) ? NULL : read_job(w, number, &n);
    if (job != NULL) {
        story_tell(w, "knows job %s, as of event %llu", job->id, (unsigned long long)n);
        jobs_add(p->live, job);
        gate_join(p->gate, job, NULL);
    }
    node_joined(p->node, number, job != NULL, n);
}

// --- its end

void nodes_process_halt(struct world *w) {
    struct process *p = w->at;
    story_tell(w, "is told to end; %zu hosts are in hand", gate_in_hand(p->gate));
    p->is_ending = true;
    node_leave(p->node);
    gate_halt(p->gate);
}

bool nodes_process_creates(const struct process *p) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (p->creating[i].job != NULL) return true;
    return false;
}

bool nodes_process_is_idle(const struct world *w) {
    struct process *p = w->at;
    if (!p->is_closing) {
        if (nodes_process_creates(p) || p->joining_count > 0) return false;
        if (gate_under_way(p->gate) > 0 && !p->is_aborted) return false;
        node_stop(p->node);
        if (!node_is_idle(p->node)) return false;
        p->is_closing = true;
        store_queue_close(&p->queue);
        world_at((struct world *)(uintptr_t)w, w->now_ms, EVENT_STORE, p->life);
    }
    return p->under_way == NULL && store_queue_is_empty(&p->queue);
}

// The kernel closes its connections, and nobody is told anything.
void nodes_process_end(struct world *w, bool leaves) {
    struct process *p = w->at;
    talk_end_all(w);
    referee_nodes_lost(w);
    if (p->fault != NULL) w->faults_left--;
    if (p->look != NULL) look_deinit(p->look);
    store_queue_deinit(&p->queue);
    node_free(p->node);
    gate_free(p->gate);
    jobs_free(p->live);
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        job_free(p->creating[i].job); // its client does not come again
    if (leaves)
        store_memory_shared.close(p->db);
    else
        store_memory_crash(p->db);
    struct buf send = p->update.send;
    const unsigned which = p->which;
    *p = (struct process){.which = which, .update.send = send};
}

// --- its beginning

static void make_gate(struct world *w) {
    struct process *p = w->at;
    const struct gate_shell shell = {.self = w,
                                     .now_ms = shell_now,
                                     .wall_ms = shell_wall,
                                     .connect = shell_connect,
                                     .connect_in_doubt = shell_connect_in_doubt,
                                     .take = shell_take,
                                     .answer = shell_answer,
                                     .may_act = shell_may_act,
                                     .leave = shell_leave,
                                     .abort = shell_abort,
                                     .abort_all = shell_abort_all,
                                     .append = shell_gate_append,
                                     .start_soon = shell_start_soon,
                                     .retry_at = shell_retry_at};
    const struct gate_config config = {.workers = w->plan->workers,
                                       .max_jobs = w->plan->max_jobs,
                                       .peers = {.check = true,
                                                 .asks = w->plan->asks,
                                                 .max_age_ms = world_paced(w, MAX_AGE_MS),
                                                 .wait_ms = w->plan->peer_wait_ms},
                                       .policy = world_policy(w),
                                       .processors = &p->processors,
                                       .jobs = p->live,
                                       .is_persistent = true,
                                       .cut_off = {CUT_OFF_MISSED, CUT_OFF_GROUPS},
                                       .held = &p->held};
    p->gate = gate_new(&config, &shell);
}

static void make_node(struct world *w, const struct store_found *found) {
    struct process *p = w->at;
    const struct node_shell shell = {.self = w,
                                     .now_ms = shell_now,
                                     .look = shell_look,
                                     .lease = shell_lease,
                                     .append = shell_append,
                                     .is_creating = shell_is_creating,
                                     .heard = shell_heard,
                                     .join = shell_join,
                                     .kill_at = shell_kill_at,
                                     .ready = shell_ready};
    const struct node_config config = {.id = found->node,
                                       .jobs = p->live,
                                       .gate = p->gate,
                                       .held = &p->held,
                                       .workers = w->plan->workers};
    p->node = node_new(&config, &shell);
}

void nodes_process_begin(struct world *w, unsigned which) {
    struct process *p = w->at = &w->processes[which];
    struct store_found found;
    if (w->now_ms < w->store_back_ms) {
        world_at(w, w->store_back_ms + MORE_MS, EVENT_ENTER, which); // as whoever started it does
        return;
    }
    p->life = ++w->lives;
    p->is_alive = true;
    p->kill_ms = UINT64_MAX;
    p->live = jobs_new();
    processors_add(&p->processors, (struct processor){referee_nodes_event, w});
    store_memory_join(w->db, &p->db, world_wall_ms(w), &found);
    story_tell(w, "is there, as %s", found.node);
    make_gate(w);
    make_node(w, &found);
    store_queue_init(&p->queue, &(struct store_queue_config){
                                    .gather_us = GATHER_US,
                                    .beat_us = (uint64_t)store_memory_shared.beat_ms * US_PER_MS,
                                    .keep_jobs = KEEP_JOBS,
                                    .is_shared = true});
    world_at(w, w->now_ms, EVENT_STORE, p->life);
    world_at(w, w->now_ms, EVENT_TICK, p->life);
}
