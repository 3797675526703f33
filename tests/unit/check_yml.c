#include "common/yml.h"
#include "tests/unit/support.h"

Suite *check_yml(void);

static char *as_json(const char *text) {
    struct yml y = {0};
    struct error err;
    int rc = yml_parse(&y, "f.yaml", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    char *json = cJSON_PrintUnformatted(y.root);
    yml_deinit(&y);
    return json;
}

START_TEST(scalars_are_what_the_core_schema_says_or_text) {
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"5.3.1", "\"5.3.1\""},
        {"'5.30'", "\"5.30\""},
        {"5.30", "5.3"},
        {"no", "\"no\""},
        {"on", "\"on\""},
        {"yes", "\"yes\""},
        {"off", "\"off\""},
        {"n", "\"n\""},
        {"true", "true"},
        {"False", "false"},
        {"tRUE", "\"tRUE\""},
        {"null", "null"},
        {"~", "null"},
        {"'~'", "\"~\""},
        {"\"null\"", "\"null\""},
        {"''", "\"\""},
        {"12", "12"},
        {"-12", "-12"},
        {"+12", "12"},
        {"012", "12"},
        {"1e3", "1000"},
        {".5", "0.5"},
        {"5.", "5"},
        {".", "\".\""},
        {"-", "[null]"},
        {"1e", "\"1e\""},
        {"1_000", "\"1_000\""},
        {"0x10", "\"0x10\""},
        {".inf", "\".inf\""},
        {".nan", "\".nan\""},
        {"10:30", "\"10:30\""},
        {"2020-06-09", "\"2020-06-09\""},
        {"10ms..2s", "\"10ms..2s\""},
        {"|\n  a\n  b\n", "\"a\\nb\\n\""},
        {"---", "null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *json = as_json(cases[i].yaml);
        ck_assert_msg(strcmp(json, cases[i].json) == 0, "%s gave %s", cases[i].yaml, json);
        free(json);
    }
}
END_TEST

START_TEST(containers_nest_and_anchors_repeat) {
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"a: 1\nb:\n- x\n- {c: d}\n", "{\"a\":1,\"b\":[\"x\",{\"c\":\"d\"}]}"},
        {"a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}"},
        {"a: &x {n: 1}\nb: *x\nc: [*x, *x]\n",
         "{\"a\":{\"n\":1},\"b\":{\"n\":1},\"c\":[{\"n\":1},{\"n\":1}]}"},
        {"- &v 5.3.1\n- *v\n", "[\"5.3.1\",\"5.3.1\"]"},
        {"no: 1\n1: 2\n'<<': 3\n", "{\"no\":1,\"1\":2,\"<<\":3}"},
        {"# only a comment before\na: 1 # and after\n", "{\"a\":1}"},
        {"a: {x: 1}\nb: {x: 1}\n", "{\"a\":{\"x\":1},\"b\":{\"x\":1}}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *json = as_json(cases[i].yaml);
        ck_assert_str_eq(json, cases[i].json);
        free(json);
    }
}
END_TEST

#define TEXT(s) s, sizeof s - 1 // NOLINT(bugprone-macro-parentheses): two arguments

START_TEST(errors_name_the_line_and_the_column) {
    static const struct {
        const char *yaml;
        size_t len;
        const char *text;
    } cases[] = {
        {TEXT(""), "f.yaml: it is empty"},
        {TEXT("# nothing\n"), "f.yaml: it is empty"},
        {TEXT("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: a: given twice"},
        {TEXT("x:\n  - {k: 1, k: 2}\n"), "f.yaml:2:12: k: given twice"},
        {TEXT("'a': 1\n\"a\": 2\n"), "f.yaml:2:1: a: given twice"},
        {TEXT("a: [1, 2\n"), "f.yaml:2:1: not YAML: "},
        {TEXT("a: b: c\n"), "f.yaml:1:5: not YAML: "},
        {TEXT("a:\n\t- 1\n"), "f.yaml:2:1: not YAML: "},
        {TEXT("a: !!str 5\n"), "f.yaml:1:4: tags are not supported"},
        {TEXT("a: !x {}\n"), "f.yaml:1:4: tags are not supported"},
        {TEXT("a: !x []\n"), "f.yaml:1:4: tags are not supported"},
        {TEXT("a: &x {}\n<<: *x\n"), "f.yaml:2:1: merge keys"},
        {TEXT("? [a]\n: 1\n"), "f.yaml:1:3: a key must be a scalar"},
        {TEXT("a: &x 1\n*x : 2\n"), "f.yaml:2:1: a key cannot be an alias"},
        {TEXT("a: *x\n"), "f.yaml:1:4: alias of an unknown anchor"},
        {TEXT("a: &x [*x]\n"), "f.yaml:1:8: an alias inside of what it repeats"},
        {TEXT("a: &x 1\nb: &x 2\n"), "f.yaml:2:4: anchor &x is defined twice"},
        {TEXT("a: 1\n---\nb: 2\n"), "f.yaml:2:1: one document only"},
        {TEXT("a: \"x\\0y\"\n"), "f.yaml:1:4: a value cannot hold a zero byte"},
        {TEXT("\"a\\0b\": 1\n"), "f.yaml:1:1: a key cannot hold a zero byte"},
        {TEXT("a: x\0y\n"), "f.yaml: not YAML: "},
        {TEXT("a: \xff\n"), "f.yaml: not YAML: "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct yml y = {0};
        struct error err = {0};
        int rc = yml_parse(&y, "f.yaml", cases[i].yaml, cases[i].len, &err);
        ck_assert_msg(rc == ERROR_INPUT, "case %zu was taken: %s", i, cases[i].yaml);
        ck_assert_msg(strncmp(err.text, cases[i].text, strlen(cases[i].text)) == 0, "%s: %s",
                      cases[i].yaml, err.text);
        ck_assert_ptr_null(y.root);
    }
}
END_TEST

static int parse(struct buf *text, struct error *err) {
    struct yml y = {0};
    int rc = yml_parse(&y, "f.yaml", text->data, text->len, err);
    yml_deinit(&y);
    buf_deinit(text);
    return rc;
}

static void add_times(struct buf *text, const char *s, int times) {
    for (int i = 0; i < times; i++)
        buf_adds(text, s);
}

START_TEST(depth_is_bounded) {
    struct buf text = {0};
    struct error err;
    add_times(&text, "[", YML_DEPTH_MAX);
    add_times(&text, "]", YML_DEPTH_MAX);
    ck_assert_int_eq(parse(&text, &err), 0);
    add_times(&text, "[", YML_DEPTH_MAX + 1);
    add_times(&text, "]", YML_DEPTH_MAX + 1);
    ck_assert_int_eq(parse(&text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "f.yaml:1:65: nested too deeply");
}
END_TEST

START_TEST(depth_is_bounded_through_aliases_too) {
    struct buf text = {0};
    struct error err;
    buf_adds(&text, "- &a0 ");
    add_times(&text, "[", 40);
    add_times(&text, "]", 40);
    buf_adds(&text, "\n- ");
    add_times(&text, "[", 40);
    buf_adds(&text, "*a0");
    add_times(&text, "]", 40);
    ck_assert_int_eq(parse(&text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "f.yaml:2:43: nested too deeply");
}
END_TEST

START_TEST(a_getters_error_is_put_in_its_place) {
    static const char text[] = "faults:\n  - on: login\n    times: -1\n  - {on: 5}\n";
    struct yml y = {0};
    struct error err;
    uint64_t times;
    const char *on;
    ck_assert_int_eq(yml_parse(&y, "n.yaml", text, sizeof text - 1, &err), 0);
    const cJSON *faults = cJSON_GetObjectItem(y.root, "faults");
    ck_assert_int_eq(json_uint(faults->child, "times", 0, 9, &times, &err), ERROR_INPUT);
    error_in(&err, "faults[0]");
    yml_place(&y, "n.yaml", &err);
    ck_assert_str_eq(err.text,
                     "n.yaml:3:12: faults[0].times: expected a whole number from 0 to 9, not -1");
    ck_assert_int_eq(json_string(faults->child->next, "on", &on, &err), ERROR_INPUT);
    yml_place(&y, "n.yaml", &err);
    ck_assert_str_eq(err.text, "n.yaml:4:10: on: expected a string, not a number");
    error_set(&err, "something else");
    yml_place(&y, "n.yaml", &err);
    ck_assert_str_eq(err.text, "n.yaml: something else");
    yml_deinit(&y);
}
END_TEST

START_TEST(what_is_built_is_a_tree_that_cjson_itself_can_use) {
    static const char text[] = "{a: [1, 2, 3], b: {c: d}}";
    struct yml y = {0};
    struct error err;
    ck_assert_int_eq(yml_parse(&y, "f", text, sizeof text - 1, &err), 0);
    cJSON *a = cJSON_GetObjectItem(y.root, "a");
    cJSON_AddItemToArray(a, cJSON_CreateNumber(4)); // needs the last child to be known
    cJSON_DeleteItemFromArray(a, 0);
    cJSON_DeleteItemFromObject(y.root, "b");
    char *json = cJSON_PrintUnformatted(y.root);
    ck_assert_str_eq(json, "{\"a\":[2,3,4]}");
    free(json);
    yml_deinit(&y);
}
END_TEST

Suite *check_yml(void) {
    Suite *suite = suite_create("yml");
    TCase *tcase = tcase_create("yml");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, scalars_are_what_the_core_schema_says_or_text);
    tcase_add_test(tcase, containers_nest_and_anchors_repeat);
    tcase_add_test(tcase, errors_name_the_line_and_the_column);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, depth_is_bounded_through_aliases_too);
    tcase_add_test(tcase, a_getters_error_is_put_in_its_place);
    tcase_add_test(tcase, what_is_built_is_a_tree_that_cjson_itself_can_use);
    return suite;
}
