#include "common/heap.h"

#include "common/mem.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

static bool goes_before(struct heap_entry a, struct heap_entry b) {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
}

void heap_deinit(struct heap *h) {
    free(h->entries);
    *h = (struct heap){0};
}

void heap_push(struct heap *h, struct heap_entry entry) {
    h->entries = mem_grow(h->entries, &h->cap, h->count + 1, sizeof *h->entries);
    size_t at = h->count++;
    for (; at > 0 && goes_before(entry, h->entries[(at - 1) / 2]); at = (at - 1) / 2)
        h->entries[at] = h->entries[(at - 1) / 2];
    h->entries[at] = entry;
}

struct heap_entry heap_pop(struct heap *h) {
    assert(h->count > 0);
    const struct heap_entry top = h->entries[0], moved = h->entries[--h->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && goes_before(h->entries[child + 1], h->entries[child])) child++;
        if (!goes_before(h->entries[child], moved)) break;
        h->entries[at] = h->entries[child];
        at = child;
    }
    h->entries[at] = moved;
    return top;
}
