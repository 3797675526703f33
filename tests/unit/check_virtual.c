#include "bench/virtual.h"
#include "common/rng.h"
#include "tests/unit/support.h"

Suite *check_virtual(void);

// Groups of the given sizes; hosts are numbered through.
struct small_grouping {
    struct grouping grouping;
    struct constraint groups[8];
    struct cohort cohorts[8];
    uint32_t order[64];
    char keys[8][4];
};

static void make_grouping(struct small_grouping *s, const uint32_t *sizes, size_t count) {
    *s = (struct small_grouping){.grouping = {.constraints = s->groups,
                                              .count = count,
                                              .cohorts = s->cohorts,
                                              .cohorts_count = count}};
    s->grouping.order = s->order;
    for (size_t g = 0; g < count; g++) {
        s->keys[g][0] = (char)('a' + g);
        s->groups[g] = (struct constraint){.key = s->keys[g],
                                           .limit = 1,
                                           .weight = 1,
                                           .cohorts = (uint32_t)g,
                                           .cohorts_count = 1,
                                           .redundancy = true};
        s->cohorts[g] = (struct cohort){(uint32_t)s->grouping.hosts, sizes[g], (uint32_t)g, 1};
        s->grouping.hosts += sizes[g];
    }
    for (uint32_t i = 0; i < s->grouping.hosts; i++)
        s->order[i] = i;
}

static struct virtual_host ten_ms(void *arg, uint32_t host) {
    const uint32_t *failing = arg;
    return (struct virtual_host){.us = 10000, .fails = failing != NULL && *failing == host};
}

START_TEST(a_worker_for_each_group_leaves_the_longest_group_as_the_limit) {
    struct small_grouping s;
    struct virtual_result r;
    make_grouping(&s, (uint32_t[]){2, 4, 1}, 3);
    virtual_run(&s.grouping, 3, ten_ms, NULL, &r);
    ck_assert_uint_eq(r.makespan_us, 40000);
    ck_assert_uint_eq(r.longest_group_us, 40000);
    ck_assert_uint_eq(r.longest_group, 1);
    ck_assert_uint_eq(r.busy_us, 70000);
    ck_assert_uint_eq(r.completed, 7);
    ck_assert_double_eq(virtual_bound_us(&r, 3), 40000);
    ck_assert_double_eq(virtual_bound_us(&r, 1), 70000);
}
END_TEST

START_TEST(a_group_takes_as_long_as_its_limit_makes_it) {
    struct small_grouping s;
    struct virtual_result r;
    make_grouping(&s, (uint32_t[]){3, 6, 1}, 3);
    s.groups[1].limit = 3;
    virtual_run(&s.grouping, 10, ten_ms, NULL, &r);
    ck_assert_uint_eq(r.makespan_us, 30000);
    ck_assert_uint_eq(r.longest_group_us, 30000);
    ck_assert_uint_eq(r.longest_group, 0);
    ck_assert_uint_eq(r.busy_us, 100000);
}
END_TEST

START_TEST(one_worker_takes_one_host_after_the_other) {
    struct small_grouping s;
    struct virtual_result r;
    make_grouping(&s, (uint32_t[]){2, 4, 1}, 3);
    virtual_run(&s.grouping, 1, ten_ms, NULL, &r);
    ck_assert_uint_eq(r.makespan_us, 70000);
}
END_TEST

START_TEST(a_failure_skips_the_rest_of_its_group) {
    struct small_grouping s;
    struct virtual_result r;
    uint32_t failing = 3; // the second of the group of four
    make_grouping(&s, (uint32_t[]){2, 4, 1}, 3);
    virtual_run(&s.grouping, 3, ten_ms, &failing, &r);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_uint_eq(r.timed_out, 0);
    ck_assert_uint_eq(r.skipped, 2);
    ck_assert_uint_eq(r.completed, 4);
    ck_assert_uint_eq(r.makespan_us, 20000);
}
END_TEST

static struct virtual_host odd_ones_time_out(void *arg, uint32_t host) {
    (void)arg;
    return (struct virtual_host){.us = 1000, .fails = host % 2 == 1, .times_out = host % 2 == 1};
}

START_TEST(a_host_that_times_out_is_a_failed_one) {
    struct small_grouping s;
    struct virtual_result r;
    make_grouping(&s, (uint32_t[]){1, 1, 1, 3}, 4); // of the last three the first fails
    virtual_run(&s.grouping, 4, odd_ones_time_out, NULL, &r);
    ck_assert_uint_eq(r.failed, 2);
    ck_assert_uint_eq(r.timed_out, 2);
    ck_assert_uint_eq(r.skipped, 2);
    ck_assert_uint_eq(r.completed, 2);
}
END_TEST

static struct virtual_host odd_ones_are_foreign(void *arg, uint32_t host) {
    (void)arg;
    return (struct virtual_host){.us = host % 2 == 1 ? 0 : 1000, .passed_over = host % 2 == 1};
}

START_TEST(a_host_that_nobody_works_on_is_skipped_and_holds_nobody_back) {
    struct small_grouping s;
    struct virtual_result r;
    make_grouping(&s, (uint32_t[]){1, 1, 4}, 3); // of the last four two
    virtual_run(&s.grouping, 1, odd_ones_are_foreign, NULL, &r);
    ck_assert_uint_eq(r.skipped, 3);
    ck_assert_uint_eq(r.completed, 3);
    ck_assert_uint_eq(r.failed, 0);
    ck_assert_uint_eq(r.makespan_us, 3000);
    ck_assert_uint_eq(r.busy_us, 3000);
}
END_TEST

static struct virtual_host drawn(void *arg, uint32_t host) {
    return (struct virtual_host){.us = rng_range(rng_mix(*(uint64_t *)arg, host), 1, 1000)};
}

START_TEST(no_run_is_shorter_than_its_bound_nor_longer_than_twice_that) {
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct small_grouping s;
        struct virtual_result r;
        uint32_t sizes[8];
        for (size_t g = 0; g < 8; g++)
            sizes[g] = (uint32_t)rng_range(rng_mix(seed, g), 1, 8);
        unsigned workers = (unsigned)rng_range(rng_mix(seed, 100), 1, 10);
        make_grouping(&s, sizes, 8);
        virtual_run(&s.grouping, workers, drawn, &seed, &r);
        double bound = virtual_bound_us(&r, workers), makespan = (double)r.makespan_us;
        ck_assert_msg(makespan >= bound && makespan <= 2 * bound, "seed %llu: %g against %g",
                      (unsigned long long)seed, makespan, bound);
    }
}
END_TEST

Suite *check_virtual(void) {
    Suite *suite = suite_create("virtual");
    TCase *tcase = tcase_create("virtual");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_worker_for_each_group_leaves_the_longest_group_as_the_limit);
    tcase_add_test(tcase, a_group_takes_as_long_as_its_limit_makes_it);
    tcase_add_test(tcase, one_worker_takes_one_host_after_the_other);
    tcase_add_test(tcase, a_failure_skips_the_rest_of_its_group);
    tcase_add_test(tcase, a_host_that_times_out_is_a_failed_one);
    tcase_add_test(tcase, a_host_that_nobody_works_on_is_skipped_and_holds_nobody_back);
    tcase_add_test(tcase, no_run_is_shorter_than_its_bound_nor_longer_than_twice_that);
    return suite;
}
