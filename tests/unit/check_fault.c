#include "common/count.h"
#include "simulator/fault.h"

#include "common/json.h"
#include "simulator/draw.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *check_fault(void);

static struct fault_list list;

static void set_up(void) {
    list = (struct fault_list){0};
}

static void tear_down(void) {
    fault_deinit(&list);
}

static int add(const char *text, struct error *err) {
    cJSON *json = NULL;
    ck_assert_msg(json_parse(text, strlen(text), &json, err) == 0, "%s: %s", text, err->text);
    int rc = fault_add(&list, json, err);
    cJSON_Delete(json);
    return rc;
}

static void add_well(const char *text) {
    struct error err = {0};
    ck_assert_msg(add(text, &err) == 0, "%s: %s", text, err.text);
}

static struct fault_use use_of(uint32_t device, enum operation operation, uint32_t attempt) {
    return (struct fault_use){
        .device = device,
        .fields = {[FAULT_SITE] = "earth",
                   [FAULT_DEV_TYPE] = "leaf",
                   [FAULT_RACK] = "131",
                   [FAULT_HOST] = "leaf63.earth"},
        .operation = operation,
        .draw = draw_call(1, device, operation, attempt),
    };
}

// The effect on the device's next call, FAULT_NONE for none.
static enum fault_effect effect_on(uint32_t device, enum operation operation, uint32_t attempt) {
    struct fault_use use = use_of(device, operation, attempt);
    const struct fault_action *action = fault_choose(&list, &use);
    return action == NULL ? FAULT_NONE : action->effect;
}

static const struct {
    const char *match;
    bool holds;
} matches[] = {
    {"{}", true},
    {"{\"site\": \"earth\"}", true},
    {"{\"site\": \"mars\"}", false},
    {"{\"site\": \"ear\"}", false},
    {"{\"site\": \"e*\"}", true},
    {"{\"site\": [\"mars\", \"earth\"]}", true},
    {"{\"site\": [\"mars\", \"e?rth\"]}", true},
    {"{\"site\": []}", false},
    {"{\"rack\": \"131\"}", true},
    {"{\"rack\": 131}", true},
    {"{\"rack\": [130, \"131\"]}", true},
    {"{\"rack\": \"13[0-2]\"}", true},
    {"{\"host\": \"leaf6*.earth\"}", true},
    {"{\"host\": \"leaf6*.mars\"}", false},
    {"{\"dev_type\": \"leaf\", \"site\": \"mars\"}", false},
    {"{\"dev_type\": \"leaf\", \"site\": \"earth\", \"rack\": \"131\"}", true},
};

START_TEST(a_match_is_a_value_a_list_or_a_glob_of_each_field) {
    struct buf rule = {0};
    buf_addf(&rule, "{\"effect\": \"close\", \"match\": %s}", matches[_i].match);
    add_well(rule.data);
    buf_deinit(&rule);
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 1) == FAULT_CLOSE, matches[_i].holds);
}
END_TEST

static const struct {
    const char *effect;
    unsigned legal;
} effects[] = {
#define X(name, text, on, carried_out, fields) {#text, on},
#include "simulator/fault_effects.def"
#undef X
};

START_TEST(each_effect_is_taken_where_it_makes_sense_and_refused_elsewhere) {
    for (unsigned operation = 0; operation < OPERATION_COUNT; operation++) {
        struct buf rule = {0};
        struct error err = {0};
        buf_addf(&rule, "{\"effect\": \"%s\", \"on\": \"%s\"", effects[_i].effect,
                 operation_names[operation]);
        if (_i == FAULT_DELAY) buf_adds(&rule, ", \"by\": \"1s\"");
        if (_i == FAULT_SLOW) buf_adds(&rule, ", \"bytes_per_second\": 10");
        buf_adds(&rule, "}");
        bool legal = (effects[_i].legal & OPERATION_BIT(operation)) != 0;
        ck_assert_int_eq(add(rule.data, &err), legal ? 0 : ERROR_INPUT);
        if (!legal) ck_assert_ptr_nonnull(strstr(err.text, "makes no sense on"));
        ck_assert_int_eq(effect_on(1, (enum operation)operation, 1), legal ? _i : FAULT_NONE);
        fault_remove_all(&list);
        buf_deinit(&rule);
    }
}
END_TEST

START_TEST(any_acts_where_the_effect_can) {
    add_well("[{\"effect\": \"refuse\", \"on\": \"any\"}, {\"effect\": \"reboot\"}]");
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 1), FAULT_REFUSE);
    ck_assert_int_eq(effect_on(1, OPERATION_GET_VERSION, 1), FAULT_NONE);
    ck_assert_int_eq(effect_on(1, OPERATION_INSTALL, 1), FAULT_REBOOT);
}
END_TEST

START_TEST(the_first_rule_that_holds_applies) {
    add_well("[{\"effect\": \"close\", \"on\": \"login\", \"times\": 1},"
             " {\"effect\": \"reset\", \"after\": 1, \"times\": 1},"
             " {\"effect\": \"garbage\"}]");
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 1), FAULT_CLOSE);
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 2), FAULT_GARBAGE); // reset lets one pass
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 3), FAULT_RESET);
    ck_assert_int_eq(effect_on(1, OPERATION_LOGIN, 4), FAULT_GARBAGE);
    ck_assert_uint_eq(list.rules[0]->fired, 1);
    ck_assert_uint_eq(list.rules[2]->fired, 2);
    ck_assert_uint_eq(list.fired[FAULT_GARBAGE], 2);
}
END_TEST

START_TEST(after_and_times_count_for_each_device) {
    add_well("{\"effect\": \"close\", \"after\": 2, \"times\": 3}");
    for (uint32_t device = 0; device < 1000; device++)
        for (uint32_t attempt = 1; attempt <= 8; attempt++)
            ck_assert_int_eq(effect_on(device, OPERATION_LOGIN, attempt),
                             attempt > 2 && attempt <= 5 ? FAULT_CLOSE : FAULT_NONE);
}
END_TEST

START_TEST(a_probability_is_drawn_per_rule_device_and_attempt_whatever_the_order) {
    add_well("[{\"effect\": \"close\", \"probability\": 0.3},"
             " {\"effect\": \"reset\", \"probability\": 0.3}]");
    enum { DEVICES = 2000 };
    static enum fault_effect forward[DEVICES];
    int count[FAULT_EFFECT_COUNT + 1] = {0};
    for (uint32_t device = 0; device < DEVICES; device++)
        count[forward[device] = effect_on(device, OPERATION_LOGIN, 1)]++;
    for (uint32_t device = DEVICES; device-- > 0;)
        ck_assert_int_eq(effect_on(device, OPERATION_LOGIN, 1), forward[device]);
    ck_assert_int_gt(count[FAULT_CLOSE], DEVICES * 25 / 100);
    ck_assert_int_lt(count[FAULT_CLOSE], DEVICES * 35 / 100);
    ck_assert_int_gt(count[FAULT_RESET], DEVICES * 16 / 100); // 0.3 of the rest
    ck_assert_int_lt(count[FAULT_RESET], DEVICES * 26 / 100);
    int other = 0;
    for (uint32_t device = 0; device < DEVICES; device++)
        other += effect_on(device, OPERATION_LOGIN, 2) != forward[device];
    ck_assert_int_gt(other, DEVICES / 4);
}
END_TEST

START_TEST(a_probability_of_0_never_holds_and_of_1_always) {
    add_well("[{\"effect\": \"close\", \"probability\": 0},"
             " {\"effect\": \"reset\", \"probability\": 1}]");
    for (uint32_t device = 0; device < 100; device++)
        ck_assert_int_eq(effect_on(device, OPERATION_LOGIN, 1), FAULT_RESET);
}
END_TEST

START_TEST(an_effect_has_its_fields_and_their_defaults) {
    add_well("[{\"effect\": \"error\"}, {\"effect\": \"error\", \"code\": 7, \"message\": \"no\"},"
             " {\"effect\": \"delay\", \"by\": \"1.5s\"}, {\"effect\": \"delay\", \"by\": 0},"
             " {\"effect\": \"slow\", \"bytes_per_second\": 9}, {\"effect\": \"reboot\"},"
             " {\"effect\": \"reboot\", \"downtime\": \"2m\"}]");
    ck_assert_int_eq(list.rules[0]->action.code, -32000);
    ck_assert_str_eq(list.rules[0]->action.message, "problem communicating with device");
    ck_assert_int_eq(list.rules[1]->action.code, 7);
    ck_assert_str_eq(list.rules[1]->action.message, "no");
    ck_assert_uint_eq(list.rules[2]->action.us, 1500000);
    ck_assert_uint_eq(list.rules[3]->action.us, 0);
    ck_assert_uint_eq(list.rules[4]->action.bytes_per_second, 9);
    ck_assert_uint_eq(list.rules[5]->action.us, FAULT_DOWNTIME_US);
    ck_assert_uint_eq(list.rules[6]->action.us, 120000000);
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"1", "expected an object, not a number"},
    {"[1]", "[0]: expected an object, not a number"},
    {"{}", "effect: missing"},
    {"{\"effect\": 1}", "effect: expected a string, not a number"},
    {"{\"effect\": \"rest\"}",
     "effect: 'rest' is none of error, refuse, reset, close, no_reply, delay, slow, truncate, "
     "garbage, oversize, wrong_id, wrong_version, reboot, brick; did you mean reset?"},
    {"{\"effect\": \"close\", \"on\": \"logn\"}",
     "on: 'logn' is none of login, get_version, get_cpu_ram, install_os_version, logout, any; did "
     "you mean login?"},
    {"{\"effect\": \"brick\", \"on\": \"login\"}",
     "on: brick makes no sense on login, only on install_os_version or any"},
    {"{\"effect\": \"close\", \"mach\": {}}", "mach: unknown field; did you mean match?"},
    {"{\"effect\": \"close\", \"match\": []}", "match: expected an object, not an array"},
    {"{\"effect\": \"close\", \"match\": {\"sit\": \"a\"}}",
     "match.sit: unknown field; did you mean site?"},
    {"[{\"effect\": \"close\"}, {\"effect\": \"close\", \"match\": {\"site\": 3}}]",
     "[1].match.site: expected a string, not a number"},
    {"{\"effect\": \"close\", \"match\": {\"host\": [\"a\", null]}}",
     "match.host[1]: expected a string, not null"},
    {"{\"effect\": \"close\", \"match\": {\"rack\": 1.5}}",
     "match.rack: expected a whole number from 0 to 4294967295, not 1.5"},
    {"{\"effect\": \"close\", \"probability\": 1.1}",
     "probability: expected a number from 0 to 1, not 1.1"},
    {"{\"effect\": \"close\", \"after\": -1}",
     "after: expected a whole number from 0 to 4294967295, not -1"},
    {"{\"effect\": \"close\", \"times\": \"2\"}", "times: expected a whole number, not a string"},
    {"{\"effect\": \"close\", \"by\": \"1s\"}", "by: belongs to the effect delay, not to close"},
    {"{\"effect\": \"close\", \"message\": \"x\"}",
     "message: belongs to the effect error, not to close"},
    {"{\"effect\": \"error\", \"code\": 1.5}", "code: expected a whole number, not 1.5"},
    {"{\"effect\": \"delay\"}", "by: missing"},
    {"{\"effect\": \"delay\", \"by\": 3}", "by: expected a string, not a number"},
    {"{\"effect\": \"delay\", \"by\": \"soon\"}",
     "by: 'soon' is not a duration: write 250us, 10ms, 1.5s, 5m or 1h"},
    {"{\"effect\": \"slow\", \"bytes_per_second\": 0}",
     "bytes_per_second: expected a whole number from 1 to 1000000000, not 0"},
};

static struct attribute_values attribute_of(void *device, const char *name) {
    static const char *const feeds[] = {"f1", "f3"};
    (void)device;
    if (strcmp(name, "feeds") != 0) return (struct attribute_values){0};
    return (struct attribute_values){feeds, COUNT(feeds)};
}

static const struct {
    const char *match;
    bool holds;
} attribute_matches[] = {
    {"{\"feeds\": \"f1\"}", true},
    {"{\"feeds\": \"f2\"}", false},
    {"{\"feeds\": [\"f2\", \"f3\"]}", true},
    {"{\"feeds\": \"*3\"}", true},
    {"{\"feeds\": \"*2\"}", false},
    {"{\"mlag\": \"*\"}", false},
    {"{\"feeds\": \"f1\", \"site\": \"mars\"}", false},
};

START_TEST(a_rule_may_match_any_attribute_and_a_list_by_any_of_its_elements) {
    static const char *const known[] = {"feeds", "mlag"};
    struct buf rule = {0};
    list.known = (struct fault_known){.names = known, .count = COUNT(known)};
    buf_addf(&rule, "{\"effect\": \"close\", \"match\": %s}", attribute_matches[_i].match);
    add_well(rule.data);
    struct fault_use use = use_of(1, OPERATION_LOGIN, 1);
    use.attribute = attribute_of;
    ck_assert_int_eq(fault_choose(&list, &use) != NULL, attribute_matches[_i].holds);
    buf_deinit(&rule);
}
END_TEST

START_TEST(a_wrong_rule_is_refused_with_its_path_and_none_of_its_array_is_added) {
    struct error err = {0};
    ck_assert_int_eq(add(wrong[_i].text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, wrong[_i].error);
    ck_assert_uint_eq(list.len, 0);
    ck_assert_uint_eq(list.last_id, 0);
}
END_TEST

START_TEST(rules_are_told_with_ids_and_defaults_and_removed_one_by_one) {
    struct buf out = {0};
    add_well("[{\"effect\": \"close\"}, {\"effect\": \"brick\", \"times\": 1}]");
    ck_assert(fault_remove(&list, 1));
    ck_assert(!fault_remove(&list, 1));
    add_well("{\"effect\": \"error\", \"on\": \"login\"}");
    fault_write(&list, 0, &out);
    ck_assert_str_eq(out.data,
                     "{\"faults\": [{\"id\": 2, \"fired\": 0, \"effect\":\"brick\",\"times\":1,"
                     "\"match\":{},\"on\":\"any\",\"probability\":1,\"after\":0}, "
                     "{\"id\": 3, \"fired\": 0, \"effect\":\"error\",\"on\":\"login\",\"match\":{},"
                     "\"probability\":1,\"after\":0,\"code\":-32000,"
                     "\"message\":\"problem communicating with device\"}]}");
    buf_clear(&out);
    fault_write(&list, 3, &out);
    ck_assert_str_eq(out.data, "{\"faults\": []}");
    fault_remove_all(&list);
    add_well("{\"effect\": \"close\"}");
    ck_assert_uint_eq(list.rules[0]->id, 4);
    fault_deinit(&list);
    add_well("{\"effect\": \"close\"}");
    ck_assert_uint_eq(list.rules[0]->id, 1);
    buf_deinit(&out);
}
END_TEST

Suite *check_fault(void) {
    Suite *suite = suite_create("fault");
    TCase *tc = tcase_create("fault");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_match_is_a_value_a_list_or_a_glob_of_each_field, 0, COUNT(matches));
    tcase_add_loop_test(tc, each_effect_is_taken_where_it_makes_sense_and_refused_elsewhere, 0,
                        FAULT_EFFECT_COUNT);
    tcase_add_test(tc, any_acts_where_the_effect_can);
    tcase_add_test(tc, the_first_rule_that_holds_applies);
    tcase_add_test(tc, after_and_times_count_for_each_device);
    tcase_add_test(tc, a_probability_is_drawn_per_rule_device_and_attempt_whatever_the_order);
    tcase_add_test(tc, a_probability_of_0_never_holds_and_of_1_always);
    tcase_add_test(tc, an_effect_has_its_fields_and_their_defaults);
    tcase_add_loop_test(tc, a_rule_may_match_any_attribute_and_a_list_by_any_of_its_elements, 0,
                        COUNT(attribute_matches));
    tcase_add_loop_test(tc, a_wrong_rule_is_refused_with_its_path_and_none_of_its_array_is_added, 0,
                        COUNT(wrong));
    tcase_add_test(tc, rules_are_told_with_ids_and_defaults_and_removed_one_by_one);
    suite_add_tcase(suite, tc);
    return suite;
}
