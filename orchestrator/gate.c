// Jobs, from their start to their end. A run is
//
//   WAITING -> OPEN -> ENDING, with PAUSED between as often as one likes, or STOPPED before the end
//
// and one that waits stands in the line of gate_line.c.
#include "orchestrator/gate.h"

#include "common/mem.h"
#include "orchestrator/gate_internal.h"
#include "orchestrator/gate_share.h"
#include "orchestrator/job_view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {                   // hosts a turn of the loop
    STARTS_AT_ONCE = 64, // a connection costs 30 microseconds
    SKIPS_AT_ONCE = 256,
};

static long long wall_now(const struct gate *g) {
    return g->shell.wall_ms(g->shell.self);
}

// --- the end of a job

static void free_run(struct run *run) {
    run_leaves_line(run);
    run_forget_asked(run);
    free(run->awaited);
    free(run->skipped);
    free(run->under_way_host);
    free(run);
}

struct store_event run_end_event(const struct run *run) {
    const struct job *job = run->job;
    const size_t *counts = job->counts;
    struct store_event event = {
        .kind = STORE_JOB,
        .job = job->number,
        .host = STORE_NO_HOST,
        .wall_ms = run->ended_ms,
        .state = JOB_DONE,
        .outcome = counts[HOST_FAILED] + counts[HOST_SKIPPED] > 0 ? JOB_FAILED : JOB_COMPLETED};
    if (job->outcome != JOB_NO_OUTCOME) { // it was stopped
        event.outcome = job->outcome;
        event.text = job->why;
    }
    return event;
}

// Nothing of it is to be done here any more.
static void leave_schedule(struct run *run) {
    struct gate *g = run->gate;
    if (run->scheduled != NULL) schedule_remove(g->schedule, run->scheduled);
    run->scheduled = NULL;
    run->is_skipping = false; // nothing is left to skip
    run->state = RUN_ENDING;
    run_gives_way(run);
    run->ended_ms = wall_now(g);
}

void run_end(struct run *run) {
    struct gate *g = run->gate;
    struct job *job = run->job;
    if (run->state != RUN_ENDING) leave_schedule(run);
    if (gate_leads(g))
        run_tell(run, (struct event){.kind = EVENT_TASK_COMPLETED,
                                     .failed = job->counts[HOST_FAILED] > 0,
                                     .outcome = job_outcome_names[job->outcome],
                                     .duration_ms = gate_now(g) - run->started_ms});
    free_run(run);
    jobs_done(g->config.jobs, job);
}

// What could not be kept is found again by the next process, which ends it once more.
static void on_ended(void *arg, enum store_status status, uint64_t n) {
    struct run *run = arg;
    (void)n;
    if (status != STORE_OK) {
        free_run(run);
        return;
    }
    const struct store_event event = run_end_event(run);
    run_apply(run, &event);
    run_end(run);
}

// The canaries are over, and all is well: the others' turn has come. Or all that is left is to be
// skipped.
static bool goes_on_with_others(struct run *run) {
    if (!run->is_canary_phase || run->job->counts[HOST_WAITING] == 0) return false;
    if (run->job->canaries_left > 0) return false; // other nodes have them
    schedule_remove(run->gate->schedule, run->scheduled);
    run_enter_schedule(run);
    return !schedule_finished(run->scheduled);
}

// What other nodes have of it may be left when this one has nothing any more; the end is told by
// the one that leads, and heard by all.
static void finish_shared(struct run *run) {
    const struct job *job = run->job;
    if (run->flights > 0 || run->state == RUN_ENDING || !gate_leads(run->gate)) return;
    if (job->counts[HOST_WAITING] + job->counts[HOST_IN_HAND] > 0) return;
    if (run->state == RUN_STOPPED && job->state != JOB_CANCELLING) return; // why, is to be heard
    leave_schedule(run);
    const struct store_event event = run_end_event(run);
    run_note_job(run, &event, NULL, NULL);
}

// The run may be no more when it returns.
void run_finish_if_done(struct run *run) {
    struct gate *g = run->gate;
    if (run->scheduled == NULL || !schedule_finished(run->scheduled)) return;
    if (g->is_aborted) return; // the next process finds all its hosts over, and ends it
    if (goes_on_with_others(run)) return;
    if (gate_is_shared(g)) {
        finish_shared(run);
        return;
    }
    leave_schedule(run);
    const struct store_event event = run_end_event(run);
    g->shell.append(g->shell.self, &event, on_ended, run);
}

void run_host_over(struct run *run) {
    struct gate *g = run->gate;
    const bool gives_place = run->state == RUN_WAITING && !run_has_hosts(run);
    if (run->is_over) {
        if (run->flights == 0) run_end(run);
        return;
    }
    if (run_starts_nothing(run) && !run_is_in_the_way(run)) run_gives_way(run);
    run_finish_if_done(run);
    if (gives_place) gate_let_in(g); // of several that were taken up, each kept the others out
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
    // Whoever takes it up skips it.
    if (run->gate->is_ending || run->gate->is_aborted || run->gate->is_quiet) return;
    if (cause != SCHEDULE_NO_HOST)
        skip(run, host, hosts[cause].name);
    else
        skip(run, host, run->skipped == NULL ? "shutting down" : run->skipped);
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
    brakes_check(run, work->host);
    run_finish_if_done(run);
}

static bool next_work(struct gate *g, struct schedule_work *work) {
    struct device *device;
    if (g->is_quiet || gate_is_cut_off(g)) return false;
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

// Of a run that is stopped some hosts are skipped. True: there may be more, of it or another.
static bool skip_some(struct gate *g) {
    struct run *run = g->runs;
    while (run != NULL && !run->is_skipping)
        run = run->next;
    if (run == NULL || g->is_aborted || g->is_halted || g->is_quiet) return false;
    run->is_skipping = schedule_skip_some(g->schedule, run->scheduled, SKIPS_AT_ONCE);
    if (!run->is_skipping) run_finish_if_done(run);
    return true;
}

// All that may start: some now, the rest in the turns to come.
void gate_start(struct gate *g) {
    struct schedule_work work;
    bool is_more = true;
    for (int started = 0; is_more && started < STARTS_AT_ONCE; started++) {
        is_more = next_work(g, &work);
        if (is_more) begin_host(g, &work);
    }
    if (skip_some(g)) is_more = true;
    g->shell.start_soon(g->shell.self, is_more);
}

void gate_stepped(struct gate *g, struct device *device, const struct session_update *update) {
    gate_step(g, device, update);
}

void gate_retry(struct gate *g) {
    brakes_act(g);
    gate_pump(g);
}

// --- the beginning of a job

struct run *run_new(struct gate *g, struct job *job, enum run_state state) {
    struct run *run = mem_alloc(sizeof *run);
    *run = (struct run){.gate = g, .job = job, .state = state, .started_ms = gate_now(g)};
    run_joins_line(run);
    if (job->brakes.max_failures.unit == FAILURES_UNSAID)
        job->brakes.max_failures = g->config.max_failures;
    if (job->args.downgrade == DOWNGRADE_UNSAID && g->config.refuses_downgrade)
        job->args.downgrade = DOWNGRADE_REFUSE;
    return run;
}

// While the canaries go, the others are as good as over; so is what other nodes have.
enum past run_past(void *arg, uint32_t host) {
    static const enum past pasts[HOST_STATES] = {
        [HOST_WAITING] = PAST_PENDING, [HOST_IN_HAND] = PAST_IN_DOUBT, [HOST_CHANGED] = PAST_OVER,
        [HOST_UNCHANGED] = PAST_OVER,  [HOST_FAILED] = PAST_FAILED,    [HOST_SKIPPED] = PAST_OVER};
    const struct run *run = arg;
    const uint32_t place = job_place(run->job, host);
    const struct job_host *h = &run->job->hosts[place];
    if (!gate_has(run->gate, run->job, place)) return PAST_OVER;
    if (run->is_canary_phase && !h->is_canary && h->state != HOST_IN_HAND) return PAST_OVER;
    return pasts[h->state];
}

static bool was_begun(const struct job *job) {
    return job->counts[HOST_WAITING] < job->selection.count;
}

void run_enter_schedule(struct run *run) {
    struct gate *g = run->gate;
    struct job *job = run->job;
    run->is_canary_phase = job->canaries_left > 0;
    pace_weigh(&g->pace, job->task->name, job->inventory, &job->grouping);
    if (run->is_canary_phase || was_begun(job) || gate_is_shared(g))
        run->scheduled = schedule_add_resumed(g->schedule, &job->grouping, run, run_past, run);
    else
        run->scheduled = schedule_add(g->schedule, &job->grouping, run);
    run_limit_workers(run);
    if (run->state == RUN_PAUSED) schedule_pause(g->schedule, run->scheduled);
    if (run->state != RUN_STOPPED) return;
    schedule_stop(g->schedule, run->scheduled);
    run->is_skipping = true;
    g->shell.start_soon(g->shell.self, true);
}

// Where nodes share the job it may be known that it runs.
static void note_running(struct run *run) {
    if (!gate_is_shared(run->gate) || run->job->state != JOB_RUNNING)
        run_note_state(run, JOB_RUNNING, NULL);
}

static void begin_run(struct run *run) {
    run->state = RUN_OPEN;
    if (run->opened_ms == 0) run->opened_ms = gate_now(run->gate);
    note_running(run);
    run_enter_schedule(run);
}

// Nobody is in its way any more. Where nodes share the job, one that was in its way, and that this
// node may never have heard of, may have had its peers in hand: what is known of them is of before.
void run_open(struct run *run) {
    struct gate *g = run->gate;
    run->is_in_line = false;
    if (gate_is_shared(g)) peers_distrust(g->peers);
    if (run->scheduled == NULL) {
        begin_run(run);
        gate_arm(g);
        run_finish_if_done(run);
        return;
    }
    run->state = RUN_OPEN;
    note_running(run);
    schedule_unpause(g->schedule, run->scheduled);
}

void gate_submit(struct gate *g, struct job *job) {
    struct run *run = run_new(g, job, RUN_WAITING);
    run_tell(run, (struct event){.kind = EVENT_TASK_STARTED});
    run_await_others(run);
    gate_let_in(g);
    gate_start(g);
}

// --- jobs of an earlier process

void run_begin_doubts(struct run *run) {
    struct schedule_work work;
    while (schedule_next_in_doubt(run->gate->schedule, run->scheduled, &work))
        flight_begin_in_doubt(run->gate, &work);
}

// By the wall clock, for the other one may have begun anew; where it went back, none is known.
void run_count_time_before(struct run *run) {
    const long long passed_ms = wall_now(run->gate) - run->job->started_ms;
    if (run->job->started_ms == 0) return;
    run->opened_ms = run->started_ms;
    if (passed_ms < 0) return;
    run->before_ms = (uint64_t)passed_ms;
    if (run->before_ms < run->started_ms) run->started_ms -= run->before_ms;
}

// Of one that was left in hand it is not known what its install has come to.
static void tell_resumed(struct run *run, const char *in_hand) {
    const struct job *job = run->job;
    const size_t left = job->counts[HOST_WAITING] + job->counts[HOST_IN_HAND];
    char text[96];
    snprintf(text, sizeof text, "%zu of %zu hosts are done, %zu are %s",
             job->selection.count - left, job->selection.count, job->counts[HOST_IN_HAND], in_hand);
    run_tell(run, (struct event){.kind = EVENT_TASK_RESUMED, .text = text});
}

// It was stopped already: hosts in doubt are asked, and the rest is skipped.
static void go_on_stopping(struct run *run) {
    struct job *job = run->job;
    struct buf skipped = {0};
    job_stop_write_skipped(&skipped, job->outcome, job->why);
    run->state = RUN_STOPPED;
    run->skipped = buf_take(&skipped);
    run_enter_schedule(run);
    run_begin_doubts(run);
}

void gate_resume(struct gate *g, struct job *job, const char *why) {
    struct run *run = run_new(g, job, RUN_PAUSED);
    run_count_time_before(run);
    if (job->state == JOB_CANCELLING) {
        go_on_stopping(run);
        return;
    }
    if (why != NULL) {
        run_note_state(run, JOB_PAUSED, why);
        run_tell(run, (struct event){.kind = EVENT_TASK_PAUSED, .text = why});
    } else {
        tell_resumed(run, "in doubt");
    }
    if (was_begun(job)) { // it has been open: nobody that sees it differently has
        run_enter_schedule(run);
        run_begin_doubts(run);
    }
    brakes_check_all(run);
    gate_arm(g); // its time may run while it is paused
    if (run->scheduled != NULL && schedule_finished(run->scheduled))
        run_finish_if_done(run); // all was over but the job's own end
}

void gate_ask_doubts(struct gate *g) {
    if (g->is_aborted) return;
    for (struct flight *flight = g->flights; flight != NULL; flight = flight->next)
        flight_ask_doubt(flight);
}

struct run *gate_run_of(const struct gate *g, const struct job *job) {
    struct run *run = g->runs;
    while (run != NULL && run->job != job)
        run = run->next;
    return run;
}

// Those that rest are put back at once: the run may have to stand in line, and whoever is before it
// may wait for them. The last of them may end the run.
static void wake_all(struct run *run) {
    const struct gate *g = run->gate;
    for (struct flight *flight = g->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        if (flight->run == run) flight_unpause(flight);
    }
}

// With hosts in hand it has kept its place, and all that disagree wait for it; else it queues
// behind those that came meanwhile. So a run waits for those before it, and behind it for what
// has begun alone, which comes to its end by itself: never in a circle.
void run_wait_again(struct run *run) {
    struct gate *g = run->gate;
    if (run->job->state == JOB_PAUSED) tell_resumed(run, "in hand"); // the others have been told to
    if (!run_has_hosts(run)) {
        run_leaves_line(run);
        run_joins_line(run);
    }
    run->state = RUN_WAITING;
    run_await_others(run);
    wake_all(run);
    gate_let_in(g);
    gate_start(g);
}

void run_go_on(struct run *run) {
    run->state = RUN_WAITING;
    wake_all(run);
    run_open(run);
    gate_start(run->gate);
}

void gate_unpause(struct gate *g, struct job *job) {
    struct run *run = gate_run_of(g, job);
    if (run == NULL || run->state != RUN_PAUSED) return; // it has ended
    run_wait_again(run);
}

// --- what a client asks for, and what stops a job

// Nothing of it begins any more. The last of its hosts may end the run.
void run_hold_back(struct run *run) {
    struct gate *g = run->gate;
    run->awaited_count = 0;
    run->is_in_line = false;
    peers_keep_none_of(g->peers, run);
    if (!run_is_in_the_way(run)) run_gives_way(run);
    for (struct flight *flight = g->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        if (flight->run == run) flight_hold_back(flight);
    }
    gate_pump(g);
    gate_start(g);
}

void run_pause(struct run *run, const char *why) {
    run->state = RUN_PAUSED;
    run_tell(run, (struct event){.kind = EVENT_TASK_PAUSED, .text = why});
    if (run->scheduled != NULL) schedule_pause(run->gate->schedule, run->scheduled);
}

// It goes on at other nodes, and has not been looked up here.
static bool is_paused_here(const struct run *run) {
    const enum job_state heard = run->job->state;
    return run_is_strange(run) && run->state == RUN_PAUSED &&
           (heard == JOB_WAITING || heard == JOB_RUNNING);
}

bool gate_pause(struct gate *g, struct job *job, gate_kept kept, void *arg) {
    const struct store_event event = {.state = JOB_PAUSED, .text = "by request"};
    struct run *run = gate_run_of(g, job);
    if (run != NULL && is_paused_here(run)) {
        run_note_job(run, &event, kept, arg);
        return true;
    }
    if (run == NULL || (run->state != RUN_WAITING && run->state != RUN_OPEN)) return false;
    run_pause(run, event.text);
    run_note_job(run, &event, kept, arg);
    run_hold_back(run);
    return true;
}

// Nothing of it begins any more, and what has not is skipped, some at a time.
void run_stop(struct run *run, enum job_outcome outcome, const char *text) {
    struct gate *g = run->gate;
    struct buf skipped = {0};
    job_stop_write_skipped(&skipped, outcome, text);
    run->state = RUN_STOPPED;
    free(run->skipped);
    run->skipped = buf_take(&skipped);
    if (run->scheduled == NULL) {
        run_enter_schedule(run);
    } else {
        schedule_stop(g->schedule, run->scheduled);
        run->is_skipping = true;
        g->shell.start_soon(g->shell.self, true);
    }
}

static void stop_run(struct run *run, enum job_outcome outcome, const char *brake, const char *why,
                     const char *host, gate_kept kept, void *arg) {
    struct buf reason = {0}, text = {0};
    if (brake != NULL) buf_addf(&reason, "%s: ", brake);
    buf_adds(&reason, why);
    if (outcome == JOB_STOPPED)
        job_stop_write(&text, reason.data, host);
    else
        buf_adds(&text, why);
    run->state = RUN_STOPPED;
    run_tell(run, (struct event){.kind = EVENT_TASK_STOPPING, .brake = brake, .text = reason.data});
    const struct store_event event = {
        .state = JOB_CANCELLING, .outcome = outcome, .text = text.data};
    run_note_job(run, &event, kept, arg);
    run_stop(run, outcome, text.data);
    buf_deinit(&reason);
    buf_deinit(&text);
    run_hold_back(run);
}

static void on_brake(struct run *run, const char *brake, const char *why, const char *host) {
    stop_run(run, JOB_STOPPED, brake, why, host, NULL, NULL);
}

bool gate_cancel(struct gate *g, struct job *job, gate_kept kept, void *arg) {
    struct run *run = gate_run_of(g, job);
    if (run == NULL || run->state == RUN_STOPPED || run->state == RUN_ENDING) return false;
    stop_run(run, JOB_CANCELLED, NULL, "cancelled by request", NULL, kept, arg);
    return true;
}

// --- the end

static void finish_all(struct gate *g) {
    for (struct run *run = g->runs, *next; run != NULL; run = next) {
        next = run->next;
        run_finish_if_done(run);
    }
}

void gate_drain(struct gate *g) {
    schedule_drain(g->schedule);
    for (struct run *run = g->runs; run != NULL; run = run->next)
        if (run->scheduled == NULL && (run->state == RUN_WAITING || run->state == RUN_PAUSED))
            begin_run(run); // and ends at once
    peers_keep_none(g->peers);
    gate_pump(g);
    finish_all(g);
}

void gate_halt(struct gate *g) {
    schedule_halt(g->schedule);
    g->is_halted = true;
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

const struct gate_config *gate_configuration(const struct gate *g) {
    return &g->config;
}

double *gate_means(const struct gate *g, const struct job *job) {
    return pace_means(&g->pace, job->task->name, job->inventory);
}

const char *gate_version_of(const struct gate *g, const struct host *host) {
    const struct device *device = peers_find(g->peers, host);
    return device == NULL ? NULL : device->version;
}

struct peers_known gate_known_of(const struct gate *g, const struct host *host) {
    return peers_known(g->peers, host, g->shell.now_ms(g->shell.self));
}

size_t gate_in_hand(const struct gate *g) {
    return schedule_in_hand(g->schedule);
}

size_t gate_under_way(const struct gate *g) {
    return flights_under_way(g);
}

size_t gate_groups_pending(const struct gate *g) {
    return schedule_groups_pending(g->schedule);
}

uint64_t gate_groups_stopped(const struct gate *g) {
    return schedule_groups_stopped(g->schedule);
}

// --- life

struct gate *gate_new(const struct gate_config *config, const struct gate_shell *shell) {
    struct gate *g = mem_zalloc(sizeof *g);
    g->config = *config;
    g->shell = *shell;
    g->above = (struct gate_above){.pump = gate_pump,
                                   .start = gate_start,
                                   .outcome = brakes_check,
                                   .stop = on_brake,
                                   .host_over = run_host_over,
                                   .open = run_open};
    g->host_due_ms = UINT64_MAX;
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
        free(run->skipped);
        free(run->awaited);
        free(run->under_way_host);
        free(run);
    }
    gate_free_asked(g);
    schedule_free(g->schedule);
    peers_free(g->peers);
    pace_deinit(&g->pace);
    free(g);
}
