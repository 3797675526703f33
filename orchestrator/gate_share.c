// What a node must know of the others, and of itself, to take no more than its share: of the
// workers that a job asks for, and of the network, where it reaches no device.
#include "orchestrator/gate_share.h"

#include "orchestrator/gate_internal.h"

// --- the workers that a job asks for, over all nodes

// Nodes that have hosts of it left, each once; of those, how many stand before this one.
static unsigned count_sharers(const struct run *run, unsigned *rank) {
    const struct shards_held *held = run->gate->config.held;
    bool is_counted[SHARDS + 1] = {true}; // nobody's
    unsigned count = 0;
    *rank = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        const struct job_left *left = &run->job->left[i];
        const uint16_t owner = held->owners[i];
        const bool has_some = run->is_canary_phase ? left->canaries > 0 : left->hosts > 0;
        if (!has_some || is_counted[owner]) continue;
        is_counted[owner] = true;
        count++;
        *rank += owner < held->me;
    }
    return held->me != 0 && is_counted[held->me] ? count : 0;
}

// An equal part for each node that has something to do, and no more than the others leave. Those
// that stand first have what is over. While a shard moves two nodes may see that differently, until
// both have looked.
static unsigned workers_here(const struct run *run) {
    const size_t workers = run->job->brakes.workers;
    const size_t in_hand = run->job->counts[HOST_IN_HAND];
    const size_t others = in_hand > run->flights ? in_hand - run->flights : 0;
    unsigned rank;
    const unsigned sharers = count_sharers(run, &rank);
    if (sharers == 0 || others >= workers) return 0;
    const size_t part = workers / sharers + (rank < workers % sharers);
    return (unsigned)(part < workers - others ? part : workers - others);
}

void run_limit_workers(struct run *run) {
    const unsigned workers = run->job->brakes.workers;
    if (run->scheduled == NULL || workers == 0) return;
    schedule_limit(run->gate->schedule, run->scheduled,
                   run->job->left == NULL ? workers : workers_here(run));
}

void gate_share_workers(struct gate *g) {
    for (struct run *run = g->runs; run != NULL; run = run->next)
        run_limit_workers(run);
    g->above.start(g);
}

// --- whether it reaches the devices

void gate_note_reach(struct gate *g, const struct flight *flight, bool is_gone) {
    struct reach *reach = &g->reach;
    if (!gate_is_shared(g)) return;
    if (!is_gone) *reach = (struct reach){0};
    if (!is_gone || flight == NULL) return;
    const struct job *job = flight->run->job;
    const uint16_t shard = job_shard(job, job_place(job, flight->work.host));
    unsigned i = 0;
    while (i < reach->count && reach->shards[i] != shard)
        i++;
    if (i == reach->count && i < REACH_GROUPS_MAX) reach->shards[reach->count++] = shard;
    reach->missed++;
}

bool gate_is_cut_off(const struct gate *g) {
    return gate_is_shared(g) && g->config.held->has_others &&
           g->reach.missed >= g->config.cut_off.missed &&
           g->reach.count >= g->config.cut_off.groups;
}
