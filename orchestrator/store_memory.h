// The rows of a store in memory, for whoever lets several nodes write to them
// (store_memory_shared.c). A struct memory is what store_memory opens.
#pragma once

#include "orchestrator/store_kept.h"

struct memory;

struct memory_writer {      // zeroed it has written nothing
    uint64_t beat;          // the number of its last batch
    struct store_held held; // of that
};

// As of struct store_back, by that one of its writers.
enum store_status store_memory_write(struct memory *m, struct memory_writer *writer, uint64_t beat,
                                     long long wall_ms, struct store_op *ops, size_t count,
                                     struct error *err);
// From now on what a job may come into is judged as where several nodes share it.
void store_memory_share(struct memory *m);
