#include "scenarios/runner/suite.h"

#include "tests/unit/support.h"

#include <stdio.h>

#include <sys/stat.h>
#include <unistd.h>

Suite *check_suite(void);

static char dir[32], *said;
static struct suite suite;

static void write_file(const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_folder(const char *name) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

#define STEP "steps: [audit: {violations: []}]\n"

static const char *const files[] = {"b/one.yaml",         "a.yaml",      "b/two.yaml",
                                    "runner/three.yaml",  "b/notes.txt", "c.yml",
                                    "runner/four.yaml.in"};

static void set_up(void) {
    suite = (struct suite){0};
    strcpy(dir, "/tmp/suite-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make_folder("b");
    make_folder("runner");
    write_file(files[0], "name: one\ntags: [quick]\nmatrix: {n: [1, 2], s: [x]}\n" STEP);
    write_file(files[1], "name: a\nseed: 7\n" STEP);
    write_file(files[2], "name: two\ntags: [quick, slow]\n" STEP);
    write_file(files[3], "name: three\n" STEP);
    for (size_t i = 4; i < COUNT(files); i++)
        write_file(files[i], "no scenario at all");
}

static void tear_down(void) {
    static const char *const folders[] = {"b", "runner", ""};
    char path[300];
    suite_deinit(&suite);
    free(said);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        ck_assert_int_eq(rmdir(path), 0);
    }
}

// Loads what is below a path of the folder; what is told of errors is in said.
static int load(const char *name, const struct suite_filter *filter, unsigned repeat) {
    char path[300];
    const char *const paths[] = {path};
    size_t len;
    snprintf(path, sizeof path, "%s%s%s", dir, *name == '\0' ? "" : "/", name);
    FILE *errors = open_memstream(&said, &len);
    int rc = suite_load(&suite, paths, 1, filter, repeat, errors);
    ck_assert_int_eq(fclose(errors), 0);
    return rc;
}

// The runs' titles, without the folder, a line each.
static void assert_runs(const char *expected) {
    struct buf titles = {0};
    for (size_t i = 0; i < suite.runs_count; i++) {
        ck_assert_int_eq(strncmp(suite.runs[i].title, dir, strlen(dir)), 0);
        buf_addf(&titles, "%s\n", suite.runs[i].title + strlen(dir) + 1);
    }
    ck_assert_str_eq(titles.len == 0 ? "" : titles.data, expected);
    buf_deinit(&titles);
}

static const struct suite_filter all = {0};

START_TEST(a_folder_is_searched_for_scenarios_in_the_order_of_their_paths) {
    ck_assert_int_eq(load("", &all, 1), 0);
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(suite.scenarios_count, 4);
    assert_runs("a.yaml: a\n"
                "b/one.yaml: one (n=1, s=x)\n"
                "b/one.yaml: one (n=2, s=x)\n"
                "b/two.yaml: two\n"
                "runner/three.yaml: three\n");
}
END_TEST

START_TEST(a_slash_behind_a_folder_changes_nothing) {
    ck_assert_int_eq(load("b//", &all, 1), 0);
    assert_runs("b/one.yaml: one (n=1, s=x)\nb/one.yaml: one (n=2, s=x)\nb/two.yaml: two\n");
}
END_TEST

START_TEST(a_file_that_is_named_is_taken_whatever_its_name) {
    ck_assert_int_eq(load("c.yml", &all, 1), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(said, "c.yml:1:1: expected an object, not a string\n"));
    ck_assert_uint_eq(suite.runs_count, 0);
}
END_TEST

START_TEST(every_invalid_file_is_told_and_the_others_are_loaded) {
    write_file("a.yaml", "name: a\n");
    write_file("b/two.yaml", "name: [\n");
    ck_assert_int_eq(load("", &all, 1), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(said, "/a.yaml:1:1: "));
    ck_assert_ptr_nonnull(strstr(said, "/b/two.yaml:2:1: "));
    ck_assert_uint_eq(suite.scenarios_count, 2);
}
END_TEST

START_TEST(a_path_that_is_not_there_is_told) {
    ck_assert_int_eq(load("nowhere", &all, 1), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(said, "/nowhere: No such file or directory\n"));
}
END_TEST

START_TEST(tags_choose_scenarios) {
    ck_assert_int_eq(load("", &(struct suite_filter){.tags = "slow"}, 1), 0);
    assert_runs("b/two.yaml: two\n");
}
END_TEST

START_TEST(text_chooses_by_path_name_and_combination) {
    ck_assert_int_eq(load("", &(struct suite_filter){.text = "(n=2, s=x)"}, 1), 0);
    assert_runs("b/one.yaml: one (n=2, s=x)\n");
}
END_TEST

START_TEST(a_seed_that_is_given_replaces_that_of_every_scenario) {
    ck_assert_int_eq(load("", &all, 1), 0);
    ck_assert_uint_eq(suite.runs[0].seed, 7);
    ck_assert_uint_eq(suite.runs[1].seed, 1);
    suite_deinit(&suite);
    free(said);
    ck_assert_int_eq(load("", &(struct suite_filter){.seed = 0, .seed_given = true}, 1), 0);
    ck_assert_uint_eq(suite.runs[0].seed, 0);
    ck_assert_uint_eq(suite.runs[1].seed, 0);
}
END_TEST

START_TEST(a_repetition_plays_all_once_more_and_says_so) {
    ck_assert_int_eq(load("", &(struct suite_filter){.text = "one"}, 2), 0);
    assert_runs("b/one.yaml: one (n=1, s=x)\n"
                "b/one.yaml: one (n=2, s=x)\n"
                "b/one.yaml: one (n=1, s=x) #2\n"
                "b/one.yaml: one (n=2, s=x) #2\n");
    ck_assert_uint_eq(suite.runs[2].repetition, 1);
}
END_TEST

START_TEST(a_value_of_the_matrix_stands_with_its_run) {
    ck_assert_int_eq(load("b/one.yaml", &all, 1), 0);
    ck_assert_uint_eq(suite.runs_count, 2);
    ck_assert_int_eq(cJSON_GetObjectItem(suite.runs[1].values, "n")->valueint, 2);
    ck_assert_ptr_eq(suite.runs[1].scenario, &suite.scenarios[0]);
}
END_TEST

Suite *check_suite(void) {
    Suite *s = suite_create("suite");
    TCase *tc = tcase_create("suite");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_folder_is_searched_for_scenarios_in_the_order_of_their_paths);
    tcase_add_test(tc, a_slash_behind_a_folder_changes_nothing);
    tcase_add_test(tc, a_file_that_is_named_is_taken_whatever_its_name);
    tcase_add_test(tc, every_invalid_file_is_told_and_the_others_are_loaded);
    tcase_add_test(tc, a_path_that_is_not_there_is_told);
    tcase_add_test(tc, tags_choose_scenarios);
    tcase_add_test(tc, text_chooses_by_path_name_and_combination);
    tcase_add_test(tc, a_seed_that_is_given_replaces_that_of_every_scenario);
    tcase_add_test(tc, a_repetition_plays_all_once_more_and_says_so);
    tcase_add_test(tc, a_value_of_the_matrix_stands_with_its_run);
    suite_add_tcase(s, tc);
    return s;
}
