// The commits of a node: they may find it dead, and be answered when its lease is long over.
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

enum {
    FAILS_AFTER_MS = 1000,
    LATE_IN_1000 = 4,
    LATE_MS = 12000,
    TAKE_LATE_IN_1000 = 300, // who is declared dead may move meanwhile
    TAKE_LATE_MS = 6000,
    CLAIM_LATE_IN_1000 = 200, // or whoever has the shards give them up
    CLAIM_LATE_MS = 600,
};

enum store_status nodes_write(struct world *w, struct store_batch *batch) {
    struct process *p = w->at;
    struct error err;
    const bool is_new = store_memory_beat(p->db) != batch->number;
    if (nodes_store_is_away(w)) return STORE_UNREACHABLE;
    const enum store_status status = store_memory_shared.write(
        p->db, batch->number, world_wall_ms(w), batch->ops, batch->count, &err);
    if (status == STORE_OK && is_new) referee_nodes_kept(w, batch);
    if (status == STORE_UNREACHABLE)
        story_broken(w, one_outcome, "the store does not take batch %llu: %s",
                     (unsigned long long)batch->number, err.text);
    return status;
}

uint64_t nodes_commit_ms(const struct world *w, const struct store_batch *batch, unsigned number,
                         uint64_t ms) {
    const struct store_op *first = &batch->ops[0];
    const bool takes = first->kind == STORE_LEASE && first->lease->dead[0] != '\0';
    const bool claims = first->kind == STORE_LEASE && first->lease->claim > 0;
    const uint64_t late_in_1000 = takes    ? TAKE_LATE_IN_1000
                                  : claims ? CLAIM_LATE_IN_1000
                                           : LATE_IN_1000;
    const uint64_t late_ms = takes ? TAKE_LATE_MS : claims ? CLAIM_LATE_MS : LATE_MS;
    if (nodes_store_is_away(w)) return FAILS_AFTER_MS;
    if (w->plan->slow == 0 || world_draw(w, "commit is late", number, 0, 1, 1000) > late_in_1000)
        return ms;
    return world_draw(w, "so late", number, 0, 1, late_ms);
}

// As main.c ends where nodes.c tells it that it is fenced.
bool nodes_written(struct world *w, enum store_status status) {
    struct process *p = w->at;
    const unsigned which = p->which;
    if (status == STORE_OK) {
        const uint64_t until_ms = p->sent_ms + LEASE_ACT_MS;
        if (until_ms > p->acts_until_ms) p->acts_until_ms = until_ms;
        node_acknowledged(p->node, p->sent_ms);
        return false;
    }
    if (status != STORE_FENCED) return false;
    story_tell(w, "was taken for dead");
    node_die(p->node);
    nodes_process_end(w, false);
    w->verdict->ends++;
    world_at(w, w->now_ms + FAILS_AFTER_MS, EVENT_ENTER, which);
    return true;
}
