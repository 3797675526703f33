// A network from a YAML file (spec/network.schema.json).
#pragma once

#include "simulator/fault.h"
#include "simulator/network.h"

// Fills an initialised network and seals it, and adds the file's faults to the list. An error reads
// "network.yaml:7:12: faults[2].match.site: expected a string", or is negative where the file
// cannot be read. The network is to be deinitialised in either case.
int network_file_load(struct network *n, struct fault_list *faults, const char *path,
                      struct error *err);
// The same from JSON, a part of the file of that name, beside which an inventory is looked for; the
// error has the value at fault, and no file's name.
int network_file_read(struct network *n, struct fault_list *faults, const char *name,
                      const cJSON *root, struct error *err);
// The same from text; name stands for the file in errors.
int network_file_parse(struct network *n, struct fault_list *faults, const char *name,
                       const char *text, size_t len, struct error *err);
