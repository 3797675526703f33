// What the parts of a network file's grammar share: an error's place, a version, attributes.
#pragma once

#include "common/error.h"
#include "simulator/network.h"

#include <cjson/cJSON.h>

int network_wrong_at(const cJSON *value,
                     struct error *err); // returns ERROR_INPUT, as the next does
// Puts the field before a text that says only what is wrong with it.
int network_wrong_in(const cJSON *value, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const cJSON *network_field(const cJSON *object, const char *name); // NULL: it is not there

// "5.2.1", borrowed; errors say only what is wrong.
int network_parse_version(const cJSON *value, const char **version, struct error *err);

// Its username and password, borrowed; NULL where it has none. Errors name the field.
int network_parse_login(const cJSON *object, struct credentials *out, struct error *err);

// All fields of the object but the known ones, as attributes: texts, numbers, and lists of them. A
// name that is likely a known one, misspelt, is refused, and so is what looks like a group and is
// read by nobody. Errors name the field.
// A text with braces is computed, where `computes` allows it: network_compute().
int network_parse_attributes(struct network *n, const cJSON *object, const char *const *known,
                             size_t count, bool computes, struct network_range *out,
                             struct error *err);
