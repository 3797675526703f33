#include "orchestrator/access.h"
#include "tests/unit/support.h"

Suite *check_access(void);

// SHA-256 of "abc" (FIPS 180-4, an example of its standard) and of "test", with printf | sha256sum.
#define OF_ABC  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_TEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static struct access *parsed(const char *text) {
    struct access *access = NULL;
    struct error err = {0};
    int rc = access_parse(text, strlen(text), &access, &err);
    ck_assert_msg(rc == 0, "%s: %s", text, err.text);
    return access;
}

START_TEST(each_token_may_do_what_its_role_says) {
    static const struct {
        const char *authorization;
        bool changes;
        enum http_admission admission;
        const char *who;
    } cases[] = {
        {NULL, false, HTTP_NO_TOKEN, NULL},
        {"Bearer abc", false, HTTP_ADMITTED, "noc"},
        {"Bearer abc", true, HTTP_ADMITTED, "noc"},
        {"bearer   abc", true, HTTP_ADMITTED, "noc"}, // RFC 9110: a scheme in any case
        {"Bearer test", false, HTTP_ADMITTED, "grafana"},
        {"Bearer test", true, HTTP_FORBIDDEN, "grafana"},
        {"Bearer ABC", false, HTTP_WRONG_TOKEN, NULL},
        {"Bearer ab", false, HTTP_WRONG_TOKEN, NULL},
        {"Bearer abcd", false, HTTP_WRONG_TOKEN, NULL},
        {"Bearer " OF_ABC, true, HTTP_WRONG_TOKEN, NULL}, // what the file has is no token
        {"Bearer noc", false, HTTP_WRONG_TOKEN, NULL},
        {"", false, HTTP_MALFORMED, NULL},
        {"Bearer", false, HTTP_MALFORMED, NULL},
        {"Bearer ", false, HTTP_MALFORMED, NULL},
        {"Bearer =", false, HTTP_MALFORMED, NULL},
        {"Bearer a b", false, HTTP_MALFORMED, NULL},
        {"Bearer abc, Bearer test", false, HTTP_MALFORMED, NULL}, // two headers
        {"Bearer abc ", false, HTTP_MALFORMED, NULL},
        {"Bearer \xc3\xa4", false, HTTP_MALFORMED, NULL},
        {"Basic YWJjOmFiYw==", false, HTTP_MALFORMED, NULL},
        {"abc", false, HTTP_MALFORMED, NULL},
    };
    struct access *access = parsed("# who may do what\n\nnoc operate " OF_ABC "\n"
                                   "  grafana\tread  " OF_TEST " \r\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *who = NULL;
        enum http_admission admission =
            access_admit(access, cases[i].authorization, cases[i].changes, &who);
        ck_assert_msg(admission == cases[i].admission, "case %zu gave %d", i, (int)admission);
        ck_assert_pstr_eq(who, cases[i].who);
    }
    access_free(access);
}
END_TEST

START_TEST(a_token_that_is_too_long_is_none) {
    struct access *access = parsed("noc operate " OF_ABC);
    struct buf header = {0};
    const char *who = NULL;
    buf_adds(&header, "Bearer ");
    for (int i = 0; i < 512; i++)
        buf_adds(&header, "x");
    ck_assert_int_eq(access_admit(access, header.data, false, &who), HTTP_WRONG_TOKEN);
    buf_adds(&header, "x");
    ck_assert_int_eq(access_admit(access, header.data, false, &who), HTTP_MALFORMED);
    buf_deinit(&header);
    access_free(access);
}
END_TEST

START_TEST(a_file_that_is_not_right_is_refused_and_no_word_of_it_that_may_be_a_token_is_told) {
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "there is no token in it: orchestrator token prints a line for it"},
        {"# none\n", "there is no token in it"},
        {"noc", "line 1: expected a name, a role and a SHA-256: see orchestrator token"},
        {"noc operate", "line 1: expected a name, a role and a SHA-256"},
        {"noc operate " OF_ABC " more", "line 1: expected a name, a role and a SHA-256"},
        {"\nnoc admin " OF_ABC, "line 2: expected a role behind the name: read or operate"},
        {"noc Read " OF_ABC, "line 1: expected a role"},
        {"n:c read " OF_ABC, "line 1: expected a name"},
        {"noc secretsecret " OF_ABC, "line 1: expected a role"},
        {"secret:secretsecret read " OF_ABC, "line 1: expected a name"},
        {"noc read secretsecret", "line 1: the third word is no SHA-256"},
        {"noc read BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
         "line 1: the third word is no SHA-256"},
        {"noc read " OF_ABC "\nother operate " OF_ABC, "line 2: other has the token of noc"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct access *access = NULL;
        struct error err = {0};
        ck_assert_int_ne(access_parse(cases[i].text, strlen(cases[i].text), &access, &err), 0);
        ck_assert_ptr_null(access);
        ck_assert_msg(strstr(err.text, cases[i].error) != NULL, "case %zu: %s", i, err.text);
        ck_assert_ptr_null(strstr(err.text, "secretsecret"));
    }
    struct access *access = NULL;
    struct error err = {0};
    ck_assert_int_ne(access_parse("noc\0read", 8, &access, &err), 0);
}
END_TEST

START_TEST(the_line_that_is_printed_lets_its_token_in) {
    unsigned char bytes[ACCESS_TOKEN_BYTES] = {0x00, 0x0f, 0xf0, 0xff};
    char token[ACCESS_TOKEN_TEXT];
    struct buf line = {0}, header = {0};
    struct error err;
    const char *who = NULL;
    access_token(bytes, token);
    ck_assert_uint_eq(strlen(token), ACCESS_TOKEN_TEXT - 1);
    ck_assert_int_eq(strncmp(token, "000ff0ff0000", 12), 0);
    ck_assert_int_eq(access_line("noc@earth", "read", token, &line, &err), 0);
    ck_assert_ptr_null(strstr(line.data, token));
    struct access *access = parsed(line.data);
    buf_addf(&header, "Bearer %s", token);
    ck_assert_int_eq(access_admit(access, header.data, false, &who), HTTP_ADMITTED);
    ck_assert_str_eq(who, "noc@earth");
    ck_assert_int_ne(access_line("", "read", token, &line, &err), 0);
    ck_assert_int_ne(access_line("a b", "read", token, &line, &err), 0);
    ck_assert_int_ne(access_line("noc", "root", token, &line, &err), 0);
    ck_assert_str_eq(err.text, "expected a role behind the name: read or operate");
    access_free(access);
    buf_deinit(&line);
    buf_deinit(&header);
}
END_TEST

START_TEST(there_may_be_a_thousand_tokens) {
    struct buf text = {0};
    struct access *access = NULL;
    struct error err = {0};
    for (int i = 0; i < ACCESS_TOKENS_MAX; i++)
        buf_addf(&text, "noc read %064x\n", (unsigned)i);
    access_free(parsed(text.data));
    buf_addf(&text, "noc read %064x\n", ACCESS_TOKENS_MAX);
    ck_assert_int_ne(access_parse(text.data, text.len, &access, &err), 0);
    ck_assert_str_eq(err.text, "line 1001: 1000 tokens at most");
    buf_deinit(&text);
}
END_TEST

Suite *check_access(void) {
    Suite *s = suite_create("access");
    TCase *t = tcase_create("access");
    tcase_add_test(t, each_token_may_do_what_its_role_says);
    tcase_add_test(t, a_token_that_is_too_long_is_none);
    tcase_add_test(
        t, a_file_that_is_not_right_is_refused_and_no_word_of_it_that_may_be_a_token_is_told);
    tcase_add_test(t, the_line_that_is_printed_lets_its_token_in);
    tcase_add_test(t, there_may_be_a_thousand_tokens);
    suite_add_tcase(s, t);
    return s;
}
