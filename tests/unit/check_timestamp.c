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

START_TEST(what_was_written_is_read_and_nothing_else) {
    static const char *const wrong[] = {"",
                                        "2026-03-01T23:59:59Z",
                                        "2026-03-01T23:59:59.7Z",
                                        "2026-03-01T23:59:59.007",
                                        "2026-03-01T23:59:59.007+01:00",
                                        "2026-02-30T00:00:00.000Z",
                                        "2026-03-01T23:59:59.007Zx",
                                        "2026-03-01 23:59:59.007Z",
                                        " 2026-03-01T23:59:59.007Z"};
    long long wall_ms = 5;
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(!timestamp_parse(wrong[i], &wall_ms), "%s", wrong[i]);
    ck_assert_int_eq(wall_ms, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_msg(timestamp_parse(cases[i].text, &wall_ms), "%s", cases[i].text);
        ck_assert_int_eq(wall_ms, cases[i].wall_ms);
    }
}
END_TEST

Suite *check_timestamp(void) {
    Suite *suite = suite_create("timestamp");
    TCase *tcase = tcase_create("timestamp");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_moment_is_written_in_utc_with_milliseconds, 0, (int)COUNT(cases));
    tcase_add_test(tcase, what_was_written_is_read_and_nothing_else);
    return suite;
}
