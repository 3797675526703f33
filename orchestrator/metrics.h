// The metrics processor: counts events, and prints them for a scrape.
#pragma once

#include "common/log.h"
#include "common/prom.h"
#include "orchestrator/jobs.h"

#include <stdbool.h>

struct metrics;

struct metrics *metrics_new(unsigned workers);
void metrics_free(struct metrics *metrics);
void metrics_watch_log(struct metrics *metrics, const struct log *log);    // which outlives it
void metrics_watch_jobs(struct metrics *metrics, const struct jobs *jobs); // the same
void metrics_commit(void *self, double seconds);           // of the store took so long
void metrics_event(void *self, const struct event *event); // self is a struct metrics

// What no event tells, as it is when a scrape begins.
struct metrics_now {
    size_t groups_pending;                 // the schedule's
    uint64_t groups_stopped;               // the same
    bool store_is_well;                    // it has kept what was last tried
    size_t event_streams;                  // that are open
    uint64_t clients_let_go;               // of event streams, for they were too far behind
    uint64_t requests_refused, audit_lost; // unseen; lines that the audit does not have
    bool is_shared;                        // the store, by several nodes; then what follows
    uint32_t nodes, shards, free_shards;   // alive; this one's; nobody's
    uint64_t shards_taken, leases_lost, nodes_declared_dead, cut_off; // ever
    bool hides_hosts; // whoever asks is not to know their names
};

// A scrape, printed piece by piece, so that a hundred thousand series do not stall the loop. Each
// series is printed once, as it is when its turn comes; hosts that appear meanwhile come last.
struct metrics_scrape;
enum { METRICS_PIECE = 1024 }; // series at once: some 100 KB, which each client has for itself

struct metrics_scrape *metrics_scrape_new(const struct metrics *metrics, enum prom_format format,
                                          const struct metrics_now *now);
void metrics_scrape_free(struct metrics_scrape *scrape); // takes NULL
// Appends the next piece. True: more is to come.
bool metrics_scrape_next(struct metrics_scrape *scrape, struct buf *out);
