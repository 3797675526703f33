// Hosts under several constraints, in single cases. Random networks: check_offers.c.
#include "tests/unit/lanes_script.h"

Suite *check_lanes(void);

START_TEST(as_many_of_a_group_are_in_hand_as_it_allows) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A2", "aA bA cA dA");
    ck_assert_str_eq(start_all(s), "ab");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "c");
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "d");
    finish_all(s, &job, "cd");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_group_stops_after_as_many_failures_as_it_allows) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A2 B1", "aA bA cAB dB eA fA");
    ck_assert_str_eq(start_all(s), "abd");
    FAIL(job, 'a');
    ck_assert_str_eq(skipped, "");
    ck_assert_str_eq(start_all(s), "e"); // d has c's other group
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "");
    FAIL(job, 'b');
    ck_assert_str_eq(skipped, "c<b f<b "); // of all that are left, in order
    PUT_BACK(job, 'e');                    // what is pending again is skipped, too
    ck_assert_str_eq(skipped, "c<b f<b e<b ");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_throttle_counts_and_skips_nobody) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1 C1 t1", "aAt bBt cCt");
    ck_assert_uint_eq(schedule_groups_pending(s), 3);
    ck_assert_str_eq(start_all(s), "a");
    FAIL(job, 'a');
    ck_assert_str_eq(skipped, "");
    ck_assert_str_eq(start_all(s), "b");
    ck_assert_uint_eq(schedule_groups_pending(s), 1);
    SUCCEED(job, 'b');
    finish_all(s, &job, start_all(s));
    end_script(s, &job, 1);
}
END_TEST

START_TEST(who_is_held_back_elsewhere_is_overtaken) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1", "aA bB cAB dB eA fA");
    ck_assert_str_eq(start_all(s), "ab");
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "e"); // c waits for B
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "d"); // and now for A
    SUCCEED(job, 'e');
    ck_assert_str_eq(start_all(s), ""); // A is kept for it, and not for f
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "c");
    finish_all(s, &job, "c");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(who_has_waited_longest_is_overtaken_no_more) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    void *owner;
    uint32_t host;
    script_add(s, &job, "A1 B1 C1", "aA bB cC dAB eBC fA gA hB iB jC");
    ck_assert_str_eq(start_all(s), "bac");
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "j"); // e was overtaken
    SUCCEED(job, 'a');
    ck_assert(schedule_reserver(s, &owner, &host));
    ck_assert_ptr_eq(owner, &job);
    ck_assert_uint_eq(host, 'e');
    ck_assert_str_eq(start_all(s), "f");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), ""); // B is kept, though A and B have hosts that wait
    SUCCEED(job, 'f');
    ck_assert_str_eq(start_all(s), "g");
    SUCCEED(job, 'j');
    ck_assert_str_eq(start_all(s), "e"); // before d, which waits for A: now d was overtaken
    ck_assert(!schedule_reserver(s, &owner, &host));
    SUCCEED(job, 'e');
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(job, 'g');
    ck_assert_str_eq(start_all(s), "d");
    finish_all(s, &job, "d");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(of_two_that_were_overtaken_the_first_is_overtaken_no_more) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    void *owner;
    uint32_t host;
    script_add(s, &job, "A1 B1 C1", "aA bB cC dAC eBC fA gB hC");
    ck_assert_str_eq(start_all(s), "cab");
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "h"); // before d, which waits for A, and e, which waits for B
    SUCCEED(job, 'a');
    ck_assert(schedule_reserver(s, &owner, &host));
    ck_assert_uint_eq(host, 'd');
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "g");
    SUCCEED(job, 'h');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(job, 'g');
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "fe");
    finish_all(s, &job, "fe");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(nothing_is_kept_while_a_group_is_held_from_outside) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1", "aA bB cAB dA eB fB");
    ck_assert_str_eq(start_all(s), "ba");
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(job, 'e');
    ck_assert_str_eq(start_all(s), ""); // B is kept for c
    schedule_hold(s, "A");
    ck_assert_str_eq(start_all(s), "f");
    SUCCEED(job, 'd');
    SUCCEED(job, 'f');
    ck_assert_str_eq(start_all(s), "");
    schedule_release(s, "A");
    ck_assert_str_eq(start_all(s), "c");
    finish_all(s, &job, "c");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(those_that_go_first_have_all_started_before_the_others) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A3 B1", "aB bA cA dA! eA!B");
    ck_assert_str_eq(start_all(s), "ad"); // e waits for B, and nobody overtakes it
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "ebc");
    SUCCEED(job, 'b');
    PUT_BACK(job, 'e');
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(job, 'e');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(who_goes_first_and_is_put_back_goes_first_again) {
    struct schedule *s = begin_script(1);
    struct script_job job;
    script_add(s, &job, "A3", "bA cA dA! eA!");
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "e");
    PUT_BACK(job, 'e');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(job, 'e');
    ck_assert_str_eq(start_all(s), "b");
    SUCCEED(job, 'b');
    finish_all(s, &job, start_all(s));
    end_script(s, &job, 1);
}
END_TEST

START_TEST(one_that_goes_first_and_is_skipped_holds_up_nobody) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1", "aB bA cA!B");
    ck_assert_str_eq(start_all(s), "a");
    FAIL(job, 'a');
    ck_assert_str_eq(skipped, "c<a ");
    ck_assert_str_eq(start_all(s), "b");
    SUCCEED(job, 'b');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(of_a_host_in_several_groups_the_largest_counts) {
    struct schedule *s = begin_script(1);
    struct script_job job;
    script_add(s, &job, "A1 B1 C1", "aA bA cBC dC eC fB");
    ck_assert_str_eq(start_all(s), "c"); // of C three are left
    finish_all(s, &job, "c");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_group_needs_as_many_rounds_as_its_limit_makes) {
    struct schedule *s = begin_script(1);
    struct script_job job;
    script_add(s, &job, "A2 B1 C1", "aA bA cA dB eB fB gC");
    ck_assert_str_eq(start_all(s), "d"); // three rounds; of A there are two
    SUCCEED(job, 'd');
    ck_assert_str_eq(start_all(s), "a"); // two of each, and A stands first
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "e"); // now one of A
    finish_all(s, &job, "e");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(behind_a_throttle_the_longest_group_goes_first) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    script_add(s, &job, "A1 B1 C1 t2", "aAt bAt cBt dBt eBt fBt gCt hCt");
    ck_assert_str_eq(start_all(s), "ca");
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "d"); // B still has the most left
    SUCCEED(job, 'a');
    ck_assert_str_eq(start_all(s), "g");
    SUCCEED(job, 'g');
    ck_assert_str_eq(start_all(s), "b"); // one of A and of C
    finish_all(s, &job, "db");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(one_that_can_go_only_now_goes_before_the_later_ones_of_its_group) {
    struct schedule *s = begin_script(2);
    struct script_job job;
    script_add(s, &job, "A2 B1 C1", "aB bAB cA dA eC");
    ck_assert_str_eq(start_all(s), "ac"); // b waits for B; c is offered A
    SUCCEED(job, 'c');
    ck_assert_str_eq(start_all(s), "d");
    PUT_BACK(job, 'd'); // which has A again
    SUCCEED(job, 'a');  // and b could go
    ck_assert_str_eq(start_all(s), "bd");
    finish_all(s, &job, "bd");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(the_least_limit_of_the_jobs_that_are_there_holds) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A3", "aA bA cA dA eA");
    ck_assert_str_eq(start_all(s), "abc");
    script_add(s, &jobs[1], "A1", "xA");
    SUCCEED(jobs[0], 'a');
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "");
    SUCCEED(jobs[0], 'c');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'x');
    ck_assert_str_eq(start_all(s), "de"); // it is gone, and its limit
    finish_all(s, &jobs[0], "de");
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(jobs_take_turns_on_every_place_of_a_group) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A2", "aA bA cA dA");
    ck_assert_str_eq(start_all(s), "ab");
    script_add(s, &jobs[1], "A2", "vA wA xA yA");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "v");
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "w"); // b was the last of the first job's turn
    SUCCEED(jobs[1], 'v');
    ck_assert_str_eq(start_all(s), "c");
    SUCCEED(jobs[1], 'w');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(jobs[0], 'c');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[0], 'd');
    finish_all(s, &jobs[1], "x");
    while (!schedule_finished(jobs[1].scheduled)) {
        ck_assert_str_eq(start_all(s), "y");
        SUCCEED(jobs[1], 'y');
    }
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(jobs_take_turns_where_several_places_come_free) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A2", "aA bA cA dA");
    ck_assert_str_eq(start_all(s), "ab");
    script_add(s, &jobs[1], "A2", "wA xA");
    schedule_hold(s, "A");
    SUCCEED(jobs[0], 'a');
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "");
    schedule_release(s, "A");
    ck_assert_str_eq(start_all(s), "wc");
    SUCCEED(jobs[0], 'c');
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[1], 'w');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(jobs[0], 'd');
    SUCCEED(jobs[1], 'x');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(what_stands_for_a_host_is_its_smallest_group) {
    struct schedule *s = begin_script(1);
    struct schedule_work work;
    struct script_job job;
    uint32_t host[] = {'a'}, ends[] = {3}, needs[] = {0, 2, 1};
    const struct selection selection = {host, 1};
    job.grouping = (struct grouping){
        .constraints = script_constraints("A1 B1 t1", &job.grouping.count), .count = 3};
    job.grouping.constraints[0].members = 40;
    job.grouping.constraints[1].members = 2;
    job.grouping.constraints[2].members = 1;
    grouping_build(&job.grouping, &selection, ends, needs);
    job.scheduled = schedule_add(s, &job.grouping, &job);
    ck_assert(schedule_next(s, &work));
    ck_assert_str_eq(work.group, "B");
    schedule_claimed(s, &work);
    schedule_done(s, &work, false);
    end_script(s, &job, 1);
}
END_TEST

START_TEST(hosts_that_are_put_back_stand_in_inventory_order_again) {
    struct schedule *s = begin_script(3);
    struct script_job job;
    script_add(s, &job, "A3", "aA bA cA dA eA");
    ck_assert_str_eq(start_all(s), "abc");
    PUT_BACK(job, 'c');
    PUT_BACK(job, 'a');
    ck_assert_str_eq(start_all(s), "ac");
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "d");
    PUT_BACK(job, 'a');
    PUT_BACK(job, 'c');
    PUT_BACK(job, 'd');
    ck_assert_str_eq(start_all(s), "acd");
    finish_all(s, &job, "acd");
    end_script(s, &job, 1);
}
END_TEST

START_TEST(a_job_that_is_cancelled_keeps_no_place_for_anybody) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "A1 B1", "aA bB cAB dA eB");
    ck_assert_str_eq(start_all(s), "ab");
    SUCCEED(jobs[0], 'a');
    ck_assert_str_eq(start_all(s), "d");
    SUCCEED(jobs[0], 'b');
    ck_assert_str_eq(start_all(s), "e");
    SUCCEED(jobs[0], 'e');
    script_add(s, &jobs[1], "A1 B1", "xB");
    ck_assert_str_eq(start_all(s), ""); // B is kept for c
    schedule_cancel(s, jobs[0].scheduled);
    ck_assert_str_eq(skipped, "c<- ");
    ck_assert_str_eq(start_all(s), "x");
    SUCCEED(jobs[0], 'd');
    SUCCEED(jobs[1], 'x');
    end_script(s, jobs, 2);
}
END_TEST

static bool next_in(struct schedule *s, struct script_job *job, char like, char host,
                    struct schedule_work *work) {
    const struct grouping *grouping = &job->grouping;
    uint32_t cohort = 0;
    while (grouping->order[grouping->cohorts[cohort].first] != (uint32_t)like)
        cohort++;
    if (!schedule_next_in(s, job->scheduled, cohort, (uint32_t)host, work)) return false;
    ck_assert_ptr_eq(work->owner, job);
    schedule_claimed(s, work);
    job->works[work->host] = *work;
    return true;
}

START_TEST(one_host_may_be_asked_for_whichever_would_go_before_it) {
    struct schedule *s = begin_script(2);
    struct script_job job;
    struct schedule_work work;
    script_add(s, &job, "A1 B1 C1", "aA bA cB dC");
    ck_assert(!next_in(s, &job, 'a', 'b', &work)); // it is not the next there
    ck_assert(next_in(s, &job, 'c', 'c', &work));
    ck_assert_uint_eq(work.host, 'c');
    ck_assert(!next_in(s, &job, 'c', 'c', &work)); // none is left
    ck_assert(next_in(s, &job, 'a', 'a', &work));
    ck_assert_uint_eq(schedule_in_hand(s), 2);
    ck_assert(!next_in(s, &job, 'd', 'd', &work)); // all workers are busy
    SUCCEED(job, 'c');
    ck_assert(!next_in(s, &job, 'a', 'b', &work)); // its group is in hand
    SUCCEED(job, 'a');
    ck_assert(next_in(s, &job, 'a', 'b', &work));
    schedule_drain(s);
    ck_assert_str_eq(skipped, "d<- ");
    ck_assert(!next_in(s, &job, 'd', 'd', &work));
    SUCCEED(job, 'b');
    end_script(s, &job, 1);
}
END_TEST

START_TEST(one_that_was_put_back_goes_before_the_one_that_is_asked_for) {
    struct schedule *s = begin_script(10);
    struct script_job job;
    struct schedule_work work;
    script_add(s, &job, "A2 B1", "aA bAB cA");
    ck_assert(next_in(s, &job, 'a', 'a', &work));
    PUT_BACK(job, 'a');
    ck_assert(next_in(s, &job, 'b', 'b', &work));
    ck_assert_uint_eq(work.host, 'a');
    ck_assert(next_in(s, &job, 'b', 'b', &work));
    ck_assert_uint_eq(work.host, 'b');
    SUCCEED(job, 'a');
    SUCCEED(job, 'b');
    ck_assert_str_eq(start_all(s), "c");
    SUCCEED(job, 'c');
    end_script(s, &job, 1);
}
END_TEST

Suite *check_lanes(void) {
    Suite *suite = suite_create("lanes");
    TCase *cases = tcase_create("cases");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, as_many_of_a_group_are_in_hand_as_it_allows);
    tcase_add_test(cases, a_group_stops_after_as_many_failures_as_it_allows);
    tcase_add_test(cases, a_throttle_counts_and_skips_nobody);
    tcase_add_test(cases, who_is_held_back_elsewhere_is_overtaken);
    tcase_add_test(cases, who_has_waited_longest_is_overtaken_no_more);
    tcase_add_test(cases, of_two_that_were_overtaken_the_first_is_overtaken_no_more);
    tcase_add_test(cases, nothing_is_kept_while_a_group_is_held_from_outside);
    tcase_add_test(cases, those_that_go_first_have_all_started_before_the_others);
    tcase_add_test(cases, who_goes_first_and_is_put_back_goes_first_again);
    tcase_add_test(cases, one_that_goes_first_and_is_skipped_holds_up_nobody);
    tcase_add_test(cases, of_a_host_in_several_groups_the_largest_counts);
    tcase_add_test(cases, a_group_needs_as_many_rounds_as_its_limit_makes);
    tcase_add_test(cases, behind_a_throttle_the_longest_group_goes_first);
    tcase_add_test(cases, one_that_can_go_only_now_goes_before_the_later_ones_of_its_group);
    tcase_add_test(cases, the_least_limit_of_the_jobs_that_are_there_holds);
    tcase_add_test(cases, jobs_take_turns_on_every_place_of_a_group);
    tcase_add_test(cases, jobs_take_turns_where_several_places_come_free);
    tcase_add_test(cases, what_stands_for_a_host_is_its_smallest_group);
    tcase_add_test(cases, hosts_that_are_put_back_stand_in_inventory_order_again);
    tcase_add_test(cases, a_job_that_is_cancelled_keeps_no_place_for_anybody);
    tcase_add_test(cases, one_host_may_be_asked_for_whichever_would_go_before_it);
    tcase_add_test(cases, one_that_was_put_back_goes_before_the_one_that_is_asked_for);
    return suite;
}
