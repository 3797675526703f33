#include "orchestrator/pace.h"
#include "tests/unit/applied.h"

#include <stdio.h>

Suite *check_pace(void);

static const char network[] = "{'earth': {" HOST("edge00.earth", "edge", "10") ", " HOST(
    "spine00.earth", "spine", "20") ", " HOST("leaf00.earth", "leaf", "100") "}}";

static struct inventory *inventory;
static struct grouping grouping;
static struct pace pace;

static void setup(void) {
    const struct filter all = {.all = true};
    struct selection selection;
    struct error err;
    inventory = inventory_of(network);
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    grouping = acme_groups(inventory, &selection);
    selection_deinit(&selection);
    pace = (struct pace){0};
}

static void teardown(void) {
    grouping_deinit(&grouping);
    inventory_unref(inventory);
    pace_deinit(&pace);
}

static void learn(const char *task, const char *type, uint64_t ms, int hosts) {
    for (int i = 0; i < hosts; i++)
        pace_learn(&pace, task, type, ms);
}

static void assert_weights(uint32_t edge, uint32_t spine, uint32_t leaf) {
    pace_weigh(&pace, "upgrade_os", inventory, &grouping);
    ck_assert_uint_eq(grouping.constraints[0].weight, edge);
    ck_assert_uint_eq(grouping.constraints[1].weight, spine);
    ck_assert_uint_eq(grouping.constraints[2].weight, leaf);
}

START_TEST(nothing_is_weighed_before_anything_is_known) {
    ck_assert_uint_eq(grouping.constraints[0].weight, 1);
    assert_weights(1, 1, 1);
}
END_TEST

START_TEST(a_type_weighs_as_many_times_as_the_quickest_as_its_hosts_take) {
    learn("upgrade_os", "edge", 12100, 10);
    learn("upgrade_os", "spine", 8900, 10);
    learn("upgrade_os", "leaf", 3000, 10);
    assert_weights(4, 3, 1);
}
END_TEST

START_TEST(types_that_take_about_as_long_weigh_the_same) {
    learn("upgrade_os", "edge", 4400, 10);
    learn("upgrade_os", "spine", 3000, 10);
    learn("upgrade_os", "leaf", 3500, 10);
    assert_weights(1, 1, 1);
}
END_TEST

START_TEST(a_group_of_several_types_weighs_their_mean) {
    struct grouping mixed = {.constraints = mem_array(2, sizeof(struct constraint)), .count = 2};
    uint32_t hosts[] = {0, 1, 2}, needs[] = {0, 0, 0, 1};
    const uint32_t ends[] = {1, 2, 4}; // the leaf is under a throttle, too
    const struct selection selection = {hosts, 3};
    mixed.constraints[0].redundancy = true;
    grouping_build(&mixed, &selection, ends, needs);
    learn("upgrade_os", "edge", 12000, 10);
    learn("upgrade_os", "spine", 8000, 10);
    learn("upgrade_os", "leaf", 1000, 10);
    pace_weigh(&pace, "upgrade_os", inventory, &mixed);
    ck_assert_uint_eq(mixed.constraints[0].weight, 7);
    ck_assert_uint_eq(mixed.constraints[1].weight, 1);
    grouping_deinit(&mixed);
}
END_TEST

// Its host is skipped, but stands in the groups of the job all the same.
START_TEST(a_host_of_another_platform_may_have_no_type) {
    struct inventory *mixed = inventory_of("{'earth': {" HOST(
        "leaf00.earth", "leaf", "100") ", 'fw00.earth': {'platform': 'panos'}}}");
    struct selection selection = all_of(mixed);
    struct policy policy = policy_of("{redundancy: [{group: \"{host}\"}]}");
    struct grouping groups;
    struct error err;
    ck_assert_int_eq(policy_grouping(&groups, &policy, mixed, &selection, &err), 0);
    learn("upgrade_os", "leaf", 3000, 10);
    pace_weigh(&pace, "upgrade_os", mixed, &groups);
    ck_assert_uint_eq(groups.constraints[0].weight, 1);
    ck_assert_uint_eq(groups.constraints[1].weight, 1);
    grouping_deinit(&groups);
    policy_deinit(&policy);
    selection_deinit(&selection);
    inventory_unref(mixed);
}
END_TEST

START_TEST(few_hosts_say_nothing_of_their_type) {
    learn("upgrade_os", "edge", 90000, PACE_HOSTS_MIN - 1);
    learn("upgrade_os", "leaf", 3000, PACE_HOSTS_MIN);
    assert_weights(1, 1, 1);
    learn("upgrade_os", "edge", 90000, 1);
    assert_weights(30, 1, 1);
}
END_TEST

START_TEST(another_task_says_nothing_of_this_one) {
    learn("get_version", "edge", 90000, 10);
    learn("upgrade_os", "leaf", 3000, 10);
    learn("upgrade_os", "edge", 3000, 10);
    assert_weights(1, 1, 1);
}
END_TEST

START_TEST(what_takes_no_time_and_what_takes_for_ever_are_weighed_within_limits) {
    learn("upgrade_os", "edge", 0, 10);
    learn("upgrade_os", "spine", 10, 10);
    learn("upgrade_os", "leaf", 100000000, 10);
    assert_weights(1, 10, PACE_WEIGHT_MAX);
}
END_TEST

START_TEST(old_hosts_count_for_less_and_less) {
    learn("upgrade_os", "edge", 90000, PACE_MEMORY);
    learn("upgrade_os", "leaf", 3000, 10);
    assert_weights(30, 1, 1);
    learn("upgrade_os", "edge", 3000, 10 * PACE_MEMORY);
    assert_weights(1, 1, 1);
}
END_TEST

Suite *check_pace(void) {
    Suite *suite = suite_create("pace");
    TCase *tcase = tcase_create("pace");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_weighed_before_anything_is_known);
    tcase_add_test(tcase, a_type_weighs_as_many_times_as_the_quickest_as_its_hosts_take);
    tcase_add_test(tcase, types_that_take_about_as_long_weigh_the_same);
    tcase_add_test(tcase, a_group_of_several_types_weighs_their_mean);
    tcase_add_test(tcase, a_host_of_another_platform_may_have_no_type);
    tcase_add_test(tcase, few_hosts_say_nothing_of_their_type);
    tcase_add_test(tcase, another_task_says_nothing_of_this_one);
    tcase_add_test(tcase, what_takes_no_time_and_what_takes_for_ever_are_weighed_within_limits);
    tcase_add_test(tcase, old_hosts_count_for_less_and_less);
    return suite;
}
