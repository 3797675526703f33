// What HTTP tells of the hosts of the inventory: their redundancy groups under the policy, and what
// the service knows of their devices now, whichever job found it out. Pure; as JSON text, without a
// line's end.
#pragma once

#include "orchestrator/gate.h"
#include "orchestrator/policy.h"

enum { HOSTS_VIEW_PEERS_MAX = 1000 }; // of one group that are told

struct hosts_view {
    struct inventory *inventory;
    struct selection selection; // of all hosts
    struct grouping grouping;
    uint32_t *cohorts; // by the host's place in the inventory
    uint16_t *shards;  // the same; NULL: one orchestrator has all
};

// Takes over the reference to the inventory, on success only. Errors: what policy_grouping() says.
// is_shared: by several nodes (shards.h).
int hosts_view_init(struct hosts_view *view, struct inventory *inventory,
                    const struct policy *policy, bool is_shared, struct error *err);
void hosts_view_deinit(struct hosts_view *view); // takes one that is zeroed

bool hosts_view_find(const struct hosts_view *view, const char *name, uint32_t *host);

// One host:
//
//     {"name", "site", "dev_type", "groups", "known", "known_ms", "why", "version"}
//
// known: "up", "down", "in_hand" or "unknown"; known_ms: how long ago it was found so. What is not
// known or does not apply is null. Where several nodes share the network also its "shard".
void hosts_view_write(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                      uint32_t host);
// The same, and at its end who stands in for it, by redundancy group:
//
//     "peers": [{"group", "max_unavailable", "members", "hosts": [one as above each]}]
//
// members counts all of the group, the host itself included.
void hosts_view_write_peers(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                            uint32_t host);
