// The referee by policies of one's own: what it finds, against a reading of the words of the policy
// that counts anew at every install.
#include "simulator/network_groups.h"
#include "simulator/referee.h"

#include "common/count.h"
#include "common/rng.h"
#include "simulator/network_file.h"

#include <check.h>
#include <string.h>

Suite *check_referee_policy(void);

enum { DEVICES = 24, CLIENTS = 4 };

static struct network n;
static struct referee r;
static struct referee_client clients[CLIENTS];

static void set_up(void) {
    const char *text = "sites: [a, b]\n"
                       "dev_types:\n"
                       "  leaf: {count: 12, pair: \"{site}{n/2}\", feed: \"{n%3}\"}\n"
                       "policy:\n"
                       "  redundancy:\n"
                       "    - {group: \"pair {pair}\"}\n"
                       "    - {group: \"feed {feed}\", max_unavailable: 3}\n"
                       "  throttle:\n"
                       "    - {group: \"{site}\", at_once: 4}\n";
    struct fault_list faults = {0};
    struct error err = {0};
    network_init(&n);
    int rc = network_file_parse(&n, &faults, "net.yaml", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_uint_eq(n.devices, DEVICES);
    referee_init(&r, &n);
    for (uint64_t i = 0; i < CLIENTS; i++)
        clients[i] = (struct referee_client){.connection = i + 1};
}

static void tear_down(void) {
    referee_deinit(&r);
    network_deinit(&n);
}

static uint32_t install(uint64_t ms, uint32_t device) {
    return referee_install(&r, ms * 1000, device, &clients[0], false);
}

static void over(uint64_t ms, uint32_t number) {
    uint32_t device = r.entries[number - 1].device;
    referee_installed(&r, ms * 1000, number);
    referee_version_told(&r, ms * 1000, device);
}

static void assert_said(const char *part) {
    struct buf out = {0};
    referee_write(&r, true, &out);
    ck_assert_msg(strstr(out.data, part) != NULL, "%s\nis not in\n%s", part, out.data);
    buf_deinit(&out);
}

// Devices 0, 3, 6, 9 of a hang on feed 0, and 12 of b.
START_TEST(as_many_as_may_be_unavailable_are_no_violation_and_one_more_is_one) {
    uint32_t first = install(1, 0), second = install(2, 3);
    install(3, 6);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 0);
    uint32_t fourth = install(4, 12);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 1);
    assert_said("{\"kind\": \"group_overlap\", \"group\": \"feed 0\", \"hosts\": [\"leaf00.a\", "
                "\"leaf03.a\", \"leaf06.a\", \"leaf00.b\"], \"started_ms\": 4, \"ended_ms\": null, "
                "\"connections\": [1, 1, 1, 1]}");
    over(5, first); // three are few enough
    assert_said("\"started_ms\": 4, \"ended_ms\": 5");
    over(6, second);
    over(7, fourth);
    assert_said("\"started_ms\": 4, \"ended_ms\": 5");
    assert_said("\"max_installing\": 4");
}
END_TEST

START_TEST(a_crowd_lasts_until_it_is_small_enough) {
    uint32_t numbers[] = {install(1, 0), install(1, 3), install(1, 6), install(2, 12),
                          install(3, 15)};
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 2);
    over(4, numbers[0]); // four are left
    ck_assert_uint_eq(r.open_len, 2);
    over(5, numbers[1]);
    ck_assert_uint_eq(r.open_len, 0);
}
END_TEST

START_TEST(a_device_that_collides_in_two_groups_is_a_violation_of_each) {
    install(1, 3);
    install(1, 6);
    install(1, 12);
    install(2, 2); // with 3 a pair; its feed is 2
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 1);
    assert_said("\"group\": \"pair a1\", \"hosts\": [\"leaf03.a\", \"leaf02.a\"]");
}
END_TEST

START_TEST(a_throttle_is_for_those_at_once_and_not_for_those_that_are_down) {
    referee_down(&r, 0);
    referee_down(&r, 2);
    install(1, 4);
    install(1, 6);
    install(1, 8);
    install(1, 10);
    ck_assert_uint_eq(r.counts[REFEREE_THROTTLE], 0);
    install(1, 13); // of b
    ck_assert_uint_eq(r.counts[REFEREE_THROTTLE], 0);
    install(2, 1);
    ck_assert_uint_eq(r.counts[REFEREE_THROTTLE], 1);
    assert_said("{\"kind\": \"throttle\", \"group\": \"a\", \"hosts\": [\"leaf04.a\", "
                "\"leaf06.a\", \"leaf08.a\", \"leaf10.a\", \"leaf01.a\"], \"started_ms\": 2");
}
END_TEST

START_TEST(peers_may_be_down_until_they_are_too_many) {
    referee_down(&r, 0);
    referee_down(&r, 15);
    over(2, install(1, 6));
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 0);
    referee_down(&r, 3);
    uint32_t number = install(3, 6);
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 1);
    assert_said("{\"kind\": \"peer_down\", \"group\": \"feed 0\", \"hosts\": [\"leaf00.a\", "
                "\"leaf03.a\", \"leaf03.b\", \"leaf06.a\"], \"started_ms\": 3, \"ended_ms\": null, "
                "\"connections\": [1]}");
    over(4, number);
    referee_up(&r, 15);
    over(6, install(5, 6));
    over(8, install(7, 0)); // is down itself, and its pair is up: two others are away
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 1);
}
END_TEST

// --- against a naive count

struct naive { // what is known of each device
    bool installing[DEVICES], busy[DEVICES], away[DEVICES];
    uint32_t number[DEVICES];
    uint64_t counts[REFEREE_KIND_COUNT];
    unsigned most;
};

static bool share(const struct network_group *group, uint32_t a, uint32_t b) {
    struct network_group_list of_a = network_groups_of(&n, a), of_b = network_groups_of(&n, b);
    bool has_a = false, has_b = false;
    for (size_t i = 0; i < of_a.count; i++)
        has_a = has_a || &n.groups.list[of_a.list[i]] == group;
    for (size_t i = 0; i < of_b.count; i++)
        has_b = has_b || &n.groups.list[of_b.list[i]] == group;
    return has_a && has_b;
}

static void count_group(struct naive *m, const struct network_group *group, uint32_t device) {
    uint32_t running = 0, away = 0;
    for (uint32_t other = 0; other < DEVICES; other++) {
        if (other == device || !share(group, other, device)) continue;
        running += m->installing[other];
        away += m->away[other];
    }
    if (!group->redundancy) {
        m->counts[REFEREE_THROTTLE] += running + 1 > group->limit;
    } else if (group->limit == 1) {
        m->counts[REFEREE_GROUP_OVERLAP] += running;
        m->counts[REFEREE_PEER_DOWN] += away;
    } else {
        m->counts[REFEREE_GROUP_OVERLAP] += running + 1 > group->limit;
        m->counts[REFEREE_PEER_DOWN] += away + 1 > group->limit;
    }
}

static void begin(struct naive *m, uint64_t now, uint32_t device, unsigned client) {
    unsigned installing = 0;
    m->installing[device] = false;
    for (uint32_t g = 0; g < n.groups.count; g++)
        if (share(&n.groups.list[g], device, device)) count_group(m, &n.groups.list[g], device);
    m->installing[device] = m->busy[device] = true;
    for (uint32_t i = 0; i < DEVICES; i++)
        installing += m->installing[i];
    if (installing > m->most) m->most = installing;
    m->number[device] = referee_install(&r, now, device, &clients[client], false);
    if (!m->away[device]) referee_down(&r, device);
    m->away[device] = true;
}

static void step(struct naive *m, uint64_t draw, uint64_t now) {
    uint32_t device = (uint32_t)rng_range(rng_mix(draw, 1), 0, DEVICES - 1);
    switch (rng_range(rng_mix(draw, 2), 0, 3)) {
    case 0:
        if (m->busy[device]) break;
        begin(m, now, device, (unsigned)rng_range(rng_mix(draw, 3), 0, CLIENTS - 1));
        break;
    case 1: // through, and up again
        if (!m->busy[device]) break;
        m->busy[device] = m->away[device] = false;
        referee_up(&r, device);
        referee_installed(&r, now, m->number[device]);
        break;
    case 2:
        referee_version_told(&r, now, device);
        if (!m->busy[device]) m->installing[device] = false;
        break;
    default:
        if (m->busy[device]) break;
        if (m->away[device])
            referee_up(&r, device);
        else
            referee_down(&r, device);
        m->away[device] = !m->away[device];
    }
}

START_TEST(it_finds_what_a_count_of_all_devices_finds) {
    struct naive m = {0};
    for (uint64_t now = 1; now <= 4000; now++) {
        step(&m, rng_mix((uint64_t)_i, now), now);
        ck_assert_msg(m.counts[REFEREE_GROUP_OVERLAP] == r.counts[REFEREE_GROUP_OVERLAP] &&
                          m.counts[REFEREE_PEER_DOWN] == r.counts[REFEREE_PEER_DOWN] &&
                          m.counts[REFEREE_THROTTLE] == r.counts[REFEREE_THROTTLE],
                      "seed %d, step %u", _i, (unsigned)now);
    }
    ck_assert_uint_eq(r.max_installing, m.most);
    for (int kind = 0; kind < REFEREE_THROTTLE; kind++)
        ck_assert_uint_gt(r.counts[kind], 20);
    for (uint32_t device = 0; device < DEVICES; device++) {
        if (m.busy[device]) referee_installed(&r, 9999, m.number[device]);
        referee_version_told(&r, 9999, device);
    }
    ck_assert_uint_eq(r.open_len, 0);
    ck_assert_uint_eq(r.installing, 0);
}
END_TEST

Suite *check_referee_policy(void) {
    Suite *suite = suite_create("referee_policy");
    TCase *tc = tcase_create("referee_policy");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, as_many_as_may_be_unavailable_are_no_violation_and_one_more_is_one);
    tcase_add_test(tc, a_crowd_lasts_until_it_is_small_enough);
    tcase_add_test(tc, a_device_that_collides_in_two_groups_is_a_violation_of_each);
    tcase_add_test(tc, a_throttle_is_for_those_at_once_and_not_for_those_that_are_down);
    tcase_add_test(tc, peers_may_be_down_until_they_are_too_many);
    tcase_add_loop_test(tc, it_finds_what_a_count_of_all_devices_finds, 1, 21);
    suite_add_tcase(suite, tc);
    return suite;
}
