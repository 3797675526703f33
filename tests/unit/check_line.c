#include "common/line.h"
#include "common/rng.h"
#include "tests/unit/support.h"

Suite *check_line(void);

enum { MAX = 10, DROP_MAX = 30 };

// What comes out of bytes fed in pieces: "<line>" for each, "!" for one too long.
static char *frame(const char *bytes, size_t len, size_t piece) {
    struct line_reader reader;
    struct buf out = {0};
    line_reader_init(&reader, MAX, DROP_MAX);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        char *exact = mem_strndup(bytes + at, n); // so that a sanitizer sees each byte too many
        char *fed = mem_alloc(n);
        memcpy(fed, exact, n);
        free(exact);
        line_reader_feed(&reader, fed, n);
        const char *line;
        size_t line_len;
        enum line_status status;
        while ((status = line_reader_next(&reader, &line, &line_len)) != LINE_NONE) {
            if (status == LINE_READY)
                buf_addf(&out, "<%.*s>", (int)line_len, line);
            else
                buf_adds(&out, "!");
        }
        free(fed);
    }
    line_reader_deinit(&reader);
    return buf_take(&out);
}

static const struct {
    const char *bytes, *lines;
} cases[] = {
    {"", ""},
    {"a", ""},
    {"a\n", "<a>"},
    {"\n", "<>"},
    {"\r\n", "<>"},
    {"a\r\nb\n", "<a><b>"},
    {"a\rb\n", "<a\rb>"},
    {"a\r\r\n", "<a\r>"},
    {"one\ntwo\nthr", "<one><two>"},
    {"123456789\n", "<123456789>"}, // as long as may be, LF included
    {"12345678\r\n", "<12345678>"}, // the CR counts
    {"123456789\r\n", "!"},
    {"1234567890\n", "!"}, // one byte over
    {"1234567890", ""},
    {"12345678901234567890\nab\n", "!<ab>"},
    {"a\n1234567890\n1234567890\nb\n", "<a>!!<b>"},
};

START_TEST(lines_come_out_the_same_however_the_bytes_arrive) {
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece <= 24; piece++) {
            char *lines = frame(cases[i].bytes, strlen(cases[i].bytes), piece);
            ck_assert_msg(strcmp(lines, cases[i].lines) == 0, "case %zu by %zu: %s", i, piece,
                          lines);
            free(lines);
        }
}
END_TEST

START_TEST(a_line_without_end_is_told_once_so_much_was_dropped) {
    char bytes[DROP_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    char *lines = frame(bytes, DROP_MAX - 1, 1);
    ck_assert_str_eq(lines, "");
    free(lines);
    lines = frame(bytes, DROP_MAX, 1);
    ck_assert_str_eq(lines, "!");
    free(lines);
}
END_TEST

START_TEST(zero_bytes_are_part_of_a_line) {
    struct line_reader reader;
    const char *line;
    size_t len;
    line_reader_init(&reader, MAX, DROP_MAX);
    line_reader_feed(&reader, "a\0b\n", 4);
    ck_assert_int_eq(line_reader_next(&reader, &line, &len), LINE_READY);
    ck_assert_uint_eq(len, 3);
    ck_assert_mem_eq(line, "a\0b", 3);
    line_reader_deinit(&reader);
}
END_TEST

START_TEST(an_idle_reader_holds_no_memory) {
    struct line_reader reader;
    const char *line;
    size_t len;
    line_reader_init(&reader, MAX, DROP_MAX);
    line_reader_feed(&reader, "ab", 2);
    ck_assert_int_eq(line_reader_next(&reader, &line, &len), LINE_NONE);
    ck_assert_uint_gt(reader.part.len, 0);
    line_reader_feed(&reader, "c\n", 2);
    ck_assert_int_eq(line_reader_next(&reader, &line, &len), LINE_READY);
    ck_assert_int_eq(line_reader_next(&reader, &line, &len), LINE_NONE);
    ck_assert_ptr_null(reader.part.data);
    line_reader_deinit(&reader);
}
END_TEST

// Another framing of the same bytes, as simple as can be, for random bytes.
static char *frame_simply(const char *bytes, size_t len) {
    struct buf out = {0};
    for (size_t at = 0; at < len;) {
        const char *lf = memchr(bytes + at, '\n', len - at);
        if (lf == NULL) break;
        size_t whole = (size_t)(lf - (bytes + at)) + 1;
        if (whole > MAX) {
            buf_adds(&out, "!");
        } else {
            size_t text = whole - 1;
            if (text > 0 && bytes[at + text - 1] == '\r') text--;
            buf_addf(&out, "<%.*s>", (int)text, bytes + at);
        }
        at += whole;
    }
    return buf_take(&out);
}

START_TEST(random_bytes_are_framed_as_by_the_simplest_reader) {
    for (uint64_t seed = 1; seed <= 500; seed++) {
        char bytes[29]; // shorter than what is dropped at most
        size_t len = rng_range(rng_mix(seed, 0), 1, sizeof bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = "ab\r\n"[rng_range(rng_mix(seed, i + 1), 0, i < 14 ? 1 : 3)];
        char *expected = frame_simply(bytes, len);
        char *got = frame(bytes, len, rng_range(rng_mix(seed, 99), 1, 8));
        ck_assert_msg(strcmp(got, expected) == 0, "seed %llu", (unsigned long long)seed);
        free(got);
        free(expected);
    }
}
END_TEST

Suite *check_line(void) {
    Suite *suite = suite_create("line");
    TCase *tcase = tcase_create("line");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, lines_come_out_the_same_however_the_bytes_arrive);
    tcase_add_test(tcase, a_line_without_end_is_told_once_so_much_was_dropped);
    tcase_add_test(tcase, zero_bytes_are_part_of_a_line);
    tcase_add_test(tcase, an_idle_reader_holds_no_memory);
    tcase_add_test(tcase, random_bytes_are_framed_as_by_the_simplest_reader);
    return suite;
}
