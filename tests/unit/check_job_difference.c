#include "orchestrator/job_difference.h"
#include "tests/unit/job_images.h"

Suite *check_job_difference(void);

#define AT(name, type, rack, address, port)                                                        \
    "'" name "': {'platform': 'acmeos', 'dev_type': '" type "', 'rack': '" rack                    \
    "', 'hostname': '" address "', 'port': " #port "}"
#define A AT("a", "spine", "1", "10.0.0.1", 830)
#define B AT("b", "spine", "2", "10.0.0.2", 830)
#define C AT("c", "leaf", "1", "10.0.0.3", 830)
#define D AT("d", "leaf", "1", "10.0.0.4", 830)
#define SECURE_B                                                                                   \
    "'b': {'platform': 'acmeos', 'dev_type': 'spine', 'rack': '2', 'hostname': '10.0.0.2', "       \
    "'port': 830, 'tls': true}"
#define FENCED_B                                                                                   \
    "'b': {'platform': 'acmeos', 'dev_type': 'spine', 'rack': '2', 'hostname': '10.0.0.2', "       \
    "'port': 830, 'epochs': true}"
#define EARTH(hosts) "{'earth': {" hosts "}}"

static const char policy[] = "{redundancy: [{group: \"{site}_{dev_type}\"}]}";
static const char by_role[] =
    "{ungrouped: allow, redundancy: [{group: \"{pair}\", first: {role: standby}}, {group: "
    "\"{site}\", max_unavailable: 3}]}";

static const struct {
    const char *was, *was_chosen, *now, *now_chosen, *text;
} cases[] = {
    {EARTH(A ", " B), "a b", EARTH(A ", " B), "a b", ""},
    {EARTH(A ", " B), "a", EARTH(A ", " B), "a", ""},
    {EARTH(A ", " B), "a b", EARTH(A ", " C ", " B), "a b", ""}, // c concerns nobody
    {EARTH(A ", " B), "a b",
     EARTH(A ", 'b': {'platform': 'acmeos', 'dev_type': 'spine', 'rack': '2', 'hostname': "
             "'10.0.0.2', 'port': 830, 'username': 'u', 'password': 'p'}"),
     "a b", ""}, // nor do credentials
    {EARTH(A ", 'b': {'platform': 'acmeos', 'dev_type': 'spine', 'rack': '2', 'hostname': "
             "'10.0.0.2', 'port': 830, 'password': 'p'}"),
     "a b", EARTH(A), "a", "b is not in the inventory any more"},
    {EARTH(A ", " B), "a b", EARTH(A ", " AT("b", "spine", "2", "10.0.0.9", 830)), "a b",
     "b is at 10.0.0.9:830, was at 10.0.0.2:830"},
    {EARTH(A ", " B), "a b", EARTH(A ", " AT("b", "spine", "2", "10.0.0.2", 831)), "a b",
     "b is at 10.0.0.2:831, was at 10.0.0.2:830"},
    {EARTH(A ", " B), "a", EARTH(A ", " AT("b", "spine", "2", "2001:db8::1", 830)), "a",
     "b is at [2001:db8::1]:830, was at 10.0.0.2:830"},
    {EARTH(A ", " B), "a b", EARTH(A), "a", "b is not in the inventory any more"},
    {EARTH(A ", " B), "a", EARTH(A), "a", "b is not in the inventory any more"},
    {EARTH(C ", " B), "b c", EARTH(C ", " B), "c", "b is not in the selection any more"},
    {EARTH(A ", " B), "a b", EARTH(A ", " B), "a", "b is not in the selection any more"},
    {EARTH(A ", " B), "a", EARTH(A ", " B), "a b", "b is in the selection now, was not"},
    {EARTH(A), "a", EARTH(A ", " B), "a b", "b is in the selection now, was not"},
    {EARTH(A), "a", EARTH(A ", " B), "a", "b is in a group of the selected hosts now, was not"},
    {EARTH(A ", " B), "a", EARTH(A ", " AT("b", "leaf", "2", "10.0.0.2", 830)), "a",
     "b is not in the same groups any more"},
    {EARTH(A ", " B), "a b", EARTH(A ", " AT("b", "leaf", "2", "10.0.0.2", 830)), "a b",
     "the device type of b is leaf, was spine"},
    {EARTH(A ", " B), "a b", EARTH(A ", " AT("b", "spine", "3", "10.0.0.2", 830)), "a b",
     "the rack of b is 3, was 2"},
    {EARTH(A ", " B), "a b",
     EARTH(A ", "
             "'b': {'platform': 'acmeos', 'dev_type': "
             "'spine', 'hostname': '10.0.0.2', 'port': 830}"),
     "a b", "the rack of b is none, was 2"},
    {EARTH(A ", " B), "a b", "{'earth': {" A "}, 'mars': {" B "}}", "a b",
     "the site of b is mars, was earth"},
    {EARTH(A ", " B), "a b",
     EARTH(A ", 'b': {'platform': 'panos', 'dev_type': 'spine', 'rack': '2', 'hostname': "
             "'10.0.0.2', 'port': 830}"),
     "a b", "the platform of b is panos, was acmeos"},
    {EARTH(A ", " B), "a b", EARTH(A ", " SECURE_B), "a b", "b speaks TLS, did not"},
    {EARTH(A ", " SECURE_B), "a", EARTH(A ", " B), "a", "b does not speak TLS, did"},
    {EARTH(A ", " B), "a b", EARTH(A ", " FENCED_B), "a b", "b takes epochs, did not"},
    {EARTH(A ", " FENCED_B), "a", EARTH(A ", " B), "a", "b takes no epochs, did"},
    {EARTH(A ", " B), "a b", EARTH(B ", " A), "a b", "b stands where a was in the inventory"},
};

static void check(const char *was_policy, const char *was, const char *was_chosen,
                  const char *now_policy, const char *now, const char *now_chosen,
                  const char *expected) {
    struct buf a = image_of(was, was_policy, was_chosen), b = image_of(now, now_policy, now_chosen);
    struct inventory *inventory = inventory_of(now);
    struct buf text = {0};
    struct error err;
    int rc = job_difference(a.data, a.len, b.data, b.len, inventory, &text, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(text.len == 0 ? "" : text.data, expected);
    inventory_unref(inventory);
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&text);
}

START_TEST(the_first_difference_of_two_inventories_is_told) {
    check(policy, cases[_i].was, cases[_i].was_chosen, policy, cases[_i].now, cases[_i].now_chosen,
          cases[_i].text);
}
END_TEST

START_TEST(a_policy_that_means_something_else_is_told_before_what_follows_from_it) {
    check(policy, EARTH(A ", " B), "a b", "{redundancy: [{group: \"{site}\"}]}", EARTH(A), "a",
          "the policy has changed");
}
END_TEST

#define PAIR(name, pair, role)                                                                     \
    "'" name "': {'platform': 'acmeos', 'dev_type': 'leaf', 'hostname': '10.0.0.1', 'port': 1, "   \
    "'pair': '" pair "', 'role': '" role "'}"

START_TEST(groups_that_follow_from_attributes_are_compared_by_themselves) {
    static const char two_pairs[] = EARTH(PAIR("a", "x", "active") ", " PAIR(
        "b", "x", "standby") ", " PAIR("c", "y", "active") ", " PAIR("d", "y", "standby"));
    check(by_role, two_pairs, "a b c", by_role,
          EARTH(PAIR("a", "x", "active") ", " PAIR("b", "y", "standby") ", " PAIR(
              "c", "y", "active") ", " PAIR("d", "x", "standby")),
          "a b c", "the groups of b are not the same");
    check(by_role, two_pairs, "a b c", by_role,
          EARTH(PAIR("a", "x", "active") ", " PAIR("b", "x", "active") ", " PAIR(
              "c", "y", "active") ", " PAIR("d", "y", "standby")),
          "a b c", "the groups of b are not the same");
    check(by_role, two_pairs, "a b c", by_role,
          EARTH(PAIR("a", "x", "active") ", " PAIR("b", "x", "standby") ", " PAIR(
              "c", "y", "active") ", " PAIR("d", "x", "standby")),
          "a b c", "the members of x are not the same");
}
END_TEST

START_TEST(what_is_no_image_is_an_error) {
    struct buf a = image_of(EARTH(A), policy, "a"), text = {0};
    struct error err;
    ck_assert_int_eq(job_difference(a.data, a.len, "x", 1, NULL, &text, &err), ERROR_INPUT);
    ck_assert_int_eq(job_difference("x", 1, a.data, a.len, NULL, &text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "the image of its hosts and groups: it ends too early");
    ck_assert_uint_eq(text.len, 0);
    buf_deinit(&a);
}
END_TEST

Suite *check_job_difference(void) {
    Suite *suite = suite_create("job_difference");
    TCase *tcase = tcase_create("job_difference");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, the_first_difference_of_two_inventories_is_told, 0,
                        (int)COUNT(cases));
    tcase_add_test(tcase, a_policy_that_means_something_else_is_told_before_what_follows_from_it);
    tcase_add_test(tcase, groups_that_follow_from_attributes_are_compared_by_themselves);
    tcase_add_test(tcase, what_is_no_image_is_an_error);
    return suite;
}
