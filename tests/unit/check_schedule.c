// The schedule where each host has one group, of which one may be in hand, as in ACME's network, in
// single cases. Random networks: check_schedule_model.c. Hosts under several constraints:
// check_lanes.c. What stops and goes on: check_resumed.c, check_paused.c.
#include "orchestrator/schedule.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_schedule(void);

// A case is a script: each host is a letter, each group a string of them.

struct script_job {
    struct grouping grouping;
    struct constraint groups[8];
    struct cohort cohorts[8];
    uint32_t order[64];
    struct schedule_job *scheduled;
};

static char skipped[64]; // "b<a": b was skipped because of a; "b<-": because of the drain

static void note_skip(void *owner, uint32_t host, uint32_t cause) {
    (void)owner;
    size_t len = strlen(skipped);
    snprintf(skipped + len, sizeof skipped - len, "%c<%c ", (char)host,
             cause == SCHEDULE_NO_HOST ? '-' : (char)cause);
}

// "abc de": two groups, named for their first letter as a capital so that jobs can share them.
static void script_add(struct schedule *s, struct script_job *job, const char *groups) {
    static char keys[26][2];
    *job = (struct script_job){0};
    job->grouping.constraints = job->groups;
    job->grouping.cohorts = job->cohorts;
    job->grouping.order = job->order;
    for (const char *c = groups; *c != '\0'; c++) {
        if (*c == ' ') continue;
        if (c == groups || c[-1] == ' ') {
            keys[*c - 'a'][0] = *c;
            const uint32_t number = (uint32_t)job->grouping.count++;
            job->groups[number] = (struct constraint){.key = keys[*c - 'a'],
                                                      .limit = 1,
                                                      .weight = 1,
                                                      .cohorts = number,
                                                      .cohorts_count = 1,
                                                      .redundancy = true};
            job->cohorts[number] = (struct cohort){(uint32_t)job->grouping.hosts, 0,
                                                   .needs = number, .needs_count = 1};
        }
        job->cohorts[job->grouping.count - 1].count++;
        job->order[job->grouping.hosts++] = (uint32_t)*c;
    }
    job->grouping.cohorts_count = job->grouping.count;
    job->scheduled = schedule_add(s, &job->grouping, job);
}

// Starts all that may start; what was started, as letters. Works are kept by letter of the host.
static struct schedule_work works[3][128]; // by job, of the script's array

static const char *start_all(struct schedule *s, struct script_job *jobs) {
    static char started[64];
    size_t len = 0;
    struct schedule_work work;
    while (schedule_next(s, &work)) {
        started[len++] = (char)work.host;
        schedule_claimed(s, &work);
        works[(struct script_job *)work.owner - jobs][work.host] = work;
    }
    started[len] = '\0';
    return started;
}

static void end_script(struct schedule *s, struct script_job *jobs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ck_assert(schedule_finished(jobs[i].scheduled));
        schedule_remove(s, jobs[i].scheduled);
    }
    schedule_free(s);
}

static struct schedule *begin_script(unsigned workers) {
    skipped[0] = '\0';
    return schedule_new(workers, note_skip);
}

#define SUCCEED(job, host) schedule_done(s, &works[job][host], false)
#define FAIL(job, host)    schedule_done(s, &works[job][host], true)

START_TEST(the_longest_group_goes_first_and_inventory_order_breaks_ties) {
    struct schedule *s = begin_script(4);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "ab cdef gh ijkl m");
    ck_assert_uint_eq(schedule_groups_pending(s), 5);
    ck_assert_str_eq(start_all(s, jobs), "ciag");
    SUCCEED(0, 'g'); // h is the last of its group, m too: h's group stands first
    ck_assert_str_eq(start_all(s, jobs), "h");
    SUCCEED(0, 'c');
    ck_assert_str_eq(start_all(s, jobs), "d");
    static const char rest[] = "hadibjekmfl";
    for (size_t i = 0; rest[i] != '\0'; i++) {
        SUCCEED(0, (unsigned char)rest[i]);
        start_all(s, jobs);
    }
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(a_failure_skips_the_rest_of_its_group_and_nothing_else) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "abcd efg");
    ck_assert_str_eq(start_all(s, jobs), "ae");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    FAIL(0, 'b');
    ck_assert_str_eq(skipped, "c<b d<b ");
    ck_assert_uint_eq(schedule_groups_stopped(s), 1);
    ck_assert_str_eq(start_all(s, jobs), "");
    ck_assert(!schedule_finished(jobs[0].scheduled));
    SUCCEED(0, 'e');
    ck_assert_str_eq(start_all(s, jobs), "f");
    SUCCEED(0, 'f');
    ck_assert_str_eq(start_all(s, jobs), "g");
    FAIL(0, 'g'); // the last of a group has nothing to skip
    ck_assert_str_eq(skipped, "c<b d<b ");
    ck_assert_uint_eq(schedule_groups_stopped(s), 2);
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(jobs_take_turns_on_a_group_in_order_of_arrival) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "abc");
    ck_assert_str_eq(start_all(s, jobs), "a");
    script_add(s, &jobs[1], "ab");
    script_add(s, &jobs[2], "ac");
    ck_assert_str_eq(start_all(s, jobs), "");
    static const struct {
        size_t job;
        unsigned char host;
        const char *next;
        size_t next_job;
    } turns[] = {
        {0, 'a', "a", 1}, {1, 'a', "a", 2}, {2, 'a', "b", 0}, {0, 'b', "b", 1},
        {1, 'b', "c", 2}, {2, 'c', "c", 0}, {0, 'c', "", 0},
    };
    for (size_t i = 0; i < COUNT(turns); i++) {
        SUCCEED(turns[i].job, turns[i].host);
        memset(works, 0, sizeof works);
        const char *started = start_all(s, jobs);
        ck_assert_str_eq(started, turns[i].next);
        if (*started != '\0')
            ck_assert_ptr_eq(works[turns[i].next_job][(unsigned char)*started].owner,
                             &jobs[turns[i].next_job]);
    }
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_failure_in_one_job_leaves_the_same_group_of_another_alone) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab");
    ck_assert_str_eq(start_all(s, jobs), "a");
    FAIL(0, 'a');
    ck_assert_str_eq(skipped, "b<a ");
    ck_assert(schedule_finished(jobs[0].scheduled));
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(1, 'b');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(waiting_for_a_group_holds_no_worker) {
    struct schedule *s = begin_script(2);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab mn");
    ck_assert_str_eq(start_all(s, jobs), "am"); // the second job's a waits, its m does not
    SUCCEED(1, 'm');
    ck_assert_str_eq(start_all(s, jobs), "n");
    SUCCEED(1, 'n');
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(1, 'b');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(the_oldest_job_gets_the_free_worker) {
    struct schedule *s = begin_script(1);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "a b");
    script_add(s, &jobs[1], "pqrs");
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b"); // though p's group is longer
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "p");
    FAIL(1, 'p');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_drain_skips_what_has_not_begun_and_lets_the_rest_finish) {
    struct schedule *s = begin_script(2);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "ab cd e");
    script_add(s, &jobs[1], "ab");
    ck_assert_str_eq(start_all(s, jobs), "ac");
    schedule_drain(s);
    ck_assert_str_eq(skipped, "b<- d<- e<- a<- b<- ");
    ck_assert_uint_eq(schedule_in_hand(s), 2);
    ck_assert_uint_eq(schedule_groups_pending(s), 0);
    ck_assert(schedule_finished(jobs[1].scheduled));
    ck_assert(!schedule_finished(jobs[0].scheduled));
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "");
    skipped[0] = '\0';
    FAIL(0, 'c'); // nothing is left to skip for it
    ck_assert_str_eq(skipped, "");
    script_add(s, &jobs[2], "cd");
    ck_assert_str_eq(skipped, "c<- d<- ");
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_cancelled_job_leaves_its_turns_to_the_others) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab c");
    script_add(s, &jobs[2], "ab");
    ck_assert_str_eq(start_all(s, jobs), "ac");
    schedule_cancel(s, jobs[1].scheduled);
    ck_assert_str_eq(skipped, "a<- b<- "); // c is in hand
    ck_assert(!schedule_finished(jobs[1].scheduled));
    SUCCEED(1, 'c');
    ck_assert(schedule_finished(jobs[1].scheduled));
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a"); // the third job's
    SUCCEED(2, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(2, 'b');
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_host_that_is_put_back_comes_again_after_the_other_jobs_turns) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ac");
    struct schedule_work work;
    ck_assert(schedule_next(s, &work));
    ck_assert_uint_eq(work.host, 'a');
    ck_assert_ptr_eq(work.owner, &jobs[0]);
    ck_assert_uint_eq(schedule_in_hand(s), 1); // while it is being claimed
    schedule_put_back(s, &work);
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_str_eq(start_all(s, jobs), "a");
    schedule_put_back(s, &works[1]['a']); // one that was claimed
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "c");
    SUCCEED(1, 'c');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_group_that_is_held_waits_until_all_have_released_it) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[1];
    schedule_hold(s, "a"); // before any job knows the group
    script_add(s, &jobs[0], "ab c");
    ck_assert_str_eq(start_all(s, jobs), "c");
    schedule_hold(s, "a");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    schedule_hold(s, "a"); // it was ready, and is so no longer
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "a");
    schedule_hold(s, "a"); // what is in hand stays so
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    SUCCEED(0, 'c');
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(a_job_without_hosts_is_finished_at_once) {
    struct schedule *s = begin_script(1);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "");
    ck_assert(schedule_finished(jobs[0].scheduled));
    ck_assert_str_eq(start_all(s, jobs), "");
    end_script(s, jobs, 1);
}
END_TEST

Suite *check_schedule(void) {
    Suite *suite = suite_create("schedule");
    TCase *cases = tcase_create("cases");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, the_longest_group_goes_first_and_inventory_order_breaks_ties);
    tcase_add_test(cases, a_failure_skips_the_rest_of_its_group_and_nothing_else);
    tcase_add_test(cases, jobs_take_turns_on_a_group_in_order_of_arrival);
    tcase_add_test(cases, a_failure_in_one_job_leaves_the_same_group_of_another_alone);
    tcase_add_test(cases, waiting_for_a_group_holds_no_worker);
    tcase_add_test(cases, the_oldest_job_gets_the_free_worker);
    tcase_add_test(cases, a_drain_skips_what_has_not_begun_and_lets_the_rest_finish);
    tcase_add_test(cases, a_cancelled_job_leaves_its_turns_to_the_others);
    tcase_add_test(cases, a_host_that_is_put_back_comes_again_after_the_other_jobs_turns);
    tcase_add_test(cases, a_group_that_is_held_waits_until_all_have_released_it);
    tcase_add_test(cases, a_job_without_hosts_is_finished_at_once);
    return suite;
}
