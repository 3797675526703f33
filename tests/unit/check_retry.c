#include "orchestrator/canaries.h"
#include "orchestrator/retry.h"
#include "tests/unit/job_images.h"

Suite *check_retry(void);

static const char network[] = "{'earth': {" HOST("a", "spine", "1") ", " HOST(
    "b", "spine", "2") ", " HOST("c", "leaf", "1") ", " HOST("d", "leaf", "1") "}}";

// a is changed, b has failed, c is skipped, d is unchanged.
static struct job *job_of(const char *request, const char *const *canaries, size_t count) {
    static const enum host_state results[] = {HOST_CHANGED, HOST_FAILED, HOST_SKIPPED,
                                              HOST_UNCHANGED};
    struct made m = make(network, "", NULL);
    const struct task_args args = {.version = "5.3.1"};
    char *quoted = double_quoted(request);
    struct job *job = job_new("8e03978e-40d5-43dd-bc93-6894a57f9324", &task_upgrade_os, &args,
                              quoted, m.inventory, &m.selection, &m.grouping);
    struct error err;
    free(quoted);
    for (size_t i = 0; i < count; i++)
        for (size_t h = 0; h < job->selection.count; h++)
            job->hosts[h].is_canary |= strcmp(job->inventory->hosts[h].name, canaries[i]) == 0;
    for (uint32_t h = 0; h < COUNT(results); h++) {
        const struct store_event started = {.kind = STORE_STARTED, .host = h, .wall_ms = 1};
        const struct store_event ended = {
            .kind = STORE_OUTCOME, .host = h, .result = results[h], .text = "so"};
        ck_assert_int_eq(job_apply(job, &started, &err), 0);
        ck_assert_int_eq(job_apply(job, &ended, &err), 0);
    }
    return job;
}

static void end(struct job *job) {
    struct error err;
    const struct store_event done = {.kind = STORE_JOB,
                                     .host = STORE_NO_HOST,
                                     .state = JOB_DONE,
                                     .outcome = JOB_FAILED,
                                     .wall_ms = 2};
    ck_assert_int_eq(job_apply(job, &done, &err), 0);
}

static void assert_request(const struct job *job, unsigned states, const char *expected) {
    struct error err;
    int status;
    cJSON *request = retry_request(job, states, &status, &err);
    ck_assert_msg(request != NULL, "%s", err.text);
    cJSON *wanted = json_of(expected);
    char *text = cJSON_PrintUnformatted(request);
    ck_assert_msg(cJSON_Compare(request, wanted, true), "%s, not %s", text, expected);
    cJSON_free(text);
    cJSON_Delete(wanted);
    cJSON_Delete(request);
}

START_TEST(only_what_was_left_is_asked_for_and_all_else_stays) {
    struct job *job = job_of("{'version': '5.3.1', 'filter_sites': ['earth'], 'expect_hosts': 4, "
                             "'max_failures': 3, 'workers': 2}",
                             NULL, 0);
    end(job);
    assert_request(job, 1U << HOST_FAILED | 1U << HOST_SKIPPED,
                   "{'version': '5.3.1', 'max_failures': 3, 'workers': 2, 'filter_hosts': ['b', "
                   "'c']}");
    assert_request(job, 1U << HOST_FAILED,
                   "{'version': '5.3.1', 'max_failures': 3, 'workers': 2, 'filter_hosts': ['b']}");
    job_free(job);
}
END_TEST

START_TEST(canaries_stay_where_they_are_among_the_hosts) {
    static const char *const marked[] = {"a", "b"};
    struct job *job = job_of("{'version': '5.3.1', 'canaries': ['a', '[b]']}", marked, 2);
    end(job);
    assert_request(job, 1U << HOST_FAILED,
                   "{'version': '5.3.1', 'canaries': ['[b]'], 'filter_hosts': ['b']}");
    assert_request(job, 1U << HOST_SKIPPED, "{'version': '5.3.1', 'filter_hosts': ['c']}");
    job_free(job);
    job = job_of("{'version': '5.3.1', 'canaries': 2}", marked, 2);
    end(job);
    assert_request(job, 1U << HOST_SKIPPED,
                   "{'version': '5.3.1', 'canaries': 2, 'filter_hosts': ['c']}");
    job_free(job);
}
END_TEST

START_TEST(there_is_nothing_to_do_again_while_the_job_runs_or_where_all_went_well) {
    struct job *job = job_of("{'version': '5.3.1'}", NULL, 0);
    struct error err;
    int status = 0;
    ck_assert_ptr_null(retry_request(job, 1U << HOST_FAILED, &status, &err));
    ck_assert_int_eq(status, 409);
    ck_assert_ptr_nonnull(strstr(err.text, "not done"));
    end(job);
    ck_assert_ptr_null(retry_request(job, 0, &status, &err));
    ck_assert_int_eq(status, 409);
    job_free(job);
}
END_TEST

START_TEST(a_body_says_which_states_and_nothing_else) {
    static const struct {
        const char *body;
        unsigned states; // 0: refused
        const char *text;
    } cases[] = {
        {"{}", 1U << HOST_FAILED | 1U << HOST_SKIPPED, ""},
        {"{'states': ['failed']}", 1U << HOST_FAILED, ""},
        {"{'states': ['skipped', 'failed']}", 1U << HOST_FAILED | 1U << HOST_SKIPPED, ""},
        {"{'states': []}", 0, "states: expected an array of failed and skipped"},
        {"{'states': 'failed'}", 0, "states: expected an array"},
        {"{'states': null}", 0, "states: expected an array"},
        {"{'states': ['failed', 'changed']}", 0, "states[1]: 'changed' is none"},
        {"{'states': [1]}", 0, "states[0]: expected a string"},
        {"{'state': ['failed']}", 0, "did you mean states?"},
        {"[]", 0, "the body: expected an object"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cJSON *body = json_of(cases[i].body);
        struct error err = {0};
        unsigned states = 0;
        int rc = retry_parse_states(body, &states, &err);
        ck_assert_msg((rc == 0) == (cases[i].states != 0), "%s", cases[i].body);
        if (rc == 0)
            ck_assert_uint_eq(states, cases[i].states);
        else
            ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", cases[i].body,
                          err.text);
        cJSON_Delete(body);
    }
}
END_TEST

Suite *check_retry(void) {
    Suite *suite = suite_create("retry");
    TCase *tcase = tcase_create("retry");
    tcase_add_test(tcase, only_what_was_left_is_asked_for_and_all_else_stays);
    tcase_add_test(tcase, canaries_stay_where_they_are_among_the_hosts);
    tcase_add_test(tcase, there_is_nothing_to_do_again_while_the_job_runs_or_where_all_went_well);
    tcase_add_test(tcase, a_body_says_which_states_and_nothing_else);
    suite_add_tcase(suite, tcase);
    return suite;
}
