// Which shard a host is in: the one of its component, in whatever order and selection it stands.
#include "orchestrator/shards.h"
#include "tests/unit/applied.h"

Suite *check_shards(void);

#define LEAF(name, rack)                                                                           \
    "'" name "': {'platform': 'acmeos', 'hostname': '127.0.0.1', 'port': 1, 'dev_type': 'leaf', "  \
    "'rack': '" rack "'}"

enum { NONE = UINT16_MAX };

// Of the hosts that are selected, by their first letter.
static void find_shards(const char *policy_text, const char *inventory_text, const char *selects,
                        uint16_t by_letter[128]) {
    struct policy policy = policy_of(policy_text);
    struct inventory *inventory = inventory_of(inventory_text);
    struct selection selection = {.hosts = mem_array(inventory->count, sizeof(uint32_t))};
    for (uint32_t i = 0; i < inventory->count; i++)
        if (strchr(selects, inventory->hosts[i].name[0]) != NULL)
            selection.hosts[selection.count++] = i;
    uint16_t *shards = shards_of(&policy, inventory, &selection);
    ck_assert_ptr_nonnull(shards);
    for (int i = 0; i < 128; i++)
        by_letter[i] = NONE;
    for (size_t i = 0; i < selection.count; i++) {
        ck_assert_uint_lt(shards[i], SHARDS);
        by_letter[(int)inventory->hosts[selection.hosts[i]].name[0]] = shards[i];
    }
    free(shards);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
}

#define RACKS                                                                                      \
    "{'earth': {" LEAF("a", "1") ", " LEAF("b", "1") ", " LEAF("c", "2") ", " LEAF("d", "2") "}}"
#define TURNED                                                                                     \
    "{'earth': {" LEAF("d", "2") ", " LEAF("c", "2") ", " LEAF("b", "1") ", " LEAF("a", "1") "}}"

START_TEST(a_group_is_in_one_shard_and_groups_are_in_several) {
    uint16_t shards[128];
    find_shards("", RACKS, "abcd", shards);
    ck_assert_uint_eq(shards['a'], shards['b']);
    ck_assert_uint_eq(shards['c'], shards['d']);
    ck_assert_uint_ne(shards['a'], shards['c']);
}
END_TEST

START_TEST(neither_the_order_nor_the_selection_changes_a_shard) {
    uint16_t shards[128], turned[128], alone[128];
    find_shards("", RACKS, "abcd", shards);
    find_shards("", TURNED, "abcd", turned);
    find_shards("", RACKS, "d", alone);
    ck_assert_mem_eq(shards, turned, sizeof shards);
    ck_assert_uint_eq(alone['d'], shards['d']);
    ck_assert_uint_eq(alone['a'], NONE);
}
END_TEST

START_TEST(a_throttle_keeps_in_one_shard_what_it_ties) {
    uint16_t shards[128];
    find_shards("{redundancy: [{group: \"{site}_{rack}\"}], "
                "throttle: [{group: \"{site}\", at_once: 2}]}",
                RACKS, "ad", shards);
    ck_assert_uint_eq(shards['a'], shards['d']);
}
END_TEST

START_TEST(hosts_are_tied_by_others_that_nobody_has_selected) {
    uint16_t shards[128];
    find_shards(
        "{ungrouped: allow, redundancy: [{group: \"{site}\"}, {group: \"{rack}\"}]}",
        "{'earth': {" LEAF("a", "1") ", " LEAF("t", "2") "}, 'mars': {" LEAF("b", "2") ", " LEAF(
            "u", "3") "}, 'venus': {" LEAF("c", "3") "}, 'pluto': {" LEAF("d", "4") "}}",
        "acd", shards);
    ck_assert_uint_eq(shards['a'], shards['c']);
    ck_assert_uint_ne(shards['a'], shards['d']);
}
END_TEST

Suite *check_shards(void) {
    Suite *suite = suite_create("shards");
    TCase *all = tcase_create("all");
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_group_is_in_one_shard_and_groups_are_in_several);
    tcase_add_test(all, neither_the_order_nor_the_selection_changes_a_shard);
    tcase_add_test(all, a_throttle_keeps_in_one_shard_what_it_ties);
    tcase_add_test(all, hosts_are_tied_by_others_that_nobody_has_selected);
    return suite;
}
