#include "orchestrator/cli_request.h"
#include "tests/unit/support.h"

Suite *check_cli_request(void);

enum how { ADD, SET, EITHER };

static const struct {
    enum how how;
    const char *values[3];
    const char *field; // as JSON; NULL: an error
} cases[] = {
    {ADD, {"earth"}, "['earth']"},
    {ADD, {"earth,mars", "venus"}, "['earth','mars','venus']"},
    {ADD, {"leaf[0,1]*,spine00"}, "['leaf[0,1]*','spine00']"},
    {ADD, {"a[],b],c"}, "['a[],b]','c']"}, // a ] right behind the [ is one of its characters
    {ADD, {"a[!],b],c"}, "['a[!],b]','c']"},
    {ADD, {"a[b,c"}, "['a[b','c']"}, // no bracket ends it
    {ADD, {"a["}, "['a[']"},
    {ADD, {"7"}, "['7']"},
    {ADD, {""}, NULL},
    {ADD, {"a,"}, NULL},
    {ADD, {",a"}, NULL},
    {ADD, {"a,,b"}, NULL},
    {SET, {"10"}, "10"},
    {SET, {"5%"}, "'5%'"},
    {SET, {"10m"}, "'10m'"},
    {SET, {"-1"}, "'-1'"}, // the service says what is wrong with it
    {SET, {"1e3"}, "'1e3'"},
    {SET, {"9999999999999999"}, "'9999999999999999'"},
    {SET, {"1", "2"}, "2"},
    {SET, {""}, NULL},
    {EITHER, {"2"}, "2"},
    {EITHER, {"leaf0*,spine00"}, "['leaf0*','spine00']"},
    {EITHER, {"leaf00", "2"}, "2"},
    {EITHER, {"2", "leaf00", "leaf01"}, "['leaf00','leaf01']"},
};

START_TEST(values_of_options_become_a_field) {
    int (*const put[])(cJSON *, const char *, const char *, struct error *) = {
        [ADD] = cli_request_add, [SET] = cli_request_set, [EITHER] = cli_request_set_or_add};
    struct error err;
    int rc = 0;
    cJSON *body = cJSON_CreateObject();
    for (size_t i = 0; i < 3 && cases[_i].values[i] != NULL; i++)
        rc = put[cases[_i].how](body, "field", cases[_i].values[i], &err);
    ck_assert_int_eq(rc == 0, cases[_i].field != NULL);
    if (rc == 0) {
        char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, "field"));
        char *expected = double_quoted(cases[_i].field);
        ck_assert_str_eq(text, expected);
        free(expected);
        free(text);
    }
    cJSON_Delete(body);
}
END_TEST

static const struct {
    const char *detail, *shown;
} details[] = {
    {"filter_sites: there is no site 'eart'", "--site: there is no site 'eart'"},
    {"filter_sites[1]: expected a string", "--site: expected a string"},
    {"version: expected 1.2.3, not 'a: b'", "--version: expected 1.2.3, not 'a: b'"},
    {"version_of_it: x", "version_of_it: x"},
    {"the inventory: it is empty", "the inventory: it is empty"},
    {"version", "--version"},
    {"", ""},
};

START_TEST(what_the_service_says_of_a_field_is_said_of_the_option) {
    static const struct cli_field fields[] = {{"filter_sites", "site"}, {"version", "version"}};
    char text[200];
    cli_request_explain(fields, COUNT(fields), details[_i].detail, text, sizeof text);
    ck_assert_str_eq(text, details[_i].shown);
}
END_TEST

Suite *check_cli_request(void) {
    Suite *suite = suite_create("cli_request");
    TCase *tcase = tcase_create("cli_request");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, values_of_options_become_a_field, 0, COUNT(cases));
    tcase_add_loop_test(tcase, what_the_service_says_of_a_field_is_said_of_the_option, 0,
                        COUNT(details));
    return suite;
}
