// Conditions, on a host that is a JSON object.
#include "common/terms.h"
#include "tests/unit/attributes.h"

Suite *check_terms(void);

static const char host_text[] =
    "{'dev_type': 'leaf', 'rack': '100', 'feeds': ['a', 'b'], 'none': []}";

static const struct {
    const char *terms;
    bool all, any;
} cases[] = {
    {"{}", true, false},
    {"{'dev_type': 'leaf'}", true, true},
    {"{'dev_type': 'spine'}", false, false},
    {"{'dev_type': 'lea?'}", true, true},
    {"{'dev_type': ['spine', 'leaf']}", true, true},
    {"{'dev_type': ['spine', 'l*']}", true, true},
    {"{'dev_type': 'leaf', 'rack': '100'}", true, true},
    {"{'dev_type': 'leaf', 'rack': '101'}", false, true},
    {"{'rack': 100}", true, true},
    {"{'role': '*'}", false, false},
    {"{'rack': '*'}", true, true},
    {"{'none': '*'}", false, false},
    {"{'feeds': 'b'}", true, true}, // any element
    {"{'feeds': ['c', 'd']}", false, false},
    {"{'dev_type': 'LEAF'}", false, false},
    {"{'dev_type': 'le'}", false, false},
};

START_TEST(a_condition_holds_as_the_table_says) {
    struct attribute_names names = {0};
    cJSON *json = json_of(host_text);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct terms terms = {0};
        struct error err;
        cJSON *object = json_of(cases[i].terms);
        ck_assert_int_eq(terms_parse(&terms, object, &names, &err), 0);
        struct json_host host = {&names, json};
        struct attributes attributes = json_attributes(&host);
        ck_assert_msg(terms_all_hold(&terms, &attributes) == cases[i].all, "%s", cases[i].terms);
        ck_assert_msg(terms_any_holds(&terms, &attributes) == cases[i].any, "%s", cases[i].terms);
        terms_deinit(&terms);
        cJSON_Delete(object);
    }
    cJSON_Delete(json);
    attribute_names_deinit(&names);
}
END_TEST

static void refused(const char *text, const char *said) {
    struct attribute_names names = {0};
    struct terms terms = {0};
    struct error err;
    cJSON *object = json_of(text);
    ck_assert_msg(terms_parse(&terms, object, &names, &err) == ERROR_INPUT, "%s", text);
    ck_assert_str_eq(err.text, said);
    ck_assert_ptr_nonnull(err.at);
    terms_deinit(&terms);
    attribute_names_deinit(&names);
    cJSON_Delete(object);
}

START_TEST(a_bad_condition_is_refused_with_its_place) {
    refused("[]", "expected an object, not an array");
    refused("{'': 'a'}", ": the name of an attribute is empty");
    refused("{'role': true}", "role: expected a text or a number, not a boolean");
    refused("{'role': null}", "role: expected a text or a number, not null");
    refused("{'role': ''}", "role: expected a text of 1 to 255 bytes");
    refused("{'role': []}", "role: expected 1 to 1000 values, not 0");
    refused("{'role': ['a', {}]}", "role[1]: expected a text or a number, not an object");
}
END_TEST

static char *fields_of(int count) {
    struct buf text = {0};
    for (int i = 0; i < count; i++)
        buf_addf(&text, "%s'a%d': 'x'", i == 0 ? "{" : ", ", i);
    buf_adds(&text, "}");
    return buf_take(&text);
}

static int parse(char *text) {
    struct attribute_names names = {0};
    struct terms terms = {0};
    struct error err;
    cJSON *object = json_of(text);
    int rc = terms_parse(&terms, object, &names, &err);
    terms_deinit(&terms);
    attribute_names_deinit(&names);
    cJSON_Delete(object);
    free(text);
    return rc;
}

static char *list_of(int count) {
    struct buf text = {0};
    for (int i = 0; i < count; i++)
        buf_addf(&text, "%s'%d'", i == 0 ? "{'role': [" : ", ", i);
    buf_adds(&text, "]}");
    return buf_take(&text);
}

static char *text_of(int name_len, int value_len) {
    struct buf text = {0};
    buf_addf(&text, "{'%0*d': '%0*d'}", name_len, 0, value_len, 0);
    return buf_take(&text);
}

START_TEST(every_limit_is_where_it_is_said_to_be) {
    ck_assert_int_eq(parse(fields_of(TERMS_MAX)), 0);
    ck_assert_int_eq(parse(fields_of(TERMS_MAX + 1)), ERROR_INPUT);
    ck_assert_int_eq(parse(list_of(TERMS_VALUES_MAX)), 0);
    ck_assert_int_eq(parse(list_of(TERMS_VALUES_MAX + 1)), ERROR_INPUT);
    ck_assert_int_eq(parse(text_of(TERMS_ATTRIBUTE_MAX, TERMS_VALUE_MAX)), 0);
    ck_assert_int_eq(parse(text_of(TERMS_ATTRIBUTE_MAX + 1, 1)), ERROR_INPUT);
    ck_assert_int_eq(parse(text_of(1, TERMS_VALUE_MAX + 1)), ERROR_INPUT);
}
END_TEST

Suite *check_terms(void) {
    Suite *suite = suite_create("terms");
    TCase *tcase = tcase_create("terms");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_condition_holds_as_the_table_says);
    tcase_add_test(tcase, a_bad_condition_is_refused_with_its_place);
    tcase_add_test(tcase, every_limit_is_where_it_is_said_to_be);
    return suite;
}
