// The line of jobs: who waits for whom, and who may run. A run waits for those before it that see
// its hosts or their groups differently; and, where --max-jobs are running, for a place. Where
// several nodes share the jobs, the one that leads decides this for all.
#include "orchestrator/gate_internal.h"

#include "common/mem.h"
#include "orchestrator/policy_agree.h"

#include <stdio.h>
#include <stdlib.h>

// --- runs in the way of others

// Where nodes share the job others may begin its hosts until they have heard that it is paused or
// stopped: what they have in hand is known when that comes back from the store. One that this node
// has still to look up begins nowhere, unless it was let in meanwhile.
bool run_starts_nothing(const struct run *run) {
    const enum job_state heard = run->job->state;
    if (run->state != RUN_PAUSED && run->state != RUN_STOPPED) return false;
    if (run->state == RUN_PAUSED && run_is_strange(run)) return heard != JOB_RUNNING;
    return !gate_is_shared(run->gate) || heard == JOB_PAUSED || heard == JOB_CANCELLING;
}

// In hand, here or at another node; or of one that is no more, and in doubt.
bool run_has_hosts(const struct run *run) {
    return run->flights > 0 || (gate_is_shared(run->gate) && run->job->counts[HOST_IN_HAND] > 0);
}

// One that changes nothing is in nobody's way, and nobody is in its: in one process, where they
// have the devices in turn. Two nodes would log in to a device at once.
bool run_is_in_the_way(const struct run *run) {
    return (!run->job->task->reads || gate_is_shared(run->gate)) && run->state != RUN_ENDING &&
           (!run_starts_nothing(run) || run_has_hosts(run) || run->asked > 0);
}

// One that waits again has one as long as it has hosts, where other nodes may work on them.
static bool takes_place(const struct run *run) {
    const bool keeps_it = gate_is_shared(run->gate) && (run_has_hosts(run) || run->asked > 0);
    return !run->job->task->reads && run_is_in_the_way(run) &&
           (run->state != RUN_WAITING || keeps_it);
}

static unsigned places_taken(const struct gate *g) {
    unsigned taken = 0;
    for (const struct run *run = g->runs; run != NULL; run = run->next)
        taken += takes_place(run);
    return taken;
}

static bool has_place(const struct run *run, unsigned taken) {
    const unsigned max = run->gate->config.max_jobs;
    return max == 0 || run->job->task->reads || taken - takes_place(run) < max;
}

// In the inventory as a whole; of a job that an earlier process began, in today's. Where it was
// found to differ from that, its own hosts must do: others wait for those of them that are in
// doubt.
static struct job_view view_of(const struct job *job) {
    const bool has_whole = job->whole != NULL;
    return (struct job_view){.inventory = has_whole ? job->whole : job->inventory,
                             .selection = has_whole ? &job->whole_selection : &job->selection,
                             .shards = job->shards,
                             .is_moved = job->is_moved,
                             .is_excerpt = job->is_excerpt && !has_whole,
                             .reads = job->task->reads};
}

// In one process what reads has the devices in turn with all others.
static bool waits_for_nobody(const struct run *run) {
    return run->job->task->reads && !gate_is_shared(run->gate);
}

static bool agree(const struct run *one, const struct run *other, const char **host) {
    const struct job_view a = view_of(one->job), b = view_of(other->job);
    return policy_agree(one->gate->config.policy, &a, &b, host);
}

// What it has in hand is to come to its end, where it waits again; else it has been let in.
static bool has_begun(const struct run *other, bool is_behind) {
    const bool has = other->state == RUN_WAITING ? run_has_hosts(other) : is_behind;
    return has && run_is_in_the_way(other);
}

// To compare two jobs may take long, and this is asked with each host of whatever job: who was
// found is not compared again while it is there.
static bool is_still_under_way(const struct run *run) {
    bool is_behind = false;
    if (run->under_way == NULL) return false;
    for (const struct run *other = run->gate->runs; other != NULL; other = other->next) {
        if (other == run->under_way) return has_begun(other, is_behind);
        if (other == run) is_behind = true;
    }
    return false;
}

static void remember_under_way(struct run *run, const struct run *other, const char *host) {
    free(run->under_way_host);
    run->under_way = other;
    run->under_way_host = host == NULL ? NULL : mem_strdup(host);
}

// Whether somebody disagrees and has begun, though the run stands before it in the line: it was let
// in when the run was paused, and nothing of that was in hand as far as was heard. Or it waits
// again, and has hosts in hand.
static bool is_kept_out(struct run *run) {
    bool is_behind = false;
    if (waits_for_nobody(run)) return false;
    if (is_still_under_way(run)) return true;
    remember_under_way(run, NULL, NULL);
    for (const struct run *other = run->gate->runs; other != NULL; other = other->next) {
        const char *host = "";
        if (other == run) {
            is_behind = true;
        } else if (has_begun(other, is_behind) && !agree(other, run, &host)) {
            remember_under_way(run, other, host);
            return true;
        }
    }
    return false;
}

static bool may_be_let_in(struct run *run, unsigned taken) {
    return run->state == RUN_WAITING && run->awaited_count == 0 && has_place(run, taken) &&
           !is_kept_out(run);
}

// The first that waits for no other run, and may run now; NULL: there is none.
static struct run *first_in_line(const struct gate *g) {
    const unsigned taken = places_taken(g);
    struct run *run = g->runs;
    while (run != NULL && !may_be_let_in(run, taken))
        run = run->next;
    return run;
}

// --- that it runs
//
// Who has paused the job meanwhile, and let it go on, makes that come true late. So the run is in
// the way until the store has answered, though it has been heard that it is paused.

struct gate_asked {
    struct gate_asked *next;
    struct run *run; // NULL: it is no more
    struct gate *gate;
};

static struct gate_asked *ask_that_it_runs(struct run *run) {
    struct gate_asked *asked = mem_alloc(sizeof *asked);
    *asked = (struct gate_asked){.next = run->gate->asked, .run = run, .gate = run->gate};
    run->gate->asked = asked;
    run->asked++;
    return asked;
}

static void on_runs(void *arg, enum store_status status, uint64_t n) {
    struct gate_asked *asked = arg, **link = &asked->gate->asked;
    struct gate *g = asked->gate;
    struct run *run = asked->run;
    (void)n;
    while (*link != asked)
        link = &(*link)->next;
    *link = asked->next;
    free(asked);
    if (run == NULL) return;
    run->asked--;
    if (status == STORE_UNREACHABLE || run_is_in_the_way(run)) return;
    run_gives_way(run);
    g->above.start(g);
}

void run_forget_asked(const struct run *run) {
    for (struct gate_asked *asked = run->gate->asked; asked != NULL; asked = asked->next)
        if (asked->run == run) asked->run = NULL;
}

void gate_free_asked(struct gate *g) {
    while (g->asked != NULL) {
        struct gate_asked *asked = g->asked;
        g->asked = asked->next;
        free(asked);
    }
}

// Where several nodes share the job only the one that leads says how it stands. By the epoch the
// store knows that it is no client who has the job go on: what it has not heard of stays as it is.
void run_note_state(struct run *run, enum job_state state, const char *why) {
    struct gate *g = run->gate;
    struct store_event event = {.state = state, .text = why};
    if (!gate_leads(g)) return;
    if (gate_is_shared(g)) event.epoch = g->config.held->epochs[0];
    if (gate_is_shared(g) && state == JOB_RUNNING)
        run_note_job(run, &event, on_runs, ask_that_it_runs(run));
    else
        run_note_job(run, &event, NULL, NULL);
}

static void tell_that_it_waits(struct run *run, const char *text) {
    run_note_state(run, JOB_WAITING, text);
    run_tell(run, (struct event){.kind = EVENT_TASK_WAITING, .text = text});
}

static void tell_whom_it_awaits(struct run *run, const struct run *other, const char *host) {
    char text[JOB_ID_MAX + INVENTORY_NAME_MAX + 64];
    if (*host == '\0')
        snprintf(text, sizeof text, "for job %s, which another inventory or policy began",
                 other->job->id);
    else
        snprintf(text, sizeof text, "for job %s, which sees %s or its group differently",
                 other->job->id, host);
    tell_that_it_waits(run, text);
}

// It says so once, and again where whom it waits for is another by now.
static void stand_in_line(struct run *run) {
    char text[80];
    if (run->state != RUN_WAITING || run->awaited_count > 0) return;
    if (run->is_in_line && run->told_of == run->under_way) return;
    run->is_in_line = true;
    run->told_of = run->under_way;
    if (run->under_way != NULL) {
        tell_whom_it_awaits(run, run->under_way, run->under_way_host);
        return;
    }
    snprintf(text, sizeof text, "for another job to end: at most %u run at a time, by --max-jobs",
             run->gate->config.max_jobs);
    tell_that_it_waits(run, text);
}

// Those that wait for no other run begin, in order of arrival, as many as may run. One may end at
// once, and let another in.
void gate_let_in(struct gate *g) {
    struct run *run;
    if (g->is_aborted || !gate_leads(g)) return; // it would be kept that they do
    while ((run = first_in_line(g)) != NULL)
        g->above.open(run);
    for (run = g->runs; run != NULL; run = run->next)
        stand_in_line(run);
}

// The run is in nobody's way any more.
void run_gives_way(const struct run *run) {
    struct gate *g = run->gate;
    for (struct run *other = g->runs; other != NULL; other = other->next)
        for (size_t i = other->awaited_count; i > 0; i--)
            if (other->awaited[i - 1] == run)
                other->awaited[i - 1] = other->awaited[--other->awaited_count];
    gate_let_in(g);
}

static void await_run(struct run *run, struct run *other, const char *host) {
    run->awaited =
        mem_grow(run->awaited, &run->awaited_cap, run->awaited_count + 1, sizeof(struct run *));
    run->awaited[run->awaited_count++] = other;
    tell_whom_it_awaits(run, other, host);
}

void run_await_others(struct run *run) {
    const struct gate *g = run->gate;
    if (!gate_leads(g) || waits_for_nobody(run)) return;
    for (struct run *other = g->runs; other != run; other = other->next) {
        const char *host = "";
        if (run_is_in_the_way(other) && !agree(other, run, &host)) await_run(run, other, host);
    }
}

// --- the order of the line

static void append(struct run **list, struct run *run) {
    while (*list != NULL)
        list = &(*list)->next;
    *list = run;
    run->next = NULL;
}

void run_joins_line(struct run *run) {
    append(&run->gate->runs, run);
}

void run_leaves_line(struct run *run) {
    struct run **link = &run->gate->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    for (struct run *other = run->gate->runs; other != NULL; other = other->next)
        if (other->under_way == run) remember_under_way(other, NULL, NULL);
}

// A run waits for those before it; of those behind it for what has begun alone. So those that are
// under way come first; among those that wait the numbers say who came first.
static void put_in_order(struct gate *g) {
    struct run *under_way = NULL, *waiting = NULL;
    for (struct run *run = g->runs, *next; run != NULL; run = next) {
        next = run->next;
        if (run->state != RUN_WAITING) {
            append(&under_way, run);
            continue;
        }
        struct run **link = &waiting;
        while (*link != NULL && (*link)->job->number < run->job->number)
            link = &(*link)->next;
        run->next = *link;
        *link = run;
    }
    struct run **end = &under_way;
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiting;
    g->runs = under_way;
}

void gate_lead(struct gate *g) {
    put_in_order(g);
    for (struct run *run = g->runs; run != NULL; run = run->next) {
        run->awaited_count = 0;
        if (run->state == RUN_WAITING) run_await_others(run);
    }
    gate_let_in(g);
}
