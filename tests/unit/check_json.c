#include "common/json.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_json(void);

// Parses a copy of exactly these bytes, so that a sanitizer sees each byte too many.
static int parse(const char *text, size_t len, cJSON **out, struct error *err) {
    char *exact = mem_alloc(len);
    memcpy(exact, text, len);
    int rc = json_parse(exact, len, out, err);
    free(exact);
    return rc;
}

#define TEXT(s) s, sizeof s - 1 // NOLINT(bugprone-macro-parentheses): two arguments

START_TEST(what_is_not_strictly_json_is_refused) {
    static const struct {
        const char *text;
        size_t len;
        const char *why;
    } cases[] = {
        {TEXT(""), "it is empty"},
        {TEXT(" "), "syntax error"},
        {TEXT("{"), "syntax error"},
        {TEXT("{\"a\" 1}"), "syntax error at byte 6"},
        {TEXT("{\"a\": 1,}"), "syntax error"},
        {TEXT("[1 2]"), "syntax error"},
        {TEXT("'a'"), "syntax error at byte 1"},
        {TEXT("nul"), "syntax error"},
        {TEXT("\"abc"), "syntax error"},
        {TEXT("\"a\\"), "syntax error"},
        {TEXT("\"\\x\""), "syntax error"},
        {TEXT("\"\\ud800\""), "syntax error"},
        {TEXT("{} x"), "more follows the value, from byte 4 on"},
        {TEXT("1 2"), "more follows"},
        {TEXT("{}\0"), "control character at byte 3"},
        {TEXT("\"a\nb\""), "control character at byte 3"},
        {TEXT("[1,\v2]"), "control character"},
        {TEXT("\"5.3.1\\u0000x\""), "\\u0000 at byte 7"},
        {TEXT("\"\\\\\\u0000\""), "\\u0000 at byte 4"},
        {TEXT("\"\xff\""), "byte 2 is not UTF-8"},
        {TEXT("\"\xc0\xaf\""), "not UTF-8"},         // overlong
        {TEXT("\"\xe0\x80\xaf\""), "not UTF-8"},     // overlong
        {TEXT("\"\xed\xa0\x80\""), "not UTF-8"},     // a surrogate
        {TEXT("\"\xf4\x90\x80\x80\""), "not UTF-8"}, // above U+10FFFF
        {TEXT("\"\xe2\x82"), "not UTF-8"},           // cut short
        {TEXT("{\"a\": 1, \"a\": 1}"), "a: given twice"},
        {TEXT("{\"x\": [{}, {\"a\": {\"b\": 1, \"b\": 2}}]}"), "x[1].a.b: given twice"},
        {TEXT("01"), "not JSON"},
        {TEXT("-"), "not JSON"},
        {TEXT("[1.]"), "not JSON"},
        {TEXT("[-01.5]"), "not JSON"},
        {TEXT("[1e]"), "not JSON"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cJSON *json = NULL;
        struct error err = {0};
        ck_assert_msg(parse(cases[i].text, cases[i].len, &json, &err) == ERROR_INPUT,
                      "case %zu was taken: %s", i, cases[i].text);
        ck_assert_msg(strstr(err.text, cases[i].why) != NULL, "%s: %s", cases[i].text, err.text);
        ck_assert_ptr_null(json);
    }
}
END_TEST

START_TEST(json_is_taken) {
    static const char *const texts[] = {
        "{}",
        " [1, -2.5e+3, 0, -0, 0.1E-2, 1e5, \"x\", null, true, false] \r\n",
        "\"\\\\u0000\"", // a backslash and then text
        "\"\\u00e9\\ud83d\\ude00\"",
        "{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}",
        "\"1. 01 -\"",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        cJSON *json = NULL;
        struct error err = {0};
        int rc = parse(texts[i], strlen(texts[i]), &json, &err);
        ck_assert_msg(rc == 0, "%s: %s", texts[i], err.text);
        cJSON_Delete(json);
    }
}
END_TEST

START_TEST(no_beginning_of_a_document_is_a_document) {
    static const char text[] = "{\"a\": [1.5, \"\\u00e9\\n\", null], \"b\xc3\xa9\": {\"c\": -1e3}}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        cJSON *json = NULL;
        struct error err;
        ck_assert_msg(parse(text, len, &json, &err) == ERROR_INPUT, "the first %zu bytes", len);
    }
}
END_TEST

START_TEST(a_key_given_twice_is_found_among_few_and_many) {
    for (int keys = 2; keys < 40; keys++) {
        struct buf text = {0};
        buf_adds(&text, "{");
        for (int i = 0; i < keys; i++)
            buf_addf(&text, "\"k%d\": 1, ", i);
        struct buf twice = {0};
        buf_addf(&twice, "%s\"k%d\": 1}", text.data, keys - 1);
        buf_adds(&text, "\"k\": 1}");
        cJSON *json = NULL;
        struct error err;
        ck_assert_int_eq(parse(text.data, text.len, &json, &err), 0);
        cJSON_Delete(json);
        json = NULL;
        ck_assert_msg(parse(twice.data, twice.len, &json, &err) == ERROR_INPUT, "%d keys", keys);
        buf_deinit(&text);
        buf_deinit(&twice);
    }
}
END_TEST

START_TEST(nesting_without_end_is_refused) {
    size_t len = 200000;
    char *text = mem_alloc(len);
    memset(text, '[', len);
    cJSON *json = NULL;
    struct error err;
    ck_assert_int_eq(parse(text, len, &json, &err), ERROR_INPUT);
    free(text);
}
END_TEST

static const char object[] = "{'s': 'text', 'n': 7, 'f': 1.5, 'o': {}, 'a': [], 'z': null, "
                             "'t': true, 'big': 18446744073709551616, 'neg': -1}";

START_TEST(getters_say_which_field_is_wrong) {
    cJSON *json = json_of(object);
    struct error err;
    const char *s = "as before";
    uint64_t n = 77;
    double f = 0.5;
    const cJSON *o = json;
#define REFUSES(call, why)                                                                         \
    ck_assert_int_eq(call, ERROR_INPUT);                                                           \
    ck_assert_str_eq(err.text, why)
    REFUSES(json_string(json, "x", &s, &err), "x: missing");
    ck_assert_ptr_eq(err.at, json);
    REFUSES(json_string(json, "n", &s, &err), "n: expected a string, not a number");
    ck_assert_ptr_eq(err.at, cJSON_GetObjectItem(json, "n"));
    REFUSES(json_string_opt(json, "z", &s, &err), "z: expected a string, not null");
    REFUSES(json_uint(json, "s", 1, 9, &n, &err), "s: expected a whole number, not a string");
    REFUSES(json_uint(json, "n", 1, 6, &n, &err), "n: expected a whole number from 1 to 6, not 7");
    REFUSES(json_uint(json, "f", 1, 6, &n, &err),
            "f: expected a whole number from 1 to 6, not 1.5");
    REFUSES(json_uint(json, "neg", 0, 6, &n, &err),
            "neg: expected a whole number from 0 to 6, not -1");
    ck_assert_int_eq(json_uint(json, "big", 0, UINT64_MAX, &n, &err), ERROR_INPUT);
    REFUSES(json_number_opt(json, "t", 0, 1, &f, &err), "t: expected a number, not a boolean");
    REFUSES(json_number_opt(json, "f", 0, 1, &f, &err),
            "f: expected a number from 0 to 1, not 1.5");
    REFUSES(json_object(json, "x", &o, &err), "x: missing");
    REFUSES(json_object(json, "a", &o, &err), "a: expected an object, not an array");
#undef REFUSES
    ck_assert_str_eq(s, "as before");
    ck_assert_uint_eq(n, 77);
    ck_assert(f == 0.5);
    ck_assert_ptr_eq(o, json);
    cJSON_Delete(json);
}
END_TEST

START_TEST(getters_give_what_is_there_and_leave_alone_what_is_not) {
    cJSON *json = json_of(object);
    struct error err;
    const char *s = NULL;
    uint64_t n = 0;
    double f = 0;
    const cJSON *o = NULL;
    ck_assert_int_eq(json_string(json, "s", &s, &err), 0);
    ck_assert_str_eq(s, "text");
    ck_assert_int_eq(json_uint(json, "n", 7, 7, &n, &err), 0);
    ck_assert_uint_eq(n, 7);
    ck_assert_int_eq(json_number_opt(json, "f", 1.5, 1.5, &f, &err), 0);
    ck_assert(f == 1.5);
    ck_assert_int_eq(json_object(json, "o", &o, &err), 0);
    ck_assert_ptr_eq(o, cJSON_GetObjectItem(json, "o"));
    ck_assert_int_eq(json_string_opt(json, "x", &s, &err), 0);
    ck_assert_int_eq(json_uint_opt(json, "x", 0, 1, &n, &err), 0);
    ck_assert_int_eq(json_number_opt(json, "x", 0, 1, &f, &err), 0);
    ck_assert_int_eq(json_object_opt(json, "x", &o, &err), 0);
    ck_assert_str_eq(s, "text");
    ck_assert_uint_eq(n, 7);
    ck_assert(f == 1.5);
    ck_assert_int_eq(json_string(json, "S", &s, &err), ERROR_INPUT); // case matters
    cJSON_Delete(json);
}
END_TEST

START_TEST(an_unknown_field_is_named_with_the_nearest_known_one) {
    cJSON *json = json_of("{'match': 1, 'efect': 2}");
    struct error err;
    ck_assert_int_eq(JSON_ONLY(json, &err, "match", "on", "effect"), ERROR_INPUT);
    ck_assert_str_eq(err.text, "efect: unknown field; did you mean effect?");
    ck_assert_ptr_eq(err.at, cJSON_GetObjectItem(json, "efect"));
    ck_assert_int_eq(JSON_ONLY(json, &err, "match", "on"), ERROR_INPUT);
    ck_assert_str_eq(err.text, "efect: unknown field");
    ck_assert_int_eq(JSON_ONLY(json, &err, "efect", "match"), 0);
    cJSON_Delete(json);
}
END_TEST

Suite *check_json(void) {
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_is_not_strictly_json_is_refused);
    tcase_add_test(tcase, json_is_taken);
    tcase_add_test(tcase, no_beginning_of_a_document_is_a_document);
    tcase_add_test(tcase, a_key_given_twice_is_found_among_few_and_many);
    tcase_add_test(tcase, nesting_without_end_is_refused);
    tcase_add_test(tcase, getters_say_which_field_is_wrong);
    tcase_add_test(tcase, getters_give_what_is_there_and_leave_alone_what_is_not);
    tcase_add_test(tcase, an_unknown_field_is_named_with_the_nearest_known_one);
    return suite;
}
