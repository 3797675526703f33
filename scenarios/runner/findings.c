#include "scenarios/runner/findings.h"

#include <stdarg.h>
#include <stdio.h>

void findings_add(struct findings *f, const struct error *err) {
    if (f->count < FINDINGS_MAX)
        f->list[f->count++] = *err;
    else
        f->more++;
}

void findings_in(struct findings *f, size_t since, const char *format, ...) {
    char place[ERROR_TEXT_MAX];
    va_list args;
    if (since == f->count) return;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);
    for (size_t i = since; i < f->count; i++)
        error_in(&f->list[i], "%s", place);
}

static bool holds(const cJSON *value, const void *part) {
    if (value == part) return true;
    const cJSON *child;
    cJSON_ArrayForEach(child, value) if (holds(child, part)) return true;
    return false;
}

bool findings_within(const struct findings *f, const cJSON *value) {
    if (value == NULL) return false;
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].at != NULL && holds(value, f->list[i].at)) return true;
    return false;
}
