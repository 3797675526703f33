// Who is asked, what is evidence, which sessions are kept: rule by rule of peers.h, in single
// cases. Who may go by it: check_turns.c; with the schedule, over random networks: check_gate.c.
#include "tests/unit/peers_net.h"

Suite *check_peers(void);

START_TEST(a_host_may_install_once_its_peers_have_answered) {
    struct net n = net("a:p b:p c:q", 1);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    want(&n, 'a');
    DEEDS(&n, "");
    up(&n, 'b');
    DEEDS(&n, "grant a");
    DEEDS(&n, "");
    end_net(&n);
}
END_TEST

START_TEST(a_host_that_wants_nothing_is_granted_nothing) {
    struct net n = net("a:p b:p", 1);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    want(&n, 'a');
    peers_want_not(n.peers, n.turns['a']);
    up(&n, 'b');
    DEEDS(&n, "");
    want(&n, 'a');
    peers_want_not(n.peers, n.turns['a']); // listed already
    DEEDS(&n, "");
    want(&n, 'a');
    DEEDS(&n, "grant a");
    end_net(&n);
}
END_TEST

// --- evidence

START_TEST(evidence_holds_for_max_age_to_the_millisecond) {
    struct net n = net("a:p b:p", 1);
    learn(&n, 'a', "b", "");
    n.now_ms += MAX_AGE + (uint64_t)_i;
    ck_assert_int_eq(peers_is_up(n.peers, device(&n, 'b'), n.now_ms), _i == 0);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, _i == 0 ? "grant a" : "ask b");
    end_net(&n);
}
END_TEST

START_TEST(a_grant_holds_still_as_long_as_the_evidence) {
    struct net n = net("a:p b:p", 1);
    learn(&n, 'a', "b", "");
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "grant a");
    ck_assert(peers_hold_still(n.peers, n.turns['a'], n.now_ms + MAX_AGE));
    n.now_ms += MAX_AGE + 1;
    ck_assert(!peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    want(&n, 'a');
    DEEDS(&n, "ask b");
    up(&n, 'b');
    DEEDS(&n, "grant a");
    ck_assert(peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    end_net(&n);
}
END_TEST

// c is dead, which b's turn does not know any more.
START_TEST(a_grant_does_not_hold_where_too_many_come_in_hand) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    refuse(&n, 'c');
    want(&n, 'a');
    DEEDS(&n, "grant a");
    ck_assert(peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    n.now_ms += MAX_AGE;
    ck_assert(!begin(&n, 'b'));
    ck_assert(peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    n.now_ms++;
    ck_assert(begin(&n, 'b'));
    ck_assert(!peers_hold_still(n.peers, n.turns['a'], n.now_ms));
    end_net(&n);
}
END_TEST

static void assert_known(const struct net *n, char name, enum peers_knowledge is, uint64_t ms,
                         const char *why) {
    const struct peers_known known = peers_known(n->peers, &device(n, name)->host, n->now_ms);
    ck_assert_int_eq(known.is, is);
    ck_assert_uint_eq(known.ms, ms);
    ck_assert_pstr_eq(known.why, why);
}

START_TEST(what_is_known_of_a_device_is_told_with_its_age) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'a'));
    assert_known(&n, 'a', PEERS_IN_HAND, 0, NULL);
    assert_known(&n, 'b', PEERS_NOT_KNOWN, 0, NULL);
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    refuse(&n, 'c');
    n.now_ms += MAX_AGE;
    assert_known(&n, 'b', PEERS_UP, MAX_AGE, NULL);
    assert_known(&n, 'c', PEERS_DOWN, MAX_AGE, device(&n, 'c')->why);
    ck_assert_ptr_nonnull(device(&n, 'c')->why);
    n.now_ms++; // too old to be of use
    assert_known(&n, 'b', PEERS_NOT_KNOWN, 0, NULL);
    assert_known(&n, 'c', PEERS_NOT_KNOWN, 0, NULL);
    end_net(&n);
}
END_TEST

// What is known of b after its own turn: is it asked?
static const struct {
    enum turn_end end;
    uint64_t verified_ms, later_ms;
    const char *expected;
} ends[] = {
    {TURN_VERIFIED, START, 0, "grant a"},
    {TURN_VERIFIED, START, MAX_AGE, "grant a"},
    {TURN_VERIFIED, START - MAX_AGE, 0, "grant a"},
    {TURN_VERIFIED, START - MAX_AGE - 1, 0, "ask b"}, // its release does not make it younger
    {TURN_FAILED, START, 0, "ask b"},
    {TURN_LEFT, 0, 0, "ask b"},
};

START_TEST(what_a_turn_was_verified_with_is_evidence_from_its_end_on) {
    struct net n = net("a:p b:p", 1);
    learn(&n, 'a', "b", "");
    learn(&n, 'b', "a", "");
    ck_assert(begin(&n, 'b'));
    ck_assert(!peers_is_up(n.peers, device(&n, 'b'), n.now_ms)); // in hand
    end_as(&n, 'b', ends[_i].end, ends[_i].verified_ms);
    n.now_ms += ends[_i].later_ms;
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, ends[_i].expected);
    end_net(&n);
}
END_TEST

START_TEST(what_was_found_out_in_another_turn_skips_nobody) {
    struct net n = net("a:p b:p", 1);
    learn(&n, 'a', "", "b");
    n.now_ms++;
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b");
    up(&n, 'b');
    DEEDS(&n, "grant a");
    end_net(&n);
}
END_TEST

START_TEST(one_that_was_verified_after_it_was_refuted_is_asked_again) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b, ask c");
    refuse(&n, 'b');
    up(&n, 'c');
    n.now_ms += MAX_AGE + 1;
    ck_assert(begin(&n, 'b'));
    verify(&n, 'b');
    n.now_ms += MAX_AGE + 1;
    gone(&n, 'c');
    want(&n, 'a');
    DEEDS(&n, "ask b, ask c");
    end_net(&n);
}
END_TEST

// --- asks

START_TEST(no_more_are_asked_at_a_time_than_may_be) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 2};
    struct net n = net_of(&config, "a:p b:p c:p d:p e:p", 1, NULL);
    n.asks_pass = true;
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b'); // on its way out: its place is not free yet
    DEEDS(&n, "");
    gone(&n, 'b');
    DEEDS(&n, "ask d");
    refuse(&n, 'c');
    DEEDS(&n, "ask e");
    end_net(&n);
}
END_TEST

// What e needs has waited longer than what a needs again.
START_TEST(an_older_turn_is_asked_for_first) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 1};
    struct net n = net_of(&config, "a:p b:p c:q d:q e:r f:r", 1, NULL);
    n.asks_pass = true;
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    ck_assert(begin(&n, 'c'));
    up(&n, 'b');
    gone(&n, 'b');
    DEEDS(&n, "ask d");
    ck_assert(begin(&n, 'e'));
    n.now_ms += MAX_AGE + 1;
    want(&n, 'a');
    up(&n, 'd');
    gone(&n, 'd');
    DEEDS(&n, "ask b");
    up(&n, 'b');
    gone(&n, 'b');
    DEEDS(&n, "grant a, ask f");
    end_net(&n);
}
END_TEST

// a wants to begin, and its peers are asked one behind the other: first b.
static struct net a_asks_in_turn(void) {
    static const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 1};
    struct net n = net_of(&config, "a:p b:p c:p", 1, NULL);
    n.asks_pass = true;
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b");
    return n;
}

static void answer_in_turn(struct net *n, int round) {
    const bool is_b = round % 2 == 0;
    up(n, is_b ? 'b' : 'c');
    gone(n, is_b ? 'b' : 'c');
    DEEDS(n, is_b ? "ask c" : "ask b");
}

START_TEST(asking_in_vain_has_an_end) {
    struct net n = a_asks_in_turn();
    for (int round = 0; round <= PEERS_ROUNDS_MAX; round++) {
        n.now_ms += MAX_AGE + 1;
        answer_in_turn(&n, round);
    }
    n.now_ms += MAX_AGE + 1;
    up(&n, 'b');
    gone(&n, 'b');
    DEEDS(&n, "skip a: its 2 peers cannot all be asked within the time for which an answer counts; "
              "raise --asks or --peer-max-age");
    end_net(&n);
}
END_TEST

// Where nodes share the network the shards of others come one after the other.
START_TEST(answers_that_do_not_count_any_more_are_not_in_vain) {
    struct net n = a_asks_in_turn();
    for (int round = 0; round <= 2 * PEERS_ROUNDS_MAX; round++) {
        peers_distrust(n.peers);
        answer_in_turn(&n, round);
    }
    up(&n, 'c');
    DEEDS(&n, "grant a");
    end_net(&n);
}
END_TEST

START_TEST(one_ask_is_for_all_who_wait) {
    struct net n = net("a:p b:pq c:q", 1);
    ck_assert(begin(&n, 'a'));
    ck_assert(begin(&n, 'c'));
    want(&n, 'a');
    want(&n, 'c');
    DEEDS(&n, "ask b");
    up(&n, 'b');
    DEEDS(&n, "grant c, grant a");
    end_net(&n);
}
END_TEST

START_TEST(an_ask_that_nobody_waits_for_any_more_is_not_made) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 1};
    struct net n = net_of(&config, "a:p b:p c:p", 1, NULL);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    leave(&n, 'a');
    gone(&n, 'b');
    DEEDS(&n, "");
    ck_assert(!peers_is_up(n.peers, device(&n, 'b'), n.now_ms));
    end_net(&n);
}
END_TEST

START_TEST(who_comes_in_hand_is_awaited_no_more) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b, ask c");
    up(&n, 'c');
    ck_assert(begin(&n, 'b')); // takes the ask over, with its connection
    ck_assert_int_eq(device(&n, 'b')->ask, ASK_NONE);
    ck_assert_ptr_nonnull(device(&n, 'b')->contact);
    DEEDS(&n, "grant a");
    gone(&n, 'b');
    leave(&n, 'b');
    end_net(&n);
}
END_TEST

START_TEST(an_ask_that_passes_by_is_not_taken_over) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 1};
    struct net n = net_of(&config, "a:p b:p c:p", 2, NULL);
    n.asks_pass = true;
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    ck_assert(begin(&n, 'b'));
    ck_assert_int_eq(device(&n, 'b')->ask, ASK_LEAVING);
    DEEDS(&n, ""); // it has its place among the asks until it is gone
    gone(&n, 'b');
    ck_assert_int_eq(device(&n, 'b')->ask, ASK_NONE);
    DEEDS(&n, "ask c");
    end_net(&n);
}
END_TEST

START_TEST(one_on_its_way_out_is_asked_again_once_it_is_gone) {
    struct net n = net("a:p b:p", 1);
    n.asks_pass = true;
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b");
    up(&n, 'b');
    n.now_ms += MAX_AGE + 1;
    want(&n, 'a');
    DEEDS(&n, "");
    gone(&n, 'b');
    DEEDS(&n, "ask b");
    up(&n, 'b');
    DEEDS(&n, "grant a");
    end_net(&n);
}
END_TEST

START_TEST(an_ask_that_is_lost_is_an_answer) {
    struct net n = net("a:p b:p", 1);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b");
    gone(&n, 'b');
    DEEDS(&n, "skip a: b is not up: not asked to its end");
    end_net(&n);
}
END_TEST

// --- kept sessions

// x waits for y, of another group, with all places taken.
static struct net with_kept(unsigned asks) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = asks};
    struct net n = net_of(&config, "a:p b:p c:p x:q y:q", 1, NULL);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    up(&n, 'c');
    return n;
}

START_TEST(the_session_that_was_kept_last_gives_way_to_an_ask) {
    struct net n = with_kept(2);
    DEEDS(&n, "");
    ck_assert(begin(&n, 'x'));
    DEEDS(&n, "let go c"); // and no more than are wanted
    DEEDS(&n, "");
    gone(&n, 'c');
    DEEDS(&n, "ask y");
    ck_assert_int_eq(device(&n, 'b')->ask, ASK_KEPT);
    ck_assert(peers_is_up(n.peers, device(&n, 'c'), n.now_ms));
    end_net(&n);
}
END_TEST

START_TEST(nothing_is_let_go_of_while_there_is_room) {
    struct net n = with_kept(3);
    ck_assert(begin(&n, 'x'));
    DEEDS(&n, "ask y");
    end_net(&n);
}
END_TEST

START_TEST(nothing_is_let_go_of_where_another_leaves_by_itself) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 2};
    struct net n = net_of(&config, "a:p b:p c:p d:p", 1, NULL);
    ck_assert(begin(&n, 'a'));
    n.asks_pass = true;
    DEEDS(&n, "ask b, ask c");
    peers_asking(n.peers, device(&n, 'b'), true);
    up(&n, 'b');
    DEEDS(&n, ""); // c passes by
    up(&n, 'c');
    DEEDS(&n, ""); // and is on its way out
    gone(&n, 'c');
    DEEDS(&n, "ask d");
    end_net(&n);
}
END_TEST

START_TEST(a_session_that_nobodys_turn_is_to_use_is_let_go) {
    struct net n = with_kept(10);
    peers_keep_not(n.peers, device(&n, 'c'));
    peers_keep_not(n.peers, device(&n, 'c'));
    DEEDS(&n, "let go c");
    gone(&n, 'c');
    DEEDS(&n, "");
    peers_keep_not(n.peers, device(&n, 'c')); // it has none
    DEEDS(&n, "");
    leave(&n, 'a');
    peers_keep_not(n.peers, device(&n, 'b'));
    ck_assert(begin(&n, 'b')); // its turn comes all the same
    DEEDS(&n, "ask a");
    up(&n, 'a');
    DEEDS(&n, "");
    ck_assert_int_eq(device(&n, 'a')->ask, ASK_KEPT);
    gone(&n, 'b');
    end_net(&n);
}
END_TEST

START_TEST(nothing_is_kept_any_more_for_good) {
    struct net n = with_kept(10);
    peers_keep_none(n.peers);
    DEEDS(&n, "let go b, let go c");
    ck_assert(begin(&n, 'x'));
    DEEDS(&n, "ask y");
    up(&n, 'y');
    DEEDS(&n, "let go y");
    end_net(&n);
}
END_TEST

START_TEST(of_a_device_whose_kept_session_is_lost_nothing_is_known) {
    struct net n = with_kept(10);
    gone(&n, 'b');
    want(&n, 'a');
    DEEDS(&n, "ask b");
    refuse(&n, 'b');
    DEEDS(&n, "skip a: b is not up: connection refused");
    end_net(&n);
}
END_TEST

START_TEST(a_kept_session_is_taken_over_and_frees_its_place) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 2};
    struct net n = net_of(&config, "a:p b:p c:p d:p", 2, NULL);
    ck_assert(begin(&n, 'a'));
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    ck_assert(begin(&n, 'b'));
    ck_assert_ptr_nonnull(device(&n, 'b')->contact);
    DEEDS(&n, "ask d");
    gone(&n, 'b');
    end_net(&n);
}
END_TEST

START_TEST(who_has_a_kept_session_is_next_once_a_host_of_the_group_is_through) {
    struct net n = with_kept(10);
    ck_assert_ptr_null(peers_next_kept(n.peers)); // a is in hand yet
    peers_keep_not(n.peers, device(&n, 'b'));
    verify(&n, 'a');
    ck_assert_ptr_eq(peers_next_kept(n.peers), device(&n, 'c'));
    ck_assert_ptr_null(peers_next_kept(n.peers)); // once
    ck_assert(begin(&n, 'a'));
    verify(&n, 'a'); // for each that comes out of hand
    peers_leaving(n.peers, device(&n, 'c'));
    ck_assert_ptr_null(peers_next_kept(n.peers));
    end_net(&n);
}
END_TEST

// More than fit at first, around the ring's end.
START_TEST(all_that_are_next_are_told_in_order) {
    static const char hosts[] = "a:p b:p c:p d:p e:p f:p g:p h:p i:p j:p k:p l:p m:p n:p o:p p:p "
                                "q:p r:p s:p t:p u:p v:p w:p x:p y:p z:p A:p B:p C:p D:p E:p F:p "
                                "G:p H:p I:p J:p K:p L:p M:p N:p O:p P:p Q:p R:p S:p T:p U:p V:p "
                                "W:p X:p Y:p Z:p 0:p 1:p 2:p 3:p 4:p 5:p 6:p 7:p 8:p 9:p (:p ;:p "
                                "<:p =:p >:p ?:p";
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 100};
    struct net n = net_of(&config, hosts, 1, NULL);
    ck_assert(begin(&n, 'a'));
    deeds(&n);
    for (uint32_t h = 1; h < n.inventory->count; h++)
        if (h % 2 == 0) up(&n, *n.inventory->hosts[h].name);
    verify(&n, 'a');
    for (uint32_t h = 2; h < 20; h += 2)
        ck_assert_ptr_eq(peers_next_kept(n.peers), device(&n, *n.inventory->hosts[h].name));
    for (uint32_t h = 1; h < n.inventory->count; h += 2) // they are behind those already listed
        up(&n, *n.inventory->hosts[h].name);
    ck_assert(begin(&n, 'a'));
    verify(&n, 'a');
    for (uint32_t h = 20; h < n.inventory->count; h += 2)
        ck_assert_ptr_eq(peers_next_kept(n.peers), device(&n, *n.inventory->hosts[h].name));
    for (uint32_t h = 1; h < n.inventory->count; h++)
        if (h % 2 == 1 || h < 20)
            ck_assert_ptr_eq(peers_next_kept(n.peers), device(&n, *n.inventory->hosts[h].name));
    ck_assert_ptr_null(peers_next_kept(n.peers));
    end_net(&n);
}
END_TEST

START_TEST(places_are_short_when_an_eighth_is_left) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 16};
    struct net n =
        net_of(&config, "a:p b:p c:p d:p e:p f:p g:p h:p i:p j:p k:p l:p m:p n:p x:q y:q", 1, NULL);
    ck_assert(begin(&n, 'a'));
    deeds(&n);
    ck_assert(!peers_are_pressed(n.peers)); // 13
    ck_assert(begin(&n, 'x'));
    DEEDS(&n, "ask y");
    ck_assert(peers_are_pressed(n.peers));
    up(&n, 'y');
    ck_assert(peers_are_pressed(n.peers)); // kept ones count
    gone(&n, 'y');
    ck_assert(!peers_are_pressed(n.peers));
    end_net(&n);
}
END_TEST

// Whatever groups another job sees it in: the group that it was to begin for waits until it is out
// of hand.
START_TEST(a_device_in_hand_does_not_come_in_hand_again) {
    struct net n = net("a:p b:p", 2);
    ck_assert(begin(&n, 'a'));
    ck_assert(!begin(&n, 'a'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    ck_assert_str_eq(n.hold.key, "fallback");
    end_net(&n);
}
END_TEST

// --- hosts in doubt

START_TEST(a_host_in_doubt_comes_in_hand_whoever_is) {
    struct net n = net("a:p b:p c:p -d:p", 1);
    learn(&n, 'a', "", "bc");
    ck_assert(begin_in_doubt(&n, 'a'));
    ck_assert(!begin(&n, 'b'));
    ck_assert(begin_in_doubt(&n, 'b')); // though a is in hand
    ck_assert(begin_in_doubt(&n, 'c'));
    ck_assert_ptr_eq(device(&n, 'c')->turn, n.turns['c']);
    ck_assert(!begin_in_doubt(&n, 'c')); // of another job: a device has one turn
    end_net(&n);
}
END_TEST

START_TEST(nobody_is_asked_for_a_host_in_doubt_and_it_is_up_for_nobody) {
    const struct peers_config config = {.check = true, .max_age_ms = MAX_AGE, .asks = 1};
    struct net n = net_of(&config, "a:p b:p c:p x:q y:q", 2, NULL);
    learn(&n, 'a', "b", "");
    ck_assert(begin(&n, 'x')); // has the only ask
    DEEDS(&n, "ask y");
    ck_assert(begin_in_doubt(&n, 'b'));
    DEEDS(&n, "");
    ck_assert(!peers_is_up(n.peers, device(&n, 'b'), n.now_ms));
    up(&n, 'y');
    gone(&n, 'y');
    DEEDS(&n, "");
    ck_assert(begin(&n, 'a')); // two may be in hand
    want(&n, 'a');
    DEEDS(&n, "ask c");
    refuse(&n, 'c');
    DEEDS(&n, "back a for b (p)"); // which counts as not up
    end_net(&n);
}
END_TEST

START_TEST(who_waits_for_a_host_in_doubt_is_told_of_its_end) {
    struct net n = net("a:p b:p", 1);
    ck_assert(begin_in_doubt(&n, 'a'));
    ck_assert(!begin(&n, 'b'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    told[0] = '\0';
    verify(&n, 'a'); // as it ran before: it is up
    ck_assert_str_eq(told, "p ");
    ck_assert(begin(&n, 'b'));
    want(&n, 'b');
    DEEDS(&n, "grant b");
    end_net(&n);
}
END_TEST

// c is known not to be up, so d must wait for one of those in hand.
START_TEST(who_can_wait_for_another_one_waits_for_none_that_rests) {
    struct net n = net("a:p b:p c:p d:p", 3);
    learn(&n, 'a', "bd", "c");
    ck_assert(begin_in_doubt(&n, 'b'));
    ck_assert(begin(&n, 'a'));
    ck_assert(!begin(&n, 'd'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'b'));
    peers_rest(n.turns['b']);
    ck_assert(!begin(&n, 'd'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'a'));
    leave(&n, 'a');
    ck_assert(begin(&n, 'd'));
    ck_assert(!begin(&n, 'a'));
    ck_assert_ptr_eq(n.hold.holder, device(&n, 'd'));
    end_net(&n);
}
END_TEST

START_TEST(a_host_in_doubt_that_is_asked_or_kept_is_so_no_more) {
    struct net n = net("a:p b:p c:p", 2);
    ck_assert(begin(&n, 'a'));
    want(&n, 'a');
    DEEDS(&n, "ask b, ask c");
    up(&n, 'b');
    ck_assert(begin_in_doubt(&n, 'b')); // its session is kept
    ck_assert_int_eq(device(&n, 'b')->ask, ASK_NONE);
    ck_assert(begin_in_doubt(&n, 'c')); // it is asked
    ck_assert_int_eq(device(&n, 'c')->ask, ASK_NONE);
    ck_assert_ptr_nonnull(device(&n, 'c')->contact); // the driver's to end
    gone(&n, 'b');
    gone(&n, 'c');
    DEEDS(&n, "back a for c (p)"); // it awaits nobody, and there is no place for it
    end_net(&n);
}
END_TEST

Suite *check_peers(void) {
    Suite *suite = suite_create("peers");
    TCase *tcase = tcase_create("peers");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_host_may_install_once_its_peers_have_answered);
    tcase_add_test(tcase, a_host_that_wants_nothing_is_granted_nothing);
    tcase_add_loop_test(tcase, evidence_holds_for_max_age_to_the_millisecond, 0, 2);
    tcase_add_test(tcase, a_grant_holds_still_as_long_as_the_evidence);
    tcase_add_test(tcase, a_grant_does_not_hold_where_too_many_come_in_hand);
    tcase_add_test(tcase, what_is_known_of_a_device_is_told_with_its_age);
    tcase_add_loop_test(tcase, what_a_turn_was_verified_with_is_evidence_from_its_end_on, 0,
                        COUNT(ends));
    tcase_add_test(tcase, what_was_found_out_in_another_turn_skips_nobody);
    tcase_add_test(tcase, one_that_was_verified_after_it_was_refuted_is_asked_again);
    tcase_add_test(tcase, no_more_are_asked_at_a_time_than_may_be);
    tcase_add_test(tcase, an_older_turn_is_asked_for_first);
    tcase_add_test(tcase, asking_in_vain_has_an_end);
    tcase_add_test(tcase, answers_that_do_not_count_any_more_are_not_in_vain);
    tcase_add_test(tcase, one_ask_is_for_all_who_wait);
    tcase_add_test(tcase, an_ask_that_nobody_waits_for_any_more_is_not_made);
    tcase_add_test(tcase, who_comes_in_hand_is_awaited_no_more);
    tcase_add_test(tcase, an_ask_that_passes_by_is_not_taken_over);
    tcase_add_test(tcase, one_on_its_way_out_is_asked_again_once_it_is_gone);
    tcase_add_test(tcase, an_ask_that_is_lost_is_an_answer);
    tcase_add_test(tcase, the_session_that_was_kept_last_gives_way_to_an_ask);
    tcase_add_test(tcase, nothing_is_let_go_of_while_there_is_room);
    tcase_add_test(tcase, nothing_is_let_go_of_where_another_leaves_by_itself);
    tcase_add_test(tcase, a_session_that_nobodys_turn_is_to_use_is_let_go);
    tcase_add_test(tcase, nothing_is_kept_any_more_for_good);
    tcase_add_test(tcase, of_a_device_whose_kept_session_is_lost_nothing_is_known);
    tcase_add_test(tcase, a_kept_session_is_taken_over_and_frees_its_place);
    tcase_add_test(tcase, who_has_a_kept_session_is_next_once_a_host_of_the_group_is_through);
    tcase_add_test(tcase, all_that_are_next_are_told_in_order);
    tcase_add_test(tcase, places_are_short_when_an_eighth_is_left);
    tcase_add_test(tcase, a_device_in_hand_does_not_come_in_hand_again);
    tcase_add_test(tcase, a_host_in_doubt_comes_in_hand_whoever_is);
    tcase_add_test(tcase, nobody_is_asked_for_a_host_in_doubt_and_it_is_up_for_nobody);
    tcase_add_test(tcase, who_waits_for_a_host_in_doubt_is_told_of_its_end);
    tcase_add_test(tcase, who_can_wait_for_another_one_waits_for_none_that_rests);
    tcase_add_test(tcase, a_host_in_doubt_that_is_asked_or_kept_is_so_no_more);
    return suite;
}
