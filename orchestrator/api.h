// The orchestrator's HTTP endpoints: spec/orchestrator.yaml.
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "common/policy.h"
#include "orchestrator/jobs.h"
#include "orchestrator/metrics.h"
#include "orchestrator/runner.h"

struct api_config {
    union address listen;
    const char *inventory; // a URL or a path, for fetch.h
    const struct policy *policy;
    const char *const *origins; // of web pages that may change the network
    size_t origins_count;
    struct http_hosts hosts; // names of the service, beside localhost and where it listens
};

struct api;

// All it is given is borrowed.
int api_start(struct api **started, uv_loop_t *loop, const struct api_config *config,
              struct jobs *jobs, struct runner *runner, struct metrics *metrics, struct log *log,
              struct error *err);
const union address *api_address(const struct api *api);

// Refuses what is new, lets the runner drain, delivers every report, then closes and calls done.
void api_drain(struct api *api, void (*done)(void *arg), void *arg);
// While it drains: does not wait for the hosts in hand (runner_abort).
void api_abort(struct api *api);
void api_free(struct api *api); // after done
