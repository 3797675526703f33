#include "common/turnstile.h"

#include <assert.h>
#include <stddef.h>

static void on_idle(uv_idle_t *idle);

void turnstile_init(struct turnstile *t, uv_loop_t *loop) {
    *t = (struct turnstile){.loop = loop};
    uv_idle_init(loop, &t->idle);
    t->idle.data = t;
}

void turnstile_close(struct turnstile *t) {
    assert(t->first == NULL);
    uv_close((uv_handle_t *)&t->idle, NULL);
}

static void work(struct turnstile *t, struct turnstile_entry *entry) {
    const uint64_t begun_ns = uv_hrtime();
    entry->go(entry); // after which it may be gone
    t->spent_ns += uv_hrtime() - begun_ns;
}

bool turnstile_leave(struct turnstile *t, struct turnstile_entry *entry) {
    if (!entry->waits) return false;
    *(entry->previous == NULL ? &t->first : &entry->previous->next) = entry->next;
    *(entry->next == NULL ? &t->last : &entry->next->previous) = entry->previous;
    entry->next = entry->previous = NULL;
    entry->waits = false;
    if (t->first == NULL) uv_idle_stop(&t->idle);
    return true;
}

static void wait_in_line(struct turnstile *t, struct turnstile_entry *entry) {
    entry->waits = true;
    entry->previous = t->last;
    *(t->last == NULL ? &t->first : &t->last->next) = entry;
    t->last = entry;
    uv_idle_start(&t->idle, on_idle);
}

// A turn in which nothing was spent yet; two within one millisecond count as one.
static void look_at_turn(struct turnstile *t) {
    const uint64_t now_ms = uv_now(t->loop);
    if (now_ms == t->turn_ms) return;
    t->turn_ms = now_ms;
    t->spent_ns = 0;
}

static void on_idle(uv_idle_t *idle) {
    struct turnstile *t = idle->data;
    look_at_turn(t);
    while (t->first != NULL && t->spent_ns < TURNSTILE_NS) {
        struct turnstile_entry *entry = t->first;
        turnstile_leave(t, entry);
        work(t, entry);
    }
}

void turnstile_pass(struct turnstile *t, struct turnstile_entry *entry) {
    if (entry->waits) return;
    look_at_turn(t);
    if (t->first == NULL && t->spent_ns < TURNSTILE_NS)
        work(t, entry);
    else
        wait_in_line(t, entry);
}
