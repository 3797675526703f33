// Version texts, each kept once: a device holds a number.
#pragma once

#include "common/strmap.h"

#include <stdint.h>

struct versions {
    struct strmap by_text; // number + 1
    char **texts;
    uint32_t len;
    size_t cap;
};

void versions_deinit(struct versions *v);
uint32_t versions_intern(struct versions *v, const char *text);
