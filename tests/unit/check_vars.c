#include "scenarios/runner/vars.h"

#include "common/yml.h"
#include "tests/unit/support.h"

Suite *check_vars(void);

static const char vars_text[] =
    "{'n': 5, 'half': 0.5, 'yes': true, 'none': null, 'host': 'leaf00.earth', 'empty': '',"
    " 'list': ['a', 'b'], 'odd': '${n}'}";

static cJSON *vars, *out;

static void set_up(void) {
    vars = json_of(vars_text);
    out = NULL;
}

static void tear_down(void) {
    cJSON_Delete(vars);
    cJSON_Delete(out);
}

static int expand(const char *text, struct error *err) {
    cJSON *value = json_of(text);
    int rc = vars_expand(value, vars, &out, err);
    cJSON_Delete(value);
    return rc;
}

static const struct {
    const char *text, *expanded;
} good[] = {
    {"'plain'", "'plain'"},
    {"'a $ and a } and a {'", "'a $ and a } and a {'"},
    {"'${n}'", "5"},
    {"'${half}'", "0.5"},
    {"'${yes}'", "true"},
    {"'${none}'", "null"},
    {"'${host}'", "'leaf00.earth'"},
    {"'${empty}'", "''"},
    {"'${list}'", "['a', 'b']"},
    {"'x${n}'", "'x5'"},
    {"'${n}${n}'", "'55'"},
    {"'${host}:${n}.'", "'leaf00.earth:5.'"},
    {"'${empty}${yes}'", "'true'"},
    {"'${odd}'", "'${n}'"}, // what a variable holds is not expanded once more
    {"'-${odd}-'", "'-${n}-'"},
    {"{'${host}': {'version': '${n}'}}", "{'leaf00.earth': {'version': 5}}"},
    {"{'a-${n}-b': ['${n}', {'c': '${host}'}, 7, null]}",
     "{'a-5-b': [5, {'c': 'leaf00.earth'}, 7, null]}"},
};

START_TEST(every_name_is_replaced_by_its_value) {
    struct error err = {0};
    cJSON *expected = json_of(good[_i].expanded);
    int rc = expand(good[_i].text, &err);
    ck_assert_msg(rc == 0, "%s: %s", good[_i].text, err.text);
    char *text = cJSON_PrintUnformatted(out);
    ck_assert_msg(cJSON_Compare(out, expected, true), "%s became %s", good[_i].text, text);
    free(text);
    cJSON_Delete(expected);
}
END_TEST

START_TEST(a_number_of_a_file_stands_in_a_text_as_it_is_written) {
    static const char yaml[] = "{minor: 3.10, v: '5.${minor}', '${minor}': '${minor}'}";
    struct yml y = {0};
    struct error err;
    ck_assert_int_eq(yml_parse(&y, "f.yaml", yaml, sizeof yaml - 1, &err), 0);
    ck_assert_int_eq(vars_expand(y.root, y.root, &out, &err), 0);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(out, "v")), "5.3.10");
    const cJSON *whole = cJSON_GetObjectItem(out, "3.10");
    ck_assert(cJSON_IsNumber(whole) && whole->valuedouble == 3.1);
    yml_deinit(&y);
}
END_TEST

static const struct {
    const char *text, *error;
} bad[] = {
    {"'${m}'", "there is no value for ${m}"},
    {"'a ${}'", "there is no value for ${}"},
    {"'a ${n'", "'a ${n': ${ without }"},
    {"['${n}', {'b': '${x}y'}]", "there is no value for ${x}"},
    {"{'${x}': 1}", "there is no value for ${x}"},
};

START_TEST(a_name_without_a_value_is_an_error) {
    struct error err = {0};
    ck_assert_int_eq(expand(bad[_i].text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, bad[_i].error);
    ck_assert_ptr_null(out);
}
END_TEST

START_TEST(what_holds_a_name_is_known_only_when_it_is_played) {
    static const char *const open[] = {"'${a}'", "['x', ['y${a}']]", "{'a': {'b': 'x${'}}"};
    static const char *const known[] = {"'a'", "5", "['$', '{a}']", "{'${a}': 'b'}", "{}"};
    for (size_t i = 0; i < COUNT(open); i++) {
        cJSON *value = json_of(open[i]);
        ck_assert_msg(vars_are_in(value), "%s", open[i]);
        cJSON_Delete(value);
    }
    for (size_t i = 0; i < COUNT(known); i++) {
        cJSON *value = json_of(known[i]);
        ck_assert_msg(!vars_are_in(value), "%s", known[i]);
        cJSON_Delete(value);
    }
}
END_TEST

START_TEST(the_original_stays_as_it_was) {
    struct error err = {0};
    cJSON *value = json_of("{'${n}': ['${list}', 'x${n}']}"),
          *before = cJSON_Duplicate(value, true);
    ck_assert_int_eq(vars_expand(value, vars, &out, &err), 0);
    ck_assert(cJSON_Compare(value, before, true));
    ck_assert_uint_eq((unsigned)cJSON_GetArraySize(cJSON_GetObjectItem(vars, "list")), 2);
    cJSON_Delete(value);
    cJSON_Delete(before);
}
END_TEST

static const struct {
    const char *text, *error; // NULL: there is none
} known[] = {
    {"{'a': ['${seed}', 'x ${device} ${seed}'], '${device}': 5}", NULL},
    {"'}${seed}{'", NULL},
    {"{'a': ['b', '${sed}']}", "a[1]: there is no ${sed} here; did you mean ${seed}?"},
    {"{'a': {'x ${sed}': 1}}", "a: there is no ${sed} here; did you mean ${seed}?"},
    {"'${completely_different}'",
     "there is no ${completely_different} here; known are ${seed}, ${device}"},
    {"['${seed} ${seed']", "[0]: '${seed': expected a } behind ${"},
    {"['${}']", "[0]: there is no ${} here; known are ${seed}, ${device}"},
};

START_TEST(an_unknown_name_is_told_before_anything_runs) {
    static const char *const names[] = {"seed", "device"};
    struct findings found = {0};
    cJSON *value = json_of(known[_i].text);
    vars_check(value, names, COUNT(names), &found);
    ck_assert_uint_eq(found.count, known[_i].error == NULL ? 0 : 1);
    ck_assert_str_eq(found.list[0].text, known[_i].error == NULL ? "" : known[_i].error);
    ck_assert_int_eq(found.list[0].at != NULL, known[_i].error != NULL);
    cJSON_Delete(value);
}
END_TEST

START_TEST(every_unknown_name_is_told) {
    static const char *const names[] = {"seed"};
    struct findings found = {0};
    cJSON *value = json_of("{'a${sed}': ['${sead} ${sid}', {'b': '${seed}'}], 'c': '${sod'}");
    vars_check(value, names, COUNT(names), &found);
    ck_assert_uint_eq(found.count, 3);
    ck_assert_str_eq(found.list[0].text, "there is no ${sed} here; did you mean ${seed}?");
    ck_assert_ptr_eq(found.list[0].at, value->child);
    ck_assert_str_eq(found.list[1].text,
                     "a${sed}[0]: there is no ${sead} here; did you mean ${seed}?");
    ck_assert_ptr_eq(found.list[1].at, value->child->child);
    ck_assert_str_eq(found.list[2].text, "c: '${sod': expected a } behind ${");
    cJSON_Delete(value);
}
END_TEST

Suite *check_vars(void) {
    Suite *suite = suite_create("vars");
    TCase *tc = tcase_create("vars");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, every_name_is_replaced_by_its_value, 0, COUNT(good));
    tcase_add_test(tc, a_number_of_a_file_stands_in_a_text_as_it_is_written);
    tcase_add_loop_test(tc, a_name_without_a_value_is_an_error, 0, COUNT(bad));
    tcase_add_test(tc, what_holds_a_name_is_known_only_when_it_is_played);
    tcase_add_test(tc, the_original_stays_as_it_was);
    tcase_add_loop_test(tc, an_unknown_name_is_told_before_anything_runs, 0, COUNT(known));
    tcase_add_test(tc, every_unknown_name_is_told);
    suite_add_tcase(suite, tc);
    return suite;
}
