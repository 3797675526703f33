#include "scenarios/runner/setup.h"

#include "tests/unit/support.h"

#include <check.h>
#include <string.h>

Suite *check_setup(void);

// What is told of a scenario in tests/unit/, so that files are looked for there.
static void assert_told(const char *text, bool with_files, const char *told) {
    struct yml y = {0};
    struct findings found = {0};
    struct error err;
    struct buf all = {0};
    ck_assert_int_eq(yml_parse(&y, "y.yaml", text, strlen(text), &err), 0);
    setup_check(&y, "tests/unit/y.yaml", with_files, &found);
    buf_adds(&all, "");
    for (size_t i = 0; i < found.count; i++) {
        yml_place(&y, "y.yaml", &found.list[i]);
        buf_addf(&all, "%s\n", found.list[i].text);
    }
    ck_assert_str_eq(all.data, told);
    buf_deinit(&all);
    yml_deinit(&y);
}

#define SITES "network: {sites: [a], dev_types: {leaf: {count: 4, feed: 'f{n%2}'}}}\n"

static const struct {
    const char *text, *told;
} written[] = {
    {"name: x\n", ""},
    {SITES "policy: {redundancy: [{group: '{site} {feed}', max_unavailable: 2}]}\n", ""},
    {"policy: {redundancy: [{group: '{site} {dev_type}'}]}\n", ""}, // over ACME's network
    {SITES "policy:\n  redundancy:\n  - {group: '{feed'}\n",
     "y.yaml:4:13: policy.redundancy[0].group: '{feed': a { without its }\n"},
    {SITES "policy: {redundancy: [{group: x}], throttle: [{group: x, at_onse: 1}]}\n",
     "y.yaml:2:67: policy.throttle[0].at_onse: unknown field; did you mean at_once?\n"},
    {SITES "policy: {throttle: [{group: x, at_once: 1}]}\n",
     "y.yaml:2:9: policy.redundancy: no rule: no host would be in a group; or say `ungrouped: "
     "allow`\n"},
    // a rule for nobody, in this network or in ACME's
    {SITES "policy: {redundancy: [{group: '{site}'}, {group: 'feed {fed}'}]}\n",
     "y.yaml:2:9: policy: redundancy[1] \"feed {fed}\": it applies to no device\n"},
    {"policy: {redundancy: [{group: '{mlag}'}]}\n",
     "y.yaml:1:9: policy: redundancy[0] \"{mlag}\": it applies to no device\n"},
    // all that is wrong is told, and what depends on it is not
    {"network: {sites: [a], latncy: 0}\npolicy: {redundancy: [{grup: '{fed}'}]}\n",
     "y.yaml:1:31: network.latncy: unknown field; did you mean latency?\n"
     "y.yaml:2:30: policy.redundancy[0].grup: unknown field; did you mean group?\n"},
    {"network: {sites: [a], latncy: 0}\npolicy: {redundancy: [{group: '{fed}'}]}\n",
     "y.yaml:1:31: network.latncy: unknown field; did you mean latency?\n"},
    // the policy that both get goes before that of the network
    {"network: {sites: [a], dev_types: {leaf: {count: 4}}, policy: {redundancy: [{group: "
     "'{site}'}]}}\npolicy: {redundancy: [{group: '{fed}'}]}\n",
     "y.yaml:2:9: policy: redundancy[0] \"{fed}\": it applies to no device\n"},
    // what the orchestrator alone is given may be wrong for this network, but not in itself
    {SITES "orchestrator: {policy: {redundancy: [{group: '{fed}'}]}}\n", ""},
    {SITES "orchestrator: {policy: {redundancy: [{group: ''}]}}\n",
     "y.yaml:2:46: orchestrator.policy.redundancy[0].group: expected a text of 1 to 255 bytes\n"},
    // known when it is played
    {SITES "policy: {redundancy: [{group: '${fed}'}]}\n", ""},
    {"network: {sites: ['${a}']}\npolicy: {redundancy: [{group: '{fed}'}]}\n", ""},
};

START_TEST(what_is_written_in_the_scenario_is_checked) {
    assert_told(written[_i].text, true, written[_i].told);
    assert_told(written[_i].text, false, written[_i].told);
}
END_TEST

#define EXAMPLES "../../spec/examples/"

static const struct {
    const char *text, *told;
} files[] = {
    {"network: " EXAMPLES "wan/network.yaml\npolicy: " EXAMPLES "wan/policy.yaml\n", ""},
    {"network: {inventory: " EXAMPLES "wan}\npolicy: " EXAMPLES "wan/policy.yaml\n", ""},
    {"network: {inventory: " EXAMPLES "campus/inventory.json}\n"
     "policy: " EXAMPLES "campus/policy.yaml\n",
     ""},
    {"network: " EXAMPLES "wan/network.yaml\npolicy: none.yaml\n",
     "y.yaml:2:9: policy: tests/unit/none.yaml: No such file or directory\n"},
    {"network: {inventory: none.json}\n",
     "y.yaml:1:22: network.inventory: tests/unit/none.json: No such file or directory\n"},
    {"network: " EXAMPLES "wan/network.yaml\npolicy: " EXAMPLES "wan/network.yaml\n",
     "y.yaml:2:9: policy: tests/unit/" EXAMPLES "wan/network.yaml:3:12: inventory: unknown "
     "field\n"},
    {"network: " EXAMPLES "wan/network.yaml\npolicy: " EXAMPLES "campus/policy.yaml\n",
     "y.yaml:2:9: policy: tests/unit/" EXAMPLES "campus/policy.yaml:3: redundancy[0] \"stack "
     "{stack}\": it applies to no device\n"},
    {"orchestrator: {policy: " EXAMPLES "wan/network.yaml}\n",
     "y.yaml:1:24: orchestrator.policy: tests/unit/" EXAMPLES "wan/network.yaml:3:12: inventory: "
     "unknown field\n"},
};

START_TEST(what_stands_in_files_is_checked_where_they_may_be_read) {
    assert_told(files[_i].text, true, files[_i].told);
    assert_told(files[_i].text, false, "");
}
END_TEST

Suite *check_setup(void) {
    Suite *suite = suite_create("setup");
    TCase *tc = tcase_create("setup");
    tcase_add_loop_test(tc, what_is_written_in_the_scenario_is_checked, 0, COUNT(written));
    tcase_add_loop_test(tc, what_stands_in_files_is_checked_where_they_may_be_read, 0,
                        COUNT(files));
    suite_add_tcase(suite, tc);
    return suite;
}
