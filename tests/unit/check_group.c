#include "orchestrator/group.h"
#include "tests/unit/support.h"

Suite *check_group(void);

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

Suite *check_group(void) {
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, hosts_under_the_same_constraints_are_a_cohort);
    return suite;
}
