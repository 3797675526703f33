#include "orchestrator/nodes.h"

#include "common/clock.h"
#include "common/mem.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct nodes {
    struct nodes_config config;
    struct recovery *recovery;
    struct node *node;
    uv_timer_t tick;
    struct look *look; // that is being read; the reader's thread has it until it is told
    bool is_stopped, is_fenced;
    void (*ready)(void *arg);
    void *ready_arg;
    void (*looked)(void *arg);
    void *looked_arg;
    timer_t killer;
    bool has_killer;
};

static uint64_t shell_now(void *self) {
    (void)self;
    return clock_boot_ms();
}

// --- the process that stands still: the kernel ends it

static void kill_at(void *self, uint64_t at_ms) {
    struct nodes *n = self;
    struct itimerspec when = {0};
    if (!n->has_killer) return;
    if (at_ms != UINT64_MAX) {
        when.it_value.tv_sec = (time_t)(at_ms / 1000);
        when.it_value.tv_nsec = (long)(at_ms % 1000) * 1000000;
    }
    timer_settime(n->killer, TIMER_ABSTIME, &when, NULL);
}

static void make_killer(struct nodes *n) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    n->has_killer = timer_create(CLOCK_BOOTTIME, &event, &n->killer) == 0;
    if (!n->has_killer) abort(); // without it a process that stands still is a danger
}

// --- the store

static int read_view(void *self, struct store_view *view, struct error *err) {
    return store_look(self, view, err);
}

static int read_rows(void *self, const struct store_query *query, store_row row, void *arg,
                     struct error *err) {
    return store_rows(self, query, row, arg, err);
}

static void read_look(void *arg, const struct store_reader *reader) {
    const struct nodes *n = arg;
    const struct look_source source = {
        .self = (void *)(uintptr_t)reader, .view = read_view, .rows = read_rows};
    look_read(n->look, &source);
}

static void on_looked(void *arg) {
    struct nodes *n = arg;
    struct look *look = n->look;
    const bool is_news = look->rc == 0 && !n->is_stopped;
    n->look = NULL;
    node_looked(n->node, look);
    if (is_news && n->looked != NULL) n->looked(n->looked_arg);
}

static void look(void *self, struct look *look) {
    struct nodes *n = self;
    n->look = look;
    store_read(n->config.store, read_look, on_looked, n);
}

static void lease(void *self, struct store_lease *lease, store_done told, void *arg) {
    const struct nodes *n = self;
    store_lease(n->config.store, lease, told, arg);
}

static void append(void *self, const struct store_event *event, store_done kept, void *arg) {
    const struct nodes *n = self;
    store_append(n->config.store, event, kept, arg);
}

static bool is_creating(void *self, const char *id) {
    return store_is_creating(((const struct nodes *)self)->config.store, id);
}

static void heard(void *self, const struct store_event *event) {
    store_heard(((const struct nodes *)self)->config.store, event);
}

static void on_acknowledged(void *arg, uint64_t sent_ms) {
    node_acknowledged(((const struct nodes *)arg)->node, sent_ms);
}

// --- jobs that are new here

static void on_joined(void *arg, uint64_t number, const struct job *job, uint64_t n) {
    node_joined(((const struct nodes *)arg)->node, number, job != NULL, n);
}

static void join(void *self, uint64_t number, bool is_first) {
    struct nodes *n = self;
    recovery_join(n->recovery, number, is_first, on_joined, n);
}

void nodes_look_up(struct nodes *n, const struct job *job) {
    recovery_look_up(n->recovery, job);
}

static void be_ready(void *self) {
    const struct nodes *n = self;
    n->ready(n->ready_arg);
}

static void say(void *self, const char *text) {
    const struct nodes *n = self;
    n->config.say(n->config.arg, text);
}

// --- time

static void check_fence(struct nodes *n) {
    const char *why;
    if (n->is_fenced || !store_is_fenced(n->config.store) || store_is_well(n->config.store, &why))
        return;
    n->is_fenced = true;
    node_die(n->node);
    n->config.fenced(n->config.arg, why);
}

static void on_tick(uv_timer_t *timer) {
    struct nodes *n = timer->data;
    check_fence(n);
    node_pass(n->node);
}

// --- what is asked of it

void nodes_append(struct nodes *n, const struct store_event *event, store_done kept, void *arg) {
    node_append(n->node, event, kept, arg);
}

bool nodes_may_act(const struct nodes *n) {
    return node_may_act(n->node);
}

const char *nodes_why_not(const struct nodes *n) {
    return node_why_not(n->node, recovery_joins_wait(n->recovery));
}

bool nodes_show_open(const struct nodes *n, uint64_t number) {
    return node_shows_open(n->node, number);
}

// The shards that a node has: [[0, 341], [700, 700]], first and last of each row of them.
static void add_ranges(struct buf *out, const uint16_t *owners, uint16_t owner) {
    const char *between = "";
    for (unsigned first = 0, next; first < SHARDS; first = next) {
        next = first + 1;
        if (owners[first] != owner) continue;
        while (next < SHARDS && owners[next] == owner)
            next++;
        buf_addf(out, "%s[%u, %u]", between, first, next - 1);
        between = ", ";
    }
}

static void add_node(struct buf *out, const struct store_view *shown, size_t i, bool is_this) {
    const struct lease_node *node = &shown->nodes[i];
    const struct store_who *place = &shown->places[i];
    buf_adds(out, "{\"id\": ");
    buf_add_json(out, node->id);
    buf_adds(out, ", \"place\": ");
    buf_add_json(out, place->text);
    buf_addf(out, ", \"version\": %d, \"ready\": %s, \"shards\": %u, \"ranges\": [", place->version,
             node->is_ready ? "true" : "false", node->shards);
    add_ranges(out, shown->owners, (uint16_t)(i + 1));
    buf_addf(out, "], \"hungry\": %s, \"beat\": %llu, \"this\": %s}",
             node->is_hungry ? "true" : "false", (unsigned long long)node->beat,
             is_this ? "true" : "false");
}

char *nodes_json(const struct nodes *n, size_t *len) {
    const struct store_view *shown = node_shown(n->node);
    struct buf out = {0};
    buf_adds(&out, "{\"nodes\": [");
    for (size_t i = 0; i < shown->count; i++) {
        if (i > 0) buf_adds(&out, ", ");
        add_node(&out, shown, i, strcmp(shown->nodes[i].id, node_id(n->node)) == 0);
    }
    buf_addf(&out, "], \"shards\": %d, \"free_shards\": %u}\n", SHARDS, shown->free_shards);
    *len = out.len;
    return buf_take(&out);
}

struct node_counts nodes_count(const struct nodes *n) {
    return node_count(n->node);
}

// --- life

struct nodes *nodes_new(const struct nodes_config *config) {
    struct nodes *n = mem_zalloc(sizeof *n);
    const struct node_shell shell = {.self = n,
                                     .now_ms = shell_now,
                                     .look = look,
                                     .lease = lease,
                                     .append = append,
                                     .is_creating = is_creating,
                                     .heard = heard,
                                     .join = join,
                                     .kill_at = kill_at,
                                     .ready = be_ready,
                                     .say = say};
    const struct node_config node = {.id = store_found(config->store)->node,
                                     .jobs = config->jobs,
                                     .gate = config->gate,
                                     .held = config->held,
                                     .workers = config->workers};
    n->config = *config;
    n->node = node_new(&node, &shell);
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
    uv_timer_start(&n->tick, on_tick, 0, NODE_TICK_MS);
}

void nodes_on_look(struct nodes *n, void (*looked)(void *arg), void *arg) {
    n->looked = looked;
    n->looked_arg = arg;
}

void nodes_leave(struct nodes *n) {
    node_leave(n->node);
}

// What a store was asked that takes nothing from this node any more is answered when it is closed.
bool nodes_is_idle(const struct nodes *n, bool is_aborted) {
    return n->look == NULL &&
           (is_aborted || node_is_idle(n->node) || store_is_fenced(n->config.store));
}

void nodes_stop(struct nodes *n) {
    if (n->is_stopped) return;
    n->is_stopped = true;
    node_stop(n->node);
    timer_delete(n->killer);
    n->has_killer = false;
    uv_close((uv_handle_t *)&n->tick, NULL);
}

void nodes_free(struct nodes *n) {
    if (n == NULL) return;
    node_free(n->node);
    free(n);
}
