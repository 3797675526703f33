#include "common/json.h"
#include "tests/unit/text_case.h"

Suite *check_json(void);

// Parses a copy of exactly these bytes, so that a sanitizer sees each byte too many.
static int parse(const char *text, size_t len, cJSON **out, struct error *err) {
    char *exact = mem_alloc(len);
    memcpy(exact, text, len);
    int rc = json_parse(exact, len, out, err);
    free(exact);
    return rc;
}

static const struct text_case table[] = {
#include "tests/unit/json_table.def"
};

static char *read_case(const struct text_case *one, struct error *err) {
    cJSON *json = NULL;
    int rc = parse(one->text, one->len, &json, err);
    ck_assert_msg((rc == 0) == (json != NULL), "%s", one->name);
    ck_assert_msg(rc == 0 || rc == ERROR_INPUT, "%s", one->name);
    char *value = rc == 0 ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    return value;
}

START_TEST(each_text_of_the_table_is_read_as_it_says) {
    struct buf wrong = {0};
    for (size_t i = 0; i < COUNT(table); i++)
        text_case_check(&table[i], read_case, &wrong);
    ck_assert_msg(wrong.len == 0, "%s", wrong.data);
}
END_TEST

START_TEST(each_text_of_the_table_is_in_the_fuzz_corpus) {
    for (size_t i = 0; i < COUNT(table); i++)
        text_case_check_seed(&table[i], "json");
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

START_TEST(nesting_is_bounded) {
    static const size_t depths[] = {JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 200000};
    for (size_t i = 0; i < COUNT(depths); i++) {
        size_t depth = depths[i];
        char *text = mem_alloc(2 * depth);
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        cJSON *json = NULL;
        struct error err;
        int rc = parse(text, 2 * depth, &json, &err);
        ck_assert_msg(rc == (i == 0 ? 0 : ERROR_INPUT), "%zu levels", depth);
        cJSON_Delete(json);
        free(text);
    }
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
    tcase_add_test(tcase, each_text_of_the_table_is_read_as_it_says);
    tcase_add_test(tcase, each_text_of_the_table_is_in_the_fuzz_corpus);
    tcase_add_test(tcase, no_beginning_of_a_document_is_a_document);
    tcase_add_test(tcase, a_key_given_twice_is_found_among_few_and_many);
    tcase_add_test(tcase, nesting_is_bounded);
    tcase_add_test(tcase, getters_say_which_field_is_wrong);
    tcase_add_test(tcase, getters_give_what_is_there_and_leave_alone_what_is_not);
    tcase_add_test(tcase, an_unknown_field_is_named_with_the_nearest_known_one);
    return suite;
}
