// The model of a run against visits to the simulated devices themselves; and what it learns from
// the histogram of a run.
#include "bench/model.h"
#include "tests/unit/plans.h"
#include "tests/unit/visits.h"

#include <stdio.h>

Suite *check_model(void);

enum { SEED = 7 };
static struct plan plan;

static void setup(void) {
    struct error err;
    ck_assert_int_eq(plan_init(&plan, NULL, NULL, &err), 0);
}

static void teardown(void) {
    plan_deinit(&plan);
}

// An upgrade of that device that may go ahead at once, as the first thing that is done to it.
static struct visit_result upgrade(const struct virtual_devices *devices, uint32_t device) {
    struct visit_result told = {0};
    struct contact_update update;
    devices->contact(devices->arg, device, CONTACT_UPGRADE, 0, &update);
    for (;;) {
        told.fails = told.fails || update.verdict == CONTACT_FAILED;
        told.times_out = told.times_out || update.times_out;
        if (update.is_over) return told;
        if (!update.asks) told.us = update.due_us;
        devices->tell(devices->arg, device, update.asks ? CONTACT_GRANTED : CONTACT_DUE, told.us,
                      &update);
    }
}

// Of every device: what the model makes of it against what a visit comes to, in a world of its own.
static void compare(struct model *model, unsigned *failures, unsigned *late) {
    const struct plan *of = model->plan;
    const struct virtual_devices devices = model_devices(model);
    struct world world;
    uint64_t now_us = 0;
    world_init(&world, &of->network, SEED, model->world.time_scale);
    world.faults = of->faults;
    struct visitor visitor = {.world = &world, .config = &model->session, .args = &model->args};
    *failures = *late = 0;
    devices.begin(devices.arg);
    for (uint32_t device = 0; device < of->network.devices; device++) {
        struct visit_result told = upgrade(&devices, device);
        struct visit_result real = visit(&visitor, &of->inventory->hosts[device], device, now_us);
        now_us += real.us;
        ck_assert_uint_eq(told.us, real.us);
        ck_assert(told.fails == real.fails && told.times_out == real.times_out);
        *failures += told.fails;
        *late += told.times_out;
    }
    world.faults = (struct fault_list){0};
    visitor_deinit(&visitor);
    world_deinit(&world);
}

START_TEST(a_host_takes_what_a_visit_takes_and_fails_where_the_failure_rate_says) {
    struct model model;
    struct error err;
    unsigned failures, late, current = 0;
    ck_assert_int_eq(plan_add_failures(&plan, 0.25, &err), 0);
    model_init(&model, &plan, "5.3.1", NULL);
    model_seed(&model, SEED);
    ck_assert_ptr_null(model.visits);
    for (uint32_t device = 0; device < plan.network.devices; device++)
        current += strcmp(world_version(&model.world, device), "5.3.1") == 0;
    compare(&model, &failures, &late);
    ck_assert_uint_gt(failures, 100);
    ck_assert_uint_eq(late, 0);
    ck_assert_uint_gt(current, 5);
    model_deinit(&model);
}
END_TEST

START_TEST(the_failure_rate_comes_behind_the_faults_of_the_network) {
    struct plan faulty = plan_of("sites: [earth]\nfaults:\n"
                                 "  - {match: {host: edge00.earth}, effect: error}\n"
                                 "  - {match: {host: edge01.earth}, effect: reset}\n");
    struct model model;
    struct error err;
    unsigned failures, late;
    ck_assert_int_eq(plan_add_failures(&faulty, 0.25, &err), 0);
    ck_assert_uint_eq(faulty.odd_count, 2);
    model_init(&model, &faulty, "5.3.1", NULL);
    model_seed(&model, SEED);
    compare(&model, &failures, &late);
    ck_assert_uint_gt(failures, 10);
    model_deinit(&model);
    plan_deinit(&faulty);
}
END_TEST

// Calls take 10 ms to 2 s here.
START_TEST(a_host_that_answers_too_late_fails_when_its_time_is_up) {
    static const struct {
        uint64_t call_ms, install_ms;
        double time_scale;
    } cases[] = {{1900, 300000, 1}, {30000, 1500, 1}, {1800, 1700, 1}, {1800, 1700, 0.01}};
    struct model model;
    unsigned failures, late;
    model_init(&model, &plan, "5.3.1", NULL);
    model.session.call_timeout_ms = cases[_i].call_ms;
    model.session.install_timeout_ms = cases[_i].install_ms;
    model_scale(&model, cases[_i].time_scale);
    model_seed(&model, SEED);
    compare(&model, &failures, &late);
    ck_assert_uint_eq(failures, late);
    ck_assert_uint_gt(late, 50);
    ck_assert_uint_lt(late, plan.network.devices - 50);
    model_deinit(&model);
}
END_TEST

START_TEST(what_is_odd_about_a_device_is_played) {
    struct plan odd = plan_of(
        "sites: [earth]\ndev_types: {edge: {count: 4}}\nversions: [5.2.1]\n"
        "latency: {login: 0, get_version: 0, install_os_version: 1s, logout: 0}\n"
        "hosts: {edge01.earth: {port: 1}, fw: {site: earth, dev_type: fw, platform: panos}}\n"
        "faults:\n"
        "  - {match: {host: edge02.earth}, on: get_version, effect: no_reply}\n"
        "  - {match: {host: edge03.earth}, on: login, effect: delay, by: 5s, times: 1}\n");
    static const struct visit_result expected[] = {
        {.us = 1000000}, {.fails = true}, {.us = 30000000, true, true}, {.us = 6000000}};
    struct model model;
    struct virtual_result result;
    ck_assert_uint_eq(odd.odd_count, 3);
    ck_assert_uint_eq(odd.down_count, 1);
    ck_assert_uint_eq(odd.foreign_count, 1);
    model_init(&model, &odd, "5.3.1", NULL);
    // Again for the same seed, and for another: as if nothing had been before.
    for (int i = 0; i < 6; i++) {
        const struct virtual_devices devices = model_devices(&model);
        if (i % 2 == 0) model_seed(&model, SEED + (uint64_t)i / 4);
        devices.begin(devices.arg);
        for (uint32_t host = 0; host < COUNT(expected); host++) {
            struct visit_result told = upgrade(&devices, host);
            ck_assert_uint_eq(told.us, expected[host].us);
            ck_assert(told.fails == expected[host].fails);
            ck_assert(told.times_out == expected[host].times_out);
        }
    }
    // One group: edge00 is skipped for edge01, which is nowhere, and so fails and stops the others.
    model_run(&model, 10, &result);
    ck_assert_uint_eq(result.failed, 1);
    ck_assert_uint_eq(result.skipped, 3 + 1); // fw
    model_deinit(&model);
    plan_deinit(&odd);
}
END_TEST

START_TEST(a_plan_has_the_hosts_and_groups_of_its_network) {
    char name[NETWORK_HOST_MAX];
    ck_assert_uint_eq(plan.inventory->count, 848);
    ck_assert_uint_eq(plan.grouping.count, 8 + 8 + 8 * 50);
    for (uint32_t device = 0; device < plan.network.devices; device++) {
        network_host(&plan.network, device, name);
        ck_assert_str_eq(plan.inventory->hosts[device].name, name);
    }
}
END_TEST

static uint64_t group_of(uint32_t host) {
    const struct grouping *g = &plan.grouping;
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            if (g->order[g->cohorts[c].first + i] == host) return c;
    return UINT64_MAX;
}

// What is told of the hosts is the run: its counts, its length, and one of a group at a time.
START_TEST(the_hosts_of_a_run_add_up_to_it) {
    struct model model;
    struct virtual_result result, alone;
    struct virtual_host *hosts = mem_array(plan.inventory->count, sizeof *hosts);
    uint64_t last_us = 0, ends[VIRTUAL_SKIPPED + 1] = {0};
    model_init(&model, &plan, "5.3.1", NULL);
    model_seed(&model, SEED);
    model_run_hosts(&model, 100, hosts, &result);
    model_run(&model, 100, &alone);
    ck_assert_uint_eq(result.makespan_us, alone.makespan_us);
    for (uint32_t i = 0; i < plan.inventory->count; i++) {
        const struct virtual_host *a = &hosts[i], *b = &hosts[i + 1];
        ends[a->end]++;
        if (a->end == VIRTUAL_SKIPPED) continue;
        ck_assert_uint_le(a->start_us, a->end_us);
        if (a->end_us > last_us) last_us = a->end_us;
        if (i + 1 == plan.inventory->count || group_of(i) != group_of(i + 1)) continue;
        if (b->end == VIRTUAL_SKIPPED) continue;
        ck_assert(a->end_us <= b->start_us || b->end_us <= a->start_us);
    }
    ck_assert_uint_eq(ends[VIRTUAL_CHANGED] + ends[VIRTUAL_UNCHANGED], result.completed);
    ck_assert_uint_eq(ends[VIRTUAL_FAILED], result.failed);
    ck_assert_uint_eq(ends[VIRTUAL_SKIPPED], result.skipped);
    ck_assert_uint_gt(ends[VIRTUAL_CHANGED], 0);
    ck_assert_uint_le(last_us, result.makespan_us);
    ck_assert_uint_ge(last_us + 2000000, result.makespan_us); // and the logout
    model_deinit(&model);
    free(hosts);
}
END_TEST

static const char scrape[] = "# TYPE orchestrator_host_duration_seconds histogram\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"1.0\"} 1.0\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"2.5\"} 4.0\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"+Inf\"} 4.0\n"
                             "orchestrator_host_duration_seconds_sum 7.5\n";

START_TEST(durations_are_learnt_from_the_histogram_of_a_run) {
    struct model_histogram histogram;
    struct model model;
    struct error err;
    struct virtual_result result;
    unsigned below = 0;
    ck_assert_int_eq(model_histogram_parse(scrape, &histogram, &err), 0);
    ck_assert_uint_eq(histogram.len, 3);
    model_init(&model, &plan, "5.3.1", &histogram);
    model_seed(&model, SEED);
    const struct virtual_devices devices = model_devices(&model);
    devices.begin(devices.arg);
    for (uint32_t device = 0; device < plan.network.devices; device++) {
        struct visit_result told = upgrade(&devices, device);
        ck_assert_uint_le(told.us, 2500000);
        below += told.us <= 1000000;
    }
    model_run(&model, 100, &result);
    ck_assert_uint_eq(result.asked, 0); // what that took is in the durations
    // A quarter, within what chance allows: 212, three standard deviations are 38.
    ck_assert_uint_gt(below, 174);
    ck_assert_uint_lt(below, 250);
    model_deinit(&model);
}
END_TEST

START_TEST(a_scrape_without_a_timed_host_is_refused) {
    static const char *const scrapes[] = {
        "", "other 1.0\n", "orchestrator_host_duration_seconds_bucket{le=\"+Inf\"} 0.0\n"};
    for (size_t i = 0; i < COUNT(scrapes); i++) {
        struct model_histogram histogram;
        struct error err;
        ck_assert_int_eq(model_histogram_parse(scrapes[i], &histogram, &err), ERROR_INPUT);
        ck_assert_ptr_nonnull(strstr(err.text, "save /metrics/ after a run"));
    }
}
END_TEST

#define BUCKET "orchestrator_host_duration_seconds_bucket"

START_TEST(a_scrape_may_have_more_labels_and_spaces) {
    static const char rich[] = "# TYPE orchestrator_host_duration_seconds histogram\n" BUCKET
                               "{instance=\"a,le=\\\"9\\\"}\",le=\"0.5\"} 3 1591734190331\n"
                               "  " BUCKET " { job = \"x\" , le = \"2\" , }  7.0\r\n" BUCKET
                               "{le=\"+Inf\",job=\"x\"}\t8\n" BUCKET "s{le=\"1\"} 9\n"
                               "orchestrator_host_duration_seconds_sum{job=\"x\"} 12\n";
    struct model_histogram h;
    struct error err;
    ck_assert_msg(model_histogram_parse(rich, &h, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(h.len, 3);
    static const double bounds[] = {0.5, 2, 4}, counts[] = {3, 4, 1};
    for (size_t i = 0; i < h.len; i++) {
        ck_assert_double_eq(h.bounds_s[i], bounds[i]);
        ck_assert_double_eq(h.counts[i], counts[i]);
    }
}
END_TEST

static const struct {
    const char *scrape, *why;
} no_histograms[] = {
    {BUCKET "{le=\"1\"} 3\n", "its last bucket is not le=\"+Inf\""},
    {BUCKET "{le=\"2\"} 3\n" BUCKET "{le=\"1\"} 4\n" BUCKET "{le=\"+Inf\"} 5\n",
     "its bounds do not ascend; save /metrics/ of one process"},
    {BUCKET "{le=\"1\",i=\"a\"} 5\n" BUCKET "{le=\"1\",i=\"b\"} 5\n",
     "its bounds do not ascend; save /metrics/ of one process"},
    {BUCKET "{le=\"1\"} 5\n" BUCKET "{le=\"+Inf\"} 4\n", "its counts go down"},
    {BUCKET "{le=\"1\"} -5\n", "a bucket is not to be read"},
    {BUCKET "{le=\"1\"} NaN\n", "a bucket is not to be read"},
    {BUCKET "{le=\"1\"} 5x\n", "a bucket is not to be read"},
    {BUCKET "{le=\"1\"}\n", "a bucket is not to be read"},
    {BUCKET "{le=\"1} 5\n", "a bucket is not to be read"},
    {BUCKET "{le=\"\"} 5\n", "a bucket is not to be read"},
    {BUCKET "{le=\"nan\"} 5\n", "a bucket is not to be read"},
    {BUCKET "{le=1} 5\n", "a bucket is not to be read"},
    {BUCKET "{job=\"x\"} 5\n", "a bucket is not to be read"},
    {BUCKET " 5\n", "a bucket is not to be read"},
    {BUCKET "{le=\"1\"", "a bucket is not to be read"},
};

START_TEST(what_is_no_histogram_is_refused) {
    struct model_histogram h;
    struct error err;
    char expected[200];
    ck_assert_int_eq(model_histogram_parse(no_histograms[_i].scrape, &h, &err), ERROR_INPUT);
    snprintf(expected, sizeof expected, "orchestrator_host_duration_seconds is no histogram: %s",
             no_histograms[_i].why);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

Suite *check_model(void) {
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_host_takes_what_a_visit_takes_and_fails_where_the_failure_rate_says);
    tcase_add_test(tcase, the_failure_rate_comes_behind_the_faults_of_the_network);
    tcase_add_loop_test(tcase, a_host_that_answers_too_late_fails_when_its_time_is_up, 0, 4);
    tcase_add_test(tcase, what_is_odd_about_a_device_is_played);
    tcase_add_test(tcase, a_plan_has_the_hosts_and_groups_of_its_network);
    tcase_add_test(tcase, the_hosts_of_a_run_add_up_to_it);
    tcase_add_test(tcase, durations_are_learnt_from_the_histogram_of_a_run);
    tcase_add_test(tcase, a_scrape_without_a_timed_host_is_refused);
    tcase_add_test(tcase, a_scrape_may_have_more_labels_and_spaces);
    tcase_add_loop_test(tcase, what_is_no_histogram_is_refused, 0, COUNT(no_histograms));
    return suite;
}
