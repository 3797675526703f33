#include "bench/model.h"
#include "common/rng.h"
#include "orchestrator/virtual.h"
#include "tests/unit/plans.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

Suite *check_virtual(void);

enum { HOSTS_MAX = 64, GROUPS_MAX = 8 };
#define MS UINT64_C(1000)

// Groups of the given sizes; hosts are numbered through.
struct small_network {
    struct inventory inventory;
    struct host hosts[HOSTS_MAX];
    char names[HOSTS_MAX][12];
    struct grouping grouping;
    struct constraint groups[GROUPS_MAX];
    struct cohort cohorts[GROUPS_MAX];
    uint32_t order[HOSTS_MAX], group_of[HOSTS_MAX];
    char keys[GROUPS_MAX][4];
    // What its devices are like.
    struct contact contacts[HOSTS_MAX];
    struct contact_devices devices;
    uint64_t call_us, install_us; // each call, and more for an install
    uint64_t seed;                // 0: as they are; else something between that and 1
    uint64_t fails, late, bricks; // a bit a host: its install fails, takes too long, kills it
    uint64_t dead;                // nobody is there
    uint64_t current;             // it is born with the version that is wanted
    // What was done to them.
    uint32_t installing[GROUPS_MAX];
    unsigned most_installing, logins, kept, passed;
    bool peer_was_down;
    struct virtual_host was[HOSTS_MAX];
};

static bool is_one_of(uint64_t hosts, uint32_t host) {
    return (hosts >> host & 1) != 0;
}

static uint64_t latency_us(void *arg, uint32_t host, enum operation operation, uint32_t attempt) {
    struct small_network *n = arg;
    uint64_t us = n->call_us + (operation == OPERATION_INSTALL ? n->install_us : 0);
    n->logins += operation == OPERATION_LOGIN;
    if (operation == OPERATION_LOGIN && is_one_of(n->dead, host))
        return n->devices.call_timeout_us + 1;
    if (operation == OPERATION_INSTALL && is_one_of(n->late, host))
        return 10 * n->devices.install_timeout_us;
    if (n->seed == 0 || us == 0) return us;
    return rng_range(rng_mix(rng_mix(n->seed, host), operation * 100 + attempt), 1, us);
}

static bool is_current(void *arg, uint32_t host) {
    const struct small_network *n = arg;
    return is_one_of(n->current, host);
}

static bool install_fails(void *arg, uint32_t host, uint32_t attempt) {
    const struct small_network *n = arg;
    (void)attempt;
    return is_one_of(n->fails | n->bricks, host);
}

static void begin(void *arg) {
    struct small_network *n = arg;
    memset(n->contacts, 0, sizeof n->contacts);
}

static void contact(void *arg, uint32_t host, enum contact_task task, uint64_t now_us,
                    struct contact_update *update) {
    struct small_network *n = arg;
    n->passed += task == CONTACT_ASK_AND_LEAVE;
    contact_begin(&n->contacts[host], &n->devices, host, task, now_us, update);
}

// The referee: an install begins, of whose group others are at one or dead.
static void watch_grant(struct small_network *n, uint32_t host) {
    const uint32_t group = n->group_of[host];
    uint32_t down = ++n->installing[group];
    for (uint32_t i = 0; i < n->inventory.count; i++)
        down += n->group_of[i] == group && is_one_of(n->dead, i);
    if (down > n->groups[group].limit) n->peer_was_down = true;
    if (n->installing[group] > n->most_installing) n->most_installing = n->installing[group];
}

static void tell(void *arg, uint32_t host, enum contact_input input, uint64_t now_us,
                 struct contact_update *update) {
    struct small_network *n = arg;
    const uint32_t installs = n->contacts[host].attempts[OPERATION_INSTALL];
    if (input == CONTACT_GRANTED) watch_grant(n, host);
    contact_tell(&n->contacts[host], &n->devices, host, input, now_us, update);
    n->kept += update->is_kept;
    if (installs == 0 || update->verdict == CONTACT_OPEN) return;
    if (n->contacts[host].task != CONTACT_UPGRADE) return;
    n->installing[n->group_of[host]]--;
    if (is_one_of(n->bricks, host)) n->dead |= UINT64_C(1) << host;
}

static void make(struct small_network *n, const uint32_t *sizes, size_t count) {
    *n = (struct small_network){.install_us = 10 * MS,
                                .devices = {.latency_us = latency_us,
                                            .is_current = is_current,
                                            .install_fails = install_fails,
                                            .call_timeout_us = 1000 * MS,
                                            .install_timeout_us = 1000 * MS,
                                            .keep_us = 60000 * MS},
                                .grouping = {.count = count, .cohorts_count = count}};
    uint32_t hosts = 0;
    for (uint32_t g = 0; g < count; g++) {
        n->keys[g][0] = (char)('a' + g);
        n->groups[g] = (struct constraint){.key = n->keys[g],
                                           .name = n->keys[g],
                                           .limit = 1,
                                           .weight = 1,
                                           .members = sizes[g],
                                           .cohorts = g,
                                           .cohorts_count = 1,
                                           .redundancy = true};
        n->cohorts[g] = (struct cohort){hosts, sizes[g], g, 1};
        for (uint32_t i = 0; i < sizes[g]; i++)
            n->group_of[hosts++] = g;
    }
    for (uint32_t i = 0; i < hosts; i++) {
        snprintf(n->names[i], sizeof n->names[i], "h%u", i);
        n->hosts[i] = (struct host){.name = n->names[i], .address = "127.0.0.1", .port = 1};
        n->order[i] = i;
    }
    n->grouping.hosts = n->inventory.count = hosts;
}

static void run_with(struct small_network *n, unsigned workers, struct peers_config peers,
                     struct virtual_result *result) {
    static const char *platforms[] = {"acmeos", "panos"};
    n->inventory.hosts = n->hosts;
    n->inventory.platforms = (struct names){platforms, 2};
    n->grouping.constraints = n->groups;
    n->grouping.cohorts = n->cohorts;
    n->grouping.order = n->order;
    n->devices.arg = n;
    const struct virtual_devices devices = {n, begin, contact, tell};
    const struct virtual_job job = {.inventory = &n->inventory,
                                    .grouping = &n->grouping,
                                    .workers = workers,
                                    .peers = peers,
                                    .hosts = n->was};
    virtual_run(&job, &devices, result);
}

static void run(struct small_network *n, unsigned workers, struct virtual_result *result) {
    run_with(n, workers, (struct peers_config){.check = false}, result);
}

static void run_asking(struct small_network *n, unsigned workers, unsigned asks,
                       struct virtual_result *result) {
    run_with(n, workers,
             (struct peers_config){.check = true, .max_age_ms = PEERS_MAX_AGE_MS, .asks = asks},
             result);
}

START_TEST(a_worker_for_each_group_leaves_the_longest_group_as_the_limit) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2, 4, 1}, 3);
    run(&n, 3, &r);
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
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){3, 6, 1}, 3);
    n.groups[1].limit = 3;
    run(&n, 10, &r);
    ck_assert_uint_eq(r.makespan_us, 30000);
    ck_assert_uint_eq(r.longest_group_us, 30000);
    ck_assert_uint_eq(r.longest_group, 0);
    ck_assert_uint_eq(r.busy_us, 100000);
}
END_TEST

START_TEST(one_worker_takes_one_host_after_the_other) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2, 4, 1}, 3);
    run(&n, 1, &r);
    ck_assert_uint_eq(r.makespan_us, 70000);
}
END_TEST

START_TEST(a_failure_skips_the_rest_of_its_group) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2, 4, 1}, 3);
    n.fails = 1 << 3; // the second of the group of four
    run(&n, 3, &r);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_uint_eq(r.timed_out, 0);
    ck_assert_uint_eq(r.skipped, 2);
    ck_assert_uint_eq(r.completed, 4);
    ck_assert_uint_eq(r.makespan_us, 20000);
}
END_TEST

START_TEST(a_host_that_times_out_is_a_failed_one) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){1, 1, 1, 3}, 4); // of the last three the first fails
    n.late = 0x2a;
    run(&n, 4, &r);
    ck_assert_uint_eq(r.failed, 2);
    ck_assert_uint_eq(r.timed_out, 2);
    ck_assert_uint_eq(r.skipped, 2);
    ck_assert_uint_eq(r.completed, 2);
}
END_TEST

START_TEST(a_host_that_nobody_works_on_is_skipped_and_holds_nobody_back) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){1, 1, 4}, 3); // of the last four two
    for (uint32_t i = 1; i < 6; i += 2)
        n.hosts[i].platform = 1;
    run(&n, 1, &r);
    ck_assert_uint_eq(r.skipped, 3);
    ck_assert_uint_eq(r.completed, 3);
    ck_assert_uint_eq(r.failed, 0);
    ck_assert_uint_eq(r.makespan_us, 30000);
    ck_assert_uint_eq(r.busy_us, 30000);
}
END_TEST

#define NEVER UINT64_MAX

START_TEST(it_is_told_when_each_host_began_and_what_became_of_it) {
    static const struct virtual_host expected[] = {
        {0, 0, SCHEDULE_NO_HOST, VIRTUAL_UNCHANGED, false},
        {0, 10000, SCHEDULE_NO_HOST, VIRTUAL_CHANGED, false},
        {0, 10000, SCHEDULE_NO_HOST, VIRTUAL_CHANGED, false},
        {10000, 20000, SCHEDULE_NO_HOST, VIRTUAL_FAILED, false},
        {NEVER, 20000, 3, VIRTUAL_SKIPPED, false},
        {NEVER, 20000, 3, VIRTUAL_SKIPPED, false},
        {NEVER, 0, SCHEDULE_NO_HOST, VIRTUAL_SKIPPED, false}, // of another platform
        {0, 1000000, SCHEDULE_NO_HOST, VIRTUAL_FAILED, true},
    };
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2, 4, 1, 1}, 4);
    n.current = 1 << 0;
    n.fails = 1 << 3;
    n.hosts[6].platform = 1;
    n.late = 1 << 7;
    run(&n, 4, &r);
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert_msg(n.was[i].start_us == expected[i].start_us, "host %zu", i);
        ck_assert_msg(n.was[i].end_us == expected[i].end_us, "host %zu", i);
        ck_assert_uint_eq(n.was[i].cause, expected[i].cause);
        ck_assert_uint_eq(n.was[i].end, expected[i].end);
        ck_assert(n.was[i].times_out == expected[i].times_out);
    }
}
END_TEST

// Its peer is asked in vain until the timeout, and it logs out.
START_TEST(a_host_that_is_skipped_in_its_turn_has_begun) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2}, 1);
    n.call_us = MS;
    n.dead = 1 << 1;
    run_asking(&n, 1, 1, &r);
    ck_assert_uint_eq(n.was[0].end, VIRTUAL_SKIPPED);
    ck_assert_uint_eq(n.was[0].start_us, 0);
    ck_assert_uint_eq(n.was[0].end_us, 1000000);
    ck_assert_uint_eq(n.was[1].end, VIRTUAL_FAILED);
    ck_assert_uint_eq(n.was[1].start_us, 1000000 + MS);
}
END_TEST

// Sizes of groups, workers and latencies.
static unsigned draw(struct small_network *n, uint64_t seed) {
    uint32_t sizes[GROUPS_MAX];
    for (size_t g = 0; g < GROUPS_MAX; g++)
        sizes[g] = (uint32_t)rng_range(rng_mix(seed, g), 1, 8);
    make(n, sizes, GROUPS_MAX);
    n->seed = seed;
    n->call_us = 3 * MS;
    return (unsigned)rng_range(rng_mix(seed, 100), 1, 10);
}

START_TEST(no_run_is_shorter_than_its_bound_nor_longer_than_twice_that) {
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct small_network n;
        struct virtual_result r;
        const unsigned workers = draw(&n, seed);
        run(&n, workers, &r);
        double bound = virtual_bound_us(&r, workers), makespan = (double)r.makespan_us;
        ck_assert_msg(makespan >= bound && makespan <= 2 * bound, "seed %llu: %g against %g",
                      (unsigned long long)seed, makespan, bound);
    }
}
END_TEST

// --- peers

// A pair, each call 1 ms. The first takes 2 + 11 + 1 + 1 ms, and its peer is asked beside the first
// two; the session is kept, and the other takes 11 + 1 + 1 ms: its peer has just been verified.
START_TEST(a_peer_is_asked_beside_and_its_session_is_kept_for_its_turn) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2}, 1);
    n.call_us = 1 * MS;
    run_asking(&n, 2, 2, &r);
    ck_assert_uint_eq(r.makespan_us, (15 + 13) * MS);
    ck_assert_uint_eq(r.busy_us, (15 + 13) * MS);
    ck_assert_uint_eq(r.asked, 1);
    ck_assert_uint_eq(n.kept, 1);
    ck_assert_uint_eq(n.logins, 2);
    ck_assert_uint_eq(r.completed, 2);
}
END_TEST

// Of three only the next keeps its session; the other has logged out before its turn.
START_TEST(of_a_group_only_the_next_is_kept) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){3}, 1);
    n.call_us = 1 * MS;
    run_asking(&n, 3, 3, &r);
    ck_assert_uint_eq(r.completed, 3);
    ck_assert_uint_eq(n.kept, 1);
    ck_assert_uint_eq(n.passed, 1);
    ck_assert_uint_eq(n.logins, 4);
    ck_assert_uint_eq(r.makespan_us, (15 + 13 + 15) * MS);
}
END_TEST

START_TEST(a_host_whose_peer_is_not_up_is_skipped) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2, 2}, 2);
    n.dead = 1 << 1;
    run_asking(&n, 2, 4, &r);
    ck_assert_uint_eq(r.skipped, 1); // host 0
    ck_assert_uint_eq(r.failed, 1);  // host 1 is not there
    ck_assert_uint_eq(r.completed, 2);
    ck_assert(!n.peer_was_down);
    make(&n, (uint32_t[]){2, 2}, 2);
    n.dead = 1 << 1;
    run(&n, 2, &r);
    ck_assert_uint_eq(r.skipped, 0);
    ck_assert(n.peer_was_down);
}
END_TEST

// The peer is asked again every second, and its own turn does not come meanwhile.
START_TEST(a_host_waits_for_its_peer_as_long_as_it_is_told) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){2}, 1);
    n.dead = 1 << 1;
    run_with(&n, 1,
             (struct peers_config){
                 .check = true, .max_age_ms = PEERS_MAX_AGE_MS, .wait_ms = 5000, .asks = 1},
             &r);
    ck_assert_uint_eq(r.skipped, 1);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_uint_eq(r.asked, 3); // at 0 s, 2 s and 4 s: each ask takes a second
}
END_TEST

// An ask takes three seconds and an answer holds for ten: with one at a time three of seven peers
// are known to be up, at best; with seven all of them.
START_TEST(answers_that_are_too_old_before_all_are_there_lead_nowhere) {
    for (unsigned asks = 1; asks <= 7; asks += 6) {
        struct small_network n;
        struct virtual_result r;
        make(&n, (uint32_t[]){8}, 1);
        n.call_us = 1000 * MS;
        n.devices.install_timeout_us = 2000 * MS;
        run_with(&n, 1, (struct peers_config){.check = true, .max_age_ms = 10000, .asks = asks},
                 &r);
        ck_assert_uint_eq(r.completed, asks == 1 ? 0 : 8);
        ck_assert_uint_eq(r.skipped, asks == 1 ? 8 : 0);
    }
}
END_TEST

// Two of four may be away: the last is dead, and the first is being installed after it was given up
// when the second asks it, and over that when the third does.
START_TEST(an_install_that_was_given_up_is_still_one) {
    struct small_network n;
    struct virtual_result r;
    make(&n, (uint32_t[]){4}, 1);
    n.groups[0].limit = 2;
    n.late = 1 << 0;
    n.dead = 1 << 3;
    n.devices.install_timeout_us = 20 * MS;
    run_asking(&n, 1, 4, &r);
    ck_assert_uint_eq(r.failed, 2);
    ck_assert_uint_eq(r.skipped, 1);
    ck_assert_uint_eq(r.completed, 1);
}
END_TEST

START_TEST(no_install_begins_while_too_many_of_its_group_are_away) {
    unsigned skipped = 0, most = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct small_network n;
        struct virtual_result r;
        const unsigned workers = draw(&n, seed);
        for (size_t g = 0; g < GROUPS_MAX; g++)
            n.groups[g].limit = (uint32_t)rng_range(rng_mix(seed, 200 + g), 1, 3);
        n.bricks = rng_mix(seed, 300) & rng_mix(seed, 301) & rng_mix(seed, 302);
        n.dead = rng_mix(seed, 303) & rng_mix(seed, 304) & rng_mix(seed, 305);
        n.dead &= rng_mix(seed, 306);
        run_asking(&n, workers, (unsigned)rng_range(rng_mix(seed, 307), 1, 2 * (uint64_t)workers),
                   &r);
        ck_assert_msg(!n.peer_was_down, "seed %llu", (unsigned long long)seed);
        ck_assert_uint_eq(r.completed + r.failed + r.skipped, n.inventory.count);
        skipped += r.skipped;
        if (n.most_installing > most) most = n.most_installing;
    }
    ck_assert_uint_gt(skipped, 1000);
    ck_assert_uint_eq(most, 3);
}
END_TEST

// As many runs as there have been without peers: to the microsecond. The figures are those of the
// clock that knew of no peers.
START_TEST(without_asking_a_run_is_what_it_was_before_there_were_peers) {
    static const char odd[] =
        "sites: [earth, mars]\n"
        "latency: {login: 10ms..2s, get_version: 10ms..2s, install_os_version: 10ms..20s,\n"
        "  logout: 10ms..2s, reboot: 1s..5s}\n"
        "hosts:\n"
        "  spine00.earth: {state: down}\n"
        "  spine01.mars: {port: 1}\n"
        "faults:\n"
        "  - {match: {rack: \"1*\"}, on: install_os_version, effect: brick, probability: 0.2}\n"
        "  - {match: {dev_type: leaf}, on: get_version, effect: no_reply, probability: 0.1,\n"
        "     after: 1}\n"
        "  - {match: {dev_type: spine}, on: any, effect: slow, bytes_per_second: 50, times: 2}\n";
    static const struct virtual_result acme[] = {
        {45868141, 4179545975, 23181181, 0, 848, 0, 0, 0, 0},
        {45375161, 4197995063, 22538672, 0, 848, 0, 0, 0, 0},
        {47074046, 4270325962, 24401509, 0, 848, 0, 0, 0, 0}};
    static const struct virtual_result others[] = {
        {358429310, 14261036371, 358429310, 0, 155, 38, 19, 36, 0},
        {351540729, 12204390591, 351540729, 0, 165, 30, 17, 28, 0},
        {353691849, 13918100657, 353691849, 0, 149, 37, 26, 35, 0}};
    for (int i = 0; i < 2; i++) {
        struct plan plan = plan_of(i == 0 ? "{}\n" : odd);
        struct model model;
        model_init(&model, &plan, "5.3.1", NULL);
        model.peers.check = false;
        for (size_t seed = 0; seed < COUNT(acme); seed++) {
            const struct virtual_result *expected = i == 0 ? &acme[seed] : &others[seed];
            struct virtual_result r;
            model_seed(&model, seed + 1);
            model_run(&model, 100, &r);
            ck_assert_uint_eq(r.makespan_us, expected->makespan_us);
            ck_assert_uint_eq(r.busy_us, expected->busy_us);
            ck_assert_uint_eq(r.longest_group_us, expected->longest_group_us);
            ck_assert_uint_eq(r.completed, expected->completed);
            ck_assert_uint_eq(r.failed, expected->failed);
            ck_assert_uint_eq(r.timed_out, expected->timed_out);
            ck_assert_uint_eq(r.skipped, expected->skipped);
        }
        model_deinit(&model);
        plan_deinit(&plan);
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
    tcase_add_test(tcase, it_is_told_when_each_host_began_and_what_became_of_it);
    tcase_add_test(tcase, a_host_that_is_skipped_in_its_turn_has_begun);
    tcase_add_test(tcase, no_run_is_shorter_than_its_bound_nor_longer_than_twice_that);
    tcase_add_test(tcase, a_peer_is_asked_beside_and_its_session_is_kept_for_its_turn);
    tcase_add_test(tcase, of_a_group_only_the_next_is_kept);
    tcase_add_test(tcase, a_host_whose_peer_is_not_up_is_skipped);
    tcase_add_test(tcase, a_host_waits_for_its_peer_as_long_as_it_is_told);
    tcase_add_test(tcase, answers_that_are_too_old_before_all_are_there_lead_nowhere);
    tcase_add_test(tcase, an_install_that_was_given_up_is_still_one);
    tcase_add_test(tcase, no_install_begins_while_too_many_of_its_group_are_away);
    tcase_add_test(tcase, without_asking_a_run_is_what_it_was_before_there_were_peers);
    return suite;
}
