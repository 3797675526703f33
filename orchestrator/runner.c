// One flight is one host's way through the gate. Each of its moves ends in a question to the store
// or to the connection, and goes on in the answer's callback:
//
//   start_host -> on_claimed -> on_stepped ... (wants to install) on_intended -> on_stepped ...
//              -> (verdict) on_outcome, (end of the connection) -> land
//
// land() has two doors, for the outcome is kept beside the logout: the later of both comes in.
#include "orchestrator/runner.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/claims.h"
#include "orchestrator/connection.h"
#include "orchestrator/pace.h"
#include "orchestrator/schedule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    READ_BUFFER = 65536,
    STARTS_AT_ONCE = 64, // hosts a turn of the loop: a connection costs 30 microseconds
    BREATH_STEPS = 64,   // of all devices, about a millisecond
};

struct runner {
    struct runner_config config;
    struct connection_context context;
    struct schedule *schedule;
    struct claims claims;
    struct pace pace;
    struct flight *flights;
    struct run *runs; // of the jobs that are not done, in order of arrival
    uv_idle_t more;   // runs while hosts may start that have not
    void (*breathe)(void *arg);
    void *breathe_arg;
    uint64_t steps;
    char read_buffer[READ_BUFFER];
};

struct run { // of a job
    struct run *next;
    struct runner *runner;
    struct job *job;
    struct schedule_job *scheduled;
    uint64_t started_ms;
};

enum outcome_state {
    OUTCOME_OPEN,
    OUTCOME_KEEPING, // the store has been told
    OUTCOME_KEPT,
};

struct flight {
    struct flight *next, *previous;
    struct runner *runner;
    struct run *run;
    struct schedule_work work;
    struct claim claim; // of the device
    uint64_t started_ms;
    struct connection *connection; // NULL: none yet, or it is over
    bool store_asked;              // for a claim or an intent: its answer is still to come
    bool intended;                 // the device may have been changed from here on
    enum outcome_state outcome;
    enum host_state result; // the outcome; and what to say of it
    char *text;
};

// --- telling

static void tell(struct run *run, struct event event) {
    const struct job *job = run->job;
    event.job = job->id;
    event.task = job->task->name;
    processors_tell(run->runner->config.processors, &run->job->events, &event, clock_wall_ms());
}

static void tell_of_host(struct run *run, uint32_t number, struct event event) {
    const struct inventory *inventory = run->job->inventory;
    const struct host *host = &inventory->hosts[number];
    event.host = host->name;
    event.site = inventory_site(inventory, host);
    event.dev_type = inventory_dev_type(inventory, host);
    tell(run, event);
}

static void keep(struct flight *flight, enum store_kind kind, store_done done) {
    const struct job *job = flight->run->job;
    struct store *store = flight->runner->config.store;
    const struct store_event event = {.kind = kind,
                                      .job = job->id,
                                      .host = job->inventory->hosts[flight->work.host].name,
                                      .result = flight->result,
                                      .text = flight->text};
    store->append(store, &event, done, flight);
}

// --- the end of a job

static void finish_if_done(struct run *run) {
    struct runner *r = run->runner;
    struct job *job = run->job;
    if (!schedule_finished(run->scheduled)) return;
    schedule_remove(r->schedule, run->scheduled);
    struct run **link = &r->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    tell(run, (struct event){.kind = EVENT_TASK_COMPLETED,
                             .failed = job->counts[HOST_FAILED] > 0,
                             .duration_ms = uv_now(r->context.loop) - run->started_ms});
    free(run);
    jobs_done(r->config.jobs, job);
}

static void skip(struct run *run, uint32_t host, const char *why) {
    job_turn(run->job, host, HOST_SKIPPED);
    tell_of_host(
        run, host,
        (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_SKIPPED, .text = why});
}

static void on_skip(void *arg, uint32_t host, uint32_t cause) {
    struct run *run = arg;
    const struct host *hosts = run->job->inventory->hosts;
    skip(run, host, cause == SCHEDULE_NO_HOST ? "shutting down" : hosts[cause].name);
}

// A host of another platform has its turn like all others, and is left alone.
static void pass_over(struct run *run, struct schedule_work *work) {
    const struct inventory *inventory = run->job->inventory;
    struct schedule *schedule = run->runner->schedule;
    char why[INVENTORY_NAME_MAX + 16];
    snprintf(why, sizeof why, "platform %s",
             inventory_platform(inventory, &inventory->hosts[work->host]));
    schedule_claimed(schedule, work);
    skip(run, work->host, why);
    schedule_done(schedule, work, false);
    finish_if_done(run);
}

// --- the end of a host

static void start_hosts(struct runner *r);

static void release_group(void *arg, const char *group) {
    schedule_release(arg, group);
}

static void free_flight(struct flight *flight) {
    struct runner *r = flight->runner;
    claims_release(&r->claims, &flight->claim, release_group, r->schedule);
    if (flight->previous != NULL)
        flight->previous->next = flight->next;
    else
        r->flights = flight->next;
    if (flight->next != NULL) flight->next->previous = flight->previous;
    free(flight->text);
    free(flight);
}

// As if not begun: the store refused it.
static void put_back(struct flight *flight) {
    struct run *run = flight->run;
    struct schedule_work work = flight->work;
    job_turn(run->job, work.host, HOST_WAITING);
    free_flight(flight);
    schedule_put_back(run->runner->schedule, &work);
    finish_if_done(run);
}

static void complete(struct flight *flight) {
    struct runner *r = flight->runner;
    struct run *run = flight->run;
    struct job *job = run->job;
    struct schedule_work work = flight->work;
    const bool failed = flight->result == HOST_FAILED;
    const uint64_t duration_ms = uv_now(r->context.loop) - flight->started_ms;
    const struct host *host = &job->inventory->hosts[work.host];
    if (flight->result == HOST_CHANGED)
        pace_learn(&r->pace, job->task->name, inventory_dev_type(job->inventory, host),
                   duration_ms);
    job_turn(job, work.host, flight->result);
    tell_of_host(run, work.host,
                 (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED,
                                .result = flight->result,
                                .failed = failed,
                                .text = flight->text,
                                .duration_ms = duration_ms});
    free_flight(flight);
    schedule_done(r->schedule, &work, failed);
    finish_if_done(run);
    start_hosts(r); // of each of its groups one may go now
}

static void land(struct flight *flight) {
    if (flight->connection != NULL || flight->store_asked || flight->outcome == OUTCOME_KEEPING)
        return;
    if (flight->outcome == OUTCOME_KEPT)
        complete(flight);
    else
        put_back(flight);
}

static void on_outcome(void *arg, enum store_status status) {
    struct flight *flight = arg;
    assert(status == STORE_OK); // what has happened is not for a store to refuse
    flight->outcome = OUTCOME_KEPT;
    land(flight);
}

// --- the way of a host

static void on_intended(void *arg, enum store_status status) {
    struct flight *flight = arg;
    flight->store_asked = false;
    flight->intended = status == STORE_OK;
    if (flight->connection != NULL)
        connection_answer(flight->connection, status == STORE_OK);
    else
        land(flight); // the device went away meanwhile
}

// Once the verdict is known a call that fails changes nothing: a warning.
static void tell_of_calls(struct flight *flight, const struct session_update *update) {
    if (update->call_ended != NULL)
        tell_of_host(flight->run, flight->work.host,
                     (struct event){.kind = EVENT_SUBTASK_INSTANCE_COMPLETED,
                                    .subtask = update->call_ended,
                                    .failed = update->call_failure != NULL &&
                                              flight->outcome == OUTCOME_OPEN,
                                    .text = update->call_failure});
    if (update->call_begun != NULL)
        tell_of_host(
            flight->run, flight->work.host,
            (struct event){.kind = EVENT_SUBTASK_INSTANCE_STARTED, .subtask = update->call_begun});
}

static void take_verdict(struct flight *flight, const struct session_update *update) {
    static const enum host_state results[] = {[TASK_CHANGED] = HOST_CHANGED,
                                              [TASK_UNCHANGED] = HOST_UNCHANGED,
                                              [TASK_FAILED] = HOST_FAILED};
    flight->result = results[update->verdict];
    flight->text = mem_strdup(update->text);
    flight->outcome = OUTCOME_KEEPING;
    keep(flight, STORE_OUTCOME, on_outcome);
}

static void on_stepped(void *arg, const struct session_update *update) {
    struct flight *flight = arg;
    struct runner *r = flight->runner;
    const enum session_want want = update->want; // the update is another one once the store answers
    const bool has_verdict = update->verdict != TASK_NEXT_STEP;
    tell_of_calls(flight, update);
    if (has_verdict) take_verdict(flight, update);
    if (want == SESSION_ASK) {
        flight->store_asked = true;
        keep(flight, STORE_INTENT, on_intended);
    } else if (want == SESSION_END) {
        flight->connection = NULL;
        land(flight);
    }
    if (++r->steps % BREATH_STEPS == 0 && r->breathe != NULL) r->breathe(r->breathe_arg);
}

static void on_claimed(void *arg, enum store_status status) {
    struct flight *flight = arg;
    struct runner *r = flight->runner;
    struct run *run = flight->run;
    flight->store_asked = false;
    if (status != STORE_OK) {
        put_back(flight);
        return;
    }
    schedule_claimed(r->schedule, &flight->work);
    flight->started_ms = uv_now(r->context.loop);
    tell_of_host(run, flight->work.host, (struct event){.kind = EVENT_TASK_INSTANCE_STARTED});
    flight->connection = connection_start(&r->context, run->job->task, &run->job->args,
                                          &run->job->inventory->hosts[flight->work.host], flight);
}

static bool start_host(struct runner *r) {
    struct schedule_work work;
    if (!schedule_next(r->schedule, &work)) return false;
    struct run *run = work.owner;
    if (run->job->inventory->hosts[work.host].platform != 0) {
        pass_over(run, &work);
        return true;
    }
    struct flight *flight = mem_alloc(sizeof *flight);
    *flight = (struct flight){.runner = r, .run = run, .work = work, .store_asked = true};
    struct claim *holder =
        claims_take(&r->claims, &flight->claim, &run->job->inventory->hosts[work.host]);
    if (holder != NULL) { // another job drives the device, as a member of another group
        schedule_hold(r->schedule, work.group);
        claims_wait(holder, work.group);
        schedule_put_back(r->schedule, &work);
        free(flight);
        return true;
    }
    flight->next = r->flights;
    if (r->flights != NULL) r->flights->previous = flight;
    r->flights = flight;
    job_turn(run->job, work.host, HOST_IN_HAND);
    keep(flight, STORE_STARTED, on_claimed);
    return true;
}

static void on_more(uv_idle_t *more);

// All that may start: some now, the rest in the turns to come.
static void start_hosts(struct runner *r) {
    for (int started = 0; started < STARTS_AT_ONCE; started++) {
        if (start_host(r)) continue;
        uv_idle_stop(&r->more);
        return;
    }
    uv_idle_start(&r->more, on_more);
}

static void on_more(uv_idle_t *more) {
    start_hosts(more->data);
}

void runner_submit(struct runner *r, struct job *job) {
    struct run *run = mem_alloc(sizeof *run);
    uv_update_time(r->context.loop);
    *run = (struct run){.runner = r, .job = job, .started_ms = uv_now(r->context.loop)};
    struct run **end = &r->runs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = run;
    tell(run, (struct event){.kind = EVENT_TASK_STARTED});
    pace_weigh(&r->pace, job->task->name, job->inventory, &job->grouping);
    run->scheduled = schedule_add(r->schedule, &job->grouping, run);
    finish_if_done(run);
    start_hosts(r);
}

void runner_drain(struct runner *r) {
    schedule_drain(r->schedule);
    for (struct run *run = r->runs, *next; run != NULL; run = next) {
        next = run->next;
        finish_if_done(run);
    }
}

void runner_abort(struct runner *r) {
    static const char in_doubt[] = "in doubt: the install was sent, and its end was not awaited";
    for (struct flight *flight = r->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        if (flight->connection != NULL) connection_abort(flight->connection);
        flight->connection = NULL;
        if (flight->intended && flight->outcome == OUTCOME_OPEN) {
            flight->result = HOST_FAILED;
            flight->text = mem_strdup(in_doubt);
            flight->outcome = OUTCOME_KEPT; // in doubt is what a store knows without being told
        }
        land(flight);
    }
}

size_t runner_in_hand(const struct runner *r) {
    return schedule_in_hand(r->schedule);
}

// --- life

struct runner *runner_new(uv_loop_t *loop, const struct runner_config *config) {
    struct runner *r = mem_zalloc(sizeof *r);
    r->config = *config;
    r->context = (struct connection_context){
        .loop = loop,
        .config = config->session,
        .read_buffer = {r->read_buffer, sizeof r->read_buffer},
        .stepped = on_stepped,
    };
    if (getrandom(&r->context.secret, sizeof r->context.secret, 0) < 0)
        abort(); // never so few bytes
    claims_init(&r->claims, config->workers);
    r->schedule = schedule_new(config->workers, on_skip);
    uv_idle_init(loop, &r->more);
    r->more.data = r;
    return r;
}

void runner_close(struct runner *r) {
    uv_close((uv_handle_t *)&r->more, NULL);
}

void runner_free(struct runner *r) {
    if (r == NULL) return;
    schedule_free(r->schedule);
    claims_deinit(&r->claims);
    pace_deinit(&r->pace);
    buf_deinit(&r->context.update.send);
    free(r);
}

void runner_on_breath(struct runner *r, void (*breathe)(void *arg), void *arg) {
    r->breathe = breathe;
    r->breathe_arg = arg;
}

size_t runner_groups_pending(const struct runner *r) {
    return schedule_groups_pending(r->schedule);
}
