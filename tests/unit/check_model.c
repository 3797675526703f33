// The model of a run against the simulated devices themselves: the console that the simulator puts
// behind every connection, asked what the orchestrator would ask.
#include "bench/model.h"
#include "simulator/console.h"
#include "tests/unit/support.h"

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

// The wait before the answer, which is dropped. False: it is an error.
static bool ask(struct console *console, uint64_t *now_us, const char *method, const char *params) {
    struct buf line = {0};
    rpc_write_request(&line, 1, method, params);
    struct console_begun begun = console_begin(console, *now_us, line.data, line.len - 1);
    *now_us += begun.wait_us;
    struct console_reply reply = begun.runs ? console_finish(console, *now_us) : begun.reply;
    bool error = strstr(reply.out.data, "\"error\"") != NULL;
    buf_deinit(&reply.out);
    buf_deinit(&line);
    return !error;
}

// False: it is an error, or the client has not waited for so long, and is late.
static bool ask_in_time(struct console *console, struct virtual_host *host, const char *method,
                        const char *params, uint64_t timeout_us) {
    uint64_t begun_us = host->us;
    bool answered = ask(console, &host->us, method, params);
    host->times_out = host->us - begun_us > timeout_us;
    if (host->times_out) host->us = begun_us + timeout_us;
    return answered && !host->times_out;
}

static struct virtual_host upgrade(struct world *world, uint32_t device, const char *version,
                                   const struct model_timeouts *timeouts) {
    struct console console;
    struct buf login = {0}, install = {0};
    struct virtual_host host = {0};
    uint64_t call_us = timeouts->call_us;
    bool current = strcmp(world_version(world, device), version) == 0;
    console_init(&console, world);
    buf_addf(&login, "{\"hostname\": \"%s\", \"username\": \"admin\", \"password\": \"admin\"}",
             plan.inventory->hosts[device].name);
    buf_addf(&install, "{\"version\": \"%s\"}", version);
    host.fails = !ask_in_time(&console, &host, "login", login.data, call_us) ||
                 !ask_in_time(&console, &host, "get_version", NULL, call_us) ||
                 (!current && (!ask_in_time(&console, &host, "install_os_version", install.data,
                                            timeouts->install_us) ||
                               !ask_in_time(&console, &host, "get_version", NULL, call_us)));
    bool timed_out = host.times_out;
    if (!host.fails) ask_in_time(&console, &host, "logout", NULL, call_us);
    host.times_out = timed_out;
    console_drop(&console, host.us);
    buf_deinit(&login);
    buf_deinit(&install);
    return host;
}

START_TEST(a_host_takes_what_the_simulator_takes_and_fails_where_its_first_rule_says) {
    struct model model;
    struct world world;
    struct error err;
    unsigned failures = 0, current = 0;
    const struct model_timeouts timeouts = {30000000, 300000000};
    cJSON *rule = json_of("{'on': 'install_os_version', 'effect': 'error', 'probability': 0.25}");
    world_init(&world, &plan.network, SEED, 1);
    ck_assert_int_eq(fault_add(&world.faults, rule, &err), 0);
    cJSON_Delete(rule);
    model_init(&model, &plan, "5.3.1", 0.25, NULL);
    model_seed(&model, SEED);
    for (uint32_t device = 0; device < plan.network.devices; device++) {
        current += strcmp(world_version(&world, device), "5.3.1") == 0;
        struct virtual_host told = model_draw(&model, device);
        struct virtual_host real = upgrade(&world, device, "5.3.1", &timeouts);
        ck_assert_uint_eq(told.us, real.us);
        ck_assert(told.fails == real.fails);
        failures += told.fails;
    }
    ck_assert_uint_gt(failures, 100);
    ck_assert_uint_gt(current, 5);
    model_deinit(&model);
    world_deinit(&world);
}
END_TEST

// Calls take 10 ms to 2 s here.
START_TEST(a_host_that_answers_too_late_fails_when_its_time_is_up) {
    static const struct model_timeouts cases[] = {
        {1900000, 300000000}, {30000000, 1500000}, {1800000, 1700000}};
    struct model model;
    struct world world;
    unsigned late = 0, in_time = 0;
    world_init(&world, &plan.network, SEED, 1);
    model_init(&model, &plan, "5.3.1", 0, NULL);
    model_seed(&model, SEED);
    model.timeouts = cases[_i];
    for (uint32_t device = 0; device < plan.network.devices; device++) {
        struct virtual_host told = model_draw(&model, device);
        struct virtual_host real = upgrade(&world, device, "5.3.1", &cases[_i]);
        ck_assert_uint_eq(told.us, real.us);
        ck_assert(told.fails == real.fails && told.times_out == real.times_out);
        ck_assert(told.fails == told.times_out);
        late += told.fails;
        in_time += !told.fails;
    }
    ck_assert_uint_gt(late, 50);
    ck_assert_uint_gt(in_time, 50);
    model_deinit(&model);
    world_deinit(&world);
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

static const char scrape[] = "# TYPE orchestrator_host_duration_seconds histogram\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"1.0\"} 1.0\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"2.5\"} 4.0\n"
                             "orchestrator_host_duration_seconds_bucket{le=\"+Inf\"} 4.0\n"
                             "orchestrator_host_duration_seconds_sum 7.5\n";

START_TEST(durations_are_learnt_from_the_histogram_of_a_run) {
    struct model_histogram histogram;
    struct model model;
    struct error err;
    unsigned below = 0;
    ck_assert_int_eq(model_histogram_parse(scrape, &histogram, &err), 0);
    ck_assert_uint_eq(histogram.len, 3);
    model_init(&model, &plan, "5.3.1", 0, &histogram);
    model_seed(&model, SEED);
    for (uint32_t device = 0; device < plan.network.devices; device++) {
        struct virtual_host told = model_draw(&model, device);
        ck_assert_uint_le(told.us, 2500000);
        below += told.us <= 1000000;
    }
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
    tcase_add_test(tcase,
                   a_host_takes_what_the_simulator_takes_and_fails_where_its_first_rule_says);
    tcase_add_loop_test(tcase, a_host_that_answers_too_late_fails_when_its_time_is_up, 0, 3);
    tcase_add_test(tcase, a_plan_has_the_hosts_and_groups_of_its_network);
    tcase_add_test(tcase, durations_are_learnt_from_the_histogram_of_a_run);
    tcase_add_test(tcase, a_scrape_without_a_timed_host_is_refused);
    tcase_add_test(tcase, a_scrape_may_have_more_labels_and_spaces);
    tcase_add_loop_test(tcase, what_is_no_histogram_is_refused, 0, COUNT(no_histograms));
    return suite;
}
