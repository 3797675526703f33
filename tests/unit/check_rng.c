#include "common/rng.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_rng(void);

START_TEST(a_draw_is_the_same_on_every_machine_and_run) {
    // Recorded once: a seed in a report must replay in another build, a year on.
    ck_assert_uint_eq(rng_mix(0, 0), UINT64_C(0x48218226ff3cd4bf));
    ck_assert_uint_eq(rng_mix(1, 2), UINT64_C(0x81a5c1377856b73));
    ck_assert_uint_eq(rng_hash("leaf00.earth"), UINT64_C(0x9b5b46af8dba412));
}
END_TEST

START_TEST(order_and_every_input_matter) {
    ck_assert_uint_ne(rng_mix(1, 2), rng_mix(2, 1));
    ck_assert_uint_ne(rng_mix(1, 2), rng_mix(1, 3));
    ck_assert_uint_ne(rng_mix(1, 2), rng_mix(0, 2));
    ck_assert_uint_ne(rng_hash("ab"), rng_hash("ba"));
    ck_assert_uint_ne(rng_hash(""), rng_hash("a"));
}
END_TEST

START_TEST(a_unit_is_below_one) {
    ck_assert(rng_unit(0) == 0);
    ck_assert(rng_unit(UINT64_MAX) < 1);
    ck_assert(rng_unit(UINT64_MAX) > 0.999999);
    ck_assert(rng_unit(UINT64_C(1) << 63) == 0.5);
}
END_TEST

START_TEST(a_range_includes_both_ends_and_nothing_beyond) {
    static const struct {
        uint64_t low, high;
    } cases[] = {{0, 0}, {7, 7}, {1, 6}, {10000, 2000000}, {0, UINT64_C(1) << 52}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_uint_eq(rng_range(0, cases[i].low, cases[i].high), cases[i].low);
        ck_assert_uint_eq(rng_range(UINT64_MAX, cases[i].low, cases[i].high), cases[i].high);
    }
}
END_TEST

START_TEST(neighbouring_seeds_draw_evenly) {
    enum { DRAWS = 60000, FACES = 6 };
    unsigned count[FACES] = {0};
    for (uint64_t seed = 0; seed < DRAWS; seed++)
        count[rng_range(rng_mix(seed, 1), 1, FACES) - 1]++;
    for (size_t face = 0; face < FACES; face++) { // ten standard deviations: 913
        ck_assert_uint_gt(count[face], DRAWS / FACES - 913);
        ck_assert_uint_lt(count[face], DRAWS / FACES + 913);
    }
}
END_TEST

Suite *check_rng(void) {
    Suite *suite = suite_create("rng");
    TCase *tcase = tcase_create("rng");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_draw_is_the_same_on_every_machine_and_run);
    tcase_add_test(tcase, order_and_every_input_matter);
    tcase_add_test(tcase, a_unit_is_below_one);
    tcase_add_test(tcase, a_range_includes_both_ends_and_nothing_beyond);
    tcase_add_test(tcase, neighbouring_seeds_draw_evenly);
    return suite;
}
