// Jobs, from their start to their end. A run is
//
//   WAITING -> OPEN -> ENDING, with PAUSED between as often as one likes
//
// and a run that waits is one that sees its hosts or their groups differently from a run before it.
#include "orchestrator/gate.h"

#include "common/mem.h"
#include "orchestrator/gate_internal.h"
#include "orchestrator/policy_agree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { STARTS_AT_ONCE = 64 }; // hosts a turn of the loop: a connection costs 30 microseconds

static long long wall_now(const struct gate *g) {
    return g->shell.wall_ms(g->shell.self);
}

static void note_state(struct run *run, enum job_state state, const char *why) {
    run_note(run, (struct store_event){
                      .kind = STORE_JOB, .host = STORE_NO_HOST, .state = state, .text = why});
}

// --- runs in the way of others

static void begin_run(struct run *run);
static void go_on(struct run *run);

static bool is_in_the_way(const struct run *run) {
    return run->state != RUN_ENDING && (run->state != RUN_PAUSED || run->flights > 0);
}

// Those that have waited for the run, and for no other, begin.
static void end_waiting(struct gate *g, const struct run *run) {
    if (g->is_aborted) return; // it would be kept that they do
    for (struct run *other = g->runs, *next; other != NULL; other = next) {
        next = other->next;
        if (other->state != RUN_WAITING) continue;
        for (size_t i = other->awaited_count; i > 0; i--)
            if (other->awaited[i - 1] == run)
                other->awaited[i - 1] = other->awaited[--other->awaited_count];
        if (other->awaited_count == 0) go_on(other);
    }
}

static void await_run(struct run *run, struct run *other, const char *host) {
    char text[JOB_ID_MAX + INVENTORY_NAME_MAX + 64];
    if (*host == '\0')
        snprintf(text, sizeof text, "for job %s, which another inventory or policy began",
                 other->job->id);
    else
        snprintf(text, sizeof text, "for job %s, which sees %s or its group differently",
                 other->job->id, host);
    run->awaited =
        mem_grow(run->awaited, &run->awaited_cap, run->awaited_count + 1, sizeof(struct run *));
    run->awaited[run->awaited_count++] = other;
    note_state(run, JOB_WAITING, text);
    run_tell(run, (struct event){.kind = EVENT_TASK_WAITING, .text = text});
}

// In the inventory as a whole; of a job that an earlier process began, in today's. Where it was
// found to differ from that, its own hosts must do: they agree with hardly any other view, and so
// others wait for those of them that are in doubt.
static struct job_view view_of(const struct job *job) {
    return job->whole == NULL ? (struct job_view){job->inventory, &job->selection}
                              : (struct job_view){job->whole, &job->whole_selection};
}

static void await_others(struct run *run) {
    const struct gate *g = run->gate;
    const struct job_view view = view_of(run->job);
    for (struct run *other = g->runs; other != run; other = other->next) {
        const char *host = "";
        if (!is_in_the_way(other)) continue;
        const struct job_view before = view_of(other->job);
        if (!policy_agree(g->config.policy, &before, &view, &host)) await_run(run, other, host);
    }
}

// --- the end of a job

static void unlink_run(struct run *run) {
    struct run **link = &run->gate->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
}

static void free_run(struct run *run) {
    unlink_run(run);
    free(run->awaited);
    free(run);
}

static struct store_event end_of(const struct run *run) {
    const size_t *counts = run->job->counts;
    return (struct store_event){
        .kind = STORE_JOB,
        .job = run->job->number,
        .host = STORE_NO_HOST,
        .wall_ms = wall_now(run->gate),
        .state = JOB_DONE,
        .outcome = counts[HOST_FAILED] + counts[HOST_SKIPPED] > 0 ? JOB_FAILED : JOB_COMPLETED};
}

// What could not be kept is found again by the next process, which ends it once more.
static void on_ended(void *arg, enum store_status status, uint64_t n) {
    struct run *run = arg;
    struct gate *g = run->gate;
    struct job *job = run->job;
    (void)n;
    if (status == STORE_OK) {
        const struct store_event event = end_of(run);
        run_apply(run, &event);
        run_tell(run, (struct event){.kind = EVENT_TASK_COMPLETED,
                                     .failed = job->counts[HOST_FAILED] > 0,
                                     .duration_ms = gate_now(g) - run->started_ms});
    }
    free_run(run);
    if (status == STORE_OK) jobs_done(g->config.jobs, job);
}

// The run may be no more when it returns.
static void finish_if_done(struct run *run) {
    struct gate *g = run->gate;
    if (run->scheduled == NULL || !schedule_finished(run->scheduled)) return;
    if (g->is_aborted) return; // the next process finds all its hosts over, and ends it
    schedule_remove(g->schedule, run->scheduled);
    run->scheduled = NULL;
    run->state = RUN_ENDING;
    end_waiting(g, run);
    const struct store_event event = end_of(run);
    g->shell.append(g->shell.self, &event, on_ended, run);
}

static void on_host_over(struct run *run) {
    if (run->state == RUN_PAUSED && run->flights == 0) end_waiting(run->gate, run);
    finish_if_done(run);
}

// --- hosts

static void skip(struct run *run, uint32_t host, const char *why) {
    gate_let_go_of(run->gate, &run->job->inventory->hosts[host]);
    run_note(run, (struct store_event){.kind = STORE_OUTCOME,
                                       .host = job_place(run->job, host),
                                       .result = HOST_SKIPPED,
                                       .text = why});
    run_tell_of_host(
        run, host,
        (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_SKIPPED, .text = why});
}

static void on_skip(void *arg, uint32_t host, uint32_t cause) {
    struct run *run = arg;
    const struct host *hosts = run->job->inventory->hosts;
    if (run->gate->is_ending || run->gate->is_aborted) return; // the next process skips it
    skip(run, host, cause == SCHEDULE_NO_HOST ? "shutting down" : hosts[cause].name);
}

// A host of another platform has its turn like all others, and is left alone.
static void pass_over(struct run *run, struct schedule_work *work) {
    const struct inventory *inventory = run->job->inventory;
    struct schedule *schedule = run->gate->schedule;
    char why[INVENTORY_NAME_MAX + 16];
    snprintf(why, sizeof why, "platform %s",
             inventory_platform(inventory, &inventory->hosts[work->host]));
    schedule_claimed(schedule, work);
    skip(run, work->host, why);
    schedule_done(schedule, work, false);
    finish_if_done(run);
}

static bool next_work(struct gate *g, struct schedule_work *work) {
    struct device *device;
    if (schedule_in_hand(g->schedule) >= g->config.workers) return false;
    while (peers_are_pressed(g->peers) && (device = peers_next_kept(g->peers)) != NULL) {
        struct run *run = device->kept_for.run;
        if (run->scheduled != NULL &&
            schedule_next_in(g->schedule, run->scheduled, device->kept_for.cohort,
                             device->kept_for.host, work))
            return true;
    }
    return schedule_next(g->schedule, work);
}

static void begin_host(struct gate *g, struct schedule_work *work) {
    struct run *run = work->owner;
    if (run->job->inventory->hosts[work->host].platform == 0)
        flight_begin(g, work);
    else
        pass_over(run, work);
}

// All that may start: some now, the rest in the turns to come.
void gate_start(struct gate *g) {
    struct schedule_work work;
    bool is_more = true;
    for (int started = 0; is_more && started < STARTS_AT_ONCE; started++) {
        is_more = next_work(g, &work);
        if (is_more) begin_host(g, &work);
    }
    g->shell.start_soon(g->shell.self, is_more);
}

void gate_stepped(struct gate *g, struct device *device, const struct session_update *update) {
    gate_step(g, device, update);
}

void gate_retry(struct gate *g) {
    gate_pump(g);
}

// --- the beginning of a job

static void append_run(struct run *run) {
    struct run **end = &run->gate->runs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = run;
    run->next = NULL;
}

static struct run *run_new(struct gate *g, struct job *job, enum run_state state) {
    struct run *run = mem_alloc(sizeof *run);
    *run = (struct run){.gate = g, .job = job, .state = state, .started_ms = gate_now(g)};
    append_run(run);
    return run;
}

static enum past past_of_host(void *arg, uint32_t host) {
    static const enum past pasts[HOST_STATES] = {
        [HOST_WAITING] = PAST_PENDING, [HOST_IN_HAND] = PAST_IN_DOUBT, [HOST_CHANGED] = PAST_OVER,
        [HOST_UNCHANGED] = PAST_OVER,  [HOST_FAILED] = PAST_FAILED,    [HOST_SKIPPED] = PAST_OVER};
    return pasts[job_host(arg, host)->state];
}

static bool was_begun(const struct job *job) {
    return job->counts[HOST_WAITING] < job->selection.count;
}

static void enter_schedule(struct run *run) {
    struct gate *g = run->gate;
    struct job *job = run->job;
    pace_weigh(&g->pace, job->task->name, job->inventory, &job->grouping);
    run->scheduled = was_begun(job)
                         ? schedule_add_resumed(g->schedule, &job->grouping, run, past_of_host, job)
                         : schedule_add(g->schedule, &job->grouping, run);
}

static void begin_run(struct run *run) {
    run->state = RUN_OPEN;
    note_state(run, JOB_RUNNING, NULL);
    enter_schedule(run);
}

// Nobody is in its way any more.
static void go_on(struct run *run) {
    struct gate *g = run->gate;
    if (run->scheduled == NULL) {
        begin_run(run);
        finish_if_done(run);
        return;
    }
    run->state = RUN_OPEN;
    note_state(run, JOB_RUNNING, NULL);
    schedule_unpause(g->schedule, run->scheduled);
    for (struct flight *flight = g->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        if (flight->run == run) flight_unpause(flight); // the last of them may end the run
    }
}

void gate_submit(struct gate *g, struct job *job) {
    struct run *run = run_new(g, job, RUN_WAITING);
    run_tell(run, (struct event){.kind = EVENT_TASK_STARTED});
    await_others(run);
    if (run->awaited_count == 0) go_on(run);
    gate_start(g);
}

// --- jobs of an earlier process

static void begin_doubts(struct run *run) {
    struct schedule_work work;
    while (schedule_next_in_doubt(run->gate->schedule, run->scheduled, &work))
        flight_begin_in_doubt(run->gate, &work);
}

static void count_time_before(struct run *run) {
    const long long passed_ms = wall_now(run->gate) - run->job->started_ms;
    if (run->job->started_ms == 0 || passed_ms < 0) return;
    if ((uint64_t)passed_ms < run->started_ms) run->started_ms -= (uint64_t)passed_ms;
}

static void write_progress(const struct job *job, char *text, size_t size) {
    const size_t left = job->counts[HOST_WAITING], in_doubt = job->counts[HOST_IN_HAND];
    snprintf(text, size, "%zu of %zu hosts are done, %zu are in doubt",
             job->selection.count - left - in_doubt, job->selection.count, in_doubt);
}

void gate_resume(struct gate *g, struct job *job, const char *why) {
    struct run *run = run_new(g, job, RUN_PAUSED);
    count_time_before(run);
    if (why != NULL) {
        note_state(run, JOB_PAUSED, why);
        run_tell(run, (struct event){.kind = EVENT_TASK_PAUSED, .text = why});
    } else {
        char text[96];
        write_progress(job, text, sizeof text);
        run_tell(run, (struct event){.kind = EVENT_TASK_RESUMED, .text = text});
    }
    if (was_begun(job)) { // it has been open: nobody that sees it differently has
        enter_schedule(run);
        schedule_pause(g->schedule, run->scheduled);
        begin_doubts(run);
    }
    if (run->scheduled != NULL && schedule_finished(run->scheduled))
        finish_if_done(run); // all was over but the job's own end
}

static struct run *run_of(const struct gate *g, const struct job *job) {
    struct run *run = g->runs;
    while (run != NULL && run->job != job)
        run = run->next;
    return run;
}

// With hosts in hand it has kept its place, and all that disagree wait for it; else it queues
// behind those that came meanwhile. So a run waits for those before it alone, and never in a
// circle.
void gate_unpause(struct gate *g, struct job *job) {
    struct run *run = run_of(g, job);
    if (run == NULL || run->state != RUN_PAUSED) return; // it has ended
    if (run->flights == 0) {
        unlink_run(run);
        append_run(run);
    }
    run->state = RUN_WAITING;
    await_others(run);
    if (run->awaited_count == 0) go_on(run);
    gate_start(g);
}

// --- the end

static void finish_all(struct gate *g) {
    for (struct run *run = g->runs, *next; run != NULL; run = next) {
        next = run->next;
        finish_if_done(run);
    }
}

void gate_drain(struct gate *g) {
    schedule_drain(g->schedule);
    for (struct run *run = g->runs; run != NULL; run = run->next)
        if (run->scheduled == NULL && run->state == RUN_WAITING) begin_run(run); // and ends at once
    peers_keep_none(g->peers);
    gate_pump(g);
    finish_all(g);
}

void gate_halt(struct gate *g) {
    schedule_halt(g->schedule);
    peers_keep_none(g->peers);
    gate_pump(g);
}

void gate_abort(struct gate *g) {
    g->shell.abort_all(g->shell.self);
    g->is_aborted = g->config.is_persistent;
    for (struct flight *flight = g->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        flight_abort(flight);
    }
}

size_t gate_in_hand(const struct gate *g) {
    return schedule_in_hand(g->schedule);
}

size_t gate_groups_pending(const struct gate *g) {
    return schedule_groups_pending(g->schedule);
}

// --- life

struct gate *gate_new(const struct gate_config *config, const struct gate_shell *shell) {
    struct gate *g = mem_zalloc(sizeof *g);
    g->config = *config;
    g->shell = *shell;
    g->above = (struct gate_above){gate_pump, gate_start, on_host_over};
    g->peers = peers_new(&config->peers);
    g->schedule = schedule_new(config->workers, on_skip);
    return g;
}

void gate_free(struct gate *g) {
    if (g == NULL) return;
    g->is_ending = true;
    schedule_halt(g->schedule);
    while (g->flights != NULL)
        flight_drop(g->flights);
    for (struct run *run = g->runs, *next; run != NULL; run = next) {
        next = run->next;
        if (run->scheduled != NULL) schedule_abandon(g->schedule, run->scheduled);
        free(run->awaited);
        free(run);
    }
    schedule_free(g->schedule);
    peers_free(g->peers);
    pace_deinit(&g->pace);
    free(g);
}
