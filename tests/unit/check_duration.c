#include "common/duration.h"
#include "tests/unit/support.h"

Suite *check_duration(void);

START_TEST(durations_are_read_as_people_write_them) {
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"0.0", 0},
        {"250us", 250},
        {"10ms", 10000},
        {"1.5s", 1500000},
        {"0.1s", 100000},
        {"0.000001s", 1},
        {"5m", 300000000},
        {"1h", 3600000000},
        {"8784h", DURATION_MAX_US},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t us = 77;
        struct error err;
        int rc = duration_parse(cases[i].text, &us, &err);
        ck_assert_msg(rc == 0 && us == cases[i].us, "%s gave %d, %llu", cases[i].text, rc,
                      (unsigned long long)us);
    }
}
END_TEST

START_TEST(what_is_not_a_duration_is_refused) {
    static const char *const texts[] = {
        "",
        "s",
        "1",
        "10",
        "5 s",
        " 5s",
        "5s ",
        "-5s",
        "+5s",
        "5S",
        "5sec",
        "1e3s",
        "0x10s",
        "1.5.5s",
        ".5s",
        "infs",
        "nan",
        "5d",
        "1,5s",
        "8785h",
        "99999999999999999999s",
        "999999999999999999999s",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint64_t us = 77;
        struct error err = {0};
        ck_assert_msg(duration_parse(texts[i], &us, &err) == ERROR_INPUT, "'%s' was taken",
                      texts[i]);
        ck_assert_uint_eq(us, 77);
        ck_assert_ptr_nonnull(strstr(err.text, texts[i]));
    }
}
END_TEST

START_TEST(a_range_is_two_durations_or_one_for_both_ends) {
    static const struct {
        const char *text;
        uint64_t low_us, high_us;
    } cases[] = {
        {"10ms..2s", 10000, 2000000}, {"0..5ms", 0, 5000},          {"0", 0, 0},
        {"3s", 3000000, 3000000},     {"1s..1s", 1000000, 1000000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct duration_range range;
        struct error err;
        int rc = duration_range_parse(cases[i].text, &range, &err);
        ck_assert_msg(rc == 0, "%s: %s", cases[i].text, err.text);
        ck_assert_uint_eq(range.low_us, cases[i].low_us);
        ck_assert_uint_eq(range.high_us, cases[i].high_us);
    }
}
END_TEST

START_TEST(a_range_that_is_none_is_refused_and_changes_nothing) {
    static const char *const texts[] = {
        "",      "..",      "1s..",       "..1s",  "2s..1s",
        "1..2s", "1s...2s", "1s..2s..3s", "1s-2s", "00000000000000000000000000000001s..2s",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct duration_range range = {.low_us = 7, .high_us = 8};
        struct error err;
        ck_assert_msg(duration_range_parse(texts[i], &range, &err) == ERROR_INPUT, "'%s' was taken",
                      texts[i]);
        ck_assert_uint_eq(range.low_us, 7);
        ck_assert_uint_eq(range.high_us, 8);
    }
}
END_TEST

START_TEST(a_duration_is_written_in_its_nearest_unit) {
    static const struct {
        uint64_t us;
        const char *text;
    } cases[] = {
        {0, "0us"},        {250, "250us"},        {999, "999us"},  {1000, "1ms"},
        {1500, "1.5ms"},   {999999, "999.999ms"}, {1000000, "1s"}, {1500000, "1.5s"},
        {30000000, "30s"}, {300000000, "300s"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[DURATION_TEXT_MAX];
        duration_format(cases[i].us, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(a_duration_written_reads_back_the_same) {
    static const uint64_t durations[] = {
        0, 1, 999, 1001, 1234567, 59999999, 1000001, 86400000000, 1000000000001, DURATION_MAX_US,
    };
    for (size_t i = 0; i < COUNT(durations); i++) {
        char text[DURATION_TEXT_MAX];
        duration_format(durations[i], text);
        uint64_t us = 0;
        struct error err = {0};
        int rc = duration_parse(text, &us, &err);
        ck_assert_msg(rc == 0 && us == durations[i], "%llu became %s: %s",
                      (unsigned long long)durations[i], text, err.text);
    }
}
END_TEST

START_TEST(a_timeout_is_in_whole_milliseconds_and_never_0) {
    uint64_t ms = 7;
    struct error err;
    ck_assert_int_eq(duration_timeout_parse("0", &ms, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "a timeout of 0 would fail every device");
    ck_assert_int_eq(duration_timeout_parse("soon", &ms, &err), ERROR_INPUT);
    ck_assert_uint_eq(ms, 7);
    ck_assert_int_eq(duration_timeout_parse("1us", &ms, &err), 0);
    ck_assert_uint_eq(ms, 1);
    ck_assert_int_eq(duration_timeout_parse("1.5s", &ms, &err), 0);
    ck_assert_uint_eq(ms, 1500);
}
END_TEST

Suite *check_duration(void) {
    Suite *suite = suite_create("duration");
    TCase *tcase = tcase_create("duration");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, durations_are_read_as_people_write_them);
    tcase_add_test(tcase, what_is_not_a_duration_is_refused);
    tcase_add_test(tcase, a_range_is_two_durations_or_one_for_both_ends);
    tcase_add_test(tcase, a_range_that_is_none_is_refused_and_changes_nothing);
    tcase_add_test(tcase, a_duration_is_written_in_its_nearest_unit);
    tcase_add_test(tcase, a_duration_written_reads_back_the_same);
    tcase_add_test(tcase, a_timeout_is_in_whole_milliseconds_and_never_0);
    return suite;
}
