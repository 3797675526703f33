// From a policy and an inventory to constraints and cohorts.
#include "orchestrator/policy_grouping.h"
#include "tests/unit/applied.h"

#include <stdio.h>

Suite *check_policy_grouping(void);

// Constraints "name/limit of members", * for a throttle; then cohorts "(needs: hosts)", ! for
// first.
static char *written(const struct grouping *g, const struct inventory *inventory) {
    struct buf text = {0};
    buf_reserve(&text, 0);
    for (size_t i = 0; i < g->count; i++)
        buf_addf(&text, "%s%c%u of %u; ", g->constraints[i].name,
                 g->constraints[i].redundancy ? '/' : '*', g->constraints[i].limit,
                 g->constraints[i].members);
    for (size_t c = 0; c < g->cohorts_count; c++) {
        const struct cohort *cohort = &g->cohorts[c];
        buf_adds(&text, "(");
        for (uint32_t i = 0; i < cohort->needs_count; i++) {
            uint32_t need = cohort_needs(g, cohort)[i];
            buf_addf(&text, "%u%s ", need_constraint(need), need >= NEED_FIRST ? "!" : "");
        }
        buf_adds(&text, ":");
        for (uint32_t i = 0; i < cohort->count; i++)
            buf_addf(&text, " %s", inventory->hosts[g->order[cohort->first + i]].name);
        buf_adds(&text, ")");
    }
    return buf_take(&text);
}

// Of the hosts whose names are in the text selected; NULL: of all.
static int group(const char *policy_text, const char *inventory_text, const char *selected,
                 char **out, struct error *err) {
    struct policy policy = policy_of(policy_text);
    struct inventory *inventory = inventory_of(inventory_text);
    struct selection selection = all_of(inventory);
    struct grouping grouping;
    selection.count = 0;
    for (size_t i = 0; i < inventory->count; i++)
        if (selected == NULL || strstr(selected, inventory->hosts[i].name) != NULL)
            selection.hosts[selection.count++] = (uint32_t)i;
    int rc = policy_grouping(&grouping, &policy, inventory, &selection, err);
    if (rc == 0) {
        *out = written(&grouping, inventory);
        grouping_deinit(&grouping);
    }
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
    return rc;
}

static void check(const char *policy, const char *inventory, const char *selected,
                  const char *expected) {
    char *text = NULL;
    struct error err;
    int rc = group(policy, inventory, selected, &text, &err);
    ck_assert_msg(rc == 0, "%s: %s", policy, err.text);
    ck_assert_str_eq(text, expected);
    free(text);
}

static const char fabric[] = "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm', 'feed': 1") ", " PLAIN(
    "b", "leaf",
    ", 'mlag': 'm', 'feed': 1, 'role': 'standby'") ", " PLAIN("c", "leaf",
                                                              ", 'mlag': 'n', 'feed': "
                                                              "2") ", " PLAIN("d", "leaf",
                                                                              ", "
                                                                              "'mlag': "
                                                                              "'n', "
                                                                              "'feed': "
                                                                              "2") "}}";
static const char fabric_policy[] = "redundancy:\n"
                                    "  - {group: \"{mlag}\", first: {role: standby}}\n"
                                    "  - {group: \"feed {feed}\", max_unavailable: 12}\n"
                                    "throttle: [{group: all, at_once: 2}]\n";

START_TEST(hosts_stand_under_their_groups_and_throttles) {
    check(fabric_policy, fabric, NULL,
          "m/1 of 2; feed 1/12 of 2; all*2 of 4; n/1 of 2; feed 2/12 of 2; "
          "(0 1 2 : a)(0! 1 2 : b)(3 4 2 : c d)");
}
END_TEST

START_TEST(groups_without_selected_hosts_are_left_out_and_members_count_all) {
    check(fabric_policy, fabric, "d", "n/1 of 2; feed 2/12 of 2; all*2 of 4; (0 1 2 : d)");
    check(fabric_policy, fabric, "", "");
}
END_TEST

START_TEST(a_host_that_may_be_ungrouped_is_a_group_of_its_own) {
    static const char hosts[] = "{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", " PLAIN(
        "b", "t", "") ", " PLAIN("c", "t", "") "}}";
    check("{ungrouped: allow, redundancy: [{group: \"{mlag}\"}], throttle: [{group: all, at_once: "
          "2}]}",
          hosts, NULL, "m/1 of 1; all*2 of 3; b/1 of 1; c/1 of 1; (0 1 : a)(2 1 : b)(3 1 : c)");
}
END_TEST

static const char acme[] = "{'earth': {" HOST("edge00.earth", "edge", "10") ", " HOST(
    "leaf00.earth", "leaf",
    "100") ", " HOST("edge01.earth", "edge",
                     "11") ", " HOST("leaf01.earth", "leaf",
                                     "100") ", " HOST("leaf02.earth", "leaf",
                                                      "101") "}, "
                                                             "'mars': {" HOST(
                                                                 "leaf00.mars", "leaf",
                                                                 "100") ", " HOST("edge00.mars",
                                                                                  "edge",
                                                                                  "10") "}}";

START_TEST(acmes_leaves_are_grouped_by_rack_and_others_by_type) {
    check("", acme, NULL,
          "earth_edge/1 of 2; earth_leaf_100/1 of 2; earth_leaf_101/1 of 1; mars_leaf_100/1 of 1; "
          "mars_edge/1 of 1; (0 : edge00.earth edge01.earth)(1 : leaf00.earth leaf01.earth)"
          "(2 : leaf02.earth)(3 : leaf00.mars)(4 : edge00.mars)");
    check("", acme, "leaf01.earth leaf02.earth edge00.mars",
          "earth_leaf_100/1 of 2; earth_leaf_101/1 of 1; mars_edge/1 of 1; (0 : leaf01.earth)"
          "(1 : leaf02.earth)(2 : edge00.mars)");
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
    struct selection all = all_of(inventory);
    struct grouping grouping = acme_groups(inventory, &all);
    ck_assert_uint_eq(grouping.count, 2);
    ck_assert_str_ne(grouping.constraints[0].key, grouping.constraints[1].key);
    grouping_deinit(&grouping);
    selection_deinit(&all);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_thousand_groups_keep_their_names_and_pairs) {
    enum { RACKS = 1000 };
    struct buf text = {0};
    buf_adds(&text, "{'earth': {");
    for (int i = 0; i < 2 * RACKS; i++)
        buf_addf(&text, "%s'leaf%04d': {" HOST_FIELDS ", 'dev_type': 'leaf', 'rack': '%d'}",
                 i == 0 ? "" : ", ", i, i % RACKS);
    buf_adds(&text, "}}");
    struct inventory *inventory = inventory_of(text.data);
    struct selection all = all_of(inventory);
    struct grouping grouping = acme_groups(inventory, &all);
    ck_assert_uint_eq(grouping.count, RACKS);
    for (uint32_t g = 0; g < RACKS; g++) {
        char name[32];
        snprintf(name, sizeof name, "earth_leaf_%u", g);
        ck_assert_str_eq(grouping.constraints[g].name, name);
        ck_assert_uint_eq(grouping.constraints[g].members, 2);
        const struct cohort *cohort = &grouping.cohorts[g];
        ck_assert_uint_eq(cohort->count, 2);
        ck_assert_uint_eq(grouping.order[cohort->first], g);
        ck_assert_uint_eq(grouping.order[cohort->first + 1], g + RACKS);
    }
    grouping_deinit(&grouping);
    selection_deinit(&all);
    inventory_unref(inventory);
    buf_deinit(&text);
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_code) {
    char *text;
    struct error err;
    ck_assert_int_eq(group("redundancy: [{group: \"{mlga}\"}]", fabric, NULL, &text, &err),
                     POLICY_UNFIT);
    ck_assert_int_eq(
        group("redundancy: [{group: \"{mlag}\", match: {feed: 1}}]", fabric, NULL, &text, &err),
        ERROR_INPUT);
    ck_assert_int_eq(group("redundancy:\n"
                           "  - {group: \"{mlag}\", first: {host: a}}\n"
                           "  - {group: \"{site}\", first: {host: b}}\n",
                           fabric, NULL, &text, &err),
                     ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "opposite orders"));
}
END_TEST

Suite *check_policy_grouping(void) {
    Suite *suite = suite_create("policy_grouping");
    TCase *tcase = tcase_create("policy_grouping");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, hosts_stand_under_their_groups_and_throttles);
    tcase_add_test(tcase, groups_without_selected_hosts_are_left_out_and_members_count_all);
    tcase_add_test(tcase, a_host_that_may_be_ungrouped_is_a_group_of_its_own);
    tcase_add_test(tcase, acmes_leaves_are_grouped_by_rack_and_others_by_type);
    tcase_add_loop_test(tcase, groups_whose_names_coincide_are_two, 0, COUNT(coinciding));
    tcase_add_test(tcase, a_thousand_groups_keep_their_names_and_pairs);
    tcase_add_test(tcase, what_is_wrong_is_told_with_its_code);
    return suite;
}
