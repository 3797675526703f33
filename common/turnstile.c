#include "common/turnstile.h"

#include <assert.h>
#include <stddef.h>

static void on_idle(uv_idle_t *idle);

static void on_prepare(uv_prepare_t *prepare) {
    ((struct turnstile *)prepare->data)->spent_ns = 0;
}

void turnstile_init(struct turnstile *t, uv_loop_t *loop) {
    *t = (struct turnstile){0};
    uv_idle_init(loop, &t->idle);
    uv_prepare_init(loop, &t->prepare);
    t->idle.data = t->prepare.data = t;
    uv_prepare_start(&t->prepare, on_prepare);
    uv_unref((uv_handle_t *)&t->prepare); // it alone keeps no loop going
}

void turnstile_close(struct turnstile *t) {
    assert(t->first == NULL);
    uv_close((uv_handle_t *)&t->idle, NULL);
    uv_close((uv_handle_t *)&t->prepare, NULL);
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

static void on_idle(uv_idle_t *idle) {
    struct turnstile *t = idle->data;
    while (t->first != NULL && t->spent_ns < TURNSTILE_NS) {
        struct turnstile_entry *entry = t->first;
        turnstile_leave(t, entry);
        work(t, entry);
    }
}

void turnstile_pass(struct turnstile *t, struct turnstile_entry *entry) {
    if (entry->waits) return;
    if (t->first == NULL && t->spent_ns < TURNSTILE_NS)
        work(t, entry);
    else
        wait_in_line(t, entry);
}
