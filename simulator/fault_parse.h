// A fault's rule from JSON: the grammar. The API is fault_add().
#pragma once

#include "common/error.h"
#include "simulator/fault_rule.h"

#include <cjson/cJSON.h>

// Fills a zeroed rule, which the caller frees in either case.
int fault_parse(struct fault_rule *rule, const cJSON *value, const struct fault_known *known,
                struct error *err);
