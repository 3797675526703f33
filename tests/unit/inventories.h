// What the suites of the forms of an inventory share.
#pragma once

#include "common/inventory_parse.h"
#include "tests/unit/support.h"

#include <stdio.h>

// What a host has of an attribute, joined by commas; "nobody has it" is told apart.
static inline const char *values_of(const struct inventory *inventory, size_t host,
                                    const char *name) {
    static char text[200];
    int attribute = inventory_attribute(inventory, name);
    text[0] = '\0';
    if (attribute < 0) return "nobody has it";
    struct attribute_values values = inventory_values(inventory, host, attribute);
    for (size_t i = 0; i < values.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i == 0 ? "" : ",",
                 values.list[i]);
    return text;
}

// "user:password" of the host's own; "-" in the place of what it has not.
static inline const char *login_of(const struct inventory *inventory, size_t host) {
    static char text[200];
    const struct credentials own = inventory_credentials(inventory, host);
    snprintf(text, sizeof text, "%s:%s", own.username == NULL ? "-" : own.username,
             own.password == NULL ? "-" : own.password);
    return text;
}

static inline void assert_values(const struct inventory *inventory, size_t host, const char *name,
                                 const char *expected) {
    ck_assert_str_eq(values_of(inventory, host, name), expected);
}
