// A turn goes through
//
//   peers_begin: in hand; members that are not known to be up are asked
//   peers_want:  it waits until all that it asked have answered, then is judged:
//                granted; skipped (perhaps after it has asked again for a while); or put back,
//                where hosts in hand are what keeps it, for they will be up again
//   peers_end
//
// One of a host in doubt (peers_begin_in_doubt) goes right to its end.
//
// A member that comes in hand meanwhile counts as not up and is awaited no more. Nothing waits for
// a host in hand while it is itself in hand: of hosts that keep each other from going, all but the
// last are put back.
#include "orchestrator/peers.h"

#include "common/acmeos.h"
#include "common/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 600 };

struct turn_group {
    const struct constraint *constraint;
    size_t first, count; // members
};

struct peers {
    struct peers_config config;
    struct devices devices;
    struct device_list wanted, kept;
    unsigned in_use;                // asks that run, sessions that are kept or leaving
    unsigned leaving, passing;      // of these those that leave a place by themselves
    struct turn *oldest, *youngest; // in hand
    uint64_t turns;                 // that ever were
    struct turn *decided;           // those that may be judged now
    struct turn **decided_end;
    struct turn *retrying;
    unsigned unwanted;    // of those that are kept
    struct device **next; // a ring
    size_t next_from, next_count, next_cap;
    bool keep_none;
    char text[WHY_MAX];
};

// --- what is known

struct device *peers_find(const struct peers *p, const struct host *host) {
    return devices_find(&p->devices, host);
}

bool peers_is_up(const struct peers *p, const struct device *device, uint64_t now_ms) {
    return device->turn == NULL && device->up_ms != 0 &&
           now_ms - device->up_ms <= p->config.max_age_ms;
}

static bool is_known_down(const struct peers *p, const struct device *device, uint64_t now_ms) {
    return device->is_foreign ||
           (device->down_ms != 0 && now_ms - device->down_ms <= p->config.max_age_ms);
}

struct peers_known peers_known(const struct peers *p, const struct host *host, uint64_t now_ms) {
    const struct device *device = peers_find(p, host);
    struct peers_known known = {.is = PEERS_NOT_KNOWN};
    if (device == NULL) return known;
    known.version = device->version;
    if (device->turn != NULL) {
        known.is = PEERS_IN_HAND;
    } else if (is_known_down(p, device, now_ms)) {
        known.is = PEERS_DOWN;
        known.ms = device->down_ms == 0 ? 0 : now_ms - device->down_ms;
        known.why = device->why;
    } else if (peers_is_up(p, device, now_ms)) {
        known.is = PEERS_UP;
        known.ms = now_ms - device->up_ms;
    }
    return known;
}

// --- turns to be judged

static void list_turn(struct peers *p, struct turn *turn) {
    if (turn->is_listed || turn->wanted_ms == 0 || turn->awaited > 0 || turn->retry_ms != 0) return;
    turn->is_listed = true;
    turn->next = NULL;
    *p->decided_end = turn;
    p->decided_end = &turn->next;
}

static void unlist(struct peers *p, struct turn *turn) {
    struct turn **link = turn->retry_ms != 0 ? &p->retrying : &p->decided;
    if (!turn->is_listed) return;
    for (; *link != turn; link = &(*link)->next)
        assert(*link != NULL);
    *link = turn->next;
    if (turn->retry_ms == 0 && p->decided_end == &turn->next) p->decided_end = link;
    turn->is_listed = false;
    turn->retry_ms = 0;
}

// --- waiting for answers

static void take_kept(struct peers *p, struct device *device) {
    device_list_take_out(&p->kept, device);
    p->unwanted -= device->is_unwanted;
    device->is_unwanted = false;
}

static void pass(struct peers *p, struct device *device, bool is_passing) {
    p->passing += is_passing;
    p->passing -= device->is_passing;
    device->is_passing = is_passing;
}

static void release_slot(struct peers *p, struct device *device) {
    if (device->ask == ASK_WANTED) device_list_take_out(&p->wanted, device);
    if (device->ask == ASK_KEPT) take_kept(p, device);
    if (device->ask == ASK_LEAVING) p->leaving--;
    pass(p, device, false);
    if (device->ask > ASK_WANTED) p->in_use--;
    device->ask = ASK_NONE;
}

// The answer is there, or is not needed any more: the device is in hand.
static void tell_waiting(struct peers *p, struct device *device) {
    while (device->waiting != NULL) {
        struct member *m = device->waiting;
        device->waiting = m->next;
        m->waits = false;
        m->turn->awaited--;
        list_turn(p, m->turn);
    }
}

// Those of older turns first: a turn that needs many answers must have the last before the first is
// too old, whoever asks beside it.
static void want_ask(struct peers *p, struct device *device, uint64_t rank) {
    struct device *ahead = p->wanted.last;
    while (ahead != NULL && ahead->rank > rank)
        ahead = ahead->ahead;
    device->ask = ASK_WANTED;
    device->rank = rank;
    device_list_insert(&p->wanted, device, ahead);
}

static void await(struct peers *p, struct member *m) {
    struct device *device = m->device;
    if (m->waits) return;
    m->waits = true;
    m->next = device->waiting;
    device->waiting = m;
    m->turn->awaited++;
    const bool is_late = device->ask == ASK_WANTED && m->turn->number < device->rank;
    if (is_late) device_list_take_out(&p->wanted, device);
    if (is_late || device->ask == ASK_NONE) want_ask(p, device, m->turn->number);
}

static void stop_waiting(struct peers *p, struct member *m) {
    struct member **link = &m->device->waiting;
    if (!m->waits) return;
    while (*link != m)
        link = &(*link)->next;
    *link = m->next;
    m->waits = false;
    m->turn->awaited--;
    if (m->device->waiting == NULL && m->device->ask == ASK_WANTED) release_slot(p, m->device);
}

// --- judging

const struct member *turn_members(const struct turn *turn, size_t *count) {
    *count = 0;
    if (turn->groups_count > 0) {
        const struct turn_group *last = &turn->groups[turn->groups_count - 1];
        *count = last->first + last->count;
    }
    return turn->members;
}

static size_t members_count(const struct turn *turn) {
    size_t count;
    turn_members(turn, &count);
    return count;
}

// Found not to be up in this turn.
static bool is_refuted(const struct turn *turn, const struct device *device) {
    return device->is_foreign || (device->refuted_ms != 0 && device->refuted_ms >= turn->since_ms);
}

// Whether anybody must be asked yet.
static bool ask_around(struct peers *p, struct turn *turn, uint64_t now_ms) {
    const size_t count = members_count(turn);
    for (size_t i = 0; i < count; i++) {
        struct member *m = &turn->members[i];
        if (m->device->turn != NULL || peers_is_up(p, m->device, now_ms) ||
            is_refuted(turn, m->device))
            continue;
        await(p, m);
    }
    return turn->awaited > 0;
}

struct tally { // of a group's other members
    uint32_t in_hand, down;
    struct device *holder;     // one in hand
    const struct device *lost; // one that is not up
};

static struct tally tally(const struct peers *p, const struct turn *turn,
                          const struct turn_group *group, bool in_this_turn, uint64_t now_ms) {
    struct tally t = {0};
    for (size_t i = 0; i < group->count; i++) {
        struct device *device = turn->members[group->first + i].device;
        if (device->turn != NULL) {
            t.in_hand++;
            if (t.holder == NULL || !device->turn->rests) t.holder = device;
        } else if (in_this_turn ? !peers_is_up(p, device, now_ms)
                                : is_known_down(p, device, now_ms)) {
            t.down++;
            if (t.lost == NULL) t.lost = device;
        }
    }
    return t;
}

static const char *say_lost(struct peers *p, const struct turn_group *group,
                            const struct tally *t) {
    assert(t->lost != NULL); // a limit is 1 at least
    int len = snprintf(p->text, sizeof p->text, "%s is not up: %s", t->lost->host.name,
                       t->lost->why == NULL ? "it has failed" : t->lost->why);
    if (t->down > 1 && len > 0 && (size_t)len < sizeof p->text)
        snprintf(p->text + len, sizeof p->text - (size_t)len, "; nor are %u more of %.200s",
                 t->down - 1, group->constraint->name);
    return p->text;
}

const char *peers_awaited(const struct peers *p, const struct turn *turn, uint64_t now_ms) {
    for (size_t g = 0; p->config.check && g < turn->groups_count; g++) {
        const struct tally t = tally(p, turn, &turn->groups[g], true, now_ms);
        if (t.lost != NULL) return t.lost->host.name;
    }
    return NULL;
}

static void retry_later(struct peers *p, struct turn *turn, uint64_t now_ms) {
    turn->retry_ms = now_ms + PEERS_RETRY_MS;
    turn->is_listed = true;
    turn->next = p->retrying;
    p->retrying = turn;
}

static void note_held(struct peers_hold *hold, struct device *holder, const char *key) {
    holder->held =
        mem_grow(holder->held, &holder->held_cap, holder->held_count + 1, sizeof *holder->held);
    char *own = mem_strdup(key); // the job that it comes from may be gone when it is told
    holder->held[holder->held_count++] = own;
    *hold = (struct peers_hold){holder, own};
}

// Those that are not up decide before those in hand: no waiting helps against them.
static bool judge(struct peers *p, struct turn *turn, uint64_t now_ms, struct peers_deed *deed) {
    *deed = (struct peers_deed){.kind = PEERS_GRANT, .turn = turn};
    for (size_t g = 0; p->config.check && g < turn->groups_count; g++) {
        const struct turn_group *group = &turn->groups[g];
        struct tally t = tally(p, turn, group, true, now_ms);
        if (t.down + 1 <= group->constraint->limit) continue;
        if (now_ms < turn->wanted_ms + p->config.wait_ms) {
            retry_later(p, turn, now_ms);
            return false;
        }
        deed->kind = PEERS_SKIP;
        deed->text = say_lost(p, group, &t);
        return true;
    }
    for (size_t g = 0; p->config.check && g < turn->groups_count; g++) {
        const struct turn_group *group = &turn->groups[g];
        struct tally t = tally(p, turn, group, true, now_ms);
        if (t.in_hand + t.down + 1 <= group->constraint->limit) continue;
        deed->kind = PEERS_BACK;
        note_held(&deed->hold, t.holder, group->constraint->key);
        return true;
    }
    return true;
}

// --- the way of a turn

static void add_member(struct turn *turn, struct device *device, uint32_t host, uint32_t cohort) {
    struct turn_group *group = &turn->groups[turn->groups_count - 1];
    turn->members[group->first + group->count++] =
        (struct member){.device = device, .host = host, .cohort = cohort, .turn = turn};
    device->users++;
}

static struct device *device_of(struct peers *p, const struct inventory *inventory,
                                uint32_t number) {
    const struct host *host = &inventory->hosts[number];
    struct device *device = devices_use(&p->devices, host);
    if (host->platform != 0 && !device->is_foreign) {
        char why[INVENTORY_NAME_MAX + 16];
        snprintf(why, sizeof why, "platform %s", inventory_platform(inventory, host));
        device_set_why(device, why);
    }
    device->is_foreign = host->platform != 0;
    return device;
}

static void add_members(struct peers *p, struct turn *turn, const struct inventory *inventory,
                        const struct grouping *grouping, const struct constraint *constraint,
                        uint32_t host) {
    const uint32_t *cohorts = constraint_cohorts(grouping, constraint);
    for (uint32_t c = 0; c < constraint->cohorts_count; c++) {
        const struct cohort *cohort = &grouping->cohorts[cohorts[c]];
        const uint32_t *hosts = &grouping->order[cohort->first];
        for (uint32_t i = 0; i < cohort->count; i++)
            if (hosts[i] != host)
                add_member(turn, device_of(p, inventory, hosts[i]), hosts[i], cohorts[c]);
    }
    for (uint32_t i = 0; i < constraint->others_count; i++) {
        const uint32_t other = grouping->others[constraint->others + i];
        add_member(turn, device_of(p, inventory, other), other, UINT32_MAX);
    }
}

static struct turn *turn_new(struct peers *p, const struct inventory *inventory,
                             const struct grouping *grouping, const struct cohort *cohort,
                             uint32_t host) {
    struct turn *turn = mem_zalloc(sizeof *turn);
    const uint32_t *needs = cohort_needs(grouping, cohort);
    size_t members = 0;
    turn->device = device_of(p, inventory, host);
    turn->device->users++;
    if (!p->config.check) return turn;
    for (uint32_t i = 0; i < cohort->needs_count; i++)
        members += grouping->constraints[need_constraint(needs[i])].members - 1;
    turn->groups = mem_array(cohort->needs_count, sizeof *turn->groups);
    turn->members = mem_array(members, sizeof *turn->members);
    for (uint32_t i = 0; i < cohort->needs_count; i++) {
        const struct constraint *constraint = &grouping->constraints[need_constraint(needs[i])];
        if (!constraint->redundancy) break; // throttles come last, and are for the schedule alone
        const size_t first = members_count(turn);
        turn->groups[turn->groups_count++] =
            (struct turn_group){.constraint = constraint, .first = first};
        add_members(p, turn, inventory, grouping, constraint, host);
    }
    return turn;
}

static void leave_line(struct peers *p, struct turn *turn) {
    if (turn->older != NULL)
        turn->older->younger = turn->younger;
    else
        p->oldest = turn->younger;
    if (turn->younger != NULL)
        turn->younger->older = turn->older;
    else
        p->youngest = turn->older;
}

static void turn_free(struct peers *p, struct turn *turn) {
    const size_t count = members_count(turn);
    unlist(p, turn);
    if (turn->number > 0) leave_line(p, turn);
    for (size_t i = 0; i < count; i++) {
        struct device *device = turn->members[i].device;
        stop_waiting(p, &turn->members[i]);
        device->users--;
        devices_let_rest(&p->devices, device);
    }
    turn->device->users--;
    devices_let_rest(&p->devices, turn->device);
    free(turn->groups);
    free(turn->members);
    free(turn);
}

// A host in hand may keep this one from going, with those known not to be up; where these alone
// would, only an ask in its own turn decides.
static bool must_wait(const struct peers *p, const struct turn *turn, uint64_t now_ms,
                      struct peers_hold *hold) {
    for (size_t g = 0; g < turn->groups_count; g++) {
        const struct constraint *constraint = turn->groups[g].constraint;
        struct tally t = tally(p, turn, &turn->groups[g], false, now_ms);
        if (t.in_hand + 1 <= constraint->limit &&
            (t.in_hand + t.down + 1 <= constraint->limit || t.down + 1 > constraint->limit))
            continue;
        if (t.holder == NULL) continue;
        note_held(hold, t.holder, constraint->key);
        return true;
    }
    return false;
}

static void come_in_hand(struct peers *p, struct turn *turn, void *owner, uint64_t now_ms) {
    struct device *device = turn->device;
    turn->owner = owner;
    turn->since_ms = now_ms;
    turn->number = ++p->turns;
    turn->older = p->youngest;
    if (p->youngest != NULL)
        p->youngest->younger = turn;
    else
        p->oldest = turn;
    p->youngest = turn;
    device->turn = turn;
    device->up_ms = device->down_ms = 0;
    if (device->ask == ASK_RUNNING && device->is_passing)
        peers_leaving(p, device);
    else if (device->ask != ASK_LEAVING)
        release_slot(p, device);
    tell_waiting(p, device);
}

struct turn *peers_begin(struct peers *p, const struct inventory *inventory,
                         const struct grouping *grouping, const struct cohort *cohort,
                         uint32_t host, const char *fallback, void *owner, uint64_t now_ms,
                         struct peers_hold *hold) {
    struct turn *turn = turn_new(p, inventory, grouping, cohort, host);
    if (turn->device->turn != NULL) {
        note_held(hold, turn->device, fallback);
    } else if (!must_wait(p, turn, now_ms, hold)) {
        come_in_hand(p, turn, owner, now_ms);
        if (p->config.check) ask_around(p, turn, now_ms);
        return turn;
    }
    turn_free(p, turn);
    return NULL;
}

struct turn *peers_begin_in_doubt(struct peers *p, const struct inventory *inventory,
                                  const struct grouping *grouping, const struct cohort *cohort,
                                  uint32_t host, void *owner, uint64_t now_ms) {
    struct turn *turn = turn_new(p, inventory, grouping, cohort, host);
    if (turn->device->turn == NULL) {
        come_in_hand(p, turn, owner, now_ms);
        return turn;
    }
    turn_free(p, turn);
    return NULL;
}

void peers_rest(struct turn *turn) {
    turn->rests = true;
}

void peers_want(struct peers *p, struct turn *turn, uint64_t now_ms) {
    turn->wanted_ms = now_ms;
    turn->rounds = 0;
    if (p->config.check) ask_around(p, turn, now_ms);
    list_turn(p, turn);
}

void peers_want_not(struct peers *p, struct turn *turn) {
    unlist(p, turn);
    turn->wanted_ms = 0;
}

bool peers_hold_still(const struct peers *p, const struct turn *turn, uint64_t now_ms) {
    for (size_t g = 0; p->config.check && g < turn->groups_count; g++) {
        struct tally t = tally(p, turn, &turn->groups[g], true, now_ms);
        if (t.in_hand + t.down + 1 > turn->groups[g].constraint->limit) return false;
    }
    return true;
}

static void learn(struct peers *p, struct device *device, enum turn_end end, uint64_t verified_ms,
                  const char *why, uint64_t now_ms) {
    if (end == TURN_VERIFIED) {
        device->up_ms = verified_ms;
        device->refuted_ms = 0;
        device_set_why(device, NULL);
    } else if (end == TURN_FAILED && p->config.check) {
        device->down_ms = now_ms;
        device_set_why(device, why);
    }
}

// --- whose turn is next

enum { PRESSED_PART = 8 };

bool peers_are_pressed(const struct peers *p) {
    return p->in_use + p->config.asks / PRESSED_PART >= p->config.asks;
}

static void list_next(struct peers *p, struct device *device) {
    if (device->ask != ASK_KEPT || device->is_next) return;
    if (p->next_count == p->next_cap) { // in order from the beginning, then there is room behind
        const size_t cap = p->next_cap == 0 ? 64 : 2 * p->next_cap;
        struct device **next = mem_array(cap, sizeof(struct device *));
        for (size_t i = 0; i < p->next_count; i++)
            next[i] = p->next[(p->next_from + i) % p->next_cap];
        free(p->next);
        p->next = next;
        p->next_from = 0;
        p->next_cap = cap;
    }
    device->is_next = true;
    p->next[(p->next_from + p->next_count++) % p->next_cap] = device;
}

struct device *peers_next_kept(struct peers *p) {
    while (p->next_count > 0) {
        struct device *device = p->next[p->next_from];
        p->next_from = (p->next_from + 1) % p->next_cap;
        p->next_count--;
        device->is_next = false;
        if (device->ask == ASK_KEPT && !device->is_unwanted) return device;
        devices_let_rest(&p->devices, device);
    }
    return NULL;
}

void peers_end(struct peers *p, struct turn *turn, enum turn_end end, uint64_t verified_ms,
               const char *why, uint64_t now_ms, void (*released)(void *arg, const char *key),
               void *arg) {
    struct device *device = turn->device;
    char **held = device->held;
    const size_t count = device->held_count;
    assert(device->turn == turn);
    device->turn = NULL;
    device->held = NULL;
    device->held_count = device->held_cap = 0;
    learn(p, device, end, verified_ms, why, now_ms);
    const size_t members = members_count(turn);
    for (size_t i = 0; i < members; i++)
        list_next(p, turn->members[i].device);
    turn_free(p, turn);
    for (size_t i = 0; i < count; i++) {
        released(arg, held[i]);
        free(held[i]);
    }
    free(held);
}

// --- asks

void peers_asking(struct peers *p, struct device *device, bool is_to_stay) {
    assert(device->ask == ASK_RUNNING);
    pass(p, device, !is_to_stay);
}

void peers_answered(struct peers *p, struct device *device, const char *why, uint64_t now_ms) {
    device->up_ms = why == NULL ? now_ms : 0;
    device->down_ms = device->refuted_ms = why == NULL ? 0 : now_ms;
    device_set_why(device, why);
    tell_waiting(p, device);
}

void peers_kept(struct peers *p, struct device *device, void *run, const struct member *as) {
    assert(device->ask == ASK_RUNNING);
    device->ask = ASK_KEPT;
    device->is_unwanted = false;
    device->kept_for.run = run;
    device->kept_for.cohort = as->cohort;
    device->kept_for.host = as->host;
    device_list_append(&p->kept, device);
}

void peers_leaving(struct peers *p, struct device *device) {
    assert(device->ask == ASK_RUNNING || device->ask == ASK_KEPT);
    if (device->ask == ASK_KEPT) take_kept(p, device);
    pass(p, device, false);
    device->ask = ASK_LEAVING;
    p->leaving++;
}

void peers_gone(struct peers *p, struct device *device, uint64_t now_ms) {
    const bool lost = device->ask == ASK_KEPT, unanswered = device->ask == ASK_RUNNING;
    device->contact = NULL;
    device_set_login(device, (struct credentials){0}, ACMEOS_NO_EPOCH);
    release_slot(p, device);
    if (lost) device->up_ms = 0;
    if (unanswered && device->waiting != NULL)
        peers_answered(p, device, "not asked to its end", now_ms);
    if (device->waiting != NULL) // it was leaving when somebody came to ask
        want_ask(p, device, device->waiting->turn->number);
    devices_let_rest(&p->devices, device);
}

void peers_mark_contacts(const struct peers *p, bool *shards) {
    for (size_t i = 0; i < p->devices.buckets_count; i++)
        for (const struct device *d = p->devices.buckets[i]; d != NULL; d = d->next)
            if (d->contact != NULL) shards[d->shard] = true;
}

void peers_keep_none_in(struct peers *p, const bool *shards) {
    for (struct device *device = p->kept.first; device != NULL; device = device->behind)
        if (shards[device->shard]) peers_keep_not(p, device);
}

void peers_distrust(struct peers *p) {
    for (size_t i = 0; i < p->devices.buckets_count; i++)
        for (struct device *device = p->devices.buckets[i]; device != NULL; device = device->next)
            if (device->turn == NULL && device->ask != ASK_RUNNING && device->ask != ASK_KEPT)
                device->up_ms = device->down_ms = 0;
    for (struct turn *turn = p->oldest; turn != NULL; turn = turn->younger)
        turn->rounds = 0; // their answers were not too old
}

// First all are found, for one that rests may have another forgotten.
void peers_lose_contacts(struct peers *p) {
    struct device **lost = mem_array(p->devices.count, sizeof(struct device *));
    size_t count = 0;
    for (size_t i = 0; i < p->devices.buckets_count; i++)
        for (struct device *device = p->devices.buckets[i]; device != NULL; device = device->next)
            if (device->contact != NULL) lost[count++] = device;
    while (count > 0) {
        struct device *device = lost[--count];
        device->contact = NULL;
        device->up_ms = device->down_ms = 0;
        device_set_login(device, (struct credentials){0}, ACMEOS_NO_EPOCH);
        release_slot(p, device);
        devices_let_rest(&p->devices, device);
    }
    free(lost);
}

void peers_keep_not(struct peers *p, struct device *device) {
    if (device->ask != ASK_KEPT || device->is_unwanted) return;
    device->is_unwanted = true;
    p->unwanted++;
}

void peers_keep_none_of(struct peers *p, const void *run) {
    for (struct device *device = p->kept.first; device != NULL; device = device->behind)
        if (device->kept_for.run == run) peers_keep_not(p, device);
}

void peers_keep_none(struct peers *p) {
    p->keep_none = true;
    p->config.wait_ms = 0;
}

// --- what is to be done

// All have answered, and the first answers are too old. While older turns ask they are served
// first; one that asks alone, and cannot be done, must not ask for ever.
static bool is_hopeless(const struct peers *p, struct turn *turn) {
    for (const struct turn *other = p->oldest; other != turn; other = other->younger)
        if (other->awaited > 0) return false;
    return ++turn->rounds > PEERS_ROUNDS_MAX;
}

static void give_up(struct peers *p, struct turn *turn, struct peers_deed *deed) {
    const size_t count = members_count(turn);
    for (size_t i = 0; i < count; i++)
        stop_waiting(p, &turn->members[i]);
    snprintf(p->text, sizeof p->text,
             "its %zu peers cannot all be asked within the time for which an answer counts; raise "
             "--asks or --peer-max-age",
             count);
    *deed = (struct peers_deed){.kind = PEERS_SKIP, .turn = turn, .text = p->text};
}

static bool next_judged(struct peers *p, uint64_t now_ms, struct peers_deed *deed) {
    while (p->decided != NULL) {
        struct turn *turn = p->decided;
        unlist(p, turn);
        if (!p->config.check || !ask_around(p, turn, now_ms)) {
            if (judge(p, turn, now_ms, deed)) return true;
        } else if (is_hopeless(p, turn)) {
            give_up(p, turn, deed);
            return true;
        }
    }
    return false;
}

static void end_pauses(struct peers *p, uint64_t now_ms) {
    for (struct turn *turn = p->retrying, *next; turn != NULL; turn = next) {
        next = turn->next;
        if (turn->retry_ms > now_ms) continue;
        unlist(p, turn);
        turn->since_ms = now_ms;
        turn->rounds = 0;
        list_turn(p, turn);
    }
}

static bool let_go(struct peers *p, struct device *device, struct peers_deed *deed) {
    if (device == NULL) return false;
    peers_leaving(p, device);
    *deed = (struct peers_deed){.kind = PEERS_LET_GO, .device = device};
    return true;
}

static bool let_go_of_unwanted(struct peers *p, struct peers_deed *deed) {
    struct device *device = p->kept.first;
    if (!p->keep_none && p->unwanted == 0) return false;
    while (device != NULL && !p->keep_none && !device->is_unwanted)
        device = device->behind;
    return let_go(p, device, deed);
}

static bool next_ask(struct peers *p, struct peers_deed *deed) {
    struct device *device = p->wanted.first;
    if (device == NULL) return false;
    if (p->in_use >= p->config.asks) // the one that was kept last: the others' turns are nearer
        return p->leaving + p->passing < p->wanted.count && let_go(p, p->kept.last, deed);
    device_list_take_out(&p->wanted, device);
    device->ask = ASK_RUNNING;
    p->in_use++;
    *deed = (struct peers_deed){.kind = PEERS_ASK, .device = device};
    return true;
}

bool peers_next(struct peers *p, uint64_t now_ms, struct peers_deed *deed) {
    end_pauses(p, now_ms);
    if (next_judged(p, now_ms, deed)) return true;
    if (let_go_of_unwanted(p, deed)) return true;
    return next_ask(p, deed);
}

uint64_t peers_due_ms(const struct peers *p) {
    uint64_t due_ms = UINT64_MAX;
    for (const struct turn *turn = p->retrying; turn != NULL; turn = turn->next)
        if (turn->retry_ms < due_ms) due_ms = turn->retry_ms;
    return due_ms;
}

// --- life

struct peers *peers_new(const struct peers_config *config) {
    assert(config->asks > 0);
    struct peers *p = mem_zalloc(sizeof *p);
    p->config = *config;
    p->decided_end = &p->decided;
    devices_init(&p->devices);
    return p;
}

void peers_free(struct peers *p) {
    if (p == NULL) return;
    devices_deinit(&p->devices);
    free(p->next);
    free(p);
}
