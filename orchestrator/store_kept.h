// What backs share: a batch whose answer was lost comes again under its number, and is answered as
// it was. All that must be kept for it is which of its intents were held; the numbers of its events
// are those that its jobs had last.
#pragma once

#include "orchestrator/store_back.h"

struct store_held { // zeroed it is empty and ready
    uint32_t *ops;  // places in the last batch, ascending
    size_t count, cap;
};

void store_held_clear(struct store_held *held);
void store_held_add(struct store_held *held, size_t op);
void store_held_deinit(struct store_held *held);

// Whether the batch may be carried out as well where its number is that of the last: all it does is
// to drop what is to be dropped.
bool store_kept_may_repeat(const struct store_op *ops, size_t count);

// The number of a job's last event.
typedef int (*store_last)(void *db, uint64_t job, uint64_t *n, struct error *err);

// Answers events of the last batch, and what only keeps the time.
int store_kept_answer(struct store_op *ops, size_t count, const struct store_held *held,
                      store_last last, void *db, struct error *err);

// A batch that is neither the next nor the last: somebody else writes there. Returns ERROR_INPUT.
int store_kept_gap(uint64_t beat, uint64_t last, struct error *err);
