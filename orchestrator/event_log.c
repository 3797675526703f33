#include "orchestrator/event_log.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void event_log_deinit(struct event_log *log) {
    buf_deinit(&log->text);
    free(log->entries);
    *log = (struct event_log){0};
}

void event_log_add(struct event_log *log, uint64_t job, uint64_t n, const struct buf *text) {
    log->entries = mem_grow(log->entries, &log->cap, log->count + 1, sizeof *log->entries);
    log->entries[log->count++] = (struct event_entry){job, n, text->len};
    buf_add(&log->text, text->data, text->len);
}

struct log_place event_log_end(const struct event_log *log) {
    return (struct log_place){log->dropped + log->count, log->start + log->text.len};
}

uint64_t event_log_behind(const struct event_log *log, const struct log_place *place) {
    return log->start + log->text.len - place->byte;
}

bool event_log_has(const struct event_log *log, const struct log_place *place) {
    return place->entry >= log->dropped;
}

const struct event_entry *event_log_next(const struct event_log *log, struct log_place *place,
                                         const char **text) {
    assert(event_log_has(log, place));
    const size_t at = place->entry - log->dropped;
    if (at == log->count) return NULL;
    *text = log->text.data + (place->byte - log->start);
    place->entry++;
    place->byte += log->entries[at].len;
    return &log->entries[at];
}

void event_log_drop(struct event_log *log, const struct log_place *place) {
    if (place->entry <= log->dropped) return;
    const size_t entries = place->entry - log->dropped;
    assert(entries <= log->count);
    log->count -= entries;
    memmove(log->entries, log->entries + entries, log->count * sizeof *log->entries);
    buf_drop(&log->text, place->byte - log->start);
    log->dropped = place->entry;
    log->start = place->byte;
}
