// What is expected against what came. Pure: JSON in, differences in words out. Every function
// appends one line for each difference, indented by two blanks, and appends nothing where all is as
// expected.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#define expect_differ(differences, format, ...) buf_addf(differences, "  " format "\n", __VA_ARGS__)

// A pattern with *, ? or [ is a glob; any other must be equal.
bool expect_fits(const char *pattern, const char *text);

// A number, or {at_least, at_most}.
void expect_number(const cJSON *expected, double got, const char *what, struct buf *differences);

// expected: {"a.b[0].c": value, ...}.
void expect_paths(const cJSON *expected, const cJSON *json, struct buf *differences);
const cJSON *expect_find(const cJSON *json, const char *path); // NULL: nothing is there

// expected: {"earth.*": {version, state, logins, installs}}; devices as GET /devices/ lists them.
void expect_devices(const cJSON *expected, const cJSON *devices, struct buf *differences);

// expected: {violations, allow, max_in_flight, max_installing}; audit as GET /audit/ answers.
void expect_audit(const cJSON *expected, const cJSON *audit, struct buf *differences);

// expected: {has, lacks, order}; log is the file's text.
void expect_log(const cJSON *expected, const char *log, struct buf *differences);
