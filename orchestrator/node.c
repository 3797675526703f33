#include "orchestrator/node.h"

#include "common/mem.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/gate_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracked { // a job of which events are heard
    uint64_t number, heard;
    uint64_t told; // to who follows it; after a rewind it is behind what is heard
    bool rewinds;  // it was there when the lease was lost
};

struct waiting { // for a job's own change to be heard
    struct waiting *next;
    struct node *node;
    uint64_t job, n; // 0: it is not kept yet
    store_done kept;
    void *arg;
};

struct node {
    struct node_config config;
    struct node_shell shell;
    struct lease lease;
    struct look look; // under way
    bool looks;
    bool has_looked;
    uint64_t looked_ms; // when the last began
    uint64_t looks_begun;
    struct tracked *tracked;
    size_t tracked_count, tracked_cap;
    uint64_t *joining; // numbers of jobs
    size_t joining_count, joining_cap;
    struct waiting *waiting;
    struct store_lease wanted; // while it is under way
    bool leases;
    bool was_hungry, was_ready;
    uint64_t joins_since_ms; // some job has been joining
    uint64_t rests_until_ms;
    struct shards_held granted;
    uint64_t granted_look; // a look of this number or a later one shows all that was kept before
    bool is_granted;
    bool must_give_all;  // the lease was lost: what the store says it has is not its own
    uint64_t rewinds_at; // with this look all is heard anew; 0: it is not
    bool is_ready, is_first, is_leaving, is_stopped;
    struct node_counts counts;
    struct store_view shown; // the last
    struct look_found *open; // jobs, by the last look
    size_t open_count;
    struct error why_blind; // the last look failed; "": it did not
};

static uint64_t now_ms(const struct node *n) {
    return n->shell.now_ms(n->shell.self);
}

// --- the process that stands still
//
// What is done here when the lease is over, a process that is stopped does not do. So it is ended
// from outside, a little later.

static void arm_killer(struct node *n) {
    const bool is_armed = n->lease.state == LEASE_ALIVE && n->lease.shards > 0 && !n->is_stopped;
    const uint64_t until_ms = n->lease.acts_until_ms + LEASE_KILL_MS - LEASE_ACT_MS;
    n->shell.kill_at(n->shell.self, is_armed ? until_ms : UINT64_MAX);
}

// --- jobs

static struct tracked *tracked_of(const struct node *n, uint64_t number) {
    for (size_t i = 0; i < n->tracked_count; i++)
        if (n->tracked[i].number == number) return &n->tracked[i];
    return NULL;
}

static void track(struct node *n, uint64_t number, uint64_t heard) {
    n->tracked = mem_grow(n->tracked, &n->tracked_cap, n->tracked_count + 1, sizeof *n->tracked);
    n->tracked[n->tracked_count++] =
        (struct tracked){.number = number, .heard = heard, .told = heard};
}

static bool is_joining(const struct node *n, uint64_t number) {
    for (size_t i = 0; i < n->joining_count; i++)
        if (n->joining[i] == number) return true;
    return false;
}

// Jobs that this process was asked for. They may be done before a look shows them as open.
static void track_own(struct node *n) {
    for (size_t i = 0; i < jobs_count(n->config.jobs); i++) {
        const uint64_t number = jobs_at(n->config.jobs, i)->number;
        if (tracked_of(n, number) == NULL && !is_joining(n, number)) track(n, number, 0);
    }
}

// --- shards

static void let_go(struct node *n) {
    gate_lose(n->config.gate);
    memset(n->config.held->epochs, 0, sizeof n->config.held->epochs);
    n->is_granted = false;
    n->must_give_all = true;
    n->lease.shards = n->counts.shards = 0;
    arm_killer(n);
}

static void lose(struct node *n) {
    n->counts.lost++;
    n->shell.say(n->shell.self, "its lease is over: it lets go of all that it had in hand");
    let_go(n);
}

// What it has done itself while it lost its lease it would take for another node's.
static bool is_deaf(const struct node *n) {
    return n->must_give_all || n->rewinds_at != 0;
}

static void rewind_all(struct node *n) {
    n->rewinds_at = 0;
    memset(n->config.held->own, 0, sizeof n->config.held->own);
    for (size_t i = 0; i < n->tracked_count; i++) {
        struct job *job = jobs_numbered(n->config.jobs, n->tracked[i].number);
        if (job != NULL && n->tracked[i].rewinds) gate_rewind(n->config.gate, job);
        n->tracked[i].rewinds = false;
    }
}

// What was granted is taken on when no job that is open is unknown, and all is heard.
static void take_on(struct node *n, const struct look *look) {
    bool marks[SHARDS];
    uint32_t count = 0;
    if (!n->is_granted || look->nth < n->granted_look || look->is_cut) return;
    if (n->joining_count > 0 || is_deaf(n) || !node_may_act(n)) return;
    for (size_t i = 0; i < SHARDS; i++) {
        marks[i] = n->granted.epochs[i] != 0 && n->config.held->epochs[i] == 0;
        count += marks[i];
    }
    if (!gate_make_way(n->config.gate, marks)) return;
    n->is_granted = false;
    for (size_t i = 0; i < SHARDS; i++)
        if (marks[i]) n->config.held->epochs[i] = n->config.held->own[i] = n->granted.epochs[i];
    n->lease.shards += count;
    n->counts.shards = n->lease.shards;
    n->counts.taken += count;
    arm_killer(n);
    if (count > 0) gate_take_on(n->config.gate, marks);
}

// Nothing of it may be in hand, nor any device have a connection: another node is to log in next.
static uint32_t give_some(struct node *n, uint32_t most) {
    bool in_hand[SHARDS] = {false}, in_contact[SHARDS] = {false}, let_go[SHARDS] = {false};
    uint32_t chosen = 0, count = 0;
    gate_mark_in_hand(n->config.gate, in_hand);
    gate_mark_contacts(n->config.gate, in_contact);
    for (uint32_t i = SHARDS; i > 0 && chosen < most; i--) {
        const uint32_t shard = i - 1;
        if (n->config.held->epochs[shard] == 0 || in_hand[shard]) continue;
        chosen++;
        let_go[shard] = in_contact[shard];
        n->wanted.gives[shard] = !in_contact[shard];
        count += !in_contact[shard];
    }
    gate_let_go_in(n->config.gate, let_go);
    if (count == 0) return 0;
    gate_give_up(n->config.gate, n->wanted.gives);
    for (size_t i = 0; i < SHARDS; i++)
        if (n->wanted.gives[i]) n->config.held->epochs[i] = n->granted.epochs[i] = 0;
    n->lease.shards -= count;
    n->counts.shards = n->lease.shards;
    return count;
}

// What was granted and is not taken on yet, for a job is not known: nobody works on it.
static uint32_t give_granted(struct node *n) {
    uint32_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        if (n->granted.epochs[i] == 0 || n->config.held->epochs[i] != 0) continue;
        n->granted.epochs[i] = 0;
        n->wanted.gives[i] = true;
        count++;
    }
    return count;
}

// --- whether it may have any

static const char cut_off[] = "it reached no device, of several groups, while other nodes are at "
                              "work: it leaves all to them for 60 s";

// It reaches no device, and another node may: what it has goes to the others, as if its lease were
// over. The last one at work goes on, as a single process does.
static void rest_if_cut_off(struct node *n) {
    if (!gate_is_cut_off(n->config.gate) || n->must_give_all) return;
    n->counts.cut_off++;
    n->shell.say(n->shell.self, cut_off);
    n->rests_until_ms = now_ms(n) + NODE_REST_MS;
    let_go(n);
}

// The jobs that it does not know yet are not worked on in its shards.
static bool is_behind(const struct node *n) {
    return n->joining_count > 0 && now_ms(n) - n->joins_since_ms >= NODE_JOIN_MS;
}

static bool is_ready(const struct node *n) {
    return n->is_ready && !n->is_leaving && !is_behind(n) && now_ms(n) >= n->rests_until_ms;
}

// --- the lease

static bool has_waiting_hosts(const struct jobs *jobs) {
    for (size_t i = 0; i < jobs_count(jobs); i++)
        if (jobs_at(jobs, i)->counts[HOST_WAITING] > 0) return true;
    return false;
}

static bool is_hungry(const struct node *n) {
    return gate_in_hand(n->config.gate) < n->config.workers && is_ready(n) &&
           has_waiting_hosts(n->config.jobs);
}

// What the store has kept of it counts, and is heard with a look that begins now.
static void hear_anew(struct node *n) {
    n->must_give_all = false;
    n->rewinds_at = n->looks_begun + 1;
    track_own(n);
    for (size_t i = 0; i < n->tracked_count; i++) {
        n->tracked[i].heard = 0;
        n->tracked[i].rewinds = true;
    }
}

static void tell_dead(struct node *n) {
    char text[LEASE_ID_MAX + 80];
    n->counts.dead++;
    snprintf(text, sizeof text, "node %s has not moved for 10 s, and is declared dead",
             n->wanted.dead);
    n->shell.say(n->shell.self, text);
}

static void on_leased(void *arg, enum store_status status, uint64_t number) {
    struct node *n = arg;
    (void)number;
    n->leases = false;
    if (status != STORE_OK) return;
    if (n->wanted.gives_all) hear_anew(n);
    if (n->wanted.gives_all || n->must_give_all) return; // what was granted has been lost since
    n->granted = n->wanted.result;
    n->is_granted = true;
    n->granted_look = n->looks_begun + 1;
    if (n->wanted.dead[0] != '\0') tell_dead(n);
}

static void ask_lease(struct node *n) {
    n->leases = true;
    n->wanted.is_hungry = n->was_hungry = is_hungry(n);
    n->wanted.is_ready = n->was_ready = is_ready(n);
    n->shell.lease(n->shell.self, &n->wanted, on_leased, n);
}

// Of a lease that was lost first all must have come to its end here.
static void give_all(struct node *n) {
    bool marks[SHARDS];
    if (gate_has_hosts(n->config.gate)) return;
    for (size_t i = 0; i < SHARDS; i++)
        marks[i] = true;
    gate_give_up(n->config.gate, marks);
    n->wanted = (struct store_lease){.gives_all = true};
    ask_lease(n);
}

static void act_on(struct node *n, const struct lease_wants *wants) {
    if (n->leases || n->is_stopped) return;
    if (n->must_give_all) {
        give_all(n);
        return;
    }
    n->wanted = (struct store_lease){0};
    uint32_t gives = wants->give_up;
    if (gives > 0) gives = give_some(n, gives);
    if (n->is_granted && !is_ready(n)) gives += give_granted(n);
    if (wants->dead != NULL) {
        memcpy(n->wanted.dead, wants->dead->id, LEASE_ID_MAX);
        n->wanted.dead_beat = wants->dead->beat;
    }
    if (!n->is_granted && n->joining_count == 0 && !is_deaf(n)) n->wanted.claim = wants->claim;
    if (gives > 0 || wants->dead != NULL || n->wanted.claim > 0 || is_hungry(n) != n->was_hungry ||
        is_ready(n) != n->was_ready)
        ask_lease(n);
}

void node_acknowledged(struct node *n, uint64_t sent_ms) {
    lease_acknowledge(&n->lease, sent_ms, now_ms(n));
    arm_killer(n);
}

// --- what is heard

static void tell_those_waiting(struct node *n, uint64_t job, uint64_t heard) {
    for (struct waiting **link = &n->waiting; *link != NULL;) {
        struct waiting *one = *link;
        if (one->job != job || one->n == 0 || one->n > heard) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        one->kept(one->arg, STORE_OK, one->n);
        free(one);
        link = &n->waiting; // what was told may have changed it
    }
}

static void hear(struct node *n, const struct look_events *events) {
    for (size_t i = 0; i < events->count; i++) {
        const struct store_event *event = &events->list[i];
        struct tracked *tracked = tracked_of(n, events->number);
        struct job *job = jobs_numbered(n->config.jobs, events->number);
        if (tracked == NULL || event->n <= tracked->heard) continue;
        tracked->heard = event->n;
        if (job != NULL) gate_heard(n->config.gate, job, event);
        if (event->n > tracked->told) {
            n->shell.heard(n->shell.self, event);
            tracked->told = event->n;
        }
        tell_those_waiting(n, events->number, event->n);
    }
}

static void forget_joining(struct node *n, uint64_t number) {
    for (size_t i = n->joining_count; i > 0; i--)
        if (n->joining[i - 1] == number) n->joining[i - 1] = n->joining[--n->joining_count];
}

void node_joined(struct node *n, uint64_t number, bool is_there, uint64_t heard) {
    forget_joining(n, number);
    n->granted_look = n->looks_begun + 1; // one under way has not asked for the job's events
    if (is_there) track(n, number, heard);
}

static void join(struct node *n, uint64_t number) {
    if (n->joining_count == 0) n->joins_since_ms = now_ms(n);
    n->joining = mem_grow(n->joining, &n->joining_cap, n->joining_count + 1, sizeof *n->joining);
    n->joining[n->joining_count++] = number;
    n->shell.join(n->shell.self, number, n->is_first);
}

// They come newest first, and are taken in order of arrival. One that this process has asked for is
// there when it is answered.
static void meet_jobs(struct node *n, const struct look *look) {
    for (size_t i = look->open_count; i > 0; i--) {
        const struct look_found *found = &look->open[i - 1];
        if (tracked_of(n, found->number) != NULL || is_joining(n, found->number)) continue;
        if (jobs_numbered(n->config.jobs, found->number) != NULL) continue;
        if (!n->shell.is_creating(n->shell.self, found->id) && !n->is_leaving)
            join(n, found->number);
    }
}

static bool is_open(const struct look *look, uint64_t number) {
    for (size_t i = 0; i < look->open_count; i++)
        if (look->open[i].number == number) return true;
    return false;
}

// Jobs that are done, and of which all is heard.
static void forget_jobs(struct node *n, const struct look *look) {
    for (size_t i = n->tracked_count; i > 0; i--) {
        const uint64_t number = n->tracked[i - 1].number;
        if (jobs_numbered(n->config.jobs, number) == NULL && !is_open(look, number))
            n->tracked[i - 1] = n->tracked[--n->tracked_count];
    }
}

// Nodes that have shards are numbered in the store's order, which is the same for all.
static void note_owners(struct node *n, const struct store_view *view) {
    struct shards_held *held = n->config.held;
    uint16_t *numbers = mem_array(view->count + 1, sizeof *numbers);
    uint16_t last = 0;
    held->me = 0;
    for (size_t i = 0; i < view->count; i++) {
        if (view->nodes[i].shards == 0) continue;
        numbers[i + 1] = ++last;
        if (strcmp(view->nodes[i].id, n->lease.id) == 0) held->me = last;
    }
    for (size_t i = 0; i < SHARDS; i++)
        held->owners[i] = numbers[view->owners[i]];
    held->has_others = last > (held->me != 0);
    free(numbers);
}

static void show(struct node *n, struct store_view *view) {
    free(n->shown.nodes);
    free(n->shown.places);
    free(n->shown.owners);
    n->shown = *view;
    n->counts.nodes = (uint32_t)view->count;
    n->counts.free_shards = view->free_shards;
    view->nodes = NULL;
    view->places = NULL;
    view->owners = NULL;
}

static void show_open(struct node *n, struct look *look) {
    free(n->open);
    n->open = look->open;
    n->open_count = look->open_count;
    look->open = NULL;
}

static void be_ready(struct node *n) {
    if (n->is_ready || n->joining_count > 0) return;
    n->is_ready = true;
    n->is_first = false;
    n->shell.ready(n->shell.self);
}

static void deliver(struct node *n, struct look *look) {
    const struct lease_view view = {.nodes = look->view.nodes,
                                    .count = look->view.count,
                                    .free_shards = look->view.free_shards,
                                    .incarnation = look->view.incarnation,
                                    .age_ms = look->view.age_ms};
    if (n->rewinds_at != 0 && look->nth >= n->rewinds_at) rewind_all(n);
    for (size_t i = 0; i < look->events_count && !is_deaf(n); i++)
        hear(n, &look->events[i]);
    meet_jobs(n, look);
    forget_jobs(n, look);
    be_ready(n);
    note_owners(n, &look->view);
    take_on(n, look);
    gate_share_workers(n->config.gate);
    const struct lease_wants wants =
        lease_look(&n->lease, &view, is_hungry(n), is_ready(n), now_ms(n));
    act_on(n, &wants);
    show(n, &look->view);
    show_open(n, look);
}

void node_looked(struct node *n, struct look *look) {
    n->looks = false;
    n->why_blind.text[0] = '\0';
    if (look->rc != 0) n->why_blind = look->err;
    if (look->rc == 0 && !n->is_stopped) deliver(n, look);
    look_deinit(look);
}

// --- time

static void begin_look(struct node *n) {
    struct look *look = &n->look;
    track_own(n);
    *look = (struct look){.nth = ++n->looks_begun, .asked_count = n->tracked_count};
    look->asked = mem_array(n->tracked_count, sizeof *look->asked);
    for (size_t i = 0; i < n->tracked_count; i++)
        look->asked[i] = (struct look_job){n->tracked[i].number, n->tracked[i].heard};
    n->looks = n->has_looked = true;
    n->looked_ms = now_ms(n);
    n->shell.look(n->shell.self, look);
}

void node_pass(struct node *n) {
    const uint64_t now = now_ms(n);
    if (lease_pass(&n->lease, now)) lose(n);
    rest_if_cut_off(n);
    if (n->looks || n->is_stopped) return;
    if (!n->has_looked || now - n->looked_ms >= NODE_LOOK_MS) begin_look(n);
}

void node_die(struct node *n) {
    if (n->lease.state == LEASE_ALIVE) lose(n);
    lease_die(&n->lease);
}

// --- what is kept

// A look may show it before the store has answered. A job that is done and heard to its end is
// forgotten.
static bool is_heard(const struct node *n, uint64_t job, uint64_t number) {
    const struct tracked *tracked = tracked_of(n, job);
    if (tracked == NULL) return jobs_numbered(n->config.jobs, job) == NULL;
    return tracked->heard >= number;
}

// Answered by the store; those who are not told yet wait until it is heard.
static void on_kept(void *arg, enum store_status status, uint64_t number) {
    struct waiting *one = arg;
    struct node *n = one->node;
    if (status == STORE_OK && !n->is_stopped && !is_heard(n, one->job, number)) {
        one->n = number;
        return;
    }
    struct waiting **link = &n->waiting;
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
    one->kept(one->arg, status, number);
    free(one);
}

void node_append(struct node *n, const struct store_event *event, store_done kept, void *arg) {
    if (event->kind != STORE_JOB || kept == NULL) {
        n->shell.append(n->shell.self, event, kept, arg);
        return;
    }
    struct waiting *one = mem_alloc(sizeof *one);
    *one = (struct waiting){
        .next = n->waiting, .node = n, .job = event->job, .kept = kept, .arg = arg};
    n->waiting = one;
    n->shell.append(n->shell.self, event, on_kept, one);
}

// What is kept is so, though it was not heard.
static void tell_all_waiting(struct node *n) {
    for (struct waiting **link = &n->waiting; *link != NULL;) {
        struct waiting *one = *link;
        if (one->n == 0) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        one->kept(one->arg, STORE_OK, one->n);
        free(one);
    }
}

// --- what is asked of it

bool node_may_act(const struct node *n) {
    return lease_may_act(&n->lease, now_ms(n));
}

const char *node_why_not(const struct node *n, const char *why_no_joins) {
    if (n->lease.state == LEASE_DEAD) return "the other nodes took this one for dead";
    if (n->lease.state == LEASE_QUIET)
        return "the lease of this node is over: it could not write to the store for 7 s";
    if (n->lease.state != LEASE_ALIVE) return "this node has not written to the store yet";
    if (n->why_blind.text[0] != '\0') return n->why_blind.text;
    if (now_ms(n) < n->lease.claims_from_ms)
        return "the store was started within the last 10 s: another node may be at work still";
    if (now_ms(n) < n->rests_until_ms) return cut_off;
    if (n->is_ready && !is_behind(n)) return NULL;
    return why_no_joins == NULL ? "open jobs are being read" : why_no_joins;
}

bool node_hears(const struct node *n) {
    return !is_deaf(n);
}

bool node_shows_open(const struct node *n, uint64_t number) {
    for (size_t i = 0; i < n->open_count; i++)
        if (n->open[i].number == number) return true;
    return false;
}

const struct store_view *node_shown(const struct node *n) {
    return &n->shown;
}

const char *node_id(const struct node *n) {
    return n->lease.id;
}

struct node_counts node_count(const struct node *n) {
    return n->counts;
}

// --- life

struct node *node_new(const struct node_config *config, const struct node_shell *shell) {
    struct node *n = mem_zalloc(sizeof *n);
    n->config = *config;
    n->shell = *shell;
    n->is_first = true;
    lease_init(&n->lease, config->id, SHARDS);
    return n;
}

void node_leave(struct node *n) {
    n->is_leaving = true;
}

bool node_is_idle(const struct node *n) {
    return !n->looks && !n->leases;
}

void node_stop(struct node *n) {
    if (n->is_stopped) return;
    n->is_stopped = true;
    memset(n->config.held->epochs, 0, sizeof n->config.held->epochs); // it speaks for no job
    tell_all_waiting(n);
    arm_killer(n);
}

void node_free(struct node *n) {
    if (n == NULL) return;
    while (n->waiting != NULL) {
        struct waiting *one = n->waiting;
        n->waiting = one->next;
        free(one);
    }
    lease_deinit(&n->lease);
    look_deinit(&n->look);
    free(n->shown.nodes);
    free(n->shown.places);
    free(n->shown.owners);
    free(n->open);
    free(n->tracked);
    free(n->joining);
    free(n);
}
