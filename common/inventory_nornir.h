// An inventory of Nornir's SimpleInventory: hosts.yaml, and groups.yaml and defaults.yaml where
// there are.
//   fw-ams: {hostname: 198.51.100.1, groups: [firewalls, ams], data: {role: active}}
// A host inherits from its groups, each followed by its own groups, in their order, and then from
// the defaults: what comes first holds. site, dev_type and rack are of `data`, and so are all
// attributes. A null at the top (hostname, port, platform) is none; in `data` it is a value, which
// keeps groups from giving another.
#pragma once

#include "common/inventory_builder.h"

// The documents of a folder; groups and defaults: NULL where there is no such file.
struct inventory_nornir {
    const cJSON *hosts, *groups, *defaults;
};

bool inventory_is_nornir(const cJSON *document); // a hosts.yaml alone
void inventory_nornir_read(struct inventory_builder *b, const struct inventory_nornir *documents);
