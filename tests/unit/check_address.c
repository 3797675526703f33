#include "common/address.h"
#include "tests/unit/support.h"

Suite *check_address(void);

START_TEST(an_address_reads_back_as_it_was_written) {
    static const struct {
        const char *text, *host;
        unsigned port;
    } cases[] = {
        {"127.0.0.1:5000", "127.0.0.1", 5000},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"127.255.255.254:65535", "127.255.255.254", 65535},
        {"[::1]:5000", "::1", 5000},
        {"[2001:db8::8:800:200c:417a]:1", "2001:db8::8:800:200c:417a", 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        union address a;
        struct error err;
        char text[ADDRESS_TEXT_MAX];
        int rc = address_parse(cases[i].text, &a, &err);
        ck_assert_msg(rc == 0, "%s: %s", cases[i].text, err.text);
        ck_assert_uint_eq(address_port(&a), cases[i].port);
        address_format(&a, text);
        ck_assert_str_eq(text, cases[i].text);
        address_format_host(&a, text);
        ck_assert_str_eq(text, cases[i].host);
    }
}
END_TEST

START_TEST(what_is_not_an_address_is_refused_with_the_remedy) {
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "expected HOST:PORT"},
        {"5000", "expected HOST:PORT"},
        {":5000", "expected HOST:PORT"},
        {"127.0.0.1", "expected HOST:PORT"},
        {"127.0.0.1:", "the port must be"},
        {"127.0.0.1:http", "the port must be"},
        {"127.0.0.1:80x", "the port must be"},
        {"127.0.0.1:-1", "the port must be"},
        {"127.0.0.1:65536", "the port must be"},
        {"127.0.0.1:100000", "the port must be"},
        {"::1:5000", "in brackets"},
        {"[::1:5000", "in brackets"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        union address a;
        struct error err = {0};
        ck_assert_int_eq(address_parse(cases[i].text, &a, &err), ERROR_INPUT);
        ck_assert_msg(strstr(err.text, cases[i].why) != NULL, "'%s' gave: %s", cases[i].text,
                      err.text);
    }
}
END_TEST

START_TEST(a_host_name_too_long_is_refused_and_not_cut) {
    char text[400];
    memset(text, 'a', sizeof text);
    strcpy(text + 300, ":80");
    union address a;
    struct error err;
    ck_assert_int_eq(address_parse(text, &a, &err), ERROR_INPUT);
}
END_TEST

START_TEST(the_port_can_be_set_in_both_families) {
    static const char *const texts[] = {"127.0.0.1:1", "[::1]:1"};
    static const char *const after[] = {"127.0.0.1:40000", "[::1]:40000"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        union address a;
        struct error err;
        char text[ADDRESS_TEXT_MAX];
        ck_assert_int_eq(address_parse(texts[i], &a, &err), 0);
        address_set_port(&a, 40000);
        address_format(&a, text);
        ck_assert_str_eq(text, after[i]);
    }
}
END_TEST

Suite *check_address(void) {
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, an_address_reads_back_as_it_was_written);
    tcase_add_test(tcase, what_is_not_an_address_is_refused_with_the_remedy);
    tcase_add_test(tcase, a_host_name_too_long_is_refused_and_not_cut);
    tcase_add_test(tcase, the_port_can_be_set_in_both_families);
    return suite;
}
