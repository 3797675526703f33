// Who may install, is skipped, or waits for hosts in hand: rule by rule of peers.h, in single
// cases.
#include "tests/unit/peers_net.h"

Suite *check_turns(void);

// --- who is skipped, and when

// Of a's peers some have answered, some have not, and some are of another platform.
static const struct {
    const char *hosts, *up, *down, *expected;
    unsigned limit;
} judgements[] = {
    {"a:p b:p", "b", "", "grant a", 1},
    {"a:p b:p", "", "b", "skip a: b is not up: connection refused", 1},
    {"a:p b:p", "", "b", "grant a", 2},
    {"a:p b:p c:p d:p", "bd", "c", "skip a: c is not up: connection refused", 1},
    {"a:p b:p c:p d:p", "b", "cd", "skip a: c is not up: connection refused; nor are 1 more of p",
     1},
    {"a:p b:p c:p d:p", "bd", "c", "grant a", 2},
    {"a:p b:p c:p d:p", "b", "cd", "skip a: c is not up: connection refused; nor are 1 more of p",
     2},
    {"a:p b:p c:p d:p", "b", "cd", "grant a", 3},
    {"a:p b:p c:p d:p", "", "bcd", "skip a: b is not up: connection refused; nor are 2 more of p",
     3},
    {"a:p -b:p", "", "", "skip a: b is not up: platform panos", 1},
    {"a:p -b:p c:p", "c", "", "grant a", 2},
    {"a:p -b:p c:p", "", "c", "skip a: b is not up: platform panos; nor are 1 more of p", 2},
    {"a:pq b:p c:q", "bc", "", "grant a", 1}, // in two groups: each counts for itself
    {"a:pq b:p c:q", "b", "c", "skip a: c is not up: connection refused", 1},
    {"a:pq b:p c:q", "c", "b", "skip a: b is not up: connection refused", 1},
    {"a:pq b:p c:q", "", "bc", "grant a", 2},
    {"a:pq b:pq c:q", "b", "c", "grant a", 2},
    {"a:pq b:pq c:q", "", "bc", "skip a: b is not up: connection refused; nor are 1 more of q", 2},
};

START_TEST(a_host_is_skipped_where_too_many_are_not_up) {
    struct net n = net(judgements[_i].hosts, judgements[_i].limit);
    ck_assert(begin(&n, 'a'));
    deeds(&n);
    for (const char *c = judgements[_i].up; *c != '\0'; c++)
        up(&n, *c);
    for (const char *c = judgements[_i].down; *c != '\0'; c++)
        refuse(&n, *c);
    want(&n, 'a');
    DEEDS(&n, judgements[_i].expected);
    end_net(&n);
}
END_TEST

START_TEST(a_device_of_another_platform_is_not_asked) {
    struct net n = net("a:p -b:p", 2);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "");
    want(&n, 'a');
    DEEDS(&n, "grant a");
    ck_assert(!peers_is_up(n.peers, device(&n, 'b'), n.now_ms));
    end_net(&n);
}
END_TEST

START_TEST(members_that_are_not_selected_are_asked_too) {
    struct net n = net_of(&by_default, "a:p b:p c:p", 1, "ab");
    size_t count;
    ck_assert(begin(&n, 'a'));
    const struct member *members = turn_members(n.turns['a'], &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(members[0].host, 1);
    ck_assert_uint_eq(members[0].cohort, 0);
    ck_assert_uint_eq(members[1].host, 2);
    ck_assert_uint_eq(members[1].cohort, UINT32_MAX);
    want(&n, 'a');
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    refuse(&n, 'c');
    DEEDS(&n, "skip a: c is not up: connection refused");
    end_net(&n);
}
END_TEST

START_TEST(peers_that_are_not_up_are_asked_again_for_so_long) {
    const struct peers_config config = {
        .check = true, .max_age_ms = MAX_AGE, .asks = 10, .wait_ms = PEERS_RETRY_MS + 1};
    struct net n = net_of(&config, "a:p b:p", 1, NULL);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    for (int tries = 0; tries < 2; tries++) {
        DEEDS(&n, "ask b");
        ck_assert_uint_eq(peers_due_ms(n.peers), UINT64_MAX);
        refuse(&n, 'b');
        DEEDS(&n, "");
        ck_assert_uint_eq(peers_due_ms(n.peers), n.now_ms + PEERS_RETRY_MS);
        n.now_ms += PEERS_RETRY_MS - 1;
        DEEDS(&n, "");
        n.now_ms++;
    }
    DEEDS(&n, "ask b");
    if (_i == 0) {
        up(&n, 'b');
        DEEDS(&n, "grant a");
    } else {
        refuse(&n, 'b');
        DEEDS(&n, "skip a: b is not up: connection refused");
    }
    ck_assert_uint_eq(peers_due_ms(n.peers), UINT64_MAX);
    end_net(&n);
}
END_TEST

START_TEST(the_wait_is_over_to_the_millisecond) {
    const struct peers_config config = {
        .check = true, .max_age_ms = MAX_AGE, .asks = 10, .wait_ms = 100};
    struct net n = net_of(&config, "a:p b:p", 1, NULL);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b");
    n.now_ms += 99 + (uint64_t)_i;
    refuse(&n, 'b');
    DEEDS(&n, _i == 0 ? "" : "skip a: b is not up: connection refused");
    end_net(&n);
}
END_TEST

START_TEST(who_waits_for_peers_to_come_up_may_give_up) {
    const struct peers_config config = {
        .check = true, .max_age_ms = MAX_AGE, .asks = 10, .wait_ms = 5000};
    struct net n = net_of(&config, "a:p b:p c:q d:q", 1, NULL);
    ck_assert(begin(&n, 'a'));
    ck_assert(begin(&n, 'c'));
    want(&n, 'a');
    want(&n, 'c');
    DEEDS(&n, "ask b, ask d");
    refuse(&n, 'b');
    refuse(&n, 'd');
    DEEDS(&n, "");
    peers_want_not(n.peers, n.turns['a']);
    leave(&n, 'c');
    ck_assert_uint_eq(peers_due_ms(n.peers), UINT64_MAX);
    n.now_ms += PEERS_RETRY_MS;
    DEEDS(&n, "");
    end_net(&n);
}
END_TEST

// --- hosts that wait for hosts in hand

START_TEST(of_hosts_that_keep_each_other_from_going_one_is_put_back) {
    struct net n = net("a:p b:p c:p", 2);
    told[0] = '\0';
    ck_assert(begin(&n, 'a'));
    ck_assert(begin(&n, 'b'));
    want(&n, 'a');
    DEEDS(&n, "ask c");
    refuse(&n, 'c');
    DEEDS(&n, "back a for b (p)");
    leave(&n, 'a');
    ck_assert_str_eq(told, "");
    want(&n, 'b');
    DEEDS(&n, "ask a");
    up(&n, 'a');
    DEEDS(&n, "grant b"); // c was asked in its turn, too
    ck_assert(!begin(&n, 'a'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'b'));
    ck_assert_str_eq(group_of(&n, n.hold.key), "p");
    verify(&n, 'b');
    ck_assert_str_eq(told, "p p "); // once for each that waited
    ck_assert(begin(&n, 'a'));
    verify(&n, 'a');
    ck_assert_str_eq(told, "p p ");
    end_net(&n);
}
END_TEST

START_TEST(those_not_up_decide_before_those_in_hand) {
    struct net n = net("a:p b:p c:p d:p", 2);
    ck_assert(begin(&n, 'a'));
    ck_assert(begin(&n, 'b'));
    want(&n, 'a');
    DEEDS(&n, "ask c, ask d");
    refuse(&n, 'c');
    refuse(&n, 'd');
    DEEDS(&n, "skip a: c is not up: connection refused; nor are 1 more of p");
    end_net(&n);
}
END_TEST

// a asks, others were found not to be up; may b begin while a is in hand, so much later?
static const struct {
    const char *hosts, *down;
    unsigned limit;
    uint64_t later_ms;
    bool may_begin;
} begins[] = {
    {"a:p b:p", "", 1, 0, false},
    {"a:p b:p", "", 2, 0, true},
    {"a:p b:q", "", 1, 0, true},
    {"a:p b:pq c:q", "", 1, 0, false},
    {"a:p b:p c:p", "c", 2, 0, false},
    {"a:p b:p c:p", "c", 2, MAX_AGE, false},
    {"a:p b:p c:p", "c", 2, MAX_AGE + 1, true}, // nothing is known of c any more
    {"a:p b:p c:p", "c", 3, 0, true},
    {"a:p b:p c:p d:p", "c", 3, 0, true},
    {"a:p b:p c:p d:p", "cd", 3, 0, false},
    {"a:p b:p c:p d:p", "cd", 2, 0, true}, // waiting for a does not help: its asks are to decide
    {"a:p b:p -c:p", "", 2, 0, false},
    {"a:p b:p -c:p", "", 2, MAX_AGE + 1, false},
    {"a:p b:pq c:q d:q", "c", 2, 0, true}, // a and c are of different groups
};

START_TEST(a_host_begins_where_those_in_hand_and_those_known_down_let_it) {
    struct net n = net(begins[_i].hosts, begins[_i].limit);
    told[0] = '\0';
    if (*begins[_i].down != '\0') learn(&n, 'b', "", begins[_i].down);
    n.now_ms += begins[_i].later_ms;
    ck_assert(begin(&n, 'a'));
    ck_assert_int_eq(begin(&n, 'b'), begins[_i].may_begin);
    if (!begins[_i].may_begin) ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    leave(&n, 'a');
    ck_assert_str_eq(told, begins[_i].may_begin ? "" : "p ");
    end_net(&n);
}
END_TEST

START_TEST(one_that_has_failed_in_its_own_turn_is_known_down) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'c'));
    end_as(&n, 'c', TURN_FAILED, 0);
    ck_assert(begin(&n, 'a'));
    ck_assert(!begin(&n, 'b'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    end_net(&n);
}
END_TEST

START_TEST(a_device_is_in_one_hand) {
    const struct peers_config config = {.check = _i == 0, .max_age_ms = MAX_AGE, .asks = 10};
    struct net n = net_of(&config, "a:p b:p", 2, NULL);
    told[0] = '\0';
    ck_assert(begin(&n, 'a'));
    ck_assert(!begin(&n, 'a'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    ck_assert_str_eq(n.hold.key, "fallback");
    leave(&n, 'a');
    ck_assert_str_eq(told, "fallback ");
    ck_assert(begin(&n, 'a'));
    end_net(&n);
}
END_TEST

// A job of its own inventory, which is gone when the holder comes out of hand.
START_TEST(the_job_that_waits_may_be_gone_when_its_group_is_told) {
    struct net n = net("a:p b:p", 1), gone_job = net("a:p b:p", 1);
    peers_free(gone_job.peers);
    gone_job.peers = n.peers;
    told[0] = '\0';
    ck_assert(begin(&n, 'a'));
    ck_assert(!begin(&gone_job, 'b'));
    ck_assert_ptr_eq(gone_job.hold.holder, device(&n, 'a'));
    grouping_deinit(&gone_job.grouping);
    policy_deinit(&gone_job.policy);
    inventory_unref(gone_job.inventory);
    leave(&n, 'a');
    ck_assert_str_eq(told, "p ");
    end_net(&n);
}
END_TEST

// --- without the check

START_TEST(without_the_check_nobody_is_asked_and_every_turn_is_granted) {
    const struct peers_config config = {.max_age_ms = MAX_AGE, .asks = 10};
    struct net n = net_of(&config, "a:p b:p -c:p", 1, NULL);
    ck_assert(begin(&n, 'b'));
    end_as(&n, 'b', TURN_FAILED, 0);
    ck_assert(begin(&n, 'a'));
    ck_assert(begin(&n, 'b'));
    want(&n, 'a');
    DEEDS(&n, "grant a");
    ck_assert(peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    end_net(&n);
}
END_TEST

Suite *check_turns(void) {
    Suite *suite = suite_create("turns");
    TCase *tcase = tcase_create("turns");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_host_is_skipped_where_too_many_are_not_up, 0, COUNT(judgements));
    tcase_add_test(tcase, a_device_of_another_platform_is_not_asked);
    tcase_add_test(tcase, members_that_are_not_selected_are_asked_too);
    tcase_add_loop_test(tcase, peers_that_are_not_up_are_asked_again_for_so_long, 0, 2);
    tcase_add_loop_test(tcase, the_wait_is_over_to_the_millisecond, 0, 2);
    tcase_add_test(tcase, who_waits_for_peers_to_come_up_may_give_up);
    tcase_add_test(tcase, of_hosts_that_keep_each_other_from_going_one_is_put_back);
    tcase_add_test(tcase, those_not_up_decide_before_those_in_hand);
    tcase_add_loop_test(tcase, a_host_begins_where_those_in_hand_and_those_known_down_let_it, 0,
                        COUNT(begins));
    tcase_add_test(tcase, one_that_has_failed_in_its_own_turn_is_known_down);
    tcase_add_loop_test(tcase, a_device_is_in_one_hand, 0, 2);
    tcase_add_test(tcase, the_job_that_waits_may_be_gone_when_its_group_is_told);
    tcase_add_test(tcase, without_the_check_nobody_is_asked_and_every_turn_is_granted);
    return suite;
}
