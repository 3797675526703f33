#include "common/strmap.h"
#include "orchestrator/metrics.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_metrics(void);

static const struct event spine = {.host = "spine00.earth", .site = "earth", .dev_type = "spine"};
static const struct event earths_leaf = {
    .host = "leaf00.earth", .site = "earth", .dev_type = "leaf"};
static const struct event marss_leaf = {.host = "leaf00.mars", .site = "mars", .dev_type = "leaf"};
static const struct event task = {.task = "upgrade_os"};

static struct metrics *metrics;

static void setup(void) {
    static const struct log log = {.lost = 12};
    metrics = metrics_new(100);
    metrics_watch_log(metrics, &log);
}

static void teardown(void) {
    metrics_free(metrics);
}

static void tell(enum event_kind kind, struct event event, enum host_state result, uint64_t ms) {
    event.kind = kind;
    event.result = result;
    event.failed = result == HOST_FAILED;
    event.duration_ms = ms;
    metrics_event(metrics, &event);
}

// One job: the spine is upgraded, earth's leaf fails, mars' leaf is skipped.
static void run_job(void) {
    tell(EVENT_TASK_STARTED, task, 0, 0);
    tell(EVENT_TASK_INSTANCE_STARTED, spine, 0, 0);
    tell(EVENT_TASK_INSTANCE_STARTED, earths_leaf, 0, 0);
    tell(EVENT_TASK_INSTANCE_COMPLETED, spine, HOST_CHANGED, 2000);
    tell(EVENT_TASK_INSTANCE_COMPLETED, earths_leaf, HOST_FAILED, 50);
    tell(EVENT_TASK_INSTANCE_COMPLETED, marss_leaf, HOST_SKIPPED, 0);
    tell(EVENT_TASK_COMPLETED, task, HOST_FAILED, 2100);
}

static struct metrics_now now = {.groups_pending = 7,
                                 .groups_stopped = 3,
                                 .store_is_well = true,
                                 .event_streams = 5,
                                 .clients_let_go = 2};

static char *scrape(enum prom_format format) {
    struct buf text = {0};
    struct metrics_scrape *s = metrics_scrape_new(metrics, format, &now);
    while (metrics_scrape_next(s, &text))
        ;
    metrics_scrape_free(s);
    return buf_take(&text);
}

static void has_lines(enum prom_format format, const char *const *lines, bool wanted) {
    char *text = scrape(format);
    for (; *lines != NULL; lines++) {
        struct buf line = {0};
        char *quoted = double_quoted(*lines);
        buf_addf(&line, "\n%s", quoted);
        ck_assert_msg((strstr(text, line.data) != NULL) == wanted, "%s", quoted);
        free(quoted);
        buf_deinit(&line);
    }
    free(text);
}

START_TEST(the_original_acme_metrics_keep_their_names_and_labels) {
    run_job();
    static const char *const lines[] = {
        "# TYPE total_task_requests_total counter\n",
        "total_task_requests_total 1.0\n",
        "failed_tasks_total 1.0\n",
        "total_task_requests_per_host_total{dev_type='spine',host='spine00.earth',site='earth'} "
        "1.0\n",
        "total_task_requests_per_host_total{dev_type='leaf',host='leaf00.earth',site='earth'} "
        "1.0\n",
        "failed_tasks_per_host_total{dev_type='leaf',host='leaf00.earth',site='earth'} 1.0\n",
        NULL,
    };
    has_lines(PROM_TEXT, lines, true);
    static const char *const absent[] = {
        "total_task_requests_per_host_total{dev_type='leaf',host='leaf00.mars',site='mars'}",
        "failed_tasks_per_host_total{dev_type='spine'",
        NULL,
    };
    has_lines(PROM_TEXT, absent, false); // a skipped host never began
}
END_TEST

START_TEST(our_own_metrics_tell_results_workers_and_times) {
    run_job();
    tell(EVENT_TASK_STARTED, task, 0, 0);
    tell(EVENT_TASK_INSTANCE_STARTED, marss_leaf, 0, 0);
    static const char *const lines[] = {
        "orchestrator_hosts_total{result='changed'} 1.0\n",
        "orchestrator_hosts_total{result='unchanged'} 0.0\n",
        "orchestrator_hosts_total{result='failed'} 1.0\n",
        "orchestrator_hosts_total{result='skipped'} 1.0\n",
        "orchestrator_workers 100.0\n",
        "orchestrator_workers_busy 1.0\n",
        "orchestrator_groups_pending 7.0\n",
        "orchestrator_groups_stopped_total 3.0\n",
        "orchestrator_store_writable 1.0\n",
        "orchestrator_event_streams 5.0\n",
        "orchestrator_event_streams_dropped_total 2.0\n",
        "orchestrator_log_lines_lost_total 12.0\n",
        "orchestrator_host_duration_seconds_bucket{le='0.1'} 1.0\n",
        "orchestrator_host_duration_seconds_bucket{le='2.5'} 2.0\n",
        "orchestrator_host_duration_seconds_count 2.0\n",
        "orchestrator_host_duration_seconds_sum 2.05\n",
        "orchestrator_job_duration_seconds_count 1.0\n",
        "orchestrator_job_duration_seconds_sum 2.1\n",
        NULL,
    };
    has_lines(PROM_TEXT, lines, true);
}
END_TEST

START_TEST(a_host_that_is_put_back_frees_its_worker_and_one_in_doubt_has_one) {
    tell(EVENT_TASK_INSTANCE_STARTED, marss_leaf, 0, 0);
    tell(EVENT_TASK_INSTANCE_PUT_BACK, marss_leaf, 0, 0);
    static const char *const none[] = {"orchestrator_workers_busy 0.0\n", NULL};
    has_lines(PROM_TEXT, none, true);
    struct event in_doubt = marss_leaf;
    in_doubt.started = true;
    tell(EVENT_TASK_INSTANCE_IN_DOUBT, in_doubt, 0, 0);
    static const char *const one[] = {"orchestrator_workers_busy 1.0\n", NULL};
    has_lines(PROM_TEXT, one, true);
    in_doubt.started = false; // it was in hand already, and is left
    tell(EVENT_TASK_INSTANCE_IN_DOUBT, in_doubt, 0, 0);
    has_lines(PROM_TEXT, one, true);
}
END_TEST

// Every family once with HELP and TYPE before its samples; no sample twice.
static void check_form(enum prom_format format) {
    char *text = scrape(format), *save = NULL;
    struct strmap seen = {0};
    char family[128] = "";
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "# TYPE ", 7) == 0) {
            snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
            ck_assert_msg(strmap_put(&seen, line, line) == NULL, "twice: %s", line);
        } else if (line[0] != '#') {
            ck_assert_msg(strncmp(line, family, strlen(family)) == 0, "%s: not of %s", line,
                          family);
            *strrchr(line, ' ') = '\0';
            ck_assert_msg(strmap_put(&seen, line, line) == NULL, "twice: %s", line);
        }
    }
    ck_assert_uint_gt(seen.count, 40);
    strmap_deinit(&seen);
    free(text);
}

static struct job *add_job(struct jobs *jobs, const char *id, enum job_state state) {
    struct inventory *inventory = inventory_of("{'earth': {" HOST("a", "leaf", "1") "}}");
    struct selection selection = {.hosts = mem_zalloc(sizeof(uint32_t)), .count = 1};
    struct task_args args = {.version = "5.3.1"};
    struct grouping grouping = {0};
    struct job *job = job_new(id, &task_upgrade_os, &args, NULL, inventory, &selection, &grouping);
    const struct store_event events[] = {
        {.kind = STORE_JOB, .state = JOB_RUNNING, .wall_ms = 5000},
        {.kind = STORE_INTENT, .attempt = 1, .wall_ms = 1591734190331},
        {.kind = STORE_JOB, .state = state, .wall_ms = 1591734190331}};
    struct error err;
    for (size_t i = 0; i < COUNT(events); i++)
        ck_assert_int_eq(job_apply(job, &events[i], &err), 0);
    jobs_add(jobs, job);
    return job;
}

START_TEST(jobs_that_run_tell_their_last_progress_and_all_how_many_hosts_are_in_doubt) {
    struct jobs *jobs = jobs_new();
    metrics_watch_jobs(metrics, jobs);
    static const char *const none[] = {"orchestrator_hosts_in_doubt 0.0\n", NULL};
    has_lines(PROM_TEXT, none, true);
    add_job(jobs, "one", JOB_RUNNING);
    job_settle(add_job(jobs, "two", JOB_PAUSED));
    job_settle(add_job(jobs, "three", JOB_CANCELLING));
    static const char *const lines[] = {
        "orchestrator_job_progress_timestamp_seconds{job='one'} 1591734190.331\n",
        "orchestrator_job_progress_timestamp_seconds{job='three'} 1591734190.331\n",
        "orchestrator_jobs{state='paused'} 1.0\n",
        "orchestrator_hosts_in_doubt 2.0\n",
        NULL,
    };
    has_lines(PROM_TEXT, lines, true);
    static const char *const absent[] = {"orchestrator_job_progress_timestamp_seconds{job='two'}",
                                         NULL};
    has_lines(PROM_TEXT, absent, false);
    check_form(PROM_TEXT);
    check_form(PROM_OPENMETRICS);
    jobs_free(jobs);
}
END_TEST

START_TEST(a_store_that_cannot_be_written_shows) {
    now.store_is_well = false;
    static const char *const lines[] = {"orchestrator_store_writable 0.0\n", NULL};
    has_lines(PROM_TEXT, lines, true);
}
END_TEST

START_TEST(counters_add_up_over_jobs) {
    run_job();
    run_job();
    tell(EVENT_TASK_STARTED, task, 0, 0);
    tell(EVENT_TASK_COMPLETED, task, 0, 0); // a job without a failed host
    static const char *const lines[] = {
        "total_task_requests_total 3.0\n",
        "failed_tasks_total 2.0\n",
        "failed_tasks_per_host_total{dev_type='leaf',host='leaf00.earth',site='earth'} 2.0\n",
        "orchestrator_hosts_total{result='skipped'} 2.0\n",
        "orchestrator_workers_busy 0.0\n",
        NULL,
    };
    has_lines(PROM_TEXT, lines, true);
}
END_TEST

START_TEST(openmetrics_names_families_without_total_and_ends) {
    run_job();
    static const char *const lines[] = {
        "# TYPE failed_tasks counter\n",
        "failed_tasks_total 1.0\n",
        "# TYPE orchestrator_hosts counter\n",
        "# EOF\n",
        NULL,
    };
    has_lines(PROM_OPENMETRICS, lines, true);
}
END_TEST

START_TEST(no_sample_or_family_is_given_twice_or_out_of_place) {
    run_job();
    run_job();
    check_form(PROM_TEXT);
    check_form(PROM_OPENMETRICS);
}
END_TEST

static void fail_host(int number) {
    char name[32];
    struct event leaf = earths_leaf;
    snprintf(name, sizeof name, "leaf%05d.earth", number);
    leaf.host = name;
    tell(EVENT_TASK_INSTANCE_STARTED, leaf, 0, 0);
    tell(EVENT_TASK_INSTANCE_COMPLETED, leaf, HOST_FAILED, 50);
}

// Lines that begin so. strstr() in a loop reads all that is left each time under a sanitizer.
static int count(const char *text, const char *begin) {
    int found = 0;
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        found += strncmp(line, begin, strlen(begin)) == 0;
        if (end == NULL) break;
        line = end + 1;
    }
    return found;
}

START_TEST(a_long_scrape_comes_in_pieces_and_tells_every_host) {
    for (int i = 0; i < METRICS_PIECE + 1; i++)
        fail_host(i);
    struct buf text = {0};
    struct metrics_scrape *s = metrics_scrape_new(metrics, PROM_TEXT, &now);
    ck_assert(metrics_scrape_next(s, &text));
    ck_assert_int_eq(count(text.data, "total_task_requests_per_host_total{"), METRICS_PIECE);
    ck_assert_uint_lt(text.len, 131072); // a client that does not read holds as much
    fail_host(METRICS_PIECE + 1);        // one that appears meanwhile
    int pieces = 2;
    while (metrics_scrape_next(s, &text))
        pieces++;
    ck_assert_int_eq(pieces, 3); // the second and third have the rests of both families
    ck_assert_int_eq(count(text.data, "total_task_requests_per_host_total{"), METRICS_PIECE + 2);
    ck_assert_int_eq(count(text.data, "failed_tasks_per_host_total{"), METRICS_PIECE + 2);
    metrics_scrape_free(s);
    buf_deinit(&text);
    check_form(PROM_TEXT);
    check_form(PROM_OPENMETRICS);
}
END_TEST

START_TEST(two_long_scrapes_at_once_are_each_whole) {
    for (int i = 0; i < METRICS_PIECE + 1; i++)
        fail_host(i);
    char *whole = scrape(PROM_TEXT);
    struct buf texts[2] = {0};
    struct metrics_scrape *scrapes[2];
    for (int i = 0; i < 2; i++)
        scrapes[i] = metrics_scrape_new(metrics, PROM_TEXT, &now);
    bool more[2] = {true, true};
    for (int i = 1; more[0] || more[1]; i = 1 - i)
        if (more[i]) more[i] = metrics_scrape_next(scrapes[i], &texts[i]);
    for (int i = 0; i < 2; i++) {
        size_t own = (size_t)(strstr(whole, "process_") - whole); // what follows changes by itself
        ck_assert_uint_ge(texts[i].len, own);
        ck_assert_int_eq(memcmp(texts[i].data, whole, own), 0);
        metrics_scrape_free(scrapes[i]);
        buf_deinit(&texts[i]);
    }
    free(whole);
}
END_TEST

Suite *check_metrics(void) {
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("metrics");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_original_acme_metrics_keep_their_names_and_labels);
    tcase_add_test(tcase, our_own_metrics_tell_results_workers_and_times);
    tcase_add_test(tcase, a_host_that_is_put_back_frees_its_worker_and_one_in_doubt_has_one);
    tcase_add_test(tcase,
                   jobs_that_run_tell_their_last_progress_and_all_how_many_hosts_are_in_doubt);
    tcase_add_test(tcase, a_store_that_cannot_be_written_shows);
    tcase_add_test(tcase, counters_add_up_over_jobs);
    tcase_add_test(tcase, openmetrics_names_families_without_total_and_ends);
    tcase_add_test(tcase, no_sample_or_family_is_given_twice_or_out_of_place);
    tcase_add_test(tcase, a_long_scrape_comes_in_pieces_and_tells_every_host);
    tcase_add_test(tcase, two_long_scrapes_at_once_are_each_whole);
    return suite;
}
