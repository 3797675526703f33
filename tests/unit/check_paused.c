// Jobs that are paused and go on, and schedules that halt, in single cases. Random ones:
// check_schedule_model.c, check_offers.c.
#include "tests/unit/lanes_script.h"

Suite *check_paused(void);

START_TEST(a_paused_job_hands_out_nothing_until_it_goes_on) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    struct schedule_work work;
    script_add(s, &job, "A1 B1", "aA bA cB");
    schedule_pause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "");
    ck_assert(!schedule_next_in(s, job.scheduled, 0, 'a', &work));
    ck_assert_uint_eq(schedule_groups_pending(s), 2);
    schedule_pause(s, job.scheduled); // once more changes nothing
    schedule_unpause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "ac");
    schedule_unpause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "");
    finish_all(s, &job, "ac");
    ck_assert_str_eq(skipped, "");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(what_a_paused_job_has_in_hand_keeps_its_places_until_its_end) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A2 B1", "aA bA cA dB");
    ck_assert_str_eq(start_all(s), "abd");
    script_add(s, &jobs[1], "A2 B1", "wA xA yB");
    schedule_pause(s, jobs[0].scheduled);
    ck_assert_str_eq(start_all(s), "");
    ck_assert_uint_eq(schedule_in_hand(s), 3);
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "w");
    PUT_BACK(jobs[0], 'b'); // pending, in a job that is paused
    ck_assert_str_eq(skipped, "");
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[0], 'd');
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[1], 'w');
    SUCCEED(jobs[1], 'x');
    ck_assert_str_eq(start_all(s), "");
    schedule_unpause(s, jobs[0].scheduled);
    ck_assert_str_eq(start_all(s), "bc");
    SUCCEED(jobs[0], 'b');
    SUCCEED(jobs[0], 'c');
    SUCCEED(jobs[1], 'y');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_paused_job_takes_no_turns_and_comes_last_when_it_goes_on) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "A1", "aA bA");
    script_add(s, &jobs[1], "A1", "mA nA");
    script_add(s, &jobs[2], "A1", "xA yA");
    schedule_pause(s, jobs[0].scheduled);
    ck_assert_str_eq(start_all(s), "m");
    schedule_unpause(s, jobs[0].scheduled);
    SUCCEED(jobs[1], 'm');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[2], 'x');
    ck_assert_str_eq(start_all(s), "a");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "n");
    schedule_pause(s, jobs[2].scheduled);
    SUCCEED(jobs[1], 'n');
    ck_assert_str_eq(start_all(s), "b");
    schedule_unpause(s, jobs[2].scheduled);
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[2], 'y');
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(the_limit_of_a_paused_job_holds_while_it_has_hosts_in_hand) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A1", "aA bA");
    ck_assert_str_eq(start_all(s), "a");
    script_add(s, &jobs[1], "A3", "wA xA yA zA");
    schedule_pause(s, jobs[0].scheduled);
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "wxy");
    schedule_unpause(s, jobs[0].scheduled);
    SUCCEED(jobs[1], 'w');
    SUCCEED(jobs[1], 'x');
    ck_assert_str_eq(start_all(s), ""); // one at a time again
    SUCCEED(jobs[1], 'y');
    ck_assert_str_eq(start_all(s), "b");
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "z");
    SUCCEED(jobs[1], 'z');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(one_that_was_to_go_next_goes_not_when_a_lower_limit_comes_back) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A1", "aA");
    schedule_pause(s, jobs[0].scheduled);
    script_add(s, &jobs[1], "A2", "xA yA");
    struct schedule_work work;
    ck_assert(schedule_next(s, &work));
    ck_assert_uint_eq(work.host, 'x');
    schedule_claimed(s, &work);
    jobs[1].works['x'] = work;
    schedule_unpause(s, jobs[0].scheduled); // y was offered its place
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(jobs[1], 'x');
    ck_assert_str_eq(start_all(s), "a");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[1], 'y');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_paused_job_keeps_no_place_for_anybody) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    void *owner;
    uint32_t host;
    script_add(s, &jobs[0], "A1 B1", "aA bB cAB dA eB");
    ck_assert_str_eq(start_all(s), "ab");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(jobs[0], 'e');
    script_add(s, &jobs[1], "A1 B1", "xB");
    ck_assert_str_eq(start_all(s), ""); // B is kept for c
    ck_assert(schedule_reserver(s, &owner, &host));
    schedule_pause(s, jobs[0].scheduled);
    ck_assert(!schedule_reserver(s, &owner, &host));
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[0], 'd');
    SUCCEED(jobs[1], 'x');
    schedule_unpause(s, jobs[0].scheduled);
    ck_assert_str_eq(start_all(s), "c");
    SUCCEED(jobs[0], 'c');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_group_of_a_paused_job_stops_all_the_same) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1", "aA bA cAB dB");
    ck_assert_str_eq(start_all(s), "ad");
    schedule_pause(s, job.scheduled);
    FAIL(job, 'a');
    ck_assert_str_eq(skipped, "b<a c<a ");
    ck_assert(!schedule_finished(job.scheduled));
    SUCCEED(job, 'd');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_paused_job_that_is_cancelled_skips_its_rest) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1", "aA bA cB");
    ck_assert_str_eq(start_all(s), "ac");
    schedule_pause(s, job.scheduled);
    PUT_BACK(job, 'c');
    schedule_cancel(s, job.scheduled);
    ck_assert_str_eq(skipped, "b<- c<- ");
    PUT_BACK(job, 'a');
    ck_assert_str_eq(skipped, "b<- c<- a<- ");
    schedule_unpause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_job_that_starts_paused_awaits_those_in_doubt_and_hands_out_nothing) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add_resumed(s, &jobs[0], "A1 B1", "aA bA cB dB", "a? c+");
    schedule_pause(s, jobs[0].scheduled);
    script_add(s, &jobs[1], "A1 B1", "xA yB");
    ck_assert_str_eq(start_all(s), "y"); // B has nothing in doubt
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "a");
    PUT_BACK(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    SUCCEED(jobs[1], 'y');
    ck_assert_str_eq(start_all(s), "");
    schedule_unpause(s, jobs[0].scheduled);
    finish_all(s, &jobs[0], start_all(s));
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(holds_and_first_hosts_are_as_they_were_when_a_job_goes_on) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A3 B1", "aA bA! cB");
    schedule_pause(s, job.scheduled);
    schedule_hold(s, "B");
    schedule_unpause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "ba");
    schedule_pause(s, job.scheduled);
    schedule_release(s, "B");
    ck_assert_str_eq(start_all(s), "");
    schedule_unpause(s, job.scheduled);
    ck_assert_str_eq(start_all(s), "c");
    finish_all(s, &job, "bac");
    end_script(s, &job, 1);
}
END_TEST

// --- hosts that rest

START_TEST(a_host_that_rests_keeps_its_places_and_no_worker) {
    struct schedule *s = begin_script(1);
    struct script_job jobs[2];
    script_add_resumed(s, &jobs[0], "A1", "aA bA", "a?");
    schedule_pause(s, jobs[0].scheduled);
    script_add(s, &jobs[1], "A1 B1", "xA yB");
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "a");
    ck_assert_str_eq(start_all(s), "");
    schedule_rest(s, &jobs[0].works['a']);
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[1], 'y');
    ck_assert_str_eq(start_all(s), ""); // A is a's
    schedule_unpause(s, jobs[0].scheduled);
    PUT_BACK(jobs[0], 'a');
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    finish_all(s, &jobs[0], start_all(s));
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(nothing_is_kept_for_a_host_that_waits_for_one_that_rests) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    void *owner;
    uint32_t host;
    script_add(s, &jobs[1], "A1 B1 C1", "wB xAB yB zB vC");
    script_add_resumed(s, &jobs[0], "A1", "aA", "a?");
    schedule_pause(s, jobs[0].scheduled);
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "a");
    ck_assert_str_eq(start_all(s), "wv");
    SUCCEED(jobs[1], 'w');
    ck_assert_str_eq(start_all(s), "y"); // x was overtaken
    SUCCEED(jobs[1], 'v');
    ck_assert(schedule_reserver(s, &owner, &host));
    schedule_rest(s, &jobs[0].works['a']);
    ck_assert(!schedule_reserver(s, &owner, &host));
    SUCCEED(jobs[1], 'y');
    ck_assert(!schedule_reserver(s, &owner, &host));
    ck_assert_str_eq(start_all(s), "z");
    FAIL(jobs[0], 'a');
    ck_assert(schedule_reserver(s, &owner, &host)); // x waits for z alone
    SUCCEED(jobs[1], 'z');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    end_script(s, jobs, 2);
}
END_TEST

// Two places are enough for x, one is not: a lower limit may come with a job, or come back.
START_TEST(nothing_is_kept_where_those_that_rest_fill_a_lower_limit) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    void *owner;
    uint32_t host;
    if (_i == 0) {
        script_add(s, &jobs[2], "A1", "mA nA");
        schedule_pause(s, jobs[2].scheduled);
    }
    script_add(s, &jobs[1], "A2 B1 C1", "wB xAB yB vC");
    script_add_resumed(s, &jobs[0], "A2", "aA bA", "a? b?");
    schedule_pause(s, jobs[0].scheduled);
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "ab");
    schedule_rest(s, &jobs[0].works['a']);
    ck_assert_str_eq(start_all(s), "wv");
    SUCCEED(jobs[1], 'w');
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[1], 'v');
    ck_assert(schedule_reserver(s, &owner, &host)); // x waits for b
    if (_i == 0)
        schedule_unpause(s, jobs[2].scheduled);
    else
        script_add(s, &jobs[2], "A1", "mA nA");
    ck_assert(!schedule_reserver(s, &owner, &host));
    SUCCEED(jobs[0], 'a');
    SUCCEED(jobs[0], 'b');
    SUCCEED(jobs[1], 'y');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    finish_all(s, &jobs[2], start_all(s));
    end_script(s, jobs, 3);
}
END_TEST

// --- halts

START_TEST(a_halt_hands_out_nothing_and_skips_nothing) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    struct schedule_work work;
    script_add(s, &jobs[0], "A1 B1 C1", "aA bA cB dC");
    ck_assert_str_eq(start_all(s), "acd");
    schedule_halt(s);
    script_add(s, &jobs[1], "D1", "xD"); // later ones likewise
    ck_assert_str_eq(start_all(s), "");
    ck_assert(!schedule_next_in(s, jobs[1].scheduled, 0, 'x', &work));
    SUCCEED(jobs[0], 'a');
    PUT_BACK(jobs[0], 'c');
    SUCCEED(jobs[0], 'd');
    ck_assert_str_eq(start_all(s), "");
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_uint_eq(schedule_groups_pending(s), 3);
    ck_assert(!schedule_finished(jobs[0].scheduled));
    for (size_t i = 0; i < COUNT(jobs); i++) {
        schedule_abandon(s, jobs[i].scheduled);
        grouping_deinit(&jobs[i].grouping);
    }
    ck_assert_str_eq(skipped, "");
    end_script(s, NULL, 0);
}
END_TEST

START_TEST(a_halt_leaves_those_in_doubt_to_who_comes_next) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    schedule_halt(s);
    script_add_resumed(s, &job, "A1 B1", "aA bA cB", "a? c?");
    ck_assert_uint_eq(schedule_in_hand(s), 2);
    struct schedule_work work;
    ck_assert(schedule_next_in_doubt(s, job.scheduled, &work));
    schedule_done(s, &work, false);
    schedule_pause(s, job.scheduled);
    schedule_abandon(s, job.scheduled);
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_str_eq(skipped, "");
    grouping_deinit(&job.grouping);
    end_script(s, NULL, 0);
}
END_TEST

START_TEST(what_an_abandoned_job_was_offered_is_the_others) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A1 B1", "aA bAB");
    script_add(s, &jobs[1], "A1 B1", "xA yB");
    schedule_abandon(s, jobs[0].scheduled);
    grouping_deinit(&jobs[0].grouping);
    ck_assert_str_eq(skipped, "");
    ck_assert_uint_eq(schedule_groups_pending(s), 2);
    ck_assert_str_eq(start_all(s), "xy");
    SUCCEED(jobs[1], 'x');
    SUCCEED(jobs[1], 'y');
    end_script(s, &jobs[1], 1);
}
END_TEST

Suite *check_paused(void) {
    Suite *suite = suite_create("paused");
    TCase *cases = tcase_create("cases");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, a_paused_job_hands_out_nothing_until_it_goes_on);
    tcase_add_test(cases, what_a_paused_job_has_in_hand_keeps_its_places_until_its_end);
    tcase_add_test(cases, a_paused_job_takes_no_turns_and_comes_last_when_it_goes_on);
    tcase_add_test(cases, the_limit_of_a_paused_job_holds_while_it_has_hosts_in_hand);
    tcase_add_test(cases, one_that_was_to_go_next_goes_not_when_a_lower_limit_comes_back);
    tcase_add_test(cases, a_paused_job_keeps_no_place_for_anybody);
    tcase_add_test(cases, a_group_of_a_paused_job_stops_all_the_same);
    tcase_add_test(cases, a_paused_job_that_is_cancelled_skips_its_rest);
    tcase_add_test(cases, a_job_that_starts_paused_awaits_those_in_doubt_and_hands_out_nothing);
    tcase_add_test(cases, holds_and_first_hosts_are_as_they_were_when_a_job_goes_on);
    tcase_add_test(cases, a_host_that_rests_keeps_its_places_and_no_worker);
    tcase_add_test(cases, nothing_is_kept_for_a_host_that_waits_for_one_that_rests);
    tcase_add_loop_test(cases, nothing_is_kept_where_those_that_rest_fill_a_lower_limit, 0, 2);
    tcase_add_test(cases, a_halt_hands_out_nothing_and_skips_nothing);
    tcase_add_test(cases, a_halt_leaves_those_in_doubt_to_who_comes_next);
    tcase_add_test(cases, what_an_abandoned_job_was_offered_is_the_others);
    return suite;
}
