// Who goes first, in circles and in none.
#include "orchestrator/policy_order.h"
#include "tests/unit/applied.h"

Suite *check_policy_order(void);

// Hosts of letters; each letter of a role's text makes it go first in that rule.
static int check(const char *policy_text, const char *inventory_text, const char *selected,
                 struct error *err) {
    struct policy policy = policy_of(policy_text);
    struct inventory *inventory = inventory_of(inventory_text);
    struct selection selection = {.hosts = mem_array(inventory->count, sizeof(uint32_t))};
    struct applied_policy applied;
    for (size_t i = 0; i < inventory->count; i++)
        if (strstr(selected, inventory->hosts[i].name) != NULL)
            selection.hosts[selection.count++] = (uint32_t)i;
    int rc = policy_apply(&applied, &policy, inventory, &selection, err);
    ck_assert_msg(rc == 0, "%s", err->text);
    rc = policy_order_check(&applied, &policy, inventory, &selection, err);
    applied_policy_deinit(&applied);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
    return rc;
}

#define RULES                                                                                      \
    "redundancy:\n"                                                                                \
    "  - {group: \"x{x}\", first: {lead_x: \"y\"}}\n"                                              \
    "  - {group: \"y{y}\", first: {lead_y: \"y\"}}\n"                                              \
    "  - {group: \"z{z}\", first: {lead_z: \"y\"}}\n"

// a before b by x, b before c by y, c before a by z.
static const char three[] = "{'s': {" PLAIN("a", "t", ", 'x': 1, 'z': 1, 'lead_x': 'y'") ", " PLAIN(
    "b", "t", ", 'x': 1, 'y': 1, 'lead_y': 'y'") ", " PLAIN("c", "t",
                                                            ", 'y': 1, 'z': 1, 'lead_z': "
                                                            "'y'") ", " PLAIN("d", "t",
                                                                              ", 'x': 1") "}"
                                                                                          "}";

START_TEST(a_circle_of_three_is_refused_while_all_three_are_selected) {
    struct error err;
    ck_assert_int_eq(check(RULES, three, "a b c d", &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "opposite orders: "));
    ck_assert_int_eq(check(RULES, three, "a b d", &err), 0);
    ck_assert_int_eq(check(RULES, three, "b c d", &err), 0);
    ck_assert_int_eq(check(RULES, three, "a c", &err), 0);
    ck_assert_int_eq(check(RULES, three, "", &err), 0);
}
END_TEST

START_TEST(two_rules_that_want_opposite_orders_are_told_with_the_two_hosts) {
    static const char hosts[] =
        "{'s': {" PLAIN("fw-ams", "t", ", 'pair': 1, 'role': 'active'") ", " PLAIN(
            "fw-lon", "t", ", 'pair': 1, 'role': 'standby'") "}}";
    struct error err;
    ck_assert_int_eq(check("redundancy:\n"
                           "  - {group: \"{pair}\", first: {role: standby}}\n"
                           "  - {group: \"{site}\", first: {role: active}}\n",
                           hosts, "fw-ams fw-lon", &err),
                     ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, " goes before "));
    ck_assert_ptr_nonnull(strstr(err.text, "fw-ams"));
    ck_assert_ptr_nonnull(strstr(err.text, "fw-lon"));
    ck_assert_ptr_nonnull(strstr(err.text, "p.yaml:2: redundancy[0] \"{pair}\""));
    ck_assert_ptr_nonnull(strstr(err.text, "p.yaml:3: redundancy[1] \"{site}\""));
}
END_TEST

// The circle is named, not the tail that waits for it, and of several groups the one that closes
// it.
START_TEST(a_circle_of_two_is_found_behind_a_tail_and_beside_other_orders) {
    static const char hosts[] = "{'s': {" PLAIN("tail", "t", ", 'z': 1") ", " PLAIN(
        "a", "t",
        ", 'x': 1, 'y': 1, 'lead_x': 'y', 'z': 1, 'lead_z': "
        "'y'") ", " PLAIN("b", "t",
                          ", 'x': 1, 'y': "
                          "1, 'lead_y': "
                          "'y'") ", " PLAIN("free", "t",
                                            ", 'x': 1, "
                                            "'lead_x': 'y'") "}"
                                                             "}";
    struct error err;
    ck_assert_int_eq(check(RULES, hosts, "tail a b free", &err), ERROR_INPUT);
    ck_assert_ptr_null(strstr(err.text, "tail"));
    ck_assert_ptr_null(strstr(err.text, "free"));
    ck_assert_ptr_nonnull(strstr(err.text, "redundancy[0]"));
    ck_assert_ptr_nonnull(strstr(err.text, "redundancy[1]"));
}
END_TEST

START_TEST(those_that_go_first_together_wait_for_nobody) {
    static const char hosts[] =
        "{'s': {" PLAIN("a", "t", ", 'x': 1, 'y': 1, 'lead_x': 'y'") ", " PLAIN(
            "b", "t", ", 'x': 1, 'y': 1, 'lead_x': 'y', 'lead_y': 'y', 'z': 1, 'lead_z': 'y'") "}}";
    struct error err;
    ck_assert_int_eq(check(RULES, hosts, "a b", &err), 0);
}
END_TEST

Suite *check_policy_order(void) {
    Suite *suite = suite_create("policy_order");
    TCase *tcase = tcase_create("policy_order");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_circle_of_three_is_refused_while_all_three_are_selected);
    tcase_add_test(tcase, two_rules_that_want_opposite_orders_are_told_with_the_two_hosts);
    tcase_add_test(tcase, a_circle_of_two_is_found_behind_a_tail_and_beside_other_orders);
    tcase_add_test(tcase, those_that_go_first_together_wait_for_nobody);
    return suite;
}
