// What was heard of jobs: each gap, each event too many, and each word that does not fit is found,
// and nothing else.
#include "scenarios/runner/heard.h"

#include "common/count.h"
#include "tests/unit/support.h"

#include <string.h>

Suite *check_heard(void);

#define JOB(n, state) "job {'id': 'j', 'state': '" state "', 'n': " n "}"
#undef HOST
#define HOST(name, n, kind, state)                                                                 \
    "host {'name': '" name "', 'state': '" state "', 'error': null, 'job': 'j', 'n': " n           \
    ", 'kind': '" kind "'}"

static void take_all(struct heard *h, const char *const *events) {
    for (; *events != NULL; events++) {
        char text[512], *data;
        ck_assert_uint_lt(strlen(*events), sizeof text);
        strcpy(text, *events);
        for (char *c = text; *c != '\0'; c++)
            if (*c == '\'') *c = '"';
        data = strchr(text, ' ');
        *data++ = '\0';
        heard_take(h, text, data);
    }
}

#define EVENTS(...)                                                                                \
    { __VA_ARGS__, NULL }
#define A_RUN                                                                                      \
    JOB("1", "running"), HOST("a", "2", "started", "in_hand"), HOST("a", "3", "intent", "in_hand")
#define A_DONE A_RUN, HOST("a", "4", "outcome", "changed"), JOB("5", "done")

static const char told[] = "[{'id': 'j', 'state': 'done', 'rows': [{'name': 'a', 'state': "
                           "'changed', 'error': null}]}]";

static const struct {
    const char *events[12];
    const char *wrong; // NULL: nothing
} cases[] = {
    {EVENTS(A_DONE), NULL},
    {EVENTS(JOB("1", "running"), HOST("a", "2", "started", "in_hand"),
            HOST("a", "3", "withdrawn", "waiting"), HOST("a", "4", "started", "in_hand"),
            HOST("a", "5", "outcome", "changed"), JOB("6", "done")),
     NULL},
    {EVENTS(A_RUN, JOB("4", "done")), "0 outcomes of a were heard"},
    {EVENTS(JOB("1", "running"), JOB("2", "done")), "0 outcomes of a were heard"},
    {EVENTS(A_RUN, HOST("a", "4", "outcome", "changed")), "is done, and its end was not heard"},
    {EVENTS(JOB("1", "running"), HOST("a", "3", "outcome", "changed"), JOB("4", "done")),
     "job j: event 3 came behind event 1"},
    {EVENTS(A_RUN, HOST("a", "3", "intent", "in_hand"), HOST("a", "4", "outcome", "changed"),
            JOB("5", "done")),
     "job j: event 3 came behind event 3"},
    {EVENTS(HOST("a", "2", "started", "in_hand"), HOST("a", "3", "outcome", "changed"),
            JOB("4", "done")),
     "job j: event 2 came behind event 0"},
    {EVENTS(A_RUN, HOST("a", "4", "outcome", "changed"), HOST("a", "5", "outcome", "changed"),
            JOB("6", "done")),
     "job j: outcome of a came behind its outcome"},
    {EVENTS(A_DONE, JOB("6", "running"), JOB("7", "done")), "job j: event 6 came behind its end"},
    {EVENTS(A_RUN, HOST("a", "4", "outcome", "failed"), JOB("5", "done")),
     "job j: the state of a is told otherwise than it was heard"},
    {EVENTS(A_DONE, "snapshot {'jobs': []}"), "the stream of events began anew"},
    {EVENTS(A_DONE, "job {"), "an event that is no JSON"},
};

START_TEST(what_does_not_fit_is_found) {
    struct heard *h = heard_new(false);
    struct buf differences = {0};
    cJSON *jobs = json_of(told);
    take_all(h, cases[_i].events);
    heard_check(h, jobs, &differences);
    if (cases[_i].wrong == NULL)
        ck_assert_msg(differences.len == 0, "%s", differences.data);
    else
        ck_assert_msg(differences.len > 0 && strstr(differences.data, cases[_i].wrong) != NULL,
                      "%s", differences.len == 0 ? "nothing" : differences.data);
    heard_free(h);
    cJSON_Delete(jobs);
    buf_deinit(&differences);
}
END_TEST

START_TEST(of_what_a_new_process_may_forget_only_what_was_heard_must_fit) {
    static const char *const begun[] =
        EVENTS(A_RUN, "snapshot {'jobs': [{'id': 'j'}]}", HOST("a", "9", "outcome", "failed"),
               JOB("10", "done"));
    static const char *const before[] = EVENTS("snapshot {'jobs': []}");
    static const char *const gap[] = EVENTS(HOST("a", "12", "outcome", "failed"));
    struct heard *h = heard_new(true);
    struct buf differences = {0};
    cJSON *jobs = json_of(told);
    buf_adds(&differences, "");
    heard_check(h, jobs, &differences); // nothing was forgotten yet
    ck_assert(!heard_has_end_of(h, "j"));
    ck_assert_ptr_nonnull(strstr(differences.data, "job j is done, and its end was not heard"));
    buf_clear(&differences);
    take_all(h, before);
    heard_check(h, jobs, &differences); // it was done before
    ck_assert(heard_has_end_of(h, "j"));
    take_all(h, begun);
    heard_check(h, jobs, &differences);
    ck_assert_uint_eq(differences.len, 0);
    take_all(h, gap);
    heard_check(h, jobs, &differences);
    ck_assert_ptr_nonnull(strstr(differences.data, "job j: event 12 came behind event 10"));
    heard_free(h);
    cJSON_Delete(jobs);
    buf_deinit(&differences);
}
END_TEST

#define OBJECT(job, event, host, result)                                                           \
    "{\"time\": \"t\", \"job\": \"" job "\", \"event\": \"" event                                  \
    "\", \"task\": \"x\", \"host\": \"" host "\", \"result\": \"" result "\"}\n"

static const struct {
    const char *state, *log;
    bool fits;
} logs[] = {
    {"changed", "INFO:t:j:starting  host:a\nINFO:t:j:completed host:a:success!!!\n", true},
    {"failed", "ERROR:t:j:completed host:a:no\n", true},
    {"skipped", "WARNING:t:j:skipped   host:a:b\n", true},
    {"changed", "", true}, // it logs elsewhere
    {"changed", "INFO:t:j:starting  host:a\n", false},
    {"changed", "INFO:t:j:completed host:ab:success!!!\n", false},
    {"changed", "INFO:t:k:completed host:a:success!!!\n", false},
    {"changed", "INFO:t:j:completed host:a:yes\nINFO:t:j:completed host:a:yes\n", false},
    {"skipped", "INFO:t:j:completed host:a:success!!!\n", false},
    {"changed", "WARNING:t:j:skipped   host:a:b\n", false},
    {"changed",
     OBJECT("j", "task_instance_started", "a", "x")
         OBJECT("j", "task_instance_completed", "a", "changed"),
     true},
    {"changed", OBJECT("j", "task_instance_completed", "a", "failed"), false},
    {"changed", OBJECT("j", "task_instance_completed", "ab", "changed"), false},
    {"changed", OBJECT("k", "task_instance_completed", "a", "changed"), false},
    {"changed",
     OBJECT("j", "task_instance_completed", "a", "failed")
         OBJECT("j", "task_instance_completed", "b", "changed"),
     false},
    {"changed",
     OBJECT("j", "task_instance_completed", "a", "changed")
         OBJECT("j", "task_instance_completed", "a", "changed"),
     false},
};

START_TEST(the_log_has_a_line_for_each_outcome) {
    struct heard *h = heard_new(false);
    struct buf differences = {0}, event = {0};
    buf_addf(&event, "host {'name': 'a', 'state': '%s', 'job': 'j', 'n': 1, 'kind': 'outcome'}",
             logs[_i].state);
    const char *const events[] = EVENTS(event.data);
    take_all(h, events);
    heard_check_log(h, logs[_i].log, &differences);
    ck_assert_msg((differences.len == 0) == logs[_i].fits, "%s",
                  differences.len == 0 ? "it fits" : differences.data);
    heard_free(h);
    buf_deinit(&event);
    buf_deinit(&differences);
}
END_TEST

START_TEST(the_metrics_count_each_outcome) {
    static const char *const events[] = EVENTS(A_DONE);
    struct heard *h = heard_new(false);
    struct buf differences = {0};
    take_all(h, events);
    heard_check_metrics(h, "orchestrator_hosts_total{result=\"changed\"} 1.0\n", &differences);
    ck_assert_uint_eq(differences.len, 0);
    heard_check_metrics(h, "orchestrator_hosts_total{result=\"changed\"} 2.0\n", &differences);
    ck_assert_ptr_nonnull(strstr(differences.data, "{result=\"changed\"} is 2, and 1 were heard"));
    buf_clear(&differences);
    heard_check_metrics(h,
                        "orchestrator_hosts_total{result=\"changed\"} 1.0\n"
                        "orchestrator_hosts_total{result=\"skipped\"} 1.0\n",
                        &differences);
    ck_assert_ptr_nonnull(strstr(differences.data, "{result=\"skipped\"} is 1, and 0 were heard"));
    heard_free(h);
    buf_deinit(&differences);
}
END_TEST

Suite *check_heard(void) {
    Suite *suite = suite_create("heard");
    TCase *tcase = tcase_create("heard");
    tcase_add_loop_test(tcase, what_does_not_fit_is_found, 0, COUNT(cases));
    tcase_add_test(tcase, of_what_a_new_process_may_forget_only_what_was_heard_must_fit);
    tcase_add_loop_test(tcase, the_log_has_a_line_for_each_outcome, 0, COUNT(logs));
    tcase_add_test(tcase, the_metrics_count_each_outcome);
    suite_add_tcase(suite, tcase);
    return suite;
}
