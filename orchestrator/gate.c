// Jobs, from their start to their end. A run is
//
//   WAITING -> OPEN -> ENDING, with PAUSED between as often as one likes, or STOPPED before the end
//
// and a run that waits is one that sees its hosts or their groups differently from a run before it,
// or one for which there is no place among --max-jobs.
#include "orchestrator/gate.h"

#include "common/mem.h"
#include "orchestrator/gate_internal.h"
#include "orchestrator/policy_agree.h"

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

// --- runs in the way of others

// Where nodes share the job others may begin its hosts until they have heard that it is paused or
// stopped: what they have in hand is known when that comes back from the store.
static bool starts_nothing(const struct run *run) {
    const enum job_state heard = run->job->state;
    if (run->state != RUN_PAUSED && run->state != RUN_STOPPED) return false;
    return !gate_is_shared(run->gate) || heard == JOB_PAUSED || heard == JOB_CANCELLING;
}

// In hand, here or at another node; or of one that is no more, and in doubt.
static bool has_hosts(const struct run *run) {
    return run->flights > 0 || (gate_is_shared(run->gate) && run->job->counts[HOST_IN_HAND] > 0);
}

// One that changes nothing is in nobody's way, and nobody is in its.
static bool is_in_the_way(const struct run *run) {
    return !run->job->task->reads && run->state != RUN_ENDING &&
           (!starts_nothing(run) || has_hosts(run) || run->asked > 0);
}

// One that waits again has one as long as it has hosts, where other nodes may work on them.
static bool takes_place(const struct run *run) {
    const bool keeps_it = gate_is_shared(run->gate) && (has_hosts(run) || run->asked > 0);
    return is_in_the_way(run) && (run->state != RUN_WAITING || keeps_it);
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

// The first that waits for no other run, and may run now; NULL: there is none.
static struct run *first_in_line(const struct gate *g) {
    const unsigned taken = places_taken(g);
    struct run *run = g->runs;
    while (run != NULL &&
           (run->state != RUN_WAITING || run->awaited_count > 0 || !has_place(run, taken)))
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

static void end_waiting(struct gate *g, const struct run *run);

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
    if (status == STORE_UNREACHABLE || is_in_the_way(run)) return;
    end_waiting(g, run);
    gate_start(g);
}

// Where several nodes share the job only the one that leads says how it stands. By the epoch the
// store knows that it is no client who has the job go on: what it has not heard of stays as it is.
static void note_state(struct run *run, enum job_state state, const char *why) {
    struct gate *g = run->gate;
    struct store_event event = {.state = state, .text = why};
    if (!gate_leads(g)) return;
    if (gate_is_shared(g)) event.epoch = g->config.held->epochs[0];
    if (gate_is_shared(g) && state == JOB_RUNNING)
        run_note_job(run, &event, on_runs, ask_that_it_runs(run));
    else
        run_note_job(run, &event, NULL, NULL);
}

static void stand_in_line(struct run *run) {
    char text[80];
    if (run->is_in_line || run->state != RUN_WAITING || run->awaited_count > 0) return;
    run->is_in_line = true;
    snprintf(text, sizeof text, "for another job to end: at most %u run at a time, by --max-jobs",
             run->gate->config.max_jobs);
    note_state(run, JOB_WAITING, text);
    run_tell(run, (struct event){.kind = EVENT_TASK_WAITING, .text = text});
}

// Those that wait for no other run begin, in order of arrival, as many as may run. One may end at
// once, and let another in.
void gate_let_in(struct gate *g) {
    struct run *run;
    if (g->is_aborted || !gate_leads(g)) return; // it would be kept that they do
    while ((run = first_in_line(g)) != NULL)
        run_open(run);
    for (run = g->runs; run != NULL; run = run->next)
        stand_in_line(run);
}

// The run is in nobody's way any more.
static void end_waiting(struct gate *g, const struct run *run) {
    for (struct run *other = g->runs; other != NULL; other = other->next)
        for (size_t i = other->awaited_count; i > 0; i--)
            if (other->awaited[i - 1] == run)
                other->awaited[i - 1] = other->awaited[--other->awaited_count];
    gate_let_in(g);
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

void run_await_others(struct run *run) {
    const struct gate *g = run->gate;
    const struct job_view view = view_of(run->job);
    if (run->job->task->reads || !gate_leads(g)) return;
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
    for (struct gate_asked *asked = run->gate->asked; asked != NULL; asked = asked->next)
        if (asked->run == run) asked->run = NULL;
    unlink_run(run);
    free(run->awaited);
    free(run->skipped);
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
    end_waiting(g, run);
    run->ended_ms = wall_now(g);
}

void run_end(struct run *run) {
    struct gate *g = run->gate;
    struct job *job = run->job;
    if (run->state != RUN_ENDING) leave_schedule(run);
    if (gate_leads(g))
        run_tell(run, (struct event){.kind = EVENT_TASK_COMPLETED,
                                     .failed = job->counts[HOST_FAILED] > 0,
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
    const bool gives_place = run->state == RUN_WAITING && !has_hosts(run);
    if (run->is_over) {
        if (run->flights == 0) run_end(run);
        return;
    }
    if (starts_nothing(run) && !is_in_the_way(run)) end_waiting(g, run);
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
    if (g->is_quiet) return false;
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

static void append_run(struct run *run) {
    struct run **end = &run->gate->runs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = run;
    run->next = NULL;
}

struct run *run_new(struct gate *g, struct job *job, enum run_state state) {
    struct run *run = mem_alloc(sizeof *run);
    *run = (struct run){.gate = g, .job = job, .state = state, .started_ms = gate_now(g)};
    append_run(run);
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
    schedule_limit(g->schedule, run->scheduled, job->brakes.workers);
    if (run->state == RUN_PAUSED) schedule_pause(g->schedule, run->scheduled);
    if (run->state != RUN_STOPPED) return;
    schedule_stop(g->schedule, run->scheduled);
    run->is_skipping = true;
    g->shell.start_soon(g->shell.self, true);
}

static void begin_run(struct run *run) {
    run->state = RUN_OPEN;
    if (run->opened_ms == 0) run->opened_ms = gate_now(run->gate);
    note_state(run, JOB_RUNNING, NULL);
    run_enter_schedule(run);
}

// Nobody is in its way any more.
void run_open(struct run *run) {
    struct gate *g = run->gate;
    run->is_in_line = false;
    if (run->scheduled == NULL) {
        begin_run(run);
        gate_arm(g);
        run_finish_if_done(run);
        return;
    }
    run->state = RUN_OPEN;
    note_state(run, JOB_RUNNING, NULL);
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
        note_state(run, JOB_PAUSED, why);
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
// behind those that came meanwhile. So a run waits for those before it alone, and never in a
// circle.
void run_wait_again(struct run *run) {
    struct gate *g = run->gate;
    if (run->job->state == JOB_PAUSED) tell_resumed(run, "in hand"); // the others have been told to
    if (!has_hosts(run)) {
        unlink_run(run);
        append_run(run);
    }
    run->state = RUN_WAITING;
    run_await_others(run);
    wake_all(run);
    gate_let_in(g);
    gate_start(g);
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
    if (!is_in_the_way(run)) end_waiting(g, run);
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

bool gate_pause(struct gate *g, struct job *job, gate_kept kept, void *arg) {
    const struct store_event event = {.state = JOB_PAUSED, .text = "by request"};
    struct run *run = gate_run_of(g, job);
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
    size_t unasked = 0;
    for (const struct flight *flight = g->flights; flight != NULL; flight = flight->next)
        unasked += flight->is_unasked;
    return schedule_in_hand(g->schedule) - unasked;
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
                                   .host_over = run_host_over};
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
        free(run);
    }
    while (g->asked != NULL) {
        struct gate_asked *asked = g->asked;
        g->asked = asked->next;
        free(asked);
    }
    schedule_free(g->schedule);
    peers_free(g->peers);
    pace_deinit(&g->pace);
    free(g);
}
