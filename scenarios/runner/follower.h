// Follows all jobs of the orchestrator by their events while a scenario plays, over connections
// that it cuts at random, and over ends and starts of the service. What it heard is an invariant of
// every scenario: it must agree with what is told of the jobs that are over, with the log, and with
// the metrics.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct follower;

// base writes the service's URL, as it is now; from the follower's thread.
struct follower_config {
    void (*base)(void *arg, char url[64]);
    void *arg;
    uint64_t seed; // where connections are cut
    bool may_forget;
};

struct follower *follower_start(const struct follower_config *config);
void follower_stop(struct follower *f); // takes NULL

// Once the ends of the jobs that are done have been heard, or after a while; strict: else that
// nothing could be heard is no difference, for the service may come and go. log and scrape NULL:
// they are not looked at. An orchestrator that has no /events/ is not followed.
void follower_check(struct follower *f, const cJSON *jobs, const char *log, const char *scrape,
                    bool strict, struct buf *differences);
