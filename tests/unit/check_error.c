#include "common/error.h"
#include "tests/unit/support.h"

#include <errno.h>

Suite *check_error(void);

START_TEST(places_read_from_the_outside_in) {
    static const struct {
        const char *text, *place, *whole;
    } cases[] = {
        {"site: expected a string", "match", "match.site: expected a string"},
        {"[2].match: missing", "faults", "faults[2].match: missing"},
        {"expected an object, not null", "result", "result: expected an object, not null"},
        {"there is another host of this name", "earth",
         "earth: there is another host of this name"},
        {"'12:30' is not a duration", "latency", "latency: '12:30' is not a duration"},
        {"site: missing", "[0]", "[0].site: missing"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        error_set(&err, "%s", cases[i].text);
        error_in(&err, "%s", cases[i].place);
        ck_assert_str_eq(err.text, cases[i].whole);
    }
}
END_TEST

START_TEST(setting_forgets_the_value_that_was_at_fault) {
    int value = 0;
    struct error err = {.at = &value};
    ck_assert_int_eq(error_set(&err, "x"), ERROR_INPUT);
    ck_assert_ptr_null(err.at);
    err.at = &value;
    error_in(&err, "y");
    ck_assert_ptr_eq(err.at, &value);
}
END_TEST

START_TEST(a_system_error_keeps_its_code_and_says_its_meaning) {
    struct error err;
    ck_assert_int_eq(error_system(&err, -ENOENT, "%s", "a.yaml"), -ENOENT);
    ck_assert_str_eq(err.text, "a.yaml: No such file or directory");
}
END_TEST

START_TEST(texts_too_long_are_cut_and_stay_terminated) {
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct error err;
    error_set(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    error_in(&err, "%s", text);
    ck_assert_uint_lt(strlen(err.text), sizeof err.text);
    error_system(&err, -ENOENT, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}
END_TEST

START_TEST(a_text_holds_no_half_characters_and_no_control_characters) {
    char text[2000] = "";
    for (size_t i = 0; i < sizeof text - 2; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    struct error err;
    error_set(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 2); // 511 bytes would cut one in half
    error_set(&err, "%.3s: given twice", text);
    ck_assert_str_eq(err.text, "\xc3\xa9?: given twice");
    error_set(&err, "a\x1b[31m\xc2\x85\xe2\x80\xa8\xff\nb");
    ck_assert_str_eq(err.text, "a?[31m???\nb");
    error_in(&err, "\x1b");
    ck_assert_str_eq(err.text, "?: a?[31m???\nb");
    error_system(&err, -ENOENT, "\xe9.yaml");
    ck_assert_str_eq(err.text, "?.yaml: No such file or directory");
}
END_TEST

Suite *check_error(void) {
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, places_read_from_the_outside_in);
    tcase_add_test(tcase, setting_forgets_the_value_that_was_at_fault);
    tcase_add_test(tcase, a_system_error_keeps_its_code_and_says_its_meaning);
    tcase_add_test(tcase, a_text_holds_no_half_characters_and_no_control_characters);
    tcase_add_test(tcase, texts_too_long_are_cut_and_stay_terminated);
    return suite;
}
