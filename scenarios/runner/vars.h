// ${name} in strings: the matrix, captured answers, ${seed}, and what the runner offers.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

// A copy of value with every ${name} in its strings and keys replaced from vars, an object. A
// string that is nothing but one ${name} becomes the value as it is: a number, a list.
int vars_expand(const cJSON *value, const cJSON *vars, cJSON **out, struct error *err);

// Refuses a ${name} that is none of the names known, and a ${ without }. The error has the place
// within value: "steps[0].log: there is no ${nme} here; did you mean ${name}?"
int vars_check(const cJSON *value, const char *const *known, size_t count, struct error *err);
