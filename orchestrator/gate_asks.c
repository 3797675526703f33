// A contact belongs to its device (peers.h). While the device is in hand what comes of it is its
// flight's, else it is an ask; what is to be asked, granted, skipped and put back is pulled out of
// the peers by gate_pump(), after whatever may have changed them.
#include "orchestrator/gate_internal.h"

#include <string.h>

static struct run *run_of(const struct member *member) {
    const struct flight *flight = member->turn->owner;
    return flight->run;
}

static void tell_asked(struct device *device, const struct session_update *update) {
    const struct member *member = device->waiting;
    if (member == NULL) return; // nobody wants to know any more
    run_tell_of_host(run_of(member), member->host,
                     (struct event){.kind = EVENT_PEER_ASKED,
                                    .failed = update->verdict == TASK_FAILED,
                                    .text = update->text});
}

// --- sessions that stay

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
    return member != NULL && run_of(member)->state == RUN_OPEN &&
           heir_of(member->turn->owner) == device &&
           job_is_waiting(run_of(member)->job, member->host);
}

// Before those who wait are told of the answer, for they name the turn that it is kept for.
static void keep_session(struct gate *g, struct device *device) {
    const struct member *member = device->waiting;
    const bool stays = is_to_stay(device);
    static const struct member nobody;
    peers_kept(g->peers, device, stays ? run_of(member) : NULL, stays ? member : &nobody);
    if (!stays) peers_keep_not(g->peers, device);
}

// Its turn does not come: a session that was kept for it is let go.
void gate_let_go_of(struct gate *g, const struct host *host) {
    struct device *device = peers_find(g->peers, host);
    if (device != NULL) peers_keep_not(g->peers, device);
}

// --- steps

static bool is_leaving(const struct session_update *update) {
    return update->want == SESSION_SEND && update->call_begun != NULL &&
           strcmp(update->call_begun, "logout") == 0;
}

static void step_ask(struct gate *g, struct device *device, const struct session_update *update) {
    if (device->ask == ASK_LEAVING) return;
    if (update->want == SESSION_KEEP) keep_session(g, device);
    if (is_leaving(update)) peers_leaving(g->peers, device); // passing by, or its time is over
    if (update->verdict == TASK_NEXT_STEP) return;
    tell_asked(device, update);
    peers_answered(g->peers, device, update->verdict == TASK_FAILED ? update->text : NULL,
                   gate_now(g));
}

static void lose_contact(struct gate *g, struct device *device) {
    const bool was_leaving = device->ask == ASK_LEAVING;
    struct flight *flight = device->turn == NULL ? NULL : device->turn->owner;
    peers_gone(g->peers, device, gate_now(g));
    if (flight == NULL) return;
    if (was_leaving && flight->outcome == OUTCOME_OPEN)
        flight_contact(flight); // whose turn it is now
    else
        flight_land(flight);
}

void gate_step(struct gate *g, struct device *device, const struct session_update *update) {
    const bool is_over = update->want == SESSION_END; // the update is another one after the step
    struct flight *flight = device->turn == NULL ? NULL : device->turn->owner;
    device_set_version(device, update->version);
    if (update->verdict != TASK_NEXT_STEP) gate_note_reach(g, flight, update->is_gone);
    if (flight == NULL || device->ask == ASK_LEAVING)
        step_ask(g, device, update);
    else
        flight_step(flight, update);
    if (is_over) lose_contact(g, device);
    gate_pump(g);
}

// --- what the peers want done

static void ask(struct gate *g, struct device *device) {
    const struct flight *flight = device->waiting->turn->owner;
    run_log_in(flight->run, device, device->waiting->host, flight->work.host);
    peers_asking(g->peers, device, is_to_stay(device));
    device->contact = g->shell.connect(
        g->shell.self, device->is_passing ? &task_ask_and_leave : &task_ask, NULL, device);
}

static void carry_out(struct gate *g, const struct peers_deed *deed) {
    switch (deed->kind) {
    case PEERS_ASK:
        ask(g, deed->device);
        break;
    case PEERS_LET_GO:
        g->shell.leave(g->shell.self, deed->device->contact);
        break;
    case PEERS_GRANT:
        flight_grant(deed->turn->owner);
        break;
    case PEERS_SKIP:
        flight_skip(deed->turn->owner, deed->text);
        break;
    case PEERS_BACK:
        flight_wait(deed->turn->owner, &deed->hold);
        break;
    }
}

void gate_pump(struct gate *g) {
    struct peers_deed deed;
    if (g->is_aborted || g->is_quiet || g->pumping)
        return; // what comes up meanwhile is seen by the loop below
    g->pumping = true;
    while (peers_next(g->peers, gate_now(g), &deed))
        carry_out(g, &deed);
    g->pumping = false;
    gate_arm(g);
}

void gate_arm(struct gate *g) {
    const uint64_t peers_ms = peers_due_ms(g->peers), brakes_ms = brakes_due_ms(g);
    g->shell.retry_at(g->shell.self, peers_ms < brakes_ms ? peers_ms : brakes_ms);
}
