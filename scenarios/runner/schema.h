// A validator for the part of JSON Schema 2020-12 that spec/scenario.schema.json uses, so that the
// schema that completes a scenario in an editor is the one that checks it here. Errors name the
// place, and what would be right.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>

// root holds the $defs that $ref points to. A string that holds ${ fits any scalar type: what it
// will be is not known yet.
int schema_check(const cJSON *root, const cJSON *value, struct error *err);
