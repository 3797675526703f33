#include "orchestrator/event.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>

const char *const host_state_names[HOST_STATES] = {
#define X(name, word) word,
#include "orchestrator/host_states.def"
#undef X
};

void event_ring_deinit(struct event_ring *ring) {
    for (size_t i = 0; i < ring->cap; i++)
        free((char *)(uintptr_t)ring->events[i].text); // a copy of ours
    free(ring->events);
    *ring = (struct event_ring){0};
}

const struct event *event_ring_get(const struct event_ring *ring, uint64_t n) {
    if (n == 0 || n > ring->last) return NULL;
    const struct event *event = &ring->events[n % ring->cap];
    return event->n == n ? event : NULL;
}

// Until it has its full size all numbers lie below its capacity, so that none moves as it grows.
static void make_room(struct event_ring *ring, uint64_t n) {
    if (n < ring->cap || ring->cap == EVENT_RING_MAX) return;
    size_t old = ring->cap;
    ring->events = mem_grow(ring->events, &ring->cap, old + 1, sizeof *ring->events);
    for (size_t i = old; i < ring->cap; i++)
        ring->events[i] = (struct event){0};
    assert(ring->cap <= EVENT_RING_MAX);
}

static void keep(struct event_ring *ring, const struct event *event) {
    make_room(ring, event->n);
    struct event *kept = &ring->events[event->n % ring->cap];
    free((char *)(uintptr_t)kept->text);
    *kept = *event;
    if (event->text != NULL) kept->text = mem_strdup(event->text);
}

void processors_add(struct processors *processors, struct processor processor) {
    assert(processors->count < PROCESSORS_MAX);
    processors->list[processors->count++] = processor;
}

static bool is_numbered(enum event_kind kind) {
    return kind != EVENT_SUBTASK_INSTANCE_STARTED && kind != EVENT_SUBTASK_INSTANCE_COMPLETED &&
           kind != EVENT_PEER_ASKED;
}

void processors_tell(const struct processors *processors, struct event_ring *ring,
                     struct event *event, long long wall_ms) {
    event->wall_ms = wall_ms;
    if (is_numbered(event->kind)) {
        event->n = ++ring->last;
        keep(ring, event);
    }
    for (size_t i = 0; i < processors->count; i++)
        processors->list[i].event(processors->list[i].self, event);
}
