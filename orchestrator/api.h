// The orchestrator's HTTP endpoints: spec/orchestrator.yaml.
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "common/policy.h"
#include "orchestrator/access.h"
#include "orchestrator/jobs.h"
#include "orchestrator/limit.h"
#include "orchestrator/metrics.h"
#include "orchestrator/nodes.h"
#include "orchestrator/resume.h"
#include "orchestrator/runner.h"

struct api_config {
    union address listen;
    const char *inventory; // a URL or a path, for fetch.h
    const struct policy *policy;
    const char *const *origins; // of web pages that may change the network
    size_t origins_count;
    struct access *access;   // who may do what; NULL: whoever reaches the service, anything. The
                             // API's from the start on
    struct http_tls *tls;    // serves https; NULL: http
    struct http_hosts hosts; // names of the service, beside localhost and where it listens
    const char *simulator;   // of a demonstration: its admin API's address, for the page; or NULL
    uint64_t resume_within_ms;
    uint64_t install_timeout_ms; // of a device, for the page
    struct limits limits;
};

struct api_parts { // what it speaks for
    uv_loop_t *loop;
    struct jobs *jobs;
    struct runner *runner;
    struct nodes *nodes; // NULL: the store is this process's alone
    struct store *store;
    struct metrics *metrics;
    struct processors *processors;
    struct log *log;
};

struct api;

// Listens, and takes up the jobs that the store has. All it is given is borrowed, but for access
// and tls, which it takes over.
int api_start(struct api **started, const struct api_config *config, const struct api_parts *parts,
              struct error *err);
const union address *api_address(const struct api *api);

// From now on these may do what they may; takes it over. Streams of events end, so that each
// client has to say again who it is.
void api_set_access(struct api *api, struct access *access);
void api_set_tls(struct api *api, struct http_tls *tls); // of new connections; taken over

// The store cannot be written, and why.
void api_store_unwell(struct api *api, const char *why);

// Refuses what is new; jobs go on.
void api_drain(struct api *api);
bool api_is_idle(const struct api *api); // after it: nothing new is under way any more
void api_leave_store(struct api *api);   // then: asks the store no more, for it is closed
// Then: answers all who wait, closes and calls closed.
void api_close(struct api *api, void (*closed)(void *arg), void *arg);
void api_free(struct api *api); // after closed
