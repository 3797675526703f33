// What the orchestrator takes at most, from one table (limits.def): --limit NAME=VALUE. Pure.
#pragma once

#include "common/error.h"
#include "common/http_limits.h"

#include <stddef.h>
#include <stdint.h>

struct limits { // bytes, numbers, and milliseconds where the name says so
    struct http_limits http;
    uint64_t open_jobs;
    uint64_t event_streams, event_backlog;
    uint64_t device_line;
    uint64_t inventory, inventory_hosts, inventory_ms;
    uint64_t log_line;
    uint64_t store;
};

enum limit_unit { LIMIT_COUNT, LIMIT_BYTES, LIMIT_DURATION };

struct limit_spec {
    const char *name;
    enum limit_unit unit;
    uint64_t standard, least, most; // both included
    size_t at;                      // in struct limits
};

extern const struct limit_spec limit_specs[];
extern const size_t limit_specs_count;

void limits_default(struct limits *l);
// "body=2MiB". Errors: no such name, with the nearest and all others; a value that is none of its
// unit, or outside of its range, which the error names. l is as it was then.
int limit_set(struct limits *l, const char *text, struct error *err);

enum { LIMIT_TEXT_MAX = 32 };
// As it is written in limit_set(): "1MiB", "10s", "1000".
void limit_format(const struct limit_spec *spec, uint64_t value, char text[LIMIT_TEXT_MAX]);
