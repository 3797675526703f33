// What orchestrator/runner.c does, without the store, the events and the sockets: a host comes in
// hand, its device is contacted, or the contact that asks it for its peers is taken over; when it
// wants to install, its peers decide. What happens at a device is its flight's while it is in hand,
// else it is an ask.
#include "orchestrator/virtual.h"

#include "common/heap.h"
#include "common/mem.h"
#include "orchestrator/peers.h"

#include <assert.h>
#include <stdlib.h>

enum { US_PER_MS = 1000, CLOCK_FIRST_MS = 1 }; // to the peers the time 0 is none

enum progress { NOT_SELECTED, WAITING, IN_HAND, OVER };

struct place { // a host of the inventory
    struct device *device;
    uint64_t due_us; // of its contact; others in the heap are old
    uint32_t cohort; // of the selected ones
    uint8_t progress;
    bool is_kept; // its contact
};

struct flight { // a host in hand
    struct schedule_work work;
    struct turn *turn;
    uint64_t begun_us, ended_us; // in hand; its verdict
    uint64_t up_ms;              // when its device last answered as it should; 0: it has not
    enum contact_verdict verdict;
    bool is_granted, times_out, is_skipped;
    const struct device *heir; // of its groups the next whose turn is to come
    bool has_heir;
};

struct clockwork {
    const struct virtual_job *job;
    const struct virtual_devices *devices;
    struct schedule *schedule;
    struct schedule_job *scheduled;
    struct peers *peers;
    uint64_t now_us;
    struct heap due; // when, and which host
    struct place *places;
    struct flight *flights; // as many as may be in hand
    uint32_t *free_flights;
    uint32_t free_count;
    uint64_t *constraint_us; // of its hosts together
    struct virtual_result *result;
};

static uint64_t now_ms(const struct clockwork *c) {
    return c->now_us / US_PER_MS + CLOCK_FIRST_MS;
}

static uint32_t host_of(const struct clockwork *c, const struct device *device) {
    return (uint32_t)((const struct place *)device->contact - c->places);
}

// --- what is counted

static void add_time(struct clockwork *c, uint32_t host, uint64_t us) {
    const struct grouping *grouping = c->job->grouping;
    const struct cohort *cohort = &grouping->cohorts[c->places[host].cohort];
    const uint32_t *needs = cohort_needs(grouping, cohort);
    c->result->busy_us += us;
    for (uint32_t i = 0; i < cohort->needs_count; i++)
        c->constraint_us[need_constraint(needs[i])] += us;
}

static enum virtual_end end_of(const struct flight *flight) {
    if (flight->is_skipped) return VIRTUAL_SKIPPED;
    if (flight->verdict == CONTACT_FAILED) return VIRTUAL_FAILED;
    return flight->is_granted ? VIRTUAL_CHANGED : VIRTUAL_UNCHANGED;
}

static void count(struct clockwork *c, uint32_t host, const struct virtual_host *was) {
    struct virtual_result *result = c->result;
    result->skipped += was->end == VIRTUAL_SKIPPED;
    result->failed += was->end == VIRTUAL_FAILED;
    result->completed += was->end == VIRTUAL_CHANGED || was->end == VIRTUAL_UNCHANGED;
    result->timed_out += was->times_out;
    if (c->job->hosts != NULL) c->job->hosts[host] = *was;
}

// Its turn does not come: a contact that was kept for it is let go.
static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct clockwork *c = owner;
    struct place *place = &c->places[host];
    const struct virtual_host was = {
        .start_us = UINT64_MAX, .end_us = c->now_us, .cause = cause, .end = VIRTUAL_SKIPPED};
    count(c, host, &was);
    place->progress = OVER;
    if (place->is_kept) peers_keep_not(c->peers, place->device);
}

// --- contacts

static void take_update(struct clockwork *c, uint32_t host, const struct contact_update *update);

static void await(struct clockwork *c, uint32_t host, uint64_t due_us) {
    struct place *place = &c->places[host];
    if (due_us == place->due_us) return;
    place->due_us = due_us;
    if (due_us != UINT64_MAX) heap_push(&c->due, (struct heap_entry){.key = due_us, .id = host});
}

static void tell(struct clockwork *c, uint32_t host, enum contact_input input) {
    struct contact_update update;
    c->devices->tell(c->devices->arg, host, input, c->now_us, &update);
    take_update(c, host, &update);
}

static void contact(struct clockwork *c, struct device *device, uint32_t host,
                    enum contact_task task) {
    struct contact_update update;
    c->places[host].device = device;
    device->contact = &c->places[host];
    c->devices->contact(c->devices->arg, host, task, c->now_us, &update);
    take_update(c, host, &update);
}

// Over the contact that the device has, or a new one; where the one that it has is on its way out,
// that comes first.
static void contact_device(struct clockwork *c, struct flight *flight) {
    struct device *device = flight->turn->device;
    if (device->contact == NULL)
        contact(c, device, flight->work.host, CONTACT_UPGRADE);
    else if (device->ask != ASK_LEAVING)
        tell(c, flight->work.host, CONTACT_TAKEN);
}

// --- the end of a host

static void release_group(void *arg, const char *group) {
    schedule_release(arg, group);
}

static void land(struct clockwork *c, struct flight *flight) {
    static const enum turn_end ends[] = {
        [CONTACT_DONE] = TURN_VERIFIED, [CONTACT_FAILED] = TURN_FAILED};
    const struct schedule_work work = flight->work;
    const bool is_done = flight->verdict != CONTACT_OPEN || flight->is_skipped;
    enum turn_end end = flight->up_ms == 0 ? TURN_LEFT : TURN_VERIFIED; // of one that is put back
    if (flight->is_skipped) end = TURN_VERIFIED;
    if (flight->verdict != CONTACT_OPEN) end = ends[flight->verdict];
    add_time(c, work.host, c->now_us - flight->begun_us);
    c->places[work.host].progress = is_done ? OVER : WAITING;
    peers_end(c->peers, flight->turn, end, flight->up_ms, NULL, now_ms(c), release_group,
              c->schedule);
    if (is_done) {
        const struct virtual_host was = {.start_us = flight->begun_us,
                                         .end_us = flight->ended_us,
                                         .cause = SCHEDULE_NO_HOST,
                                         .end = (uint8_t)end_of(flight),
                                         .times_out = flight->times_out};
        count(c, work.host, &was);
        schedule_done(c->schedule, &work, flight->verdict == CONTACT_FAILED);
    } else {
        schedule_put_back(c->schedule, &work);
    }
    c->free_flights[c->free_count++] = (uint32_t)(flight - c->flights);
}

// --- the way of a host

static void step_flight(struct clockwork *c, struct flight *flight,
                        const struct contact_update *update) {
    if (update->pauses) peers_want_not(c->peers, flight->turn);
    if (update->answered) flight->up_ms = now_ms(c);
    if (update->asks) peers_want(c->peers, flight->turn, now_ms(c));
    if (update->verdict == CONTACT_OPEN) return;
    peers_want_not(c->peers, flight->turn);
    flight->verdict = update->verdict;
    flight->ended_us = c->now_us;
    flight->times_out = update->times_out;
}

static bool is_waiting(const struct clockwork *c, uint32_t host) {
    return c->places[host].progress == WAITING;
}

// The first of the other members that waits for its turn: the others' are too far.
static const struct device *heir_of(const struct clockwork *c, struct flight *flight) {
    size_t count;
    if (flight->has_heir) return flight->heir;
    const struct member *members = turn_members(flight->turn, &count);
    flight->has_heir = true;
    for (size_t i = 0; i < count && flight->heir == NULL; i++)
        if (is_waiting(c, members[i].host)) flight->heir = members[i].device;
    return flight->heir;
}

static bool is_to_stay(const struct clockwork *c, const struct device *device) {
    const struct member *member = device->waiting;
    return member != NULL && heir_of(c, member->turn->owner) == device &&
           is_waiting(c, member->host);
}

static void keep(struct clockwork *c, struct device *device) {
    static const struct member nobody;
    const struct member *member = device->waiting;
    const bool stays = is_to_stay(c, device);
    peers_kept(c->peers, device, c, stays ? member : &nobody);
    if (!stays) peers_keep_not(c->peers, device);
}

static void step_ask(struct clockwork *c, struct device *device,
                     const struct contact_update *update) {
    if (device->ask == ASK_LEAVING) return;
    if (update->is_kept) keep(c, device);
    if (update->leaves) peers_leaving(c->peers, device);
    if (update->verdict != CONTACT_OPEN)
        peers_answered(c->peers, device,
                       update->verdict == CONTACT_FAILED ? "it has not answered" : NULL, now_ms(c));
}

static void lose_contact(struct clockwork *c, struct device *device) {
    const bool was_leaving = device->ask == ASK_LEAVING;
    struct flight *flight = device->turn == NULL ? NULL : device->turn->owner;
    peers_gone(c->peers, device, now_ms(c));
    if (flight == NULL) return;
    if (was_leaving)
        contact_device(c, flight); // whose turn it is now
    else
        land(c, flight);
}

static void take_update(struct clockwork *c, uint32_t host, const struct contact_update *update) {
    struct place *place = &c->places[host];
    struct device *device = place->device;
    await(c, host, update->due_us);
    place->is_kept = update->is_kept;
    if (device->turn == NULL || device->ask == ASK_LEAVING)
        step_ask(c, device, update);
    else
        step_flight(c, device->turn->owner, update);
    if (update->is_over) lose_contact(c, device);
}

// --- who goes next

static bool next_work(struct clockwork *c, struct schedule_work *work) {
    struct device *device;
    if (schedule_in_hand(c->schedule) == c->job->workers) return false;
    while (peers_are_pressed(c->peers) && (device = peers_next_kept(c->peers)) != NULL)
        if (schedule_next_in(c->schedule, c->scheduled, device->kept_for.cohort,
                             device->kept_for.host, work))
            return true;
    return schedule_next(c->schedule, work);
}

// Nobody works on it.
static void pass_over(struct clockwork *c, struct schedule_work *work) {
    schedule_claimed(c->schedule, work);
    on_skip(c, work->host, SCHEDULE_NO_HOST);
    schedule_done(c->schedule, work, false);
}

static void pump(struct clockwork *c);

// When a session that was kept for the host has had its answer; 0: there is none.
static uint64_t kept_since(const struct clockwork *c, const struct host *host) {
    const struct device *device = peers_find(c->peers, host);
    return device != NULL && device->ask == ASK_KEPT ? device->up_ms : 0;
}

static bool start_host(struct clockwork *c) {
    const struct virtual_job *job = c->job;
    struct schedule_work work;
    struct peers_hold hold;
    if (!next_work(c, &work)) return false;
    if (job->inventory->hosts[work.host].platform != 0) {
        pass_over(c, &work);
        return true;
    }
    struct flight *flight = &c->flights[c->free_flights[c->free_count - 1]];
    *flight = (struct flight){.work = work, .begun_us = c->now_us};
    flight->up_ms = kept_since(c, &job->inventory->hosts[work.host]);
    flight->turn = peers_begin(c->peers, job->inventory, job->grouping, work.cohort, work.host,
                               work.group, flight, now_ms(c), &hold);
    if (flight->turn == NULL) {
        schedule_hold(c->schedule, hold.key);
        schedule_put_back(c->schedule, &work);
        return true;
    }
    c->free_count--;
    c->places[work.host].progress = IN_HAND;
    schedule_claimed(c->schedule, &flight->work);
    contact_device(c, flight);
    pump(c);
    return true;
}

// --- what the peers want done

static void ask(struct clockwork *c, struct device *device) {
    peers_asking(c->peers, device, is_to_stay(c, device));
    c->result->asked++;
    contact(c, device, device->waiting->host,
            device->is_passing ? CONTACT_ASK_AND_LEAVE : CONTACT_ASK);
}

static void refuse(struct clockwork *c, struct flight *flight) {
    tell(c, flight->work.host, CONTACT_REFUSED);
}

static void judge(struct clockwork *c, struct flight *flight, const struct peers_deed *deed) {
    switch (deed->kind) {
    case PEERS_ASK:
    case PEERS_LET_GO: // of a device, and no turn's
        break;
    case PEERS_GRANT:
        flight->is_granted = true;
        tell(c, flight->work.host, CONTACT_GRANTED);
        break;
    case PEERS_SKIP:
        flight->is_skipped = true;
        flight->ended_us = c->now_us;
        refuse(c, flight);
        break;
    case PEERS_BACK:
        schedule_hold(c->schedule, deed->hold.key);
        refuse(c, flight);
        break;
    }
}

static void carry_out(struct clockwork *c, const struct peers_deed *deed) {
    if (deed->kind == PEERS_ASK)
        ask(c, deed->device);
    else if (deed->kind == PEERS_LET_GO)
        tell(c, host_of(c, deed->device), CONTACT_LEAVE);
    else
        judge(c, deed->turn->owner, deed);
}

static void pump(struct clockwork *c) {
    struct peers_deed deed;
    while (peers_next(c->peers, now_ms(c), &deed))
        carry_out(c, &deed);
}

// --- the clock

static void start_hosts(struct clockwork *c) {
    while (start_host(c))
        continue;
}

// False: there is nothing to wait for.
static bool wait(struct clockwork *c) {
    const uint64_t retry_ms = peers_due_ms(c->peers);
    const uint64_t retry_us =
        retry_ms == UINT64_MAX ? UINT64_MAX : (retry_ms - CLOCK_FIRST_MS) * US_PER_MS;
    if (c->due.count == 0 || retry_us < c->due.entries[0].key) {
        if (retry_us == UINT64_MAX) return false;
        c->now_us = retry_us > c->now_us ? retry_us : c->now_us;
        return true;
    }
    const struct heap_entry next = heap_pop(&c->due);
    if (next.key != c->places[next.id].due_us) return true; // it has another due time by now
    c->now_us = next.key;
    c->places[next.id].due_us = UINT64_MAX;
    tell(c, next.id, CONTACT_DUE);
    return true;
}

static void play(struct clockwork *c) {
    start_hosts(c);
    while (!schedule_finished(c->scheduled)) {
        const bool goes_on = wait(c);
        assert(goes_on);
        start_hosts(c);
        pump(c);
    }
}

// --- from start to report

static void select_hosts(struct clockwork *c) {
    const struct grouping *grouping = c->job->grouping;
    for (size_t i = 0; i < c->job->inventory->count; i++)
        c->places[i].due_us = UINT64_MAX;
    for (uint32_t n = 0; n < grouping->cohorts_count; n++)
        for (uint32_t i = 0; i < grouping->cohorts[n].count; i++) {
            struct place *place = &c->places[grouping->order[grouping->cohorts[n].first + i]];
            place->cohort = n;
            place->progress = WAITING;
        }
}

// However the hosts of a constraint are ordered, it takes a limit's part of their time at least.
static void find_longest(const struct clockwork *c) {
    const struct grouping *grouping = c->job->grouping;
    for (size_t i = 0; i < grouping->count; i++) {
        const uint64_t us = c->constraint_us[i] / grouping->constraints[i].limit;
        if (us <= c->result->longest_group_us) continue;
        c->result->longest_group_us = us;
        c->result->longest_group = i;
    }
}

void virtual_run(const struct virtual_job *job, const struct virtual_devices *devices,
                 struct virtual_result *result) {
    const struct grouping *grouping = job->grouping;
    struct peers_config peers = job->peers;
    *result = (struct virtual_result){0};
    if (peers.asks == 0) peers.asks = job->workers;
    const uint32_t flights =
        job->workers < grouping->hosts ? job->workers : (uint32_t)grouping->hosts;
    struct clockwork c = {.job = job,
                          .devices = devices,
                          .schedule = schedule_new(job->workers, on_skip),
                          .peers = peers_new(&peers),
                          .places = mem_array(job->inventory->count, sizeof(struct place)),
                          .constraint_us = mem_array(grouping->count, sizeof(uint64_t)),
                          .flights = mem_array(flights, sizeof(struct flight)),
                          .free_flights = mem_array(flights, sizeof(uint32_t)),
                          .result = result};
    for (; c.free_count < flights; c.free_count++)
        c.free_flights[c.free_count] = c.free_count;
    select_hosts(&c);
    devices->begin(devices->arg);
    c.scheduled = job->past == NULL
                      ? schedule_add(c.schedule, grouping, &c)
                      : schedule_add_resumed(c.schedule, grouping, &c, job->past, job->past_arg);
    play(&c);
    result->makespan_us = c.now_us;
    find_longest(&c);
    schedule_remove(c.schedule, c.scheduled);
    schedule_free(c.schedule);
    peers_free(c.peers);
    heap_deinit(&c.due);
    free(c.places);
    free(c.constraint_us);
    free(c.flights);
    free(c.free_flights);
}

double virtual_window_s(const struct virtual_result *result) {
    return (double)result->makespan_us / 1e6;
}

double virtual_bound_us(const struct virtual_result *result, unsigned workers) {
    double share = (double)result->busy_us / workers, group = (double)result->longest_group_us;
    return share > group ? share : group;
}
