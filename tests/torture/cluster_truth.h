// Whether what several nodes say of their jobs is true, when all of these are over and all is
// quiet.
#pragma once

#include "common/buf.h"
#include "tests/torture/cluster.h"

#include <cjson/cJSON.h>

// Appends what is not as it must be, a line each, and counts:
//
// - every node answers the same list of jobs, and the same rows and report of each;
// - every host of every job has one outcome, in the report, the rows and the counts alike, and its
//   device runs what that says (scenarios/runner/outcomes.h); born: the devices as they were;
// - in the database the events of each job are numbered without a gap, each host has one outcome
//   behind all else and two intents at most that were not withdrawn, and no epoch of a shard is
//   followed by a lower one;
// - the referee saw no violation, and no device has a connection.
//
// An error: somebody could not be asked.
int cluster_truth(const struct cluster *c, const cJSON *born, struct buf *differences,
                  unsigned *jobs, unsigned *hosts, struct error *err);
