// Last-Event-ID, as a client gives it back: of all jobs, and of one. What is taken is written in
// one way only, which is read as the same.
#include "orchestrator/event_cursor.h"
#include "tests/fuzz/fuzz.h"

static void check_places(const struct event_cursor *cursor) {
    for (size_t i = 1; i < cursor->count; i++)
        assert(cursor->open[i].job > cursor->open[i - 1].job);
    assert(strlen(cursor->newest) == 0 || strlen(cursor->newest) == JOB_ID_MAX - 1);
}

static void check_written(const struct event_cursor *cursor) {
    struct buf once = {0}, twice = {0};
    struct event_cursor again = {0};
    struct error err;
    if (event_cursor_write(&once, cursor)) {
        assert(once.len <= EVENT_CURSOR_MAX);
        int rc = event_cursor_parse(&again, once.data, &err);
        assert(rc == 0 && again.count == cursor->count);
        assert(again.count == 0 ||
               memcmp(again.open, cursor->open, again.count * sizeof *again.open) == 0);
        assert(strcmp(again.newest, cursor->newest) == 0);
        assert(event_cursor_write(&twice, &again) && strcmp(once.data, twice.data) == 0);
    } else {
        assert(once.len == 0);
    }
    event_cursor_deinit(&again);
    buf_deinit(&once);
    buf_deinit(&twice);
}

static void check_number(const char *text) {
    char written[32];
    uint64_t n, again;
    struct error err = {0};
    if (event_number_parse(text, &n, &err) != 0) {
        assert(err.text[0] != '\0');
        return;
    }
    snprintf(written, sizeof written, "%llu", (unsigned long long)n);
    assert(event_number_parse(written, &again, &err) == 0 && again == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct event_cursor cursor = {0};
    struct error err = {0};
    char *text = mem_strndup((const char *)data, size);
    if (event_cursor_parse(&cursor, text, &err) == 0) {
        check_places(&cursor);
        check_written(&cursor);
    } else {
        assert(cursor.count == 0 && cursor.newest[0] == '\0' && err.text[0] != '\0');
    }
    check_number(text);
    event_cursor_deinit(&cursor);
    free(text);
    return 0;
}
