#include "bench/deciding.h"
#include "tests/unit/plans.h"

Suite *check_deciding(void);

// Every host takes a second.
#define NETWORK(count, policy)                                                                     \
    "sites: [earth]\ndev_types: {edge: {count: " count ", half: \"h{n%2}\"}}\nversions: [5.2.1]\n" \
    "latency: {login: 0, get_version: 0, install_os_version: 1s, logout: 0}\n"                     \
    "policy: {ungrouped: allow, " policy "}\n"

static const struct {
    const char *network;
    unsigned workers;
    const char *brief, *says;
} cases[] = {
    {NETWORK("40", "redundancy: []"), 10, "the workers",
     "The workers (10) decide the window in 100 % of the runs: --workers 20 would shorten the "
     "median window by 50 %."},
    {NETWORK("40", "throttle: [{group: \"link of {site}\", at_once: 10}]"), 100,
     "the throttle link of earth",
     "The throttle link of earth (10 of its 40 hosts at once) decides the window in 100 % of the "
     "runs: at_once: 12 would shorten the median window by 0 %, at_once: 20 by 50 %."},
    {NETWORK("40", "throttle: [{group: \"{half}\", at_once: 4}]"), 100, "the throttles \"{half}\"",
     "The throttles \"{half}\" (2 of them, each 4 at once; h0 with 20 hosts is most often the "
     "longest) decide the window in 100 % of the runs: at_once: 5 would shorten the median window "
     "by 20 %, at_once: 8 by 40 %."},
    {NETWORK("8", "redundancy: [{group: \"{site}\", max_unavailable: 2}]"), 100, "the group earth",
     "The redundancy group earth (2 of its 8 hosts at once) decides the window in 100 % of the "
     "runs: max_unavailable: 3 would shorten the median window by 25 %, max_unavailable: 4 by "
     "50 %."},
    // Four at once would be all.
    {NETWORK("4", "redundancy: [{group: \"{site}\", max_unavailable: 2}]"), 100, "the group earth",
     "The redundancy group earth (2 of its 4 hosts at once) decides the window in 100 % of the "
     "runs: max_unavailable: 3 would shorten the median window by 0 %."},
    {NETWORK("2", "redundancy: [{group: \"{site}\"}]"), 100, "the group earth",
     "The redundancy group earth (1 of its 2 hosts at once) decides the window in 100 % of the "
     "runs: twice the workers would shorten the median window by 0 %, and a higher "
     "max_unavailable would let all hosts of earth be away at once."},
    // Wide enough, both; and two that would have to change together.
    {NETWORK("4", "throttle: [{group: \"{site}\", at_once: 4}]"), 4, "no limit alone",
     "No constraint alone decides the window: neither twice the workers nor twice the limit of any "
     "one rule of the policy would shorten most runs by 1 %."},
    {NETWORK("8", "throttle: [{group: \"{site}\", at_once: 2}]"), 2, "no limit alone",
     "No constraint alone decides the window: neither twice the workers nor twice the limit of any "
     "one rule of the policy would shorten most runs by 1 %."},
};

START_TEST(what_decides_the_window_is_found_by_relaxing_it) {
    struct plan plan = plan_of(cases[_i].network);
    struct model model;
    struct deciding d;
    struct buf text = {0};
    uint32_t limit = plan.grouping.constraints[0].limit;
    model_init(&model, &plan, "5.3.1", NULL);
    deciding_find(&model, &plan.grouping, cases[_i].workers, 1, 3, &d);
    deciding_write(&d, &plan.grouping, &text);
    ck_assert_str_eq(text.data, cases[_i].says);
    buf_clear(&text);
    deciding_write_short(&d, &plan.grouping, &text);
    ck_assert_str_eq(text.data, cases[_i].brief);
    ck_assert_uint_eq(plan.grouping.constraints[0].limit, limit);
    buf_deinit(&text);
    model_deinit(&model);
    plan_deinit(&plan);
}
END_TEST

Suite *check_deciding(void) {
    Suite *suite = suite_create("deciding");
    TCase *tcase = tcase_create("deciding");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_decides_the_window_is_found_by_relaxing_it, 0, COUNT(cases));
    return suite;
}
