// An event is whole with the empty line after it. A CR ends its line at once, whatever comes next:
// to wait for an LF would keep the event until the next one.
#include "common/sse.h"

#include <string.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";
enum { MARK_LEN = sizeof byte_order_mark - 1 };

void sse_reader_init(struct sse_reader *r, size_t max, const char *last_id) {
    *r = (struct sse_reader){.max = max};
    buf_adds(&r->id, last_id);
}

void sse_reader_deinit(struct sse_reader *r) {
    buf_deinit(&r->line);
    buf_deinit(&r->id);
    buf_deinit(&r->name);
    buf_deinit(&r->data);
}

void sse_reader_feed(struct sse_reader *r, const char *bytes, size_t len) {
    r->bytes = bytes;
    r->left = len;
}

static void skip(struct sse_reader *r, size_t len) {
    r->bytes += len;
    r->left -= len;
}

// --- lines

// Where the beginning is no mark after all, what was taken for it belongs to the first line.
static void skip_mark(struct sse_reader *r) {
    while (r->mark_len < MARK_LEN && r->left > 0) {
        if (*r->bytes != byte_order_mark[r->mark_len]) {
            buf_add(&r->line, byte_order_mark, r->mark_len);
            r->mark_len = MARK_LEN;
            return;
        }
        r->mark_len++;
        skip(r, 1);
    }
}

static size_t before_line_end(const char *bytes, size_t len) {
    const char *lf = memchr(bytes, '\n', len);
    if (lf != NULL) len = (size_t)(lf - bytes);
    const char *cr = memchr(bytes, '\r', len);
    return cr == NULL ? len : (size_t)(cr - bytes);
}

// True: the line is whole.
static bool read_line(struct sse_reader *r) {
    if (r->after_cr && *r->bytes == '\n') skip(r, 1);
    r->after_cr = false;
    const size_t len = before_line_end(r->bytes, r->left);
    buf_add(&r->line, r->bytes, len);
    skip(r, len);
    r->too_long = r->line.len + r->name.len + r->data.len > r->max;
    if (r->left == 0 || r->too_long) return false;
    r->after_cr = *r->bytes == '\r';
    skip(r, 1);
    return true;
}

// --- fields

static void set(struct buf *b, const char *value, size_t len) {
    buf_clear(b);
    buf_add(b, value, len);
}

static bool names(const char *field, size_t len, const char *name) {
    return len == strlen(name) && memcmp(field, name, len) == 0;
}

static void take_field(struct sse_reader *r) {
    const char *line = r->line.data, *end = line + r->line.len;
    const char *colon = memchr(line, ':', r->line.len);
    const size_t len = colon == NULL ? r->line.len : (size_t)(colon - line);
    const char *value = colon == NULL ? end : colon + 1;
    if (value < end && *value == ' ') value++;
    const size_t value_len = (size_t)(end - value);
    if (names(line, len, "data")) {
        buf_add(&r->data, value, value_len);
        buf_adds(&r->data, "\n");
    } else if (names(line, len, "event")) {
        set(&r->name, value, value_len);
        for (size_t i = 0; i < r->name.len; i++)
            if (r->name.data[i] == '\0') r->name.data[i] = '?';
    } else if (names(line, len, "id") && memchr(value, '\0', value_len) == NULL) {
        set(&r->id, value, value_len);
    }
}

// An empty line has come: without data it ends no event.
static bool end_event(struct sse_reader *r, struct sse_event *event) {
    r->is_over = true;
    if (r->data.len == 0) return false;
    r->data.data[--r->data.len] = '\0'; // the LF after its last line
    *event = (struct sse_event){r->id.data, r->name.len == 0 ? "message" : r->name.data,
                                r->data.data, r->data.len};
    return true;
}

static void begin_event(struct sse_reader *r) {
    buf_clear(&r->name);
    buf_clear(&r->data);
    r->is_over = false;
}

enum sse_status sse_reader_next(struct sse_reader *r, struct sse_event *event) {
    skip_mark(r);
    while (r->left > 0 && !r->too_long) {
        if (r->is_over) begin_event(r);
        if (!read_line(r)) continue;
        if (r->line.len == 0 && end_event(r, event)) return SSE_READY;
        take_field(r);
        buf_clear(&r->line);
    }
    return r->too_long ? SSE_TOO_LONG : SSE_NONE;
}
