#include "scenarios/runner/findings.h"

#include "tests/unit/support.h"

Suite *check_findings(void);

static void find(struct findings *f, const char *text, const void *at) {
    struct error err;
    error_set(&err, "%s", text);
    err.at = at;
    findings_add(f, &err);
}

START_TEST(what_is_found_beyond_the_limit_is_counted) {
    struct findings f = {0};
    for (int i = 0; i < FINDINGS_MAX + 2; i++)
        find(&f, i == 0 ? "first" : "other", NULL);
    ck_assert_uint_eq(f.count, FINDINGS_MAX);
    ck_assert_uint_eq(f.more, 2);
    ck_assert_str_eq(f.list[0].text, "first");
}
END_TEST

START_TEST(a_place_is_put_before_those_that_were_found_there) {
    struct findings f = {0};
    find(&f, "wrong", NULL);
    findings_in(&f, 1, "nowhere");
    find(&f, "wrong too", NULL);
    findings_in(&f, 1, "[%d]", 7);
    findings_in(&f, 0, "a");
    ck_assert_str_eq(f.list[0].text, "a: wrong");
    ck_assert_str_eq(f.list[1].text, "a[7]: wrong too");
}
END_TEST

START_TEST(an_error_is_within_all_that_holds_its_value) {
    struct findings f = {0};
    cJSON *json = json_of("{'a': [1, 2], 'b': 3}");
    const cJSON *a = json->child, *b = a->next;
    find(&f, "in no value", NULL);
    ck_assert(!findings_within(&f, json));
    find(&f, "wrong", a->child->next);
    ck_assert(findings_within(&f, json));
    ck_assert(findings_within(&f, a));
    ck_assert(!findings_within(&f, a->child));
    ck_assert(!findings_within(&f, b));
    ck_assert(!findings_within(&f, NULL));
    cJSON_Delete(json);
}
END_TEST

Suite *check_findings(void) {
    Suite *suite = suite_create("findings");
    TCase *tc = tcase_create("findings");
    tcase_add_test(tc, what_is_found_beyond_the_limit_is_counted);
    tcase_add_test(tc, a_place_is_put_before_those_that_were_found_there);
    tcase_add_test(tc, an_error_is_within_all_that_holds_its_value);
    suite_add_tcase(suite, tc);
    return suite;
}
