#include "scenarios/runner/outputs.h"

#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_outputs(void);

enum { PASSED, FAILED, ERRORED, LEFT, RUNS };

static struct scenario scenarios[RUNS];
static struct run runs[RUNS];
static struct buf out;

static void add(int i, const char *path, const char *title, const char *values,
                const char *result) {
    scenarios[i] = (struct scenario){.path = mem_strdup(path)};
    runs[i] = (struct run){.scenario = &scenarios[i],
                           .title = mem_strdup(title),
                           .values = json_of(values),
                           .seed = (uint64_t)i + 1,
                           .seconds = 0.25,
                           .over = result != NULL,
                           .result = result == NULL ? NULL : json_of(result)};
}

static void set_up(void) {
    out = (struct buf){0};
    add(PASSED, "suite/a.yaml", "suite/a.yaml: a", "{}", "{'outcome': 'pass', 'text': ''}");
    add(FAILED, "suite/b b.yaml", "suite/b b.yaml: b # TODO <\n> (host=leaf00.earth, n=5) #2",
        "{'host': 'leaf00.earth', 'n': 5}",
        "{'outcome': 'fail', 'text': 'steps[0] & more\\n  a<b: \\u0001\\n'}");
    runs[FAILED].repetition = 1;
    add(ERRORED, "c.yaml", "c.yaml: c", "{}", "{'outcome': 'environment', 'text': 'no start\\n'}");
    add(LEFT, "d.yaml", "d.yaml: d", "{}", NULL);
}

static void tear_down(void) {
    for (int i = 0; i < RUNS; i++) {
        free(scenarios[i].path);
        free(runs[i].title);
        cJSON_Delete(runs[i].values);
        cJSON_Delete(runs[i].result);
    }
    buf_deinit(&out);
}

static const struct outputs all = {"build/scenario run", runs, RUNS, 1.5};

static const struct {
    const char *word, *quoted;
} words[] = {
    {"scenarios/a-b_c.yaml", "scenarios/a-b_c.yaml"},
    {"", "''"},
    {"a b", "'a b'"},
    {"(a=1)", "'(a=1)'"},
    {"it's", "'it'\\''s'"},
    {"$x `y` \"z\"", "'$x `y` \"z\"'"},
    {"~a", "'~a'"},
    {"#a", "'#a'"},
};

START_TEST(a_word_is_quoted_where_a_shell_would_change_it) {
    output_word(words[_i].word, &out);
    ck_assert_str_eq(out.data, words[_i].quoted);
}
END_TEST

START_TEST(a_shell_reads_a_quoted_word_as_it_was) {
    char got[64];
    buf_adds(&out, "printf '[%s]' ");
    output_word(words[_i].word, &out);
    FILE *shell = popen(out.data, "r");
    ck_assert_ptr_nonnull(shell);
    size_t len = fread(got, 1, sizeof got - 1, shell);
    got[len] = '\0';
    ck_assert_int_eq(pclose(shell), 0);
    buf_clear(&out);
    buf_addf(&out, "[%s]", words[_i].word);
    ck_assert_str_eq(got, out.data);
}
END_TEST

START_TEST(the_replay_line_names_file_seed_and_combination) {
    output_replay("build/scenario run", &runs[PASSED], &out);
    ck_assert_str_eq(out.data, "build/scenario run suite/a.yaml --seed 1");
    buf_clear(&out);
    output_replay("x run --orchestrator y", &runs[FAILED], &out);
    ck_assert_str_eq(out.data, "x run --orchestrator y 'suite/b b.yaml' --seed 2 --filter "
                               "'(host=leaf00.earth, n=5)'");
}
END_TEST

START_TEST(junit_counts_failures_errors_and_what_was_not_played) {
    output_junit(&all, &out);
    ck_assert_str_eq(
        out.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"scenarios\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" "
        "time=\"1.500\">\n"
        "    <testcase name=\"suite/a.yaml: a\" classname=\"suite\" time=\"0.250\"/>\n"
        "    <testcase name=\"suite/b b.yaml: b # TODO &lt;&#10;&gt; (host=leaf00.earth, n=5) "
        "#2\" classname=\"suite\" time=\"0.250\">\n"
        "      <failure message=\"steps[0] &amp; more\" type=\"fail\">steps[0] &amp; more&#10;"
        "  a&lt;b: ?&#10;replay: build/scenario run 'suite/b b.yaml' --seed 2 --filter "
        "'(host=leaf00.earth, n=5)'</failure>\n"
        "    </testcase>\n"
        "    <testcase name=\"c.yaml: c\" classname=\".\" time=\"0.250\">\n"
        "      <error message=\"no start\" type=\"environment\">no start&#10;replay: "
        "build/scenario run c.yaml --seed 3</error>\n"
        "    </testcase>\n"
        "    <testcase name=\"d.yaml: d\" classname=\".\" time=\"0.250\"><skipped/></testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}
END_TEST

static const struct {
    const char *text, *written;
} bytes[] = {
    {"\xc3\xa4\xf0\x9f\x98\x80", "\xc3\xa4\xf0\x9f\x98\x80"},
    {"a\x80z", "a?z"},
    {"cut \xe2\x82", "cut ??"},
    {"\xef\xbf\xbe\xef\xbf\xbf", "??"},
    {"\xc0\x80", "??"},
    {"\t\r\x7f", "??\x7f"},
    {"'\"", "'&quot;"},
};

START_TEST(junit_holds_no_byte_that_xml_does_not) {
    free(runs[LEFT].title);
    runs[LEFT].title = mem_strdup(bytes[_i].text);
    output_junit(&(struct outputs){"run", &runs[LEFT], 1, 0}, &out);
    char expected[200];
    snprintf(expected, sizeof expected, "<testcase name=\"%s\" classname", bytes[_i].written);
    ck_assert_msg(strstr(out.data, expected) != NULL, "%s: %s", expected, out.data);
}
END_TEST

START_TEST(tap_has_one_line_for_each_run_and_says_why) {
    output_tap(&all, &out);
    ck_assert_str_eq(out.data,
                     "TAP version 13\n"
                     "1..4\n"
                     "ok 1 - suite/a.yaml: a\n"
                     "not ok 2 - suite/b b.yaml: b \\# TODO < > (host=leaf00.earth, n=5) \\#2\n"
                     "# steps[0] & more\n"
                     "#   a<b: \x01\n"
                     "# replay: build/scenario run 'suite/b b.yaml' --seed 2 --filter "
                     "'(host=leaf00.earth, n=5)'\n"
                     "not ok 3 - c.yaml: c\n"
                     "# no start\n"
                     "# replay: build/scenario run c.yaml --seed 3\n"
                     "ok 4 - d.yaml: d # SKIP not played\n");
}
END_TEST

START_TEST(json_says_all_of_each_run) {
    output_json(&all, &out);
    cJSON *got = json_of(out.data);
    cJSON *expected = json_of(
        "{'seconds': 1.5, 'runs': ["
        "{'outcome': 'pass', 'text': '', 'file': 'suite/a.yaml', 'title': 'suite/a.yaml: a',"
        " 'matrix': {}, 'seed': 1, 'repetition': 1, 'seconds': 0.25},"
        "{'outcome': 'fail', 'text': 'steps[0] & more\\n  a<b: \\u0001\\n',"
        " 'file': 'suite/b b.yaml',"
        " 'title': 'suite/b b.yaml: b # TODO <\\n> (host=leaf00.earth, n=5) #2',"
        " 'matrix': {'host': 'leaf00.earth', 'n': 5}, 'seed': 2, 'repetition': 2,"
        " 'seconds': 0.25},"
        "{'outcome': 'environment', 'text': 'no start\\n', 'file': 'c.yaml',"
        " 'title': 'c.yaml: c', 'matrix': {}, 'seed': 3, 'repetition': 1, 'seconds': 0.25},"
        "{'outcome': 'not played', 'file': 'd.yaml', 'title': 'd.yaml: d', 'matrix': {},"
        " 'seed': 4, 'repetition': 1, 'seconds': 0.25}]}");
    ck_assert_msg(cJSON_Compare(got, expected, true), "%s", out.data);
    cJSON_Delete(got);
    cJSON_Delete(expected);
}
END_TEST

Suite *check_outputs(void) {
    Suite *suite = suite_create("outputs");
    TCase *tc = tcase_create("outputs");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_word_is_quoted_where_a_shell_would_change_it, 0, COUNT(words));
    tcase_add_loop_test(tc, a_shell_reads_a_quoted_word_as_it_was, 0, COUNT(words));
    tcase_add_test(tc, the_replay_line_names_file_seed_and_combination);
    tcase_add_test(tc, junit_counts_failures_errors_and_what_was_not_played);
    tcase_add_loop_test(tc, junit_holds_no_byte_that_xml_does_not, 0, COUNT(bytes));
    tcase_add_test(tc, tap_has_one_line_for_each_run_and_says_why);
    tcase_add_test(tc, json_says_all_of_each_run);
    suite_add_tcase(suite, tc);
    return suite;
}
