// One host's way through the gate. Each of its moves ends in a question to the store or to its
// contact, and goes on in the answer's callback:
//
//   flight_begin -> flight_step ... (wants to install) flight_grant -> on_intended
//                -> flight_step ... (verdict) on_outcome, (end of the contact) -> flight_land
//
// flight_land() has two doors, for the outcome is kept beside the logout: the later of both comes
// in. A host in doubt enters at the verification, with the gate open behind it.
//
// What the store is told, in this order: STARTED; INTENT, and WITHDRAWN and STARTED again where the
// peers' evidence has aged in the meantime; OUTCOME, or WITHDRAWN where the host is put back.
#include "common/duration.h"
#include "common/mem.h"
#include "orchestrator/gate_internal.h"
#include "orchestrator/gate_share.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct job_host *row_of(const struct flight *flight) {
    const struct job *job = flight->run->job;
    return &job->hosts[job_place(job, flight->work.host)];
}

static const struct host *host_of(const struct flight *flight) {
    return &flight->run->job->inventory->hosts[flight->work.host];
}

static bool is_in_contact(const struct flight *flight) {
    return flight->turn->device->contact != NULL;
}

// --- the store

static struct store_event event_of(const struct flight *flight, enum store_kind kind) {
    const struct job *job = flight->run->job;
    const uint32_t place = job_place(job, flight->work.host);
    return (struct store_event){.kind = kind,
                                .job = job->number,
                                .epoch = run_epoch(flight->run, place),
                                .host = place,
                                .attempt = row_of(flight)->attempt,
                                .version = flight->version[0] == '\0' ? NULL : flight->version};
}

static void note(const struct flight *flight, enum store_kind kind) {
    run_note(flight->run, event_of(flight, kind));
}

// To be applied when it is kept.
static void keep(struct flight *flight, const struct store_event *event, gate_kept kept) {
    const struct gate *g = flight->gate;
    struct store_event stamped = *event;
    stamped.wall_ms = g->shell.wall_ms(g->shell.self);
    g->shell.append(g->shell.self, &stamped, kept, flight);
}

static struct store_event intent_of(const struct flight *flight) {
    struct store_event event = event_of(flight, STORE_INTENT);
    event.attempt++;
    return event;
}

static struct store_event outcome_of(const struct flight *flight) {
    struct store_event event = event_of(flight, STORE_OUTCOME);
    event.result = flight->result;
    event.text = flight->text;
    event.ms = flight->took_ms;
    return event;
}

// A host in doubt was begun by another process: only the wall clock knows when.
static uint64_t time_taken(const struct flight *flight) {
    const struct gate *g = flight->gate;
    if (!flight->is_in_doubt) return gate_now(g) - flight->started_ms;
    const long long began_ms = row_of(flight)->started_ms, now_ms = g->shell.wall_ms(g->shell.self);
    return now_ms > began_ms ? (uint64_t)(now_ms - began_ms) : 0;
}

// --- its time

// One that is on its way back has a text already.
uint64_t flight_due_ms(const struct flight *flight) {
    const uint64_t timeout_ms = flight->run->job->brakes.host_timeout_ms;
    const bool may_act = flight->outcome == OUTCOME_OPEN && flight->text == NULL &&
                         !flight->store_asked && flight->state != GATE_OPEN;
    return timeout_ms == 0 || !may_act ? UINT64_MAX : flight->started_ms + timeout_ms;
}

void flight_note_due(struct flight *flight) {
    struct gate *g = flight->gate;
    const uint64_t due_ms = flight_due_ms(flight);
    if (due_ms < g->host_due_ms) g->host_due_ms = due_ms;
}

// --- the end

static void release_group(void *arg, const char *group) {
    schedule_release(arg, group);
}

static void free_flight(struct flight *flight, enum turn_end end) {
    struct gate *g = flight->gate;
    peers_end(g->peers, flight->turn, end, flight->up_ms, flight->text, gate_now(g), release_group,
              g->schedule);
    if (flight->previous != NULL)
        flight->previous->next = flight->next;
    else
        g->flights = flight->next;
    if (flight->next != NULL) flight->next->previous = flight->previous;
    flight->run->flights--;
    g->flights_over++;
    free(flight->text);
    free(flight);
}

// As if not begun: the store refused its intent, hosts in hand keep it from going, or a device in
// doubt runs what it ran before.
static void put_back(struct flight *flight) {
    struct gate *g = flight->gate;
    struct run *run = flight->run;
    struct schedule_work work = flight->work;
    note(flight, STORE_WITHDRAWN);
    run_tell_of_host(run, work.host,
                     (struct event){.kind = EVENT_TASK_INSTANCE_PUT_BACK,
                                    .text = flight->text == NULL ? "not now" : flight->text});
    free_flight(flight, flight->up_ms == 0 ? TURN_LEFT : TURN_VERIFIED);
    schedule_put_back(g->schedule, &work);
    g->above.host_over(run);
    g->above.start(g);
}

// Nothing more is told or kept of the host: the next process takes it up.
static void leave_it(struct flight *flight) {
    struct gate *g = flight->gate;
    const struct schedule_work work = flight->work;
    free_flight(flight, TURN_LEFT);
    schedule_done(g->schedule, &work, false);
}

static void complete(struct flight *flight) {
    static const enum turn_end ends[HOST_STATES] = {[HOST_CHANGED] = TURN_VERIFIED,
                                                    [HOST_UNCHANGED] = TURN_VERIFIED,
                                                    [HOST_FAILED] = TURN_FAILED,
                                                    [HOST_SKIPPED] = TURN_VERIFIED};
    struct gate *g = flight->gate;
    struct run *run = flight->run;
    struct job *job = run->job;
    struct schedule_work work = flight->work;
    const bool failed = flight->result == HOST_FAILED;
    const uint64_t duration_ms = row_of(flight)->duration_ms;
    // With its logout: until now it has a worker, and its places.
    if (flight->result == HOST_CHANGED && !flight->is_in_doubt)
        pace_learn(&g->pace, job->task->name, inventory_dev_type(job->inventory, host_of(flight)),
                   gate_now(g) - flight->started_ms);
    run_tell_of_host(run, work.host,
                     (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED,
                                    .result = flight->result,
                                    .started = true,
                                    .failed = failed,
                                    .text = flight->text,
                                    .duration_ms = duration_ms});
    free_flight(flight, ends[flight->result]);
    schedule_done(g->schedule, &work, failed);
    g->above.host_over(run);
    g->above.start(g); // of each of its groups one may go now
}

// In a paused job a host in doubt whose device runs the old version keeps its groups.
static bool rests(const struct flight *flight) {
    return flight->is_as_before && flight->run->state == RUN_PAUSED && !flight->is_left;
}

// In one that is stopped it is not tried again, though its install may have been sent.
static bool is_given_up(const struct flight *flight) {
    return flight->is_as_before && flight->run->state == RUN_STOPPED && !flight->is_left;
}

static bool is_at_rest(const struct flight *flight) {
    return rests(flight) && !is_in_contact(flight) && !flight->store_asked &&
           flight->outcome == OUTCOME_OPEN;
}

size_t flights_under_way(const struct gate *g) {
    size_t count = 0;
    for (const struct flight *flight = g->flights; flight != NULL; flight = flight->next)
        count += !flight->is_unasked && !is_at_rest(flight);
    return count;
}

static void rest(struct flight *flight) {
    struct gate *g = flight->gate;
    peers_rest(flight->turn);
    schedule_rest(g->schedule, &flight->work);
    g->above.pump(g);
    g->above.start(g);
}

static void set_outcome(struct flight *flight, enum host_state result, const char *text);

void flight_land(struct flight *flight) {
    if (is_in_contact(flight) || flight->store_asked || flight->outcome == OUTCOME_KEEPING) return;
    if (flight->outcome == OUTCOME_KEPT)
        complete(flight);
    else if (is_given_up(flight))
        set_outcome(flight, HOST_FAILED, "its install may have been sent, and did not begin");
    else if (rests(flight))
        rest(flight);
    else if (flight->is_left)
        leave_it(flight);
    else
        put_back(flight);
}

static const char unkept[] = "what became of it could not be kept";

// What has happened is not for a store to refuse: it is at its end, and the host in doubt.
static void on_outcome(void *arg, enum store_status status, uint64_t n) {
    struct flight *flight = arg;
    struct gate *g = flight->gate;
    (void)n;
    if (status == STORE_OK) {
        const struct store_event event = outcome_of(flight);
        run_apply(flight->run, &event);
        flight->outcome = OUTCOME_KEPT;
        g->above.outcome(flight->run, flight->work.host);
    } else {
        flight->outcome = OUTCOME_OPEN;
        flight->is_left = true;
        if (row_of(flight)->has_intent)
            run_tell_of_host(flight->run, flight->work.host,
                             (struct event){.kind = EVENT_TASK_INSTANCE_IN_DOUBT, .text = unkept});
    }
    flight_land(flight);
    g->above.pump(g); // of those that this skips, sessions that were kept are let go
}

static void set_outcome(struct flight *flight, enum host_state result, const char *text) {
    flight->result = result;
    free(flight->text);
    flight->text = mem_strdup(text);
    flight->took_ms = time_taken(flight);
    flight->outcome = OUTCOME_KEEPING;
    const struct store_event event = outcome_of(flight);
    keep(flight, &event, on_outcome);
}

// --- the gate

// Its bytes go next: by now the lease of this node may be over.
static void answer(struct flight *flight, bool granted) {
    const struct gate_shell *shell = &flight->gate->shell;
    const bool may_act = shell->may_act == NULL || shell->may_act(shell->self);
    shell->answer(shell->self, flight->turn->device->contact, granted && may_act);
}

static void shut(struct flight *flight) {
    flight->wants = false;
    if (flight->state == GATE_OPEN) return;
    peers_want_not(flight->gate->peers, flight->turn);
    flight->state = GATE_SHUT;
}

// Its run lets nothing begin: it is put back, or skipped.
static void refuse(struct flight *flight) {
    shut(flight);
    flight->text =
        mem_strdup(flight->run->state == RUN_PAUSED ? "the job is paused" : "the job is stopped");
    answer(flight, false);
}

void flight_hold_back(struct flight *flight) {
    if (flight->state == GATE_WANTED)
        refuse(flight);
    else if (flight->is_as_before)
        flight_land(flight);
}

// While an intent is still being kept, of a contact that was lost, no other one is asked for.
static void want(struct flight *flight) {
    flight->wants = true;
    if (flight->store_asked) return;
    if (flight->run->state != RUN_OPEN) {
        refuse(flight);
        return;
    }
    if (flight_due_ms(flight) <= gate_now(flight->gate)) {
        flight_time_out(flight);
        return;
    }
    flight->state = GATE_WANTED;
    peers_want(flight->gate->peers, flight->turn, gate_now(flight->gate));
}

// The host is as before its intent, and still in hand. Where its outcome is on its way, that says
// it all.
static void withdraw(const struct flight *flight) {
    if (flight->outcome != OUTCOME_OPEN) return;
    struct store_event event = event_of(flight, STORE_WITHDRAWN);
    event.attempt--;
    run_note(flight->run, event);
    note(flight, STORE_STARTED);
}

// The commit may have taken long: what was known of the peers must hold still.
static void on_intended(void *arg, enum store_status status, uint64_t n) {
    struct flight *flight = arg;
    struct gate *g = flight->gate;
    const bool is_granted =
        flight->state == GATE_KEEPING && flight->wants && flight->run->state == RUN_OPEN;
    (void)n;
    flight->store_asked = false;
    if (flight->is_left) {
        flight_land(flight);
        return;
    }
    if (status == STORE_OK) {
        const struct store_event event = intent_of(flight);
        run_apply(flight->run, &event);
    }
    if (status != STORE_OK && flight->wants) {
        shut(flight);
        answer(flight, false);
    } else if (status == STORE_OK && is_granted &&
               peers_hold_still(g->peers, flight->turn, gate_now(g))) {
        flight->state = GATE_OPEN;
        flight->wants = false;
        answer(flight, true);
    } else {
        if (status == STORE_OK) withdraw(flight);
        flight->state = GATE_SHUT;
        flight_note_due(flight); // its time did not count while the intent was on its way
        if (flight->wants)
            want(flight);
        else
            flight_land(flight); // the device went away meanwhile
        g->above.pump(g);
    }
}

void flight_grant(struct flight *flight) {
    const struct store_event event = intent_of(flight);
    flight->state = GATE_KEEPING;
    flight->store_asked = true;
    keep(flight, &event, on_intended);
}

// Its peers are not up. It logs out beside.
void flight_skip(struct flight *flight, const char *why) {
    shut(flight);
    set_outcome(flight, HOST_SKIPPED, why);
    answer(flight, false);
}

// Whose contact is not its own yet has done nothing to end.
static void end_contact(struct flight *flight) {
    struct gate *g = flight->gate;
    struct device *device = flight->turn->device;
    if (device->contact == NULL || device->ask == ASK_LEAVING) return;
    g->shell.abort(g->shell.self, device->contact);
    peers_gone(g->peers, device, gate_now(g));
}

void flight_time_out(struct flight *flight) {
    const bool waits_for_leave = flight->wants;
    const struct gate *g = flight->gate;
    const char *awaited =
        flight->state == GATE_WANTED ? peers_awaited(g->peers, flight->turn, gate_now(g)) : NULL;
    char timeout[DURATION_TEXT_MAX], why[DURATION_TEXT_MAX + INVENTORY_NAME_MAX + 80];
    duration_format(flight->run->job->brakes.host_timeout_ms * 1000, timeout);
    snprintf(why, sizeof why, "not done within its host_timeout of %s%s%s%s", timeout,
             awaited == NULL ? "" : ": it waited for ", awaited == NULL ? "" : awaited,
             awaited == NULL ? "" : " to be up");
    shut(flight);
    if (!waits_for_leave) end_contact(flight);
    set_outcome(flight, HOST_FAILED, why);
    if (waits_for_leave) answer(flight, false);
}

// The places are to be given back before hosts in hand are waited for: they may wait for this one.
void flight_wait(struct flight *flight, const struct peers_hold *hold) {
    shut(flight);
    flight->text = mem_strdup(hold->holder->host.name);
    schedule_hold(flight->gate->schedule, hold->key);
    answer(flight, false);
}

// --- steps

// Once the verdict is known a call that fails changes nothing: a warning.
static void tell_of_calls(struct flight *flight, const struct session_update *update) {
    if (update->call_ended != NULL)
        run_tell_of_host(flight->run, flight->work.host,
                         (struct event){.kind = EVENT_SUBTASK_INSTANCE_COMPLETED,
                                        .subtask = update->call_ended,
                                        .failed = update->call_failure != NULL &&
                                                  flight->outcome == OUTCOME_OPEN,
                                        .text = update->call_failure});
    if (update->call_begun != NULL)
        run_tell_of_host(
            flight->run, flight->work.host,
            (struct event){.kind = EVENT_SUBTASK_INSTANCE_STARTED, .subtask = update->call_begun});
}

// Of a host in doubt: it may be tried once more, unless its job has no more use for that.
static bool may_try_again(const struct flight *flight, const struct session_update *update) {
    return flight->is_in_doubt && update->is_as_before && row_of(flight)->attempt < 2 &&
           flight->run->job->state != JOB_CANCELLING;
}

// It may be this node that is not there, rather than the device.
static bool proves_nothing(const struct flight *flight, const struct session_update *update) {
    return update->is_gone && !row_of(flight)->has_intent && !flight->is_in_doubt &&
           gate_is_cut_off(flight->gate);
}

static void take_verdict(struct flight *flight, const struct session_update *update) {
    static const enum host_state results[] = {[TASK_CHANGED] = HOST_CHANGED,
                                              [TASK_UNCHANGED] = HOST_UNCHANGED,
                                              [TASK_FAILED] = HOST_FAILED};
    shut(flight);
    const bool is_up = update->verdict != TASK_FAILED || update->is_as_before;
    if (is_up && update->call_ended != NULL && !flight->run->job->task->reads)
        flight->up_ms = gate_now(flight->gate);
    if (proves_nothing(flight, update)) {
        flight->text = mem_strdup("this node reaches no device");
        return;
    }
    if (!may_try_again(flight, update)) {
        set_outcome(flight, results[update->verdict], update->text);
        return;
    }
    flight->is_as_before = true;
    flight->text = mem_strdup("it was not installed");
}

void flight_step(struct flight *flight, const struct session_update *update) {
    const enum session_want wants =
        update->want; // the update is another one once the store answers
    const bool has_verdict = update->verdict != TASK_NEXT_STEP;
    tell_of_calls(flight, update);
    snprintf(flight->version, sizeof flight->version, "%s",
             update->version == NULL ? "" : update->version);
    if (wants == SESSION_ASK) {
        if (update->call_ended != NULL) flight->up_ms = gate_now(flight->gate);
        want(flight);
    } else if (wants == SESSION_PAUSE && flight->state != GATE_OPEN) {
        shut(flight); // the connection is opened anew
    }
    if (has_verdict) take_verdict(flight, update);
}

// --- the beginning

static struct flight *flight_new(struct gate *g, struct run *run,
                                 const struct schedule_work *work) {
    struct flight *flight = mem_alloc(sizeof *flight);
    *flight = (struct flight){.gate = g, .run = run, .work = *work, .started_ms = gate_now(g)};
    return flight;
}

static void enlist(struct flight *flight) {
    struct gate *g = flight->gate;
    flight->next = g->flights;
    if (g->flights != NULL) g->flights->previous = flight;
    g->flights = flight;
    flight->run->flights++;
    flight_note_due(flight);
}

// Over the contact that the device has, or a new one; where the one that it has is on its way out,
// that comes first.
void flight_contact(struct flight *flight) {
    const struct gate_shell *shell = &flight->gate->shell;
    struct device *device = flight->turn->device;
    const struct job *job = flight->run->job;
    if (device->contact == NULL) {
        run_log_in(flight->run, device, flight->work.host, flight->work.host);
        device->contact = shell->connect(shell->self, job->task, &job->args, device);
    } else if (device->ask != ASK_LEAVING) {
        shell->take(shell->self, device->contact, job->task, &job->args);
    }
}

// When a session that was kept for the host has had its answer; 0: there is none. Who reads does
// not ask whether the device is being installed: what was known of it before is so still.
static uint64_t known_since(const struct gate *g, const struct job *job, uint32_t host) {
    const struct device *device = peers_find(g->peers, &job->inventory->hosts[host]);
    if (device == NULL) return 0;
    return device->ask == ASK_KEPT || job->task->reads ? device->up_ms : 0;
}

void flight_begin(struct gate *g, struct schedule_work *work) {
    struct run *run = work->owner;
    const struct job *job = run->job;
    struct peers_hold hold;
    struct flight *flight = flight_new(g, run, work);
    flight->up_ms = known_since(g, job, work->host);
    flight->turn = peers_begin(g->peers, job->inventory, &job->grouping, work->cohort, work->host,
                               work->group, flight, flight->started_ms, &hold);
    if (flight->turn == NULL) {
        schedule_hold(g->schedule, hold.key);
        schedule_put_back(g->schedule, work);
        free(flight);
        return;
    }
    enlist(flight);
    schedule_claimed(g->schedule, &flight->work);
    note(flight, STORE_STARTED);
    run_tell_of_host(run, work->host, (struct event){.kind = EVENT_TASK_INSTANCE_STARTED});
    flight_contact(flight);
    g->above.pump(g);
}

// --- hosts in doubt

static const char asking[] = "its install may have been sent: asking the device";
static const char awaiting[] = "its install may have been sent: waiting for the inventory, which "
                               "has the device's credentials";

static void tell_in_doubt(const struct flight *flight, bool is_new, const char *text) {
    run_tell_of_host(
        flight->run, flight->work.host,
        (struct event){.kind = EVENT_TASK_INSTANCE_IN_DOUBT, .started = is_new, .text = text});
}

// Of a job that is another one in today's inventory, by its image.
static void log_in_in_doubt(const struct flight *flight) {
    const struct gate_config *config = &flight->gate->config;
    const struct job *job = flight->run->job;
    const uint32_t host = flight->work.host;
    if (job->whole != NULL)
        run_log_in(flight->run, flight->turn->device, host, host);
    else
        run_log_in_with(flight->run, flight->turn->device,
                        credentials_of_image(config->credentials, job->inventory, host,
                                             &job->grouping, flight->work.cohort),
                        host, host);
}

// With wrong credentials its device would refuse the login, and be taken for one that has failed.
static bool lacks_login(const struct flight *flight) {
    const struct job *job = flight->run->job;
    return job->whole == NULL && inventory_withholds_credentials(job->inventory, flight->work.host);
}

static void ask_doubt(struct flight *flight) {
    const struct gate_shell *shell = &flight->gate->shell;
    const struct job *job = flight->run->job;
    struct device *device = flight->turn->device;
    assert(device->contact == NULL);
    log_in_in_doubt(flight);
    device->contact = shell->connect_in_doubt(shell->self, job->task, &job->args, device,
                                              job_version(job, row_of(flight)->from));
}

void flight_ask_doubt(struct flight *flight) {
    if (!flight->is_unasked || lacks_login(flight)) return; // it is not known yet
    flight->is_unasked = false;
    tell_in_doubt(flight, false, asking);
    ask_doubt(flight);
}

void flight_begin_in_doubt(struct gate *g, struct schedule_work *work) {
    struct run *run = work->owner;
    const struct job *job = run->job;
    struct flight *flight = flight_new(g, run, work);
    flight->turn = peers_begin_in_doubt(g->peers, job->inventory, &job->grouping, work->cohort,
                                        work->host, flight, flight->started_ms);
    assert(flight->turn != NULL); // no two jobs have had it in hand at the same time
    flight->is_in_doubt = true;
    flight->state = GATE_OPEN;
    enlist(flight);
    flight->is_unasked = lacks_login(flight) || run_is_strange(run); // it may be another one by now
    tell_in_doubt(flight, true, flight->is_unasked ? awaiting : asking);
    if (!flight->is_unasked)
        ask_doubt(flight);
    else if (gate_is_shared(g))
        g->shell.look_up(g->shell.self, job);
}

void flight_unpause(struct flight *flight) {
    if (flight->is_as_before) flight_land(flight);
}

// All contacts are over.
void flight_abort(struct flight *flight) {
    static const char in_doubt[] = "in doubt: the install was sent, and its end was not awaited";
    const bool is_open = flight->outcome == OUTCOME_OPEN;
    const bool is_sent = flight->state == GATE_OPEN && is_open;
    flight->turn->device->contact = NULL;
    flight->wants = false;
    if (is_sent && flight->gate->config.is_persistent) {
        run_tell_of_host(flight->run, flight->work.host,
                         (struct event){.kind = EVENT_TASK_INSTANCE_IN_DOUBT, .text = in_doubt});
        flight->is_left = true; // its intent is what the store knows of it
    } else if (flight->store_asked && is_open && !flight->is_left &&
               flight->gate->config.is_persistent) {
        note(flight, STORE_WITHDRAWN); // behind the intent that is being kept: it is not sent
        flight->is_left = true;
    } else if (is_sent) {
        set_outcome(flight, HOST_FAILED, in_doubt); // which lands it
        return;
    }
    flight_land(flight);
}

void flight_drop(struct flight *flight) {
    struct gate *g = flight->gate;
    const struct schedule_work work = flight->work;
    flight->turn->device->contact = NULL;
    free_flight(flight, TURN_LEFT);
    schedule_put_back(g->schedule, &work);
}

// What was sent is whoever's who has the shard next; so is what was not. The store is told of both
// behind what it has been asked, if it hears this node at all.
void flight_lose(struct flight *flight) {
    flight->wants = false;
    if (flight->store_asked && flight->outcome == OUTCOME_OPEN && !flight->is_left)
        note(flight, STORE_WITHDRAWN);
    flight->is_left = true;
    flight_land(flight);
}
