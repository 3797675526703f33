#include "common/file.h"
#include "common/inventory_file.h"
#include "tests/unit/inventories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_inventory_file(void);

static char folder[32];

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/unit-inventory-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *path_of(const char *name) {
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void remove_folder(void) {
    static const char *const names[] = {"hosts.yaml", "groups.yaml", "defaults.yaml", "one"};
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(path_of(names[i]));
    rmdir(folder);
}

static void write_bytes(const char *name, const char *bytes, size_t len) {
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_part(const char *name, const char *text) {
    write_bytes(name, text, strlen(text));
}

static int load(const char *path, struct inventory **out, struct error *err) {
    struct inventory_file file;
    int rc = inventory_file_read(&file, path, FILE_BYTES_MAX, err);
    if (rc == 0) rc = inventory_file_parse(&file, out, err);
    inventory_file_deinit(&file);
    return rc;
}

static void assert_refused(const char *path, const char *said) {
    struct inventory *inventory = NULL;
    struct error err;
    ck_assert_int_ne(load(path, &inventory, &err), 0);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s: %s", path, err.text);
    ck_assert_ptr_null(inventory);
}

static struct inventory *loaded(const char *path) {
    struct inventory *inventory = NULL;
    struct error err;
    int rc = load(path, &inventory, &err);
    ck_assert_msg(rc == 0, "%s: %s", path, err.text);
    return inventory;
}

#define DEFAULTS                                                                                   \
    "{platform: acmeos, port: 8300, hostname: x, data: {site: s, dev_type: t, from: defaults}}\n"

START_TEST(a_folder_has_three_files_of_which_one_must_be) {
    write_part("hosts.yaml", "---\nh: {groups: [g]}\n");
    write_part("groups.yaml", "---\ng: {port: 7}\n");
    write_part("defaults.yaml", DEFAULTS);
    struct inventory *inventory = loaded(folder);
    ck_assert_uint_eq(inventory->hosts[0].port, 7);
    assert_values(inventory, 0, "from", "defaults");
    inventory_unref(inventory);
    inventory = loaded(path_of("")); // with a slash
    ck_assert_uint_eq(inventory->count, 1);
    inventory_unref(inventory);
    unlink(path_of("groups.yaml"));
    assert_refused(folder, "hosts.yaml:2:14: h.groups: 'g': there is no groups.yaml");
    unlink(path_of("hosts.yaml"));
    assert_refused(folder, "/hosts.yaml: No such file or directory");
}
END_TEST

START_TEST(files_of_comments_are_empty) {
    write_part("hosts.yaml", "h: {}\n");
    write_part("groups.yaml", "# none yet\n\n  # really\n");
    write_part("defaults.yaml", DEFAULTS);
    struct inventory *inventory = loaded(folder);
    ck_assert_uint_eq(inventory->count, 1);
    inventory_unref(inventory);
    write_part("groups.yaml", "");
    inventory_unref(loaded(folder));
    write_part("hosts.yaml", "# no host\n");
    assert_refused(folder, "hosts.yaml: it is empty");
    write_part("hosts.yaml", "h: {}\n");
    write_bytes("groups.yaml", "#\n\0g: {port: 7}\n", 16);
    assert_refused(folder, "groups.yaml:"); // it is not passed over
}
END_TEST

START_TEST(a_mistake_is_placed_in_the_file_that_has_it) {
    write_part("hosts.yaml", "h: {groups: [g]}\n");
    write_part("groups.yaml", "g:\n  port: none\n");
    write_part("defaults.yaml", DEFAULTS);
    assert_refused(folder, "/groups.yaml:2:9: h.port: expected a whole number, not a string");
    write_part("groups.yaml", "g: {\n");
    assert_refused(folder, "/groups.yaml:2:1: not YAML");
    write_part("groups.yaml", "g: {}\n");
    write_part("defaults.yaml", "hostname: x\nprot: 1\n");
    assert_refused(folder, "/defaults.yaml:2:7: prot: unknown field; did you mean port?");
}
END_TEST

START_TEST(a_file_is_json_or_yaml_of_any_form) {
    static const char *const texts[] = {
        "{\"s\": {\"h\": {\"platform\": \"acmeos\", \"dev_type\": \"t\", \"hostname\": \"x\", "
        "\"port\": 1}}}",
        "s:\n  h: {platform: acmeos, dev_type: t, hostname: x, port: 1}\n",
        "h: {platform: acmeos, hostname: x, port: 1, data: {site: s, dev_type: t}}\n",
        "{\"_meta\": {\"hostvars\": {\"h\": {\"ansible_network_os\": \"acmeos\", \"ansible_port\": "
        "1, \"site\": \"s\", \"dev_type\": \"t\", \"ansible_host\": \"x\"}}}}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        write_part("one", texts[i]);
        struct inventory *inventory = loaded(path_of("one"));
        const struct host *host = &inventory->hosts[0];
        ck_assert_uint_eq(inventory->count, 1);
        ck_assert_str_eq(host->name, "h");
        ck_assert_str_eq(host->address, "x");
        ck_assert_uint_eq(host->port, 1);
        ck_assert_str_eq(inventory_site(inventory, host), "s");
        ck_assert_str_eq(inventory_dev_type(inventory, host), "t");
        ck_assert_str_eq(host->rack, "");
        inventory_unref(inventory);
    }
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_never_waited_for) {
    struct error err;
    ck_assert_int_eq(mkfifo(path_of("hosts.yaml"), 0600), 0);
    assert_refused(path_of("hosts.yaml"), "it is a pipe, not a file");
    assert_refused(folder, "hosts.yaml: it is a pipe, not a file");
    unlink(path_of("hosts.yaml"));
    write_part("hosts.yaml", "h: {}\n");
    ck_assert_int_eq(symlink("/nonexistent/groups.yaml", path_of("groups.yaml")), 0);
    assert_refused(folder, "groups.yaml: No such file"); // meant to be there
    assert_refused("/nonexistent/inventory", "/nonexistent/inventory: No such file");
    ck_assert_int_eq(inventory_file_probe(folder, FILE_BYTES_MAX, &err), 0);
    ck_assert_int_eq(inventory_file_probe(path_of("hosts.yaml"), FILE_BYTES_MAX, &err), 0);
    unlink(path_of("hosts.yaml"));
    ck_assert_int_ne(inventory_file_probe(folder, FILE_BYTES_MAX, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "hosts.yaml"));
}
END_TEST

Suite *check_inventory_file(void) {
    Suite *suite = suite_create("inventory_file");
    TCase *tcase = tcase_create("inventory_file");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, a_folder_has_three_files_of_which_one_must_be);
    tcase_add_test(tcase, files_of_comments_are_empty);
    tcase_add_test(tcase, a_mistake_is_placed_in_the_file_that_has_it);
    tcase_add_test(tcase, a_file_is_json_or_yaml_of_any_form);
    tcase_add_test(tcase, what_is_no_file_is_refused_and_never_waited_for);
    return suite;
}
