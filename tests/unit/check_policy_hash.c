#include "common/policy_hash.h"
#include "tests/unit/applied.h"

#include <inttypes.h>

Suite *check_policy_hash(void);

static uint64_t hash_of(const char *text) {
    struct policy p = policy_of(text);
    const uint64_t hash = policy_hash(&p);
    policy_deinit(&p);
    return hash;
}

static void reads(const char *text, const char *expected) {
    struct policy p = policy_of(text);
    struct buf out = {0};
    policy_write_canonical(&p, &out);
    ck_assert_str_eq(out.data, expected);
    buf_deinit(&out);
    policy_deinit(&p);
}

START_TEST(a_policy_becomes_one_line_a_rule) {
    reads("{redundancy: [{group: \"{site}_{dev_type}\"}], throttle: [{group: everybody, at_once: "
          "20}]}",
          "redundancy \"{site}_{dev_type}\" 1\n"
          "throttle \"everybody\" 20\n"
          "ungrouped refuse\n");
    reads("{ungrouped: allow, redundancy: [{group: \"{rack}\", max_unavailable: 2, first: {role: "
          "standby}, unless: {site: [mars, earth, mars]}, match: {rack: \"1*\", dev_type: leaf}}]}",
          "redundancy \"{rack}\" 2 match {\"dev_type\": [\"leaf\"], \"rack\": [\"1*\"]} unless "
          "{\"site\": [\"earth\", \"mars\"]} first {\"role\": [\"standby\"]}\n"
          "ungrouped allow\n");
}
END_TEST

// Jobs of stores that are there already were hashed so.
START_TEST(the_hash_of_acmes_policy_stays_what_it_was) {
    reads("", "redundancy \"{redundancy_groups}\" 1\n"
              "redundancy \"{site}_leaf_{rack}\" 1 match {\"dev_type\": [\"leaf\"]} unless "
              "{\"redundancy_groups\": [\"*\"]}\n"
              "redundancy \"{site}_{dev_type}\" 1 unless {\"dev_type\": [\"leaf\"], "
              "\"redundancy_groups\": [\"*\"]}\n"
              "ungrouped refuse\n");
    ck_assert_msg(hash_of("") == UINT64_C(0xe82b44fb9185a671), "it is 0x%016" PRIx64, hash_of(""));
}
END_TEST

START_TEST(how_a_policy_is_written_does_not_change_its_hash) {
    static const struct {
        const char *one, *other;
    } same[] = {
        {"", policy_default_text},
        {"{redundancy: [{group: \"{rack}\"}]}", "redundancy:\n  - group: '{rack}'\n"},
        {"{redundancy: [{group: x}]}", "{throttle: [], redundancy: [{group: x}]}"},
        {"{redundancy: [{group: x}]}", "{redundancy: [{group: x, max_unavailable: 1}]}"},
        {"{redundancy: [{group: x}]}", "{redundancy: [{group: x, match: {}, unless: {}}]}"},
        {"{redundancy: [{group: x, match: {a: b, c: d}}]}",
         "{redundancy: [{match: {c: d, a: [b]}, group: x}]}"},
        {"{redundancy: [{group: x, match: {a: [b, c]}}]}",
         "{redundancy: [{group: x, match: {a: [c, b, c]}}]}"},
        {"{redundancy: [{group: x, match: {a: 100}}]}",
         "{redundancy: [{group: x, match: {a: \"100\"}}]}"},
        // attributes are numbered by who names them first
        {"{redundancy: [{group: \"{a}{b}\", unless: {b: 1, a: 2}}]}",
         "{redundancy: [{unless: {a: 2, b: 1}, group: \"{a}{b}\"}]}"},
    };
    for (size_t i = 0; i < COUNT(same); i++)
        ck_assert_msg(hash_of(same[i].one) == hash_of(same[i].other), "%s", same[i].other);
}
END_TEST

START_TEST(what_a_policy_means_changes_its_hash) {
    static const char *const different[] = {
        "",
        "{redundancy: [{group: x}]}",
        "{redundancy: [{group: x}], ungrouped: allow}",
        "{redundancy: [{group: \"{x}\"}]}",
        "{redundancy: [{group: x, max_unavailable: 2}]}",
        "{redundancy: [{group: x, match: {a: b}}]}",
        "{redundancy: [{group: x, unless: {a: b}}]}",
        "{redundancy: [{group: x, first: {a: b}}]}",
        "{redundancy: [{group: x, match: {a: [b, c]}}]}",
        "{redundancy: [{group: x, match: {a: \"b\\\", \\\"c\"}}]}",
        "{redundancy: [{group: x, match: {a: b, c: b}}]}",
        "{redundancy: [{group: x, match: {a: b}, unless: {c: b}}]}",
        "{redundancy: [{group: x}, {group: y}]}",
        "{redundancy: [{group: y}, {group: x}]}",
        "{redundancy: [{group: x}], throttle: [{group: y, at_once: 1}]}",
        "{redundancy: [{group: x}], throttle: [{group: y, at_once: 2}]}",
        "{ungrouped: allow, throttle: [{group: x, at_once: 1}]}",
    };
    for (size_t i = 0; i < COUNT(different); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(hash_of(different[i]) != hash_of(different[j]), "%s and %s", different[i],
                          different[j]);
}
END_TEST

Suite *check_policy_hash(void) {
    Suite *suite = suite_create("policy_hash");
    TCase *tcase = tcase_create("policy_hash");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_policy_becomes_one_line_a_rule);
    tcase_add_test(tcase, the_hash_of_acmes_policy_stays_what_it_was);
    tcase_add_test(tcase, how_a_policy_is_written_does_not_change_its_hash);
    tcase_add_test(tcase, what_a_policy_means_changes_its_hash);
    return suite;
}
