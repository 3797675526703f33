// Random choices, one after the other, that a seed replays. Pure.
#pragma once

#include "common/count.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw {
    uint64_t seed, count; // of the choices until now
};

unsigned draw_number(struct draw *d, unsigned low, unsigned high); // both included
bool draw_chance(struct draw *d, unsigned percent);
const char *draw_text(struct draw *d, const char *const *texts, size_t count);
#define DRAW_ONE(d, ...)                                                                           \
    draw_text((d), (const char *const[]){__VA_ARGS__},                                             \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
// Which of count, one with the weight weights[i] of their sum.
size_t draw_weighted(struct draw *d, const unsigned *weights, size_t count);
