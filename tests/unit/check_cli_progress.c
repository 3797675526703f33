#include "orchestrator/cli_progress.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_cli_progress(void);

static bool turn(struct progress *p, const char *name, enum host_state state) {
    return progress_turn(p, &(struct cli_host){.name = name, .reason = "", .state = state});
}

static void assert_counts(const struct progress *p, uint64_t waiting, uint64_t in_hand,
                          uint64_t changed, uint64_t failed) {
    ck_assert_uint_eq(p->counts[HOST_WAITING], waiting);
    ck_assert_uint_eq(p->counts[HOST_IN_HAND], in_hand);
    ck_assert_uint_eq(p->counts[HOST_CHANGED], changed);
    ck_assert_uint_eq(p->counts[HOST_FAILED], failed);
}

START_TEST(a_state_that_is_told_twice_counts_once) {
    struct progress p;
    progress_init(&p, 4);
    assert_counts(&p, 4, 0, 0, 0);
    ck_assert(turn(&p, "a", HOST_IN_HAND));
    ck_assert(turn(&p, "b", HOST_IN_HAND));
    ck_assert(!turn(&p, "a", HOST_IN_HAND));
    assert_counts(&p, 2, 2, 0, 0);
    ck_assert(turn(&p, "a", HOST_CHANGED));
    ck_assert(turn(&p, "b", HOST_WAITING)); // put back
    ck_assert(turn(&p, "c", HOST_FAILED));  // its start was not told
    ck_assert(!turn(&p, "c", HOST_FAILED));
    assert_counts(&p, 2, 0, 1, 1);
    ck_assert_uint_eq(progress_count_over(&p), 2);
    progress_deinit(&p);
}
END_TEST

START_TEST(whoever_is_in_hand_is_put_back_at_once) {
    struct progress p;
    progress_init(&p, 3);
    turn(&p, "a", HOST_IN_HAND);
    turn(&p, "b", HOST_IN_HAND);
    turn(&p, "c", HOST_CHANGED);
    progress_put_back(&p);
    assert_counts(&p, 2, 0, 1, 0);
    ck_assert(turn(&p, "a", HOST_IN_HAND));
    assert_counts(&p, 1, 1, 1, 0);
    progress_deinit(&p);
}
END_TEST

static void finish(struct progress *p, unsigned from, unsigned count) {
    for (unsigned i = from; i < from + count; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u", i);
        turn(p, name, HOST_CHANGED);
    }
}

START_TEST(a_rate_is_that_of_the_last_half_minute) {
    struct progress p;
    progress_init(&p, 1000);
    finish(&p, 0, 100); // before anybody looked
    progress_tick(&p, 1000);
    ck_assert(progress_rate(&p) == 0);
    for (unsigned s = 1; s <= 4; s++) {
        finish(&p, 90 + 10 * s, 10);
        progress_tick(&p, 1000 + 1000 * s);
    }
    ck_assert(progress_rate(&p) == 0); // too early to tell
    ck_assert_uint_eq(progress_left_ms(&p), 0);
    finish(&p, 140, 10);
    progress_tick(&p, 6000);
    ck_assert(progress_rate(&p) > 9.9 && progress_rate(&p) < 10.1);
    ck_assert_uint_eq(progress_left_ms(&p), 85000);
    for (unsigned s = 6; s <= 60; s++) { // ten times a second somebody looks; it has become slow
        for (unsigned tenth = 0; tenth < 10; tenth++)
            progress_tick(&p, 1000 + 1000 * s + 100 * tenth);
        finish(&p, 144 + s, 1);
    }
    ck_assert(progress_rate(&p) > 0.9 && progress_rate(&p) < 1.1);
    progress_deinit(&p);
}
END_TEST

START_TEST(there_is_no_rate_where_nothing_moves) {
    struct progress p;
    progress_init(&p, 10);
    for (unsigned s = 0; s < 100; s++)
        progress_tick(&p, 1000ULL * s);
    ck_assert(progress_rate(&p) == 0);
    progress_deinit(&p);
}
END_TEST

START_TEST(those_that_are_in_hand_for_long_come_first) {
    static const struct {
        const char *name;
        enum host_state state;
        long long started_ms;
    } hosts[] = {{"b", HOST_IN_HAND, 20}, {"e", HOST_IN_HAND, 50}, {"x", HOST_CHANGED, 1},
                 {"a", HOST_IN_HAND, 10}, {"d", HOST_IN_HAND, 40}, {"y", HOST_IN_HAND, 0},
                 {"c", HOST_IN_HAND, 30}};
    const struct progress_host *found[10];
    struct progress p;
    progress_init(&p, COUNT(hosts));
    ck_assert_uint_eq(progress_longest(&p, found, 3), 0);
    for (size_t i = 0; i < COUNT(hosts); i++)
        progress_turn(&p, &(struct cli_host){.name = hosts[i].name,
                                             .state = hosts[i].state,
                                             .started_ms = hosts[i].started_ms});
    ck_assert_uint_eq(progress_longest(&p, found, 3), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(found[i]->name[0], "abc"[i]);
    ck_assert_uint_eq(progress_longest(&p, found, 10), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(found[i]->name[0], "abcde"[i]);
    progress_deinit(&p);
}
END_TEST

Suite *check_cli_progress(void) {
    Suite *suite = suite_create("cli_progress");
    TCase *tcase = tcase_create("cli_progress");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_state_that_is_told_twice_counts_once);
    tcase_add_test(tcase, whoever_is_in_hand_is_put_back_at_once);
    tcase_add_test(tcase, a_rate_is_that_of_the_last_half_minute);
    tcase_add_test(tcase, there_is_no_rate_where_nothing_moves);
    tcase_add_test(tcase, those_that_are_in_hand_for_long_come_first);
    return suite;
}
