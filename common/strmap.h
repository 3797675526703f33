// A hash map from strings to pointers: open addressing, keys borrowed, nothing is ever removed.
// Zero-initialised it is empty and ready.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strmap_slot {
    const char *key; // NULL: free
    void *value;
};

struct strmap {
    struct strmap_slot *slots;
    size_t cap; // a power of two, or 0
    size_t count;
};

void strmap_deinit(struct strmap *m);
void strmap_reserve(struct strmap *m, size_t count);       // room for so many keys in all
void *strmap_get(const struct strmap *m, const char *key); // NULL: not there
// Stores value (not NULL) under key, which must outlive the map. Returns NULL, or, where the key is
// taken, the value that was there and stays.
void *strmap_put(struct strmap *m, const char *key, void *value);
