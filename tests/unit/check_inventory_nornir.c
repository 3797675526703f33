// Nornir's inheritance, in documents written as JSON.
#include "common/inventory_nornir.h"
#include "tests/unit/inventories.h"

Suite *check_inventory_nornir(void);

static int parse(const char *hosts, const char *groups, const char *defaults,
                 struct inventory **out, struct error *err) {
    cJSON *h = json_of(hosts), *g = groups == NULL ? NULL : json_of(groups),
          *d = defaults == NULL ? NULL : json_of(defaults);
    int rc = inventory_parse_folder(&(struct inventory_nornir){h, g, d}, false, out, err);
    cJSON_Delete(h);
    cJSON_Delete(g);
    cJSON_Delete(d);
    return rc;
}

static struct inventory *folder_of(const char *hosts, const char *groups, const char *defaults) {
    struct inventory *inventory = NULL;
    struct error err;
    int rc = parse(hosts, groups, defaults, &inventory, &err);
    ck_assert_msg(rc == 0, "%s: %s", hosts, err.text);
    return inventory;
}

#define DEFAULTS                                                                                   \
    "{'platform': 'acmeos', 'port': 8300, 'hostname': 'd', 'data': {'site': 's', 'dev_type': "     \
    "'t'}}"

START_TEST(what_comes_first_holds_host_then_groups_in_depth_then_defaults) {
    struct inventory *inventory = folder_of(
        "{'h': {'groups': ['a', 'b'], 'data': {'own': 'h'}}, 'bare': {}, 'null': null}",
        "{'a': {'groups': ['a1'], 'data': {'own': 'a', 'second': 'a'}},"
        " 'a1': {'port': 1001, 'data': {'second': 'a1', 'third': 'a1'}},"
        " 'b': {'port': 1002, 'platform': 'other', 'data': {'third': 'b', 'fourth': 'b'}}}",
        "{'platform': 'acmeos', 'port': 1003, 'hostname': 'd', 'data': {'site': 's', 'dev_type': "
        "'t', 'fourth': 'd', 'fifth': 'd'}}");
    ck_assert_uint_eq(inventory->count, 3);
    assert_values(inventory, 0, "own", "h");
    assert_values(inventory, 0, "second", "a");
    assert_values(inventory, 0, "third", "a1"); // of a's own groups, before b
    assert_values(inventory, 0, "fourth", "b");
    assert_values(inventory, 0, "fifth", "d");
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[0]), "other");
    for (size_t i = 1; i < 3; i++) {
        ck_assert_uint_eq(inventory->hosts[i].port, 1003);
        ck_assert_str_eq(inventory->hosts[i].address, "d");
        assert_values(inventory, i, "fourth", "d");
        assert_values(inventory, i, "own", "");
    }
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_port_of_a_group_in_a_group_holds_before_the_next_group) {
    struct inventory *inventory =
        folder_of("{'h': {'groups': ['a', 'b']}}",
                  "{'a': {'groups': ['a1']}, 'a1': {'port': 1001}, 'b': {'port': 1002}}", DEFAULTS);
    ck_assert_uint_eq(inventory->hosts[0].port, 1001);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_null_at_the_top_is_none_and_one_in_data_is_a_value) {
    struct inventory *inventory =
        folder_of("{'h': {'port': null, 'hostname': null, 'groups': ['a'], 'data': {'x': null, "
                  "'redundancy_groups': null}}}",
                  "{'a': {'port': 7, 'data': {'x': 'a', 'redundancy_groups': ['wan']}}}", DEFAULTS);
    ck_assert_uint_eq(inventory->hosts[0].port, 7);
    ck_assert_str_eq(inventory->hosts[0].address, "d");
    assert_values(inventory, 0, "x", "nobody has it");
    assert_values(inventory, 0, "redundancy_groups", "nobody has it");
    inventory_unref(inventory);
}
END_TEST

START_TEST(credentials_are_inherited_each_for_itself) {
    struct inventory *inventory =
        folder_of("{'own': {'username': 'h', 'password': 'hh', 'groups': ['a']},"
                  " 'half': {'password': 'hh', 'groups': ['a']},"
                  " 'group': {'username': null, 'password': null, 'groups': ['a']},"
                  " 'none': {'data': {'username': 'x', 'password': 'y'}},"
                  " 'fw': {'platform': 'panos', 'password': 17}}",
                  "{'a': {'username': 'a', 'groups': ['b']}, 'b': {'username': 'b'}}",
                  "{'platform': 'acmeos', 'port': 8300, 'hostname': 'd', 'password': 'dd', 'data': "
                  "{'site': 's', 'dev_type': 't'}}");
    ck_assert_str_eq(login_of(inventory, 0), "h:hh");
    ck_assert_str_eq(login_of(inventory, 1), "a:hh");
    ck_assert_str_eq(login_of(inventory, 2), "a:dd");
    ck_assert_str_eq(login_of(inventory, 3), "-:dd");
    ck_assert_str_eq(login_of(inventory, 4), "-:-"); // nobody logs in to it
    assert_values(inventory, 3, "password", "nobody has it");
    assert_values(inventory, 3, "username", "nobody has it");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_group_that_comes_twice_counts_where_it_comes_first) {
    struct inventory *inventory = folder_of(
        "{'h': {'groups': ['a', 'b']}}",
        "{'a': {'groups': ['c']}, 'b': {'groups': ['c'], 'data': {'x': 'b'}}, 'c': {'data': {'x': "
        "'c'}}}",
        DEFAULTS);
    assert_values(inventory, 0, "x", "c");
    inventory_unref(inventory);
}
END_TEST

START_TEST(numbers_are_texts_and_lists_are_lists) {
    struct inventory *inventory =
        folder_of("{'h': {'data': {'rack': 100, 'site': 7, 'mlag': 12, 'feeds': ['a', 'b']}}}",
                  NULL, DEFAULTS);
    ck_assert_str_eq(inventory->hosts[0].rack, "100");
    ck_assert_str_eq(inventory_site(inventory, &inventory->hosts[0]), "7");
    assert_values(inventory, 0, "mlag", "12");
    assert_values(inventory, 0, "feeds", "a,b");
    inventory_unref(inventory);
}
END_TEST

START_TEST(tls_and_epochs_are_inherited_and_a_null_takes_them_back) {
    struct inventory *inventory = folder_of(
        "{'own': {'data': {'tls': true, 'epochs': false}}, 'groups': {'groups': ['secure']}, "
        "'not': {'groups': ['secure'], 'data': {'tls': false}}, 'null': {'groups': ['secure'], "
        "'data': {'tls': null, 'epochs': null}}, 'none': {}}",
        "{'secure': {'data': {'tls': true, 'epochs': true}}}", DEFAULTS);
    static const bool tls[] = {true, true, false, false, false};
    static const bool epochs[] = {false, true, true, false, false};
    for (size_t i = 0; i < COUNT(tls); i++) {
        ck_assert_msg(inventory->hosts[i].tls == tls[i], "%s", inventory->hosts[i].name);
        ck_assert_msg(inventory->hosts[i].epochs == epochs[i], "%s", inventory->hosts[i].name);
    }
    assert_values(inventory, 0, "tls", "nobody has it");
    assert_values(inventory, 1, "epochs", "nobody has it");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_hosts_file_alone_is_known_by_its_shape) {
    struct inventory *inventory = inventory_of(
        "{'h': {'hostname': 'x', 'port': 1, 'platform': 'acmeos', 'data': {'site': 's', "
        "'dev_type': 't'}}}");
    ck_assert_uint_eq(inventory->count, 1);
    ck_assert_str_eq(inventory->hosts[0].name, "h");
    ck_assert_str_eq(inventory_site(inventory, &inventory->hosts[0]), "s");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_of_another_platform_needs_nothing_else) {
    struct inventory *inventory = folder_of(
        "{'fw': {'platform': 'panos', 'port': 'none'}, 'x': {'data': {'site': 's'}}}", NULL, NULL);
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[0]), "panos");
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[1]), "unknown");
    inventory_unref(inventory);
}
END_TEST

static const struct {
    const char *hosts, *groups, *defaults, *said;
} wrong[] = {
    {"[]", NULL, NULL, "expected an object, not an array"},
    {"{'h': 1}", NULL, NULL, "h: expected an object, not a number"},
    {"{'a b': {}}", NULL, DEFAULTS, "a b: the host's name holds a space"},
    {"{'h': {'platform': 'acmeos', 'hostname': 'x', 'data': {'site': 's', 'dev_type': 't'}}}", NULL,
     NULL, "h.port: missing"},
    {"{'h': {'platform': 'acmeos', 'port': 1, 'data': {'site': 's', 'dev_type': 't'}}}", NULL, NULL,
     "h.hostname: missing"},
    {"{'h': {'platform': 'acmeos', 'port': 1, 'hostname': 'x'}}", NULL, NULL,
     "h.dev_type: missing"},
    {"{'h': {'port': '8300'}}", NULL, DEFAULTS, "h.port: expected a whole number, not a string"},
    {"{'h': {'hostname': ['x']}}", NULL, DEFAULTS, "h.hostname: expected a text, not an array"},
    {"{'h': {'data': {'site': true}}}", NULL, DEFAULTS, "h.data.site: expected a text"},
    {"{'h': {'data': []}}", NULL, DEFAULTS, "h.data: expected an object, not an array"},
    {"{'h': {'dta': {}}}", NULL, DEFAULTS, "h.dta: unknown field; did you mean data?"},
    {"{'h': {'mlag': 'x'}}", NULL, DEFAULTS,
     "h.mlag: unknown field; what is known of a host goes into data"},
    {"{'h': {'group': 'wan'}}", NULL, DEFAULTS,
     "h.group: unknown field; did you mean groups, or redundancy_groups in data?"},
    {"{'h': {'groups': 'wan'}}", NULL, DEFAULTS, "h.groups: expected an array of the names"},
    {"{'h': {'groups': [1]}}", NULL, DEFAULTS, "h.groups: expected an array of the names"},
    {"{'h': {'groups': ['a']}}", "{}", DEFAULTS, "h.groups: there is no group 'a' in groups.yaml"},
    {"{'h': {'groups': ['a']}}", NULL, DEFAULTS, "h.groups: 'a': there is no groups.yaml"},
    {"{'h': {}}", "{'a': {'groups': ['b']}, 'b': {'groups': ['a']}}", DEFAULTS,
     "the group 'a' inherits from itself"},
    {"{'h': {}}", "{'a': {'groups': ['b']}}", DEFAULTS, "a.groups: there is no group 'b'"},
    {"{'h': {}}", "{'a': {'site': 'x'}}", DEFAULTS, "a.site: unknown field; what is known"},
    {"{'h': {}}", "[]", DEFAULTS, "expected an object, not an array"},
    {"{'h': {}}", NULL, "{'data': 1}", "data: expected an object, not a number"},
    {"{'h': {'data': {'tls': 'yes'}}}", NULL, DEFAULTS,
     "h.data.tls: expected true or false, not a string"},
    {"{'h': {'groups': ['a']}}", "{'a': {'data': {'tls': 1}}}", DEFAULTS,
     "h.data.tls: expected true or false, not a number"},
    {"{'h': {'data': {'TLS': true}}}", NULL, DEFAULTS,
     "h.data.TLS: unknown field; did you mean tls?"},
    {"{'h': {'data': {'epochs': 'yes'}}}", NULL, DEFAULTS,
     "h.data.epochs: expected true or false, not a string"},
    {"{'h': {'data': {'EPOCHS': true}}}", NULL, DEFAULTS,
     "h.data.EPOCHS: unknown field; did you mean epochs?"},
    {"{'h': {'data': {'redundancy_groups': 'wan'}}}", NULL, DEFAULTS,
     "h.data.redundancy_groups: expected an array of names, not a string"},
    {"{'h': {'groups': ['a']}}", "{'a': {'data': {'redundancy_groups': [{}]}}}", DEFAULTS,
     "h.data.redundancy_groups[0]: expected a name, not an object"},
};

START_TEST(a_mistake_is_refused_and_its_place_is_named) {
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct inventory *inventory = NULL;
        struct error err;
        int rc = parse(wrong[i].hosts, wrong[i].groups, wrong[i].defaults, &inventory, &err);
        ck_assert_msg(rc == ERROR_INPUT, "%s was taken", wrong[i].hosts);
        ck_assert_msg(strstr(err.text, wrong[i].said) != NULL, "%s: %s", wrong[i].hosts, err.text);
        ck_assert_ptr_nonnull(err.at);
        ck_assert_ptr_null(inventory);
    }
}
END_TEST

// g0 inherits from g1, that from g2, and so on, links times.
static int parse_chain(int links, struct error *err) {
    struct inventory *inventory = NULL;
    struct buf groups = {0};
    buf_adds(&groups, "{");
    for (int i = 0; i < links; i++)
        buf_addf(&groups, "'g%d': {'groups': ['g%d']}, ", i, i + 1);
    buf_addf(&groups, "'g%d': {}}", links);
    int rc = parse("{'h': {'groups': ['g0']}}", groups.data, DEFAULTS, &inventory, err);
    inventory_unref(inventory);
    buf_deinit(&groups);
    return rc;
}

START_TEST(groups_inherit_through_sixty_four_others_and_no_more) {
    struct error err;
    ck_assert_int_eq(parse_chain(64, &err), 0);
    ck_assert_int_eq(parse_chain(65, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "inherits through too many others"));
    ck_assert_int_eq(parse_chain(20000, &err), ERROR_INPUT);
}
END_TEST

Suite *check_inventory_nornir(void) {
    Suite *suite = suite_create("inventory_nornir");
    TCase *tcase = tcase_create("inventory_nornir");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_comes_first_holds_host_then_groups_in_depth_then_defaults);
    tcase_add_test(tcase, a_port_of_a_group_in_a_group_holds_before_the_next_group);
    tcase_add_test(tcase, a_null_at_the_top_is_none_and_one_in_data_is_a_value);
    tcase_add_test(tcase, credentials_are_inherited_each_for_itself);
    tcase_add_test(tcase, a_group_that_comes_twice_counts_where_it_comes_first);
    tcase_add_test(tcase, numbers_are_texts_and_lists_are_lists);
    tcase_add_test(tcase, tls_and_epochs_are_inherited_and_a_null_takes_them_back);
    tcase_add_test(tcase, a_hosts_file_alone_is_known_by_its_shape);
    tcase_add_test(tcase, a_host_of_another_platform_needs_nothing_else);
    tcase_add_test(tcase, a_mistake_is_refused_and_its_place_is_named);
    tcase_add_test(tcase, groups_inherit_through_sixty_four_others_and_no_more);
    return suite;
}
