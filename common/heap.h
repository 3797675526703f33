// A binary heap, the least key on top; of equal keys the least id. What decides stands in the entry
// itself: with half a million entries each look elsewhere would be a cache miss.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    uint64_t key;
    uint32_t id;
    uint32_t tag; // the caller's; it decides nothing
};

struct heap { // zero-initialised it is empty and ready
    struct heap_entry *entries;
    size_t count, cap;
};

void heap_deinit(struct heap *h);
void heap_push(struct heap *h, struct heap_entry entry);
struct heap_entry heap_pop(struct heap *h); // the top, which must be there
