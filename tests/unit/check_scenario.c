#include "scenarios/runner/scenario.h"

#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_scenario(void);

static struct scenario s;

static void tear_down(void) {
    scenario_deinit(&s);
}

static void parse_well(const char *text) {
    struct findings found = {0};
    int rc = scenario_parse(&s, "x/y.yaml", text, strlen(text), &found);
    ck_assert_msg(rc == 0, "%s", found.list[0].text);
    ck_assert_uint_eq(found.count, 0);
}

#define STEP "steps: [audit: {violations: []}]\n"

START_TEST(a_scenario_has_a_name_and_seed_1_unless_it_says_another) {
    parse_well("name: it works\n" STEP);
    ck_assert_str_eq(s.name, "it works");
    ck_assert_str_eq(s.path, "x/y.yaml");
    ck_assert_uint_eq(s.seed, 1);
    scenario_deinit(&s);
    parse_well("name: it works\nseed: 9007199254740991\n" STEP);
    ck_assert_uint_eq(s.seed, 9007199254740991);
}
END_TEST

START_TEST(what_is_known_only_when_it_runs_is_left_to_that_moment) {
    parse_well("name: open\n"
               "matrix: {effect: [error, close], share: [0.5], n: [1, 2]}\n"
               "network: {sites: ['${effect}'], latency: '${share}', "
               "dev_types: {leaf: {count: '${n}'}}}\n"
               "orchestrator: {workers: '${n}'}\n"
               "faults: [{on: login, effect: '${effect}', probability: '${share}', by: '${n}'}]\n"
               "steps:\n"
               "- request: {json: {v: '${n}'}, capture: {first: 'failed[0]'}}\n"
               "- devices: {'${first}': {logins: '${n}'}}\n"
               "- eventually: {timeout: '${share}', steps: [log: {has: ['${dir} ${seed}']}]}\n");
}
END_TEST

static const struct {
    const char *tags;
    bool fits;
} tags[] = {
    {"slow", true}, {"fast", true},   {"slo", false},       {"slower", false},
    {"", false},    {"x,fast", true}, {"x,fast,y", true},   {"x,y", false},
    {",", false},   {"fas,t", false}, {"slow-fast", false},
};

START_TEST(a_tag_is_found_in_a_list_of_tags) {
    parse_well("name: tagged\ntags: [slow, fast]\n" STEP);
    ck_assert_msg(scenario_tagged(&s, tags[_i].tags) == tags[_i].fits, "%s", tags[_i].tags);
}
END_TEST

START_TEST(a_scenario_without_tags_carries_none) {
    parse_well("name: bare\n" STEP);
    ck_assert(!scenario_tagged(&s, ""));
    ck_assert(!scenario_tagged(&s, "a"));
}
END_TEST

START_TEST(a_matrix_has_a_combination_of_each_value_with_each) {
    static const char *const expected[] = {
        "{'a': 1, 'b': 'x'}",  "{'a': 2, 'b': 'x'}",  "{'a': 3, 'b': 'x'}",
        "{'a': 1, 'b': true}", "{'a': 2, 'b': true}", "{'a': 3, 'b': true}",
    };
    parse_well("name: many\nmatrix: {a: [1, 2, 3], b: [x, true]}\n" STEP);
    ck_assert_uint_eq(scenario_combinations(&s), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        cJSON *got = scenario_combination(&s, i), *wanted = json_of(expected[i]);
        ck_assert_msg(cJSON_Compare(got, wanted, true), "combination %zu", i);
        cJSON_Delete(got);
        cJSON_Delete(wanted);
    }
}
END_TEST

START_TEST(without_a_matrix_there_is_one_empty_combination) {
    parse_well("name: one\n" STEP);
    ck_assert_uint_eq(scenario_combinations(&s), 1);
    cJSON *values = scenario_combination(&s, 0);
    ck_assert_int_eq(cJSON_GetArraySize(values), 0);
    cJSON_Delete(values);
}
END_TEST

START_TEST(a_plain_fault_has_no_field_of_the_scenario) {
    cJSON *fault = json_of("{'name': 'n', 'may_not_fire': true, 'on': 'any', 'effect': 'close'}");
    cJSON *plain = scenario_plain_fault(fault),
          *wanted = json_of("{'on': 'any', 'effect': 'close'}");
    ck_assert(cJSON_Compare(plain, wanted, true));
    ck_assert(cJSON_HasObjectItem(fault, "name"));
    cJSON_Delete(fault);
    cJSON_Delete(plain);
    cJSON_Delete(wanted);
}
END_TEST

static const struct {
    const char *path, *named, *found;
} beside[] = {
    {"scenarios/a/b.yaml", "net.yaml", "scenarios/a/net.yaml"},
    {"scenarios/a/b.yaml", "../net.yaml", "scenarios/a/../net.yaml"},
    {"scenarios/a/b.yaml", "/etc/net.yaml", "/etc/net.yaml"},
    {"b.yaml", "net.yaml", "net.yaml"},
};

START_TEST(a_file_is_looked_for_beside_its_scenario) {
    struct scenario other = {.path = mem_strdup(beside[_i].path)};
    char *found = scenario_beside(&other, beside[_i].named);
    ck_assert_str_eq(found, beside[_i].found);
    free(found);
    free(other.path);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told_by_name) {
    struct findings found = {0};
    ck_assert_int_lt(scenario_load(&s, "/nowhere/x.yaml", &found), 0);
    ck_assert_uint_eq(found.count, 1);
    ck_assert_ptr_nonnull(strstr(found.list[0].text, "/nowhere/x.yaml"));
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"", "y.yaml: it is empty"},
    {"name: x\n", "y.yaml:1:1: expected the field steps, which is missing"},
    {"nme: x\n" STEP, "y.yaml:1:6: nme: unknown field; did you mean name?"},
    {"name: x\nsteps: []\n", "y.yaml:2:8: steps: it is empty: expected one element at least"},
    {"name: x\nseed: 1.5\n" STEP, "y.yaml:2:7: seed: expected a whole number, not 1.5"},
    {"name: x\nmatrix: {a: [1, 2], b: []}\n" STEP,
     "y.yaml:2:24: matrix.b: it is empty: expected one element at least"},
    {"name: x\nnetwork: {sites: [earth], hosts: {leaf0.earth: {}}}\n" STEP,
     "y.yaml:2:48: network.hosts.leaf0.earth: the network has no device of that name"},
    {"name: x\nnetwork: {latency: 2s..1s}\n" STEP,
     "y.yaml:2:20: network.latency: '2s..1s' runs backwards: write the shorter duration first"},
    // a fault's own place, though the simulator's loader knows nothing of name
    {"name: x\nfaults:\n- {name: n, on: login, effect: close}\n- {name: m, on: login, effect: "
     "brick}\n" STEP,
     "y.yaml:4:17: faults[1].on: brick makes no sense on login, only on install_os_version or any"},
    {"name: x\nfaults: [{on: any, effect: delay}]\n" STEP, "y.yaml:2:10: faults[0].by: missing"},
    {"name: x\nsteps:\n- faults: [{on: any, effect: delay, by: 900h, code: 1}]\n",
     "y.yaml:3:53: steps[0].faults[0].code: belongs to the effect error, not to delay"},
    {"name: x\nsteps:\n- faults: [{on: any, effect: delay, by: 9000h}]\n",
     "y.yaml:3:41: steps[0].faults[0].by: '9000h' is longer than a year"},
    {"name: x\n" STEP "finally:\n- parallel:\n  - log: {has: [a]}\n"
     "  - [faults: [{on: any, effect: refuse, times: 1.5}]]\n",
     "y.yaml:6:48: finally[0].parallel[1][0].faults[0].times: expected a whole number, not 1.5"},
    {"name: x\n" STEP "finally:\n- parallel:\n  - log: {has: [a]}\n"
     "  - [faults: [{on: logout, effect: refuse}]]\n",
     "y.yaml:6:20: finally[0].parallel[1][0].faults[0].on: refuse makes no sense on logout, only "
     "on login or any"},
    {"name: x\nsteps:\n- eventually: {steps: [remove_faults: [brokn]]}\n",
     "y.yaml:3:40: steps[0].eventually.steps[0].remove_faults[0]: no fault of this scenario is "
     "named 'brokn'"},
    {"name: x\nfaults: [{name: broken, on: any, effect: close}]\nsteps:\n- remove_faults: "
     "[broken, brokn]\n",
     "y.yaml:4:27: steps[0].remove_faults[1]: no fault of this scenario is named 'brokn'; did you "
     "mean broken?"},
    // names: captures are known to steps only
    {"name: x\nmatrix: {device: [a]}\nsteps:\n- log: {has: ['${devise}']}\n",
     "y.yaml:4:15: steps[0].log.has[0]: there is no ${devise} here; did you mean ${device}?"},
    {"name: x\nfaults: [{on: any, effect: close, name: '${first}'}]\nsteps:\n- request: {capture: "
     "{first: 'failed[0]'}}\n",
     "y.yaml:2:41: faults[0].name: there is no ${first} here; known are ${seed}, ${dir}"},
    {"name: x\nsteps:\n- request: {body: '${seed'}\n",
     "y.yaml:3:19: steps[0].request.body: '${seed': expected a } behind ${"},
    {"name: x\nmatrix:\n  a: &l [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  b: *l\n  c: *l\n  d: *l\n"
     "  e: *l\n" STEP,
     "y.yaml:3:3: matrix: expected 10000 combinations at most, not 100000"},
    {"name: x\nmatrix: {seed: [7, 8]}\n" STEP,
     "y.yaml:2:16: matrix.seed: ${seed} has its value without a matrix, by --seed: give it another "
     "name"},
    {"name: x\nmatrix: {dir: [a]}\n" STEP,
     "y.yaml:2:15: matrix.dir: ${dir} has its value without a matrix: give it another name"},
    {"name: x\nalways: [request: {}]\n" STEP,
     "y.yaml:2:19: always[0].request: unknown field; known are metrics, devices, audit, log"},
};

START_TEST(what_is_wrong_is_told_with_its_line_and_column) {
    struct findings found = {0};
    int rc = scenario_parse(&s, "y.yaml", wrong[_i].text, strlen(wrong[_i].text), &found);
    ck_assert_int_eq(rc, ERROR_INPUT);
    ck_assert_str_eq(found.list[0].text, wrong[_i].error);
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

static const struct {
    const char *text, *errors; // a line each
} many[] = {
    // of several kinds, in the order of the file
    {"name: '${x}'\nsed: 5\nfaults:\n- {on: login, effect: brick}\n- {on: any, effect: eror}\n"
     "- {on: any, effect: delay}\nalways: [audit: {max_in_fligt: 1}]\nsteps:\n"
     "- log: {has: [5, 6]}\n- sleep: 5s\n",
     "y.yaml:2:6: sed: unknown field; did you mean seed?\n"
     "y.yaml:4:8: faults[0].on: brick makes no sense on login, only on install_os_version or any\n"
     "y.yaml:5:21: faults[1].effect: 'eror' is none of error, refuse, reset, close, no_reply, "
     "delay, slow, truncate, garbage, oversize, wrong_id, wrong_version, reboot, brick; did you "
     "mean error?\n"
     "y.yaml:6:3: faults[2].by: missing\n"
     "y.yaml:7:32: always[0].audit.max_in_fligt: unknown field; did you mean max_in_flight?\n"
     "y.yaml:9:15: steps[0].log.has[0]: expected a string, not 5: put it in quotes\n"
     "y.yaml:9:18: steps[0].log.has[1]: expected a string, not 6: put it in quotes\n"
     "y.yaml:10:10: steps[1].sleep: unknown field; known are request, metrics, devices, audit, "
     "log, faults, remove_faults, parallel, when, job, signal, files, eventually\n"},
    // every name; and what is about steps within steps has its place
    {"name: '${a}'\nfaults: [{on: any, effect: close, message: '${b}'}]\nsteps:\n"
     "- parallel:\n  - log: {has: ['${c}', '${seed}', '${d}']}\n"
     "  - [remove_faults: [e], faults: [{on: logout, effect: refuse}]]\n"
     "finally:\n- eventually: {steps: [remove_faults: [f]]}\n",
     "y.yaml:1:7: name: there is no ${a} here; known are ${seed}\n"
     "y.yaml:2:44: faults[0].message: there is no ${b} here; known are ${seed}, ${dir}\n"
     "y.yaml:5:17: steps[0].parallel[0].log.has[0]: there is no ${c} here; known are ${seed}, "
     "${dir}, ${simulator}\n"
     "y.yaml:5:36: steps[0].parallel[0].log.has[2]: there is no ${d} here; known are ${seed}, "
     "${dir}, ${simulator}\n"
     "y.yaml:6:22: steps[0].parallel[1][0].remove_faults[0]: no fault of this scenario is named "
     "'e'\n"
     "y.yaml:6:40: steps[0].parallel[1][1].faults[0].on: refuse makes no sense on logout, only on "
     "login or any\n"
     "y.yaml:8:40: finally[0].eventually.steps[0].remove_faults[0]: no fault of this scenario is "
     "named 'f'\n"},
    {"nme: x\nsteps: []\n", "y.yaml:1:6: nme: unknown field; did you mean name?\n"
                            "y.yaml:2:8: steps: it is empty: expected one element at least\n"},
    // an error is told once: not for what depends on the part that is wrong, too
    {"name: x\nmatrx: {a: [1]}\nsteps:\n- log: {has: ['${a}']}\n",
     "y.yaml:2:8: matrx: unknown field; did you mean matrix?\n"},
    {"name: x\nmatrix: {a: 1}\nsteps:\n- log: {has: ['${a}']}\n",
     "y.yaml:2:13: matrix.a: expected an array, not 1\n"},
    {"name: x\nsteps:\n- request: {captur: {a: 'failed[0]'}}\nfinally:\n- log: {has: ['${a}']}\n",
     "y.yaml:3:21: steps[0].request.captur: unknown field; did you mean capture?\n"},
    {"name: x\nfaults: [{nme: f, on: any, effect: close}]\nsteps:\n- remove_faults: [f]\n",
     "y.yaml:2:16: faults[0].nme: unknown field; did you mean name?\n"},
    // parts of another type hold nothing
    {"name: x\nfaults: {a: [b]}\nsteps: {a: [{faults: 5}]}\nfinally: [5, [remove_faults]]\n"
     "network: [a]\nmatrix: 5\nalways: x\n",
     "y.yaml:2:9: faults: expected an array, not an object\n"
     "y.yaml:3:8: steps: expected an array, not an object\n"
     "y.yaml:4:11: finally[0]: expected an object, not 5\n"
     "y.yaml:4:14: finally[1]: expected an object, not an array\n"
     "y.yaml:5:10: network: expected a string or an object, not an array\n"
     "y.yaml:6:9: matrix: expected an object, not 5\n"
     "y.yaml:7:9: always: expected an array, not a string\n"},
};

START_TEST(all_that_is_wrong_is_told_at_once_in_the_order_of_the_file) {
    struct findings found = {0};
    struct buf told = {0};
    int rc = scenario_parse(&s, "y.yaml", many[_i].text, strlen(many[_i].text), &found);
    ck_assert_int_eq(rc, ERROR_INPUT);
    for (size_t i = 0; i < found.count; i++)
        buf_addf(&told, "%s\n", found.list[i].text);
    ck_assert_str_eq(told.data, many[_i].errors);
    ck_assert_uint_eq(found.more, 0);
    buf_deinit(&told);
}
END_TEST

START_TEST(of_many_errors_the_first_are_told_and_the_others_counted) {
    enum { MORE = 5 };
    struct findings found = {0};
    struct buf text = {0};
    buf_adds(&text, "name: x\nsteps:\n");
    for (int i = 0; i < FINDINGS_MAX + MORE; i++)
        buf_adds(&text, "- sleep: 5s\n");
    ck_assert_int_eq(scenario_parse(&s, "y.yaml", text.data, text.len, &found), ERROR_INPUT);
    ck_assert_uint_eq(found.count, FINDINGS_MAX);
    ck_assert_uint_eq(found.more, MORE);
    for (int i = 0; i < FINDINGS_MAX; i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "y.yaml:%d:10: steps[%d].sleep: unknown", i + 3, i);
        ck_assert_ptr_eq(strstr(found.list[i].text, begin), found.list[i].text);
    }
    buf_deinit(&text);
}
END_TEST

Suite *check_scenario(void) {
    Suite *suite = suite_create("scenario");
    TCase *tc = tcase_create("scenario");
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_test(tc, a_scenario_has_a_name_and_seed_1_unless_it_says_another);
    tcase_add_test(tc, what_is_known_only_when_it_runs_is_left_to_that_moment);
    tcase_add_loop_test(tc, a_tag_is_found_in_a_list_of_tags, 0, COUNT(tags));
    tcase_add_test(tc, a_scenario_without_tags_carries_none);
    tcase_add_test(tc, a_matrix_has_a_combination_of_each_value_with_each);
    tcase_add_test(tc, without_a_matrix_there_is_one_empty_combination);
    tcase_add_test(tc, a_plain_fault_has_no_field_of_the_scenario);
    tcase_add_loop_test(tc, a_file_is_looked_for_beside_its_scenario, 0, COUNT(beside));
    tcase_add_test(tc, a_file_that_is_not_there_is_told_by_name);
    tcase_add_loop_test(tc, what_is_wrong_is_told_with_its_line_and_column, 0, COUNT(wrong));
    tcase_add_loop_test(tc, all_that_is_wrong_is_told_at_once_in_the_order_of_the_file, 0,
                        COUNT(many));
    tcase_add_test(tc, of_many_errors_the_first_are_told_and_the_others_counted);
    suite_add_tcase(suite, tc);
    return suite;
}
