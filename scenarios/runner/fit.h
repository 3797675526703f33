// Whether a part of a scenario still has the shape of spec/scenario.schema.json once its ${...} are
// replaced: what a captured value or a value of the matrix is, is known only then. A number that
// comes to stand where only a text may, as in a header, becomes its text; so does true or false.
#pragma once

#include "scenarios/runner/findings.h"

#include <cjson/cJSON.h>

// Of a step, by its kind: "request". The value may change, see above.
void fit_step(const char *kind, cJSON *value, struct findings *f);
// Of a field of the scenario: "orchestrator".
void fit_part(const char *part, cJSON *value, struct findings *f);
