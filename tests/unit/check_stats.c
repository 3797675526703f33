#include "bench/stats.h"
#include "tests/unit/support.h"

Suite *check_stats(void);

START_TEST(quantiles_lie_between_values_in_proportion) {
    double values[] = {40, 10, 30, 20};
    stats_sort(values, 4);
    static const struct {
        double q, wanted;
    } cases[] = {{0, 10}, {0.25, 17.5}, {0.5, 25}, {0.75, 32.5}, {0.9, 37}, {1, 40}};
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_double_eq_tol(stats_quantile(values, 4, cases[i].q), cases[i].wanted, 1e-9);
}
END_TEST

START_TEST(the_median_of_one_value_is_that_value) {
    double one[] = {7}, three[] = {3, 1, 2};
    ck_assert_double_eq(stats_median(one, 1), 7);
    ck_assert_double_eq(stats_median(three, 3), 2);
}
END_TEST

Suite *check_stats(void) {
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("stats");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, quantiles_lie_between_values_in_proportion);
    tcase_add_test(tcase, the_median_of_one_value_is_that_value);
    return suite;
}
