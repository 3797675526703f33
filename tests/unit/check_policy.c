// Policies as text, and what they make of a host that is a JSON object.
#include "common/policy.h"
#include "tests/unit/attributes.h"

Suite *check_policy(void);

static int parse(struct policy *p, const char *text, struct error *err) {
    struct yml y = {0};
    int rc = yml_parse(&y, "p.yaml", text, strlen(text), err);
    if (rc == 0 && (rc = policy_parse(p, y.root, &y, "p.yaml", err)) != 0)
        yml_place(&y, "p.yaml", err);
    yml_deinit(&y);
    return rc;
}

static struct policy policy_of(const char *text) {
    struct policy p = {0};
    struct error err;
    int rc = parse(&p, text, &err);
    ck_assert_msg(rc == 0, "%s: %s", text, err.text);
    return p;
}

// --- the groups of a host

struct found {
    const struct policy *policy;
    struct buf names, keys;
};

static void on_group(void *arg, const char *key) {
    struct found *found = arg;
    if (found->names.len > 0) buf_adds(&found->names, " ");
    if (found->keys.len > 0) buf_adds(&found->keys, "|");
    policy_write_name(found->policy, key, &found->names);
    buf_adds(&found->keys, key);
}

static int find(const struct policy *p, const char *host_text, struct found *found,
                struct error *err) {
    cJSON *object = json_of(host_text);
    struct json_host host = {&p->names, object};
    struct attributes attributes = json_attributes(&host);
    *found = (struct found){.policy = p};
    buf_reserve(&found->names, 0);
    buf_reserve(&found->keys, 0);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->count; i++)
        rc = policy_groups(p, &p->rules[i], &attributes, on_group, found, err);
    cJSON_Delete(object);
    return rc;
}

static void found_deinit(struct found *found) {
    buf_deinit(&found->names);
    buf_deinit(&found->keys);
}

static void check_names(const struct policy *p, const char *host, const char *names) {
    struct found found;
    struct error err;
    ck_assert_int_eq(find(p, host, &found, &err), 0);
    ck_assert_str_eq(found.names.len == 0 ? "" : found.names.data, names);
    found_deinit(&found);
}

START_TEST(the_default_policy_is_acmes) {
    struct policy p;
    policy_default(&p);
    check_names(&p, "{'site': 'earth', 'dev_type': 'leaf', 'rack': '131'}", "earth_leaf_131");
    check_names(&p, "{'site': 'mars', 'dev_type': 'spine', 'rack': '20'}", "mars_spine");
    check_names(&p, "{'site': 'mars', 'dev_type': 'edge', 'rack': '10'}", "mars_edge");
    check_names(&p, "{'site': 'mars', 'dev_type': 'leaf'}", "");
    check_names(&p,
                "{'site': 'mars', 'dev_type': 'leaf', 'rack': '1', 'redundancy_groups': ['wan']}",
                "wan");
    check_names(&p, "{'site': 'mars', 'dev_type': 'fw', 'redundancy_groups': ['wan', 'dmz']}",
                "wan dmz");
    ck_assert(!p.given && !p.ungrouped_allowed);
    ck_assert_uint_eq(p.count, 3);
    for (size_t i = 0; i < p.count; i++)
        ck_assert(p.rules[i].redundancy && p.rules[i].limit == 1);
    policy_deinit(&p);
}
END_TEST

static const char campus[] = "redundancy:\n"
                             "  - {group: \"{stack}\"}\n"
                             "  - {group: \"{building} dist\", match: {dev_type: dist}}\n"
                             "  - group: \"{site}/cores\"\n"
                             "    match: {dev_type: [core, 'spare-*']}\n"
                             "    max_unavailable: 2\n"
                             "    first: {role: standby}\n"
                             "throttle:\n"
                             "  - {group: \"{site}\", at_once: 10, unless: {dev_type: core}}\n"
                             "  - {group: everything, at_once: 20}\n";

START_TEST(a_host_is_in_a_group_of_each_rule_that_applies) {
    struct policy p = policy_of(campus);
    check_names(&p, "{'site': 'ams1', 'dev_type': 'acc', 'stack': 'ams1-s03'}",
                "ams1-s03 ams1 everything");
    check_names(&p, "{'site': 'ams1', 'dev_type': 'dist', 'building': 'b1'}",
                "b1 dist ams1 everything");
    check_names(&p, "{'site': 'ams1', 'dev_type': 'dist'}", "ams1 everything"); // no building
    check_names(&p, "{'site': 'ams1', 'dev_type': 'acc', 'building': 'b1'}", "ams1 everything");
    check_names(&p, "{'site': 'ams1', 'dev_type': 'core'}", "ams1/cores everything");
    check_names(&p, "{'site': 'ams1', 'dev_type': 'spare-1'}", "ams1/cores ams1 everything");
    policy_deinit(&p);
}
END_TEST

START_TEST(a_rule_is_kept_as_it_was_written) {
    struct policy p = policy_of(campus);
    struct buf told = {0};
    ck_assert(p.given);
    ck_assert_uint_eq(p.count, 5);
    ck_assert_uint_eq(p.rules[0].limit, 1);
    ck_assert_uint_eq(p.rules[2].limit, 2);
    ck_assert_uint_eq(p.rules[3].limit, 10);
    ck_assert(p.rules[2].redundancy && !p.rules[3].redundancy);
    policy_write_rule(&p, &p.rules[2], &told);
    ck_assert_str_eq(told.data, "p.yaml:4: redundancy[2] \"{site}/cores\"");
    buf_clear(&told);
    policy_write_rule(&p, &p.rules[4], &told);
    ck_assert_str_eq(told.data, "p.yaml:10: throttle[1] \"everything\"");
    ck_assert(policy_names(&p, "stack") && policy_names(&p, "role") && policy_names(&p, "site"));
    ck_assert(!policy_names(&p, "rack"));
    buf_deinit(&told);
    policy_deinit(&p);
}
END_TEST

START_TEST(a_list_gives_a_group_for_each_element_and_two_lists_for_each_pair) {
    struct policy p = policy_of("redundancy: [{group: \"{feeds}-{halls}\"}]");
    check_names(&p, "{'feeds': ['a', 'b'], 'halls': '1'}", "a-1 b-1");
    check_names(&p, "{'feeds': ['a', 'b'], 'halls': ['1', '2']}", "a-1 a-2 b-1 b-2");
    check_names(&p, "{'feeds': [], 'halls': ['1', '2']}", "");
    policy_deinit(&p);
}
END_TEST

START_TEST(groups_whose_names_coincide_have_keys_of_their_own) {
    struct policy p =
        policy_of("redundancy: [{group: \"{a}_{b}\"}, {group: \"{b}_{a}\"}, {group: \"{a}{b}\"}]");
    static const char *const hosts[] = {
        "{'a': 'x_y', 'b': 'z'}",  "{'a': 'x', 'b': 'y_z'}",  "{'a': 'y_z', 'b': 'x'}",
        "{'a': 'x1:y', 'b': 'z'}", "{'a': 'x', 'b': '1:yz'}", "{'a': 'x 1', 'b': '1'}",
    };
    struct strmap keys = {0};
    struct found found[COUNT(hosts)];
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct error err;
        ck_assert_int_eq(find(&p, hosts[i], &found[i], &err), 0);
        for (char *key = strtok(found[i].keys.data, "|"); key != NULL; key = strtok(NULL, "|"))
            ck_assert_msg(strmap_put(&keys, key, key) == NULL, "%s: %s", hosts[i], key);
    }
    ck_assert_uint_eq(keys.count, COUNT(hosts) * 3);
    for (size_t i = 0; i < COUNT(hosts); i++)
        found_deinit(&found[i]);
    strmap_deinit(&keys);
    policy_deinit(&p);
}
END_TEST

START_TEST(the_same_values_have_the_same_key) {
    struct policy p = policy_of("redundancy: [{group: \"{a}_{b}\"}]");
    struct found one, other;
    struct error err;
    ck_assert_int_eq(find(&p, "{'a': 'x', 'b': 'y', 'c': '1'}", &one, &err), 0);
    ck_assert_int_eq(find(&p, "{'b': 'y', 'a': 'x'}", &other, &err), 0);
    ck_assert_str_eq(one.keys.data, other.keys.data);
    found_deinit(&one);
    found_deinit(&other);
    policy_deinit(&p);
}
END_TEST

START_TEST(what_cannot_name_a_group_is_an_error) {
    static const struct {
        const char *host, *said;
    } cases[] = {
        {"{'a': 'x\\ny'}", "a: 'x\ny' cannot name a group: it holds a control character"},
        {"{'a': '{{ stack }}'}", "a: '{{ stack }}' cannot name a group: {{ is not filled in"},
    };
    struct policy p = policy_of("redundancy: [{group: \"{a}\"}]");
    struct found found;
    struct error err;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_int_eq(find(&p, cases[i].host, &found, &err), ERROR_INPUT);
        ck_assert_str_eq(err.text, cases[i].said);
        ck_assert_uint_eq(found.keys.len, 0);
        found_deinit(&found);
    }
    struct buf host = {0};
    buf_addf(&host, "{'a': '%0256d'}", 0);
    ck_assert_int_eq(find(&p, host.data, &found, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot name a group: it is longer than 255 bytes"));
    found_deinit(&found);
    buf_clear(&host);
    buf_addf(&host, "{'a': '%0255d'}", 0);
    ck_assert_int_eq(find(&p, host.data, &found, &err), 0);
    found_deinit(&found);
    buf_deinit(&host);
    policy_deinit(&p);
}
END_TEST

START_TEST(a_host_has_no_more_groups_by_a_rule_than_is_said) {
    static const char sixteen[] = "['1','2','3','4','5','6','7','8','9','10','11','12','13',"
                                  "'14','15','16']",
                      seventeen[] = "['1','2','3','4','5','6','7','8','9','10','11','12','13',"
                                    "'14','15','16','17']";
    struct policy p = policy_of("redundancy: [{group: \"{a} {b}\"}]");
    struct buf host = {0};
    struct found found;
    struct error err;
    buf_addf(&host, "{'a': %s, 'b': %s}", sixteen, sixteen);
    ck_assert_int_eq(find(&p, host.data, &found, &err), 0);
    found_deinit(&found);
    buf_clear(&host);
    buf_addf(&host, "{'a': %s, 'b': %s}", sixteen, seventeen);
    ck_assert_int_eq(find(&p, host.data, &found, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "more than 256 groups of one host");
    found_deinit(&found);
    buf_deinit(&host);
    policy_deinit(&p);
}
END_TEST

START_TEST(a_host_that_no_rule_takes_is_told_what_it_lacks) {
    struct policy p = policy_of(campus);
    cJSON *object = json_of("{'dev_type': 'dist', 'site': 'ams1'}");
    struct json_host host = {&p.names, object};
    struct attributes attributes = json_attributes(&host);
    ck_assert_str_eq(policy_lacking(&p, &p.rules[0], &attributes), "stack");
    ck_assert(policy_wants(&p.rules[0], &attributes));
    ck_assert_str_eq(policy_lacking(&p, &p.rules[1], &attributes), "building");
    ck_assert_ptr_null(policy_lacking(&p, &p.rules[2], &attributes));
    ck_assert(!policy_wants(&p.rules[2], &attributes));
    cJSON_Delete(object);
    policy_deinit(&p);
}
END_TEST

START_TEST(first_holds_for_those_that_it_names) {
    struct policy p = policy_of("redundancy:\n"
                                "  - {group: \"{a}\", first: {role: standby}}\n"
                                "  - {group: \"{a}\"}\n");
    cJSON *object = json_of("{'a': 'x', 'role': 'standby'}"), *other = json_of("{'a': 'x'}");
    struct json_host host = {&p.names, object};
    struct attributes attributes = json_attributes(&host);
    ck_assert(policy_goes_first(&p.rules[0], &attributes));
    ck_assert(!policy_goes_first(&p.rules[1], &attributes));
    host.object = other;
    ck_assert(!policy_goes_first(&p.rules[0], &attributes));
    cJSON_Delete(object);
    cJSON_Delete(other);
    policy_deinit(&p);
}
END_TEST

// --- what is refused

static const struct {
    const char *text, *said;
} wrong[] = {
    {"[]", "p.yaml:1:1: expected an object, not an array"},
    {"{}", "p.yaml:1:1: redundancy: no rule: no host would be in a group; or say `ungrouped: "
           "allow`"},
    {"redundancy: []", "p.yaml:1:1: redundancy: no rule"},
    {"throttle: [{group: a, at_once: 1}]", "p.yaml:1:1: redundancy: no rule"},
    {"redundency: []", "p.yaml:1:13: redundency: unknown field; did you mean redundancy?"},
    {"throttles: []", "p.yaml:1:12: throttles: unknown field; did you mean throttle?"},
    {"redundancy: {}", "p.yaml:1:13: redundancy: expected an array of 64 rules at most"},
    {"redundancy: [a]", "p.yaml:1:14: redundancy[0]: expected an object, not a string"},
    {"redundancy: [{}]", "p.yaml:1:14: redundancy[0].group: missing"},
    {"redundancy:\n- group: {site}", "p.yaml:2:10: redundancy[0].group: expected a text; put it "
                                     "in quotes, or YAML takes {} for an object"},
    {"redundancy: [{group: 5}]", "redundancy[0].group: expected a string, not a number"},
    {"redundancy: [{group: ''}]", "redundancy[0].group: expected a text of 1 to 255 bytes"},
    {"redundancy: [{group: '{site'}]",
     "p.yaml:1:22: redundancy[0].group: '{site': a { without its }"},
    {"redundancy: [{group: 'site}'}]", "redundancy[0].group: 'site}': a } without its {"},
    {"redundancy: [{group: '{{site}}'}]", "redundancy[0].group: '{{site}}': a { without its }"},
    {"redundancy: [{group: '{}'}]", "redundancy[0].group: the name of an attribute is empty"},
    {"redundancy: [{group: \"a\\nb\"}]", "it holds a control character"},
    {"redundancy: [{groups: a}]", "redundancy[0].groups: unknown field; did you mean group?"},
    {"redundancy: [{group: a, matches: {}}]", "unknown field; did you mean match?"},
    {"redundancy: [{group: a, at_once: 2}]", "redundancy[0].at_once: unknown field"},
    {"redundancy: [{group: a, max_unavailable: 0}]",
     "redundancy[0].max_unavailable: expected a whole number from 1 to 1000000, not 0"},
    {"redundancy: [{group: a, max_unavailable: '2'}]", "expected a whole number, not a string"},
    {"redundancy: [{group: a, max_unavailable: 1.5}]", "expected a whole number from 1"},
    {"redundancy: [{group: a, match: leaf}]",
     "redundancy[0].match: expected an object, not a string"},
    {"redundancy: [{group: a, match: {dev_type: true}}]",
     "p.yaml:1:43: redundancy[0].match.dev_type: expected a text or a number, not a boolean"},
    {"redundancy: [{group: a, unless: {rack: []}}]",
     "redundancy[0].unless.rack: expected 1 to 1000 values, not 0"},
    {"redundancy: [{group: a, first: {}}]", "redundancy[0].first: expected at least one attribute"},
    {"ungrouped: allow\nthrottle: [{group: a}]", "throttle[0].at_once: missing"},
    {"ungrouped: allow\nthrottle: [{group: a, at_once: 1, max_unavailable: 1}]",
     "throttle[0].max_unavailable: unknown field"},
    {"ungrouped: allow\nthrottle: [{group: a, at_once: 1, first: {a: b}}]",
     "throttle[0].first: unknown field"},
    {"ungrouped: yes", "p.yaml:1:12: ungrouped: 'yes' is unknown; only allow is"},
    {"ungrouped: true", "ungrouped: expected a string, not a boolean"},
};

START_TEST(a_mistake_is_told_with_line_column_and_remedy) {
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct policy p = {0};
        struct error err;
        ck_assert_msg(parse(&p, wrong[i].text, &err) == ERROR_INPUT, "%s was taken", wrong[i].text);
        ck_assert_msg(strstr(err.text, wrong[i].said) != NULL, "%s: %s", wrong[i].text, err.text);
        ck_assert_ptr_null(p.rules);
    }
}
END_TEST

static int parse_rules(int rules, int template_len, int places, int limit) {
    struct buf text = {0};
    struct policy p = {0};
    struct error err;
    buf_adds(&text, "redundancy:\n");
    for (int i = 0; i < rules; i++) {
        buf_addf(&text, "- {max_unavailable: %d, group: '%0*d", limit, template_len, 0);
        for (int place = 0; place < places; place++)
            buf_addf(&text, "{a%d}", place);
        buf_adds(&text, "'}\n");
    }
    int rc = parse(&p, text.data, &err);
    policy_deinit(&p);
    buf_deinit(&text);
    return rc;
}

START_TEST(every_limit_is_where_it_is_said_to_be) {
    ck_assert_int_eq(parse_rules(POLICY_RULES_MAX, 1, 0, 1), 0);
    ck_assert_int_eq(parse_rules(POLICY_RULES_MAX + 1, 1, 0, 1), ERROR_INPUT);
    ck_assert_int_eq(parse_rules(1, POLICY_TEMPLATE_MAX, 0, 1), 0);
    ck_assert_int_eq(parse_rules(1, POLICY_TEMPLATE_MAX + 1, 0, 1), ERROR_INPUT);
    ck_assert_int_eq(parse_rules(1, 1, POLICY_PLACES_MAX, 1), 0);
    ck_assert_int_eq(parse_rules(1, 1, POLICY_PLACES_MAX + 1, 1), ERROR_INPUT);
    ck_assert_int_eq(parse_rules(1, 1, 0, POLICY_LIMIT_MAX), 0);
    ck_assert_int_eq(parse_rules(1, 1, 0, POLICY_LIMIT_MAX + 1), ERROR_INPUT);
}
END_TEST

START_TEST(throttles_alone_will_do_where_ungrouped_hosts_are_allowed) {
    struct policy p = policy_of("{ungrouped: allow, throttle: [{group: all, at_once: 3}]}");
    ck_assert(p.ungrouped_allowed);
    ck_assert_uint_eq(p.count, 1);
    policy_deinit(&p);
    p = policy_of("ungrouped: allow");
    ck_assert_uint_eq(p.count, 0);
    policy_deinit(&p);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named) {
    struct policy p;
    struct error err;
    ck_assert_int_lt(policy_load(&p, "/nonexistent/policy.yaml", &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/policy.yaml"));
}
END_TEST

Suite *check_policy(void) {
    Suite *suite = suite_create("policy");
    TCase *tcase = tcase_create("policy");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, the_default_policy_is_acmes);
    tcase_add_test(tcase, a_host_is_in_a_group_of_each_rule_that_applies);
    tcase_add_test(tcase, a_rule_is_kept_as_it_was_written);
    tcase_add_test(tcase, a_list_gives_a_group_for_each_element_and_two_lists_for_each_pair);
    tcase_add_test(tcase, groups_whose_names_coincide_have_keys_of_their_own);
    tcase_add_test(tcase, the_same_values_have_the_same_key);
    tcase_add_test(tcase, what_cannot_name_a_group_is_an_error);
    tcase_add_test(tcase, a_host_has_no_more_groups_by_a_rule_than_is_said);
    tcase_add_test(tcase, a_host_that_no_rule_takes_is_told_what_it_lacks);
    tcase_add_test(tcase, first_holds_for_those_that_it_names);
    tcase_add_test(tcase, a_mistake_is_told_with_line_column_and_remedy);
    tcase_add_test(tcase, every_limit_is_where_it_is_said_to_be);
    tcase_add_test(tcase, throttles_alone_will_do_where_ungrouped_hosts_are_allowed);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_named);
    return suite;
}
