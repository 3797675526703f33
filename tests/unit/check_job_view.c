#include "orchestrator/job_view.h"
#include "tests/unit/job_images.h"

Suite *check_job_view(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "2") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf",
                                    "1") "}, 'mars': {" HOST("e", "leaf",
                                                             "1") ", "
                                                                  "'f': {'platform': 'panos'}}}";

static struct job *job_of(const char *policy, const char *chosen, const char *request) {
    struct made m = make(network, policy, chosen);
    const struct task_args args = {.version = "5.3.1"};
    char *quoted = double_quoted(request);
    struct job *job = job_new("8e03978e-40d5-43dd-bc93-6894a57f9324", &task_upgrade_os, &args,
                              quoted, m.inventory, &m.selection, &m.grouping);
    job->created_ms = 1591734190001;
    free(quoted);
    return job;
}

static struct job *acme_job(const char *chosen) {
    return job_of("{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}", chosen,
                  "{'version': '5.3.1'}");
}

static void tell(struct job *job, struct store_event event) {
    struct error err;
    int rc = job_apply(job, &event, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void starts(struct job *job, uint32_t place, long long wall_ms) {
    tell(job, (struct store_event){.kind = STORE_STARTED, .host = place, .wall_ms = wall_ms});
}

static void intends(struct job *job, uint32_t place) {
    tell(job, (struct store_event){
                  .kind = STORE_INTENT, .host = place, .attempt = 1, .version = "5.2.1"});
}

static void ends(struct job *job, uint32_t place, enum host_state result, const char *version,
                 const char *text) {
    tell(job, (struct store_event){.kind = STORE_OUTCOME,
                                   .host = place,
                                   .result = result,
                                   .ms = 1500,
                                   .version = version,
                                   .text = text});
}

static void enters(struct job *job, enum job_state state, enum job_outcome outcome,
                   const char *why) {
    tell(job, (struct store_event){.kind = STORE_JOB,
                                   .host = STORE_NO_HOST,
                                   .state = state,
                                   .outcome = outcome,
                                   .wall_ms = state == JOB_DONE ? 1591734200999 : 1591734190050,
                                   .text = why});
}

static void same_text(struct buf *out, const char *expected) {
    char *quoted = double_quoted(expected);
    struct error err;
    cJSON *json = NULL;
    ck_assert_str_eq(out->data, quoted);
    int rc = json_parse(out->data, out->len, &json, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    cJSON_Delete(json);
    buf_deinit(out);
    free(quoted);
}

// --- a job

static void reads(const struct job *job, const char *expected) {
    struct buf out = {0};
    job_view_write(&out, job);
    same_text(&out, expected);
}

#define OBJECT(state, outcome, started, ended, counts, rest)                                       \
    "{'id': '8e03978e-40d5-43dd-bc93-6894a57f9324', 'task': 'upgrade_os', 'state': '" state        \
    "', 'outcome': " outcome ", 'request': {'version':'5.3.1'}, 'created': "                       \
    "'2020-06-09T20:23:10.001Z', 'started': " started ", 'ended': " ended ", 'counts': {'hosts': " \
    "4, " counts "}, " rest "}"
#define FRESH      "'waiting': 4, 'in_hand': 0, 'changed': 0, 'unchanged': 0, 'failed': 0, 'skipped': 0"
#define BEGUN      "'2020-06-09T20:23:10.050Z'"
#define PLAIN_REST "'stopped_by': null, 'version': '5.3.1'"

START_TEST(a_job_is_told_with_all_its_keys_in_order) {
    struct job *job = acme_job("a b c d");
    reads(job,
          OBJECT("waiting", "null", "null", "null", FRESH, PLAIN_REST ", 'waiting_for': null"));
    enters(job, JOB_WAITING, JOB_NO_OUTCOME, "job 7");
    reads(job,
          OBJECT("waiting", "null", "null", "null", FRESH, PLAIN_REST ", 'waiting_for': 'job 7'"));
    enters(job, JOB_RUNNING, JOB_NO_OUTCOME, NULL);
    reads(job, OBJECT("running", "null", BEGUN, "null", FRESH, PLAIN_REST));
    enters(job, JOB_PAUSED, JOB_NO_OUTCOME, NULL);
    reads(job, OBJECT("paused", "null", BEGUN, "null", FRESH, PLAIN_REST));
    enters(job, JOB_PAUSED, JOB_NO_OUTCOME, "the policy has changed");
    reads(job, OBJECT("paused", "null", BEGUN, "null", FRESH,
                      PLAIN_REST ", 'paused_because': 'the policy has changed'"));
    enters(job, JOB_RUNNING, JOB_NO_OUTCOME, NULL);
    starts(job, 0, 1);
    intends(job, 0);
    ends(job, 0, HOST_CHANGED, "5.3.1", NULL);
    starts(job, 1, 1);
    ends(job, 1, HOST_UNCHANGED, "5.3.1", NULL);
    starts(job, 2, 1);
    reads(job, OBJECT("running", "null", BEGUN, "null",
                      "'waiting': 1, 'in_hand': 1, 'changed': 1, 'unchanged': 1, 'failed': 0, "
                      "'skipped': 0",
                      PLAIN_REST));
    ends(job, 2, HOST_FAILED, NULL, "login: no answer");
    ends(job, 3, HOST_SKIPPED, NULL, "c");
    enters(job, JOB_CANCELLING, JOB_NO_OUTCOME, NULL);
    enters(job, JOB_DONE, JOB_CANCELLED, NULL);
    reads(job, OBJECT("done", "'cancelled'", BEGUN, "'2020-06-09T20:23:20.999Z'",
                      "'waiting': 0, 'in_hand': 0, 'changed': 1, 'unchanged': 1, 'failed': 1, "
                      "'skipped': 1",
                      PLAIN_REST));
    job_free(job);
}
END_TEST

START_TEST(each_outcome_has_its_word) {
    static const char *const words[] = {NULL, "'completed'", "'failed'", "'cancelled'"};
    for (int outcome = JOB_COMPLETED; outcome <= JOB_CANCELLED; outcome++) {
        struct job *job = acme_job("a");
        struct buf out = {0};
        char *word = double_quoted(words[outcome]);
        enters(job, JOB_DONE, (enum job_outcome)outcome, NULL);
        job_view_write(&out, job);
        ck_assert_msg(strstr(out.data, word) != NULL, "%s", out.data);
        buf_deinit(&out);
        free(word);
        job_free(job);
    }
}
END_TEST

START_TEST(a_job_that_a_brake_has_stopped_says_why) {
    struct job *job = acme_job("a b c d");
    struct buf out = {0}, why = {0};
    job_stop_write(&why, "more than 5 \"failures\"", "b");
    enters(job, JOB_CANCELLING, JOB_STOPPED, why.data);
    job_view_write(&out, job);
    ck_assert_ptr_nonnull(strstr(out.data, "\"state\": \"cancelling\", \"outcome\": null, "));
    buf_clear(&out);
    enters(job, JOB_DONE, JOB_STOPPED, why.data);
    job_view_write(&out, job);
    ck_assert_ptr_nonnull(strstr(out.data, "\"outcome\": \"stopped\", "));
    ck_assert_ptr_nonnull(
        strstr(out.data, "\"stopped_by\": {\"reason\":\"more than 5 \\\"failures\\\"\",\"host\":"
                         "\"b\"}, "));
    buf_deinit(&why);
    buf_deinit(&out);
    job_free(job);
}
END_TEST

// An event of a stream is one line.
START_TEST(the_request_is_told_as_it_was_but_on_one_line) {
    struct job *job = job_of("{redundancy: [{group: \"{site}\"}]}", "a",
                             "\n{ 'version' :\t'5.3.1',\r\n 'filter_hosts': ['a b', '\\\\', "
                             "'x\\\" y',  'leaf[0-1 ]*' ] }\n");
    struct buf out = {0};
    job_view_write(&out, job);
    char *expected = double_quoted(
        "'request': {'version':'5.3.1','filter_hosts':['a b','\\\\','x\\\" y','leaf[0-1 ]*']}, ");
    ck_assert_msg(strstr(out.data, expected) != NULL, "%s", out.data);
    free(expected);
    buf_deinit(&out);
    job_free(job);
}
END_TEST

// --- a row

static struct store_job row(void) {
    return (struct store_job){.number = 7,
                              .id = "8e03978e-40d5-43dd-bc93-6894a57f9324",
                              .task = "upgrade_os",
                              .request = "{ \"version\": \"5.3.1\" }",
                              .hosts = 4,
                              .state = JOB_WAITING,
                              .created_ms = 1591734190001};
}

static void row_reads(const struct store_job *row, const char *expected) {
    struct buf out = {0};
    job_view_write_row(&out, row);
    same_text(&out, expected);
}

START_TEST(a_row_is_told_as_the_job_is) {
    struct store_job job = row();
    row_reads(&job,
              OBJECT("waiting", "null", "null", "null", FRESH, PLAIN_REST ", 'waiting_for': null"));
    job.state = JOB_PAUSED;
    job.text = "the policy has changed";
    job.started_ms = 1591734190050;
    job.results[HOST_CHANGED] = 1;
    job.results[HOST_UNCHANGED] = 2;
    row_reads(&job, OBJECT("paused", "null", BEGUN, "null",
                           "'waiting': 1, 'in_hand': 0, 'changed': 1, 'unchanged': 2, 'failed': "
                           "0, 'skipped': 0",
                           PLAIN_REST ", 'paused_because': 'the policy has changed'"));
    job.state = JOB_DONE;
    job.outcome = JOB_FAILED;
    job.text = NULL;
    job.ended_ms = 1591734200999;
    job.results[HOST_SKIPPED] = 1;
    row_reads(&job, OBJECT("done", "'failed'", BEGUN, "'2020-06-09T20:23:20.999Z'",
                           "'waiting': 0, 'in_hand': 0, 'changed': 1, 'unchanged': 2, 'failed': "
                           "0, 'skipped': 1",
                           PLAIN_REST));
}
END_TEST

START_TEST(a_row_that_is_spoilt_is_told_as_far_as_it_can_be) {
    struct store_job job = row();
    job.request = "{\"version\": ";
    job.task = NULL;
    job.created_ms = -1;
    job.ended_ms = INT64_MIN;
    job.results[HOST_CHANGED] = UINT64_MAX;
    row_reads(&job, "{'id': '8e03978e-40d5-43dd-bc93-6894a57f9324', 'task': null, 'state': "
                    "'waiting', 'outcome': null, 'request': null, 'created': null, 'started': "
                    "null, 'ended': null, 'counts': {'hosts': 4, 'waiting': 0, 'in_hand': 0, "
                    "'changed': 18446744073709551615, 'unchanged': 0, 'failed': 0, 'skipped': 0}, "
                    "'stopped_by': null, 'version': null, 'waiting_for': null}");
    job = row();
    job.request = "{\"version\": 5, \"x\": 1e400}";
    job.state = (enum job_state)77;
    job.outcome = (enum job_outcome)77;
    row_reads(&job, "{'id': '8e03978e-40d5-43dd-bc93-6894a57f9324', 'task': 'upgrade_os', 'state': "
                    "null, 'outcome': null, 'request': {'version':5,'x':1e400}, 'created': "
                    "'2020-06-09T20:23:10.001Z', 'started': null, 'ended': null, 'counts': "
                    "{'hosts': 4, " FRESH "}, 'stopped_by': null, 'version': null}");
    job = row();
    job.request = NULL;
    struct buf out = {0};
    job_view_write_row(&out, &job);
    ck_assert_ptr_nonnull(strstr(out.data, "\"request\": null, "));
    buf_deinit(&out);
}
END_TEST

// --- hosts

static void page_reads(const struct job *job, const char *state, const char *after,
                       const char *limit, const char *expected) {
    struct job_page page;
    struct error err;
    struct buf out = {0};
    int rc = job_page_parse(job, state, after, limit, &page, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    job_view_write_hosts(&out, job, &page);
    same_text(&out, expected);
}

#define ROW(name, site, type, group, rest)                                                         \
    "{'name': '" name "', 'site': '" site "', 'dev_type': '" type "', 'groups': ['" group          \
    "'], " rest "}"
#define UNTOUCHED(state)                                                                           \
    "'state': '" state "', 'started': null, 'duration_ms': null, 'from_version': null, "           \
    "'to_version': null, 'error': null, 'skipped_because': null, 'in_doubt': false"

START_TEST(a_host_is_told_from_its_start_to_its_result) {
    struct job *job = acme_job("a e");
#define E          ROW("e", "mars", "leaf", "mars_leaf", UNTOUCHED("waiting"))
#define A_IS(rest) "{'hosts': [" ROW("a", "earth", "spine", "earth_spine", rest) ", " E "]}"
    page_reads(job, NULL, NULL, NULL, A_IS(UNTOUCHED("waiting")));
    starts(job, 0, 1591734190123);
#define STARTED "'started': '2020-06-09T20:23:10.123Z', "
    page_reads(job, NULL, NULL, NULL,
               A_IS("'state': 'in_hand', " STARTED
                    "'duration_ms': null, 'from_version': null, 'to_version': null, 'error': null, "
                    "'skipped_because': null, 'in_doubt': false"));
    intends(job, 0);
    page_reads(job, NULL, NULL, NULL,
               A_IS("'state': 'in_hand', " STARTED
                    "'duration_ms': null, 'from_version': '5.2.1', 'to_version': null, 'error': "
                    "null, 'skipped_because': null, 'in_doubt': false"));
    job->hosts[0].is_in_doubt = true;
    page_reads(job, NULL, NULL, NULL,
               A_IS("'state': 'in_hand', " STARTED
                    "'duration_ms': null, 'from_version': '5.2.1', 'to_version': null, 'error': "
                    "null, 'skipped_because': null, 'in_doubt': true"));
    ends(job, 0, HOST_CHANGED, "5.3.1", NULL);
    page_reads(job, NULL, NULL, NULL,
               A_IS("'state': 'changed', " STARTED
                    "'duration_ms': 1500, 'from_version': '5.2.1', 'to_version': '5.3.1', 'error': "
                    "null, 'skipped_because': null, 'in_doubt': false"));
    job_free(job);
}
END_TEST

START_TEST(a_host_that_is_put_back_is_as_if_it_had_not_started) {
    struct job *job = acme_job("a e");
    starts(job, 0, 1591734190123);
    tell(job, (struct store_event){.kind = STORE_WITHDRAWN, .host = 0});
    page_reads(job, NULL, NULL, "1",
               "{'hosts': [" ROW("a", "earth", "spine", "earth_spine", UNTOUCHED("waiting")) "]}");
    job_free(job);
}
END_TEST

#define UNFOUND "'from_version': null, 'to_version': null, "
#define FAILED                                                                                     \
    "'state': 'failed', " STARTED "'duration_ms': 1500, " UNFOUND                                  \
    "'error': 'login: \\\"no\\\" answer', 'skipped_because': null, 'in_doubt': false"
#define SKIPPED_UNSTARTED                                                                          \
    "'state': 'skipped', 'started': null, 'duration_ms': null, " UNFOUND                           \
    "'error': null, 'skipped_because': 'a', 'in_doubt': false"
#define SKIPPED_IN_HAND                                                                            \
    "'state': 'skipped', " STARTED "'duration_ms': 1500, 'from_version': '5.2.1', "                \
    "'to_version': null, 'error': null, 'skipped_because': 'peer d is not up', 'in_doubt': false"

START_TEST(why_a_host_failed_or_was_skipped_is_told) {
    struct job *job = acme_job("a b e");
    starts(job, 0, 1591734190123);
    ends(job, 0, HOST_FAILED, NULL, "login: \"no\" answer");
    ends(job, 1, HOST_SKIPPED, NULL, "a");
    starts(job, 2, 1591734190123);
    ends(job, 2, HOST_SKIPPED, "5.2.1", "peer d is not up");
    page_reads(job, "failed", NULL, NULL,
               "{'hosts': [" ROW("a", "earth", "spine", "earth_spine", FAILED) "]}");
    page_reads(job, "skipped", NULL, "1",
               "{'hosts': [" ROW("b", "earth", "spine", "earth_spine", SKIPPED_UNSTARTED) "]}");
    page_reads(job, NULL, "b", NULL,
               "{'hosts': [" ROW("e", "mars", "leaf", "mars_leaf", SKIPPED_IN_HAND) "]}");
    job_free(job);
}
END_TEST

START_TEST(what_a_host_of_another_platform_has_not_is_null) {
    struct job *job = acme_job("f");
    page_reads(
        job, NULL, NULL, NULL,
        "{'hosts': [{'name': 'f', 'site': 'mars', 'dev_type': null, 'groups': [], " UNTOUCHED(
            "waiting") "}]}");
    job_free(job);
}
END_TEST

static void names_read(const struct job *job, const char *state, const char *after,
                       const char *limit, const char *expected) {
    struct job_page page;
    struct error err;
    struct buf out = {0}, names = {0};
    int rc = job_page_parse(job, state, after, limit, &page, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    job_view_write_hosts(&out, job, &page);
    cJSON *json = NULL;
    const cJSON *host;
    ck_assert_int_eq(json_parse(out.data, out.len, &json, &err), 0);
    buf_adds(&names, "");
    cJSON_ArrayForEach(host, cJSON_GetObjectItem(json, "hosts"))
        buf_adds(&names, cJSON_GetStringValue(cJSON_GetObjectItem(host, "name")));
    ck_assert_str_eq(names.data, expected);
    cJSON_Delete(json);
    buf_deinit(&out);
    buf_deinit(&names);
}

START_TEST(a_page_has_the_hosts_that_are_asked_for) {
    struct job *job = acme_job("a b c d e");
    starts(job, 1, 1);
    starts(job, 4, 1);
    names_read(job, NULL, NULL, NULL, "abcde");
    names_read(job, NULL, NULL, "2", "ab");
    names_read(job, NULL, "b", "2", "cd");
    names_read(job, NULL, "b", "1000", "cde");
    names_read(job, NULL, "e", NULL, "");
    names_read(job, "in_hand", NULL, NULL, "be");
    names_read(job, "in_hand", NULL, "1", "b");
    names_read(job, "in_hand", "a", NULL, "be");
    names_read(job, "in_hand", "b", NULL, "e");
    names_read(job, "waiting", "b", "1", "c");
    names_read(job, "failed", NULL, NULL, "");
    job_free(job);
}
END_TEST

START_TEST(a_page_has_a_hundred_hosts_unless_another_limit_is_given) {
    struct buf text = {0};
    buf_adds(&text, "{'earth': {");
    for (int i = 0; i < 101; i++)
        buf_addf(&text, "%s" PLAIN("h%03d", "leaf", ", 'rack': '%d'"), i == 0 ? "" : ", ", i, i);
    buf_adds(&text, "}}");
    struct made m = make(text.data, "", NULL);
    const struct task_args args = {.version = "5.3.1"};
    struct job *job =
        job_new("id", &task_upgrade_os, &args, NULL, m.inventory, &m.selection, &m.grouping);
    struct job_page page;
    struct error err;
    struct buf out = {0};
    ck_assert_int_eq(job_page_parse(job, NULL, NULL, NULL, &page, &err), 0);
    job_view_write_hosts(&out, job, &page);
    ck_assert_ptr_nonnull(strstr(out.data, "\"h099\""));
    ck_assert_ptr_null(strstr(out.data, "\"h100\""));
    buf_deinit(&out);
    buf_deinit(&text);
    job_free(job);
}
END_TEST

// Whatever order they came to the schedule in, and throttles are no groups.
START_TEST(groups_stand_in_the_order_of_the_rules) {
    struct job *job = job_of("{ungrouped: allow, redundancy: [{group: \"{dev_type}\", match: "
                             "{dev_type: leaf}}, {group: \"{rack}\"}], throttle: [{group: all, "
                             "at_once: 9}]}",
                             "a c e f", "{}");
    struct job_page page;
    struct error err;
    struct buf out = {0};
    ck_assert_int_eq(job_page_parse(job, NULL, NULL, NULL, &page, &err), 0);
    job_view_write_hosts(&out, job, &page);
    static const char *const parts[] = {
        "'name': 'a', 'site': 'earth', 'dev_type': 'spine', 'groups': ['1'], ",
        "'name': 'c', 'site': 'earth', 'dev_type': 'leaf', 'groups': ['leaf', '1'], ",
        "'name': 'e', 'site': 'mars', 'dev_type': 'leaf', 'groups': ['leaf', '1'], ",
        "'name': 'f', 'site': 'mars', 'dev_type': null, 'groups': [], ",
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        char *part = double_quoted(parts[i]);
        ck_assert_msg(strstr(out.data, part) != NULL, "%s in %s", part, out.data);
        free(part);
    }
    buf_deinit(&out);
    job_free(job);
}
END_TEST

// --- what is asked for

START_TEST(a_parameter_that_is_wrong_is_named_with_what_would_be_right) {
    static const struct {
        const char *state, *after, *limit, *field, *text;
    } wrong[] = {
        {"busy", NULL, NULL, "state",
         "state: there is no state 'busy'; known are: waiting, in_hand, changed, unchanged, "
         "failed, skipped"},
        {"in-hand", NULL, NULL, "state",
         "state: there is no state 'in-hand'; did you mean in_hand"},
        {"", NULL, NULL, "state", "state: there is no state ''; known are: waiting, in_hand"},
        {NULL, "z", NULL, "after", "after: the job has no host 'z'"},
        {NULL, "b", NULL, "after", "after: the job has no host 'b'"}, // it is not selected
        {NULL, "", NULL, "after", "after: the job has no host ''"},
        {NULL, NULL, "0", "limit", "limit: '0' is none; expected a number from 1 to 1000"},
        {NULL, NULL, "1001", "limit", "limit: '1001' is none"},
        {NULL, NULL, "10000000000000000000000", "limit", "expected a number from 1 to 1000"},
        {NULL, NULL, "-1", "limit", "limit: '-1' is none"},
        {NULL, NULL, "10x", "limit", "limit: '10x' is none"},
        {NULL, NULL, " 1", "limit", "limit: ' 1' is none"},
        {NULL, NULL, "", "limit", "limit: '' is none"},
    };
    struct job *job = acme_job("a c");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct job_page page;
        struct error err;
        int rc = job_page_parse(job, wrong[i].state, wrong[i].after, wrong[i].limit, &page, &err);
        ck_assert_msg(rc == ERROR_INPUT, "%s", wrong[i].text);
        ck_assert_str_eq(err.field, wrong[i].field);
        ck_assert_msg(strstr(err.text, wrong[i].text) != NULL, "%s", err.text);
    }
    job_free(job);
}
END_TEST

START_TEST(the_state_of_jobs_is_asked_for_by_its_word) {
    enum job_state state = JOB_DONE;
    struct error err;
    ck_assert_int_eq(job_page_state(NULL, &state, &err), 0);
    ck_assert_int_eq(state, 0);
    for (int i = JOB_WAITING; i <= JOB_DONE; i++) {
        ck_assert_int_eq(job_page_state(job_state_names[i], &state, &err), 0);
        ck_assert_int_eq(state, i);
    }
    ck_assert_int_eq(job_page_state("runing", &state, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "state: there is no state 'runing'; did you mean running");
    ck_assert_int_eq(job_page_state("over", &state, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "state: there is no state 'over'; known are: waiting, running, "
                               "paused, cancelling, done");
}
END_TEST

Suite *check_job_view(void) {
    Suite *suite = suite_create("job_view");
    TCase *tcase = tcase_create("job_view");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_job_is_told_with_all_its_keys_in_order);
    tcase_add_test(tcase, each_outcome_has_its_word);
    tcase_add_test(tcase, a_job_that_a_brake_has_stopped_says_why);
    tcase_add_test(tcase, the_request_is_told_as_it_was_but_on_one_line);
    tcase_add_test(tcase, a_row_is_told_as_the_job_is);
    tcase_add_test(tcase, a_row_that_is_spoilt_is_told_as_far_as_it_can_be);
    tcase_add_test(tcase, a_host_is_told_from_its_start_to_its_result);
    tcase_add_test(tcase, a_host_that_is_put_back_is_as_if_it_had_not_started);
    tcase_add_test(tcase, why_a_host_failed_or_was_skipped_is_told);
    tcase_add_test(tcase, what_a_host_of_another_platform_has_not_is_null);
    tcase_add_test(tcase, a_page_has_the_hosts_that_are_asked_for);
    tcase_add_test(tcase, a_page_has_a_hundred_hosts_unless_another_limit_is_given);
    tcase_add_test(tcase, groups_stand_in_the_order_of_the_rules);
    tcase_add_test(tcase, a_parameter_that_is_wrong_is_named_with_what_would_be_right);
    tcase_add_test(tcase, the_state_of_jobs_is_asked_for_by_its_word);
    return suite;
}
