#include "common/http_host.h"
#include "tests/unit/support.h"

Suite *check_http_host(void);

static const struct {
    const char *host, *address;
    bool ours;
} hosts[] = {
    {"localhost", "127.0.0.1", true},
    {"LocalHost:5000", "127.0.0.1", true},
    {"localhost.", "127.0.0.1", true},
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1:5000", "127.0.0.1", true},
    {"10.0.0.7:80", "10.0.0.7", true},
    {"10.0.0.7", "::ffff:10.0.0.7", true},
    {"[::1]:5000", "::1", true},
    {"[0:0:0:0:0:0:0:1]", "::1", true},
    {"upgrades.example:5000", "127.0.0.1", true},
    {"UPGRADES.example", "127.0.0.1", true},
    {"[2001:db8::7]", "127.0.0.1", true},
    {"evil.example", "127.0.0.1", false},
    {"upgrades.example.evil.example", "127.0.0.1", false},
    {"localhost.evil.example", "127.0.0.1", false},
    {"127.0.0.2", "127.0.0.1", false},
    {"127.0.0.1:x", "127.0.0.1", false},
    {"127.0.0.1 ", "127.0.0.1", false},
    {"me@127.0.0.1", "127.0.0.1", false},
    {"[::1", "::1", false},
    {"[::1]x", "::1", false},
    {"[]", "::1", false},
    {"", "127.0.0.1", false},
    {":5000", "127.0.0.1", false},
};

static const struct http_hosts known = {.names = {"upgrades.example", "2001:db8:0::7"}, .count = 2};

START_TEST(a_host_is_ours_or_not) {
    const char *host = hosts[_i].host;
    ck_assert_int_eq(http_host_is_ours(host, strlen(host), hosts[_i].address, &known),
                     hosts[_i].ours);
}
END_TEST

START_TEST(what_lies_behind_a_host_is_not_read) {
    ck_assert(http_host_is_ours("localhost/path", 9, "127.0.0.1", NULL));
    ck_assert(http_host_is_ours("localhost:50/path", 12, "127.0.0.1", NULL));
    ck_assert(!http_host_is_ours("localhost/path", 14, "127.0.0.1", NULL));
}
END_TEST

START_TEST(a_name_too_long_is_not_ours) {
    char name[300];
    memset(name, 'a', sizeof name);
    ck_assert(!http_host_is_ours(name, sizeof name, "127.0.0.1", &known));
}
END_TEST

static const char *const wrong_names[] = {"", "a:5000", "http://a", "a b", "[::1]", "a/b"};

START_TEST(a_name_has_no_port_and_no_scheme) {
    struct http_hosts added = {0};
    struct error err;
    ck_assert_int_eq(http_hosts_add(&added, wrong_names[_i], &err), ERROR_INPUT);
    ck_assert_uint_eq(added.count, 0);
}
END_TEST

START_TEST(so_many_names_and_no_more) {
    struct http_hosts added = {0};
    struct error err;
    for (int i = 0; i < HTTP_HOSTS_MAX; i++)
        ck_assert_int_eq(http_hosts_add(&added, "noc-1.example", &err), 0);
    ck_assert_int_eq(http_hosts_add(&added, "one-more.example", &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "64 names at most");
}
END_TEST

Suite *check_http_host(void) {
    Suite *suite = suite_create("http_host");
    TCase *tcase = tcase_create("http_host");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_host_is_ours_or_not, 0, (int)COUNT(hosts));
    tcase_add_test(tcase, what_lies_behind_a_host_is_not_read);
    tcase_add_test(tcase, a_name_too_long_is_not_ours);
    tcase_add_loop_test(tcase, a_name_has_no_port_and_no_scheme, 0, (int)COUNT(wrong_names));
    tcase_add_test(tcase, so_many_names_and_no_more);
    return suite;
}
