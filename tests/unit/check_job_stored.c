#include "orchestrator/job_stored.h"
#include "tests/unit/job_images.h"

Suite *check_job_stored(void);

static const char network[] = "{'earth': {" HOST("a", "spine", "1") ", " HOST(
    "b", "spine", "2") ", " HOST("c", "leaf", "1") "}}";
static const char id[] = "8e03978e-40d5-43dd-bc93-6894a57f9324";

static struct store_job row_of(const struct buf *image, uint64_t hosts) {
    return (struct store_job){.number = 7,
                              .id = id,
                              .key = "a key",
                              .task = "upgrade_os",
                              .request = "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"]}",
                              .image = image->data,
                              .image_len = image->len,
                              .hosts = hosts,
                              .results = {[HOST_CHANGED] = 1},
                              .n = 5,
                              .state = JOB_RUNNING,
                              .created_ms = 1000,
                              .started_ms = 2000};
}

#define KEYED(name, more)                                                                          \
    "'" name                                                                                       \
    "': {'platform': 'acmeos', 'dev_type': 'spine', 'rack': '1', 'hostname': '127.0.0.1',"         \
    " 'port': 8300" more "}"

// a, b and c are in hand, a and b in doubt; all but c had credentials of their own.
static struct job *doubtful_job(void) {
    static const char keyed[] = "{'earth': {" KEYED("a", ", 'password': 'p'") ", " KEYED(
        "b", ", 'password': 'p'") ", " KEYED("c", "") ", " KEYED("d", ", 'password': 'p'") "}}";
    const struct store_event events[] = {
        {.kind = STORE_JOB, .host = STORE_NO_HOST, .state = JOB_RUNNING},
        {.kind = STORE_STARTED, .host = 0},
        {.kind = STORE_STARTED, .host = 1},
        {.kind = STORE_STARTED, .host = 2},
        {.kind = STORE_INTENT, .host = 0, .attempt = 1},
        {.kind = STORE_INTENT, .host = 1, .attempt = 1},
    };
    struct buf image =
        image_of(keyed, "{redundancy: [{group: \"{site}\", max_unavailable: 4}]}", NULL);
    struct store_job row = row_of(&image, 4);
    struct error err;
    row.request = "{\"version\": \"5.3.1\"}";
    struct job *job = job_from_store(&row, &err);
    ck_assert_msg(job != NULL, "%s", err.text);
    for (size_t i = 0; i < COUNT(events); i++)
        ck_assert_int_eq(job_apply(job, &events[i], &err), 0);
    job_settle(job);
    buf_deinit(&image);
    return job;
}

START_TEST(credentials_of_hosts_in_doubt_are_awaited_and_taken_from_todays_inventory) {
    struct job *job = doubtful_job();
    struct inventory *today = inventory_of("{'mars': {" KEYED("x", ", 'password': 'x'") ", " KEYED(
        "a", ", 'username': 'u', 'password': 'new'") ", " KEYED("c", ", 'password': 'c'") "}}");
    ck_assert(job_awaits_credentials(job));
    job_take_credentials(job, today);
    inventory_unref(today); // nothing is borrowed of it
    ck_assert(!job_awaits_credentials(job));
    ck_assert_str_eq(login_of(job->inventory, 0), "u:new");
    ck_assert_str_eq(login_of(job->inventory, 1), "-:-"); // not there any more
    ck_assert_str_eq(login_of(job->inventory, 2), "-:-"); // not in doubt
    ck_assert(inventory_withholds_credentials(job->inventory, 3));
    job_free(job);
}
END_TEST

START_TEST(a_job_that_is_the_same_in_an_inventory_finds_its_hosts_there) {
    struct job *job = doubtful_job();
    struct inventory *today = inventory_of("{'earth': {" KEYED("d", "") ", " KEYED(
        "x", "") ", " KEYED("b", "") ", " KEYED("c", "") "}, 'mars': {" KEYED("a", "") "}}");
    struct selection selection = all_of(today);
    ck_assert_uint_eq(job_in_whole(job, 0), JOB_NOT_IN_WHOLE);
    job_see_in(job, today, &selection);
    inventory_unref(today);
    ck_assert(!job_awaits_credentials(job)); // it has them from there
    ck_assert_uint_eq(job_in_whole(job, 0), 4);
    ck_assert_uint_eq(job_in_whole(job, 1), 2);
    ck_assert_uint_eq(job_in_whole(job, 2), 3);
    ck_assert_uint_eq(job_in_whole(job, 3), 0);
    today = inventory_of("{'earth': {" KEYED("a", "") ", " KEYED("x", "") ", " KEYED("c", "") "}}");
    selection = all_of(today);
    job_see_in(job, today, &selection);
    inventory_unref(today);
    ck_assert_uint_eq(job_in_whole(job, 0), 0);
    ck_assert_uint_eq(job_in_whole(job, 1), JOB_NOT_IN_WHOLE);
    ck_assert_uint_eq(job_in_whole(job, 2), 2);
    job_free(job);
}
END_TEST

START_TEST(a_row_becomes_a_job_whose_hosts_wait) {
    struct buf image = image_of(network, "", "b c");
    struct store_job row = row_of(&image, 2);
    struct error err;
    struct job *job = job_from_store(&row, &err);
    ck_assert_msg(job != NULL, "%s", err.text);
    buf_deinit(&image); // nothing is borrowed of it
    ck_assert_str_eq(job->id, id);
    ck_assert_uint_eq(job->number, 7);
    ck_assert_str_eq(job->key, "a key");
    ck_assert_str_eq(job->request, row.request);
    ck_assert_ptr_eq(job->task, &task_upgrade_os);
    ck_assert_str_eq(job->args.version, "5.3.1");
    ck_assert_int_eq(job->state, JOB_WAITING);
    ck_assert_int_eq(job->created_ms, 1000);
    ck_assert_int_eq(job->started_ms, 0);
    ck_assert_uint_eq(job->counts[HOST_WAITING], 2);
    ck_assert_uint_eq(job->selection.count, 2);
    ck_assert_uint_eq(job->inventory->count, 3);
    ck_assert_str_eq(job->inventory->hosts[job->selection.hosts[0]].name, "b");
    job_free(job);
}
END_TEST

START_TEST(its_events_bring_it_to_where_it_was) {
    struct buf image = image_of(network, "", "b c");
    const struct store_job row = row_of(&image, 2);
    const struct store_event events[] = {
        {.kind = STORE_JOB, .n = 1, .wall_ms = 2000, .host = STORE_NO_HOST, .state = JOB_RUNNING},
        {.kind = STORE_STARTED, .n = 2, .wall_ms = 2001, .host = 0},
        {.kind = STORE_STARTED, .n = 3, .wall_ms = 2002, .host = 1},
        {.kind = STORE_INTENT, .n = 4, .host = 1, .attempt = 1, .version = "5.2.1"},
        {.kind = STORE_OUTCOME,
         .n = 5,
         .host = 1,
         .ms = 60,
         .attempt = 1,
         .result = HOST_CHANGED,
         .version = "5.3.1"},
    };
    struct error err;
    struct job *job = job_from_store(&row, &err);
    ck_assert_msg(job != NULL, "%s", err.text);
    for (size_t i = 0; i < COUNT(events); i++)
        ck_assert_int_eq(job_apply(job, &events[i], &err), 0);
    ck_assert_int_eq(job->state, JOB_RUNNING);
    ck_assert_int_eq(job->started_ms, 2000);
    ck_assert_int_eq(job->hosts[0].state, HOST_IN_HAND);
    ck_assert_int_eq(job->hosts[1].state, HOST_CHANGED);
    ck_assert_str_eq(job_version(job, job->hosts[1].from), "5.2.1");
    ck_assert_str_eq(job_version(job, job->hosts[1].to), "5.3.1");
    job_free(job);
    buf_deinit(&image);
}
END_TEST

START_TEST(a_row_without_key_is_a_job_without_key) {
    struct buf image = image_of(network, "", "");
    struct store_job row = row_of(&image, 0);
    struct error err;
    row.key = NULL;
    struct job *job = job_from_store(&row, &err);
    ck_assert_msg(job != NULL, "%s", err.text);
    ck_assert_ptr_null(job->key);
    ck_assert_uint_eq(job->selection.count, 0);
    job_free(job);
    buf_deinit(&image);
}
END_TEST

static void refused(const struct store_job *row, const char *why) {
    struct error err;
    ck_assert_ptr_null(job_from_store(row, &err));
    ck_assert_str_eq(err.text, why);
}

#define JOB "job 8e03978e-40d5-43dd-bc93-6894a57f9324: "

START_TEST(a_row_that_is_spoilt_is_refused_and_says_why) {
    struct buf image = image_of(network, "", "b c");
    struct store_job row = row_of(&image, 3);
    refused(&row, JOB "it has 3 hosts, and its image 2");
    row = row_of(&image, 2);
    row.task = "upgrade_all";
    refused(&row, JOB "its task upgrade_all is none of this orchestrator's");
    row.task = NULL;
    refused(&row, JOB "its task (none) is none of this orchestrator's");
    row = row_of(&image, 2);
    row.request = "{\"version\": \"5.3\"}";
    refused(&row, JOB "its request: version: '5.3' is not a version: it must be X.Y.Z, each "
                      "a number of one to nine digits");
    row.request = NULL;
    refused(&row, JOB "its request: there is none");
    row = row_of(&image, 2);
    row.image_len--;
    refused(&row, JOB "the image of its hosts and groups: its checksum is wrong");
    row.image = NULL;
    refused(&row, JOB "the image of its hosts and groups is missing");
    row = row_of(&image, 2);
    row.id = NULL;
    refused(&row, "job ?: its id is none");
    row.id = "";
    refused(&row, "job ?: its id is none");
    row.id = "8e03978e-40d5-43dd-bc93-6894a57f93245";
    refused(&row, JOB "its id is none");
    buf_deinit(&image);
}
END_TEST

START_TEST(a_request_that_is_no_json_is_refused) {
    struct buf image = image_of(network, "", "b c");
    struct store_job row = row_of(&image, 2);
    struct error err;
    row.request = "{\"version\": \"5.3.1\"";
    ck_assert_ptr_null(job_from_store(&row, &err));
    ck_assert_msg(strncmp(err.text, JOB "its request: ", sizeof JOB + 12) == 0, "%s", err.text);
    buf_deinit(&image);
}
END_TEST

Suite *check_job_stored(void) {
    Suite *suite = suite_create("job_stored");
    TCase *tcase = tcase_create("job_stored");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_row_becomes_a_job_whose_hosts_wait);
    tcase_add_test(tcase,
                   credentials_of_hosts_in_doubt_are_awaited_and_taken_from_todays_inventory);
    tcase_add_test(tcase, a_job_that_is_the_same_in_an_inventory_finds_its_hosts_there);
    tcase_add_test(tcase, its_events_bring_it_to_where_it_was);
    tcase_add_test(tcase, a_row_without_key_is_a_job_without_key);
    tcase_add_test(tcase, a_row_that_is_spoilt_is_refused_and_says_why);
    tcase_add_test(tcase, a_request_that_is_no_json_is_refused);
    return suite;
}
