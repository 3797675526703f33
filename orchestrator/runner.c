// One flight is one host's way through the gate. Each of its moves ends in a question to the store
// or to the connection, and goes on in the answer's callback:
//
//   start_host -> on_claimed -> on_stepped ... (wants to install) grant -> on_intended
//              -> on_stepped ... (verdict) on_outcome, (end of the connection) -> land
//
// land() has two doors, for the outcome is kept beside the logout: the later of both comes in.
//
// A connection belongs to its device (peers.h). While the device is in hand what comes of it is its
// flight's, else it is an ask; what is to be asked, granted, skipped and put back is pulled out of
// the peers by pump(), after whatever may have changed them.
#include "orchestrator/runner.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/connection.h"
#include "orchestrator/pace.h"
#include "orchestrator/policy_agree.h"
#include "orchestrator/schedule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    struct peers *peers;
    struct pace pace;
    struct flight *flights;
    struct run *runs; // of the jobs that are not done, in order of arrival
    uv_idle_t more;   // runs while hosts may start that have not
    uv_timer_t retry; // when peers are to be asked again
    bool pumping;
    void (*breathe)(void *arg);
    void *breathe_arg;
    uint64_t steps;
    char read_buffer[READ_BUFFER];
};

struct run { // of a job
    struct run *next;
    struct runner *runner;
    struct job *job;
    struct schedule_job *scheduled; // NULL: it waits for others
    struct run **awaited;           // jobs before it that see differently what they share
    size_t awaited_count, awaited_cap;
    uint64_t started_ms;
};

enum outcome_state {
    OUTCOME_OPEN,
    OUTCOME_KEEPING, // the store has been told
    OUTCOME_KEPT,
};

enum gate_state {
    GATE_SHUT,
    GATE_WANTED,  // the host wants to install: the peers are to say whether it may
    GATE_KEEPING, // granted; the store has been told of the intent
    GATE_OPEN,    // the device may have been changed from here on
};

struct flight {
    struct flight *next, *previous;
    struct runner *runner;
    struct run *run;
    struct schedule_work work;
    struct turn *turn; // and its device, which has the connection
    uint64_t started_ms;
    uint64_t up_ms;   // when its device last answered as it should; 0: it has not
    bool started;     // it was told so
    bool store_asked; // for a claim or an intent: its answer is still to come
    enum gate_state gate;
    bool wants; // its session waits for leave to install
    enum outcome_state outcome;
    enum host_state result; // the outcome; and what to say of it
    char *text;
    const struct device *heir; // of its groups the next whose turn is to come; found when one asks
    bool has_heir;
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

static void begin_run(struct run *run);

// Those that have waited for the run, and for no other, begin.
static void end_waiting(struct runner *r, const struct run *run) {
    for (struct run *other = r->runs, *next; other != NULL; other = next) {
        next = other->next;
        if (other->scheduled != NULL) continue;
        for (size_t i = other->awaited_count; i > 0; i--)
            if (other->awaited[i - 1] == run)
                other->awaited[i - 1] = other->awaited[--other->awaited_count];
        if (other->awaited_count == 0) begin_run(other);
    }
}

static void finish_if_done(struct run *run) {
    struct runner *r = run->runner;
    struct job *job = run->job;
    if (run->scheduled == NULL || !schedule_finished(run->scheduled)) return;
    schedule_remove(r->schedule, run->scheduled);
    struct run **link = &r->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    tell(run, (struct event){.kind = EVENT_TASK_COMPLETED,
                             .failed = job->counts[HOST_FAILED] > 0,
                             .duration_ms = uv_now(r->context.loop) - run->started_ms});
    end_waiting(r, run);
    free(run->awaited);
    free(run);
    jobs_done(r->config.jobs, job);
}

// Its turn does not come: a session that was kept for it is let go.
static void let_go_of(struct runner *r, const struct host *host) {
    struct device *device = peers_find(r->peers, host);
    if (device != NULL) peers_keep_not(r->peers, device);
}

static void skip(struct run *run, uint32_t host, const char *why) {
    let_go_of(run->runner, &run->job->inventory->hosts[host]);
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
static void pump(struct runner *r);

static void release_group(void *arg, const char *group) {
    schedule_release(arg, group);
}

static void free_flight(struct flight *flight, enum turn_end end) {
    struct runner *r = flight->runner;
    peers_end(r->peers, flight->turn, end, flight->up_ms, flight->text, clock_boot_ms(),
              release_group, r->schedule);
    if (flight->previous != NULL)
        flight->previous->next = flight->next;
    else
        r->flights = flight->next;
    if (flight->next != NULL) flight->next->previous = flight->previous;
    free(flight->text);
    free(flight);
}

// As if not begun: the store refused it, or hosts in hand keep it from going.
static void put_back(struct flight *flight) {
    struct runner *r = flight->runner;
    struct run *run = flight->run;
    struct schedule_work work = flight->work;
    job_turn(run->job, work.host, HOST_WAITING);
    if (flight->started)
        tell_of_host(run, work.host,
                     (struct event){.kind = EVENT_TASK_INSTANCE_PUT_BACK,
                                    .text = flight->text == NULL ? "not now" : flight->text});
    free_flight(flight, flight->up_ms == 0 ? TURN_LEFT : TURN_VERIFIED);
    schedule_put_back(r->schedule, &work);
    finish_if_done(run);
    start_hosts(r);
}

static void complete(struct flight *flight) {
    static const enum turn_end ends[HOST_STATES] = {[HOST_CHANGED] = TURN_VERIFIED,
                                                    [HOST_UNCHANGED] = TURN_VERIFIED,
                                                    [HOST_FAILED] = TURN_FAILED,
                                                    [HOST_SKIPPED] = TURN_VERIFIED};
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
                                .started = true,
                                .failed = failed,
                                .text = flight->text,
                                .duration_ms = duration_ms});
    free_flight(flight, ends[flight->result]);
    schedule_done(r->schedule, &work, failed);
    finish_if_done(run);
    start_hosts(r); // of each of its groups one may go now
}

static bool is_in_contact(const struct flight *flight) {
    return flight->turn->device->contact != NULL;
}

static void land(struct flight *flight) {
    if (is_in_contact(flight) || flight->store_asked || flight->outcome == OUTCOME_KEEPING) return;
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

// --- the gate

static void shut_gate(struct flight *flight) {
    flight->wants = false;
    if (flight->gate == GATE_OPEN) return;
    peers_want_not(flight->runner->peers, flight->turn);
    flight->gate = GATE_SHUT;
}

// While an intent is still being kept, of a connection that was lost, no other one is asked for.
static void want(struct flight *flight) {
    flight->wants = true;
    if (flight->store_asked) return;
    flight->gate = GATE_WANTED;
    peers_want(flight->runner->peers, flight->turn, clock_boot_ms());
}

static void on_withdrawn(void *arg, enum store_status status) {
    (void)arg;
    (void)status;
}

// The commit may have taken long: what was known of the peers must hold still.
static void on_intended(void *arg, enum store_status status) {
    struct flight *flight = arg;
    struct runner *r = flight->runner;
    const bool is_granted = flight->gate == GATE_KEEPING && flight->wants;
    flight->store_asked = false;
    if (status != STORE_OK && flight->wants) {
        shut_gate(flight);
        connection_answer(flight->turn->device->contact, false);
    } else if (status == STORE_OK && is_granted &&
               peers_hold_still(r->peers, flight->turn, clock_boot_ms())) {
        flight->gate = GATE_OPEN;
        flight->wants = false;
        connection_answer(flight->turn->device->contact, true);
    } else {
        if (status == STORE_OK) keep(flight, STORE_WITHDRAWN, on_withdrawn);
        if (flight->wants)
            want(flight);
        else
            land(flight); // the device went away meanwhile
        pump(r);
    }
}

static void grant(struct flight *flight) {
    flight->gate = GATE_KEEPING;
    flight->store_asked = true;
    keep(flight, STORE_INTENT, on_intended);
}

static void set_outcome(struct flight *flight, enum host_state result, const char *text) {
    flight->result = result;
    flight->text = mem_strdup(text);
    flight->outcome = OUTCOME_KEEPING;
    keep(flight, STORE_OUTCOME, on_outcome);
}

// Its peers are not up. It logs out beside.
static void skip_in_hand(struct flight *flight, const char *why) {
    struct connection *connection = flight->turn->device->contact;
    shut_gate(flight);
    set_outcome(flight, HOST_SKIPPED, why);
    connection_answer(connection, false);
}

// The places are to be given back before hosts in hand are waited for: they may wait for this one.
static void wait_for(struct flight *flight, const struct peers_hold *hold) {
    shut_gate(flight);
    flight->text = mem_strdup(hold->holder->host.name);
    schedule_hold(flight->runner->schedule, hold->key);
    connection_answer(flight->turn->device->contact, false);
}

// --- the way of a host

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
    shut_gate(flight);
    if (update->verdict != TASK_FAILED) flight->up_ms = clock_boot_ms();
    set_outcome(flight, results[update->verdict], update->text);
}

// True: its connection is over.
static bool step_flight(struct flight *flight, const struct session_update *update) {
    const enum session_want wants =
        update->want; // the update is another one once the store answers
    const bool has_verdict = update->verdict != TASK_NEXT_STEP;
    tell_of_calls(flight, update);
    if (wants == SESSION_ASK) {
        if (update->call_ended != NULL) flight->up_ms = clock_boot_ms();
        want(flight);
    } else if (wants == SESSION_PAUSE && flight->gate != GATE_OPEN) {
        shut_gate(flight); // the connection is opened anew
    }
    if (has_verdict) take_verdict(flight, update);
    return wants == SESSION_END;
}

static struct run *run_of(const struct member *member) {
    const struct flight *flight = member->turn->owner;
    return flight->run;
}

static void tell_asked(struct device *device, const struct session_update *update) {
    const struct member *member = device->waiting;
    if (member == NULL) return; // nobody wants to know any more
    tell_of_host(run_of(member), member->host,
                 (struct event){.kind = EVENT_PEER_ASKED,
                                .failed = update->verdict == TASK_FAILED,
                                .text = update->text});
}

// The first of the other members that waits for its turn in the same job: the others' are too far.
static const struct device *heir_of(struct flight *flight) {
    if (flight->has_heir) return flight->heir;
    size_t count;
    const struct member *members = turn_members(flight->turn, &count);
    flight->has_heir = true;
    for (size_t i = 0; i < count && flight->heir == NULL; i++)
        if (job_is_waiting(flight->run->job, members[i].host)) flight->heir = members[i].device;
    return flight->heir;
}

// Whether its session is to stay: its own turn comes next in the job of one who asked.
static bool is_to_stay(const struct device *device) {
    const struct member *member = device->waiting;
    return member != NULL && heir_of(member->turn->owner) == device &&
           job_is_waiting(run_of(member)->job, member->host);
}

// Before those who wait are told of the answer, for they name the turn that it is kept for.
static void keep_session(struct runner *r, struct device *device) {
    const struct member *member = device->waiting;
    const bool stays = is_to_stay(device);
    static const struct member nobody;
    peers_kept(r->peers, device, stays ? run_of(member) : NULL, stays ? member : &nobody);
    if (!stays) peers_keep_not(r->peers, device);
}

static bool is_leaving(const struct session_update *update) {
    return update->want == SESSION_SEND && update->call_begun != NULL &&
           strcmp(update->call_begun, "logout") == 0;
}

static bool step_ask(struct runner *r, struct device *device, const struct session_update *update) {
    const bool is_over = update->want == SESSION_END;
    if (device->ask == ASK_LEAVING) return is_over;
    if (update->want == SESSION_KEEP) keep_session(r, device);
    if (is_leaving(update)) peers_leaving(r->peers, device); // passing by, or its time is over
    if (update->verdict != TASK_NEXT_STEP) {
        tell_asked(device, update);
        peers_answered(r->peers, device, update->verdict == TASK_FAILED ? update->text : NULL,
                       clock_boot_ms());
    }
    return is_over;
}

static void contact_device(struct flight *flight);

static void lose_contact(struct runner *r, struct device *device) {
    const bool was_leaving = device->ask == ASK_LEAVING;
    struct flight *flight = device->turn == NULL ? NULL : device->turn->owner;
    peers_gone(r->peers, device, clock_boot_ms());
    if (flight == NULL || !flight->started) return;
    if (was_leaving)
        contact_device(flight); // whose turn it is now
    else
        land(flight);
}

// Whose the step is: until its claim is kept a host has not taken the session over.
static bool take_step(struct runner *r, struct device *device,
                      const struct session_update *update) {
    struct flight *flight = device->turn == NULL ? NULL : device->turn->owner;
    if (flight == NULL || device->ask == ASK_LEAVING) return step_ask(r, device, update);
    if (flight->started) return step_flight(flight, update);
    return update->want == SESSION_END;
}

static void on_stepped(void *arg, const struct session_update *update) {
    struct device *device = arg;
    struct runner *r = device->runner;
    if (take_step(r, device, update)) lose_contact(r, device);
    pump(r);
    if (++r->steps % BREATH_STEPS == 0 && r->breathe != NULL) r->breathe(r->breathe_arg);
}

// Over the connection that the device has, or a new one; where the one that it has is on its way
// out, that comes first.
static void contact_device(struct flight *flight) {
    struct runner *r = flight->runner;
    struct device *device = flight->turn->device;
    const struct job *job = flight->run->job;
    if (device->contact == NULL) {
        device->runner = r;
        device->contact =
            connection_start(&r->context, job->task, &job->args, &device->host, device);
    } else if (device->ask != ASK_LEAVING) {
        connection_take(device->contact, job->task, &job->args);
    }
}

// Of a device that nobody has taken over.
static void drop_contact(struct device *device) {
    if (device->contact == NULL || device->ask == ASK_LEAVING) return;
    connection_abort(device->contact);
    device->contact = NULL;
}

static void on_claimed(void *arg, enum store_status status) {
    struct flight *flight = arg;
    struct runner *r = flight->runner;
    flight->store_asked = false;
    if (status != STORE_OK) {
        drop_contact(flight->turn->device);
        put_back(flight);
        return;
    }
    schedule_claimed(r->schedule, &flight->work);
    flight->started_ms = uv_now(r->context.loop);
    flight->started = true;
    tell_of_host(flight->run, flight->work.host,
                 (struct event){.kind = EVENT_TASK_INSTANCE_STARTED});
    contact_device(flight);
}

static bool next_work(struct runner *r, struct schedule_work *work) {
    struct device *device;
    if (schedule_in_hand(r->schedule) == r->config.workers) return false;
    while (peers_are_pressed(r->peers) && (device = peers_next_kept(r->peers)) != NULL) {
        struct run *run = device->kept_for.run;
        if (schedule_next_in(r->schedule, run->scheduled, device->kept_for.cohort,
                             device->kept_for.host, work))
            return true;
    }
    return schedule_next(r->schedule, work);
}

static bool start_host(struct runner *r) {
    struct schedule_work work;
    struct peers_hold hold;
    if (!next_work(r, &work)) return false;
    struct run *run = work.owner;
    const struct job *job = run->job;
    if (job->inventory->hosts[work.host].platform != 0) {
        pass_over(run, &work);
        return true;
    }
    struct flight *flight = mem_alloc(sizeof *flight);
    *flight = (struct flight){.runner = r, .run = run, .work = work, .store_asked = true};
    flight->turn = peers_begin(r->peers, job->inventory, &job->grouping, work.cohort, work.host,
                               work.group, flight, clock_boot_ms(), &hold);
    if (flight->turn == NULL) {
        schedule_hold(r->schedule, hold.key);
        schedule_put_back(r->schedule, &work);
        free(flight);
        return true;
    }
    flight->next = r->flights;
    if (r->flights != NULL) r->flights->previous = flight;
    r->flights = flight;
    job_turn(run->job, work.host, HOST_IN_HAND);
    keep(flight, STORE_STARTED, on_claimed);
    pump(r);
    return true;
}

// --- what the peers want done

static void ask(struct runner *r, const struct peers_deed *deed) {
    struct device *device = deed->device;
    device->runner = r;
    peers_asking(r->peers, device, is_to_stay(device));
    device->contact =
        connection_start(&r->context, device->is_passing ? &task_ask_and_leave : &task_ask, NULL,
                         &device->host, device);
}

static void carry_out(struct runner *r, const struct peers_deed *deed) {
    switch (deed->kind) {
    case PEERS_ASK:
        ask(r, deed);
        break;
    case PEERS_LET_GO:
        connection_leave(deed->device->contact);
        break;
    case PEERS_GRANT:
        grant(deed->turn->owner);
        break;
    case PEERS_SKIP:
        skip_in_hand(deed->turn->owner, deed->text);
        break;
    case PEERS_BACK:
        wait_for(deed->turn->owner, &deed->hold);
        break;
    }
}

static void on_retry(uv_timer_t *timer) {
    pump(timer->data);
}

static void pump(struct runner *r) {
    struct peers_deed deed;
    if (r->pumping) return; // what comes up meanwhile is seen by the loop below
    r->pumping = true;
    while (peers_next(r->peers, clock_boot_ms(), &deed))
        carry_out(r, &deed);
    r->pumping = false;
    const uint64_t due_ms = peers_due_ms(r->peers), now_ms = clock_boot_ms();
    if (due_ms == UINT64_MAX)
        uv_timer_stop(&r->retry);
    else
        uv_timer_start(&r->retry, on_retry, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

// --- jobs

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

static void begin_run(struct run *run) {
    struct runner *r = run->runner;
    struct job *job = run->job;
    pace_weigh(&r->pace, job->task->name, job->inventory, &job->grouping);
    run->scheduled = schedule_add(r->schedule, &job->grouping, run);
}

static void await_run(struct run *run, struct run *other, const char *host) {
    char text[JOB_ID_MAX + INVENTORY_NAME_MAX + 64];
    snprintf(text, sizeof text, "for job %s, which sees %s or its group differently",
             other->job->id, host);
    run->awaited =
        mem_grow(run->awaited, &run->awaited_cap, run->awaited_count + 1, sizeof(struct run *));
    run->awaited[run->awaited_count++] = other;
    tell(run, (struct event){.kind = EVENT_TASK_WAITING, .text = text});
}

static void await_others(struct run *run) {
    struct runner *r = run->runner;
    const struct job_view view = {run->job->inventory, &run->job->selection};
    for (struct run *other = r->runs; other != run; other = other->next) {
        const struct job_view before = {other->job->inventory, &other->job->selection};
        const char *host = "";
        if (!policy_agree(r->config.policy, &before, &view, &host)) await_run(run, other, host);
    }
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
    await_others(run);
    if (run->awaited_count == 0) begin_run(run);
    finish_if_done(run);
    start_hosts(r);
}

void runner_drain(struct runner *r) {
    schedule_drain(r->schedule);
    for (struct run *run = r->runs; run != NULL; run = run->next)
        if (run->scheduled == NULL) begin_run(run); // and ends at once
    peers_keep_none(r->peers);
    pump(r);
    for (struct run *run = r->runs, *next; run != NULL; run = next) {
        next = run->next;
        finish_if_done(run);
    }
}

void runner_abort(struct runner *r) {
    static const char in_doubt[] = "in doubt: the install was sent, and its end was not awaited";
    connection_abort_all(&r->context);
    for (struct flight *flight = r->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        flight->turn->device->contact = NULL;
        if (flight->gate == GATE_OPEN && flight->outcome == OUTCOME_OPEN) {
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
    r->peers = peers_new(&config->peers);
    r->schedule = schedule_new(config->workers, on_skip);
    uv_idle_init(loop, &r->more);
    r->more.data = r;
    uv_timer_init(loop, &r->retry);
    r->retry.data = r;
    return r;
}

void runner_close(struct runner *r) {
    connection_abort_all(&r->context); // sessions that nobody waits for
    uv_close((uv_handle_t *)&r->retry, NULL);
    uv_close((uv_handle_t *)&r->more, NULL);
}

void runner_free(struct runner *r) {
    if (r == NULL) return;
    schedule_free(r->schedule);
    peers_free(r->peers);
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
