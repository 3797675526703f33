// Hosts that go before all others of their job: one of them that fails or is skipped stops it.
// Pure.
#pragma once

#include "orchestrator/job.h"

// What a request asks for: so many groups' first, or hosts by name or glob.
struct canaries {
    uint32_t groups;     // 0: not so
    struct filter hosts; // names are borrowed; all: not so
};

enum { CANARIES_MAX = 100 }; // entries, or groups

// Of the field "canaries". Absent: none.
int canaries_parse(const cJSON *value, struct canaries *canaries, struct error *err);
void canaries_deinit(struct canaries *canaries);

// Marks them among the job's hosts; the job is new. The first of a group is the one that would
// begin there: of those that the policy has go first, in inventory order. Errors (ERROR_INPUT): an
// entry that none of the selected hosts has; a host of another platform, by its name; one that
// would go before those that the policy has go first.
int canaries_mark(struct job *job, const struct canaries *canaries, struct error *err);
