#include "orchestrator/api_dry_run.h"

#include "common/mem.h"
#include "orchestrator/dry_run.h"

#include <stdlib.h>
#include <string.h>

struct dry_run {
    struct dry_run *next;
    struct dry_runs *runs;
    uv_work_t work;
    struct job *job;
    double *means_ms;
    struct dry_run_known known;
    unsigned workers;
    struct peers_config peers;
    struct buf body;
    dry_run_told told;
    void *arg;
};

static void play(uv_work_t *work) {
    struct dry_run *run = work->data;
    const struct foretelling f = {.inventory = run->job->inventory,
                                  .grouping = &run->job->grouping,
                                  .means_ms = run->means_ms,
                                  .workers = run->workers,
                                  .peers = run->peers};
    struct foretold foretold;
    foretell(&f, &foretold);
    dry_run_write(&run->body, run->job, run->workers, &run->known, &foretold);
    buf_adds(&run->body, "\n");
}

static void on_played(uv_work_t *work, int status);

static void begin(struct dry_run *run) {
    uv_queue_work(run->runs->loop, &run->work, play, on_played);
}

static void on_played(uv_work_t *work, int status) {
    struct dry_run *run = work->data;
    struct dry_runs *runs = run->runs;
    (void)status; // nobody cancels it
    runs->first = run->next;
    if (runs->first == NULL)
        runs->last = NULL;
    else
        begin(runs->first);
    run->told(run->arg, &run->body);
    buf_deinit(&run->body);
    free(run->means_ms);
    job_free(run->job);
    free(run);
}

static struct dry_run_known known_of(const struct gate *gate, const struct job *job) {
    struct dry_run_known known = {0};
    if (job->task->reads) { // nothing is wanted of them
        known.as_wanted = job->selection.count;
        return known;
    }
    for (size_t i = 0; i < job->selection.count; i++) {
        const char *version =
            gate_version_of(gate, &job->inventory->hosts[job->selection.hosts[i]]);
        if (version == NULL)
            known.unknown++;
        else if (strcmp(version, job->args.version) == 0)
            known.as_wanted++;
        else
            known.to_change++;
    }
    return known;
}

void dry_runs_add(struct dry_runs *runs, struct job *job, dry_run_told told, void *arg) {
    struct dry_run *run = mem_zalloc(sizeof *run);
    const struct gate_config *config = gate_configuration(runs->gate);
    const unsigned own = job->brakes.workers;
    *run = (struct dry_run){.runs = runs,
                            .job = job,
                            .means_ms = gate_means(runs->gate, job),
                            .known = known_of(runs->gate, job),
                            .workers = own != 0 && own < config->workers ? own : config->workers,
                            .peers = config->peers,
                            .told = told,
                            .arg = arg};
    run->work.data = run;
    if (runs->last == NULL) {
        runs->first = runs->last = run;
        begin(run);
    } else {
        runs->last->next = run;
        runs->last = run;
    }
}

bool dry_runs_is_idle(const struct dry_runs *runs) {
    return runs->first == NULL;
}
