#include "orchestrator/group.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_group(void);

static const char
    network[] =
        "{'earth': {" HOST("edge00.earth", "edge", "10") ", " HOST("leaf00.earth", "leaf", "100") ", " HOST(
            "edge01.earth", "edge",
            "11") ", " HOST("leaf01.earth", "leaf",
                            "100") ", " HOST("leaf02.earth", "leaf",
                                             "101") "}, 'mars': {" HOST("leaf00.mars", "leaf",
                                                                        "100") ", " HOST("edge00."
                                                                                         "mars",
                                                                                         "edge",
                                                                                         "10") "}}";

// "name: hosts; name: hosts; "
static char *describe(const struct inventory *inventory, const struct grouping *grouping) {
    struct buf text = {0};
    for (size_t g = 0; g < grouping->count; g++) {
        const struct constraint *group = &grouping->constraints[g];
        ck_assert_uint_eq(group->cohorts_count, 1);
        const struct cohort *cohort = &grouping->cohorts[group->cohorts];
        buf_addf(&text, "%s:", group->name);
        for (uint32_t i = 0; i < cohort->count; i++)
            buf_addf(&text, " %s", inventory->hosts[grouping->order[cohort->first + i]].name);
        buf_adds(&text, "; ");
    }
    return buf_take(&text);
}

START_TEST(leaves_are_grouped_by_site_and_rack_and_others_by_site_and_type) {
    struct inventory *inventory = inventory_of(network);
    uint32_t hosts[] = {0, 1, 2, 3, 4, 5, 6};
    struct selection all = {hosts, COUNT(hosts)};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &all);
    char *text = describe(inventory, &grouping);
    ck_assert_str_eq(text, "earth_edge: edge00.earth edge01.earth; "
                           "earth_leaf_100: leaf00.earth leaf01.earth; "
                           "earth_leaf_101: leaf02.earth; "
                           "mars_leaf_100: leaf00.mars; "
                           "mars_edge: edge00.mars; ");
    ck_assert_uint_eq(grouping.hosts, 7);
    free(text);
    grouping_deinit(&grouping);
    inventory_unref(inventory);
}
END_TEST

START_TEST(only_selected_hosts_are_grouped_and_groups_stand_in_order_of_their_first) {
    struct inventory *inventory = inventory_of(network);
    uint32_t hosts[] = {3, 4, 6};
    struct selection some = {hosts, COUNT(hosts)};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &some);
    char *text = describe(inventory, &grouping);
    ck_assert_str_eq(text, "earth_leaf_100: leaf01.earth; earth_leaf_101: leaf02.earth; "
                           "mars_edge: edge00.mars; ");
    free(text);
    grouping_deinit(&grouping);
    inventory_unref(inventory);
}
END_TEST

START_TEST(members_are_all_of_the_inventory) {
    struct inventory *inventory = inventory_of(network);
    uint32_t hosts[] = {3, 6}; // leaf01.earth, which leaf00.earth stands in for, and edge00.mars
    struct selection some = {hosts, COUNT(hosts)};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &some);
    ck_assert_uint_eq(grouping.count, 2);
    ck_assert_uint_eq(grouping.constraints[0].members, 2);
    ck_assert_uint_eq(grouping.constraints[1].members, 1);
    ck_assert_uint_eq(grouping.constraints[0].limit, 1);
    ck_assert(grouping.constraints[0].redundancy);
    grouping_deinit(&grouping);
    inventory_unref(inventory);
}
END_TEST

// Constraints 0 and 2 are redundancy groups, 1 is a throttle.
START_TEST(hosts_under_the_same_constraints_are_a_cohort) {
    struct grouping grouping = {.constraints = mem_array(4, sizeof(struct constraint)), .count = 4};
    uint32_t hosts[] = {10, 11, 12, 13, 14, 15};
    uint32_t needs[] = {1, 2, 0, 0, 2, 1, 0, 0, 1, 2, NEED_FIRST | 0, 2 | NEED_FIRST, 0, 1};
    const uint32_t ends[] = {3, 6, 7, 10, 11, 14};
    const struct selection selection = {hosts, COUNT(hosts)};
    grouping.constraints[0].redundancy = grouping.constraints[2].redundancy = true;
    grouping_build(&grouping, &selection, ends, needs);
    ck_assert_uint_eq(grouping.hosts, 6);
    ck_assert_uint_eq(grouping.cohorts_count, 4); // {10, 11, 13}, {12}, {14}, {15}
    static const uint32_t order[] = {10, 11, 13, 12, 14, 15};
    ck_assert_mem_eq(grouping.order, order, sizeof order);
    ck_assert_uint_eq(grouping.cohorts[0].count, 3);
    static const uint32_t all[] = {0, 2, 1}; // redundancy groups first
    ck_assert_uint_eq(grouping.cohorts[0].needs_count, 3);
    ck_assert_mem_eq(cohort_needs(&grouping, &grouping.cohorts[0]), all, sizeof all);
    ck_assert_uint_eq(cohort_needs(&grouping, &grouping.cohorts[1])[0], 0);
    ck_assert_uint_eq(cohort_needs(&grouping, &grouping.cohorts[2])[0], NEED_FIRST);
    ck_assert_uint_eq(grouping.constraints[0].cohorts_count, 4);
    ck_assert_uint_eq(grouping.constraints[1].cohorts_count, 2);
    static const uint32_t of_the_throttle[] = {0, 3};
    ck_assert_mem_eq(constraint_cohorts(&grouping, &grouping.constraints[1]), of_the_throttle,
                     sizeof of_the_throttle);
    ck_assert_uint_eq(grouping.constraints[3].cohorts_count, 0); // none of its hosts is selected
    grouping_deinit(&grouping);
}
END_TEST

// Each host is a group of its own, though names coincide.
static const char *const coinciding[] = {
    "{'eu': {" HOST("a", "west_spine", "1") "}, 'eu_west': {" HOST("b", "spine", "1") "}}",
    "{'eu': {" HOST("a", "leaf", "1") ", " HOST("b", "leaf_1", "1") "}}",
    "{'eu': {" HOST("a", "leaf", "1_leaf_2") "}, 'eu_leaf_1': {" HOST("b", "leaf", "2") "}}",
    "{'rack': {" HOST("a", "leaf", "1") "}, 'type': {" HOST("b", "1", "1") "}}",
};

START_TEST(groups_whose_names_coincide_are_two) {
    struct inventory *inventory = inventory_of(coinciding[_i]);
    uint32_t hosts[] = {0, 1};
    struct selection all = {hosts, COUNT(hosts)};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &all);
    ck_assert_uint_eq(grouping.count, 2);
    ck_assert_str_ne(grouping.constraints[0].key, grouping.constraints[1].key);
    grouping_deinit(&grouping);
    inventory_unref(inventory);
}
END_TEST

START_TEST(no_hosts_are_no_groups) {
    struct inventory *inventory = inventory_of(network);
    struct selection none = {NULL, 0};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &none);
    ck_assert_uint_eq(grouping.count, 0);
    ck_assert_uint_eq(grouping.hosts, 0);
    grouping_deinit(&grouping);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_thousand_groups_keep_their_keys_and_pairs) {
    enum { RACKS = 1000 };
    struct buf text = {0};
    buf_adds(&text, "{'earth': {");
    for (int i = 0; i < 2 * RACKS; i++)
        buf_addf(&text,
                 "%s'leaf%04d': {'platform': 'acmeos', 'dev_type': 'leaf', 'rack': '%d', "
                 "'hostname': '127.0.0.1', 'port': 1}",
                 i == 0 ? "" : ", ", i, i % RACKS);
    buf_adds(&text, "}}");
    struct inventory *inventory = inventory_of(text.data);
    uint32_t hosts[2 * RACKS];
    for (uint32_t i = 0; i < 2 * RACKS; i++)
        hosts[i] = i;
    struct selection all = {hosts, COUNT(hosts)};
    struct grouping grouping;
    grouping_init(&grouping, inventory, &all);
    ck_assert_uint_eq(grouping.count, RACKS);
    for (uint32_t g = 0; g < RACKS; g++) {
        char key[32];
        snprintf(key, sizeof key, "rack earth %u", g);
        ck_assert_str_eq(grouping.constraints[g].key, key);
        ck_assert_uint_eq(grouping.constraints[g].members, 2);
        const struct cohort *cohort = &grouping.cohorts[g];
        ck_assert_uint_eq(cohort->count, 2);
        ck_assert_uint_eq(grouping.order[cohort->first], g);
        ck_assert_uint_eq(grouping.order[cohort->first + 1], g + RACKS);
    }
    grouping_deinit(&grouping);
    inventory_unref(inventory);
    buf_deinit(&text);
}
END_TEST

Suite *check_group(void) {
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, leaves_are_grouped_by_site_and_rack_and_others_by_site_and_type);
    tcase_add_test(tcase, only_selected_hosts_are_grouped_and_groups_stand_in_order_of_their_first);
    tcase_add_test(tcase, members_are_all_of_the_inventory);
    tcase_add_test(tcase, hosts_under_the_same_constraints_are_a_cohort);
    tcase_add_loop_test(tcase, groups_whose_names_coincide_are_two, 0, COUNT(coinciding));
    tcase_add_test(tcase, no_hosts_are_no_groups);
    tcase_add_test(tcase, a_thousand_groups_keep_their_keys_and_pairs);
    return suite;
}
