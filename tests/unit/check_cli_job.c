#include "orchestrator/cli_job.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_cli_job(void);

#define ID "'id': '9df0fe5f-0000-4000-8000-000000000000'"
#define COUNTS                                                                                     \
    "'counts': {'hosts': 10, 'waiting': 1, 'in_hand': 2, 'changed': 3, 'unchanged': 2, "           \
    "'failed': 1, 'skipped': 1}"

static int read_job(const char *text, struct cli_job *job, struct error *err) {
    cJSON *json = json_of(text);
    const int rc = cli_job_read(json, job, err);
    cJSON_Delete(json);
    return rc;
}

START_TEST(a_job_is_read_as_the_service_tells_it) {
    struct cli_job job = {0};
    struct error err;
    const int rc =
        read_job("{" ID ", 'task': 'upgrade_os', 'state': 'running', 'outcome': null, "
                 "'version': '5.3.1', 'created': '2026-03-01T23:59:58.000Z', 'started': "
                 "'2026-03-01T23:59:59.007Z', 'ended': null, 'stopped_by': null, " COUNTS "}",
                 &job, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(job.id, "9df0fe5f-0000-4000-8000-000000000000");
    ck_assert_str_eq(job.task, "upgrade_os");
    ck_assert_str_eq(job.version, "5.3.1");
    ck_assert_ptr_null(job.why);
    ck_assert_int_eq(job.state, JOB_RUNNING);
    ck_assert_uint_eq(job.hosts, 10);
    ck_assert_uint_eq(job.counts[HOST_IN_HAND], 2);
    ck_assert_uint_eq(cli_job_count_over(&job), 7);
    ck_assert_int_eq(job.started_ms, 1772409599007);
    ck_assert_uint_eq(cli_job_took_ms(&job, 1772409600007), 1000);
    ck_assert_uint_eq(cli_job_took_ms(&job, 1772409599000), 0); // another clock
    cli_job_deinit(&job);
}
END_TEST

static const struct {
    const char *fields, *name, *why;
    bool is_well;
} states[] = {
    {"'state': 'waiting', 'waiting_for': 'job a'", "waiting", "job a", false},
    {"'state': 'paused', 'paused_because': 'the policy'", "paused", "the policy", false},
    {"'state': 'paused'", "paused", NULL, false},
    {"'state': 'done', 'outcome': 'stopped', 'stopped_by': {'reason': 'a\\u001b[2J', 'host': "
     "null}",
     "stopped", "a?[2J", false},
    {"'state': 'done', 'outcome': 'failed'", "failed", NULL, false},
};

START_TEST(its_state_has_a_name_and_a_reason) {
    struct cli_job job = {0};
    struct error err;
    char text[512];
    snprintf(text, sizeof text, "{" ID ", %s, " COUNTS "}", states[_i].fields);
    ck_assert_msg(read_job(text, &job, &err) == 0, "%s", err.text);
    ck_assert_str_eq(cli_job_state_name(&job), states[_i].name);
    ck_assert_pstr_eq(job.why, states[_i].why);
    ck_assert(cli_job_is_well(&job) == states[_i].is_well);
    cli_job_deinit(&job);
}
END_TEST

START_TEST(all_is_well_while_nobody_failed_and_it_is_not_ended_early) {
    struct cli_job job = {.state = JOB_RUNNING};
    ck_assert(cli_job_is_well(&job));
    job.state = JOB_DONE;
    job.outcome = JOB_COMPLETED;
    ck_assert(cli_job_is_well(&job));
    job.outcome = JOB_CANCELLED; // of no host, too
    ck_assert(!cli_job_is_well(&job));
    job = (struct cli_job){.state = JOB_RUNNING, .counts[HOST_SKIPPED] = 1};
    ck_assert(!cli_job_is_well(&job));
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"[]", "expected an object"},
    {"{" ID "}", "state"},
    {"{" ID ", 'state': 'resting', " COUNTS "}", "state: 'resting' is not known"},
    {"{" ID ", 'state': 'done', 'outcome': null, " COUNTS "}", "outcome"},
    {"{" ID ", 'state': 'running'}", "counts"},
    {"{" ID ", 'state': 'running', 'counts': {'hosts': -1}}", "counts.hosts"},
    {"{" ID ", 'state': 'running', 'created': 'today', " COUNTS "}", "created: expected a time"},
    {"{'id': 'x', 'state': 'running', " COUNTS "}", "id: expected a UUID"},
};

START_TEST(what_is_no_job_is_an_error_and_changes_nothing) {
    struct cli_job job = {.state = JOB_PAUSED};
    struct error err;
    ck_assert_int_ne(read_job(wrong[_i].text, &job, &err), 0);
    ck_assert_msg(strstr(err.text, wrong[_i].error) != NULL, "%s", err.text);
    ck_assert_int_eq(job.state, JOB_PAUSED);
}
END_TEST

static const struct {
    const char *row, *name, *reason;
    enum host_state state;
} hosts[] = {
    {"{'name': 'a', 'state': 'failed', 'error': 'no\\nspace', 'skipped_because': null}", "a",
     "no?space", HOST_FAILED},
    {"{'name': 'a', 'state': 'skipped', 'error': null, 'skipped_because': 'b'}", "a", "b",
     HOST_SKIPPED},
    {"{'name': 'a\\u009b', 'state': 'changed', 'error': null}", "a?", "", HOST_CHANGED},
    {"{'state': 'changed'}", NULL, NULL, 0},
    {"{'name': 'a', 'state': 'lost'}", NULL, NULL, 0},
    {"{'name': 'a', 'state': 'in_hand', 'started': 5}", NULL, NULL, 0},
    {"[]", NULL, NULL, 0},
};

START_TEST(a_host_is_read_with_why_it_failed_or_was_skipped) {
    struct cli_host host;
    struct error err;
    cJSON *row = json_of(hosts[_i].row);
    const int rc = cli_host_read(row, &host, &err);
    ck_assert_msg((rc == 0) == (hosts[_i].name != NULL), "%d", rc);
    if (rc == 0) {
        ck_assert_str_eq(host.name, hosts[_i].name);
        ck_assert_str_eq(host.reason, hosts[_i].reason);
        ck_assert_int_eq(host.state, hosts[_i].state);
    }
    cJSON_Delete(row);
}
END_TEST

Suite *check_cli_job(void) {
    Suite *suite = suite_create("cli_job");
    TCase *tcase = tcase_create("cli_job");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_job_is_read_as_the_service_tells_it);
    tcase_add_loop_test(tcase, its_state_has_a_name_and_a_reason, 0, COUNT(states));
    tcase_add_test(tcase, all_is_well_while_nobody_failed_and_it_is_not_ended_early);
    tcase_add_loop_test(tcase, what_is_no_job_is_an_error_and_changes_nothing, 0, COUNT(wrong));
    tcase_add_loop_test(tcase, a_host_is_read_with_why_it_failed_or_was_skipped, 0, COUNT(hosts));
    return suite;
}
