// ${name} in strings: the matrix, captured answers, ${seed}, and what the runner offers.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>

// A copy of value with every ${name} in its strings (and keys) replaced from vars, an object of
// scalars. A string that is nothing but one ${name} takes the value as it is, a number included.
int vars_expand(const cJSON *value, const cJSON *vars, cJSON **out, struct error *err);
