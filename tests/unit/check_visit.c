// What a visit takes and comes to, counted by hand from the protocol (spec/acmeos.md) and from what
// the orchestrator promises of reconnecting (orchestrator/session.h).
#include "tests/unit/plans.h"
#include "tests/unit/visits.h"

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
    struct visitor visitor = {.world = &world, .config = session, .args = &args};
    struct visit_result result = visit(&visitor, &plan->inventory->hosts[0], 0, 0);
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
    {NETWORK("", "hosts: {edge00.earth: {username: lab, password: own}}\n"), ALL, false, false},
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
            struct visitor visitor = {.world = &world, .config = &session, .args = &args};
            uint64_t now_us = first == 0 ? 0 : 777;
            for (uint32_t i = 0; i < 2; i++) {
                uint32_t device = i == 0 ? first : 1 - first;
                struct visit_result r =
                    visit(&visitor, &plan.inventory->hosts[device], device, now_us);
                now_us += r.us;
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

// --- visits that ask, and what comes of them

struct story { // a world with a visitor
    struct plan plan;
    struct world world;
    struct session_config session;
    struct task_args args;
    struct visitor visitor;
    struct contact_update update;
    struct visit *visit; // to the first device
    uint64_t now_us;
};

static void begin_story(struct story *s, const char *network) {
    *s = (struct story){.plan = plan_of(network),
                        .session = {.username = "admin",
                                    .password = "admin",
                                    .connect_timeout_ms = 5000,
                                    .call_timeout_ms = 30000,
                                    .install_timeout_ms = 300000,
                                    .keep_ms = 60000},
                        .args = {.version = "5.3.1"}};
    world_init(&s->world, &s->plan.network, 1, 1);
    s->world.faults = s->plan.faults;
    s->visitor = (struct visitor){.world = &s->world, .config = &s->session, .args = &s->args};
}

static void end_story(struct story *s) {
    visit_free(s->visit, s->now_us);
    s->world.faults = (struct fault_list){0};
    visitor_deinit(&s->visitor);
    world_deinit(&s->world);
    plan_deinit(&s->plan);
}

static void visit_as(struct story *s, enum contact_task task) {
    visit_free(s->visit, s->now_us);
    s->visit =
        visit_begin(&s->visitor, &s->plan.inventory->hosts[0], 0, task, s->now_us, &s->update);
}

static void say(struct story *s, enum contact_input input) {
    visit_tell(s->visit, input, s->now_us, &s->update);
}

static void wait_due(struct story *s, uint64_t due_us) {
    ck_assert_uint_eq(s->update.due_us, due_us);
    s->now_us = due_us;
    say(s, CONTACT_DUE);
}

START_TEST(a_session_that_asks_is_kept_and_taken_over) {
    struct story s;
    begin_story(&s, NETWORK("", ""));
    visit_as(&s, CONTACT_ASK);
    wait_due(&s, 10 * MS);
    wait_due(&s, 30 * MS);
    ck_assert(s.update.is_kept && s.update.verdict == CONTACT_DONE && !s.update.leaves);
    ck_assert_uint_eq(s.update.due_us, 30 * MS + 60 * S);
    s.now_us = 5 * S;
    say(&s, CONTACT_TAKEN);
    ck_assert(s.update.asks && !s.update.answered); // not now: when it was kept
    ck_assert_uint_eq(s.update.due_us, UINT64_MAX);
    say(&s, CONTACT_GRANTED);
    wait_due(&s, 6 * S);
    wait_due(&s, 6020 * MS);
    ck_assert(s.update.verdict == CONTACT_DONE && s.update.leaves);
    wait_due(&s, 6025 * MS);
    ck_assert(s.update.is_over);
    ck_assert_uint_eq(s.world.devices[0].logins, 1);
    end_story(&s);
}
END_TEST

START_TEST(a_session_that_asks_is_taken_over_before_it_is_answered) {
    struct story s;
    begin_story(&s, NETWORK("", ""));
    visit_as(&s, CONTACT_ASK);
    s.now_us = 5 * MS;
    say(&s, CONTACT_TAKEN);
    wait_due(&s, 10 * MS);
    wait_due(&s, 30 * MS);
    ck_assert(s.update.asks && s.update.answered && !s.update.is_kept);
    say(&s, CONTACT_REFUSED);
    ck_assert(s.update.leaves && s.update.verdict == CONTACT_OPEN);
    wait_due(&s, 35 * MS);
    ck_assert(s.update.is_over && s.update.verdict == CONTACT_OPEN);
    end_story(&s);
}
END_TEST

START_TEST(a_kept_session_leaves_when_it_is_told_or_its_time_is_over) {
    for (int told = 0; told < 2; told++) {
        struct story s;
        begin_story(&s, NETWORK("", ""));
        visit_as(&s, CONTACT_ASK);
        wait_due(&s, 10 * MS);
        wait_due(&s, 30 * MS);
        if (told)
            say(&s, CONTACT_LEAVE);
        else
            wait_due(&s, 30 * MS + 60 * S);
        ck_assert(s.update.leaves && !s.update.is_kept);
        wait_due(&s, s.now_us + 5 * MS);
        ck_assert(s.update.is_over);
        end_story(&s);
    }
}
END_TEST

START_TEST(a_session_that_passes_logs_out_at_once) {
    struct story s;
    begin_story(&s, NETWORK("", ""));
    visit_as(&s, CONTACT_ASK_AND_LEAVE);
    wait_due(&s, 10 * MS);
    wait_due(&s, 30 * MS);
    ck_assert(s.update.verdict == CONTACT_DONE && s.update.leaves && !s.update.is_over);
    wait_due(&s, 35 * MS);
    ck_assert(s.update.is_over);
    end_story(&s);
}
END_TEST

// Nobody listens any more, but the device does not mind.
START_TEST(an_install_that_was_given_up_runs_on) {
    struct story s;
    begin_story(&s, SITE "latency: {login: 0, get_version: 0, install_os_version: 400s, "
                         "logout: 0}\nfaults: [{match: {host: edge01.earth}, effect: error}]\n");
    visit_as(&s, CONTACT_UPGRADE);
    while (!s.update.asks)
        wait_due(&s, 0);
    say(&s, CONTACT_GRANTED);
    wait_due(&s, 300 * S);
    ck_assert(s.update.is_over && s.update.verdict == CONTACT_FAILED && s.update.times_out);
    static const struct {
        uint64_t at_us;
        enum contact_verdict verdict;
    } asks[] = {{350 * S, CONTACT_FAILED}, {400 * S, CONTACT_DONE}};
    for (size_t i = 0; i < COUNT(asks); i++) {
        s.now_us = asks[i].at_us;
        visit_as(&s, CONTACT_ASK_AND_LEAVE);
        while (s.update.verdict == CONTACT_OPEN)
            wait_due(&s, s.now_us);
        ck_assert_int_eq(s.update.verdict, asks[i].verdict);
    }
    ck_assert_str_eq(world_version(&s.world, 0), "5.3.1");
    end_story(&s);
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
    tcase_add_test(tcase, a_session_that_asks_is_kept_and_taken_over);
    tcase_add_test(tcase, a_session_that_asks_is_taken_over_before_it_is_answered);
    tcase_add_test(tcase, a_kept_session_leaves_when_it_is_told_or_its_time_is_over);
    tcase_add_test(tcase, a_session_that_passes_logs_out_at_once);
    tcase_add_test(tcase, an_install_that_was_given_up_runs_on);
    return suite;
}
