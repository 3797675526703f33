// An inventory of any form, told apart by its shape: ACME's, Ansible's, Nornir's
// (inventory_acme.h, inventory_ansible.h, inventory_nornir.h).
#pragma once

#include "common/inventory.h"
#include "common/inventory_nornir.h"

#include <cjson/cJSON.h>

// Errors name the place: "earth.spine00.earth.port: expected a whole number...", and those of
// several hosts are told at once: "earth.a.port: missing; earth.b.port: missing; earth.c.port:
// missing; and 497 more". *out has one reference, the caller's.
int inventory_parse(const cJSON *document, struct inventory **out, struct error *err);
// For who connects to none of its hosts: they need no address and no port.
int inventory_parse_unaddressed(const cJSON *document, struct inventory **out, struct error *err);

// The documents of a folder of Nornir's.
int inventory_parse_folder(const struct inventory_nornir *documents, bool unaddressed,
                           struct inventory **out, struct error *err);
