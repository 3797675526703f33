// JSON, strictly: cJSON behind a door that refuses what cJSON lets pass, and getters that say which
// field is wrong. Errors name the field; each caller adds its own place with error_in().
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = CJSON_NESTING_LIMIT }; // beyond: an error

// Parses exactly one JSON value of len bytes (no NUL needed). Refused, beside bad syntax: trailing
// bytes, a byte order mark, bytes that are not UTF-8, raw control characters in strings, escapes
// that are none, half of a surrogate pair, \u0000 (it would cut a C string short) and a key given
// twice. *out is the caller's, to cJSON_Delete.
int json_parse(const char *text, size_t len, cJSON **out, struct error *err);

// Appends a value as the text that people wrote: a string as it is, a number of a YAML file in its
// own digits (3.10), anything else as JSON.
void json_add_text(struct buf *out, const cJSON *value);

const char *json_type_name(const cJSON *value); // "a string", "an array", ...

// Getters of a field of an object. Required ones fail where the field is absent. Optional ones
// leave *out alone then. Neither takes null for absent. Strings are borrowed from the object.
int json_string(const cJSON *object, const char *key, const char **out, struct error *err);
int json_string_opt(const cJSON *object, const char *key, const char **out, struct error *err);
// "" where there is none, or it is of another type.
const char *json_text(const cJSON *object, const char *key);
int json_uint(const cJSON *object, const char *key, uint64_t low, uint64_t high, uint64_t *out,
              struct error *err);
int json_uint_opt(const cJSON *object, const char *key, uint64_t low, uint64_t high, uint64_t *out,
                  struct error *err);
int json_number(const cJSON *object, const char *key, double low, double high, double *out,
                struct error *err);
int json_number_opt(const cJSON *object, const char *key, double low, double high, double *out,
                    struct error *err);
int json_object(const cJSON *object, const char *key, const cJSON **out, struct error *err);
int json_object_opt(const cJSON *object, const char *key, const cJSON **out, struct error *err);

// The value itself, where its place is known otherwise; the error text starts "expected...".
int json_as_string(const cJSON *value, const char **out, struct error *err);
int json_as_uint(const cJSON *value, uint64_t low, uint64_t high, uint64_t *out, struct error *err);
int json_as_object(const cJSON *value, struct error *err);

// Refuses a field that is not among the known ones, naming it and the nearest that is.
int json_only(const cJSON *object, const char *const *known, size_t count, struct error *err);
#define JSON_ONLY(object, err, ...)                                                                \
    json_only((object), (const char *const[]){__VA_ARGS__},                                        \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (err))
