// A stream of Server-Sent Events, as the terminal client reads it. The first byte says in pieces of
// how many bytes it comes; whatever that is, the same events are told.
#include "common/sse.h"
#include "tests/fuzz/fuzz.h"

enum { EVENT_MAX = 200 };

static void take(struct sse_reader *r, struct buf *told) {
    struct sse_event event;
    enum sse_status status;
    while ((status = sse_reader_next(r, &event)) == SSE_READY) {
        assert(strpbrk(event.id, "\r\n") == NULL && strpbrk(event.name, "\r\n") == NULL);
        assert(event.name[0] != '\0');
        assert(event.len <= EVENT_MAX && event.data[event.len] == '\0');
        buf_addf(told, "%s %s %zu ", event.id, event.name, event.len);
        buf_add(told, event.data, event.len);
        buf_adds(told, "\n");
    }
    assert(status == SSE_NONE || sse_reader_next(r, &event) == SSE_TOO_LONG);
    if (status == SSE_TOO_LONG) buf_adds(told, "too long\n");
}

// Nothing is told behind an event that is too long, however often it is asked.
static struct buf read_in_pieces(const char *bytes, size_t len, size_t piece) {
    struct sse_reader r;
    struct buf told = {0};
    bool is_over = false;
    sse_reader_init(&r, EVENT_MAX, "first");
    for (size_t at = 0; at < len && !is_over; at += piece) {
        sse_reader_feed(&r, bytes + at, len - at < piece ? len - at : piece);
        take(&r, &told);
        is_over = r.too_long;
    }
    buf_add(&told, "", 1);
    sse_reader_deinit(&r);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const char *bytes = (const char *)data + 1;
    struct buf whole = read_in_pieces(bytes, size - 1, size);
    struct buf pieces = read_in_pieces(bytes, size - 1, 1 + data[0] % 7);
    assert(whole.len == pieces.len && memcmp(whole.data, pieces.data, whole.len) == 0);
    buf_deinit(&whole);
    buf_deinit(&pieces);
    return 0;
}
