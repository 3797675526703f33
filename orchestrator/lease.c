#include "orchestrator/lease.h"

#include "common/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- this node

void lease_join(struct lease *lease, const char *id) {
    snprintf(lease->id, sizeof lease->id, "%s", id);
    lease->state = LEASE_JOINED;
    lease->shards = 0;
}

void lease_init(struct lease *lease, const char *id, uint32_t shards_all) {
    *lease = (struct lease){.shards_all = shards_all};
    lease_join(lease, id);
}

void lease_deinit(struct lease *lease) {
    free(lease->watches);
}

bool lease_acknowledge(struct lease *lease, uint64_t sent_ms, uint64_t now_ms) {
    const bool was_alive = lease->state == LEASE_ALIVE;
    if (lease->state == LEASE_DEAD) return false;
    if (sent_ms + LEASE_ACT_MS > lease->acts_until_ms)
        lease->acts_until_ms = sent_ms + LEASE_ACT_MS;
    if (now_ms >= lease->acts_until_ms) return was_alive; // the answer has come too late
    lease->state = LEASE_ALIVE;
    return was_alive;
}

void lease_die(struct lease *lease) {
    lease->state = LEASE_DEAD;
    lease->shards = 0;
}

bool lease_pass(struct lease *lease, uint64_t now_ms) {
    if (lease->state != LEASE_ALIVE || now_ms < lease->acts_until_ms) return false;
    lease->state = LEASE_QUIET;
    lease->shards = 0;
    return true;
}

bool lease_may_act(const struct lease *lease, uint64_t now_ms) {
    return lease->state == LEASE_ALIVE && now_ms < lease->acts_until_ms;
}

// --- the others

static struct lease_watch *watch_of(struct lease *lease, const char *id) {
    for (size_t i = 0; i < lease->count; i++)
        if (strcmp(lease->watches[i].seen.id, id) == 0) return &lease->watches[i];
    lease->watches =
        mem_grow(lease->watches, &lease->cap, lease->count + 1, sizeof *lease->watches);
    struct lease_watch *watch = &lease->watches[lease->count++];
    *watch = (struct lease_watch){0};
    return watch;
}

static void note(struct lease *lease, const struct lease_node *node, bool is_anew,
                 uint64_t now_ms) {
    struct lease_watch *watch = watch_of(lease, node->id);
    const bool is_known = watch->seen.id[0] != '\0';
    if (!is_known || is_anew || watch->seen.beat != node->beat) watch->since_ms = now_ms;
    watch->seen = *node;
    watch->is_there = true;
}

static void forget_those_gone(struct lease *lease) {
    for (size_t i = lease->count; i > 0; i--)
        if (!lease->watches[i - 1].is_there) lease->watches[i - 1] = lease->watches[--lease->count];
}

// A store that was started anew, or promoted, may have forgotten beats: all are watched from now
// on.
static void note_all(struct lease *lease, const struct lease_view *view, uint64_t now_ms) {
    const bool is_anew = !lease->has_looked || view->incarnation != lease->incarnation;
    const uint64_t age_ms = lease->has_looked ? 0 : view->age_ms;
    if (is_anew)
        lease->claims_from_ms = now_ms + (age_ms < LEASE_TTL_MS ? LEASE_TTL_MS - age_ms : 0);
    lease->incarnation = view->incarnation;
    for (size_t i = 0; i < lease->count; i++)
        lease->watches[i].is_there = false;
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->nodes[i].id, lease->id) != 0)
            note(lease, &view->nodes[i], is_anew, now_ms);
    forget_those_gone(lease);
    lease->has_looked = true;
}

static const struct lease_node *dead_one(const struct lease *lease, uint64_t now_ms) {
    for (size_t i = 0; i < lease->count; i++)
        if (now_ms - lease->watches[i].since_ms >= LEASE_TTL_MS) return &lease->watches[i].seen;
    return NULL;
}

static bool has_somebody_less(const struct lease *lease, uint32_t share) {
    for (size_t i = 0; i < lease->count; i++)
        if (lease->watches[i].seen.is_ready && lease->watches[i].seen.shards < share - 1)
            return true;
    return false;
}

static uint32_t count_others_ready(const struct lease *lease) {
    uint32_t count = 0;
    for (size_t i = 0; i < lease->count; i++)
        count += lease->watches[i].seen.is_ready;
    return count;
}

// All that are ready and not dead have an equal share; one that the store has lost sight of, too,
// until it is dead. Shards that are free now are given out by nobody: whoever has less than its
// share takes them.
static void share_out(const struct lease *lease, const struct lease_view *view, bool is_hungry,
                      struct lease_wants *wants) {
    const uint32_t nodes = count_others_ready(lease) + 1;
    const uint32_t share = (lease->shards_all + nodes - 1) / nodes;
    if (lease->shards < share)
        wants->claim =
            view->free_shards < share - lease->shards ? view->free_shards : share - lease->shards;
    else if (lease->shards > share && !is_hungry && has_somebody_less(lease, share))
        wants->give_up = lease->shards - share;
    if (wants->claim > LEASE_SHARDS_AT_ONCE) wants->claim = LEASE_SHARDS_AT_ONCE;
}

// Behind a change of the store itself another node may be in charge still of what looks free.
struct lease_wants lease_look(struct lease *lease, const struct lease_view *view, bool is_hungry,
                              bool is_ready, uint64_t now_ms) {
    struct lease_wants wants = {0};
    note_all(lease, view, now_ms);
    if (!lease_may_act(lease, now_ms)) return wants;
    wants.dead = dead_one(lease, now_ms);
    if (!is_ready)
        wants.give_up = lease->shards;
    else if (now_ms >= lease->claims_from_ms)
        share_out(lease, view, is_hungry, &wants);
    return wants;
}
