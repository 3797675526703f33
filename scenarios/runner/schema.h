// A validator for the part of JSON Schema 2020-12 that spec/scenario.schema.json uses, so that the
// schema that completes a scenario in an editor is the one that checks it here. It accepts what a
// standard validator accepts; its errors name the place, and what would be right.
//
// Two habits of the schema make its errors short. A title says what a string or a number must be:
// "'5x': expected a duration such as 10ms". Of the alternatives of an anyOf the first is taken to
// be meant whose type fits the value and whose required fields it has, or else whose type fits; and
// #/$defs/variable never is, unless the value holds ${.
#pragma once

#include "scenarios/runner/findings.h"

#include <cjson/cJSON.h>

// Adds all that is wrong with the value; nothing where it fits. root holds the $defs that $ref
// points to.
void schema_check(const cJSON *root, const cJSON *value, struct findings *f);
// The same by a schema that is a part of root.
void schema_check_part(const cJSON *root, const cJSON *schema, const cJSON *value,
                       struct findings *f);
