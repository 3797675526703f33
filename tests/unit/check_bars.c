#include "bench/bars.h"
#include "tests/unit/plans.h"

Suite *check_bars(void);

#define NEVER TIMELINE_NEVER

static const char network[] = "sites: [earth, mars]\n"
                              "dev_types: {edge: {count: 2, feed: 'f'}, spine: {count: 1}}\n"
                              "versions: [5.2.1]\n"
                              "hosts: {fw: {site: mars, dev_type: firewall, platform: panos}}\n"
                              "policy:\n"
                              "  ungrouped: allow\n"
                              "  redundancy:\n"
                              "    - {group: 'feed {feed}', max_unavailable: 2}\n"
                              "    - {group: '{site} {dev_type}', match: {dev_type: edge}}\n"
                              "  throttle: [{group: 'all of {site}', at_once: 5}]\n";

START_TEST(a_foretold_run_has_a_bar_for_each_host) {
    struct plan plan = plan_of(network);
    static const struct virtual_host ran[] = {
        {0, 5, SCHEDULE_NO_HOST, VIRTUAL_FAILED, true},
        {NEVER, 5, 0, VIRTUAL_SKIPPED, false},
        {1, 4, SCHEDULE_NO_HOST, VIRTUAL_CHANGED, false},
        {2, 3, SCHEDULE_NO_HOST, VIRTUAL_UNCHANGED, false},
        {3, 9, SCHEDULE_NO_HOST, VIRTUAL_SKIPPED, false},
        {4, 9, SCHEDULE_NO_HOST, VIRTUAL_FAILED, false},
        {NEVER, 0, SCHEDULE_NO_HOST, VIRTUAL_SKIPPED, false},
    };
    static const struct timeline_host expected[] = {
        {"edge00.earth", "earth", "feed f", "no answer in time", 0, 5, 0, 0, TIMELINE_FAILED},
        {"edge01.earth", "earth", "feed f", "edge00.earth", NEVER, 0, 0, 0, TIMELINE_SKIPPED},
        {"spine00.earth", "earth", NULL, NULL, 1, 4, 0, 0, TIMELINE_CHANGED},
        {"edge00.mars", "mars", "feed f", NULL, 2, 3, 0, 0, TIMELINE_UNCHANGED},
        {"edge01.mars", "mars", "feed f", "its peers are not up", 3, 9, 0, 0, TIMELINE_SKIPPED},
        {"spine00.mars", "mars", NULL, NULL, 4, 9, 0, 0, TIMELINE_FAILED},
        {"fw", "mars", NULL, "another platform", NEVER, 0, 0, 0, TIMELINE_SKIPPED},
    };
    ck_assert_uint_eq(plan.inventory->count, COUNT(expected));
    struct timeline_host *bars = bars_foretold(&plan, ran);
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert_str_eq(bars[i].name, expected[i].name);
        ck_assert_pstr_eq(bars[i].site, expected[i].site);
        ck_assert_pstr_eq(bars[i].group, expected[i].group);
        ck_assert_pstr_eq(bars[i].reason, expected[i].reason);
        ck_assert_uint_eq(bars[i].start_us, expected[i].start_us);
        ck_assert_uint_eq(bars[i].end_us, expected[i].end_us);
        ck_assert_uint_eq(bars[i].foretold_start_us, NEVER);
        ck_assert_int_eq(bars[i].end, expected[i].end);
    }
    free(bars);
    plan_deinit(&plan);
}
END_TEST

static struct timeline_host bar(const char *name, uint64_t start_us, uint64_t end_us,
                                enum timeline_end end) {
    return (struct timeline_host){.name = name,
                                  .start_us = start_us,
                                  .end_us = end_us,
                                  .foretold_start_us = NEVER,
                                  .foretold_end_us = NEVER,
                                  .end = end};
}

START_TEST(a_real_run_is_held_against_its_forecast_host_by_host) {
    struct timeline_host real[] = {
        bar("d", 105, 200, TIMELINE_CHANGED), // later by 0.5 %
        bar("c", 300, 430, TIMELINE_CHANGED), // ends later by 3 %
        bar("b", 500, 500, TIMELINE_FAILED),  // was to be changed
        bar("a", NEVER, 0, TIMELINE_SKIPPED),
        bar("e", NEVER, 0, TIMELINE_SKIPPED), // was to be changed
        bar("f", 10, 20, TIMELINE_CHANGED),   // was to be skipped
        bar("g", 10, 20, TIMELINE_CHANGED),   // nobody foretold it
    };
    const struct timeline_host foretold[] = {
        bar("a", NEVER, 0, TIMELINE_SKIPPED), bar("b", 500, 500, TIMELINE_CHANGED),
        bar("c", 300, 400, TIMELINE_CHANGED), bar("d", 100, 200, TIMELINE_CHANGED),
        bar("e", 700, 800, TIMELINE_CHANGED), bar("f", NEVER, 0, TIMELINE_SKIPPED),
    };
    static const double off[] = {0, 0, 0, 0, 0.005, 0.03};
    struct bars_distance d;
    bars_lay_over(real, COUNT(real), 1000, foretold, COUNT(foretold), 0.01, &d);
    ck_assert_uint_eq(d.count, COUNT(off));
    for (size_t i = 0; i < COUNT(off); i++)
        ck_assert_double_eq_tol(d.off[i], off[i], 1e-12);
    ck_assert_double_eq_tol(d.most, 0.03, 1e-12);
    ck_assert_str_eq(d.host, "c");
    ck_assert_uint_eq(d.hosts, 3);
    ck_assert_uint_eq(d.hosts_off, 1);
    ck_assert_uint_eq(d.hosts_unlike, 4); // b, e, f, g
    ck_assert_uint_eq(real[0].foretold_start_us, 100);
    ck_assert_uint_eq(real[0].foretold_end_us, 200);
    ck_assert_uint_eq(real[4].foretold_start_us, 700); // where it should have been
    ck_assert_uint_eq(real[5].foretold_start_us, NEVER);
    free(d.off);
}
END_TEST

START_TEST(a_run_in_which_nothing_began_is_off_by_nothing) {
    struct timeline_host real = bar("a", NEVER, 0, TIMELINE_SKIPPED);
    struct bars_distance d;
    bars_lay_over(&real, 1, 0, &real, 1, 0.01, &d);
    ck_assert_uint_eq(d.count, 0);
    ck_assert_double_eq(d.most, 0);
    ck_assert_ptr_null(d.host);
    ck_assert_uint_eq(d.hosts_unlike, 0);
    free(d.off);
}
END_TEST

START_TEST(a_run_with_shortened_delays_is_stretched) {
    struct timeline_host bars[] = {bar("a", 10, 25, TIMELINE_CHANGED),
                                   bar("b", NEVER, 0, TIMELINE_SKIPPED)};
    bars[0].foretold_start_us = 7;
    bars[0].foretold_end_us = 24;
    bars_stretch(bars, 2, 100);
    ck_assert_uint_eq(bars[0].start_us, 1000);
    ck_assert_uint_eq(bars[0].end_us, 2500);
    ck_assert_uint_eq(bars[0].foretold_start_us, 700);
    ck_assert_uint_eq(bars[0].foretold_end_us, 2400);
    ck_assert_uint_eq(bars[1].start_us, NEVER);
    ck_assert_uint_eq(bars[1].foretold_end_us, NEVER);
}
END_TEST

Suite *check_bars(void) {
    Suite *suite = suite_create("bars");
    TCase *tcase = tcase_create("bars");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_foretold_run_has_a_bar_for_each_host);
    tcase_add_test(tcase, a_real_run_is_held_against_its_forecast_host_by_host);
    tcase_add_test(tcase, a_run_in_which_nothing_began_is_off_by_nothing);
    tcase_add_test(tcase, a_run_with_shortened_delays_is_stretched);
    return suite;
}
