#include "orchestrator/canaries.h"
#include "tests/unit/job_images.h"

Suite *check_canaries(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "2") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf",
                                    "1") "}, 'mars': {" HOST("e", "leaf",
                                                             "1") ", "
                                                                  "'f': {'platform': 'panos'}}}";
static const char by_type[] = "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}]}";

static struct job *job_of(const char *policy, const char *chosen) {
    struct made m = make(network, policy, chosen);
    const struct task_args args = {.version = "5.3.1"};
    return job_new("8e03978e-40d5-43dd-bc93-6894a57f9324", &task_upgrade_os, &args, NULL,
                   m.inventory, &m.selection, &m.grouping);
}

static int mark(struct job *job, const char *wanted, struct error *err) {
    struct canaries canaries;
    cJSON *json = json_of(wanted);
    int rc = canaries_parse(json, &canaries, err);
    ck_assert_msg(rc == 0, "%s: %s", wanted, err->text);
    rc = canaries_mark(job, &canaries, err);
    canaries_deinit(&canaries);
    cJSON_Delete(json);
    return rc;
}

// Which hosts those are: "a c".
static void assert_canaries(const char *policy, const char *chosen, const char *wanted,
                            const char *expected) {
    struct job *job = job_of(policy, chosen);
    struct error err;
    struct buf found = {0};
    int rc = mark(job, wanted, &err);
    ck_assert_msg(rc == 0, "%s: %s", wanted, err.text);
    buf_adds(&found, "");
    size_t count = 0;
    for (size_t i = 0; i < job->selection.count; i++) {
        if (!job->hosts[i].is_canary) continue;
        if (count++ > 0) buf_adds(&found, " ");
        buf_adds(&found, job->inventory->hosts[job->selection.hosts[i]].name);
    }
    ck_assert_msg(strcmp(found.data, expected) == 0, "%s of %s: %s, not %s", wanted,
                  chosen == NULL ? "all" : chosen, found.data, expected);
    ck_assert_uint_eq(job->canaries_left, count);
    buf_deinit(&found);
    job_free(job);
}

START_TEST(a_number_is_that_of_groups_whose_first_goes) {
    assert_canaries(by_type, NULL, "1", "a");
    assert_canaries(by_type, NULL, "2", "a c");
    assert_canaries(by_type, NULL, "3", "a c e");
    assert_canaries(by_type, NULL, "100", "a c e");
    assert_canaries(by_type, "b d e", "2", "b d");
}
END_TEST

START_TEST(the_first_of_a_group_is_the_one_that_its_policy_has_go_first) {
    static const char rack_two_first[] =
        "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\", first: {rack: \"2\"}}]}";
    assert_canaries(rack_two_first, NULL, "1", "b");
    assert_canaries(rack_two_first, NULL, "2", "b c");
}
END_TEST

START_TEST(a_host_in_several_groups_stands_for_all_of_them) {
    static const char both[] = "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}, "
                               "{group: \"rack_{rack}\"}]}";
    assert_canaries(both, NULL, "1", "a");
    assert_canaries(both, NULL, "5", "a"); // each other group has a member of one that is led
}
END_TEST

START_TEST(names_and_globs_are_those_of_selected_hosts) {
    assert_canaries(by_type, NULL, "['d']", "d");
    assert_canaries(by_type, NULL, "['d', 'a', 'd']", "a d");
    assert_canaries(by_type, NULL, "['[ce]']", "c e");
    assert_canaries(by_type, NULL, "['*']", "a b c d e"); // not the one that nobody works on
}
END_TEST

static void assert_refused(const char *policy, const char *chosen, const char *wanted,
                           const char *field, const char *text) {
    struct job *job = job_of(policy, chosen);
    struct error err;
    ck_assert_msg(mark(job, wanted, &err) == ERROR_INPUT, "%s was taken", wanted);
    ck_assert_str_eq(err.field, field);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s: %s", wanted, err.text);
    job_free(job);
}

START_TEST(an_entry_that_is_nobody_is_refused) {
    assert_refused(by_type, NULL, "['a', 'x']", "canaries", "canaries[1]: none of the selected");
    assert_refused(by_type, "a b", "['c']", "canaries", "none of the selected hosts is 'c'");
    assert_refused(by_type, "a b", "['c*']", "canaries", "none of the selected hosts is 'c*'");
    assert_refused(by_type, NULL, "['f']", "canaries", "f is of platform panos");
    assert_refused(by_type, NULL, "['f*']", "canaries", "none of the selected hosts is 'f*'");
}
END_TEST

START_TEST(a_canary_does_not_overtake_those_that_the_policy_has_go_first) {
    static const char rack_two_first[] =
        "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\", first: {rack: \"2\"}}]}";
    assert_refused(rack_two_first, NULL, "['a']", "canaries",
                   "opposite orders: the canary a goes before b, which goes first of earth_spine");
    assert_canaries(rack_two_first, NULL, "['b']", "b");
    assert_canaries(rack_two_first, NULL, "['a', 'b']", "a b");
    assert_canaries(rack_two_first, "a c", "['a']", "a"); // b has no turn
}
END_TEST

START_TEST(canaries_are_counted_until_each_has_its_result) {
    struct job *job = job_of(by_type, NULL);
    struct error err;
    ck_assert_int_eq(mark(job, "['a', 'c']", &err), 0);
    const struct store_event skipped = {
        .kind = STORE_OUTCOME, .host = 0, .result = HOST_SKIPPED, .text = "x"};
    ck_assert_int_eq(job_apply(job, &skipped, &err), 0);
    ck_assert_uint_eq(job->canaries_left, 1);
    const struct store_event started = {.kind = STORE_STARTED, .host = 2, .wall_ms = 1};
    ck_assert_int_eq(job_apply(job, &started, &err), 0);
    ck_assert_uint_eq(job->canaries_left, 1);
    const struct store_event failed = {
        .kind = STORE_OUTCOME, .host = 2, .result = HOST_FAILED, .text = "x"};
    ck_assert_int_eq(job_apply(job, &failed, &err), 0);
    ck_assert_uint_eq(job->canaries_left, 0);
    job_free(job);
}
END_TEST

Suite *check_canaries(void) {
    Suite *suite = suite_create("canaries");
    TCase *tcase = tcase_create("canaries");
    tcase_add_test(tcase, a_number_is_that_of_groups_whose_first_goes);
    tcase_add_test(tcase, the_first_of_a_group_is_the_one_that_its_policy_has_go_first);
    tcase_add_test(tcase, a_host_in_several_groups_stands_for_all_of_them);
    tcase_add_test(tcase, names_and_globs_are_those_of_selected_hosts);
    tcase_add_test(tcase, an_entry_that_is_nobody_is_refused);
    tcase_add_test(tcase, a_canary_does_not_overtake_those_that_the_policy_has_go_first);
    tcase_add_test(tcase, canaries_are_counted_until_each_has_its_result);
    suite_add_tcase(suite, tcase);
    return suite;
}
