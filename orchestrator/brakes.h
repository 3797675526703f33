// What a request may ask of the run of its job, beside what is done and to which hosts: how many at
// a time, for how long, and what makes the job stop by itself. Pure; the hosts that go before all
// others are in canaries.h.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BRAKES_WORKERS_MAX = 1000000 };

struct max_failures { // zeroed: nothing was said
    enum { FAILURES_UNSAID, FAILURES_COUNT, FAILURES_PERCENT } unit;
    uint32_t value;
};

struct brakes {       // zeroed: none
    uint32_t workers; // hosts of the job in hand; 0: as many as the process works on
    struct max_failures max_failures;
    uint64_t host_timeout_ms, job_timeout_ms; // 0: none
};

// The fields of a request. Absent ones leave *brakes alone; null is refused, for nobody knows
// whether it means none or was forgotten.
extern const char *const brakes_fields[];
enum { BRAKES_FIELDS = 4 };
int brakes_parse(const cJSON *body, struct brakes *brakes, struct error *err);
// "3" or "5%", as of an option.
int max_failures_parse(const char *text, struct max_failures *out, struct error *err);

// Whether so many failed hosts, of so many, are too many; then why says so.
bool brakes_trip(const struct brakes *brakes, size_t failed, size_t hosts, struct buf *why);
