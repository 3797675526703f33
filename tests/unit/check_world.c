// The world, its devices, the journal and what the admin API lists of them.
#include "common/count.h"
#include "simulator/world.h"

#include "simulator/listing.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_world(void);

static struct network n;
static struct world w;

static void set_up(void) {
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    world_init(&w, &n, 1, 1);
}

static void tear_down(void) {
    world_deinit(&w);
    network_deinit(&n);
}

START_TEST(a_device_at_rest_is_small) {
    ck_assert_uint_le(sizeof(struct device) + sizeof(struct referee_group) + sizeof(uint32_t), 100);
}
END_TEST

START_TEST(devices_are_born_with_versions_of_the_acme_draw) {
    int minors[5] = {0}, revisions[10] = {0};
    for (uint32_t device = 0; device < n.devices; device++) {
        const char *version = world_version(&w, device);
        ck_assert_uint_eq(strlen(version), 5);
        ck_assert_int_eq(strncmp(version, "5.", 2), 0);
        int minor = version[2] - '0', revision = version[4] - '0';
        ck_assert(minor >= 1 && minor <= 4);
        if (minor == 4) ck_assert_int_eq(revision, 1);
        minors[minor]++;
        revisions[revision]++;
    }
    for (int minor = 1; minor <= 4; minor++)
        ck_assert_int_gt(minors[minor], 848 / 4 * 7 / 10);
    for (int revision = 0; revision <= 9; revision++)
        ck_assert_int_gt(revisions[revision], 30);
}
END_TEST

START_TEST(a_seed_gives_the_same_versions_again_and_another_seed_others) {
    static char before[848][8];
    int differ = 0;
    for (uint32_t device = 0; device < n.devices; device++)
        snprintf(before[device], sizeof before[device], "%s", world_version(&w, device));
    world_reset(&w, 2);
    for (uint32_t device = 0; device < n.devices; device++)
        differ += strcmp(before[device], world_version(&w, device)) != 0;
    ck_assert_int_gt(differ, 600);
    world_reset(&w, 1);
    for (uint32_t device = 0; device < n.devices; device++)
        ck_assert_str_eq(before[device], world_version(&w, device));
}
END_TEST

START_TEST(a_network_may_say_what_devices_are_born_with) {
    world_deinit(&w);
    network_add_version(&n, "1.0.0");
    network_add_version(&n, "2.0.0");
    network_override(&n, 5, "3.0.0", 0);
    world_init(&w, &n, 1, 1);
    int first = 0;
    for (uint32_t device = 0; device < n.devices; device++)
        first += strcmp(world_version(&w, device), "1.0.0") == 0;
    ck_assert_int_gt(first, 350);
    ck_assert_int_lt(first, 500);
    ck_assert_str_eq(world_version(&w, 5), "3.0.0");
}
END_TEST

START_TEST(a_rebooting_device_comes_back_when_its_time_has_come) {
    struct referee_client client = {.connection = 1};
    for (uint32_t device = 0; device < 50; device++) {
        world_turn(&w, device, DEVICE_INSTALLING);
        uint32_t install = referee_install(&w.referee, 0, device, &client, false);
        world_turn(&w, device, DEVICE_REBOOTING);
        world_wake_at(&w, 1000 + (uint64_t)(device * 37 % 50) * 10, device, install);
    }
    for (uint64_t now = 990; now < 1600; now += 10) {
        world_advance(&w, now);
        for (uint32_t device = 0; device < 50; device++) {
            bool back = 1000 + (uint64_t)(device * 37 % 50) * 10 <= now;
            ck_assert_int_eq(w.devices[device].state, back ? DEVICE_UP : DEVICE_REBOOTING);
        }
    }
    ck_assert_uint_eq(w.states[DEVICE_UP], 848);
    ck_assert_uint_eq(w.wakes.count, 0);
}
END_TEST

START_TEST(a_reset_leaves_devices_as_born_and_the_journal_and_counters_going_on) {
    struct buf out = {0};
    struct error err;
    cJSON *rule = cJSON_Parse("{\"effect\": \"close\"}");
    ck_assert_int_eq(fault_add(&w.faults, rule, &err), 0);
    cJSON_Delete(rule);
    w.faults.fired[FAULT_CLOSE] = 3;
    journal_add(&w.journal, 0, 1, OPERATION_LOGIN, JOURNAL_BEGUN);
    struct referee_client client = {.connection = 1};
    referee_install(&w.referee, 0, 4, &client, true);
    world_turn(&w, 4, DEVICE_INSTALLING);
    world_turn(&w, 4, DEVICE_REBOOTING);
    world_wake_at(&w, 100, 4, 1);
    world_reset(&w, 1);
    world_advance(&w, 1000);
    ck_assert_uint_eq(w.faults.len, 0);
    ck_assert_uint_eq(w.states[DEVICE_UP], 848);
    ck_assert_uint_eq(w.referee.violations_len, 0);
    ck_assert_uint_eq(w.journal.last, 1);
    ck_assert_uint_eq(world_faults_fired(&w, FAULT_CLOSE), 3);
    ck_assert_uint_eq(world_violations(&w, REFEREE_NEEDLESS_INSTALL), 1);
    buf_deinit(&out);
}
END_TEST

// --- the journal

// Returns how many pieces it took.
static int write_events(const struct journal *j, const struct network *network, uint64_t after,
                        struct buf *out) {
    struct journal_reader reader;
    int pieces = 1;
    journal_read(&reader, j, network, after);
    while (journal_next(&reader, out))
        pieces++;
    return pieces;
}

START_TEST(events_are_numbered_and_told_after_a_number) {
    struct buf out = {0};
    journal_add(&w.journal, 1999, 0, OPERATION_LOGIN, JOURNAL_BEGUN);
    journal_add(&w.journal, 5000, 1, OPERATION_INSTALL, JOURNAL_ANSWERED);
    journal_add(&w.journal, 6000, 0, OPERATION_LOGOUT, JOURNAL_FAILED);
    write_events(&w.journal, &n, 1, &out);
    ck_assert_str_eq(out.data,
                     "[{\"n\": 2, \"ms\": 5, \"host\": \"edge01.mercury\", \"operation\": "
                     "\"install_os_version\", \"phase\": \"answered\"}, {\"n\": 3, \"ms\": 6, "
                     "\"host\": \"edge00.mercury\", \"operation\": \"logout\", \"phase\": "
                     "\"failed\"}]");
    buf_clear(&out);
    write_events(&w.journal, &n, 3, &out);
    ck_assert_str_eq(out.data, "[]");
    buf_clear(&out);
    write_events(&w.journal, &n, UINT64_MAX, &out);
    ck_assert_str_eq(out.data, "[]");
    buf_deinit(&out);
}
END_TEST

START_TEST(the_journal_keeps_the_newest_events) {
    struct buf out = {0};
    for (uint32_t i = 0; i < JOURNAL_MAX + 10; i++)
        journal_add(&w.journal, i * 1000ULL, i % 848, OPERATION_LOGIN, JOURNAL_BEGUN);
    ck_assert_uint_eq(w.journal.cap, JOURNAL_MAX);
    ck_assert_int_eq(write_events(&w.journal, &n, 0, &out), JOURNAL_MAX / JOURNAL_PIECE);
    ck_assert_int_eq(strncmp(out.data, "[{\"n\": 11, \"ms\": 10,", 20), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "{\"n\": 262154, \"ms\": 262153,"));
    buf_deinit(&out);
}
END_TEST

static size_t array_size(const char *text) {
    cJSON *json = cJSON_Parse(text);
    ck_assert_msg(cJSON_IsArray(json), "%.200s", text);
    size_t size = (size_t)cJSON_GetArraySize(json);
    cJSON_Delete(json);
    return size;
}

START_TEST(events_are_read_in_pieces_while_others_come) {
    static const uint32_t counts[] = {0, 1, JOURNAL_PIECE - 1, JOURNAL_PIECE, JOURNAL_PIECE + 1};
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct buf out = {0};
        while (w.journal.last < counts[i])
            journal_add(&w.journal, 0, 0, OPERATION_LOGIN, JOURNAL_BEGUN);
        int pieces = write_events(&w.journal, &n, 0, &out);
        ck_assert_int_eq(pieces, counts[i] > JOURNAL_PIECE ? 2 : 1);
        ck_assert_uint_eq(array_size(out.data), counts[i]);
        buf_deinit(&out);
    }
    struct journal_reader reader;
    struct buf out = {0};
    journal_read(&reader, &w.journal, &n, 0);
    ck_assert(journal_next(&reader, &out));
    journal_add(&w.journal, 0, 0, OPERATION_LOGOUT, JOURNAL_FAILED);
    ck_assert(!journal_next(&reader, &out));
    ck_assert_uint_eq(array_size(out.data), JOURNAL_PIECE + 1);
    buf_deinit(&out);
}
END_TEST

START_TEST(events_that_are_gone_before_their_turn_are_left_out) {
    struct journal_reader reader;
    struct buf out = {0};
    for (uint32_t i = 0; i < JOURNAL_MAX; i++)
        journal_add(&w.journal, 0, 0, OPERATION_LOGIN, JOURNAL_BEGUN);
    journal_read(&reader, &w.journal, &n, JOURNAL_MAX - JOURNAL_PIECE - 10);
    ck_assert(journal_next(&reader, &out));
    for (uint32_t i = 0; i < JOURNAL_MAX - 4; i++)
        journal_add(&w.journal, 0, 0, OPERATION_LOGIN, JOURNAL_BEGUN);
    ck_assert(!journal_next(&reader, &out));
    ck_assert_uint_eq(array_size(out.data), JOURNAL_PIECE + 4);
    ck_assert_ptr_nonnull(strstr(out.data, "{\"n\": 262144,"));
    ck_assert_ptr_null(strstr(out.data, "{\"n\": 262145,"));
    buf_deinit(&out);
}
END_TEST

// --- what is listed

static const char *const hosts[] = {"127.0.0.1", "127.0.0.2"};
static const struct listing_addresses addresses = {hosts, 2, 8300, false};

START_TEST(the_inventory_is_told_in_network_order_and_spread_over_the_addresses) {
    struct listing_filter f;
    struct error err;
    struct buf out = {0};
    network_override(&n, 107, NULL, 1);
    ck_assert_int_eq(listing_filter_init(&f, &n, "venus,mercury", "edge", &err), 0);
    listing_write(&n, &f, &addresses, &out);
#define EDGE(number, site, host, port)                                                             \
    "\"edge0" number "." site "\": {\"platform\": \"acmeos\", \"dev_type\": \"edge\", \"rack\": "  \
    "\"10\", \"hostname\": \"" host "\", \"port\": " port "}"
    ck_assert_str_eq(
        out.data,
        "{\"mercury\": {" EDGE("0", "mercury", "127.0.0.1", "8300") ", " EDGE(
            "1", "mercury", "127.0.0.2",
            "8300") "}, \"venus\": {" EDGE("0", "venus", "127.0.0.1",
                                           "8300") ", " EDGE("1", "venus", "127.0.0.2", "1") "}}");
    listing_filter_deinit(&f);
    buf_deinit(&out);
}
END_TEST

static const struct {
    const char *sites, *types;
    size_t devices;
} filters[] = {
    {NULL, NULL, 848},
    {"earth", NULL, 106},
    {NULL, "spine", 32},
    {"", NULL, 0},
    {NULL, "", 0},
    {"earth,earth", "leaf,edge", 102},
    {"earth,mars", "spine", 8},
};

// Returns how many pieces it took.
static int write_devices(const struct world *world, const struct listing_filter *f,
                         struct buf *out) {
    struct listing listing;
    int pieces = 1;
    listing_init_devices(&listing, world, f);
    while (listing_next(&listing, out))
        pieces++;
    return pieces;
}

START_TEST(a_filter_takes_the_sites_and_types_that_it_names) {
    struct listing_filter f;
    struct error err;
    struct buf inventory = {0}, devices = {0};
    ck_assert_int_eq(listing_filter_init(&f, &n, filters[_i].sites, filters[_i].types, &err), 0);
    listing_write(&n, &f, &addresses, &inventory);
    ck_assert_int_eq(write_devices(&w, &f, &devices), 1);
    cJSON *json = cJSON_Parse(inventory.data), *list = cJSON_Parse(devices.data);
    size_t count = 0;
    const cJSON *site;
    cJSON_ArrayForEach(site, json) count += (size_t)cJSON_GetArraySize(site);
    ck_assert_uint_eq(count, filters[_i].devices);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(list, "devices")),
                     (int)filters[_i].devices);
    cJSON_Delete(json);
    cJSON_Delete(list);
    buf_deinit(&inventory);
    buf_deinit(&devices);
    listing_filter_deinit(&f);
}
END_TEST

// A site's hosts go on in the next piece, and a piece may hold none.
START_TEST(a_long_list_comes_in_pieces) {
    struct network large;
    struct world world;
    struct error err;
    struct buf inventory = {0}, devices = {0};
    network_init(&large);
    ck_assert_int_eq(network_add_site(&large, "big", &err), 0);
    ck_assert_int_eq(network_add_type(&large, "leaf", 3 * LISTING_PIECE, 100, 2, &err), 0);
    ck_assert_int_eq(network_add_type(&large, "edge", 5, 10, 2, &err), 0);
    ck_assert_int_eq(network_seal(&large, &err), 0);
    world_init(&world, &large, 1, 1);
    const struct {
        const char *types;
        int devices;
    } cases[] = {{NULL, 3 * LISTING_PIECE + 5}, {"leaf", 3 * LISTING_PIECE}, {"edge", 5}, {"", 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct listing_filter f;
        ck_assert_int_eq(listing_filter_init(&f, &large, NULL, cases[i].types, &err), 0);
        listing_write(&large, &f, &addresses, &inventory);
        ck_assert_int_eq(write_devices(&world, &f, &devices), 4);
        cJSON *json = cJSON_Parse(inventory.data), *list = cJSON_Parse(devices.data);
        ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "big")), cases[i].devices);
        ck_assert_int_eq(cJSON_GetArraySize(json), cases[i].devices > 0);
        ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(list, "devices")),
                         cases[i].devices);
        cJSON_Delete(json);
        cJSON_Delete(list);
        buf_clear(&inventory);
        buf_clear(&devices);
        listing_filter_deinit(&f);
    }
    buf_deinit(&inventory);
    buf_deinit(&devices);
    world_deinit(&world);
    network_deinit(&large);
}
END_TEST

START_TEST(an_unknown_name_in_a_filter_is_told_with_the_known_ones) {
    struct listing_filter f;
    struct error err;
    ck_assert_int_eq(listing_filter_init(&f, &n, "mars,earht", NULL, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "filter_sites: there is no 'earht', did you mean earth?; known: "
                               "mercury, venus, earth, mars, jupyter, uranus, saturn, neptune");
    ck_assert_int_eq(listing_filter_init(&f, &n, "mars", "core", &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "filter_dev_types: there is no 'core'; known: edge, spine, leaf");
}
END_TEST

START_TEST(a_device_is_told_with_its_state) {
    struct buf out = {0};
    uint32_t device = 0;
    w.devices[0].version = versions_intern(&w.versions, "5.2.1");
    listing_write_device(&w, device, &out);
    ck_assert_str_eq(out.data,
                     "{\"name\": \"edge00.mercury\", \"site\": \"mercury\", \"dev_type\": "
                     "\"edge\", \"rack\": \"10\", \"version\": \"5.2.1\", \"state\": \"up\", "
                     "\"logins\": 0, \"installs\": 0}");
    buf_clear(&out);
    w.devices[0].epoch = ACMEOS_EPOCH_MAX;
    listing_write_device(&w, 0, &out);
    ck_assert_ptr_nonnull(strstr(out.data, ", \"installs\": 0, \"epoch\": 9007199254740991}"));
    buf_deinit(&out);
}
END_TEST

Suite *check_world(void) {
    Suite *suite = suite_create("world");
    TCase *tc = tcase_create("world");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_device_at_rest_is_small);
    tcase_add_test(tc, devices_are_born_with_versions_of_the_acme_draw);
    tcase_add_test(tc, a_seed_gives_the_same_versions_again_and_another_seed_others);
    tcase_add_test(tc, a_network_may_say_what_devices_are_born_with);
    tcase_add_test(tc, a_rebooting_device_comes_back_when_its_time_has_come);
    tcase_add_test(tc, a_reset_leaves_devices_as_born_and_the_journal_and_counters_going_on);
    tcase_add_test(tc, events_are_numbered_and_told_after_a_number);
    tcase_add_test(tc, the_journal_keeps_the_newest_events);
    tcase_add_test(tc, events_are_read_in_pieces_while_others_come);
    tcase_add_test(tc, events_that_are_gone_before_their_turn_are_left_out);
    tcase_add_test(tc, the_inventory_is_told_in_network_order_and_spread_over_the_addresses);
    tcase_add_loop_test(tc, a_filter_takes_the_sites_and_types_that_it_names, 0, COUNT(filters));
    tcase_add_test(tc, a_long_list_comes_in_pieces);
    tcase_add_test(tc, an_unknown_name_in_a_filter_is_told_with_the_known_ones);
    tcase_add_test(tc, a_device_is_told_with_its_state);
    suite_add_tcase(suite, tc);
    return suite;
}
