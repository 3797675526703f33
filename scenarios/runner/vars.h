// ${name} in strings: the matrix, captured answers, ${seed}, and what the runner offers.
#pragma once

#include "scenarios/runner/findings.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

// Whether a string in value holds a ${, so that it is known only when it is played.
bool vars_are_in(const cJSON *value);

// A copy of value with every ${name} in its strings and keys replaced from vars, an object. A
// string that is nothing but one ${name} becomes the value as it is: a number, a list.
int vars_expand(const cJSON *value, const cJSON *vars, cJSON **out, struct error *err);

// Adds each string whose ${name} is none of the names known, or which has a ${ without }. The
// errors have the place within value: "steps[0].log: there is no ${nme} here; did you mean
// ${name}?"
void vars_check(const cJSON *value, const char *const *known, size_t count, struct findings *f);
