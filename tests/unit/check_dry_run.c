// What a dry run tells, and the window that it foretells.
#include "orchestrator/dry_run.h"
#include "tests/unit/job_images.h"

Suite *check_dry_run(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "2") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf",
                                    "1") "}, 'mars': {" HOST("e", "leaf",
                                                             "1") ", "
                                                                  "'f': {'platform': 'panos'}}}";
static const char by_type[] =
    "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\", first: {rack: \"2\"}}], "
    "throttle: [{group: \"{site}\", at_once: 3}]}";

static struct job *job_of(const char *policy) {
    struct made m = make(network, policy, NULL);
    const struct task_args args = {.version = "5.3.1"};
    return job_new("8e03978e-40d5-43dd-bc93-6894a57f9324", &task_upgrade_os, &args, NULL,
                   m.inventory, &m.selection, &m.grouping);
}

// means: of spine and leaf, in milliseconds.
static struct foretold foretold_of(const struct job *job, unsigned workers, double spine,
                                   double leaf) {
    const double means[] = {spine, leaf};
    ck_assert_uint_eq(job->inventory->dev_types.count, 2);
    const struct foretelling f = {
        .inventory = job->inventory,
        .grouping = &job->grouping,
        .means_ms = means,
        .workers = workers,
        .peers = {.check = true, .max_age_ms = PEERS_MAX_AGE_MS, .asks = workers}};
    struct foretold foretold;
    foretell(&f, &foretold);
    return foretold;
}

START_TEST(groups_are_one_after_another_within_and_beside_one_another) {
    struct job *job = job_of("{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}");
    struct foretold f = foretold_of(job, 10, 1000, 1000);
    ck_assert(f.is_known);
    ck_assert_uint_eq(f.window_ms, 2000); // a, b beside c, d beside e; nobody works on f
    ck_assert_ptr_nonnull(f.longest);
    f = foretold_of(job, 10, 3000, 1000);
    ck_assert_uint_eq(f.window_ms, 6000);
    ck_assert_str_eq(f.longest->name, "earth_spine");
    job_free(job);
}
END_TEST

// All that begins waits for the canaries: two of one group are one after the other.
START_TEST(canaries_go_before_all_others_and_who_runs_it_already_takes_no_time) {
    struct job *job = job_of("{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}");
    static const double means[] = {1000, 500};
    static const struct {
        bool canaries[6], as_wanted[6]; // a b c d e f
        uint64_t window_ms;
        const char *longest;
    } rows[] = {
        {{0}, {0}, 2000, "earth_spine"},
        {{true}, {0}, 2000, "earth_spine"},       // a; then b beside c, d and e
        {{true, true}, {0}, 3000, "earth_spine"}, // a, b; then c, d beside e
        {{false, false, true}, {0}, 2500, "earth_spine"},
        {{0}, {true}, 1000, "earth_spine"},
        {{0}, {true, true, false, true, true}, 500, "earth_leaf"},
        {{0}, {true, true, true, true, true}, 0, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool has_canaries = false;
        for (size_t host = 0; host < COUNT(rows[i].canaries); host++)
            has_canaries = has_canaries || rows[i].canaries[host];
        const struct foretelling f = {
            .inventory = job->inventory,
            .grouping = &job->grouping,
            .means_ms = means,
            .are_canaries = has_canaries ? rows[i].canaries : NULL,
            .are_as_wanted = rows[i].as_wanted,
            .workers = 10,
            .peers = {.check = true, .max_age_ms = PEERS_MAX_AGE_MS, .asks = 10}};
        struct foretold foretold;
        foretell(&f, &foretold);
        ck_assert_uint_eq(foretold.window_ms, rows[i].window_ms);
        ck_assert(foretold.is_known);
        if (rows[i].longest == NULL)
            ck_assert_ptr_null(foretold.longest);
        else
            ck_assert_str_eq(foretold.longest->name, rows[i].longest);
    }
    job_free(job);
}
END_TEST

START_TEST(one_worker_decides_where_there_is_only_one) {
    struct job *job = job_of("{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}");
    const struct foretold f = foretold_of(job, 1, 1000, 1000);
    ck_assert_uint_eq(f.window_ms, 5000);
    ck_assert_ptr_null(f.longest);
    job_free(job);
}
END_TEST

START_TEST(types_that_are_not_known_count_as_the_others_and_none_is_no_window) {
    struct job *job = job_of("{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}");
    struct foretold f = foretold_of(job, 10, 0, 500);
    ck_assert(f.is_known);
    ck_assert_uint_eq(f.window_ms, 1000);
    f = foretold_of(job, 10, 0, 0);
    ck_assert(!f.is_known);
    job_free(job);
}
END_TEST

static cJSON *told(struct job *job, const struct foretold *foretold) {
    const struct dry_run_known known = {.to_change = 3, .as_wanted = 1, .unknown = 2, .newer = 1};
    struct buf out = {0};
    cJSON *json = NULL;
    struct error err;
    dry_run_write(&out, job, 10, &known, foretold);
    int rc = json_parse(out.data, out.len, &json, &err);
    ck_assert_msg(rc == 0, "%s: %s", err.text, out.data);
    buf_deinit(&out);
    return json;
}

START_TEST(it_tells_groups_in_their_order_and_what_it_knows) {
    struct job *job = job_of(by_type);
    const struct foretold f = foretold_of(job, 10, 1000, 1000);
    job->hosts[3].is_canary = true; // d
    cJSON *json = told(job, &f);
    cJSON *wanted = json_of(
        "{'dry_run': true, 'hosts': 6, 'to_change': 3, 'as_wanted': 1, 'newer': 1, 'unknown': 2, "
        "'duration': '2s', 'limited_by': {'group': 'earth_spine', 'max_unavailable': 1}, "
        "'canaries': ['d'], 'skipped': {'f': 'platform panos'}, "
        "'groups': [{'name': 'earth_spine', 'max_unavailable': 1, 'hosts': ['b', 'a']}, "
        "{'name': 'earth_leaf', 'max_unavailable': 1, 'hosts': ['d', 'c']}, "
        "{'name': 'mars_leaf', 'max_unavailable': 1, 'hosts': ['e']}], "
        "'throttles': [{'name': 'earth', 'at_once': 3}, {'name': 'mars', 'at_once': 3}]}");
    char *text = cJSON_PrintUnformatted(json);
    ck_assert_msg(cJSON_Compare(json, wanted, true), "%s", text);
    cJSON_free(text);
    cJSON_Delete(wanted);
    cJSON_Delete(json);
    job_free(job);
}
END_TEST

START_TEST(without_anything_learnt_it_tells_no_time) {
    struct job *job = job_of(by_type);
    const struct foretold f = foretold_of(job, 10, 0, 0);
    cJSON *json = told(job, &f);
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(json, "duration")));
    cJSON_Delete(json);
    job_free(job);
}
END_TEST

START_TEST(those_that_run_something_newer_are_to_change_unless_downgrades_are_refused) {
    static const char *const versions[] = {"5.3.1", "5.2.9", "5.10.0", NULL, "6.0.0"};
    struct dry_run_known allowed = {0}, refused = {.refuses_newer = true};
    for (size_t i = 0; i < COUNT(versions); i++) {
        dry_run_count(&allowed, versions[i], "5.3.1");
        dry_run_count(&refused, versions[i], "5.3.1");
    }
    ck_assert_uint_eq(allowed.newer, 2);
    ck_assert_uint_eq(allowed.to_change, 3);
    ck_assert_uint_eq(refused.newer, 2);
    ck_assert_uint_eq(refused.to_change, 1);
    ck_assert_uint_eq(refused.as_wanted, 1);
    ck_assert_uint_eq(refused.unknown, 1);
}
END_TEST

Suite *check_dry_run(void) {
    Suite *suite = suite_create("dry_run");
    TCase *tcase = tcase_create("dry_run");
    tcase_add_test(tcase, canaries_go_before_all_others_and_who_runs_it_already_takes_no_time);
    tcase_add_test(tcase, groups_are_one_after_another_within_and_beside_one_another);
    tcase_add_test(tcase, one_worker_decides_where_there_is_only_one);
    tcase_add_test(tcase, types_that_are_not_known_count_as_the_others_and_none_is_no_window);
    tcase_add_test(tcase, it_tells_groups_in_their_order_and_what_it_knows);
    tcase_add_test(tcase,
                   those_that_run_something_newer_are_to_change_unless_downgrades_are_refused);
    tcase_add_test(tcase, without_anything_learnt_it_tells_no_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
