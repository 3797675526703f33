#include "orchestrator/event_cursor.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 1000000 }; // that one text may name: no service has so many open

void event_cursor_clear(struct event_cursor *cursor) {
    cursor->newest[0] = '\0';
    cursor->count = 0;
}

void event_cursor_deinit(struct event_cursor *cursor) {
    free(cursor->open);
    *cursor = (struct event_cursor){0};
}

void event_cursor_set_newest(struct event_cursor *cursor, const char *id) {
    const size_t len = strnlen(id, JOB_ID_MAX - 1);
    memcpy(cursor->newest, id, len);
    cursor->newest[len] = '\0';
}

void event_cursor_add(struct event_cursor *cursor, uint64_t job, uint64_t n) {
    cursor->open = mem_grow(cursor->open, &cursor->cap, cursor->count + 1, sizeof *cursor->open);
    cursor->open[cursor->count++] = (struct event_place){job, n};
}

// --- as text

// How many from place i on follow one another with the same number of events.
static size_t run_length(const struct event_cursor *cursor, size_t i) {
    const struct event_place *first = &cursor->open[i];
    size_t count = 1;
    while (i + count < cursor->count && first[count].n == first->n &&
           first[count].job == first->job + count)
        count++;
    return count;
}

bool event_cursor_write(struct buf *out, const struct event_cursor *cursor) {
    const size_t before = out->len;
    buf_addf(out, "%s;", cursor->newest);
    for (size_t i = 0, count; i < cursor->count; i += count) {
        count = run_length(cursor, i);
        if (i > 0) buf_adds(out, ",");
        buf_add_uint(out, cursor->open[i].job);
        if (count > 1) buf_adds(out, "-");
        if (count > 1) buf_add_uint(out, cursor->open[i + count - 1].job);
        buf_adds(out, ":");
        buf_add_uint(out, cursor->open[i].n);
    }
    const bool fits = out->len - before <= EVENT_CURSOR_MAX;
    if (!fits) out->len = before;
    return fits;
}

// A number in decimal, of at most 10 digits, so that no sum of two is too large. False: there is
// none.
static bool take_number(const char **text, uint64_t *n) {
    const size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > 10) return false;
    *n = strtoull(*text, NULL, 10);
    *text += digits;
    return true;
}

static bool take_word(const char **text, char word) {
    const bool is_there = **text == word;
    *text += is_there;
    return is_there;
}

static bool take_places(struct event_cursor *cursor, const char **text) {
    const uint64_t before = cursor->count == 0 ? 0 : cursor->open[cursor->count - 1].job;
    uint64_t first, last, n;
    if (!take_number(text, &first)) return false;
    last = first;
    if (take_word(text, '-') && !take_number(text, &last)) return false;
    if (!take_word(text, ':') || !take_number(text, &n)) return false;
    if (first <= before || last < first || last - first >= JOBS_MAX - cursor->count) return false;
    for (uint64_t job = first; job <= last; job++)
        event_cursor_add(cursor, job, n);
    return true;
}

static bool take_newest(struct event_cursor *cursor, const char **text) {
    const size_t len = strspn(*text, "0123456789abcdef-");
    if (len != 0 && len != JOB_ID_MAX - 1) return false;
    memcpy(cursor->newest, *text, len);
    cursor->newest[len] = '\0';
    *text += len;
    return take_word(text, ';');
}

int event_cursor_parse(struct event_cursor *cursor, const char *text, struct error *err) {
    const char *rest = text;
    event_cursor_clear(cursor);
    bool is_well = take_newest(cursor, &rest);
    if (is_well && *rest != '\0') {
        do
            is_well = take_places(cursor, &rest);
        while (is_well && take_word(&rest, ','));
    }
    if (is_well && *rest == '\0') return 0;
    event_cursor_clear(cursor);
    error_set(err, "'%.60s' was never sent as an id; leave it out to begin anew", text);
    return ERROR_INPUT;
}

int event_number_parse(const char *text, uint64_t *n, struct error *err) {
    const char *rest = text;
    if (take_number(&rest, n) && *rest == '\0') return 0;
    error_set(err, "'%.60s' is no number; leave it out to begin with a snapshot", text);
    return ERROR_INPUT;
}
