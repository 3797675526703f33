#include "common/inventory_ansible.h"
#include "tests/unit/inventories.h"

Suite *check_inventory_ansible(void);

#define CONNECTION                                                                                 \
    "'ansible_host': '192.0.2.1', 'ansible_port': 830, 'ansible_network_os': 'acmeos'"
#define PLACE               "'site': 'ams', 'dev_type': 'acc'"
#define HOSTVARS(hosts)     "{'_meta': {'hostvars': {" hosts "}}}"
#define WITH(hosts, groups) "{'_meta': {'hostvars': {" hosts "}}, " groups "}"

START_TEST(variables_are_fields_and_attributes) {
    struct inventory *inventory = inventory_of(
        HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'rack': 7, 'stack': 's03', 'vlans': [1, 2], "
                 "'ansible_user': 'x', 'ansible_password': 'y'}"));
    const struct host *host = &inventory->hosts[0];
    ck_assert_uint_eq(inventory->count, 1);
    ck_assert_str_eq(host->name, "sw1");
    ck_assert_str_eq(host->address, "192.0.2.1");
    ck_assert_uint_eq(host->port, 830);
    ck_assert_str_eq(host->rack, "7");
    ck_assert_str_eq(inventory_site(inventory, host), "ams");
    ck_assert_str_eq(inventory_dev_type(inventory, host), "acc");
    assert_values(inventory, 0, "stack", "s03");
    assert_values(inventory, 0, "vlans", "1,2");
    assert_values(inventory, 0, "ansible_user", "nobody has it");
    assert_values(inventory, 0, "ansible_password", "nobody has it");
    ck_assert_str_eq(login_of(inventory, 0), "x:y");
    inventory_unref(inventory);
}
END_TEST

START_TEST(credentials_go_by_their_older_names_too_and_the_newer_ones_hold) {
    struct inventory *inventory = inventory_of(HOSTVARS(
        "'sw1': {" CONNECTION ", " PLACE ", 'ansible_ssh_user': 'x', 'ansible_ssh_pass': 'y'}, "
        "'sw2': {" CONNECTION ", " PLACE ", 'ansible_ssh_user': 'x', 'ansible_user': 'new', "
        "'ansible_ssh_pass': 'y', 'ansible_password': 'newer'}, "
        "'sw3': {" CONNECTION ", " PLACE ", 'username': 'u', 'password': 'p'}"));
    ck_assert_str_eq(login_of(inventory, 0), "x:y");
    ck_assert_str_eq(login_of(inventory, 1), "new:newer");
    ck_assert_str_eq(login_of(inventory, 2), "-:-");
    assert_values(inventory, 2, "password", "nobody has it"); // though it is none of the device
    assert_values(inventory, 2, "username", "nobody has it");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_without_an_address_is_looked_up_by_its_name) {
    struct inventory *inventory = inventory_of(HOSTVARS(
        "'sw1.example': {'ansible_port': '830', 'ansible_network_os': 'acme.net.acmeos', " PLACE
        "}"));
    ck_assert_str_eq(inventory->hosts[0].address, "sw1.example");
    ck_assert_uint_eq(inventory->hosts[0].port, 830); // in quotes, as Ansible takes it
    ck_assert_uint_eq(inventory->hosts[0].platform, 0);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_of_another_platform_or_of_none_needs_nothing_else) {
    struct inventory *inventory =
        inventory_of(HOSTVARS("'fw': {'ansible_network_os': 'paloaltonetworks.panos.panos', "
                              "'ansible_port': '{{ port }}'}, 'server': {'ansible_host': 'x'}"));
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[0]), "panos");
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[1]), "unknown");
    ck_assert_str_eq(inventory_site(inventory, &inventory->hosts[0]), "");
    ck_assert_uint_eq(inventory->sites.count, 0);
    inventory_unref(inventory);
}
END_TEST

START_TEST(tls_and_epochs_are_variables_and_a_word_of_ini_will_do) {
    static const struct {
        const char *value;
        bool is;
    } cases[] = {{"true", true},  {"false", false},   {"null", false}, {"'True'", true},
                 {"'yes'", true}, {"'False'", false}, {"'no'", false}};
    static const char *const variables[] = {"tls", "epochs"};
    for (size_t i = 0; i < COUNT(cases) * COUNT(variables); i++) {
        const char *name = variables[i % 2], *value = cases[i / 2].value;
        const bool is = cases[i / 2].is, is_tls = i % 2 == 0;
        char document[300];
        snprintf(document, sizeof document,
                 HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", '%s': %s}"), name, value);
        struct inventory *inventory = inventory_of(document);
        ck_assert_msg(inventory->hosts[0].tls == (is && is_tls), "%s: %s", name, value);
        ck_assert_msg(inventory->hosts[0].epochs == (is && !is_tls), "%s: %s", name, value);
        assert_values(inventory, 0, name, "nobody has it");
        inventory_unref(inventory);
    }
}
END_TEST

static const struct {
    const char *document, *said;
} wrong[] = {
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'tls': 'on'}"),
     "sw1.tls: expected true or false, not a string"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'tls': 1}"),
     "sw1.tls: expected true or false, not a number"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'Tls': true}"),
     "sw1.Tls: unknown field; did you mean tls?"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'epochs': 9}"),
     "sw1.epochs: expected true or false, not a number"},
    {"{'_meta': {'hostvars': []}}", "_meta.hostvars: expected an object, not an array"},
    {HOSTVARS("'sw1': 1"), "sw1: expected an object, not a number"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', " PLACE "}"), "sw1.ansible_port: missing"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', 'ansible_port': 1, 'site': 's'}"),
     "sw1.dev_type: missing"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', 'ansible_port': 1, 'dev_type': 's'}"),
     "sw1.site: missing"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', 'ansible_port': '{{ port }}', " PLACE "}"),
     "sw1.ansible_port: '{{ port }}': expected a whole number from 1 to 65535"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', 'ansible_port': '65536', " PLACE "}"),
     "sw1.ansible_port: '65536': expected a whole number from 1 to 65535"},
    {HOSTVARS("'sw1': {'ansible_network_os': 'acmeos', 'ansible_port': 0, " PLACE "}"),
     "sw1.ansible_port: expected a whole number from 1 to 65535, not 0"},
    {HOSTVARS("'sw1': {'ansible_network_os': ['acmeos'], " PLACE "}"),
     "sw1.ansible_network_os: expected a text, not an array"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'ansible_password': '{{ vault_pw }}'}"),
     "sw1.ansible_password: a template that is not filled in: leave it out, and give "
     "--credentials"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE
              ", 'ansible_password': {'__ansible_vault': '$ANSIBLE_VAULT;1.1;AES256'}}"),
     "sw1.ansible_password: sealed by a vault: leave it out, and give --credentials"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'ansible_user': null}"),
     "sw1.ansible_user: expected a text, not null"},
    {HOSTVARS("'sw1': {" CONNECTION ", " PLACE ", 'redundancy_groups': 'wan'}"),
     "sw1.redundancy_groups: expected an array of names, not a string"},
    {WITH("'sw1': {" CONNECTION ", " PLACE "}", "'ams': {'hosts': ['sw1', 'sw2']}"),
     "ams: sw2 has no variables: no ansible_port"},
    {WITH("'sw1': {" CONNECTION ", " PLACE "}", "'ams': ['sw3']"),
     "ams: sw3 has no variables: no ansible_port"},
    {"{'all': {'children': {'ams': {'hosts': {'sw1': {}}}}}}",
     "an Ansible inventory without _meta.hostvars: give what `ansible-inventory --list` prints"},
};

START_TEST(a_mistake_is_refused_and_its_place_is_named) {
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct inventory *inventory = NULL;
        struct error err;
        cJSON *json = json_of(wrong[i].document);
        ck_assert_msg(inventory_parse(json, &inventory, &err) == ERROR_INPUT, "%s was taken",
                      wrong[i].document);
        ck_assert_msg(strstr(err.text, wrong[i].said) != NULL, "%s: %s", wrong[i].document,
                      err.text);
        ck_assert_ptr_null(inventory);
        cJSON_Delete(json);
    }
}
END_TEST

Suite *check_inventory_ansible(void) {
    Suite *suite = suite_create("inventory_ansible");
    TCase *tcase = tcase_create("inventory_ansible");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, variables_are_fields_and_attributes);
    tcase_add_test(tcase, credentials_go_by_their_older_names_too_and_the_newer_ones_hold);
    tcase_add_test(tcase, a_host_without_an_address_is_looked_up_by_its_name);
    tcase_add_test(tcase, a_host_of_another_platform_or_of_none_needs_nothing_else);
    tcase_add_test(tcase, tls_and_epochs_are_variables_and_a_word_of_ini_will_do);
    tcase_add_test(tcase, a_mistake_is_refused_and_its_place_is_named);
    return suite;
}
