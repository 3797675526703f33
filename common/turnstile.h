// Work that takes the loop long, in parts: so much of it in one turn of the loop, and the rest, in
// its order, in those that come. What else the loop has to do waits no longer than that.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { TURNSTILE_NS = 2 * 1000 * 1000 }; // in a turn; the part that passes it is the last

struct turnstile_entry; // embedded in who works; zero-initialised it does not wait
struct turnstile_entry {
    struct turnstile_entry *next, *previous;
    bool waits;
    void (*go)(struct turnstile_entry *entry); // set by who embeds it
};

struct turnstile {
    uv_idle_t idle;       // runs while somebody waits
    uv_prepare_t prepare; // ends a turn, right before the loop waits for events
    struct turnstile_entry *first, *last;
    uint64_t spent_ns; // in this turn
};

void turnstile_init(struct turnstile *t, uv_loop_t *loop);
void turnstile_close(struct turnstile *t); // its handles in the loop; nobody may wait

// Works now, by calling go from within, or later, from the loop. One that waits goes on waiting.
void turnstile_pass(struct turnstile *t, struct turnstile_entry *entry);
// Waits no longer. True where it did.
bool turnstile_leave(struct turnstile *t, struct turnstile_entry *entry);
