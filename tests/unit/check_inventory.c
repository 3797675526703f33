#include "common/inventory.h"
#include "tests/unit/inventories.h"

#include <stdio.h>

Suite *check_inventory(void);

static const char network[] = "{'earth': {" HOST("spine00.earth", "spine", "20") ", " HOST(
    "leaf00.earth", "leaf",
    "100") "}, 'pluto': {}, 'mars': {" HOST("leaf00.mars", "leaf",
                                            "100") ", " HOST("spine00.mars", "spine",
                                                             "20") ", " HOST("edge00.mars", "edge",
                                                                             "10") "}}";

START_TEST(an_inventory_keeps_the_documents_order_and_fields) {
    static const char *const names[] = {"spine00.earth", "leaf00.earth", "leaf00.mars",
                                        "spine00.mars", "edge00.mars"};
    static const char *const sites[] = {"earth", "earth", "mars", "mars", "mars"};
    static const char *const types[] = {"spine", "leaf", "leaf", "spine", "edge"};
    struct inventory *inventory = inventory_of(network);
    ck_assert_uint_eq(inventory->count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct host *host = &inventory->hosts[i];
        ck_assert_str_eq(host->name, names[i]);
        ck_assert_str_eq(inventory_site(inventory, host), sites[i]);
        ck_assert_str_eq(inventory_dev_type(inventory, host), types[i]);
        ck_assert_str_eq(host->address, "127.0.0.1");
        ck_assert_uint_eq(host->port, 8300);
    }
    ck_assert_str_eq(inventory->hosts[1].rack, "100");
    ck_assert_uint_eq(inventory->sites.count, 3); // one without hosts is a site too
    ck_assert_str_eq(inventory->sites.list[1], "pluto");
    inventory_unref(inventory);
}
END_TEST

START_TEST(credentials_are_the_hosts_own_and_no_attributes) {
    struct inventory *inventory = inventory_of("{'earth': {" HOST(
        "a", "leaf",
        "1") ", 'b': {'platform': 'acmeos', 'dev_type': 'leaf', "
             "'hostname': 'b', 'port': 1, 'username': 'root', 'password': 'p w'}, 'c': "
             "{'platform': "
             "'acmeos', 'dev_type': 'leaf', 'hostname': 'c', 'port': 1, 'password': 'p w'}, 'd': "
             "{'platform': 'panos', 'username': 1, 'password': 'x'}, " HOST("e", "leaf", "1") "}}");
    static const char *const logins[] = {"-:-", "root:p w", "-:p w", "-:-", "-:-"};
    for (size_t i = 0; i < COUNT(logins); i++)
        ck_assert_str_eq(login_of(inventory, i), logins[i]);
    ck_assert_ptr_eq(inventory->credentials[1].password, inventory->credentials[2].password);
    ck_assert_int_lt(inventory_attribute(inventory, "username"), 0);
    ck_assert_int_lt(inventory_attribute(inventory, "password"), 0);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_network_without_credentials_pays_nothing_for_them) {
    struct inventory *inventory = inventory_of(network);
    ck_assert_ptr_null(inventory->credentials);
    ck_assert_str_eq(login_of(inventory, 1), "-:-");
    inventory_unref(inventory);
}
END_TEST

START_TEST(credentials_that_are_withheld_can_be_given_later) {
    struct inventory *inventory = inventory_of(network);
    char name[] = "root";
    inventory_withhold_credentials(inventory, 1);
    ck_assert(inventory_withholds_credentials(inventory, 1));
    ck_assert(!inventory_withholds_credentials(inventory, 0));
    inventory_set_credentials(inventory, 1, (struct credentials){name, NULL});
    name[0] = 'x'; // they are copied
    ck_assert(!inventory_withholds_credentials(inventory, 1));
    ck_assert_str_eq(login_of(inventory, 1), "root:-");
    inventory_unref(inventory);
}
END_TEST

#define BASE        "'platform': 'acmeos', 'dev_type': 'leaf', 'rack': '1', "
#define ALL_FIELDS  BASE "'hostname': 'a', 'port': 1, "
#define ONE(fields) "{'earth': {'h': {" fields "}}}"

START_TEST(a_bad_inventory_is_refused_and_the_place_is_named) {
    static const struct {
        const char *document, *text;
    } cases[] = {
        {"[]", "expected an object of sites, not an array"},
        {"{'earth': []}", "earth: expected an object, not an array"},
        {"{'earth': {'h': 1}}", "earth.h: expected an object, not a number"},
        {"{'': {}}", "the site's name is empty"},
        {"{'a b': {}}", "the site's name holds a space"},
        {"{'earth': {'h\\n': {}}}", "the host's name holds a space or a control character"},
        {ONE(""), "earth.h.platform: missing"},
        {ONE("'platform': 'a b'"), "earth.h: platform holds a space"},
        {ONE("'platform': 'acmeos'"), "earth.h.dev_type: missing"},
        {ONE("'platform': 'ios', 'dev_type': 1"), "earth.h.dev_type: expected a string"},
        {ONE(ALL_FIELDS "'site': 'mars'"), "earth.h.site: the host stands in earth"},
        {ONE(ALL_FIELDS "'redundancy_groups': 'wan'"),
         "earth.h.redundancy_groups: expected an array of names, not a string"},
        {ONE(ALL_FIELDS "'redundancy_groups': ['wan', '']"),
         "earth.h.redundancy_groups[1]: expected a name, not a string"},
        {ONE(ALL_FIELDS "'redundancy_groups': [true]"),
         "earth.h.redundancy_groups[0]: expected a name, not a boolean"},
        {ONE("'platform': 'acmeos', 'dev_type': ''"), "earth.h: dev_type is empty"},
        {ONE("'platform': 'acmeos', 'dev_type': 'leaf', 'rack': 20"),
         "earth.h.rack: expected a string, not a number"},
        {ONE(BASE "'port': 1"), "earth.h.hostname: missing"},
        {ONE(BASE "'hostname': 'a b', 'port': 1"), "earth.h: hostname holds a space"},
        {ONE(BASE "'hostname': 'a'"), "earth.h.port: missing"},
        {ONE(BASE "'hostname': 'a', 'port': 0"), "earth.h.port: expected a whole number from 1"},
        {ONE(BASE "'hostname': 'a', 'port': 65536"), "earth.h.port: expected a whole number"},
        {ONE(BASE "'hostname': 'a', 'port': 80.5"), "earth.h.port: expected a whole number"},
        {ONE(BASE "'hostname': 'a', 'port': '80'"), "earth.h.port: expected a whole number"},
        {ONE(ALL_FIELDS "'password': 7175"),
         "earth.h.password: expected a text, not a number: put it in quotes"},
        {ONE(ALL_FIELDS "'Password': 'hidden'"),
         "earth.h.Password: unknown field; did you mean password (in Ansible's form "
         "ansible_password)?"},
        {ONE(ALL_FIELDS "'passwd': 'hidden'"), "earth.h.passwd: unknown field; did you mean"},
        {ONE(ALL_FIELDS "'userName': 'hidden'"), "earth.h.userName: unknown field; did you mean"},
        {ONE(ALL_FIELDS "'password': null"), "earth.h.password: expected a text, not null"},
        {ONE(ALL_FIELDS "'password': ['hidden']"),
         "earth.h.password: expected a text, not an array"},
        {ONE(ALL_FIELDS "'username': ''"), "earth.h.username: it is empty"},
        {ONE(ALL_FIELDS "'password': 'hid\\nden'"),
         "earth.h.password: byte 4 is a control character: remove it"},
        {ONE(ALL_FIELDS "'tls': 'true'"), "earth.h.tls: expected true or false, not a string"},
        {ONE(ALL_FIELDS "'tls': null"), "earth.h.tls: expected true or false, not null"},
        {ONE(ALL_FIELDS "'tls': 1"), "earth.h.tls: expected true or false, not a number"},
        {ONE(ALL_FIELDS "'TLS': true"), "earth.h.TLS: unknown field; did you mean tls?"},
        {ONE(ALL_FIELDS "'epochs': 1"), "earth.h.epochs: expected true or false, not a number"},
        {ONE(ALL_FIELDS "'epochs': null"), "earth.h.epochs: expected true or false, not null"},
        {ONE(ALL_FIELDS "'Epochs': true"), "earth.h.Epochs: unknown field; did you mean epochs?"},
        {"{'a': {" HOST("x", "leaf", "1") "}, 'b': {" HOST("x", "leaf", "1") "}}",
         "b.x: there is another host of this name in another site"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cJSON *json = json_of(cases[i].document);
        struct inventory *inventory = NULL;
        struct error err;
        ck_assert_msg(inventory_parse(json, &inventory, &err) == ERROR_INPUT, "%s was taken",
                      cases[i].document);
        ck_assert_ptr_null(inventory);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", cases[i].document,
                      err.text);
        cJSON_Delete(json);
    }
}
END_TEST

static const char *const earth[] = {"earth"}, *const mars_earth[] = {"mars", "earth", "mars"},
                         *const pluto[] = {"pluto"}, *const leaf[] = {"leaf"},
                         *const venus[] = {"earth", "venus"}, *const super[] = {"superspine"},
                         *const earthmars[] = {"earthmars"}, *const part[] = {"eart"};

#define ALL                                                                                        \
    { NULL, 0, true }
#define NONE                                                                                       \
    { NULL, 0, false }
#define NAMED(names)                                                                               \
    { (const char **)(uintptr_t)(names), COUNT(names), false }

START_TEST(what_stands_beside_the_known_fields_is_an_attribute) {
    struct inventory *inventory = inventory_of("{'earth': {" HOST(
        "plain", "leaf",
        "1") ", 'h': {" ALL_FIELDS "'site': 'earth', 'tls': true, 'epochs': true, 'mlag': 'm01', "
             "'asn': 65100, 'up': true, 'none': '', 'nil': null, "
             "'deep': {'a': 'b'}, 'feeds': ['a', 2, {}], 'redundancy_groups': ['wan', "
             "'dmz']}, " HOST("last", "edge", "1") "}}");
    static const struct {
        const char *name, *plain, *h, *last;
    } cases[] = {
        {"mlag", "", "m01", ""},
        {"asn", "", "65100", ""},
        {"feeds", "", "a,2", ""},
        {"redundancy_groups", "", "wan,dmz", ""},
        {"site", "earth", "earth", "earth"},
        {"dev_type", "leaf", "leaf", "edge"},
        {"host", "plain", "h", "last"},
        {"platform", "acmeos", "acmeos", "acmeos"},
        {"rack", "1", "1", "1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_str_eq(values_of(inventory, 0, cases[i].name), cases[i].plain);
        ck_assert_str_eq(values_of(inventory, 1, cases[i].name), cases[i].h);
        ck_assert_str_eq(values_of(inventory, 2, cases[i].name), cases[i].last);
    }
    static const char *const none[] = {"up",   "none",     "nil", "deep",
                                       "port", "hostname", "tls", "epochs"};
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_str_eq(values_of(inventory, 1, none[i]), "nobody has it");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_speaks_tls_and_takes_epochs_where_it_says_so) {
    struct inventory *inventory = inventory_of("{'earth': {" HOST(
        "plain", "leaf", "1") ", 'tls': {" ALL_FIELDS "'tls': true, 'epochs': false}, 'epochs': "
                              "{" ALL_FIELDS "'tls': false, 'epochs': true}}}");
    static const struct {
        bool tls, epochs;
    } says[] = {{false, false}, {true, false}, {false, true}};
    for (size_t i = 0; i < COUNT(says); i++) {
        ck_assert(inventory->hosts[i].tls == says[i].tls);
        ck_assert(inventory->hosts[i].epochs == says[i].epochs);
        ck_assert_uint_eq(inventory->hosts[i].platform, 0);
    }
    inventory_unref(inventory);
}
END_TEST

START_TEST(hosts_without_attributes_take_no_room_for_them) {
    struct inventory *inventory = inventory_of(network);
    ck_assert_uint_eq(sizeof(struct host), 32);
    ck_assert_ptr_null(inventory->attributes_from);
    ck_assert_ptr_null(inventory->attribute_names);
    ck_assert_ptr_null(inventory->attribute_values);
    ck_assert_uint_eq(inventory->attributes.count, 0);
    inventory_unref(inventory);
}
END_TEST

START_TEST(equal_values_are_kept_once) {
    struct inventory *inventory = inventory_of(
        "{'earth': {'a': {" ALL_FIELDS "'mlag': 'm01'}, 'b': {" ALL_FIELDS "'mlag': 'm01'}}}");
    int mlag = inventory_attribute(inventory, "mlag");
    ck_assert_ptr_eq(inventory_values(inventory, 0, mlag).list[0],
                     inventory_values(inventory, 1, mlag).list[0]);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_of_another_platform_is_kept_and_needs_no_port) {
    struct inventory *inventory =
        inventory_of("{'earth': {'fw': {'platform': 'panos'}, " HOST("leaf", "leaf", "1") "}}");
    ck_assert_uint_eq(inventory->count, 2);
    ck_assert_uint_ne(inventory->hosts[0].platform, 0);
    ck_assert_uint_eq(inventory->hosts[0].port, 0);
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[0]), "panos");
    ck_assert_str_eq(inventory_dev_type(inventory, &inventory->hosts[0]), "");
    ck_assert_str_eq(inventory_site(inventory, &inventory->hosts[0]), "earth");
    ck_assert_uint_eq(inventory->hosts[1].platform, 0);
    ck_assert_str_eq(inventory_platform(inventory, &inventory->hosts[1]), "acmeos");
    ck_assert_uint_eq(inventory->dev_types.count, 1);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_without_a_type_is_of_no_type_that_is_asked_for) {
    struct inventory *inventory =
        inventory_of("{'earth': {'fw': {'platform': 'panos'}, " HOST("leaf", "leaf", "1") "}}");
    struct filter all = ALL, leaves = NAMED(leaf);
    struct selection selection;
    struct error err;
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    ck_assert_uint_eq(selection.count, 2);
    selection_deinit(&selection);
    ck_assert_int_eq(inventory_select(inventory, &all, &leaves, &selection, &err), 0);
    ck_assert_uint_eq(selection.count, 1);
    ck_assert_uint_eq(selection.hosts[0], 1);
    selection_deinit(&selection);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_field_that_means_redundancy_groups_is_refused_with_the_remedy) {
    static const char *const names[] = {
        "group",
        "groups",
        "redundancy_group",
        "redundancy-groups",
        "redundancy_grups",
        "redundency_groups",
        "Redundancy_Groups",
        "redundancygroups",
        "GROUP",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct buf text = {0};
        struct inventory *inventory;
        struct error err;
        buf_addf(&text, ONE(ALL_FIELDS "'%s': 'wan'"), names[i]);
        cJSON *json = json_of(text.data);
        ck_assert_msg(inventory_parse(json, &inventory, &err) == ERROR_INPUT, "%s", names[i]);
        buf_clear(&text);
        buf_addf(&text, "earth.h.%s: unknown field; did you mean redundancy_groups?", names[i]);
        ck_assert_str_eq(err.text, text.data);
        cJSON_Delete(json);
        buf_deinit(&text);
    }
}
END_TEST

START_TEST(what_is_wrong_with_several_hosts_is_told_at_once) {
    static const struct {
        int wrong;
        const char *said;
    } cases[] = {
        {1, "earth.h0.dev_type: missing"},
        {2, "earth.h0.dev_type: missing; earth.h1.dev_type: missing"},
        {3, "earth.h0.dev_type: missing; earth.h1.dev_type: missing; earth.h2.dev_type: missing"},
        {500, "earth.h0.dev_type: missing; earth.h1.dev_type: missing; earth.h2.dev_type: missing; "
              "and 497 more"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf text = {0};
        struct inventory *inventory = NULL;
        struct error err;
        buf_adds(&text, "{'earth': {'fine': {'platform': 'acmeos', 'dev_type': 'edge', 'rack': "
                        "'1', 'hostname': 'h', 'port': 1}");
        for (int h = 0; h < cases[i].wrong; h++)
            buf_addf(&text, ", 'h%d': {'platform': 'acmeos'}", h);
        buf_adds(&text, "}}");
        cJSON *json = json_of(text.data);
        ck_assert_int_eq(inventory_parse(json, &inventory, &err), ERROR_INPUT);
        ck_assert_str_eq(err.text, cases[i].said);
        ck_assert_ptr_eq(err.at, json->child->child->next); // the first of them
        ck_assert_ptr_null(inventory);
        cJSON_Delete(json);
        buf_deinit(&text);
    }
}
END_TEST

START_TEST(wrong_hosts_of_several_sites_are_told_with_their_sites) {
    struct inventory *inventory = NULL;
    struct error err;
    cJSON *json = json_of("{'earth': {'a': 1}, 'mars': [], 'venus': {'b': {'platform': 5}}}");
    ck_assert_int_eq(inventory_parse(json, &inventory, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "earth.a: expected an object, not a number; mars: expected an "
                               "object, not an array; venus.b.platform: expected a string, "
                               "not a number");
    cJSON_Delete(json);
}
END_TEST

// hosts: their indices, as digits. The selection is freed.
static void assert_selected(struct selection *selection, const char *hosts) {
    char selected[16] = "";
    for (size_t h = 0; h < selection->count; h++)
        selected[h] = (char)('0' + selection->hosts[h]);
    ck_assert_str_eq(selected, hosts);
    selection_deinit(selection);
}

START_TEST(a_selection_is_in_inventory_order) {
    static const struct {
        struct filter sites, types;
        const char *hosts; // indices
    } cases[] = {
        {ALL, ALL, "01234"},
        {NONE, ALL, ""},
        {ALL, NONE, ""},
        {NAMED(earth), ALL, "01"},
        {NAMED(mars_earth), ALL, "01234"}, // and a name twice selects no host twice
        {NAMED(mars_earth), NAMED(leaf), "12"},
        {NAMED(pluto), ALL, ""},
        {NAMED(earth), NAMED(leaf), "1"},
    };
    struct inventory *inventory = inventory_of(network);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct selection selection;
        struct error err;
        ck_assert_int_eq(
            inventory_select(inventory, &cases[i].sites, &cases[i].types, &selection, &err), 0);
        assert_selected(&selection, cases[i].hosts);
    }
    inventory_unref(inventory);
}
END_TEST

static const char
    *const one_host[] = {"leaf00.mars"},
           *const globs[] = {"leaf*", "spine00.ma?s", "leaf00.mars"},
           *const brackets[] = {"[es]*.mars"}, *const twice[] = {"spine00.earth", "spine00.earth"},
           *const no_host[] = {"leaf*", "leaf01.mars"}, *const no_match[] = {"leaf1*"};

START_TEST(hosts_are_selected_by_name_and_by_glob) {
    static const struct {
        struct filter sites, names;
        const char *hosts; // indices
    } cases[] = {
        {ALL, ALL, "01234"},
        {ALL, NONE, ""},
        {ALL, NAMED(one_host), "2"},
        {ALL, NAMED(globs), "123"},
        {ALL, NAMED(brackets), "34"},
        {ALL, NAMED(twice), "0"},
        {NAMED(earth), NAMED(globs), "1"},
        {NAMED(earth), NAMED(one_host), ""},
    };
    struct inventory *inventory = inventory_of(network);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct filter all = ALL;
        struct selection selection;
        struct error err;
        ck_assert_int_eq(inventory_select(inventory, &cases[i].sites, &all, &selection, &err), 0);
        ck_assert_int_eq(inventory_narrow(inventory, &cases[i].names, &selection, &err), 0);
        assert_selected(&selection, cases[i].hosts);
    }
    inventory_unref(inventory);
}
END_TEST

static void assert_not_narrowed(const struct inventory *inventory, const struct filter *names,
                                const char *said) {
    struct filter all = ALL;
    struct selection selection;
    struct error err;
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    ck_assert_int_eq(inventory_narrow(inventory, names, &selection, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, said);
    ck_assert_str_eq(err.field, "filter_hosts");
    ck_assert_uint_eq(selection.count, inventory->count);
    selection_deinit(&selection);
}

START_TEST(an_entry_that_fits_no_host_is_refused) {
    struct inventory *inventory = inventory_of(network);
    assert_not_narrowed(inventory, &(struct filter)NAMED(no_host),
                        "filter_hosts[1]: there is no host 'leaf01.mars'");
    assert_not_narrowed(inventory, &(struct filter)NAMED(no_match),
                        "filter_hosts[0]: no host matches 'leaf1*'");
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_host_of_another_platform_is_refused_by_name_and_not_by_glob) {
    static const char *const name[] = {"fw"}, *const glob[] = {"f*"};
    struct inventory *inventory =
        inventory_of("{'earth': {'fw': {'platform': 'panos'}, " HOST("leaf", "leaf", "1") "}}");
    struct filter all = ALL, by_glob = NAMED(glob);
    struct selection selection;
    struct error err;
    assert_not_narrowed(inventory, &(struct filter)NAMED(name),
                        "filter_hosts[0]: fw runs panos, not acmeos");
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    ck_assert_int_eq(inventory_narrow(inventory, &by_glob, &selection, &err), 0);
    ck_assert_uint_eq(selection.count, 1);
    selection_deinit(&selection);
    inventory_unref(inventory);
}
END_TEST

START_TEST(a_request_has_a_hundred_globs_and_any_number_of_names) {
    const char *entries[2 * INVENTORY_GLOBS_MAX];
    struct inventory *inventory = inventory_of(network);
    struct filter all = ALL, names = {entries, COUNT(entries), false};
    struct selection selection;
    struct error err;
    for (size_t i = 0; i < COUNT(entries); i++)
        entries[i] = i < INVENTORY_GLOBS_MAX ? "leaf*" : "edge00.mars";
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    ck_assert_int_eq(inventory_narrow(inventory, &names, &selection, &err), 0);
    ck_assert_uint_eq(selection.count, 3);
    selection_deinit(&selection);
    entries[COUNT(entries) - 1] = "spine*";
    assert_not_narrowed(inventory, &names, "filter_hosts[199]: more than 100 globs");
    inventory_unref(inventory);
}
END_TEST

START_TEST(an_unknown_name_is_refused_with_the_known_ones) {
    static const struct {
        struct filter sites, types;
        const char *field, *text;
    } cases[] = {
        {NAMED(venus), ALL, "filter_sites",
         "filter_sites[1]: there is no site 'venus'; known are: earth, pluto, mars"},
        {NAMED(earthmars), ALL, "filter_sites", "there is no site 'earthmars'"},
        {NAMED(part), ALL, "filter_sites", "there is no site 'eart'"},
        {ALL, NAMED(super), "filter_dev_types",
         "filter_dev_types[0]: there is no device type 'superspine'; known are: spine, leaf, edge"},
        {NONE, NAMED(super), "filter_dev_types", "there is no device type"},
    };
    struct inventory *inventory = inventory_of(network);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct selection selection;
        struct error err;
        ck_assert_int_eq(
            inventory_select(inventory, &cases[i].sites, &cases[i].types, &selection, &err),
            ERROR_INPUT);
        ck_assert_str_eq(err.field, cases[i].field);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s", err.text);
    }
    inventory_unref(inventory);
}
END_TEST

START_TEST(many_known_names_are_counted_and_not_all_listed) {
    struct buf text = {0};
    buf_adds(&text, "{");
    for (int i = 0; i < 50; i++)
        buf_addf(&text, "%s'site%02d': {}", i == 0 ? "" : ", ", i);
    buf_adds(&text, "}");
    struct inventory *inventory = inventory_of(text.data);
    struct filter sites = NAMED(earth), all = ALL;
    struct selection selection;
    struct error err;
    ck_assert_int_eq(inventory_select(inventory, &sites, &all, &selection, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "site19 and 30 more"));
    ck_assert_ptr_null(strstr(err.text, "site20"));
    inventory_unref(inventory);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_large_inventory_keeps_every_name) {
    struct buf text = {0};
    buf_adds(&text, "{'earth': {");
    for (int i = 0; i < 5000; i++)
        buf_addf(&text,
                 "%s'leaf%05d.earth': {'platform': 'acmeos', 'dev_type': 'leaf', 'rack': '%d', "
                 "'hostname': '127.0.0.%d', 'port': %d}",
                 i == 0 ? "" : ", ", i, i / 2, i % 4 + 1, 1000 + i);
    buf_adds(&text, "}}");
    struct inventory *inventory = inventory_of(text.data);
    ck_assert_uint_eq(inventory->count, 5000);
    for (int i = 0; i < 5000; i += 7) {
        char name[32];
        snprintf(name, sizeof name, "leaf%05d.earth", i);
        ck_assert_str_eq(inventory->hosts[i].name, name);
        ck_assert_int_eq(atoi(inventory->hosts[i].rack), i / 2);
        ck_assert_int_eq(inventory->hosts[i].address[8] - '0', i % 4 + 1);
        ck_assert_int_eq(inventory->hosts[i].port, 1000 + i);
    }
    inventory_unref(inventory);
    buf_deinit(&text);
}
END_TEST

START_TEST(an_inventory_lives_as_long_as_its_last_reference) {
    struct inventory *inventory = inventory_of(network);
    ck_assert_ptr_eq(inventory_ref(inventory), inventory);
    inventory_unref(inventory);
    ck_assert_str_eq(inventory->hosts[0].name, "spine00.earth");
    inventory_unref(inventory);
    inventory_unref(NULL);
}
END_TEST

Suite *check_inventory(void) {
    Suite *suite = suite_create("inventory");
    TCase *tcase = tcase_create("inventory");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, credentials_are_the_hosts_own_and_no_attributes);
    tcase_add_test(tcase, a_network_without_credentials_pays_nothing_for_them);
    tcase_add_test(tcase, credentials_that_are_withheld_can_be_given_later);
    tcase_add_test(tcase, an_inventory_keeps_the_documents_order_and_fields);
    tcase_add_test(tcase, a_bad_inventory_is_refused_and_the_place_is_named);
    tcase_add_test(tcase, what_stands_beside_the_known_fields_is_an_attribute);
    tcase_add_test(tcase, a_host_speaks_tls_and_takes_epochs_where_it_says_so);
    tcase_add_test(tcase, hosts_without_attributes_take_no_room_for_them);
    tcase_add_test(tcase, equal_values_are_kept_once);
    tcase_add_test(tcase, a_host_of_another_platform_is_kept_and_needs_no_port);
    tcase_add_test(tcase, a_host_without_a_type_is_of_no_type_that_is_asked_for);
    tcase_add_test(tcase, a_field_that_means_redundancy_groups_is_refused_with_the_remedy);
    tcase_add_test(tcase, what_is_wrong_with_several_hosts_is_told_at_once);
    tcase_add_test(tcase, wrong_hosts_of_several_sites_are_told_with_their_sites);
    tcase_add_test(tcase, a_selection_is_in_inventory_order);
    tcase_add_test(tcase, hosts_are_selected_by_name_and_by_glob);
    tcase_add_test(tcase, an_entry_that_fits_no_host_is_refused);
    tcase_add_test(tcase, a_host_of_another_platform_is_refused_by_name_and_not_by_glob);
    tcase_add_test(tcase, a_request_has_a_hundred_globs_and_any_number_of_names);
    tcase_add_test(tcase, an_unknown_name_is_refused_with_the_known_ones);
    tcase_add_test(tcase, many_known_names_are_counted_and_not_all_listed);
    tcase_add_test(tcase, a_large_inventory_keeps_every_name);
    tcase_add_test(tcase, an_inventory_lives_as_long_as_its_last_reference);
    return suite;
}
