// YAML (one document, the 1.2 core schema) as cJSON, with the line of every value kept.
//
// Scalars: null, ~ and nothing are null; true and false are booleans; decimal numbers are numbers;
// all else is text: no, on, 5.3.1. A quoted scalar is always text. A number keeps its source text
// (json_add_text()), so that 3.10 can be read as a word, too. Anchors and aliases work; tags, merge
// keys and keys that are not scalars are refused, as is a key given twice.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

// Beyond: an error. Aliases of aliases grow without bounds, so that what they add is counted before
// it is copied: all of it together takes 30 MB at most.
enum {
    YML_DEPTH_MAX = 64,
    YML_VALUES_MAX = 20 * 1000 * 1000,
    YML_ALIASED_VALUES_MAX = 100 * 1000,
    YML_ALIASED_BYTES_MAX = 4 << 20, // of texts and keys
};

struct yml {
    cJSON *root;
    struct yml_mark *marks; // by address of the value
    size_t marks_len;
    size_t marks_cap;
    size_t aliased_values, aliased_bytes; // what aliases added, up to the limits above
};

// Zero y first. name is the file's name in errors ("network.yaml:7:12: ..."). Deinit after success.
int yml_parse(struct yml *y, const char *name, const char *text, size_t len, struct error *err);
int yml_load(struct yml *y, const char *path, struct error *err); // negative: it cannot be read
void yml_deinit(struct yml *y);

unsigned yml_line(const struct yml *y, const cJSON *value); // 0: it is none of this file
// Whether the one stands before the other; what is none of this file stands before all.
bool yml_before(const struct yml *y, const cJSON *one, const cJSON *other);

// Puts "name:line:column: " of the value at err->at before an error that a getter gave.
void yml_place(const struct yml *y, const char *name, struct error *err);
