// A scenario file: loaded, checked against spec/scenario.schema.json and against what the
// simulator's own loaders say of its network, policy and faults, and spread over its matrix.
#pragma once

#include "common/yml.h"
#include "scenarios/runner/findings.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct scenario {
    char *path;
    struct yml file;
    const char *name;
    uint64_t seed;
};

enum { SCENARIO_COMBINATIONS_MAX = 10000 };

// Errors are added in the order of the file and read "path:line:column: where: what, and what would
// be right"; negative: it cannot be read, which is an error too.
int scenario_load(struct scenario *s, const char *path, struct findings *f);
// The same of a text, without a look at the files that it may name.
int scenario_parse(struct scenario *s, const char *path, const char *text, size_t len,
                   struct findings *f);
void scenario_deinit(struct scenario *s);

// spec/scenario.schema.json. Not to be called first by two threads at once.
const cJSON *scenario_shape(void);

// Whether a file has neither name nor steps, though it has other fields: a network, a policy or an
// inventory that lies beside scenarios. False where it cannot be read.
bool scenario_is_other(const char *path);

// A path that the scenario names, relative to its own folder; the caller's to free.
char *scenario_beside(const struct scenario *s, const char *path);
// A fault without name and may_not_fire, which are the scenario's own; the caller's.
cJSON *scenario_plain_fault(const cJSON *fault);
// Whether it carries one of the tags (of a comma-separated list).
bool scenario_tagged(const struct scenario *s, const char *tags);

// How many combinations its matrix has (1 without one), and the values of one of them as an object.
size_t scenario_combinations(const struct scenario *s);
cJSON *scenario_combination(const struct scenario *s, size_t number);
