// What happens to the nodes of a history in which several share the store.
#include "common/rng.h"
#include "tests/histories/plan.h"

#define SECOND_MS ((uint64_t)1000)

static unsigned draw(uint64_t seed, const char *what, uint64_t number, uint64_t low,
                     uint64_t high) {
    return (unsigned)rng_range(rng_mix(rng_mix(seed, rng_hash(what)), number), low, high);
}

static bool happens(uint64_t seed, const char *what, uint64_t number, unsigned percent) {
    return draw(seed, what, number, 1, 100) <= percent;
}

// A lease takes seconds, so devices and those who ask for something do as well.
static void slow_down(struct plan *p) {
    static const unsigned paces[] = {1, 8, 30};
    p->pace = paces[draw(p->seed, "pace", 0, 0, 2)];
    p->peer_wait_ms *= p->pace;
    for (unsigned i = 0; i < p->jobs_count; i++) {
        p->jobs[i].at_ms *= p->pace;
        p->jobs[i].host_timeout_ms *= p->pace;
        p->jobs[i].job_timeout_ms *= p->pace;
    }
    for (unsigned i = 0; i < p->controls_count; i++) {
        p->controls[i].at_ms *= p->pace;
        p->controls[i].for_ms *= p->pace;
    }
    for (unsigned i = 0; i < p->deaths_count; i++) {
        p->deaths[i].from_ms *= p->pace;
        p->deaths[i].to_ms *= p->pace;
    }
}

static unsigned draw_length(uint64_t seed, unsigned i, enum plan_fault_kind kind) {
    switch (kind) {
    case FAULT_STOP: // longer than the lease: then its end comes first
        if (happens(seed, "about as long as the lease", i, 35))
            return draw(seed, "about so long", i, 6000, 7500);
        return draw(seed, "stands still for", i, 10,
                    happens(seed, "for long", i, 40) ? 16 * SECOND_MS : 6 * SECOND_MS);
    case FAULT_CUT:
    case FAULT_APART:
        return draw(seed, "cut off for", i, 10,
                    happens(seed, "for long", i, 50) ? 16 * SECOND_MS : 6 * SECOND_MS);
    case FAULT_STORE:
        return draw(seed, "store away for", i, 10, 9 * SECOND_MS);
    default:
        return draw(seed, "away for", i, 10,
                    happens(seed, "for long", i, 50) ? 15 * SECOND_MS : 2 * SECOND_MS);
    }
}

static void draw_fault(struct plan *p, unsigned i) {
    static const enum plan_fault_kind kinds[] = {FAULT_KILL,  FAULT_KILL, FAULT_TERM, FAULT_STOP,
                                                 FAULT_STOP,  FAULT_CUT,  FAULT_CUT,  FAULT_STORE,
                                                 FAULT_APART, FAULT_APART};
    const uint64_t seed = p->seed;
    struct plan_fault *fault = &p->faults[i];
    fault->kind = kinds[draw(seed, "fault", i, 0, sizeof kinds / sizeof *kinds - 1)];
    fault->node = draw(seed, "fault of", i, 0, p->nodes - 1);
    fault->at_ms = draw(seed, "fault at", i, 0, 20 * SECOND_MS);
    if (happens(seed, "fault soon", i, 40)) fault->at_ms /= 8;
    fault->is_at_install = happens(seed, "fault at an install", i, 50);
    fault->after = draw(seed, "fault after", i, 0, 12);
    fault->for_ms = draw_length(seed, i, fault->kind);
    fault->is_again = fault->kind == FAULT_TERM && happens(seed, "told again", i, 25);
}

static void draw_changes(struct plan *p) {
    const uint64_t seed = p->seed;
    p->change.kind = NO_CHANGE;
    p->policy_changes = happens(seed, "policy changes at nodes", 0, 15);
    p->policy_ms = draw(seed, "policy changed at", 0, 1, 20 * SECOND_MS);
    if (!happens(seed, "inventory changes at nodes", 0, 30)) return;
    p->change.kind = happens(seed, "new group", 0, 75) ? NEW_GROUP : NEW_ADDRESS;
    p->change.host = draw(seed, "changed host", 0, 0, p->hosts - 1);
    p->change.at_ms =
        draw(seed, "changed at a node at", 0, 1,
             happens(seed, "changed soon", 0, 60) ? SECOND_MS * p->pace : 20 * SECOND_MS);
    p->change.group = (uint8_t)draw(seed, "changed group", 0, 1, 3);
}

void plan_draw_nodes(struct plan *p, uint64_t seed) {
    plan_draw(p, seed);
    p->nodes = draw(seed, "nodes", 0, 1, PLAN_NODES);
    p->ends_count = 0;
    p->hold.for_ms = 0;
    slow_down(p);
    draw_changes(p);
    if (happens(seed, "few jobs at a time", 0, 30))
        p->max_jobs = draw(seed, "so few jobs", 0, 1, 2);
    for (unsigned i = 1; i < p->nodes; i++)
        p->begins_ms[i] = happens(seed, "begins later", i, 50)
                              ? draw(seed, "begins at", i, 1, 15 * SECOND_MS)
                              : 0;
    p->shards = happens(seed, "few shards", 0, 40) ? draw(seed, "so many shards", 0, 1, 6) : 0;
    p->breaks = happens(seed, "stops before it sends", 0, 40) ? draw(seed, "breaks", 0, 1, 30) : 0;
    p->faults_count = draw(seed, "faults", 0, 0, PLAN_FAULTS);
    for (unsigned i = 0; i < p->faults_count; i++)
        draw_fault(p, i);
}

uint16_t plan_shard(const struct plan *p, uint16_t shard, unsigned shards) {
    const uint64_t drawn = rng_mix(rng_mix(p->seed, rng_hash("shard")), shard);
    return (uint16_t)(drawn % (p->shards > 0 ? p->shards : shards));
}

void plan_write_nodes(const struct plan *p, struct buf *out) {
    static const char *const words[] = {"is killed",
                                        "is told to end",
                                        "stands still",
                                        "is cut off from the store",
                                        "is cut off from the devices",
                                        "the store is away"};
    buf_addf(out, "  %u nodes, %u times as slow", p->nodes, p->pace);
    if (p->shards > 0) buf_addf(out, ", in %u shards", p->shards);
    if (p->breaks > 0) buf_addf(out, ", %u installs in 100 are sent late", p->breaks);
    buf_adds(out, "\n");
    for (unsigned i = 1; i < p->nodes; i++)
        if (p->begins_ms[i] > 0) buf_addf(out, "  n%u begins at %u ms\n", i, p->begins_ms[i]);
    for (unsigned i = 0; i < p->faults_count; i++) {
        const struct plan_fault *fault = &p->faults[i];
        if (fault->is_absent) continue;
        buf_addf(out, "  n%u %s%s from %u ms on for %u ms", fault->node, words[fault->kind],
                 fault->is_again ? ", and again," : "", fault->at_ms, fault->for_ms);
        if (fault->is_at_install) buf_addf(out, ", %u events after an install", fault->after);
        buf_adds(out, "\n");
    }
}

// A fault less, an earlier one, a node less, and what is drawn for all of them.
bool plan_shrink_nodes(struct plan *p, unsigned at) {
    if (at < PLAN_FAULTS) {
        if (at >= p->faults_count || p->faults[at].is_absent) return false;
        p->faults[at].is_absent = true;
        return true;
    }
    at -= PLAN_FAULTS;
    if (at < PLAN_NODES) {
        if (p->begins_ms[at] == 0) return false;
        p->begins_ms[at] = 0;
        return true;
    }
    at -= PLAN_NODES;
    if (at == 0) {
        if (p->breaks == 0) return false;
        p->breaks = 0;
        return true;
    }
    if (p->nodes < 2) return false;
    p->nodes--;
    for (unsigned i = 0; i < p->faults_count; i++)
        if (p->faults[i].node >= p->nodes) p->faults[i].is_absent = true;
    return true;
}
