#include "orchestrator/api_dry_run.h"

#include "common/mem.h"
#include "orchestrator/dry_run.h"

#include <stdlib.h>

struct dry_run {
    struct job *job;
    double *means_ms;
    bool *are_canaries, *are_as_wanted; // by host of the inventory; the first NULL: there are none
    struct dry_run_known known;
    unsigned workers;
    struct peers_config peers;
    struct buf body;
    dry_run_told told;
    void *arg;
};

static void play(void *arg) {
    struct dry_run *run = arg;
    const struct foretelling f = {.inventory = run->job->inventory,
                                  .grouping = &run->job->grouping,
                                  .means_ms = run->means_ms,
                                  .are_canaries = run->are_canaries,
                                  .are_as_wanted = run->are_as_wanted,
                                  .workers = run->workers,
                                  .peers = run->peers};
    struct foretold foretold;
    foretell(&f, &foretold);
    dry_run_write(&run->body, run->job, run->workers, &run->known, &foretold);
    buf_adds(&run->body, "\n");
}

static void on_played(void *arg) {
    struct dry_run *run = arg;
    run->told(run->arg, &run->body);
    buf_deinit(&run->body);
    free(run->means_ms);
    free(run->are_canaries);
    free(run->are_as_wanted);
    job_free(run->job);
    free(run);
}

// By what their devices last told this process. What reads takes its time whatever they run.
static struct dry_run_known known_of(const struct gate *gate, const struct job *job,
                                     bool *are_as_wanted) {
    const enum downgrade asked = job->args.downgrade;
    struct dry_run_known known = {.refuses_newer = asked == DOWNGRADE_UNSAID
                                                       ? gate_configuration(gate)->refuses_downgrade
                                                       : asked == DOWNGRADE_REFUSE};
    if (job->task->reads) { // nothing is wanted of them
        known.as_wanted = job->selection.count;
        return known;
    }
    for (size_t i = 0; i < job->selection.count; i++) {
        const uint32_t host = job->selection.hosts[i];
        const size_t before = known.as_wanted;
        dry_run_count(&known, gate_version_of(gate, &job->inventory->hosts[host]),
                      job->args.version);
        are_as_wanted[host] = known.as_wanted > before;
    }
    return known;
}

static bool *canaries_of(const struct job *job) {
    if (job->canaries_left == 0) return NULL;
    bool *canaries = mem_array(job->inventory->count, sizeof *canaries);
    for (size_t i = 0; i < job->selection.count; i++)
        canaries[job->selection.hosts[i]] = job->hosts[i].is_canary;
    return canaries;
}

void dry_run(struct errands *errands, const struct gate *gate, struct job *job, dry_run_told told,
             void *arg) {
    struct dry_run *run = mem_zalloc(sizeof *run);
    const struct gate_config *config = gate_configuration(gate);
    const unsigned own = job->brakes.workers;
    bool *are_as_wanted = mem_array(job->inventory->count, sizeof *are_as_wanted);
    *run = (struct dry_run){.job = job,
                            .means_ms = gate_means(gate, job),
                            .are_canaries = canaries_of(job),
                            .are_as_wanted = are_as_wanted,
                            .known = known_of(gate, job, are_as_wanted),
                            .workers = own != 0 && own < config->workers ? own : config->workers,
                            .peers = config->peers,
                            .told = told,
                            .arg = arg};
    errands_add(errands, play, on_played, run);
}
