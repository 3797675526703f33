#include "orchestrator/job.h"
#include "tests/unit/applied.h"

#include <stdio.h>

Suite *check_job(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "1") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf", "1") ", " HOST("e", "edge", "1") "}}";

static struct job *job_of(const char *hosts) { // as letters
    struct inventory *inventory = inventory_of(network);
    struct selection selection = {.hosts = mem_array(strlen(hosts), sizeof(uint32_t))};
    for (; hosts[selection.count] != '\0'; selection.count++)
        selection.hosts[selection.count] = (uint32_t)(hosts[selection.count] - 'a');
    struct task_args args = {.version = "5.3.1"};
    struct grouping grouping = acme_groups(inventory, &selection);
    return job_new("id", &task_upgrade_os, &args, NULL, inventory, &selection, &grouping);
}

static void apply(struct job *job, struct store_event event) {
    struct error err;
    ck_assert_msg(job_apply(job, &event, &err) == 0, "%s", err.text);
}

static void start(struct job *job, char host) {
    apply(job, (struct store_event){.kind = STORE_STARTED,
                                    .host = job_place(job, (uint32_t)(host - 'a')),
                                    .wall_ms = 1000});
}

// In hand, then its result.
static void tell(struct job *job, char host, enum host_state result) {
    if (result != HOST_SKIPPED) start(job, host);
    apply(job, (struct store_event){.kind = STORE_OUTCOME,
                                    .host = job_place(job, (uint32_t)(host - 'a')),
                                    .result = result,
                                    .text = "why"});
}

static void reads(const struct job *job, const char *expected) {
    size_t len = 0;
    char *json = job_report_json(job, &len), *quoted = double_quoted(expected);
    ck_assert_str_eq(json, quoted);
    ck_assert_uint_eq(len, strlen(json));
    free(json);
    free(quoted);
}

START_TEST(hosts_are_reported_by_result_in_inventory_order) {
    struct job *job = job_of("abcde");
    tell(job, 'e', HOST_CHANGED);
    tell(job, 'd', HOST_SKIPPED);
    tell(job, 'c', HOST_FAILED);
    tell(job, 'b', HOST_UNCHANGED);
    tell(job, 'a', HOST_FAILED);
    reads(job, "{'failed': ['a', 'c'], 'skipped': ['d'], 'completed': ['b', 'e']}\n");
    job_free(job);
}
END_TEST

START_TEST(hosts_not_selected_and_those_without_a_result_are_in_no_list) {
    struct job *job = job_of("bd");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    start(job, 'b');
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    tell(job, 'd', HOST_CHANGED);
    reads(job, "{'failed': [], 'skipped': [], 'completed': ['d']}\n");
    job_free(job);
}
END_TEST

START_TEST(hosts_are_counted_by_their_state) {
    struct job *job = job_of("abde");
    ck_assert_uint_eq(job->counts[HOST_WAITING], 4);
    start(job, 'd');
    ck_assert_int_eq(job_host(job, 3)->state, HOST_IN_HAND);
    ck_assert_int_eq(job_host(job, 4)->state, HOST_WAITING);
    ck_assert_uint_eq(job->counts[HOST_WAITING], 3);
    ck_assert_uint_eq(job->counts[HOST_IN_HAND], 1);
    apply(job, (struct store_event){.kind = STORE_WITHDRAWN, .host = 1 + 1}); // put back
    ck_assert_uint_eq(job->counts[HOST_WAITING], 4);
    tell(job, 'd', HOST_FAILED);
    tell(job, 'e', HOST_SKIPPED);
    ck_assert_uint_eq(job->counts[HOST_WAITING], 2);
    ck_assert_uint_eq(job->counts[HOST_IN_HAND], 0);
    ck_assert_uint_eq(job->counts[HOST_FAILED], 1);
    ck_assert_uint_eq(job->counts[HOST_SKIPPED], 1);
    job_free(job);
}
END_TEST

START_TEST(a_job_without_hosts_reports_empty_lists) {
    struct job *job = job_of("");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    job_free(job);
}
END_TEST

// A history of one host, a letter an event; then the event that may not follow.
//
//   s started, i intent, j second intent, w withdrawn, v withdrawn of one that may have been sent,
//   c changed, u unchanged, f failed, k skipped
static struct store_event event_of(char letter) {
    switch (letter) {
    case 's':
        return (struct store_event){.kind = STORE_STARTED, .wall_ms = 1000};
    case 'i':
        return (struct store_event){.kind = STORE_INTENT, .attempt = 1, .version = "5.2.1"};
    case 'j':
        return (struct store_event){.kind = STORE_INTENT, .attempt = 2, .version = "5.2.1"};
    case 'h':
        return (struct store_event){.kind = STORE_INTENT, .attempt = 3};
    case 'w':
        return (struct store_event){.kind = STORE_WITHDRAWN};
    case 'v':
        return (struct store_event){.kind = STORE_WITHDRAWN, .attempt = 1};
    case 'c':
        return (struct store_event){
            .kind = STORE_OUTCOME, .result = HOST_CHANGED, .version = "5.3.1", .ms = 70};
    case 'u':
        return (struct store_event){
            .kind = STORE_OUTCOME, .result = HOST_UNCHANGED, .version = "5.3.1"};
    case 'f':
        return (struct store_event){.kind = STORE_OUTCOME, .result = HOST_FAILED, .text = "why"};
    case 'k':
        return (struct store_event){.kind = STORE_OUTCOME, .result = HOST_SKIPPED, .text = "why"};
    default:
        return (struct store_event){.kind = STORE_OUTCOME, .result = HOST_IN_HAND};
    }
}

static struct job *after(const char *history) {
    struct job *job = job_of("a");
    for (; *history != '\0'; history++)
        apply(job, event_of(*history));
    return job;
}

static const struct {
    const char *history;
    char next;
} impossible[] = {
    {"sc", 'c'}, {"sf", 'c'}, {"k", 's'},   {"", 'c'},     {"", 'f'},
    {"k", 'w'},  {"su", 's'}, {"", 'w'},    {"", 'u'},     {"sis", 0},
    {"s", 'h'},  {"s", '?'},  {"sic", 'i'}, {"swsc", 's'}, {"siwk", 'f'},
};

START_TEST(a_result_is_final_and_nothing_comes_out_of_turn) {
    char history[8];
    snprintf(history, sizeof history, "%s", impossible[_i].history);
    char next = impossible[_i].next;
    if (next == 0) { // the last of the history is what may not follow
        next = history[strlen(history) - 1];
        history[strlen(history) - 1] = '\0';
    }
    struct job *job = after(history);
    const struct job_host before = *job_host(job, 0);
    const struct store_event event = event_of(next);
    struct error err;
    ck_assert_int_eq(job_apply(job, &event, &err), ERROR_INPUT);
    ck_assert(strstr(err.text, "may not follow") != NULL);
    ck_assert_int_eq(job_host(job, 0)->state, before.state);
    ck_assert_uint_eq(job_host(job, 0)->attempt, before.attempt);
    job_free(job);
}
END_TEST

START_TEST(an_event_of_a_host_that_is_not_there_is_refused) {
    struct job *job = job_of("ab");
    struct error err;
    ck_assert_int_eq(job_apply(job, &(struct store_event){.kind = STORE_STARTED, .host = 2}, &err),
                     ERROR_INPUT);
    ck_assert_str_eq(err.text, "event 0 is of host 2, of 2");
    job_free(job);
}
END_TEST

// What the next process makes of a host, after the last event that was kept of it.
static const struct {
    const char *history;
    enum host_state state;
    unsigned attempt;
    bool is_in_doubt;
} left[] = {
    {"", HOST_WAITING, 0, false},       {"s", HOST_WAITING, 0, false},
    {"si", HOST_IN_HAND, 1, true},      {"siw", HOST_WAITING, 0, false},
    {"siws", HOST_WAITING, 0, false},   {"siwsi", HOST_IN_HAND, 1, true},
    {"siv", HOST_WAITING, 1, false},    {"sivs", HOST_WAITING, 1, false},
    {"sivsj", HOST_IN_HAND, 2, true},   {"sivsjv", HOST_WAITING, 1, false},
    {"ss", HOST_WAITING, 0, false},     {"sic", HOST_CHANGED, 1, false},
    {"su", HOST_UNCHANGED, 0, false},   {"sif", HOST_FAILED, 1, false},
    {"k", HOST_SKIPPED, 0, false},      {"sk", HOST_SKIPPED, 0, false},
    {"sivsjc", HOST_CHANGED, 2, false},
};

START_TEST(a_host_is_what_its_last_event_says) {
    struct job *job = after(left[_i].history);
    job_settle(job);
    const struct job_host *h = job_host(job, 0);
    ck_assert_int_eq(h->state, left[_i].state);
    ck_assert_uint_eq(h->attempt, left[_i].attempt);
    ck_assert_int_eq(h->is_in_doubt, left[_i].is_in_doubt);
    ck_assert_uint_eq(job->counts[left[_i].state], 1);
    ck_assert_uint_eq(job->in_doubt, left[_i].is_in_doubt);
    if (job->in_doubt > 0) apply(job, event_of(_i % 2 == 0 ? 'v' : 'c'));
    ck_assert_uint_eq(job->in_doubt, 0);
    job_free(job);
}
END_TEST

START_TEST(installs_outcomes_and_the_jobs_own_changes_bring_it_on_and_nothing_else) {
    static const struct {
        struct store_event event;
        long long progress_ms;
    } story[] = {
        {{.kind = STORE_JOB, .state = JOB_RUNNING, .wall_ms = 100}, 100},
        {{.kind = STORE_STARTED, .wall_ms = 200}, 100}, // it may be put back, again and again
        {{.kind = STORE_WITHDRAWN, .wall_ms = 300}, 100},
        {{.kind = STORE_STARTED, .wall_ms = 400}, 100},
        {{.kind = STORE_INTENT, .attempt = 1, .wall_ms = 500}, 500},
        {{.kind = STORE_OUTCOME, .result = HOST_CHANGED, .wall_ms = 600}, 600},
        {{.kind = STORE_OUTCOME, .host = 1, .result = HOST_SKIPPED, .wall_ms = 700}, 700},
        {{.kind = STORE_JOB, .state = JOB_DONE, .wall_ms = 800}, 800},
    };
    struct job *job = job_of("ab");
    ck_assert_int_eq(job->progress_ms, 0);
    for (size_t i = 0; i < COUNT(story); i++) {
        apply(job, story[i].event);
        ck_assert_int_eq(job->progress_ms, story[i].progress_ms);
    }
    job_free(job);
}
END_TEST

static void runs(const struct job *job, const char *from, const char *to) {
    const struct job_host *h = job_host(job, 0);
    const char *was = job_version(job, h->from), *is = job_version(job, h->to);
    ck_assert_str_eq(was == NULL ? "-" : was, from);
    ck_assert_str_eq(is == NULL ? "-" : is, to);
}

START_TEST(versions_are_those_before_the_job_and_since) {
    static const struct {
        const char *history, *from, *to;
    } cases[] = {{"", "-", "-"},
                 {"s", "-", "-"},
                 {"si", "5.2.1", "-"},
                 {"sic", "5.2.1", "5.3.1"},
                 {"su", "5.3.1", "5.3.1"},
                 {"sf", "-", "-"},
                 {"sivsjc", "5.2.1", "5.3.1"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct job *job = after(cases[i].history);
        runs(job, cases[i].from, cases[i].to);
        job_free(job);
    }
}
END_TEST

START_TEST(a_host_tells_when_it_began_how_long_it_took_and_why_it_failed) {
    struct job *job = after("sic");
    ck_assert_int_eq(job_host(job, 0)->started_ms, 1000);
    ck_assert_uint_eq(job_host(job, 0)->duration_ms, 70);
    ck_assert_ptr_null(job_host(job, 0)->text);
    job_free(job);
    job = after("sf");
    ck_assert_str_eq(job_host(job, 0)->text, "why");
    job_free(job);
}
END_TEST

static struct store_event of_job(enum job_state state, const char *why, long long wall_ms) {
    return (struct store_event){.kind = STORE_JOB,
                                .host = STORE_NO_HOST,
                                .state = state,
                                .outcome = state == JOB_DONE ? JOB_FAILED : JOB_NO_OUTCOME,
                                .text = why,
                                .wall_ms = wall_ms};
}

START_TEST(a_job_waits_runs_pauses_goes_on_and_ends_once) {
    struct job *job = job_of("a");
    struct error err;
    ck_assert_int_eq(job->state, JOB_WAITING);
    apply(job, of_job(JOB_WAITING, "for another", 1));
    ck_assert_str_eq(job->why, "for another");
    apply(job, of_job(JOB_RUNNING, NULL, 2));
    ck_assert_ptr_null(job->why);
    apply(job, of_job(JOB_PAUSED, "it was told to", 3));
    ck_assert_str_eq(job->why, "it was told to");
    apply(job, of_job(JOB_RUNNING, NULL, 4));
    ck_assert_int_eq(job->started_ms, 2);
    apply(job, of_job(JOB_DONE, NULL, 5));
    ck_assert_int_eq(job->ended_ms, 5);
    ck_assert_int_eq(job->outcome, JOB_FAILED);
    const struct store_event again = of_job(JOB_RUNNING, NULL, 6);
    ck_assert_int_eq(job_apply(job, &again, &err), ERROR_INPUT);
    ck_assert_int_eq(job->state, JOB_DONE);
    job_free(job);
}
END_TEST

Suite *check_job(void) {
    Suite *suite = suite_create("job");
    TCase *tcase = tcase_create("job");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, hosts_are_reported_by_result_in_inventory_order);
    tcase_add_test(tcase, hosts_not_selected_and_those_without_a_result_are_in_no_list);
    tcase_add_test(tcase, hosts_are_counted_by_their_state);
    tcase_add_test(tcase, a_job_without_hosts_reports_empty_lists);
    tcase_add_loop_test(tcase, a_result_is_final_and_nothing_comes_out_of_turn, 0,
                        (int)COUNT(impossible));
    tcase_add_test(tcase, an_event_of_a_host_that_is_not_there_is_refused);
    tcase_add_loop_test(tcase, a_host_is_what_its_last_event_says, 0, (int)COUNT(left));
    tcase_add_test(tcase, installs_outcomes_and_the_jobs_own_changes_bring_it_on_and_nothing_else);
    tcase_add_test(tcase, versions_are_those_before_the_job_and_since);
    tcase_add_test(tcase, a_host_tells_when_it_began_how_long_it_took_and_why_it_failed);
    tcase_add_test(tcase, a_job_waits_runs_pauses_goes_on_and_ends_once);
    return suite;
}
