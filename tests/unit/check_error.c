#include "common/error.h"
#include "common/utf8.h"
#include "tests/unit/support.h"

#include <errno.h>

Suite *check_error(void);

START_TEST(places_read_from_the_outside_in) {
    static const struct {
        const char *inner, *text, *place, *whole, *field;
    } cases[] = {
        {"site", "expected a string", "match", "match.site: expected a string", "match.site"},
        {"[2].match", "missing", "faults", "faults[2].match: missing", "faults[2].match"},
        {NULL, "expected an object, not null", "result", "result: expected an object, not null",
         "result"},
        {NULL, "there is another host of this name", "earth",
         "earth: there is another host of this name", "earth"},
        {NULL, "'12:30' is not a duration", "latency", "latency: '12:30' is not a duration",
         "latency"},
        {NULL, "busy: try again", "device", "device: busy: try again", "device"},
        {"site", "missing", "[0]", "[0].site: missing", "[0].site"},
        {"[0]", "missing", "[1]", "[1][0]: missing", "[1][0]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        error_set(&err, "%s", cases[i].text);
        ck_assert_str_eq(err.field, "");
        if (cases[i].inner != NULL) error_in(&err, "%s", cases[i].inner);
        error_in(&err, "%s", cases[i].place);
        ck_assert_str_eq(err.text, cases[i].whole);
        ck_assert_str_eq(err.field, cases[i].field);
    }
}
END_TEST

START_TEST(an_element_of_a_list_is_in_the_text_and_the_list_is_the_field) {
    struct error err;
    error_set(&err, "expected a string");
    error_in_list(&err, "sites", 12);
    ck_assert_str_eq(err.text, "sites[12]: expected a string");
    ck_assert_str_eq(err.field, "sites");
    error_in(&err, "match");
    ck_assert_str_eq(err.text, "match.sites[12]: expected a string");
    ck_assert_str_eq(err.field, "match.sites");
}
END_TEST

START_TEST(what_comes_from_elsewhere_is_in_no_field_here) {
    int value = 0;
    struct error err;
    error_set(&err, "missing");
    error_in(&err, "port");
    err.at = &value;
    error_from(&err, "%s:%d", "a.yaml", 7);
    ck_assert_str_eq(err.text, "a.yaml:7: port: missing");
    ck_assert_str_eq(err.field, "");
    ck_assert_ptr_null(err.at);
    error_in(&err, "network");
    ck_assert_str_eq(err.text, "network: a.yaml:7: port: missing");
    ck_assert_str_eq(err.field, "network");
}
END_TEST

START_TEST(setting_forgets_the_value_and_the_field_that_were_at_fault) {
    int value = 0;
    struct error err = {.at = &value, .field = "x"};
    ck_assert_int_eq(error_set(&err, "x"), ERROR_INPUT);
    ck_assert_ptr_null(err.at);
    ck_assert_str_eq(err.field, "");
    err.at = &value;
    error_in(&err, "y");
    ck_assert_ptr_eq(err.at, &value);
    error_system(&err, -ENOENT, "z");
    ck_assert_ptr_null(err.at);
    ck_assert_str_eq(err.field, "");
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
    for (int i = 0; i < 3; i++) {
        error_in(&err, "%s", text);
        ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
        ck_assert_uint_eq(strlen(err.field), sizeof err.field - 1);
    }
}
END_TEST

static bool ends_with(const char *text, const char *end) {
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

START_TEST(a_place_too_long_gives_way_to_the_end_of_the_text) {
    char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct error err;
    error_system(&err, -ENOENT, "%s", name);
    ck_assert(ends_with(err.text, "nnn: No such file or directory"));
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    error_set(&err, "expected a string");
    error_in(&err, "%s", name);
    ck_assert(ends_with(err.text, "nnn: expected a string"));
    error_set(&err, "expected a string");
    error_in(&err, "port");
    error_from(&err, "%s", name);
    ck_assert(ends_with(err.text, "nnn: port: expected a string"));
}
END_TEST

// Every length at which a cut can fall, for characters of one to four bytes.
START_TEST(no_cut_leaves_a_part_of_a_character) {
    static const char *const characters[] = {"x", "\u00e9", "\u20ac", "\U0001f600"};
    for (size_t c = 0; c < COUNT(characters); c++)
        for (size_t shift = 0; shift < 4; shift++) {
            struct buf text = {0};
            buf_add(&text, "....", shift);
            while (text.len < 1000)
                buf_adds(&text, characters[c]);
            struct error err;
            error_set(&err, "%s", text.data);
            ck_assert(strncmp(err.text, text.data, strlen(err.text)) == 0);
            for (size_t i = 0; i < 2; i++) {
                ck_assert_uint_ge(strlen(err.text), sizeof err.text - 4 - 3 * i);
                ck_assert(ends_with(err.text, characters[c]));
                error_in(&err, "%s", text.data);
                ck_assert(ends_with(err.field, characters[c]));
                size_t place = strcspn(err.text, ":");
                ck_assert_uint_ge(place, 96);
                ck_assert(strncmp(err.text + place - strlen(characters[c]), characters[c],
                                  strlen(characters[c])) == 0);
            }
            buf_deinit(&text);
        }
}
END_TEST

START_TEST(advice_stands_behind_the_text_and_in_its_field) {
    struct error err;
    error_set(&err, "it is full");
    error_in(&err, "state");
    error_advise(&err, "make room for %d MiB", 7);
    ck_assert_str_eq(err.text, "state: it is full: make room for 7 MiB");
    ck_assert_str_eq(err.field, "state");
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, "%s", text);
    error_advise(&err, "make room");
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    ck_assert_str_eq(err.text + sizeof err.text - 1 - strlen("x: make room"), "x: make room");
    error_set(&err, "short");
    error_advise(&err, "%s", text);
    ck_assert_str_eq(strstr(err.text, ": "), strstr(err.text, ": x"));
    ck_assert_uint_lt(strlen(err.text), sizeof err.text);
}
END_TEST

START_TEST(text_is_cut_only_between_characters) {
    static const struct {
        const char *text;
        size_t max, fits;
    } cases[] = {
        {"", 0, 0},
        {"abc", 2, 2},
        {"abc", 9, 3},
        {"a\xc3\xa9", 2, 1},
        {"a\xc3\xa9", 3, 3},
        {"\xe2\x82\xac", 2, 0},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80z", 3, 0},
        {"\xf0\x9f\x98\x80z", 4, 4},
        {"\xf0\x9f\x98\x80z", 5, 5},
        {"a\xc3", 9, 1},
        {"\x80\x80", 9, 2}, // no characters: kept
        {"a\x80\x80\x80\x80", 9, 5},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(utf8_fit(cases[i].text, strlen(cases[i].text), cases[i].max) == cases[i].fits,
                      "case %zu", i);
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
    tcase_add_test(tcase, an_element_of_a_list_is_in_the_text_and_the_list_is_the_field);
    tcase_add_test(tcase, what_comes_from_elsewhere_is_in_no_field_here);
    tcase_add_test(tcase, setting_forgets_the_value_and_the_field_that_were_at_fault);
    tcase_add_test(tcase, a_system_error_keeps_its_code_and_says_its_meaning);
    tcase_add_test(tcase, a_text_holds_no_half_characters_and_no_control_characters);
    tcase_add_test(tcase, texts_too_long_are_cut_and_stay_terminated);
    tcase_add_test(tcase, a_place_too_long_gives_way_to_the_end_of_the_text);
    tcase_add_test(tcase, no_cut_leaves_a_part_of_a_character);
    tcase_add_test(tcase, text_is_cut_only_between_characters);
    tcase_add_test(tcase, advice_stands_behind_the_text_and_in_its_field);
    return suite;
}
