#include "common/line.h"

#include <string.h>

void line_reader_init(struct line_reader *r, size_t max, size_t drop_max) {
    *r = (struct line_reader){.max = max, .drop_max = drop_max};
}

void line_reader_deinit(struct line_reader *r) {
    buf_deinit(&r->part);
}

void line_reader_feed(struct line_reader *r, const char *data, size_t len) {
    r->data = data;
    r->left = len;
}

static void skip(struct line_reader *r, size_t len) {
    r->data += len;
    r->left -= len;
}

// Drops what belongs to a line that is too long.
static enum line_status drop(struct line_reader *r) {
    const char *lf = memchr(r->data, '\n', r->left);
    size_t len = lf == NULL ? r->left : (size_t)(lf - r->data) + 1;
    r->dropped += len;
    skip(r, len);
    if (lf == NULL && r->dropped < r->drop_max) return LINE_NONE;
    r->dropped = 0;
    return LINE_TOO_LONG;
}

enum line_status line_reader_next(struct line_reader *r, const char **line, size_t *len) {
    if (r->part_given) {
        buf_deinit(&r->part);
        r->part_given = false;
    }
    if (r->left == 0) return LINE_NONE;
    if (r->dropped > 0) return drop(r);

    const char *lf = memchr(r->data, '\n', r->left);
    size_t here = lf == NULL ? r->left : (size_t)(lf - r->data) + 1;
    if (r->part.len + here > r->max) {
        r->dropped = r->part.len;
        buf_deinit(&r->part);
        return drop(r);
    }
    if (lf == NULL) {
        buf_add(&r->part, r->data, here);
        skip(r, here);
        return LINE_NONE;
    }
    const char *start = r->data;
    size_t whole = here;
    if (r->part.len > 0) {
        buf_add(&r->part, r->data, here);
        start = r->part.data;
        whole = r->part.len;
        r->part_given = true;
    }
    skip(r, here);
    whole--; // the LF
    if (whole > 0 && start[whole - 1] == '\r') whole--;
    *line = start;
    *len = whole;
    return LINE_READY;
}
