// Who reads the journal asks for what came after the last number that it has seen, so numbers are
// never used again, not even after a reset of the world. A reader that is too slow finds a gap: the
// first number that it gets is not the one that it asked for.
//
// The invariant: event n lies at (n - 1) % cap. It is why the ring grows only until it is as large
// as it may be, that is before it has wrapped: then all events lie in order from the start, and
// none has to move.
#include "simulator/journal.h"

#include "common/mem.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const phase_names[] = {"begun", "answered", "failed"};

void journal_deinit(struct journal *j) {
    free(j->events);
    *j = (struct journal){0};
}

void journal_add(struct journal *j, uint64_t now_us, uint32_t device, enum operation operation,
                 enum journal_phase phase) {
    if (j->last == j->cap && j->cap < JOURNAL_MAX) { // until it wraps, all events lie in order
        j->cap = j->cap == 0 ? 256 : j->cap * 2;
        j->events = mem_resize(j->events, j->cap, sizeof *j->events);
    }
    j->events[j->last++ % j->cap] = (struct journal_event){
        .ms = now_us / 1000,
        .device = device,
        .operation = (uint8_t)operation,
        .phase = (uint8_t)phase,
    };
}

void journal_read(struct journal_reader *r, const struct journal *j, const struct network *network,
                  uint64_t after) {
    *r = (struct journal_reader){.journal = j, .network = network, .after = after, .last = j->last};
}

static void write_event(struct journal_reader *r, uint64_t n, struct buf *out) {
    const struct journal_event *e = &r->journal->events[n % r->journal->cap];
    char host[NETWORK_HOST_MAX];
    network_host(r->network, e->device, host);
    buf_addf(out, "%s{\"n\": %" PRIu64 ", \"ms\": %" PRIu64 ", \"host\": ", r->any ? ", " : "",
             n + 1, e->ms);
    buf_add_json(out, host);
    buf_addf(out, ", \"operation\": \"%s\", \"phase\": \"%s\"}", operation_names[e->operation],
             phase_names[e->phase]);
    r->any = true;
}

bool journal_next(struct journal_reader *r, struct buf *out) {
    const struct journal *j = r->journal;
    uint64_t oldest = j->last > j->cap ? j->last - j->cap : 0; // the number before the first kept
    if (!r->begun) buf_adds(out, "[");
    r->begun = true;
    if (r->after < oldest) r->after = oldest;
    for (int left = JOURNAL_PIECE; left > 0 && r->after < r->last; left--)
        write_event(r, r->after++, out);
    if (r->after < r->last) return true;
    buf_adds(out, "]");
    return false;
}
