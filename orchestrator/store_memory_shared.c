// A node's beat fences it off: who declares it dead does so while its beat is what he has seen, and
// its writes are refused from then on. All that a write does is done in one go, as under the row
// locks of the database.
#include "orchestrator/store_memory_shared.h"

#include "common/mem.h"
#include "orchestrator/store_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INCARNATION_SHIFT = 40, BEAT_MS = LEASE_BEAT_MS };

struct shared_node {
    struct shared *shared;
    struct shared_node *next;
    char id[LEASE_ID_MAX];
    struct memory_writer writer;
    uint32_t shards;
    bool is_dead, is_hungry, is_ready;
};

struct shared {
    void *rows; // of store_memory
    struct shared_node *nodes, **nodes_end;
    unsigned nth;     // of the last node
    unsigned handles; // that are open
    struct shared_shard {
        struct shared_node *holder; // NULL: nobody
        uint64_t epoch;
    } shards[SHARDS];
    uint32_t free_shards;
    uint64_t last_epoch, incarnation, now_ms, since_ms;
    bool was_restarted;
};

// --- nodes

static void enter(struct shared *s, void **db, struct store_found *found) {
    struct shared_node *node = mem_zalloc(sizeof *node);
    node->shared = s;
    snprintf(node->id, sizeof node->id, "node %u", ++s->nth);
    *s->nodes_end = node;
    s->nodes_end = &node->next;
    s->handles++;
    found->beat = 0;
    snprintf(found->node, sizeof found->node, "%s", node->id);
    *db = node;
}

static int shared_open(void **db, const char *where, long long wall_ms, struct store_found *found,
                       struct error *err) {
    struct shared *s = mem_zalloc(sizeof *s);
    s->nodes_end = &s->nodes;
    s->free_shards = SHARDS;
    int rc = store_memory.open(&s->rows, where, wall_ms, found, err);
    store_memory_share(s->rows);
    enter(s, db, found);
    return rc;
}

void store_memory_join(void *db, void **joined, long long wall_ms, struct store_found *found) {
    struct shared *s = ((struct shared_node *)db)->shared;
    store_memory_reopen(s->rows, wall_ms, found);
    enter(s, joined, found);
}

static void free_all(struct shared *s) {
    while (s->nodes != NULL) {
        struct shared_node *node = s->nodes;
        s->nodes = node->next;
        store_held_deinit(&node->writer.held);
        free(node);
    }
    store_memory.close(s->rows);
    free(s);
}

void store_memory_crash(void *db) {
    struct shared *s = ((struct shared_node *)db)->shared;
    if (--s->handles == 0) free_all(s);
}

static void set_holder(struct shared *s, size_t shard, struct shared_node *holder) {
    struct shared_node *before = s->shards[shard].holder;
    --*(before == NULL ? &s->free_shards : &before->shards);
    ++*(holder == NULL ? &s->free_shards : &holder->shards);
    s->shards[shard].holder = holder;
}

static void let_go_of(struct shared *s, const struct shared_node *node) {
    for (size_t i = 0; i < SHARDS && node->shards > 0; i++)
        if (s->shards[i].holder == node) set_holder(s, i, NULL);
}

void store_memory_leave(void *db) {
    struct shared_node *node = db;
    node->is_dead = true;
    let_go_of(node->shared, node);
}

static void shared_close(void *db) {
    if (db == NULL) return;
    store_memory_leave(db);
    store_memory_crash(db);
}

// --- the lease

static void take(struct shared *s, const struct store_lease *wants) {
    for (struct shared_node *node = s->nodes; node != NULL; node = node->next) {
        if (strcmp(node->id, wants->dead) != 0 || node->is_dead) continue;
        if (node->writer.beat != wants->dead_beat) continue;
        node->is_dead = true;
        let_go_of(s, node);
    }
}

static void claim(struct shared *s, struct shared_node *me, uint32_t count) {
    for (size_t i = 0; i < SHARDS && count > 0; i++) {
        if (s->shards[i].holder != NULL) continue;
        set_holder(s, i, me);
        s->shards[i].epoch = s->incarnation << INCARNATION_SHIFT | ++s->last_epoch;
        count--;
    }
}

static void tell_shards(const struct shared_node *me, struct shards_held *held) {
    const struct shared *s = me->shared;
    *held = (struct shards_held){0};
    for (size_t i = 0; i < SHARDS; i++)
        if (s->shards[i].holder == me) held->epochs[i] = s->shards[i].epoch;
}

static void lease(struct shared_node *me, const struct store_lease *wants) {
    struct shared *s = me->shared;
    me->is_hungry = wants->is_hungry;
    me->is_ready = wants->is_ready;
    for (size_t i = 0; i < SHARDS; i++)
        if ((wants->gives_all || wants->gives[i]) && s->shards[i].holder == me)
            set_holder(s, i, NULL);
    if (wants->dead[0] != '\0') take(s, wants);
    claim(s, me, wants->claim);
}

// --- the back

static enum store_status shared_write(void *db, uint64_t beat, long long wall_ms,
                                      struct store_op *ops, size_t count, struct error *err) {
    struct shared_node *me = db;
    if (me->is_dead) {
        error_set(err, "another node took this one for dead");
        return STORE_FENCED;
    }
    const uint64_t before = me->writer.beat;
    const enum store_status status =
        store_memory_write(me->shared->rows, &me->writer, beat, wall_ms, ops, count, err);
    if (status != STORE_OK || ops[0].kind != STORE_LEASE) return status;
    if (me->writer.beat != before) lease(me, ops[0].lease);
    tell_shards(me, &ops[0].lease->result);
    return STORE_OK;
}

static int shared_read(void *db, const struct store_query *query, store_row row, void *arg,
                       struct error *err) {
    return store_memory.read(((struct shared_node *)db)->shared->rows, query, row, arg, err);
}

static int shared_look(void *db, struct store_view *view, struct error *err) {
    const struct shared *s = ((const struct shared_node *)db)->shared;
    (void)err;
    *view = (struct store_view){
        .nodes = mem_array(s->nth, sizeof *view->nodes),
        .places = mem_array(s->nth, sizeof *view->places),
        .owners = mem_array(SHARDS, sizeof *view->owners),
        .free_shards = s->free_shards,
        .incarnation = s->incarnation,
        .age_ms = s->was_restarted || s->last_epoch > 0 ? s->now_ms - s->since_ms : UINT64_MAX};
    for (const struct shared_node *node = s->nodes; node != NULL; node = node->next) {
        if (node->is_dead) continue;
        struct lease_node *seen = &view->nodes[view->count++];
        memcpy(seen->id, node->id, sizeof seen->id);
        seen->beat = node->writer.beat;
        seen->shards = node->shards;
        seen->is_hungry = node->is_hungry;
        seen->is_ready = node->is_ready;
        for (size_t i = 0; i < SHARDS && seen->shards > 0; i++)
            if (s->shards[i].holder == node) view->owners[i] = (uint16_t)view->count;
    }
    return 0;
}

// --- for those who play it

void store_memory_set_time(void *db, uint64_t now_ms) {
    ((struct shared_node *)db)->shared->now_ms = now_ms;
}

void store_memory_restart(void *db, uint64_t now_ms) {
    struct shared *s = ((struct shared_node *)db)->shared;
    s->incarnation++;
    s->now_ms = s->since_ms = now_ms;
    s->was_restarted = true;
}

uint64_t store_memory_epoch(const void *db, uint16_t shard) {
    return ((const struct shared_node *)db)->shared->shards[shard].epoch;
}

const char *store_memory_holder(const void *db, uint16_t shard) {
    const struct shared_node *holder =
        ((const struct shared_node *)db)->shared->shards[shard].holder;
    return holder == NULL ? NULL : holder->id;
}

bool store_memory_is_dead(const void *db) {
    return ((const struct shared_node *)db)->is_dead;
}

uint64_t store_memory_beat(const void *db) {
    return ((const struct shared_node *)db)->writer.beat;
}

const struct store_back store_memory_shared = {.open = shared_open,
                                               .write = shared_write,
                                               .read = shared_read,
                                               .look = shared_look,
                                               .close = shared_close,
                                               .beat_ms = BEAT_MS};
