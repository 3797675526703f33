#include "orchestrator/job_timeline.h"
#include "tests/unit/support.h"

Suite *check_job_timeline(void);

static struct job_timeline timeline;
static struct error err;

static void teardown(void) {
    job_timeline_deinit(&timeline);
}

static int begin(const char *text) {
    cJSON *job = json_of(text);
    int rc = job_timeline_begin(&timeline, job, &err);
    cJSON_Delete(job);
    return rc;
}

static int add(const char *text, bool *more) {
    cJSON *page = json_of(text);
    int rc = job_timeline_add(&timeline, page, more, &err);
    cJSON_Delete(page);
    return rc;
}

#define JOB(hosts, ended)                                                                          \
    "{'id': '0b8b', 'task': 'upgrade_os', 'state': 'running', 'version': '5.3.1', 'started': "     \
    "'2026-03-01T10:00:00.000Z', 'ended': " ended ", 'counts': {'hosts': " hosts "}}"
#define ROW(name, site, groups, state, started, ms, error, skipped)                                \
    "{'name': '" name "', 'site': " site ", 'groups': [" groups "], 'state': '" state              \
    "', 'started': " started ", 'duration_ms': " ms ", 'error': " error                            \
    ", 'skipped_because': " skipped "}"
#define PLAIN(name) ROW(name, "'earth'", "'g'", "waiting", "null", "null", "null", "null")

START_TEST(a_job_and_its_hosts_become_a_timeline) {
    bool more = false;
    ck_assert_int_eq(begin(JOB("4", "'2026-03-01T10:00:09.500Z'")), 0);
    ck_assert_int_eq(
        add("{'hosts': [" ROW("edge0", "'earth'", "'earth_edge', 'feed 1'", "changed",
                              "'2026-03-01T10:00:00.250Z'", "1500", "null", "null") ", " //
            ROW("edge1", "'earth'", "'earth_edge'", "failed", "'2026-03-01T10:00:02.000Z'", "10",
                "'no space'", "null") "]}",
            &more),
        0);
    ck_assert(more);
    ck_assert_str_eq(timeline.last, "edge1");
    ck_assert_int_eq(
        add("{'hosts': [" ROW("edge2", "'earth'", "'earth_edge'", "skipped", "null", "null", "null",
                              "'edge1'") ", " //
            ROW("fw", "null", "", "unchanged", "'2026-03-01T09:59:59.000Z'", "7", "null",
                "null") "]}",
            &more),
        0);
    ck_assert(!more);
    const struct timeline drawn = job_timeline_drawn(&timeline);
    static const struct timeline_host expected[] = {
        {"edge0", "earth", "earth_edge", NULL, 250000, 1750000, 0, 0, TIMELINE_CHANGED},
        {"edge1", "earth", "earth_edge", "no space", 2000000, 2010000, 0, 0, TIMELINE_FAILED},
        {"edge2", "earth", "earth_edge", "edge1", TIMELINE_NEVER, 0, 0, 0, TIMELINE_SKIPPED},
        {"fw", NULL, NULL, NULL, 0, 7000, 0, 0, TIMELINE_UNCHANGED}, // the clock was set
    };
    ck_assert_uint_eq(drawn.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct timeline_host *host = &drawn.hosts[i];
        ck_assert_str_eq(host->name, expected[i].name);
        ck_assert_pstr_eq(host->site, expected[i].site);
        ck_assert_pstr_eq(host->group, expected[i].group);
        ck_assert_pstr_eq(host->reason, expected[i].reason);
        ck_assert_uint_eq(host->start_us, expected[i].start_us);
        ck_assert_uint_eq(host->end_us, expected[i].end_us);
        ck_assert_uint_eq(host->foretold_start_us, TIMELINE_NEVER);
        ck_assert_int_eq(host->end, expected[i].end);
    }
    ck_assert_uint_eq(drawn.end_us, 9500000);
    ck_assert_str_eq(drawn.title, "upgrade_os 5.3.1: 4 hosts, 9.500 s");
    ck_assert_str_eq(drawn.subtitle, "job 0b8b, started at 2026-03-01T10:00:00.000Z");
}
END_TEST

START_TEST(a_job_that_goes_on_is_shown_as_far_as_its_hosts_tell) {
    bool more;
    ck_assert_int_eq(begin(JOB("2", "null")), 0);
    ck_assert_int_eq(add("{'hosts': [" ROW("a", "null", "'g'", "in_hand",
                                           "'2026-03-01T10:00:01.000Z'", "null", "null",
                                           "null") ", " //
                         ROW("b", "null", "'h'", "changed", "'2026-03-01T10:00:00.000Z'", "3000",
                             "null", "null") "]}",
                         &more),
                     0);
    const struct timeline drawn = job_timeline_drawn(&timeline);
    ck_assert_uint_eq(drawn.end_us, 3000000);
    ck_assert_uint_eq(drawn.hosts[0].start_us, 1000000);
    ck_assert_uint_eq(drawn.hosts[0].end_us, 3000000);
    ck_assert_int_eq(drawn.hosts[0].end, TIMELINE_IN_HAND);
    ck_assert_str_eq(drawn.title, "upgrade_os 5.3.1: 2 hosts, 3.000 s so far");
}
END_TEST

START_TEST(a_job_that_waits_has_no_start) {
    ck_assert_int_eq(begin("{'id': '0b8b', 'task': 'get_version', 'state': 'waiting', 'version': "
                           "null, 'started': null, 'ended': null, 'counts': {'hosts': 0}}"),
                     0);
    const struct timeline drawn = job_timeline_drawn(&timeline);
    ck_assert_uint_eq(drawn.count, 0);
    ck_assert_str_eq(drawn.title, "get_version: 0 hosts, 0.000 s so far");
    ck_assert_str_eq(drawn.subtitle, "job 0b8b, waiting");
}
END_TEST

START_TEST(a_job_that_is_too_large_is_refused_before_its_hosts_are_read) {
    ck_assert_int_eq(begin(JOB("1000000", "null")), ERROR_INPUT);
    ck_assert_str_eq(err.text, "a timeline shows 10000 hosts at most, and job 0b8b has 1000000");
}
END_TEST

START_TEST(an_answer_of_another_shape_is_refused_with_its_place) {
    static const struct {
        const char *job, *says;
    } jobs[] = {
        {"{}", "id: "},
        {"{'id': 'x', 'task': 'upgrade_os', 'state': 'done', 'counts': 7}", "counts: "},
        {"{'id': 'x', 'task': 'upgrade_os', 'state': 'done', 'started': 'noon'}",
         "started: 'noon' is no moment"},
    };
    for (size_t i = 0; i < COUNT(jobs); i++) {
        ck_assert_int_eq(begin(jobs[i].job), ERROR_INPUT);
        ck_assert_msg(strncmp(err.text, jobs[i].says, strlen(jobs[i].says)) == 0, "%s", err.text);
        job_timeline_deinit(&timeline);
    }
    static const struct {
        const char *page, *says;
    } pages[] = {
        {"{}", "hosts: expected an array"},
        {"{'hosts': []}", "there are 0 hosts, and the job has 2"},
        {"{'hosts': [{}]}", "hosts[0].name: "},
        {"{'hosts': [" PLAIN("a") ", " PLAIN("b") ", " PLAIN("c") "]}",
         "there are more hosts than the 2 of the job"},
        {"{'hosts': [" PLAIN("a") ", " ROW("b", "null", "", "gone", "null", "null", "null",
                                           "null") "]}",
         "hosts[1]: there is no state 'gone'"},
        {"{'hosts': [" ROW("b", "null", "", "failed", "'soon'", "null", "null", "null") "]}",
         "hosts[0].started: 'soon' is no moment"},
        {"{'hosts': [" ROW("b", "null", "", "failed", "null", "-1", "null", "null") "]}",
         "hosts[0].duration_ms: "},
    };
    for (size_t i = 0; i < COUNT(pages); i++) {
        bool more;
        ck_assert_int_eq(begin(JOB("2", "null")), 0);
        ck_assert_int_eq(add(pages[i].page, &more), ERROR_INPUT);
        ck_assert_msg(strncmp(err.text, pages[i].says, strlen(pages[i].says)) == 0, "%s", err.text);
        job_timeline_deinit(&timeline);
    }
}
END_TEST

Suite *check_job_timeline(void) {
    Suite *suite = suite_create("job_timeline");
    TCase *tcase = tcase_create("job_timeline");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, a_job_and_its_hosts_become_a_timeline);
    tcase_add_test(tcase, a_job_that_goes_on_is_shown_as_far_as_its_hosts_tell);
    tcase_add_test(tcase, a_job_that_waits_has_no_start);
    tcase_add_test(tcase, a_job_that_is_too_large_is_refused_before_its_hosts_are_read);
    tcase_add_test(tcase, an_answer_of_another_shape_is_refused_with_its_place);
    return suite;
}
