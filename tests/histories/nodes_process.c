// The process of a node: what main.c, nodes.c and recover_join.c are live.
#include "common/mem.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MORE_MS = 1500 };

// --- of the gate's shell

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

static void shell_abort_all(void *self) {
    talk_end_all(self);
    referee_all_lost(self);
}

static void shell_look_up(void *self, const struct job *job) {
    struct world *w = self;
    const unsigned bit = 1U << (job->id[0] - '0');
    if ((w->at->looked_up & bit) != 0) return;
    w->at->looked_up |= bit;
    world_at(w, w->now_ms + world_draw(w, "look-up takes", w->at->life, job->number, 1, 400),
             EVENT_LOOKED_UP, w->at->life);
}

static void shell_gate_append(void *self, const struct store_event *event, gate_kept kept,
                              void *arg) {
    node_append(((const struct world *)self)->at->node, event, kept, arg);
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
    (void)is_first;
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
    referee_nodes_looks(w);
    node_looked(p->node, look);
    referee_nodes_taken_on(w, before);
    free(before);
    if (!is_news && p->joining_count == 0) referee_nodes_picture(w);
}

// --- jobs that are new to it

// NULL: it is done.
static struct job *read_job(struct world *w, uint64_t number, uint64_t *n) {
    const struct kept_job *kept = referee_numbered(w, number);
    struct job *job = kept == NULL ? NULL : recovery_read(w, (unsigned)(kept - w->jobs), n);
    if (job == NULL || job->state == JOB_DONE) {
        job_free(job);
        return NULL;
    }
    return job;
}

static void join(struct world *w, struct job *job, uint64_t n) {
    const unsigned which = (unsigned)(job->id[0] - '0');
    struct buf differs = {0};
    recovery_see_in(w, job, &w->images[which], &differs);
    referee_nodes_seen(w, which, differs.len == 0);
    story_tell(w, "knows job %u, as of event %llu%s%s", which, (unsigned long long)n,
               differs.len == 0 ? "" : ": ", differs.len == 0 ? "" : differs.data);
    jobs_add(w->at->live, job);
    gate_join(w->at->gate, job, differs.len == 0 ? NULL : differs.data);
    buf_deinit(&differs);
}

void nodes_join(struct world *w) {
    struct process *p = w->at;
    const uint64_t number = p->joining[0];
    uint64_t n = 0;
    memmove(&p->joining[0], &p->joining[1], --p->joining_count * sizeof *p->joining);
    struct job *job = nodes_store_is_away(w) ? NULL : read_job(w, number, &n);
    if (job != NULL) join(w, job, n);
    node_joined(p->node, number, job != NULL, n);
}

// All of them, as one inventory serves all.
void nodes_look_up(struct world *w) {
    const unsigned jobs = w->at->looked_up;
    w->at->looked_up = 0;
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        struct job *job = (jobs >> i & 1) != 0 ? clients_job(w, i) : NULL;
        struct buf differs = {0};
        if (job == NULL) continue;
        recovery_look_up(w, job, &differs);
        referee_nodes_seen(w, i, differs.len == 0);
        story_tell(w, "looks job %u up%s%s", i, differs.len == 0 ? "" : ": ",
                   differs.len == 0 ? "" : differs.data);
        gate_looked_up(w->at->gate, job, differs.len == 0 ? NULL : differs.data);
        buf_deinit(&differs);
    }
}

// --- its end

void nodes_process_halt(struct world *w) {
    struct process *p = w->at;
    story_tell(w, "is told to end; %zu hosts are in hand", gate_in_hand(p->gate));
    p->is_ending = true;
    node_leave(p->node);
    gate_halt(p->gate);
}

bool nodes_process_is_idle(struct world *w) {
    struct process *p = w->at;
    if (!p->is_closing) {
        if (shell_creates(p) || p->joining_count > 0) return false;
        if (gate_under_way(p->gate) > 0 && !p->is_aborted) return false;
        if (!p->is_aborted && !p->has_let_go) gate_lose(p->gate);
        p->has_let_go = true;
        node_stop(p->node);
        if (p->look != NULL || (!p->is_aborted && !node_is_idle(p->node))) return false;
        shell_close_queue(w);
    }
    return shell_is_closed(p);
}

void nodes_process_end(struct world *w, bool leaves) {
    struct process *p = w->at;
    void *db = p->db;
    if (p->fault != NULL) w->faults_left--;
    if (p->look != NULL) look_deinit(p->look);
    node_free(p->node);
    shell_end(w); // of what its clients had asked for, none comes again
    if (leaves)
        store_memory_shared.close(db);
    else
        store_memory_crash(db);
}

// --- its beginning

static void shell_say(void *self, const char *text) {
    story_tell(self, "%s", text);
}

static void make_node(struct world *w, const struct gate_shell *gate,
                      const struct store_found *found) {
    struct process *p = w->at;
    const struct node_shell shell = {.self = w,
                                     .now_ms = gate->now_ms,
                                     .look = shell_look,
                                     .lease = shell_lease,
                                     .append = shell_append,
                                     .is_creating = shell_is_creating,
                                     .heard = shell_heard,
                                     .join = shell_join,
                                     .kill_at = shell_kill_at,
                                     .ready = shell_ready,
                                     .say = shell_say};
    const struct node_config config = {.id = found->node,
                                       .jobs = p->live,
                                       .gate = p->gate,
                                       .held = &p->held,
                                       .workers = w->plan->workers};
    p->node = node_new(&config, &shell);
}

void nodes_process_begin(struct world *w, unsigned which) {
    struct process *p = w->at = &w->processes[which];
    struct gate_shell shell = shell_of(w);
    struct store_found found;
    if (w->now_ms < w->store_back_ms) {
        world_at(w, w->store_back_ms + MORE_MS, EVENT_ENTER, which); // as whoever started it does
        return;
    }
    shell.answer = shell_answer;
    shell.may_act = shell_may_act;
    shell.abort_all = shell_abort_all;
    shell.look_up = shell_look_up;
    shell.append = shell_gate_append;
    shell_begin(w, &shell);
    p->kill_ms = UINT64_MAX;
    store_memory_join(w->db, &p->db, world_wall_ms(w), &found);
    story_tell(w, "is there, as %s", found.node);
    make_node(w, &shell, &found);
    shell_open_queue(w, found.beat);
    world_at(w, w->now_ms, EVENT_STORE, p->life);
    world_at(w, w->now_ms, EVENT_TICK, p->life);
}
