// Conditions on what is known of a host: {dev_type: leaf, rack: [100, 101], role: "*"}. Each field
// is an attribute, its value a text, a list of texts, or globs (glob.h). Pure; who keeps hosts, and
// how, is behind a callback.
#pragma once

#include "common/error.h"
#include "common/strmap.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    TERMS_MAX = 16,           // fields of one condition
    TERMS_ATTRIBUTE_MAX = 64, // bytes of an attribute's name
    TERMS_VALUES_MAX = 1000,  // in one list
    TERMS_VALUE_MAX = 255,    // bytes of one
};

// The attributes that conditions and templates name, each once: a host is asked by number.
struct attribute_names {
    char **list;
    size_t count;
};

// The number of the name, added where it is new.
size_t attribute_names_add(struct attribute_names *names, const char *name);
void attribute_names_deinit(struct attribute_names *names);

struct attribute_values {
    const char *const *list; // borrowed from the host
    size_t count;            // 0: it has no such attribute; more than 1: a list
};

struct attributes {
    struct attribute_values (*get)(const void *host, size_t attribute);
    const void *host;
};

struct term {
    size_t attribute;
    char **values;
    size_t count;
    struct strmap exact; // those that are no globs
    bool globs;          // whether there are others
};

struct terms {
    struct term *list;
    size_t count;
};

// object is a field's value; NULL: no terms. Zero t first; deinit after success and after errors.
int terms_parse(struct terms *t, const cJSON *object, struct attribute_names *names,
                struct error *err);
void terms_deinit(struct terms *t);

bool terms_all_hold(const struct terms *t, const struct attributes *host); // true where none is
bool terms_any_holds(const struct terms *t, const struct attributes *host);

// Whether a text can be an attribute's name; else the error says why not.
int attribute_name_check(const char *name, struct error *err);
