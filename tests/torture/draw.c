#include "tests/torture/draw.h"

#include "common/rng.h"

#include <assert.h>

unsigned draw_number(struct draw *d, unsigned low, unsigned high) {
    return (unsigned)rng_range(rng_mix(d->seed, d->count++), low, high);
}

bool draw_chance(struct draw *d, unsigned percent) {
    return draw_number(d, 1, 100) <= percent;
}

const char *draw_text(struct draw *d, const char *const *texts, size_t count) {
    return texts[draw_number(d, 0, (unsigned)count - 1)];
}

size_t draw_weighted(struct draw *d, const unsigned *weights, size_t count) {
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    assert(sum > 0);
    unsigned drawn = draw_number(d, 1, sum);
    size_t i = 0;
    for (; drawn > weights[i]; i++)
        drawn -= weights[i];
    return i;
}
