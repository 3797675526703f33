#include "orchestrator/gate_internal.h"

#include "common/acmeos.h"

#include <assert.h>

static long long wall_now(const struct gate *g) {
    return g->shell.wall_ms(g->shell.self);
}

void run_tell(struct run *run, struct event event) {
    const struct job *job = run->job;
    event.job = job->id;
    event.task = job->task->name;
    event.wall_ms = wall_now(run->gate);
    processors_tell(run->gate->config.processors, &event);
}

void run_tell_of_host(struct run *run, uint32_t number, struct event event) {
    const struct inventory *inventory = run->job->inventory;
    const struct host *host = &inventory->hosts[number];
    event.host = host->name;
    event.site = inventory_site(inventory, host);
    event.dev_type = inventory_dev_type(inventory, host);
    run_tell(run, event);
}

void run_apply(struct run *run, const struct store_event *event) {
    struct error err;
    int rc = job_apply(run->job, event, &err);
    assert(rc == 0);
    (void)rc;
}

void run_log_in_with(const struct run *run, struct device *device, struct credentials login,
                     uint32_t host, uint32_t for_host) {
    const struct gate *g = run->gate;
    const uint32_t place = job_place(run->job, for_host);
    uint64_t epoch = gate_is_shared(g) ? run_epoch(run, place) : g->config.epoch;
    if (!run->job->inventory->hosts[host].epochs) epoch = ACMEOS_NO_EPOCH;
    device_set_login(device, login, epoch);
    device->shard = job_shard(run->job, place);
}

void run_log_in(const struct run *run, struct device *device, uint32_t host, uint32_t for_host) {
    const struct gate_config *config = &run->gate->config;
    const struct job *job = run->job;
    const uint32_t in_whole = job_in_whole(job, host);
    const bool is_whole = in_whole != JOB_NOT_IN_WHOLE;
    run_log_in_with(run, device,
                    credentials_of(config->credentials, config->policy,
                                   is_whole ? job->whole : job->inventory,
                                   is_whole ? in_whole : host),
                    host, for_host);
}

void run_note(struct run *run, struct store_event event) {
    const struct gate_shell *shell = &run->gate->shell;
    event.job = run->job->number;
    event.epoch = run_epoch(run, event.host);
    event.wall_ms = wall_now(run->gate);
    run_apply(run, &event);
    shell->append(shell->self, &event, NULL, NULL);
}

void run_note_job(struct run *run, const struct store_event *event, gate_kept kept, void *arg) {
    const struct gate_shell *shell = &run->gate->shell;
    struct store_event stamped = *event;
    stamped.job = run->job->number;
    stamped.host = STORE_NO_HOST;
    stamped.kind = STORE_JOB;
    if (stamped.wall_ms == 0) stamped.wall_ms = wall_now(run->gate);
    if (!gate_is_shared(run->gate)) run_apply(run, &stamped);
    shell->append(shell->self, &stamped, kept, arg);
}

uint64_t run_epoch(const struct run *run, uint32_t place) {
    const struct gate *g = run->gate;
    if (!gate_is_shared(g) || place == STORE_NO_HOST) return 0;
    return g->config.held->epochs[job_shard(run->job, place)];
}
