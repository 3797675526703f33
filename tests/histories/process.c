// The orchestrator's only process: what main.c and runner.c are live.
#include "tests/histories/world_internal.h"

// --- what it asks the store to keep

static void shell_append(void *self, const struct store_event *event, gate_kept kept, void *arg) {
    struct world *w = self;
    if (event->kind == STORE_JOB && event->state == JOB_DONE)
        for (unsigned i = 0; i < w->plan->jobs_count; i++)
            if (w->jobs[i].number == event->job) w->at->endings |= 1U << i;
    referee_asks_store(w, event);
    commits_append(w, event, kept, arg);
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

static bool is_idle(const struct process *p) {
    return !shell_creates(p) && (p->is_aborted || gate_under_way(p->gate) == 0);
}

bool process_has_ended(struct world *w) {
    if (!w->at->is_ending) return false;
    if (!w->at->is_closing && is_idle(w->at)) {
        story_tell(w, "the store is closed");
        shell_close_queue(w);
    }
    return shell_is_closed(w->at);
}

// --- its beginning

void process_begin(struct world *w) {
    struct gate_shell shell = shell_of(w);
    struct store_found found;
    struct error err;
    shell.append = shell_append;
    shell_begin(w, &shell);
    if (w->at->life > 1) story_tell(w, "the next orchestrator is there");
    if (w->db == NULL)
        store_memory.open(&w->db, "none", world_wall_ms(w), &found, &err);
    else
        store_memory_reopen(w->db, world_wall_ms(w), &found);
    w->is_inventory_away =
        w->at->life > 1 && world_draw(w, "the inventory is away", w->at->life, 0, 1, 100) <= 30;
    if (w->is_inventory_away)
        world_at(w, w->now_ms + world_draw(w, "away for", w->at->life, 0, 1, RESUMED_AFTER_MS - 1),
                 EVENT_INVENTORY, w->at->life);
    referee_begin(w);
    shell_open_queue(w, found.beat);
    w->at->queue.config.open_jobs = recovery_begin(w, found.alive_ms);
    recovery_go_on(w);
}
