#include "common/strmap.h"

#include "common/mem.h"
#include "common/rng.h"

#include <stdlib.h>
#include <string.h>

void strmap_deinit(struct strmap *m) {
    free(m->slots);
    *m = (struct strmap){0};
}

// The slot that holds the key, or the free one where it would go.
static struct strmap_slot *find(const struct strmap *m, const char *key) {
    size_t at = rng_hash(key) & (m->cap - 1);
    while (m->slots[at].key != NULL && strcmp(m->slots[at].key, key) != 0)
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

void *strmap_get(const struct strmap *m, const char *key) {
    return m->cap == 0 ? NULL : find(m, key)->value;
}

static void grow(struct strmap *m, size_t cap) {
    struct strmap bigger = {.cap = cap, .count = m->count};
    bigger.slots = mem_array(bigger.cap, sizeof *bigger.slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key != NULL) *find(&bigger, m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void strmap_reserve(struct strmap *m, size_t count) {
    size_t cap = m->cap == 0 ? 16 : m->cap;
    while (count * 4 > cap * 3)
        cap *= 2;
    if (cap > m->cap) grow(m, cap);
}

void *strmap_put(struct strmap *m, const char *key, void *value) {
    strmap_reserve(m, m->count + 1);
    struct strmap_slot *slot = find(m, key);
    if (slot->key != NULL) return slot->value;
    *slot = (struct strmap_slot){key, value};
    m->count++;
    return NULL;
}
