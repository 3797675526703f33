#include "common/yml.h"
#include "tests/unit/text_case.h"

Suite *check_yml(void);

static const struct text_case table[] = {
#include "tests/unit/yml_table.def"
};

static char *read_case(const struct text_case *one, struct error *err) {
    struct yml y = {0};
    int rc = yml_parse(&y, "f.yaml", one->text, one->len, err);
    ck_assert_msg((rc == 0) == (y.root != NULL), "%s", one->name);
    ck_assert_msg(rc == 0 || rc == ERROR_INPUT, "%s", one->name);
    char *value = rc == 0 ? cJSON_PrintUnformatted(y.root) : NULL;
    yml_deinit(&y);
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
        text_case_check_seed(&table[i], "yml");
}
END_TEST

START_TEST(a_number_keeps_its_text) {
    static const char *const texts[] = {
        "3.10", "+12", "012", "5.30", "1e3", "-0", "1.00", ".5", "9007199254740993"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct yml y = {0};
        struct error err;
        struct buf yaml = {0}, text = {0};
        buf_addf(&yaml, "a: &x %s\nb: *x\n", texts[i]);
        ck_assert_int_eq(yml_parse(&y, "f.yaml", yaml.data, yaml.len, &err), 0);
        const cJSON *value;
        cJSON_ArrayForEach(value, y.root) {
            ck_assert(cJSON_IsNumber(value));
            buf_clear(&text);
            json_add_text(&text, value);
            ck_assert_str_eq(text.data, texts[i]);
        }
        buf_deinit(&text);
        buf_deinit(&yaml);
        yml_deinit(&y);
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

// Nine times as much in every line, of what the first line holds.
static void add_bomb(struct buf *text, int lines, const char *seed) {
    buf_addf(text, "a0: &a0 [%s]\n", seed);
    for (int i = 1; i < lines; i++) {
        buf_addf(text, "a%d: &a%d [", i, i);
        for (int times = 0; times < 9; times++)
            buf_addf(text, "%s*a%d", times == 0 ? "" : ",", i - 1);
        buf_adds(text, "]\n");
    }
}

static void repeats_too_much(struct buf *text, const char *where) {
    struct error err;
    struct yml y = {0};
    ck_assert_int_eq(yml_parse(&y, "f.yaml", text->data, text->len, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, where);
    buf_deinit(text);
}

START_TEST(what_aliases_of_aliases_add_is_bounded_in_values) {
    struct buf text = {0};
    struct error err;
    struct yml y = {0};
    add_bomb(&text, 5, "lol,lol");
    ck_assert_int_eq(yml_parse(&y, "f.yaml", text.data, text.len, &err), 0);
    // 9 of 3 values; 9 of 1 + 9 * 3; ...
    ck_assert_uint_eq(y.aliased_values, 27 + 252 + 2277 + 20502);
    ck_assert_uint_eq(y.aliased_bytes, 6UL * (9 + 81 + 729 + 6561));
    yml_deinit(&y);
    buf_deinit(&text);

    add_bomb(&text, 13, "lol,lol");
    repeats_too_much(&text, "f.yaml:6:22: aliases repeat too much: write less with them");
}
END_TEST

START_TEST(what_aliases_add_is_bounded_in_bytes) {
    enum { LONG = 1 << 16 };
    struct buf text = {0}, keys = {0};
    struct error err;
    struct yml y = {0};
    buf_adds(&text, "- &a ");
    add_times(&text, "x", LONG);
    buf_adds(&text, "\n");
    add_times(&text, "- *a\n", YML_ALIASED_BYTES_MAX / LONG);
    ck_assert_int_eq(yml_parse(&y, "f.yaml", text.data, text.len, &err), 0);
    ck_assert_uint_eq(y.aliased_bytes, YML_ALIASED_BYTES_MAX);
    yml_deinit(&y);
    buf_adds(&text, "- *a\n");
    repeats_too_much(&text, "f.yaml:66:3: aliases repeat too much: write less with them");

    buf_adds(&keys, "- &a {? ");
    add_times(&keys, "x", LONG);
    buf_adds(&keys, " : 1}\n");
    add_times(&keys, "- *a\n", YML_ALIASED_BYTES_MAX / LONG); // and the digit
    repeats_too_much(&keys, "f.yaml:65:3: aliases repeat too much: write less with them");
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
    tcase_add_test(tcase, each_text_of_the_table_is_read_as_it_says);
    tcase_add_test(tcase, each_text_of_the_table_is_in_the_fuzz_corpus);
    tcase_add_test(tcase, a_number_keeps_its_text);
    tcase_add_test(tcase, what_aliases_of_aliases_add_is_bounded_in_values);
    tcase_add_test(tcase, what_aliases_add_is_bounded_in_bytes);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, depth_is_bounded_through_aliases_too);
    tcase_add_test(tcase, a_getters_error_is_put_in_its_place);
    tcase_add_test(tcase, what_is_built_is_a_tree_that_cjson_itself_can_use);
    return suite;
}
