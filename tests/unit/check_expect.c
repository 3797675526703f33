#include "scenarios/runner/expect.h"
#include "scenarios/runner/expect_report.h"

#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_expect(void);

static struct buf differences;

static void set_up(void) {
    differences = (struct buf){0};
}

static void tear_down(void) {
    buf_deinit(&differences);
}

static void assert_told(const char *what, const char *expected) {
    const char *got = differences.len == 0 ? "" : differences.data;
    ck_assert_msg(strcmp(got, expected) == 0, "%s\nexpected\n%sgot\n%s", what, expected, got);
}

static const struct {
    const char *pattern, *text;
    bool fits;
} patterns[] = {
    {"leaf00.earth", "leaf00.earth", true},
    {"leaf00.earth", "leaf01.earth", false},
    {"leaf0.earth", "leaf00.earth", false},
    {"leaf*.earth", "leaf99.earth", true},
    {"leaf*.earth", "leaf99.mars", false},
    {"leaf0?.earth", "leaf07.earth", true},
    {"leaf0[0-3].earth", "leaf03.earth", true},
    {"leaf0[0-3].earth", "leaf04.earth", false},
    {"*", "", true},
    {"a [literal] line", "a [literal] line", true},
    {"a [literal] line", "a l line", true}, // as a glob
};

START_TEST(a_pattern_with_wildcards_is_a_glob_and_any_other_is_compared) {
    ck_assert_msg(expect_fits(patterns[_i].pattern, patterns[_i].text) == patterns[_i].fits,
                  "%s, %s", patterns[_i].pattern, patterns[_i].text);
}
END_TEST

static const struct {
    const char *expected;
    double got;
    const char *told;
} numbers[] = {
    {"5", 5, ""},
    {"0.1", 0.1, ""},
    {"5", 6, "  n: expected 5, is 6\n"},
    {"9007199254740991", 9007199254740990,
     "  n: expected 9.00719925474099e+15, is "
     "9.00719925474099e+15\n"},
    {"{'at_least': 5}", 5, ""},
    {"{'at_least': 5}", 4.5, "  n: expected at least 5, is 4.5\n"},
    {"{'at_most': 5}", 5, ""},
    {"{'at_most': 5}", 6, "  n: expected at most 5, is 6\n"},
    {"{'at_least': 1, 'at_most': 2}", 2, ""},
    {"{'at_least': 1, 'at_most': 2}", 3, "  n: expected at most 2, is 3\n"},
};

START_TEST(a_number_is_exact_or_within_bounds) {
    cJSON *expected = json_of(numbers[_i].expected);
    expect_number(expected, numbers[_i].got, "n", &differences);
    assert_told(numbers[_i].expected, numbers[_i].told);
    cJSON_Delete(expected);
}
END_TEST

// --- reports

#define REPORT        "{'failed': ['a1', 'a2'], 'skipped': ['b1'], 'completed': ['c1', 'c2', 'c3']}"
#define REST          "'skipped': ['b1'], 'completed': 3"
#define LISTS(failed) "{'failed': " failed ", " REST "}"

static const struct {
    const char *expected, *report, *told;
} reports[] = {
    {"{'failed': ['a1', 'a2'], 'skipped': ['b1'], 'completed': ['c1', 'c2', 'c3']}", REPORT, ""},
    {"{'failed': 2, 'skipped': 1}", REPORT, ""},
    {LISTS("['a*']"), REPORT, ""},
    {LISTS("['a?', 'a2']"), REPORT, ""},
    {LISTS("{'count': 2, 'at_least': 1, 'at_most': 2, 'includes': ['a1', 'a*'], 'excludes': "
           "['b*']}"),
     REPORT, ""},
    {LISTS("{'count': {'at_least': 2}}"), REPORT, ""},
    {"{}", "{'failed': [], 'skipped': [], 'completed': ['x']}", ""},
    // what is not named must be empty
    {"{}", REPORT,
     "  a1: unexpected in failed (a1 broke)\n  a2: unexpected in failed\n"
     "  b1: unexpected in skipped\n"},
    {LISTS("[]"), REPORT, "  a1: unexpected in failed (a1 broke)\n  a2: unexpected in failed\n"},
    {"{'failed': 2}", REPORT, "  b1: unexpected in skipped\n"},
    {"{'skipped': 1, 'completed': 3}", REPORT,
     "  a1: unexpected in failed (a1 broke)\n  a2: unexpected in failed\n"},
    // unless completed alone is; those that it lacks are told all the same
    {"{'completed': 3}", REPORT, ""},
    {"{'completed': {'count': 3}}", REPORT, ""},
    {"{'completed': ['c1', 'c2', 'c3']}", REPORT, ""},
    {"{'completed': []}", "{'failed': ['a1'], 'skipped': ['b1'], 'completed': []}", ""},
    {"{'completed': []}", REPORT,
     "  c1: unexpected in completed\n  c2: unexpected in completed\n"
     "  c3: unexpected in completed\n"},
    {"{'completed': ['a1', 'c1', 'c2', 'c3']}", REPORT,
     "  a1: missing in completed; it is in failed (a1 broke)\n"},
    {"{'completed': 2}", REPORT, "  hosts in completed: expected 2, is 3\n"},
    {"{'completed': 4}", REPORT,
     "  a1: unexpected in failed (a1 broke)\n  a2: unexpected in failed\n"
     "  b1: unexpected in skipped\n  hosts in completed: expected 4, is 3\n"},
    {"{'completed': {'count': 4}}", "{'failed': [], 'skipped': ['b1'], 'completed': ['c1']}",
     "  b1: unexpected in skipped\n  hosts in completed: expected 4, is 1\n"},
    // missing, elsewhere, nowhere
    {LISTS("['a1', 'a2', 'c1']"), REPORT, "  c1: missing in failed; it is in completed\n"},
    {LISTS("['a1', 'a2', 'b1']"), REPORT, "  b1: missing in failed; it is in skipped\n"},
    {LISTS("['a1', 'a2', 'z9']"), REPORT, "  z9: missing in failed, and in no other list\n"},
    {"{'failed': 2, 'skipped': ['a1', 'b1']}", REPORT,
     "  a1: missing in skipped; it is in failed (a1 broke)\n"},
    {LISTS("['a2', 'a1']"), REPORT, "  failed: the hosts are right, but in another order\n"},
    {LISTS("['a*', 'z*']"), REPORT, "  z*: no host in failed matches\n"},
    {LISTS("['a1*']"), REPORT, "  a2: unexpected in failed\n"},
    {LISTS("3"), REPORT, "  hosts in failed: expected 3, is 2\n"},
    {LISTS("{'count': 3}"), REPORT, "  hosts in failed: expected 3, is 2\n"},
    {LISTS("{'count': {'at_least': 3}}"), REPORT, "  hosts in failed: expected at least 3, is 2\n"},
    {LISTS("{'at_least': 3}"), REPORT, "  hosts in failed: expected at least 3, is 2\n"},
    {LISTS("{'at_most': 1}"), REPORT, "  hosts in failed: expected at most 1, is 2\n"},
    {LISTS("{'includes': ['c1']}"), REPORT, "  c1: missing in failed; it is in completed\n"},
    {LISTS("{'includes': ['z*']}"), REPORT, "  z*: no host in failed matches\n"},
    {LISTS("{'excludes': ['*1']}"), REPORT, "  a1: unexpected in failed (a1 broke)\n"},
    // what is no report at all
    {"{}", "{'failed': [], 'completed': []}", "  skipped: the report has no such list\n"},
    {"{}", "[]",
     "  failed: the report has no such list\n  skipped: the report has no such list\n"
     "  completed: the report has no such list\n"},
    {"{}", "{'failed': [], 'skipped': [], 'completed': ['a', 5, null]}",
     "  completed: it holds a number\n  completed: it holds null\n"},
    {"{'completed': 2}", "{'failed': [], 'skipped': [], 'completed': ['a', 'a']}",
     "  a: it is in the report twice\n"},
    {"{'failed': 1, 'completed': 1}", "{'failed': ['a'], 'skipped': [], 'completed': ['a']}",
     "  a: it is in the report twice\n"},
};

static const char *why_of(void *arg, const char *host) {
    return strcmp(host, "a1") == 0 ? arg : NULL;
}

START_TEST(a_report_is_told_as_a_set_difference) {
    static char why[] = "a1 broke";
    cJSON *expected = json_of(reports[_i].expected), *report = json_of(reports[_i].report);
    expect_report(expected, report, why_of, why, &differences);
    assert_told(reports[_i].expected, reports[_i].told);
    cJSON_Delete(expected);
    cJSON_Delete(report);
}
END_TEST

START_TEST(of_many_hosts_the_first_are_told_and_the_others_counted) {
    cJSON *report = json_of("{'failed': [], 'skipped': []}"), *expected = json_of("{}");
    cJSON *completed = cJSON_AddArrayToObject(report, "completed");
    cJSON_AddArrayToObject(expected, "completed");
    for (int i = 0; i < 848; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%d", i);
        cJSON_AddItemToArray(completed, cJSON_CreateString(name));
    }
    expect_report(expected, report, NULL, NULL, &differences);
    ck_assert_ptr_nonnull(strstr(differences.data, "  h29: unexpected in completed\n"));
    ck_assert_ptr_null(strstr(differences.data, "  h30: unexpected in completed\n"));
    ck_assert_ptr_nonnull(strstr(differences.data, "  and 818 more hosts\n"));
    cJSON_Delete(report);
    cJSON_Delete(expected);
}
END_TEST

// --- paths

static const char document[] =
    "{'a': {'b': [{'c': 5}, 'x']}, 'top': [[1, 2], [3]], 'null': null, 'version': '5.3.1'}";

static const struct {
    const char *path, *found; // NULL: nothing
} paths[] = {
    {"a.b[0].c", "5"},
    {"$.a.b[1]", "'x'"},
    {"top[0][1]", "2"},
    {"null", "null"},
    {"a.b", "[{'c': 5}, 'x']"},
    {"a.b[2]", NULL},
    {"a.b[-1]", NULL},
    {"a.b[x]", NULL},
    {"a.b[0", NULL},
    {"a.b[]", NULL},
    {"a.z.c", NULL},
    {"version.x", NULL},
    {"top.a", NULL},
    {"a[0]", NULL},
    {"a.b[4294967296]", NULL},
    {"A", NULL},
};

START_TEST(a_path_leads_to_a_value_or_to_nothing) {
    cJSON *json = json_of(document);
    const cJSON *found = expect_find(json, paths[_i].path);
    if (paths[_i].found == NULL) {
        ck_assert_msg(found == NULL, "%s", paths[_i].path);
    } else {
        cJSON *expected = json_of(paths[_i].found);
        ck_assert_msg(cJSON_Compare(found, expected, true), "%s", paths[_i].path);
        cJSON_Delete(expected);
    }
    cJSON_Delete(json);
}
END_TEST

static const struct {
    const char *expected, *told;
} values[] = {
    {"{'a.b[0].c': 5, 'version': '5.*', 'null': null, 'top': [[1, 2], [3]]}", ""},
    {"{'a.b[0].c': 6}", "  a.b[0].c: expected 6, is 5\n"},
    {"{'a.b[0].c': '5'}", "  a.b[0].c: expected \"5\", is 5\n"},
    {"{'version': '6.*'}", "  version: expected \"6.*\", is \"5.3.1\"\n"},
    {"{'top': [[1, 2]]}", "  top: expected [[1,2]], is [[1,2],[3]]\n"},
    {"{'z': 1}", "  z: missing\n"},
    {"{'z': {'absent': true}}", ""},
    {"{'version': {'absent': true}}", "  version: it exists, but should not\n"},
    {"{'version': {'absent': false}}", ""},
    {"{'z': {'absent': false}}", "  z: missing\n"},
    {"{'top': {'count': 2}}", ""},
    {"{'top': {'count': 3}}", "  top: expected 3, is 2\n"},
    {"{'top': {'count': {'at_least': 3}}}", "  top: expected at least 3, is 2\n"},
    {"{'version': {'count': 0}}", "  version: expected an array or an object, is a string\n"},
    {"{'a.b[0].c': {'at_least': 5, 'at_most': 5}}", ""},
    {"{'a.b[0].c': {'at_least': 6}}", "  a.b[0].c: expected at least 6, is 5\n"},
    {"{'version': {'at_least': 1}}", "  version: expected a number, is a string\n"},
};

START_TEST(the_value_at_a_path_is_compared) {
    cJSON *json = json_of(document), *expected = json_of(values[_i].expected);
    expect_paths(expected, json, &differences);
    assert_told(values[_i].expected, values[_i].told);
    cJSON_Delete(json);
    cJSON_Delete(expected);
}
END_TEST

// --- devices and the referee

static const char devices_text[] =
    "[{'name': 'leaf00.earth', 'version': '5.3.1', 'state': 'up', 'logins': 2, 'installs': 1},"
    " {'name': 'leaf01.earth', 'version': '5.1.0', 'state': 'down', 'logins': 0, 'installs': 0}]";

static const struct {
    const char *expected, *told;
} devices[] = {
    {"{'leaf00.earth': {'version': '5.3.1', 'state': 'up', 'logins': 2, 'installs': 1}}", ""},
    {"{'leaf0?.earth': {'version': '5.*', 'logins': {'at_most': 2}}}", ""},
    {"{'leaf0*': {'version': '5.3.1'}}",
     "  leaf01.earth: version: expected \"5.3.1\", is \"5.1.0\"\n"},
    {"{'leaf01.earth': {'state': 'up', 'logins': 1, 'installs': {'at_least': 1}}}",
     "  leaf01.earth: state: expected \"up\", is \"down\"\n"
     "  leaf01.earth: logins: expected 1, is 0\n"
     "  leaf01.earth: installs: expected at least 1, is 0\n"},
    {"{'leaf01.earth': {'epoch': {'at_least': 7}}}",
     "  leaf01.earth: epoch: expected at least 7, is 0\n"},
    {"{'leaf00.mars': {'state': 'up'}}", "  leaf00.mars: there is no such device\n"},
    {"{'spine*': {'state': 'up'}}", "  spine*: there is no such device\n"},
};

START_TEST(every_device_that_fits_must_be_as_expected) {
    cJSON *list = json_of(devices_text), *expected = json_of(devices[_i].expected);
    expect_devices(expected, list, &differences);
    assert_told(devices[_i].expected, devices[_i].told);
    cJSON_Delete(list);
    cJSON_Delete(expected);
}
END_TEST

#define OVERLAP "{'kind':'group_overlap','group':'earth_leaf_100','hosts':['a','b']}"
#define DRIVE   "{'kind':'double_drive','group':'earth_edge','hosts':['c']}"
#define OVERLAP_TOLD                                                                               \
    "{\"kind\":\"group_overlap\",\"group\":\"earth_leaf_100\",\"hosts\":[\"a\",\"b\"]}"
#define DRIVE_TOLD "{\"kind\":\"double_drive\",\"group\":\"earth_edge\",\"hosts\":[\"c\"]}"

static const struct {
    const char *expected, *violations, *told;
} audits[] = {
    {"{'violations': []}", "[]", ""},
    {"{'violations': []}", "[" OVERLAP "]", "  the referee saw: " OVERLAP_TOLD "\n"},
    {"{'violations': [{'kind': 'group_overlap'}]}", "[" OVERLAP "]", ""},
    {"{'violations': [{'kind': 'group_overlap', 'hosts': ['a', 'b']}]}", "[" OVERLAP "]", ""},
    {"{'violations': [{'kind': 'group_overlap', 'hosts': ['a']}]}", "[" OVERLAP "]",
     "  the referee did not see: {\"kind\":\"group_overlap\",\"hosts\":[\"a\"]}\n"
     "  the referee saw: " OVERLAP_TOLD "\n"},
    {"{'violations': [{'kind': 'group_overlap'}]}", "[" OVERLAP "," OVERLAP "]",
     "  the referee saw: " OVERLAP_TOLD "\n"},
    {"{'violations': [{'kind': 'peer_down'}]}", "[]",
     "  the referee did not see: {\"kind\":\"peer_down\"}\n"},
    {"{'violations': [{'kind': 'double_drive'}, {'kind': 'group_overlap'}]}",
     "[" OVERLAP "," DRIVE "]", ""},
    // the wider of two that are expected comes first, and fits both
    {"{'violations': [{}, {'kind': 'group_overlap'}]}", "[" OVERLAP "," DRIVE "]", ""},
    {"{'violations': [{}, {'kind': 'group_overlap'}, {'kind': 'group_overlap'}]}",
     "[" OVERLAP "," DRIVE "]", "  the referee did not see: {\"kind\":\"group_overlap\"}\n"},
    {"{'allow': ['group_overlap']}", "[" OVERLAP "]", ""},
    {"{'allow': ['group_overlap']}", "[" OVERLAP "," DRIVE "]",
     "  the referee saw: " DRIVE_TOLD "\n"},
    {"{'allow': []}", "[]", ""},
    {"{'max_in_flight': 7}", "[" OVERLAP "]", ""},
    {"{'max_in_flight': {'at_most': 6}}", "[]", "  max_in_flight: expected at most 6, is 7\n"},
    {"{'max_installing': 5}", "[]", ""},
    {"{'max_installing': 7}", "[]", "  max_installing: expected 7, is 5\n"},
};

START_TEST(the_referee_saw_what_is_expected_and_nothing_else) {
    cJSON *expected = json_of(audits[_i].expected),
          *audit = json_of("{'max_in_flight': 7, 'max_installing': 5}");
    cJSON_AddItemToObject(audit, "violations", json_of(audits[_i].violations));
    expect_audit(expected, audit, &differences);
    assert_told(audits[_i].expected, audits[_i].told);
    cJSON_Delete(expected);
    cJSON_Delete(audit);
}
END_TEST

// What is allowed may be all that was kept, and what is not among what was not.
START_TEST(violations_that_were_not_kept_are_not_allowed) {
    static const char *const expected[] = {"{'allow': ['group_overlap']}",
                                           "{'violations': [{'kind': 'group_overlap'}]}"};
    cJSON *audit = json_of("{'violations': [" OVERLAP "], 'violations_not_kept': 3}");
    for (size_t i = 0; i < COUNT(expected); i++) {
        cJSON *one = json_of(expected[i]);
        buf_clear(&differences);
        expect_audit(one, audit, &differences);
        assert_told(expected[i], "  the referee saw 3 violations more, which it did not keep\n");
        cJSON_Delete(one);
    }
    cJSON_Delete(audit);
}
END_TEST

static const struct {
    const char *expected, *told;
} no_numbers[] = {
    {"'7'", "  x: it is compared with a number, not with a string\n"},
    {"{'at_least': '7'}", "  x: it is compared with a number, not with a string\n"},
    {"{'at_least': 1, 'at_most': true}", "  x: it is compared with a number, not with a boolean\n"},
    {"{'at_least': 1, 'at_most': 7}", ""},
    {"7", ""},
};

START_TEST(a_number_is_compared_with_numbers_alone) {
    cJSON *expected = json_of(no_numbers[_i].expected);
    expect_number(expected, 7, "x", &differences);
    assert_told(no_numbers[_i].expected, no_numbers[_i].told);
    cJSON_Delete(expected);
}
END_TEST

// --- the log

#define ID    "0b8bdc03-c4b4-4e61-8229-3b6c55854101"
#define STAMP ":2026-11-23 23:59:02,421:" ID ":"

static const char log_text[] =
    "INFO" STAMP "starting  host:leaf00.earth\n"
    "ERROR" STAMP "completed host:leaf00.earth:install_os_version: no space\n"
    "a line of another kind\n"
    "short:line\n"
    "{\"level\": \"info\", \"event\": \"x\"}\n"
    "WARNING" STAMP "skipped   host:leaf01.earth:leaf00.earth"; // and no line feed

static const struct {
    const char *expected, *told;
} logs[] = {
    {"{'has': ['INFO:starting  host:leaf00.earth', 'starting  host:leaf00.earth']}", ""},
    {"{'has': ['ERROR:*no space', '*leaf01.earth*']}", ""},
    {"{'has': ['WARNING:starting  host:leaf00.earth', 'starting']}",
     "  the log has no line: WARNING:starting  host:leaf00.earth\n"
     "  the nearest that it has: INFO:starting  host:leaf00.earth\n"
     "  the log has no line: starting\n"
     "  the nearest that it has: INFO:starting  host:leaf00.earth\n"},
    {"{'has': ['a line of another kind']}", "  the log has no line: a line of another kind\n"},
    {"{'has': ['{?level?: ?info?, ?event?: ?x?}', '*?event?: ?x?}'], 'lacks': ['*event?: ?x?']}",
     ""},
    {"{'lacks': ['CRITICAL:*', 'starting']}", ""},
    {"{'lacks': ['ERROR:*']}", "  the log has a line that it should not have: ERROR" STAMP
                               "completed host:leaf00.earth:install_os_version: no space\n"},
    {"{'lacks': ['WARNING:*']}", "  the log has a line that it should not have: WARNING" STAMP
                                 "skipped   host:leaf01.earth:leaf00.earth\n"},
    {"{'order': ['INFO:*', 'ERROR:*', 'WARNING:*']}", ""},
    {"{'order': ['INFO:*', 'WARNING:*']}", ""},
    {"{'order': ['ERROR:*', 'INFO:*', 'WARNING:*']}",
     "  the log has no such line after the one before it: INFO:*\n"},
    {"{'order': ['INFO:*', 'INFO:*']}",
     "  the log has no such line after the one before it: INFO:*\n"},
};

START_TEST(a_log_line_is_compared_without_its_time_and_id) {
    cJSON *expected = json_of(logs[_i].expected);
    expect_log(expected, log_text, &differences);
    assert_told(logs[_i].expected, logs[_i].told);
    cJSON_Delete(expected);
}
END_TEST

START_TEST(an_empty_log_lacks_every_line) {
    cJSON *expected = json_of("{'has': ['*'], 'lacks': ['*'], 'order': ['*']}");
    expect_log(expected, "", &differences);
    assert_told("empty", "  the log has no line: *\n"
                         "  the log has no such line after the one before it: *\n");
    cJSON_Delete(expected);
}
END_TEST

Suite *check_expect(void) {
    Suite *suite = suite_create("expect");
    TCase *tc = tcase_create("expect");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_pattern_with_wildcards_is_a_glob_and_any_other_is_compared, 0,
                        COUNT(patterns));
    tcase_add_loop_test(tc, a_number_is_exact_or_within_bounds, 0, COUNT(numbers));
    tcase_add_loop_test(tc, a_report_is_told_as_a_set_difference, 0, COUNT(reports));
    tcase_add_test(tc, of_many_hosts_the_first_are_told_and_the_others_counted);
    tcase_add_loop_test(tc, a_path_leads_to_a_value_or_to_nothing, 0, COUNT(paths));
    tcase_add_loop_test(tc, the_value_at_a_path_is_compared, 0, COUNT(values));
    tcase_add_loop_test(tc, every_device_that_fits_must_be_as_expected, 0, COUNT(devices));
    tcase_add_test(tc, violations_that_were_not_kept_are_not_allowed);
    tcase_add_loop_test(tc, a_number_is_compared_with_numbers_alone, 0, COUNT(no_numbers));
    tcase_add_loop_test(tc, the_referee_saw_what_is_expected_and_nothing_else, 0, COUNT(audits));
    tcase_add_loop_test(tc, a_log_line_is_compared_without_its_time_and_id, 0, COUNT(logs));
    tcase_add_test(tc, an_empty_log_lacks_every_line);
    suite_add_tcase(suite, tc);
    return suite;
}
