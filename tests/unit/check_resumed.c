// Jobs that had begun before, in single cases. Random ones: check_schedule_model.c, check_offers.c.
#include "tests/unit/lanes_script.h"

Suite *check_resumed(void);

START_TEST(only_what_waits_is_handed_out_and_in_order) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A1 B1", "aA bA cA dA eB fB", "b+ d+ e+");
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_uint_eq(schedule_groups_pending(s), 2);
    ck_assert_str_eq(get_doubts(s, &job), "");
    ck_assert_str_eq(start_all(s), "af");
    PUT_BACK(job, 'a');
    ck_assert_str_eq(start_all(s), "a");
    finish_all(s, &job, "af");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_job_of_which_nothing_is_left_is_finished_at_once) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A1 B2", "aA bA cB", "a+ b+ c-");
    ck_assert(schedule_finished(job.scheduled));
    ck_assert_str_eq(skipped, "");
    ck_assert_str_eq(start_all(s), "");
    schedule_pause(s, job.scheduled);
    schedule_unpause(s, job.scheduled);
    schedule_cancel(s, job.scheduled);
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_host_in_doubt_holds_its_places_and_a_worker_from_the_start) {
    struct schedule *s = begin_script(2);
    struct script_job jobs[2];
    script_add_resumed(s, &jobs[0], "A1 B1", "aA bA cB", "b?");
    ck_assert_uint_eq(schedule_in_hand(s), 1);
    script_add(s, &jobs[1], "A1 C1", "xA yC");
    ck_assert_str_eq(start_all(s), "c"); // A is b's, and one worker is
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "b");
    ck_assert_str_eq(jobs[0].works['b'].group, "A");
    ck_assert_ptr_eq(jobs[0].works['b'].cohort, &jobs[0].grouping.cohorts[0]);
    ck_assert_str_eq(get_doubts(s, &jobs[0]), ""); // once
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "x"); // its job's turn was first
    SUCCEED(jobs[1], 'x');
    ck_assert_str_eq(start_all(s), "a");
    SUCCEED(jobs[0], 'c');
    ck_assert_str_eq(start_all(s), "y");
    SUCCEED(jobs[0], 'a');
    SUCCEED(jobs[1], 'y');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(what_was_offered_to_another_job_is_not_once_a_host_in_doubt_has_it) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[1], "A1", "xA");
    script_add_resumed(s, &jobs[0], "A1", "aA", "a?");
    ck_assert_str_eq(start_all(s), "");
    ck_assert_str_eq(get_doubts(s, &jobs[0]), "a");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(more_may_be_in_doubt_than_there_are_workers_and_places) {
    struct schedule *s = begin_script(2);
    struct script_job job;
    struct schedule_work work;
    script_add_resumed(s, &job, "A2 B1", "aA bA cA dA eB fA", "a? b? c? d?");
    ck_assert_uint_eq(schedule_in_hand(s), 4);
    ck_assert_str_eq(get_doubts(s, &job), "abcd");
    ck_assert_str_eq(start_all(s), "");
    ck_assert(!schedule_next_in(s, job.scheduled, 1, 'e', &work));
    SUCCEED(job, 'a');
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), ""); // two are in hand yet
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "f"); // the group with the most left, and it has one place
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(job, 'e');
    SUCCEED(job, 'f');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(one_in_doubt_that_is_put_back_stands_in_its_place_again) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A1", "aA bA cA dA eA", "a+ d? e+ b?");
    ck_assert_str_eq(get_doubts(s, &job), "bd");
    PUT_BACK(job, 'd');
    ck_assert_uint_eq(schedule_in_hand(s), 1);
    ck_assert_str_eq(start_all(s), "");
    PUT_BACK(job, 'b');
    ck_assert_str_eq(start_all(s), "b");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "c");
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "d"); // attempt two
    SUCCEED(job, 'd');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_group_that_had_stopped_skips_its_rest_for_the_last_that_failed) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A2 B2 t1", "aA bA cAt dA eB fBt gB hA", "c- a- h+ e-");
    ck_assert_str_eq(skipped, "b<c d<c "); // one failure is not enough for B, and t only counts
    ck_assert_uint_eq(schedule_groups_pending(s), 1);
    ck_assert_str_eq(start_all(s), "fg");
    FAIL(job, 'f'); // with the one before
    ck_assert_str_eq(skipped, "b<c d<c ");
    SUCCEED(job, 'g');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(failures_before_and_since_are_counted_together) {
    struct schedule *s = begin_script(1);
    struct script_job job;
    script_add_resumed(s, &job, "A2", "aA bA cA dA eA", "e-");
    ck_assert_str_eq(start_all(s), "a");
    FAIL(job, 'a');
    ck_assert_str_eq(skipped, "b<a c<a d<a ");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(one_in_doubt_whose_group_has_stopped_is_skipped_where_it_is_put_back) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A1", "aA bA cA dA", "a- b? c?");
    ck_assert_str_eq(skipped, "d<a ");
    ck_assert_str_eq(get_doubts(s, &job), "bc");
    FAIL(job, 'b'); // a is the reason for good
    PUT_BACK(job, 'c');
    ck_assert_str_eq(skipped, "d<a c<a ");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(those_that_go_first_and_have_begun_before_hold_up_nobody) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A3", "aA bA cA! dA!", "c+ d?");
    ck_assert_str_eq(start_all(s), "ab");
    ck_assert_str_eq(get_doubts(s, &job), "d");
    PUT_BACK(job, 'b');
    PUT_BACK(job, 'd'); // it is to go first again
    PUT_BACK(job, 'a');
    ck_assert_str_eq(start_all(s), "dab");
    SUCCEED(job, 'd');
    SUCCEED(job, 'a');
    SUCCEED(job, 'b');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_job_that_is_cancelled_awaits_those_in_doubt) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add_resumed(s, &job, "A2", "aA bA cA", "a? b?");
    schedule_cancel(s, job.scheduled);
    ck_assert_str_eq(skipped, "c<- ");
    ck_assert(!schedule_finished(job.scheduled));
    ck_assert_str_eq(get_doubts(s, &job), "ab");
    SUCCEED(job, 'a');
    PUT_BACK(job, 'b');
    ck_assert_str_eq(skipped, "c<- b<- ");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_job_that_is_taken_up_while_the_schedule_drains_awaits_those_in_doubt) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    schedule_drain(s);
    script_add_resumed(s, &job, "A2 B1", "aA bA cA dB eB", "a? d-");
    ck_assert_str_eq(skipped, "e<d b<- c<- ");
    ck_assert_str_eq(get_doubts(s, &job), "a");
    SUCCEED(job, 'a');
    end_script(s, &job, 1);
}
END_TEST

Suite *check_resumed(void) {
    Suite *suite = suite_create("resumed");
    TCase *cases = tcase_create("cases");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, only_what_waits_is_handed_out_and_in_order);
    tcase_add_test(cases, a_job_of_which_nothing_is_left_is_finished_at_once);
    tcase_add_test(cases, a_host_in_doubt_holds_its_places_and_a_worker_from_the_start);
    tcase_add_test(cases, what_was_offered_to_another_job_is_not_once_a_host_in_doubt_has_it);
    tcase_add_test(cases, more_may_be_in_doubt_than_there_are_workers_and_places);
    tcase_add_test(cases, one_in_doubt_that_is_put_back_stands_in_its_place_again);
    tcase_add_test(cases, a_group_that_had_stopped_skips_its_rest_for_the_last_that_failed);
    tcase_add_test(cases, failures_before_and_since_are_counted_together);
    tcase_add_test(cases, one_in_doubt_whose_group_has_stopped_is_skipped_where_it_is_put_back);
    tcase_add_test(cases, those_that_go_first_and_have_begun_before_hold_up_nobody);
    tcase_add_test(cases, a_job_that_is_cancelled_awaits_those_in_doubt);
    tcase_add_test(cases, a_job_that_is_taken_up_while_the_schedule_drains_awaits_those_in_doubt);
    return suite;
}
