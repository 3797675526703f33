// What a visit takes and comes to, counted by hand from the protocol (spec/acmeos.md) and from what
// the orchestrator promises of reconnecting (orchestrator/session.h).
#include "bench/visit.h"
#include "tests/unit/plans.h"

Suite *check_visit(void);

#define SITE "sites: [earth]\ndev_types: {edge: {count: 2}}\nversions: [5.2.1]\n"
#define NETWORK(reboot, more)                                                                      \
    SITE "latency: {login: 10ms, get_version: 20ms, install_os_version: 1s, logout: 5ms" reboot    \
         "}\n" more
#define FAULT(text) NETWORK("", "faults: [{" text "}]\n")

#define MS  1000ULL
#define S   (1000 * MS)
#define ALL (10 * MS + 20 * MS + S + 20 * MS + 5 * MS)

static struct visit_result visit_at(const struct plan *plan, double time_scale,
                                    struct session_config *session) {
    const struct task_args args = {.version = "5.3.1"};
    struct world world;
    world_init(&world, &plan->network, 1, time_scale);
    world.faults = plan->faults;
    session->username = plan->network.username;
    session->password = plan->network.password;
    struct visitor visitor = {
        .world = &world, .config = session, .task = &task_upgrade_os, .args = &args};
    struct visit_result result = visit(&visitor, &plan->inventory->hosts[0], 0);
    world.faults = (struct fault_list){0};
    visitor_deinit(&visitor);
    world_deinit(&world);
    return result;
}

static const struct {
    const char *network;
    uint64_t us;
    bool fails, times_out;
} cases[] = {
    {NETWORK("", ""), ALL, false, false},
    {NETWORK("", "username: root\npassword: secret\n"), ALL, false, false},
    {NETWORK("", "hosts: {edge00.earth: {version: 5.3.1}}\n"), 35 * MS, false, false},
    // Nobody listens; it is down: the first call gets no answer but a reset.
    {NETWORK("", "hosts: {edge00.earth: {port: 1}}\n"), 0, true, false},
    {NETWORK("", "hosts: {edge00.earth: {state: down}}\n"), 10 * MS, true, false},
    // Of another device.
    {FAULT("match: {host: edge01.earth}, effect: error"), ALL, false, false},
    {FAULT("on: login, effect: error"), 10 * MS, true, false},
    {FAULT("on: login, effect: refuse"), 10 * MS, true, false},
    {FAULT("on: install_os_version, effect: error"), 1030 * MS, true, false},
    {FAULT("on: get_version, effect: error, after: 1"), 1050 * MS, true, false},
    {FAULT("on: logout, effect: error"), ALL, false, false},
    {FAULT("on: logout, effect: no_reply"), 1050 * MS + 30 * S, false, false},
    {FAULT("on: login, effect: delay, by: 2s"), ALL + 2 * S, false, false},
    {FAULT("on: login, effect: delay, by: 40s"), 30 * S, true, true},
    {FAULT("on: get_version, effect: no_reply"), 10 * MS + 30 * S, true, true},
    {FAULT("on: install_os_version, effect: no_reply"), 30 * MS + 300 * S, true, true},
    {FAULT("on: get_version, effect: garbage"), 30 * MS, true, false},
    {FAULT("on: get_version, effect: oversize"), 30 * MS, true, false},
    {FAULT("on: get_version, effect: wrong_id"), 30 * MS, true, false},
    {FAULT("on: get_version, effect: close"), 30 * MS, true, false},
    {FAULT("on: get_version, effect: truncate"), 30 * MS, true, false},
    {FAULT("on: get_version, effect: wrong_version"), 1050 * MS, true, false},
    // The answer to the logout has 44 bytes, each ten milliseconds behind the one before.
    {FAULT("on: logout, effect: slow, bytes_per_second: 100"), ALL + 430 * MS, false, false},
    {FAULT("on: logout, effect: slow, bytes_per_second: 1"), 1050 * MS + 30 * S, false, false},
    // The connection is lost at the install: a pause, a login, and the question for the version.
    {FAULT("on: install_os_version, effect: reset"), 60 * MS + 300 * S, true, false},
    {FAULT("on: install_os_version, effect: truncate"), (1030 + 100 + 35) * MS, false, false},
    {FAULT("on: install_os_version, effect: wrong_version"), 1050 * MS, true, false},
    // Away for a second: back at the fourth login, after pauses of 100, 200, 400 and 800 ms and
    // three logins of 10 ms that were reset.
    {FAULT("on: install_os_version, effect: reboot, downtime: 1s"), 2595 * MS, false, false},
    {FAULT("on: install_os_version, effect: brick"), 30 * MS + 300 * S, true, true},
    // The same, each install of all devices; but one that fails restarts nobody.
    {NETWORK(", reboot: 1s", ""), 2595 * MS, false, false},
    {NETWORK(", reboot: 1s", "faults: [{on: install_os_version, effect: error}]\n"), 1030 * MS,
     true, false},
    {NETWORK(", reboot: 1h", ""), 30 * MS + 300 * S, true, true},
};

START_TEST(a_visit_takes_what_the_calls_take_and_comes_to_what_the_device_makes_of_them) {
    struct plan plan = plan_of(cases[_i].network);
    struct session_config session = {.connect_timeout_ms = SESSION_CONNECT_TIMEOUT_MS,
                                     .call_timeout_ms = SESSION_CALL_TIMEOUT_MS,
                                     .install_timeout_ms = SESSION_INSTALL_TIMEOUT_MS};
    struct visit_result result = visit_at(&plan, 1, &session);
    ck_assert_msg(result.us == cases[_i].us && result.fails == cases[_i].fails &&
                      result.times_out == cases[_i].times_out,
                  "%s: %llu us%s%s", cases[_i].network, (unsigned long long)result.us,
                  result.fails ? ", fails" : "", result.times_out ? ", by a timeout" : "");
    plan_deinit(&plan);
}
END_TEST

// The simulator shortens all it does; the pauses are the orchestrator's, and are as long as ever.
START_TEST(the_time_scale_shortens_no_pause) {
    struct plan plan = plan_of(NETWORK(", reboot: 20s", ""));
    struct session_config session = {
        .connect_timeout_ms = 5000, .call_timeout_ms = 300, .install_timeout_ms = 3000};
    struct visit_result result = visit_at(&plan, 0.01, &session);
    // Back after 200 ms: at the second login, after pauses of 100 and 200 ms.
    ck_assert_uint_eq(result.us, 10300 + 100000 + 100 + 200000 + 350);
    ck_assert(!result.fails);
    plan_deinit(&plan);
}
END_TEST

START_TEST(a_visit_is_the_same_whatever_was_before) {
    struct plan plan =
        plan_of(NETWORK(", reboot: 1h", "faults: [{on: login, effect: error, times: 1, "
                                        "probability: 0.5}]\n"));
    const struct session_config session = {.username = "admin",
                                           .password = "admin",
                                           .connect_timeout_ms = 5000,
                                           .call_timeout_ms = 30000,
                                           .install_timeout_ms = 2345};
    const struct task_args args = {.version = "5.3.1"};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct visit_result results[2];
        for (uint32_t first = 0; first < 2; first++) {
            struct world world;
            world_init(&world, &plan.network, seed, 1);
            world.faults = plan.faults;
            fault_rewind(&world.faults);
            struct visitor visitor = {
                .world = &world, .config = &session, .task = &task_upgrade_os, .args = &args};
            visitor.now_us = first == 0 ? 0 : 777;
            for (uint32_t i = 0; i < 2; i++) {
                uint32_t device = i == 0 ? first : 1 - first;
                struct visit_result r = visit(&visitor, &plan.inventory->hosts[device], device);
                if (device == 0) results[first] = r;
            }
            world.faults = (struct fault_list){0};
            visitor_deinit(&visitor);
            world_deinit(&world);
        }
        ck_assert_uint_eq(results[0].us, results[1].us);
        ck_assert(results[0].fails == results[1].fails);
        ck_assert(results[0].times_out == results[1].times_out);
    }
    plan_deinit(&plan);
}
END_TEST

Suite *check_visit(void) {
    Suite *suite = suite_create("visit");
    TCase *tcase = tcase_create("visit");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(
        tcase, a_visit_takes_what_the_calls_take_and_comes_to_what_the_device_makes_of_them, 0,
        COUNT(cases));
    tcase_add_test(tcase, the_time_scale_shortens_no_pause);
    tcase_add_test(tcase, a_visit_is_the_same_whatever_was_before);
    return suite;
}
