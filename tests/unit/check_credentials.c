#include "common/file.h"
#include "orchestrator/credentials.h"
#include "tests/unit/applied.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_credentials(void);

static struct credentials_file file_of(const char *text) {
    struct credentials_file file;
    struct error err;
    int rc = credentials_parse(&file, "c.yaml", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return file;
}

static const char *told(struct credentials c) {
    static char text[200];
    snprintf(text, sizeof text, "%s:%s", c.username == NULL ? "-" : c.username,
             c.password == NULL ? "-" : c.password);
    return text;
}

// --- the choice

static const char levels[] = "hosts:\n"
                             "  'leaf*': {username: glob, password: glob}\n"
                             "  leaf00.earth: {password: exact}\n"
                             "  '*.mars': {username: late, password: late}\n"
                             "  '*[5-9].mars': {username: later}\n"
                             "groups:\n"
                             "  second: {username: second, password: second}\n"
                             "  first: {password: first}\n"
                             "sites:\n"
                             "  earth: {username: site, password: site}\n"
                             "  venus: {username: venus}\n";

static const struct {
    const char *host, *own_username, *own_password, *groups[2], *site, *expected;
} choices[] = {
    {"leaf00.earth", NULL, NULL, {0}, "earth", "glob:exact"}, // though the glob stands before it
    {"leaf00.earth", NULL, "own", {0}, "earth", "glob:own"},
    {"leaf00.earth", "own", NULL, {0}, "earth", "own:exact"},
    {"leaf01.earth", NULL, NULL, {0}, "earth", "glob:glob"},
    {"leaf07.mars", NULL, NULL, {0}, "mars", "glob:glob"}, // the first that matches
    {"edge07.mars", NULL, NULL, {0}, "mars", "late:late"},
    {"edge00.earth", NULL, NULL, {"second", NULL}, "earth", "second:second"},
    {"edge00.earth", NULL, NULL, {"first", NULL}, "earth", "site:first"},
    {"edge00.earth", NULL, NULL, {"first", "second"}, "earth", "second:second"}, // file's order
    {"edge00.earth", NULL, NULL, {"other", NULL}, "earth", "site:site"},
    {"edge00.venus", NULL, NULL, {0}, "venus", "venus:-"},
    {"edge00.pluto", NULL, NULL, {0}, "pluto", "-:-"},
    {"edge00", NULL, NULL, {0}, "", "-:-"},
};

START_TEST(each_of_both_comes_from_the_first_that_says_it) {
    struct credentials_file file = file_of(levels);
    const char *groups[2] = {choices[_i].groups[0], choices[_i].groups[1]};
    const struct names names = {groups, groups[0] == NULL ? 0 : groups[1] == NULL ? 1 : 2};
    const struct credentials own = {choices[_i].own_username, choices[_i].own_password};
    ck_assert_str_eq(
        told(credentials_choose(&file, own, choices[_i].host, &names, choices[_i].site)),
        choices[_i].expected);
    credentials_deinit(&file);
}
END_TEST

#define NETWORK                                                                                    \
    "{'earth': {" HOST("leaf00.earth", "leaf", "1") ", " HOST(                                     \
        "leaf01.earth", "leaf",                                                                    \
        "1") ", " HOST("spine00.earth", "spine",                                                   \
                       "2") ", 'own': {'platform': 'acmeos', 'dev_type': 'leaf', "                 \
                            "'rack': '7', 'hostname': 'a', 'port': 1, 'username': 'u', "           \
                            "'password': 'p', "                                                    \
                            "'redundancy_groups': ['wan']}}}"

START_TEST(groups_go_by_the_names_that_the_policy_gives) {
    struct inventory *inventory = inventory_of(NETWORK);
    struct policy policy;
    struct credentials_file file = file_of("groups: {earth_leaf_1: {password: rack}, earth_spine: "
                                           "{username: spine}, wan: {password: wan}}");
    policy_default(&policy);
    ck_assert_str_eq(told(credentials_of(&file, &policy, inventory, 0)), "-:rack");
    ck_assert_str_eq(told(credentials_of(&file, &policy, inventory, 1)), "-:rack");
    ck_assert_str_eq(told(credentials_of(&file, &policy, inventory, 2)), "spine:-");
    ck_assert_str_eq(told(credentials_of(&file, &policy, inventory, 3)), "u:p");
    ck_assert_str_eq(told(credentials_of(NULL, &policy, inventory, 3)), "u:p");
    ck_assert_str_eq(told(credentials_of(NULL, &policy, inventory, 0)), "-:-");
    policy_deinit(&policy);
    credentials_deinit(&file);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_throttle_is_no_redundancy_group) {
    struct inventory *inventory = inventory_of(NETWORK);
    struct policy policy = policy_of("{redundancy: [{group: \"{dev_type}\"}], throttle: [{group: "
                                     "\"at {site}\", at_once: 2}]}");
    struct credentials_file file =
        file_of("groups: {at earth: {password: throttle}, leaf: {username: leaf}}");
    ck_assert_str_eq(told(credentials_of(&file, &policy, inventory, 0)), "leaf:-");
    policy_deinit(&policy);
    credentials_deinit(&file);
    inventory_unref(inventory);
}
END_TEST

// --- the file

static const struct {
    const char *text, *why;
} wrong[] = {
    {"[]", "c.yaml:1:1: expected an object, not an array"},
    {"host: {}", "c.yaml:1:7: host: unknown field; did you mean hosts?"},
    {"hosts: {leaf: {password: a, password: b}}", "c.yaml:1:29: password: given twice"},
    {"hosts: {leaf: {password: a}, leaf: {password: b}}", "c.yaml:1:30: leaf: given twice"},
    {"hosts: {leaf: hidden}", "c.yaml:1:15: hosts.leaf: expected an object, not a string"},
    {"hosts: {leaf: {}}", "c.yaml:1:15: hosts.leaf: expected username, password, or both"},
    {"hosts: {leaf: {pasword: hidden}}",
     "c.yaml:1:25: hosts.leaf.pasword: unknown field; did you mean password?"},
    {"hosts: {leaf: {password: 7175}}",
     "c.yaml:1:26: hosts.leaf.password: expected a text, not a number: put it in quotes"},
    {"sites: {earth: {username: null}}",
     "c.yaml:1:27: sites.earth.username: expected a text, not null"},
    {"sites: {earth: {username: ''}}", "c.yaml:1:27: sites.earth.username: it is empty"},
    {"groups: {'': {username: a}}", "c.yaml:1:14: groups: the name is empty"},
    {"hosts: {a b: {username: a}}",
     "c.yaml:1:14: hosts.a b: the name holds a space or a control character"},
    {"hosts: {leaf: {password: &hidden a}, spine: {password: &hidden b}}",
     "c.yaml:1:56: an anchor is defined twice"},
    {"hosts: {leaf: {password: *hidden}}", "c.yaml:1:26: alias of an unknown anchor"},
    {"hosts: {leaf: {password: !hidden x}}",
     "c.yaml:1:26: tags are not supported: quote a value to make it text"},
};

START_TEST(a_mistake_is_told_with_its_place_and_without_the_value) {
    struct credentials_file file;
    struct error err;
    const char *text = wrong[_i].text;
    ck_assert_int_eq(credentials_parse(&file, "c.yaml", text, strlen(text), &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, wrong[_i].why);
    ck_assert_ptr_null(strstr(err.text, "hidden"));
}
END_TEST

START_TEST(globs_are_bounded) {
    struct buf text = {0};
    struct credentials_file file;
    struct error err;
    buf_adds(&text, "hosts:\n");
    for (int i = 0; i <= CREDENTIALS_GLOBS_MAX; i++)
        buf_addf(&text, "  'leaf%d*': {password: x}\n", i);
    ck_assert_int_eq(credentials_parse(&file, "c.yaml", text.data, text.len, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "c.yaml:1002:16: hosts.leaf1000*: more than 1000 globs");
    buf_deinit(&text);
}
END_TEST

START_TEST(a_file_that_others_may_read_is_refused) {
    char path[] = "/tmp/check_credentials_XXXXXX", expected[200];
    static const char text[] = "sites: {earth: {password: p}}";
    struct credentials_file file;
    struct error err;
    const int fd = mkstemp(path);
    ck_assert_int_eq((int)write(fd, text, sizeof text - 1), (int)sizeof text - 1);
    ck_assert_int_eq(fchmod(fd, 0640), 0);
    ck_assert_int_eq(credentials_load(&file, path, &err), ERROR_INPUT);
    snprintf(expected, sizeof expected, "%s: others may read it: chmod 600 %s", path, path);
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(fchmod(fd, 0600), 0);
    ck_assert_int_eq(credentials_load(&file, path, &err), 0);
    credentials_deinit(&file);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(the_example_is_right) {
    struct buf text = {0};
    struct error err;
    ck_assert_int_eq(file_read("spec/examples/credentials.yaml", &text, &err), 0);
    struct credentials_file file = file_of(text.data);
    const struct names none = {0};
    ck_assert_str_eq(
        told(credentials_choose(&file, (struct credentials){0}, "spine00.mars", &none, "mars")),
        "netops:of all spines");
    credentials_deinit(&file);
    buf_deinit(&text);
}
END_TEST

Suite *check_credentials(void) {
    Suite *suite = suite_create("credentials");
    TCase *tc = tcase_create("credentials");
    tcase_add_loop_test(tc, each_of_both_comes_from_the_first_that_says_it, 0, COUNT(choices));
    tcase_add_test(tc, groups_go_by_the_names_that_the_policy_gives);
    tcase_add_test(tc, a_throttle_is_no_redundancy_group);
    tcase_add_loop_test(tc, a_mistake_is_told_with_its_place_and_without_the_value, 0,
                        COUNT(wrong));
    tcase_add_test(tc, globs_are_bounded);
    tcase_add_test(tc, a_file_that_others_may_read_is_refused);
    tcase_add_test(tc, the_example_is_right);
    suite_add_tcase(suite, tc);
    return suite;
}
