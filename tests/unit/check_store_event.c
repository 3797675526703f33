#include "orchestrator/store_event.h"
#include "tests/unit/support.h"

Suite *check_store_event(void);

static const struct store_event started = {.kind = STORE_STARTED, .job = 1, .host = 3};
static const struct store_event outcome = {.kind = STORE_OUTCOME,
                                           .job = 1,
                                           .host = 3,
                                           .result = HOST_CHANGED,
                                           .ms = 9,
                                           .version = "5.3.1"};
static const struct store_event done = {.kind = STORE_JOB,
                                        .job = 1,
                                        .host = STORE_NO_HOST,
                                        .state = JOB_DONE,
                                        .outcome = JOB_COMPLETED};

static const char *check_of(struct store_event event) {
    static struct error err;
    return store_event_check(&event, &err) == 0 ? "ok" : err.text;
}

#define SAYS(event, text, change)                                                                  \
    do {                                                                                           \
        struct store_event e = event;                                                              \
        change;                                                                                    \
        ck_assert_str_eq(check_of(e), text);                                                       \
    } while (0)

START_TEST(an_event_has_what_its_kind_has_and_nothing_else) {
    SAYS(started, "ok", );
    SAYS(outcome, "ok", );
    SAYS(done, "ok", );
    SAYS(started, "ok", e.text = "for leaf01.earth");
    SAYS(started, "an event of a kind that is none: 0", e.kind = 0);
    SAYS(started, "an event of a kind that is none: 6", e.kind = 6);
    SAYS(started, "an event of kind 1 without a host", e.host = STORE_NO_HOST);
    SAYS(started, "an event of kind 1 with the state of a job", e.state = JOB_RUNNING);
    SAYS(outcome, "an event of kind 4 with the state of a job", e.outcome = JOB_FAILED);
    SAYS(started, "an event of kind 1 with a result", e.result = HOST_FAILED);
    SAYS(started, "an event of kind 1 with a result", e.ms = 1);
    SAYS(outcome, "an outcome that is none: 0", e.result = HOST_WAITING);
    SAYS(outcome, "an outcome that is none: 1", e.result = HOST_IN_HAND);
    SAYS(outcome, "an outcome that is none: 6", e.result = HOST_STATES);
    SAYS(done, "an event of a job with what is of a host", e.host = 0);
    SAYS(done, "an event of a job with what is of a host", e.attempt = 1);
    SAYS(done, "an event of a job with what is of a host", e.version = "5.3.1");
    SAYS(done, "a job in a state that is none: 0", e.state = 0);
    SAYS(done, "a job in a state that is none: 6", e.state = 6);
    SAYS(done, "a job in state 5 with outcome 0", e.outcome = JOB_NO_OUTCOME);
    SAYS(done, "a job in state 2 with outcome 1", e.state = JOB_RUNNING);
    SAYS(done, "a job in state 5 with outcome 5", e.outcome = 5);
}
END_TEST

START_TEST(the_row_of_a_job_is_checked_likewise) {
    const struct store_job good = {.id = "i",
                                   .task = "t",
                                   .request = "{}",
                                   .hosts = 3,
                                   .results = {[HOST_CHANGED] = 1, [HOST_FAILED] = 2},
                                   .state = JOB_RUNNING};
    struct error err;
    ck_assert_int_eq(store_job_check(&good, &err), 0);
    static const uint64_t wrong[][HOST_STATES] = {{[HOST_CHANGED] = 4},
                                                  {[HOST_CHANGED] = 2, [HOST_SKIPPED] = 2},
                                                  {[HOST_CHANGED] = UINT64_MAX, [HOST_FAILED] = 1},
                                                  {[HOST_WAITING] = 1},
                                                  {[HOST_IN_HAND] = 1}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct store_job job = good;
        memcpy(job.results, wrong[i], sizeof job.results);
        ck_assert_int_ne(store_job_check(&job, &err), 0);
        ck_assert_msg(strstr(err.text, "results of 3 hosts") != NULL, "%s", err.text);
    }
    struct store_job job = good;
    job.request = NULL;
    ck_assert_int_ne(store_job_check(&job, &err), 0);
    job = good;
    job.state = 0;
    ck_assert_int_ne(store_job_check(&job, &err), 0);
    job = good;
    job.hosts = STORE_NO_HOST;
    ck_assert_int_ne(store_job_check(&job, &err), 0);
}
END_TEST

START_TEST(only_intents_wait_for_a_job_that_runs) {
    for (int state = JOB_WAITING; state <= JOB_DONE; state++) {
        const struct store_job job = {.state = (enum job_state)state};
        struct store_event event = started;
        for (int kind = STORE_STARTED; kind <= STORE_JOB; kind++) {
            event.kind = (enum store_kind)kind;
            ck_assert_int_eq(store_job_may_take(&job, &event),
                             kind != STORE_INTENT || state == JOB_RUNNING);
        }
    }
}
END_TEST

Suite *check_store_event(void) {
    Suite *suite = suite_create("store_event");
    TCase *tcase = tcase_create("store_event");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, an_event_has_what_its_kind_has_and_nothing_else);
    tcase_add_test(tcase, the_row_of_a_job_is_checked_likewise);
    tcase_add_test(tcase, only_intents_wait_for_a_job_that_runs);
    return suite;
}
