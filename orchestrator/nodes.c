// Three things go on beside one another, and each knows what it waits for:
//
//   look    read on the store's thread -> deliver (events, jobs that are new) -> read again
//   lease   claim, give, declare dead: one write at a time -> granted shards -> a look that began
//           after that -> taken on
//   time    LEASE_TICK_MS: is the lease over? Then connections close before anything else happens
#include "orchestrator/nodes.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/gate_nodes.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 100,
    LEASE_TICK_MS = 50,
    EVENTS_A_LOOK = 20000, // of a job
};

struct tracked { // a job of which events are heard
    uint64_t number, heard;
    uint64_t told; // to who follows it; after a rewind it is behind what is heard
};

struct heard { // events of a job, as they were read; strings are copies
    uint64_t number;
    struct store_event *events;
    size_t count, cap;
};

struct found { // an open job
    uint64_t number;
    char id[JOB_ID_MAX];
};

// What one look reads; the reader's thread has it until it is told.
struct look {
    uint64_t nth;
    struct tracked *asked; // a copy
    size_t asked_count;
    struct store_view view;
    struct found *open;
    size_t open_count, open_cap;
    struct heard *heard;
    size_t heard_count;
    struct heard *at; // that is being read
    bool is_cut;      // there is more than was read
    int rc;
    struct error err;
};

struct waiting { // for a job's own change to be heard
    struct waiting *next;
    struct nodes *nodes;
    uint64_t job, n; // 0: it is not kept yet
    store_done kept;
    void *arg;
};

struct nodes {
    struct nodes_config config;
    struct recovery *recovery;
    struct lease lease;
    uv_timer_t tick;
    struct look look;
    bool looks, is_due; // one is under way; one more is due
    uint64_t looked_ms; // when the last began
    uint64_t looks_begun;
    struct tracked *tracked;
    size_t tracked_count, tracked_cap;
    uint64_t *joining; // numbers of jobs
    size_t joining_count, joining_cap;
    struct waiting *waiting;
    struct store_lease wanted; // while it is under way
    bool leases;
    bool was_hungry;
    struct shards_held granted;
    uint64_t granted_look; // a look of this number or a later one shows all that was kept before
    bool is_granted;
    bool must_give_all;  // the lease was lost: what the store says it has is not its own
    uint64_t rewinds_at; // with this look all is heard anew; 0: it is not
    bool is_ready, is_first, is_leaving, is_stopped, is_fenced;
    void (*ready)(void *arg);
    void *ready_arg;
    timer_t killer;
    bool has_killer;
    struct nodes_counts counts;
    struct store_view shown; // the last
    struct error why_blind;  // the last look failed; "": it did not
};

// --- the process that stands still
//
// What the loop would do when the lease is over, a process that is stopped does not. So the kernel
// ends it, a little later.

static void arm_killer(struct nodes *n) {
    const uint64_t until_ms = n->lease.acts_until_ms + LEASE_KILL_MS - LEASE_ACT_MS;
    const bool is_armed = n->lease.state == LEASE_ALIVE && n->lease.shards > 0;
    struct itimerspec when = {0};
    if (!n->has_killer) return;
    if (is_armed) when.it_value.tv_sec = (time_t)(until_ms / 1000);
    if (is_armed) when.it_value.tv_nsec = (long)(until_ms % 1000) * 1000000;
    timer_settime(n->killer, TIMER_ABSTIME, &when, NULL);
}

static void make_killer(struct nodes *n) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    n->has_killer = timer_create(CLOCK_BOOTTIME, &event, &n->killer) == 0;
    if (!n->has_killer) abort(); // without it a process that stands still is a danger
}

// --- shards

static void mark_all(bool marks[SHARDS], bool mark) {
    for (size_t i = 0; i < SHARDS; i++)
        marks[i] = mark;
}

static void lose(struct nodes *n) {
    n->counts.lost++;
    gate_lose(n->config.gate);
    memset(n->config.held->epochs, 0, sizeof n->config.held->epochs);
    n->is_granted = false;
    n->must_give_all = true;
    n->counts.shards = 0;
    arm_killer(n);
}

// What it has done itself while it lost its lease it would take for another node's.
static bool is_deaf(const struct nodes *n) {
    return n->must_give_all || n->rewinds_at != 0;
}

static void rewind_all(struct nodes *n) {
    n->rewinds_at = 0;
    memset(n->config.held->own, 0, sizeof n->config.held->own);
    for (size_t i = 0; i < n->tracked_count; i++) {
        struct job *job = jobs_numbered(n->config.jobs, n->tracked[i].number);
        if (job != NULL) gate_rewind(n->config.gate, job);
    }
}

// What was granted is taken on when no job that is open is unknown, and all is heard.
static void take_on(struct nodes *n) {
    bool marks[SHARDS];
    uint32_t count = 0;
    if (!n->is_granted || n->look.nth < n->granted_look || n->look.is_cut) return;
    if (n->joining_count > 0 || is_deaf(n) || !lease_may_act(&n->lease, clock_boot_ms())) return;
    n->is_granted = false;
    for (size_t i = 0; i < SHARDS; i++) {
        marks[i] = n->granted.epochs[i] != 0 && n->config.held->epochs[i] == 0;
        count += marks[i];
        if (marks[i]) n->config.held->epochs[i] = n->config.held->own[i] = n->granted.epochs[i];
    }
    n->lease.shards += count;
    n->counts.shards = n->lease.shards;
    n->counts.taken += count;
    arm_killer(n);
    if (count > 0) gate_take_on(n->config.gate, marks);
}

// Nothing of it may be in hand, nor any device have a connection: another node is to log in next.
static uint32_t give_some(struct nodes *n, uint32_t most) {
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
        if (n->wanted.gives[i]) n->config.held->epochs[i] = 0;
    n->lease.shards -= count;
    n->counts.shards = n->lease.shards;
    return count;
}

// --- the lease

static bool has_waiting_hosts(const struct jobs *jobs) {
    for (size_t i = 0; i < jobs_count(jobs); i++)
        if (jobs_at(jobs, i)->counts[HOST_WAITING] > 0) return true;
    return false;
}

static bool is_hungry(const struct nodes *n) {
    return gate_in_hand(n->config.gate) < n->config.workers && !n->is_leaving &&
           has_waiting_hosts(n->config.jobs);
}

// What the store has kept of it counts, and is heard with a look that begins now.
static void hear_anew(struct nodes *n) {
    n->must_give_all = false;
    n->rewinds_at = n->looks_begun + 1;
    for (size_t i = 0; i < n->tracked_count; i++)
        n->tracked[i].heard = 0;
}

static void on_leased(void *arg, enum store_status status, uint64_t number) {
    struct nodes *n = arg;
    (void)number;
    n->leases = false;
    if (status != STORE_OK) return;
    if (n->wanted.gives_all) hear_anew(n);
    if (n->wanted.gives_all || n->must_give_all) return; // what was granted has been lost since
    n->granted = n->wanted.result;
    n->is_granted = true;
    n->granted_look = n->looks_begun + 1;
    if (n->wanted.dead[0] != '\0') n->counts.dead++;
}

static void ask_lease(struct nodes *n) {
    n->leases = true;
    n->wanted.is_hungry = n->was_hungry = is_hungry(n);
    store_lease(n->config.store, &n->wanted, on_leased, n);
}

// Of a lease that was lost first all must have come to its end here.
static void give_all(struct nodes *n) {
    bool marks[SHARDS];
    if (gate_in_hand(n->config.gate) > 0) return;
    mark_all(marks, true);
    gate_give_up(n->config.gate, marks);
    n->wanted = (struct store_lease){.gives_all = true};
    ask_lease(n);
}

static void act_on(struct nodes *n, const struct lease_wants *wants) {
    if (n->leases || n->is_stopped) return;
    if (n->must_give_all) {
        give_all(n);
        return;
    }
    n->wanted = (struct store_lease){0};
    uint32_t gives = n->is_leaving ? SHARDS : wants->give_up;
    if (gives > 0) gives = give_some(n, gives);
    if (wants->dead != NULL) {
        memcpy(n->wanted.dead, wants->dead->id, LEASE_ID_MAX);
        n->wanted.dead_beat = wants->dead->beat;
    }
    if (!n->is_leaving && !n->is_granted && n->joining_count == 0 && n->is_ready && !is_deaf(n))
        n->wanted.claim = wants->claim;
    if (gives > 0 || wants->dead != NULL || n->wanted.claim > 0 || is_hungry(n) != n->was_hungry)
        ask_lease(n);
}

static void on_acknowledged(void *arg, uint64_t sent_ms) {
    struct nodes *n = arg;
    lease_acknowledge(&n->lease, sent_ms, clock_boot_ms());
    arm_killer(n);
}

// --- what is read, on the reader's thread

static bool on_open_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct look *look = arg;
    (void)event;
    look->open = mem_grow(look->open, &look->open_cap, look->open_count + 1, sizeof *look->open);
    struct found *found = &look->open[look->open_count++];
    *found = (struct found){.number = row->number};
    memcpy(found->id, row->id, strnlen(row->id, JOB_ID_MAX - 1));
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct heard *heard = ((struct look *)arg)->at;
    (void)row;
    heard->events = mem_grow(heard->events, &heard->cap, heard->count + 1, sizeof *heard->events);
    struct store_event *copy = &heard->events[heard->count++];
    *copy = *event;
    copy->version = event->version == NULL ? NULL : mem_strdup(event->version);
    copy->text = event->text == NULL ? NULL : mem_strdup(event->text);
    return true;
}

static void read_events(struct look *look, const struct store_reader *reader,
                        const struct tracked *job) {
    const struct store_query query = {
        .kind = STORE_READ_EVENTS, .job = job->number, .after = job->heard, .limit = EVENTS_A_LOOK};
    look->at = &look->heard[look->heard_count++];
    *look->at = (struct heard){.number = job->number};
    look->rc = store_rows(reader, &query, on_event, look, &look->err);
    look->is_cut |= look->at->count == EVENTS_A_LOOK;
}

static void read_all(void *arg, const struct store_reader *reader) {
    struct look *look = arg;
    const struct store_query open = {.kind = STORE_READ_JOBS, .is_open = true};
    look->rc = store_look(reader, &look->view, &look->err);
    if (look->rc == 0) look->rc = store_rows(reader, &open, on_open_job, look, &look->err);
    for (size_t i = 0; i < look->asked_count && look->rc == 0; i++)
        read_events(look, reader, &look->asked[i]);
}

// --- what was read, on the loop

static struct tracked *tracked_of(const struct nodes *n, uint64_t number) {
    for (size_t i = 0; i < n->tracked_count; i++)
        if (n->tracked[i].number == number) return &n->tracked[i];
    return NULL;
}

static void track(struct nodes *n, uint64_t number, uint64_t heard) {
    n->tracked = mem_grow(n->tracked, &n->tracked_cap, n->tracked_count + 1, sizeof *n->tracked);
    n->tracked[n->tracked_count++] = (struct tracked){number, heard, heard};
}

static void tell_those_waiting(struct nodes *n, uint64_t job, uint64_t heard) {
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

static void hear(struct nodes *n, const struct heard *heard) {
    for (size_t i = 0; i < heard->count; i++) {
        const struct store_event *event = &heard->events[i];
        struct tracked *tracked = tracked_of(n, heard->number);
        struct job *job = jobs_numbered(n->config.jobs, heard->number);
        if (tracked == NULL || event->n <= tracked->heard) continue;
        tracked->heard = event->n;
        if (job != NULL) gate_heard(n->config.gate, job, event);
        if (event->n > tracked->told) store_heard(n->config.store, event);
        if (event->n > tracked->told) tracked->told = event->n;
        tell_those_waiting(n, heard->number, event->n);
    }
}

static void forget_joining(struct nodes *n, uint64_t number) {
    for (size_t i = n->joining_count; i > 0; i--)
        if (n->joining[i - 1] == number) n->joining[i - 1] = n->joining[--n->joining_count];
}

static void on_joined(void *arg, uint64_t number, const struct job *job, uint64_t heard) {
    struct nodes *n = arg;
    forget_joining(n, number);
    if (job != NULL) track(n, number, heard);
}

static bool is_joining(const struct nodes *n, uint64_t number) {
    for (size_t i = 0; i < n->joining_count; i++)
        if (n->joining[i] == number) return true;
    return false;
}

// They come newest first, and are taken in order of arrival. One that this process has asked for is
// there when it is answered.
static void meet_jobs(struct nodes *n, const struct look *look) {
    for (size_t i = look->open_count; i > 0; i--) {
        const struct found *found = &look->open[i - 1];
        if (tracked_of(n, found->number) != NULL || is_joining(n, found->number)) continue;
        if (jobs_numbered(n->config.jobs, found->number) != NULL) {
            track(n, found->number, 0);
        } else if (!store_is_creating(n->config.store, found->id) && !n->is_leaving) {
            n->joining =
                mem_grow(n->joining, &n->joining_cap, n->joining_count + 1, sizeof *n->joining);
            n->joining[n->joining_count++] = found->number;
            recovery_join(n->recovery, found->number, n->is_first, on_joined, n);
        }
    }
}

static bool is_open(const struct look *look, uint64_t number) {
    for (size_t i = 0; i < look->open_count; i++)
        if (look->open[i].number == number) return true;
    return false;
}

// Jobs that are done, and of which all is heard.
static void forget_jobs(struct nodes *n, const struct look *look) {
    for (size_t i = n->tracked_count; i > 0; i--) {
        const uint64_t number = n->tracked[i - 1].number;
        if (jobs_numbered(n->config.jobs, number) == NULL && !is_open(look, number))
            n->tracked[i - 1] = n->tracked[--n->tracked_count];
    }
}

static void free_heard(struct heard *heard) {
    for (size_t i = 0; i < heard->count; i++) {
        free((char *)(uintptr_t)heard->events[i].version);
        free((char *)(uintptr_t)heard->events[i].text);
    }
    free(heard->events);
}

static void free_look(struct look *look) {
    for (size_t i = 0; i < look->heard_count; i++)
        free_heard(&look->heard[i]);
    free(look->heard);
    free(look->asked);
    free(look->open);
    free(look->view.nodes);
    free(look->view.about);
    *look = (struct look){.nth = look->nth, .is_cut = look->is_cut};
}

static void show(struct nodes *n, struct store_view *view) {
    free(n->shown.nodes);
    free(n->shown.about);
    n->shown = *view;
    n->counts.nodes = (uint32_t)view->count;
    view->nodes = NULL;
    view->about = NULL;
}

static void be_ready(struct nodes *n) {
    if (n->is_ready || n->joining_count > 0) return;
    n->is_ready = true;
    n->is_first = false;
    n->ready(n->ready_arg);
}

static void deliver(struct nodes *n, struct look *look) {
    const struct lease_view view = {.nodes = look->view.nodes,
                                    .count = look->view.count,
                                    .free_shards = look->view.free_shards,
                                    .incarnation = look->view.incarnation,
                                    .age_ms = look->view.age_ms};
    if (n->rewinds_at != 0 && look->nth >= n->rewinds_at) rewind_all(n);
    for (size_t i = 0; i < look->heard_count && !is_deaf(n); i++)
        hear(n, &look->heard[i]);
    meet_jobs(n, look);
    forget_jobs(n, look);
    be_ready(n);
    take_on(n);
    const struct lease_wants wants = lease_look(&n->lease, &view, is_hungry(n), clock_boot_ms());
    act_on(n, &wants);
    show(n, &look->view);
}

static void on_looked(void *arg) {
    struct nodes *n = (struct nodes *)((char *)arg - offsetof(struct nodes, look));
    n->looks = false;
    n->why_blind.text[0] = '\0';
    if (n->look.rc != 0) n->why_blind = n->look.err;
    if (n->look.rc == 0 && !n->is_stopped) deliver(n, &n->look);
    free_look(&n->look);
}

static void begin_look(struct nodes *n) {
    struct look *look = &n->look;
    *look = (struct look){.nth = ++n->looks_begun, .asked_count = n->tracked_count};
    look->asked = mem_array(n->tracked_count, sizeof *look->asked);
    look->heard = mem_array(n->tracked_count, sizeof *look->heard);
    if (n->tracked_count > 0)
        memcpy(look->asked, n->tracked, n->tracked_count * sizeof *look->asked);
    n->looks = true;
    n->looked_ms = clock_boot_ms();
    store_read(n->config.store, read_all, on_looked, look);
}

// --- time

static void check_fence(struct nodes *n) {
    const char *why;
    if (n->is_fenced || !store_is_fenced(n->config.store) || store_is_well(n->config.store, &why))
        return;
    n->is_fenced = true;
    if (n->lease.state == LEASE_ALIVE) lose(n);
    lease_die(&n->lease);
    n->config.fenced(n->config.fenced_arg, why);
}

static void on_tick(uv_timer_t *timer) {
    struct nodes *n = timer->data;
    const uint64_t now = clock_boot_ms();
    if (lease_pass(&n->lease, now)) lose(n);
    check_fence(n);
    if (!n->looks && !n->is_stopped && now - n->looked_ms >= LOOK_MS) begin_look(n);
}

// --- what is kept

// Answered by the store; those who are not told yet wait until it is heard.
static void on_kept(void *arg, enum store_status status, uint64_t number) {
    struct waiting *one = arg;
    struct nodes *n = one->nodes;
    if (status == STORE_OK && !n->is_stopped) {
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

void nodes_append(struct nodes *n, const struct store_event *event, store_done kept, void *arg) {
    if (event->kind != STORE_JOB || kept == NULL) {
        store_append(n->config.store, event, kept, arg);
        return;
    }
    struct waiting *one = mem_alloc(sizeof *one);
    *one = (struct waiting){
        .next = n->waiting, .nodes = n, .job = event->job, .kept = kept, .arg = arg};
    n->waiting = one;
    store_append(n->config.store, event, on_kept, one);
}

// --- what is asked of it

bool nodes_may_act(const struct nodes *n) {
    return lease_may_act(&n->lease, clock_boot_ms());
}

const char *nodes_why_not(const struct nodes *n) {
    const char *join = recovery_joins_wait(n->recovery);
    if (n->is_fenced) return "the other nodes took this one for dead";
    if (n->lease.state == LEASE_QUIET)
        return "the lease of this node is over: it could not write to the store for 7 s";
    if (n->lease.state != LEASE_ALIVE) return "this node has not written to the store yet";
    if (n->why_blind.text[0] != '\0') return n->why_blind.text;
    if (clock_boot_ms() < n->lease.claims_from_ms)
        return "the store was started within the last 10 s: another node may be at work still";
    return n->is_ready ? NULL : join == NULL ? "open jobs are being read" : join;
}

char *nodes_json(const struct nodes *n, size_t *len) {
    struct buf out = {0};
    buf_adds(&out, "{\"nodes\": [");
    for (size_t i = 0; i < n->shown.count; i++) {
        const struct lease_node *node = &n->shown.nodes[i];
        buf_adds(&out, i == 0 ? "{\"id\": " : ", {\"id\": ");
        buf_add_json(&out, node->id);
        buf_adds(&out, ", \"place\": ");
        buf_add_json(&out, n->shown.about[i].place);
        buf_addf(&out,
                 ", \"version\": %d, \"shards\": %u, \"hungry\": %s, \"beat\": %llu, "
                 "\"this\": %s}",
                 n->shown.about[i].version, node->shards, node->is_hungry ? "true" : "false",
                 (unsigned long long)node->beat,
                 strcmp(node->id, n->lease.id) == 0 ? "true" : "false");
    }
    buf_addf(&out, "], \"shards\": %d, \"free_shards\": %u}\n", SHARDS, n->shown.free_shards);
    *len = out.len;
    return buf_take(&out);
}

struct nodes_counts nodes_count(const struct nodes *n) {
    return n->counts;
}

// --- life

struct nodes *nodes_new(const struct nodes_config *config) {
    struct nodes *n = mem_zalloc(sizeof *n);
    n->config = *config;
    n->is_first = true;
    lease_init(&n->lease, store_found(config->store)->node, SHARDS);
    make_killer(n);
    uv_timer_init(config->loop, &n->tick);
    n->tick.data = n;
    store_on_acknowledged(config->store, on_acknowledged, n);
    return n;
}

void nodes_begin(struct nodes *n, struct recovery *recovery, void (*ready)(void *arg), void *arg) {
    n->recovery = recovery;
    n->ready = ready;
    n->ready_arg = arg;
    uv_timer_start(&n->tick, on_tick, 0, LEASE_TICK_MS);
}

void nodes_leave(struct nodes *n) {
    n->is_leaving = true;
}

bool nodes_is_idle(const struct nodes *n) {
    return !n->looks && !n->leases;
}

// What is kept is so, though it was not heard.
static void tell_all_waiting(struct nodes *n) {
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

void nodes_stop(struct nodes *n) {
    if (n->is_stopped) return;
    n->is_stopped = true;
    tell_all_waiting(n);
    timer_delete(n->killer);
    n->has_killer = false;
    uv_close((uv_handle_t *)&n->tick, NULL);
}

void nodes_free(struct nodes *n) {
    if (n == NULL) return;
    while (n->waiting != NULL) {
        struct waiting *one = n->waiting;
        n->waiting = one->next;
        free(one);
    }
    lease_deinit(&n->lease);
    free(n->shown.nodes);
    free(n->shown.about);
    free(n->tracked);
    free(n->joining);
    free(n);
}
