#include "common/timestamp.h"
#include "tests/unit/support.h"

Suite *check_timestamp(void);

static const struct {
    long long wall_ms;
    const char *text;
} cases[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {7, "1970-01-01T00:00:00.007Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {1772409599007, "2026-03-01T23:59:59.007Z"},
    {1709164800000, "2024-02-29T00:00:00.000Z"},
    {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
    {INT64_MAX, "292278994-08-17T07:12:55.807Z"},
};

START_TEST(a_moment_is_written_in_utc_with_milliseconds) {
    char text[TIMESTAMP_MAX];
    timestamp_format(cases[_i].wall_ms, text);
    ck_assert_str_eq(text, cases[_i].text);
}
END_TEST

START_TEST(what_was_written_is_read_again) {
    static const long long moments[] = {0, 7, -1, 1772409599007, 1709164800000, 253402300799999};
    for (size_t i = 0; i < COUNT(moments); i++) {
        char text[TIMESTAMP_MAX];
        long long wall_ms = 42;
        timestamp_format(moments[i], text);
        ck_assert_msg(timestamp_parse(text, &wall_ms), "%s", text);
        ck_assert_int_eq(wall_ms, moments[i]);
    }
}
END_TEST

START_TEST(any_other_text_is_no_moment) {
    static const char *const texts[] = {
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T23:59:59Z",
        "2026-03-01T23:59:59.07Z",
        "2026-03-01T23:59:59.0070Z",
        "2026-03-01T23:59:59.007",
        "2026-03-01T23:59:59.007z",
        "2026-03-01T23:59:59.007Z ",
        " 2026-03-01T23:59:59.007Z",
        "2026-03-01 23:59:59.007Z",
        "2026-03-01T23:59:59.007+01:00",
        "2026-02-29T00:00:00.000Z",
        "2026-13-01T00:00:00.000Z",
        "2026-03-01T24:00:00.000Z",
        "2026-03-01T23:59:59.-07Z",
        "2026-3-1T23:59:59.007Z",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        long long wall_ms = 42;
        ck_assert_msg(!timestamp_parse(texts[i], &wall_ms), "%s", texts[i]);
        ck_assert_int_eq(wall_ms, 42);
    }
}
END_TEST

Suite *check_timestamp(void) {
    Suite *suite = suite_create("timestamp");
    TCase *tcase = tcase_create("timestamp");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_moment_is_written_in_utc_with_milliseconds, 0, (int)COUNT(cases));
    tcase_add_test(tcase, what_was_written_is_read_again);
    tcase_add_test(tcase, any_other_text_is_no_moment);
    return suite;
}
