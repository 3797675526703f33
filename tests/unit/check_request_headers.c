#include "orchestrator/request_headers.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_request_headers(void);

START_TEST(a_client_that_prefers_not_to_wait_is_understood) {
    static const struct {
        const char *prefer;
        bool async;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"respond-async", true},
        {"Respond-Async", true},
        {"  respond-async  ", true},
        {"respond-async,", true},
        {"respond-async, wait=10", true},
        {"wait=10, respond-async", true},
        {"wait=10,respond-async", true},
        {"wait=10 ,\trespond-async ; x=y", true},
        {"return=minimal; foo=\"some parameter\", respond-async", true},
        {", , respond-async", true},
        {"respond-async=\"\"", true},
        {"respond-async=", true},
        {"respond-async = \"\" ; x", true},
        {"respond-async;x=\"a, b\"", true},
        {"handling=lenient", false},
        {"wait=10", false},
        {"respond-asynchronously", false},
        {"respond-async-now", false},
        {"not-respond-async", false},
        {"respond-async=no", false},
        {"respond-async=\"yes\"", false},
        {"respond", false},
        {"x=respond-async", false},
        {"x; respond-async", false},
        {"x=\"a, respond-async, b\"", false},
        {"x=\"a \\\", respond-async\"", false},
        {"x=\"never closed, respond-async", false},
        {"x=\"closed\", respond-async", true},
        {"x=\"\\", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(request_prefers_async(cases[i].prefer) == cases[i].async, "%s",
                      cases[i].prefer);
}
END_TEST

START_TEST(a_key_is_visible_ascii_in_quotes_or_without) {
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"a", "a"},
        {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
        {"\"8e03978e\"", "8e03978e"},
        {" \"a\" ", "a"},
        {"\ta\t ", "a"},
        {"!~", "!~"},
        {"a\"b", "a\"b"},
        {"a\\b", "a\\b"},
        {"\"a\\\"b\"", "a\"b"},
        {"\"a\\\\\"", "a\\"},
        {"\"a\\b\"", "a\\b"},
        {"a,b", "a,b"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char key[REQUEST_KEY_MAX + 1] = "";
        struct error err;
        int rc = request_key(cases[i].text, "Idempotency-Key", key, &err);
        ck_assert_msg(rc == 0, "%s: %s", cases[i].text, err.text);
        ck_assert_str_eq(key, cases[i].key);
    }
}
END_TEST

START_TEST(a_key_that_is_none_is_refused_and_says_why) {
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "it is empty"},
        {"  ", "it is empty"},
        {"\"\"", "it is empty"},
        {"\"", "its closing quote is missing"},
        {"\"a", "its closing quote is missing"},
        {"\"a\\\"", "its closing quote is missing"},
        {"\"a\"b", "something follows its closing quote"},
        {"\"a\";p=1", "something follows its closing quote"},
        {"\"a\", \"b\"", "something follows its closing quote"}, // the header came twice
        {"a, b", "it holds something else than visible ASCII characters"},
        {"a b", "it holds something else than visible ASCII characters"},
        {"\"a b\"", "it holds something else than visible ASCII characters"},
        {"a\tb", "it holds something else than visible ASCII characters"},
        {"a\x7f", "it holds something else than visible ASCII characters"},
        {"\xc3\xa9", "it holds something else than visible ASCII characters"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char key[REQUEST_KEY_MAX + 1] = "as before", expected[200];
        struct error err;
        int rc = request_key(cases[i].text, "Idempotency-Key", key, &err);
        ck_assert_msg(rc == ERROR_INPUT, "%s was taken", cases[i].text);
        snprintf(expected, sizeof expected, "Idempotency-Key: %s", cases[i].why);
        ck_assert_str_eq(err.text, expected);
        ck_assert_str_eq(err.field, "Idempotency-Key");
        ck_assert_str_eq(key, "as before");
    }
}
END_TEST

START_TEST(a_key_has_255_characters_at_most) {
    char text[REQUEST_KEY_MAX + 4], key[REQUEST_KEY_MAX + 1];
    struct error err;
    for (int quotes = 0; quotes < 2; quotes++) {
        memset(text, 'x', sizeof text);
        if (quotes == 1) text[0] = text[REQUEST_KEY_MAX + 1] = '"';
        text[REQUEST_KEY_MAX + 2 * quotes] = '\0';
        ck_assert_int_eq(request_key(text, "key", key, &err), 0);
        ck_assert_uint_eq(strlen(key), REQUEST_KEY_MAX);
        memset(text, 'x', sizeof text);
        if (quotes == 1) text[0] = text[REQUEST_KEY_MAX + 2] = '"';
        text[REQUEST_KEY_MAX + 1 + 2 * quotes] = '\0';
        ck_assert_int_eq(request_key(text, "key", key, &err), ERROR_INPUT);
        ck_assert_str_eq(err.text, "key: it is longer than 255 characters");
    }
}
END_TEST

Suite *check_request_headers(void) {
    Suite *suite = suite_create("request_headers");
    TCase *tcase = tcase_create("request_headers");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_client_that_prefers_not_to_wait_is_understood);
    tcase_add_test(tcase, a_key_is_visible_ascii_in_quotes_or_without);
    tcase_add_test(tcase, a_key_that_is_none_is_refused_and_says_why);
    tcase_add_test(tcase, a_key_has_255_characters_at_most);
    return suite;
}
