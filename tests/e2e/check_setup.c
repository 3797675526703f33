// How the programs are set up: addresses, password files, inventory files, names, IPv6.
#include "tests/e2e/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_setup(void);

// A temporary file, of which path is the template.
static void write_file(char *path, const char *text) {
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dprintf(fd, "%s", text), (int)strlen(text));
    close(fd);
}

static void rewrite_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void assert_upgrade(const struct lab *lab, const char *request, const char *report) {
    assert_answer(http_post(lab->api, "/upgrade-os/", request), 200, report);
}

#define EDGES                                                                                      \
    "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], \"filter_dev_types\": [\"edge\"]}"
#define BOTH_COMPLETED                                                                             \
    "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\", \"edge01.earth\"]}"
#define FIRST_FAILED                                                                               \
    "{\"failed\": [\"edge00.earth\"], \"skipped\": [\"edge01.earth\"], \"completed\": []}"

START_TEST(devices_are_spread_over_addresses) {
    struct lab lab = lab_start(ARGS("--latency", "0", "--addresses", "3"), NULL);
    ck_assert_int_eq(strncmp(lab.devices, "127.0.0.1:", 10), 0); // the first is told
    static const char *const spread[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"};
    cJSON *inventory = get_json(lab.admin, "/inventory/?filter_sites=mercury");
    const cJSON *host = inventory->child->child;
    for (int i = 0; i < 4; i++, host = host->next) {
        ck_assert_str_eq(cJSON_GetObjectItem(host, "hostname")->valuestring, spread[i]);
        ck_assert_int_eq(cJSON_GetObjectItem(host, "port")->valueint,
                         atoi(strchr(lab.devices, ':') + 1));
    }
    cJSON_Delete(inventory);
    struct answer a = http_post(lab.api, "/upgrade-os/",
                                "{\"version\": \"5.3.1\", \"filter_sites\": [\"mars\"]}");
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 106);
    cJSON_Delete(report);
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_password_file_that_cannot_be_read_ends_the_start) {
    char output[1024];
    ck_assert_int_eq(program_run("orchestrator", ARGS("--password-file", "/nonexistent/password"),
                                 output, sizeof output),
                     2);
    ck_assert_ptr_nonnull(strstr(output, "--password-file"));
    ck_assert_ptr_nonnull(strstr(output, "/nonexistent/password"));
    ck_assert_ptr_nonnull(strstr(output, "No such file or directory"));
}
END_TEST

static const struct {
    const char *text;
    size_t len;
    const char *said;
} passwords[] = {
    {"", 0, "it is empty: write the password into its first line"},
    {"\xef\xbb\xbf"
     "admin\n",
     9, "it begins with a byte order mark: save it as UTF-8 without BOM"},
    {"\xff\xfe"
     "a\0d\0\n\0",
     8, "it is UTF-16: save it as UTF-8"},
    {"caf\xe9\n", 5, "byte 4 is not UTF-8: save it as UTF-8, not as Latin-1"},
    {"a\0b\n", 4, "byte 2 is a NUL"},
};

// Or a login with it fails at one device of each group, and accounts are locked.
START_TEST(a_password_file_in_another_encoding_ends_the_start) {
    char output[1024], path[] = "/tmp/e2e-password-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq((int)write(fd, passwords[_i].text, passwords[_i].len), (int)passwords[_i].len);
    close(fd);
    ck_assert_int_eq(
        program_run("orchestrator", ARGS("--password-file", path), output, sizeof output), 2);
    ck_assert_msg(strstr(output, passwords[_i].said) != NULL, "%s", output);
    unlink(path);
}
END_TEST

START_TEST(a_username_that_no_device_knows_ends_the_start) {
    static const char *const names[] = {"", "caf\xe9", "ad\x1bmin"};
    char output[1024];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_eq(
            program_run("orchestrator", ARGS("--username", names[i]), output, sizeof output), 2);
        ck_assert_msg(strstr(output, "--username: expected a name") != NULL, "%s", output);
    }
}
END_TEST

static const struct {
    const char *path, *why;
} no_files[] = {
    {"/tmp", "/tmp/hosts.yaml: No such file or directory"},
    {"/dev/zero", "/dev/zero: it is a device or a socket, not a file"},
};

START_TEST(an_inventory_that_is_no_file_is_told_before_a_job_wants_it) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--inventory", no_files[_i].path));
    assert_problem(http_get(lab.api, "/readyz"), 503, NULL, no_files[_i].why);
    assert_problem(http_post(lab.api, "/upgrade-os/", EDGES), 502, NULL, no_files[_i].why);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_policy_that_is_wrong_ends_the_start) {
    char path[] = "/tmp/e2e-policy-XXXXXX", output[1024], said[100];
    write_file(path, "redundancy:\n  - {group: \"{site}\", max_unavailble: 2}\n");
    ck_assert_int_eq(program_run("orchestrator", ARGS("--policy", path), output, sizeof output), 2);
    snprintf(said, sizeof said, "--policy: %s:2:39: redundancy[0].max_unavailble: unknown field",
             path);
    ck_assert_msg(strstr(output, said) != NULL, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "did you mean max_unavailable?"));
    unlink(path);
    ck_assert_int_eq(program_run("orchestrator", ARGS("--policy", path), output, sizeof output), 2);
    ck_assert_msg(strstr(output, "No such file or directory") != NULL, "%s", output);
}
END_TEST

static const struct {
    const char *policy, *said;
    int status;
} unfit[] = {
    {"redundancy:\n  - {group: \"{mlag}\"}\n", ":2: redundancy[0] \"{mlag}\": no host has mlag",
     502},
    {"redundancy:\n  - {group: \"{site}\"}\n  - {group: x, match: {dev_type: laef}}\n",
     ":3: redundancy[1] \"x\": it applies to no host", 502},
    {"redundancy:\n  - {group: \"{site}\", match: {dev_type: leaf}}\n",
     "edge00.earth is in no redundancy group: no rule is for it; and 1 more", 400},
    {"redundancy:\n  - {group: \"{site}\", first: {host: edge00.earth}}\n"
     "  - {group: \"{rack}\", first: {host: edge01.earth}}\n",
     "opposite orders: ", 400},
};

START_TEST(a_policy_that_does_not_fit_touches_nothing) {
    char path[] = "/tmp/e2e-policy-XXXXXX";
    write_file(path, unfit[_i].policy);
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--policy", path));
    assert_problem(http_post(lab.api, "/upgrade-os/", EDGES), unfit[_i].status, NULL,
                   unfit[_i].said);
    cJSON *devices = get_json(lab.admin, "/devices/edge00.earth/");
    ck_assert_int_eq(cJSON_GetObjectItem(devices, "logins")->valueint, 0);
    cJSON_Delete(devices);
    lab_stop(&lab);
    unlink(path);
}
END_TEST

// At most so many are in hand at once, where ACME's policy would have dozens.
static const struct {
    const char *policy;
    int at_once;
} bounds[] = {
    {"redundancy:\n"
     "  - {group: \"{site}_leaf_{rack}\", match: {dev_type: leaf}}\n"
     "  - {group: \"{site}_{dev_type}\", unless: {dev_type: leaf}}\n"
     "throttle: [{group: all, at_once: 3}]\n",
     3},
    {"redundancy: [{group: \"{site}\"}]\n", 1},
    {"redundancy: [{group: \"{site}_{dev_type}\"}, {group: \"{site}\", max_unavailable: 2}]\n", 2},
};

START_TEST(a_policy_says_how_many_are_worked_on_at_once) {
    char path[] = "/tmp/e2e-policy-XXXXXX";
    write_file(path, bounds[_i].policy);
    struct lab lab = lab_start(ARGS("--latency", "2ms"), ARGS("--policy", path));
    struct answer a = http_post(lab.api, "/upgrade-os/",
                                "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"]}");
    ck_assert_int_eq(a.status, 200);
    cJSON *report = answer_json(&a), *audit = get_json(lab.admin, "/audit/");
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 106);
    ck_assert_int_le(cJSON_GetObjectItem(audit, "max_installing")->valueint, bounds[_i].at_once);
    cJSON_Delete(report);
    cJSON_Delete(audit);
    answer_free(&a);
    lab_stop(&lab);
    unlink(path);
}
END_TEST

#define HOST_LINE                                                                                  \
    "  %s: {platform: acmeos, dev_type: edge, rack: \"10\", hostname: \"%s\", port: %s}\n"

// Two hosts at an address, in a YAML file that is read anew for every job.
static void write_hosts(const char *path, const char *address, const struct lab *lab) {
    char text[512];
    const char *port = strrchr(lab->devices, ':') + 1;
    snprintf(text, sizeof text, "earth:\n" HOST_LINE HOST_LINE, "edge00.earth", address, port,
             "edge01.earth", address, port);
    rewrite_file(path, text);
}

#define BOTH_SKIPPED                                                                               \
    "{\"failed\": [], \"skipped\": [\"edge00.earth\", \"edge01.earth\"], \"completed\": []}"

// It needs no port, and no job ends early for it; but nobody can say that it is up.
START_TEST(a_host_of_another_platform_is_left_alone_and_its_peer_too) {
    char path[] = "/tmp/e2e-inventory-XXXXXX", text[512];
    write_file(path, "{}\n");
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--inventory", path));
    snprintf(text, sizeof text,
             "earth:\n  edge00.earth: {platform: panos, dev_type: edge, hostname: "
             "127.0.0.1}\n" HOST_LINE,
             "edge01.earth", "127.0.0.1", strrchr(lab.devices, ':') + 1);
    rewrite_file(path, text);
    assert_upgrade(&lab, EDGES, BOTH_SKIPPED);
    assert_logged(&lab, ":skipped   host:edge00.earth:platform panos");
    assert_logged(&lab, ":skipped   host:edge01.earth:edge00.earth is not up: platform panos");
    cJSON *device = get_json(lab.admin, "/devices/edge00.earth/");
    ck_assert_double_eq(cJSON_GetObjectItem(device, "logins")->valuedouble, 0);
    cJSON_Delete(device);
    lab_stop(&lab);
    unlink(path);
}
END_TEST

START_TEST(an_inventory_file_may_name_its_hosts) {
    char path[] = "/tmp/e2e-inventory-XXXXXX";
    write_file(path, "{}\n");
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--inventory", path));
    write_hosts(path, "localhost", &lab);
    assert_upgrade(&lab, EDGES, BOTH_COMPLETED);
    write_hosts(path, "nowhere.invalid", &lab);
    assert_upgrade(&lab, EDGES, FIRST_FAILED);
    assert_logged(&lab, ":completed host:edge00.earth:connect to nowhere.invalid:");
    rewrite_file(path, "earth: {edge00.earth: {platform: acmeos}}\n");
    assert_problem(http_post(lab.api, "/upgrade-os/", EDGES), 502, NULL,
                   "earth.edge00.earth.dev_type: missing");
    lab_stop(&lab);
    unlink(path);
}
END_TEST

START_TEST(everything_also_speaks_ipv6) {
    struct lab lab = lab_start(ARGS("--latency", "0", "--devices", "[::1]:0", "--admin", "[::1]:0"),
                               ARGS("--listen", "[::1]:0"));
    ck_assert_int_eq(strncmp(lab.api, "http://[::1]:", 13), 0);
    ck_assert_int_eq(strncmp(lab.devices, "[::1]:", 6), 0);
    assert_upgrade(&lab, EDGES, BOTH_COMPLETED);
    struct answer a = http_get(lab.api, "/readyz");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

// --- networks of one's own

// By ACME's policy: the firewalls are a pair, and so are the routers of a city; fw-mad is of
// another platform, and no device that anybody could log in to.
START_TEST(a_network_of_an_inventory_is_served_and_upgraded) {
    struct lab lab =
        lab_start(ARGS("--latency", "0", "--inventory", "spec/examples/nornir/"), NULL);
    cJSON *inventory = get_json(lab.admin, "/inventory/");
    const cJSON *lon = cJSON_GetObjectItem(inventory, "lon");
    const cJSON *router = cJSON_GetObjectItem(lon, "rtr1.lon");
    ck_assert_int_eq(cJSON_GetObjectItem(router, "port")->valueint,
                     atoi(strchr(lab.devices, ':') + 1));
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(lon, "fw-lon"), "role")->valuestring,
                     "standby");
    cJSON_Delete(inventory);
    assert_upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_sites\": [\"lon\"]}",
                   "{\"failed\": [], \"skipped\": [], \"completed\": [\"fw-lon\", \"rtr1.lon\", "
                   "\"rtr2.lon\"]}");
    cJSON *mad = get_json(lab.admin, "/devices/fw-mad/");
    ck_assert_str_eq(cJSON_GetObjectItem(mad, "state")->valuestring, "down");
    cJSON_Delete(mad);
    cJSON *audit = get_json(lab.admin, "/audit/");
    const cJSON *groups = cJSON_GetObjectItem(audit, "groups");
    ck_assert_int_eq(
        cJSON_GetObjectItem(cJSON_GetObjectItem(groups, "lon_router"), "installs")->valueint, 2);
    ck_assert_ptr_nonnull(cJSON_GetObjectItem(groups, "wan-fw"));
    cJSON_Delete(audit);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_policy_gives_the_referee_its_groups) {
    struct lab lab = bare_start(ARGS("--inventory", "spec/examples/campus/inventory.json",
                                     "--policy", "spec/examples/campus/policy.yaml"));
    cJSON *audit = get_json(lab.admin, "/audit/");
    const cJSON *groups = cJSON_GetObjectItem(audit, "groups");
    ck_assert_int_eq(cJSON_GetArraySize(groups), 6);
    ck_assert_ptr_nonnull(cJSON_GetObjectItem(groups, "stack ams1-s03"));
    ck_assert_ptr_nonnull(cJSON_GetObjectItem(groups, "images to fra1"));
    ck_assert_double_eq(cJSON_GetObjectItem(audit, "max_installing")->valuedouble, 0);
    cJSON_Delete(audit);
    bare_stop(&lab);
}
END_TEST

START_TEST(one_network_is_said_once) {
    char output[1024];
    ck_assert_int_eq(program_run("simulator",
                                 ARGS("--network", "spec/examples/wan/network.yaml", "--inventory",
                                      "spec/examples/wan"),
                                 output, sizeof output),
                     2);
    ck_assert_ptr_nonnull(strstr(output, "--network and --inventory both say what the network is"));
}
END_TEST

Suite *check_setup(void) {
    Suite *suite = suite_create("setup");
    TCase *tc = tcase_create("setup");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, devices_are_spread_over_addresses);
    tcase_add_test(tc, a_password_file_that_cannot_be_read_ends_the_start);
    tcase_add_loop_test(tc, a_password_file_in_another_encoding_ends_the_start, 0, 5);
    tcase_add_test(tc, a_username_that_no_device_knows_ends_the_start);
    tcase_add_loop_test(tc, an_inventory_that_is_no_file_is_told_before_a_job_wants_it, 0, 2);
    tcase_add_test(tc, a_policy_that_is_wrong_ends_the_start);
    tcase_add_loop_test(tc, a_policy_says_how_many_are_worked_on_at_once, 0, 3);
    tcase_add_loop_test(tc, a_policy_that_does_not_fit_touches_nothing, 0, 4);
    tcase_add_test(tc, a_host_of_another_platform_is_left_alone_and_its_peer_too);
    tcase_add_test(tc, an_inventory_file_may_name_its_hosts);
    tcase_add_test(tc, everything_also_speaks_ipv6);
    tcase_add_test(tc, a_network_of_an_inventory_is_served_and_upgraded);
    tcase_add_test(tc, a_policy_gives_the_referee_its_groups);
    tcase_add_test(tc, one_network_is_said_once);
    suite_add_tcase(suite, tc);
    return suite;
}
