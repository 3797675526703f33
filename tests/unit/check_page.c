#include "orchestrator/page.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_page(void);

static const struct {
    const char *text;
    bool is_origin;
} origins[] = {
    {"http://127.0.0.1:8301", true},
    {"https://sim.example", true},
    {"http://[::1]:8301", true},
    {"http://", false},
    {"127.0.0.1:8301", false},
    {"ftp://127.0.0.1", false},
    {"http://127.0.0.1:8301/", false}, // of it the page would make //faults/
    {"http://127.0.0.1:8301/inventory/", false},
    {"http://a b", false},
    {"http://a;script-src *", false}, // it goes into a policy
    {"http://a\"><script>", false},   // ... and into HTML
    {"http://a\r\nX: y", false},
    {"", false},
};

START_TEST(an_origin_is_an_address_and_nothing_else) {
    ck_assert_msg(page_is_origin(origins[_i].text) == origins[_i].is_origin, "%s",
                  origins[_i].text);
}
END_TEST

START_TEST(the_page_is_told_of_the_simulator) {
    struct page_facts facts = {.simulator = "http://127.0.0.1:8301"};
    char *with = page_index(&facts);
    facts.simulator = NULL;
    char *without = page_index(&facts);
    ck_assert_ptr_nonnull(
        strstr(with, "<meta name=\"simulator\" content=\"http://127.0.0.1:8301\">"));
    ck_assert_ptr_nonnull(strstr(without, "<meta name=\"simulator\" content=\"\">"));
    ck_assert_uint_eq(strlen(with), strlen(without) + strlen("http://127.0.0.1:8301"));
    ck_assert_str_eq(with + strlen(with) - strlen("</html>\n"), "</html>\n");
    free(with);
    free(without);
}
END_TEST

START_TEST(the_page_is_told_when_the_service_started_and_how_long_it_asks) {
    char *page =
        page_index(&(struct page_facts){.started_ms = 1591734190331, .install_timeout_ms = 300000});
    ck_assert_ptr_nonnull(strstr(page, "<meta name=\"started-ms\" content=\"1591734190331\">"));
    ck_assert_ptr_nonnull(strstr(page, "<meta name=\"install-timeout-ms\" content=\"300000\">"));
    free(page);
}
END_TEST

// Whatever the page asks for is there, and what that asks for in turn.
static void assert_there(const char *name, unsigned levels) {
    const struct page_file *file = page_find(name);
    ck_assert_msg(file != NULL, "%s", name);
    ck_assert_uint_eq(strlen(file->bytes), *file->len);
    if (levels == 0) return; // modules may ask for one another
    for (const char *at = file->bytes; (at = strstr(at, "from \"./")) != NULL;) {
        char other[64];
        at += strlen("from \"./");
        ck_assert_int_eq(sscanf(at, "%63[^\"]", other), 1);
        assert_there(other, levels - 1);
    }
}

START_TEST(what_the_page_names_is_there) {
    const char *const names[] = {"index.html", "style.css", "main.js"};
    for (size_t i = 0; i < 3; i++)
        assert_there(names[i], 3);
    ck_assert_ptr_null(page_find("../page.c"));
    ck_assert_ptr_null(page_find(""));
    ck_assert_ptr_null(page_find("swagger-ui.css"));
    ck_assert_ptr_nonnull(page_find_docs("swagger-ui.css"));
    ck_assert_ptr_null(page_find_docs("main.js"));
}
END_TEST

START_TEST(docs_are_there_or_say_how_they_come) {
    const bool are_there = *page_find_docs("swagger-ui-bundle.js")->len > 0;
    ck_assert_ptr_nonnull(
        strstr(page_docs(), are_there ? "/docs/swagger-ui-bundle.js" : "make docs"));
}
END_TEST

Suite *check_page(void) {
    Suite *suite = suite_create("page");
    TCase *tc = tcase_create("page");
    tcase_add_loop_test(tc, an_origin_is_an_address_and_nothing_else, 0,
                        sizeof origins / sizeof *origins);
    tcase_add_test(tc, the_page_is_told_of_the_simulator);
    tcase_add_test(tc, the_page_is_told_when_the_service_started_and_how_long_it_asks);
    tcase_add_test(tc, what_the_page_names_is_there);
    tcase_add_test(tc, docs_are_there_or_say_how_they_come);
    suite_add_tcase(suite, tc);
    return suite;
}
