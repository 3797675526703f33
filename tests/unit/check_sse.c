#include "common/sse.h"
#include "tests/unit/support.h"

Suite *check_sse(void);

enum { MAX = 64 };

static void tell(const struct sse_event *event, struct buf *out) {
    buf_addf(out, "<%s %s ", event->id, event->name);
    for (size_t i = 0; i < event->len; i++)
        buf_add(out, event->data[i] == '\0' ? "0" : &event->data[i], 1);
    ck_assert_int_eq(event->data[event->len], '\0');
    buf_adds(out, ">");
}

static void feed(struct sse_reader *r, const char *bytes, size_t len, struct buf *out) {
    char *exact = mem_alloc(len + (len == 0)); // so that a sanitizer sees each byte too many
    struct sse_event event;
    enum sse_status status;
    memcpy(exact, bytes, len);
    sse_reader_feed(r, exact, len);
    while ((status = sse_reader_next(r, &event)) == SSE_READY)
        tell(&event, out);
    if (status == SSE_TOO_LONG) buf_adds(out, "!");
    free(exact);
}

// "<id name data>" for each event of bytes that come in pieces of one size.
static char *read_in_pieces(const char *bytes, size_t len, size_t piece) {
    struct sse_reader reader;
    struct buf out = {0};
    buf_adds(&out, "");
    sse_reader_init(&reader, MAX, "");
    for (size_t at = 0; at < len; at += piece)
        feed(&reader, bytes + at, len - at < piece ? len - at : piece, &out);
    sse_reader_deinit(&reader);
    return buf_take(&out);
}

// ... and of bytes that are cut at one place.
static char *read_cut(const char *bytes, size_t len, size_t cut) {
    struct sse_reader reader;
    struct buf out = {0};
    buf_adds(&out, "");
    sse_reader_init(&reader, MAX, "");
    feed(&reader, bytes, cut, &out);
    feed(&reader, bytes + cut, len - cut, &out);
    sse_reader_deinit(&reader);
    return buf_take(&out);
}

#define BYTES(text) text, sizeof(text) - 1
static const struct {
    const char *bytes;
    size_t len;
    const char *events;
} cases[] = {
    {BYTES(""), ""},
    {BYTES("data: a\n\n"), "< message a>"},
    {BYTES("data: a\r\n\r\n"), "< message a>"},
    {BYTES("event: job\0b\ndata: a\n\nevent: \0\ndata: b\n\n"), "< job?b a>< ? b>"},
    {BYTES("data: a\r\r"), "< message a>"},
    {BYTES("data: a\r\n\rdata: b\n\r\n"), "< message a>< message b>"},
    {BYTES("data: a\n\r\n\n\r\r\ndata: b\r\n\n"), "< message a>< message b>"},
    {BYTES("id: 7\nevent: host\ndata: {}\n\n"), "<7 host {}>"},
    {BYTES("data:a\ndata:  b\n\n"), "< message a\n b>"}, // one space goes, the next stays
    {BYTES("data\n\ndata\ndata\n\ndata:"), "< message >< message \n>"},
    {BYTES("event: x\n\ndata: a\n\n"), "< message a>"}, // without data it was no event
    {BYTES("id: 1\n\ndata: a\n\n"), "<1 message a>"},   // but the id holds
    {BYTES("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"),
     "<1 message a><1 message b>< message c>"},
    {BYTES("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n"), "<1 message a><1 message b>"},
    {BYTES("data: a\0b\n\n"), "< message a0b>"},
    {BYTES("event: a\nevent: b\nid: 1\nid: 2\ndata: c\n\n"), "<2 b c>"},
    {BYTES(":\n\n: a heartbeat\n\n:data: a\ndata: b\n:\n\n"), "< message b>"},
    {BYTES("retry: 5\nDATA: a\n data: a\nxdata: a\ndatax: a\nother\ndata: b\n\n"), "< message b>"},
    {BYTES("data: a: b\n\n"), "< message a: b>"},
    {BYTES("data: a\n\ndata: b\n"), "< message a>"}, // cut off
    {BYTES("data: a\n\ndata: b"), "< message a>"},
    {BYTES("\xEF\xBB\xBF"
           "data: a\n\n"),
     "< message a>"},
    {BYTES("\xEF\xBB\xBF\xEF\xBB\xBF"
           "data: a\n\ndata: b\n\n"),
     "< message b>"},
    {BYTES("\xEF\xBB"
           "data: a\n\ndata: b\n\n"),
     "< message b>"},
    {BYTES("data: \xEF\xBB\xBF\n\n"), "< message \xEF\xBB\xBF>"},
};

START_TEST(events_come_out_the_same_however_the_bytes_arrive) {
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t piece = 1; piece <= cases[i].len; piece++) {
            char *events = read_in_pieces(cases[i].bytes, cases[i].len, piece);
            ck_assert_msg(strcmp(events, cases[i].events) == 0, "case %zu by %zu: %s", i, piece,
                          events);
            free(events);
        }
        for (size_t cut = 0; cut <= cases[i].len; cut++) {
            char *events = read_cut(cases[i].bytes, cases[i].len, cut);
            ck_assert_msg(strcmp(events, cases[i].events) == 0, "case %zu cut at %zu: %s", i, cut,
                          events);
            free(events);
        }
    }
}
END_TEST

START_TEST(a_whole_event_is_told_before_the_next_byte_comes) {
    static const char *const ends[] = {"\n\n", "\r\r", "\r\n\r", "\n\r"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct sse_reader reader;
        struct buf out = {0};
        sse_reader_init(&reader, MAX, "");
        feed(&reader, "data: a", 7, &out);
        feed(&reader, ends[i], strlen(ends[i]), &out);
        ck_assert_str_eq(out.data, "< message a>");
        buf_deinit(&out);
        sse_reader_deinit(&reader);
    }
}
END_TEST

START_TEST(a_stream_that_goes_on_begins_with_the_last_id) {
    struct sse_reader reader;
    struct buf out = {0};
    sse_reader_init(&reader, MAX, "41");
    feed(&reader, BYTES("data: a\n\nid: 42\ndata: b\n\n"), &out);
    ck_assert_str_eq(out.data, "<41 message a><42 message b>");
    buf_deinit(&out);
    sse_reader_deinit(&reader);
}
END_TEST

// Of 64 bytes: the line at hand, and what earlier lines of the event have left.
START_TEST(an_event_over_the_limit_ends_it_all) {
    static const struct {
        size_t lines, line, whole; // data lines of so many bytes, and whether they are too many
    } sizes[] = {{1, 58, 1}, {1, 59, 0}, {2, 28, 1}, {2, 29, 0}, {8, 6, 1}, {8, 7, 0}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buf text = {0};
        for (size_t line = 0; line < sizes[i].lines; line++)
            buf_addf(&text, "data: %.*s\n", (int)sizes[i].line,
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        buf_adds(&text, "\ndata: a\n\n");
        for (size_t piece = 1; piece <= text.len; piece++) {
            char *events = read_in_pieces(text.data, text.len, piece);
            const size_t len = strlen(events);
            ck_assert_msg((strstr(events, "< message a>") != NULL) == (sizes[i].whole == 1),
                          "%zu by %zu: %s", i, piece, events);
            ck_assert_msg((strspn(events, "!") == len) == (sizes[i].whole == 0), "%zu by %zu: %s",
                          i, piece, events);
            free(events);
        }
        buf_deinit(&text);
    }
}
END_TEST

START_TEST(comments_and_events_without_end_hold_no_more_than_the_limit) {
    struct sse_reader reader;
    struct buf out = {0};
    buf_adds(&out, "");
    sse_reader_init(&reader, MAX, "");
    for (int i = 0; i < 1000; i++)
        feed(&reader, BYTES(": a comment\n"), &out);
    ck_assert_str_eq(out.data, "");
    for (int i = 0; i < 1000; i++)
        feed(&reader, BYTES(":"), &out);
    ck_assert_uint_gt(out.len, 0);
    ck_assert_uint_eq(strspn(out.data, "!"), out.len);
    ck_assert_uint_le(reader.line.len, MAX + 1);
    buf_deinit(&out);
    sse_reader_deinit(&reader);
}
END_TEST

Suite *check_sse(void) {
    Suite *suite = suite_create("sse");
    TCase *tcase = tcase_create("sse");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, events_come_out_the_same_however_the_bytes_arrive);
    tcase_add_test(tcase, a_whole_event_is_told_before_the_next_byte_comes);
    tcase_add_test(tcase, a_stream_that_goes_on_begins_with_the_last_id);
    tcase_add_test(tcase, an_event_over_the_limit_ends_it_all);
    tcase_add_test(tcase, comments_and_events_without_end_hold_no_more_than_the_limit);
    return suite;
}
