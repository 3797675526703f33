// The request of a job that does once more what another has not done. Pure.
#pragma once

#include "orchestrator/job.h"

// Which hosts: {"states": ["failed", "skipped"]}, each of them at most once; both where the body is
// NULL or says none. A bit each, by enum host_state.
int retry_parse_states(const cJSON *body, unsigned *states, struct error *err);

// The other job's request with those of its hosts by name in filter_hosts, and no other filter; the
// caller's to delete. Of its canaries those stay that are among these hosts, and how many hosts it
// expected is not asked again. NULL: the error says why; *status then is the HTTP status, 409 where
// there is no such host.
cJSON *retry_request(const struct job *job, unsigned states, int *status, struct error *err);
